//! The network thread over several connections to a scripted server: what belongs to the one that is lost does not
//! reach the next.

use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use farpane::channel::{AppEvent, BackingUpdate, ByteBudget, NetCommand};
use farpane::geometry::Size;
use farpane::protocol::packet::draw::{self, DrawOutcome};
use farpane::protocol::packet::keyboard;
use farpane::protocol::packet::window;
use farpane::protocol::packet::{ClientPacket, ServerPacket, WindowId, connection};
use farpane::session::{
    CloseReason, ConnectionEvent, ConnectionInput, DrawDone, DrawInput, SessionConfig, SessionEvent,
};

use super::server::{Server, draw, window};
use super::task::{Client, LIMIT, Step, key};
use crate::support::wait_for;

/// A server to which one connection after the other is made, each with its script.
struct Servers {
    url: String,
    thread: JoinHandle<()>,
}

type Script = Box<dyn FnOnce(&mut Server<TcpStream>) + Send>;

impl Servers {
    /// The connection ends when its script does. After the last one nobody listens any more.
    fn start(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("tcp://{}/", listener.local_addr().expect("it is bound"));
        let run = move || {
            for script in scripts {
                let mut server = Server::new(listener.accept().expect("a connection").0);
                script(&mut server);
            }
        };
        let thread = std::thread::Builder::new().name("server".into()).spawn(run).expect("a thread");
        Self { url, thread }
    }
}

fn client(url: &str) -> Client {
    let session = SessionConfig { reconnect: true, ..SessionConfig::default() };
    Client::with_session(url, ByteBudget::new(8 << 20), session)
}

fn startup_complete() -> ServerPacket {
    ServerPacket::Connection(connection::FromServer::StartupComplete)
}

impl Client {
    /// The next event of the connection that `pick` accepts.
    #[track_caller]
    fn wait<T>(&self, what: &str, pick: impl Fn(ConnectionEvent) -> Option<T>) -> T {
        loop {
            let event = self.events.pop(Some(LIMIT)).unwrap_or_else(|| panic!("in vain: {what}"));
            if let AppEvent::Session(SessionEvent::Connection(event)) = event
                && let Some(found) = pick(event)
            {
                return found;
            }
        }
    }

    #[track_caller]
    fn wait_connected(&self) {
        self.wait("the server's hello", |event| matches!(event, ConnectionEvent::Connected(_)).then_some(()));
    }

    #[track_caller]
    fn wait_away(&self) {
        self.wait("that it is lost", |event| match event {
            ConnectionEvent::Away(away) => away.until.map(|_| ()),
            _ => None,
        });
    }
}

fn done(job: &farpane::channel::DrawJob) -> NetCommand {
    let request = &job.request;
    NetCommand::DrawDone(DrawDone {
        wid: request.wid,
        sequence: request.sequence,
        size: Size { width: request.rect.width, height: request.rect.height },
        encoding: request.encoding,
        outcome: DrawOutcome::Presented { decode_us: 77 },
        trace: request.trace,
    })
}

/// Waits for this key and gives the packets before it.
fn until_key(server: &mut Server<TcpStream>, name: &str) -> Vec<ClientPacket> {
    let mut before = Vec::new();
    server.wait("the key", |packet| match packet {
        ClientPacket::Keyboard(keyboard::ToServer::Event(event)) if event.keyname == name => Some(()),
        packet => {
            before.push(packet);
            None
        }
    });
    before
}

fn acks(packets: &[ClientPacket]) -> usize {
    packets.iter().filter(|packet| matches!(packet, ClientPacket::Draw(draw::ToServer::Ack(_)))).count()
}

fn keys(packets: &[ClientPacket]) -> Vec<String> {
    let name = |packet: &ClientPacket| match packet {
        ClientPacket::Keyboard(keyboard::ToServer::Event(event)) => Some(event.keyname.clone()),
        _ => None,
    };
    packets.iter().filter_map(name).collect()
}

