//! Layer 1: one decoder a picture encoding, pixel formats, geometry. No packets, no GPU.

pub mod geometry;
pub mod pixels;
pub mod reference;

pub use geometry::{Rect, Size};
pub use pixels::{Picture, PixelFormat, Pixels, Plane, YuvFormat, YuvMatrix, YuvPicture};
