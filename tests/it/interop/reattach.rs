//! Attaching again and again: windows stay where they are.

use std::time::Duration;

use super::{SOON, empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::xpra::Generation;

for_every_server!(windows_stay);

/// Frames of a window manager must not add up from session to session.
fn windows_stay(generation: Generation) {
    let server = empty_session(generation);
    let card = Card::open(server.x().name(), "staying", &Picture::smooth(300, 200), &Look::default());
    let display = Display::with_window_manager();
    let there = || card.x.seen(card.id).map(|seen| (seen.x, seen.y, seen.width, seen.height));
    let mut places = Vec::new();
    for _ in 0..4 {
        let mut viewer = Viewer::start(&display, &[&server.url()]);
        let here = viewer.window("staying");
        let here = (here.x, here.y, here.width, here.height);
        let context = || format!("shown at {here:?}, on the server at {:?}", there());
        wait_for("the window to be at the same place", SOON, context, || {
            (there() == Some(here)).then_some(())
        });
        // Time for more to happen than should.
        std::thread::sleep(Duration::from_millis(700));
        places.push(there());
        viewer.stop();
        std::thread::sleep(Duration::from_millis(300));
    }
    assert!(places.iter().all(|place| *place == places[0]), "the window wandered: {places:?}");
}
