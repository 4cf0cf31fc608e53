//! Painting and presenting without a GPU: backings in plain memory, shown through softbuffer.
//!
//! A backing's pixels are `0x00RRGGBB`, the layout that X servers and Wayland compositors take:
//! in memory B, G, R, X on little-endian machines, so that most raw draws are copied as they are.

mod convert;
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
mod flush;
#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
#[path = "no_flush.rs"]
mod flush;
mod frame;
mod layer;
mod scale;
mod scroll;
mod surface;
mod triangle;
mod window;
mod yuv;
#[cfg(target_arch = "x86_64")]
mod yuv_avx2;

use std::collections::HashMap;
use std::sync::Arc;

use layer::Layer;
use window::CpuWindow;

use super::RenderError;
use super::backend::{Backend, Part, PresentOutcome};
use super::overlay::{Overlay, TextureChanges};
use crate::channel::{RendererInfo, Scaling, SurfaceId, WindowTarget};
use crate::codec::{CompressedPixels, PictureRef};
use crate::geometry::{Rect, Size};
use crate::protocol::Bounds;
use crate::protocol::packet::WindowId;
use crate::protocol::packet::draw::ScrollRect;
use crate::stats::CopyLedger;

/// All windows' pixels in memory.
#[derive(Default)]
pub(super) struct CpuBackend {
    windows: HashMap<SurfaceId, CpuWindow>,
    scaling: Scaling,
    /// Room for pictures that are scaled or clipped, and for what scroll rectangles overwrite.
    scratch: Vec<u32>,
    bounds: Bounds,
    /// What moving pixels cost that belongs to no draw; reported with the next present.
    ledger: CopyLedger,
}

impl CpuBackend {
    /// Whether remote windows may take so many bytes more. Some have their pixels in memory and in the buffer that
    /// shows them. What a server fills is no reason to hide a window of our own.
    fn has_room_for(&self, bytes: u64) -> bool {
        let remote = self.windows.iter().filter(|(id, _)| id.remote().is_some());
        let used: u64 = remote.map(|(_, window)| window.bytes()).sum();
        let limit = self.bounds.windows_bytes() / 2 * 3;
        // Larger than the server's by the user's wish.
        let scale = self.scaling.scale.factor().max(1.0);
        (used + bytes) as f64 <= limit as f64 * scale * scale
    }
}

impl Backend for CpuBackend {
    fn info(&self) -> RendererInfo {
        RendererInfo {
            adapter: "CPU".into(),
            backend: "softbuffer".into(),
            present_mode: if self.windows.values().any(CpuWindow::has_surface) {
                "immediate".into()
            } else {
                "none".into()
            },
            software: true,
        }
    }

    fn set_scaling(&mut self, scaling: Scaling) {
        self.scaling = scaling;
        self.windows.values_mut().for_each(|window| window.outdate(&mut self.ledger));
    }

    fn set_bounds(&mut self, bounds: Bounds) {
        self.bounds = bounds;
    }

    fn resize(&mut self, wid: WindowId, size: Size) -> Result<(), RenderError> {
        self.windows.entry(wid.into()).or_default().resize(size, &mut self.ledger)
    }

    fn destroy(&mut self, wid: WindowId) {
        if let Some(window) = self.windows.get_mut(&SurfaceId::Remote(wid)) {
            window.destroy();
        }
        self.windows.retain(|_, window| !window.is_gone());
        if !self.windows.values().any(CpuWindow::has_backing) {
            self.scratch = Vec::new();
        }
    }

    fn paint(
        &mut self,
        wid: WindowId,
        rect: Rect,
        picture: PictureRef<'_>,
        ledger: &mut CopyLedger,
    ) -> Result<(), RenderError> {
        let window = self.windows.get_mut(&SurfaceId::Remote(wid)).ok_or(RenderError::NoBacking(wid))?;
        window.with_frame(wid, |frame| frame.paint(rect, picture, &mut self.scratch, ledger))?
    }

