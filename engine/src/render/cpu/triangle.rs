//! Textured triangles, as egui makes them: colours and blending in gamma space, premultiplied.

use egui::epaint::Vertex;
use egui::{Color32, ColorImage, TextureFilter, TextureOptions};

use super::layer::blend;
use crate::geometry::Rect;

/// Places in a texture that are nearer to a pixel than this part of one are on it.
const CLOSE: f32 = 0.004;

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

    fn texel(&self, x: usize, y: usize) -> Color32 {
        let (x, y) = (x.min(self.width.saturating_sub(1)), y.min(self.height.saturating_sub(1)));
        self.pixels.get(y * self.width + x).copied().unwrap_or_default()
    }

    /// The one pixel that (u, v) falls on, unless it lies between pixels that are to be mixed.
    fn exact(&self, u: f32, v: f32) -> Option<Color32> {
        let (x, y) = (u * self.width as f32, v * self.height as f32);
        if !self.smooth {
            return Some(self.texel(x.max(0.0) as usize, y.max(0.0) as usize));
        }
        // Letters are placed on whole pixels, but for the last digits of the numbers.
        let (x, y) = ((x - 0.5).max(0.0), (y - 0.5).max(0.0));
        // Not `round`, which is a call of a function.
        let (left, top) = ((x + 0.5) as usize, (y + 0.5) as usize);
        let close = (x - left as f32).abs() < CLOSE && (y - top as f32).abs() < CLOSE;
        close.then(|| self.texel(left, top))
    }

    /// The colour at (u, v), 0..=255 a channel.
    fn sample(&self, u: f32, v: f32) -> [f32; 4] {
        if let Some(colour) = self.exact(u, v) {
            return colour.to_array().map(f32::from);
        }
        let texel = |x, y| self.texel(x, y).to_array().map(f32::from);
        let (x, y) = (u * self.width as f32, v * self.height as f32);
        let (x, y) = ((x - 0.5).max(0.0), (y - 0.5).max(0.0));
        let (left, top) = (x as usize, y as usize);
        let (across, down) = (x.fract(), y.fract());
        let mix = |a: [f32; 4], b: [f32; 4], part: f32| -> [f32; 4] {
            std::array::from_fn(|channel| a[channel] + (b[channel] - a[channel]) * part)
        };
        let upper = mix(texel(left, top), texel(left + 1, top), across);
        let lower = mix(texel(left, top + 1), texel(left + 1, top + 1), across);
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
        let Some((rows, columns)) = self.covered([p0, p1, p2]) else { return };
        let even_colour = a.color == b.color && b.color == c.color;
        let [a_colour, b_colour, c_colour] = [a, b, c].map(|corner| corner.color.to_array().map(f32::from));
        let flat = even_colour && a.uv == b.uv && b.uv == c.uv;
        let flat_colour = flat.then(|| shade(a_colour, texture.sample(a.uv.x, a.uv.y)));
        let place = |sides: [f32; 3]| {
            let weights = Weights { corners: sides.map(|side| side * inverse) };
            (weights.mix([a.uv.x, b.uv.x, c.uv.x]), weights.mix([a.uv.y, b.uv.y, c.uv.y]))
        };
        // How much these change from a pixel to the next.
        let (du, dv) = place(edges.map(|(from, to)| from.1 - to.1));
        let mixed = |sides: [f32; 3]| -> [f32; 4] {
            let weights = Weights { corners: sides.map(|side| side * inverse) };
            std::array::from_fn(|channel| weights.mix([a_colour, b_colour, c_colour].map(|of| of[channel])))
        };
        for y in rows {
            let sides_at = |x: i32| {
                let centre = (x as f32 + 0.5, y as f32 + 0.5);
                edges.map(|(from, to)| edge(from, to, centre))
            };
            let is_inside = |x: i32| {
                let sides = sides_at(x);
                (0..3).all(|side| sides[side] > 0.0 || (sides[side] == 0.0 && closed[side]))
            };
            // A triangle has one run of pixels in a row: only its ends have to be looked for.
            let run = guess(edges, y as f32 + 0.5, &columns);
            let Some(first) = run.clone().find(|x| is_inside(*x)) else { continue };
            let Some(last) = (first..run.end).rev().find(|x| is_inside(*x)) else { continue };
            let Some(pixels) = self.run(y, first, last) else { continue };
            match flat_colour {
                Some(colour) => pixels.iter_mut().for_each(|pixel| *pixel = blend(colour, *pixel)),
                None => {
                    let (u, v) = place(sides_at(first));
                    for (index, pixel) in pixels.iter_mut().enumerate() {
                        let (u, v) = (u + du * index as f32, v + dv * index as f32);
                        // Most of a letter's rectangle is empty.
                        if texture.exact(u, v) == Some(Color32::TRANSPARENT) {
                            continue;
                        }
                        let colour =
                            if even_colour { a_colour } else { mixed(sides_at(first + index as i32)) };
                        *pixel = blend(shade(colour, texture.sample(u, v)), *pixel);
                    }
                }
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

    /// The pixels of row `y` from `first` to `last`.
    fn run(&mut self, y: i32, first: i32, last: i32) -> Option<&mut [u32]> {
        // `clip` lies within `bounds`.
        let (x, y) = (first.abs_diff(self.bounds.x) as usize, y.abs_diff(self.bounds.y) as usize);
        let start = y * self.bounds.width as usize + x;
        self.pixels.get_mut(start..=start + last.abs_diff(first) as usize)
    }
}

/// Where the row at height `y` may be inside of all edges: at most a pixel too much at either end.
fn guess(
    edges: [((f32, f32), (f32, f32)); 3],
    y: f32,
    columns: &std::ops::Range<i32>,
) -> std::ops::Range<i32> {
    let mut run = columns.clone();
    for (from, to) in edges {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        // Nearly level edges do not bound the row where it could be said exactly.
        if dy.abs() < 1e-3 {
            continue;
        }
        let crossing = from.0 + dx * (y - from.1) / dy;
        // Casts of what is outside of the numbers saturate.
        if dy < 0.0 {
            run.start = run.start.max((crossing - 1.5).floor() as i32);
        } else {
            run.end = run.end.min((crossing + 1.5).ceil() as i32);
        }
    }
    run
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