/// Servers number their draws anew: what is done late with an old one says nothing of the new one with its number.
#[test]
fn late_acknowledgements_reach_nobody() {
    let scripts: Vec<Script> = vec![
        Box::new(|server| {
            server.accept();
            server.send(&window(1));
            server.send(&draw(1, 1));
            server.send(&draw(1, 2));
            until_key(server, "cut");
        }),
        Box::new(|server| {
            server.accept();
            server.send(&window(1));
            server.send(&startup_complete());
            server.send(&draw(1, 1));
            let before = until_key(server, "first");
            assert_eq!(acks(&before), 0, "a draw was acknowledged that is not done: {before:?}");
            assert_eq!(acks(&until_key(server, "second")), 1);
            while server.next().is_some() {}
        }),
    ];
    let servers = Servers::start(scripts);
    let client = client(&servers.url);
    client.wait_connected();
    let (old, older) = (client.next_draw(), client.next_draw());
    client.input(key("cut"));
    client.wait_away();
    client.queue.push(done(&older));
    client.wait_connected();
    let new = client.next_draw();
    assert_eq!((old.request.sequence, old.request.wid), (new.request.sequence, new.request.wid));
    client.queue.push(done(&old));
    client.input(key("first"));
    client.queue.push(done(&new));
    client.input(key("second"));
    client.input(ConnectionInput::Disconnect);
    assert_eq!(client.end(), CloseReason::User);
    servers.thread.join().expect("the server is content");
}

#[test]
fn what_is_typed_meanwhile_is_for_nobody_and_what_is_wished_counts() {
    let (is_lost, lost): (Sender<()>, Receiver<()>) = channel();
    let scripts: Vec<Script> = vec![
        Box::new(|server| {
            server.accept();
            server.send(&window(1));
            until_key(server, "cut");
        }),
        Box::new(move |server| {
            lost.recv_timeout(LIMIT).expect("the test has typed");
            server.wait("the wish in hello", |packet| match packet {
                ClientPacket::Connection(connection::ToServer::Hello(hello)) => {
                    assert_eq!(hello.int("encoding.quality").or(hello.int("quality")), Some(34));
                    Some(())
                }
                _ => None,
            });
            server.send(&super::server::hello());
            server.send(&window(1));
            assert_eq!(keys(&until_key(server, "live")), [""; 0]);
            while server.next().is_some() {}
        }),
    ];
    let servers = Servers::start(scripts);
    let client = client(&servers.url);
    client.wait_connected();
    client.input(DrawInput::EncodingOption { name: "quality", value: 33 });
    client.input(key("cut"));
    client.wait_away();
    client.input(key("lost"));
    client.input(DrawInput::EncodingOption { name: "quality", value: 34 });
    // The hello that is on its way may be older: the one after that counts.
    std::thread::sleep(Duration::from_millis(20));
    is_lost.send(()).expect("the server waits");
    client.wait_connected();
    client.input(key("live"));
    client.input(ConnectionInput::Disconnect);
    assert_eq!(client.end(), CloseReason::User);
    servers.thread.join().expect("the server is content");
}

/// A backing whose end waits behind draws without room goes with its window.
#[test]
fn windows_that_are_gone_leave_nothing_behind() {
    let scripts: Vec<Script> = vec![
        Box::new(|server| {
            server.accept();
            server.send(&window(1));
            server.send(&window(2));
            for sequence in 1..=40 {
                server.send(&draw(1, sequence));
            }
            server.send(&ServerPacket::Window(window::FromServer::Destroy { wid: WindowId(1) }));
            until_key(server, "cut");
        }),
        Box::new(|server| {
            server.accept();
            server.send(&window(3));
            server.send(&startup_complete());
            while server.next().is_some() {}
        }),
    ];
    let servers = Servers::start(scripts);
    let client = client(&servers.url);
    client.wait_connected();
    // Two backings, and the draws for which there is room.
    wait_for("what there is room for", LIMIT, String::new, || (client.draws.len() >= 24).then_some(()));
    client.input(key("cut"));
    client.wait_away();
    client.wait("the end of the beginning", |event| {
        matches!(event, ConnectionEvent::StartupComplete).then_some(())
    });
    client.input(ConnectionInput::Disconnect);
    let draws = client.draws.clone();
    assert_eq!(client.end(), CloseReason::User);
    let mut alive = std::collections::BTreeSet::new();
    while let Some(step) = draws.try_pop() {
        match step {
            Step::Backing(wid, BackingUpdate::Resize(_)) => drop(alive.insert(wid.0)),
            Step::Backing(wid, BackingUpdate::Destroy) => drop(alive.remove(&wid.0)),
            Step::Draw(_) => {}
        }
    }
    assert_eq!(alive.into_iter().collect::<Vec<_>>(), [3]);
    servers.thread.join().expect("the server is content");
}

