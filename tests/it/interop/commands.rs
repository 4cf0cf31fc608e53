//! The commands that open no window.

use super::attach::wait_picture;
use super::{SOON, empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::{Picture, assert_same};
use crate::support::program::run;
use crate::support::relay::Relay;
use crate::support::viewer::{Viewer, command};
use crate::support::xpra::{Generation, Options, XpraServer};

for_every_server!(info, screenshot, told_what_to_do);

fn info(generation: Generation) {
    let server = empty_session(generation);
    let text = run(&mut command(&["info", &server.url()]));
    let version = if generation == Generation::V3_1 { "3.1.3" } else { "6.5.5" };
    let said = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    assert_eq!(said("version "), Some(version), "{text}");
    assert_eq!(said("decoders "), Some("confined (seccomp)"), "{text}");
    assert_eq!(said("build.version=").or_else(|| said("server.build.version=")), Some(version), "{text}");
    // Lists of numbers are written as versions are.
    let versions =
        text.lines().filter(|line| line.split('=').next().is_some_and(|key| key.ends_with(".version")));
    let versions: Vec<&str> = versions.collect();
    assert!(versions.iter().all(|line| !line.contains(", ")), "{versions:?}");
}

/// The same pipeline, off screen: no display is needed.
fn screenshot(generation: Generation) {
    let server = empty_session(generation);
    let picture = Picture::sharp(333, 222);
    let _card = Card::open(server.x().name(), "posing", &picture, &Look::default());
    let file = server.directory().join("shot.png");
    run(&mut command(&["screenshot", &server.url(), &file.display().to_string(), "--encodings", "png"]));
    assert_same(&Picture::load(&file), &picture, "screenshot");
}

/// What a command says on stderr, and its exit code.
fn said(words: &[&str]) -> (Option<i32>, String) {
    let output = command(words).output().expect("the program starts");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Everybody leaves; the server ends, and its display and programs stay; or all of it ends.
fn told_what_to_do(generation: Generation) {
    let mut server = empty_session(generation);
    let url = server.url();
    let card = Card::open(server.x().name(), "told", &Picture::sharp(200, 100), &Look::default());
    let display = Display::bare();
    let address = server.address();
    let relay = Relay::to(server.address());
    let mut viewer = Viewer::start(&display, &[&relay.url(), "--reconnect=no"]);
    viewer.window("told");
    assert_eq!(said(&["detach", &url]), (Some(0), "nobody is attached any more\n".to_owned()));
    let code = viewer.exit_code(SOON);
    // Servers lose a goodbye now and then (findings/xpra-loses-its-goodbye.sh).
    assert_eq!(code, if relay.server_said("detach request") { 3 } else { 4 }, "{}", viewer.log());
    // Who waits for such a command can start the next server at once.
    let is_free = || assert!(std::net::TcpStream::connect(&address).is_err(), "somebody listens there still");
    assert_eq!(said(&["exit", &url]), (Some(0), "the server has ended, its programs go on\n".to_owned()));
    is_free();
    server.wait_end(SOON);
    assert!(card.x.seen(card.id).is_some(), "its window is gone");
    server.start_again();
    assert_eq!(said(&["stop", &url]), (Some(0), "the session has ended\n".to_owned()));
    is_free();
    server.wait_end(SOON);
    let (code, words) = said(&["stop", &url]);
    assert_eq!(code, Some(5), "{words}");
}

/// A 6.x server that reads Debian's configuration of 3.1.3 takes yaml packets only: it is spoken to in yaml.
#[test]
fn a_server_that_takes_only_yaml() {
    let switches = vec!["--packet-encoders=rencode,bencode,yaml".to_owned()];
    let server = XpraServer::start(Generation::V6_5, &Options { switches, ..Options::default() });
    let picture = Picture::sharp(333, 222);
    let _card = Card::open(server.x().name(), "in yaml", &picture, &Look::default());
    let display = Display::bare();
    let mut viewer = Viewer::start(&display, &[&server.url(), "--encodings", "png"]);
    wait_picture(&mut viewer, "in yaml", &picture, "yaml");
    viewer.stop();
    assert!(run(&mut command(&["info", &server.url()])).contains("yaml"));
}

/// Who insists on the wrong protocol reads which one is right.
#[test]
fn a_new_server_that_is_spoken_to_in_bencode() {
    let server = empty_session(Generation::V6_5);
    let output =
        command(&["info", &server.url(), "--protocol", "bencode"]).output().expect("the program starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{stderr}");
    assert!(stderr.contains("use --protocol auto"), "{stderr}");
}
