//! The clipboard's room: who is told of what, and what is given to whom.

mod old_servers;

use std::time::Duration;

use farpane::protocol::Dialect;
use farpane::protocol::packet::clipboard::{Contents, Data, Packet, Selection, Token};
use farpane::protocol::packet::connection;
use farpane::protocol::packet::{ClientPacket, Dict, ServerPacket, Value};
use farpane::session::clipboard::{ClipboardOptions, Direction, FromDesktop, ToDesktop, Unreadable};
use farpane::session::{ClipboardInput, Output, SessionEvent, Setup};

use super::{Driver, changed, server_hello, setup};

const CLIPBOARD: Selection = Selection::Clipboard;

fn options(direction: Direction) -> ClipboardOptions {
    ClipboardOptions { enabled: true, direction, ..ClipboardOptions::default() }
}

fn with(dialect: Dialect, clipboard: ClipboardOptions) -> Setup {
    changed(setup(dialect), |setup| setup.config.clipboard = clipboard)
}

fn hello(greedy: bool) -> ServerPacket {
    let mut clipboard = Dict::default();
    clipboard.push("selections", &["CLIPBOARD", "PRIMARY"][..]).push("greedy", greedy);
    let mut hello = server_hello("6.5.5");
    hello.push("uuid", "a0b1").push("clipboard", clipboard);
    ServerPacket::Connection(connection::FromServer::Hello(hello))
}

/// What came out, as far as it is about the clipboard.
#[derive(Debug, Default)]
struct Said {
    to_server: Vec<Packet>,
    to_desktop: Vec<ToDesktop>,
    notices: Vec<String>,
}

impl Driver {
    fn said(&mut self) -> Said {
        let mut said = Said::default();
        for output in self.take() {
            match output {
                Output::Send(ClientPacket::Clipboard(packet)) => said.to_server.push(packet),
                Output::Event(SessionEvent::Clipboard(event)) => said.to_desktop.push(event),
                Output::Event(SessionEvent::Notice(words)) => said.notices.push(words),
                _ => {}
            }
        }
        said
    }

    fn desktop(&mut self, event: FromDesktop) -> Said {
        self.input(event);
        self.said()
    }

    fn server(&mut self, packet: Packet) -> Said {
        self.packet(ServerPacket::Clipboard(packet));
        self.said()
    }

    /// A remote program copies something with these targets.
    fn remote_copy(&mut self, targets: &[&str]) -> Said {
        self.server(token(targets))
    }

    /// A local program copies: what is sent once its targets were read.
    fn local_copy(&mut self, targets: &[&str]) -> Said {
        let said = self.desktop(FromDesktop::Owned(CLIPBOARD));
        let Some(ToDesktop::Read { request, target, .. }) = said.to_desktop.first() else {
            return said;
        };
        assert_eq!(target, "TARGETS");
        let result = Ok(Contents::targets(names(targets)));
        self.desktop(FromDesktop::Contents { request: *request, result })
    }

    fn local_paste(&mut self, request: u64, target: &str) -> Said {
        self.desktop(FromDesktop::Wanted { request, selection: CLIPBOARD, target: target.to_owned() })
    }

    fn remote_paste(&mut self, request: u64, target: &str) -> Said {
        self.server(Packet::Request { request, selection: CLIPBOARD, target: target.to_owned() })
    }
}

fn names(targets: &[&str]) -> Vec<String> {
    targets.iter().map(|name| (*name).to_owned()).collect()
}

fn token(targets: &[&str]) -> Packet {
    let targets = Some(names(targets));
    Packet::Token(Token { selection: CLIPBOARD, targets, contents: None, claim: true, greedy: false })
}

/// A session that shares the clipboard; nobody owns anything.
fn shared(direction: Direction) -> Driver {
    let mut driver = Driver::started(with(Dialect::Modern, options(direction)));
    driver.packet(hello(false));
    driver.take();
    driver
}

/// The same with a 3.1 server.
fn shared_with_3_1() -> Driver {
    let mut driver = Driver::started(with(Dialect::Legacy31, options(Direction::Both)));
    let mut hello = server_hello("3.1.3");
    hello.push("clipboard", true).push("clipboards", &["CLIPBOARD"][..]);
    driver.packet(ServerPacket::Connection(connection::FromServer::Hello(hello)));
    driver.take();
    driver
}

