//! Windows of Farpane's own beside those of a server that gives its windows the same numbers.

use std::sync::Arc;
use std::time::Duration;

use farpane::channel::{BackingUpdate, DrawContent, NetCommand, OwnId, RenderCommand, SurfaceId};
use farpane::codec::PixelFormat;
use farpane::geometry::{Rect, Size};
use farpane::protocol::Bounds;
use farpane::protocol::packet::draw::DrawOutcome;
use farpane::protocol::packet::{DrawSequence, WindowId};
use farpane::render::{RenderOptions, RendererChoice};
use farpane::session::{DrawInput, Input};

use super::rig::{Image, Rig, noise_picture, plain_picture, with_each_renderer};
use super::updates::overlay_frame;
use super::windowed::{TestWindow, assert_shows, attach};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::wait_for;

const SIZE: Size = Size { width: 100, height: 80 };

/// One of our own windows, which shows an overlay in one colour.
struct Own {
    surface: SurfaceId,
    window: Arc<TestWindow>,
    context: egui::Context,
    size: Size,
}

impl Own {
    fn open(rig: &Rig, display: &Display, number: u64, x: i16, colour: egui::Color32) -> Self {
        let own = Self {
            surface: SurfaceId::Own(OwnId(number)),
            window: Arc::new(TestWindow::open(display, x, 100, 80)),
            context: farpane::ui::fonts::context(),
            size: SIZE,
        };
        let (surface, target) = (own.surface, Arc::clone(&own.window) as _);
        rig.command(RenderCommand::Attach { surface, target, size: SIZE, dismissed: None });
        own.paint(rig, colour);
        own
    }

    fn paint(&self, rig: &Rig, colour: egui::Color32) {
        let frame = Some(overlay_frame(&self.context, colour));
        rig.command(RenderCommand::Overlay { surface: self.surface, frame });
    }

    fn resize(&mut self, rig: &Rig, width: u32, height: u32) {
        self.size = Size { width, height };
        self.window.resize(width, height);
        rig.command(RenderCommand::SurfaceResized { surface: self.surface, size: self.size });
    }

    /// Waits until the overlay in this colour is all that the window shows. Returns that.
    #[track_caller]
    fn shows(&self, display: &Display, colour: egui::Color32) -> Picture {
        let [r, g, b, _] = colour.to_array();
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let colours = [[r, g, b], [0; 3], [0; 3]];
        let seen = || {
            let shown = display.x.grab(self.window.id)?;
            ((shown.width, shown.height) == (width, height)).then_some(())?;
            let pixels = [(20, 15), (5, 5), (width - 1, height - 1)].map(|(x, y)| {
                let at = (y * width + x) * 3;
                [shown.rgb[at], shown.rgb[at + 1], shown.rgb[at + 2]]
            });
            Some((pixels, shown))
        };
        let why =
            || format!("{} shows {:?}, not {colours:?}", self.surface, seen().map(|(pixels, _)| pixels));
        wait_for("the overlay alone", Duration::from_secs(10), why, || {
            seen().filter(|(pixels, _)| *pixels == colours).map(|(_, shown)| shown)
        })
    }
}

/// What became of a draw.
fn outcome(rig: &Rig, draw: DrawSequence) -> DrawOutcome {
    loop {
        let done = rig.done();
        if done.sequence == draw {
            return done.outcome;
        }
    }
}

/// The next present of the server's window.
fn presented(rig: &Rig, number: u64) -> Option<DrawSequence> {
    loop {
        let (wid, sequence, _) = rig.presented();
        if wid == WindowId(number) {
            return sequence;
        }
    }
}

