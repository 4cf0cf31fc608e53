//! Queues between threads. None of them bounds its length by itself, so that sending never blocks; what is put
//! into them is bounded where it comes from. Draws, and what says that they are done: in bytes by the permit
//! that rides with each ([`super::ByteBudget`]), and in number by the session. Commands to the network task and to
//! the renderer: by what the user and the desktop do, and by the events of the [`super::Mailbox`], which is bounded
//! by itself.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// A queue read by one blocking thread. Cheap to clone; in steady state it does not allocate.
pub struct Queue<T> {
    shared: Arc<(Mutex<VecDeque<T>>, Condvar)>,
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { shared: Arc::new((Mutex::new(VecDeque::new()), Condvar::new())) }
    }
}

impl<T> Queue<T> {
    /// Appends `item` and wakes the reader. Never blocks for long.
    pub fn push(&self, item: T) {
        lock(&self.shared.0).push_back(item);
        self.shared.1.notify_one();
    }

    /// The next item, if there is one.
    pub fn try_pop(&self) -> Option<T> {
        lock(&self.shared.0).pop_front()
    }

    /// Waits for the next item, at most for `timeout` (for ever if `None`).
    pub fn pop(&self, timeout: Option<Duration>) -> Option<T> {
        let items = lock(&self.shared.0);
        let mut items = match timeout {
            None => self
                .shared
                .1
                .wait_while(items, |items| items.is_empty())
                .unwrap_or_else(PoisonError::into_inner),
            Some(timeout) => {
                self.shared
                    .1
                    .wait_timeout_while(items, timeout, |items| items.is_empty())
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
        };
        items.pop_front()
    }

    /// Number of items waiting.
    pub fn len(&self) -> usize {
        lock(&self.shared.0).len()
    }

    /// Whether nothing is waiting.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A queue read by an async task. Cheap to clone.
pub struct AsyncQueue<T> {
    shared: Arc<(Mutex<VecDeque<T>>, Notify)>,
}

impl<T> Clone for AsyncQueue<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Default for AsyncQueue<T> {
    fn default() -> Self {
        Self { shared: Arc::new((Mutex::new(VecDeque::new()), Notify::new())) }
    }
}

impl<T> AsyncQueue<T> {
    /// Appends `item` and wakes the reader. Never blocks for long; any thread.
    pub fn push(&self, item: T) {
        lock(&self.shared.0).push_back(item);
        self.shared.1.notify_one();
    }

    /// The next item, if there is one.
    pub fn try_pop(&self) -> Option<T> {
        lock(&self.shared.0).pop_front()
    }

    /// Waits for the next item. Cancel-safe: an item is taken only when it is returned.
    pub async fn pop(&self) -> T {
        loop {
            if let Some(item) = self.try_pop() {
                return item;
            }
            self.shared.1.notified().await;
        }
    }
}

/// The bytes of draws that may be between the socket and the GPU at once.
///
/// Counted in KiB of what a draw holds of memory (`net::pump::charge`). A draw that is larger than the
/// whole budget takes all of it, so it passes when everything before it is done.
#[derive(Clone, Debug)]
pub struct ByteBudget {
    semaphore: Arc<Semaphore>,
    total_kib: u32,
}

impl ByteBudget {
    /// A budget of `bytes`.
    pub fn new(bytes: usize) -> Self {
        let total_kib = u32::try_from(bytes / 1024).unwrap_or(u32::MAX / 2).max(1);
        Self { semaphore: Arc::new(Semaphore::new(total_kib as usize)), total_kib }
    }

    /// Waits until `bytes` fit. Cancel-safe.
    pub async fn acquire(&self, bytes: usize) -> OwnedSemaphorePermit {
        let kib = self.kib(bytes);
        // INVARIANT: the semaphore is never closed.
        Arc::clone(&self.semaphore).acquire_many_owned(kib).await.expect("the budget is never closed")
    }

    fn kib(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX).clamp(1, self.total_kib)
    }

    /// Takes `bytes` if they fit now.
    pub fn try_acquire(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.semaphore).try_acquire_many_owned(self.kib(bytes)).ok()
    }

    /// Bytes in use now.
    pub fn used_bytes(&self) -> usize {
        (self.total_kib as usize).saturating_sub(self.semaphore.available_permits()) * 1024
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
