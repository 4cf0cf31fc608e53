//! The shared memory of one OS window.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::flush::Flusher;
use super::frame::{bytes, bytes_mut};
use super::layer::Layer;
use super::scale::Scaler;
use crate::channel::WindowTarget;
use crate::channel::scaling::filled;
use crate::geometry::{Rect, Size};
use crate::render::RenderError;
use crate::render::backend::Part;
use crate::render::damage::Damage;
use crate::stats::{CopyLedger, CopySite, Transform, copies};

/// Presents that are remembered: systems take turns with at most as many buffers.
const MAX_AGE: usize = 3;
/// softbuffer's X11 part knows no larger windows.
const MAX_SIDE: u32 = 32_767;

/// The pixels that a window is to show.
#[derive(Clone, Copy)]
pub(super) enum Content<'a> {
    /// None: black.
    Nothing,
    /// Rows of a picture of this size, without padding.
    Memory(&'a [u32], Size),
    /// The same, to be shown in the size `shown`.
    Scaled { pixels: &'a [u32], size: Size, shown: Size, nearest: bool },
    /// They were painted into the surface's buffer.
    InBuffer,
}

impl Content<'_> {
    /// The size that the picture has in the window.
    fn shown(&self, window: Size) -> Size {
        match *self {
            Content::Nothing => Size::default(),
            Content::Memory(_, size) => size,
            Content::Scaled { shown, .. } => shown,
            Content::InBuffer => window,
        }
    }

    /// The part of the window, of which `filled` is painted, that pixels of `rect` have a share in.
    fn shows_at(&self, rect: Rect, window: Size, filled: Size) -> Rect {
        let Rect { x, y, width, height } = self.scaled(rect);
        let shown = self.shown(window);
        // Edges go on.
        let side = |start: i32, len: u32, shown: u32, filled: u32| {
            let end = i64::from(start) + i64::from(len);
            let beyond = if end >= i64::from(shown) { filled.saturating_sub(shown) } else { 0 };
            len.saturating_add(beyond)
        };
        let width = side(x, width, shown.width, filled.width);
        Rect { x, y, width, height: side(y, height, shown.height, filled.height) }
    }

    fn scaled(&self, rect: Rect) -> Rect {
        let Content::Scaled { size, shown, .. } = *self else { return rect };
        // With the neighbours, into which they are mixed. Everything lies within the backing.
        let part = |start: i32, len: u32, size: u32, shown: u32| {
            let (size, shown) = (i64::from(size), i64::from(shown));
            let start = i64::from(start);
            let from = ((start - 1) * shown).div_euclid(size).max(0);
            let to = ((start + i64::from(len) + 1) * shown + size - 1).div_euclid(size).min(shown);
            (i32::try_from(from).unwrap_or(0), u32::try_from(to - from).unwrap_or(0))
        };
        let (x, width) = part(rect.x, rect.width, size.width, shown.width);
        let (y, height) = part(rect.y, rect.height, size.height, shown.height);
        Rect { x, y, width, height }
    }
}

/// An OS window's buffer.
pub(super) type Buffer<'a> = softbuffer::Buffer<'a, Arc<dyn WindowTarget>, Arc<dyn WindowTarget>>;

/// An OS window that is presented to.
pub(super) struct WindowSurface {
    // Dropped before the surface, which holds the window.
    flusher: Flusher,
    surface: softbuffer::Surface<Arc<dyn WindowTarget>, Arc<dyn WindowTarget>>,
    /// What pixels are or-ed with on their way into the buffer: there they are opaque, for those who
    /// read its highest byte. X servers do not.
    opaque: u32,
    size: Size,
    /// Bytes of the buffer, which is made by the first present and never becomes smaller.
    allocated: u64,
    /// Nothing was presented since it got this size, or other pixels to show.
    fresh: bool,
    /// What the last presents changed, the newest first; of a present that changed everything, all.
    history: [Damage; MAX_AGE],
    /// Only used while presenting.
    damaged: Vec<softbuffer::Rect>,
}

impl WindowSurface {
    /// Makes a surface for the window, which the surface keeps alive.
    pub(super) fn new(target: Arc<dyn WindowTarget>, size: Size) -> Result<Self, RenderError> {
        let opaque = if is_x11(&target) { 0 } else { 0xff00_0000 };
        let context = softbuffer::Context::new(Arc::clone(&target)).map_err(failed)?;
        let flusher = Flusher::new(&target)?;
        let surface = softbuffer::Surface::new(&context, target).map_err(failed)?;
        let mut surface = Self {
            flusher,
            surface,
            opaque,
            size: Size::default(),
            allocated: 0,
            fresh: true,
            history: Default::default(),
            damaged: Vec::new(),
        };
        surface.resize(size)?;
        Ok(surface)
    }

