//! A session that goes on over another connection: what it takes along, and when there is another one at all.

use std::num::NonZeroU64;
use std::time::Duration;

use farpane::protocol::Dialect;
use farpane::protocol::packet::connection::{self, Challenge};
use farpane::protocol::packet::{ClientPacket, Dict, ServerPacket, Value, draw};
use farpane::session::ping::{PING_INTERVAL, WAKE_TIMEOUT};
use farpane::session::{
    CloseReason, ConnectionEvent, ConnectionInput, DisplayInfo, DisplayInput, DrawInput, Output, Prospect,
    Secret, Session, SessionEvent, WindowEvent,
};

use super::{Driver, changed, create, server_hello, setup, size};

impl Driver {
    /// Its connection is lost, and there is another one to a server that says this.
    fn again(self, hello: Option<Dict>) -> Self {
        let (setup, before) = self.session.leave();
        let before = before.expect("a server had accepted us");
        let mut driver = Self { session: Session::after(before, setup), now: self.now, out: Vec::new() };
        driver.session.start(driver.now, &mut driver.out);
        if let Some(hello) = hello {
            driver.packet(ServerPacket::Connection(connection::FromServer::Hello(hello)));
        }
        driver
    }

    fn startup_complete(&mut self) -> &mut Self {
        self.packet(ServerPacket::Connection(connection::FromServer::StartupComplete))
    }

    /// What is said of windows and done to backings, in order.
    fn windows(&mut self) -> Vec<String> {
        let word = |output| match output {
            Output::Event(SessionEvent::Window(event)) => match event {
                WindowEvent::Created(info) => Some(format!("created {}", info.wid.0)),
                WindowEvent::Kept(info) => Some(format!("kept {}", info.wid.0)),
                WindowEvent::Destroyed { wid } => Some(format!("destroyed {}", wid.0)),
                _ => None,
            },
            Output::Backing { wid, size: None } => Some(format!("freed {}", wid.0)),
            _ => None,
        };
        self.take().into_iter().filter_map(word).collect()
    }
}

fn hello_of(uuid: &str) -> Dict {
    let mut hello = server_hello("6.5.5");
    hello.push("uuid", uuid);
    hello
}

fn running(uuid: &str) -> Driver {
    let mut driver = Driver::started(changed(setup(Dialect::Modern), |setup| setup.config.reconnect = true));
    driver.packet(ServerPacket::Connection(connection::FromServer::Hello(hello_of(uuid))));
    driver.take();
    driver
}

#[test]
fn what_the_server_still_names_is_kept_and_the_rest_goes() {
    let mut driver = running("a");
    for wid in [1, 2, 3] {
        driver.window(wid, 0, 0, 100, 100);
    }
    let mut driver = driver.again(Some(hello_of("a")));
    driver.packet(create(2, 0, 0, 100, 100, Dict::default()));
    driver.packet(create(4, 0, 0, 100, 100, Dict::default()));
    assert_eq!(driver.windows(), ["kept 2", "created 4"]);
    // Lost again before all were named.
    let mut driver = driver.again(Some(hello_of("a")));
    driver.packet(create(1, 0, 0, 100, 100, Dict::default()));
    driver.packet(create(4, 0, 0, 100, 100, Dict::default()));
    driver.startup_complete();
    assert_eq!(driver.windows(), ["kept 1", "kept 4", "freed 2", "destroyed 2", "freed 3", "destroyed 3"]);
    // It is complete: what is named now is new.
    driver.packet(create(2, 0, 0, 100, 100, Dict::default())).startup_complete();
    assert_eq!(driver.windows(), ["created 2"]);
}

#[test]
fn the_windows_of_another_session_are_new() {
    let mut driver = running("a");
    driver.window(1, 0, 0, 100, 100);
    let mut driver = driver.again(Some(hello_of("b")));
    driver.packet(create(1, 0, 0, 100, 100, Dict::default())).startup_complete();
    assert_eq!(driver.windows(), ["freed 1", "destroyed 1", "created 1"]);
}

/// 6.5.5's identifier is its process's.
#[test]
fn another_server_of_the_same_display_has_the_same_session() {
    let hello_at = |uuid: &str, machine: &str, display: &str| {
        let mut hello = hello_of(uuid);
        hello.push("machine_id", machine).push("display", display);
        hello
    };
    let check = |hello: Dict, expect: &str| {
        let mut driver = running("a");
        driver.packet(ServerPacket::Connection(connection::FromServer::Hello(hello_of("a"))));
        let mut driver = driver.again(Some(hello_at("a", "here", ":1")));
        driver.window(1, 0, 0, 100, 100);
        let mut driver = driver.again(Some(hello));
        driver.packet(create(1, 0, 0, 100, 100, Dict::default())).startup_complete();
        assert_eq!(driver.windows().pop().as_deref(), Some(expect));
    };
    check(hello_at("b", "here", ":1"), "kept 1");
    check(hello_at("b", "there", ":1"), "created 1");
    check(hello_at("b", "here", ":2"), "created 1");
}

#[test]
fn a_try_that_does_not_get_in_leaves_everything_as_it_was() {
    let mut driver = running("a");
    driver.window(1, 0, 0, 100, 100);
    let mut driver = driver.again(None).again(None).again(Some(hello_of("a")));
    driver.packet(create(1, 0, 0, 100, 100, Dict::default())).startup_complete();
    assert_eq!(driver.windows(), ["kept 1"]);
    let (_, before) = Driver::started(setup(Dialect::Modern)).session.leave();
    assert!(before.is_none(), "no server has accepted us");
}

