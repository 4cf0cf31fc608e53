//! A scripted server on a socket pair or loopback port, made of the protocol layer.

use std::io::{Read, Write};

use farpane::buffers::{BufferPool, Payload};
use farpane::protocol::packet::connection;
use farpane::protocol::packet::draw::{self, DrawOptions, Encoding, WindowDraw};
use farpane::protocol::packet::window::{self, WindowCreate};
use farpane::protocol::packet::{ClientPacket, Dict, DrawSequence, ServerPacket, WindowId};
use farpane::protocol::{CipherSpec, Dialect, Limits, PacketReader, PacketWriter, Reassembler};

/// One connection of the scripted server.
pub struct Server<S> {
    pub stream: S,
    reassembler: Reassembler,
    reader: PacketReader,
    writer: PacketWriter,
    /// Received, and not given to the reassembler yet.
    rest: Vec<u8>,
}

impl<S: Read + Write> Server<S> {
    /// Speaks over `stream`.
    pub fn new(stream: S) -> Self {
        let (dialect, limits, pool) = (Dialect::Modern, Limits::BEFORE_HELLO, BufferPool::default());
        Self {
            stream,
            reassembler: Reassembler::new(dialect, limits, pool.clone()),
            reader: PacketReader::new(dialect, limits, pool),
            writer: PacketWriter::new(dialect),
            rest: Vec::new(),
        }
    }

    /// The next packet that the client sends, or `None` at the end.
    pub fn next(&mut self) -> Option<ClientPacket> {
        let mut bytes = [0; 64 << 10];
        loop {
            if let Some(raw) = self.reassembler.next_packet().expect("valid records") {
                match self.reader.read_client(raw).expect("valid packets").packet {
                    Some(packet) => return Some(packet),
                    None => continue,
                }
            }
            if self.rest.is_empty() {
                let len = self.stream.read(&mut bytes).unwrap_or(0);
                self.rest.extend(bytes.get(..len).filter(|bytes| !bytes.is_empty())?);
            }
            let fed = self.reassembler.feed(&self.rest, farpane::channel::clock::now());
            self.rest.drain(..fed);
        }
    }

    /// Takes bytes that somebody else read from the stream.
    pub fn received(&mut self, bytes: &[u8]) {
        self.rest.extend(bytes);
    }

    /// What is received from now on is deciphered, and what is sent enciphered.
    pub fn encrypt(&mut self, received: &CipherSpec, sent: &CipherSpec) {
        self.reassembler.decipher(received.decryptor());
        self.writer.encipher(sent.encryptor());
    }

    /// The first packet that `wanted` accepts.
    pub fn wait<T>(&mut self, what: &str, mut wanted: impl FnMut(ClientPacket) -> Option<T>) -> T {
        loop {
            let packet = self.next().unwrap_or_else(|| panic!("the client left before: {what}"));
            if let Some(found) = wanted(packet) {
                return found;
            }
        }
    }

    /// The packet's bytes on the wire.
    pub fn bytes(&mut self, packet: &ServerPacket) -> Vec<u8> {
        let records = self.writer.write_server(packet, true);
        let data = records.data.as_deref().unwrap_or_default();
        records.head.iter().chain(data).chain(&records.tail).copied().collect()
    }

    /// Sends a packet.
    pub fn send(&mut self, packet: &ServerPacket) {
        let bytes = self.bytes(packet);
        self.stream.write_all(&bytes).expect("the client reads");
    }

    /// Waits for the client's hello and accepts it.
    pub fn accept(&mut self) {
        self.accept_as(&hello());
    }

    /// The same, with this hello.
    pub fn accept_as(&mut self, hello: &ServerPacket) {
        self.wait("hello", |packet| {
            matches!(packet, ClientPacket::Connection(connection::ToServer::Hello(_))).then_some(())
        });
        self.send(hello);
        let limits = Limits::with_max_record(0);
        self.reassembler.set_limits(limits);
        self.reader.set_limits(limits);
    }
}

/// What a server says at first.
pub fn hello() -> ServerPacket {
    let mut caps = Dict::default();
    caps.push("version", "6.5.5").push("session-type", "seamless");
    ServerPacket::Connection(connection::FromServer::Hello(caps))
}

/// The same of one with a clipboard.
pub fn hello_with_clipboard() -> ServerPacket {
    let (mut caps, mut clipboard) = (Dict::default(), Dict::default());
    clipboard.push("selections", &["CLIPBOARD", "PRIMARY", "SECONDARY"][..]).push("direction", "both");
    caps.push("version", "6.5.5").push("session-type", "seamless").push("clipboard", clipboard);
    ServerPacket::Connection(connection::FromServer::Hello(caps))
}

/// A window of 256 × 256 pixels.
pub fn window(wid: u64) -> ServerPacket {
    ServerPacket::Window(window::FromServer::Create(WindowCreate {
        wid: WindowId(wid),
        x: 10,
        y: 20,
        width: 256,
        height: 256,
        metadata: Dict::default(),
        client_properties: Dict::default(),
        override_redirect: false,
        tray: false,
    }))
}

/// A raw draw of a whole window: 256 KiB of pixels that all have the value `sequence`.
pub fn draw(wid: u64, sequence: u8) -> ServerPacket {
    ServerPacket::Draw(draw::FromServer::Draw(WindowDraw {
        wid: WindowId(wid),
        x: 0,
        y: 0,
        width: 256,
        height: 256,
        encoding: Encoding::Rgb32,
        data: Payload::from(vec![sequence; 256 * 256 * 4]),
        sequence: DrawSequence(u64::from(sequence)),
        rowstride: 1024,
        options: DrawOptions::default(),
    }))
}
