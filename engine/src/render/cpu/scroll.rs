//! Scrolling: rectangles of a backing move within its memory.

use super::frame::{Frame, bytes, bytes_mut, room};
use crate::geometry::{Rect, Size};
use crate::protocol::packet::draw::ScrollRect;
use crate::render::RenderError;
use crate::render::damage::{check_area, clip_move};
use crate::stats::{CopyLedger, CopySite, copies};

/// Moves the rectangles; each shows what the backing held before all of them.
///
/// # Errors
/// If they write the backing too often.
pub(super) fn scroll(
    frame: &mut Frame<'_>,
    rects: &[ScrollRect],
    scratch: &mut Vec<u32>,
    ledger: &mut CopyLedger,
) -> Result<(), RenderError> {
    let size = frame.size();
    check_area(rects, size)?;
    let moves = || rects.iter().filter_map(move |rect| clip_move(rect, size));
    if moves().count() < 2 || !disturb_each_other(moves) {
        for (from, to) in moves() {
            move_rect(frame, from, to, ledger);
        }
        return Ok(());
    }
    let pixels: usize = moves().map(|(from, _)| area(from)).sum();
    let whole = size.width as usize * size.height as usize;
    let scratch = room(scratch, pixels.min(whole), ledger);
    if pixels > whole {
        through_snapshot(frame, size, moves(), scratch, ledger);
        return Ok(());
    }
    let mut rest = &mut *scratch;
    for (from, _) in moves() {
        let row_len = from.width as usize * 4;
        let (to, after) = std::mem::take(&mut rest).split_at_mut(area(from));
        let saved = frame.rows_at(from.x.unsigned_abs(), from.y.unsigned_abs());
        copies::copy_rows(ledger, CopySite::Backing, row_len, saved, (bytes_mut(to), row_len));
        rest = after;
    }
    let mut rest = &*scratch;
    for (from, (x, y)) in moves() {
        let row_len = from.width as usize * 4;
        let (saved, after) = rest.split_at(area(from));
        let to = frame.rows_at_mut(x.unsigned_abs(), y.unsigned_abs());
        copies::copy_rows(ledger, CopySite::Backing, row_len, (bytes(saved), row_len), to);
        rest = after;
    }
    Ok(())
}

/// The moves by way of a picture of the whole backing, where all of them together are more than that.
fn through_snapshot(
    frame: &mut Frame<'_>,
    size: Size,
    moves: impl Iterator<Item = (Rect, (i32, i32))>,
    snapshot: &mut [u32],
    ledger: &mut CopyLedger,
) {
    let stride = size.width as usize;
    let (all, to) = (frame.rows_at(0, 0), (bytes_mut(snapshot), stride * 4));
    copies::copy_rows(ledger, CopySite::Backing, stride * 4, all, to);
    for (from, (x, y)) in moves {
        let (width, height) = (from.width as usize, from.height as usize);
        let start = from.y.unsigned_abs() as usize * stride + from.x.unsigned_abs() as usize;
        // The rectangle lies within the backing.
        let saved = &snapshot[start..start + (height - 1) * stride + width];
        let to = frame.rows_at_mut(x.unsigned_abs(), y.unsigned_abs());
        copies::copy_rows(ledger, CopySite::Backing, width * 4, (bytes(saved), stride * 4), to);
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

fn move_rect(frame: &mut Frame<'_>, from: Rect, (x, y): (i32, i32), ledger: &mut CopyLedger) {
    let (pixels, stride) = frame.rows_at_mut(0, 0);
    let index = |x: i32, y: i32| y.unsigned_abs() as usize * stride + x.unsigned_abs() as usize * 4;
    let (start, to) = (index(from.x, from.y), index(x, y));
    let rows = (from.width as usize * 4, from.height as usize, stride);
    copies::move_rows(ledger, CopySite::Backing, pixels, rows, start, to);
}
