//! The connection is lost and the session is not: windows stay where they are, and live again.

use std::time::Duration;

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::ConnectionExt as _;

use super::connect::dialog;
use super::{SOON, empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::program::run;
use crate::support::relay::Relay;
use crate::support::typist::Typist;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::x11::Seen;
use crate::support::xpra::{Generation, Options, XpraServer, xpra};

for_every_server!(
    windows_stay_and_live_again,
    typing_through_a_loss,
    a_server_dies_and_another_takes_over,
    goodbyes_are_meant,
    who_was_replaced_stays_away,
    a_password_is_typed_once
);

const SERVER_ENDED: i32 = 3;
/// Key codes of a PC keyboard (evdev).
const KEY_W: u8 = 25;
const KEY_D: u8 = 40;
const KEY_E: u8 = 26;

/// A picture that is not like the others.
pub fn picture(number: usize) -> Picture {
    Picture::smooth(1000, 200).crop(number % 8 * 80, 0, 300, 200)
}

#[track_caller]
pub fn wait_shown(display: &Display, viewer: &Viewer<'_>, window: &Seen, wanted: &Picture) {
    let context = || {
        let saved = display.x.grab(window.id).map(|seen| seen.save("reconnect"));
        format!("{saved:?}\n{}", crate::support::tail(&viewer.log(), 40))
    };
    wait_for("the window to show its picture", SOON, context, || {
        (display.x.grab(window.id)?.psnr(wanted) > 30.0).then_some(())
    });
}

/// How light it is, of 255.
fn lightness(picture: &Picture) -> u64 {
    picture.rgb.iter().map(|&byte| u64::from(byte)).sum::<u64>() / picture.rgb.len() as u64
}

/// Waits until the window is darker than this picture by far.
#[track_caller]
pub fn wait_dimmed(display: &Display, viewer: &Viewer<'_>, window: &Seen, undimmed: &Picture) {
    wait_for(
        "the window to be dimmed",
        SOON,
        || viewer.log(),
        || (lightness(&display.x.grab(window.id)?) * 3 < lightness(undimmed) * 2).then_some(()),
    );
}

fn is_down(card: &Card, key: u8) -> bool {
    let keymap = card.x.connection.query_keymap().expect("X").reply().expect("a keymap").keys;
    keymap[usize::from(key / 8)] & (1 << (key % 8)) != 0
}

fn windows_stay_and_live_again(generation: Generation) {
    let server = empty_session(generation);
    let open = |title: &str, number: usize, at: (i16, i16)| {
        Card::open(server.x().name(), title, &picture(number), &Look { at, placed: true, ..Look::default() })
    };
    let (kept, other) = (open("kept", 1, (100, 100)), open("other", 2, (500, 150)));
    let closed = open("closed", 3, (900, 500));
    let display = Display::with_window_manager();
    let relay = Relay::to(server.address());
    let mut viewer = Viewer::start(&display, &[&relay.url()]);
    let windows = ["kept", "other", "closed"].map(|title| viewer.window(title));
    for (window, number) in windows.iter().zip(1..) {
        wait_shown(&display, &viewer, window, &picture(number));
    }
    // The user's order and place: the servers announce windows in another one.
    for title in ["closed", "other", "kept"] {
        let id = display.x.windows().into_iter().find(|seen| seen.title == title).expect("it is there").id;
        display.x.xdotool(&["windowraise", &id.to_string()]);
    }
    let [first, second, third] = &windows;
    display.x.xdotool(&["windowmove", &first.id.to_string(), "220", "330"]);
    display.x.focus(first.id);
    kept.wait_event("the focus", |event| matches!(event, Event::FocusIn(_)).then_some(()));
    let place = |window: &Seen| display.x.seen(window.id).map(|seen| seen.place());
    let typist = Typist::at(&display.x);
    typist.press(KEY_W);
    kept.wait_event("the press", |event| matches!(event, Event::KeyPress(_)).then_some(()));
    let before = (place(first), place(second), display.x.stacking());

    relay.close();
    wait_dimmed(&display, &viewer, first, &picture(1));
    wait_dimmed(&display, &viewer, second, &picture(2));
    display.x.picture(first.id).save(&format!("dimmed-{generation:?}"));
    typist.tap(&[], KEY_D).release(KEY_W);
    kept.show(&picture(4));
    // In this order: the X server gives the numbers of programs that are gone to others, and 6.5 takes them for its own.
    let opened = open("opened", 5, (700, 600));
    drop(closed);
    // Where the user puts it meanwhile it stays.
    display.x.xdotool(&["windowmove", &second.id.to_string(), "640", "40"]);
    wait_for("the move", SOON, String::new, || (place(second) != before.1).then_some(()));
    let moved = place(second);
    assert_eq!((place(first), display.x.stacking()), (before.0, before.2.clone()), "while away");
    relay.open();

    wait_shown(&display, &viewer, first, &picture(4));
    wait_shown(&display, &viewer, second, &picture(2));
    let new = viewer.window("opened");
    wait_shown(&display, &viewer, &new, &picture(5));
    wait_for("the closed one to go", SOON, || viewer.log(), || place(third).is_none().then_some(()));
    assert_eq!((place(first), place(second)), (before.0, moved), "places");
    let order: Vec<String> = before.2.into_iter().filter(|title| title != "closed").collect();
    let stacking: Vec<String> = display.x.stacking().into_iter().filter(|title| title != "opened").collect();
    assert_eq!(stacking, order, "order");
    // The server has them where they are.
    let there = |card: &Card| card.x.seen(card.id).map(|seen| (seen.x, seen.y));
    for (card, here) in [(&kept, place(first)), (&other, moved)] {
        let context = || format!("{:?} instead of {here:?}", there(card));
        wait_for("the same place there", SOON, context, || {
            (there(card) == here.map(|(x, y, ..)| (x, y))).then_some(())
        });
    }

    display.x.focus(first.id);
    typist.tap(&[], KEY_E);
    wait_for("a key that is typed now", SOON, String::new, || {
        while let Some(event) = kept.x.connection.poll_for_event().expect("the card's display") {
            match event {
                Event::KeyPress(key) => assert_ne!(key.detail, KEY_D, "typed while away"),
                Event::KeyRelease(key) if key.detail == KEY_E => return Some(()),
                _ => {}
            }
        }
        None
    });
    wait_for("no key to be down", SOON, String::new, || {
        (![KEY_W, KEY_D, KEY_E].iter().any(|key| is_down(&kept, *key))).then_some(())
    });
    drop(opened);
    viewer.stop();
}

/// Keys that come while the session comes back, before the server shows its windows, cost no window the keyboard.
fn typing_through_a_loss(generation: Generation) {
    let server = empty_session(generation);
    let card = Card::open(server.x().name(), "typed into", &picture(1), &Look::default());
    let display = Display::with_window_manager();
    let relay = Relay::to(server.address());
    let mut viewer = Viewer::start(&display, &[&relay.url()]);
    let window = viewer.window("typed into");
    wait_shown(&display, &viewer, &window, &picture(1));
    display.x.focus(window.id);
    card.wait_event("the focus", |event| matches!(event, Event::FocusIn(_)).then_some(()));
    let typist = Typist::at(&display.x);
    for round in 2..8 {
        relay.close();
        wait_dimmed(&display, &viewer, &window, &picture(round - 1));
        card.show(&picture(round));
        relay.open();
        wait_for(
            "the window to live again",
            SOON,
            || viewer.log(),
            || {
                for _ in 0..10 {
                    typist.tap(&[], KEY_D);
                    std::thread::sleep(Duration::from_millis(3));
                }
                (display.x.grab(window.id)?.psnr(&picture(round)) > 30.0).then_some(())
            },
        );
        typist.tap(&[], KEY_E);
        card.wait_event("a key", |event| match event {
            Event::KeyRelease(key) => (key.detail == KEY_E).then_some(()),
            _ => None,
        });
    }
    viewer.stop();
}

/// The server is killed, its display is not, and another server takes that over: the session is the same.
fn a_server_dies_and_another_takes_over(generation: Generation) {
    let mut server = empty_session(generation);
    let open = |title: &str, number: usize, at: (i16, i16)| {
        Card::open(server.x().name(), title, &picture(number), &Look { at, placed: true, ..Look::default() })
    };
    let cards = [open("first", 1, (100, 100)), open("second", 2, (500, 150))];
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url(), "--log", "info"]);
    let windows = ["first", "second"].map(|title| viewer.window(title));
    for (window, number) in windows.iter().zip(1..) {
        wait_shown(&display, &viewer, window, &picture(number));
    }
    server.kill();
    wait_dimmed(&display, &viewer, &windows[0], &picture(1));
    server.start_again();
    cards[1].show(&picture(3));
    // 3.1 may number them in another order: then the OS windows change places.
    for (title, number) in [("first", 1), ("second", 3)] {
        wait_for(
            "the windows to live again",
            SOON,
            || viewer.log(),
            || {
                let window = display.x.windows().into_iter().find(|seen| seen.title == title)?;
                (display.x.grab(window.id)?.psnr(&picture(number)) > 30.0).then_some(())
            },
        );
    }
    let kept = |window: &Seen| display.x.seen(window.id).is_some();
    assert!(windows.iter().all(kept), "the windows were made anew: {}", viewer.log());
    viewer.stop();
}