fn bytes(contents: &Contents) -> &[u8] {
    match &contents.data {
        Data::Bytes(bytes) => bytes,
        other => panic!("no bytes: {other:?}"),
    }
}

fn none(request: u64) -> Packet {
    Packet::ContentsNone { request, selection: CLIPBOARD }
}

#[test]
fn it_is_offered_as_each_generation_wants_it_and_not_where_it_is_off() {
    let mut modern = Driver::started(with(Dialect::Modern, options(Direction::Both)));
    let hello = modern.hello();
    assert_eq!(hello.bool("clipboard.enabled"), Some(true));
    assert_eq!(hello.bool("clipboard.want_targets"), Some(true));
    assert_eq!(
        hello.strs("clipboard.selections").as_deref(),
        Some(&["CLIPBOARD", "PRIMARY", "SECONDARY"][..])
    );
    let mut legacy = Driver::started(with(Dialect::Legacy31, options(Direction::Both)));
    let hello = legacy.hello();
    assert_eq!(hello.get("clipboard"), Some(&Value::Bool(true)));
    assert_eq!(hello.get("clipboard.contents-slice-fix"), Some(&Value::Bool(true)));
    for dialect in [Dialect::Modern, Dialect::Legacy31] {
        let off = ClipboardOptions { enabled: false, ..options(Direction::Both) };
        assert!(Driver::started(with(dialect, off)).hello().get("clipboard").is_none());
    }
}

#[test]
fn nothing_is_said_before_the_server_accepted_us_and_then_both_sides_are() {
    let mut driver = Driver::started(with(Dialect::Modern, options(Direction::Both)));
    driver.take();
    assert!(driver.desktop(FromDesktop::Owned(CLIPBOARD)).to_server.is_empty());
    driver.packet(hello(false));
    let said = driver.said();
    let both = vec![Selection::Clipboard, Selection::Primary];
    assert_eq!(said.to_server, [Packet::EnableSelections(both.clone())]);
    assert!(matches!(&said.to_desktop[..], [ToDesktop::Watch(watched)] if *watched == both), "{said:?}");
}

#[test]
fn a_server_without_a_clipboard_hears_nothing_of_it() {
    let mut driver = Driver::running(with(Dialect::Modern, options(Direction::Both)));
    let said = driver.desktop(FromDesktop::Owned(CLIPBOARD));
    assert!(said.to_server.is_empty() && said.to_desktop.is_empty(), "{said:?}");
    let said = driver.remote_copy(&["UTF8_STRING"]);
    assert!(said.to_server.is_empty() && said.to_desktop.is_empty(), "{said:?}");
}

#[test]
fn what_was_copied_there_before_we_came_is_had_if_nobody_here_owns_anything() {
    let mut driver = shared(Direction::Both);
    let said = driver.desktop(FromDesktop::Unowned(CLIPBOARD));
    let [Packet::Request { request, target, .. }] = &said.to_server[..] else { panic!("{said:?}") };
    assert_eq!(target, "TARGETS");
    let contents = Contents::targets(names(&["TARGETS", "UTF8_STRING", "x-special/secret"]));
    let said = driver.server(Packet::Contents { request: *request, selection: CLIPBOARD, contents });
    let [ToDesktop::Own { targets, .. }] = &said.to_desktop[..] else { panic!("{said:?}") };
    for naming in ["UTF8_STRING", "text/plain;charset=utf-8", "text/plain", "TEXT", "STRING"] {
        assert!(targets.iter().any(|target| target == naming), "{naming}");
    }
    assert!(!targets.iter().any(|target| target == "TARGETS" || target.starts_with("x-special")));
    // Where somebody here has copied something, that counts.
    let mut driver = shared(Direction::Both);
    let said = driver.local_copy(&["TARGETS", "text/html", "UTF8_STRING"]);
    let [Packet::Token(token)] = &said.to_server[..] else { panic!("{said:?}") };
    assert!(token.claim);
    assert!(token.targets.as_ref().is_some_and(|targets| targets.contains(&"text/html".to_owned())));
}

