//! Full screen by the viewer's key, and the keyboard with it.

use std::time::Duration;

use x11rb::CURRENT_TIME;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{ConnectionExt as _, GrabMode, GrabStatus};

use super::reconnect::{picture, wait_shown};
use super::session_menu::{self, Entry};
use super::{SOON, empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::relay::Relay;
use crate::support::typist::Typist;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::xpra::{Generation, Options, XpraServer};

for_every_server!(there_and_back, a_fixed_size, a_desktop, left_while_lost);

/// Of the displays that tests start.
const SCREEN: (u16, u16) = (1600, 1000);
const KEY_TAB: u8 = 23;
const KEY_ALT: u8 = 64;

fn key(display: &Display, name: &str) {
    display.x.xdotool(&["key", name]);
}

/// Whether another program has all keys.
fn is_grabbed(display: &Display) -> bool {
    let c = &display.x.connection;
    let mode = GrabMode::ASYNC;
    let grab = c.grab_keyboard(false, display.x.root, CURRENT_TIME, mode, mode).expect("X");
    let status = grab.reply().expect("a status").status;
    if status == GrabStatus::SUCCESS {
        c.ungrab_keyboard(CURRENT_TIME).expect("X").check().expect("it is ours");
    }
    status == GrabStatus::ALREADY_GRABBED
}

#[track_caller]
fn wait_grabbed(display: &Display, viewer: &Viewer<'_>, wanted: bool) {
    let told = || viewer.log();
    wait_for("the keyboard", SOON, told, || (is_grabbed(display) == wanted).then_some(()));
}

/// The whole screen, all keys, and all as it was.
fn there_and_back(generation: Generation) {
    let server = empty_session(generation);
    let look = Look { at: (200, 150), placed: true, ..Look::default() };
    let card = Card::open(server.x().name(), "large", &picture(1), &look);
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url(), "--log", "info"]);
    let window = viewer.window("large");
    wait_shown(&display, &viewer, &window, &picture(1));
    let place = || display.x.seen(window.id).map(|seen| seen.place());
    let before = place();
    display.x.focus(window.id);
    card.wait_event("the focus", |event| matches!(event, Event::FocusIn(_)).then_some(()));

    let whole = Some((0, 0, SCREEN.0, SCREEN.1));
    for round in 0..2 {
        key(&display, "shift+F12");
        let context = || format!("{:?} and there {:?}\n{}", place(), card.place(), viewer.log());
        wait_for("full screen", SOON, context, || (place() == whole).then_some(()));
        wait_for("the same there", SOON, context, || (card.place() == whole).then_some(()));
        wait_grabbed(&display, &viewer, true);
        display.x.picture(window.id).save(&format!("full-screen-{generation:?}-{round}"));
        // What the window manager has for itself otherwise.
        Typist::at(&display.x).press(KEY_ALT).tap(&[], KEY_TAB).release(KEY_ALT);
        card.wait_event("Alt+Tab", |event| match event {
            Event::KeyPress(key) => (key.detail == KEY_TAB).then_some(()),
            _ => None,
        });
        key(&display, "shift+F12");
        wait_for("the place that it had", SOON, context, || (place() == before).then_some(()));
        wait_grabbed(&display, &viewer, false);
    }

    // Who goes to another window has the keyboard there. From the menu this time.
    session_menu::open(&mut viewer, &display, &window);
    let words = [&["key", "--delay", "100"][..], &["Tab"; Entry::FullScreen as usize], &["Return"]].concat();
    display.x.xdotool(&words);
    wait_for("full screen", SOON, || viewer.log(), || (place() == whole).then_some(()));
    display.x.focus(window.id);
    wait_grabbed(&display, &viewer, true);
    let other = Card::open(display.name(), "a local one", &picture(2), &Look::default());
    wait_for("a local window", SOON, String::new, || {
        display.x.seen(other.id).filter(|seen| seen.title == "a local one").map(|_| ())
    });
    std::thread::sleep(Duration::from_millis(500));
    display.x.focus(other.id);
    wait_grabbed(&display, &viewer, false);
    viewer.stop();
}

