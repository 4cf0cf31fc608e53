//! Contents in pieces, both ways (ICCCM §2.7.2): the one who gives writes a piece whenever the one who takes has deleted
//! the piece before; an empty one is the end. Knows nothing of X: types are numbers, properties somebody else's matter.

use crate::buffers::Payload;
use crate::session::clipboard::Unreadable;

/// Contents on their way to somebody else.
#[derive(Debug)]
pub struct Sending {
    bytes: Payload,
    sent: usize,
    piece: usize,
    over: bool,
}

impl Sending {
    /// Pieces of `piece` bytes, at least one.
    pub fn new(bytes: Payload, piece: usize) -> Self {
        Self { bytes, sent: 0, piece: piece.max(1), over: false }
    }

    /// How much it is at least, as the property says that announces the transfer.
    pub fn announced(&self) -> u32 {
        u32::try_from(self.bytes.len()).unwrap_or(u32::MAX)
    }

    /// Memory that is kept for it.
    pub fn retained_bytes(&self) -> usize {
        self.bytes.retained_bytes()
    }

    /// The next piece; the last one is empty. `None`: that was it.
    pub fn next_piece(&mut self) -> Option<&[u8]> {
        if self.over {
            return None;
        }
        let end = self.sent.saturating_add(self.piece).min(self.bytes.len());
        let piece = self.bytes.get(self.sent..end)?;
        self.sent = end;
        self.over = piece.is_empty();
        Some(piece)
    }
}

/// What a property holds: the number of its type, the bits of its values, its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub kind: u32,
    pub bits: u8,
    pub len: usize,
}

/// Contents on their way from somebody else. How much it will be, as the announcement says, is not believed.
#[derive(Debug)]
pub struct Receiving {
    parts: Vec<Vec<u8>>,
    len: usize,
    max_bytes: usize,
    /// Of the first piece, and so of all.
    kind: Option<(u32, u8)>,
}

/// What is to be done about a piece that was announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Take it, then wait for the next one.
    Take,
    /// It was the last one.
    End,
}

impl Receiving {
    /// Takes up to `max_bytes`.
    pub fn new(max_bytes: usize) -> Self {
        Self { parts: Vec::new(), len: 0, max_bytes, kind: None }
    }

    /// The next piece is there and not fetched yet.
    ///
    /// # Errors
    /// If it is more than the limit, or of another type than the ones before; nothing is kept then.
    pub fn announce(&mut self, shape: Shape) -> Result<Piece, Unreadable> {
        if shape.len == 0 {
            // Its type does not matter, unless nothing came at all.
            self.kind.get_or_insert((shape.kind, shape.bits));
            return Ok(Piece::End);
        }
        if *self.kind.get_or_insert((shape.kind, shape.bits)) != (shape.kind, shape.bits) {
            return Err(self.fail(Unreadable::Refused));
        }
        if shape.len > self.room() {
            return Err(self.fail(Unreadable::TooLarge));
        }
        Ok(Piece::Take)
    }

    /// Bytes that may still come.
    pub fn room(&self) -> usize {
        self.max_bytes.saturating_sub(self.len)
    }

    /// A part of a piece.
    ///
    /// # Errors
    /// If it is more than the limit; nothing is kept then.
    pub fn push(&mut self, part: Vec<u8>) -> Result<(), Unreadable> {
        if part.len() > self.room() {
            return Err(self.fail(Unreadable::TooLarge));
        }
        self.len += part.len();
        if !part.is_empty() {
            self.parts.push(part);
        }
        Ok(())
    }

    /// Everything that came: type, bits, bytes.
    pub fn finish(&mut self) -> (u32, u8, Vec<u8>) {
        let (kind, bits) = self.kind.unwrap_or_default();
        (kind, bits, join(std::mem::take(&mut self.parts), self.len))
    }

    fn fail(&mut self, error: Unreadable) -> Unreadable {
        self.parts = Vec::new();
        self.len = 0;
        error
    }
}

/// The parts, whose sum is `len`, in one; a single one is not copied.
#[expect(clippy::disallowed_methods, reason = "what is copied and pasted is on no way of a picture")]
fn join(mut parts: Vec<Vec<u8>>, len: usize) -> Vec<u8> {
    if let [only] = &mut parts[..] {
        return std::mem::take(only);
    }
    let mut whole = Vec::with_capacity(len);
    for part in parts {
        whole.extend_from_slice(&part);
    }
    whole
}
