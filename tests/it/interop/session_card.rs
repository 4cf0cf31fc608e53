//! The session's card over real servers: there while the session has no window, and everything that can be done in it.

use std::time::Duration;

use super::{SOON, empty_session, for_every_server, session_menu};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::relay::Relay;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::x11::Seen;
use crate::support::xpra::{Generation, Options, XpraServer};

for_every_server!(
    a_program_is_started,
    an_application_is_chosen,
    nothing_is_started,
    the_connection_is_lost,
    the_session_is_stopped
);

/// Whether a window is the card.
fn is_card(seen: &Seen) -> bool {
    seen.title.starts_with("Farpane: ")
}

/// Waits for the card, and for something in it.
#[track_caller]
fn card(display: &Display, viewer: &mut Viewer) -> Seen {
    let card = viewer.wait_window("the session's card", is_card);
    let painted = || (display.x.grab(card.id)?.colours() > 20).then_some(());
    wait_for("the card's content", SOON, || viewer.log(), painted);
    card
}

/// Waits until the window is gone.
#[track_caller]
fn gone(display: &Display, viewer: &Viewer, window: &Seen) {
    wait_for("its end", SOON, || viewer.log(), || display.x.seen(window.id).is_none().then_some(()));
}

/// Rows with a warning's colour. One line of words has 8 or more, two have 16.
fn warned_rows(seen: &Picture) -> usize {
    let is_warning = |pixel: &[u8]| pixel[0] > 180 && (100..190).contains(&pixel[1]) && pixel[2] < 80;
    let is_warned = |row: &&[u8]| row.chunks_exact(3).filter(|pixel| is_warning(pixel)).count() > 3;
    seen.rgb.chunks_exact(seen.width * 3).filter(is_warned).count()
}

fn keys(display: &Display, keys: &[&str]) {
    display.x.xdotool(&[&["key", "--delay", "100"], keys].concat());
}

fn type_text(display: &Display, text: &str) {
    display.x.xdotool(&["type", "--delay", "20", text]);
}

fn type_line(display: &Display, text: &str) {
    type_text(display, text);
    keys(display, &["Return"]);
}

/// An empty session: a program is started with the keyboard, its windows come and go, and what cannot be started is said.
fn a_program_is_started(generation: Generation) {
    let server = empty_session(generation);
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url()]);
    let first = card(&display, &mut viewer);
    display.x.focus(first.id);
    display.x.picture(first.id).save(&format!("card-{generation:?}"));
    // What is typed before anything was chosen was meant for another window.
    type_line(&display, "xterm -T unwanted");
    keys(&display, &["Tab"]);
    type_line(&display, "xterm -T started_here");
    let terminal = viewer.window("started_here");
    gone(&display, &viewer, &first);
    let titles: Vec<String> = display.x.windows().into_iter().map(|seen| seen.title).collect();
    assert!(!titles.iter().any(|title| title == "unwanted"), "{titles:?}");

    display.x.focus(terminal.id);
    type_line(&display, "exit");
    gone(&display, &viewer, &terminal);
    let second = card(&display, &mut viewer);
    display.x.focus(second.id);
    keys(&display, &["Tab"]);
    type_line(&display, "xxterm -T mended");
    let told = || display.x.grab(second.id).filter(|seen| warned_rows(seen) > 14);
    let told = wait_for("words about it", SOON, || viewer.log(), told);
    told.save(&format!("card-nothing-came-{generation:?}"));
    // What was mistyped is there again, to be mended.
    keys(&display, &["Home", "Delete", "Return"]);
    let mended = viewer.window("mended");
    gone(&display, &viewer, &second);
    display.x.focus(mended.id);
    type_line(&display, "exit");
    gone(&display, &viewer, &mended);
    let third = card(&display, &mut viewer);
    display.x.focus(third.id);
    keys(&display, &["Tab"]);
    // The last button.
    keys(&display, &["shift+Tab", "shift+Tab", "Return"]);
    assert_eq!(viewer.exit_code(SOON), 0, "{}", viewer.log());
    let log = server.log();
    assert!(log.contains("xxterm"), "{log}");
}

