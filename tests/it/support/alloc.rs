//! The test binary's allocator counts what each thread allocates.

use farpane::stats::alloc::CountingAllocator;
pub use farpane::stats::alloc::counted;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;