#[test]
fn wishes_go_along_and_deeds_do_not() {
    let quality = |value| DrawInput::EncodingOption { name: "quality", value };
    let mut driver = running("a");
    driver.input(quality(31)).input(limit_of(5_000_000));
    let (mut setup, before) = driver.session.leave();
    assert_eq!(setup.config.pictures.quality, Some(31));
    // Said while there is no connection.
    setup.note(quality(32).into());
    setup.note(DisplayInput::Changed(Box::new(DisplayInfo::single(size(640, 480)))).into());
    let session = Session::after(before.expect("accepted"), setup);
    let mut driver = Driver { session, now: driver.now, out: Vec::new() };
    driver.session.start(driver.now, &mut driver.out);
    let hello = driver.hello();
    let told = ["encoding.quality", "quality"].into_iter().find_map(|path| hello.int(path));
    assert_eq!(told, Some(32), "{hello:?}");
    assert_eq!(hello.get("desktop_size"), Some(&vec![Value::from(640), Value::from(480)].into()));
    driver.packet(ServerPacket::Connection(connection::FromServer::Hello(hello_of("a"))));
    let limits = |packet| matches!(packet, ClientPacket::Draw(draw::ToServer::BandwidthLimit { .. }));
    assert!(driver.sent().into_iter().any(limits));
}

fn limit_of(bits: u64) -> DrawInput {
    DrawInput::BandwidthLimit { bits_per_second: NonZeroU64::new(bits) }
}

fn challenge() -> ServerPacket {
    ServerPacket::Connection(connection::FromServer::Challenge(Challenge {
        salt: (0..64).collect(),
        auth_caps: Dict::default(),
        digest: "hmac+sha512".to_owned(),
        salt_digest: "hmac+sha512".to_owned(),
        prompt: None,
    }))
}

/// How often the user is asked in a login with two challenges, and then in a second one.
fn asked(reconnect: bool) -> [usize; 2] {
    let setup = changed(setup(Dialect::Modern), |setup| {
        setup.config.reconnect = reconnect;
        setup.config.password = Some(Secret::new("given".to_owned()));
        setup.local.may_prompt = true;
    });
    let login = |driver: &mut Driver| {
        let mut asked = 0;
        for _ in 0..2 {
            driver.packet(challenge());
            let is_asked = |event: &SessionEvent| {
                matches!(event, SessionEvent::Connection(ConnectionEvent::PasswordNeeded { .. }))
            };
            if driver.events().iter().any(is_asked) {
                asked += 1;
                driver.input(ConnectionInput::Password(Secret::new("typed".to_owned())));
            }
        }
        driver.packet(ServerPacket::Connection(connection::FromServer::Hello(hello_of("a"))));
        asked
    };
    let mut driver = Driver::started(setup);
    let first = login(&mut driver);
    let mut driver = driver.again(None);
    [first, login(&mut driver)]
}

#[test]
fn a_password_is_typed_once() {
    assert_eq!(asked(true), [1, 0]);
    // Nobody keeps it for nothing.
    assert_eq!(asked(false), [1, 1]);
}

#[test]
fn who_said_goodbye_meant_it() {
    let server = |words: &str| CloseReason::Server(words.to_owned());
    let table = [
        (CloseReason::ConnectionLost("the server closed it without a goodbye".to_owned()), Prospect::Again),
        (CloseReason::Timeout("the server has been silent for 45 seconds".to_owned()), Prospect::Again),
        (server("server upgrade"), Prospect::Again),
        (server("server exit"), Prospect::Over),
        (server("server shutdown: upgrade of the machine"), Prospect::Over),
        (server("detach request"), Prospect::Over),
        (server("new client: new connection from the same uuid"), Prospect::Over),
        (server("new client: this session does not allow sharing"), Prospect::Over),
        (server("idle timeout"), Prospect::Over),
        (server("session busy"), Prospect::Over),
        (server("no reason given"), Prospect::Over),
        (CloseReason::User, Prospect::Over),
        (CloseReason::Authentication("wrong password".to_owned()), Prospect::Over),
        (CloseReason::Protocol("a record is too large".to_owned()), Prospect::Over),
    ];
    for (reason, expect) in table {
        assert_eq!(reason.prospect(), expect, "{reason:?}");
    }
}

#[test]
fn a_server_is_soon_given_up_after_sleep() {
    let mut driver = running("a");
    driver.pass(PING_INTERVAL);
    driver.session.woke(driver.now);
    // It answers: everything goes on.
    driver
        .pass(Duration::from_secs(1))
        .packet(ServerPacket::Connection(connection::FromServer::Ping { monotonic_ms: 1, sid: None }));
    for _ in 0..10 {
        driver.pass(PING_INTERVAL);
    }
    assert!(!driver.take().iter().any(|output| matches!(output, Output::Close(_))));
    // It does not.
    driver.session.woke(driver.now);
    driver.pass(Duration::ZERO);
    let pings = |output: &Output| {
        matches!(output, Output::Send(ClientPacket::Connection(connection::ToServer::Ping { .. })))
    };
    assert!(driver.take().iter().any(pings), "it is asked at once");
    let woke = driver.now;
    while driver.now < woke + WAKE_TIMEOUT {
        driver.pass(Duration::from_millis(500));
    }
    driver.pass(Duration::from_millis(1500));
    assert!(matches!(driver.closed(), CloseReason::Timeout(_)));
}
