//! The connect window over real servers: everything with the keyboard, and what is kept.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{SOON, empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::x11::Seen;
use crate::support::xpra::{Generation, Options, XpraServer};

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
    let mut viewer = Viewer::start(&display, &[]);
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
    drop(server);
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
    display.x.xdotool(&["type", "--delay", "20", "127.0.0.1:1"]);
    let before = display.x.picture(window.id);
    display.x.xdotool(&["key", "Return"]);
    wait_for(
        "words about the failure",
        SOON,
        || viewer.log(),
        || {
            let now = display.x.grab(window.id)?;
            (now != before && now.colours() > before.colours()).then_some(())
        },
    );
    display.x.grab(window.id).expect("the window").save("connect-window-failed");

    let server = empty_session(Generation::V6_5);
    let _card = Card::open(server.x().name(), "second try", &Picture::smooth(200, 100), &Look::default());
    // The address is selected: typing replaces it. (The window may have been looked at while it was still
    // trying, when it takes no words.)
    let typed = || {
        focus(&display, &window);
        display.x.xdotool(&["key", "ctrl+a"]);
        display.x.xdotool(&["type", "--delay", "20", &server.url()]);
        display.x.xdotool(&["key", "Return"]);
        std::thread::sleep(Duration::from_secs(3));
        display.x.windows().into_iter().find(|seen| seen.title == "second try")
    };
    wait_for("the session's window", Duration::from_secs(40), || viewer.log(), typed);
}

#[test]
fn a_password_is_asked_for_and_cancelling_comes_back() {
    let options = Options { password: Some("secret".to_owned()), ..Options::default() };
    let server = XpraServer::start(Generation::V6_5, &options);
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[]);
    let window = connect_window(&mut viewer);
    focus(&display, &window);
    display.x.xdotool(&["type", "--delay", "20", &server.url()]);
    display.x.xdotool(&["key", "Return"]);
    let dialog = viewer.window("Farpane: password");
    focus(&display, &dialog);
    display.x.xdotool(&["key", "Escape"]);
    gone(&display, &dialog);
    assert!(display.x.seen(window.id).is_some(), "the connect window stays");
    // The files that are kept hold no password.
    for file in std::fs::read_dir(connections(&viewer)).into_iter().flatten().flatten() {
        let bytes = std::fs::read(file.path()).unwrap_or_default();
        assert!(!bytes.windows(6).any(|part| part == b"secret"), "{}", file.path().display());
    }
}

#[test]
fn the_demo_session_is_one_key_away() {
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[]);
    let window = connect_window(&mut viewer);
    focus(&display, &window);
    // The demo is the first of the list: what stands before the address field.
    let mut tries = 0;
    wait_for(
        "a window of the demo session",
        Duration::from_secs(40),
        || viewer.log(),
        || {
            tries += 1;
            display.x.xdotool(&["key", if tries % 2 == 1 { "shift+Tab" } else { "Return" }]);
            std::thread::sleep(Duration::from_millis(300));
            display.x.windows().into_iter().find(|seen| seen.title == "Raw pixels")
        },
    );
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
    // The button beside the one that says no.
    focus(&display, &window);
    display.x.xdotool(&["key", "--delay", "200", "Tab", "Return"]);
    viewer.window("linked");
    assert!(file.exists(), "it was allowed to record");
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

/// Leaves by the key for it. The window manager may still be busy giving the focus to the window.
#[track_caller]
fn leave(display: &Display, window: &Seen) {
    wait_for("the program's end", SOON, String::new, || {
        let Some(seen) = display.x.seen(window.id) else { return Some(()) };
        let keys = ["windowfocus", &seen.id.to_string(), "key", "ctrl+q"].map(str::to_owned);
        // The window may go away under it.
        let _ = std::process::Command::new("xdotool").args(keys).env("DISPLAY", display.name()).output();
        std::thread::sleep(Duration::from_millis(300));
        display.x.seen(window.id).is_none().then_some(())
    });
}

pub(super) fn focus(display: &Display, window: &Seen) {
    display.x.focus(window.id);
    std::thread::sleep(Duration::from_millis(200));
}

#[track_caller]
fn gone(display: &Display, window: &Seen) {
    let context = || format!("{:#?}", display.x.windows());
    wait_for("the window's end", SOON, context, || display.x.seen(window.id).is_none().then_some(()));
}

fn connections(viewer: &Viewer) -> PathBuf {
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
