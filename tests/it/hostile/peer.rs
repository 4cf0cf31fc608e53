//! The misbehaving server's connection, and the session that goes on.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use farpane::buffers::BufferPool;
use farpane::channel::clock;
use farpane::protocol::packet::connection;
use farpane::protocol::packet::draw::{self, DrawOutcome};
use farpane::protocol::packet::{ClientPacket, Value};
use farpane::protocol::{Dialect, Limits, PacketReader, Reassembler};

use super::program::{forget_peak, peak};
use super::raw;
use super::{Case, MEMORY, Right};
use crate::support::display::Display;
use crate::support::slots::Slot;
use crate::support::viewer::Viewer;
use crate::support::wait_for;

/// The window that good draws go to, and its size.
pub const GOOD: i64 = 1;
pub const GOOD_SIZE: (i64, i64) = (64, 64);
/// The window that bad draws go to, and its size.
pub const BAD: i64 = 2;
pub const BAD_SIZE: (i64, i64) = (400, 300);
/// How long the viewer may take for anything.
const LIMIT: Duration = Duration::from_secs(40);

/// What the viewer said so far.
#[derive(Default)]
struct Heard {
    /// Outcomes of draws by their number, in order.
    acks: BTreeMap<i64, Vec<DrawOutcome>>,
    /// Names of all other packets.
    packets: Vec<ClientPacket>,
    ended: bool,
}

/// The server's end.
pub struct Peer {
    stream: TcpStream,
    heard: Arc<Mutex<Heard>>,
    sequence: i64,
    /// The draws of the present case.
    drawn: Vec<i64>,
}

impl Peer {
    /// Takes the client that comes to `listener` and accepts it, with two windows.
    pub fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().expect("a client");
        stream.set_write_timeout(Some(LIMIT)).expect("a socket");
        let heard: Arc<Mutex<Heard>> = Arc::default();
        let (reading, hears) = (stream.try_clone().expect("a socket"), Arc::clone(&heard));
        std::thread::Builder::new()
            .name("peer".into())
            .spawn(move || listen(reading, &hears))
            .expect("a thread");
        let mut peer = Self { stream, heard, sequence: 0, drawn: Vec::new() };
        peer.wait("hello", |heard| {
            heard
                .packets
                .iter()
                .any(|packet| matches!(packet, ClientPacket::Connection(connection::ToServer::Hello(_))))
        });
        peer.send(&raw::hello());
        peer.send(&raw::window(GOOD, GOOD_SIZE.0, GOOD_SIZE.1, &[("title", "good".into())]));
        peer.send(&raw::window(BAD, BAD_SIZE.0, BAD_SIZE.1, &[("title", "bad".into())]));
        peer.send(&raw::packet(&["startup-complete".into()]));
        peer
    }

    /// Sends bytes as they are.
    #[track_caller]
    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the viewer reads");
    }

    /// Sends a packet.
    #[track_caller]
    pub fn packet(&mut self, values: &[Value]) {
        self.send(&raw::packet(values));
    }

    /// Sends a draw, which belongs to the present case.
    #[track_caller]
    pub fn draw(&mut self, draw: &Draw) {
        self.draw_in(draw.wid, draw);
    }

    /// The same for another window.
    #[track_caller]
    pub fn draw_in(&mut self, wid: impl Into<Value>, draw: &Draw) {
        self.sequence += 1;
        self.drawn.push(self.sequence);
        let bytes = draw.bytes_in(wid.into(), self.sequence);
        self.send(&bytes);
    }

    /// Waits until a good draw is shown: whatever came before was taken.
    #[track_caller]
    pub fn probe(&mut self, name: &str) {
        self.sequence += 1;
        let sequence = self.sequence;
        self.send(&good().bytes(sequence));
        self.wait(name, |heard| heard.acks.contains_key(&sequence));
        let outcome = self.heard().acks.remove(&sequence).expect("it is there");
        assert!(
            matches!(outcome[..], [DrawOutcome::Presented { .. }]),
            "{name}: a good draw got {outcome:?}"
        );
    }

    /// Waits until every draw of the present case was answered.
    #[track_caller]
    pub fn settle(&self) {
        self.wait("acknowledgements", |heard| {
            self.drawn.iter().all(|sequence| heard.acks.contains_key(sequence))
        });
    }

    /// Forgets what was heard.
    pub fn forget(&mut self) {
        self.heard().packets.clear();
    }

    #[track_caller]
    pub fn wait_packet(&self, what: &str, accept: impl Fn(&ClientPacket) -> bool) {
        self.wait(what, |heard| heard.packets.iter().any(&accept));
    }

    #[track_caller]
    fn wait(&self, what: &str, done: impl Fn(&Heard) -> bool) {
        let context = || format!("the viewer {}", if self.heard().ended { "is gone" } else { "is there" });
        wait_for(what, LIMIT, context, || done(&self.heard()).then_some(()));
    }

    fn heard(&self) -> std::sync::MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plays a case and checks what is right.
    #[track_caller]
    fn play(&mut self, case: &Case) {
        self.drawn.clear();
        self.forget();
        (case.act)(self);
        let (name, drawn) = (&case.name, std::mem::take(&mut self.drawn));
        self.wait(&format!("acknowledgements: {name}"), |heard| {
            drawn.iter().all(|sequence| heard.acks.contains_key(sequence))
        });
        self.probe(name);
        for sequence in drawn {
            let outcomes = self.heard().acks.remove(&sequence).expect("it is there");
            let [outcome] = &outcomes[..] else { panic!("{name}: {outcomes:?} for one draw") };
            let is_right = match case.right {
                Right::Refused => matches!(outcome, DrawOutcome::Error { .. } | DrawOutcome::WindowNotFound),
                Right::Shown => matches!(outcome, DrawOutcome::Presented { .. }),
                Right::Answered => true,
            };
            assert!(is_right, "{name}: {outcome:?}, which is not {:?}", case.right);
        }
        let stray = self.heard().acks.len();
        assert_eq!(stray, 0, "{name}: acknowledgements of draws that were none");
    }
}

