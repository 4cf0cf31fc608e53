//! Layer 0: recycled byte buffers.
//!
//! A [`BufferPool`] hands out [`BufferMut`]s of exactly the asked capacity; a filled one is
//! frozen into a [`Payload`], which can be shared and sliced without copying. When the last
//! [`Payload`] of a buffer is dropped, the pool can hand the memory out again: in steady state
//! nothing is allocated.

use std::ops::{Deref, Range};
use std::sync::{Arc, Mutex};

use crate::stats::CopyLedger;

/// Bytes that a pool keeps for reuse at most; beyond that the oldest idle buffers are freed.
const DEFAULT_RETAINED_BYTES: usize = 160 * 1024 * 1024;
/// Buffers that a pool keeps at most.
const MAX_SLOTS: usize = 256;

/// A set of buffers that are reused. Cheap to clone; all clones share the buffers.
#[derive(Clone, Debug)]
pub struct BufferPool {
    slots: Arc<Mutex<Vec<Arc<Vec<u8>>>>>,
    retained_bytes: usize,
}

impl Default for BufferPool {
    fn default() -> Self {
        Self::new(DEFAULT_RETAINED_BYTES)
    }
}

impl BufferPool {
    /// A pool that keeps at most `retained_bytes` of idle memory.
    pub fn new(retained_bytes: usize) -> Self {
        Self { slots: Arc::default(), retained_bytes }
    }

    /// An empty buffer with room for at least `capacity` bytes: a recycled one that is idle and
    /// at most four times too large, else a new one (noted in `ledger`).
    pub fn take(&self, capacity: usize, ledger: &mut CopyLedger) -> BufferMut {
        let mut buffer = self.take_idle(capacity, ledger);
        buffer.vec().clear();
        buffer
    }

    /// A buffer of exactly `len` bytes to be overwritten by a decoder: their values are arbitrary
    /// (those of the buffer's last use, so that nothing has to be filled with zeros in steady
    /// state).
    pub fn take_filled(&self, len: usize, ledger: &mut CopyLedger) -> BufferMut {
        let mut buffer = self.take_idle(len, ledger);
        buffer.vec().resize(len, 0);
        buffer
    }

    fn take_idle(&self, capacity: usize, ledger: &mut CopyLedger) -> BufferMut {
        let recycled = {
            let mut slots = self.lock();
            let best = slots
                .iter()
                .enumerate()
                .filter(|(_, slot)| {
                    let size = slot.capacity();
                    Arc::strong_count(slot) == 1 && size >= capacity && size / 4 <= capacity.max(4096)
                })
                .min_by_key(|(_, slot)| slot.capacity())
                .map(|(index, _)| index);
            best.map(|index| slots.swap_remove(index))
        };
        let bytes = recycled.unwrap_or_else(|| {
            ledger.note_allocation(capacity);
            Arc::new(Vec::with_capacity(capacity))
        });
        // INVARIANT: a recycled slot was taken out of the pool while it held the only reference,
        // and a reference can only be made from another one.
        BufferMut { bytes: Some(bytes), pool: self.clone() }
    }

    fn put_back(&self, bytes: Arc<Vec<u8>>) {
        let mut slots = self.lock();
        slots.push(bytes);
        let mut idle: usize = slots.iter().filter(|s| Arc::strong_count(s) == 1).map(|s| s.capacity()).sum();
        while idle > self.retained_bytes || slots.len() > MAX_SLOTS {
            let Some(oldest) = slots.iter().position(|s| Arc::strong_count(s) == 1) else {
                break;
            };
            idle -= slots.remove(oldest).capacity();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Vec<u8>>>> {
        self.slots.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
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
    pub fn vec(&mut self) -> &mut Vec<u8> {
        // INVARIANT: BufferMut is the only owner until `freeze`, which consumes it.
        let bytes = self.bytes.as_mut().expect("a buffer being filled has its bytes");
        Arc::get_mut(bytes).expect("a buffer being filled has one owner")
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
/// A payload keeps its whole buffer alive.
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
        let start = self.start.checked_add(range.start)?;
        let end = self.start.checked_add(range.end)?;
        (start <= end && end <= self.end).then(|| Self { bytes: Arc::clone(&self.bytes), start, end })
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self::from(Vec::new())
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
