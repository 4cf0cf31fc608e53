//! What is said over the first window of a session.

use super::overlay::button_pixels;
use super::reconnect::{picture, wait_shown};
use super::{SOON, empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::x11::Seen;
use crate::support::xpra::Generation;

for_every_server!(it_comes_once_and_goes);

#[track_caller]
fn wait_buttons(display: &Display, viewer: &Viewer<'_>, window: &Seen, wanted: bool) {
    let context = || {
        let saved = display.x.grab(window.id).map(|seen| seen.save("greeting"));
        format!("{saved:?}\n{}", viewer.log())
    };
    let there = || ((button_pixels(display, window) > 200) == wanted).then_some(());
    wait_for(if wanted { "the greeting" } else { "its end" }, SOON, context, there);
}

/// It goes by itself, leads to the menu and out of the session, and stays away when the user says so.
fn it_comes_once_and_goes(generation: Generation) {
    let server = empty_session(generation);
    let look = Look { at: (200, 150), placed: true, ..Look::default() };
    let _card = Card::open(server.x().name(), "greeted", &picture(1), &look);
    let display = Display::with_window_manager();
    let home = tempfile::TempDir::new().expect("a folder");
    let config = home.path().display().to_string();
    let start = || {
        let environment = [("XDG_CONFIG_HOME", config.as_str()), ("XDG_DATA_HOME", config.as_str())];
        let words = [server.url(), "--greeting=yes".to_owned(), "--session-menu-key=Ctrl+F7".to_owned()];
        Viewer::start_with(&display, &words.each_ref().map(String::as_str), &environment)
    };
    let shown = |viewer: &mut Viewer<'_>| {
        let window = viewer.window("greeted");
        wait_buttons(&display, viewer, &window, true);
        window
    };

    let mut viewer = start();
    let window = shown(&mut viewer);
    display.x.picture(window.id).save(&format!("greeting-{generation:?}"));
    wait_buttons(&display, &viewer, &window, false);
    wait_shown(&display, &viewer, &window, &picture(1));
    viewer.stop();

    // The window has 300 x 200 pixels; the buttons lie beside each other.
    let mut viewer = start();
    let window = shown(&mut viewer);
    display.x.click_in(&window, (78, 160));
    viewer.wait_window("the menu", |seen| seen.title.contains("enu"));
    wait_buttons(&display, &viewer, &window, false);
    viewer.stop();

    let mut viewer = start();
    let window = shown(&mut viewer);
    display.x.click_in(&window, (170, 160));
    assert_eq!(viewer.exit_code(SOON), 0, "{}", viewer.log());
}
