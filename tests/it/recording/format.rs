//! The format: round trips, cuts, flipped bits and whatever else a file may hold.

use std::time::Duration;

use farpane::buffers::{BufferPool, Payload};
use farpane::channel::clock;
use farpane::protocol::Dialect;
use farpane::protocol::reassembly::{KeptPacket, RawRecord};
use farpane::protocol::record::{ChunkIndex, Compressor};
use farpane::recording::{ReadError, Reader, Writer};
use proptest::prelude::*;

use super::{draw, raw, read, record, session, start};
use crate::support::alloc::counted;

fn assert_same(got: &[KeptPacket], expected: &[KeptPacket]) {
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(expected) {
        assert_eq!((&got.main, &got.chunks), (&expected.main, &expected.chunks));
        assert_eq!(got.wire_bytes, expected.wire_bytes);
    }
}

/// A packet with chunks, compressed in every way that the dialect knows.
fn compressed(dialect: Dialect) -> KeptPacket {
    let record = |len: usize, compressor| RawRecord {
        payload: Payload::from((0..len).map(|at| (at * 7) as u8).collect::<Vec<u8>>()),
        compressor,
    };
    let other = if dialect == Dialect::Modern { Compressor::Zstd } else { Compressor::Zlib };
    let chunk = |index| ChunkIndex::new(index).expect("1 to 15");
    KeptPacket {
        main: record(100, Some(Compressor::Lz4)),
        chunks: vec![
            (chunk(9), record(200_000, None)),
            (chunk(1), record(3, Some(other))),
            (chunk(15), record(70_000, Some(Compressor::Brotli))),
        ],
        arrived: clock::now(),
        wire_bytes: 270_103 + 4 * 8,
        ledger: None,
    }
}

#[test]
fn what_is_written_can_be_read() {
    for dialect in [Dialect::Modern, Dialect::Legacy31] {
        let zero = clock::now();
        let mut packets: Vec<KeptPacket> =
            session(2).iter().map(|packet| raw(dialect, packet, zero)).collect();
        packets.push(compressed(dialect));
        let last = packets.len() as u64 - 1;
        // Times do not drift, however odd they are, and never run backwards.
        let times: Vec<Duration> =
            (0..=last).map(|number| Duration::from_nanos(number * number * 1_234_567)).collect();
        let mut writer = Writer::new(Vec::new(), start(dialect)).expect("memory");
        for (packet, time) in packets.iter_mut().zip(&times) {
            packet.arrived = zero + *time;
            writer.packet(&packet.lend()).expect("memory");
        }
        packets[last as usize].arrived = zero;
        writer.packet(&packets[last as usize].lend()).expect("memory");
        packets.push(packets[last as usize].clone());
        let file = writer.finish().expect("memory");

        let mut reader = Reader::new(&file[..], BufferPool::default()).expect("a recording");
        assert_eq!(reader.start(), &start(dialect));
        let played = clock::now();
        let mut got = Vec::new();
        while let Some(timed) = reader.next(played).expect("a packet") {
            let expected = times.get(got.len()).unwrap_or(&times[times.len() - 1]);
            assert_eq!(timed.at.as_micros(), expected.as_micros());
            assert_eq!(timed.raw.arrived, played + timed.at);
            got.push(timed.raw);
        }
        assert_same(&got, &packets);
        assert!(reader.next(played).expect("still the end").is_none());
        assert_eq!(reader.position(), file.len() as u64);
    }
}

#[test]
fn a_recorded_packet_costs_few_bytes_more_than_on_the_wire() {
    let packets = session(40);
    let zero = clock::now();
    let wire: u64 = packets.iter().map(|packet| raw(Dialect::Modern, packet, zero).wire_bytes).sum();
    let (file, ends) = record(Dialect::Modern, &packets);
    let overhead = (file.len() - ends[0]) as u64 - wire;
    assert!(overhead <= 10 * packets.len() as u64, "{overhead} bytes for {} packets", packets.len());
}

#[test]
fn a_file_that_ends_anywhere_is_good_up_to_there() {
    for dialect in [Dialect::Modern, Dialect::Legacy31] {
        let packets = session(0);
        let (file, ends) = record(dialect, &packets);
        let (whole, result) = read(&file);
        assert_eq!(whole.len(), packets.len());
        assert!(result.is_ok());
        for len in 0..file.len() {
            let (got, result) = read(&file[..len]);
            let complete = ends.iter().filter(|end| **end <= len).count().saturating_sub(1);
            assert_same(&got, &whole[..complete]);
            match result {
                Err(ReadError::Cut { .. }) => assert!(len >= 8),
                Err(ReadError::NotARecording) => assert!(len < 8),
                other => panic!("{len} of {} bytes: {other:?}", file.len()),
            }
        }
    }
}

