//! Pixels back from the device, for screenshots and tests.

use std::sync::{Arc, Mutex, PoisonError};

use super::backing::{Backing, extent};
use super::device::Gpu;
use super::pass::{Presenter, TARGET_FORMAT};
use crate::geometry::Size;
use crate::render::RenderError;
use crate::render::overlay::Overlay;

/// The backing and its overlay as they are presented, as RGBA.
pub(super) fn read_back(
    gpu: &Gpu,
    presenter: &Presenter,
    backing: &Backing,
    overlay: Option<(&mut egui_wgpu::Renderer, &Overlay)>,
) -> Result<(Size, Vec<u8>), RenderError> {
    let size = presenter.scaling().scale.size_to_local(backing.size);
    let rowstride = (size.width * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
    let (target, buffer) = gpu
        .try_make(|| {
            let target = gpu.device.create_texture(&wgpu::TextureDescriptor {
                label: Some("read back"),
                size: extent(size.width, size.height),
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format: TARGET_FORMAT,
                usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
                view_formats: &[],
            });
            let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("read back"),
                size: u64::from(rowstride) * u64::from(size.height),
                usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
                mapped_at_creation: false,
            });
            (target, buffer)
        })
        .map_err(failed)?;
    presenter.draw(gpu, &target, size, Some(backing), overlay);
    let mut encoder = gpu.device.create_command_encoder(&Default::default());
    encoder.copy_texture_to_buffer(
        target.as_image_copy(),
        wgpu::TexelCopyBufferInfo {
            buffer: &buffer,
            layout: wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(rowstride),
                rows_per_image: None,
            },
        },
        extent(size.width, size.height),
    );
    gpu.queue.submit([encoder.finish()]);
    let result = Arc::new(Mutex::new(None));
    let mapped = Arc::clone(&result);
    buffer.map_async(wgpu::MapMode::Read, .., move |outcome| {
        *mapped.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    });
    gpu.device.poll(wgpu::PollType::wait_indefinitely()).map_err(failed)?;
    gpu.check()?;
    match result.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(Ok(())) => {}
        Some(Err(error)) => return Err(failed(error)),
        None => return Err(RenderError::ReadBack("the buffer was not mapped".into())),
    }
    let mut rgba = Vec::with_capacity(size.width as usize * size.height as usize * 4);
    let bytes = buffer.get_mapped_range(..).map_err(failed)?;
    for row in bytes.chunks_exact(rowstride as usize) {
        let pixels = row.chunks_exact(4).take(size.width as usize);
        rgba.extend(pixels.flat_map(|pixel| match *pixel {
            [blue, green, red, alpha] => [red, green, blue, alpha],
            _ => [0; 4],
        }));
    }
    Ok((size, rgba))
}

fn failed(error: impl std::fmt::Display) -> RenderError {
    RenderError::ReadBack(error.to_string())
}
