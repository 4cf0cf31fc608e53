//! What waits for room on its way from the session to the decode pool, and what may be read
//! meanwhile. No IO, no clock.
//!
//! Draws are handed on as long as the byte budget has room for them, and no packet is taken while
//! one waits: then the socket is not read, and the kernel's window pushes back at the server. Whoever lets
//! draws go on has to take the packets behind them, and read when these are taken: so all of it is one
//! decision, [`Pump::next`], to be carried out until it says [`Next::Wait`], after everything that
//! happened.

use std::collections::VecDeque;

use crate::codec::Size;
use crate::protocol::packet::WindowId;
use crate::session::DrawRequest;

/// What is handed to the decode pool, in order.
#[derive(Debug)]
pub enum Step {
    Draw {
        request: DrawRequest,
        /// Bytes of the budget that it takes: [`charge`].
        bytes: usize,
    },
    Backing {
        wid: WindowId,
        size: Option<Size>,
    },
}

/// What is to be done now.
#[derive(Debug)]
pub enum Next<P> {
    /// Hand this draw on, with its share of the budget.
    Draw(DrawRequest, P),
    /// Hand this change of a backing on. `size` is `None` for a window that is gone.
    Backing { wid: WindowId, size: Option<Size> },
    /// Take a packet of those that were received; if there is none, say so ([`Pump::drained`]).
    Take,
    /// Nothing, until something happens: see [`Pump::wanted`] and [`Pump::may_read`].
    Wait,
}

/// The steps that wait, and whether received packets do. Keeps its memory: in steady state it
/// does not allocate.
#[derive(Debug)]
pub struct Pump {
    pending: VecDeque<Step>,
    drained: bool,
}

impl Default for Pump {
    /// Nothing waits, so it begins by reading.
    fn default() -> Self {
        Self { pending: VecDeque::new(), drained: true }
    }
}

impl Pump {
    /// Appends what the session wants to be handed on.
    pub fn push(&mut self, step: Step) {
        self.pending.push_back(step);
    }

    /// Bytes were received: there may be packets to take.
    pub fn received(&mut self) {
        self.drained = false;
    }

    /// All packets that were received are taken.
    pub fn drained(&mut self) {
        self.drained = true;
    }

    /// What is to be done now. `room` takes so many bytes of the budget, if they are there now; it is
    /// asked for draws only, each time for the one that would be handed on.
    pub fn next<P>(&mut self, room: impl FnOnce(usize) -> Option<P>) -> Next<P> {
        let permit = match self.pending.front() {
            Some(Step::Draw { bytes, .. }) => match room(*bytes) {
                Some(permit) => Some(permit),
                None => return Next::Wait,
            },
            Some(Step::Backing { .. }) => None,
            None if self.drained => return Next::Wait,
            None => return Next::Take,
        };
        match (self.pending.pop_front(), permit) {
            (Some(Step::Draw { request, .. }), Some(permit)) => Next::Draw(request, permit),
            (Some(Step::Backing { wid, size }), _) => Next::Backing { wid, size },
            // A draw without its share does not get here.
            (Some(Step::Draw { .. }) | None, _) => Next::Wait,
        }
    }

    /// The bytes of the budget that the first step waits for, after [`Next::Wait`].
    pub fn wanted(&self) -> Option<usize> {
        match self.pending.front() {
            Some(Step::Draw { bytes, .. }) => Some(*bytes),
            Some(Step::Backing { .. }) | None => None,
        }
    }

    /// Whether more bytes may be received: nothing waits.
    pub fn may_read(&self) -> bool {
        self.drained && self.pending.is_empty()
    }
}

/// The bytes of memory that a draw may hold between here and the GPU: those that it came in, or its pixels and what
/// the picture libraries keep meanwhile, whichever is more. `shares_buffer`: its data is one of many in a receive
/// buffer, which the reassembler bounds; else the whole buffer is its own.
pub fn charge(request: &DrawRequest, shares_buffer: bool) -> usize {
    let received = if shares_buffer { request.data.len() } else { request.data.retained_bytes() };
    let pixels = u64::from(request.rect.width) * u64::from(request.rect.height);
    let decoded =
        usize::try_from(request.coded().memory_bytes().max(pixels.saturating_mul(4))).unwrap_or(usize::MAX);
    decoded.max(received)
}
