//! `farpane bench receive`: the experiment of Xpra ticket #502, repeated.
//!
//! The same stream of records is received by each [`Strategy`] with each read size, from memory
//! and over real loopback sockets. Counted are the bytes that the strategy itself copies after
//! the kernel's own copy, allocations, time, and the receiving thread's CPU time.

mod charts;
mod measure;
mod report;
mod source;
mod strategy;
mod stream;
mod summary;
mod transports;

pub use charts::{ChartError, draw as draw_charts, draw_for_docs};
pub use measure::{Measurement, Plan, run};
pub use report::{csv, table};
pub use source::Source;
pub use strategy::{Counters, Mark, Sink, Strategy};
pub use stream::{RecordStream, Workload};
pub use summary::{Goal, Results};
pub use transports::{TransportCost, transports};

/// What writes the tables of `docs/receive-path.md`: see [`super::docs::insert`].
pub const COMMAND: &str = "farpane bench receive";

/// How much a receiver asks for in one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReadSize {
    /// At most this many bytes.
    Bytes(usize),
    /// All that is missing of the payload.
    AsAsked,
}

impl ReadSize {
    /// QUIC datagrams, the ticket's reads, TLS records, the ticket's improvement, larger ones.
    pub const ALL: [Self; 6] = [
        Self::Bytes(1200),
        Self::Bytes(8 << 10),
        Self::Bytes(16 << 10),
        Self::Bytes(64 << 10),
        Self::Bytes(256 << 10),
        Self::AsAsked,
    ];

    /// `wanted`, or less.
    pub fn limit(self, wanted: usize) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.min(wanted),
            Self::AsAsked => wanted,
        }
    }

    /// As much of `into` as one read may fill.
    fn cut(self, into: &mut [u8]) -> &mut [u8] {
        let len = self.limit(into.len());
        &mut into[..len]
    }
}

impl std::fmt::Display for ReadSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) if bytes % 1024 == 0 => write!(f, "{} KiB", bytes / 1024),
            Self::Bytes(bytes) => write!(f, "{bytes} B"),
            Self::AsAsked => write!(f, "as asked"),
        }
    }
}
