//! The session information window over a real session: opened by its key and by the overlay's button,
//! used with the keyboard alone.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{SOON, empty_session, overlay};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::x11::Seen;
use crate::support::xpra::Generation;

const TITLE: &str = "Session information: ";

#[test]
fn by_key_and_button_without_a_gpu() {
    by_key_and_button("cpu");
}

#[test]
fn by_key_and_button_with_wgpu() {
    by_key_and_button("wgpu");
}

fn by_key_and_button(renderer: &str) {
    let server = empty_session(Generation::V6_5);
    let picture = Picture::smooth(900, 500);
    let card = Card::open(server.x().name(), "shown", &picture, &Look::default());
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url(), "--renderer", renderer]);
    std::fs::create_dir(downloads(&viewer)).expect("a folder");
    let remote = viewer.window("shown");
    let key = |keys: &str| display.x.xdotool(&["key", keys]);
    wait_picture_roughly(&mut viewer, &picture);

    display.x.focus(remote.id);
    key("shift+F10");
    let window = information(&mut viewer);
    // Plots and words, and again with what came later.
    let colours = || display.x.grab(window.id).map_or(0, |picture| picture.colours());
    wait_for("its words and plots", SOON, || colours().to_string(), || (colours() > 50).then_some(()));
    let before = display.x.picture(window.id);
    card.show(&Picture::sharp(900, 500));
    wait_for(
        "new statistics",
        SOON,
        || viewer.log(),
        || (display.x.grab(window.id)? != before).then_some(()),
    );

    // The history holds complete seconds.
    std::thread::sleep(Duration::from_millis(2100));

    // Close, Export JSON, Export CSV.
    display.x.focus(window.id);
    display.x.xdotool(&["key", "Tab", "Tab", "space"]);
    let json = exported(&viewer, "farpane-session.json");
    let json: serde_json::Value = serde_json::from_str(&json).expect("an export in JSON");
    assert!(json["session"]["server_version"].as_str().is_some_and(|version| version.starts_with("6.5")));
    assert_eq!(json["session"]["encryption"], "none (this machine)");
    assert_eq!(json["session"]["decoders"], "confined (seccomp)");
    let seconds = json["history"].as_array().expect("a history");
    assert!(seconds.iter().any(|second| second["draws"].as_u64() > Some(0)), "{seconds:?}");
    display.x.xdotool(&["key", "Tab", "Return"]);
    let csv = exported(&viewer, "farpane-session.csv");
    // Nothing is overwritten.
    key("Return");
    exported(&viewer, "farpane-session-2.csv");
    assert_eq!(exported(&viewer, "farpane-session.csv"), csv);
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines.len() > seconds.len(), "{csv}");
    assert!(lines.iter().all(|line| line.split(',').count() == 9), "{csv}");
    display.x.grab(window.id).expect("the window").save(&format!("session-information-{renderer}"));
    key("Escape");
    gone(&display, &window);

    display.x.focus(remote.id);
    let plain = display.x.picture(remote.id);
    // The first of its steps that has buttons.
    display.x.xdotool(&["key", "--delay", "200", "shift+F11", "shift+F11"]);
    wait_for("the overlay", SOON, || viewer.log(), || (display.x.grab(remote.id)? != plain).then_some(()));
    let button = wait_for("its button", SOON, || viewer.log(), || button(&display.x.grab(remote.id)?));
    let (x, y) = (remote.x + button.0, remote.y + button.1);
    display.x.xdotool(&["mousemove", &x.to_string(), &y.to_string(), "sleep", "0.3", "click", "1"]);
    let window = information(&mut viewer);
    // Its own key closes it too.
    display.x.focus(window.id);
    key("shift+F10");
    gone(&display, &window);
    viewer.stop();
}

/// The pictures of this test may be sent with losses: they are only looked at.
#[track_caller]
fn wait_picture_roughly(viewer: &mut Viewer, expected: &Picture) {
    let id = viewer.window("shown").id;
    let x = viewer.x;
    let enough = expected.colours() / 8;
    wait_for("a picture", SOON, || viewer.log(), || (x.grab(id)?.colours() > enough).then_some(()));
}

#[track_caller]
fn information(viewer: &mut Viewer) -> Seen {
    viewer.wait_window("the session information window", |seen| seen.title.starts_with(TITLE))
}

#[track_caller]
fn gone(display: &Display, window: &Seen) {
    let still = || display.x.seen(window.id).is_none().then_some(());
    wait_for("the session information window to go", SOON, String::new, still);
}

#[track_caller]
fn exported(viewer: &Viewer, name: &str) -> String {
    let file = downloads(viewer).join(name);
    let complete = |text: &String| text.ends_with(['\n', '}']);
    wait_for(
        name,
        SOON,
        || listing(&downloads(viewer)),
        || std::fs::read_to_string(&file).ok().filter(complete),
    )
}

fn downloads(viewer: &Viewer) -> PathBuf {
    viewer.home().join("Downloads")
}

fn listing(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().display().to_string()).collect::<Vec<_>>().join(" ")
}

/// The middle of the overlay's button *Info*.
fn button(picture: &Picture) -> Option<(i32, i32)> {
    overlay::buttons(picture).get(1).copied()
}
