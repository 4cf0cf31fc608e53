//! Passwords that are not right: who is asked is asked again, in the connect window among its stages, else in a window of
//! its own.

use std::time::Duration;

use super::connect::{connect_window, connections, focus};
use super::{SOON, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::viewer::{Viewer, command};
use crate::support::wait_for;
use crate::support::x11::Seen;
use crate::support::xpra::{Generation, Options, XpraServer};

const LOGIN_REFUSED: i32 = 7;
const ASKS: &str = "Farpane: password";
/// What the connect window logs when it asks.
const ASKED: &str = "a password is asked for";

/// What the button has that Enter presses: dark, light.
const ACCENT: [u8; 3] = [0x2d, 0xd4, 0xbf];
const LIGHT_ACCENT: [u8; 3] = [0x0b, 0x7a, 0x6e];

for_every_server!(wrong_and_right_among_the_stages, a_slip_ends_nothing, nobody_to_ask);

fn server(generation: Generation, password: &str) -> XpraServer {
    XpraServer::start(generation, &Options { password: Some(password.to_owned()), ..Options::default() })
}

/// Waits until the connect window has asked so often, and shows it: beside the field stands the button of the colour that
/// says what Enter does.
#[track_caller]
fn asked(display: &Display, viewer: &Viewer, window: &Seen, times: usize) -> Picture {
    let log = || viewer.log();
    let is_asked = || (viewer.log().matches(ASKED).count() >= times).then_some(());
    wait_for("the question", SOON, log, is_asked);
    let shown = || {
        let picture = display.x.grab(window.id)?;
        let corner = picture.crop(picture.width - 300, picture.height - 60, 300, 60);
        let button =
            corner.rgb.as_chunks().0.iter().filter(|pixel| **pixel == ACCENT || **pixel == LIGHT_ACCENT);
        (button.count() > 300).then_some(picture)
    };
    let picture = wait_for("the field", SOON, log, shown);
    assert_eq!(viewer.log().matches(ASKED).count(), times, "{}", viewer.log());
    focus(display, window);
    picture
}

fn type_it(display: &Display, password: &str) {
    display.x.xdotool(&["type", "--delay", "20", password]);
    display.x.xdotool(&["key", "Return"]);
}

/// A slip, a step back with the address kept, and the right one.
fn wrong_and_right_among_the_stages(generation: Generation) {
    let server = server(generation, "sesame");
    let _card = Card::open(server.x().name(), "guarded", &Picture::smooth(200, 100), &Look::default());
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &["--log", "warn,farpane::app=debug"]);
    let window = connect_window(&mut viewer);
    focus(&display, &window);
    type_it(&display, &server.url());
    let first = asked(&display, &viewer, &window, 1);
    first.save(&format!("connect-question-{generation:?}"));
    type_it(&display, "barley");
    let second = asked(&display, &viewer, &window, 2);
    second.save(&format!("connect-question-again-{generation:?}"));
    assert!(first != second, "it says what was wrong");
    assert!(display.x.windows().iter().all(|seen| seen.title != ASKS), "no window of its own");
    // Back to the form, where the address is still the one.
    display.x.xdotool(&["key", "Escape"]);
    wait_for("the form", SOON, || viewer.log(), || (!same_page(&display, &window, &second)).then_some(()));
    display.x.xdotool(&["key", "Return"]);
    asked(&display, &viewer, &window, 3);
    type_it(&display, "sesame");
    viewer.window("guarded");
    // It is noted once something is seen of it.
    let noted = || connections(&viewer).is_dir().then_some(());
    wait_for("the connection to be noted", SOON, || viewer.log(), noted);
    for word in ["sesame", "barley"] {
        assert!(!viewer.log().contains(word), "the password is in the log");
        // Nor in what is kept of the connection.
        for file in std::fs::read_dir(connections(&viewer)).expect("it is kept").flatten() {
            let bytes = std::fs::read(file.path()).unwrap_or_default();
            let has_it = bytes.windows(word.len()).any(|part| part == word.as_bytes());
            assert!(!has_it, "{}", file.path().display());
        }
    }
    viewer.stop();
}

