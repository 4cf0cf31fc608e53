//! What a session's windows, draws and small pictures may take: the sums behind [`Bounds`], and the words for what
//! does not fit.

use crate::geometry::Size;
use crate::protocol::Bounds;
use crate::protocol::limits::SCROLL_COVER;
use crate::protocol::packet::Image;
use crate::protocol::packet::WindowId;
use crate::protocol::packet::draw::WindowDraw;

/// Windows at a time.
pub const MAX_WINDOWS: usize = 512;
/// Largest width or height of a window.
pub const MAX_WINDOW_SIDE: u32 = 16384;
/// Largest width or height of a window's icon. Servers are asked for at most 128.
const MAX_ICON_SIDE: u32 = 512;

/// Why a window, or a new size of one, is refused. The session goes on without it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    #[error("the server shows more than {MAX_WINDOWS} windows: the others are left out")]
    Number,
    #[error(
        "the server wants window {wid} to have {} x {} pixels, which is more than this desktop's size allows: \
         it is left as it is", size.width, size.height
    )]
    Size { wid: WindowId, size: Size },
    #[error(
        "the windows of this session take more than {} MiB: window {wid} of {} x {} pixels is left as it is",
        limit >> 20, size.width, size.height
    )]
    Sum { wid: WindowId, size: Size, limit: u64 },
}

/// Why a draw is refused before it is decoded.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DrawRefused {
    #[error("the draw is {}x{}, expected at most {}x{}", got.width, got.height, limit.width, limit.height)]
    TooLarge { got: Size, limit: Size },
    #[error("the draw has {got} pixels, expected at most {limit}")]
    TooManyPixels { got: u64, limit: u64 },
    #[error("the rows have {got} bytes together, expected at most {limit}")]
    Rows { got: u64, limit: u64 },
    #[error(
        "the coded picture is {}x{}, expected at most the draw's {}x{}",
        got.width, got.height, size.width, size.height
    )]
    Scaled { got: Size, size: Size },
    #[error("the scroll rectangles have {got} pixels together, expected at most {limit}")]
    Scroll { got: u64, limit: u64 },
}

/// What is taken of the bounds.
#[derive(Debug, Default)]
pub struct Room {
    bounds: Bounds,
    desktop: Size,
    /// Of this machine alone.
    local: Size,
    windows: usize,
    /// Bytes of the pixels of all windows.
    window_bytes: u64,
    /// Bytes of all icons.
    icon_bytes: usize,
    /// The user was told that something did not fit.
    told: bool,
}

impl Room {
    /// The desktop, this machine's and the server's together, has this size from now on. What is there stays.
    pub fn set_desktop(&mut self, desktop: Size, local: Size) -> Bounds {
        (self.desktop, self.local) = (desktop, local);
        self.bounds = Bounds::of_desktop(desktop.width, desktop.height);
        self.bounds
    }

    /// The size of a desktop's window: as it is, or where that is more than fits as large as this machine's desktop.
    pub fn fitting(&self, size: Size) -> Size {
        let Size { width, height } = self.local;
        let fits = bytes(size) <= self.bounds.window_pixels() * 4;
        if fits || width == 0 || height == 0 {
            return size;
        }
        Size { width: size.width.min(width), height: size.height.min(height) }
    }

    /// Whether a window may have the size `new` instead of `old` (`None`: it is a new one); if so, it has from now on.
    ///
    /// # Errors
    /// If it does not fit.
    pub fn resize(&mut self, wid: WindowId, old: Option<Size>, new: Size) -> Result<(), NoRoom> {
        if old.is_none() && self.windows >= MAX_WINDOWS {
            return Err(NoRoom::Number);
        }
        let (before, after) = (old.map_or(0, bytes), bytes(new));
        // What becomes smaller always fits.
        if after > before {
            if new.width.max(new.height) > MAX_WINDOW_SIDE || after > self.bounds.window_pixels() * 4 {
                return Err(NoRoom::Size { wid, size: new });
            }
            let limit = self.bounds.windows_bytes();
            if self.window_bytes.saturating_sub(before) + after > limit {
                return Err(NoRoom::Sum { wid, size: new, limit });
            }
        }
        self.windows += usize::from(old.is_none());
        self.window_bytes = self.window_bytes.saturating_sub(before) + after;
        Ok(())
    }

