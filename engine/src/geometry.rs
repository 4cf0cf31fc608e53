//! Layer 0: points, sizes and rectangles in pixels.

/// A place on a screen or in a window, from its top left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Point {
    pub x: i32,
    pub y: i32,
}

impl Point {
    pub const fn new(x: i32, y: i32) -> Self {
        Self { x, y }
    }
}

/// A size in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

/// A rectangle in pixels; (`x`, `y`) is the top left corner and may lie outside of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rect {
    pub x: i32,
    pub y: i32,
    pub width: u32,
    pub height: u32,
}

impl Rect {
    /// The part of the rectangle that lies in `0..size`, or `None` if that is empty.
    pub fn clip(self, size: Size) -> Option<Self> {
        let x0 = i64::from(self.x).max(0);
        let y0 = i64::from(self.y).max(0);
        let x1 = (i64::from(self.x) + i64::from(self.width)).min(i64::from(size.width));
        let y1 = (i64::from(self.y) + i64::from(self.height)).min(i64::from(size.height));
        if x1 <= x0 || y1 <= y0 {
            return None;
        }
        Some(Self {
            x: i32::try_from(x0).ok()?,
            y: i32::try_from(y0).ok()?,
            width: u32::try_from(x1 - x0).ok()?,
            height: u32::try_from(y1 - y0).ok()?,
        })
    }

    /// The smallest rectangle that holds both.
    pub fn union(self, other: Self) -> Self {
        let x0 = self.x.min(other.x);
        let y0 = self.y.min(other.y);
        let x1 = (i64::from(self.x) + i64::from(self.width)).max(i64::from(other.x) + i64::from(other.width));
        let y1 =
            (i64::from(self.y) + i64::from(self.height)).max(i64::from(other.y) + i64::from(other.height));
        Self {
            x: x0,
            y: y0,
            width: u32::try_from(x1 - i64::from(x0)).unwrap_or(u32::MAX),
            height: u32::try_from(y1 - i64::from(y0)).unwrap_or(u32::MAX),
        }
    }
}
