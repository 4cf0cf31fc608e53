//! Scrolling: rectangles of a backing move within its memory.

use super::backing::{Backing, bytes, bytes_mut};
use crate::codec::Rect;
use crate::protocol::packet::server::ScrollRect;
use crate::render::damage::clip_move;
use crate::stats::{CopyLedger, CopySite, copies};

/// Moves the rectangles; each shows what the backing held before all of them.
pub(super) fn scroll(
    backing: &mut Backing,
    rects: &[ScrollRect],
    scratch: &mut Vec<u32>,
    ledger: &mut CopyLedger,
) {
    let size = backing.size();
    let moves = || rects.iter().filter_map(move |rect| clip_move(rect, size));
    if moves().count() < 2 || !disturb_each_other(moves) {
        for (from, to) in moves() {
            move_rows(backing, from, to, ledger);
        }
        return;
    }
    let pixels: usize = moves().map(|(from, _)| area(from)).sum();
    if scratch.len() < pixels {
        ledger.note_allocation((pixels - scratch.len()) * 4);
        scratch.resize(pixels, 0);
    }
    let mut rest = &mut scratch[..];
    for (from, _) in moves() {
        for y in 0..from.height {
            let row = backing.row(from.x.unsigned_abs(), from.y.unsigned_abs() + y, from.width);
            let (to, after) = std::mem::take(&mut rest).split_at_mut(from.width as usize);
            copies::copy(ledger, CopySite::Backing, bytes(row), bytes_mut(to));
            rest = after;
        }
    }
    let mut rest = &scratch[..];
    for (from, (x, y)) in moves() {
        for row in 0..from.height {
            let (saved, after) = rest.split_at(from.width as usize);
            let to = backing.row_mut(x.unsigned_abs(), y.unsigned_abs() + row, from.width);
            copies::copy(ledger, CopySite::Backing, bytes(saved), bytes_mut(to));
            rest = after;
        }
    }
}

/// Whether one of the moves overwrites what a later one reads.
fn disturb_each_other<I: Iterator<Item = (Rect, (i32, i32))>>(moves: impl Fn() -> I) -> bool {
    moves().enumerate().any(|(index, (first, (x, y)))| {
        let written = Rect { x, y, ..first };
        moves().skip(index + 1).any(|(later, _)| overlap(written, later))
    })
}

/// Whether two rectangles within a backing have a pixel in common.
fn overlap(a: Rect, b: Rect) -> bool {
    let reaches = |a: i32, a_len: u32, b: i32| i64::from(a) + i64::from(a_len) > i64::from(b);
    reaches(a.x, a.width, b.x)
        && reaches(b.x, b.width, a.x)
        && reaches(a.y, a.height, b.y)
        && reaches(b.y, b.height, a.y)
}

fn area(rect: Rect) -> usize {
    rect.width as usize * rect.height as usize
}

/// Moves one rectangle, row by row, in the order in which no row is overwritten before it moved.
fn move_rows(backing: &mut Backing, from: Rect, (x, y): (i32, i32), ledger: &mut CopyLedger) {
    let (pixels, stride) = backing.pixels_mut();
    let index = |x: i32, y: u32| (y as usize * stride + x.unsigned_abs() as usize) * 4;
    let (from_y, to_y) = (from.y.unsigned_abs(), y.unsigned_abs());
    for row in 0..from.height {
        let row = if to_y > from_y { from.height - 1 - row } else { row };
        let (start, to) = (index(from.x, from_y + row), index(x, to_y + row));
        let len = from.width as usize * 4;
        copies::move_within(ledger, CopySite::Backing, bytes_mut(pixels), start..start + len, to);
    }
}