/// Reads what the viewer sends.
fn listen(mut stream: TcpStream, heard: &Mutex<Heard>) {
    let (dialect, pool) = (Dialect::Modern, BufferPool::default());
    let limits = Limits::with_max_record(0);
    let mut reassembler = Reassembler::new(dialect, limits, pool.clone());
    let mut reader = PacketReader::new(dialect, limits, pool);
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(len @ 1..) = stream.read(&mut bytes) {
        let mut rest = &bytes[..len];
        while !rest.is_empty() {
            rest = &rest[reassembler.feed(rest, clock::now())..];
            while let Some(raw) = reassembler.next_packet().expect("the viewer's records are right") {
                let packet = reader.read_client(raw).expect("the viewer's packets are right").packet;
                let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                match packet {
                    Some(ClientPacket::Draw(draw::ToServer::Ack(ack))) => {
                        let sequence = i64::try_from(ack.sequence.0).expect("a number of ours");
                        heard.acks.entry(sequence).or_default().push(ack.outcome);
                    }
                    Some(packet) => heard.packets.push(packet),
                    None => {}
                }
            }
        }
    }
    heard.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
}

/// A draw that may say anything.
#[derive(Clone)]
pub struct Draw {
    pub wid: i64,
    pub at: (i64, i64),
    pub size: (i64, i64),
    pub encoding: &'static str,
    pub data: Value,
    pub rowstride: i64,
    pub options: Vec<(&'static str, Value)>,
    /// The data come as a raw chunk.
    pub chunk: bool,
}

impl Default for Draw {
    fn default() -> Self {
        Self {
            wid: BAD,
            at: (0, 0),
            size: (32, 32),
            encoding: "rgb32",
            data: Value::Bytes(Vec::new()),
            rowstride: 0,
            options: Vec::new(),
            chunk: true,
        }
    }
}

impl Draw {
    pub fn with(encoding: &'static str, size: (i64, i64), data: Vec<u8>) -> Self {
        Self { encoding, size, data: Value::Bytes(data), ..Self::default() }
    }

    pub fn option(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.options.push((key, value.into()));
        self
    }

    pub fn rowstride(self, rowstride: i64) -> Self {
        Self { rowstride, ..self }
    }

    pub fn bytes(&self, sequence: i64) -> Vec<u8> {
        self.bytes_in(self.wid.into(), sequence)
    }

    fn bytes_in(&self, wid: Value, sequence: i64) -> Vec<u8> {
        const DATA: u8 = 7;
        let mut bytes = Vec::new();
        let data = match &self.data {
            Value::Bytes(data) if self.chunk && !data.is_empty() => {
                bytes.extend(raw::chunk(DATA, data));
                Value::Bytes(Vec::new())
            }
            data => data.clone(),
        };
        let (at, size) = (self.at, self.size);
        let values = [
            "window-draw".into(),
            wid,
            at.0.into(),
            at.1.into(),
            size.0.into(),
            size.1.into(),
            self.encoding.into(),
            data,
            sequence.into(),
            self.rowstride.into(),
            raw::dict(&self.options),
        ];
        bytes.extend(raw::packet(&values));
        bytes
    }
}

/// A draw that is right.
fn good() -> Draw {
    let pixels = usize::try_from(GOOD_SIZE.0 * GOOD_SIZE.1).expect("a size");
    Draw { wid: GOOD, ..Draw::with("rgb32", GOOD_SIZE, vec![0x5a; pixels * 4]).option("rgb_format", "BGRX") }
}

/// Plays a table to the viewer in windows on a display of 1920 × 1080, and checks the memory of each case.
#[track_caller]
pub fn play(table: &[Case]) {
    play_on((1920, 1080), MEMORY, table);
}

/// The same on a display of another size, with another limit in bytes.
#[track_caller]
#[expect(clippy::print_stderr, reason = "the figures of a run that is asked for")]
pub fn play_on((width, height): (u32, u32), memory: u64, table: &[Case]) {
    let _slot = Slot::take();
    let display = Display::bare_of(width, height);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("tcp://{}/", listener.local_addr().expect("it is bound"));
    let viewer = Viewer::start(&display, &[&url, "--renderer", "cpu"]);
    let mut peer = Peer::accept(&listener);
    peer.probe("the beginning");
    let mut most = (0, "");
    for case in table {
        forget_peak(viewer.pid()).expect("the viewer runs");
        peer.play(case);
        let peak = peak(viewer.pid())
            .unwrap_or_else(|| panic!("{}: the viewer is gone: {}", case.name, viewer.log()));
        eprintln!("{:>4} MB  {}", peak / 1_000_000, case.name);
        assert!(peak < memory, "{}: {} MB", case.name, peak / 1_000_000);
        most = most.max((peak, &case.name));
    }
    eprintln!("{} cases, at most {} MB: {}", table.len(), most.0 / 1_000_000, most.1);
    let log = viewer.log();
    assert!(log.len() < 100_000, "a log of {} bytes:\n{}", log.len(), crate::support::tail(&log, 30));
    assert!(!log.contains("panicked"), "{log}");
    viewer.stop();
}
