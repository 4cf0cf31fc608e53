//! Bulk data on its way to the server: what the user does goes before the next piece, nothing ends the session, and
//! little is kept.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use farpane::buffers::Payload;
use farpane::channel::{AppEvent, ByteBudget, clock};
use farpane::protocol::packet::clipboard::{Contents, Data, Packet, Selection};
use farpane::protocol::packet::{ClientPacket, ServerPacket, connection, keyboard};
use farpane::session::clipboard::{ClipboardOptions, FromDesktop, ToDesktop};
use farpane::session::{
    CloseReason, ConnectionEvent, ConnectionInput, Input, KeyboardInput, SessionConfig, SessionEvent,
};

use super::floods::memory;
use super::server::{Server, hello_with_clipboard};
use super::task::{Client, LIMIT, key, tcp_server, unix_server};
use crate::support::wait_for;

const MIB: usize = 1 << 20;
/// In the process where memory is counted.
const ALONE: &str = "FARPANE_TEST_LANES";

/// Waits for the hello and accepts it, as a server with a clipboard does; and for what is copied on the client's side.
fn accept<S: std::io::Read + std::io::Write>(server: &mut Server<S>) {
    server.accept_as(&hello_with_clipboard());
    server.wait("a copy", |packet| matches!(packet, ClientPacket::Clipboard(Packet::Token(_))).then_some(()));
}

/// A program on the server's side pastes.
fn request(number: u64) -> ServerPacket {
    let target = "UTF8_STRING".to_owned();
    Packet::Request { request: number, selection: Selection::Clipboard, target }.into()
}

/// The bytes of contents.
fn contents(packet: &ClientPacket) -> Option<&Payload> {
    match packet {
        ClientPacket::Clipboard(Packet::Contents {
            contents: Contents { data: Data::Bytes(bytes), .. },
            ..
        }) => Some(bytes),
        _ => None,
    }
}

/// The client's desktop, where something was copied.
struct Desktop {
    client: Client,
    /// How often it was pasted.
    pasted: usize,
}

impl Desktop {
    fn start(url: &str) -> Self {
        let clipboard = ClipboardOptions { enabled: true, ..ClipboardOptions::default() };
        let session = SessionConfig { clipboard, ..SessionConfig::default() };
        let client = Client::with_session(url, ByteBudget::new(MIB), session);
        let is_connected = |event| {
            matches!(event, Some(AppEvent::Session(SessionEvent::Connection(ConnectionEvent::Connected(_)))))
        };
        while !is_connected(client.events.pop(Some(LIMIT))) {}
        client.input(FromDesktop::Owned(Selection::Clipboard));
        Self { client, pasted: 0 }
    }

    /// Answers the next that is asked for, if that comes in time.
    fn answer(&mut self, limit: Duration, copied: impl Fn(usize) -> Payload) {
        let event = self.client.events.pop(Some(limit));
        let Some(AppEvent::Session(SessionEvent::Clipboard(ToDesktop::Read { request, target, .. }))) = event
        else {
            return;
        };
        let contents = if target == "TARGETS" {
            Contents::targets(vec!["UTF8_STRING".to_owned()])
        } else {
            self.pasted += 1;
            Contents::bytes("UTF8_STRING", copied(self.pasted))
        };
        self.client.input(FromDesktop::Contents { request, result: Ok(contents) });
    }

    fn answer_until_pasted(&mut self, times: usize, copied: impl Fn(usize) -> Payload) {
        while self.pasted < times {
            self.answer(LIMIT, &copied);
        }
    }
}

/// The server reads nothing until the key was pressed: together the pieces are more than may wait of all else.
#[test]
fn a_key_goes_before_the_next_piece() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (go, wait) = sync_channel(0);
    let (url, server) = unix_server(&dir, move |mut server| {
        accept(&mut server);
        (1..=3).for_each(|number| server.send(&request(number)));
        wait.recv().expect("the other side is there");
        let (mut pieces, mut before_key) = (0, None);
        while pieces < 3 {
            let packet = server.next().expect("all pieces");
            if let Some(bytes) = contents(&packet) {
                pieces += 1;
                assert!(bytes.len() == 6 * MIB && bytes.iter().all(|byte| *byte == pieces), "piece {pieces}");
            } else if let ClientPacket::Keyboard(keyboard::ToServer::Event(_)) = packet {
                before_key = Some(pieces);
            }
        }
        let before_key = before_key.expect("the key comes before the end");
        assert!(before_key <= 1, "after {before_key} pieces");
    });
    let mut desktop = Desktop::start(&url);
    desktop.answer_until_pasted(3, |number| Payload::from(vec![number as u8; 6 * MIB]));
    desktop.client.input(key("a"));
    go.send(()).expect("the server is there");
    server.join().expect("the server is content");
    // It left without a goodbye.
    assert!(matches!(desktop.client.end(), CloseReason::ConnectionLost(_)));
}