/// Who is told to go goes, with the words of the server; also who is thrown out by another viewer of the same account.
fn goodbyes_are_meant(generation: Generation) {
    let server = empty_session(generation);
    let _card = Card::open(server.x().name(), "until then", &picture(1), &Look::default());
    let displays = [Display::bare(), Display::bare()];
    let url = server.url();
    let mut first = Viewer::start(&displays[0], &[&url]);
    first.window("until then");
    let relay = Relay::to(server.address());
    let mut second = Viewer::start(&displays[1], &[&relay.url()]);
    assert_eq!(first.exit_code(SOON), SERVER_ENDED, "{}", first.log());
    second.window("until then");
    let connections = relay.accepted();
    run(xpra(generation).args(["detach", &url]));
    // Servers lose a goodbye now and then (findings/xpra-loses-its-goodbye.sh): who was told nothing comes back.
    let said = || relay.server_said("detach request");
    let told = || (said() || relay.accepted() > connections).then_some(());
    wait_for("a goodbye, or another connection", SOON, || second.log(), told);
    if said() {
        assert_eq!(second.exit_code(SOON), SERVER_ENDED, "{}", second.log());
        assert_eq!(relay.accepted(), connections, "it came back");
    }
}

/// Whose goodbye was lost (findings/xpra-loses-its-goodbye.sh) asks who has the session before coming back: another one
/// is not thrown out of it, an own connection that the server takes for alive is.
fn who_was_replaced_stays_away(generation: Generation) {
    let server = empty_session(generation);
    let card = Card::open(server.x().name(), "taken", &picture(1), &Look::default());
    let displays = [Display::bare(), Display::bare()];
    let relay = Relay::to(server.address());
    let mut first = Viewer::start(&displays[0], &[&relay.url()]);
    let window = first.window("taken");
    wait_shown(&displays[0], &first, &window, &picture(1));
    relay.leave_ghosts();
    card.show(&picture(2));
    wait_shown(&displays[0], &first, &window, &picture(2));
    assert!(!first.exited(), "{}", first.log());

    relay.close();
    wait_dimmed(&displays[0], &first, &window, &picture(2));
    let mut second = Viewer::start(&displays[1], &[&server.url()]);
    let beside = second.window("taken");
    wait_shown(&displays[1], &second, &beside, &picture(2));
    relay.open();
    assert_eq!(first.exit_code(SOON), SERVER_ENDED, "{}", first.log());
    assert!(first.log().contains("another viewer took the session over"), "{}", first.log());
    card.show(&picture(3));
    wait_shown(&displays[1], &second, &beside, &picture(3));
    second.stop();
}

