//! The decode threads and what they share.

use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::buffers::BufferPool;
use crate::channel::{BackingUpdate, DrawJob, DrawSink, RenderItem, RenderMessage, RenderQueue};
use crate::protocol::packet::WindowId;

use super::lanes::Lanes;
use super::worker::Worker;

/// More threads would only take cores from the network and the GPU driver.
const MAX_THREADS: usize = 4;

/// Decode threads. Draws go in through [`DrawSink`], results come out of the render queue.
///
/// Dropping the pool ends the threads after the draw that each is decoding; what was not decoded
/// yet is forgotten.
pub struct DecodePool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    work: Condvar,
    output: RenderQueue,
}

#[derive(Default)]
struct State {
    lanes: Lanes,
    stop: bool,
}

impl DecodePool {
    /// Starts as many threads as there are cores, at most four, which decode into buffers of
    /// `pool` and commit to `output`.
    ///
    /// # Errors
    /// If the operating system refuses a thread.
    pub fn new(pool: &BufferPool, output: RenderQueue) -> std::io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self::with_threads(cores.min(MAX_THREADS), pool, output)
    }

    /// The same with a given number of threads, at least one.
    ///
    /// # Errors
    /// If the operating system refuses a thread.
    pub fn with_threads(threads: usize, pool: &BufferPool, output: RenderQueue) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { state: Mutex::default(), work: Condvar::new(), output });
        let mut decode_pool = Self { shared, threads: Vec::new() };
        for number in 0..threads.max(1) {
            let shared = Arc::clone(&decode_pool.shared);
            let worker = Worker::new(pool.clone());
            let thread = thread::Builder::new().name(format!("farpane-decode-{number}"));
            decode_pool.threads.push(thread.spawn(move || shared.run(worker))?);
        }
        Ok(decode_pool)
    }
}

impl DrawSink for DecodePool {
    fn backing(&mut self, wid: WindowId, update: BackingUpdate) {
        let mut state = self.shared.lock();
        state.lanes.backing(wid, update, &mut |item| self.shared.commit(item));
    }

    fn draw(&mut self, job: DrawJob) {
        if self.shared.lock().lanes.draw(job) {
            self.shared.work.notify_one();
        }
    }
}

impl Drop for DecodePool {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.work.notify_all();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a decode thread panicked");
            }
        }
    }
}

impl Shared {
    /// A decode thread's life. The lock is never held while decoding.
    fn run(&self, mut worker: Worker) {
        let mut state = self.lock();
        loop {
            if state.stop {
                return;
            }
            let Some(mut task) = state.lanes.next() else {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(state);
            let item = worker.decode(task.job, &mut task.video);
            state = self.lock();
            state.lanes.finished(task.place, item, task.video, &mut |item| self.commit(item));
        }
    }

    fn commit(&self, item: RenderItem) {
        self.output.push(RenderMessage::Item(item));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
