//! What just happened, saved from real sessions and played again.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::session_menu::{Entry, open, recorded};
use super::{SOON, empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::program;
use crate::support::viewer::{self, Viewer};
use crate::support::wait_for;
use crate::support::xpra::Generation;

for_every_server!(saved_by_signal_and_by_menu);

/// Longer than what is kept.
const LONG_AGO: Duration = Duration::from_secs(32);

/// The picture at the end of a recording, which is played without a server.
fn last_picture(file: &Path, name: &str) -> Picture {
    let last = file.with_extension(name).display().to_string();
    let words = ["replay", &file.display().to_string(), "--headless", "--flat-out", "--screenshot", &last];
    let said = program::run(&mut viewer::command(&words));
    assert!(said.contains(" 0 refused"), "{said}");
    Picture::load(Path::new(&last))
}

#[track_caller]
fn wait_saved(viewer: &Viewer, name: &str) -> PathBuf {
    let file = viewer.home().join("Downloads").join(name);
    let complete = || (file.exists() && recorded(&file).1).then_some(());
    wait_for(name, SOON, || viewer.log(), complete);
    file
}

fn saved_by_signal_and_by_menu(generation: Generation) {
    const SIZE: (usize, usize) = (500, 400);
    let server = empty_session(generation);
    let first = Picture::sharp(SIZE.0, SIZE.1);
    let card = Card::open(server.x().name(), "shown", &first, &Look::default());
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url(), "--renderer=cpu", "--encodings=png,rgb"]);
    std::fs::create_dir(viewer.home().join("Downloads")).expect("a folder");
    let remote = viewer.window("shown");
    let shows = |viewer: &Viewer, wanted: &Picture| {
        let same = || (display.x.grab(remote.id)? == *wanted).then_some(());
        wait_for("the picture", SOON, || viewer.log(), same);
    };
    shows(&viewer, &first);
    // The window and all its pixels are older than what is kept; then a part of it changes.
    std::thread::sleep(LONG_AGO);
    let changed = |part: usize| {
        Picture::from_fn(SIZE.0, SIZE.1, |x, y| {
            let at = (y * SIZE.0 + x) * 3;
            if x < 80 && y < 60 {
                [40 * part as u8; 3]
            } else {
                [first.rgb[at], first.rgb[at + 1], first.rgb[at + 2]]
            }
        })
    };
    for part in 1..5 {
        card.show(&changed(part));
        shows(&viewer, &changed(part));
    }
    viewer.signal("USR1");
    let file = wait_saved(&viewer, "farpane-session.fpr");
    let mode = std::fs::metadata(&file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "others can read it");
    assert!(!viewer.exited(), "the session goes on");
    let last = last_picture(&file, "signal.png");
    assert!(
        last == changed(4),
        "{:?}",
        last.difference(&changed(4), &format!("instant-replay-{generation:?}"))
    );

    // Once more from the menu, to a new file.
    card.show(&changed(6));
    shows(&viewer, &changed(6));
    open(&mut viewer, &display, &remote);
    let keys = [&["key", "--delay", "150"][..], &["Tab"; Entry::Replay as usize], &["Return"]].concat();
    display.x.xdotool(&keys);
    let second = wait_saved(&viewer, "farpane-session-2.fpr");
    let last = last_picture(&second, "menu.png");
    assert!(
        last == changed(6),
        "{:?}",
        last.difference(&changed(6), &format!("instant-replay-{generation:?}"))
    );
    viewer.stop();
}

/// Who does not want it has it not.
#[test]
fn nothing_is_kept_where_it_is_off() {
    let server = empty_session(Generation::V6_5);
    let _card = Card::open(server.x().name(), "shown", &Picture::smooth(300, 200), &Look::default());
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url(), "--renderer=cpu", "--instant-replay=no"]);
    std::fs::create_dir(viewer.home().join("Downloads")).expect("a folder");
    viewer.window("shown");
    viewer.signal("USR1");
    std::thread::sleep(Duration::from_secs(3));
    assert!(!viewer.exited(), "{}", viewer.log());
    assert_eq!(std::fs::read_dir(viewer.home().join("Downloads")).expect("a folder").count(), 0);
    viewer.stop();
}