/// The server's menu: found by a part of its name, started with its arguments and without its field codes.
fn an_application_is_chosen(generation: Generation) {
    let folder = tempfile::TempDir::new().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    let entry = |name: &str, exec: &str, more: &str| {
        format!("[Desktop Entry]\nType=Application\nName={name}\nExec={exec}\nCategories=Utility;\n{more}")
    };
    write("data/applications/first.desktop", &entry("Another", "xterm -T another", ""));
    write("data/applications/second.desktop", &entry("Unusual Ñame", "xterm -T \"from the menu\" %u", ""));
    write("data/applications/third.desktop", &entry("Unusual in a terminal", "true", "Terminal=true\n"));
    write(
        "etc/menus/applications.menu",
        "<!DOCTYPE Menu PUBLIC '-//freedesktop//DTD Menu 1.0//EN' \
         'http://www.freedesktop.org/standards/menu-spec/menu-1.0.dtd'>\n<Menu><Name>All</Name>\
         <DefaultAppDirs/><DefaultDirectoryDirs/><Menu><Name>Tools</Name>\
         <Include><Category>Utility</Category></Include></Menu></Menu>\n",
    );
    let at = |name: &str| folder.path().join(name).display().to_string();
    let environment = vec![("XDG_CONFIG_DIRS", at("etc")), ("XDG_DATA_DIRS", at("data"))];
    let server = XpraServer::start(generation, &Options { environment, ..Options::default() });
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url()]);
    let card = card(&display, &mut viewer);
    display.x.focus(card.id);
    keys(&display, &["Tab"]);
    // It may take the server some seconds to find its applications.
    type_text(&display, "unUSual");
    let told = || viewer.log();
    // Under the line there is nothing until it has.
    let below = |card: &Picture| card.crop(30, 145, 340, 180).colours() > 3;
    let listed = || display.x.grab(card.id).filter(below);
    wait_for("the applications", SOON, told, listed).save(&format!("card-menu-{generation:?}"));
    // The button, then the list.
    keys(&display, &["Tab", "Tab", "Return"]);
    viewer.window("from the menu");
    gone(&display, &viewer, &card);
    viewer.stop();
}

/// A server that starts nothing says so, and there is no field for it. The session's name is in the title.
fn nothing_is_started(generation: Generation) {
    let switches = vec!["--start-new-commands=no".to_owned(), "--session-name=quiet one".to_owned()];
    let server = XpraServer::start(generation, &Options { switches, ..Options::default() });
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url()]);
    let card = card(&display, &mut viewer);
    assert_eq!(card.title, "Farpane: quiet one");
    display.x.focus(card.id);
    std::thread::sleep(Duration::from_millis(500));
    let before = display.x.picture(card.id);
    before.save(&format!("card-without-start-{generation:?}"));
    type_text(&display, "xterm");
    std::thread::sleep(Duration::from_millis(500));
    // Below the ping.
    let below = |picture: &Picture| picture.crop(0, 130, picture.width, picture.height - 130);
    assert!(below(&display.x.picture(card.id)) == below(&before), "something was typed somewhere");
    // Without it nothing would be seen of the session.
    display.x.tell_manager(card.id, "_NET_CLOSE_WINDOW", [0; 5]);
    assert_eq!(viewer.exit_code(SOON), 0, "{}", viewer.log());
}

/// One window for it: the card says that the connection is lost, and is what it was when that is back.
fn the_connection_is_lost(generation: Generation) {
    let server = empty_session(generation);
    let display = Display::with_window_manager();
    let relay = Relay::to(server.address());
    let mut viewer = Viewer::start(&display, &[&relay.url()]);
    let card = card(&display, &mut viewer);
    assert_eq!(warned_rows(&display.x.picture(card.id)), 0);
    relay.close();
    let lost = || display.x.grab(card.id).filter(|seen| warned_rows(seen) > 0);
    wait_for("words about the loss", SOON, || viewer.log(), lost).save(&format!("card-lost-{generation:?}"));
    let own = display.x.windows().iter().filter(|seen| seen.title.starts_with("Farpane")).count();
    assert_eq!(own, 1, "windows of our own");
    // Escape is no way out of a session.
    display.x.focus(card.id);
    keys(&display, &["Escape"]);
    relay.open();
    let back = || (warned_rows(&display.x.grab(card.id)?) == 0).then_some(());
    wait_for("the connection", SOON, || viewer.log(), back);
    keys(&display, &["Tab"]);
    type_line(&display, "xterm -T again");
    viewer.window("again");
    gone(&display, &viewer, &card);
    viewer.stop();
}

