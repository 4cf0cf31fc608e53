//! Many windows, to the program with windows: the end comes soon.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::{Duration, Instant};

use farpane::channel::clock;
use farpane::protocol::packet::connection;
use farpane::protocol::packet::window::{self, WindowCreate};
use farpane::protocol::packet::{ClientPacket, Dict, ServerPacket, WindowId};

use super::server::Server;
use super::task::tcp_server;
use crate::support::display::Display;
use crate::support::viewer::Viewer;
use crate::support::wait_for;

const LIMIT: Duration = Duration::from_secs(60);

/// A window with a title, in a grid.
fn window(wid: u64) -> ServerPacket {
    let mut metadata = Dict::default();
    metadata.push("title", format!("window {wid}").as_str());
    let (column, row) = (wid as i32 % 25, wid as i32 / 25);
    ServerPacket::Window(window::FromServer::Create(WindowCreate {
        wid: WindowId(wid),
        x: 60 * column,
        y: 45 * row,
        width: 50,
        height: 40,
        metadata,
        client_properties: Dict::default(),
        override_redirect: false,
        tray: false,
    }))
}

/// Reads on in another thread what the client says.
fn listen(
    mut server: Server<TcpStream>,
    mut heard: impl FnMut(ClientPacket) + Send + 'static,
) -> std::thread::JoinHandle<()> {
    let listen = move || {
        while let Some(packet) = server.next() {
            heard(packet);
        }
    };
    std::thread::Builder::new().name("server reads".into()).spawn(listen).expect("a thread")
}

/// For who runs the tests with `--nocapture`.
#[expect(clippy::print_stdout, reason = "figures of a test")]
fn note(words: &str) {
    println!("{words}");
}

/// 500 windows go when the session does.
#[test]
fn five_hundred_windows_close_with_the_session() {
    let display = Display::bare();
    let (goodbye, mapped) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI32::new(0)));
    let (told, count) = (Arc::clone(&goodbye), Arc::clone(&mapped));
    let (url, server) = tcp_server(move |mut server| {
        server.accept();
        (1..=500).for_each(|wid| server.send(&window(wid)));
        server.send(&ServerPacket::Connection(connection::FromServer::StartupComplete));
        let bytes = server.bytes(&ServerPacket::Connection(connection::FromServer::Close {
            reasons: vec!["server shutdown".into()],
        }));
        let mut stream = server.stream.try_clone().expect("a second handle");
        let reader = listen(server, move |packet| {
            count.fetch_add(
                i32::from(matches!(packet, ClientPacket::Window(window::ToServer::Map(_)))),
                Ordering::AcqRel,
            );
        });
        while !told.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(5));
        }
        stream.write_all(&bytes).expect("the client reads");
        reader.join().expect("no panic");
    });
    let started = clock::now();
    let mut viewer = Viewer::start(&display, &[&url]);
    let all = || (mapped.load(Ordering::Acquire) == 500).then_some(());
    wait_for(
        "500 windows",
        Duration::from_secs(60),
        || format!("{} windows", mapped.load(Ordering::Acquire)),
        all,
    );
    note(&format!("500 windows are there after {} ms", started.elapsed().as_millis()));
    let ended = Instant::elapsed;
    let said = clock::now();
    goodbye.store(true, Ordering::Release);
    assert_eq!(viewer.exit_code(LIMIT), 3, "{}", viewer.log());
    note(&format!("and gone {} ms after the goodbye", ended(&said).as_millis()));
    server.join().expect("the server is content");
}
