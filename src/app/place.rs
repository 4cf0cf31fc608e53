//! Where a window is, here and on the server.
//!
//! The server's root window and the local screen share one coordinate system, but for the scale
//! of the session. A local size need not be a multiple of the scale, nor a small one tell which size it came
//! from. So a [`Place`] remembers what stood for each other last: what comes back unchanged from one
//! side is what the other side knows, and the two do not answer each other forever.

use crate::channel::Scale;
use crate::geometry::{Point, Size};
use crate::session::windows::SizeLimits;

/// Place and size of a window's content, in root pixels of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Geometry {
    pub x: i32,
    pub y: i32,
    pub size: Size,
}

impl Geometry {
    /// Its top left corner.
    pub fn corner(&self) -> Point {
        Point::new(self.x, self.y)
    }

    /// Whether this is `size`, and at `position` if one is given.
    pub fn is_at(&self, position: Option<Point>, size: Size) -> bool {
        self.size == size && position.is_none_or(|position| position == self.corner())
    }

    fn to_local(self, scale: Scale) -> Self {
        Self { x: scale.to_local(self.x), y: scale.to_local(self.y), size: scale.size_to_local(self.size) }
    }

    fn to_server(self, scale: Scale) -> Self {
        Self { x: scale.to_server(self.x), y: scale.to_server(self.y), size: scale.size_to_server(self.size) }
    }

    /// `self` on the other side: what is as `before` there is as `then`, the rest as `converted`.
    fn across(self, before: Self, then: Self, converted: Self) -> Self {
        fn pick<T: PartialEq>(now: T, before: T, then: T, converted: T) -> T {
            if now == before { then } else { converted }
        }
        let (now, size) = (self.size, converted.size);
        Self {
            x: pick(self.x, before.x, then.x, converted.x),
            y: pick(self.y, before.y, then.y, converted.y),
            size: Size {
                width: pick(now.width, before.size.width, then.size.width, size.width),
                height: pick(now.height, before.size.height, then.size.height, size.height),
            },
        }
    }
}

/// The geometry of a window on both sides.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    scale: Scale,
    /// As far as known, in local pixels.
    local: Geometry,
    server: Geometry,
    /// What stood for each other last.
    agreed: Agreed,
}

#[derive(Clone, Copy, Debug)]
struct Agreed {
    local: Geometry,
    server: Geometry,
}

impl Place {
    /// A window that the server has at `server`.
    pub fn new(scale: Scale, server: Geometry) -> Self {
        let local = server.to_local(scale);
        Self { scale, local, server, agreed: Agreed { local, server } }
    }

    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// Where the OS window is, as far as known.
    pub fn local(&self) -> Geometry {
        self.local
    }

    /// The size that the OS window was given for the server's, or the server was told of.
    pub fn agreed_size(&self) -> Size {
        self.agreed.local.size
    }

    /// What that is on the server.
    pub fn server(&self) -> Geometry {
        self.server
    }

    /// The OS window is here.
    pub fn found(&mut self, local: Geometry) {
        self.found_within(local, SizeLimits::default());
    }

    /// The OS window is here, and the application's windows have the sizes of `limits` only: a local size
    /// between two of them is the smaller one. Servers see to that as well, without a word.
    pub fn found_within(&mut self, local: Geometry, limits: SizeLimits) {
        let Agreed { local: before, server: then } = self.agreed;
        self.local = local;
        let converted = local.to_server(self.scale);
        let converted = Geometry { size: fitting(converted.size, limits), ..converted };
        self.server = local.across(before, then, converted);
    }

    /// The server was told where the window is.
    pub fn told(&mut self) {
        self.agreed = Agreed { local: self.local, server: self.server };
    }

    /// The server has the window at `server` now. Returns where the OS window belongs then.
    pub fn wanted(&mut self, server: Geometry) -> Geometry {
        let Agreed { local: then, server: before } = self.agreed;
        let local = server.across(before, then, server.to_local(self.scale));
        self.agreed = Agreed { local, server };
        local
    }

    /// The size of the OS window for this one of the server's.
    pub fn local_size(&self, server: Size) -> Size {
        let Agreed { local: then, server: before } = self.agreed;
        let server = Geometry { size: server, ..self.server };
        server.across(before, then, server.to_local(self.scale)).size
    }

    /// Another scale from now on. The server keeps its size; returns the one that the OS window
    /// is to have, at its place.
    pub fn rescale(&mut self, scale: Scale) -> Size {
        *self = Self { local: self.local, ..Self::new(scale, self.server) };
        self.agreed.local.size
    }

    /// A position on the server's root window, on the local screen: beside the window it is as far from it.
    pub fn local_point(&self, Point { x, y }: Point) -> Point {
        let (from, to) = (self.server, self.local);
        let distance = |from: i32, to: i32| self.scale.to_local(to.saturating_sub(from));
        Point::new(to.x.saturating_add(distance(from.x, x)), to.y.saturating_add(distance(from.y, y)))
    }

    /// A position in the OS window's content on the server's root window. What lies in the one
    /// window lies in the other.
    pub fn point(&self, x: f64, y: f64) -> Point {
        let side = |at: f64, local: u32, server: u32| {
            // Saturating casts: positions far outside of any screen do not matter.
            let there = (at / self.scale.factor()).floor() as i32;
            let inside = at >= 0.0 && at < f64::from(local);
            let last = i32::try_from(server).unwrap_or(i32::MAX).saturating_sub(1);
            if inside { there.min(last) } else { there }
        };
        let Geometry { x: left, y: top, size } = self.server;
        Point::new(
            left.saturating_add(side(x, self.local.size.width, size.width)),
            top.saturating_add(side(y, self.local.size.height, size.height)),
        )
    }
}

/// The size that servers give an application's window which is to have `size`. Unlike window managers (ICCCM 4.1.2.3),
/// they count steps from nothing if there is no base size, and take the steps last: the smallest size need not be kept.
pub fn fitting(size: Size, limits: SizeLimits) -> Size {
    let size = within(size, limits);
    let side = |side: u32, of: fn(Size) -> u32| {
        let base = limits.base.map_or(0, of);
        let step = limits.increment.map_or(1, of).max(1);
        side.checked_sub(base).map_or(side, |above| base + above / step * step).max(1)
    };
    Size { width: side(size.width, |size| size.width), height: side(size.height, |size| size.height) }
}

/// The size between the smallest and the largest that is nearest to `size`.
pub fn within(size: Size, limits: SizeLimits) -> Size {
    let side = |side: u32, of: fn(Size) -> u32| {
        side.min(limits.max.map_or(u32::MAX, of)).max(limits.min.map_or(1, of)).max(1)
    };
    Size { width: side(size.width, |size| size.width), height: side(size.height, |size| size.height) }
}
