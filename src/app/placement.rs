//! Where a new window goes: where its program or an earlier session had it, as long as the user can reach it there.

use crate::desktop::Frame;
use crate::geometry::{Point, Rect, Size};

/// Of a window that is reachable, at least so much of the title bar's width is on the screen.
const MIN_VISIBLE: i32 = 96;
/// Without a frame, the part of the content at the top that has to be on the screen.
const GRIP: i32 = 24;

/// The place of the content's corner for a window whose content is to be at `wanted`, with a frame around it, on a
/// screen of these `areas` (monitors without panels).
///
/// A window that was shown there before (`is_known`) is left alone unless it cannot be reached: moving it by its frame
/// each time would make it wander. A new one is moved as a whole onto the area where most of it is.
pub fn reachable(wanted: Point, size: Size, frame: Frame, areas: &[Rect], is_known: bool) -> Point {
    let outer = Outer::new(wanted, size, frame);
    let Some(area) = areas.iter().map(Span::of).max_by_key(|area| area.closeness(&outer.span)) else {
        return wanted;
    };
    let title = Span { bottom: outer.span.top + outer.title, ..outer.span };
    let is_reachable = areas.iter().map(Span::of).any(|area| {
        let visible = title.right.min(area.right) - title.left.max(area.left);
        title.top >= area.top
            && title.bottom <= area.bottom
            && visible >= MIN_VISIBLE.min(title.right - title.left)
    });
    let sticks_out_a_little = !is_known && outer.sticks_out_by_its_frame(&area, frame);
    if is_reachable && !sticks_out_a_little {
        return wanted;
    }
    // Into the area, and the title bar first where it is too small.
    let fit = |from: i32, to: i32, low: i32, high: i32| from.min(high - (to - from)).max(low);
    let left = fit(outer.span.left, outer.span.right, area.left, area.right);
    let top = fit(outer.span.top, outer.span.bottom, area.top, area.bottom);
    Point::new(left + frame.left, top + frame.top)
}

/// The size of the content for a window that shows a whole desktop: no larger than the area where it is.
pub fn no_larger_than_screen(wanted: Point, size: Size, frame: Frame, areas: &[Rect]) -> Size {
    let outer = Outer::new(wanted, size, frame);
    let Some(area) = areas.iter().map(Span::of).max_by_key(|area| area.closeness(&outer.span)) else {
        return size;
    };
    let side = |side: u32, room: i32| side.min(u32::try_from(room.max(1)).unwrap_or(1));
    Size {
        width: side(size.width, area.right - area.left - frame.left - frame.right),
        height: side(size.height, area.bottom - area.top - frame.top - frame.bottom),
    }
}

/// A window with its frame.
struct Outer {
    span: Span,
    /// Height of what the user can take hold of.
    title: i32,
}

impl Outer {
    fn new(Point { x, y }: Point, size: Size, frame: Frame) -> Self {
        let (width, height) = (length(size.width), length(size.height));
        let span = Span {
            left: x.saturating_sub(frame.left),
            top: y.saturating_sub(frame.top),
            right: x.saturating_add(width).saturating_add(frame.right),
            bottom: y.saturating_add(height).saturating_add(frame.bottom),
        };
        Self { title: if frame.top > 0 { frame.top } else { GRIP.min(height) }, span }
    }

    /// Whether only the frame, and not the content, is beyond the left or upper edge.
    fn sticks_out_by_its_frame(&self, area: &Span, frame: Frame) -> bool {
        let beyond = |at: i32, edge: i32, frame: i32| at < edge && at + frame >= edge;
        beyond(self.span.left, area.left, frame.left) || beyond(self.span.top, area.top, frame.top)
    }
}

#[derive(Clone, Copy)]
struct Span {
    left: i32,
    top: i32,
    right: i32,
    bottom: i32,
}

impl Span {
    fn of(rect: &Rect) -> Self {
        Self {
            left: rect.x,
            top: rect.y,
            right: rect.x.saturating_add(length(rect.width)),
            bottom: rect.y.saturating_add(length(rect.height)),
        }
    }

    /// How much of `other` is in it; if nothing, how near it is, below zero.
    fn closeness(&self, other: &Self) -> i64 {
        let overlap =
            |low: i32, high: i32, from: i32, to: i32| i64::from(high.min(to)) - i64::from(low.max(from));
        let across = overlap(self.left, self.right, other.left, other.right);
        let down = overlap(self.top, self.bottom, other.top, other.bottom);
        if across > 0 && down > 0 { across * down } else { across.min(0) + down.min(0) - 1 }
    }
}

/// No screen reaches as far as this clamp.
fn length(side: u32) -> i32 {
    i32::try_from(side).unwrap_or(i32::MAX).min(1 << 20)
}
