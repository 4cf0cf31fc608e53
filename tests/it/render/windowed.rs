//! Real windows under Xvfb: the screen shows what was painted.
#![expect(unsafe_code, reason = "raw handles of windows that outlive their borrowers")]

use std::num::NonZeroU32;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use farpane::channel::{BackingUpdate, DrawContent, NetCommand, RenderCommand};
use farpane::codec::PixelFormat;
use farpane::geometry::{Rect, Size};
use farpane::protocol::packet::WindowId;
use farpane::protocol::packet::draw::ScrollRect;
use farpane::render::{RenderOptions, RendererChoice};
use farpane::session::{DrawInput, Input};
use farpane::stats::CopySite;
use raw_window_handle::{
    DisplayHandle, HandleError, HasDisplayHandle, HasWindowHandle, RawWindowHandle, WindowHandle,
    XcbDisplayHandle, XcbWindowHandle,
};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ConfigureWindowAux, ConnectionExt, CreateWindowAux, WindowClass};
use x11rb::xcb_ffi::XCBConnection;

use super::rig::{Image, Rig, noise_picture, plain_picture, with_each_renderer};
use super::updates::overlay_frame;
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::wait_for;

/// A plain X window, with a connection of its own.
pub(super) struct TestWindow {
    connection: XCBConnection,
    screen: usize,
    pub(super) id: u32,
}

impl TestWindow {
    pub(super) fn open(display: &Display, x: i16, width: u16, height: u16) -> Self {
        let name = std::ffi::CString::new(display.name()).expect("a name");
        let (connection, screen) = XCBConnection::connect(Some(&name)).expect("X");
        let root = &connection.setup().roots[screen];
        let id = connection.generate_id().expect("an id");
        let aux = CreateWindowAux::new().background_pixel(0x00ff_00ff);
        connection
            .create_window(
                root.root_depth,
                id,
                root.root,
                x,
                10,
                width,
                height,
                0,
                WindowClass::INPUT_OUTPUT,
                root.root_visual,
                &aux,
            )
            .expect("X");
        connection.map_window(id).expect("X");
        let window = Self { connection, screen, id };
        window.sync();
        window
    }

    pub(super) fn resize(&self, width: u32, height: u32) {
        let aux = ConfigureWindowAux::new().width(width).height(height);
        self.connection.configure_window(self.id, &aux).expect("X");
        self.sync();
    }

    fn sync(&self) {
        self.connection.get_input_focus().expect("X").reply().expect("X");
    }
}

impl HasWindowHandle for TestWindow {
    fn window_handle(&self) -> Result<WindowHandle<'_>, HandleError> {
        let id = NonZeroU32::new(self.id).ok_or(HandleError::Unavailable)?;
        // SAFETY: the window exists as long as `self`, which is borrowed.
        Ok(unsafe { WindowHandle::borrow_raw(RawWindowHandle::Xcb(XcbWindowHandle::new(id))) })
    }
}

impl HasDisplayHandle for TestWindow {
    fn display_handle(&self) -> Result<DisplayHandle<'_>, HandleError> {
        let connection = NonNull::new(self.connection.get_raw_xcb_connection());
        let handle = XcbDisplayHandle::new(connection, self.screen as i32);
        // SAFETY: the connection exists as long as `self`, which is borrowed.
        Ok(unsafe { DisplayHandle::borrow_raw(handle.into()) })
    }
}

pub(super) fn attach(rig: &Rig, wid: u64, window: &Arc<TestWindow>, width: u32, height: u32) {
    rig.command(RenderCommand::Attach {
        surface: WindowId(wid).into(),
        target: Arc::clone(window) as _,
        size: Size { width, height },
        dismissed: None,
    });
}

/// Waits until the window on the screen shows `expected`: presenting is asynchronous.
#[track_caller]
pub(super) fn assert_shows(display: &Display, window: &TestWindow, expected: &Image) {
    let (width, height) = (expected.size.width as usize, expected.size.height as usize);
    let rgb = expected.rgba.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    let expected = Picture { width, height, rgb };
    let why = || {
        let got = display.x.grab(window.id);
        got.and_then(|got| got.difference(&expected, "render-windowed")).unwrap_or_default()
    };
    wait_for("the painted pixels", Duration::from_secs(10), why, || {
        (display.x.grab(window.id)? == expected).then_some(())
    });
}

