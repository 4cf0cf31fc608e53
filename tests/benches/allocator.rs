//! What it costs that heap allocations are counted, for the overlay's field: the system's allocator alone, and with the
//! counter around it. `cargo bench --bench allocator`.
#![expect(unsafe_code, reason = "an allocator is called by unsafe functions")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use farpane::stats::alloc::CountingAllocator;

/// A block comes and goes: most are as small as this. Those of pictures are recycled.
fn allocate_and_free(allocator: &impl GlobalAlloc, layout: Layout) {
    // SAFETY: the layout is not empty, and the block goes with the layout that it came with.
    unsafe {
        let block = allocator.alloc(black_box(layout));
        allocator.dealloc(black_box(block), layout);
    }
}

fn counting(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("allocator");
    for bytes in [64, 4096] {
        let layout = Layout::from_size_align(bytes, 8).expect("a layout");
        group.bench_function(format!("system/{bytes}"), |b| b.iter(|| allocate_and_free(&System, layout)));
        group.bench_function(format!("counted/{bytes}"), |b| {
            b.iter(|| allocate_and_free(&CountingAllocator, layout));
        });
    }
    group.finish();
}

criterion_group!(benches, counting);
criterion_main!(benches);
