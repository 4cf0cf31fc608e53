//! Full screen by the viewer's key under sway, and the keys that sway has for itself.

use x11rb::protocol::Event;

use super::input::pressed;
use super::{SOON, wait_shown};
use crate::support::card::{Card, Look};
use crate::support::picture::Picture;
use crate::support::wait_for;
use crate::support::wayland::{Sway, WaylandViewer};
use crate::support::xpra::{Generation, Options, XpraServer};

/// Its keysym.
const TAB: u32 = 0xff09;

#[test]
fn v3_1() {
    all_keys(Generation::V3_1);
}

#[test]
fn v6_5() {
    all_keys(Generation::V6_5);
}

fn all_keys(generation: Generation) {
    let server = XpraServer::start(generation, &Options::default());
    let picture = Picture::sharp(301, 203);
    let card = Card::open(server.x().name(), "full", &picture, &Look::default());
    let sway = Sway::start("1");
    let mut viewer = WaylandViewer::start(sway.socket(), &[&server.url(), "--encodings=png"]);
    wait_shown(&sway, &mut viewer, "full", &picture, 1);
    card.wait_event("the focus", |event| matches!(event, Event::FocusIn(_)).then_some(()));
    let alt_tab = || sway.type_text(&["-M", "alt", "-k", "Tab", "-m", "alt"]);
    let toggle = || sway.type_text(&["-M", "shift", "-k", "F12", "-m", "shift"]);
    let is_full = |wanted: bool| {
        let full = || (sway.view("full")?.fullscreen == wanted).then_some(());
        wait_for("full screen or its end", SOON, || format!("{:?}", sway.views()), full);
    };
    let taken = || wait_for("sway to take its key", SOON, String::new, || sway.took_alt_tab().then_some(()));
    alt_tab();
    taken();

    toggle();
    is_full(true);
    // The compositor is asked after that.
    std::thread::sleep(std::time::Duration::from_millis(500));
    sway.grab().save(&format!("full-screen-sway-{generation:?}"));
    alt_tab();
    assert_eq!((pressed(&card), sway.took_alt_tab()), (TAB, false), "the program gets it, and sway does not");

    toggle();
    is_full(false);
    alt_tab();
    taken();
    viewer.stop();
}
