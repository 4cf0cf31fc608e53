//! A coloured edge as a part of what lies over a window: four rectangles in egui's terms, which both backends draw.

use std::sync::Arc;

use egui::epaint::{ImageDelta, Mesh, Primitive};
use egui::{ClippedPrimitive, Color32, ColorImage, Pos2, Rect, TextureId, TextureOptions, Vec2};

use crate::channel::Border;
use crate::geometry::Size;

/// A texture of one white pixel. egui's own contexts have managed textures only.
pub(super) const TEXTURE: TextureId = TextureId::User(0);

/// Of the smaller side of a window its edge takes no more, so that a tiny one is still seen.
const SMALLEST_PART: u32 = 6;

/// That texture.
pub(super) fn texture() -> (Arc<ColorImage>, TextureOptions) {
    (Arc::new(ColorImage::filled([1, 1], Color32::WHITE)), TextureOptions::NEAREST)
}

/// The same for a backend.
pub(super) fn texture_change() -> (TextureId, ImageDelta) {
    let (image, options) = texture();
    (TEXTURE, ImageDelta::full(image, options))
}

/// The edge of a window of `size` physical pixels, with the window's scale factor.
pub(super) fn primitive(border: Border, size: Size, pixels_per_point: f32) -> ClippedPrimitive {
    let all = Vec2::new(size.width as f32, size.height as f32);
    let most = size.width.min(size.height) / SMALLEST_PART;
    let width = border.width.min(most.max(1)) as f32;
    let [red, green, blue] = border.color;
    let mut mesh = Mesh::with_texture(TEXTURE);
    let mut bar = |left: f32, top: f32, right: f32, bottom: f32| {
        let rect = Rect::from_min_max(Pos2::new(left, top), Pos2::new(right, bottom)) / pixels_per_point;
        let middle = Rect::from_min_size(Pos2::new(0.5, 0.5), Vec2::ZERO);
        mesh.add_rect_with_uv(rect, middle, Color32::from_rgb(red, green, blue));
    };
    bar(0.0, 0.0, all.x, width);
    bar(0.0, all.y - width, all.x, all.y);
    bar(0.0, width, width, all.y - width);
    bar(all.x - width, width, all.x, all.y - width);
    let clip_rect = Rect::from_min_size(Pos2::ZERO, all / pixels_per_point);
    ClippedPrimitive { clip_rect, primitive: Primitive::Mesh(mesh) }
}