/// From the card, with the question, by the mouse alone.
fn the_session_is_stopped(generation: Generation) {
    let mut server = empty_session(generation);
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url()]);
    let card = card(&display, &mut viewer);
    let click = |x: i32, y: i32| {
        display.x.xdotool(&["mousemove", &x.to_string(), &y.to_string()]);
        std::thread::sleep(Duration::from_millis(200));
        display.x.xdotool(&["click", "1"]);
    };
    let before = display.x.picture(card.id);
    let (right, bottom) = (card.x + i32::from(card.width), card.y + i32::from(card.height));
    click(right - 220, bottom - 32);
    let asks = || Some(display.x.grab(card.id)?).filter(|now| now.difference(&before, "card").is_some());
    wait_for("the question", SOON, || viewer.log(), asks).save(&format!("card-stop-{generation:?}"));
    assert!(!viewer.exited(), "without an answer");
    click(card.x + 160, card.y + 114);
    assert_eq!(viewer.exit_code(SOON), 0, "{}", viewer.log());
    server.wait_end(SOON);
}

/// Over a session that has windows: from the menu, until Escape or until a program that was started in it is there.
#[test]
fn opened_from_the_menu() {
    let server = empty_session(Generation::V6_5);
    let _card = Card::open(server.x().name(), "shown", &Picture::smooth(300, 200), &Look::default());
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url()]);
    let remote = viewer.window("shown");
    let open = |viewer: &mut Viewer| {
        let menu = session_menu::open(viewer, &display, &remote);
        keys(&display, &[&["Tab"; session_menu::Entry::Start as usize][..], &["Return"]].concat());
        let card = card(&display, viewer);
        gone(&display, viewer, &menu);
        display.x.focus(card.id);
        card
    };
    let first = open(&mut viewer);
    std::thread::sleep(Duration::from_secs(2));
    assert!(display.x.seen(first.id).is_some(), "it stays although there is a window");
    keys(&display, &["Escape"]);
    gone(&display, &viewer, &first);
    let second = open(&mut viewer);
    // The line has the focus: the user wanted it.
    type_line(&display, "xterm -T more");
    viewer.window("more");
    gone(&display, &viewer, &second);
    assert!(display.x.seen(remote.id).is_some() && !viewer.exited(), "{}", viewer.log());
    viewer.stop();
}

/// The connect window waits for something of the session: the card is that, and after it the connect window is there again.
#[test]
fn from_the_connect_window() {
    let server = empty_session(Generation::V6_5);
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[]);
    let connect = viewer.window("Farpane");
    let painted = || (display.x.grab(connect.id)?.colours() > 20).then_some(());
    wait_for("the connect window's content", SOON, || viewer.log(), painted);
    display.x.focus(connect.id);
    type_line(&display, &server.url());
    let card = card(&display, &mut viewer);
    gone(&display, &viewer, &connect);
    display.x.tell_manager(card.id, "_NET_CLOSE_WINDOW", [0; 5]);
    gone(&display, &viewer, &card);
    viewer.window("Farpane");
    viewer.interrupt();
    assert_eq!(viewer.exit_code(SOON), 0, "{}", viewer.log());
}

/// A program that swaps windows is not taken for one that ended.
#[test]
fn windows_that_are_swapped() {
    let server = empty_session(Generation::V6_5);
    let picture = Picture::smooth(300, 200);
    let open = |title: &str| Card::open(server.x().name(), title, &picture, &Look::default());
    let mut shown = open("window 0");
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url()]);
    viewer.window("window 0");
    for number in 1..6 {
        drop(shown);
        std::thread::sleep(Duration::from_millis(200));
        let title = format!("window {number}");
        shown = open(&title);
        let seen = || {
            let windows = display.x.windows();
            assert!(!windows.iter().any(is_card), "the card came between");
            windows.into_iter().find(|seen| seen.title == title)
        };
        wait_for("the next window", SOON, || viewer.log(), seen);
    }
    drop(shown);
    card(&display, &mut viewer);
    viewer.stop();
}

/// A session that is one whole screen shows that, and nothing else.
#[test]
fn not_with_a_desktop() {
    let options = Options { desktop: Some((640, 480)), ..Options::default() };
    let server = XpraServer::start(Generation::V6_5, &options);
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url()]);
    viewer.wait_window("the desktop", |seen| seen.width == 640);
    std::thread::sleep(Duration::from_secs(3));
    assert!(!display.x.windows().iter().any(is_card), "{:?}", display.x.windows());
    viewer.stop();
}
