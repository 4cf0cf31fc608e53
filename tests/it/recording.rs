//! Recordings: the format, whole and damaged; playing them to clients of all dialects; real
//! sessions recorded, replayed and served.
#![expect(clippy::disallowed_methods, reason = "the copies of test code are nobody's hot path")]

mod format;
mod instant;
mod kept;
mod play;
mod real;

use std::io::BufReader;
use std::sync::Arc;
use std::time::{Duration, Instant};

use farpane::buffers::{BufferPool, Payload};
use farpane::channel::clock;
use farpane::headless::{HeadlessClient, WindowPixels};
use farpane::protocol::packet::connection::{self, PingEcho};
use farpane::protocol::packet::draw::{self, DrawOptions, Encoding, RgbFormatName, WindowDraw};
use farpane::protocol::packet::window::{self, WindowCreate};
use farpane::protocol::packet::{Dict, DrawSequence, WindowId};
use farpane::protocol::reassembly::KeptPacket;
use farpane::protocol::{Dialect, Limits, PacketWriter, Reassembler, ServerPacket};
use farpane::recording::{Facts, ReadError, Reader, Start, Writer};

use crate::support::picture::Picture;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A packet as it is received from a server.
fn raw(dialect: Dialect, packet: &ServerPacket, arrived: Instant) -> KeptPacket {
    let records = PacketWriter::new(dialect).write_server(packet, true);
    let bytes = [&records.head[..], records.data.as_deref().unwrap_or_default(), &records.tail].concat();
    let limits = Limits::with_max_record(0);
    let mut reassembler = Reassembler::new(dialect, limits, BufferPool::default());
    let mut rest = &bytes[..];
    loop {
        let fed = reassembler.feed(rest, arrived);
        rest = &rest[fed..];
        if let Some(packet) = reassembler.next_packet().expect("valid records") {
            assert!(rest.is_empty());
            return packet.keep();
        }
    }
}

fn hello() -> ServerPacket {
    let mut hello = Dict::default();
    hello.push("version", "6.5.5").push("session_name", "recorded");
    ServerPacket::Connection(connection::FromServer::Hello(hello))
}

const WID: WindowId = WindowId(3);
const SIDE: u32 = 64;

fn window() -> ServerPacket {
    let mut metadata = Dict::default();
    metadata.push("title", "a recorded window");
    ServerPacket::Window(window::FromServer::Create(WindowCreate {
        wid: WID,
        x: 10,
        y: 20,
        width: SIDE,
        height: SIDE,
        metadata,
        client_properties: Dict::default(),
        override_redirect: false,
        tray: false,
    }))
}

/// A draw of the whole window in one colour.
fn draw(sequence: u64, colour: [u8; 4]) -> ServerPacket {
    let pixels: Vec<u8> = colour.iter().copied().cycle().take((SIDE * SIDE * 4) as usize).collect();
    ServerPacket::Draw(draw::FromServer::Draw(WindowDraw {
        wid: WID,
        x: 0,
        y: 0,
        width: SIDE,
        height: SIDE,
        encoding: Encoding::Rgb32,
        data: Payload::from(pixels),
        sequence: DrawSequence(sequence),
        rowstride: SIDE * 4,
        options: DrawOptions { rgb_format: Some(RgbFormatName::Bgrx), ..DrawOptions::default() },
    }))
}

/// A short session: what matters to a client, and what does not.
fn session(draws: u64) -> Vec<ServerPacket> {
    let echo = PingEcho { monotonic_ms: 7, load: [1; 3], latency_ms: 3, sid: None };
    let mut packets = vec![
        hello(),
        window(),
        ServerPacket::Connection(connection::FromServer::StartupComplete),
        ServerPacket::Connection(connection::FromServer::PingEcho(echo)),
    ];
    packets.extend((1..=draws).map(|sequence| draw(sequence, [sequence as u8, 2, 3, 255])));
    packets.push(ServerPacket::Connection(connection::FromServer::Ping { monotonic_ms: 9, sid: None }));
    packets.push(ServerPacket::Connection(connection::FromServer::Close {
        reasons: vec!["server shutdown".into()],
    }));
    packets
}

fn start(dialect: Dialect) -> Start {
    let facts =
        Facts { started_unix_ms: 1_763_000_000_000, server: "tcp://host/".into(), recorder: "a test".into() };
    Start { dialect, facts }
}

/// A recording of `packets`, one every ten milliseconds, and where each entry ends.
pub fn record(dialect: Dialect, packets: &[ServerPacket]) -> (Vec<u8>, Vec<usize>) {
    let zero = clock::now();
    let mut writer = Writer::new(Vec::new(), start(dialect)).expect("memory");
    let mut ends = vec![writer.written() as usize];
    for (number, packet) in (0u32..).zip(packets) {
        writer
            .packet(&raw(dialect, packet, zero + Duration::from_millis(10) * number).lend())
            .expect("memory");
        ends.push(writer.written() as usize);
    }
    (writer.finish().expect("memory"), ends)
}

/// The packets that can be read, and how that ended.
fn read(bytes: &[u8]) -> (Vec<KeptPacket>, Result<(), ReadError>) {
    let mut packets = Vec::new();
    let mut reader = match Reader::new(BufReader::new(bytes), BufferPool::default()) {
        Ok(reader) => reader,
        Err(error) => return (packets, Err(error)),
    };
    loop {
        match reader.next(clock::now()) {
            Ok(Some(timed)) => packets.push(timed.raw),
            Ok(None) => return (packets, Ok(())),
            Err(error) => return (packets, Err(error)),
        }
    }
}

/// The colours of a window.
fn picture(pixels: &WindowPixels) -> Picture {
    let rgb = pixels.rgba.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    Picture { width: pixels.size.width as usize, height: pixels.size.height as usize, rgb }
}

/// The viewer without windows, as `farpane URL WORDS` would be.
fn attach(url: &str, words: &[&str], recorder: Option<farpane::net::Recorder>) -> HeadlessClient {
    let config = crate::support::viewer::config(&[&[url], words].concat());
    let mut net = config.net(farpane::session::Profile::Attach);
    net.recorder = recorder.map(|recorder| Arc::new(recorder) as _);
    HeadlessClient::start(net, config.render_options()).expect("threads")
}
