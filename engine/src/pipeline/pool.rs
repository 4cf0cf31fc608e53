//! The decode threads and what they share.

use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};

use crate::buffers::BufferPool;
use crate::channel::{
    BackingUpdate, DrawJob, DrawSink, RenderCommand, RenderItem, RenderMessage, RenderQueue, VideoReturn,
};
use crate::codec::VideoDecoder;
use crate::protocol::Bounds;
use crate::protocol::packet::WindowId;
use crate::stats::alloc;

use super::confine::{self, Confinement};
use super::lanes::{Lanes, Place, Task};
use super::worker::Worker;

/// More threads would only take cores from the network and the GPU driver.
const MAX_THREADS: usize = 4;

/// Decode threads. Draws go in through [`DrawSink`], results come out of the render queue.
///
/// Dropping the pool ends the threads after the draw that each is decoding; what was not decoded
/// yet is forgotten.
pub struct DecodePool {
    shared: Arc<Shared>,
    /// For draws that need no decoding: the caller's thread takes them.
    here: Worker,
    threads: Vec<JoinHandle<()>>,
    confinement: Confinement,
}

struct Shared {
    state: Mutex<State>,
    /// One for each thread.
    wake: Vec<Condvar>,
    output: RenderQueue,
}

#[derive(Default)]
struct State {
    lanes: Lanes,
    /// The threads that wait. The last one worked last: its memory is still in a cache.
    idle: Vec<usize>,
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
        let threads = threads.max(1);
        let wake = (0..threads).map(|_| Condvar::new()).collect();
        let shared = Arc::new(Shared { state: Mutex::default(), wake, output });
        let home: Weak<dyn VideoReturn> = Arc::<Shared>::downgrade(&shared);
        let here = Worker::new(pool.clone(), home.clone());
        let confinement = confine::probe();
        let mut decode_pool = Self { shared, here, threads: Vec::new(), confinement };
        for number in 0..threads {
            let shared = Arc::clone(&decode_pool.shared);
            let worker = Worker::new(pool.clone(), home.clone());
            let thread = thread::Builder::new().name(format!("farpane-decode-{number}"));
            decode_pool.threads.push(thread.spawn(move || {
                confine::this_thread();
                shared.run(number, worker);
            })?);
        }
        Ok(decode_pool)
    }

    /// What its threads may do beside decoding.
    pub fn confinement(&self) -> Confinement {
        self.confinement
    }
}

impl DrawSink for DecodePool {
    fn backing(&mut self, wid: WindowId, update: BackingUpdate) {
        let mut state = self.shared.lock();
        state.lanes.backing(wid, update, &mut |item| self.shared.commit(item));
    }

    fn bounds(&mut self, bounds: Bounds) {
        self.shared.lock().lanes.set_bounds(bounds);
        self.shared.output.push(RenderMessage::Command(RenderCommand::Bounds(bounds)));
    }

    fn draw(&mut self, job: DrawJob) {
        let unpacks = self.shared.output.unpacks();
        let mut state = self.shared.lock();
        if Worker::is_trivial(&job.request, unpacks) {
            let place = state.lanes.reserve(job.request.wid);
            let draw = self.here.decode(job, &mut None, unpacks);
            state.lanes.finished(place, RenderItem::Draw(draw), None, &mut |item| self.shared.commit(item));
        } else if state.lanes.draw(job)
            && let Some(number) = state.idle.pop()
        {
            self.shared.wake(number);
        }
    }
}

impl Drop for DecodePool {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        (0..self.threads.len()).for_each(|number| self.shared.wake(number));
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a decode thread panicked");
            }
        }
    }
}

impl VideoReturn for Shared {
    fn take_back(&self, wid: WindowId, decoder: VideoDecoder) {
        let mut state = self.lock();
        if state.lanes.take_back(wid, decoder)
            && let Some(number) = state.idle.pop()
        {
            self.wake(number);
        }
    }
}

impl Shared {
    /// A decode thread's life. The lock is never held while decoding, or while a decoder's memory goes.
    fn run(&self, number: usize, mut worker: Worker) {
        let mut state = self.lock();
        loop {
            if state.stop {
                return;
            }
            let task = state.lanes.next();
            let outdated = state.lanes.take_outdated();
            if task.is_none() && outdated.is_empty() {
                state.idle.push(number);
                // INVARIANT: each thread has its own number, and its own condition.
                state = self.wake[number].wait(state).unwrap_or_else(PoisonError::into_inner);
                // Whoever woke this thread has taken it out; nobody did if it woke by itself.
                state.idle.retain(|idle| *idle != number);
                continue;
            }
            if task.is_some()
                && state.lanes.is_waiting()
                && let Some(number) = state.idle.pop()
            {
                self.wake(number);
            }
            drop(state);
            if !outdated.is_empty() {
                drop(outdated);
                // The decoder that comes takes its memory in pieces of other sizes.
                alloc::give_back();
            }
            let done = task.map(|task| self.decode(task, &mut worker));
            state = self.lock();
            if let Some((place, item, video)) = done {
                state.lanes.finished(place, item, video, &mut |item| self.commit(item));
            }
        }
    }

    fn decode(&self, mut task: Task, worker: &mut Worker) -> (Place, RenderItem, Option<VideoDecoder>) {
        let heap_before = alloc::so_far();
        let mut draw = worker.decode(task.job, &mut task.video, self.output.unpacks());
        draw.trace.ledger.heap_allocations += alloc::so_far().since(heap_before).count;
        (task.place, RenderItem::Draw(draw), task.video)
    }

    fn wake(&self, number: usize) {
        if let Some(condition) = self.wake.get(number) {
            condition.notify_one();
        }
    }

    fn commit(&self, item: RenderItem) {
        self.output.push(RenderMessage::Item(item));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
