//! A render thread and both ends of its queues.

use std::sync::Arc;
use std::time::{Duration, Instant};

use farpane::buffers::Payload;
use farpane::channel::{
    AppEvent, AppSink, BackingUpdate, DecodedDraw, DrawContent, NetCommand, NetQueue, Presented, Queue,
    RenderCommand, RenderItem, RenderMessage, clock,
};
use farpane::codec::{Picture, PixelFormat, Pixels, reference};
use farpane::geometry::{Rect, Size};
use farpane::protocol::packet::draw::Encoding;
use farpane::protocol::packet::{DrawSequence, WindowId};
use farpane::render::{RenderOptions, RendererChoice};
use farpane::session::DrawDone;
use farpane::stats::{CopyLedger, DrawTrace};
use farpane::threads::Engine;

/// Makes tests of functions that take a [`RendererChoice`]: one for each renderer.
macro_rules! with_each_renderer {
    ($($test:ident),+ $(,)?) => {
        mod wgpu {
            $(#[test] fn $test() { super::$test(farpane::render::RendererChoice::Wgpu); })+
        }
        mod cpu {
            $(#[test] fn $test() { super::$test(farpane::render::RendererChoice::Cpu); })+
        }
    };
}
pub(super) use with_each_renderer;

const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Default)]
struct Sink(Queue<AppEvent>);

impl AppSink for Sink {
    fn send(&self, event: AppEvent) {
        self.0.push(event);
    }
}

pub struct Rig {
    engine: Engine,
    /// What the renderer replies.
    replies: NetQueue,
    events: Sink,
    sequence: u64,
}

impl Rig {
    pub fn new(options: RenderOptions) -> Self {
        let (replies, events) = (NetQueue::default(), Sink::default());
        let engine = Engine::without_session(options, Arc::new(events.clone()), Box::new(replies.clone()));
        Self { engine: engine.expect("a thread"), replies, events, sequence: 0 }
    }

    pub fn offscreen(renderer: RendererChoice) -> Self {
        Self::new(RenderOptions { renderer, offscreen: true, ..RenderOptions::default() })
    }

    pub fn command(&self, command: RenderCommand) {
        self.engine.queues().render.push(RenderMessage::Command(command));
    }

    fn item(&self, item: RenderItem) {
        self.engine.queues().render.push(RenderMessage::Item(item));
    }

    pub fn backing(&self, wid: u64, update: BackingUpdate) {
        self.item(RenderItem::Backing { wid: WindowId(wid), update });
    }

    pub fn resize(&self, wid: u64, width: u32, height: u32) {
        self.backing(wid, BackingUpdate::Resize(Size { width, height }));
    }

    /// Queues a draw and returns its sequence.
    pub fn draw(&mut self, wid: u64, rect: Rect, content: DrawContent, flush: u32) -> DrawSequence {
        self.sequence += 1;
        let now = clock::now();
        self.item(RenderItem::Draw(DecodedDraw {
            wid: WindowId(wid),
            sequence: DrawSequence(self.sequence),
            rect,
            encoding: Encoding::Rgb32,
            content,
            flush,
            trace: DrawTrace::new(now, now, 0),
            permit: None,
        }));
        DrawSequence(self.sequence)
    }

    /// Queues a picture at (x, y), unscaled, as an update of its own.
    pub fn picture(&mut self, wid: u64, x: i32, y: i32, picture: &Picture) -> DrawSequence {
        let rect = Rect { x, y, width: picture.width, height: picture.height };
        self.draw(wid, rect, DrawContent::Picture(picture.clone()), 0)
    }

