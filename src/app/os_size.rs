//! Sizes as the window system counts them.
//!
//! Wayland counts in logical pixels, each of which is `factor` true ones, and a window learns its factor
//! only when it is on a screen. Farpane's sizes are true pixels; what is no whole number of logical ones
//! is rounded up, so that no pixel of the server's is cut off.

use std::time::{Duration, Instant};

use winit::dpi::{LogicalSize, PhysicalSize, Size as OsSize};
use winit::window::{Window, WindowAttributes};

use crate::geometry::Size;
use crate::session::WindowInfo;

use super::attributes;

/// What a window of `size` true pixels is to be asked for: with a factor in logical pixels, else as it is.
pub fn os_size(size: Size, factor: Option<f64>) -> OsSize {
    match factor {
        Some(factor) => logical_size(size, factor).into(),
        None => attributes::physical(size).into(),
    }
}

/// The logical pixels that hold `size` true ones.
pub fn logical_size(size: Size, factor: f64) -> LogicalSize<u32> {
    let PhysicalSize { width, height } = attributes::physical(size);
    LogicalSize::new(logical(width, factor), logical(height, factor))
}

/// The true pixels that a window has after it was asked for by [`os_size`] with this factor.
pub fn granted(size: Size, factor: f64) -> Size {
    true_size(logical_size(size, factor), factor)
}

/// As many true pixels.
pub fn true_size(size: LogicalSize<u32>, factor: f64) -> Size {
    let side = |side: u32| (f64::from(side) * factor).round() as u32;
    Size { width: side(size.width), height: side(size.height) }
}

/// The size that a Wayland window has, as the compositor counts.
pub fn inner_size(window: &Window) -> LogicalSize<u32> {
    window.inner_size().to_logical(window.scale_factor())
}

/// What a Wayland window was asked to be, and the sizes that it had before.
///
/// Windows choose their sizes there, but a compositor that says something else (which window has the focus) sends a
/// size along, and that may be an older one: sway 1.7's is the last of its own choice, others' the last that they saw.
#[derive(Debug)]
pub struct Asked {
    size: LogicalSize<u32>,
    /// What was given up since the compositor chose a size.
    before: Vec<LogicalSize<u32>>,
    /// When sizes were refused because they were older ones.
    refused: Vec<Instant>,
}

/// A compositor that is refused more often in that time means it: it answers each time. A user who goes through windows
/// is slower.
const MAX_REFUSED: usize = 30;
const REFUSED: Duration = Duration::from_secs(1);
/// So many sizes are known again.
const MAX_BEFORE: usize = 8;

impl Asked {
    /// A new window is so large.
    pub fn new(size: LogicalSize<u32>) -> Self {
        Self { size, before: Vec::new(), refused: Vec::new() }
    }

    /// It is asked for another size.
    pub fn ask(&mut self, size: LogicalSize<u32>) {
        let before = std::mem::replace(&mut self.size, size);
        self.is_out_of_date(before);
        self.before.retain(|known| *known != size);
    }

    /// It is asked for another size because its factor changed, while `shown` true pixels of it are shown. A frame that
    /// is under way has those pixels and the new factor, and a compositor takes what they make together for a wish of
    /// ours (wlroots 0.15 does, and rounds down); that is out of date too.
    pub fn rescale(&mut self, size: LogicalSize<u32>, shown: Size, factor: f64) {
        self.ask(size);
        let side = |shown: u32, wanted: u32| ((f64::from(shown) / factor) as u32).clamp(1, wanted.max(1));
        self.is_out_of_date(LogicalSize::new(side(shown.width, size.width), side(shown.height, size.height)));
    }

    fn is_out_of_date(&mut self, size: LogicalSize<u32>) {
        if size == self.size {
            return;
        }
        self.before.retain(|known| *known != size);
        if self.before.len() == MAX_BEFORE {
            // The first is the compositor's own.
            self.before.remove(1);
        }
        self.before.push(size);
    }

    /// The window has this size now. Returns the size that it is to be asked for again, if this one is out of date.
    pub fn found(&mut self, now: Instant, size: LogicalSize<u32>) -> Option<LogicalSize<u32>> {
        if size == self.size {
            return None;
        }
        self.refused.retain(|refused| *refused + REFUSED > now);
        if self.before.contains(&size) && self.refused.len() < MAX_REFUSED {
            self.refused.push(now);
            return Some(self.size);
        }
        self.accept(size);
        None
    }

    /// The compositor has chosen that.
    pub fn accept(&mut self, size: LogicalSize<u32>) {
        self.size = size;
        self.before.clear();
    }
}

/// The steps of a resize if they are whole logical pixels: winit would round each of them.
pub fn increment(limits: crate::session::windows::SizeLimits, factor: Option<f64>) -> Option<OsSize> {
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
