//! From a decoded picture to the acknowledgement: what painting costs, by renderer and format.
//!
//! `cargo bench --bench upload`. On a software adapter the shader runs after the acknowledgement,
//! on other threads; `present` times of the viewer show that.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use farpane::buffers::Payload;
use farpane::channel::{
    AppEvent, AppSink, BackingUpdate, DecodedDraw, DrawContent, NetCommand, NetQueue, RenderItem,
    RenderMessage, clock,
};
use farpane::codec::{Picture, PixelFormat, Plane, YuvFormat, YuvMatrix, YuvPicture};
use farpane::geometry::{Rect, Size};
use farpane::protocol::packet::draw::{Encoding, ScrollRect};
use farpane::protocol::packet::{DrawSequence, WindowId};
use farpane::render::{RenderOptions, RendererChoice};
use farpane::stats::DrawTrace;
use farpane::threads::Engine;

const FULL_HD: Size = Size { width: 1920, height: 1080 };
const WID: WindowId = WindowId(1);

struct NoApp;

impl AppSink for NoApp {
    fn send(&self, _: AppEvent) {}
}

struct Renderer {
    engine: Engine,
    /// What the renderer replies.
    replies: NetQueue,
}

impl Renderer {
    fn start(renderer: RendererChoice) -> Self {
        let replies = NetQueue::default();
        let options = RenderOptions { renderer, offscreen: true, ..RenderOptions::default() };
        let engine = Engine::without_session(options, Arc::new(NoApp), Box::new(replies.clone()));
        let renderer = Self { engine: engine.expect("a thread"), replies };
        renderer.item(RenderItem::Backing { wid: WID, update: BackingUpdate::Resize(FULL_HD) });
        renderer
    }

    fn item(&self, item: RenderItem) {
        self.engine.queues().render.push(RenderMessage::Item(item));
    }

    /// Paints and waits for the acknowledgement.
    fn draw(&self, rect: Rect, content: DrawContent) {
        let now = clock::now();
        let draw = DecodedDraw {
            wid: WID,
            sequence: DrawSequence(1),
            rect,
            encoding: Encoding::Rgb32,
            content,
            flush: 0,
            trace: DrawTrace::new(now, now, 0),
            permit: None,
        };
        self.item(RenderItem::Draw(draw));
        loop {
            match self.replies.try_pop() {
                Some(NetCommand::DrawDone(done)) => {
                    black_box(done);
                    return;
                }
                Some(_) => {}
                None => std::thread::yield_now(),
            }
        }
    }
}

fn packed(format: PixelFormat, size: Size) -> Picture {
    let rowstride = size.width as usize * format.bytes_per_pixel();
    let bytes: Vec<u8> = (0..rowstride * size.height as usize).map(|at| ((at * 31) >> 3) as u8).collect();
    Picture::packed(size, format, rowstride, Payload::from(bytes)).expect("a valid picture")
}

fn i420(size: Size) -> Picture {
    let (width, height) = (size.width as usize, size.height as usize);
    let bytes: Vec<u8> = (0..width * height * 3 / 2).map(|at| ((at * 31) >> 3) as u8).collect();
    let plane = |offset, rowstride| Plane { offset, rowstride };
    let luma = width * height;
    let planes = [plane(0, width), plane(luma, width / 2), plane(luma + luma / 4, width / 2)];
    let data = Payload::from(bytes);
    let (format, matrix, full_range) = (YuvFormat::I420, YuvMatrix::Bt601, false);
    Picture::yuv(size, YuvPicture { format, matrix, full_range, planes, data }).expect("a valid picture")
}

fn upload(criterion: &mut Criterion) {
    let small = Size { width: 32, height: 32 };
    let scroll = ScrollRect { x: 0, y: 16, width: 1920, height: 1064, dx: 0, dy: -16 };
    let contents = [
        ("bgrx 1080p", FULL_HD, DrawContent::Picture(packed(PixelFormat::Bgrx, FULL_HD))),
        ("rgbx 1080p", FULL_HD, DrawContent::Picture(packed(PixelFormat::Rgbx, FULL_HD))),
        ("rgb 1080p", FULL_HD, DrawContent::Picture(packed(PixelFormat::Rgb, FULL_HD))),
        ("i420 1080p", FULL_HD, DrawContent::Picture(i420(FULL_HD))),
        ("i420 960p scaled", FULL_HD, DrawContent::Picture(i420(Size { width: 960, height: 540 }))),
        ("bgrx 32x32", small, DrawContent::Picture(packed(PixelFormat::Bgrx, small))),
        ("scroll 1080p", FULL_HD, DrawContent::Scroll(vec![scroll])),
    ];
    for (name, renderer) in [("cpu", RendererChoice::Cpu), ("wgpu", RendererChoice::Wgpu)] {
        let renderer = Renderer::start(renderer);
        let mut group = criterion.benchmark_group(format!("upload {name}"));
        group.sample_size(20);
        for (name, size, content) in &contents {
            let rect = Rect { x: 0, y: 0, width: size.width, height: size.height };
            group.throughput(Throughput::Elements(u64::from(size.width) * u64::from(size.height)));
            group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
                bencher.iter(|| {
                    let content = match content {
                        DrawContent::Picture(picture) => DrawContent::Picture(picture.clone()),
                        DrawContent::Compressed(packed) => DrawContent::Compressed(packed.clone()),
                        DrawContent::Video(_) => unreachable!("not among the contents"),
                        DrawContent::Scroll(rects) => DrawContent::Scroll(rects.clone()),
                        DrawContent::Nothing(outcome) => DrawContent::Nothing(outcome.clone()),
                    };
                    renderer.draw(rect, content);
                });
            });
        }
    }
}

criterion_group!(benches, upload);
criterion_main!(benches);
