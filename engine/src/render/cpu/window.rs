//! One window: its pixels and where they live.
//!
//! They live in memory of their own, until the OS window shows just them: then they live in the buffer
//! that is presented, and presenting copies nothing. When that no longer holds - the overlay
//! shows, the sizes differ, the OS window goes away, they are scaled - they move out again.

use std::sync::Arc;

use super::frame::{Frame, bytes, bytes_mut};
use super::layer::Layer;
use super::surface::{Content, WindowSurface};
use crate::channel::{Scaling, SurfaceId, WindowTarget};
use crate::geometry::Size;
use crate::protocol::packet::WindowId;
use crate::render::RenderError;
use crate::render::backend::Part;
use crate::render::overlay::Overlay;
use crate::stats::{CopyLedger, CopySite, copies};

/// Larger windows are refused; softbuffer's X11 part knows none.
const MAX_SIDE: u32 = 32_767;

/// A window of the CPU renderer.
#[derive(Default)]
pub(super) struct CpuWindow {
    backing: Option<Backing>,
    surface: Option<WindowSurface>,
    layer: Layer,
}

/// The window's pixels.
struct Backing {
    size: Size,
    /// `None`: they are in the surface's buffer, which has the same size.
    memory: Option<Vec<u32>>,
}

impl CpuWindow {
    /// Whether nothing is left of it.
    pub(super) fn is_gone(&self) -> bool {
        self.backing.is_none() && self.surface.is_none()
    }

    pub(super) fn has_backing(&self) -> bool {
        self.backing.is_some()
    }

    pub(super) fn has_surface(&self) -> bool {
        self.surface.is_some()
    }

    /// Bytes of its pixels and of the buffer that shows them.
    pub(super) fn bytes(&self) -> u64 {
        let memory = self.backing.as_ref().and_then(|backing| backing.memory.as_ref());
        memory.map_or(0, |memory| memory.len() as u64 * 4) + self.surface.as_ref().map_or(0, |s| s.bytes().0)
    }

    /// Bytes that the next present adds to them.
    pub(super) fn missing_bytes(&self) -> u64 {
        self.surface.as_ref().map_or(0, |surface| surface.bytes().1)
    }

    pub(super) fn layer_mut(&mut self) -> &mut Layer {
        &mut self.layer
    }

    /// Makes the backing, black, or resizes it, keeping the top left part.
    pub(super) fn resize(&mut self, size: Size, ledger: &mut CopyLedger) -> Result<(), RenderError> {
        if size.width.max(size.height) > MAX_SIDE || size.width.min(size.height) == 0 {
            self.backing = None;
            let limit = format!("windows have 1 to {MAX_SIDE} pixels a side");
            return Err(RenderError::TooLarge { size, limit });
        }
        let memory = self.copied_out(size, ledger);
        self.backing = Some(Backing { size, memory: Some(memory) });
        if let Some(surface) = &mut self.surface {
            surface.outdate();
        }
        Ok(())
    }

    /// Frees the backing.
    pub(super) fn destroy(&mut self) {
        self.backing = None;
    }

    /// The pixels, for as long as `work` takes. Waits until the X server has read what it is
    /// to show, if they are in its buffer.
    pub(super) fn with_frame<T>(
        &mut self,
        wid: WindowId,
        work: impl FnOnce(&mut Frame<'_>) -> T,
    ) -> Result<T, RenderError> {
        match (&mut self.backing, &mut self.surface) {
            (Some(Backing { size, memory: Some(memory) }), _) => Ok(work(&mut Frame::new(memory, *size))),
            (Some(Backing { size, memory: None }), Some(surface)) => {
                let mut buffer = surface.buffer()?;
                Ok(work(&mut Frame::new(&mut buffer, *size)))
            }
            _ => Err(RenderError::NoBacking(wid)),
        }
    }

    /// Shows the pixels in another OS window.
    pub(super) fn attach(
        &mut self,
        target: Arc<dyn WindowTarget>,
        size: Size,
        ledger: &mut CopyLedger,
    ) -> Result<(), RenderError> {
        self.detach(ledger);
        self.surface = Some(WindowSurface::new(target, size)?);
        Ok(())
    }

    /// The OS window has another size.
    pub(super) fn resize_surface(&mut self, size: Size, ledger: &mut CopyLedger) -> Result<(), RenderError> {
        self.move_out(ledger);
        self.surface.as_mut().map_or(Ok(()), |surface| surface.resize(size))
    }

    /// The pixels are shown in another size or way from now on.
    pub(super) fn outdate(&mut self, ledger: &mut CopyLedger) {
        self.move_out(ledger);
        self.surface.iter_mut().for_each(WindowSurface::outdate);
    }

    /// Forgets the OS window.
    pub(super) fn detach(&mut self, ledger: &mut CopyLedger) {
        self.move_out(ledger);
        self.surface = None;
    }

    /// Shows the pixels and `overlay`.
    pub(super) fn present(
        &mut self,
        id: SurfaceId,
        part: Part<'_>,
        overlay: Option<&Overlay>,
        scaling: Scaling,
        ledger: &mut CopyLedger,
    ) -> Result<(), RenderError> {
        let size = self.surface.as_ref().ok_or(RenderError::NoSurface(id))?.size();
        let covered = self.layer.update(overlay, size, ledger);
        if covered {
            self.move_out(ledger);
        }
        let surface = self.surface.as_mut().ok_or(RenderError::NoSurface(id))?;
        let layer = covered.then_some(&mut self.layer);
        let content = match &self.backing {
            None => Content::Nothing,
            Some(Backing { memory: None, .. }) => Content::InBuffer,
            Some(Backing { memory: Some(memory), size }) if scaling.is_off() => {
                Content::Memory(memory, *size)
            }
            Some(Backing { memory: Some(pixels), size: from }) => Content::Scaled {
                pixels,
                size: *from,
                shown: scaling.shown(*from, size),
                nearest: scaling.is_nearest(),
            },
        };
        let kept = surface.present(content, part, layer, ledger)?;
        if let Some(backing) = &mut self.backing
            && kept
            && !covered
            && scaling.is_off()
            && backing.size == size
        {
            // The buffer holds just these pixels now.
            backing.memory = None;
        }
        Ok(())
    }

    /// Moves the pixels into memory of their own.
    fn move_out(&mut self, ledger: &mut CopyLedger) {
        if let Some(Backing { size, memory: None }) = self.backing {
            let memory = self.copied_out(size, ledger);
            self.backing = Some(Backing { size, memory: Some(memory) });
        }
    }

    /// New memory for a window of `size`: what is there now, else black.
    fn copied_out(&mut self, size: Size, ledger: &mut CopyLedger) -> Vec<u32> {
        let len = size.width as usize * size.height as usize;
        ledger.note_allocation(len * 4);
        let mut memory = vec![0; len];
        let mut keep = |old: &[u32], old_size: Size| {
            let row_len = size.width.min(old_size.width) as usize * 4;
            let from = (bytes(old), old_size.width as usize * 4);
            let to = (bytes_mut(&mut memory), size.width as usize * 4);
            copies::copy_rows(ledger, CopySite::Backing, row_len, from, to);
        };
        match (&self.backing, &mut self.surface) {
            (Some(Backing { size, memory: Some(old) }), _) => keep(old, *size),
            (Some(Backing { size, memory: None }), Some(surface)) => match surface.buffer() {
                Ok(buffer) => keep(&buffer, *size),
                // Without a connection to the display there is nothing to be seen either.
                Err(error) => tracing::warn!(%error, "a window's pixels are lost"),
            },
            _ => {}
        }
        memory
    }
}
