//! The overlay of one window: its newest frame and all its textures.

use std::collections::HashMap;
use std::sync::Arc;

use egui::epaint::{ImageDelta, Primitive};
use egui::{ClippedPrimitive, ColorImage, ImageData, TextureId, TextureOptions};

use super::border;
use crate::channel::{Border, OverlayFrame};
use crate::geometry::Size;

/// A change of an overlay's textures.
#[derive(Default)]
pub(super) struct TextureChanges {
    /// No longer used: to be dropped before the others are made.
    pub(super) free: Vec<TextureId>,
    /// To be made or changed, in this order. A change of a part fits the texture that is there.
    pub(super) set: Vec<(TextureId, ImageDelta)>,
}

/// What the overlay of a window looks like now.
///
/// The textures are kept here too, so that a new backend can be given them; the images that egui
/// hands out whole are shared with it.
#[derive(Default)]
pub(super) struct Overlay {
    textures: HashMap<TextureId, (Arc<ColorImage>, TextureOptions)>,
    /// Not used by frames after the present one.
    unused: Vec<TextureId>,
    /// With the edge as the last one, if there is one.
    primitives: Vec<ClippedPrimitive>,
    /// 0 before the first frame.
    pixels_per_point: f32,
    /// The window's edge, and the window's size.
    border: Option<(Border, Size)>,
}

impl Overlay {
    /// Takes a new frame. Returns what changes in the textures.
    pub(super) fn update(&mut self, mut frame: OverlayFrame) -> TextureChanges {
        let mut changes = TextureChanges { free: std::mem::take(&mut self.unused), set: Vec::new() };
        for id in &changes.free {
            self.textures.remove(id);
        }
        for (id, deltas) in frame.textures_delta.set.drain() {
            let fitting = deltas.into_iter().filter(|delta| apply(&mut self.textures, id, delta));
            changes.set.extend(fitting.map(|delta| (id, delta)));
        }
        self.unused.extend(frame.textures_delta.free.drain());
        self.primitives = std::mem::take(&mut frame.primitives);
        self.pixels_per_point = frame.pixels_per_point;
        self.lay_border();
        changes
    }

    /// Lays this edge over everything, for a window of this size. Returns what changes in the textures.
    pub(super) fn set_border(&mut self, border: Border, window: Size) -> TextureChanges {
        let mut changes = TextureChanges::default();
        if self.border.replace((border, window)).is_some() {
            self.primitives.pop();
        } else {
            self.textures.insert(border::TEXTURE, border::texture());
            changes.set.push(border::texture_change());
        }
        self.lay_border();
        changes
    }

    fn lay_border(&mut self) {
        if let Some((border, window)) = self.border {
            self.primitives.push(border::primitive(border, window, self.pixels_per_point()));
        }
    }

    /// All textures, for a backend that has none of them.
    pub(super) fn all_textures(&self) -> TextureChanges {
        let whole = |(id, (image, options)): (&TextureId, &(Arc<ColorImage>, TextureOptions))| {
            (*id, ImageDelta::full(Arc::clone(image), *options))
        };
        TextureChanges { free: Vec::new(), set: self.textures.iter().map(whole).collect() }
    }

    /// A texture, if it is there.
    pub(super) fn texture(&self, id: TextureId) -> Option<(&ColorImage, TextureOptions)> {
        self.textures.get(&id).map(|(image, options)| (&**image, *options))
    }

    /// Bytes of the vertices and indices of all meshes.
    pub(super) fn mesh_bytes(&self) -> usize {
        let bytes = |primitive: &ClippedPrimitive| match &primitive.primitive {
            Primitive::Mesh(mesh) => size_of_val(&mesh.vertices[..]) + size_of_val(&mesh.indices[..]),
            Primitive::Callback(_) => 0,
        };
        self.primitives.iter().map(bytes).sum()
    }

    pub(super) fn primitives(&self) -> &[ClippedPrimitive] {
        &self.primitives
    }

    /// Physical pixels in one of egui's points.
    pub(super) fn pixels_per_point(&self) -> f32 {
        if self.pixels_per_point > 0.0 { self.pixels_per_point } else { 1.0 }
    }
}

/// Applies one change. Returns whether it fits the texture that is there.
fn apply(
    textures: &mut HashMap<TextureId, (Arc<ColorImage>, TextureOptions)>,
    id: TextureId,
    delta: &ImageDelta,
) -> bool {
    let ImageData::Color(image) = &delta.image;
    let Some([x, y]) = delta.pos else {
        textures.insert(id, (Arc::clone(image), delta.options));
        return true;
    };
    let Some((texture, options)) = textures.get_mut(&id) else { return false };
    let [width, height] = image.size;
    if x + width > texture.size[0] || y + height > texture.size[1] || width == 0 {
        return false;
    }
    *options = delta.options;
    let texture = Arc::make_mut(texture);
    let rowstride = texture.size[0];
    for (row, pixels) in image.pixels.chunks_exact(width).enumerate() {
        let start = (y + row) * rowstride + x;
        for (to, from) in texture.pixels[start..start + width].iter_mut().zip(pixels) {
            *to = *from;
        }
    }
    true
}
