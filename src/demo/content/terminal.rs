//! Lines that scroll by, and a prompt that shows what is typed: `scroll` and LZ4.

use std::time::Duration;

use crate::buffers::Payload;
use crate::demo::canvas::{Area, Canvas, Color, Draw, GLYPH_WIDTH, LINE_HEIGHT, Packing};
use crate::demo::hello::Offers;
use crate::protocol::packet::draw::{DrawOptions, Encoding, ScrollRect};

use super::Content;

/// Time between lines.
const EVERY: Duration = Duration::from_millis(120);
const BACKGROUND: Color = [16, 20, 24];
const TEXT: Color = [200, 210, 200];
const PROMPT: Color = [120, 220, 120];
const WORDS: [&str; 8] =
    ["reassembled", "decoded", "uploaded", "presented", "scrolled", "copied", "acked", "flushed"];

/// A made-up program that says what it does, above a prompt.
#[derive(Debug)]
pub struct Terminal {
    canvas: Canvas,
    lines: u32,
    next_line: Duration,
    input: String,
    /// Lines to show beside those that the program writes.
    typed: Vec<String>,
    /// The prompt has to be sent.
    input_changed: bool,
}

impl Terminal {
    /// A window of 80 × 28 characters.
    pub fn new() -> Self {
        let canvas = Canvas::new(80 * GLYPH_WIDTH, 28 * LINE_HEIGHT, BACKGROUND);
        let (input, typed) = (String::new(), Vec::new());
        let mut terminal =
            Self { canvas, lines: 0, next_line: Duration::ZERO, input, typed, input_changed: false };
        terminal.show_input();
        terminal
    }

    /// The lines of the program: everything but the prompt.
    fn output_area(&self) -> Area {
        let all = self.canvas.area();
        Area { height: all.height.saturating_sub(LINE_HEIGHT) / LINE_HEIGHT * LINE_HEIGHT, ..all }
    }

    fn prompt_area(&self) -> Area {
        let all = self.canvas.area();
        let y = self.output_area().height;
        Area { y, height: all.height - y, ..all }
    }

    /// Scrolls up by a line and writes `text` at the bottom; says where.
    fn add_line(&mut self, text: &str, color: Color) -> Area {
        let output = self.output_area();
        self.canvas.scroll_up(output, LINE_HEIGHT);
        let y = output.height.saturating_sub(LINE_HEIGHT);
        let line = self.canvas.clip(Area { y, height: LINE_HEIGHT, ..output });
        self.canvas.fill(line, BACKGROUND);
        self.canvas.text(2, y + 2, text, color);
        line
    }

    fn show_input(&mut self) {
        let area = self.prompt_area();
        self.canvas.fill(area, BACKGROUND);
        self.canvas.text(2, area.y + 2, &format!("$ {}_", self.input), PROMPT);
        self.input_changed = true;
    }

    fn next_text(&mut self) -> String {
        self.lines += 1;
        let n = self.lines;
        let at = |salt: u32| n.wrapping_mul(2_654_435_761).wrapping_add(salt) >> 7;
        let word = WORDS[at(3) as usize % WORDS.len()];
        format!(
            "{n:>6}  {word:<12} {:>8} bytes in {:>4} us  window {}",
            at(1) % 8_294_400,
            at(7) % 2000,
            at(9) % 4 + 1
        )
    }
}

impl Default for Terminal {
    fn default() -> Self {
        Self::new()
    }
}

impl Content for Terminal {
    fn title(&self) -> String {
        format!("Terminal ({} lines)", self.lines / 50 * 50)
    }

    fn size(&self) -> (u32, u32) {
        (self.canvas.area().width, self.canvas.area().height)
    }

    fn resizable(&self) -> bool {
        true
    }

    fn resize(&mut self, width: u32, height: u32) {
        self.canvas = Canvas::new(width, height, BACKGROUND);
        self.show_input();
    }

    fn draws(&mut self, offers: &Offers, elapsed: Duration, whole: bool) -> Vec<Draw> {
        let mut added = None;
        let mut scrolled = 0;
        for text in std::mem::take(&mut self.typed) {
            added = Some(self.add_line(&text, PROMPT));
            scrolled += LINE_HEIGHT;
        }
        if elapsed >= self.next_line {
            self.next_line = elapsed + EVERY;
            let text = self.next_text();
            added = Some(self.add_line(&text, TEXT));
            scrolled += LINE_HEIGHT;
        }
        let output = self.output_area();
        let input_changed = std::mem::take(&mut self.input_changed);
        let mut draws = Vec::new();
        match added {
            _ if whole => return vec![self.canvas.draw(self.canvas.area(), Packing::Lz4, offers)],
            Some(line) if offers.scroll && scrolled < output.height => {
                draws.push(scroll(output, scrolled));
                let new =
                    Area { y: (line.y + line.height).saturating_sub(scrolled), height: scrolled, ..line };
                draws.push(self.canvas.draw(new, Packing::Lz4, offers));
            }
            Some(_) => draws.push(self.canvas.draw(output, Packing::Lz4, offers)),
            None => {}
        }
        if input_changed {
            draws.push(self.canvas.draw(self.prompt_area(), Packing::Lz4, offers));
        }
        draws
    }

    fn key(&mut self, name: &str, text: &str) {
        match name {
            "Return" | "KP_Enter" => {
                let line = std::mem::take(&mut self.input);
                self.typed.push(format!("$ {line}"));
            }
            "BackSpace" => {
                self.input.pop();
            }
            _ => self.input.extend(text.chars().filter(|c| !c.is_control())),
        }
        self.show_input();
    }
}

/// Moves all but the first rows of `area` up.
fn scroll(area: Area, rows: u32) -> Draw {
    let signed = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    let rect = ScrollRect {
        x: signed(area.x),
        y: signed(area.y + rows),
        width: area.width,
        height: area.height - rows,
        dx: 0,
        dy: -signed(rows),
    };
    let options = DrawOptions { scroll: vec![rect], ..DrawOptions::default() };
    Draw { area, encoding: Encoding::Scroll, data: Payload::default(), rowstride: 0, options }
}
