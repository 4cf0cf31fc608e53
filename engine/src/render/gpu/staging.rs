//! Recycled buffers and parameter slots that shaders unpack pictures from.
//!
//! A buffer is written before the commands of the present submission run, so it must not be
//! handed out twice in one submission: it rests until [`Staging::submitted`].

use std::num::NonZeroU64;

use super::device::Gpu;
use crate::stats::CopyLedger;

/// The smallest buffer, in bytes; larger ones double.
const SMALLEST: u64 = 64 * 1024;
/// Idle buffers that are kept, in bytes.
const MAX_IDLE_BYTES: u64 = 96 * 1024 * 1024;
/// Draws that can be unpacked in one submission.
const SLOTS: u32 = 64;

/// A buffer and its bind group, which also binds the parameters.
pub(super) struct StagingBuffer {
    pub(super) buffer: wgpu::Buffer,
    pub(super) bind_group: wgpu::BindGroup,
}

/// All staging memory of a device.
pub(super) struct Staging {
    layout: wgpu::BindGroupLayout,
    params: wgpu::Buffer,
    params_size: NonZeroU64,
    /// Bytes from one parameter slot to the next.
    slot_stride: u32,
    used_slots: u32,
    idle: Vec<StagingBuffer>,
    in_use: Vec<StagingBuffer>,
}

impl Staging {
    /// For parameters of `params_size` bytes at binding 0 and data at binding 1 of `layout`.
    pub(super) fn new(gpu: &Gpu, layout: wgpu::BindGroupLayout, params_size: NonZeroU64) -> Self {
        let alignment = gpu.limits.min_uniform_buffer_offset_alignment.max(4);
        let size = u32::try_from(params_size.get()).unwrap_or(u32::MAX);
        let slot_stride = size.next_multiple_of(alignment);
        let params = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("unpack parameters"),
            size: u64::from(slot_stride) * u64::from(SLOTS),
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        Self { layout, params, params_size, slot_stride, used_slots: 0, idle: Vec::new(), in_use: Vec::new() }
    }

    /// Whether the present submission has no parameter slot left.
    pub(super) fn is_full(&self) -> bool {
        self.used_slots >= SLOTS
    }

    /// Writes parameters and returns their dynamic offset. Not while [`Self::is_full`].
    pub(super) fn write_params(&mut self, queue: &wgpu::Queue, params: &[u8]) -> u32 {
        let offset = self.used_slots * self.slot_stride;
        self.used_slots += 1;
        queue.write_buffer(&self.params, u64::from(offset), params);
        offset
    }

    /// A buffer of at least `size` bytes that the present submission does not use yet.
    pub(super) fn take(
        &mut self,
        device: &wgpu::Device,
        size: usize,
        ledger: &mut CopyLedger,
    ) -> &StagingBuffer {
        let size = (size as u64).next_power_of_two().max(SMALLEST);
        let found = self.idle.iter().position(|buffer| buffer.buffer.size() == size);
        let buffer = match found {
            Some(index) => self.idle.swap_remove(index),
            None => {
                ledger.note_allocation(usize::try_from(size).unwrap_or(usize::MAX));
                self.make(device, size)
            }
        };
        self.in_use.push(buffer);
        // INVARIANT: it was pushed just now.
        self.in_use.last().expect("a buffer is in use")
    }

    /// The present submission was made: its buffers and slots can be used again.
    pub(super) fn submitted(&mut self) {
        self.used_slots = 0;
        while let Some(buffer) = self.in_use.pop() {
            self.idle.push(buffer);
        }
        let mut idle_bytes: u64 = self.idle.iter().map(|buffer| buffer.buffer.size()).sum();
        while idle_bytes > MAX_IDLE_BYTES && !self.idle.is_empty() {
            idle_bytes -= self.idle.remove(0).buffer.size();
        }
    }

    fn make(&self, device: &wgpu::Device, size: u64) -> StagingBuffer {
        let buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("picture bytes"),
            size,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("unpack"),
            layout: &self.layout,
            entries: &[
                wgpu::BindGroupEntry {
                    binding: 0,
                    resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                        buffer: &self.params,
                        offset: 0,
                        size: Some(self.params_size),
                    }),
                },
                wgpu::BindGroupEntry { binding: 1, resource: buffer.as_entire_binding() },
            ],
        });
        StagingBuffer { buffer, bind_group }
    }
}