/// What was typed in the dialog opens the door again.
fn a_password_is_typed_once(generation: Generation) {
    let options = Options { password: Some("a secret".into()), ..Options::default() };
    let server = XpraServer::start(generation, &options);
    let card = Card::open(server.x().name(), "guarded", &picture(1), &Look::default());
    let display = Display::with_window_manager();
    let relay = Relay::to(server.address());
    let mut viewer = Viewer::start(&display, &[&relay.url()]);
    dialog(&display, &mut viewer, "Farpane: password");
    display.x.xdotool(&["type", "--delay", "20", "a secret"]);
    display.x.xdotool(&["key", "Return"]);
    let window = viewer.window("guarded");
    wait_shown(&display, &viewer, &window, &picture(1));
    let logins = relay.accepted();
    relay.cut();
    card.show(&picture(2));
    wait_shown(&display, &viewer, &window, &picture(2));
    assert!(relay.accepted() > logins, "there is another connection");
    assert!(!viewer.log().contains("a secret"), "the password is in the log");
    viewer.stop();
}

/// Of this process: descriptors, and kilobytes in memory.
fn weight(pid: u32) -> (usize, u64) {
    let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("its descriptors").count();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("its status");
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    (descriptors, rss.trim().trim_end_matches("kB").trim().parse().expect("a number"))
}

