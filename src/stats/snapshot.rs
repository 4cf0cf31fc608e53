//! What the overlay shows and `--stats-json` writes.

/// All statistics at one moment.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct StatsSnapshot {}
