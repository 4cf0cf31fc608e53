//! A server that says too much, to an application that is busy: little is kept, commands go on, the end comes.
//!
//! Each flood is received in a process of its own, this test binary again, so that nobody else's memory is measured.

use std::io::Write as _;
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use farpane::buffers::Payload;
use farpane::channel::{AppEvent, AppSink, Mailbox, NetCommand};
use farpane::net::{self, NetConfig, ProtocolPolicy, Target};
use farpane::protocol::packet::Image;
use farpane::protocol::packet::clipboard::{Contents, Packet, Selection, Token};
use farpane::protocol::packet::connection;
use farpane::protocol::packet::draw;
use farpane::protocol::packet::pointer::{self, Cursor};
use farpane::protocol::packet::window::{self, WindowBell, WindowCreate, WindowMoveResize};
use farpane::protocol::packet::{ClientPacket, Dict, ServerPacket, WindowId};
use farpane::session::clipboard::{ClipboardOptions, FromDesktop};
use farpane::session::{
    ClipboardInput, CloseReason, ConnectionEvent, Input, LocalInfo, SessionConfig, SessionEvent,
};
use farpane::threads::Engine;

use super::pump::done;
use super::server::{Server, draw, hello_with_clipboard, window};
use super::task::{Client, LIMIT, tcp_server};

/// What a flood may cost.
const MOST: u64 = 64 << 20;
/// How long the server is blocked before it is sure that nothing is read any more.
const BLOCKED: Duration = Duration::from_millis(700);
/// Windows that the floods are about.
const WINDOWS: u64 = 60;
/// In the process that receives: which flood.
const FLOOD: &str = "FARPANE_TEST_FLOOD";

/// The `number`th packet of a flood of this kind.
pub fn packet(kind: &str, number: u64) -> ServerPacket {
    let wid = WindowId(1 + number % WINDOWS);
    let picture = || Payload::from(vec![number as u8; 60_000]);
    match kind {
        "titles" => {
            let mut metadata = Dict::default();
            metadata.push("title", format!("{number} {}", "title ".repeat(80)).as_str());
            ServerPacket::Window(window::FromServer::Metadata { wid, metadata })
        }
        "icons" => {
            let (encoding, data) = ("BGRA".to_owned(), picture());
            ServerPacket::Window(window::FromServer::Icon {
                wid,
                image: Image { width: 120, height: 125, encoding, rowstride: 480, data },
            })
        }
        "cursors" => ServerPacket::Pointer(pointer::FromServer::Cursor(Cursor {
            encoding: "raw".to_owned(),
            width: 120,
            height: 125,
            hotspot_x: 0,
            hotspot_y: 0,
            serial: number,
            data: picture(),
            name: String::new(),
        })),
        "bells" => {
            let name = "bell".to_owned();
            ServerPacket::Window(window::FromServer::Bell(WindowBell {
                wid: Some(wid),
                percent: 1,
                pitch: 440,
                duration_ms: 5,
                name,
            }))
        }
        "moves" => ServerPacket::Window(window::FromServer::MoveResize(WindowMoveResize {
            wid,
            x: number as i32 % 10,
            y: 5,
            width: 300,
            height: 200,
            resize_counter: 0,
        })),
        "windows" => {
            let mut metadata = Dict::default();
            metadata.push("title", "title ".repeat(80).as_str());
            ServerPacket::Window(window::FromServer::Create(WindowCreate {
                // More than there may be at a time would end the session.
                wid: WindowId(100 + number % 3000),
                x: 0,
                y: 0,
                width: 100,
                height: 100,
                metadata,
                client_properties: Dict::default(),
                override_redirect: number.is_multiple_of(2),
                tray: false,
            }))
        }
        "windows that come and go" => {
            let wid = WindowId(100 + number / 2);
            if number.is_multiple_of(2) {
                return window(wid.0);
            }
            ServerPacket::Window(window::FromServer::Destroy { wid })
        }
        "copies" => {
            let targets = (0..40).map(|target| format!("application/x-{number}-{target}")).collect();
            let selection = selection(number);
            let (targets, contents) = (Some(targets), None);
            Packet::Token(Token { selection, targets, contents, claim: true, greedy: false }).into()
        }
        "pastes" => {
            let target = "UTF8_STRING".to_owned();
            Packet::Request { request: number, selection: selection(number), target }.into()
        }
        "contents" => {
            let contents = Contents::bytes("UTF8_STRING", picture());
            Packet::Contents { request: number, selection: selection(number), contents }.into()
        }
        "switches" => {
            Packet::Status { enabled: number.is_multiple_of(2), reason: "a reason ".repeat(20) }.into()
        }
        "settings" => ServerPacket::Connection(connection::FromServer::SettingChange {
            name: format!("setting {number}"),
            value: "value".repeat(100).as_str().into(),
        }),
        "pings" => ServerPacket::Connection(connection::FromServer::Ping { monotonic_ms: number, sid: None }),
        other => panic!("no flood {other}"),
    }
}

