//! Painting and presenting with wgpu.
//!
//! Raw 32-bit pixels in the backing's own order are written straight into its texture; all other
//! pictures go into a buffer as they came and are unpacked by a shader. Writes take effect before
//! the commands recorded for the same submission, so a backing that such commands write to is
//! written directly only after they were submitted.

mod backing;
mod device;
mod pass;
mod read_back;
mod scroll;
mod staging;
mod surface;
mod unpack;

pub(super) use device::may_have_gpu;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use backing::Backing;
use device::Gpu;
use pass::Presenter;
use scroll::Snapshot;
use surface::{Acquired, WindowSurface};
use unpack::Unpacker;

use super::backend::{Backend, Part, PresentOutcome};
use super::overlay::{Overlay, TextureChanges};
use super::{PresentPreference, RenderError, RenderOptions};
use crate::channel::{RendererInfo, Scaling, SurfaceId, WindowTarget};
use crate::codec::{PictureRef, PixelsRef};
use crate::geometry::{Rect, Size};
use crate::protocol::packet::WindowId;
use crate::protocol::packet::draw::ScrollRect;
use crate::stats::{CopyLedger, CopySite};

/// All that one wgpu device does for us.
pub(super) struct GpuBackend {
    gpu: Gpu,
    preference: PresentPreference,
    presenter: Presenter,
    unpacker: Unpacker,
    snapshot: Snapshot,
    backings: HashMap<WindowId, Backing>,
    surfaces: HashMap<SurfaceId, WindowSurface>,
    overlays: HashMap<SurfaceId, egui_wgpu::Renderer>,
    /// The commands of the present submission.
    encoder: Option<wgpu::CommandEncoder>,
    /// Something was written or recorded since the last submission.
    pending: bool,
    /// What uploads cost that belong to no draw; reported with the next present.
    ledger: CopyLedger,
    /// Submissions until the device is lost on purpose.
    lose_after: Option<u32>,
}

impl GpuBackend {
    /// Opens a device.
    pub(super) fn new(options: &RenderOptions) -> Result<Self, RenderError> {
        let gpu = Gpu::open(options)?;
        Ok(Self {
            presenter: Presenter::new(&gpu),
            unpacker: Unpacker::new(&gpu),
            preference: options.present_mode,
            snapshot: Snapshot::default(),
            backings: HashMap::new(),
            surfaces: HashMap::new(),
            overlays: HashMap::new(),
            encoder: None,
            pending: false,
            ledger: CopyLedger::default(),
            lose_after: options.lose_device_after,
            gpu,
        })
    }
}

impl Backend for GpuBackend {
    fn info(&self) -> RendererInfo {
        let info = self.gpu.adapter.get_info();
        let present_mode = self.surfaces.values().next().map(WindowSurface::present_mode);
        RendererInfo {
            adapter: info.name,
            backend: info.backend.to_string(),
            present_mode: present_mode
                .map_or_else(|| "none".into(), |mode| format!("{mode:?}").to_lowercase()),
            software: info.device_type == wgpu::DeviceType::Cpu,
        }
    }

    fn set_scaling(&mut self, scaling: Scaling) {
        self.presenter.set_scaling(&self.gpu, scaling);
    }

    fn resize(&mut self, wid: WindowId, size: Size) -> Result<(), RenderError> {
        let old = self.backings.remove(&wid);
        let mut backing = Backing::new(&self.gpu, &self.presenter.backing_layout, size)?;
        if let Some(old) = old {
            backing.keep(encoder(&mut self.encoder, &self.gpu), &old);
            self.pending = true;
        }
        self.backings.insert(wid, backing);
        Ok(())
    }

    fn destroy(&mut self, wid: WindowId) {
        self.backings.remove(&wid);
        if self.backings.is_empty() {
            self.snapshot.clear();
        }
    }

    fn paint(
        &mut self,
        wid: WindowId,
        rect: Rect,
        picture: PictureRef<'_>,
        ledger: &mut CopyLedger,
    ) -> Result<(), RenderError> {
        let size = self.backings.get(&wid).ok_or(RenderError::NoBacking(wid))?.size;
        let Some(visible) = rect.clip(size) else { return Ok(()) };
        if picture.width == 0 || picture.height == 0 {
            return Ok(());
        }
        let directly = Backing::takes_directly(rect, &picture);
        if (directly && self.backings.get(&wid).is_some_and(|backing| backing.recorded))
            || (!directly && self.unpacker.staging.is_full())
        {
            self.submit()?;
        }
        let backing = self.backings.get_mut(&wid).ok_or(RenderError::NoBacking(wid))?;
        self.pending = true;
        match picture.pixels {
            PixelsRef::Packed { rowstride, data, .. } if directly => {
                backing.upload(&self.gpu.queue, (rect, visible), rowstride, data, ledger)
            }
            _ => {
                backing.recorded = true;
                let encoder = encoder(&mut self.encoder, &self.gpu);
                self.unpacker.paint(&self.gpu, encoder, backing, (rect, visible), picture, ledger)
            }
        }
    }

