//! The connect window over real servers: everything with the keyboard, and what is kept.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use x11rb::protocol::xproto::{AutoRepeatMode, ChangeKeyboardControlAux, ConnectionExt as _};

use super::{SOON, empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::x11::Seen;
use crate::support::xpra::Generation;

const TITLE: &str = "Farpane";

for_every_server!(typed_shown_and_left);

/// GNOME and KDE say in their portal whether programs are to be dark; `gdbus` is who asks it.
#[test]
fn dark_or_light_as_the_portal_says() {
    let programs = tempfile::TempDir::new().expect("a folder");
    let gdbus = programs.path().join("gdbus");
    let path = format!("{}:{}", programs.path().display(), std::env::var("PATH").unwrap_or_default());
    let display = Display::with_window_manager();
    let brightness = |answer: &str| {
        let asked = "*org.freedesktop.portal.Settings.Read\\ org.freedesktop.appearance\\ color-scheme";
        let script = format!("#!/bin/sh\ncase \"$*\" in {asked}) echo '(<<uint32 {answer}>>,)';; esac\n");
        std::fs::write(&gdbus, script).expect("a script");
        std::fs::set_permissions(&gdbus, std::fs::Permissions::from_mode(0o755)).expect("a program");
        let bus = [("PATH", path.as_str()), ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")];
        let mut viewer = Viewer::start_with(&display, &[], &bus);
        let window = connect_window(&mut viewer);
        let corner = display.x.grab(window.id).expect("the window").rgb[..3].iter().copied().max();
        leave(&display, &window);
        assert_eq!(viewer.exit_code(SOON), 0, "{}", viewer.log());
        corner.expect("three colours")
    };
    let (dark, light) = (brightness("1"), brightness("2"));
    assert!(dark < 80 && light > 180, "{dark} {light}");
}

/// An address is typed, the session shown and its use noted; its end brings the window back, and the
/// program is left.
fn typed_shown_and_left(generation: Generation) {
    let server = empty_session(generation);
    let picture = Picture::smooth(420, 300);
    let card = Card::open(server.x().name(), "shown", &picture, &Look::default());
    let display = Display::with_window_manager();
    // Servers lose a goodbye now and then; without one a viewer would go on trying.
    let mut viewer = Viewer::start(&display, &["--reconnect=no"]);
    let window = connect_window(&mut viewer);
    display.x.grab(window.id).expect("the window").save("connect-window");

    focus(&display, &window);
    display.x.xdotool(&["type", "--delay", "20", &server.url()]);
    display.x.xdotool(&["key", "Return"]);
    let remote = viewer.window("shown");
    gone(&display, &window);
    wait_for(
        "the session's picture",
        SOON,
        || viewer.log(),
        || (display.x.grab(remote.id)? == picture).then_some(()),
    );
    // The session is used, and its look kept.
    wait_for("a thumbnail", SOON, || viewer.log(), || thumbnails(&viewer).pop());
    wait_for(
        "the list of recent sessions",
        SOON,
        || viewer.log(),
        || {
            let list = std::fs::read_to_string(connections(&viewer).join("recent.json")).ok()?;
            list.contains(&server.url().replace("tcp://", "")).then_some(())
        },
    );

    // The server ends it: the window comes back and says so.
    drop(card);
    server.stop();
    let window = connect_window(&mut viewer);
    gone(&display, &remote);
    display.x.grab(window.id).expect("the window").save("connect-window-after");

    leave(&display, &window);
    assert_eq!(viewer.exit_code(SOON), 0, "{}", viewer.log());
}

#[test]
fn a_failure_is_shown_in_place_and_another_try_works() {
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[]);
    let window = connect_window(&mut viewer);
    focus(&display, &window);
    // Nobody listens at port 1.
    let before = display.x.picture(window.id);
    display.x.xdotool(&["type", "--delay", "20", "127.0.0.1:1"]);
    display.x.xdotool(&["key", "Return"]);
    // They stand on a ground of their own, which nothing else has that large.
    let failed = || {
        let now = display.x.grab(window.id)?;
        (largest_new(&now, &before) > 5000).then_some(now)
    };
    wait_for("words about the failure", SOON, || viewer.log(), failed).save("connect-window-failed");

    let server = empty_session(Generation::V6_5);
    let _card = Card::open(server.x().name(), "second try", &Picture::smooth(200, 100), &Look::default());
    // The address is selected: typing replaces it.
    display.x.xdotool(&["type", "--delay", "20", &server.url()]);
    display.x.xdotool(&["key", "Return"]);
    viewer.window("second try");
    gone(&display, &window);
}

/// Somebody takes the connection and says nothing: that is explained, and left with a key.
#[test]
fn what_stands_still_is_explained() {
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port");
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[]);
    let window = connect_window(&mut viewer);
    let form = display.x.picture(window.id);
    focus(&display, &window);
    display.x.xdotool(&["type", "--delay", "20", &silent.local_addr().expect("its address").to_string()]);
    display.x.xdotool(&["key", "Return"]);
    let heading = |picture: &Picture| picture.crop(340, 10, picture.width - 350, 34);
    let page = || display.x.grab(window.id);
    let waits = || page().filter(|now| heading(now) != heading(&form));
    wait_for("the stages", SOON, || viewer.log(), waits);
    // What explains it stands below the stages, where there is nothing else.
    let line = |picture: &Picture| picture.crop(340, 142, picture.width - 350, 60).colours();
    let explained = || waits().filter(|now| line(now) > 5);
    wait_for("words about it", SOON, || viewer.log(), explained).save("connect-stands-still");
    display.x.xdotool(&["key", "Escape"]);
    let back = || page().filter(|now| heading(now) == heading(&form));
    wait_for("the form", SOON, || viewer.log(), back);
}

