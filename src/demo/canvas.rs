//! A picture in memory, and how its parts are sent.

use font8x8::legacy::BASIC_LEGACY;

use crate::buffers::Payload;
use crate::protocol::compression::lz4_append;
use crate::protocol::packet::draw::{DrawOptions, Encoding, PixelCompression, RgbFormatName};

use super::hello::Offers;

/// Red, green, blue.
pub type Color = [u8; 3];

/// Pixels across a glyph.
pub const GLYPH_WIDTH: u32 = 8;
/// Pixels down a line of text; glyphs are 8 high.
pub const LINE_HEIGHT: u32 = 12;

/// A rectangle of a window, which lies within it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Area {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

impl Area {
    /// The smallest area that holds both; an empty one holds nothing.
    pub fn union(self, other: Self) -> Self {
        if self.width == 0 || self.height == 0 {
            return other;
        }
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = (self.x + self.width).max(other.x + other.width);
        let bottom = (self.y + self.height).max(other.y + other.height);
        Self { x, y, width: right - x, height: bottom - y }
    }

    /// Whether it holds this point.
    pub fn contains(self, x: i32, y: i32) -> bool {
        let inside = |value: i32, start: u32, len: u32| {
            u32::try_from(value).is_ok_and(|value| (start..start + len).contains(&value))
        };
        inside(x, self.x, self.width) && inside(y, self.y, self.height)
    }
}

/// One draw of a window, without the numbers that the window gives it.
#[derive(Clone, Debug)]
pub struct Draw {
    pub area: Area,
    pub encoding: Encoding,
    pub data: Payload,
    pub rowstride: u32,
    pub options: DrawOptions,
}

/// How the pixels of a part are to travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    Raw,
    Lz4,
    /// 24 bits a pixel, not packed.
    Small,
}

/// A picture of 8 bits a channel.
#[derive(Clone, Debug)]
pub struct Canvas {
    width: u32,
    height: u32,
    pixels: Vec<Color>,
}

impl Canvas {
    /// A picture of one colour.
    pub fn new(width: u32, height: u32, color: Color) -> Self {
        Self { width, height, pixels: vec![color; width as usize * height as usize] }
    }

    /// All of it.
    pub fn area(&self) -> Area {
        Area { x: 0, y: 0, width: self.width, height: self.height }
    }

    /// The part of `area` that is within the picture.
    pub fn clip(&self, area: Area) -> Area {
        let (x, y) = (area.x.min(self.width), area.y.min(self.height));
        Area { x, y, width: area.width.min(self.width - x), height: area.height.min(self.height - y) }
    }

    /// Sets one pixel, if it is within the picture.
    pub fn set(&mut self, x: i64, y: i64, color: Color) {
        let inside = |value: i64, len: u32| usize::try_from(value).ok().filter(|value| *value < len as usize);
        if let (Some(x), Some(y)) = (inside(x, self.width), inside(y, self.height))
            && let Some(pixel) = self.pixels.get_mut(y * self.width as usize + x)
        {
            *pixel = color;
        }
    }

    /// Makes every pixel what `color` says for its place.
    pub fn paint(&mut self, color: impl Fn(u32, u32) -> Color) {
        for (y, row) in (0..).zip(self.pixels.chunks_exact_mut(self.width.max(1) as usize)) {
            for (x, pixel) in (0..).zip(row) {
                *pixel = color(x, y);
            }
        }
    }

    /// Fills an area.
    pub fn fill(&mut self, area: Area, color: Color) {
        for y in area.y..area.y + area.height {
            for x in area.x..area.x + area.width {
                self.set(i64::from(x), i64::from(y), color);
            }
        }
    }

    /// Draws a filled circle; says which area that touched.
    pub fn dot(&mut self, x: i32, y: i32, radius: i32, color: Color) -> Area {
        for dy in -radius..=radius {
            for dx in -radius..=radius {
                if dx * dx + dy * dy <= radius * radius {
                    self.set(i64::from(x) + i64::from(dx), i64::from(y) + i64::from(dy), color);
                }
            }
        }
        let start = |value: i32| u32::try_from(value.saturating_sub(radius)).unwrap_or(0);
        let end = |value: i32| u32::try_from(value.saturating_add(radius + 1)).unwrap_or(0);
        self.clip(Area {
            x: start(x),
            y: start(y),
            width: end(x).saturating_sub(start(x)),
            height: end(y).saturating_sub(start(y)),
        })
    }

    /// Writes a line of text whose first glyph has its top left corner at (`x`, `y`).
    pub fn text(&mut self, x: u32, y: u32, text: &str, color: Color) {
        for (column, character) in (0i64..).zip(text.chars()) {
            let glyph = BASIC_LEGACY.get(character as usize).or(BASIC_LEGACY.get(usize::from(b'?')));
            for (dy, row) in (0i64..).zip(glyph.into_iter().flatten()) {
                for dx in (0..8i64).filter(|dx| row >> dx & 1 != 0) {
                    let left = i64::from(x) + column * i64::from(GLYPH_WIDTH);
                    self.set(left + dx, i64::from(y) + dy, color);
                }
            }
        }
    }

    /// Moves everything in `area` up by `rows`; the last rows keep what they had.
    pub fn scroll_up(&mut self, area: Area, rows: u32) {
        for y in area.y..(area.y + area.height).saturating_sub(rows) {
            for x in area.x..area.x + area.width {
                if let Some(color) = self.get(x, y + rows) {
                    self.set(i64::from(x), i64::from(y), color);
                }
            }
        }
    }

    fn get(&self, x: u32, y: u32) -> Option<Color> {
        self.pixels.get(y as usize * self.width as usize + x as usize).copied()
    }

    /// The pixels of an area, as the client wants them.
    pub fn draw(&self, area: Area, packing: Packing, offers: &Offers) -> Draw {
        let area = self.clip(area);
        let colors = (area.y..area.y + area.height)
            .flat_map(|y| (area.x..area.x + area.width).filter_map(move |x| self.get(x, y)));
        let (encoding, format, bytes) = if packing == Packing::Small && offers.rgb24 {
            (Encoding::Rgb24, RgbFormatName::Rgb, colors.flatten().collect::<Vec<u8>>())
        } else if offers.red_first {
            let pixels = colors.flat_map(|[r, g, b]| [r, g, b, 255]);
            (Encoding::Rgb32, RgbFormatName::Rgbx, pixels.collect())
        } else {
            let pixels = colors.flat_map(|[r, g, b]| [b, g, r, 255]);
            (Encoding::Rgb32, RgbFormatName::Bgrx, pixels.collect())
        };
        let bytes_per_pixel = if encoding == Encoding::Rgb24 { 3 } else { 4 };
        let mut options = DrawOptions { rgb_format: Some(format), ..DrawOptions::default() };
        let mut data = bytes;
        if packing == Packing::Lz4 && offers.lz4 {
            let mut packed = Vec::new();
            if lz4_append(&data, &mut packed).is_some() {
                options.pixel_compression = PixelCompression::Lz4;
                data = packed;
            }
        }
        Draw { area, encoding, data: Payload::from(data), rowstride: area.width * bytes_per_pixel, options }
    }
}
