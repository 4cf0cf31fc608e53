//! `scroll`: only rectangles to move within the window; the GPU does the work.

use crate::protocol::packet::draw::{MAX_SCROLLS, ScrollRect};

use super::{DecodeError, MAX_DIMENSION};

/// Rectangles of one draw at most.
pub const MAX_SCROLL_RECTS: usize = MAX_SCROLLS;

/// Checks what can be checked without the window: who paints clips to the backing.
///
/// # Errors
/// If there are none or too many, or one is empty or too large.
pub fn check_scroll(rects: &[ScrollRect]) -> Result<(), DecodeError> {
    if rects.is_empty() || rects.len() > MAX_SCROLL_RECTS {
        return Err(DecodeError::ScrollCount { got: rects.len(), limit: MAX_SCROLL_RECTS });
    }
    let valid = 1..=MAX_DIMENSION;
    match rects.iter().position(|rect| !valid.contains(&rect.width) || !valid.contains(&rect.height)) {
        Some(index) => Err(DecodeError::ScrollRect { index, limit: MAX_DIMENSION }),
        None => Ok(()),
    }
}