    /// The window has another size.
    pub(super) fn resize(&mut self, size: Size) -> Result<(), RenderError> {
        let width = NonZeroU32::new(size.width.min(MAX_SIDE)).unwrap_or(NonZeroU32::MIN);
        let height = NonZeroU32::new(size.height.min(MAX_SIDE)).unwrap_or(NonZeroU32::MIN);
        self.surface.resize(width, height).map_err(failed)?;
        self.size = Size { width: width.get(), height: height.get() };
        self.fresh = true;
        Ok(())
    }

    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// Bytes of its buffer, and those that the next present adds to them.
    pub(super) fn bytes(&self) -> (u64, u64) {
        (self.allocated, self.needed().saturating_sub(self.allocated))
    }

    fn needed(&self) -> u64 {
        u64::from(self.size.width) * u64::from(self.size.height) * 4
    }

    /// The pixels are no longer those that were presented, not only where there is damage.
    pub(super) fn outdate(&mut self) {
        self.fresh = true;
    }

    /// The buffer that will be presented next.
    pub(super) fn buffer(&mut self) -> Result<Buffer<'_>, RenderError> {
        self.surface.buffer_mut().map_err(failed)
    }

    /// Brings the next buffer up to date and shows it. Returns whether that buffer is the only
    /// one, which will hold what it holds now when it is presented next.
    pub(super) fn present(
        &mut self,
        content: Content<'_>,
        part: Part<'_>,
        layer: Option<&mut Layer>,
        ledger: &mut CopyLedger,
    ) -> Result<bool, RenderError> {
        let filled = filled(content.shown(self.size), self.size);
        self.history.rotate_right(1);
        let [newest, ..] = &mut self.history;
        newest.clear();
        match part {
            _ if self.fresh => newest.add(whole(self.size), self.size),
            Part::All => newest.add(whole(self.size), self.size),
            Part::Damage(rects) => {
                let shown = |rect: &Rect| content.shows_at(*rect, self.size, filled);
                rects.iter().for_each(|rect| newest.add(shown(rect), self.size));
            }
        }
        let layer = layer.map(|layer| {
            if let Some(changed) = layer.take_changed() {
                newest.add(changed, self.size);
            }
            &*layer
        });
        self.damaged.clear();
        self.damaged.extend(newest.rects().iter().filter_map(|rect| {
            let (width, height) = (NonZeroU32::new(rect.width)?, NonZeroU32::new(rect.height)?);
            Some(softbuffer::Rect { x: rect.x.unsigned_abs(), y: rect.y.unsigned_abs(), width, height })
        }));
        if self.damaged.is_empty() {
            return Ok(false);
        }
        self.allocated = self.allocated.max(self.needed());
        let opaque = self.opaque;
        let mut buffer = self.surface.buffer_mut().map_err(failed)?;
        // A buffer of age n lacks what the newest n presents changed; one of age 0 lacks all.
        let age = usize::from(buffer.age());
        if matches!(content, Content::InBuffer) {
            // It lacks nothing.
        } else if self.fresh || age == 0 || age > MAX_AGE {
            copy_rect(&mut buffer, (self.size, filled, opaque), whole(self.size), content, layer, ledger);
        } else {
            for rect in self.history.iter().take(age).flat_map(Damage::rects) {
                copy_rect(&mut buffer, (self.size, filled, opaque), *rect, content, layer, ledger);
            }
        }
        buffer.present_with_damage(&self.damaged).map_err(failed)?;
        self.fresh = false;
        self.flusher.flush()?;
        // Pixels that are painted into the buffer have any highest byte.
        Ok(age == 1 && self.opaque == 0)
    }
}

