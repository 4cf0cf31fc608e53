//! The parts of a window that changed since it was last presented.

use crate::codec::{Rect, Size};

/// Rectangles kept apart at most; more are joined.
const MAX_RECTS: usize = 32;

/// A set of rectangles within a window.
#[derive(Debug, Default)]
pub(super) struct Damage {
    rects: Vec<Rect>,
}

impl Damage {
    /// Adds the part of `rect` that lies in a window of `size`.
    pub(super) fn add(&mut self, rect: Rect, size: Size) {
        let Some(rect) = rect.clip(size) else { return };
        if self.rects.len() >= MAX_RECTS {
            let all = self.rects.drain(..).reduce(Rect::union).unwrap_or(rect);
            self.rects.push(all);
        }
        self.rects.push(rect);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rects.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.rects.clear();
    }

    pub(super) fn rects(&self) -> &[Rect] {
        &self.rects
    }
}
