//! A client made of nothing but the protocol layer and a socket.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::BufMut as _;
use farpane::buffers::BufferPool;
use farpane::channel::clock;
use farpane::demo::Server;
use farpane::protocol::packet::ServerPacket;
use farpane::protocol::packet::connection;
use farpane::protocol::packet::draw::{self, DrawAck, DrawOutcome, WindowDraw};
use farpane::protocol::packet::keyboard::{self, KeyboardEvent};
use farpane::protocol::packet::pointer::{self, PointerState};
use farpane::protocol::packet::window::{self, WindowCreate, WindowGeometry};
use farpane::protocol::packet::{Dict, Modifiers, WindowId};
use farpane::protocol::{ClientPacket, Dialect, Limits, Naming, PacketReader, PacketWriter, Reassembler};

/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Peer {
    stream: TcpStream,
    reassembler: Reassembler,
    reader: PacketReader,
    writer: PacketWriter,
    pub naming: Naming,
    /// The windows that were there when the session began.
    pub windows: Vec<WindowCreate>,
    /// Draws are acknowledged at once.
    pub acknowledge: bool,
}

/// A packet as it goes over the wire.
pub fn packet_bytes(packet: &ClientPacket) -> Vec<u8> {
    let mut bytes = Vec::new();
    PacketWriter::new(Dialect::Modern).write(packet, &mut bytes);
    bytes
}

