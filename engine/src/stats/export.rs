//! The history as files for other programs.

use std::fmt::Write;

use serde::Serialize;

use super::snapshot::{HistoryPoint, RendererFacts, SessionFacts, StatsSnapshot};

/// The history as comma-separated values: a line of names, then a line a second. The names are
/// the fields of [`HistoryPoint`].
pub fn history_csv(history: &[HistoryPoint]) -> String {
    let mut csv = "second,received_bytes,sent_bytes,copied_bytes,transformed_bytes,draws,presents,\
                   queue_bytes,latency_us\n"
        .to_owned();
    for point in history {
        let HistoryPoint {
            second,
            received_bytes,
            sent_bytes,
            copied_bytes,
            transformed_bytes,
            draws,
            presents,
            queue_bytes,
            latency_us,
        } = point;
        // Writing to a String does not fail.
        let _ = writeln!(
            csv,
            "{second},{received_bytes},{sent_bytes},{copied_bytes},{transformed_bytes},{draws},{presents},\
             {queue_bytes},{latency_us}"
        );
    }
    csv
}

/// The history as JSON, with what was connected and what rendered.
///
/// # Errors
/// None in practice: the data is plain.
pub fn history_json(snapshot: &StatsSnapshot) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Export<'a> {
        format: u32,
        transport: &'static str,
        session: &'a SessionFacts,
        renderer: &'a RendererFacts,
        history: &'a [HistoryPoint],
    }
    serde_json::to_string_pretty(&Export {
        format: StatsSnapshot::FORMAT,
        transport: snapshot.network.transport,
        session: &snapshot.session,
        renderer: &snapshot.renderer,
        history: &snapshot.history,
    })
}
