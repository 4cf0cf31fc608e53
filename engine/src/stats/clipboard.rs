//! What the clipboard moves.

use std::time::Instant;

use super::rates::RateWindow;
use super::snapshot::ClipboardStats;

/// Totals as the session has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClipboardTotals {
    /// Bytes of contents that came from the server.
    pub received: u64,
    /// Bytes of contents that went to it.
    pub sent: u64,
    /// Since when a local program has waited for the server.
    pub waiting_since: Option<Instant>,
}

/// Their rates.
#[derive(Clone, Debug, Default)]
pub struct ClipboardCounters {
    totals: ClipboardTotals,
    received: RateWindow,
    sent: RateWindow,
}

impl ClipboardCounters {
    /// The totals are these now.
    pub fn note(&mut self, tick: u64, totals: ClipboardTotals) {
        let before = std::mem::replace(&mut self.totals, totals);
        self.received.add(tick, totals.received.saturating_sub(before.received));
        self.sent.add(tick, totals.sent.saturating_sub(before.sent));
    }

    /// As of `now`.
    pub fn stats(&self, tick: u64, now: Instant) -> ClipboardStats {
        let waited = self.totals.waiting_since.map(|since| now.saturating_duration_since(since));
        ClipboardStats {
            received: self.received.rate_with_series(tick),
            sent: self.sent.rate_with_series(tick),
            waiting_sec: waited.unwrap_or_default().as_secs_f64(),
        }
    }
}
