//! What the render thread knows of a window.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::damage::Damage;
use super::overlay::Overlay;
use crate::channel::{Border, DrawContent, WindowTarget};
use crate::geometry::{Rect, Size};
use crate::protocol::packet::DrawSequence;
use crate::protocol::packet::draw::ScrollRect;

/// What the thread knows of a window.
#[derive(Default)]
pub(super) struct Window {
    /// `None`: the backing does not exist.
    pub(super) size: Option<Size>,
    /// The OS window and its size.
    pub(super) target: Option<(Arc<dyn WindowTarget>, Size)>,
    /// The OS window has another size than its surface: of many resizes only the last counts.
    pub(super) surface_outdated: bool,
    pub(super) hidden: bool,
    /// The OS window is gone once this is set.
    pub(super) dismissed: Option<Arc<AtomicBool>>,
    /// Not presented yet.
    pub(super) damage: Damage,
    /// The last draw of the newest update that is not presented yet.
    pub(super) update: Option<DrawSequence>,
    /// All of the window is to be presented again.
    pub(super) redraw: bool,
    pub(super) overlay_changed: bool,
    pub(super) has_content: bool,
    pub(super) first_paint_sent: bool,
    pub(super) overlay: Option<Overlay>,
    pub(super) border: Option<Border>,
}

impl Window {
    pub(super) fn bytes(&self) -> u64 {
        self.size.map_or(0, bytes)
    }

    pub(super) fn is_due(&self) -> bool {
        let updated = self.update.is_some() && !self.damage.is_empty();
        !self.hidden && !self.is_dismissed() && (updated || self.redraw || self.overlay_changed)
    }

    fn is_dismissed(&self) -> bool {
        self.dismissed.as_ref().is_some_and(|dismissed| dismissed.load(Ordering::Acquire))
    }

    pub(super) fn presented(&mut self) {
        self.redraw = false;
        self.overlay_changed = false;
        self.update = None;
        self.damage.clear();
    }

    pub(super) fn add_damage(&mut self, rect: Rect, content: &DrawContent) {
        let Some(size) = self.size else { return };
        match content {
            DrawContent::Picture(_) | DrawContent::Video(_) | DrawContent::Compressed(_) => {
                self.damage.add(rect, size)
            }
            DrawContent::Scroll(rects) => {
                for rect in rects {
                    self.damage.add(destination(rect), size);
                }
            }
            DrawContent::Nothing(_) => {}
        }
    }
}

/// Where the pixels of a scroll rectangle go.
fn destination(rect: &ScrollRect) -> Rect {
    Rect {
        x: rect.x.saturating_add(rect.dx),
        y: rect.y.saturating_add(rect.dy),
        width: rect.width,
        height: rect.height,
    }
}

/// Bytes of a backing of `size`.
pub(super) fn bytes(size: Size) -> u64 {
    u64::from(size.width) * u64::from(size.height) * 4
}
