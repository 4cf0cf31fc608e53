//! What waits to be written, in two lanes: packets that are small and wanted at once (keys, acknowledgements, pings:
//! all but bulk), and one packet of bulk data, which begins when nothing of the first waits.
//!
//! The records of a packet belong together, so what was begun is finished first: a bulk packet is as long as
//! whoever makes it lets everything else wait. Where the protocol has pieces (files, sound), these are small; what a
//! selection holds is one packet, whatever its size (`clipboard-contents`; at most 16 MiB), and a key pressed
//! while it is on its way leaves behind it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

use crate::protocol::Records;

/// Bytes of bulk that are written at once, before everything else gets its turn.
const MAX_BULK_WRITE: usize = 256 * 1024;

/// What the server has not taken yet. In the first lane two buffers take turns: one is being written while packets
/// are appended to the other, so that nothing is moved when a write was partial. In steady state
/// nothing is allocated.
#[derive(Debug, Default)]
pub struct Outgoing {
    writing: Vec<u8>,
    /// How much of `writing` the server has taken.
    written: usize,
    filling: Vec<u8>,
    bulk: Option<Bulk>,
    /// What was written last is bulk: who has something to read does it first.
    is_readers_turn: bool,
}

/// A packet of bulk data, and how much of it the server has taken.
#[derive(Debug)]
struct Bulk {
    records: Records,
    written: usize,
    /// What is appended now is written behind it, whether it was begun or not.
    is_ordered: bool,
}

/// What a write achieved: so many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrote {
    Control(usize),
    Bulk(usize),
}

impl Outgoing {
    /// Where to append the bytes of packets that are no bulk.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.filling
    }

    /// Bytes that wait, without those of the bulk packet.
    pub fn waiting_bytes(&self) -> usize {
        self.writing.len() - self.written.min(self.writing.len()) + self.filling.len()
    }

    /// Whether nothing waits at all.
    pub fn is_empty(&self) -> bool {
        self.waiting_bytes() == 0 && self.bulk.is_none()
    }

    /// Whether what is appended now is written next.
    pub fn is_idle(&self) -> bool {
        self.waiting_bytes() == 0 && !self.is_within_bulk()
    }

    /// Appends a packet of bulk data: only when all [is empty](Self::is_empty). What is appended to
    /// [`Self::buffer`] before the first byte of it was written still goes before it, unless it `is_ordered`: one cipher
    /// runs through all records, in the order in which they were written.
    pub fn set_bulk(&mut self, records: Records, is_ordered: bool) {
        self.bulk = Some(Bulk { records, written: 0, is_ordered });
    }

    /// Gives up the bulk packet if it was not begun.
    pub fn forget_bulk(&mut self) {
        if !self.is_within_bulk() {
            self.bulk = None;
        }
    }

    /// Gives up what waits: the server takes nothing any more.
    pub fn discard(&mut self) {
        self.writing.clear();
        self.filling.clear();
        self.written = 0;
        self.bulk = None;
    }

    /// Whether the last write was of bulk, which must not keep others from reading. Once for each.
    pub fn take_readers_turn(&mut self) -> bool {
        std::mem::take(&mut self.is_readers_turn)
    }

    /// Writes some of what waits. Cancel-safe: what was not reported was not written.
    ///
    /// # Errors
    /// Those of `to`, and [`io::ErrorKind::WriteZero`] if it takes nothing.
    pub fn poll_write(
        &mut self,
        to: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Wrote>> {
        let to = Pin::new(to);
        let is_control = !self.is_within_bulk() && self.waiting_bytes() > 0;
        let polled = match &self.bulk {
            Some(bulk) if !is_control => to.poll_write_vectored(cx, &bulk.unsent()),
            _ => to.poll_write(cx, self.unsent()),
        };
        polled.map(|written| match written? {
            0 => Err(io::ErrorKind::WriteZero.into()),
            bytes if is_control => {
                self.written += bytes;
                Ok(Wrote::Control(bytes))
            }
            bytes => {
                self.wrote_bulk(bytes);
                Ok(Wrote::Bulk(bytes))
            }
        })
    }

    fn is_within_bulk(&self) -> bool {
        self.bulk.as_ref().is_some_and(|bulk| bulk.written > 0 || bulk.is_ordered)
    }

    /// The bytes to write next that are no bulk; empty when all were written.
    fn unsent(&mut self) -> &[u8] {
        if self.written >= self.writing.len() {
            self.writing.clear();
            self.written = 0;
            std::mem::swap(&mut self.writing, &mut self.filling);
        }
        self.writing.get(self.written..).unwrap_or_default()
    }

    fn wrote_bulk(&mut self, bytes: usize) {
        self.is_readers_turn = true;
        self.bulk = self.bulk.take().and_then(|mut bulk| {
            bulk.written += bytes;
            (bulk.written < bulk.len()).then_some(bulk)
        });
    }
}

impl Bulk {
    fn parts(&self) -> [&[u8]; 3] {
        let Records { head, data, tail } = &self.records;
        [head, data.as_deref().unwrap_or_default(), tail]
    }

    fn len(&self) -> usize {
        self.parts().iter().map(|part| part.len()).sum()
    }

    /// What is to be written at once of that which was not written.
    fn unsent(&self) -> [IoSlice<'_>; 3] {
        let (mut skip, mut room) = (self.written, MAX_BULK_WRITE);
        self.parts().map(|part| {
            let rest = part.get(skip.min(part.len())..).unwrap_or_default();
            skip = skip.saturating_sub(part.len());
            let rest = rest.get(..room.min(rest.len())).unwrap_or_default();
            room -= rest.len();
            IoSlice::new(rest)
        })
    }
}