    fn scroll(
        &mut self,
        wid: WindowId,
        rects: &[ScrollRect],
        _ledger: &mut CopyLedger,
    ) -> Result<(), RenderError> {
        let backing = self.backings.get_mut(&wid).ok_or(RenderError::NoBacking(wid))?;
        self.pending = true;
        self.snapshot.scroll(&self.gpu, encoder(&mut self.encoder, &self.gpu), backing, rects)
    }

    fn submit(&mut self) -> Result<(), RenderError> {
        if !std::mem::take(&mut self.pending) {
            return Ok(());
        }
        // Without commands of ours this still submits what was written.
        self.gpu.queue.submit(self.encoder.take().map(wgpu::CommandEncoder::finish));
        self.unpacker.staging.submitted();
        for backing in self.backings.values_mut() {
            backing.recorded = false;
        }
        if let Some(left) = &mut self.lose_after {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.gpu.lose();
            }
        }
        self.gpu.check()
    }

    fn attach(
        &mut self,
        id: SurfaceId,
        target: Arc<dyn WindowTarget>,
        size: Size,
    ) -> Result<(), RenderError> {
        // The old surface goes first: a window has one swapchain at a time.
        self.surfaces.remove(&id);
        let surface = WindowSurface::new(&self.gpu, target, size, self.preference)?;
        self.surfaces.insert(id, surface);
        self.gpu.check()
    }

    fn resize_surface(&mut self, id: SurfaceId, size: Size) -> Result<(), RenderError> {
        if let Some(surface) = self.surfaces.get_mut(&id) {
            surface.resize(&self.gpu, size);
        }
        self.gpu.check()
    }

    fn detach(&mut self, id: SurfaceId) {
        self.surfaces.remove(&id);
    }

    fn update_overlay(&mut self, id: SurfaceId, changes: &TextureChanges) {
        let renderer = match self.overlays.entry(id) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(pass::overlay_renderer(&self.gpu)),
        };
        pass::update_textures(&self.gpu, renderer, changes, &mut self.ledger);
        self.pending = true;
    }

    fn forget_overlay(&mut self, id: SurfaceId) {
        self.overlays.remove(&id);
    }

    fn present(
        &mut self,
        id: SurfaceId,
        _part: Part<'_>,
        overlay: Option<&Overlay>,
        ledger: &mut CopyLedger,
    ) -> Result<PresentOutcome, RenderError> {
        self.submit()?;
        let surface = self.surfaces.get_mut(&id).ok_or(RenderError::NoSurface(id))?;
        let frame = match surface.acquire(&self.gpu)? {
            Acquired::Frame(frame) => frame,
            Acquired::Timeout => return Ok(PresentOutcome::TryLater),
            Acquired::Occluded => return Ok(PresentOutcome::Hidden),
        };
        ledger.merge(&std::mem::take(&mut self.ledger));
        if let Some(overlay) = overlay {
            ledger.note_copy(CopySite::Staging, overlay.mesh_bytes());
        }
        let overlay = self.overlays.get_mut(&id).zip(overlay);
        let backing = id.remote().and_then(|wid| self.backings.get(&wid));
        self.presenter.draw(&self.gpu, &frame.texture, surface.size(), backing, overlay);
        self.gpu.queue.present(frame);
        self.gpu.check()?;
        Ok(PresentOutcome::Presented)
    }

    fn read_back(
        &mut self,
        wid: WindowId,
        overlay: Option<&Overlay>,
    ) -> Result<(Size, Vec<u8>), RenderError> {
        self.submit()?;
        let backing = self.backings.get(&wid).ok_or(RenderError::NoBacking(wid))?;
        let overlay = self.overlays.get_mut(&SurfaceId::Remote(wid)).zip(overlay);
        read_back::read_back(&self.gpu, &self.presenter, backing, overlay)
    }
}

/// The encoder of the present submission.
fn encoder<'a>(encoder: &'a mut Option<wgpu::CommandEncoder>, gpu: &Gpu) -> &'a mut wgpu::CommandEncoder {
    encoder.get_or_insert_with(|| gpu.device.create_command_encoder(&Default::default()))
}
