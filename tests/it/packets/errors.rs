//! Packets that are not what they should be are refused, and the error says where.

use farpane::buffers::Payload;
use farpane::protocol::packet::ServerPacket;
use farpane::protocol::packet::args::ArgError;
use farpane::protocol::packet::draw::{self, WindowDraw};
use farpane::protocol::packet::{Dict, Value};
use farpane::protocol::record::ChunkIndex;
use farpane::protocol::{Dialect, PacketError, PacketWriter};

use super::{list, map, raw, reader, record};

fn read(packet: &Value) -> Result<ServerPacket, PacketError> {
    reader(Dialect::Modern)
        .read(raw(Dialect::Modern, &record(Dialect::Modern, packet)).lend())
        .map(|read| read.packet)
}

#[track_caller]
fn refused(packet: &Value, index: usize, field: &'static str, got: &'static str) {
    match read(packet) {
        Err(PacketError::Argument(error)) => {
            let ArgError { index: at, field: name, got: what, .. } = error;
            assert_eq!((at, name, what), (index, field, got), "{packet:?}");
        }
        other => panic!("{packet:?} gave {other:?}"),
    }
}

#[test]
fn wrong_arguments_are_named() {
    refused(&list!["ping"], 1, "monotonic_ms", "nothing");
    refused(&list!["ping", "soon"], 1, "monotonic_ms", "text");
    refused(&list!["ping", -1], 1, "monotonic_ms", "an integer out of range");
    refused(&list!["ping", 1.5], 1, "monotonic_ms", "a fraction");
    refused(&list!["lost-window", 0], 1, "wid", "0");
    refused(&list!["lost-window", -3], 1, "wid", "an integer out of range");
    refused(&list!["raise-window", Value::Null], 1, "wid", "null");
    refused(&list!["new-window", 1, 0, 0, 70_000, 1, Dict::default()], 4, "w", "an integer out of range");
    refused(&list!["new-window", 1, 0, 0, 7, -1, Dict::default()], 5, "h", "an integer out of range");
    refused(
        &list!["new-window", 1, 5_000_000_000i64, 0, 7, 1, Dict::default()],
        2,
        "x",
        "an integer out of range",
    );
    refused(&list!["new-window", 1, 0, 0, 7, 1, list![]], 6, "metadata", "a list");
    refused(&list!["hello", 7], 1, "capabilities", "an integer");
    refused(&list!["window-metadata", 1], 2, "metadata", "nothing");
    let draw = |data: Value, options: Value| list!["draw", 1, 0, 0, 4, 4, "rgb32", data, 1, 16, options];
    refused(&draw(7.into(), Dict::default().into()), 7, "data", "an integer");
    refused(&draw(vec![0u8; 4].into(), 7.into()), 10, "options", "an integer");
    for (key, value) in [
        ("flush", Value::from(-1)),
        ("rgb_format", 7.into()),
        ("scaled_size", list![1]),
        ("scaled_size", list![1, 70_000]),
        ("window-size", "big".into()),
    ] {
        refused(&draw(vec![0u8; 4].into(), map([(key, value)]).into()), 10, "options", "another value");
    }
    let scroll = |rect: Value| list!["draw", 1, 0, 0, 4, 4, "scroll", rect, 1, 16, Dict::default()];
    refused(&scroll(list![list![0, 0, 4, 4, 0]]), 7, "data", "a list");
    refused(&scroll(list![list![0, 0, -4, 4, 0, 1]]), 7, "data", "a list");
    // More of them than anybody sends is no break of the protocol: the draw alone is refused (`hostile::draws`).
    let many = scroll(Value::List(vec![list![0, 0, 4, 4, 0, 1]; 1001]));
    assert!(
        matches!(read(&many), Ok(ServerPacket::Draw(draw::FromServer::Draw(_)))),
        "{:?}",
        read(&many).err()
    );
}

#[test]
fn what_is_no_packet_is_refused() {
    for value in [list![], list![7], list![list!["ping"]], Value::from("ping"), Value::from(7)] {
        assert_eq!(read(&value), Err(PacketError::NotAPacket), "{value:?}");
    }
    let bytes = record(Dialect::Legacy31, &list!["ping", 1]);
    let modern = [&[b'P', 0x10][..], &bytes[2..]].concat();
    let error = reader(Dialect::Modern).read(raw(Dialect::Modern, &modern).lend()).expect_err("bencode");
    assert!(matches!(error, PacketError::Decode { encoder: "rencodeplus", .. }), "{error}");
    assert!(error.to_string().starts_with("the packet is not valid rencodeplus"), "{error}");
}

#[test]
fn a_chunk_takes_the_place_of_an_argument_and_of_nothing_else() {
    let chunk = |index: u8| [&[b'P', 0, 0, index, 0, 0, 0, 3][..], b"abc"].concat();
    let main = record(Dialect::Modern, &list!["draw", 1, 0, 0, 4, 4, "png", "", 1, 0, Dict::default()]);
    let send = |index: u8| {
        reader(Dialect::Modern).read(raw(Dialect::Modern, &[chunk(index), main.clone()].concat()).lend())
    };
    let ServerPacket::Draw(draw::FromServer::Draw(draw)) = send(7).expect("a draw").packet else {
        panic!("no draw");
    };
    assert_eq!(&draw.data[..], b"abc");
    assert_eq!(
        send(11).map(|read| read.packet),
        Err(PacketError::ChunkOutside { packet: "draw".to_owned(), index: 11, count: 11 })
    );
    // One that nobody asks for is dropped.
    assert!(send(10).is_ok());
    assert_eq!(ChunkIndex::new(0), None);
}

/// Pixels travel beside the packet, and are the very bytes that were received.
#[test]
fn pixels_are_not_copied_between_record_and_packet() {
    let draw = |len| {
        ServerPacket::Draw(draw::FromServer::Draw(WindowDraw {
            wid: farpane::protocol::packet::WindowId(1),
            x: 0,
            y: 0,
            width: 4,
            height: 4,
            encoding: farpane::protocol::packet::draw::Encoding::Png,
            data: Payload::from(vec![5; len]),
            sequence: farpane::protocol::packet::DrawSequence(1),
            rowstride: 0,
            options: Default::default(),
        }))
    };
    for len in [100, 2000, 100_000] {
        let records = PacketWriter::new(Dialect::Modern).write_server(&draw(len), true);
        let bytes = [&records.head[..], records.data.as_deref().unwrap_or_default(), &records.tail].concat();
        let packet = raw(Dialect::Modern, &bytes);
        let payloads: Vec<_> = packet.chunks.iter().map(|(_, record)| record.payload.as_ptr()).collect();
        let (start, end) = (packet.main.payload.as_ptr(), packet.main.payload.len());
        let before = packet.ledger.unwrap_or_default();
        let read = reader(Dialect::Modern).read(packet.lend()).expect("a packet");
        assert_eq!(read.ledger, before, "reading copies nothing");
        let ServerPacket::Draw(draw::FromServer::Draw(draw)) = read.packet else {
            panic!("no draw");
        };
        assert_eq!(draw.data.len(), len);
        let inside_main = (start as usize..start as usize + end).contains(&(draw.data.as_ptr() as usize));
        assert!(inside_main || payloads.contains(&draw.data.as_ptr()), "{len} bytes were moved");
    }
}
