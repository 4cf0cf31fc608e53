//! Who is told what: passwords and links, two viewers of one account, and a proxy's sessions.

use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use super::connect::{connect_window, dialog, focus};
use super::{SOON, empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::viewer::{Viewer, command};
use crate::support::wait_for;
use crate::support::xpra::{Generation, Options, XpraServer};

for_every_server!(a_link_gets_no_password, two_steps_of_a_login, side_by_side);

const LOGIN_REFUSED: i32 = 7;
const LIMIT: Duration = Duration::from_secs(60);

/// `info` and how it ends, with a password in every place where one can be configured.
fn info(server: &XpraServer, words: &[&str]) -> (i32, String) {
    let file = server.directory().join("password");
    let config = server.directory().join("config.toml");
    std::fs::write(&config, format!("password-file = \"{}\"\n", file.display())).expect("a file");
    let output = command(&[&["info"], words].concat())
        .env("FARPANE_CONFIG", &config)
        .env("FARPANE_PASSWORD", "a secret: 100%")
        .output()
        .expect("the program starts");
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (output.status.code().expect("a code"), said)
}

/// What is configured proves nothing to a server that a link or a stranger's session file names; what is
/// typed on the command line does.
fn a_link_gets_no_password(generation: Generation) {
    let options = Options { password: Some("a secret: 100%".into()), ..Options::default() };
    let server = XpraServer::start(generation, &options);
    let link = server.url().replace("tcp://", "xpra+tcp://");
    let file = server.directory().join("stranger.xpra");
    let (host, port) =
        server.address().split_once(':').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("an address");
    std::fs::write(&file, format!("host={host}\nport={port}\n")).expect("a file");
    let file = file.display().to_string();
    let typed = info(&server, &[&server.url()]);
    assert_eq!(typed.0, 0, "{}", typed.1);
    for foreign in [&link, &file] {
        let (code, said) = info(&server, &[foreign]);
        assert_eq!(code, LOGIN_REFUSED, "{foreign}: {said}");
        assert!(said.contains("asks for a password"), "{foreign}: {said}");
        let password = server.directory().join("password").display().to_string();
        let (code, said) = info(&server, &[foreign, "--password-file", &password]);
        assert_eq!(code, 0, "{foreign}: {said}");
    }
}

/// A login of two steps wants two passwords: the configured one answers the first, the other is asked for.
fn two_steps_of_a_login(generation: Generation) {
    let switches = ["first", "second"].map(|word| format!("--tcp-auth=password:value={word}"));
    let server = XpraServer::start(generation, &Options { switches: switches.into(), ..Options::default() });
    let _card = Card::open(server.x().name(), "guarded", &Picture::smooth(200, 100), &Look::default());
    let output =
        command(&["info", &server.url()]).env("FARPANE_PASSWORD", "first").output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(LOGIN_REFUSED), "{said}");
    assert!(said.contains("another password"), "{said}");

    let display = Display::with_window_manager();
    let mut viewer = Viewer::start_with(&display, &[&server.url()], &[("FARPANE_PASSWORD", "first")]);
    let dialog = dialog(&display, &mut viewer, "Farpane: password");
    display.x.grab(dialog.id).expect("the dialog").save(&format!("second-password-{generation:?}"));
    display.x.xdotool(&["type", "--delay", "20", "second"]);
    display.x.xdotool(&["key", "Return"]);
    viewer.window("guarded");
    viewer.stop();
}

/// Two viewers of one account, both willing to share: neither throws the other out.
fn side_by_side(generation: Generation) {
    let switches = vec!["--sharing=yes".to_owned()];
    let server = XpraServer::start(generation, &Options { switches, ..Options::default() });
    let picture = Picture::smooth(200, 100);
    let _card = Card::open(server.x().name(), "shared", &picture, &Look::default());
    let displays = [Display::bare(), Display::bare()];
    let mut first = Viewer::start(&displays[0], &[&server.url(), "--sharing"]);
    first.window("shared");
    let mut second = Viewer::start(&displays[1], &[&server.url(), "--sharing"]);
    second.window("shared");
    // What comes now is seen by both.
    let _other = Card::open(server.x().name(), "seen by both", &picture, &Look::default());
    second.window("seen by both");
    first.window("seen by both");
    second.stop();
    let _last = Card::open(server.x().name(), "after the other left", &picture, &Look::default());
    first.window("after the other left");
    first.stop();
}

/// A link that a desktop opens: nothing is sent, not even a connection made, before the user said yes.
#[test]
fn a_link_is_asked_about_before_anything_is_sent() {
    let server = empty_session(Generation::V6_5);
    let _card = Card::open(server.x().name(), "linked", &Picture::smooth(200, 100), &Look::default());
    let display = Display::with_window_manager();
    let gate = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port");
    gate.set_nonblocking(true).expect("it does not wait");
    let link = format!("xpra+tcp://{}/", gate.local_addr().expect("its address"));
    let mut viewer = Viewer::start(&display, &["open", &link]);
    let window = connect_window(&mut viewer);
    display.x.grab(window.id).expect("the window").save("connect-window-link-address");
    focus(&display, &window);
    let question = display.x.picture(window.id);
    // Enter is no: the form comes in the place of the question.
    display.x.xdotool(&["key", "Return"]);
    wait_for("the form", SOON, || viewer.log(), || (display.x.grab(window.id)? != question).then_some(()));
    assert!(gate.accept().is_err(), "somebody connected");
    // The user's own word.
    let (mut near, _) = wait_for(
        "a connection",
        LIMIT,
        || viewer.log(),
        || {
            focus(&display, &window);
            display.x.xdotool(&["key", "Return"]);
            // Pressed once more while it connects, Enter would cancel that.
            (0..60).find_map(|_| {
                std::thread::sleep(Duration::from_millis(50));
                gate.accept().ok()
            })
        },
    );
    near.set_nonblocking(false).expect("it waits");
    let mut far = TcpStream::connect(server.address()).expect("the server");
    let (mut back_from, mut back_to) =
        (far.try_clone().expect("a socket"), near.try_clone().expect("a socket"));
    let there = std::thread::Builder::new().spawn(move || std::io::copy(&mut near, &mut far));
    let back = std::thread::Builder::new().spawn(move || std::io::copy(&mut back_from, &mut back_to));
    viewer.window("linked");
    viewer.stop();
    drop((there.expect("a thread"), back.expect("a thread")));
}

/// A program that the viewer starts does not inherit the password.
#[test]
fn no_child_inherits_the_password() {
    use std::os::unix::fs::PermissionsExt as _;
    let programs = tempfile::TempDir::new().expect("a folder");
    let (gdbus, seen) = (programs.path().join("gdbus"), programs.path().join("environment"));
    std::fs::write(&gdbus, format!("#!/bin/sh\nenv >'{0}.new'\nmv '{0}.new' '{0}'\n", seen.display()))
        .expect("a script");
    std::fs::set_permissions(&gdbus, std::fs::Permissions::from_mode(0o755)).expect("a program");
    let path = format!("{}:{}", programs.path().display(), std::env::var("PATH").unwrap_or_default());
    let display = Display::with_window_manager();
    let environment = [
        ("PATH", path.as_str()),
        ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent"),
        ("FARPANE_PASSWORD", "sesamsecret"),
    ];
    let viewer = Viewer::start_with(&display, &[], &environment);
    let environment = wait_for("a child", SOON, || viewer.log(), || std::fs::read_to_string(&seen).ok());
    assert!(environment.contains("DISPLAY=") && !environment.contains("sesam"), "{environment}");
}
