//! When a copy is passed on: not at every one of many in a burst, and not for ever where two clipboard managers, one on
//! each side, take the selection from each other.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Between two copies that are passed on. The last of a burst always is.
const PACE: Duration = Duration::from_millis(50);
/// So many times in [`WINDOW`] the selection may change sides; people do that a few times in a minute.
const MAX_TURNS: usize = 6;
const WINDOW: Duration = Duration::from_secs(2);
/// How long nothing is passed on after that. What was copied last is, then.
const HOLD: Duration = Duration::from_secs(2);

/// Whose program copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Here,
    There,
}

/// The recent copies of one selection.
#[derive(Debug, Default)]
pub struct Turns {
    last: Option<Side>,
    /// When it changed sides.
    changes: VecDeque<Instant>,
    not_before: Option<Instant>,
}

impl Turns {
    /// Somebody on this side copied: when that may be passed on.
    pub fn taken(&mut self, by: Side, now: Instant) -> Instant {
        if self.last.replace(by).is_some_and(|last| last != by) {
            self.changes.push_back(now);
            while self.changes.front().is_some_and(|at| now.saturating_duration_since(*at) > WINDOW) {
                self.changes.pop_front();
            }
            if self.changes.len() > MAX_TURNS {
                self.changes.clear();
                self.not_before = Some(now + HOLD);
            }
        }
        self.not_before.map_or(now, |time| time.max(now))
    }

    /// It was passed on.
    pub fn passed_on(&mut self, now: Instant) {
        self.not_before = Some(now + PACE);
    }
}
