//! From a received draw to the screen: CPU time of the whole process for a draw, beside that of the
//! bare decoder. `xvfb-run -s '-screen 0 1920x1080x24' cargo bench --bench screen`.
//!
//! Without `DISPLAY` nothing is presented. `-- --docs docs/screen-path.md` writes the table there;
//! other words choose renderers (`cpu`, `wgpu`) and kinds of draws. The figures are the best of several rounds.
#![expect(unsafe_code, reason = "raw handles of a window that outlives its borrowers")]
#![expect(clippy::print_stdout, reason = "a table for the terminal")]
#![expect(clippy::unwrap_used, reason = "a benchmark may fail")]

#[path = "../it/support/samples.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod samples;

use std::fmt::Write as _;
use std::num::NonZeroU32;
use std::ptr::NonNull;
use std::sync::Arc;

use cpu_time::{ProcessTime, ThreadTime};
use farpane::buffers::{BufferPool, Payload};
use farpane::channel::{
    AppEvent, AppSink, BackingUpdate, ByteBudget, DrawJob, DrawSink, NetCommand, NetQueue, Presented,
    RenderCommand, RenderMessage, clock,
};
use farpane::codec::{Coded, StillDecoder, VideoDecoder};
use farpane::geometry::{Rect, Size};
use farpane::protocol::packet::draw::{DrawOptions, Encoding, PixelCompression, RgbFormatName};
use farpane::protocol::packet::{DrawSequence, WindowId};
use farpane::render::{RenderOptions, RendererChoice};
use farpane::session::DrawRequest;
use farpane::stats::{CopyLedger, DrawTrace};
use farpane::threads::Engine;
use raw_window_handle::{
    DisplayHandle, HandleError, HasDisplayHandle, HasWindowHandle, RawWindowHandle, WindowHandle,
    XcbDisplayHandle, XcbWindowHandle,
};
use turbojpeg::Subsamp;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ConnectionExt, CreateWindowAux, WindowClass};
use x11rb::xcb_ffi::XCBConnection;

const FULL_HD: Size = Size { width: 1920, height: 1080 };
const SMALL: Size = Size { width: 32, height: 32 };
const WID: WindowId = WindowId(1);
const ROUNDS: usize = 8;
const DRAWS: usize = 30;

struct NoApp;

impl AppSink for NoApp {
    fn send(&self, event: AppEvent) {
        if let AppEvent::RendererFailed(why) = event {
            panic!("{why}");
        }
    }
}

struct Window {
    connection: XCBConnection,
    screen: usize,
    id: u32,
}

impl Window {
    fn open() -> Self {
        let (connection, screen) = XCBConnection::connect(None).unwrap();
        let root = &connection.setup().roots[screen];
        let id = connection.generate_id().unwrap();
        let (depth, visual, class) = (root.root_depth, root.root_visual, WindowClass::INPUT_OUTPUT);
        let aux = CreateWindowAux::new();
        connection.create_window(depth, id, root.root, 0, 0, 1920, 1080, 0, class, visual, &aux).unwrap();
        connection.map_window(id).unwrap().check().unwrap();
        Self { connection, screen, id }
    }
}

impl HasWindowHandle for Window {
    fn window_handle(&self) -> Result<WindowHandle<'_>, HandleError> {
        let id = NonZeroU32::new(self.id).ok_or(HandleError::Unavailable)?;
        // SAFETY: the window exists as long as `self`, which is borrowed.
        Ok(unsafe { WindowHandle::borrow_raw(RawWindowHandle::Xcb(XcbWindowHandle::new(id))) })
    }
}

impl HasDisplayHandle for Window {
    fn display_handle(&self) -> Result<DisplayHandle<'_>, HandleError> {
        let connection = NonNull::new(self.connection.get_raw_xcb_connection());
        let handle = XcbDisplayHandle::new(connection, self.screen as i32);
        // SAFETY: the connection exists as long as `self`, which is borrowed.
        Ok(unsafe { DisplayHandle::borrow_raw(handle.into()) })
    }
}