/// Copies a rectangle of the window from its pixels and lays the overlay over it. The window has a size and a part that
/// is filled: beyond its pixels their edge goes on there, the rest is black. All that it writes is or-ed with `opaque`.
fn copy_rect(
    buffer: &mut [u32],
    (size, filled, opaque): (Size, Size, u32),
    rect: Rect,
    content: Content<'_>,
    layer: Option<&Layer>,
    ledger: &mut CopyLedger,
) {
    let rect = with_edge(rect, content.shown(size), filled);
    // The rectangle lies within the window.
    let (x, top) = (rect.x.unsigned_abs() as usize, rect.y.unsigned_abs());
    let (width, stride) = (rect.width as usize, size.width as usize);
    let Some(buffer) = buffer.get_mut(top as usize * stride + x..) else { return };
    let (mut shown_width, mut shown_height) = (0, 0);
    if let Content::Memory(pixels, pixels_size) = content
        && let Some(part) = rect.clip(pixels_size)
    {
        (shown_width, shown_height) = (part.width as usize, part.height as usize);
        let to = &mut buffer[..(shown_height - 1) * stride + shown_width];
        let from_stride = pixels_size.width as usize;
        let from = &pixels[top as usize * from_stride + x..];
        if opaque == 0 {
            let (from, to) = ((bytes(from), from_stride * 4), (bytes_mut(to), stride * 4));
            copies::copy_rows(ledger, CopySite::Present, shown_width * 4, from, to);
        } else {
            for (from, to) in from.chunks(from_stride).zip(to.chunks_mut(stride)) {
                from.iter().zip(&mut to[..shown_width]).for_each(|(from, to)| *to = from | opaque);
            }
            ledger.note_copy(CopySite::Present, shown_width * shown_height * 4);
        }
    }
    if let Content::Scaled { pixels, size, shown, nearest } = content
        && let Some(part) = rect.clip(shown)
    {
        (shown_width, shown_height) = (part.width as usize, part.height as usize);
        let left = rect.x.unsigned_abs();
        let mut scaler = Scaler::new(size, shown, left..left + part.width, nearest);
        for (y, row) in (top..).zip(buffer.chunks_mut(stride)).take(shown_height) {
            scaler.row(pixels, y, &mut row[..shown_width]);
            row[..shown_width].iter_mut().for_each(|pixel| *pixel |= opaque);
        }
        ledger.note_transform(Transform::Convert, shown_width * shown_height * 4);
    }
    let filled_width = (filled.width as usize).saturating_sub(x).clamp(shown_width, width);
    let filled_height = (filled.height as usize).saturating_sub(top as usize);
    for y in 0..rect.height as usize {
        let Some(row) = buffer.get_mut(y * stride..).and_then(|rest| rest.get_mut(..width)) else { return };
        if y < shown_height {
            let edge = shown_width.checked_sub(1).map_or(opaque, |last| row[last]);
            row[shown_width..filled_width].fill(edge);
            row[filled_width..].fill(opaque);
        } else if y < filled_height && shown_height > 0 {
            let edge = (shown_height - 1) * stride;
            (0..width).for_each(|column| buffer[y * stride + column] = buffer[edge + column]);
        } else {
            row.fill(opaque);
        }
    }
    if let Some(layer) = layer {
        for (y, row) in (top..).zip(buffer.chunks_mut(stride)).take(rect.height as usize) {
            if let Some(row) = row.get_mut(..width) {
                layer.blend(rect.x.unsigned_abs(), y, row);
            }
        }
    }
}

/// A rectangle that begins where the edge of a picture of the size `shown` goes on, with that edge.
fn with_edge(rect: Rect, shown: Size, filled: Size) -> Rect {
    let side = |start: i32, len: u32, shown: u32, filled: u32| {
        let from = start.unsigned_abs();
        if shown == 0 || from < shown || from >= filled {
            return (start, len);
        }
        (i32::try_from(shown - 1).unwrap_or(start), len + (from - (shown - 1)))
    };
    let (x, width) = side(rect.x, rect.width, shown.width, filled.width);
    let (y, height) = side(rect.y, rect.height, shown.height, filled.height);
    Rect { x, y, width, height }
}

fn whole(size: Size) -> Rect {
    Rect { x: 0, y: 0, width: size.width, height: size.height }
}

/// Whether a window is one of X11.
fn is_x11(target: &Arc<dyn WindowTarget>) -> bool {
    use raw_window_handle::{HasWindowHandle as _, RawWindowHandle};
    let handle = target.window_handle().map(|handle| handle.as_raw());
    matches!(handle, Ok(RawWindowHandle::Xlib(_) | RawWindowHandle::Xcb(_)))
}

fn failed(error: softbuffer::SoftBufferError) -> RenderError {
    RenderError::Surface(error.to_string())
}