fn a_server_can_touch_no_window_of_ours(renderer: RendererChoice) {
    let (green, blue) = (egui::Color32::GREEN, egui::Color32::BLUE);
    let display = Display::bare();
    let mut rig = Rig::new(RenderOptions { renderer, ..RenderOptions::default() });
    for number in [1, 1 << 63, u64::MAX] {
        let wid = WindowId(number);
        let mut own = Own::open(&rig, &display, number, 400, green);
        let as_painted = own.shows(&display, green);

        // No backing, no draw and no picture is of it.
        let noise = noise_picture(PixelFormat::Bgrx, 100, 80, 0);
        let draw = rig.picture(number, 0, 0, &noise);
        assert_eq!(outcome(&rig, draw), DrawOutcome::WindowNotFound);
        assert_eq!(rig.shown(number).size, Size::default());

        // The server's window of the same number beside it.
        let remote = Arc::new(TestWindow::open(&display, 10, 100, 80));
        attach(&rig, number, &remote, 100, 80);
        rig.resize(number, 100, 80);
        let mut last = rig.picture(number, 0, 0, &noise);
        assert_eq!(presented(&rig, number), Some(last), "its first present, and none of ours before it");
        let mut expected = Image::black(100, 80);
        expected.paint(0, 0, &noise);
        assert_shows(&display, &remote, &expected);

        // Ours is painted anew whenever the system asks, with nothing of the server's in it.
        rig.command(RenderCommand::Redraw { surface: own.surface });
        for step in 0..5 {
            let patch = plain_picture(60, 50, [step * 40, 255 - step, 3]);
            expected.paint(i32::from(step) * 7, 5, &patch);
            last = rig.picture(number, i32::from(step) * 7, 5, &patch);
        }
        while presented(&rig, number) != Some(last) {}
        assert_shows(&display, &remote, &expected);
        assert!(own.shows(&display, green) == as_painted);

        // Both are resized, each alone.
        rig.resize(number, 130, 90);
        remote.resize(130, 90);
        rig.command(RenderCommand::SurfaceResized {
            surface: wid.into(),
            size: Size { width: 130, height: 90 },
        });
        let whole = noise_picture(PixelFormat::Rgb, 130, 90, 1);
        rig.picture(number, 0, 0, &whole);
        let mut expected = Image::black(130, 90);
        expected.paint(0, 0, &whole);
        assert_shows(&display, &remote, &expected);
        assert!(own.shows(&display, green) == as_painted);
        own.resize(&rig, 160, 120);
        own.shows(&display, green);
        own.resize(&rig, 100, 80);
        assert!(own.shows(&display, green) == as_painted);
        assert_shows(&display, &remote, &expected);

        // Each is hidden alone, and has an overlay of its own.
        rig.command(RenderCommand::Visible { surface: wid.into(), visible: false });
        own.paint(&rig, blue);
        own.shows(&display, blue);
        rig.command(RenderCommand::Visible { surface: wid.into(), visible: true });
        rig.command(RenderCommand::Visible { surface: own.surface, visible: false });
        let context = farpane::ui::fonts::context();
        let frame = Some(overlay_frame(&context, egui::Color32::RED));
        rig.command(RenderCommand::Overlay { surface: wid.into(), frame });
        let over = rig.shown(number);
        assert_eq!((over.pixel(20, 15), over.pixel(5, 5)), ([255, 0, 0, 255], expected.pixel(5, 5)));
        assert_shows(&display, &remote, &over);
        rig.command(RenderCommand::Overlay { surface: wid.into(), frame: None });
        assert_shows(&display, &remote, &expected);
        rig.command(RenderCommand::Visible { surface: own.surface, visible: true });
        own.shows(&display, blue);

        // The server destroys its window and makes another one: ours stays.
        let gone = Arc::downgrade(&remote);
        drop(remote);
        rig.backing(number, BackingUpdate::Destroy);
        rig.command(RenderCommand::Detach { surface: wid.into() });
        wait_for("the server's window to go", Duration::from_secs(5), String::new, || {
            gone.upgrade().is_none().then_some(())
        });
        own.paint(&rig, green);
        assert!(own.shows(&display, green) == as_painted);
        let remote = Arc::new(TestWindow::open(&display, 10, 100, 80));
        rig.resize(number, 100, 80);
        attach(&rig, number, &remote, 100, 80);
        rig.draw(number, rect(SIZE), DrawContent::Picture(noise.clone()), 0);
        let mut expected = Image::black(100, 80);
        expected.paint(0, 0, &noise);
        assert_shows(&display, &remote, &expected);

        // And ours goes without the server's.
        let Own { surface, window, .. } = own;
        let gone = Arc::downgrade(&window);
        drop(window);
        rig.command(RenderCommand::Detach { surface });
        wait_for("our window to go", Duration::from_secs(5), String::new, || {
            gone.upgrade().is_none().then_some(())
        });
        rig.picture(number, 9, 9, &plain_picture(30, 30, [1, 2, 3]));
        expected.paint(9, 9, &plain_picture(30, 30, [1, 2, 3]));
        assert_shows(&display, &remote, &expected);
        rig.backing(number, BackingUpdate::Destroy);
        rig.command(RenderCommand::Detach { surface: wid.into() });
    }
    // The session is told of presents of the server's windows only.
    let own = Own::open(&rig, &display, 77, 400, green);
    own.shows(&display, green);
    rig.resize(78, 10, 10);
    let last = rig.picture(78, 0, 0, &plain_picture(10, 10, [1, 2, 3]));
    loop {
        match rig.net_command() {
            NetCommand::DrawDone(done) if done.sequence == last => break,
            NetCommand::Presented(presented) => assert_ne!(presented.wid, WindowId(77)),
            _ => {}
        }
    }
}

