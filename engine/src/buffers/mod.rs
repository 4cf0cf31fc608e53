//! Layer 0: recycled byte buffers.
//!
//! A [`BufferPool`] hands out [`BufferMut`]s of at least the asked capacity; a filled one is
//! frozen into a [`Payload`], which can be shared and sliced without copying. When the last
//! [`Payload`] of a buffer is dropped, the pool can hand the memory out again: in steady state
//! nothing is allocated.
//!
//! The pool keeps a reference to every buffer it ever handed out (up to a bound), so giving one
//! back is nothing more than dropping it, on whatever thread.

use std::ops::{Deref, Range};
use std::sync::{Arc, Mutex};

use crate::stats::{CopyLedger, alloc};

/// Bytes that a pool keeps for reuse at most; beyond that the oldest idle buffers are freed.
const DEFAULT_RETAINED_BYTES: usize = 96 * 1024 * 1024;
/// Buffers that a pool knows at most; the rest is freed when it is dropped.
const MAX_SLOTS: usize = 256;
/// New buffers are rounded up to this, so that sizes that differ a little share buffers.
const SIZE_STEP: usize = 4096;
/// A recycled buffer may be this many times larger than what was asked for.
const MAX_OVERSIZE: usize = 4;

/// A set of buffers that are reused. Cheap to clone; all clones share the buffers.
#[derive(Clone, Debug)]
pub struct BufferPool {
    slots: Arc<Mutex<Slots>>,
    retained_bytes: usize,
}

/// Every buffer that was frozen or given back, in use or idle, oldest first.
#[derive(Debug)]
struct Slots {
    buffers: Vec<Arc<Vec<u8>>>,
    /// Capacities of `buffers`, in use or idle.
    bytes: usize,
}

impl Default for BufferPool {
    fn default() -> Self {
        Self::new(DEFAULT_RETAINED_BYTES)
    }
}

impl BufferPool {
    /// A pool that keeps at most `retained_bytes` of idle memory.
    pub fn new(retained_bytes: usize) -> Self {
        let slots = Slots { buffers: Vec::with_capacity(MAX_SLOTS + 1), bytes: 0 };
        Self { slots: Arc::new(Mutex::new(slots)), retained_bytes }
    }

    /// A pool of the usual bounds, and so many bytes more that somebody keeps.
    pub fn with_room_for(kept_bytes: usize) -> Self {
        Self::new(DEFAULT_RETAINED_BYTES.saturating_add(kept_bytes))
    }

    /// An empty buffer with room for at least `capacity` bytes: a recycled one that is idle and
    /// not much too large, else a new one (noted in `ledger`).
    pub fn take(&self, capacity: usize, ledger: &mut CopyLedger) -> BufferMut {
        let mut buffer = self.take_as_is(capacity, ledger);
        buffer.vec().clear();
        buffer
    }

    /// A buffer whose content is `len` bytes of old data or zeros, to be overwritten. For
    /// decoders that write into initialised memory: a recycled buffer is not cleared for them.
    pub fn take_filled(&self, len: usize, ledger: &mut CopyLedger) -> BufferMut {
        let mut buffer = self.take_as_is(len, ledger);
        buffer.vec().resize(len, 0);
        buffer
    }

    /// A buffer with whatever content it had.
    fn take_as_is(&self, capacity: usize, ledger: &mut CopyLedger) -> BufferMut {
        let rounded = capacity.max(1).checked_next_multiple_of(SIZE_STEP).unwrap_or(capacity);
        let recycled = {
            let mut slots = self.lock();
            let recycled = slots.take_idle(capacity);
            if recycled.is_none() {
                slots.make_room(rounded, self.retained_bytes);
            }
            recycled
        };
        let bytes = recycled.unwrap_or_else(|| {
            if rounded >= alloc::LARGE {
                alloc::return_large_blocks();
            }
            ledger.note_allocation(rounded);
            Arc::new(Vec::with_capacity(rounded))
        });
        BufferMut { bytes: Some(bytes), pool: self.clone() }
    }

