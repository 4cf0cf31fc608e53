//! Textured triangles, as egui makes them: colours and blending in gamma space, premultiplied.

use egui::epaint::Vertex;
use egui::{Color32, ColorImage, TextureFilter, TextureOptions};

use super::layer::blend;
use crate::codec::Rect;

/// The texture of a mesh.
pub(super) struct Texture<'a> {
    pixels: &'a [Color32],
    width: usize,
    height: usize,
    smooth: bool,
}

impl<'a> Texture<'a> {
    pub(super) fn new(image: &'a ColorImage, options: TextureOptions) -> Self {
        let [width, height] = image.size;
        Self { pixels: &image.pixels, width, height, smooth: options.magnification == TextureFilter::Linear }
    }

    fn texel(&self, x: usize, y: usize) -> [f32; 4] {
        let (x, y) = (x.min(self.width.saturating_sub(1)), y.min(self.height.saturating_sub(1)));
        let colour = self.pixels.get(y * self.width + x).copied().unwrap_or_default();
        colour.to_array().map(f32::from)
    }

    /// The colour at (u, v), 0..=255 a channel.
    fn sample(&self, u: f32, v: f32) -> [f32; 4] {
        let (x, y) = (u * self.width as f32, v * self.height as f32);
        if !self.smooth {
            return self.texel(x.max(0.0) as usize, y.max(0.0) as usize);
        }
        let (x, y) = ((x - 0.5).max(0.0), (y - 0.5).max(0.0));
        let (left, top) = (x as usize, y as usize);
        let (across, down) = (x.fract(), y.fract());
        if across < 0.002 && down < 0.002 {
            return self.texel(left, top);
        }
        let mix = |a: [f32; 4], b: [f32; 4], part: f32| -> [f32; 4] {
            std::array::from_fn(|channel| a[channel] + (b[channel] - a[channel]) * part)
        };
        let upper = mix(self.texel(left, top), self.texel(left + 1, top), across);
        let lower = mix(self.texel(left, top + 1), self.texel(left + 1, top + 1), across);
        mix(upper, lower, down)
    }
}

/// Where triangles are painted.
pub(super) struct Canvas<'a> {
    pixels: &'a mut [u32],
    /// The window's part that the pixels are.
    bounds: Rect,
    /// What may be painted of it.
    clip: Rect,
}

/// A value that changes evenly over a triangle: at the corners it is as given.
#[derive(Clone, Copy)]
struct Weights {
    corners: [f32; 3],
}

impl Weights {
    fn mix(self, values: [f32; 3]) -> f32 {
        self.corners[0] * values[0] + self.corners[1] * values[1] + self.corners[2] * values[2]
    }
}

impl<'a> Canvas<'a> {
    /// `pixels` are those of `bounds`, of which only `clip`, which lies within, is painted.
    pub(super) fn new(pixels: &'a mut [u32], bounds: Rect, clip: Rect) -> Self {
        Self { pixels, bounds, clip }
    }

    /// Paints a triangle; positions are in points of `scale` pixels. A pixel belongs to the
    /// triangle that its centre lies in, and on an edge to the one on the right or below.
    pub(super) fn triangle(&mut self, [a, b, c]: [&Vertex; 3], scale: f32, texture: &Texture<'_>) {
        let position = |vertex: &Vertex| (vertex.pos.x * scale, vertex.pos.y * scale);
        let (p0, p1, p2) = (position(a), position(b), position(c));
        let double_area = edge(p0, p1, p2);
        if double_area == 0.0 || !double_area.is_finite() {
            return;
        }
        // Clockwise on the screen; the values follow their corners.
        let ((b, p1), (c, p2)) = if double_area > 0.0 { ((b, p1), (c, p2)) } else { ((c, p2), (b, p1)) };
        let inverse = 1.0 / double_area.abs();
        let edges = [(p1, p2), (p2, p0), (p0, p1)];
        let closed = edges.map(|(from, to)| (from.1 == to.1 && to.0 > from.0) || to.1 < from.1);
        let flat = a.uv == b.uv && b.uv == c.uv && a.color == b.color && b.color == c.color;
        let flat_colour =
            flat.then(|| shade(a.color.to_array().map(f32::from), texture.sample(a.uv.x, a.uv.y)));
        let Some((rows, columns)) = self.covered([p0, p1, p2]) else { return };
        for y in rows {
            for x in columns.clone() {
                let centre = (x as f32 + 0.5, y as f32 + 0.5);
                let sides = edges.map(|(from, to)| edge(from, to, centre));
                let inside = |side: usize| sides[side] > 0.0 || (sides[side] == 0.0 && closed[side]);
                if !(inside(0) && inside(1) && inside(2)) {
                    continue;
                }
                let colour = flat_colour.unwrap_or_else(|| {
                    let weights = Weights { corners: sides.map(|side| side * inverse) };
                    let (a_colour, b_colour, c_colour) =
                        (a.color.to_array(), b.color.to_array(), c.color.to_array());
                    let colour = std::array::from_fn(|channel| {
                        weights.mix([&a_colour, &b_colour, &c_colour].map(|of| f32::from(of[channel])))
                    });
                    let u = weights.mix([a.uv.x, b.uv.x, c.uv.x]);
                    let v = weights.mix([a.uv.y, b.uv.y, c.uv.y]);
                    shade(colour, texture.sample(u, v))
                });
                self.put(x, y, colour);
            }
        }
    }

    /// Rows and columns of the window that a triangle may have pixels in.
    fn covered(&self, corners: [(f32, f32); 3]) -> Option<(std::ops::Range<i32>, std::ops::Range<i32>)> {
        let xs = corners.map(|corner| corner.0);
        let ys = corners.map(|corner| corner.1);
        let low = |values: [f32; 3]| values[0].min(values[1]).min(values[2]).floor() as i32;
        let high = |values: [f32; 3]| values[0].max(values[1]).max(values[2]).ceil() as i32;
        let right = self.clip.x.checked_add_unsigned(self.clip.width)?;
        let bottom = self.clip.y.checked_add_unsigned(self.clip.height)?;
        let rows = low(ys).max(self.clip.y)..high(ys).min(bottom);
        let columns = low(xs).max(self.clip.x)..high(xs).min(right);
        Some((rows, columns))
    }

    fn put(&mut self, x: i32, y: i32, colour: u32) {
        // `clip` lies within `bounds`.
        let (x, y) = (x.abs_diff(self.bounds.x) as usize, y.abs_diff(self.bounds.y) as usize);
        if let Some(pixel) = self.pixels.get_mut(y * self.bounds.width as usize + x) {
            *pixel = blend(colour, *pixel);
        }
    }
}

/// Twice the area of the triangle; positive if it is clockwise on the screen.
fn edge(a: (f32, f32), b: (f32, f32), c: (f32, f32)) -> f32 {
    (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0)
}

/// A vertex colour times a texture's, both 0..=255, as `0xAARRGGBB`.
fn shade(colour: [f32; 4], texel: [f32; 4]) -> u32 {
    let channel = |index: usize| (colour[index] * texel[index] / 255.0 + 0.5) as u32;
    channel(3).min(255) << 24 | channel(0).min(255) << 16 | channel(1).min(255) << 8 | channel(2).min(255)
}
