//! What a [`super::Reassembler`] keeps of a connection whose records are enciphered: how far the received bytes are
//! deciphered. That is done in their place, as they come, before anybody shares them.

use super::cipher::Decryptor;
use super::limits::{Limits, MAX_PAYLOAD};
use super::record::{Dialect, HEADER_LEN, Header, MAGIC, RecordError};

/// What a header may announce here: whoever takes the record looks at the limits that hold by then.
const ANY: Limits = Limits { max_record: MAX_PAYLOAD, max_decompressed: MAX_PAYLOAD };

/// See the module.
#[derive(Debug)]
pub(super) struct Deciphering {
    cipher: Decryptor,
    /// What deciphers the records behind the one that is being received.
    next: Option<Decryptor>,
    /// An enciphered record came: no other one may come any more.
    heard: bool,
    /// So many bytes of the receive buffer are plain: deciphered payloads, and headers.
    done: usize,
    /// So many of the payload that is being received are not, padding included, whether they came or not.
    left: usize,
    /// That payload is none: it came before the first enciphered one.
    is_plain: bool,
    /// Of a payload with a buffer of its own, so many bytes are.
    done_apart: usize,
}

impl Deciphering {
    /// From the record on that begins at `done` of the receive buffer.
    pub(super) fn new(cipher: Decryptor, done: usize) -> Self {
        Self { cipher, next: None, heard: false, done, left: 0, is_plain: false, done_apart: 0 }
    }

    /// From the next record on that begins.
    pub(super) fn replace(&mut self, cipher: Decryptor) {
        self.next = Some(cipher);
    }

    /// Whether an enciphered record came.
    pub(super) fn has_heard(&self) -> bool {
        self.heard
    }

    /// Bytes behind the payload of this record.
    pub(super) fn padding_len(&self, header: &Header) -> Result<usize, RecordError> {
        match header.enciphered {
            true => Ok(self.cipher.padding_len(header.len)),
            // A server that refuses to encipher says so.
            false if !self.heard => Ok(0),
            false => Err(RecordError::NotEncrypted),
        }
    }

    /// A record that ends at `end` of the receive buffer, with this padding, is taken.
    pub(super) fn check(&self, end: usize, padding: &[u8]) -> Result<(), RecordError> {
        // INVARIANT: what has come is deciphered up to the first header that nobody takes.
        if end > self.done { Err(RecordError::Padding) } else { self.check_apart(padding) }
    }

    /// One with a buffer of its own, with this padding, is complete.
    pub(super) fn check_apart(&self, padding: &[u8]) -> Result<(), RecordError> {
        if padding.is_empty() { Ok(()) } else { self.cipher.check_padding(padding) }
    }

    /// The receive buffer lost its first `count` bytes.
    pub(super) fn moved(&mut self, count: usize) {
        self.done = self.done.saturating_sub(count);
    }

    /// The payload that begins at `start` of the receive buffer, which ends at `end`, goes on in a buffer of its own.
    pub(super) fn begin_apart(&mut self, start: usize, end: usize) {
        self.done_apart = self.done.saturating_sub(start);
        self.done = end;
    }

    /// Bytes of that payload came: the buffer holds it from its start, perhaps with something behind.
    pub(super) fn advance_apart(&mut self, bytes: &mut [u8]) {
        self.done_apart += self.decipher(bytes, self.done_apart);
    }

    /// Bytes came in the receive buffer.
    pub(super) fn advance(&mut self, bytes: &mut [u8], dialect: Dialect) {
        loop {
            if self.left == 0 && !self.begin(bytes, dialect) {
                return;
            }
            self.done += self.decipher(bytes, self.done);
            if self.left > 0 {
                return;
            }
        }
    }

    /// Looks at the next header. `false`: it is not all there, or cannot be read, which who takes it will say.
    fn begin(&mut self, bytes: &[u8], dialect: Dialect) -> bool {
        let waiting = bytes.get(self.done..).unwrap_or_default();
        let Some(header) = waiting.first_chunk::<HEADER_LEN>().filter(|header| header[0] == MAGIC) else {
            return false;
        };
        let Ok(header) = Header::parse(*header, dialect, &ANY) else { return false };
        let Ok(padding) = self.padding_len(&header) else { return false };
        if let Some(next) = self.next.take() {
            self.cipher = next;
        }
        self.heard |= header.enciphered;
        self.is_plain = !header.enciphered;
        self.left = header.len.saturating_add(padding);
        self.done += HEADER_LEN;
        true
    }

    /// Deciphers what there is behind `done` of the payload that is being received; how many bytes that were.
    fn decipher(&mut self, bytes: &mut [u8], done: usize) -> usize {
        let there = bytes.len().saturating_sub(done).min(self.left);
        let there = bytes.get_mut(done..done.saturating_add(there)).unwrap_or_default();
        let count = if self.is_plain { there.len() } else { self.cipher.apply(there) };
        self.left -= count;
        count
    }
}
