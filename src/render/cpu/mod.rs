//! Painting and presenting without a GPU: backings in plain memory, shown through softbuffer.
//!
//! A backing's pixels are `0x00RRGGBB`, the layout that X servers and Wayland compositors take:
//! in memory B, G, R, X on little-endian machines, so that most raw draws are copied as they are.

mod backing;
mod convert;
mod flush;
mod layer;
mod scale;
mod scroll;
mod surface;
mod triangle;
mod yuv;

use std::collections::HashMap;
use std::sync::Arc;

use backing::Backing;
use layer::Layer;
use surface::WindowSurface;

use super::RenderError;
use super::backend::{Backend, Part, PresentOutcome};
use super::overlay::{Overlay, TextureChanges};
use crate::channel::{RendererInfo, WindowTarget};
use crate::codec::{Picture, Rect, Size};
use crate::protocol::packet::WindowId;
use crate::protocol::packet::server::ScrollRect;
use crate::stats::CopyLedger;

/// All windows' pixels in memory.
#[derive(Default)]
pub(super) struct CpuBackend {
    backings: HashMap<WindowId, Backing>,
    surfaces: HashMap<WindowId, WindowSurface>,
    layers: HashMap<WindowId, Layer>,
    /// Room for pictures that are scaled or clipped, and for what scroll rectangles overwrite.
    scratch: Vec<u32>,
    /// What moving pixels cost that belongs to no draw; reported with the next present.
    ledger: CopyLedger,
}

impl Backend for CpuBackend {
    fn info(&self) -> RendererInfo {
        RendererInfo {
            adapter: "CPU".into(),
            backend: "softbuffer".into(),
            present_mode: if self.surfaces.is_empty() { "none".into() } else { "immediate".into() },
            software: true,
        }
    }

    fn resize(&mut self, wid: WindowId, size: Size) -> Result<(), RenderError> {
        let old = self.backings.remove(&wid);
        let backing = Backing::new(size, old, &mut self.ledger)?;
        self.backings.insert(wid, backing);
        Ok(())
    }

    fn destroy(&mut self, wid: WindowId) {
        self.backings.remove(&wid);
        if self.backings.is_empty() {
            self.scratch = Vec::new();
        }
    }

    fn paint(
        &mut self,
        wid: WindowId,
        rect: Rect,
        picture: &Picture,
        ledger: &mut CopyLedger,
    ) -> Result<(), RenderError> {
        let backing = self.backings.get_mut(&wid).ok_or(RenderError::NoBacking(wid))?;
        backing.paint(rect, picture, &mut self.scratch, ledger)
    }

    fn scroll(
        &mut self,
        wid: WindowId,
        rects: &[ScrollRect],
        ledger: &mut CopyLedger,
    ) -> Result<(), RenderError> {
        let backing = self.backings.get_mut(&wid).ok_or(RenderError::NoBacking(wid))?;
        scroll::scroll(backing, rects, &mut self.scratch, ledger);
        Ok(())
    }

    fn submit(&mut self) -> Result<(), RenderError> {
        Ok(())
    }

    fn attach(
        &mut self,
        wid: WindowId,
        target: Arc<dyn WindowTarget>,
        size: Size,
    ) -> Result<(), RenderError> {
        self.surfaces.remove(&wid);
        self.surfaces.insert(wid, WindowSurface::new(target, size)?);
        Ok(())
    }

    fn resize_surface(&mut self, wid: WindowId, size: Size) -> Result<(), RenderError> {
        self.surfaces.get_mut(&wid).map_or(Ok(()), |surface| surface.resize(size))
    }

    fn detach(&mut self, wid: WindowId) {
        self.surfaces.remove(&wid);
    }

    fn update_overlay(&mut self, wid: WindowId, _changes: &TextureChanges) {
        self.layers.entry(wid).or_default().outdate();
    }

    fn forget_overlay(&mut self, wid: WindowId) {
        self.layers.remove(&wid);
    }

    fn present(
        &mut self,
        wid: WindowId,
        part: Part<'_>,
        overlay: Option<&Overlay>,
        ledger: &mut CopyLedger,
    ) -> Result<PresentOutcome, RenderError> {
        let surface = self
            .surfaces
            .get_mut(&wid)
            .ok_or_else(|| RenderError::Surface(format!("window {wid} has no surface")))?;
        ledger.merge(&std::mem::take(&mut self.ledger));
        let layer = self.layers.get_mut(&wid);
        let layer = layer.and_then(|layer| layer.update(overlay, surface.size(), ledger).then_some(layer));
        surface.present(self.backings.get(&wid), part, layer, ledger)?;
        Ok(PresentOutcome::Presented)
    }

    fn read_back(
        &mut self,
        wid: WindowId,
        overlay: Option<&Overlay>,
    ) -> Result<(Size, Vec<u8>), RenderError> {
        let backing = self.backings.get(&wid).ok_or(RenderError::NoBacking(wid))?;
        let mut layer = Layer::default();
        layer.update(overlay, backing.size(), &mut self.ledger);
        Ok((backing.size(), backing.read_back(&layer)))
    }
}
