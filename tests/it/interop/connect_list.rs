//! What the connect window lists and keeps, and what other programs' clipboards bring into it and take from it.

use super::clipboard::{copy, paste};
use super::connect::{connect_window, focus};
use super::{SOON, empty_session};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::relay::Relay;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::xpra::Generation;

/// What a colleague sent is copied in another program, and what is copied here can be sent.
#[test]
fn addresses_are_pasted_and_copied() {
    let server = empty_session(Generation::V6_5);
    let _card = Card::open(server.x().name(), "pasted", &Picture::smooth(200, 100), &Look::default());
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &["--reconnect=no"]);
    let window = connect_window(&mut viewer);
    let url = server.url();
    let owner = copy(display.name(), "clipboard", "UTF8_STRING", url.as_bytes());
    focus(&display, &window);
    display.x.xdotool(&["key", "--delay", "100", "ctrl+v", "ctrl+a", "ctrl+x"]);
    let cut = || paste(display.name(), "clipboard", "UTF8_STRING").filter(|text| *text == url.as_bytes());
    // Its owner is another program now, with the same text.
    drop(owner);
    wait_for("what was cut", SOON, || viewer.log(), cut);
    display.x.xdotool(&["key", "--delay", "100", "ctrl+v", "Return"]);
    viewer.window("pasted");
}

/// Of two links that come with a line's end between them the first is followed, not what both would make.
#[test]
fn of_two_links_the_first_is_taken() {
    let server = empty_session(Generation::V6_5);
    let _card = Card::open(server.x().name(), "pasted", &Picture::smooth(200, 100), &Look::default());
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &["--reconnect=no"]);
    let window = connect_window(&mut viewer);
    let links = format!("{}\r\ntcp://127.0.0.1:1/\r\n", server.url());
    let _owner = copy(display.name(), "clipboard", "UTF8_STRING", links.as_bytes());
    focus(&display, &window);
    display.x.xdotool(&["key", "--delay", "100", "ctrl+v"]);
    std::thread::sleep(std::time::Duration::from_secs(1));
    display.x.grab(window.id).expect("the window").save("connect-two-links");
    display.x.xdotool(&["key", "--delay", "100", "Return"]);
    viewer.window("pasted");
}

/// Its size is that of the last one, and it fits a small screen.
#[test]
fn its_size_is_kept_and_fits() {
    let home = tempfile::tempdir().expect("a folder");
    let data = home.path().display().to_string();
    let open = |display: &Display, new: Option<(u16, u16)>| {
        let mut viewer = Viewer::start_with(display, &[], &[("XDG_DATA_HOME", &data)]);
        let window = connect_window(&mut viewer);
        let size = display.x.size(window.id);
        if let Some((width, height)) = new {
            let (width, height) = (width.to_string(), height.to_string());
            display.x.xdotool(&["windowsize", "--sync", &window.id.to_string(), &width, &height]);
        }
        focus(display, &window);
        display.x.xdotool(&["key", "ctrl+q"]);
        assert_eq!(viewer.exit_code(SOON), 0, "{}", viewer.log());
        size
    };
    let display = Display::with_window_manager();
    assert_eq!(open(&display, Some((1000, 720))), (900, 640));
    assert_eq!(open(&display, None), (1000, 720));
    let small = Display::bare_of(800, 600).manage(&["openbox", "--sm-disable"]);
    let (width, height) = open(&small, None);
    assert!(width <= 800 && height <= 600 && width >= 600, "{width} x {height}");
}