/// A new renderer is given all windows, and asks the server for the pixels of its own only.
fn another_renderer_gets_both(renderer: RendererChoice) {
    let display = Display::bare();
    let mut rig = Rig::new(RenderOptions { renderer, ..RenderOptions::default() });
    let number = 1 << 63;
    let own = Own::open(&rig, &display, number, 400, egui::Color32::GREEN);
    let remote = Arc::new(TestWindow::open(&display, 10, 100, 80));
    attach(&rig, number, &remote, 100, 80);
    rig.resize(number, 100, 80);
    let picture = noise_picture(PixelFormat::Bgrx, 100, 80, 0);
    let mut expected = Image::black(100, 80);
    expected.paint(0, 0, &picture);
    rig.picture(number, 0, 0, &picture);
    assert_shows(&display, &remote, &expected);
    own.shows(&display, egui::Color32::GREEN);
    rig.command(RenderCommand::Renderer(RendererChoice::Cpu));
    let asked =
        |command: &NetCommand| matches!(command, NetCommand::Input(Input::Draw(DrawInput::Refresh { .. })));
    let first = std::iter::repeat_with(|| rig.net_command()).find(asked).expect("it is asked for");
    assert!(
        matches!(first, NetCommand::Input(Input::Draw(DrawInput::Refresh { wid })) if wid == WindowId(number))
    );
    let other = noise_picture(PixelFormat::Rgb, 100, 80, 1);
    let last = rig.picture(number, 0, 0, &other);
    expected.paint(0, 0, &other);
    loop {
        match rig.net_command() {
            NetCommand::DrawDone(done) if done.sequence == last => break,
            command => assert!(!asked(&command), "ours has no pixels of the server's"),
        }
    }
    assert_shows(&display, &remote, &expected);
    own.paint(&rig, egui::Color32::BLUE);
    own.shows(&display, egui::Color32::BLUE);
}

fn rect(Size { width, height }: Size) -> Rect {
    Rect { x: 0, y: 0, width, height }
}

with_each_renderer!(a_server_can_touch_no_window_of_ours, another_renderer_gets_both);

/// Without a GPU the sum of all windows is bounded. A server that uses all of it cannot keep a dialog from the screen.
#[test]
fn a_server_cannot_hide_a_window_of_ours() {
    const SIDE: u16 = 2048;
    const OWN_SIDE: u32 = 900;
    let bytes = |side: u32| u64::from(side) * u64::from(side) * 4;
    let each = bytes(SIDE.into());
    let bounds = Bounds::of_desktop(1, 1);
    let limit = bounds.windows_bytes() / 2 * 3;
    assert!(each * 4 <= bounds.windows_bytes(), "the pixels of four windows fit");
    assert!((each * 7..each * 7 + bytes(OWN_SIDE)).contains(&limit), "and three of those that show them");
    let display = Display::bare();
    let mut rig = Rig::new(RenderOptions { renderer: RendererChoice::Cpu, ..RenderOptions::default() });
    rig.command(RenderCommand::Bounds(bounds));
    let mut windows = Vec::new();
    for wid in 1..=4 {
        let window = Arc::new(TestWindow::open(&display, 0, SIDE, SIDE));
        rig.resize(wid, SIDE.into(), SIDE.into());
        attach(&rig, wid, &window, SIDE.into(), SIDE.into());
        // With an overlay the pixels are kept apart from the buffer that is shown.
        let frame = Some(overlay_frame(&farpane::ui::fonts::context(), egui::Color32::RED));
        rig.command(RenderCommand::Overlay { surface: WindowId(wid).into(), frame });
        let draw = rig.picture(wid, 0, 0, &plain_picture(9, 9, [1, 2, 3]));
        assert!(matches!(outcome(&rig, draw), DrawOutcome::Presented { .. }));
        windows.push(window);
    }
    let mut own = Own::open(&rig, &display, 1, 0, egui::Color32::GREEN);
    own.resize(&rig, OWN_SIDE, OWN_SIDE);
    own.shows(&display, egui::Color32::GREEN);
}
