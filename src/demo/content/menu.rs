//! A popup menu.

use std::time::Duration;

use crate::demo::canvas::{Area, Canvas, Color, Draw, GLYPH_WIDTH, Packing};
use crate::demo::hello::Offers;

use super::{Content, Request};

const ENTRY_HEIGHT: u32 = 22;
const WIDTH: u32 = 140;
const BACKGROUND: Color = [245, 245, 245];
const TEXT: Color = [30, 30, 30];
const HOVERED: Color = [70, 120, 210];
const FRAME: Color = [140, 140, 140];

/// Entries one below the other; the one under the pointer is lit.
#[derive(Debug)]
pub struct Menu {
    entries: &'static [&'static str],
    canvas: Canvas,
    hovered: Option<usize>,
    changed: bool,
}

impl Menu {
    /// A menu with these entries.
    pub fn new(entries: &'static [&'static str]) -> Self {
        let height = entries.iter().fold(2, |height, _| height + ENTRY_HEIGHT);
        Self { entries, canvas: Canvas::new(WIDTH, height, FRAME), hovered: None, changed: true }
    }

    fn entry_area(index: usize) -> Area {
        let above = u32::try_from(index).unwrap_or(0) * ENTRY_HEIGHT;
        Area { x: 1, y: 1 + above, width: WIDTH - 2, height: ENTRY_HEIGHT }
    }

    fn paint(&mut self) {
        for (index, entry) in self.entries.iter().enumerate() {
            let area = Self::entry_area(index);
            let is_hovered = self.hovered == Some(index);
            self.canvas.fill(area, if is_hovered { HOVERED } else { BACKGROUND });
            self.canvas.text(
                area.x + GLYPH_WIDTH,
                area.y + 7,
                entry,
                if is_hovered { BACKGROUND } else { TEXT },
            );
        }
    }
}

impl Content for Menu {
    fn title(&self) -> String {
        "menu".to_owned()
    }

    fn size(&self) -> (u32, u32) {
        (self.canvas.area().width, self.canvas.area().height)
    }

    fn draws(&mut self, offers: &Offers, _elapsed: Duration, whole: bool) -> Vec<Draw> {
        if !std::mem::take(&mut self.changed) && !whole {
            return Vec::new();
        }
        self.paint();
        vec![self.canvas.draw(self.canvas.area(), Packing::Lz4, offers)]
    }

    fn pointer(&mut self, (x, y): (i32, i32), button: Option<(u8, bool)>) -> Option<Request> {
        let over = (0..self.entries.len()).find(|index| Self::entry_area(*index).contains(x, y));
        if over != self.hovered {
            self.hovered = over;
            self.changed = true;
        }
        match (button, over) {
            (Some((1, true)), Some(index)) => self.entries.get(index).map(|entry| Request::Chosen(entry)),
            _ => None,
        }
    }
}