/// The demo is the entry before the address: one step back, and Enter.
#[test]
fn the_demo_session_is_one_step_from_the_address() {
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[]);
    let window = connect_window(&mut viewer);
    focus(&display, &window);
    display.x.xdotool(&["key", "shift+Tab", "Return"]);
    viewer.window("Raw pixels");
    gone(&display, &window);
}

#[test]
fn a_link_that_asks_for_more_is_asked_about() {
    let server = empty_session(Generation::V6_5);
    let _card = Card::open(server.x().name(), "linked", &Picture::smooth(200, 100), &Look::default());
    let display = Display::with_window_manager();
    let file = std::env::temp_dir().join(format!("farpane-link-{}", std::process::id()));
    let link = format!("{}?record={}", server.url().replace("tcp://", "xpra+tcp://"), file.display());
    let mut viewer = Viewer::start(&display, &["open", &link]);
    let window = connect_window(&mut viewer);
    std::thread::sleep(Duration::from_secs(1));
    display.x.grab(window.id).expect("the window").save("connect-window-link");
    assert!(display.x.windows().iter().all(|seen| seen.title != "linked"), "not without a question");
    focus(&display, &window);
    // Enter is no.
    display.x.xdotool(&["key", "Return"]);
    std::thread::sleep(Duration::from_secs(1));
    assert!(!file.exists());
    // Without what it asked for, the address can be connected to.
    display.x.xdotool(&["key", "Return"]);
    viewer.window("linked");
    assert!(!file.exists());
}

#[test]
fn a_pasted_link_is_asked_about_once() {
    let server = empty_session(Generation::V6_5);
    let _card = Card::open(server.x().name(), "linked", &Picture::smooth(200, 100), &Look::default());
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[]);
    let window = connect_window(&mut viewer);
    focus(&display, &window);
    let file = viewer.home().join("session.fpr");
    let link = format!("{}?record={}", server.url().replace("tcp://", "xpra+tcp://"), file.display());
    display.x.xdotool(&["type", "--delay", "20", &link]);
    display.x.xdotool(&["key", "Return"]);
    std::thread::sleep(Duration::from_secs(1));
    assert!(display.x.windows().iter().all(|seen| seen.title != "linked"), "not without a question");
    // The last of the buttons before the one that says no.
    focus(&display, &window);
    display.x.xdotool(&["key", "--delay", "200", "Tab", "Tab", "Return"]);
    viewer.window("linked");
    assert!(file.exists(), "it was allowed to record");
}