/// Whatever ends a session for good ends it while it is away as well; and who never was in does not come back.
#[test]
fn what_cannot_be_cured_ends_it() {
    let goodbye = |words: &'static str| -> Script {
        Box::new(move |server| {
            server.wait("hello", |packet| {
                matches!(packet, ClientPacket::Connection(connection::ToServer::Hello(_))).then_some(())
            });
            let reasons = vec![words.to_owned()];
            server.send(&ServerPacket::Connection(connection::FromServer::Close { reasons }));
        })
    };
    let lost = || -> Script {
        Box::new(|server| {
            server.accept();
            server.send(&window(1));
        })
    };
    let end = |scripts: Vec<Script>| {
        let servers = Servers::start(scripts);
        let reason = client(&servers.url).end();
        servers.thread.join().expect("the server is content");
        reason
    };
    let refused = end(vec![lost(), Box::new(|_| {}), goodbye("authentication failed")]);
    assert!(matches!(refused, CloseReason::Authentication(_)), "{refused:?}");
    let busy = end(vec![lost(), goodbye("session busy")]);
    assert!(matches!(busy, CloseReason::Server(_)), "{busy:?}");
    let first = end(vec![Box::new(|_| {})]);
    assert!(matches!(first, CloseReason::ConnectionLost(_)), "{first:?}");
    let replaced = || -> Script {
        Box::new(|server| {
            server.accept();
            let reasons = vec!["new client".to_owned(), "new connection from the same uuid".to_owned()];
            server.send(&ServerPacket::Connection(connection::FromServer::Close { reasons }));
        })
    };
    let other = end(vec![replaced()]);
    assert!(matches!(other, CloseReason::Server(_)), "{other:?}");
    // A server that stood still takes an attempt that was given up for a client, when it goes on (6.5.5): that was this
    // very client, once for each of them.
    let own = end(vec![lost(), Box::new(|_| {}), replaced(), replaced()]);
    assert!(matches!(own, CloseReason::Server(_)), "{own:?}");
}

/// Also when nobody listens any more, and more than once in a row.
#[test]
fn the_user_stops_it_at_once_or_tries_at_once() {
    let scripts: Vec<Script> = vec![Box::new(|server| {
        server.accept();
        server.send(&window(1));
    })];
    let servers = Servers::start(scripts);
    let client = client(&servers.url);
    client.wait_connected();
    servers.thread.join().expect("the server is content");
    // 0.1, 0.5, 1 s: the next one would be 2 s away.
    let late = |client: &Client| {
        client.wait("a later attempt", |event| match event {
            ConnectionEvent::Away(away) => away.until.filter(|until| {
                until.saturating_duration_since(farpane::channel::clock::now()) > Duration::from_millis(1500)
            }),
            _ => None,
        })
    };
    let due = late(&client);
    client.input(ConnectionInput::TryNow);
    client.wait("the attempt", |event| match event {
        ConnectionEvent::Away(away) => away.until.is_none().then_some(()),
        _ => None,
    });
    assert!(farpane::channel::clock::now() < due, "it was tried before its time");
    late(&client);
    let before = farpane::channel::clock::now();
    client.input(ConnectionInput::Disconnect);
    assert_eq!(client.end(), CloseReason::User);
    assert!(before.elapsed() < Duration::from_secs(1), "it took {:?}", before.elapsed());
}
