//! Layer 1: one decoder a picture encoding, and pixel formats. No packets but the plain
//! enums that name encodings and options, no GPU.
//!
//! [`StillDecoder`] decodes every encoding whose pictures stand alone; [`VideoDecoder`] belongs to
//! one window and sees its video frames in order. Pixels leave in the form they came in: packed
//! RGB of any order, or planes of YUV, for the shaders to convert.

// Nothing that a peer sends is cut, wrapped or indexed without a look.
#![warn(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::indexing_slicing
)]

pub mod alpha;
mod decode;
mod error;
mod h264;
mod h264_baseline;
mod h264_full;
pub mod icon;
mod jpeg;
pub mod pixels;
mod png;
pub mod reference;
mod rgb;
mod scroll;
mod sps;
mod webp;
mod webp_ffi;

pub use decode::{Coded, MAX_DIMENSION, MAX_PICTURE_BYTES, StillDecoder};
pub use error::DecodeError;
pub use h264::VideoDecoder;
pub use pixels::{
    Picture, PictureRef, PixelFormat, Pixels, PixelsRef, Plane, PlaneRef, YuvFormat, YuvMatrix, YuvPicture,
    YuvRef,
};
pub use rgb::CompressedPixels;
pub use scroll::{MAX_SCROLL_RECTS, check_scroll};