/// Whether the window looks the same on its right side, but for a caret that blinks.
fn same_page(display: &Display, window: &Seen, before: &Picture) -> bool {
    let heading = |picture: &Picture| picture.crop(340, 10, picture.width - 350, 60);
    display.x.grab(window.id).is_none_or(|now| heading(&now) == heading(before))
}

/// Started with an address, the viewer asks again in a window of its own; three times, and no more.
fn a_slip_ends_nothing(generation: Generation) {
    let server = server(generation, "sesame");
    let _card = Card::open(server.x().name(), "guarded", &Picture::smooth(200, 100), &Look::default());
    let display = Display::with_window_manager();
    let url = server.url();
    let next = |viewer: &mut Viewer, before: Option<u32>| -> Seen {
        let is_new = |seen: &Seen| seen.title == ASKS && Some(seen.id) != before;
        let asks = viewer.wait_window("another question", is_new);
        let painted = || (display.x.grab(asks.id)?.colours() > 10).then_some(());
        wait_for("the dialog's content", SOON, || viewer.log(), painted);
        focus(&display, &asks);
        asks
    };
    // Also after one that was given beforehand, which says so.
    let mut viewer = Viewer::start_with(&display, &[&url], &[("FARPANE_PASSWORD", "from before")]);
    let asks = next(&mut viewer, None);
    display.x.grab(asks.id).expect("the dialog").save(&format!("password-refused-{generation:?}"));
    type_it(&display, "slip");
    next(&mut viewer, Some(asks.id));
    type_it(&display, "sesame");
    viewer.window("guarded");
    viewer.stop();

    let mut viewer = Viewer::start(&display, &[&url]);
    let mut before = None;
    for _ in 0..3 {
        before = Some(next(&mut viewer, before).id);
        type_it(&display, "slip");
    }
    assert_eq!(viewer.exit_code(SOON), LOGIN_REFUSED, "{}", viewer.log());
    assert!(viewer.log().contains("refused the login"), "{}", viewer.log());
}

/// Without a window nobody is asked, and it is said which password was not right.
fn nobody_to_ask(generation: Generation) {
    let server = server(generation, "sesame");
    let file = server.directory().join("wrong");
    std::fs::write(&file, "from a file").expect("a file");
    let file = file.display().to_string();
    let with_password = server.url().replace("tcp://", "tcp://:by-hand@");
    let url = server.url();
    let cases = [
        (vec![url.as_str(), "--password-file", &file], format!("the password of the file {file}")),
        (vec![url.as_str()], "the password of FARPANE_PASSWORD".to_owned()),
        (vec![with_password.as_str()], "the password of the address".to_owned()),
    ];
    for (words, expected) in cases {
        let started = command(&[&["info"], &words[..]].concat()).env("FARPANE_PASSWORD", "variable").output();
        let output = started.expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(LOGIN_REFUSED), "{words:?}: {said}");
        assert!(said.contains("refused the login") && said.contains(&expected), "{words:?}: {said}");
        for secret in ["from a file", "variable", "by-hand"] {
            assert!(!said.contains(secret), "{said}");
        }
    }
}

/// In the connect window the third is the last, and the form says so.
#[test]
fn three_tries_among_the_stages() {
    let server = server(Generation::V6_5, "sesame");
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &["--log", "warn,farpane::app=debug"]);
    let window = connect_window(&mut viewer);
    focus(&display, &window);
    type_it(&display, &server.url());
    let mut last = None;
    for times in 1..=3 {
        last = Some(asked(&display, &viewer, &window, times));
        type_it(&display, "slip");
    }
    let last = last.expect("a picture");
    wait_for("the form", SOON, || viewer.log(), || (!same_page(&display, &window, &last)).then_some(()));
    std::thread::sleep(Duration::from_secs(1));
    display.x.grab(window.id).expect("the window").save("connect-login-refused");
    assert_eq!(viewer.log().matches(ASKED).count(), 3, "{}", viewer.log());
    viewer.interrupt();
    assert_eq!(viewer.exit_code(SOON), 0, "{}", viewer.log());
}
