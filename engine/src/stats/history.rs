//! The last ten minutes, second by second, for the session information window.

use std::time::Instant;

use super::snapshot::HistoryPoint;

/// Seconds that are kept.
pub const HISTORY_SECONDS: usize = 600;

/// A ring of one point a second. Allocated once.
#[derive(Clone, Debug)]
pub struct History {
    ring: Vec<HistoryPoint>,
}

impl Default for History {
    fn default() -> Self {
        Self { ring: vec![HistoryPoint::default(); HISTORY_SECONDS] }
    }
}

impl History {
    /// The point of the second in which `now` falls; a new one if that second just began.
    pub fn at(&mut self, started: Instant, now: Instant) -> &mut HistoryPoint {
        let second = now.saturating_duration_since(started).as_secs();
        let point = &mut self.ring[(second % HISTORY_SECONDS as u64) as usize];
        if point.second < second {
            *point = HistoryPoint { second, ..HistoryPoint::default() };
        }
        point
    }

    /// The complete seconds before `now`, oldest first. A second without events is all zeros,
    /// except that the last measured latency holds.
    pub fn points(&self, started: Instant, now: Instant) -> Vec<HistoryPoint> {
        let seconds = now.saturating_duration_since(started).as_secs();
        let mut latency_us = 0;
        (seconds.saturating_sub(HISTORY_SECONDS as u64 - 1)..seconds)
            .map(|second| {
                let kept = self.ring[(second % HISTORY_SECONDS as u64) as usize];
                let mut point = if kept.second == second {
                    kept
                } else {
                    HistoryPoint { second, ..HistoryPoint::default() }
                };
                latency_us = if point.latency_us == 0 { latency_us } else { point.latency_us };
                point.latency_us = latency_us;
                point
            })
            .collect()
    }
}