/// What was begun goes out whole, so that the goodbye can be read.
#[test]
fn the_goodbye_waits_for_the_piece_on_its_way_and_for_no_other() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let ((begun, is_begun), (go, wait)) = (sync_channel(0), sync_channel(0));
    let (url, server) = unix_server(&dir, move |mut server| {
        accept(&mut server);
        (1..=3).for_each(|number| server.send(&request(number)));
        let (mut got, mut part) = (0, vec![0; 4096]);
        while got < 100_000 {
            let len = server.stream.read(&mut part).expect("the client sends");
            assert!(len > 0, "the client left after {got} bytes");
            server.received(&part[..len]);
            got += len;
        }
        begun.send(()).expect("the other side is there");
        wait.recv().expect("the other side is there");
        let mut said = Vec::new();
        while let Some(packet) = server.next() {
            match &packet {
                ClientPacket::Clipboard(Packet::Contents { .. }) => {
                    assert_eq!(contents(&packet).map(|bytes| bytes.len()), Some(MIB));
                    said.push("contents");
                }
                ClientPacket::Connection(connection::ToServer::Close { .. }) => said.push("goodbye"),
                _ => {}
            }
        }
        assert_eq!(said, ["contents", "goodbye"]);
    });
    let mut desktop = Desktop::start(&url);
    desktop.answer_until_pasted(3, |number| Payload::from(vec![number as u8; MIB]));
    is_begun.recv().expect("one is on its way");
    desktop.client.input(ConnectionInput::Disconnect);
    go.send(()).expect("the server is there");
    server.join().expect("the server is content");
    assert_eq!(desktop.client.end(), CloseReason::User);
}

/// 200 MB in pieces that wait together, to a server that reads them slowly.
#[test]
#[expect(clippy::print_stdout, reason = "the other process reads it")]
fn much_goes_out_and_little_is_kept() {
    const PIECES: u64 = 200;
    /// Pastes that wait at a time.
    const WAITING: u64 = 24;
    const MOST: u64 = 16 << 20;
    if std::env::var_os(ALONE).is_none() {
        let output = Command::new(std::env::current_exe().expect("this program"))
            .args(["net::lanes::much_goes_out_and_little_is_kept", "--exact", "--nocapture"])
            .env(ALONE, "1")
            .output()
            .expect("this program, again");
        let said = String::from_utf8_lossy(&output.stdout);
        let grown = said.lines().find_map(|line| line.strip_prefix("grown ")?.parse::<u64>().ok());
        assert!(grown.is_some_and(|grown| grown < MOST), "{said}{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    let (url, server) = tcp_server(|mut server| {
        accept(&mut server);
        let (mut asked, mut bytes, mut part) = (0, 0_u64, vec![0; 64 << 10]);
        while bytes < PIECES << 20 {
            while asked < PIECES && asked < WAITING + (bytes >> 20) {
                asked += 1;
                server.send(&request(asked));
            }
            let len = server.stream.read(&mut part).expect("the client sends");
            assert!(len > 0, "the client left after {bytes} bytes");
            bytes += len as u64;
            std::thread::sleep(Duration::from_micros(500));
        }
    });
    let copied = Payload::from(vec![7; MIB]);
    let mut desktop = Desktop::start(&url);
    let before = memory().0;
    while !server.is_finished() {
        desktop.answer(Duration::from_millis(5), |_| copied.clone());
    }
    let peak = memory().1;
    server.join().expect("the server is content");
    assert_eq!(desktop.pasted as u64, PIECES);
    println!("grown {}", peak.saturating_sub(before));
}

/// A server at the end of a line of so many bytes a second, which keeps little of what it has not read: when
/// something arrives there, it was written a moment ago.
struct Line {
    stream: TcpStream,
    bytes_per_second: Option<u32>,
    /// When what was read so far has come through.
    through: Instant,
}

impl Line {
    /// What the kernel keeps of what is not read yet, in bytes.
    const RECEIVE_BUFFER: usize = 128 << 10;
    const MAX_READ: usize = 16 << 10;

