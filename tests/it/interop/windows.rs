//! Windows come, change and go as on the server.

use std::time::Duration;

use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::ConnectionExt;

use super::attach::wait_picture;
use super::{SOON, empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::xpra::Generation;

for_every_server!(come_change_and_go, popup_at_its_place, resized_by_the_user, closed_by_the_user);

fn come_change_and_go(generation: Generation) {
    let server = empty_session(generation);
    let (one, two) = (Picture::sharp(300, 200), Picture::smooth(220, 260));
    let fixed = Look { fixed: true, ..Look::default() };
    let first = Card::open(server.x().name(), "first", &one, &fixed);
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url(), "--encodings", "png"]);
    wait_picture(&mut viewer, "first", &one, "first");
    // Flags of WM_NORMAL_HINTS: minimum size 1 << 4, maximum size 1 << 5; then x, y, width, height, min, max.
    let hints = display.x.numbers(viewer.window("first").id, "WM_NORMAL_HINTS");
    assert_eq!(hints[0] >> 4 & 3, 3, "no size limits: {hints:?}");
    assert_eq!(hints[5..9], [300, 200, 300, 200], "{hints:?}");

    let second = Card::open(server.x().name(), "second", &two, &Look::default());
    wait_picture(&mut viewer, "second", &two, "second");
    first.set_title("first, renamed");
    wait_picture(&mut viewer, "first, renamed", &one, "renamed");
    let changed = Picture::smooth(300, 200);
    first.show(&changed);
    wait_picture(&mut viewer, "first, renamed", &changed, "changed");

    second.x.connection.destroy_window(second.id).expect("X");
    second.sync();
    let gone = || (!display.x.windows().iter().any(|seen| seen.title == "second")).then_some(());
    wait_for("the second window to go", SOON, || format!("{:?}", display.x.windows()), gone);
    viewer.window("first, renamed");
    viewer.stop();
}

/// A menu: without a frame, exactly where the server's program put it relative to its window.
fn popup_at_its_place(generation: Generation) {
    let server = empty_session(generation);
    let (base, menu) = (Picture::smooth(400, 300), Picture::sharp(120, 90));
    let parent = Card::open(server.x().name(), "parent", &base, &Look::default());
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url(), "--encodings", "png"]);
    wait_picture(&mut viewer, "parent", &base, "parent");
    let seen = viewer.window("parent");
    // The server moves its window to where the viewer shows it, so that its programs know.
    let origin = || parent.x.seen(parent.id).map(|seen| (seen.x, seen.y)).unwrap_or_default();
    wait_for(
        "the server's window to be there too",
        SOON,
        || format!("{seen:?} {:?}", origin()),
        || (origin() == (seen.x, seen.y)).then_some(()),
    );
    let at = (seen.x as i16 + 37, seen.y as i16 + 41);
    let popup = Card::open(server.x().name(), "menu", &menu, &Look { at, popup: true, ..Look::default() });
    let shown = viewer
        .wait_window("the popup", |seen| seen.override_redirect && (seen.width, seen.height) == (120, 90));
    assert_eq!((shown.x, shown.y), (i32::from(at.0), i32::from(at.1)), "the popup is not at its place");
    let context =
        || display.x.grab(shown.id).and_then(|got| got.difference(&menu, "popup")).unwrap_or_default();
    wait_for("the popup's picture", SOON, context, || (display.x.grab(shown.id)? == menu).then_some(()));
    popup.x.connection.unmap_window(popup.id).expect("X");
    popup.sync();
    wait_for("the popup to go", SOON, String::new, || display.x.seen(shown.id).is_none().then_some(()));
    viewer.stop();
}

fn resized_by_the_user(generation: Generation) {
    let server = empty_session(generation);
    let picture = Picture::smooth(300, 200);
    let card = Card::open(server.x().name(), "elastic", &picture, &Look::default());
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url(), "--encodings", "png"]);
    wait_picture(&mut viewer, "elastic", &picture, "before");
    for (width, height) in [(420_u16, 310_u16), (251, 143)] {
        let id = viewer.window("elastic").id.to_string();
        display.x.xdotool(&["windowsize", "--sync", &id, &width.to_string(), &height.to_string()]);
        card.wait_event("the new size", |event| match event {
            Event::ConfigureNotify(new) => ((new.width, new.height) == (width, height)).then_some(()),
            _ => None,
        });
        // The window shows as much of its background as fits, again and again.
        let tiled = Picture::from_fn(width.into(), height.into(), |x, y| {
            let at = (y % 200 * 300 + x % 300) * 3;
            [picture.rgb[at], picture.rgb[at + 1], picture.rgb[at + 2]]
        });
        card.x.connection.clear_area(false, card.id, 0, 0, 0, 0).expect("X");
        card.sync();
        assert!(card.picture() == tiled, "the server's window does not show what the test expects");
        wait_picture(&mut viewer, "elastic", &tiled, "after");
    }
    viewer.stop();
}

fn closed_by_the_user(generation: Generation) {
    let server = empty_session(generation);
    let card = Card::open(server.x().name(), "closing", &Picture::smooth(300, 200), &Look::default());
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url()]);
    let seen = viewer.window("closing");
    // As a window manager does when the user clicks its button.
    let close = display.x.atom("WM_DELETE_WINDOW");
    let message = x11rb::protocol::xproto::ClientMessageEvent::new(
        32,
        seen.id,
        display.x.atom("WM_PROTOCOLS"),
        [close, 0, 0, 0, 0],
    );
    let c = &display.x.connection;
    c.send_event(false, seen.id, x11rb::protocol::xproto::EventMask::NO_EVENT, message).expect("X");
    c.flush().expect("X");
    card.wait_close_request();
    // The program decides: this one stays, so its window stays.
    std::thread::sleep(Duration::from_millis(500));
    assert!(display.x.seen(seen.id).is_some(), "the window went although its program kept it");
    card.x.connection.destroy_window(card.id).expect("X");
    card.sync();
    wait_for("the window to go", SOON, String::new, || display.x.seen(seen.id).is_none().then_some(()));
}
