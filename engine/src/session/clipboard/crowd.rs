//! Servers drop packets of the clipboard, answers too, when they would send more than 30 in a second
//! (xpra/clipboard/core.py of 3.1.3 and 6.5.5): after such a second one has to ask again.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// So many in a second: some may have been dropped. 6.5.5 counts more than it sends: with 50 copies in a second a
/// fraction of the allowed ones came.
const MANY: usize = 5;
/// How long it must have been quiet before it is worth asking again.
const QUIET: Duration = Duration::from_millis(1200);
/// How often, at most: the server may be dropping packets for others of its programs.
const ATTEMPTS: u32 = 5;

/// The packets of the last second.
#[derive(Debug, Default)]
pub struct Crowd {
    recent: VecDeque<Instant>,
    over_at: Option<Instant>,
    /// How often it was asked again.
    attempts: u32,
}

impl Crowd {
    /// One came.
    pub fn came(&mut self, now: Instant) {
        self.recent.push_back(now);
        if self.recent.len() > MANY {
            self.recent.pop_front();
        }
        let is_second = |first: &Instant| now.saturating_duration_since(*first) <= Duration::from_secs(1);
        let is_crowd = self.recent.len() == MANY && self.recent.front().is_some_and(is_second);
        if is_crowd || (self.over_at.is_some() && self.attempts == 0) {
            self.over_at = Some(now + QUIET);
            self.attempts = 0;
        }
    }

    /// The server answered: if that was because it was asked again, all is well.
    pub fn answered(&mut self) {
        if self.attempts > 0 {
            self.over_at = None;
        }
    }

    /// When it is quiet again after too many.
    pub fn over_at(&self) -> Option<Instant> {
        self.over_at
    }

    /// Whether it is, and time to ask again.
    pub fn is_over(&mut self, now: Instant) -> bool {
        let is_over = self.over_at.take_if(|at| *at <= now).is_some();
        if is_over {
            self.attempts += 1;
            self.over_at = (self.attempts < ATTEMPTS).then_some(now + QUIET);
        }
        is_over
    }
}
