//! Scrolling: rectangles of a backing move, by texture copies only.

use super::backing::{BACKING_FORMAT, Backing, extent, origin};
use super::device::Gpu;
use crate::geometry::{Rect, Size};
use crate::protocol::packet::draw::ScrollRect;
use crate::render::RenderError;
use crate::render::damage::{check_area, clip_move};

/// The texture may have so many times the pixels of the backing that it is used for.
const MAX_OVERSIZE: u64 = 4;

/// The texture that holds what a backing showed before a scroll draw. It is made anew for one that is larger, or far
/// smaller.
#[derive(Default)]
pub(super) struct Snapshot {
    texture: Option<wgpu::Texture>,
}

impl Snapshot {
    /// Records the moves: all rectangles show what the backing held before.
    pub(super) fn scroll(
        &mut self,
        gpu: &Gpu,
        encoder: &mut wgpu::CommandEncoder,
        backing: &mut Backing,
        rects: &[ScrollRect],
    ) -> Result<(), RenderError> {
        check_area(rects, backing.size)?;
        let moves = || rects.iter().filter_map(|rect| clip_move(rect, backing.size));
        if moves().next().is_none() {
            return Ok(());
        }
        let snapshot = self.at_least(gpu, backing.size);
        for (from, _) in moves() {
            copy(encoder, (&backing.texture, from.x, from.y), (snapshot, from.x, from.y), from);
        }
        for (from, to) in moves() {
            copy(encoder, (snapshot, from.x, from.y), (&backing.texture, to.0, to.1), from);
        }
        backing.recorded = true;
        Ok(())
    }

    /// Frees the memory.
    pub(super) fn clear(&mut self) {
        self.texture = None;
    }

    fn at_least(&mut self, gpu: &Gpu, size: Size) -> &wgpu::Texture {
        let (width, height) = self.texture.as_ref().map_or((0, 0), |old| (old.width(), old.height()));
        let area = |width: u32, height: u32| u64::from(width) * u64::from(height);
        let is_large = area(width, height) > MAX_OVERSIZE * area(size.width, size.height);
        if width < size.width || height < size.height || is_large {
            self.texture = None;
        }
        self.texture.get_or_insert_with(|| {
            gpu.device.create_texture(&wgpu::TextureDescriptor {
                label: Some("scroll snapshot"),
                size: extent(size.width, size.height),
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format: BACKING_FORMAT,
                usage: wgpu::TextureUsages::COPY_SRC | wgpu::TextureUsages::COPY_DST,
                view_formats: &[],
            })
        })
    }
}

fn copy(
    encoder: &mut wgpu::CommandEncoder,
    (from, from_x, from_y): (&wgpu::Texture, i32, i32),
    (to, to_x, to_y): (&wgpu::Texture, i32, i32),
    rect: Rect,
) {
    encoder.copy_texture_to_texture(
        wgpu::TexelCopyTextureInfo { origin: origin(from_x, from_y), ..from.as_image_copy() },
        wgpu::TexelCopyTextureInfo { origin: origin(to_x, to_y), ..to.as_image_copy() },
        extent(rect.width, rect.height),
    );
}
