//! The wire: bytes to packets, and packets to bytes. `cargo bench --bench wire`.
#![expect(clippy::disallowed_methods, reason = "the data is made up, and this stands for the kernel's copy")]

use std::hint::black_box;

use bytes::BufMut as _;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use farpane::buffers::{BufferPool, Payload};
use farpane::channel::clock;
use farpane::protocol::packet::connection;
use farpane::protocol::packet::draw::{
    self, DrawAck, DrawOptions, DrawOutcome, Encoding, RgbFormatName, WindowDraw,
};
use farpane::protocol::packet::{ClientPacket, ServerPacket};
use farpane::protocol::packet::{Dict, DrawSequence, Value, WindowId};
use farpane::protocol::tape::Tape;
use farpane::protocol::{Dialect, Limits, PacketReader, PacketWriter, Reassembler, rencodeplus};

/// Bytes received in one measured round.
const ROUND: usize = 32 << 20;

/// A draw with this many bytes of pixels, as it goes over the wire.
fn draw(len: usize) -> Vec<u8> {
    let packet = ServerPacket::Draw(draw::FromServer::Draw(WindowDraw {
        wid: WindowId(1),
        x: 0,
        y: 0,
        width: 1920,
        height: 1080,
        encoding: Encoding::Rgb32,
        data: Payload::from(vec![7; len]),
        sequence: DrawSequence(1234),
        rowstride: 7680,
        options: DrawOptions { rgb_format: Some(RgbFormatName::Bgrx), ..DrawOptions::default() },
    }));
    let records = PacketWriter::new(Dialect::Modern).write_server(&packet, true);
    [&records.head[..], records.data.as_deref().unwrap_or_default(), &records.tail].concat()
}

/// What a loop does that copies each byte once into one buffer: the kernel's part.
fn copy_only(stream: &[u8], buffer: &mut Vec<u8>) {
    for piece in stream.chunks(64 * 1024) {
        buffer.clear();
        buffer.extend_from_slice(piece);
        black_box(&buffer);
    }
}

fn receive(stream: &[u8], reassembler: &mut Reassembler, reader: &mut PacketReader) -> usize {
    let (mut rest, mut packets, now) = (stream, 0, clock::now());
    while !rest.is_empty() {
        let mut space = reassembler.buffer();
        let (piece, after) = rest.split_at(space.remaining_mut().min(rest.len()).min(256 * 1024));
        space.put(piece);
        rest = after;
        reassembler.received(now);
        while let Some(raw) = reassembler.next_packet().expect("a record") {
            black_box(reader.read(raw).expect("a packet"));
            packets += 1;
        }
    }
    packets
}

fn reassembly(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("receive");
    group.sample_size(10);
    for (name, len) in [("8 MB raw", 1920 * 1080 * 4), ("400 KB", 400_000), ("30 KB", 30_000), ("100 B", 100)]
    {
        let packet = draw(len);
        let stream = packet.repeat((ROUND / packet.len()).max(1));
        group.throughput(Throughput::Bytes(stream.len() as u64));
        let limits = Limits::established(1920, 1080);
        let pool = BufferPool::default();
        let mut reassembler = Reassembler::new(Dialect::Modern, limits, pool.clone());
        let mut reader = PacketReader::new(Dialect::Modern, limits, pool);
        group.bench_function(name, |bench| bench.iter(|| receive(&stream, &mut reassembler, &mut reader)));
        let mut buffer = Vec::with_capacity(64 * 1024);
        group.bench_function(format!("{name}, one copy only"), |bench| {
            bench.iter(|| copy_only(&stream, &mut buffer));
        });
    }
    group.finish();
}

fn encoders(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rencodeplus");
    let small = draw(100);
    let mut tape = Tape::default();
    group.bench_function("decode a draw", |bench| {
        bench.iter(|| rencodeplus::decode(black_box(&small[8..]), &mut tape).expect("a packet"));
    });
    let mut writer = PacketWriter::new(Dialect::Modern);
    let mut out = Vec::new();
    let ack = ClientPacket::Draw(draw::ToServer::Ack(DrawAck {
        wid: WindowId(1),
        sequence: DrawSequence(1234),
        width: 1920,
        height: 1080,
        outcome: DrawOutcome::Presented { decode_us: 1500 },
    }));
    group.bench_function("encode an acknowledgement", |bench| {
        bench.iter(|| {
            out.clear();
            writer.write(black_box(&ack), &mut out);
        });
    });
    let mut info = Dict::default();
    for index in 0..5000 {
        info.push(&format!("window.{index}.name"), Value::from(index));
    }
    let mut reader =
        PacketReader::new(Dialect::Modern, Limits::established(1920, 1080), BufferPool::default());
    let bytes =
        writer.write_server(&ServerPacket::Connection(connection::FromServer::InfoResponse(info)), true).tail;
    let now = clock::now();
    let (packets, _) = farpane::fuzzing::reassemble(Dialect::Modern, &bytes, &[], now);
    group.bench_function("read 5000 lines of info", |bench| {
        bench.iter(|| reader.read(packets[0].lend()).expect("a packet"));
    });
    group.finish();
}

criterion_group!(benches, reassembly, encoders);
criterion_main!(benches);
