//! Pictures that need a shader: `shaders/unpack.wgsl` turns their bytes into backing pixels.

use std::collections::HashMap;
use std::num::NonZeroU64;

use bytemuck::{Pod, Zeroable};

use super::backing::{BACKING_FORMAT, Backing};
use super::device::Gpu;
use super::staging::Staging;
use crate::codec::{PictureRef, PixelFormat, PixelsRef, YuvFormat, YuvMatrix, YuvRef};
use crate::geometry::Rect;
use crate::render::RenderError;
use crate::stats::{CopyLedger, CopySite};

/// `Params` of the shader.
#[derive(Clone, Copy, Default, Pod, Zeroable)]
#[repr(C)]
struct Params {
    rect_origin: [i32; 2],
    rect_size: [u32; 2],
    picture_size: [u32; 2],
    chroma_shift: [u32; 2],
    plane_offsets: [u32; 4],
    rowstrides: [u32; 4],
    red: [f32; 4],
    green: [f32; 4],
    blue: [f32; 4],
}

/// Makes backing pixels out of pictures. Pipelines are made when a format first comes.
pub(super) struct Unpacker {
    module: wgpu::ShaderModule,
    layout: wgpu::PipelineLayout,
    pipelines: HashMap<(u32, bool), wgpu::RenderPipeline>,
    pub(super) staging: Staging,
}

impl Unpacker {
    pub(super) fn new(gpu: &Gpu) -> Self {
        let params_size = NonZeroU64::new(size_of::<Params>() as u64).unwrap_or(NonZeroU64::MIN);
        let entry = |binding, ty, has_dynamic_offset, min_binding_size| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::FRAGMENT,
            ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset, min_binding_size },
            count: None,
        };
        let group_layout = gpu.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("unpack"),
            entries: &[
                entry(0, wgpu::BufferBindingType::Uniform, true, Some(params_size)),
                entry(1, wgpu::BufferBindingType::Storage { read_only: true }, false, None),
            ],
        });
        let layout = gpu.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("unpack"),
            bind_group_layouts: &[Some(&group_layout)],
            immediate_size: 0,
        });
        let module = gpu.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("unpack"),
            source: wgpu::ShaderSource::Wgsl(include_str!("../../../../shaders/unpack.wgsl").into()),
        });
        let staging = Staging::new(gpu, group_layout, params_size);
        Self { module, layout, pipelines: HashMap::new(), staging }
    }

    /// Uploads the picture's bytes and records the pass that paints it over `rect`, of which
    /// `visible` lies in the backing. Not while `staging` is full.
    pub(super) fn paint(
        &mut self,
        gpu: &Gpu,
        encoder: &mut wgpu::CommandEncoder,
        backing: &Backing,
        (rect, visible): (Rect, Rect),
        picture: PictureRef<'_>,
        ledger: &mut CopyLedger,
    ) -> Result<(), RenderError> {
        let (format, parts) = match picture.pixels {
            PixelsRef::Packed { format, data, .. } => (shader_format(format), [data, &[], &[]]),
            PixelsRef::Yuv(yuv) => (9, yuv.planes.map(|plane| plane.data)),
        };
        let mut len = 0_usize;
        // Writes begin at whole words.
        let offsets = parts.map(|part| {
            let offset = len;
            len = offset.saturating_add(part.len().next_multiple_of(4));
            offset
        });
        let limit = gpu.limits.max_storage_buffer_binding_size.min(u64::from(u32::MAX));
        if len as u64 > limit {
            return Err(RenderError::PictureTooLarge { got: len, limit });
        }
        let params = params(rect, &picture, offsets);
        let scaled = (rect.width, rect.height) != (picture.width, picture.height);
        let pipeline = self
            .pipelines
            .entry((format, scaled))
            .or_insert_with(|| make_pipeline(gpu, &self.module, &self.layout, format, scaled));
        let offset = self.staging.write_params(&gpu.queue, bytemuck::bytes_of(&params));
        let staging = self.staging.take(&gpu.device, len, ledger);
        for (offset, part) in offsets.into_iter().zip(parts) {
            upload(&gpu.queue, &staging.buffer, offset as u64, part, ledger);
        }
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("unpack"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &backing.view,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations { load: wgpu::LoadOp::Load, store: wgpu::StoreOp::Store },
            })],
            ..Default::default()
        });
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, &staging.bind_group, &[offset]);
        // A clipped rectangle has no negative coordinates.
        pass.set_scissor_rect(
            visible.x.unsigned_abs(),
            visible.y.unsigned_abs(),
            visible.width,
            visible.height,
        );
        pass.draw(0..3, 0..1);
        Ok(())
    }
}

