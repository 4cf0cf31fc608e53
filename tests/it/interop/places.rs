//! Windows stay where they are, whatever programs, users, window managers and sessions do with them.

use std::time::Duration;

use x11rb::protocol::Event;

use super::{SOON, empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::x11::X;
use crate::support::xpra::{Generation, Options, XpraServer};

for_every_server!(
    full_screen_and_back,
    minimised_and_restored,
    first_places,
    order_and_focus_come_back,
    whole_characters,
    a_drag_is_followed,
    the_pointer_meets_a_window_that_moved_itself,
);

pub(super) const MAXIMISED: [&str; 2] = ["MAXIMIZED_HORZ", "MAXIMIZED_VERT"];

pub(super) type Place = (i32, i32, u16, u16);

pub(super) fn open(server: &X, title: &str, look: &Look) -> Card {
    Card::open(server.name(), title, &Picture::smooth(300, 200), look)
}

/// Waits until the window is in one place on both sides that `accept` accepts, and stays there.
#[track_caller]
pub(super) fn settled(
    what: &str,
    viewer: &Viewer<'_>,
    id: u32,
    card: &Card,
    accept: impl Fn(Place) -> bool,
) -> Place {
    let here = || viewer.x.seen(id).map(|seen| seen.place());
    let log = || crate::support::tail(&viewer.log(), 40);
    let context = || {
        format!("here {:?}, there {:?}, states {:?}\n{}", here(), card.place(), viewer.x.states(id), log())
    };
    let mut since = None;
    wait_for(what, SOON, context, || {
        let place = here().filter(|place| card.place() == Some(*place) && accept(*place));
        if place.is_none() || since.is_none_or(|(before, _)| Some(before) != place) {
            since = place.map(|place| (place, farpane::channel::clock::now()));
        }
        // Longer than echoes, animations and the viewer's own patience.
        since.filter(|(_, since)| since.elapsed() > Duration::from_millis(900)).map(|(place, _)| place)
    })
}

fn full_screen_and_back(generation: Generation) {
    rounds(generation, &Display::with_window_manager());
}

/// The same under a window manager with other frames, and other ways.
#[test]
fn full_screen_and_back_under_xfwm4() {
    rounds(Generation::V6_5, &Display::managed_by(&["xfwm4", "--compositor=off"]));
}

/// By the program, then by the user's keys: full screen and maximised, and back where it was.
pub fn rounds(generation: Generation, display: &Display) {
    let server = empty_session(generation);
    let look = Look { at: (350, 260), placed: true, ..Look::default() };
    let card = open(server.x(), "player", &look);
    let viewer = &mut Viewer::start(display, &[&server.url()]);
    let id = viewer.window("player").id;
    let before = settled("the window", viewer, id, &card, |_| true);
    assert_eq!(before, (350, 260, 300, 200), "not where its program wanted it");
    let is_large = |place: Place| place.2 > 1500 && place.3 > 900;
    let is_as_before = |place: Place| (place.2, place.3) == (before.2, before.3);
    for round in 0..3 {
        for states in [&["FULLSCREEN"][..], &MAXIMISED] {
            card.ask_state(states, true);
            let large = settled("a large window", viewer, id, &card, is_large);
            assert!(states.len() == 2 || large == (0, 0, 1600, 1000), "full screen is {large:?}");
            card.ask_state(states, false);
            let after = settled("the size before", viewer, id, &card, is_as_before);
            assert_eq!(after, before, "it wandered in round {round} of {states:?} by the program");
            let ask = |on: u32| {
                let atoms: Vec<u32> =
                    states.iter().map(|state| display.x.atom(&format!("_NET_WM_STATE_{state}"))).collect();
                let second = atoms.get(1).copied().unwrap_or(0);
                display.x.tell_manager(id, "_NET_WM_STATE", [on, atoms[0], second, 2, 0]);
            };
            ask(1);
            settled("a large window by the user", viewer, id, &card, is_large);
            let known = || card.x.states(card.id);
            wait_for(
                "the program to know",
                SOON,
                || format!("{:?}", known()),
                || states.iter().all(|state| known().iter().any(|known| known == state)).then_some(()),
            );
            ask(0);
            let after = settled("the size before by the user", viewer, id, &card, is_as_before);
            assert_eq!(after, before, "it wandered in round {round} of {states:?} by the user");
        }
    }
}

/// Fast, and with a program that resizes its window meanwhile.
fn minimised_and_restored(generation: Generation) {
    let server = empty_session(generation);
    let card = open(server.x(), "shy", &Look { at: (350, 260), placed: true, ..Look::default() });
    let display = Display::with_window_manager();
    let viewer = &mut Viewer::start(&display, &[&server.url()]);
    let id = viewer.window("shy").id;
    let before = settled("the window", viewer, id, &card, |_| true);
    let window = id.to_string();
    let is_hidden = || display.x.states(id).iter().any(|state| state == "HIDDEN");
    for round in 0..20_u64 {
        display.x.xdotool(&["windowminimize", &window]);
        wait_for("the window to hide", SOON, String::new, || is_hidden().then_some(()));
        std::thread::sleep(Duration::from_millis(round % 5 * 60));
        display.x.xdotool(&["windowactivate", &window]);
        wait_for("the window to come back", SOON, String::new, || (!is_hidden()).then_some(()));
        std::thread::sleep(Duration::from_millis(round % 3 * 90));
    }
    assert_eq!(settled("the window after the storm", viewer, id, &card, |_| true), before);

    display.x.xdotool(&["windowminimize", &window]);
    let is_iconic = || card.x.states(card.id).iter().any(|state| state == "HIDDEN");
    let context = || format!("{:?} {:?}", card.x.states(card.id), card.x.numbers(card.id, "WM_STATE"));
    wait_for("the program to know", SOON, context, || {
        (is_iconic() || card.x.numbers(card.id, "WM_STATE").first() == Some(&3)).then_some(())
    });
    card.resize(420, 310);
    // The viewer's window follows although nobody sees it.
    let size = || display.x.size(id);
    wait_for("the other size", SOON, || format!("{:?}", size()), || (size() == (420, 310)).then_some(()));
    display.x.xdotool(&["windowactivate", &window]);
    let after = settled("the window that was resized", viewer, id, &card, |place| place.2 == 420);
    assert_eq!(after, (before.0, before.1, 420, 310), "it came back elsewhere");
}

/// Title bars are on the screen, and a window that was maximised knows its earlier size in the next session.
fn first_places(generation: Generation) {
    let server = empty_session(generation);
    let placed = |x, y| Look { at: (x, y), placed: true, ..Look::default() };
    let corner = open(server.x(), "corner", &placed(0, 0));
    let far = open(server.x(), "far", &placed(2300, 1400));
    let large = open(server.x(), "large", &placed(120, 140));
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url()]);
    let frame = |viewer: &mut Viewer<'_>, title: &str| {
        let id = viewer.window(title).id;
        display.x.frame(id).expect("a frame")
    };
    let (left, top, ..) = frame(&mut viewer, "corner");
    assert_eq!((left, top), (0, 0), "the frame is not in the corner");
    let (left, top, width, height) = frame(&mut viewer, "far");
    assert_eq!((left + i32::from(width), top + i32::from(height)), (1600, 1000), "not the nearest place");
    for (title, card) in [("corner", &corner), ("far", &far)] {
        let id = viewer.window(title).id;
        settled("the server to have it there", &viewer, id, card, |_| true);
    }
    let id = viewer.window("large").id;
    let before = settled("the window", &viewer, id, &large, |_| true);
    large.ask_state(&MAXIMISED, true);
    settled("a large window", &viewer, id, &large, |place| place.2 > 1500);
    viewer.stop();

    let viewer = &mut Viewer::start(&display, &[&server.url()]);
    let id = viewer.window("large").id;
    settled("a large window again", viewer, id, &large, |place| place.2 > 1500);
    large.ask_state(&MAXIMISED, false);
    let after = settled("the size before", viewer, id, &large, |place| place.2 < 1500);
    assert_eq!(after, before, "not where it was before it was maximised in another session");
    assert_eq!(frame(viewer, "corner").0, 0, "the one in the corner wandered");
}

