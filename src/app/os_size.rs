//! Sizes as the window system counts them.
//!
//! Wayland counts in logical pixels, each of which is `factor` true ones, and a window learns its factor
//! only when it is on a screen. Farpane's sizes are true pixels; what is no whole number of logical ones
//! is rounded up, so that no pixel of the server's is cut off.

use winit::dpi::{LogicalSize, PhysicalSize, Size as OsSize};
use winit::window::{Window, WindowAttributes};

use crate::codec::Size;
use crate::session::WindowInfo;

use super::attributes;

/// What a window of `size` true pixels is to be asked for: with a factor in logical pixels, else as it is.
pub fn os_size(size: Size, factor: Option<f64>) -> OsSize {
    let PhysicalSize { width, height } = attributes::physical(size);
    match factor {
        Some(factor) => LogicalSize::new(logical(width, factor), logical(height, factor)).into(),
        None => PhysicalSize::new(width, height).into(),
    }
}

/// The true pixels that a window has after it was asked for by [`os_size`] with this factor.
pub fn granted(size: Size, factor: f64) -> Size {
    let side = |side: u32| (f64::from(logical(side, factor)) * factor).round() as u32;
    let PhysicalSize { width, height } = attributes::physical(size);
    Size { width: side(width), height: side(height) }
}

/// The size that a window has, in true pixels.
pub fn inner_size(window: &Window) -> Size {
    let PhysicalSize { width, height } = window.inner_size();
    Size { width, height }
}

/// The steps of a resize if they are whole logical pixels: winit would round each of them.
pub fn increment(limits: crate::session::event::SizeLimits, factor: Option<f64>) -> Option<OsSize> {
    let step = attributes::increment(limits)?;
    let size = Size { width: step.width, height: step.height };
    let is_whole = |factor| granted(size, factor) == size;
    factor.is_none_or(is_whole).then(|| os_size(size, factor))
}

/// The sizes in the attributes of a window that is about to be made, for a screen of this factor: winit takes
/// true pixels for logical ones before it knows the factor.
pub fn wayland_attributes(attributes: WindowAttributes, info: &WindowInfo, factor: f64) -> WindowAttributes {
    let mut attributes = attributes.with_inner_size(os_size(info.size, Some(factor)));
    let limits = info.size_limits;
    attributes.min_inner_size = limits.min.map(|size| os_size(size, Some(factor)));
    attributes.max_inner_size = limits.max.map(|size| os_size(size, Some(factor)));
    attributes.resize_increments = increment(limits, Some(factor));
    attributes
}

fn logical(side: u32, factor: f64) -> u32 {
    // A size within 16 bits; factors are multiples of 1/120.
    ((f64::from(side) / factor - 1e-6).ceil() as u32).max(1)
}
