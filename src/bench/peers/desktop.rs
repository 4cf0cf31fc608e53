//! What the made-up recordings show: a busy desktop of 1920 × 1080, all of which changes from
//! frame to frame. It is the same on every machine.

use crate::demo::canvas::{Area, Canvas, Color, GLYPH_WIDTH, LINE_HEIGHT};

/// Size of the desktop.
pub const WIDTH: u32 = 1920;
pub const HEIGHT: u32 = 1080;

const TERMINAL: Area = Area { x: 60, y: 70, width: 720, height: 560 };
const EDITOR: Area = Area { x: 840, y: 50, width: 760, height: 620 };
const PHOTO: Area = Area { x: 1180, y: 600, width: 640, height: 420 };
const PLASMA: Area = Area { x: 140, y: 690, width: 420, height: 320 };
const TITLE_HEIGHT: u32 = 20;

const INK: [Color; 6] =
    [[230, 230, 230], [90, 220, 120], [240, 180, 60], [110, 170, 250], [230, 110, 110], [200, 140, 240]];
const WORDS: [&str; 16] = [
    "frame", "socket", "let", "pixel", "window", "return", "match", "0x7f3a", "damage", "error:", "buffer",
    "stride", "if", "draw", "->", "packet",
];

/// The desktop, painted frame by frame.
#[derive(Debug)]
pub struct BusyDesktop {
    canvas: Canvas,
}

impl BusyDesktop {
    /// Nothing is painted yet.
    pub fn new() -> Self {
        Self { canvas: Canvas::new(WIDTH, HEIGHT, [0; 3]) }
    }

    /// Paints frame `number`, whatever was painted before.
    pub fn frame(&mut self, number: u32) -> &Canvas {
        self.canvas.paint(|x, y| wallpaper(x, y, number));
        self.window(PLASMA, [40, 40, 60], |x, y| plasma(x, y, number));
        self.window(TERMINAL, [70, 70, 70], |_, _| [12, 14, 18]);
        self.lines(TERMINAL, number, &INK);
        self.window(EDITOR, [60, 90, 140], |_, _| [250, 250, 245]);
        self.lines(EDITOR, 1000 + number / 2, &[[20, 20, 20], [150, 30, 40], [20, 90, 160], [60, 120, 50]]);
        self.window(PHOTO, [30, 30, 30], |x, y| photo(x, y, number));
        let bounce = |range: u32, speed: u32| {
            let at = number * speed % (2 * range);
            i32::try_from(at.min(2 * range - at)).unwrap_or(0)
        };
        self.canvas.dot(60 + bounce(WIDTH - 120, 37), 60 + bounce(HEIGHT - 120, 23), 45, [250, 200, 40]);
        &self.canvas
    }

    /// A window with a title bar of one colour, and inside of it what `color` says.
    fn window(&mut self, area: Area, title: Color, color: impl Fn(u32, u32) -> Color) {
        let bar = Area { y: area.y - TITLE_HEIGHT, height: TITLE_HEIGHT, ..area };
        self.canvas.fill(bar, title);
        self.canvas.text(area.x + 8, bar.y + 6, "a window of the busy desktop", [255; 3]);
        for y in 0..area.height {
            for x in 0..area.width {
                self.canvas.set(i64::from(area.x + x), i64::from(area.y + y), color(x, y));
            }
        }
    }

    /// Lines of text, the first of which has number `first`.
    fn lines(&mut self, area: Area, first: u32, inks: &[Color]) {
        let columns = (area.width - 16) / GLYPH_WIDTH;
        for row in 0..(area.height - 8) / LINE_HEIGHT {
            let line = first + row;
            let mut text = format!("{line:5} ");
            let mut word = hash(line, 0, 7);
            while text.len() < (20 + word as usize % 60).min(columns as usize - 8) {
                word = hash(line, word, 11);
                text.push_str(WORDS.get(word as usize % WORDS.len()).unwrap_or(&""));
                text.push(' ');
            }
            let ink = inks.get(hash(line, 1, 3) as usize % inks.len()).copied().unwrap_or_default();
            self.canvas.text(area.x + 8, area.y + 4 + row * LINE_HEIGHT, &text, ink);
        }
    }
}

impl Default for BusyDesktop {
    fn default() -> Self {
        Self::new()
    }
}

/// Bands of colour that move, as flat as wallpapers are.
fn wallpaper(x: u32, y: u32, frame: u32) -> Color {
    let band = (x + 2 * y + 16 * frame) / 8;
    [byte(40 + wave(band) / 4), byte(60 + wave(band / 2 + 80) / 3), byte(110 + wave(y / 6 + 3 * frame) / 3)]
}

fn plasma(x: u32, y: u32, frame: u32) -> Color {
    let (a, b) = (wave(x + 5 * frame), wave(2 * y + 3 * frame));
    [byte(wave((a + b) / 2 + 4 * frame)), byte(wave(b + x / 2)), byte(wave(a + y / 2))]
}

/// Smooth shapes with the grain of a photograph, which moves.
fn photo(x: u32, y: u32, frame: u32) -> Color {
    let grain = hash(x, y, frame) % 9;
    let shape = wave((x + 3 * frame) / 3) + wave((y + x / 4) / 2);
    [byte(shape / 3 + 40 + grain), byte(shape / 2 + grain), byte(wave(x / 5 + y / 3) / 2 + 60 + grain)]
}

/// A triangle wave of period 256, from 0 to 254.
fn wave(at: u32) -> u32 {
    let at = at % 256;
    2 * at.min(255 - at)
}

fn byte(value: u32) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

/// Numbers without an order.
fn hash(a: u32, b: u32, c: u32) -> u32 {
    let mixed = a.wrapping_mul(0x9e37_79b1) ^ b.wrapping_mul(0x85eb_ca6b) ^ c.wrapping_mul(0xc2b2_ae35);
    let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2c1b_3c6d);
    mixed ^ (mixed >> 13)
}
