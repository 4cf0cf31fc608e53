//! The texture that holds a window's pixels.

use super::device::Gpu;
use crate::codec::{PictureRef, PixelFormat, PixelsRef};
use crate::geometry::{Rect, Size};
use crate::render::RenderError;
use crate::stats::{CopyLedger, CopySite};

/// The memory order of the pixels that X servers have, so that most raw draws go up as they are.
pub(super) const BACKING_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Bgra8Unorm;

/// Bytes of the parameters of `shaders/present.wgsl`: two numbers.
pub(super) const PARAMS_BYTES: u64 = 8;

/// A window's pixels on the device. Alpha has no meaning in it.
pub(super) struct Backing {
    pub(super) texture: wgpu::Texture,
    pub(super) view: wgpu::TextureView,
    pub(super) size: Size,
    /// Shows the backing: bound by `shaders/present.wgsl`.
    pub(super) bind_group: wgpu::BindGroup,
    /// Its parameters.
    pub(super) params: wgpu::Buffer,
    /// Commands of the present submission write to it.
    pub(super) recorded: bool,
}

impl Backing {
    /// A black backing.
    pub(super) fn new(gpu: &Gpu, layout: &wgpu::BindGroupLayout, size: Size) -> Result<Self, RenderError> {
        let limit = gpu.limits.max_texture_dimension_2d;
        if size.width.max(size.height) > limit || size.width.min(size.height) == 0 {
            let limit = format!("the device's textures have 1 to {limit} pixels a side");
            return Err(RenderError::TooLarge { size, limit });
        }
        let texture = gpu
            .try_make(|| {
                gpu.device.create_texture(&wgpu::TextureDescriptor {
                    label: Some("backing"),
                    size: extent(size.width, size.height),
                    mip_level_count: 1,
                    sample_count: 1,
                    dimension: wgpu::TextureDimension::D2,
                    format: BACKING_FORMAT,
                    usage: wgpu::TextureUsages::COPY_SRC
                        | wgpu::TextureUsages::COPY_DST
                        | wgpu::TextureUsages::TEXTURE_BINDING
                        | wgpu::TextureUsages::RENDER_ATTACHMENT,
                    view_formats: &[],
                })
            })
            .map_err(|error| RenderError::TooLarge { size, limit: error.to_string() })?;
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        let params = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("shown"),
            size: PARAMS_BYTES,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let bind_group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("backing"),
            layout,
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::TextureView(&view) },
                wgpu::BindGroupEntry { binding: 1, resource: params.as_entire_binding() },
            ],
        });
        Ok(Self { texture, view, size, bind_group, params, recorded: false })
    }

    /// Records the copy of what `old` and this backing have in common.
    pub(super) fn keep(&mut self, encoder: &mut wgpu::CommandEncoder, old: &Self) {
        let width = self.size.width.min(old.size.width);
        let height = self.size.height.min(old.size.height);
        encoder.copy_texture_to_texture(
            old.texture.as_image_copy(),
            self.texture.as_image_copy(),
            extent(width, height),
        );
        self.recorded = true;
    }

    /// Whether [`Self::upload`] can take the picture for a rectangle of `rect`'s size.
    pub(super) fn takes_directly(rect: Rect, picture: &PictureRef) -> bool {
        let PixelsRef::Packed { format, rowstride, .. } = &picture.pixels else { return false };
        matches!(format, PixelFormat::Bgrx | PixelFormat::Bgra)
            && (rect.width, rect.height) == (picture.width, picture.height)
            && rowstride % 4 == 0
    }

    /// Writes the `visible` part of a picture that covers `rect`, as it is. Takes effect before
    /// all recorded commands: not while [`Self::recorded`].
    pub(super) fn upload(
        &self,
        queue: &wgpu::Queue,
        (rect, visible): (Rect, Rect),
        rowstride: usize,
        data: &[u8],
        ledger: &mut CopyLedger,
    ) -> Result<(), RenderError> {
        // `visible` lies within `rect`.
        let skipped_columns = visible.x.abs_diff(rect.x) as usize;
        let skipped_rows = visible.y.abs_diff(rect.y) as usize;
        let row = visible.width as usize * 4;
        let start = skipped_rows * rowstride + skipped_columns * 4;
        let expected = start + (visible.height as usize - 1) * rowstride + row;
        let rows = data.get(start..expected).ok_or(RenderError::PictureData { got: data.len(), expected })?;
        queue.write_texture(
            wgpu::TexelCopyTextureInfo {
                texture: &self.texture,
                mip_level: 0,
                origin: origin(visible.x, visible.y),
                aspect: wgpu::TextureAspect::All,
            },
            rows,
            wgpu::TexelCopyBufferLayout {
                offset: 0,
                // Only one row may be longer than 4 GiB, and then its length does not matter.
                bytes_per_row: Some(u32::try_from(rowstride).unwrap_or(visible.width * 4)),
                rows_per_image: None,
            },
            extent(visible.width, visible.height),
        );
        ledger.note_copy(CopySite::Staging, row * visible.height as usize);
        Ok(())
    }
}

pub(super) fn extent(width: u32, height: u32) -> wgpu::Extent3d {
    wgpu::Extent3d { width, height, depth_or_array_layers: 1 }
}

/// The place of a clipped rectangle: its coordinates are not negative.
pub(super) fn origin(x: i32, y: i32) -> wgpu::Origin3d {
    wgpu::Origin3d { x: x.unsigned_abs(), y: y.unsigned_abs(), z: 0 }
}
