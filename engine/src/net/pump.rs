//! What waits for room on its way from the session to the decode pool, and what may be read
//! meanwhile. No IO, no clock.
//!
//! Draws are handed on as long as the byte budget has room for them. One that has to wait steps aside, and other draws
//! and changes of backings line up behind it, in order; what else was received is taken meanwhile, so that a ping, a
//! cursor or a sound does not wait for pictures. Only a little may stand aside ([`MAX_ASIDE`], [`MAX_ASIDE_BYTES`]):
//! beyond that no packet is taken and the socket is not read, and the kernel's window pushes back at the server.
//! Whoever lets draws go on has to take the packets behind them, and read when these are taken: so all of it is one
//! decision, [`Pump::next`], to be carried out until it says [`Next::Wait`], after everything that happened.

use std::collections::VecDeque;

use crate::codec::Coded;
use crate::geometry::Size;
use crate::protocol::packet::WindowId;
use crate::session::DrawRequest;

/// Draws and changes of backings that may stand aside.
pub const MAX_ASIDE: usize = 256;
/// Bytes as they came of the draws that may stand aside; one that is larger stands there alone.
pub const MAX_ASIDE_BYTES: usize = 4 << 20;

/// What is handed to the decode pool, in order.
#[derive(Debug)]
pub enum Step {
    Draw {
        request: DrawRequest,
        /// What it takes: [`charge`].
        charge: Charge,
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

/// The bytes of memory that a draw holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Until it is decoded: those that it came in.
    pub received: usize,
    /// Of the budget: those that it may hold between here and the GPU.
    pub budget: usize,
}

/// The steps that wait, and whether received packets do. Keeps its memory: in steady state it
/// does not allocate.
#[derive(Debug)]
pub struct Pump {
    pending: VecDeque<Step>,
    /// Of those, as they came.
    received: usize,
    drained: bool,
}

impl Default for Pump {
    /// Nothing waits, so it begins by reading.
    fn default() -> Self {
        Self { pending: VecDeque::new(), received: 0, drained: true }
    }
}

impl Pump {
    /// Appends what the session wants to be handed on.
    pub fn push(&mut self, step: Step) {
        self.received += step.received();
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
            Some(Step::Draw { charge, .. }) => room(charge.budget),
            Some(Step::Backing { .. }) | None => None,
        };
        let first = match self.pending.front() {
            Some(Step::Draw { .. }) if permit.is_none() => None,
            _ => self.pending.pop_front(),
        };
        self.received -= first.as_ref().map_or(0, Step::received);
        match (first, permit) {
            (Some(Step::Draw { request, .. }), Some(permit)) => Next::Draw(request, permit),
            (Some(Step::Backing { wid, size }), _) => Next::Backing { wid, size },
            // A draw without its share stays where it is.
            (Some(Step::Draw { .. }) | None, _) if self.drained || self.is_crowded(0) => Next::Wait,
            (Some(Step::Draw { .. }) | None, _) => Next::Take,
        }
    }

    /// The bytes of the budget that the first step waits for, after [`Next::Wait`].
    pub fn wanted(&self) -> Option<usize> {
        match self.pending.front() {
            Some(Step::Draw { charge, .. }) => Some(charge.budget),
            Some(Step::Backing { .. }) | None => None,
        }
    }

    /// Whether more bytes may be received: all that were are taken, and there is a place for a draw that may come.
    /// `announced`: the bytes of the record that is being received, as far as they are known.
    pub fn may_read(&self, announced: usize) -> bool {
        self.drained && !self.is_crowded(announced)
    }

    /// The connection is gone: forgets the draws, which nobody waits for any more, and gives what becomes of backings, in
    /// order.
    pub fn abandon(&mut self) -> impl Iterator<Item = (WindowId, Option<Size>)> {
        self.received = 0;
        std::mem::take(&mut self.pending).into_iter().filter_map(|step| match step {
            Step::Backing { wid, size } => Some((wid, size)),
            Step::Draw { .. } => None,
        })
    }

    /// Whether there is no place for one more that came in so many bytes.
    fn is_crowded(&self, more: usize) -> bool {
        !self.pending.is_empty()
            && (self.pending.len() >= MAX_ASIDE || self.received.saturating_add(more) > MAX_ASIDE_BYTES)
    }
}

impl Step {
    fn received(&self) -> usize {
        match self {
            Self::Draw { charge, .. } => charge.received,
            Self::Backing { .. } => 0,
        }
    }
}

/// The bytes of memory that a draw holds. Of the budget: those that it came in, or its pixels and what
/// the picture libraries keep meanwhile, whichever is more. `shares_buffer`: its data is one of many in a receive
/// buffer, which the reassembler bounds; else the whole buffer is its own.
pub fn charge(request: &DrawRequest, shares_buffer: bool) -> Charge {
    let received = if shares_buffer { request.data.len() } else { request.data.retained_bytes() };
    let pixels = u64::from(request.rect.width) * u64::from(request.rect.height);
    let decoded = usize::try_from(Coded::from(request).memory_bytes().max(pixels.saturating_mul(4)))
        .unwrap_or(usize::MAX);
    Charge { received, budget: decoded.max(received) }
}