    /// Buffers of this pool that somebody holds, of those that it remembers.
    pub fn in_use(&self) -> usize {
        self.lock().buffers.iter().filter(|buffer| Arc::strong_count(buffer) > 1).count()
    }

    fn put_back(&self, bytes: Arc<Vec<u8>>) {
        self.lock().put(bytes, self.retained_bytes);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Slots {
    /// Takes out the smallest idle buffer that holds `capacity` and is not much larger.
    fn take_idle(&mut self, capacity: usize) -> Option<Arc<Vec<u8>>> {
        let largest = capacity.max(SIZE_STEP).saturating_mul(MAX_OVERSIZE);
        let (index, _) = self
            .buffers
            .iter()
            .enumerate()
            .filter(|(_, buffer)| (capacity..=largest).contains(&buffer.capacity()))
            .filter(|(_, buffer)| Arc::strong_count(buffer) == 1)
            .min_by_key(|(_, buffer)| buffer.capacity())?;
        let mut buffer = self.buffers.swap_remove(index);
        self.bytes -= buffer.capacity();
        // The only other way to a reference is through this locked list, so it stays unique.
        Arc::get_mut(&mut buffer).is_some().then_some(buffer)
    }

    /// Remembers `buffer`, and frees the oldest idle ones beyond the bounds.
    fn put(&mut self, buffer: Arc<Vec<u8>>, retained_bytes: usize) {
        self.bytes += buffer.capacity();
        self.buffers.push(buffer);
        self.make_room(0, retained_bytes);
        // Nothing idle: forget the oldest one in use, so that the list stays short. Its memory is freed when it is
        // dropped.
        while self.buffers.len() > MAX_SLOTS {
            self.bytes -= self.buffers.remove(0).capacity();
        }
    }

    /// Frees the oldest idle buffers until `bytes` more are within the bounds: before a new buffer is made, so that
    /// those of a size that nobody asks for any more are not there beside it.
    fn make_room(&mut self, bytes: usize, retained_bytes: usize) {
        while self.bytes.saturating_add(bytes) > retained_bytes || self.buffers.len() > MAX_SLOTS {
            let Some(index) = self.buffers.iter().position(|buffer| Arc::strong_count(buffer) == 1) else {
                return;
            };
            self.bytes -= self.buffers.remove(index).capacity();
        }
    }
}

/// A buffer that is being filled. Dropping it gives the memory back to its pool.
#[derive(Debug)]
pub struct BufferMut {
    /// `None` only after `freeze`, within its drop.
    bytes: Option<Arc<Vec<u8>>>,
    pool: BufferPool,
}

impl BufferMut {
    /// The buffer as a vector. Filling it within its capacity does not allocate; its spare
    /// capacity is uninitialised, so lend it with [`bytes::BufMut`] or a reader that appends.
    ///
    /// # Panics
    /// If the buffer is shared ([`Self::is_shared`]).
    pub fn vec(&mut self) -> &mut Vec<u8> {
        // INVARIANT: only `freeze` takes the bytes, and it consumes the buffer.
        let bytes = self.bytes.as_mut().expect("a buffer being filled has its bytes");
        // INVARIANT: without `lend` this is the only owner; who lends asks `is_shared` first.
        Arc::get_mut(bytes).expect("a buffer being filled has one owner")
    }

    /// Lends the part `range` of what is in the buffer, or `None` if it does not lie within.
    #[inline]
    pub fn lend(&self, range: Range<usize>) -> Option<PayloadRef<'_>> {
        let (buffer, start) = (self.bytes.as_ref()?, range.start);
        Some(PayloadRef { bytes: buffer.get(range)?, buffer, start })
    }

    /// Whether `payload` is a part of this buffer.
    pub fn holds(&self, payload: &Payload) -> bool {
        self.bytes.as_ref().is_some_and(|bytes| Arc::ptr_eq(bytes, &payload.bytes))
    }

    /// Whether a payload shares this buffer, which therefore cannot be filled any further.
    pub fn is_shared(&self) -> bool {
        self.bytes.as_ref().is_some_and(|bytes| Arc::strong_count(bytes) > 1)
    }

    /// Makes the content immutable and shareable. Does not copy or allocate.
    pub fn freeze(mut self) -> Payload {
        // INVARIANT: only `freeze` takes the bytes, and it consumes the buffer.
        let bytes = self.bytes.take().expect("a buffer being filled has its bytes");
        self.pool.put_back(Arc::clone(&bytes));
        let end = bytes.len();
        Payload { bytes, start: 0, end }
    }
}

impl Deref for BufferMut {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.bytes.as_ref().map_or(&[], |bytes| bytes.as_slice())
    }
}

