//! Instant replay: what is kept and for how long, what it costs, and that what is saved can be shown.

use std::sync::{Mutex, PoisonError};

use farpane::channel::PacketSink;
use farpane::net::replay::{Replay, ReplayBounds, SHARED_FROM};
use farpane::protocol::PacketReader;
use farpane::protocol::packet::clipboard;
use farpane::protocol::reassembly::RawPacket;
use farpane::stats::CopySite;

use super::*;
use crate::support::alloc::counted;

const MIB: usize = 1 << 20;
const BOUNDS: ReplayBounds = ReplayBounds { bytes: 8 * MIB, time: Duration::from_secs(30) };

/// A draw with so many bytes of pixels.
fn sized(sequence: u64, bytes: usize) -> ServerPacket {
    let ServerPacket::Draw(draw::FromServer::Draw(draw)) = draw(sequence, [1; 4]) else { unreachable!() };
    ServerPacket::Draw(draw::FromServer::Draw(WindowDraw {
        data: Payload::from(vec![sequence as u8; bytes]),
        ..draw
    }))
}

/// A frame of a video.
fn frame(sequence: u64, number: u64) -> ServerPacket {
    let ServerPacket::Draw(draw::FromServer::Draw(draw)) = draw(sequence, [1; 4]) else { unreachable!() };
    let options = DrawOptions { frame: Some(number), ..DrawOptions::default() };
    ServerPacket::Draw(draw::FromServer::Draw(WindowDraw { encoding: Encoding::H264, options, ..draw }))
}

fn keep(replay: &mut Replay, packet: &ServerPacket, at: Instant) -> u64 {
    let kept = raw(Dialect::Modern, packet, at);
    let ledger = replay.packet(at, &kept.lend(), Some(packet), state);
    ledger.copied_at(CopySite::Replay)
}

/// What a server would say of the session at any time.
fn state() -> Vec<ServerPacket> {
    vec![hello(), window(), connection::FromServer::StartupComplete.into()]
}

/// What was given away.
#[derive(Debug, Default)]
struct Given(Mutex<(Vec<(Instant, ServerPacket)>, bool)>);

impl PacketSink for Given {
    fn packet(&self, dialect: Dialect, packet: &RawPacket<'_>) {
        let mut reader = PacketReader::new(dialect, Limits::with_max_record(MIB * 4), BufferPool::default());
        let read = reader.read(*packet).expect("a packet as it came");
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(!given.1, "after the end");
        given.0.push((packet.arrived, read.packet));
    }

    fn end(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
    }
}

/// The sequences of the draws, and the times of all packets since the first one.
fn draws(given: &Given) -> (Vec<u64>, Vec<Duration>) {
    let (packets, ended) = &*given.0.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(ended, "all of it");
    let first = packets.first().expect("packets").0;
    let sequence = |(_, packet): &(Instant, ServerPacket)| match packet {
        ServerPacket::Draw(draw::FromServer::Draw(draw)) => Some(draw.sequence.0),
        _ => None,
    };
    let times = packets.iter().map(|(at, _)| *at - first);
    (packets.iter().filter_map(sequence).collect(), times.collect())
}

#[test]
fn neither_time_nor_memory_is_exceeded() {
    let zero = clock::now();
    let mut replay = Replay::new(BOUNDS);
    replay.begin(Dialect::Modern);
    let sizes = [100, 3000, 20_000, 150_000, 400_000, SHARED_FROM, 1_500_000, 3 * MIB];
    let mut most = 0;
    for number in 0..300 {
        let bytes = sizes[number as usize * 7 % sizes.len()];
        keep(&mut replay, &sized(number, bytes), zero + Duration::from_millis(500) * number as u32);
        assert!(replay.held_bytes() <= BOUNDS.bytes, "{} bytes after {number}", replay.held_bytes());
        assert!(replay.length() <= BOUNDS.time, "{:?} after {number}", replay.length());
        most = most.max(replay.held_bytes());
    }
    assert!(most > BOUNDS.bytes * 3 / 4, "only {most} bytes are used");
    // Little that comes is kept for all of the time, and no longer.
    for number in 300..500 {
        keep(&mut replay, &sized(number, 100), zero + Duration::from_millis(500) * number as u32);
    }
    assert_eq!(replay.length(), BOUNDS.time);
    assert!(replay.held_bytes() < 3 * MIB, "{} bytes of little", replay.held_bytes());
    // What is no picture is kept longer where it is needed, but within the bound too.
    let echo = PingEcho { monotonic_ms: 7, load: [1; 3], latency_ms: 3, sid: None };
    let ping = ServerPacket::Connection(connection::FromServer::PingEcho(echo));
    let at = zero + Duration::from_secs(300);
    for _ in 0..40_000 {
        keep(&mut replay, &ping, at);
        assert!(replay.held_bytes() <= BOUNDS.bytes);
    }
    // One packet that is more than all.
    keep(&mut replay, &sized(501, BOUNDS.bytes + MIB), at);
    assert!(replay.held_bytes() <= BOUNDS.bytes, "{}", replay.held_bytes());
}

