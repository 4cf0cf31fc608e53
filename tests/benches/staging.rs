//! Ways to get the bytes of a picture into a window's texture, on the adapter that wgpu finds:
//! `cargo bench --bench staging`; `-- --docs docs/screen-path.md` writes the table there.
//!
//! CPU time of the whole process, which on a software adapter is the device's too, and the time until
//! the device is done, for a picture at a time. The best of several rounds counts.
#![expect(clippy::disallowed_methods, reason = "copies are what is measured")]
#![expect(clippy::print_stdout, reason = "a table for the terminal")]
#![expect(clippy::unwrap_used, reason = "a benchmark may fail")]

use std::fmt::Write as _;
use std::time::Instant;

use cpu_time::ProcessTime;
use farpane::bench::docs;
use wgpu::BufferUsages as Usage;

const COMMAND: &str = "cargo bench --bench staging";
const ROUNDS: usize = 10;
const PICTURES: usize = 20;
/// Texture copies want rows of a multiple of this.
const ROW: usize = wgpu::COPY_BYTES_PER_ROW_ALIGNMENT as usize;
/// Buffers of a ring.
const RING: usize = 3;
/// `FORMAT` of `shaders/unpack.wgsl` for 32 and for 24 bits a pixel.
const FORMATS: [f64; 2] = [0.0, 5.0];

/// A picture with B, G and R first in its pixels.
struct Picture {
    name: &'static str,
    width: usize,
    height: usize,
    bytes_per_pixel: usize,
    rowstride: usize,
    bytes: Vec<u8>,
}

impl Picture {
    fn new(name: &'static str, width: usize, height: usize, bytes_per_pixel: usize) -> Self {
        let rowstride = width * bytes_per_pixel;
        let bytes = (0..(rowstride * height).next_multiple_of(4)).map(|at| ((at * 31) >> 3) as u8).collect();
        Self { name, width, height, bytes_per_pixel, rowstride, bytes }
    }

    fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.chunks_exact(self.rowstride).take(self.height)
    }

    fn extent(&self) -> wgpu::Extent3d {
        let (width, height) = (self.width as u32, self.height as u32);
        wgpu::Extent3d { width, height, depth_or_array_layers: 1 }
    }

    /// Bytes of a row of 32-bit pixels, as texture copies want them.
    fn padded_row(&self) -> usize {
        (self.width * 4).next_multiple_of(ROW)
    }

    fn layout(&self, row: usize) -> wgpu::TexelCopyBufferLayout {
        wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(row as u32), rows_per_image: None }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// `write_texture`: wgpu takes memory for each picture, and copies it from there.
    WriteTexture,
    /// The same after each pixel got its fourth byte.
    WidenedWriteTexture,
    /// Into a mapped buffer of a ring, and from there to the texture by a command.
    Ring,
    /// The same; each pixel gets its fourth byte on the way.
    WidenedRing,
    /// `write_buffer` into a storage buffer, from which a shader paints.
    Storage,
    /// A ring of mapped buffers, copied to a storage buffer by a command.
    RingStorage,
    /// A ring of mapped storage buffers: the shader reads what was written.
    MappedStorage,
}

impl Way {
    const ALL: [Self; 7] = [
        Self::WriteTexture,
        Self::WidenedWriteTexture,
        Self::Ring,
        Self::WidenedRing,
        Self::Storage,
        Self::RingStorage,
        Self::MappedStorage,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::WriteTexture => "`write_texture`",
            Self::WidenedWriteTexture => "widened, `write_texture`",
            Self::Ring => "ring of mapped buffers",
            Self::WidenedRing => "widened into that ring",
            Self::Storage => "`write_buffer`, shader",
            Self::RingStorage => "ring, storage buffer, shader",
            Self::MappedStorage => "ring of mapped storage buffers, shader",
        }
    }

    fn takes(self, picture: &Picture, device: &wgpu::Device) -> bool {
        match self {
            Self::WriteTexture | Self::Ring => picture.bytes_per_pixel == 4,
            Self::WidenedWriteTexture | Self::WidenedRing => picture.bytes_per_pixel == 3,
            Self::Storage | Self::RingStorage => true,
            Self::MappedStorage => device.features().contains(wgpu::Features::MAPPABLE_PRIMARY_BUFFERS),
        }
    }
}

/// What one picture after the other goes through.
struct Bench<'a> {
    device: &'a wgpu::Device,
    queue: &'a wgpu::Queue,
    picture: &'a Picture,
    way: Way,
    texture: wgpu::Texture,
    pipeline: wgpu::RenderPipeline,
    params: wgpu::Buffer,
    storage: wgpu::Buffer,
    ring: Vec<wgpu::Buffer>,
    bind_groups: Vec<wgpu::BindGroup>,
    widened: Vec<u8>,
    next: usize,
}

