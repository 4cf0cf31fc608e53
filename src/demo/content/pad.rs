//! A sheet to draw and write on: many small updates, and the way back from pointer and keys.

use std::time::Duration;

use crate::demo::canvas::{Area, Canvas, Color, Draw, GLYPH_WIDTH, LINE_HEIGHT, Packing};
use crate::demo::hello::Offers;

use super::{Content, Request};

const PAPER: Color = [250, 248, 240];
const FAINT: Color = [150, 150, 150];
const INK: [(&str, Color); 4] =
    [("Black", [20, 20, 20]), ("Red", [200, 30, 30]), ("Green", [20, 140, 40]), ("Blue", [30, 60, 200])];
const CLEAR: &str = "Clear";
/// The entries of the menu.
const MENU: [&str; 5] = ["Black", "Red", "Green", "Blue", CLEAR];
const PEN_RADIUS: i32 = 2;
/// Dots of one stroke from one pointer position to the next.
const MAX_DOTS: i32 = 4096;

/// The sheet.
#[derive(Debug)]
pub struct Pad {
    canvas: Canvas,
    ink: Color,
    strokes: u32,
    /// Where the pen is, while the button is down.
    pen: Option<(i32, i32)>,
    /// Where the next letter goes.
    cursor: (u32, u32),
    /// What has to be sent.
    changed: Area,
    captions: Vec<String>,
}

impl Pad {
    /// A window of 400 × 280, with these lines at its bottom.
    pub fn new(captions: &[String]) -> Self {
        let mut pad = Self {
            canvas: Canvas::new(400, 280, PAPER),
            ink: INK[0].1,
            strokes: 0,
            pen: None,
            cursor: (0, 0),
            changed: Area::default(),
            captions: captions.to_owned(),
        };
        pad.clear();
        pad
    }

    fn clear(&mut self) {
        let all = self.canvas.area();
        self.canvas.fill(all, PAPER);
        self.canvas.text(8, 8, "Draw with the left button, type, or press the", FAINT);
        self.canvas.text(8, 8 + LINE_HEIGHT, "right button for a menu.", FAINT);
        for (line, caption) in (1..).zip(self.captions.iter().rev()) {
            self.canvas.text(8, all.height.saturating_sub(4 + line * LINE_HEIGHT), caption, FAINT);
        }
        self.cursor = (8, 8 + 3 * LINE_HEIGHT);
        self.changed = all;
    }

    /// Draws a line from where the pen was.
    fn draw_to(&mut self, (x, y): (i32, i32)) {
        let (x0, y0) = self.pen.unwrap_or((x, y));
        let steps = (x - x0).abs().max((y - y0).abs()).clamp(1, MAX_DOTS);
        for step in 0..=steps {
            let at = |from: i32, to: i32| from + (to - from) * step / steps;
            let touched = self.canvas.dot(at(x0, x), at(y0, y), PEN_RADIUS, self.ink);
            self.changed = self.changed.union(touched);
        }
        self.pen = Some((x, y));
    }

    fn new_line(&mut self) {
        self.cursor = (8, self.cursor.1 + LINE_HEIGHT);
        let captions = u32::try_from(self.captions.len()).unwrap_or(0) * LINE_HEIGHT;
        if self.cursor.1 + LINE_HEIGHT + captions > self.canvas.area().height {
            self.cursor.1 = 8 + 3 * LINE_HEIGHT;
        }
    }
}

impl Content for Pad {
    fn title(&self) -> String {
        match self.strokes {
            0 => "Drawing pad".to_owned(),
            1 => "Drawing pad (1 stroke)".to_owned(),
            strokes => format!("Drawing pad ({strokes} strokes)"),
        }
    }

    fn size(&self) -> (u32, u32) {
        (self.canvas.area().width, self.canvas.area().height)
    }

    fn draws(&mut self, offers: &Offers, _elapsed: Duration, whole: bool) -> Vec<Draw> {
        let changed = std::mem::take(&mut self.changed);
        let area = if whole { self.canvas.area() } else { changed };
        if area.width == 0 || area.height == 0 {
            return Vec::new();
        }
        vec![self.canvas.draw(area, Packing::Small, offers)]
    }

    fn pointer(&mut self, at: (i32, i32), button: Option<(u8, bool)>) -> Option<Request> {
        // Far outside there is nothing to draw on.
        let at = (at.0.clamp(-1000, 5000), at.1.clamp(-1000, 5000));
        match button {
            Some((1, true)) => {
                self.strokes += 1;
                self.pen = None;
                self.draw_to(at);
            }
            Some((1, false)) => self.pen = None,
            Some((3, true)) => return Some(Request::Menu(&MENU)),
            None if self.pen.is_some() => self.draw_to(at),
            _ => {}
        }
        None
    }

    fn key(&mut self, name: &str, text: &str) {
        if matches!(name, "Return" | "KP_Enter") {
            self.new_line();
            return;
        }
        for character in text.chars().filter(|c| !c.is_control()) {
            let (x, y) = self.cursor;
            self.canvas.text(x, y, character.encode_utf8(&mut [0; 4]), self.ink);
            let glyph = Area { x, y, width: GLYPH_WIDTH, height: LINE_HEIGHT };
            self.changed = self.changed.union(self.canvas.clip(glyph));
            self.cursor.0 += GLYPH_WIDTH;
            if self.cursor.0 + GLYPH_WIDTH > self.canvas.area().width {
                self.new_line();
            }
        }
    }

    fn chosen(&mut self, entry: &str) {
        if entry == CLEAR {
            self.clear();
        } else if let Some((_, ink)) = INK.iter().find(|(name, _)| *name == entry) {
            self.ink = *ink;
        }
    }
}
