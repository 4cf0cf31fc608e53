//! What can go wrong while painting and presenting.

use crate::channel::SurfaceId;
use crate::codec::DecodeError;
use crate::geometry::Size;
use crate::protocol::packet::WindowId;

/// An error of the renderer. Those of one draw become its negative acknowledgement.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error("no usable graphics adapter ({0})")]
    NoAdapter(String),
    #[error("the graphics device was lost ({0})")]
    DeviceLost(String),
    #[error("window {0} has no backing")]
    NoBacking(WindowId),
    #[error("window {0} has no surface")]
    NoSurface(SurfaceId),
    #[error("a window of {}×{} pixels does not fit: {limit}", size.width, size.height)]
    TooLarge { size: Size, limit: String },
    #[error("a picture of {got} bytes is larger than the device's limit of {limit}")]
    PictureTooLarge { got: usize, limit: u64 },
    #[error("the picture's rows need {expected} bytes, there are {got}")]
    PictureData { got: usize, expected: usize },
    #[error("the scroll rectangles cover {got} pixels together, expected at most {limit}")]
    ScrollArea { got: u64, limit: u64 },
    #[error(transparent)]
    Picture(#[from] DecodeError),
    #[error("the OS window cannot be drawn to ({0})")]
    Surface(String),
    #[error("reading pixels back failed ({0})")]
    ReadBack(String),
}
