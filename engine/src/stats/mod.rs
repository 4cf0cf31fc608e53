//! Layer 0: counters, histograms, the copy ledger and the only bulk-copy functions.
//!
//! Nothing here knows a packet, a window or a clock: times are passed in.

pub mod advice;
pub mod alloc;
pub mod clipboard;
pub mod collector;
pub mod copies;
pub mod draws;
pub mod durations;
pub mod export;
pub mod history;
pub mod plain;
pub mod rates;
pub mod report;
pub mod snapshot;
pub mod text;
pub mod trace;

pub use advice::{Advice, Chosen, Help};
pub use clipboard::ClipboardTotals;
pub use collector::{Collector, DrawCounted};
pub use copies::{CopyLedger, CopySite, Transform};
pub use report::Report;
pub use snapshot::{RendererFacts, SessionFacts, StatsSnapshot};
pub use trace::DrawTrace;
