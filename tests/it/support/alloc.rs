//! The test binary's allocator counts what each thread allocates, and all of them together.
#![expect(unsafe_code, reason = "an allocator can only be wrapped by an unsafe impl")]

use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicU64, Ordering};

use farpane::stats::alloc::CountingAllocator;
pub use farpane::stats::alloc::counted;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

static TOTAL: AtomicU64 = AtomicU64::new(0);

/// Calls for memory so far, of all threads.
pub fn by_all_threads() -> u64 {
    TOTAL.load(Ordering::Relaxed)
}

struct Allocator;

// SAFETY: every call goes to the inner allocator unchanged.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TOTAL.fetch_add(1, Ordering::Relaxed);
        unsafe { CountingAllocator.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        TOTAL.fetch_add(1, Ordering::Relaxed);
        unsafe { CountingAllocator.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        TOTAL.fetch_add(1, Ordering::Relaxed);
        unsafe { CountingAllocator.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { CountingAllocator.dealloc(pointer, layout) }
    }
}
