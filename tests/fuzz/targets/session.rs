//! The session, driven by any packets of a server: the promises at the head of `farpane::session`.

use std::time::Duration;

use farpane::buffers::BufferPool;
use farpane::channel::clock;
use farpane::fuzzing::reassemble;
use farpane::geometry::Size;
use farpane::protocol::packet::draw::{self, DrawOutcome};
use farpane::protocol::packet::{ClientPacket, Dict, ServerPacket, connection};
use farpane::protocol::record::{Header, RecordKind};
use farpane::protocol::{Dialect, Limits, PacketReader};
use farpane::session::{ClientIdentity, DrawDone, LocalInfo, Output, Peer, Session, SessionConfig, Setup};
use farpane::stats::DrawTrace;

use super::Input;

/// Packets of one input at most.
const MAX_PACKETS: usize = 64;

/// The input: whether the server's hello came before, then packets in rencodeplus, each with its length, and waits.
pub fn session(bytes: &[u8]) {
    let mut input = Input(bytes);
    let mut now = clock::now();
    let identity = ClientIdentity {
        hostname: "here".to_owned(),
        username: "user".to_owned(),
        uuid: "0123456789abcdef".to_owned(),
        session_id: "fedcba9876543210".to_owned(),
    };
    let mut session = Session::new(Setup {
        config: SessionConfig { identity, ..SessionConfig::default() },
        peer: Peer::default(),
        local: LocalInfo::default(),
    });
    let mut seen = Seen::default();
    let mut out = Vec::new();
    session.start(now, &mut out);
    if input.u8() & 1 == 1 {
        let mut hello = Dict::default();
        hello.push("version", "6.5.5").push("hostname", "there").push("lz4", true);
        let hello = ServerPacket::Connection(connection::FromServer::Hello(hello));
        seen.greeted = true;
        session.handle_packet(now, DrawTrace::new(now, now, 100), hello, &mut out);
    }
    let mut reader = PacketReader::new(Dialect::Modern, Limits::BEFORE_HELLO, BufferPool::default());
    for _ in 0..MAX_PACKETS {
        seen.look(&mut session, &mut out);
        if input.0.is_empty() || seen.ended {
            break;
        }
        let len = usize::from(input.u16());
        if len >= 0x8000 {
            now += Duration::from_millis((len & 0x7fff) as u64);
            session.handle_timeout(now, &mut out);
            continue;
        }
        let payload = input.bytes(len);
        if payload.is_empty() {
            continue;
        }
        let kind = RecordKind::Main { flush: false };
        let header = Header::encode(kind, Dialect::Modern, 0, payload.len() as u32);
        let (packets, _) = reassemble(Dialect::Modern, &[&header[..], payload].concat(), &[], now);
        // A packet that cannot be read ends the connection; here the next one is tried.
        for raw in packets {
            if let Ok(read) = reader.read(raw.lend()) {
                let is_draw = matches!(read.packet, ServerPacket::Draw(draw::FromServer::Draw(_)));
                seen.draws += usize::from(is_draw);
                seen.greeted |=
                    matches!(read.packet, ServerPacket::Connection(connection::FromServer::Hello(_)));
                session.handle_packet(now, DrawTrace::new(now, now, 100), read.packet, &mut out);
                seen.look(&mut session, &mut out);
            }
        }
    }
    if !seen.ended {
        assert_eq!(seen.draws, seen.acknowledged, "draws and their acknowledgements");
        assert_eq!(session.draws_in_flight(), 0);
    }
}

/// What came out of the session.
#[derive(Default)]
struct Seen {
    draws: usize,
    acknowledged: usize,
    /// The server said hello.
    greeted: bool,
    ended: bool,
}

impl Seen {
    /// Takes what came out, and answers draws as if they were shown.
    fn look(&mut self, session: &mut Session, out: &mut Vec<Output>) {
        while !out.is_empty() {
            for output in std::mem::take(out) {
                assert!(!self.ended, "after the end: {output:?}");
                match output {
                    Output::Send(ClientPacket::Draw(draw::ToServer::Ack(_))) => self.acknowledged += 1,
                    Output::Send(ClientPacket::Connection(_)) => {}
                    Output::Send(packet) => assert!(self.greeted, "before the server's hello: {packet:?}"),
                    Output::Draw(request) => {
                        let done = DrawDone {
                            wid: request.wid,
                            sequence: request.sequence,
                            size: Size { width: request.rect.width, height: request.rect.height },
                            encoding: request.encoding,
                            outcome: DrawOutcome::Skipped,
                            trace: request.trace,
                        };
                        session.handle_draw_done(&done, out);
                    }
                    Output::SpeakLegacy | Output::Close(_) => self.ended = true,
                    Output::Backing { .. } | Output::Event(_) | Output::Established { .. } => {}
                    Output::Decipher(_) | Output::Encipher(_) => panic!("nobody asked for a cipher"),
                }
            }
        }
        while session.next_bulk().is_some() {}
    }
}