    /// A window of this size, with this icon, is gone.
    pub fn release(&mut self, size: Size, icon: Option<&Image>) {
        self.windows = self.windows.saturating_sub(1);
        self.window_bytes = self.window_bytes.saturating_sub(bytes(size));
        self.icon_bytes = self.icon_bytes.saturating_sub(icon.map_or(0, |icon| icon.data.len()));
    }

    /// Whether an icon may take the place of `old`; if so, it has from now on.
    pub fn icon(&mut self, old: Option<&Image>, new: &Image) -> bool {
        let others = self.icon_bytes.saturating_sub(old.map_or(0, |icon| icon.data.len()));
        let fits = is_small_picture(new.width, new.height, MAX_ICON_SIDE, new.data.len())
            && others + new.data.len() <= self.bounds.icons_bytes();
        if fits {
            self.icon_bytes = others + new.data.len();
        }
        fits
    }

    /// What to tell the user of something that does not fit: the first time only.
    pub fn complain(&mut self, why: &NoRoom) -> Option<String> {
        (!std::mem::replace(&mut self.told, true)).then(|| why.to_string())
    }

    /// Whether a draw may be decoded for a window that never was larger than `largest`. Draws may be larger than
    /// the window: 3.1 tells the larger size after it has drawn, and the user may have made it smaller meanwhile.
    ///
    /// # Errors
    /// If it is too large, or what it says of itself does not fit together.
    pub fn check_draw(&self, largest: Size, draw: &WindowDraw) -> Result<(), DrawRefused> {
        let got = Size { width: draw.width, height: draw.height };
        let limit = Size {
            width: largest.width.max(self.desktop.width).min(MAX_WINDOW_SIDE),
            height: largest.height.max(self.desktop.height).min(MAX_WINDOW_SIDE),
        };
        if got.width > limit.width || got.height > limit.height {
            return Err(DrawRefused::TooLarge { got, limit });
        }
        let (pixels, most) = (pixels(got), self.bounds.window_pixels());
        if pixels > most {
            return Err(DrawRefused::TooManyPixels { got: pixels, limit: most });
        }
        let (rows, most) = (u64::from(draw.rowstride) * u64::from(got.height), self.bounds.picture_bytes());
        if rows > most {
            return Err(DrawRefused::Rows { got: rows, limit: most });
        }
        if let Some((width, height)) = draw.options.scaled_size
            && (width > got.width || height > got.height)
        {
            return Err(DrawRefused::Scaled { got: Size { width, height }, size: got });
        }
        let rects = draw.options.scroll.iter();
        let moved: u64 =
            rects.map(|rect| u64::from(rect.width) * u64::from(rect.height)).fold(0, u64::saturating_add);
        let most = self::pixels(limit) * SCROLL_COVER;
        if moved > most {
            return Err(DrawRefused::Scroll { got: moved, limit: most });
        }
        Ok(())
    }
}

/// Whether a picture outside the draw path has a size from 1 to `side`, and not more bytes than its pixels need.
pub fn is_small_picture(width: u32, height: u32, side: u32, len: usize) -> bool {
    let sides = 1..=side;
    let limit = Bounds::small_picture_bytes(width, height);
    sides.contains(&width) && sides.contains(&height) && len > 0 && len as u64 <= limit
}

fn pixels(size: Size) -> u64 {
    u64::from(size.width) * u64::from(size.height)
}

fn bytes(size: Size) -> u64 {
    pixels(size).saturating_mul(4)
}
