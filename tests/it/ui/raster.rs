//! Paints egui frames without a GPU, for looking at them: see the pictures in `target/tmp`.

use egui::epaint::{ImageDelta, Primitive, Vertex};
use egui::{Color32, ColorImage, TextureId};
use farpane::channel::OverlayFrame;
use std::collections::HashMap;
use std::path::PathBuf;

/// RGB pixels that frames are painted on, and the textures that they brought.
pub struct Canvas {
    pub width: usize,
    pub height: usize,
    pixels: Vec<[f32; 3]>,
    textures: HashMap<TextureId, ColorImage>,
}

impl Canvas {
    /// A picture that is light on one side and busy on the other, as a hard background to read on.
    pub fn new(width: usize, height: usize) -> Self {
        let background = |index: usize| {
            let (x, y) = (index % width, index / width);
            let stripe = (x / 7 + y / 11) % 2 == 0;
            if x * 3 < width || stripe { [245.0, 246.0, 248.0] } else { [70.0, 110.0, 160.0] }
        };
        let pixels = (0..width * height).map(background).collect();
        Self { width, height, pixels, textures: HashMap::new() }
    }

    /// Applies the frame's textures and paints it.
    pub fn paint(&mut self, mut frame: OverlayFrame) {
        for (id, deltas) in std::mem::take(&mut frame.textures_delta.set) {
            for delta in deltas {
                self.update_texture(id, delta);
            }
        }
        for clipped in &frame.primitives {
            let Primitive::Mesh(mesh) = &clipped.primitive else { panic!("no callbacks are painted") };
            let scale = frame.pixels_per_point;
            let clip = [
                clipped.clip_rect.min.x * scale,
                clipped.clip_rect.min.y * scale,
                clipped.clip_rect.max.x * scale,
                clipped.clip_rect.max.y * scale,
            ];
            for triangle in mesh.indices.chunks_exact(3) {
                let corners = [0, 1, 2].map(|n| mesh.vertices[triangle[n] as usize]);
                self.triangle(corners, mesh.texture_id, scale, clip);
            }
        }
    }

    /// The color at a place.
    pub fn pixel(&self, x: usize, y: usize) -> [f32; 3] {
        self.pixels[y * self.width + x]
    }

    /// Writes the picture to `target/tmp/NAME.png`.
    pub fn save(&self, name: &str) {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
        let file = std::fs::File::create(path).expect("target/tmp is writable");
        let mut encoder = png::Encoder::new(file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        let bytes: Vec<u8> =
            self.pixels.iter().flatten().map(|value| value.round().clamp(0.0, 255.0) as u8).collect();
        let mut writer = encoder.write_header().expect("a valid header");
        writer.write_image_data(&bytes).expect("as many bytes as pixels");
    }

    fn update_texture(&mut self, id: TextureId, delta: ImageDelta) {
        let egui::ImageData::Color(image) = &delta.image;
        let Some([left, top]) = delta.pos else {
            self.textures.insert(id, (**image).clone());
            return;
        };
        let texture = self.textures.get_mut(&id).expect("a patch follows the whole");
        for y in 0..image.height() {
            for x in 0..image.width() {
                texture[(left + x, top + y)] = image[(x, y)];
            }
        }
    }

    fn triangle(&mut self, corners: [Vertex; 3], texture: TextureId, scale: f32, clip: [f32; 4]) {
        let [a, b, c] = corners.map(|corner| (corner.pos.x * scale, corner.pos.y * scale));
        let area = (b.0 - a.0) * (c.1 - a.1) - (c.0 - a.0) * (b.1 - a.1);
        if area == 0.0 {
            return;
        }
        let texture = self.textures.get(&texture).expect("textures come before they are used");
        let span = |values: [f32; 3], low: f32, high: f32, size: usize| {
            let least = values.iter().copied().fold(f32::MAX, f32::min).max(low).max(0.0).floor() as usize;
            let most = values.iter().copied().fold(f32::MIN, f32::max).min(high).max(0.0).ceil() as usize;
            least..most.min(size)
        };
        for y in span([a.1, b.1, c.1], clip[1], clip[3], self.height) {
            for x in span([a.0, b.0, c.0], clip[0], clip[2], self.width) {
                // Slightly off the middle, so that no pixel lies on the edge of two triangles.
                let (px, py) = (x as f32 + 0.5007, y as f32 + 0.5003);
                if px < clip[0] || px > clip[2] || py < clip[1] || py > clip[3] {
                    continue;
                }
                let edge = |p: (f32, f32), q: (f32, f32)| {
                    ((q.0 - p.0) * (py - p.1) - (q.1 - p.1) * (px - p.0)) / area
                };
                let weights = [edge(b, c), edge(c, a), edge(a, b)];
                if weights.iter().any(|weight| *weight < 0.0) {
                    continue;
                }
                let mix = |of: fn(&Vertex) -> f32| -> f32 {
                    corners.iter().zip(weights).map(|(corner, weight)| of(corner) * weight).sum()
                };
                let texel = sample(texture, mix(|v| v.uv.x), mix(|v| v.uv.y));
                let color = [
                    mix(|v| f32::from(v.color.r())) * texel[0],
                    mix(|v| f32::from(v.color.g())) * texel[1],
                    mix(|v| f32::from(v.color.b())) * texel[2],
                ];
                let alpha = mix(|v| f32::from(v.color.a())) * texel[3] / 255.0;
                let pixel = &mut self.pixels[y * self.width + x];
                for (below, above) in pixel.iter_mut().zip(color) {
                    *below = *below * (1.0 - alpha) + above;
                }
            }
        }
    }
}

/// The texture at `u`, `v` (0 to 1) with linear filtering, each channel 0 to 1.
fn sample(texture: &ColorImage, u: f32, v: f32) -> [f32; 4] {
    let x = (u * texture.width() as f32 - 0.5).max(0.0);
    let y = (v * texture.height() as f32 - 0.5).max(0.0);
    let (left, top) = (x.floor() as usize, y.floor() as usize);
    let (dx, dy) = (x - left as f32, y - top as f32);
    let texel = |x: usize, y: usize| -> Color32 {
        texture[(x.min(texture.width() - 1), y.min(texture.height() - 1))]
    };
    let mut sum = [0.0; 4];
    for (x, y, weight) in [
        (left, top, (1.0 - dx) * (1.0 - dy)),
        (left + 1, top, dx * (1.0 - dy)),
        (left, top + 1, (1.0 - dx) * dy),
        (left + 1, top + 1, dx * dy),
    ] {
        for (channel, value) in sum.iter_mut().zip(texel(x, y).to_array()) {
            *channel += f32::from(value) / 255.0 * weight;
        }
    }
    sum
}
