//! The reassembler: any split gives the same packets, and what that costs.

use bytes::BufMut as _;
use farpane::bench::receive::{RecordStream, Workload};
use farpane::buffers::BufferPool;
use farpane::fuzzing::reassemble;
use farpane::protocol::packet::ServerPacket;
use farpane::protocol::packet::connection;
use farpane::protocol::reassembly::{READ_AHEAD, RECEIVE_BUFFER};
use farpane::protocol::{Dialect, KeptPacket, Limits, PacketReader, RawPacket, Reassembler, RecordError};
use farpane::stats::{CopyLedger, CopySite};
use proptest::prelude::*;

use super::{draw, hello, now, server_bytes};
use crate::support::alloc::counted;

/// Receives `stream` as a socket does that has at most `read` bytes at a time; says in how many reads.
fn receive(
    reassembler: &mut Reassembler,
    stream: &[u8],
    read: usize,
    mut each: impl FnMut(RawPacket<'_>),
) -> usize {
    let now = now();
    let (mut rest, mut reads) = (stream, 0);
    while !rest.is_empty() {
        let mut space = reassembler.buffer();
        let len = space.remaining_mut().min(read).min(rest.len());
        let (piece, after) = rest.split_at(len);
        // This is the kernel's copy.
        space.put(piece);
        (rest, reads) = (after, reads + 1);
        reassembler.received(now);
        while let Some(packet) = reassembler.next_packet().expect("packets") {
            each(packet);
        }
    }
    reads
}

fn decoded(dialect: Dialect, packets: Vec<KeptPacket>) -> Vec<ServerPacket> {
    let mut reader = PacketReader::new(dialect, Limits::BEFORE_HELLO, BufferPool::default());
    packets.iter().map(|raw| reader.read(raw.lend()).expect("a packet").packet).collect()
}

/// Packets whose data is inline, a chunk in the receive buffer, and a chunk with its own buffer.
fn mixed() -> Vec<ServerPacket> {
    let sizes = [0, 10, 1024, 1025, 16_000, 16_384, 16_385, 40_000, 131_064, 131_072, 70_000, 300_000, 3];
    let draws = sizes
        .into_iter()
        .enumerate()
        .map(|(n, len)| draw(n as u64, (0..len).map(|i| (i * 31 + n) as u8).collect()));
    let mut packets: Vec<ServerPacket> = draws.collect();
    packets.insert(0, hello());
    packets.insert(4, ServerPacket::Connection(connection::FromServer::StartupComplete));
    packets.push(ServerPacket::Connection(connection::FromServer::Close {
        reasons: vec!["done".to_owned(), "é".to_owned()],
    }));
    packets
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_gives_the_same_packets(splits in prop::collection::vec(1usize..100_000, 1..40), small in any::<bool>()) {
        let splits: Vec<usize> = splits.into_iter().map(|len| if small { len % 97 + 1 } else { len }).collect();
        for dialect in [Dialect::Modern, Dialect::Legacy31, Dialect::Yaml] {
            let sent = mixed();
            let stream: Vec<u8> = sent.iter().flat_map(|packet| server_bytes(dialect, packet, true)).collect();
            let (raw, end) = reassemble(dialect, &stream, &splits, now());
            prop_assert_eq!(end, Ok(()));
            let wire_bytes: u64 = raw.iter().map(|packet| packet.wire_bytes).sum();
            prop_assert_eq!(wire_bytes, stream.len() as u64);
            let packets = decoded(dialect, raw);
            let (whole, _) = reassemble(dialect, &stream, &[], now());
            prop_assert_eq!(&packets, &decoded(dialect, whole));
            prop_assert!(dialect == Dialect::Legacy31 || packets == sent);
        }
    }
}

#[test]
fn every_two_pieces_give_the_same_packets() {
    let packets =
        [hello(), draw(1, vec![7; 2000]), ServerPacket::Connection(connection::FromServer::StartupComplete)];
    let stream: Vec<u8> =
        packets.iter().flat_map(|packet| server_bytes(Dialect::Modern, packet, true)).collect();
    for cut in 1..stream.len() {
        let (raw, end) = reassemble(Dialect::Modern, &stream, &[cut, stream.len()], now());
        assert_eq!(end, Ok(()));
        assert_eq!(decoded(Dialect::Modern, raw), packets);
    }
}

#[test]
fn a_cut_connection_says_how_much_is_missing() {
    let small = server_bytes(Dialect::Modern, &hello(), true);
    let large = server_bytes(Dialect::Modern, &draw(1, vec![7; 100_000]), true);
    for stream in [small, large] {
        for missing in [1, 20] {
            let cut = &stream[..stream.len() - missing];
            let (_, end) = reassemble(Dialect::Modern, cut, &[1000], now());
            assert_eq!(end, Err(RecordError::Truncated { missing }));
        }
        let (_, end) = reassemble(Dialect::Modern, &stream[..3], &[1000], now());
        assert_eq!(end, Err(RecordError::Truncated { missing: 5 }));
    }
    // Between a chunk and its main record.
    let stream = server_bytes(Dialect::Modern, &draw(1, vec![7; 100_000]), true);
    let (_, end) = reassemble(Dialect::Modern, &stream[..100_008], &[1000], now());
    assert_eq!(end, Err(RecordError::Truncated { missing: 8 }));
    let (_, end) = reassemble(Dialect::Modern, &stream[..90_008], &[1000], now());
    assert_eq!(end, Err(RecordError::Truncated { missing: 10_000 }));
}

#[test]
fn larger_records_are_allowed_after_the_hello_even_if_they_came_with_it() {
    let large = draw(1, vec![9; 5 << 20]);
    let stream =
        [server_bytes(Dialect::Modern, &hello(), true), server_bytes(Dialect::Modern, &large, true)].concat();
    let (packets, end) = reassemble(Dialect::Modern, &stream, &[stream.len()], now());
    assert_eq!(packets.len(), 1);
    assert!(matches!(end, Err(RecordError::TooLarge { .. })));

    let mut reassembler = Reassembler::new(Dialect::Modern, Limits::BEFORE_HELLO, BufferPool::default());
    let mut rest = &stream[..];
    let mut packets = Vec::new();
    while !rest.is_empty() {
        let fed = reassembler.feed(rest, now());
        rest = &rest[fed..];
        while let Some(packet) = reassembler.next_packet().expect("it is allowed") {
            packets.push(packet.keep());
            reassembler.set_limits(Limits::established(1920, 1080));
        }
    }
    assert_eq!(decoded(Dialect::Modern, packets)[1], large);
}

#[test]
fn chunks_are_at_most_three_and_not_twice_the_same() {
    let chunk = |index: u8| [b'P', 0, 0, index, 0, 0, 0, 1, 42];
    let refused = |indices: &[u8]| {
        let stream: Vec<u8> = indices.iter().flat_map(|index| chunk(*index)).collect();
        reassemble(Dialect::Modern, &stream, &[5], now()).1
    };
    assert_eq!(refused(&[1, 2, 1]), Err(RecordError::DuplicateChunk { got: 1 }));
    assert_eq!(refused(&[1, 2, 3, 4]), Err(RecordError::TooManyChunks));
    assert_eq!(refused(&[1, 2, 15]), Err(RecordError::Truncated { missing: 8 }));
}

/// The ticket's picture: 8 MB of raw pixels, read 8 KB at a time or as much as is asked for.
#[test]
fn a_raw_picture_of_8_mb_is_received_in_place() {
    let pixels = 1920 * 1080 * 4;
    let picture = server_bytes(Dialect::Modern, &draw(1, vec![3; pixels]), true);
    let stream = picture.repeat(3);
    for read in [8192, 65_536, usize::MAX] {
        let limits = Limits::established(1920, 1080);
        let mut reassembler = Reassembler::new(Dialect::Modern, limits, BufferPool::default());
        let mut ledgers = Vec::new();
        let reads = receive(&mut reassembler, &stream, read, |packet| {
            ledgers.push(packet.ledger.copied().unwrap_or_default())
        });
        assert_eq!(ledgers.len(), 3);
        // The end of each picture's only read brings its main record and the next one's header.
        assert!(read != usize::MAX || reads == 1 + 3, "{reads} reads");
        for (nth, ledger) in ledgers.iter().enumerate() {
            // The first read asks for a whole receive buffer; later ones know better.
            let most = if nth == 0 { RECEIVE_BUFFER.min(read) } else { READ_AHEAD };
            let before = ledger.copied_at(CopySite::ReceivePrefix);
            assert!(before <= most as u64, "picture {nth}, reads of {read}: {ledger:?}");
            assert!(ledger.copied_bytes() - before <= READ_AHEAD as u64 + 200, "{ledger:?}");
        }
        assert_eq!(ledgers[2].allocations, 0, "the pool recycles");
    }
}

#[test]
fn small_packets_are_parsed_in_place() {
    let packet = server_bytes(Dialect::Modern, &draw(1, vec![3; 500]), true);
    let stream = packet.repeat(1000);
    let mut reassembler = Reassembler::new(Dialect::Modern, Limits::BEFORE_HELLO, BufferPool::default());
    let mut total = CopyLedger::default();
    receive(&mut reassembler, &stream, usize::MAX, |packet| {
        total.merge(&packet.ledger.copied().unwrap_or_default())
    });
    // At most one packet is cut at the end of each full receive buffer.
    let reads = stream.len().div_ceil(RECEIVE_BUFFER) as u64;
    assert!(total.copied_bytes() <= reads * packet.len() as u64, "{total:?}");
    assert!(total.allocations <= 3, "{total:?}");
}

/// Every kind of traffic of `farpane bench receive`, in reads of a TLS record and as asked, with
/// payloads kept for a while, as the pipeline does.
#[test]
fn receiving_allocates_nothing_in_steady_state() {
    for workload in Workload::ALL {
        for read in [16 << 10, usize::MAX] {
            let stream = RecordStream::new(workload, 3 << 20);
            let limits = Limits::established(4096, 4096);
            let mut reassembler = Reassembler::new(Dialect::Modern, limits, BufferPool::default());
            let mut alive = std::collections::VecDeque::with_capacity(4);
            for round in 0..5 {
                let mut records = 0;
                let ((), allocations) = counted(|| {
                    receive(&mut reassembler, &stream.bytes, read, |packet| {
                        records += 1 + packet.chunks.len() as u64;
                        let kept = packet.chunks.first().map(|(_, chunk)| chunk.payload.clone());
                        alive.push_back(kept.unwrap_or_else(|| packet.main.keep()));
                        if alive.len() > 2 {
                            alive.pop_front();
                        }
                    });
                });
                assert_eq!(records, stream.records);
                if round >= 3 {
                    assert_eq!(allocations.count, 0, "{}, round {round}: {allocations:?}", workload.name());
                }
            }
        }
    }
}

#[test]
fn a_packet_arrives_with_its_first_byte() {
    let small = server_bytes(Dialect::Modern, &draw(1, vec![1; 100]), true);
    let large = server_bytes(Dialect::Modern, &draw(1, vec![2; 60_000]), true);
    let stream = [&small[..], &small, &large, &small].concat();
    let mut reassembler = Reassembler::new(Dialect::Modern, Limits::BEFORE_HELLO, BufferPool::default());
    let (start, mut arrived) = (now(), Vec::new());
    // The first byte of every piece comes so many nanoseconds after the stream's.
    for (mut piece, at) in stream.chunks(100).zip((0..).step_by(100)) {
        while !piece.is_empty() {
            let fed = reassembler.feed(piece, start + std::time::Duration::from_nanos(at));
            piece = &piece[fed..];
            while let Some(packet) = reassembler.next_packet().expect("a packet") {
                arrived.push((packet.arrived - start).as_nanos() as usize);
            }
        }
    }
    let starts = [0, small.len(), 2 * small.len(), 2 * small.len() + large.len()];
    assert_eq!(arrived, starts.map(|start| start / 100 * 100));
}

#[test]
fn a_recycled_buffer_is_never_one_that_is_still_in_use() {
    let pool = BufferPool::default();
    let mut ledger = CopyLedger::default();
    let mut first = pool.take(5000, &mut ledger);
    first.vec().resize(5000, 1);
    let payload = first.freeze();
    let part = payload.slice(100..200).expect("a part");
    drop(payload);
    let mut second = pool.take(5000, &mut ledger);
    second.vec().resize(5000, 2);
    assert_eq!(part[..], [1; 100]);
    assert!(part.retained_bytes() >= 5000);
    assert_eq!(part.slice(50..101), None);
    drop(part);
    assert_eq!(ledger.allocations, 2);
    let third = pool.take(5000, &mut ledger);
    assert_eq!((third.len(), ledger.allocations), (0, 2));
    assert_eq!(pool.take_filled(4000, &mut ledger).len(), 4000);
}

#[test]
fn a_pool_keeps_no_more_than_it_may() {
    let pool = BufferPool::new(100_000);
    let mut ledger = CopyLedger::default();
    let buffers: Vec<_> = (0..300).map(|_| pool.take(4096, &mut ledger).freeze()).collect();
    drop(buffers);
    drop(pool.take(50_000, &mut ledger).freeze());
    let before = ledger.allocations;
    let held: Vec<_> = (0..30).map(|_| pool.take(4096, &mut ledger)).collect();
    let recycled = held.len() as u64 - (ledger.allocations - before);
    assert!(recycled <= 100_000 / 4096, "{recycled} buffers were kept");
}

#[test]
fn idle_buffers_of_no_use_go_before_a_new_one_is_made() {
    let pool = BufferPool::new(100_000);
    let mut ledger = CopyLedger::default();
    drop(pool.take(60_000, &mut ledger).freeze());
    let larger = pool.take(80_000, &mut ledger);
    drop(pool.take(60_000, &mut ledger));
    assert_eq!(ledger.allocations, 3, "there was no room for both");
    drop(larger);
}