/// F2 gives a saved connection another name.
#[test]
fn saved_connections_get_other_names() {
    let display = Display::with_window_manager();
    let data = tempfile::tempdir().expect("a folder");
    let folder = data.path().join("farpane/connections");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("first.xpra"), "mode=tcp\nhost=first.example\nport=14500\n").expect("a file");
    let mut viewer =
        Viewer::start_with(&display, &[], &[("XDG_DATA_HOME", &data.path().display().to_string())]);
    let window = connect_window(&mut viewer);
    focus(&display, &window);
    let key = |keys: &[&str]| display.x.xdotool(&[&["key", "--delay", "100"], keys].concat());
    let rename = |name: &str, end: &str| {
        key(&["F2"]);
        display.x.xdotool(&["type", "--delay", "20", name]);
        key(&[end]);
    };
    let only_file = |expected: &str| {
        let names = || {
            let names = std::fs::read_dir(&folder).into_iter().flatten().flatten();
            names.map(|file| file.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        let is_it = || {
            let names = names().into_iter().filter(|name| name.ends_with(".xpra"));
            (names.collect::<Vec<_>>() == [expected]).then_some(())
        };
        wait_for(expected, SOON, || format!("{:?}", names()), is_it);
    };
    key(&["shift+Tab", "Home"]);
    rename("second", "Return");
    only_file("second.xpra");
    // Escape leaves the old one, and the focus at its entry.
    rename("third", "Escape");
    rename("fourth", "Return");
    only_file("fourth.xpra");
}

/// The menu by keys, from which a link goes to other programs; and a name that cannot be, which is typed better.
#[test]
fn links_are_copied_and_names_typed_again() {
    let display = Display::with_window_manager();
    let data = tempfile::tempdir().expect("a folder");
    let folder = data.path().join("farpane/connections");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = "mode=ssl\nhost=first.example\nport=14500\nquality=70\npassword=secret\nrecord=/tmp/x\n";
    std::fs::write(folder.join("first.xpra"), file).expect("a file");
    let words = ["--ask-saved=no"];
    let mut viewer =
        Viewer::start_with(&display, &words, &[("XDG_DATA_HOME", &data.path().display().to_string())]);
    let window = connect_window(&mut viewer);
    focus(&display, &window);
    let key = |keys: &[&str]| display.x.xdotool(&[&["key", "--delay", "150"], keys].concat());
    key(&["shift+Tab", "Home", "shift+F10"]);
    std::thread::sleep(std::time::Duration::from_secs(1));
    display.x.grab(window.id).expect("the window").save("connect-menu");
    key(&["Down", "Down", "Down", "Down", "Down", "Down", "Return"]);
    let link = "xpra+ssl://first.example:14500/?quality=70";
    let copied = || paste(display.name(), "clipboard", "UTF8_STRING").filter(|text| *text == link.as_bytes());
    wait_for("the link", SOON, || viewer.log(), copied);

    // The entry has the focus again.
    key(&["F2"]);
    display.x.xdotool(&["type", "--delay", "20", "a/b"]);
    key(&["Return"]);
    std::thread::sleep(std::time::Duration::from_secs(1));
    display.x.grab(window.id).expect("the window").save("connect-name-refused");
    key(&["BackSpace", "BackSpace", "Return"]);
    let renamed = || folder.join("a.xpra").exists().then_some(());
    wait_for("the better name", SOON, || viewer.log(), renamed);
}

/// Sessions that begin and end here come and go in the list, with the focus where it was.
#[test]
fn sessions_of_this_machine_come_and_go() {
    let (here, display, other) =
        (super::starts::Here::new(), Display::with_window_manager(), Display::bare());
    let mut viewer = here.viewer(&display, &["--reconnect=no"]);
    let window = connect_window(&mut viewer);
    focus(&display, &window);
    let list = || display.x.grab(window.id).map(|picture| picture.crop(0, 0, 300, 400));
    // Others may have sessions of their own.
    let before = list().expect("the window");
    let start = || here.viewer(&other, &["start", "--start=xterm -T 'it is near' -e sleep 1000"]);
    let mut first = start();
    first.window("it is near");
    let changes = |before: &Picture| {
        wait_for("another list", SOON, || viewer.log(), || list().filter(|now| now != before))
    };
    let with = changes(&before);
    with.save("connect-with");
    here.stop(&here.display().expect("a display"));
    assert_eq!(first.exit_code(SOON), 3, "{}", first.log());
    let without = changes(&with);
    without.save("connect-without");

    let mut second = start();
    second.window("it is near");
    changes(&without);
    // It is the first entry.
    display.x.xdotool(&["key", "--delay", "100", "shift+Tab", "Home", "Return"]);
    viewer.window("it is near");
    here.stop(&here.display().expect("a display"));
}

/// What cannot be read leads nowhere, least of all to what was chosen before it.
#[test]
fn an_entry_that_cannot_be_used_leads_nowhere() {
    let server = empty_session(Generation::V6_5);
    let relay = Relay::to(server.address());
    let display = Display::with_window_manager();
    let data = tempfile::tempdir().expect("a folder");
    let folder = data.path().join("farpane/connections");
    std::fs::create_dir_all(&folder).expect("a folder");
    let (host, port) = relay
        .url()
        .trim_start_matches("tcp://")
        .trim_end_matches('/')
        .split_once(':')
        .map(|(host, port)| (host.to_owned(), port.to_owned()))
        .expect("an address");
    std::fs::write(folder.join("A broken one.xpra"), "mode=nonsense\n").expect("a file");
    std::fs::write(folder.join("Good.xpra"), format!("mode=tcp\nhost={host}\nport={port}\n"))
        .expect("a file");
    let environment = [("XDG_DATA_HOME", &*data.path().display().to_string())];
    let mut viewer = Viewer::start_with(&display, &["--ask-saved=no"], &environment);
    let window = connect_window(&mut viewer);
    focus(&display, &window);
    let key = |keys: &[&str]| display.x.xdotool(&[&["key", "--delay", "150"], keys].concat());
    // The second entry is chosen, then the first one is opened.
    key(&["shift+Tab", "Home", "Down", "space", "Up", "Return"]);
    std::thread::sleep(std::time::Duration::from_secs(2));
    display.x.grab(window.id).expect("the window").save("connect-broken");
    assert_eq!(relay.accepted(), 0, "{}", viewer.log());
    key(&["Down", "Return"]);
    let there = || (relay.accepted() > 0).then_some(());
    wait_for("the good one", SOON, || viewer.log(), there);
}