/// A window whose program allows one size: it stays what it is, and that is said.
fn a_fixed_size(generation: Generation) {
    let server = empty_session(generation);
    let look = Look { at: (200, 150), placed: true, ..Look::default() };
    let card = Card::open(server.x().name(), "fixed", &picture(1), &look);
    card.fix_size(300, 200);
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url(), "--log", "info"]);
    let window = viewer.window("fixed");
    wait_shown(&display, &viewer, &window, &picture(1));
    let place = || display.x.seen(window.id).map(|seen| seen.place());
    let before = place();
    display.x.focus(window.id);
    key(&display, "shift+F12");
    let told = || display.x.grab(window.id).filter(|seen| seen.psnr(&picture(1)) < 20.0);
    wait_for("words about it", SOON, || viewer.log(), told)
        .save(&format!("full-screen-fixed-{generation:?}"));
    assert_eq!((is_grabbed(&display), place()), (false, before), "{}", viewer.log());
    viewer.stop();
}

/// A session that is one screen, of a server that cannot make it larger: it is shown in full screen all the same, and the
/// server is not asked for ever.
fn a_desktop(generation: Generation) {
    let options = Options { desktop: Some((800, 600)), ..Options::default() };
    let server = XpraServer::start(generation, &options);
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url(), "--log", "info,farpane::app=trace"]);
    let window = viewer.wait_window("the desktop's window", |seen| (seen.width, seen.height) == (800, 600));
    display.x.focus(window.id);
    let place = || display.x.seen(window.id).map(|seen| seen.place());
    let context = || format!("{:?}\n{}", place(), viewer.log());
    key(&display, "shift+F12");
    wait_for("full screen", SOON, context, || (place()? == (0, 0, SCREEN.0, SCREEN.1)).then_some(()));
    wait_grabbed(&display, &viewer, true);
    // By then it is said who has which size.
    std::thread::sleep(Duration::from_secs(5));
    let told = || viewer.log().matches("step=TellConfigured").count();
    let before = told();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(told(), before, "{}", viewer.log());
    assert_eq!(server.x().size(server.x().root), (800, 600));
    display.x.picture(window.id).save(&format!("full-screen-desktop-{generation:?}"));
    key(&display, "shift+F12");
    let back = || place().is_some_and(|(.., width, height)| (width, height) == (800, 600)).then_some(());
    wait_for("its size", SOON, context, back);
    wait_grabbed(&display, &viewer, false);
    viewer.stop();
}

/// What the user does while the connection is lost holds when the session is back.
fn left_while_lost(generation: Generation) {
    let server = empty_session(generation);
    let look = Look { at: (200, 150), placed: true, ..Look::default() };
    let card = Card::open(server.x().name(), "left", &picture(1), &look);
    let display = Display::with_window_manager();
    let relay = Relay::to(server.address());
    let mut viewer = Viewer::start(&display, &[&relay.url(), "--log", "info"]);
    let window = viewer.window("left");
    wait_shown(&display, &viewer, &window, &picture(1));
    let place = || display.x.seen(window.id).map(|seen| seen.place());
    let before = place();
    display.x.focus(window.id);
    card.wait_event("the focus", |event| matches!(event, Event::FocusIn(_)).then_some(()));
    key(&display, "shift+F12");
    let whole = Some((0, 0, SCREEN.0, SCREEN.1));
    let context = || format!("{:?} and there {:?}\n{}", place(), card.place(), viewer.log());
    wait_for("full screen there", SOON, context, || (card.place() == whole).then_some(()));
    wait_grabbed(&display, &viewer, true);
    // The server has said so too by then.
    std::thread::sleep(Duration::from_secs(1));

    relay.close();
    wait_grabbed(&display, &viewer, false);
    key(&display, "shift+F12");
    wait_for("its place", SOON, context, || (place() == before).then_some(()));
    relay.open();
    card.show(&picture(2));
    wait_for("its size there", SOON, context, || (card.place() != whole).then_some(()));
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(place(), before, "{}", viewer.log());
    let state = display.x.states(window.id);
    assert!(!state.iter().any(|name| name == "FULLSCREEN"), "{state:?}");
    viewer.stop();
}