/// The button beside the one that says no leads there, and does nothing else.
#[test]
fn a_link_is_followed_without_what_it_asks_for() {
    let server = empty_session(Generation::V6_5);
    let _card = Card::open(server.x().name(), "linked", &Picture::smooth(200, 100), &Look::default());
    let display = Display::with_window_manager();
    let file = tempfile::tempdir().expect("a folder");
    let file = file.path().join("session.fpr");
    let link = server.url().replace("tcp://", "xpra+tcp://");
    let link = format!("{link}?record={}&sharing=yes&ssl-server-verify-mode=none", file.display());
    let mut viewer = Viewer::start(&display, &["open", &link]);
    let window = connect_window(&mut viewer);
    focus(&display, &window);
    display.x.grab(window.id).expect("the window").save("connect-window-link-more");
    display.x.xdotool(&["key", "--delay", "200", "Tab", "Return"]);
    viewer.window("linked");
    assert!(!file.exists(), "it was not allowed to record");
    viewer.stop();
}

#[track_caller]
pub(super) fn connect_window(viewer: &mut Viewer) -> Seen {
    let window = viewer.window(TITLE);
    let x = viewer.x;
    wait_for("the connect window's content", SOON, String::new, || {
        (x.grab(window.id)?.colours() > 30).then_some(())
    });
    window
}

/// Leaves by the key for it.
#[track_caller]
fn leave(display: &Display, window: &Seen) {
    focus(display, window);
    display.x.xdotool(&["key", "ctrl+q"]);
    gone(display, window);
}

/// Gives a window the keyboard's focus and waits until the window manager agrees. What is typed then is what was
/// meant, also when the machine stands still while a key is down.
#[track_caller]
pub(super) fn focus(display: &Display, window: &Seen) {
    let keyboard = ChangeKeyboardControlAux::new().auto_repeat_mode(AutoRepeatMode::OFF);
    display.x.connection.change_keyboard_control(&keyboard).expect("X").check().expect("X");
    display.x.focus(window.id);
    let context = || format!("{:?} of {:#?}", display.x.active(), display.x.windows());
    let is_active = || (display.x.active()? == window.title).then_some(());
    wait_for("the focus", SOON, context, is_active);
}

/// Waits for a dialog of the viewer's and its content, and gives it the focus.
#[track_caller]
pub(super) fn dialog(display: &Display, viewer: &mut Viewer, title: &str) -> Seen {
    let dialog = viewer.window(title);
    wait_for(
        "the dialog's content",
        SOON,
        || viewer.log(),
        || (display.x.grab(dialog.id)?.colours() > 10).then_some(()),
    );
    focus(display, &dialog);
    dialog
}

/// Pixels of the colour that most have of those that are nowhere in `before`.
fn largest_new(now: &Picture, before: &Picture) -> usize {
    let colours = |picture: &Picture| {
        let mut counted = HashMap::<[u8; 3], usize>::new();
        picture.rgb.as_chunks().0.iter().for_each(|pixel| *counted.entry(*pixel).or_default() += 1);
        counted
    };
    let known = colours(before);
    let new = colours(now).into_iter().filter(|(colour, _)| !known.contains_key(colour));
    new.map(|(_, pixels)| pixels).max().unwrap_or(0)
}

#[track_caller]
fn gone(display: &Display, window: &Seen) {
    let context = || format!("{:#?}", display.x.windows());
    wait_for("the window's end", SOON, context, || display.x.seen(window.id).is_none().then_some(()));
}

/// Where the viewer keeps what it knows of connections.
pub fn connections(viewer: &Viewer) -> PathBuf {
    viewer.home().join(".local/share/farpane/connections")
}

fn thumbnails(viewer: &Viewer) -> Vec<PathBuf> {
    let folder = connections(viewer).join("recent");
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    files.filter(|path: &PathBuf| has_extension(path, "png")).collect()
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension == wanted)
}
