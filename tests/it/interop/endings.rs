//! Passwords, refusals, and how a session ends; the exit codes are those of `farpane --help`.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use super::{empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::relay::Relay;
use crate::support::viewer::Viewer;
use crate::support::xpra::{Generation, Options, XpraServer, free_port};

for_every_server!(password, server_stops, server_dies);

const SERVER_ENDED: i32 = 3;
const CONNECTION_LOST: i32 = 4;
const NOT_REACHED: i32 = 5;
const WRONG_PROTOCOL: i32 = 6;
const LOGIN_REFUSED: i32 = 7;

const LIMIT: Duration = Duration::from_secs(60);

fn password(generation: Generation) {
    let options = Options { password: Some("a secret: 100%".into()), ..Options::default() };
    let server = XpraServer::start(generation, &options);
    let _card = Card::open(server.x().name(), "guarded", &Picture::smooth(200, 100), &Look::default());
    let display = Display::bare();
    let url = server.url();

    let mut right = Viewer::start_with(&display, &[&url], &[("FARPANE_PASSWORD", "a secret: 100%")]);
    right.window("guarded");
    right.stop();

    let file = server.directory().join("password").display().to_string();
    let mut from_file = Viewer::start(&display, &[&url, "--password-file", &file]);
    from_file.window("guarded");
    from_file.stop();

    let mut wrong = Viewer::start_with(&display, &[&url], &[("FARPANE_PASSWORD", "another one")]);
    // There is somebody to ask for another one, who does not want to.
    let asks = wrong.window("Farpane: password");
    display.x.focus(asks.id);
    display.x.xdotool(&["key", "Escape"]);
    assert_eq!(wrong.exit_code(LIMIT), LOGIN_REFUSED, "{}", wrong.log());
    assert!(wrong.log().to_lowercase().contains("password"), "{}", wrong.log());
    assert!(!wrong.log().contains("another one"), "the password is in the log");
}

/// Who is told goodbye says so. A server that ends before its goodbye is on the wire has told nothing, which is said too.
fn server_stops(generation: Generation) {
    let server = empty_session(generation);
    let _card = Card::open(server.x().name(), "until then", &Picture::smooth(200, 100), &Look::default());
    let display = Display::bare();
    let relay = Relay::to(server.address());
    let mut viewer = Viewer::start(&display, &[&relay.url(), "--reconnect=no"]);
    viewer.window("until then");
    server.stop();
    let code = viewer.exit_code(LIMIT);
    viewer.stats();
    let said = ["disconnect", "connection-close"].iter().any(|goodbye| relay.server_said(goodbye));
    assert_eq!(code, if said { SERVER_ENDED } else { CONNECTION_LOST }, "{}", viewer.log());
    assert_eq!(viewer.log().contains("without a goodbye"), !said, "{}", viewer.log());
}

fn server_dies(generation: Generation) {
    let server = empty_session(generation);
    let _card = Card::open(server.x().name(), "until then", &Picture::smooth(200, 100), &Look::default());
    let display = Display::bare();
    let mut viewer = Viewer::start(&display, &[&server.url(), "--reconnect=no"]);
    viewer.window("until then");
    server.kill();
    assert_eq!(viewer.exit_code(LIMIT), CONNECTION_LOST, "{}", viewer.log());
    viewer.stats();
}

#[test]
fn nobody_listens() {
    let display = Display::bare();
    let mut viewer = Viewer::start(&display, &[&format!("tcp://127.0.0.1:{}/", free_port())]);
    assert_eq!(viewer.exit_code(LIMIT), NOT_REACHED, "{}", viewer.log());
    assert!(viewer.log().contains("refused"), "{}", viewer.log());
}

/// What an SSH and an HTTP server say to a client that they do not understand.
#[test]
fn something_else_listens() {
    let answers: [(&str, &[u8]); 2] = [
        ("SSH", b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"),
        (
            "HTTP",
            b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html></html>",
        ),
    ];
    for (name, answer) in answers {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port");
        let address = listener.local_addr().expect("its address").to_string();
        let server = std::thread::Builder::new().name("impostor".into()).spawn(move || {
            // The viewer may come back to try its other protocol.
            for mut stream in listener.incoming().take(2).flatten() {
                stream.set_read_timeout(Some(Duration::from_secs(3))).expect("a timeout");
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(answer);
                let _ = stream.read(&mut [0; 4096]);
            }
        });
        drop(server.expect("a thread"));
        let display = Display::bare();
        let mut viewer = Viewer::start(&display, &[&address]);
        assert_eq!(viewer.exit_code(LIMIT), WRONG_PROTOCOL, "{name}: {}", viewer.log());
        assert!(viewer.log().contains(name), "it does not say what is there instead: {}", viewer.log());
    }
}