/// The next session shows the same window on top, and gives it the focus.
fn order_and_focus_come_back(generation: Generation) {
    let server = empty_session(generation);
    let titles = ["first", "second", "third", "fourth"];
    let cards: Vec<Card> = (0_i16..)
        .zip(titles)
        .map(|(index, title)| {
            let at = (100 + index * 60, 100 + index * 50);
            open(server.x(), title, &Look { at, placed: true, ..Look::default() })
        })
        .collect();
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url()]);
    for title in titles {
        viewer.window(title);
    }
    // The order of their creation; the second one gets the focus but stays below.
    let wanted = ["first", "fourth", "third", "second"];
    for title in wanted {
        let id = viewer.window(title).id.to_string();
        display.x.xdotool(&["windowactivate", "--sync", &id]);
    }
    let context = |viewer: &Viewer<'_>| {
        let log = crate::support::tail(&viewer.log(), 30);
        format!("{:?}, active {:?}\n{log}", display.x.stacking(), display.x.active())
    };
    let is_so = || display.x.stacking() == wanted && display.x.active().as_deref() == Some("second");
    wait_for("the order", SOON, || context(&viewer), || is_so().then_some(()));
    // More than the viewer waits for more of it.
    std::thread::sleep(Duration::from_millis(600));
    viewer.stop();
    for _ in 0..2 {
        let mut viewer = Viewer::start(&display, &[&server.url()]);
        for title in titles {
            viewer.window(title);
        }
        wait_for("the order of the session before", SOON, || context(&viewer), || is_so().then_some(()));
        std::thread::sleep(Duration::from_millis(600));
        assert!(is_so(), "{}", context(&viewer));
        viewer.stop();
    }
    drop(cards);
}