#[test]
fn a_local_paste_asks_the_server_in_its_spelling_and_gets_its_own() {
    let mut driver = shared(Direction::Both);
    driver.remote_copy(&["UTF8_STRING", "image/png"]);
    for (wanted, kind, text) in [
        ("UTF8_STRING", "UTF8_STRING", "caf\u{e9} \u{20ac}".as_bytes()),
        ("text/plain;charset=utf-8", "text/plain;charset=utf-8", "caf\u{e9} \u{20ac}".as_bytes()),
        ("STRING", "STRING", b"caf\xe9 ?"),
        ("TEXT", "UTF8_STRING", "caf\u{e9} \u{20ac}".as_bytes()),
    ] {
        let said = driver.local_paste(7, wanted);
        let [Packet::Request { request, target, .. }] = &said.to_server[..] else { panic!("{said:?}") };
        assert_eq!(target, "UTF8_STRING", "{wanted}");
        let contents = Contents::bytes("UTF8_STRING", Vec::from("caf\u{e9} \u{20ac}".as_bytes()));
        let said = driver.server(Packet::Contents { request: *request, selection: CLIPBOARD, contents });
        let [ToDesktop::Answer { request: 7, contents: Some(contents) }] = &said.to_desktop[..] else {
            panic!("{said:?}")
        };
        assert_eq!((contents.kind.as_str(), bytes(contents)), (kind, text), "{wanted}");
    }
    // What is not there is not asked for.
    let said = driver.local_paste(8, "image/jpeg");
    assert!(said.to_server.is_empty());
    assert!(matches!(said.to_desktop[..], [ToDesktop::Answer { request: 8, contents: None }]));
}

#[test]
fn a_paste_that_the_server_does_not_answer_ends_with_words() {
    let mut driver = shared(Direction::Both);
    driver.remote_copy(&["UTF8_STRING"]);
    driver.local_paste(7, "UTF8_STRING");
    driver.local_paste(8, "UTF8_STRING");
    driver.desktop(FromDesktop::Forget { request: 8 });
    driver.packet(ServerPacket::Connection(connection::FromServer::Ping { monotonic_ms: 1, sid: None }));
    for _ in 0..5 {
        driver.pass(Duration::from_secs(10));
        driver.packet(ServerPacket::Connection(connection::FromServer::Ping { monotonic_ms: 1, sid: None }));
    }
    let said = driver.said();
    assert!(said.to_desktop.is_empty(), "6.5.5 takes 30 s for 10 MB");
    assert!(matches!(&said.notices[..], [words] if words.contains("Pasting")), "{:?}", said.notices);
    let waiting = driver.session.clipboard_totals().waiting_since.expect("a program waits");
    assert_eq!(driver.now - waiting, Duration::from_secs(50));
    let due = driver.session.next_timeout().expect("a timeout");
    assert!(due <= driver.now + Duration::from_secs(10));
    driver.pass(Duration::from_secs(10));
    let said = driver.said();
    assert!(matches!(said.to_desktop[..], [ToDesktop::Answer { request: 7, contents: None }]), "{said:?}");
    assert!(said.notices.first().is_some_and(|words| words.contains("did not answer")), "{said:?}");
}

#[test]
fn what_the_server_cannot_give_or_cut_is_said_once_for_each_copy() {
    let mut driver = shared_with_3_1();
    let mut notices = |copies: usize, contents: Option<usize>| {
        let mut notices = Vec::new();
        for _ in 0..copies {
            driver.pass(Duration::from_secs(1));
            driver.remote_copy(&["UTF8_STRING"]);
            for paste in 0..2 {
                let said = driver.local_paste(paste, "UTF8_STRING");
                let [Packet::Request { request, .. }] = said.to_server[..] else { panic!("{said:?}") };
                let answer = match contents {
                    Some(len) => Packet::Contents {
                        request,
                        selection: CLIPBOARD,
                        contents: Contents::bytes("UTF8_STRING", vec![b'a'; len]),
                    },
                    None => none(request),
                };
                notices.extend(driver.server(answer).notices);
            }
        }
        notices
    };
    assert_eq!(notices(2, None).len(), 2);
    assert_eq!(notices(1, Some(1_048_575)).len(), 1, "the first part that xclip gives");
    assert_eq!(notices(1, Some(1_048_576)).len(), 0);
    let said = notices(1, Some((16 << 20) + 1));
    assert!(said.first().is_some_and(|words| words.contains("--clipboard-limit")), "{said:?}");
}