/// Draws of one kind, shown in turn.
struct Kind {
    name: &'static str,
    size: Size,
    encoding: Encoding,
    draws: Vec<(Payload, DrawOptions)>,
}

/// Pictures like a desktop's: words, plain areas and a photograph that moves.
fn desktop(shift: u32) -> Vec<u8> {
    let mut rgba = samples::photo(FULL_HD, shift);
    let mut state = 0x2545_f491_u32;
    let mut words = vec![false; 240 * 108];
    for word in &mut words {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *word = state >> 30 != 0;
    }
    for (y, row) in rgba.chunks_exact_mut(1920 * 4).enumerate() {
        for (x, pixel) in row.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            if (x < 1200) || y < 40 {
                // Glyphs are 8 pixels wide, with the same few shapes again and again.
                let glyph = (x / 8 * 7 + y / 10 * 13 + shift as usize) % 26;
                let inked = words[y / 10 * 240 + x / 8] && (x % 8 * 5 + y % 10 * 3 + glyph).is_multiple_of(4);
                *pixel = if inked { [30, 30, 30, 255] } else { [250, 248, 240, 255] };
            } else {
                pixel[3] = 255;
            }
        }
    }
    rgba
}

fn kinds() -> Vec<Kind> {
    let rgb = |pixel_compression| DrawOptions {
        rgb_format: Some(RgbFormatName::Bgrx),
        pixel_compression,
        ..DrawOptions::default()
    };
    let frames: Vec<Vec<u8>> = (0..4).map(|step| desktop(step * 16)).collect();
    let kind = |name, encoding, options: DrawOptions, file: &dyn Fn(&[u8]) -> Vec<u8>| {
        let draws = frames.iter().map(|frame| (Payload::from(file(frame)), options.clone())).collect();
        Kind { name, size: FULL_HD, encoding, draws }
    };
    let plain = DrawOptions::default;
    let film = samples::h264(FULL_HD, 10);
    let film = (0..).zip(film).map(|(frame, data)| {
        (Payload::from(data), DrawOptions { frame: Some(frame), ..DrawOptions::default() })
    });
    let png = |frame: &[u8]| {
        let rgb = samples::without_alpha(frame);
        samples::png(FULL_HD, png::ColorType::Rgb, png::BitDepth::Eight, &[], &rgb)
    };
    vec![
        kind("raw", Encoding::Rgb32, rgb(PixelCompression::None), &|frame| Vec::from(frame)),
        kind("lz4", Encoding::Rgb32, rgb(PixelCompression::Lz4), &samples::lz4),
        kind("jpeg", Encoding::Jpeg, plain(), &|frame| samples::jpeg(FULL_HD, frame, Subsamp::Sub2x2)),
        kind("webp", Encoding::Webp, plain(), &|frame| samples::webp(FULL_HD, frame, false)),
        kind("png", Encoding::Png, plain(), &png),
        Kind { name: "h264", size: FULL_HD, encoding: Encoding::H264, draws: film.collect() },
        Kind {
            name: "raw 32x32",
            size: SMALL,
            encoding: Encoding::Rgb32,
            draws: vec![(Payload::from(vec![7; 4096]), rgb(PixelCompression::None))],
        },
    ]
}

/// CPU seconds a draw of the decoder alone: this thread, the same buffers again and again.
fn bare(kind: &Kind) -> f64 {
    let (mut still, mut video) = (StillDecoder::new(BufferPool::default()), VideoDecoder::default());
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let before = ThreadTime::now();
        for (data, options) in kind.draws.iter().cycle().take(DRAWS) {
            let coded = Coded { encoding: kind.encoding, data, size: kind.size, rowstride: 0, options };
            let mut ledger = CopyLedger::default();
            if kind.encoding == Encoding::H264 {
                std::hint::black_box(video.decode(&coded, &mut ledger).unwrap());
            } else {
                std::hint::black_box(still.decode(&coded, &mut ledger).unwrap());
            }
        }
        best = best.min(before.elapsed().as_secs_f64() / DRAWS as f64);
    }
    best
}

