//! Several sessions behind one address: the names that proxies give them.

use farpane::protocol::Dialect;
use farpane::protocol::packet::connection;
use farpane::protocol::packet::{ClientPacket, ServerPacket};
use farpane::session::{CloseReason, Output};

use super::{Driver, setup};

/// How a session of this dialect ends that is told this before hello was accepted.
fn end(dialect: Dialect, name: Option<&str>, words: &str) -> CloseReason {
    let mut setup = setup(dialect);
    setup.config.display_name = name.map(str::to_owned);
    let mut driver = Driver::started(setup);
    let reasons = ["session not found error", words].map(str::to_owned).to_vec();
    driver.packet(ServerPacket::Connection(connection::FromServer::Close { reasons })).closed()
}

fn names(names: &[&str]) -> CloseReason {
    CloseReason::SeveralSessions(names.iter().map(|name| (*name).to_owned()).collect())
}

#[test]
fn names_are_taken_from_what_proxies_say() {
    let said = |listed: &str| format!("please specify a display, more than one is available: {listed}");
    assert_eq!(end(Dialect::Legacy31, None, &said(":7, :12")), names(&[":7", ":12"]));
    assert_eq!(end(Dialect::Modern, Some(""), &said("tcp://a:1/,:2")), names(&["tcp://a:1/", ":2"]));
    let hostile = format!("\u{7}bell, {}, :1, a b, {}", "x".repeat(101), ":2,".repeat(5000));
    let CloseReason::SeveralSessions(listed) = end(Dialect::Modern, None, &said(&hostile)) else {
        panic!("no names")
    };
    assert_eq!((listed.len(), &*listed[0], &*listed[1]), (100, ":1", ":2"));
    assert!(matches!(end(Dialect::Modern, None, &said(" , ")), CloseReason::Server(_)));
}

/// 6.5.5's takes the map of the screen for a name: it is asked again with an empty one, once.
#[test]
fn a_map_that_was_taken_for_a_name_is_asked_about_again() {
    let words = "display \"{'desktop_size': (1280, 800)}\" not found";
    assert_eq!(end(Dialect::Modern, None, words), names(&[]));
    for (dialect, name) in
        [(Dialect::Modern, Some("")), (Dialect::Modern, Some(":7")), (Dialect::Legacy31, None)]
    {
        assert!(matches!(end(dialect, name, words), CloseReason::Server(_)), "{dialect:?} {name:?}");
    }
}

/// `ssl://` reaches the same port, and says nothing in plain before.
#[test]
fn no_server_is_asked_to_change_to_tls_midway() {
    let mut driver = Driver::started(setup(Dialect::Modern));
    let outputs = driver.take();
    let Some(Output::Send(ClientPacket::Connection(connection::ToServer::Hello(hello)))) = outputs.first()
    else {
        panic!("{outputs:?}")
    };
    assert!(hello.get("packet-types").is_none());
}
