//! Saved connections: their servers are asked quietly, and two windows see the same list.

use std::path::{Path, PathBuf};
use std::time::Duration;

use farpane::app::connect::servers::{Answer, look};
use farpane::config::{Request, Settings};
use farpane::ui::Reach;

use super::connect::{connect_window, focus};
use super::{SOON, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::relay::Relay;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::xpra::{Generation, Options, XpraServer};

for_every_server!(servers_are_asked_quietly);

/// How many windows, and the session's name, without disturbing who is there; once each time.
fn servers_are_asked_quietly(generation: Generation) {
    let switches = vec!["--session-name=The farm".to_owned()];
    let server = XpraServer::start(generation, &Options { switches, ..Options::default() });
    let picture = |number: usize| Picture::smooth(300, 200).crop(number * 20, 0, 200, 200);
    let card = Card::open(server.x().name(), "in use", &picture(1), &Look::default());
    let display = Display::bare();
    let mut viewer = Viewer::start(&display, &[&server.url(), "--reconnect=no"]);
    let window = viewer.window("in use");

    let relay = Relay::to(server.address());
    let ask = |url: &str, before: Option<Answer>| {
        let request = Request::address(url).expect("an address");
        look(&Settings::default(), request, before).expect("it is asked")
    };
    let first = ask(&relay.url(), None);
    let Reach::Yes(words) = first.reach() else { panic!("{first:?}") };
    assert!(words.contains("“The farm”") && words.contains("1 window") && words.contains(" ms"), "{words}");
    let so_far = relay.accepted();
    let again = ask(&relay.url(), Some(first));
    assert_eq!(relay.accepted(), so_far + 1, "one connection");
    let Reach::Yes(words) = again.reach() else { panic!("{again:?}") };
    assert!(words.contains("“The farm”") && words.contains("1 window"), "{words}");
    relay.close();
    let gone = || {
        let reach = ask(&relay.url(), Some(again.clone())).reach().clone();
        matches!(reach, Reach::No(_)).then_some(())
    };
    wait_for("nobody to be there", SOON, || format!("{:?}", ask(&relay.url(), None)), gone);

    // Who was there still is.
    card.show(&picture(2));
    let shown = || (display.x.grab(window.id)? == picture(2)).then_some(());
    wait_for("the picture", SOON, || viewer.log(), shown);
    viewer.stop();

    // A password is not proven, and not asked for.
    let guarded =
        XpraServer::start(generation, &Options { password: Some("sesame".to_owned()), ..Options::default() });
    let with_password = guarded.url().replace("tcp://", "tcp://:sesame@");
    let answer = ask(&with_password, None);
    let Reach::Yes(words) = answer.reach() else { panic!("{answer:?}") };
    assert!(words.contains("asks for a password"), "{words}");
}

/// ssh would start a program there, and perhaps ask.
#[test]
fn not_every_server_is_asked() {
    let nobody = |url: &str| look(&Settings::default(), Request::address(url).expect("an address"), None);
    for url in ["ssh://127.0.0.1:1/", "quic://127.0.0.1:1/", "vsock://2:14500/"] {
        assert_eq!(nobody(url), None, "{url}");
    }
}

fn save(folder: &Path, name: &str, address: &str) -> PathBuf {
    let (host, port) = address.split_once(':').expect("a host and a port");
    std::fs::create_dir_all(folder).expect("a folder");
    let file = folder.join(format!("{name}.xpra"));
    std::fs::write(&file, format!("mode=tcp\nhost={host}\nport={port}\n")).expect("a file");
    file
}

/// The mark of a server that answers, in the list's part of the window.
fn marks(picture: &Picture) -> usize {
    let accent = |pixel: &[u8; 3]| *pixel == [0x2d, 0xd4, 0xbf] || *pixel == [0x0b, 0x7a, 0x6e];
    picture.crop(90, 0, 200, picture.height).rgb.as_chunks().0.iter().filter(|pixel| accent(pixel)).count()
}

/// The list says which saved servers can be reached, when the window gets the focus; and nobody is asked where that is not
/// wanted.
#[test]
fn the_list_says_who_can_be_reached() {
    let server = super::empty_session(Generation::V6_5);
    let _card = Card::open(server.x().name(), "in use", &Picture::smooth(200, 100), &Look::default());
    let relay = Relay::to(server.address());
    let display = Display::with_window_manager();
    let data = tempfile::tempdir().expect("a folder");
    let folder = data.path().join("farpane/connections");
    save(&folder, "nobody", "127.0.0.1:1");
    save(&folder, "somebody", &relay.url().replace("tcp://", "").replace('/', ""));
    let environment = data.path().display().to_string();
    let open = |words: &[&str]| Viewer::start_with(&display, words, &[("XDG_DATA_HOME", &environment)]);

    let mut viewer = open(&["--ask-saved=no"]);
    let window = connect_window(&mut viewer);
    focus(&display, &window);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(marks(&display.x.grab(window.id).expect("the window")), 0);
    assert_eq!(relay.accepted(), 0, "nobody was asked");
    viewer.interrupt();
    assert_eq!(viewer.exit_code(SOON), 0, "{}", viewer.log());

    let mut viewer = open(&[]);
    let window = connect_window(&mut viewer);
    focus(&display, &window);
    let marked = || display.x.grab(window.id).filter(|picture| marks(picture) > 10);
    wait_for("a mark", SOON, || viewer.log(), marked).save("connect-saved");
    relay.close();
    // It is asked again by itself.
    wait_for(
        "no mark any more",
        Duration::from_secs(60),
        || viewer.log(),
        || display.x.grab(window.id).filter(|picture| marks(picture) == 0),
    )
    .save("connect-saved-gone");
    viewer.interrupt();
    assert_eq!(viewer.exit_code(SOON), 0, "{}", viewer.log());
}

/// What one window saves, or another program puts there, the other one lists.
#[test]
fn two_windows_see_the_same_list() {
    let displays = [Display::with_window_manager(), Display::with_window_manager()];
    let data = tempfile::tempdir().expect("a folder");
    let folder = data.path().join("farpane/connections");
    save(&folder, "first", "127.0.0.1:1");
    let environment = data.path().display().to_string();
    let words = ["--ask-saved=no"];
    let mut viewers = displays
        .each_ref()
        .map(|display| Viewer::start_with(display, &words, &[("XDG_DATA_HOME", &environment)]));
    let windows = viewers.each_mut().map(connect_window);
    let [one, other] = &displays;
    let list = || other.x.grab(windows[1].id).map(|picture| picture.crop(0, 0, 300, 200));
    focus(other, &windows[1]);
    focus(one, &windows[0]);
    std::thread::sleep(Duration::from_secs(1));
    let before = list().expect("the window");
    let key = |keys: &[&str]| one.x.xdotool(&[&["key", "--delay", "100"], keys].concat());
    key(&["shift+Tab", "Home", "F2"]);
    one.x.xdotool(&["type", "--delay", "20", "another name"]);
    key(&["Return"]);
    let renamed = || folder.join("another name.xpra").exists().then_some(());
    wait_for("the new name", SOON, || viewers[0].log(), renamed);
    let changed = || list().filter(|now| *now != before);
    wait_for("it in the other window", SOON, || viewers[1].log(), changed).save("connect-two-windows");
}