/// Where a window has no room for whole characters, its program's window is told a size that has, and what is left
/// shows no black.
fn whole_characters(generation: Generation) {
    let server = empty_session(generation);
    let look = Look { at: (100, 100), placed: true, step: Some((6, 13)), ..Look::default() };
    let picture = Picture::from_fn(306, 208, |_, _| [40, 160, 90]);
    let card = Card::open(server.x().name(), "cells", &picture, &look);
    for scaling in ["1", "1.37"] {
        // No window manager minds the steps here.
        let display = Display::bare();
        let mut viewer = Viewer::start(&display, &[&server.url(), "--desktop-scaling", scaling]);
        let id = viewer.window("cells").id;
        let (width, height) = (607, 418);
        let resize = ["windowsize", &id.to_string(), &width.to_string(), &height.to_string()];
        display.x.xdotool(&resize);
        let factor: f64 = scaling.parse().expect("a number");
        let cells = |side: u32, step: u32| (f64::from(side) / factor).round() as u32 / step * step;
        let expected = (cells(width, 6) as u16, cells(height, 13) as u16);
        let size = || card.place().map(|(_, _, width, height)| (width, height));
        let context =
            || format!("{:?}, not {expected:?}\n{}", size(), crate::support::tail(&viewer.log(), 30));
        wait_for("whole characters", SOON, context, || (size() == Some(expected)).then_some(()));
        let shown = || {
            let picture = display.x.grab(id)?;
            let edge = |at: usize| [picture.rgb[at * 3], picture.rgb[at * 3 + 1], picture.rgb[at * 3 + 2]];
            let all = (0..picture.width * picture.height).map(edge);
            Some(all.filter(|pixel| pixel.iter().all(|part| *part < 20)).count())
        };
        wait_for(
            "no black",
            SOON,
            || format!("{:?} black pixels", shown()),
            || (shown() == Some(0)).then_some(()),
        );
        viewer.stop();
    }
}

/// Xephyr lists no monitor at first: the server is told the size that the screen has.
#[test]
fn a_screen_without_monitors_has_a_size() {
    let server = empty_session(Generation::V6_5);
    let card = open(server.x(), "nested", &Look { at: (2000, 1500), placed: true, ..Look::default() });
    let outer = Display::bare();
    let display = outer.nested("900x700");
    let mut viewer = Viewer::start(&display, &[&server.url()]);
    let shown = viewer.window("nested");
    assert!(shown.x >= 0 && shown.x + 300 <= 900 && shown.y >= 0 && shown.y + 200 <= 700, "{shown:?}");
    let root = || server.x().size(server.x().root);
    wait_for(
        "the session's screen",
        SOON,
        || format!("{:?}", root()),
        || (root() == (900, 700)).then_some(()),
    );
    drop(card);
    viewer.stop();
}