fn selection(number: u64) -> Selection {
    Selection::ALL[number as usize % 3]
}

/// Sends packets until there were `most`, or nothing is taken any more. Returns how many were sent.
fn flood(server: &mut Server<TcpStream>, kind: &str, most: u64) -> u64 {
    server.stream.set_write_timeout(Some(BLOCKED)).expect("a timeout");
    let (mut bytes, mut sent) = (Vec::new(), 0);
    for number in 0..most {
        bytes.extend(server.bytes(&packet(kind, number)));
        if bytes.len() < 64 << 10 && number + 1 < most {
            continue;
        }
        if server.stream.write_all(&bytes).is_err() {
            return sent;
        }
        bytes.clear();
        sent = number + 1;
    }
    sent
}

/// A network thread's application that never looks.
struct Blocked(Mailbox);

impl AppSink for Blocked {
    fn send(&self, event: AppEvent) {
        self.0.push(event);
    }

    fn mailbox(&self) -> Option<&Mailbox> {
        Some(&self.0)
    }
}

/// Bytes of memory in use by this process, and the most that were.
pub fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let kib = |name: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    };
    (kib("VmRSS:") << 10, kib("VmHWM:") << 10)
}

/// The other process: receives the flood, prints what that cost.
#[expect(clippy::print_stdout, reason = "the other process reads it")]
fn receive(kind: String) {
    let packets = if matches!(kind.as_str(), "icons" | "cursors" | "contents") { 6_000 } else { 300_000 };
    let ((accepted, is_accepted), (go, wait)) = (sync_channel(1), sync_channel(1));
    let (url, server) = tcp_server(move |mut server| {
        server.accept_as(&hello_with_clipboard());
        // It is accepted.
        server.wait("the keyboard", |packet| matches!(packet, ClientPacket::Keyboard(_)).then_some(()));
        accepted.send(()).expect("the other side is there");
        wait.recv().expect("the other side is there");
        (1..=WINDOWS).for_each(|wid| server.send(&window(wid)));
        // The flood's own bytes are a few MiB at most.
        let sent = flood(&mut server, &kind, packets);
        println!("sent {sent}");
    });
    let mailbox = Mailbox::default();
    let clipboard = ClipboardOptions { enabled: true, ..ClipboardOptions::default() };
    let config = NetConfig {
        target: Target::parse(&url).expect("a URL"),
        session: SessionConfig { clipboard, ..SessionConfig::default() },
        wanted: net::Wanted::default(),
        protocol: ProtocolPolicy::Auto,
        connect_timeout: LIMIT,
        recorder: None,
        replay: None,
        ssh: net::ssh::SshOptions::default(),
        proxy: None,
        tls: net::tls::TlsOptions::default(),
    };
    let before = memory().0;
    let app = Arc::new(Blocked(mailbox.clone()));
    let engine = Engine::without_renderer(config, LocalInfo::default(), app).expect("a thread");
    is_accepted.recv().expect("the server is there");
    for selection in Selection::ALL {
        let copied = Input::Clipboard(ClipboardInput::Desktop(FromDesktop::Owned(selection)));
        engine.queues().net.push(NetCommand::Input(copied));
    }
    go.send(()).expect("the server is there");
    server.join().expect("the server is content");
    println!("grown {}", memory().1.saturating_sub(before));
    // Commands are taken, however full the mailbox is.
    drop(engine);
    let events = std::iter::from_fn(|| mailbox.try_pop());
    let last = events.last().expect("events");
    assert!(
        matches!(last, AppEvent::Session(SessionEvent::Connection(ConnectionEvent::Closed(_)))),
        "{last:?}"
    );
    println!("ended");
}

