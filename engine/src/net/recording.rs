//! What of a connection is recorded.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use crate::buffers::BufferPool;
use crate::channel::PacketSink;
use crate::protocol::limits::MAX_PAYLOAD;
use crate::protocol::packet::WindowId;
use crate::protocol::packet::connection;
use crate::protocol::packet::draw;
use crate::protocol::packet::window;
use crate::protocol::reassembly::RawPacket;
use crate::protocol::{Dialect, Limits, PacketWriter, Reassembler, ServerPacket};

/// The recording of a connection, if there is one.
#[derive(Debug, Default)]
pub(super) struct Recording {
    sink: Option<Arc<dyn PacketSink>>,
    /// Windows whose video began before the recording: it goes on from their next key frame.
    without_key_frame: BTreeSet<WindowId>,
    /// An earlier connection was recorded before: this one's greeting is no part of the session.
    goes_on: bool,
}

impl Recording {
    /// Records from the first packet on.
    pub fn from_the_start(sink: Option<Arc<dyn PacketSink>>) -> Self {
        Self { sink, ..Self::default() }
    }

    /// Goes on with another connection of the session, after one that had these windows: they are announced again.
    pub fn after(
        now: Instant,
        sink: Option<Arc<dyn PacketSink>>,
        dialect: Dialect,
        windows: impl Iterator<Item = WindowId>,
    ) -> Self {
        let Some(sink) = sink else { return Self::default() };
        let gone: Vec<_> = windows.map(|wid| window::FromServer::Destroy { wid }.into()).collect();
        Self {
            without_key_frame: BTreeSet::new(),
            goes_on: true,
            ..Self::from_now(now, sink, dialect, &gone)
        }
    }

    /// Records from now on, after these packets, which tell what the session is. The pixels of its
    /// [windows](Self::windows) are not among them.
    pub fn from_now(
        now: Instant,
        sink: Arc<dyn PacketSink>,
        dialect: Dialect,
        snapshot: &[ServerPacket],
    ) -> Self {
        announce(now, &*sink, dialect, snapshot);
        let created = |packet: &ServerPacket| match packet {
            ServerPacket::Window(window::FromServer::Create(create)) => Some(create.wid),
            _ => None,
        };
        let without_key_frame = snapshot.iter().filter_map(created).collect();
        Self { sink: Some(sink), without_key_frame, goes_on: false }
    }

    /// The windows whose video goes on from their next key frame: all, when the recording begins.
    pub fn windows(&self) -> impl Iterator<Item = WindowId> {
        self.without_key_frame.iter().copied()
    }

    /// A packet that came; `packet` is what it says, if it could be read.
    pub fn record(&mut self, dialect: Dialect, raw: &RawPacket<'_>, packet: Option<&ServerPacket>) {
        if let Some(sink) = &self.sink
            && packet.is_none_or(|packet| {
                !(self.goes_on && is_greeting(packet)) && is_recorded(packet, &mut self.without_key_frame)
            })
        {
            sink.packet(dialect, raw);
        }
    }
}

/// Gives these packets to `sink`, as if a server had sent them now.
pub(super) fn announce(now: Instant, sink: &dyn PacketSink, dialect: Dialect, packets: &[ServerPacket]) {
    let limits = Limits::with_max_record(MAX_PAYLOAD);
    let mut reassembler = Reassembler::new(dialect, limits, BufferPool::default());
    let mut writer = PacketWriter::new(dialect);
    for packet in packets {
        // None of them has a raw chunk.
        let record = writer.write_server(packet, false).tail;
        let mut rest = record.as_slice();
        while !rest.is_empty() {
            let taken = reassembler.feed(rest, now);
            rest = rest.get(taken..).unwrap_or_default();
            match reassembler.next_packet() {
                Ok(Some(raw)) => sink.packet(dialect, &raw),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, packet = packet.name(), "the recording begins without it");
                    reassembler = Reassembler::new(dialect, limits, BufferPool::default());
                    break;
                }
            }
        }
    }
}

/// Whether a connection begins with the packet.
fn is_greeting(packet: &ServerPacket) -> bool {
    use connection::FromServer::{Challenge, Hello};
    matches!(packet, ServerPacket::Connection(Hello(_) | Challenge(_)))
}

/// Whether the packet is recorded: all that it refers to is, and it tells nothing of what people copied.
fn is_recorded(packet: &ServerPacket, without_key_frame: &mut BTreeSet<WindowId>) -> bool {
    match packet {
        ServerPacket::Draw(draw::FromServer::Draw(draw)) if draw.encoding.is_video() => {
            let is_key = draw.options.frame == Some(0);
            !without_key_frame.contains(&draw.wid) || (is_key && without_key_frame.remove(&draw.wid))
        }
        // Its id may be used again.
        ServerPacket::Window(window::FromServer::Destroy { wid }) => {
            without_key_frame.remove(wid);
            true
        }
        ServerPacket::Clipboard(_) => false,
        _ => true,
    }
}