impl<'a> Bench<'a> {
    fn new(device: &'a wgpu::Device, queue: &'a wgpu::Queue, picture: &'a Picture, way: Way) -> Self {
        let texture = device.create_texture(&wgpu::TextureDescriptor {
            label: None,
            size: picture.extent(),
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::Bgra8Unorm,
            usage: wgpu::TextureUsages::COPY_SRC
                | wgpu::TextureUsages::COPY_DST
                | wgpu::TextureUsages::RENDER_ATTACHMENT,
            view_formats: &[],
        });
        let buffer = |usage, mapped_at_creation| {
            let size = (picture.padded_row() * picture.height) as u64;
            device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation })
        };
        let storage = buffer(Usage::STORAGE | Usage::COPY_DST, false);
        let ring_usage = match way {
            Way::MappedStorage => Usage::MAP_WRITE | Usage::STORAGE,
            _ => Usage::MAP_WRITE | Usage::COPY_SRC,
        };
        let ring: Vec<wgpu::Buffer> = (0..RING).map(|_| buffer(ring_usage, true)).collect();
        // As in render/gpu/unpack.rs, without what only YUV needs.
        let (width, height) = (picture.width as u32, picture.height as u32);
        let mut words = [0_u32; 28];
        words[2..6].copy_from_slice(&[width, height, width, height]);
        words[12] = picture.rowstride as u32;
        let params = buffer(Usage::UNIFORM | Usage::COPY_DST, false);
        queue.write_buffer(&params, 0, &words.map(u32::to_le_bytes).concat());
        let pipeline = pipeline(device, FORMATS[usize::from(picture.bytes_per_pixel == 3)]);
        let bind = |data: &wgpu::Buffer| {
            let params = wgpu::BufferBinding { buffer: &params, offset: 0, size: wgpu::BufferSize::new(112) };
            let params = wgpu::BindingResource::Buffer(params);
            device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout: &pipeline.get_bind_group_layout(0),
                entries: &[
                    wgpu::BindGroupEntry { binding: 0, resource: params },
                    wgpu::BindGroupEntry { binding: 1, resource: data.as_entire_binding() },
                ],
            })
        };
        let bind_groups = match way {
            Way::MappedStorage => ring.iter().map(bind).collect(),
            _ => vec![bind(&storage)],
        };
        let (widened, next) = (Vec::new(), 0);
        Self {
            device,
            queue,
            picture,
            way,
            texture,
            pipeline,
            params,
            storage,
            ring,
            bind_groups,
            widened,
            next,
        }
    }

    /// Brings the picture into the texture and waits until it is there.
    fn upload(&mut self) {
        let picture = self.picture;
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let next = self.next;
        self.next = (next + 1) % RING;
        let buffer = &self.ring[next];
        let mut mapped = None;
        match self.way {
            Way::WriteTexture => self.write_texture(&picture.bytes, picture.rowstride),
            Way::WidenedWriteTexture => {
                self.widened.clear();
                self.widened
                    .extend(picture.bytes.as_chunks().0.iter().flat_map(|[b, g, r]| [*b, *g, *r, 255]));
                self.write_texture(&self.widened, picture.width * 4);
            }
            Way::Ring | Way::WidenedRing => {
                let row_len = picture.padded_row();
                let mut view = buffer.get_mapped_range_mut(..).unwrap();
                for (row, at) in picture.rows().zip((0..).step_by(row_len)) {
                    let mut to = view.slice(at..at + picture.width * 4);
                    match self.way {
                        Way::Ring => to.copy_from_slice(row),
                        _ => {
                            let (pixels, _) = to.into_chunks::<4>();
                            pixels.write_iter(row.as_chunks().0.iter().map(|[b, g, r]| [*b, *g, *r, 255]));
                        }
                    }
                }
                drop(view);
                buffer.unmap();
                let layout = picture.layout(row_len);
                let from = wgpu::TexelCopyBufferInfo { buffer, layout };
                encoder.copy_buffer_to_texture(from, self.texture.as_image_copy(), picture.extent());
                mapped = Some(buffer);
            }
            Way::Storage => {
                self.queue.write_buffer(&self.storage, 0, &picture.bytes);
                self.paint(&mut encoder, 0);
            }
            Way::RingStorage | Way::MappedStorage => {
                let len = picture.bytes.len();
                buffer.get_mapped_range_mut(..len as u64).unwrap().copy_from_slice(&picture.bytes);
                buffer.unmap();
                let group = if self.way == Way::MappedStorage { next } else { 0 };
                if self.way == Way::RingStorage {
                    encoder.copy_buffer_to_buffer(buffer, 0, &self.storage, 0, len as u64);
                }
                self.paint(&mut encoder, group);
                mapped = Some(buffer);
            }
        }
        self.queue.submit([encoder.finish()]);
        if let Some(buffer) = mapped {
            buffer.map_async(wgpu::MapMode::Write, .., |result| result.unwrap());
        }
        self.device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
    }

    fn write_texture(&self, bytes: &[u8], row: usize) {
        let to = self.texture.as_image_copy();
        self.queue.write_texture(to, bytes, self.picture.layout(row), self.picture.extent());
    }

    fn paint(&self, encoder: &mut wgpu::CommandEncoder, group: usize) {
        let view = self.texture.create_view(&wgpu::TextureViewDescriptor::default());
        let ops = wgpu::Operations { load: wgpu::LoadOp::Load, store: wgpu::StoreOp::Store };
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &view,
                depth_slice: None,
                resolve_target: None,
                ops,
            })],
            ..Default::default()
        });
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bind_groups[group], &[]);
        pass.draw(0..3, 0..1);
    }

    /// The texture holds the picture.
    fn check(&self) {
        let (picture, row_len) = (self.picture, self.picture.padded_row());
        let size = (row_len * picture.height) as u64;
        let usage = Usage::MAP_READ | Usage::COPY_DST;
        let descriptor = wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
        let buffer = self.device.create_buffer(&descriptor);
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let to = wgpu::TexelCopyBufferInfo { buffer: &buffer, layout: picture.layout(row_len) };
        encoder.copy_texture_to_buffer(self.texture.as_image_copy(), to, picture.extent());
        self.queue.submit([encoder.finish()]);
        buffer.map_async(wgpu::MapMode::Read, .., |result| result.unwrap());
        self.device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
        let view = buffer.get_mapped_range(..).unwrap();
        for (shown, row) in view.chunks_exact(row_len).zip(picture.rows()) {
            for (shown, pixel) in shown.chunks_exact(4).zip(row.chunks_exact(picture.bytes_per_pixel)) {
                assert_eq!(shown[..3], pixel[..3], "{}, {}", picture.name, self.way.name());
            }
        }
    }

    /// Milliseconds a picture: of the CPU, and until the device was done.
    fn measure(mut self) -> (f64, f64) {
        (0..RING).for_each(|_| self.upload());
        self.check();
        let (mut cpu, mut wall) = (f64::MAX, f64::MAX);
        for _ in 0..ROUNDS {
            let (before, start) = (ProcessTime::now(), Instant::now());
            (0..PICTURES).for_each(|_| self.upload());
            cpu = cpu.min(before.elapsed().as_secs_f64() * 1e3 / PICTURES as f64);
            wall = wall.min(start.elapsed().as_secs_f64() * 1e3 / PICTURES as f64);
        }
        self.params.destroy();
        (cpu, wall)
    }
}