#[test]
fn a_remote_paste_reads_the_local_owner_in_its_spelling() {
    let mut driver = shared(Direction::Both);
    driver.local_copy(&["TARGETS", "STRING"]);
    let said = driver.remote_paste(70, "UTF8_STRING");
    let [ToDesktop::Read { request, target, max_bytes, .. }] = &said.to_desktop[..] else {
        panic!("{said:?}")
    };
    assert_eq!((target.as_str(), *max_bytes), ("STRING", 16 << 20));
    let result = Ok(Contents::bytes("STRING", Vec::from(&b"caf\xe9"[..])));
    let said = driver.desktop(FromDesktop::Contents { request: *request, result });
    let [Packet::Contents { request: 70, contents, .. }] = &said.to_server[..] else { panic!("{said:?}") };
    assert_eq!((contents.kind.as_str(), bytes(contents)), ("UTF8_STRING", "caf\u{e9}".as_bytes()));
    // What is large waits until nothing else is to be sent.
    let said = driver.remote_paste(71, "STRING");
    let [ToDesktop::Read { request, .. }] = said.to_desktop[..] else { panic!("{said:?}") };
    let result = Ok(Contents::bytes("STRING", vec![b'a'; 100_000]));
    assert!(driver.desktop(FromDesktop::Contents { request, result }).to_server.is_empty());
    let bulk = driver.session.next_bulk();
    assert!(matches!(&bulk, Some(ClientPacket::Clipboard(Packet::Contents { request: 71, .. }))), "{bulk:?}");
    assert!(driver.session.next_bulk().is_none());
    // What is not there, and what nobody here owns.
    assert_eq!(driver.remote_paste(72, "image/png").to_server, [none(72)]);
    driver.desktop(FromDesktop::Unowned(CLIPBOARD));
    assert_eq!(driver.remote_paste(73, "STRING").to_server, [none(73)]);
}

#[test]
fn a_local_copy_that_is_too_large_is_refused_with_words() {
    let mut driver = shared(Direction::Both);
    driver.local_copy(&["UTF8_STRING"]);
    let mut notices = Vec::new();
    for request in 1..=3 {
        let said = driver.remote_paste(request, "UTF8_STRING");
        let [ToDesktop::Read { request: read, .. }] = said.to_desktop[..] else { panic!("{said:?}") };
        let said = driver.desktop(FromDesktop::Contents { request: read, result: Err(Unreadable::TooLarge) });
        assert_eq!(said.to_server, [none(request)]);
        notices.extend(said.notices);
    }
    assert_eq!(notices.len(), 1, "{notices:?}");
}

#[test]
fn each_direction_lets_through_what_it_says() {
    for direction in Direction::ALL {
        let mut driver = shared(direction);
        let said = driver.local_copy(&["UTF8_STRING"]);
        let tokens = said.to_server.iter().filter(|packet| matches!(packet, Packet::Token(_))).count();
        assert_eq!(tokens, usize::from(direction.to_server()), "{direction:?}");
        let said = driver.remote_paste(1, "UTF8_STRING");
        assert_eq!(said.to_desktop.len(), usize::from(direction.to_server()), "{direction:?}");
        driver.pass(Duration::from_millis(100));
        driver.take();
        let said = driver.remote_copy(&["UTF8_STRING"]);
        assert_eq!(said.to_desktop.len(), usize::from(direction.to_client()), "{direction:?}");
        let said = driver.local_paste(2, "UTF8_STRING");
        assert_eq!(said.to_server.len(), usize::from(direction.to_client()), "{direction:?}");
    }
}

