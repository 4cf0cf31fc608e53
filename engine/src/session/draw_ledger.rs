//! Which draws are under way: each one is acknowledged exactly once, whatever happens to it.

use std::collections::HashMap;

use super::event::DrawDone;
use crate::protocol::packet::draw::{DrawAck, DrawOutcome};
use crate::protocol::packet::{DrawSequence, WindowId};

/// Draws under way at most. Servers wait for acknowledgements long before that; a peer that does
/// not is refused.
pub const MAX_DRAWS_IN_FLIGHT: usize = 16 * 1024;
/// Longest reason told to the server, in characters.
const MAX_MESSAGE_CHARS: usize = 200;

/// Why a draw cannot be taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server sent {MAX_DRAWS_IN_FLIGHT} draws without waiting for their acknowledgement")]
pub struct TooManyDraws;

/// The draws between [`DrawLedger::begin`] and [`DrawLedger::finish`].
#[derive(Debug, Default)]
pub struct DrawLedger {
    /// How many draws of this number are under way: more than one only if the server reuses
    /// numbers, and then each still gets its own acknowledgement.
    pending: HashMap<(WindowId, DrawSequence), u32>,
    total: usize,
}

impl DrawLedger {
    /// Notes a draw that goes to the decoders.
    ///
    /// # Errors
    /// If there are too many under way.
    pub fn begin(&mut self, wid: WindowId, sequence: DrawSequence) -> Result<(), TooManyDraws> {
        if self.total >= MAX_DRAWS_IN_FLIGHT {
            return Err(TooManyDraws);
        }
        self.total += 1;
        *self.pending.entry((wid, sequence)).or_insert(0) += 1;
        Ok(())
    }

    /// The acknowledgement for a finished draw, or `None` if no such draw is under way (it was
    /// acknowledged before). `window_exists`: the window may have gone meanwhile.
    pub fn finish(&mut self, done: &DrawDone, window_exists: bool) -> Option<DrawAck> {
        let key = (done.wid, done.sequence);
        let count = self.pending.get_mut(&key)?;
        *count -= 1;
        if *count == 0 {
            self.pending.remove(&key);
        }
        self.total -= 1;
        let outcome = match &done.outcome {
            _ if !window_exists => DrawOutcome::WindowNotFound,
            DrawOutcome::Presented { decode_us } => DrawOutcome::Presented { decode_us: (*decode_us).max(1) },
            DrawOutcome::Error { message } => DrawOutcome::Error { message: shortened(message) },
            other => other.clone(),
        };
        Some(DrawAck {
            wid: done.wid,
            sequence: done.sequence,
            width: done.size.width,
            height: done.size.height,
            outcome,
        })
    }

    /// Draws under way, of all windows.
    pub fn in_flight(&self) -> usize {
        self.total
    }

    /// Draws of one window under way.
    pub fn in_flight_of(&self, wid: WindowId) -> usize {
        let of_window = self.pending.iter().filter(|((w, _), _)| *w == wid);
        of_window.map(|(_, count)| usize::try_from(*count).unwrap_or(usize::MAX)).sum()
    }
}

fn shortened(message: &str) -> String {
    message.chars().take(MAX_MESSAGE_CHARS).collect()
}
