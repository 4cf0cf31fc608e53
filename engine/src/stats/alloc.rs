//! Counts the heap allocations of each thread, and says how long freed memory is kept.
//!
//! A program opts in by `#[global_allocator] static ALLOCATOR: CountingAllocator =
//! CountingAllocator;`, as `farpane` and its tests do: two additions to a thread-local counter an
//! allocation.
#![expect(
    unsafe_code,
    reason = "an allocator can only be wrapped by an unsafe impl, and told by a C function"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// What a thread has allocated since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocations {
    /// Calls that asked for memory.
    pub count: u64,
    /// Bytes that they asked for.
    pub bytes: u64,
    /// The largest single request.
    pub largest: u64,
}

/// The system's allocator, with a counter a thread.
#[derive(Clone, Copy, Debug)]
pub struct CountingAllocator;

thread_local! {
    static COUNTER: Cell<Allocations> = const { Cell::new(Allocations { count: 0, bytes: 0, largest: 0 }) };
}

impl Allocations {
    /// What came after `before`, an earlier value of [`so_far`]; the largest request remains the
    /// largest of all.
    pub fn since(self, before: Self) -> Self {
        Self { count: self.count - before.count, bytes: self.bytes - before.bytes, largest: self.largest }
    }
}

/// What this thread has allocated so far; nothing if the program did not opt in.
pub fn so_far() -> Allocations {
    COUNTER.with(Cell::get)
}

/// Blocks of so many bytes, as pictures of more than full HD are, are given back to the system as soon as they are freed
/// after [`return_large_blocks`].
pub const LARGE: usize = 16 << 20;

/// Sets how much freed memory the system's allocator keeps, before the first block of [`LARGE`] bytes is made. glibc
/// raises both limits by itself to what was freed last, up to 32 MiB, and keeps twice as much (`mallopt(3)`, "dynamic
/// mmap threshold"): after pictures of 4K that is 64 MiB that nobody uses. Sessions without such pictures keep what
/// glibc chooses, which spares them page faults.
pub fn return_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const LIMIT: i32 = LARGE as i32;
        static ONCE: std::sync::Once = std::sync::Once::new();
        // SAFETY: mallopt only sets parameters; it takes the allocator's own lock.
        ONCE.call_once(|| unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, LIMIT);
            libc::mallopt(libc::M_TRIM_THRESHOLD, LIMIT);
        });
    }
}

/// Gives all that is free back to the system, in pages. It takes some milliseconds: for when much was freed that the
/// next allocations may not fit into, such as a video decoder.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim takes the allocator's own locks.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Runs `work` and says what this thread allocated meanwhile; nothing if the program did not opt
/// in.
pub fn counted<T>(work: impl FnOnce() -> T) -> (T, Allocations) {
    let before = COUNTER.replace(Allocations::default());
    let result = work();
    let during = COUNTER.get();
    COUNTER.set(Allocations {
        count: before.count + during.count,
        bytes: before.bytes + during.bytes,
        largest: before.largest.max(during.largest),
    });
    (result, during)
}

fn note(bytes: usize) {
    // A thread that is ending has no counter any more.
    let _ = COUNTER.try_with(|counter| {
        let Allocations { count, bytes: sum, largest } = counter.get();
        let bytes = bytes as u64;
        counter.set(Allocations { count: count + 1, bytes: sum + bytes, largest: largest.max(bytes) });
    });
}

// SAFETY: every call goes to the system's allocator unchanged; counting does not allocate.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: see above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: see above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        // SAFETY: see above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: see above.
        unsafe { System.dealloc(pointer, layout) }
    }
}