    /// The next command to the network task.
    pub fn net_command(&self) -> NetCommand {
        let deadline = clock::now() + PATIENCE;
        loop {
            if let Some(command) = self.replies.try_pop() {
                return command;
            }
            assert!(clock::now() < deadline, "no command for the network task");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The next acknowledgement.
    pub fn done(&self) -> DrawDone {
        loop {
            if let NetCommand::DrawDone(done) = self.net_command() {
                return done;
            }
        }
    }

    /// The next present's draw and time.
    pub fn presented(&self) -> (WindowId, Option<DrawSequence>, Instant) {
        loop {
            if let NetCommand::Presented(Presented { wid, sequence, at, .. }) = self.net_command() {
                return (wid, sequence, at);
            }
        }
    }

    /// What it cost to present a draw.
    pub fn present_cost(&self, draw: DrawSequence) -> CopyLedger {
        loop {
            match self.net_command() {
                NetCommand::Presented(present) if present.sequence == Some(draw) => return present.ledger,
                _ => {}
            }
        }
    }

    /// How many presents happen within `time`.
    pub fn presents_within(&self, time: Duration) -> usize {
        let deadline = clock::now() + time;
        let mut presents = 0;
        while clock::now() < deadline {
            match self.replies.try_pop() {
                Some(NetCommand::Presented(_)) => presents += 1,
                Some(_) => {}
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        }
        presents
    }

    /// The next event for the application.
    pub fn event(&self) -> AppEvent {
        self.events.0.pop(Some(PATIENCE)).expect("an event for the application")
    }

    /// What the window shows.
    pub fn shown(&self, wid: u64) -> Image {
        self.command(RenderCommand::ReadBack { wid: WindowId(wid) });
        loop {
            match self.event() {
                AppEvent::Pixels { wid: of, size, rgba } if of == WindowId(wid) => {
                    return Image { size, rgba };
                }
                AppEvent::RendererFailed(why) => panic!("{why}"),
                _ => {}
            }
        }
    }
}

/// Opaque RGBA pixels.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    pub size: Size,
    pub rgba: Vec<u8>,
}

/// So many pixels beyond a picture are filled with its edge.
const MAX_EDGE: u32 = 96;

impl Image {
    pub fn black(width: u32, height: u32) -> Self {
        let rgba = [0, 0, 0, 255].repeat(width as usize * height as usize);
        Self { size: Size { width, height }, rgba }
    }

    pub fn pixel(&self, x: u32, y: u32) -> [u8; 4] {
        let at = (y * self.size.width + x) as usize * 4;
        [self.rgba[at], self.rgba[at + 1], self.rgba[at + 2], self.rgba[at + 3]]
    }

    pub fn set(&mut self, x: u32, y: u32, pixel: [u8; 4]) {
        let at = (y * self.size.width + x) as usize * 4;
        for (index, value) in pixel.into_iter().enumerate() {
            self.rgba[at + index] = value;
        }
    }

    /// Paints what the reference makes of `picture`, opaque, clipped.
    pub fn paint(&mut self, x: i32, y: i32, picture: &Picture) {
        let rgba = reference::to_rgba(picture);
        for (index, pixel) in rgba.chunks_exact(4).enumerate() {
            let to_x = x + (index % picture.width as usize) as i32;
            let to_y = y + (index / picture.width as usize) as i32;
            if to_x >= 0 && to_y >= 0 && to_x < self.size.width as i32 && to_y < self.size.height as i32 {
                self.set(to_x as u32, to_y as u32, [pixel[0], pixel[1], pixel[2], 255]);
            }
        }
    }

    /// What a window of `size` shows of the picture: its edges go on where little is left, the rest is black.
    pub fn in_window(&self, size: Size) -> Self {
        let mut shown = Self::black(size.width, size.height);
        let within = |at: u32, picture: u32, window: u32| {
            (at < picture || window - picture <= MAX_EDGE).then(|| at.min(picture - 1))
        };
        for (x, y) in (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y))) {
            let column = within(x, self.size.width, size.width);
            if let (Some(column), Some(row)) = (column, within(y, self.size.height, size.height)) {
                shown.set(x, y, self.pixel(column, row));
            }
        }
        shown
    }

    /// The largest difference of a channel.
    pub fn max_error(&self, other: &Self) -> u8 {
        assert_eq!(self.size, other.size);
        self.rgba.iter().zip(&other.rgba).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
    }

    #[track_caller]
    pub fn assert_close(&self, expected: &Self, tolerance: u8) {
        assert_eq!(self.size, expected.size);
        for y in 0..self.size.height {
            for x in 0..self.size.width {
                let (got, expected) = (self.pixel(x, y), expected.pixel(x, y));
                let error = got.iter().zip(expected).map(|(a, b)| a.abs_diff(b)).max();
                assert!(error <= Some(tolerance), "at {x},{y}: got {got:?}, expected {expected:?}");
            }
        }
    }
}

/// Bytes that look random but are always the same.
pub fn noise(seed: u32, len: usize) -> Vec<u8> {
    let mut state = u64::from(seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    (0..len).map(|_| next()).collect()
}

/// A picture of noise whose rows are `padding` bytes longer than needed.
pub fn noise_picture(format: PixelFormat, width: u32, height: u32, padding: usize) -> Picture {
    let rowstride = width as usize * format.bytes_per_pixel() + padding;
    let data = Payload::from(noise(width + 7 * height, rowstride * height as usize));
    Picture::packed(Size { width, height }, format, rowstride, data).expect("a valid picture")
}

/// A picture of one colour.
pub fn plain_picture(width: u32, height: u32, [red, green, blue]: [u8; 3]) -> Picture {
    let data = Payload::from([blue, green, red, 0].repeat(width as usize * height as usize));
    let pixels = Pixels::Packed { format: PixelFormat::Bgrx, rowstride: width as usize * 4, data };
    Picture { width, height, pixels }
}