    fn new(stream: TcpStream, bytes_per_second: Option<u32>) -> Self {
        socket2::SockRef::from(&stream).set_recv_buffer_size(Self::RECEIVE_BUFFER).expect("a small buffer");
        Self { stream, bytes_per_second, through: clock::now() }
    }
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(Self::MAX_READ);
        let read = self.stream.read(&mut buffer[..len])?;
        if let Some(rate) = self.bytes_per_second {
            let now = clock::now();
            self.through = self.through.max(now) + Duration::from_secs(read as u64) / rate;
            // Sleeps are longer than they should be: what is early by less is not worth one.
            std::thread::sleep((self.through - now).saturating_sub(Duration::from_millis(1)));
        }
        Ok(read)
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Keys while bulk goes out, each of which has to arrive. How long they take is printed for who runs
/// `FARPANE_LANES_MIB=200 cargo test --release --test it net::lanes::keys -- --nocapture`.
#[test]
#[expect(clippy::print_stdout, reason = "figures of a measurement")]
fn keys_go_in_between() {
    let total = std::env::var("FARPANE_LANES_MIB").ok().and_then(|mib| mib.parse().ok()).unwrap_or(8) * MIB;
    for (piece, rate) in
        [(64 << 10, None), (MIB, None), (64 << 10, Some(64_000_000)), (MIB, Some(64_000_000))]
    {
        let has_all = Arc::new(AtomicBool::new(false));
        let keys = Arc::new(AtomicUsize::new(0));
        let (told, told_keys) = (Arc::clone(&has_all), Arc::clone(&keys));
        let (url, server) = tcp_server(move |server| {
            let server = Server::new(Line::new(server.stream, rate));
            take(server, (total / piece) as u64, &told, &keys)
        });
        let mut desktop = Desktop::start(&url);
        let copied = Payload::from(vec![7; piece]);
        let (mut pressed, mut next) = (Vec::new(), clock::now());
        while !has_all.load(Ordering::Acquire) && !server.is_finished() {
            desktop.answer(Duration::from_millis(1), |_| copied.clone());
            // Before that the server looks for nothing but the copy.
            if desktop.pasted > 0 && clock::now() >= next {
                pressed.push(clock::now());
                let Input::Keyboard(KeyboardInput::Key { wid, key, modifiers, .. }) = key("a") else {
                    panic!("not a key")
                };
                let is_down = pressed.len() % 2 == 1;
                desktop.client.input(KeyboardInput::Key { wid, key, pressed: is_down, modifiers });
                next = clock::now() + Duration::from_millis(7);
            }
        }
        let heard = || told_keys.load(Ordering::Acquire);
        let context = || format!("{} of {}", heard(), pressed.len());
        wait_for("every key", LIMIT, context, || (heard() == pressed.len()).then_some(()));
        desktop.client.input(ConnectionInput::Disconnect);
        let (took, arrived) = server.join().expect("the server is content");
        let mut late: Vec<Duration> =
            pressed.iter().zip(&arrived).map(|(pressed, arrived)| *arrived - *pressed).collect();
        late.sort();
        let at = |percent: usize| late.get(late.len() * percent / 100).map(Duration::as_micros);
        let line = rate.map_or("as fast as it goes".to_owned(), |rate| format!("{} MB/s", rate / 1_000_000));
        println!(
            "{} MiB in pieces of {:4} KiB, {line:18}: {:5} ms; {} keys: median {:?} us, p95 {:?} us, most {:?} us",
            total >> 20,
            piece >> 10,
            took.as_millis(),
            late.len(),
            at(50).unwrap_or(0),
            at(95).unwrap_or(0),
            at(99).unwrap_or(0),
        );
    }
}

/// Takes so many pieces, says so, and stays until the client leaves. Returns how long it took, and when keys arrived.
fn take(
    mut server: Server<Line>,
    pieces: u64,
    has_all: &AtomicBool,
    keys: &AtomicUsize,
) -> (Duration, Vec<Instant>) {
    accept(&mut server);
    let (started, mut arrived, mut taken, mut asked, mut took) = (clock::now(), Vec::new(), 0, 0, None);
    loop {
        while asked < pieces && asked < taken + 8 {
            asked += 1;
            server.send(&request(asked));
        }
        let Some(packet) = server.next() else { break };
        if contents(&packet).is_some() {
            taken += 1;
        } else if let ClientPacket::Keyboard(keyboard::ToServer::Event(event)) = packet
            // Others are the session's own matter.
            && event.keyname == "a"
        {
            arrived.push(clock::now());
            keys.store(arrived.len(), Ordering::Release);
        }
        if taken == pieces && took.is_none() {
            took = Some(started.elapsed());
            has_all.store(true, Ordering::Release);
        }
    }
    (took.expect("all pieces"), arrived)
}
