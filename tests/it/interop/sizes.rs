//! Windows whose programs let them have some sizes only.

use std::time::Duration;

use super::places::{open, settled};
use super::{SOON, empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::xpra::Generation;

for_every_server!(one_size_after_another, steps_without_a_base);

/// A dialog that shows its details has one size before and one after. Programs say so before they resize it, or after
/// that; or they change their mind while nobody has followed yet: the last size holds.
fn one_size_after_another(generation: Generation) {
    let server = empty_session(generation);
    let look = Look { at: (350, 260), placed: true, fixed: true, ..Look::default() };
    let card = open(server.x(), "dialog", &look);
    let display = Display::with_window_manager();
    let viewer = &mut Viewer::start(&display, &[&server.url(), "--encodings=png"]);
    let id = viewer.window("dialog").id;
    settled("the dialog", viewer, id, &card, |_| true);
    let comes = |what: &str, width: u32, height: u32| {
        let what = format!("{width} x {height}, {what}");
        settled(&what, viewer, id, &card, |place| {
            (u32::from(place.2), u32::from(place.3)) == (width, height)
        });
        shows_all(&what, &display, id, &card);
    };
    let late = Duration::from_millis(300);
    for (first, pause) in [("limits", Duration::ZERO), ("size", Duration::ZERO), ("size", late)] {
        for (width, height) in [(330, 240), (250, 150)] {
            let limit = || card.fix_size(width as i32, height as i32);
            let resize = || card.resize(width, height);
            let (one, other): (&dyn Fn(), &dyn Fn()) =
                if first == "limits" { (&limit, &resize) } else { (&resize, &limit) };
            one();
            std::thread::sleep(pause);
            other();
            comes(&format!("first the {first}, {pause:?}"), width, height);
        }
    }
    for round in 0..8 {
        let (mut width, mut height) = (0, 0);
        for step in 0..6 {
            (width, height) = (200 + (round + step) % 7 * 10, 120 + (round + step) % 5 * 10);
            card.fix_size(width as i32, height as i32);
            card.resize(width, height);
            std::thread::sleep(Duration::from_millis(u64::from(step * 10)));
        }
        comes(&format!("the last of six, round {round}"), width, height);
    }
}

/// What the program's window shows is what is shown here.
#[track_caller]
fn shows_all(what: &str, display: &Display, id: u32, card: &Card) {
    let difference = || match display.x.grab(id) {
        Some(here) => here.difference(&card.picture(), "sizes"),
        None => Some("it is not on the screen".to_owned()),
    };
    wait_for(what, SOON, || difference().unwrap_or_default(), || difference().is_none().then_some(()));
}

/// Servers count steps from nothing where a program does not say from where, and not from the smallest size, as window
/// managers do: the window has the same size on both sides.
fn steps_without_a_base(generation: Generation) {
    let server = empty_session(generation);
    let look = Look {
        at: (350, 260),
        placed: true,
        minimum: Some((66, 35)),
        step: Some((9, 17)),
        ..Look::default()
    };
    let card = open(server.x(), "cells", &look);
    let display = Display::with_window_manager();
    let viewer = &mut Viewer::start(&display, &[&server.url(), "--encodings=png"]);
    let id = viewer.window("cells").id;
    for (width, height) in [(400, 310), (611, 455)] {
        display.x.xdotool(&["windowsize", &id.to_string(), &width.to_string(), &height.to_string()]);
        let cells = (width / 9 * 9, height / 17 * 17);
        let what = format!("{cells:?}");
        settled(&what, viewer, id, &card, |place| (place.2, place.3) == cells);
        shows_all(&what, &display, id, &card);
    }
}
