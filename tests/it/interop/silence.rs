//! A server that stands still while its connection stands: that is said, nothing that is typed is lost, and there is a way out.

use x11rb::protocol::Event;

use super::overlay::button_pixels;
use super::reconnect::{picture, wait_dimmed, wait_shown};
use super::{SOON, empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::relay::Relay;
use crate::support::typist::Typist;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::xpra::Generation;

for_every_server!(it_is_said_and_keys_arrive, it_can_be_left);

const KEY_D: u8 = 40;

/// The server is stopped for some seconds.
fn it_is_said_and_keys_arrive(generation: Generation) {
    let server = empty_session(generation);
    let card = Card::open(server.x().name(), "typed into", &picture(1), &Look::default());
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url(), "--log", "info"]);
    let window = viewer.window("typed into");
    wait_shown(&display, &viewer, &window, &picture(1));
    display.x.focus(window.id);
    card.wait_event("the focus", |event| matches!(event, Event::FocusIn(_)).then_some(()));

    server.stand_still();
    let typist = Typist::at(&display.x);
    typist.tap(&[], KEY_D);
    wait_dimmed(&display, &viewer, &window, &picture(1));
    display.x.picture(window.id).save(&format!("silence-{generation:?}"));
    server.go_on();
    card.wait_event("the key", |event| match event {
        Event::KeyPress(key) => (key.detail == KEY_D).then_some(()),
        _ => None,
    });
    wait_shown(&display, &viewer, &window, &picture(1));
    card.show(&picture(2));
    wait_shown(&display, &viewer, &window, &picture(2));
    assert!(!viewer.log().contains("connecting again"), "{}", viewer.log());
    viewer.stop();
}

/// Nothing comes through any more: *Reconnect* and *Disconnect* are offered, with the mouse.
fn it_can_be_left(generation: Generation) {
    let server = empty_session(generation);
    let look = Look { at: (300, 200), placed: true, ..Look::default() };
    let card = Card::open(server.x().name(), "left", &picture(1), &look);
    let display = Display::with_window_manager();
    let relay = Relay::to(server.address());
    let mut viewer = Viewer::start(&display, &[&relay.url(), "--log", "info"]);
    let window = viewer.window("left");
    wait_shown(&display, &viewer, &window, &picture(1));

    let silence = || {
        relay.silence();
        display.x.click_in(&window, (20, 20));
        wait_for(
            "the buttons",
            SOON,
            || viewer.log(),
            || (button_pixels(&display, &window) > 0).then_some(()),
        );
        display.x.picture(window.id).save(&format!("silence-buttons-{generation:?}"));
    };
    silence();
    let before = relay.accepted();
    // The left button.
    display.x.click_in(&window, (100, 116));
    wait_for("another connection", SOON, || viewer.log(), || (relay.accepted() > before).then_some(()));
    card.show(&picture(2));
    relay.go_on();
    wait_shown(&display, &viewer, &window, &picture(2));
    assert!(viewer.log().contains("silent for"), "{}", viewer.log());

    silence();
    display.x.click_in(&window, (195, 116));
    assert_eq!(viewer.exit_code(SOON), 0, "{}", viewer.log());
}