/// Writes all of `data` to `offset`; the end, if it is not a multiple of four bytes long, is padded with zeros.
fn upload(queue: &wgpu::Queue, buffer: &wgpu::Buffer, offset: u64, data: &[u8], ledger: &mut CopyLedger) {
    let (words, rest) = data.split_at(data.len() & !3);
    if !words.is_empty() {
        queue.write_buffer(buffer, offset, words);
        ledger.note_copy(CopySite::Staging, words.len());
    }
    if !rest.is_empty() {
        let last: [u8; 4] = std::array::from_fn(|index| rest.get(index).copied().unwrap_or(0));
        queue.write_buffer(buffer, offset + words.len() as u64, &last);
        ledger.note_copy(CopySite::Staging, rest.len());
    }
}

/// The shader's name for a format. Alpha makes no difference.
fn shader_format(format: PixelFormat) -> u32 {
    match format {
        PixelFormat::Bgrx | PixelFormat::Bgra => 0,
        PixelFormat::Rgbx | PixelFormat::Rgba => 1,
        PixelFormat::Xrgb | PixelFormat::Argb => 2,
        PixelFormat::Xbgr | PixelFormat::Abgr => 3,
        PixelFormat::Rgb => 4,
        PixelFormat::Bgr => 5,
        PixelFormat::Bgr565 => 6,
        PixelFormat::R210 => 7,
        PixelFormat::Grey => 8,
    }
}

fn params(rect: Rect, picture: &PictureRef, offsets: [usize; 3]) -> Params {
    let mut params = Params {
        rect_origin: [rect.x, rect.y],
        rect_size: [rect.width, rect.height],
        picture_size: [picture.width, picture.height],
        ..Params::default()
    };
    // Offsets and strides lie within data that is smaller than 4 GiB, or do not matter: a
    // stride is larger than the data only if there is one row.
    let word = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    match &picture.pixels {
        PixelsRef::Packed { rowstride, .. } => params.rowstrides[0] = word(*rowstride),
        PixelsRef::Yuv(yuv) => {
            for (index, plane) in yuv.planes.iter().enumerate() {
                params.plane_offsets[index] = word(offsets[index]);
                params.rowstrides[index] = word(plane.rowstride);
            }
            params.chroma_shift = match yuv.format {
                YuvFormat::I420 => [1, 1],
                YuvFormat::I422 => [1, 0],
                YuvFormat::I444 => [0, 0],
            };
            [params.red, params.green, params.blue] = yuv_matrix(yuv);
        }
    }
    params
}

/// The rows that make R, G and B, 0..=255, of (Y, U, V, 1), samples being 0..=255.
/// ITU-R BT.601 and BT.709.
fn yuv_matrix(yuv: &YuvRef) -> [[f32; 4]; 3] {
    let (red, blue) = match yuv.matrix {
        YuvMatrix::Bt601 => (0.299, 0.114),
        YuvMatrix::Bt709 => (0.2126, 0.0722),
    };
    let green = 1.0 - red - blue;
    let (luma_zero, luma, chroma) =
        if yuv.full_range { (0.0, 1.0, 1.0) } else { (16.0, 255.0 / 219.0, 255.0 / 224.0) };
    let red_of_v = 2.0 * (1.0 - red) * chroma;
    let blue_of_u = 2.0 * (1.0 - blue) * chroma;
    let (green_of_u, green_of_v) = (-blue_of_u * blue / green, -red_of_v * red / green);
    let row = |u: f64, v: f64| {
        let constant = -luma * luma_zero - 128.0 * (u + v);
        [luma, u, v, constant].map(|factor| factor as f32)
    };
    [row(0.0, red_of_v), row(green_of_u, green_of_v), row(blue_of_u, 0.0)]
}

fn make_pipeline(
    gpu: &Gpu,
    module: &wgpu::ShaderModule,
    layout: &wgpu::PipelineLayout,
    format: u32,
    scaled: bool,
) -> wgpu::RenderPipeline {
    let constants = [("FORMAT", f64::from(format)), ("SCALED", f64::from(u8::from(scaled)))];
    let compilation_options =
        wgpu::PipelineCompilationOptions { constants: &constants, ..Default::default() };
    gpu.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some("unpack"),
        layout: Some(layout),
        vertex: wgpu::VertexState {
            module,
            entry_point: Some("vertex"),
            compilation_options: compilation_options.clone(),
            buffers: &[],
        },
        primitive: wgpu::PrimitiveState::default(),
        depth_stencil: None,
        multisample: wgpu::MultisampleState::default(),
        fragment: Some(wgpu::FragmentState {
            module,
            entry_point: Some("fragment"),
            compilation_options,
            targets: &[Some(BACKING_FORMAT.into())],
        }),
        multiview_mask: None,
        cache: None,
    })
}