fn pipeline(device: &wgpu::Device, format: f64) -> wgpu::RenderPipeline {
    let source = wgpu::ShaderSource::Wgsl(include_str!("../../shaders/unpack.wgsl").into());
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source });
    let constants = [("FORMAT", format)];
    let compilation_options =
        wgpu::PipelineCompilationOptions { constants: &constants, ..Default::default() };
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: None,
        layout: None,
        vertex: wgpu::VertexState {
            module: &module,
            entry_point: Some("vertex"),
            compilation_options: compilation_options.clone(),
            buffers: &[],
        },
        primitive: wgpu::PrimitiveState::default(),
        depth_stencil: None,
        multisample: wgpu::MultisampleState::default(),
        fragment: Some(wgpu::FragmentState {
            module: &module,
            entry_point: Some("fragment"),
            compilation_options,
            targets: &[Some(wgpu::TextureFormat::Bgra8Unorm.into())],
        }),
        multiview_mask: None,
        cache: None,
    })
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapter = pollster::block_on(instance.request_adapter(&Default::default())).unwrap();
    let descriptor = wgpu::DeviceDescriptor {
        required_features: adapter.features() & wgpu::Features::MAPPABLE_PRIMARY_BUFFERS,
        required_limits: adapter.limits(),
        memory_hints: wgpu::MemoryHints::MemoryUsage,
        ..Default::default()
    };
    let (device, queue) = pollster::block_on(adapter.request_device(&descriptor)).unwrap();
    let info = adapter.get_info();
    let mut table = format!(
        "CPU ms of the whole process for a picture, and in brackets the ms until the device was done, on {} ({}):\n\n",
        info.name, info.backend
    );
    let pictures = [
        Picture::new("1920×1080, 32 bits", 1920, 1080, 4),
        Picture::new("1366×768, 32 bits, rows to be padded", 1366, 768, 4),
        Picture::new("64×64, 32 bits", 64, 64, 4),
        Picture::new("1920×1080, 24 bits", 1920, 1080, 3),
        Picture::new("1365×768, 24 bits, odd rows", 1365, 768, 3),
    ];
    let header = pictures.each_ref().map(|picture| picture.name).join(" | ");
    let _ = writeln!(table, "| | {header} |\n|---|{}", "---:|".repeat(pictures.len()));
    for way in Way::ALL {
        let _ = write!(table, "| {} |", way.name());
        for picture in &pictures {
            if way.takes(picture, &device) {
                let (cpu, wall) = Bench::new(&device, &queue, picture, way).measure();
                let _ = write!(table, " {cpu:.3} ({wall:.3}) |");
            } else {
                table.push_str(" – |");
            }
        }
        table.push('\n');
    }
    println!("{table}");
    if let [docs, file] = &arguments[..]
        && docs == "--docs"
    {
        docs::write(file.as_ref(), COMMAND, &table).unwrap();
    }
}
