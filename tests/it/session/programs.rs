//! Programs that are started in the session, and the server's menu of them.

use farpane::protocol::Dialect;
use farpane::protocol::packet::menu::{Application, Category, Menu};
use farpane::protocol::packet::{ClientPacket, Dict, ServerPacket, Value, connection};
use farpane::session::{ConnectionEvent, ConnectionInput, SessionEvent};

use super::{Driver, changed, dict, server_hello, setup};

/// Whether programs may be started where the server's hello says this beside the usual.
fn may_start(more: &[(&str, Value)]) -> bool {
    let mut driver = Driver::started(setup(Dialect::Modern));
    let mut hello = server_hello("6.5.5");
    for (key, value) in more {
        hello.push(key, value.clone());
    }
    driver.packet(ServerPacket::Connection(connection::FromServer::Hello(hello)));
    let connected = |event| match event {
        SessionEvent::Connection(ConnectionEvent::Connected(server)) => Some(server.can_start),
        _ => None,
    };
    driver.events().into_iter().find_map(connected).expect("it is connected")
}

#[test]
fn servers_say_whether_they_start_programs() {
    let name = "start-new-commands";
    assert!(may_start(&[(name, true.into())]));
    assert!(may_start(&[("features", dict(&[(name, true.into())]).into())]));
    assert!(!may_start(&[(name, false.into())]));
    assert!(!may_start(&[]));
}

#[test]
fn the_menu_is_asked_for_where_it_is_shown() {
    let asked = |dialect, shows_menu| {
        let setup = changed(setup(dialect), |setup| setup.local.shows_menu = shows_menu);
        let hello: Dict = Driver::started(setup).hello();
        ["menu", "xdg-menu-update"].map(|name| hello.bool(name).unwrap_or(false))
    };
    assert_eq!(asked(Dialect::Modern, true), [true, false]);
    assert_eq!(asked(Dialect::Legacy31, true), [false, true]);
    assert_eq!(asked(Dialect::Modern, false), [false, false]);
    assert_eq!(asked(Dialect::Legacy31, false), [false, false]);
}

#[test]
fn a_program_is_asked_for_and_the_menu_passed_on() {
    let mut driver = Driver::started(setup(Dialect::Modern));
    let start = || ConnectionInput::Start { name: "xterm".to_owned(), command: "xterm -T x".to_owned() };
    driver.input(start());
    assert!(
        !driver
            .sent()
            .iter()
            .any(|packet| matches!(packet, ClientPacket::Connection(connection::ToServer::Start { .. }))),
        "before there is a session"
    );
    driver.packet(ServerPacket::Connection(connection::FromServer::Hello(server_hello("6.5.5"))));
    driver.take();
    driver.input(start());
    let expected = connection::ToServer::Start {
        name: "xterm".to_owned(),
        command: "xterm -T x".to_owned(),
        ignored: false,
    };
    assert_eq!(driver.sent(), [ClientPacket::Connection(expected)]);
    let applications = vec![Application { name: "Terminal".to_owned(), command: "xterm".to_owned() }];
    let menu = Menu { categories: vec![Category { name: "Tools".to_owned(), applications }] };
    driver.packet(ServerPacket::Connection(connection::FromServer::Menu(menu.clone())));
    let passed = |event| match event {
        SessionEvent::Connection(ConnectionEvent::Menu(menu)) => Some(*menu),
        _ => None,
    };
    assert_eq!(driver.events().into_iter().find_map(passed), Some(menu));
}
