//! The pass that shows a backing, with the overlay over it, on a target.

use super::backing::{Backing, PARAMS_BYTES};
use super::device::Gpu;
use crate::channel::Scaling;
use crate::channel::scaling::filled;
use crate::geometry::Size;
use crate::render::overlay::{Overlay, TextureChanges};
use crate::stats::{CopyLedger, CopySite};

/// The format of every target. All surfaces that wgpu knows have it.
pub(super) const TARGET_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Bgra8Unorm;

/// The pipeline of `shaders/present.wgsl` for the present scaling.
pub(super) struct Presenter {
    pub(super) backing_layout: wgpu::BindGroupLayout,
    module: wgpu::ShaderModule,
    layout: wgpu::PipelineLayout,
    pipeline: wgpu::RenderPipeline,
    scaling: Scaling,
}

impl Presenter {
    pub(super) fn new(gpu: &Gpu) -> Self {
        let backing_layout = gpu.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("backing"),
            entries: &[
                wgpu::BindGroupLayoutEntry {
                    binding: 0,
                    visibility: wgpu::ShaderStages::FRAGMENT,
                    ty: wgpu::BindingType::Texture {
                        sample_type: wgpu::TextureSampleType::Float { filterable: false },
                        view_dimension: wgpu::TextureViewDimension::D2,
                        multisampled: false,
                    },
                    count: None,
                },
                wgpu::BindGroupLayoutEntry {
                    binding: 1,
                    visibility: wgpu::ShaderStages::FRAGMENT,
                    ty: wgpu::BindingType::Buffer {
                        ty: wgpu::BufferBindingType::Uniform,
                        has_dynamic_offset: false,
                        min_binding_size: std::num::NonZeroU64::new(PARAMS_BYTES),
                    },
                    count: None,
                },
            ],
        });
        let layout = gpu.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("present"),
            bind_group_layouts: &[Some(&backing_layout)],
            immediate_size: 0,
        });
        let module = gpu.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("present"),
            source: wgpu::ShaderSource::Wgsl(include_str!("../../../../shaders/present.wgsl").into()),
        });
        let scaling = Scaling::default();
        let pipeline = pipeline(gpu, &module, &layout, scaling);
        Self { backing_layout, module, layout, pipeline, scaling }
    }

    /// Shows backings in this size and way from now on.
    pub(super) fn set_scaling(&mut self, gpu: &Gpu, scaling: Scaling) {
        if std::mem::replace(&mut self.scaling, scaling) != scaling {
            self.pipeline = pipeline(gpu, &self.module, &self.layout, scaling);
        }
    }

    pub(super) fn scaling(&self) -> Scaling {
        self.scaling
    }

    /// Records and submits the pass that fills a target of `size`; what the backing does not cover is black
    /// ([`filled`]).
    pub(super) fn draw(
        &self,
        gpu: &Gpu,
        target: &wgpu::Texture,
        size: Size,
        backing: Option<&Backing>,
        overlay: Option<(&mut egui_wgpu::Renderer, &Overlay)>,
    ) {
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let screen = egui_wgpu::ScreenDescriptor {
            size_in_pixels: [size.width, size.height],
            pixels_per_point: overlay.as_ref().map_or(1.0, |(_, overlay)| overlay.pixels_per_point()),
        };
        let overlay = overlay.map(|(renderer, overlay)| {
            let primitives = overlay.primitives();
            // The overlay has no paint callbacks, so there are no command buffers of theirs.
            renderer.update_buffers(&gpu.device, &gpu.queue, &mut encoder, primitives, &screen);
            (&*renderer, primitives)
        });
        let view = target.create_view(&wgpu::TextureViewDescriptor::default());
        let mut pass = encoder
            .begin_render_pass(&wgpu::RenderPassDescriptor {
                label: Some("present"),
                color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                    view: &view,
                    depth_slice: None,
                    resolve_target: None,
                    ops: wgpu::Operations {
                        load: wgpu::LoadOp::Clear(wgpu::Color::BLACK),
                        store: wgpu::StoreOp::Store,
                    },
                })],
                ..Default::default()
            })
            .forget_lifetime();
        if let Some(backing) = backing {
            let shown = self.scaling.shown(backing.size, size);
            let filled = filled(shown, size);
            pass.set_scissor_rect(0, 0, filled.width.min(size.width), filled.height.min(size.height));
            if !self.scaling.is_off() {
                let params = [shown.width, shown.height];
                gpu.queue.write_buffer(&backing.params, 0, bytemuck::bytes_of(&params));
            }
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &backing.bind_group, &[]);
            pass.draw(0..3, 0..1);
        }
        if let Some((renderer, primitives)) = overlay {
            renderer.render(&mut pass, primitives, &screen);
        }
        drop(pass);
        gpu.queue.submit([encoder.finish()]);
    }
}

fn pipeline(
    gpu: &Gpu,
    module: &wgpu::ShaderModule,
    layout: &wgpu::PipelineLayout,
    scaling: Scaling,
) -> wgpu::RenderPipeline {
    let is_on = |flag: bool| if flag { 1.0 } else { 0.0 };
    let constants = [("SCALED", is_on(!scaling.is_off())), ("NEAREST", is_on(scaling.is_nearest()))];
    gpu.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some("present"),
        layout: Some(layout),
        vertex: wgpu::VertexState {
            module,
            entry_point: Some("vertex"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            buffers: &[],
        },
        primitive: wgpu::PrimitiveState::default(),
        depth_stencil: None,
        multisample: wgpu::MultisampleState::default(),
        fragment: Some(wgpu::FragmentState {
            module,
            entry_point: Some("fragment"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &constants,
                ..Default::default()
            },
            targets: &[Some(TARGET_FORMAT.into())],
        }),
        multiview_mask: None,
        cache: None,
    })
}

/// A renderer for the overlay of one window.
pub(super) fn overlay_renderer(gpu: &Gpu) -> egui_wgpu::Renderer {
    let options = egui_wgpu::RendererOptions { dithering: false, ..Default::default() };
    egui_wgpu::Renderer::new(&gpu.device, TARGET_FORMAT, options)
}

/// Applies texture changes.
pub(super) fn update_textures(
    gpu: &Gpu,
    renderer: &mut egui_wgpu::Renderer,
    changes: &TextureChanges,
    ledger: &mut CopyLedger,
) {
    for id in &changes.free {
        renderer.free_texture(id);
    }
    for (id, delta) in &changes.set {
        renderer.update_texture(&gpu.device, &gpu.queue, *id, delta);
        let [width, height] = delta.image.size();
        ledger.note_copy(CopySite::Staging, width * height * 4);
    }
}