impl Drop for BufferMut {
    fn drop(&mut self) {
        if let Some(bytes) = self.bytes.take() {
            self.pool.put_back(bytes);
        }
    }
}

/// Immutable bytes that share one buffer: cloning and slicing move no byte.
///
/// A payload keeps its whole buffer alive ([`Payload::retained_bytes`]).
#[derive(Clone)]
pub struct Payload {
    bytes: Arc<Vec<u8>>,
    start: usize,
    end: usize,
}

impl Payload {
    /// The part `range` of this payload, sharing the buffer, or `None` if it does not lie
    /// within.
    pub fn slice(&self, range: Range<usize>) -> Option<Self> {
        self.lend().slice(range)
    }

    /// The same bytes without a share of the buffer.
    pub fn lend(&self) -> PayloadRef<'_> {
        PayloadRef { bytes: self, buffer: &self.bytes, start: self.start }
    }

    /// Bytes of memory that this payload keeps from being recycled: its whole buffer. A byte
    /// budget for payloads should count these, not only the length, unless many share a buffer.
    pub fn retained_bytes(&self) -> usize {
        self.bytes.capacity()
    }
}

/// Bytes that are lent: reading them costs nothing, and keeping them ([`Self::keep`]) a share of
/// their buffer, whose bytes do not move.
#[derive(Clone, Copy)]
pub struct PayloadRef<'a> {
    bytes: &'a [u8],
    /// `bytes` are those from `start` on of this.
    buffer: &'a Arc<Vec<u8>>,
    start: usize,
}

impl<'a> PayloadRef<'a> {
    /// The same bytes for as long as they are needed.
    pub fn keep(self) -> Payload {
        let end = self.start + self.bytes.len();
        Payload { bytes: Arc::clone(self.buffer), start: self.start, end }
    }

    /// The part `range` of these bytes, for as long as it is needed, or `None` if it does not lie
    /// within.
    pub fn slice(self, range: Range<usize>) -> Option<Payload> {
        let start = self.start.checked_add(range.start)?;
        Some(PayloadRef { bytes: self.bytes.get(range)?, start, ..self }.keep())
    }

    /// The first `at` bytes and those behind, or `None` if there are fewer.
    #[inline(always)]
    pub fn split_at(self, at: usize) -> Option<(Self, Self)> {
        let (bytes, behind) = self.bytes.split_at_checked(at)?;
        Some((Self { bytes, ..self }, Self { bytes: behind, start: self.start + at, ..self }))
    }

    /// The bytes, for as long as they are lent.
    #[inline]
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }
}

impl Deref for PayloadRef<'_> {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        self.bytes
    }
}

impl std::fmt::Debug for PayloadRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PayloadRef({} bytes)", self.len())
    }
}

impl Default for Payload {
    fn default() -> Self {
        static EMPTY: std::sync::LazyLock<Arc<Vec<u8>>> = std::sync::LazyLock::new(Arc::default);
        Self { bytes: Arc::clone(&EMPTY), start: 0, end: 0 }
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        let end = bytes.len();
        Self { bytes: Arc::new(bytes), start: 0, end }
    }
}

impl Deref for Payload {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }
}

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

impl Eq for Payload {}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Payload({} bytes)", self.len())
    }
}