#[test]
fn large_payloads_are_shared_and_nothing_is_allocated_for_a_draw() {
    let zero = clock::now();
    let mut replay = Replay::new(BOUNDS);
    replay.begin(Dialect::Modern);
    assert!(keep(&mut replay, &sized(1, 20_000), zero) >= 20_000, "copied");
    assert!(keep(&mut replay, &sized(2, 2 * MIB), zero) < 1000, "shared, but for what is around it");
    for bytes in [20_000, 700_000] {
        let packets: Vec<_> = (0..1500)
            .map(|number| {
                let packet = sized(number, bytes);
                (raw(Dialect::Modern, &packet, zero), packet)
            })
            .take(if bytes > 100_000 { 60 } else { 1500 })
            .collect();
        let all = |replay: &mut Replay| {
            for (kept, packet) in &packets {
                replay.packet(zero, &kept.lend(), Some(packet), Vec::new);
            }
        };
        // Until all of the memory was used once.
        all(&mut replay);
        let ((), count) = counted(|| all(&mut replay));
        assert_eq!(count.count, 0, "allocations with {bytes} bytes a draw");
    }
}

/// A session's middle begins with what it was then, has the pixels that were sent again for it before
/// everything, and nothing twice.
#[test]
fn what_is_saved_begins_with_the_session() {
    let zero = clock::now();
    let seconds = |seconds| zero + Duration::from_secs(seconds);
    let mut replay = Replay::new(BOUNDS);
    replay.begin(Dialect::Modern);
    for (number, packet) in session(3).iter().take(7).enumerate() {
        keep(&mut replay, packet, zero + Duration::from_millis(number as u64));
    }
    for second in 1..=100 {
        keep(&mut replay, &draw(second + 10, [second as u8; 4]), seconds(second));
    }
    let given = Arc::new(Given::default());
    let windows = replay.save(seconds(100), Arc::clone(&given) as _, &state());
    assert_eq!(windows, [WID]);
    assert!(!given.0.lock().expect("no panic").1, "the pixels are waited for");
    assert_eq!(replay.deadline(), Some(seconds(102)));
    keep(&mut replay, &draw(900, [9; 4]), seconds(101));
    let (sequences, times) = draws(&given);
    let expected: Vec<u64> = std::iter::once(900).chain(80..=110).collect();
    assert_eq!(sequences, expected, "the whole window first, then 30 seconds");
    assert_eq!(times.last(), Some(&Duration::from_secs(30)));
    assert!(times.is_sorted(), "{times:?}");
    let given = &given.0.lock().expect("no panic").0;
    assert!(
        matches!(&given[0].1, ServerPacket::Connection(connection::FromServer::Hello(_))),
        "{:?}",
        given[0]
    );
    assert!(matches!(&given[1].1, ServerPacket::Window(window::FromServer::Create(_))), "{:?}", given[1]);
    assert_eq!(replay.deadline(), None);
}

#[test]
fn a_server_that_sends_no_pixels_is_not_waited_for_long() {
    let zero = clock::now();
    let mut replay = Replay::new(BOUNDS);
    replay.begin(Dialect::Modern);
    session(3).iter().take(7).for_each(|packet| _ = keep(&mut replay, packet, zero));
    let given = Arc::new(Given::default());
    replay.save(zero, Arc::clone(&given) as _, &state());
    let due = replay.deadline().expect("it waits");
    replay.save_if_due(due - Duration::from_millis(1));
    assert!(!given.0.lock().expect("no panic").1);
    replay.save_if_due(due);
    assert_eq!(draws(&given).0, [1, 2, 3]);
    // Without a session nothing can be asked for, and after the end nothing is waited for.
    let given = Arc::new(Given::default());
    replay.save(due, Arc::clone(&given) as _, &[]);
    assert_eq!(draws(&given).0, [1, 2, 3]);
    let given = Arc::new(Given::default());
    replay.save(due, Arc::clone(&given) as _, &state());
    replay.finish();
    assert_eq!(draws(&given).0, [1, 2, 3]);
}

#[test]
fn videos_begin_with_a_key_frame_and_copies_stay_private() {
    let zero = clock::now();
    let mut replay = Replay::new(BOUNDS);
    replay.begin(Dialect::Modern);
    state().iter().for_each(|packet| _ = keep(&mut replay, packet, zero));
    let copied = ServerPacket::Clipboard(clipboard::Packet::Request {
        request: 1,
        selection: clipboard::Selection::Clipboard,
        target: "UTF8_STRING".to_owned(),
    });
    keep(&mut replay, &copied, zero);
    for (sequence, number) in [(1, 7), (2, 8), (3, 0), (4, 1)] {
        keep(&mut replay, &frame(sequence, number), zero);
    }
    let given = Arc::new(Given::default());
    replay.save(zero, Arc::clone(&given) as _, &[]);
    assert_eq!(draws(&given).0, [3, 4]);
    let packets = &given.0.lock().expect("no panic").0;
    assert!(!packets.iter().any(|(_, packet)| matches!(packet, ServerPacket::Clipboard(_))), "{packets:?}");
    // Another connection begins with nothing.
    replay.begin(Dialect::Modern);
    assert_eq!((replay.length(), replay.held_bytes()), (Duration::ZERO, 0));
}