#[test]
fn no_flipped_bit_goes_unnoticed() {
    let (file, _) = record(Dialect::Modern, &session(1)[..5]);
    let (whole, _) = read(&file);
    for at in 0..file.len() {
        // One bit a byte keeps it short, another one in each.
        let mut damaged = file.clone();
        damaged[at] ^= 1 << (at % 8);
        let (got, result) = read(&damaged);
        assert!(result.is_err(), "byte {at}");
        assert_same(&got, &whole[..got.len()]);
    }
}

/// A record that says to be longer than its entry takes no memory.
#[test]
fn no_record_is_longer_than_its_entry() {
    let mut file = Writer::new(Vec::new(), start(Dialect::Modern)).expect("memory").finish().expect("memory");
    let end_mark = 2 + 4;
    file.truncate(file.len() - end_mark);
    let record = [b'P', 0x10, 0, 0, 0x0b, 0, 0, 0];
    let entry = [&[0, record.len() as u8][..], &record].concat();
    file.extend(&entry);
    file.extend(crc32fast::hash(&entry).to_le_bytes());
    let (result, allocations) = counted(|| {
        Reader::new(&file[..], BufferPool::default()).expect("a recording").next(clock::now()).map(|_| ())
    });
    let error = result.expect_err("a record of 176 MiB");
    assert!(error.to_string().contains("allowed are 8"), "{error}");
    assert!(allocations.largest < 1 << 20, "{allocations:?}");
}

#[test]
fn errors_say_what_is_wrong() {
    let words = |bytes: &[u8]| read(bytes).1.expect_err("it is no recording").to_string();
    let (file, ends) = record(Dialect::Modern, &session(0));
    let with = |at: usize, byte: u8| {
        let mut changed = file.clone();
        changed[at] = byte;
        changed
    };
    assert_eq!(words(b"\x89PNG\r\n\x1a\n and more"), "it is not a recording of Farpane's");
    assert_eq!(words(&with(8, 2)), "it is a recording of version 2, and this program knows version 1");
    assert!(words(&with(9, 7)).contains("dialect 7"), "{}", words(&with(9, 7)));
    assert!(words(&with(13, 1)).contains("bytes of facts"), "{}", words(&with(13, 1)));
    assert!(words(&with(30, b'!')).contains("checksum"), "{}", words(&with(30, b'!')));
    // An entry that claims to be huge asks for no memory; what follows is no record.
    let mut huge = file[..ends[0]].to_vec();
    huge.extend([0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
    huge.extend(b"nothing that a server sends\n");
    assert!(words(&huge).contains("damaged at byte"), "{}", words(&huge));
    // A record above the limit of a connection.
    let mut large = file[..ends[0]].to_vec();
    large.extend([0, 0xff, 0xff, 0xff, 0xff, 0x07]);
    large.extend([b'P', 0x10, 0, 0, 0x10, 0, 0, 1]);
    assert!(words(&large).contains("allowed are"), "{}", words(&large));
    let mut endless = file[..ends[0]].to_vec();
    endless.extend([0xff; 11]);
    assert!(words(&endless).contains("64 bits"), "{}", words(&endless));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn hostile_bytes_do_no_harm(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        splices in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..6),
        keep in any::<proptest::sample::Index>(),
        dialect in prop_oneof![Just(Dialect::Modern), Just(Dialect::Legacy31)],
    ) {
        let (mut file, ends) = record(dialect, &session(1));
        // Mutated, cut and continued with anything.
        file.truncate(keep.index(file.len() + 1));
        for (at, byte) in &splices {
            if !file.is_empty() {
                let at = at.index(file.len());
                file[at] = *byte;
            }
        }
        file.extend(&bytes);
        let _ = read(&file);
        // Nothing but a good start, and then anything.
        let mut file = record(dialect, &[draw(1, [1, 2, 3, 4])]).0;
        file.truncate(ends[0]);
        file.extend(&bytes);
        let (packets, result) = read(&file);
        prop_assert!(result.is_err() || packets.is_empty());
    }
}