/// CPU seconds a draw of the whole process, from the decode pool to the window.
fn whole(kind: &Kind, renderer: RendererChoice) -> f64 {
    let replies = NetQueue::default();
    let window = std::env::var_os("DISPLAY").map(|_| Arc::new(Window::open()));
    let options = RenderOptions { renderer, offscreen: window.is_none(), ..RenderOptions::default() };
    let engine = Engine::without_session(options, Arc::new(NoApp), Box::new(replies.clone())).unwrap();
    let mut decoders = engine.decoders(&BufferPool::default()).unwrap();
    decoders.backing(WID, BackingUpdate::Resize(FULL_HD));
    if let Some(window) = &window {
        let target = Arc::clone(window) as _;
        let attach = RenderCommand::Attach { surface: WID.into(), target, size: FULL_HD, dismissed: None };
        engine.queues().render.push(RenderMessage::Command(attach));
    }
    let budget = ByteBudget::new(256 << 20);
    let mut sequence = 0;
    let mut best = f64::MAX;
    for _ in 0..=ROUNDS {
        let before = ProcessTime::now();
        for (data, options) in kind.draws.iter().cycle().take(DRAWS) {
            sequence += 1;
            let now = clock::now();
            let request = DrawRequest {
                wid: WID,
                sequence: DrawSequence(sequence),
                rect: Rect { x: 0, y: 0, width: kind.size.width, height: kind.size.height },
                encoding: kind.encoding,
                data: data.clone(),
                rowstride: 0,
                options: options.clone(),
                trace: DrawTrace::new(now, now, 0),
            };
            let permit = budget.try_acquire(data.len()).unwrap();
            decoders.draw(DrawJob { request, permit });
            // The next draw comes when this one is on the screen.
            let shown = |command| match command {
                NetCommand::Presented(Presented { sequence: Some(of), .. }) => of == DrawSequence(sequence),
                _ => false,
            };
            while !shown(pollster::block_on(replies.pop())) {}
        }
        best = best.min(before.elapsed().as_secs_f64() / DRAWS as f64);
    }
    best
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (docs, words) = match &arguments[..] {
        [docs, file] if docs == "--docs" => (Some(file), &[][..]),
        words => (None, words),
    };
    let renderers = [("cpu", RendererChoice::Cpu), ("wgpu", RendererChoice::Wgpu)];
    let is_renderer = |word: &str| renderers.iter().any(|(name, _)| *name == word);
    let named = |name: &str| words.iter().any(|word| word == name);
    let any_renderer = words.iter().any(|word| is_renderer(word));
    let renderers: Vec<_> = renderers.into_iter().filter(|(name, _)| !any_renderer || named(name)).collect();
    let any_kind = words.iter().any(|word| !is_renderer(word));
    // X servers start anew when nobody is connected.
    let display = std::env::var_os("DISPLAY");
    let _connection = display.as_ref().map(|_| XCBConnection::connect(None).unwrap());
    let place = if display.is_some() { "shown in a window" } else { "off screen" };
    let mut table =
        format!("CPU ms of the whole process for a draw of 1920×1080, {place}:\n\n| draw | decoder alone |");
    for (name, _) in &renderers {
        let _ = write!(table, " {name} | {name} / decoder alone |");
    }
    let _ = writeln!(table, "\n|---|---:|{}", "---:|".repeat(renderers.len() * 2));
    for kind in kinds().iter().filter(|kind| !any_kind || named(kind.name)) {
        let bare = bare(kind) * 1e3;
        // Handing on bytes as they are is no decoding.
        let decodes = bare > 0.02;
        let _ =
            write!(table, "| {} | {} |", kind.name, if decodes { format!("{bare:.3}") } else { "–".into() });
        for (_, renderer) in &renderers {
            let whole = whole(kind, *renderer) * 1e3;
            let ratio = if decodes { format!("{:.2}", whole / bare) } else { "–".into() };
            let _ = write!(table, " {whole:.3} | {ratio} |");
        }
        table.push('\n');
    }
    println!("{table}");
    if let Some(file) = docs {
        farpane::bench::docs::write(file.as_ref(), "cargo bench --bench screen", &table).unwrap();
    }
}