fn windows_show_what_is_painted(renderer: RendererChoice) {
    let display = Display::bare();
    let mut rig = Rig::new(RenderOptions { renderer, ..RenderOptions::default() });
    let first = Arc::new(TestWindow::open(&display, 10, 200, 150));
    let second = Arc::new(TestWindow::open(&display, 300, 90, 70));

    // Content before the window, and the window before the content.
    rig.resize(1, 200, 150);
    let noise = noise_picture(PixelFormat::Bgrx, 200, 150, 0);
    let last = rig.picture(1, 0, 0, &noise);
    assert_eq!(rig.presents_within(Duration::from_millis(100)), 0, "there is no window yet");
    attach(&rig, 1, &first, 200, 150);
    assert_eq!(rig.presented().1, Some(last));
    let mut expected = Image::black(200, 150);
    expected.paint(0, 0, &noise);
    assert_shows(&display, &first, &expected);
    attach(&rig, 2, &second, 90, 70);
    rig.resize(2, 90, 70);
    let small = noise_picture(PixelFormat::Rgb, 33, 21, 1);
    rig.picture(2, 40, 40, &small);
    assert_eq!(rig.presented().0, WindowId(2));
    let mut expected_second = Image::black(90, 70);
    expected_second.paint(40, 40, &small);
    assert_shows(&display, &second, &expected_second);

    // Small updates, one present each.
    for step in 0..20 {
        let patch = plain_picture(13, 7, [step * 10, 255 - step, 3]);
        let place = (i32::from(step) * 8, i32::from(step) * 7);
        expected.paint(place.0, place.1, &patch);
        let last = rig.picture(1, place.0, place.1, &patch);
        assert_eq!(rig.presented().1, Some(last));
    }
    assert_shows(&display, &first, &expected);

    // Nothing happens: nothing is presented. Exposed: presented again.
    assert_eq!(rig.presents_within(Duration::from_millis(200)), 0);
    rig.command(RenderCommand::Redraw { surface: WindowId(1).into() });
    assert_eq!(rig.presented().1, None);

    // Larger than the backing: its edge goes on. Then the backing follows.
    first.resize(230, 120);
    rig.command(RenderCommand::SurfaceResized {
        surface: WindowId(1).into(),
        size: Size { width: 230, height: 120 },
    });
    let mut resized = expected.in_window(Size { width: 230, height: 120 });
    assert_shows(&display, &first, &resized);
    rig.resize(1, 230, 120);
    let right = plain_picture(30, 120, [9, 90, 200]);
    resized.paint(200, 0, &right);
    rig.picture(1, 200, 0, &right);
    assert_shows(&display, &first, &resized);

    // Invisible: nothing is presented until it can be seen again.
    while rig.presents_within(Duration::from_millis(100)) > 0 {}
    rig.command(RenderCommand::Visible { surface: WindowId(1).into(), visible: false });
    let patch = plain_picture(50, 50, [1, 2, 3]);
    resized.paint(5, 5, &patch);
    let last = rig.picture(1, 5, 5, &patch);
    assert_eq!(rig.presents_within(Duration::from_millis(100)), 0);
    rig.command(RenderCommand::Visible { surface: WindowId(1).into(), visible: true });
    assert_eq!(rig.presented().1, Some(last));
    assert_shows(&display, &first, &resized);

    // Detached: the window is let go, the other one goes on.
    let gone = Arc::downgrade(&first);
    drop(first);
    rig.command(RenderCommand::Detach { surface: WindowId(1).into() });
    wait_for("the window to be dropped", Duration::from_secs(5), String::new, || {
        gone.upgrade().is_none().then_some(())
    });
    expected_second.paint(0, 0, &small);
    rig.picture(2, 0, 0, &small);
    assert_shows(&display, &second, &expected_second);
}