#[test]
fn the_direction_can_be_changed_while_it_runs() {
    let mut driver = shared(Direction::Both);
    driver.remote_copy(&["UTF8_STRING"]);
    driver.local_paste(5, "UTF8_STRING");
    driver.input(ClipboardInput::Direction(Direction::ToServer));
    let said = driver.said();
    assert!(matches!(said.to_desktop[..], [ToDesktop::Release(CLIPBOARD)]), "{said:?}");
    driver.input(ClipboardInput::Direction(Direction::Disabled));
    let said = driver.said();
    assert_eq!(said.to_server, [Packet::Status { enabled: false, reason: String::new() }]);
    let [ToDesktop::Answer { request: 5, contents: None }, ToDesktop::Watch(nothing)] = &said.to_desktop[..]
    else {
        panic!("{said:?}")
    };
    assert!(nothing.is_empty());
    let said = driver.desktop(FromDesktop::Owned(CLIPBOARD));
    assert!(said.to_server.is_empty() && said.to_desktop.is_empty(), "{said:?}");
    assert_eq!(driver.remote_paste(9, "UTF8_STRING").to_server, [none(9)]);
    driver.input(ClipboardInput::Direction(Direction::Both));
    let said = driver.said();
    assert!(
        matches!(&said.to_server[..], [Packet::Status { enabled: true, .. }, Packet::EnableSelections(_)]),
        "{said:?}"
    );
    assert!(matches!(&said.to_desktop[..], [ToDesktop::Watch(both)] if both.len() == 2), "{said:?}");
    assert_eq!(driver.local_copy(&["UTF8_STRING"]).to_server.len(), 1);
    // What was copied here while it went one way is known there afterwards.
    driver.input(ClipboardInput::Direction(Direction::ToClient));
    driver.take();
    assert!(driver.local_copy(&["text/html"]).to_server.is_empty());
    driver.input(ClipboardInput::Direction(Direction::Both));
    assert!(matches!(driver.said().to_desktop[..], [ToDesktop::Read { .. }]));
}

#[test]
fn the_server_can_switch_it_off_and_on() {
    let mut driver = shared(Direction::Both);
    driver.remote_copy(&["UTF8_STRING"]);
    let off = Packet::Status { enabled: false, reason: "by the administrator".to_owned() };
    let said = driver.server(off);
    assert!(matches!(said.to_desktop[..], [ToDesktop::Release(CLIPBOARD)]), "{said:?}");
    assert!(driver.local_copy(&["UTF8_STRING"]).to_server.is_empty());
    let said = driver.server(Packet::Status { enabled: true, reason: String::new() });
    assert!(matches!(said.to_desktop[..], [ToDesktop::Read { .. }]), "the copy meanwhile: {said:?}");
}

/// Servers drop packets beyond 30 in a second.
#[test]
fn after_too_many_copies_the_server_is_asked_for_what_it_may_have_dropped() {
    let mut driver = shared(Direction::Both);
    driver.remote_copy(&["TEXT"]);
    let said = driver.local_paste(1, "TEXT");
    let [Packet::Request { request: lost, .. }] = said.to_server[..] else { panic!("{said:?}") };
    for _ in 0..30 {
        driver.remote_copy(&["TEXT"]);
        driver.pass(Duration::from_millis(30));
    }
    driver.take();
    driver.pass(Duration::from_millis(1300));
    let said = driver.said();
    let again = |packet: &Packet| matches!(packet, Packet::Request { request, .. } if *request == lost);
    assert!(said.to_server.iter().any(again), "{said:?}");
    let targets = |packet: &Packet| match packet {
        Packet::Request { request, target, .. } if target == "TARGETS" => Some(*request),
        _ => None,
    };
    assert!(said.to_server.iter().any(|packet| targets(packet).is_some()), "{said:?}");
    // Until it answers.
    driver.pass(Duration::from_millis(1300));
    let said = driver.said();
    assert!(said.to_server.iter().any(again), "{said:?}");
    let request = said.to_server.iter().find_map(targets).expect("what there is");
    let contents = Contents::targets(names(&["image/png"]));
    let said = driver.server(Packet::Contents { request, selection: CLIPBOARD, contents });
    assert!(
        matches!(&said.to_desktop[..], [ToDesktop::Own { targets, .. }] if targets[0] == "image/png"),
        "{said:?}"
    );
    // Quiet means quiet, when it has answered.
    driver.server(none(lost));
    driver.pass(Duration::from_secs(2));
    assert!(driver.said().to_server.is_empty());
}

