//! The parts of a window that changed since it was last presented.

use crate::geometry::{Rect, Size};
use crate::protocol::limits::SCROLL_COVER;
use crate::protocol::packet::draw::ScrollRect;
use crate::render::RenderError;

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

/// Refuses moves that write the pixels of a backing of `size` more than [`SCROLL_COVER`] times, all rectangles
/// together.
///
/// # Errors
/// If they are too many.
pub(super) fn check_area(rects: &[ScrollRect], size: Size) -> Result<(), RenderError> {
    let area = |width: u32, height: u32| u64::from(width) * u64::from(height);
    let moves = rects.iter().filter_map(|rect| clip_move(rect, size));
    let got = moves.map(|(from, _)| area(from.width, from.height)).fold(0, u64::saturating_add);
    let limit = area(size.width, size.height) * SCROLL_COVER;
    if got > limit { Err(RenderError::ScrollArea { got, limit }) } else { Ok(()) }
}

/// The rectangle to move and where it goes, both within a backing of `size`; `None` if nothing is
/// left of it.
pub(super) fn clip_move(rect: &ScrollRect, size: Size) -> Option<(Rect, (i32, i32))> {
    let from = Rect { x: rect.x, y: rect.y, width: rect.width, height: rect.height }.clip(size)?;
    let moved = Rect { x: from.x.checked_add(rect.dx)?, y: from.y.checked_add(rect.dy)?, ..from };
    let to = moved.clip(size)?;
    // Both lie within the backing, so the way back does too.
    Some((Rect { x: to.x - rect.dx, y: to.y - rect.dy, ..to }, (to.x, to.y)))
}