/// A whole desktop that is larger than the screen.
#[test]
fn a_large_desktop_fits_the_screen() {
    let options = Options { desktop: Some((2560, 1600)), ..Options::default() };
    let server = XpraServer::start(Generation::V3_1, &options);
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url()]);
    let seen = viewer.wait_window("the desktop", |seen| !seen.override_redirect && seen.width > 300);
    let (x, y, width, height) = display.x.frame(seen.id).expect("a frame");
    assert!(x >= 0 && y >= 0, "{x}, {y}");
    assert!(x + i32::from(width) <= 1600 && y + i32::from(height) <= 1000, "{width} x {height}");
    viewer.stop();
}

/// A program moves its own window: the pointer is where it is seen all the same.
fn the_pointer_meets_a_window_that_moved_itself(generation: Generation) {
    let server = empty_session(generation);
    let card = open(server.x(), "moves itself", &Look { at: (100, 100), placed: true, ..Look::default() });
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url()]);
    let id = viewer.window("moves itself").id;
    settled("the window", &viewer, id, &card, |_| true);
    // Longer than what is said now could be an answer to what was told.
    std::thread::sleep(Duration::from_millis(1500));
    card.place_at(430, 270, 300, 200);
    let (x, y, ..) = settled("the window elsewhere", &viewer, id, &card, |place| place.0 > 350);
    let pointed = |x: i32, y: i32| {
        display.x.xdotool(&["mousemove", &x.to_string(), &y.to_string()]);
        card.wait_event("the pointer", |event| match event {
            Event::MotionNotify(motion) => Some((motion.event_x, motion.event_y)),
            _ => None,
        })
    };
    assert_eq!(pointed(x + 40, y + 30), (40, 30));
    // As soon as it is seen there, too: the pointer waits for nothing.
    std::thread::sleep(Duration::from_millis(1500));
    card.place_at(130, 170, 300, 200);
    let context = || format!("{:?}", display.x.seen(id).map(|seen| seen.place()));
    let (x, y, ..) = wait_for("the window back", SOON, context, || {
        display.x.seen(id).map(|seen| seen.place()).filter(|place| place.0 < 350)
    });
    assert_eq!(pointed(x + 50, y + 20), (50, 20));
    viewer.stop();
}

/// One that is larger than can be shown becomes as large as the screen (6.5.5's, unless it is told another size).
#[test]
fn a_huge_desktop_becomes_smaller() {
    let options = Options { desktop: Some((8192, 4096)), ..Options::default() };
    let server = XpraServer::start(Generation::V6_5, &options);
    let look = Look { at: (100, 100), placed: true, ..Look::default() };
    let _card = Card::open(server.x().name(), "in it", &Picture::smooth(500, 300), &look);
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url()]);
    let seen = viewer.wait_window("the desktop", |seen| !seen.override_redirect && seen.width > 300);
    let colours = || (display.x.grab(seen.id)?.colours() > 500).then_some(());
    wait_for("what is in it", SOON, || viewer.log(), colours);
    display.x.picture(seen.id).save("huge-desktop");
    let (_, _, width, height) = display.x.frame(seen.id).expect("a frame");
    assert!(width <= 1600 && height <= 1000, "{width} x {height}");
    viewer.stop();
}

/// While the user still holds the title bar, programs in the session know where their window is.
fn a_drag_is_followed(generation: Generation) {
    let server = empty_session(generation);
    let card = open(server.x(), "dragged", &Look { at: (300, 300), placed: true, ..Look::default() });
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url()]);
    let id = viewer.window("dragged").id;
    let (x, y, ..) = settled("the window", &viewer, id, &card, |_| true);
    let aim = |x: i32, y: i32| display.x.xdotool(&["mousemove", &x.to_string(), &y.to_string()]);
    aim(x + 100, y - 8);
    display.x.xdotool(&["mousedown", "1"]);
    for step in 1..8 {
        aim(x + 100 + 12 * step, y - 8 + 9 * step);
    }
    settled("the window on its way", &viewer, id, &card, |place| place.0 > x + 60 && place.1 > y + 40);
    display.x.xdotool(&["mouseup", "1"]);
    settled("the window where it was dropped", &viewer, id, &card, |place| place.0 > x + 60);
    viewer.stop();
}