/// The window system takes a popup away by itself, and is not to be asked to show anything there from that moment on.
fn nothing_is_presented_to_a_window_that_was_taken_away(renderer: RendererChoice) {
    let display = Display::bare();
    let mut rig = Rig::new(RenderOptions { renderer, ..RenderOptions::default() });
    let window = Arc::new(TestWindow::open(&display, 10, 100, 80));
    let dismissed = Arc::<AtomicBool>::default();
    let (surface, size) = (WindowId(1).into(), Size { width: 100, height: 80 });
    let target = Arc::clone(&window) as _;
    rig.command(RenderCommand::Attach { surface, target, size, dismissed: Some(Arc::clone(&dismissed)) });
    rig.resize(1, 100, 80);
    let mut expected = Image::black(100, 80);
    let noise = noise_picture(PixelFormat::Rgb, 100, 80, 0);
    expected.paint(0, 0, &noise);
    let last = rig.picture(1, 0, 0, &noise);
    assert_eq!(rig.presented().1, Some(last));
    assert_shows(&display, &window, &expected);

    dismissed.store(true, Ordering::Release);
    rig.command(RenderCommand::Redraw { surface });
    let patch = plain_picture(50, 50, [1, 2, 3]);
    let last = rig.picture(1, 5, 5, &patch);
    assert_eq!(rig.presents_within(Duration::from_millis(200)), 0);
    assert_shows(&display, &window, &expected);

    // What was painted meanwhile is there when it opens again.
    attach(&rig, 1, &window, 100, 80);
    assert_eq!(rig.presented().1, Some(last));
    expected.paint(5, 5, &patch);
    assert_shows(&display, &window, &expected);
}

/// Without a GPU the pixels live in the presented buffer as long as the window shows just them.
/// Nobody may notice when they move in or out, whatever was painted or presented by then.
fn pixels_survive_every_change_of_the_window(renderer: RendererChoice) {
    let display = Display::bare();
    let mut rig = Rig::new(RenderOptions { renderer, ..RenderOptions::default() });
    let window = Arc::new(TestWindow::open(&display, 10, 100, 80));
    attach(&rig, 1, &window, 100, 80);
    rig.resize(1, 100, 80);
    let mut expected = Image::black(100, 80);
    let noise = noise_picture(PixelFormat::Rgb, 100, 80, 0);
    let mut step = 0_u8;
    // Moves all rows up by one, then paints the last one. Returns what presenting it copied.
    let mut change = |rig: &mut Rig, expected: &mut Image| {
        step += 1;
        let (width, height) = (expected.size.width, expected.size.height);
        let before = expected.clone();
        for (x, y) in (1..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
            expected.set(x, y - 1, before.pixel(x, y));
        }
        let row = plain_picture(width, 1, [step * 3, 255 - step, step * 5]);
        expected.paint(0, height as i32 - 1, &row);
        let scroll = ScrollRect { x: 0, y: 1, width, height: height - 1, dx: 0, dy: -1 };
        let whole = Rect { x: 0, y: 0, width, height };
        rig.draw(1, whole, DrawContent::Scroll(vec![scroll]), 1);
        let last = rig.picture(1, 0, height as i32 - 1, &row);
        rig.present_cost(last).copied_at(CopySite::Present)
    };
    rig.picture(1, 0, 0, &noise);
    expected.paint(0, 0, &noise);
    rig.presented();
    let costs: Vec<u64> = (0..4).map(|_| change(&mut rig, &mut expected)).collect();
    assert_shows(&display, &window, &expected);
    rig.shown(1).assert_close(&expected, 0);
    if renderer == RendererChoice::Cpu {
        assert_eq!(costs, [100 * 80 * 4, 0, 0, 0], "the pixels move in, then nothing is copied");
    }

    // Half an update is painted when the window is exposed.
    rig.draw(1, rect_of(&noise), DrawContent::Picture(noise.clone()), 1);
    rig.done();
    rig.command(RenderCommand::Redraw { surface: WindowId(1).into() });
    expected.paint(0, 0, &noise);
    assert_shows(&display, &window, &expected);
    change(&mut rig, &mut expected);

    // The overlay comes, draws go on below it, and it goes again.
    let context = farpane::ui::fonts::context();
    let green = || egui::Color32::GREEN;
    rig.command(RenderCommand::Overlay {
        surface: WindowId(1).into(),
        frame: Some(overlay_frame(&context, green())),
    });
    rig.presented();
    change(&mut rig, &mut expected);
    let below = rig.shown(1);
    assert_eq!((below.pixel(20, 15), below.pixel(5, 5)), ([0, 255, 0, 255], expected.pixel(5, 5)));
    assert_shows(&display, &window, &below);
    rig.command(RenderCommand::Overlay { surface: WindowId(1).into(), frame: None });
    assert_shows(&display, &window, &expected);
    let costs: Vec<u64> = (0..3).map(|_| change(&mut rig, &mut expected)).collect();
    assert_shows(&display, &window, &expected);
    if renderer == RendererChoice::Cpu {
        assert_eq!(costs[1..], [0, 0]);
    }

    // The backing grows first, then the window; then the window shrinks first.
    for (width, height, backing_first) in [(120, 90, true), (70, 60, false)] {
        let surface =
            RenderCommand::SurfaceResized { surface: WindowId(1).into(), size: Size { width, height } };
        if backing_first {
            rig.resize(1, width, height);
            window.resize(width, height);
            rig.command(surface);
        } else {
            window.resize(width, height);
            rig.command(surface);
            rig.resize(1, width, height);
        }
        let mut resized = Image::black(width, height);
        for (x, y) in (0..height.min(expected.size.height)).flat_map(|y| (0..width).map(move |x| (x, y))) {
            if x < expected.size.width {
                resized.set(x, y, expected.pixel(x, y));
            }
        }
        expected = resized;
        assert_shows(&display, &window, &expected);
        for _ in 0..3 {
            change(&mut rig, &mut expected);
        }
        assert_shows(&display, &window, &expected);
    }

    // Another OS window takes over.
    let other = Arc::new(TestWindow::open(&display, 300, 70, 60));
    attach(&rig, 1, &other, 70, 60);
    assert_shows(&display, &other, &expected);
    for _ in 0..3 {
        change(&mut rig, &mut expected);
    }
    rig.command(RenderCommand::Detach { surface: WindowId(1).into() });
    rig.shown(1).assert_close(&expected, 0);
    attach(&rig, 1, &window, 70, 60);
    assert_shows(&display, &window, &expected);
    for _ in 0..3 {
        change(&mut rig, &mut expected);
    }
    // The remote window goes; another one of its number is black.
    rig.backing(1, BackingUpdate::Destroy);
    rig.resize(1, 70, 60);
    rig.shown(1).assert_close(&Image::black(70, 60), 0);
    assert_shows(&display, &window, &expected);
    let patch = plain_picture(30, 20, [1, 2, 3]);
    rig.picture(1, 0, 0, &patch);
    rig.command(RenderCommand::Redraw { surface: WindowId(1).into() });
    let mut expected = Image::black(70, 60);
    expected.paint(0, 0, &patch);
    assert_shows(&display, &window, &expected);
}

