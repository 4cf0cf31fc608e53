//! The record layer and the packet encoders: golden vectors, any split of a stream, hostile bytes,
//! copies and allocations counted.
#![expect(clippy::disallowed_methods, reason = "test data is not network or pixel traffic")]

mod ciphers;
mod encoders;
mod hostile;
mod records;
mod streams;
mod yaml;

use std::time::Instant;

use farpane::buffers::Payload;
use farpane::channel::clock;
use farpane::protocol::packet::ServerPacket;
use farpane::protocol::packet::connection;
use farpane::protocol::packet::draw::{self, DrawOptions, Encoding, RgbFormatName, WindowDraw};
use farpane::protocol::packet::{Dict, DrawSequence, Value, WindowId};
use farpane::protocol::{Dialect, PacketWriter};

fn now() -> Instant {
    clock::now()
}

/// The bytes of a server's packet.
fn server_bytes(dialect: Dialect, packet: &ServerPacket, chunks: bool) -> Vec<u8> {
    let records = PacketWriter::new(dialect).write_server(packet, chunks);
    let data = records.data.as_deref().unwrap_or_default();
    [&records.head[..], data, &records.tail[..]].concat()
}

/// A draw whose pixels are `pixels`.
fn draw(sequence: u64, pixels: Vec<u8>) -> ServerPacket {
    ServerPacket::Draw(draw::FromServer::Draw(WindowDraw {
        wid: WindowId(7),
        x: 1,
        y: -2,
        width: 640,
        height: 480,
        encoding: Encoding::Rgb32,
        data: Payload::from(pixels),
        sequence: DrawSequence(sequence),
        rowstride: 2560,
        options: DrawOptions { rgb_format: Some(RgbFormatName::Bgrx), flush: 2, ..DrawOptions::default() },
    }))
}

fn hello() -> ServerPacket {
    let mut caps = Dict::default();
    caps.push("version", "6.5.5").push("actual_desktop_size", vec![Value::from(1920), Value::from(1080)]);
    ServerPacket::Connection(connection::FromServer::Hello(caps))
}