    fn unpacks(&self) -> bool {
        true
    }

    fn paint_compressed(
        &mut self,
        wid: WindowId,
        rect: Rect,
        packed: &CompressedPixels,
        ledger: &mut CopyLedger,
    ) -> Result<(), RenderError> {
        let window = self.windows.get_mut(&SurfaceId::Remote(wid)).ok_or(RenderError::NoBacking(wid))?;
        window.with_frame(wid, |frame| frame.paint_compressed(rect, packed, &mut self.scratch, ledger))?
    }

    fn scroll(
        &mut self,
        wid: WindowId,
        rects: &[ScrollRect],
        ledger: &mut CopyLedger,
    ) -> Result<(), RenderError> {
        let window = self.windows.get_mut(&SurfaceId::Remote(wid)).ok_or(RenderError::NoBacking(wid))?;
        window.with_frame(wid, |frame| scroll::scroll(frame, rects, &mut self.scratch, ledger))?
    }

    fn submit(&mut self) -> Result<(), RenderError> {
        // One picture of the whole desktop needs no more.
        if self.scratch.capacity() as u64 * 4 > self.bounds.desktop_bytes() {
            self.scratch = Vec::new();
        }
        Ok(())
    }

    fn attach(
        &mut self,
        id: SurfaceId,
        target: Arc<dyn WindowTarget>,
        size: Size,
    ) -> Result<(), RenderError> {
        self.windows.entry(id).or_default().attach(target, size, &mut self.ledger)
    }

    fn resize_surface(&mut self, id: SurfaceId, size: Size) -> Result<(), RenderError> {
        self.windows.get_mut(&id).map_or(Ok(()), |window| window.resize_surface(size, &mut self.ledger))
    }

    fn detach(&mut self, id: SurfaceId) {
        if let Some(window) = self.windows.get_mut(&id) {
            window.detach(&mut self.ledger);
        }
        self.windows.retain(|_, window| !window.is_gone());
    }

    fn update_overlay(&mut self, id: SurfaceId, _changes: &TextureChanges) {
        if let Some(window) = self.windows.get_mut(&id) {
            window.layer_mut().outdate();
        }
    }

    fn forget_overlay(&mut self, id: SurfaceId) {
        // Its pixels go with the next present, which has to know what they covered.
        if let Some(window) = self.windows.get_mut(&id) {
            window.layer_mut().outdate();
        }
    }

    fn present(
        &mut self,
        id: SurfaceId,
        part: Part<'_>,
        overlay: Option<&Overlay>,
        ledger: &mut CopyLedger,
    ) -> Result<PresentOutcome, RenderError> {
        let missing = self.windows.get(&id).map_or(0, CpuWindow::missing_bytes);
        if missing > 0 && id.remote().is_some() && !self.has_room_for(missing) {
            tracing::debug!(window = %id, missing, "a window is not shown: all of them together are too large");
            return Ok(PresentOutcome::Hidden);
        }
        let window = self.windows.get_mut(&id).ok_or(RenderError::NoSurface(id))?;
        ledger.merge(&std::mem::take(&mut self.ledger));
        window.present(id, part, overlay, self.scaling, ledger)?;
        Ok(PresentOutcome::Presented)
    }

    fn read_back(
        &mut self,
        wid: WindowId,
        overlay: Option<&Overlay>,
    ) -> Result<(Size, Vec<u8>), RenderError> {
        let window = self.windows.get_mut(&SurfaceId::Remote(wid)).ok_or(RenderError::NoBacking(wid))?;
        window.with_frame(wid, |frame| {
            let shown = self.scaling.scale.size_to_local(frame.size());
            let mut layer = Layer::default();
            layer.update(overlay, shown, &mut self.ledger);
            (shown, frame.read_back(shown, self.scaling.is_nearest(), &layer))
        })
    }
}