fn rect_of(picture: &farpane::codec::Picture) -> Rect {
    Rect { x: 0, y: 0, width: picture.width, height: picture.height }
}

with_each_renderer!(
    windows_show_what_is_painted,
    nothing_is_presented_to_a_window_that_was_taken_away,
    pixels_survive_every_change_of_the_window
);

#[test]
fn a_window_goes_on_with_another_renderer() {
    let display = Display::bare();
    let mut rig = Rig::new(RenderOptions { renderer: RendererChoice::Cpu, ..RenderOptions::default() });
    let window = Arc::new(TestWindow::open(&display, 10, 64, 48));
    attach(&rig, 1, &window, 64, 48);
    rig.resize(1, 64, 48);
    for (step, choice) in [RendererChoice::Wgpu, RendererChoice::Cpu].into_iter().enumerate() {
        rig.command(RenderCommand::Renderer(choice));
        let pixels_are_asked_for = || {
            let command = rig.net_command();
            matches!(command, NetCommand::Input(Input::Draw(DrawInput::Refresh { wid: WindowId(1) })))
        };
        while !pixels_are_asked_for() {}
        let picture = noise_picture(PixelFormat::Bgrx, 64, 48, step);
        let mut expected = Image::black(64, 48);
        expected.paint(0, 0, &picture);
        rig.picture(1, 0, 0, &picture);
        assert_shows(&display, &window, &expected);
    }
}

#[test]
fn a_window_survives_the_loss_of_its_device() {
    let display = Display::bare();
    let mut rig = Rig::new(RenderOptions {
        renderer: RendererChoice::Wgpu,
        lose_device_after: Some(3),
        ..RenderOptions::default()
    });
    let window = Arc::new(TestWindow::open(&display, 10, 64, 48));
    attach(&rig, 1, &window, 64, 48);
    rig.resize(1, 64, 48);
    // Draws until the new device has shown one: those that the old one took with it are lost.
    for shade in 0..10 {
        rig.picture(1, 0, 0, &plain_picture(64, 48, [shade * 20, 7, 70]));
        rig.done();
    }
    let mut expected = Image::black(64, 48);
    expected.paint(0, 0, &plain_picture(64, 48, [180, 7, 70]));
    assert_shows(&display, &window, &expected);
}