#[test]
fn the_servers_settings_switch_it_off_and_on_too() {
    for (name, off, on) in [
        ("clipboard", Value::from(false), Value::from(true)),
        ("clipboard", Value::from("off"), Value::from("on")),
        ("clipboard", Value::from(0), Value::from(1)),
        ("clipboard-direction", Value::from("disabled"), Value::from("to-client")),
    ] {
        let mut driver = shared(Direction::Both);
        driver.remote_copy(&["UTF8_STRING"]);
        let setting = |value: Value| {
            let name = name.to_owned();
            ServerPacket::Connection(connection::FromServer::SettingChange { name, value })
        };
        driver.packet(setting(off.clone()));
        let said = driver.said();
        assert!(matches!(said.to_desktop[..], [ToDesktop::Release(CLIPBOARD)]), "{name}: {said:?}");
        assert_eq!(said.notices.len(), 1, "{name}");
        assert!(driver.local_copy(&["UTF8_STRING"]).to_server.is_empty(), "{name}");
        driver.packet(setting(on.clone()));
        assert!(matches!(driver.said().to_desktop[..], [ToDesktop::Read { .. }]), "{name}");
        // A server that does so without end fills neither a log nor the screen.
        driver.packet(setting(off.clone()));
        assert!(driver.said().notices.is_empty(), "{name}");
        driver.packet(setting(on)).pass(Duration::from_secs(10)).packet(setting(off));
        assert_eq!(driver.said().notices.len(), 1, "{name}");
    }
}

#[test]
fn two_clipboard_managers_cannot_keep_taking_it_from_each_other() {
    let mut driver = shared(Direction::Both);
    let mut passed_on = 0;
    for round in 0..600 {
        let said = if round % 2 == 0 { driver.local_copy(&["TEXT"]) } else { driver.remote_copy(&["TEXT"]) };
        passed_on += said.to_server.len() + said.to_desktop.len();
        driver.pass(Duration::from_millis(20));
        passed_on += driver.said().to_desktop.len();
    }
    assert!(passed_on < 100, "{passed_on} in 12 s");
    // When they rest, what was copied last counts.
    driver.remote_copy(&["image/png"]);
    for _ in 0..30 {
        driver.pass(Duration::from_millis(100));
    }
    let said = driver.said();
    assert!(matches!(&said.to_desktop[..], [.., ToDesktop::Own { .. }]), "{said:?}");
}

#[test]
fn of_fifty_copies_in_a_second_the_last_is_passed_on() {
    let mut driver = shared(Direction::Both);
    let mut tokens = Vec::new();
    for copy in 0..50 {
        let said = driver.local_copy(&[&format!("text/copy-{copy}")]);
        tokens.extend(said.to_server);
        driver.pass(Duration::from_millis(20));
        for event in driver.said().to_desktop {
            let ToDesktop::Read { request, .. } = event else { panic!("{event:?}") };
            let result = Ok(Contents::targets(names(&[&format!("text/copy-{copy}")])));
            tokens.extend(driver.desktop(FromDesktop::Contents { request, result }).to_server);
        }
    }
    driver.pass(Duration::from_millis(100));
    for event in driver.said().to_desktop {
        let ToDesktop::Read { request, .. } = event else { panic!("{event:?}") };
        let result = Ok(Contents::targets(names(&["text/copy-49"])));
        tokens.extend(driver.desktop(FromDesktop::Contents { request, result }).to_server);
    }
    let Some(Packet::Token(last)) = tokens.last() else { panic!("{tokens:?}") };
    assert_eq!(last.targets.as_deref(), Some(&names(&["text/copy-49"])[..]));
    assert!((10..=30).contains(&tokens.len()), "{}", tokens.len());
}

#[test]
fn a_copy_during_the_look_at_the_one_before_is_looked_at_too() {
    let mut driver = shared(Direction::Both);
    let said = driver.desktop(FromDesktop::Owned(CLIPBOARD));
    let [ToDesktop::Read { request, .. }] = said.to_desktop[..] else { panic!("{said:?}") };
    driver.pass(Duration::from_millis(100));
    assert!(driver.desktop(FromDesktop::Owned(CLIPBOARD)).to_desktop.is_empty());
    let result = Ok(Contents::targets(names(&["text/old"])));
    let said = driver.desktop(FromDesktop::Contents { request, result });
    assert!(said.to_server.is_empty());
    assert!(matches!(said.to_desktop[..], [ToDesktop::Read { .. }]), "{said:?}");
}

