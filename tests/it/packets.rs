//! Typed packets: the shapes of both generations of servers and clients.
#![expect(clippy::disallowed_methods, reason = "test data is not network or pixel traffic")]

mod clipboard;
mod errors;
mod from_client;
mod from_server;
mod owners;

use farpane::buffers::BufferPool;
use farpane::channel::clock;
use farpane::fuzzing::reassemble;
use farpane::protocol::limits::MAX_HELLO;
use farpane::protocol::packet::connection;
use farpane::protocol::packet::encode::Encoder;
use farpane::protocol::packet::{Dict, Value};
use farpane::protocol::record::{Header, RecordKind};
use farpane::protocol::{ClientPacket, Dialect, KeptPacket, Limits, Naming, PacketReader, PacketWriter};

/// The one packet in `bytes`.
fn raw(dialect: Dialect, bytes: &[u8]) -> KeptPacket {
    let (mut packets, end) = reassemble(dialect, bytes, &[], clock::now());
    assert_eq!(end, Ok(()));
    assert_eq!(packets.len(), 1);
    packets.remove(0)
}

fn reader(dialect: Dialect) -> PacketReader {
    PacketReader::new(dialect, Limits::BEFORE_HELLO, BufferPool::default())
}

/// A main record that holds this packet.
fn record(dialect: Dialect, packet: &Value) -> Vec<u8> {
    let mut payload = Vec::new();
    Encoder::new(dialect, &mut payload).value(packet);
    let header = Header::encode(RecordKind::Main { flush: false }, dialect, 0, payload.len() as u32);
    [&header[..], &payload].concat()
}

/// A list of anything that is a value.
macro_rules! list {
    ($($item:expr),* $(,)?) => { farpane::protocol::packet::Value::List(vec![$($item.into()),*]) };
}
use list;

/// A map with text keys.
fn map<const N: usize>(entries: [(&str, Value); N]) -> Dict {
    let mut dict = Dict::default();
    for (key, value) in entries {
        dict.push(key, value);
    }
    dict
}

#[test]
fn the_spelling_follows_the_version() {
    let cases = [
        ("3.1.3", Naming::Legacy),
        ("4.4.6", Naming::Legacy),
        ("6.4.4", Naming::Legacy),
        ("6.5.5", Naming::V65),
        ("6.5", Naming::V65),
        ("6", Naming::V65),
        ("6.6", Naming::V66),
        ("6.10.1-r1", Naming::V66),
        ("7", Naming::V66),
        ("", Naming::V65),
        ("unknown", Naming::V65),
    ];
    for (version, naming) in cases {
        assert_eq!(Naming::for_version(version), naming, "{version:?}");
    }
}

/// Strict servers take 16 KiB before the login.
#[test]
fn a_hello_with_a_keymap_is_small_enough() {
    let keycodes = (8u32..256).map(|code| list![code, format!("keysym_{}", code * 7), code * 3, 0]);
    let mut keymap = Dict::default();
    keymap.push("keycodes", keycodes.flat_map(|key| vec![key; 4]).collect::<Vec<Value>>());
    let hello = ClientPacket::Connection(connection::ToServer::Hello(map([
        ("version", "6.5.5".into()),
        ("keymap", keymap.into()),
    ])));
    let mut bytes = Vec::new();
    PacketWriter::new(Dialect::Modern).write(&hello, &mut bytes);
    assert!(bytes.len() < MAX_HELLO, "{} bytes", bytes.len());
    let read = reader(Dialect::Modern).read_client(raw(Dialect::Modern, &bytes).lend()).expect("a packet");
    assert_eq!(read.packet, Some(hello));
}
