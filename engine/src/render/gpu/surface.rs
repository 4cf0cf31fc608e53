//! The swapchain of one OS window.

use std::sync::Arc;

use wgpu::{CurrentSurfaceTexture, PresentMode};

use super::device::Gpu;
use super::pass::TARGET_FORMAT;
use crate::channel::WindowTarget;
use crate::geometry::Size;
use crate::render::{PresentPreference, RenderError};

/// An OS window that is presented to.
pub(super) struct WindowSurface {
    surface: wgpu::Surface<'static>,
    configuration: wgpu::SurfaceConfiguration,
}

/// What [`WindowSurface::acquire`] got.
pub(super) enum Acquired {
    Frame(wgpu::SurfaceTexture),
    Timeout,
    Occluded,
}

impl WindowSurface {
    /// Makes a surface for the window, which the surface keeps alive.
    pub(super) fn new(
        gpu: &Gpu,
        target: Arc<dyn WindowTarget>,
        size: Size,
        preference: PresentPreference,
    ) -> Result<Self, RenderError> {
        let surface =
            gpu.instance.create_surface(target).map_err(|error| RenderError::Surface(error.to_string()))?;
        let capabilities = surface.get_capabilities(&gpu.adapter);
        if !capabilities.formats.contains(&TARGET_FORMAT) {
            let name = gpu.adapter.get_info().name;
            return Err(RenderError::Surface(format!("{name} cannot present to it")));
        }
        let alpha_mode = if capabilities.alpha_modes.contains(&wgpu::CompositeAlphaMode::Opaque) {
            wgpu::CompositeAlphaMode::Opaque
        } else {
            wgpu::CompositeAlphaMode::Auto
        };
        let wanted: &[PresentMode] = match preference {
            PresentPreference::Latest => &[PresentMode::Mailbox, PresentMode::Immediate],
            PresentPreference::Vsync => &[],
        };
        let present_mode = wanted.iter().copied().find(|mode| capabilities.present_modes.contains(mode));
        let mut configuration = wgpu::SurfaceConfiguration {
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT,
            format: TARGET_FORMAT,
            color_space: wgpu::SurfaceColorSpace::Auto,
            width: 1,
            height: 1,
            desired_maximum_frame_latency: 2,
            present_mode: present_mode.unwrap_or(PresentMode::Fifo),
            alpha_mode,
            view_formats: Vec::new(),
        };
        set_size(&mut configuration, size, gpu);
        surface.configure(&gpu.device, &configuration);
        Ok(Self { surface, configuration })
    }

    /// The window has another size.
    pub(super) fn resize(&mut self, gpu: &Gpu, size: Size) {
        set_size(&mut self.configuration, size, gpu);
        self.surface.configure(&gpu.device, &self.configuration);
    }

    /// The next texture to draw on. A surface that is lost or no longer fits is set up again.
    pub(super) fn acquire(&mut self, gpu: &Gpu) -> Result<Acquired, RenderError> {
        for _ in 0..2 {
            match self.surface.get_current_texture() {
                CurrentSurfaceTexture::Success(frame) | CurrentSurfaceTexture::Suboptimal(frame) => {
                    return Ok(Acquired::Frame(frame));
                }
                CurrentSurfaceTexture::Timeout => return Ok(Acquired::Timeout),
                CurrentSurfaceTexture::Occluded => return Ok(Acquired::Occluded),
                CurrentSurfaceTexture::Outdated | CurrentSurfaceTexture::Lost => {
                    gpu.check()?;
                    self.surface.configure(&gpu.device, &self.configuration);
                }
                CurrentSurfaceTexture::Validation => break,
            }
        }
        gpu.check()?;
        Err(RenderError::Surface("it gave no texture to draw on".into()))
    }

    pub(super) fn size(&self) -> Size {
        Size { width: self.configuration.width, height: self.configuration.height }
    }

    pub(super) fn present_mode(&self) -> PresentMode {
        self.configuration.present_mode
    }
}

/// Surfaces have at least one pixel, and at most as many as textures.
fn set_size(configuration: &mut wgpu::SurfaceConfiguration, size: Size, gpu: &Gpu) {
    let limit = gpu.limits.max_texture_dimension_2d;
    configuration.width = size.width.clamp(1, limit);
    configuration.height = size.height.clamp(1, limit);
}
