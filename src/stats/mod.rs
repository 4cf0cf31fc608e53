//! Layer 0: counters, histograms, the copy ledger and the only bulk-copy functions.
//!
//! Nothing here knows a packet, a window or a clock: times are passed in.

pub mod copies;
pub mod snapshot;
pub mod trace;

pub use copies::{CopyLedger, CopySite, Transform};
pub use snapshot::StatsSnapshot;
pub use trace::DrawTrace;