#[track_caller]
fn check(test: &str, kind: &str) {
    if let Ok(kind) = std::env::var(FLOOD) {
        return receive(kind);
    }
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args([&format!("net::floods::{test}"), "--exact", "--nocapture"])
        .env(FLOOD, kind)
        .output()
        .expect("this program, again");
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let number =
        |name: &str| said.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
    assert!(said.contains("ended"), "{said}");
    assert!(number("sent ").is_some_and(|sent| sent > 0), "{said}");
    let grown = number("grown ").expect("a number");
    assert!(grown <= MOST, "a flood of {kind} took {grown} bytes\n{said}");
}

#[test]
fn titles() {
    check("titles", "titles");
}

#[test]
fn icons() {
    check("icons", "icons");
}

#[test]
fn cursors() {
    check("cursors", "cursors");
}

#[test]
fn bells() {
    check("bells", "bells");
}

#[test]
fn moves() {
    check("moves", "moves");
}

#[test]
fn windows() {
    check("windows", "windows");
}

#[test]
fn windows_that_come_and_go() {
    check("windows_that_come_and_go", "windows that come and go");
}

#[test]
fn copies() {
    check("copies", "copies");
}

#[test]
fn pastes() {
    check("pastes", "pastes");
}

#[test]
fn contents_that_nobody_asked_for() {
    check("contents_that_nobody_asked_for", "contents");
}

#[test]
fn switches_of_the_clipboard() {
    check("switches_of_the_clipboard", "switches");
}

#[test]
fn settings() {
    check("settings", "settings");
}

#[test]
fn pings() {
    check("pings", "pings");
}

/// The server reads nothing until it has sent everything.
#[test]
fn a_draw_behind_100_000_pings_is_acknowledged() {
    let (url, server) = tcp_server(|mut server| {
        server.accept();
        server.send(&window(1));
        let sent = flood(&mut server, "pings", 100_000);
        assert_eq!(sent, 100_000, "all pings are taken");
        server.stream.set_write_timeout(None).expect("no timeout");
        server.send(&draw(1, 1));
        let mut newest = 0;
        server.wait("the acknowledgement", |packet| match packet {
            ClientPacket::Connection(connection::ToServer::PingEcho(connection::PingEcho {
                monotonic_ms,
                ..
            })) => {
                assert!(monotonic_ms >= newest, "echoes in order");
                newest = monotonic_ms;
                None
            }
            ClientPacket::Draw(draw::ToServer::Ack(ack)) => (ack.sequence.0 == 1).then_some(()),
            _ => None,
        });
        if newest != 99_999 {
            server.wait("the echo of the newest ping", |packet| match packet {
                ClientPacket::Connection(connection::ToServer::PingEcho(connection::PingEcho {
                    monotonic_ms,
                    ..
                })) => (monotonic_ms == 99_999).then_some(()),
                _ => None,
            });
        }
    });
    let client = Client::start(&url, 64 << 20);
    let job = client.next_draw();
    client.queue.push(NetCommand::DrawDone(done(&job, 0)));
    server.join().expect("the server is content");
    // It left without a goodbye.
    assert!(matches!(client.end(), CloseReason::ConnectionLost(_)));
}