/// Whether the server ends a connection that begins with `bytes`.
pub fn is_dropped(server: &Server, bytes: &[u8]) -> bool {
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.write_all(bytes).expect("written");
    // It may say why, in plain text, and it may reset the connection, since it does not read all.
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => answer.is_empty() || answer.starts_with(b"disconnect: "),
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

impl Peer {
    /// Says hello, and takes everything up to the end of the server's start.
    pub fn attach(server: &Server, encodings: &[&str], formats: &[&str]) -> Self {
        let stream = TcpStream::connect(server.address()).expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        let limits = Limits::established(1920, 1080);
        let pool = BufferPool::default();
        let mut peer = Self {
            stream,
            reassembler: Reassembler::new(Dialect::Modern, limits, pool.clone()),
            reader: PacketReader::new(Dialect::Modern, limits, pool),
            writer: PacketWriter::new(Dialect::Modern),
            naming: Naming::default(),
            windows: Vec::new(),
            acknowledge: true,
        };
        let mut encoding = Dict::default();
        encoding.push("rgb_formats", formats).push("core", encodings);
        let mut hello = Dict::default();
        hello
            .push("version", "6.6")
            .push("encodings", encodings)
            .push("lz4", true)
            .push("encoding", encoding);
        peer.send(&ClientPacket::Connection(connection::ToServer::Hello(hello)));
        let answer = peer.packet(|packet| match packet {
            ServerPacket::Connection(connection::FromServer::Hello(answer)) => Some(answer.clone()),
            _ => None,
        });
        peer.naming = Naming::for_version(answer.str("version").expect("a version"));
        peer.writer.set_naming(peer.naming);
        loop {
            match peer.receive(PATIENCE).expect("a packet") {
                ServerPacket::Window(window::FromServer::Create(window)) => peer.windows.push(window),
                ServerPacket::Connection(connection::FromServer::StartupComplete) => return peer,
                ServerPacket::Connection(connection::FromServer::Ping { .. }) => {}
                other => panic!("not yet: {other:?}"),
            }
        }
    }

    pub fn send(&mut self, packet: &ClientPacket) {
        let mut bytes = Vec::new();
        self.writer.write(packet, &mut bytes);
        self.stream.write_all(&bytes).expect("written");
    }

    /// The next packet, if one comes in time.
    fn receive(&mut self, patience: Duration) -> Option<ServerPacket> {
        let deadline = clock::now() + patience;
        loop {
            if let Some(raw) = self.reassembler.next_packet().expect("a record") {
                return Some(self.reader.read(raw).expect("a packet").packet);
            }
            let left = deadline.saturating_duration_since(clock::now());
            if left.is_zero() {
                return None;
            }
            self.stream.set_read_timeout(Some(left)).expect("a timeout");
            let mut space = self.reassembler.buffer();
            let mut bytes = vec![0; space.remaining_mut()];
            match self.stream.read(&mut bytes) {
                Ok(0) => panic!("the server left: {:?}", self.reassembler.end()),
                Ok(len) => space.put(&bytes[..len]),
                Err(_) => return None,
            }
            self.reassembler.received(clock::now());
        }
    }

    /// The first packet that `pick` makes something of. Draws before it are acknowledged.
    #[track_caller]
    pub fn packet<T>(&mut self, pick: impl Fn(&ServerPacket) -> Option<T>) -> T {
        let deadline = clock::now() + PATIENCE;
        let mut seen = std::collections::BTreeMap::<&str, u32>::new();
        loop {
            let packet = self.receive(deadline.saturating_duration_since(clock::now()));
            let Some(packet) = packet else {
                panic!("waited {PATIENCE:?} in vain; there came {seen:?}");
            };
            *seen.entry(packet.name()).or_default() += 1;
            if let ServerPacket::Draw(draw::FromServer::Draw(draw)) = &packet
                && self.acknowledge
            {
                self.ack(draw, DrawOutcome::Presented { decode_us: 100 });
            }
            if let Some(picked) = pick(&packet) {
                return picked;
            }
        }
    }

    /// The next draw that is one of these.
    #[track_caller]
    pub fn draw(&mut self, accept: impl Fn(&WindowDraw) -> bool) -> WindowDraw {
        self.packet(|packet| match packet {
            ServerPacket::Draw(draw::FromServer::Draw(draw)) if accept(draw) => Some(WindowDraw::clone(draw)),
            _ => None,
        })
    }

    /// The next popup.
    #[track_caller]
    pub fn popup(&mut self) -> WindowCreate {
        self.packet(|packet| match packet {
            ServerPacket::Window(window::FromServer::Create(window)) if window.override_redirect => {
                Some(window.clone())
            }
            _ => None,
        })
    }

    /// Whether no draw comes for this long.
    pub fn quiet(&mut self, time: Duration) -> bool {
        let deadline = clock::now() + time;
        loop {
            match self.receive(deadline.saturating_duration_since(clock::now())) {
                None => return true,
                Some(ServerPacket::Draw(draw::FromServer::Draw(_))) => return false,
                Some(_) => {}
            }
        }
    }

    pub fn ack(&mut self, draw: &WindowDraw, outcome: DrawOutcome) {
        let WindowDraw { wid, sequence, width, height, .. } = *draw;
        self.send(&ClientPacket::Draw(draw::ToServer::Ack(DrawAck {
            wid,
            sequence,
            width,
            height,
            outcome,
        })));
    }

    /// Shows a window where it asked to be.
    pub fn map(&mut self, wid: WindowId) {
        let window = self.windows.iter().find(|window| window.wid == wid).expect("a window").clone();
        let geometry = geometry(wid, (window.x, window.y, window.width, window.height));
        self.send(&ClientPacket::Window(window::ToServer::Map(geometry)));
    }

    pub fn configure(&mut self, wid: WindowId, place: (i32, i32, u32, u32)) {
        self.send(&ClientPacket::Window(window::ToServer::Configure(geometry(wid, place))));
    }

    pub fn motion(&mut self, wid: WindowId, (x, y): (i32, i32)) {
        let (modifiers, buttons) = (Modifiers::default(), Vec::new());
        self.send(&ClientPacket::Pointer(pointer::ToServer::Motion(PointerState {
            wid: Some(wid),
            x,
            y,
            modifiers,
            buttons,
        })));
    }

    pub fn button(&mut self, wid: WindowId, button: u8, pressed: bool, (x, y): (i32, i32)) {
        let (modifiers, buttons) = (Modifiers::default(), Vec::new());
        self.send(&ClientPacket::Pointer(pointer::ToServer::Button {
            button,
            pressed,
            pointer: PointerState { wid: Some(wid), x, y, modifiers, buttons },
        }));
    }

    pub fn key(&mut self, wid: WindowId, text: &str) {
        for pressed in [true, false] {
            self.send(&ClientPacket::Keyboard(keyboard::ToServer::Event(KeyboardEvent {
                wid: Some(wid),
                keyname: text.to_owned(),
                pressed,
                modifiers: Modifiers::default(),
                keyval: 0,
                string: text.to_owned(),
                keycode: 0,
                group: 0,
            })));
        }
    }
}

fn geometry(wid: WindowId, (x, y, width, height): (i32, i32, u32, u32)) -> WindowGeometry {
    WindowGeometry {
        wid,
        x,
        y,
        width,
        height,
        client_properties: Dict::default(),
        state: Dict::default(),
        resize_counter: 0,
        skip_geometry: false,
    }
}