/// Cuts in a row under traffic; `FARPANE_CUTS=200` makes more of them.
#[test]
fn cut_again_and_again() {
    let cuts = std::env::var("FARPANE_CUTS").ok().and_then(|cuts| cuts.parse().ok()).unwrap_or(20);
    let server = empty_session(Generation::V6_5);
    let look = |at| Look { at, placed: true, ..Look::default() };
    let cards: Vec<Card> = (0..4)
        .map(|n: i16| {
            let look = look((50 + 350 * n, 100));
            Card::open(server.x().name(), &format!("card {n}"), &picture(0), &look)
        })
        .collect();
    let display = Display::with_window_manager();
    let relay = Relay::to(server.address());
    let mut viewer = Viewer::start(&display, &[&relay.url(), "--overlay"]);
    let windows: Vec<Seen> = (0..4).map(|n| viewer.window(&format!("card {n}"))).collect();
    // The overlay stays where nothing is compared.
    display.x.focus(windows[0].id);
    let busy = &cards[1..];
    let mut before = None;
    for cut in 1..=cuts {
        for (number, card) in busy.iter().enumerate() {
            card.show(&picture(cut + number));
        }
        // At another moment of the traffic each time.
        std::thread::sleep(Duration::from_millis(cut as u64 * 37 % 60));
        relay.cut();
        for (number, (card, window)) in busy.iter().zip(&windows[1..]).enumerate() {
            let shown = picture(cut + number + 3);
            card.show(&shown);
            wait_shown(&display, &viewer, window, &shown);
        }
        for window in &windows {
            assert!(display.x.seen(window.id).is_some(), "a window is lost after {cut} cuts");
        }
        if cut == 8 {
            before = Some(weight(viewer.pid()));
        }
    }
    let after = weight(viewer.pid());
    let before = before.expect("at least 8 cuts");
    assert!(relay.accepted() > cuts, "{} connections", relay.accepted());
    assert!(after.0 <= before.0 + 4, "descriptors: {before:?}, then {after:?}");
    assert!(after.1 <= before.1 + 8_000, "kilobytes: {before:?}, then {after:?}");
    viewer.stop();
}

/// Nothing comes any more, and nobody says so: a cable is pulled, a machine is off.
#[test]
fn silence_is_noticed() {
    let server = empty_session(Generation::V6_5);
    let card = Card::open(server.x().name(), "silent", &picture(1), &Look::default());
    let display = Display::with_window_manager();
    let relay = Relay::to(server.address());
    let mut viewer = Viewer::start(&display, &[&relay.url(), "--silence-timeout", "2"]);
    let window = viewer.window("silent");
    wait_shown(&display, &viewer, &window, &picture(1));
    relay.silence();
    wait_dimmed(&display, &viewer, &window, &picture(1));
    card.show(&picture(2));
    relay.go_on();
    wait_shown(&display, &viewer, &window, &picture(2));
    // The old connection is still there on the server: it is thrown out, and the new one stays.
    std::thread::sleep(Duration::from_secs(3));
    card.show(&picture(3));
    wait_shown(&display, &viewer, &window, &picture(3));
    viewer.stop();
}

/// With the mouse, while it waits for the next attempt.
#[test]
fn the_user_can_stop_it() {
    let server = empty_session(Generation::V6_5);
    let look = Look { at: (300, 200), placed: true, ..Look::default() };
    let card = Card::open(server.x().name(), "stopped", &picture(1), &look);
    let display = Display::with_window_manager();
    let relay = Relay::to(server.address());
    let mut viewer = Viewer::start(&display, &[&relay.url(), "--log", "info"]);
    let window = viewer.window("stopped");
    wait_shown(&display, &viewer, &window, &picture(1));
    relay.close();
    wait_dimmed(&display, &viewer, &window, &picture(1));
    // By then the next attempt is seconds away.
    let waits = || viewer.log().matches("connecting again").count() >= 4;
    wait_for("some attempts", SOON, || viewer.log(), || waits().then_some(()));
    relay.open();
    card.show(&picture(2));
    // The left button is "Try now", the right one "Disconnect".
    let click = |x: i32| {
        let (x, y) = (window.x + 150 + x, window.y + 100 + 16);
        display.x.xdotool(&["mousemove", &x.to_string(), &y.to_string()]);
        std::thread::sleep(Duration::from_millis(200));
        display.x.picture(window.id).save("away-buttons");
        display.x.xdotool(&["click", "1"]);
    };
    click(-50);
    wait_shown(&display, &viewer, &window, &picture(2));
    relay.close();
    wait_dimmed(&display, &viewer, &window, &picture(2));
    click(45);
    assert_eq!(viewer.exit_code(Duration::from_secs(5)), 0, "{}", viewer.log());
}

/// Two viewers of one account that share: the one that comes back does not throw the other out.
#[test]
fn who_shares_comes_back_beside_the_other() {
    let switches = vec!["--sharing=yes".to_owned()];
    let server = XpraServer::start(Generation::V6_5, &Options { switches, ..Options::default() });
    let card = Card::open(server.x().name(), "shared", &picture(1), &Look::default());
    let displays = [Display::bare(), Display::bare()];
    let relay = Relay::to(server.address());
    let mut first = Viewer::start(&displays[0], &[&relay.url(), "--sharing"]);
    let window = first.window("shared");
    wait_shown(&displays[0], &first, &window, &picture(1));
    let mut second = Viewer::start(&displays[1], &[&server.url(), "--sharing"]);
    let beside = second.window("shared");
    relay.cut();
    card.show(&picture(2));
    wait_shown(&displays[0], &first, &window, &picture(2));
    wait_shown(&displays[1], &second, &beside, &picture(2));
    first.stop();
    second.stop();
}
