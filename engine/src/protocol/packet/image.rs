//! Pictures outside of the draw path.

use crate::buffers::Payload;

/// A picture outside the draw path: a window's icon, a screenshot.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    pub width: u32,
    pub height: u32,
    /// `png`, `BGRA`, `premult_argb32`, `default`, …
    pub encoding: String,
    pub rowstride: u32,
    pub data: Payload,
}