#[test]
fn another_viewer_of_the_same_session_is_no_local_program() {
    let mut first = shared(Direction::Both);
    let said = first.remote_copy(&["UTF8_STRING"]);
    let [ToDesktop::Own { targets, .. }] = &said.to_desktop[..] else { panic!("{said:?}") };
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    let mut second = shared(Direction::Both);
    assert!(second.local_copy(&targets).to_server.is_empty());
    assert_eq!(second.remote_paste(1, "UTF8_STRING").to_server, [none(1)]);
    // One of another session is.
    let mut other = Driver::started(with(Dialect::Modern, options(Direction::Both)));
    let mut hello = server_hello("6.5.5");
    hello.push("uuid", "ffff").push("clipboard", true);
    other.packet(ServerPacket::Connection(connection::FromServer::Hello(hello)));
    other.take();
    assert_eq!(other.local_copy(&targets).to_server.len(), 1);
}

#[test]
fn contents_go_with_a_copy_only_where_asked_for_and_never_a_password() {
    for (targets, read) in [
        (&["UTF8_STRING", "image/png"][..], Some("image/png")),
        (&["UTF8_STRING"], Some("UTF8_STRING")),
        (&["UTF8_STRING", "x-kde-passwordManagerHint"], None),
    ] {
        let mut driver = Driver::started(with(Dialect::Modern, options(Direction::Both)));
        driver.packet(hello(true));
        driver.take();
        let said = driver.local_copy(targets);
        let Some(read) = read else {
            assert!(said.to_desktop.is_empty());
            assert!(matches!(&said.to_server[..], [Packet::Token(Token { contents: None, .. })]));
            continue;
        };
        let [ToDesktop::Read { request, target, .. }] = &said.to_desktop[..] else { panic!("{said:?}") };
        assert_eq!(target, read);
        let result = Ok(Contents::bytes(read, vec![1, 2, 3]));
        let said = driver.desktop(FromDesktop::Contents { request: *request, result });
        let [Packet::Token(Token { contents: Some((target, contents)), .. })] = &said.to_server[..] else {
            panic!("{said:?}")
        };
        assert_eq!((target.as_str(), bytes(contents)), (read, &[1, 2, 3][..]));
    }
}

#[test]
fn a_server_that_asks_without_end_gets_a_few_answers_at_a_time() {
    let mut driver = shared(Direction::Both);
    driver.local_copy(&["UTF8_STRING"]);
    let (mut reads, mut refused) = (Vec::new(), 0);
    for request in 0..1000 {
        let said = driver.remote_paste(request, "UTF8_STRING");
        reads.extend(said.to_desktop);
        refused += said.to_server.len();
    }
    assert_eq!((reads.len(), refused), (4, 1000 - 4 - 32));
    // What waits to be sent is bounded too, and every request gets an answer.
    let (mut answered, mut sent) = (refused, 0);
    while let Some(event) = reads.pop() {
        let ToDesktop::Read { request, .. } = event else { panic!("{event:?}") };
        let result = Ok(Contents::bytes("UTF8_STRING", vec![0; 16 << 20]));
        let said = driver.desktop(FromDesktop::Contents { request, result });
        reads.extend(said.to_desktop);
        answered += said.to_server.len();
    }
    while driver.session.next_bulk().is_some() {
        sent += 1;
    }
    assert!(sent <= 7, "{sent} of 16 MB");
    assert_eq!(answered + sent, 1000);
}

#[test]
fn answers_to_what_was_not_asked_are_nothing() {
    let mut driver = shared(Direction::Both);
    let contents = || Contents::bytes("UTF8_STRING", vec![1]);
    let said = driver.server(Packet::Contents { request: 99, selection: CLIPBOARD, contents: contents() });
    assert!(said.to_desktop.is_empty() && said.to_server.is_empty());
    let said = driver.desktop(FromDesktop::Contents { request: 99, result: Ok(contents()) });
    assert!(said.to_desktop.is_empty() && said.to_server.is_empty());
    assert!(driver.server(none(1)).to_desktop.is_empty());
}
