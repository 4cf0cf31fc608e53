//! Two monitors on one screen (RandR 1.5).

use super::places::{MAXIMISED, Place, open, settled};
use super::{empty_session, for_every_server};
use crate::support::card::Look;
use crate::support::display::Display;
use crate::support::viewer::Viewer;
use crate::support::xpra::Generation;

for_every_server!(large_on_the_right_one);

/// A window on the second monitor is maximised and full screen there, by its program and by the user, and goes back to
/// where it was; also when the next session takes it over as it is.
fn large_on_the_right_one(generation: Generation) {
    let server = empty_session(generation);
    let card = open(server.x(), "player", &Look { at: (1000, 260), placed: true, ..Look::default() });
    let display = Display::bare().split().manage(&["openbox", "--sm-disable"]);
    let before = (1000, 260, 300, 200);
    let is_large = |place: Place| place.2 == 800 && place.3 > 900;
    let is_small = |place: Place| place.2 < 800;
    let ask = |id: u32, states: &[&str], on: u32| {
        let atom = |state: &str| display.x.atom(&format!("_NET_WM_STATE_{state}"));
        let second = states.get(1).map_or(0, |state| atom(state));
        display.x.tell_manager(id, "_NET_WM_STATE", [on, atom(states[0]), second, 2, 0]);
    };
    let mut viewer = Viewer::start(&display, &[&server.url()]);
    let mut id = viewer.window("player").id;
    assert_eq!(settled("the window", &viewer, id, &card, |_| true), before);
    for states in [&MAXIMISED[..], &["FULLSCREEN"]] {
        let is_right = |place: Place| place.0 == 800 && (states.len() == 2 || place == (800, 0, 800, 1000));
        card.ask_state(states, true);
        let large = settled("a large window", &viewer, id, &card, is_large);
        assert!(is_right(large), "{large:?}: {states:?} by its program");
        card.ask_state(states, false);
        let after = settled("the size before", &viewer, id, &card, is_small);
        assert_eq!(after, before, "{states:?} by its program");
        ask(id, states, 1);
        let large = settled("a large window by the user", &viewer, id, &card, is_large);
        assert!(is_right(large), "{large:?}: {states:?} by the user");
        viewer.stop();

        viewer = Viewer::start(&display, &[&server.url()]);
        id = viewer.window("player").id;
        let again = settled("a large window again", &viewer, id, &card, is_large);
        assert_eq!(again, large, "{states:?} in the next session");
        ask(id, states, 0);
        let after = settled("the size before by the user", &viewer, id, &card, is_small);
        assert_eq!(after, before, "{states:?} by the user");
    }
    viewer.stop();
}
