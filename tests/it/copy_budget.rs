//! What each kind of draw costs from the socket to the GPU (or the CPU renderer), in bytes copied: exact
//! numbers.
//!
//! The stream goes through the real stages: reassembler, packet reader, decode pool, render
//! thread. Two equal draws follow each other; the first fills an empty receive buffer, the
//! second shows the steady state.
#![expect(clippy::disallowed_methods, reason = "the test plays the kernel, whose copy is not ours")]

use std::sync::Arc;
use std::time::Duration;

use bytes::BufMut;
use farpane::buffers::BufferPool;
use farpane::channel::{
    AppEvent, AppSink, BackingUpdate, ByteBudget, DrawJob, DrawSink, NetCommand, NetQueue, clock,
};
use farpane::codec::{Coded, StillDecoder};
use farpane::geometry::{Rect, Size};
use farpane::protocol::packet::draw::{
    self, DrawOptions, DrawOutcome, Encoding, PixelCompression, RgbFormatName, ScrollRect, WindowDraw,
};
use farpane::protocol::packet::{DrawSequence, WindowId};
use farpane::protocol::reassembly::{READ_AHEAD, RECEIVE_BUFFER};
use farpane::protocol::{Dialect, Incoming, Limits, PacketReader, PacketWriter, Reassembler, ServerPacket};
use farpane::render::{RenderOptions, RendererChoice};
use farpane::session::{DrawDone, DrawRequest};
use farpane::stats::{CopyLedger, CopySite, DrawTrace, Transform};
use farpane::threads::Engine;
use turbojpeg::Subsamp;

use crate::support::alloc::counted;
use crate::support::samples::{self, payload, photo};

const FULL_HD: Size = Size { width: 1920, height: 1080 };
const PIXELS: u64 = 1920 * 1080;
const WID: WindowId = WindowId(1);
const GPU: RendererChoice = RendererChoice::Wgpu;
const CPU: RendererChoice = RendererChoice::Cpu;
/// A reader that brings all that is asked for, as a fast connection does.
const AS_ASKED: usize = usize::MAX;
/// What the first draw's payload had in the receive buffer: all of it less the chunk's header.
const FIRST_PREFIX: u64 = RECEIVE_BUFFER as u64 - 8;
/// What came behind the first draw's payload in the same read.
const AHEAD: u64 = READ_AHEAD as u64;

/// Bytes copied by site, and transformed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cost {
    receive_prefix: u64,
    receive_compact: u64,
    /// Moved to where the renderer reads: memory of the GPU driver, or the CPU's backing.
    staging: u64,
    /// Moved within the CPU's backing.
    backing: u64,
    decompressed: u64,
    decoded: u64,
    /// YUV to RGB on the CPU, which writes the backing itself.
    converted: u64,
}

impl Cost {
    fn of(ledger: &CopyLedger) -> Self {
        let cost = Self {
            receive_prefix: ledger.copied_at(CopySite::ReceivePrefix),
            receive_compact: ledger.copied_at(CopySite::ReceiveCompact),
            staging: ledger.copied_at(CopySite::Staging),
            backing: ledger.copied_at(CopySite::Backing),
            decompressed: ledger.transformed_by(Transform::Decompress),
            decoded: ledger.transformed_by(Transform::Decode),
            converted: ledger.transformed_by(Transform::Convert),
        };
        assert_eq!(cost.copied(), ledger.copied_bytes(), "copies at a site that this test does not know");
        let transformed = cost.decompressed + cost.decoded + cost.converted;
        assert_eq!(transformed, ledger.transformed_bytes(), "an unknown transform");
        cost
    }

    fn copied(&self) -> u64 {
        self.receive_prefix + self.receive_compact + self.staging + self.backing
    }
}

fn draw(size: Size, encoding: Encoding, options: DrawOptions, data: Vec<u8>) -> ServerPacket {
    ServerPacket::Draw(draw::FromServer::Draw(WindowDraw {
        wid: WID,
        x: 0,
        y: 0,
        width: size.width,
        height: size.height,
        encoding,
        data: payload(data),
        sequence: DrawSequence(7),
        rowstride: 0,
        options,
    }))
}

fn rgb(compression: PixelCompression) -> DrawOptions {
    DrawOptions {
        rgb_format: Some(RgbFormatName::Bgrx),
        pixel_compression: compression,
        ..DrawOptions::default()
    }
}

/// The draw's bytes on the wire, and how many of them follow the raw chunk.
fn wire(packet: &ServerPacket) -> (Vec<u8>, u64) {
    let records = PacketWriter::new(Dialect::Modern).write_server(packet, true);
    let mut bytes = records.head;
    bytes.extend_from_slice(&records.data.unwrap_or_default());
    bytes.extend_from_slice(&records.tail);
    (bytes, records.tail.len() as u64)
}

/// The stages up to the typed packet.
struct Receiver {
    reassembler: Reassembler,
    reader: PacketReader,
}

impl Receiver {
    fn new(pool: &BufferPool) -> Self {
        let limits = Limits::established(4096, 4096);
        Self {
            reassembler: Reassembler::new(Dialect::Modern, limits, pool.clone()),
            reader: PacketReader::new(Dialect::Modern, limits, pool.clone()),
        }
    }

    /// Receives `stream` in reads of at most `read` bytes.
    fn receive(&mut self, mut stream: &[u8], read: usize, mut draw: impl FnMut(Incoming<WindowDraw>)) {
        while !stream.is_empty() {
            let mut space = self.reassembler.buffer();
            let len = space.remaining_mut().min(read).min(stream.len());
            space.put_slice(&stream[..len]);
            stream = &stream[len..];
            self.reassembler.received(clock::now());
            while let Some(raw) = self.reassembler.next_packet().expect("valid records") {
                let incoming = self.reader.read(raw).expect("a valid packet");
                match incoming.packet {
                    ServerPacket::Draw(draw::FromServer::Draw(packet)) => draw(Incoming {
                        packet,
                        arrived: incoming.arrived,
                        wire_bytes: incoming.wire_bytes,
                        ledger: incoming.ledger,
                    }),
                    other => panic!("expected a draw, got {other:?}"),
                }
            }
        }
    }
}

struct NoApp;

impl AppSink for NoApp {
    fn send(&self, event: AppEvent) {
        if let AppEvent::RendererFailed(why) = event {
            panic!("{why}");
        }
    }
}

/// Sends each packet through all stages and returns what it cost in the end.
fn costs<const N: usize>(renderer: RendererChoice, packets: [&ServerPacket; N], read: usize) -> [Cost; N] {
    let replies = NetQueue::default();
    let options = RenderOptions { renderer, offscreen: true, ..RenderOptions::default() };
    let engine = Engine::without_session(options, Arc::new(NoApp), Box::new(replies.clone()));
    let engine = engine.expect("a render thread");
    let pool = BufferPool::default();
    let mut decode_pool = engine.decoders(&pool).expect("decode threads");
    decode_pool.backing(WID, BackingUpdate::Resize(FULL_HD));
    let budget = ByteBudget::new(256 * 1024 * 1024);

    let stream: Vec<u8> = packets.iter().flat_map(|packet| wire(packet).0).collect();
    let mut done = Vec::new();
    Receiver::new(&pool).receive(&stream, read, |incoming| {
        let mut trace = DrawTrace::new(incoming.arrived, clock::now(), incoming.wire_bytes);
        trace.ledger = incoming.ledger;
        let packet = incoming.packet;
        let request = DrawRequest {
            wid: packet.wid,
            sequence: packet.sequence,
            rect: Rect { x: packet.x, y: packet.y, width: packet.width, height: packet.height },
            encoding: packet.encoding,
            data: packet.data,
            rowstride: packet.rowstride,
            options: packet.options,
            trace,
        };
        let permit = pollster::block_on(budget.acquire(1024));
        decode_pool.draw(DrawJob { request, permit });
        let draw = wait_for_draw(&replies);
        assert!(matches!(draw.outcome, DrawOutcome::Presented { .. }), "{:?}", draw.outcome);
        done.push(Cost::of(&draw.trace.ledger));
    });
    <[Cost; N]>::try_from(done).expect("a cost a draw")
}

fn wait_for_draw(queue: &NetQueue) -> DrawDone {
    crate::support::wait_for("a draw", Duration::from_secs(60), String::new, || match queue.try_pop()? {
        NetCommand::DrawDone(done) => Some(done),
        _ => None,
    })
}

/// What of the second draw's chunk came with the end of the first one's: what the rest of the first
/// draw and the chunk's header left of [`AHEAD`].
fn next_prefix(first: &ServerPacket) -> u64 {
    AHEAD - wire(first).1 - 8
}

/// What comes behind the last chunk: its main record.
fn rest(last: &ServerPacket) -> u64 {
    wire(last).1
}

#[test]
fn raw_rgb32_of_8_mb() {
    let packet = draw(FULL_HD, Encoding::Rgb32, rgb(PixelCompression::None), photo(FULL_HD, 0));
    let [first, second] = costs(GPU, [&packet, &packet], AS_ASKED);
    let steady = Cost { staging: PIXELS * 4, ..Cost::default() };
    assert_eq!(first, Cost { receive_prefix: FIRST_PREFIX, receive_compact: AHEAD, ..steady });
    let (receive_prefix, receive_compact) = (next_prefix(&packet), rest(&packet));
    assert_eq!(second, Cost { receive_prefix, receive_compact, ..steady });
    assert_eq!(second.copied(), 8_294_400 + 191 + 57);
    assert!(first.receive_prefix <= 128 * 1024);
}

#[test]
fn raw_rgb32_in_small_reads() {
    // The ticket's 8 KiB reads: what was received is never moved again.
    let packet = draw(FULL_HD, Encoding::Rgb32, rgb(PixelCompression::None), photo(FULL_HD, 0));
    let [first, second] = costs(GPU, [&packet, &packet], 8192);
    let steady = Cost { staging: PIXELS * 4, ..Cost::default() };
    assert_eq!(first, Cost { receive_prefix: 8192 - 8, receive_compact: AHEAD, ..steady });
    let (receive_prefix, receive_compact) = (next_prefix(&packet), rest(&packet));
    assert_eq!(second, Cost { receive_prefix, receive_compact, ..steady });
}

#[test]
fn lz4() {
    let packet = draw(FULL_HD, Encoding::Rgb32, rgb(PixelCompression::Lz4), samples::lz4(&photo(FULL_HD, 0)));
    let [first, second] = costs(GPU, [&packet, &packet], AS_ASKED);
    let steady = Cost { staging: PIXELS * 4, decompressed: PIXELS * 4, ..Cost::default() };
    assert_eq!(first, Cost { receive_prefix: FIRST_PREFIX, receive_compact: AHEAD, ..steady });
    let (receive_prefix, receive_compact) = (next_prefix(&packet), rest(&packet));
    assert_eq!(second, Cost { receive_prefix, receive_compact, ..steady });
    assert_eq!(second.copied(), 8_294_400 + 186 + 62);
}

#[test]
fn jpeg() {
    let file = samples::jpeg(FULL_HD, &photo(FULL_HD, 0), Subsamp::Sub2x2);
    let packet = draw(FULL_HD, Encoding::Jpeg, DrawOptions::default(), file);
    let [first, second] = costs(GPU, [&packet, &packet], AS_ASKED);
    // Planes of 4:2:0 are 1.5 bytes a pixel.
    let steady = Cost { staging: PIXELS * 3 / 2, decoded: PIXELS * 3 / 2, ..Cost::default() };
    assert_eq!(first, Cost { receive_prefix: FIRST_PREFIX, receive_compact: AHEAD, ..steady });
    let (receive_prefix, receive_compact) = (next_prefix(&packet), rest(&packet));
    assert_eq!(second, Cost { receive_prefix, receive_compact, ..steady });
    assert_eq!(second.copied(), 3_110_400 + 208 + 40);
}

#[test]
fn h264() {
    let options = DrawOptions { frame: Some(0), ..DrawOptions::default() };
    let packet = draw(FULL_HD, Encoding::H264, options, samples::h264(FULL_HD, 1).remove(0));
    let [first, second] = costs(GPU, [&packet, &packet], AS_ASKED);
    // The frame fits the receive buffer: it is decoded from there. Its planes are read where the decoder
    // keeps them, with a border of 32 luma and 16 chroma samples on either side.
    let (luma, chroma) = (1984 * 1079 + 1920, 992 * 539 + 960);
    let steady = Cost { staging: luma + 2 * chroma, decoded: PIXELS * 3 / 2, ..Cost::default() };
    assert!(wire(&packet).0.len() < 32 * 1024);
    assert_eq!(first, steady);
    assert_eq!(second, steady);
    assert_eq!(second.copied(), 3_213_952);
}

#[test]
fn without_a_gpu() {
    // Packed pixels are copied into the backing, YUV planes are converted into it: either way once.
    let raw = draw(FULL_HD, Encoding::Rgb32, rgb(PixelCompression::None), photo(FULL_HD, 0));
    let [first, second] = costs(CPU, [&raw, &raw], AS_ASKED);
    let steady = Cost { staging: 8_294_400, ..Cost::default() };
    assert_eq!(first, Cost { receive_prefix: FIRST_PREFIX, receive_compact: AHEAD, ..steady });
    assert_eq!(second, Cost { receive_prefix: 191, receive_compact: 57, ..steady });

    // Compressed ones are unpacked there.
    let lz4 = draw(FULL_HD, Encoding::Rgb32, rgb(PixelCompression::Lz4), samples::lz4(&photo(FULL_HD, 0)));
    let [_, second] = costs(CPU, [&lz4, &lz4], AS_ASKED);
    let unpacked = Cost { decompressed: 8_294_400, ..Cost::default() };
    assert_eq!(second, Cost { receive_prefix: next_prefix(&lz4), receive_compact: rest(&lz4), ..unpacked });

    let file = samples::jpeg(FULL_HD, &photo(FULL_HD, 0), Subsamp::Sub2x2);
    let jpeg = draw(FULL_HD, Encoding::Jpeg, DrawOptions::default(), file);
    let [_, second] = costs(CPU, [&jpeg, &jpeg], AS_ASKED);
    let planes = Cost { decoded: 3_110_400, converted: 8_294_400, ..Cost::default() };
    assert_eq!(second, Cost { receive_prefix: 208, receive_compact: 40, ..planes });

    let options = DrawOptions { frame: Some(0), ..DrawOptions::default() };
    let h264 = draw(FULL_HD, Encoding::H264, options, samples::h264(FULL_HD, 1).remove(0));
    let [_, second] = costs(CPU, [&h264, &h264], AS_ASKED);
    assert_eq!(second, planes);

    // What scrolls is moved within the backing, row by row.
    let [scroll] = costs(CPU, [&scroll_by_16()], AS_ASKED);
    assert_eq!(scroll, Cost { backing: 1920 * 1064 * 4, ..Cost::default() });
}

#[test]
fn an_update_of_4_kb() {
    let size = Size { width: 32, height: 32 };
    let packet = draw(size, Encoding::Rgb32, rgb(PixelCompression::None), photo(size, 0));
    let [first, second] = costs(GPU, [&packet, &packet], AS_ASKED);
    // Parsed in place from the receive buffer.
    assert_eq!(first, Cost { staging: 4096, ..Cost::default() });
    assert_eq!(second, Cost { staging: 4096, ..Cost::default() });
}

#[test]
fn a_scroll_copies_nothing() {
    assert_eq!(costs(GPU, [&scroll_by_16()], AS_ASKED), [Cost::default()]);
}

fn scroll_by_16() -> ServerPacket {
    let rect = ScrollRect { x: 0, y: 16, width: 1920, height: 1064, dx: 0, dy: -16 };
    let options = DrawOptions { scroll: vec![rect], ..DrawOptions::default() };
    draw(FULL_HD, Encoding::Scroll, options, Vec::new())
}

/// The ledger counts what the code says it copies. This counts what it takes from the heap, where
/// a copy that nobody counted would have to go.
#[test]
fn nothing_is_copied_behind_the_ledgers_back() {
    let small = Size { width: 32, height: 32 };
    for (packet, size) in [
        (draw(FULL_HD, Encoding::Rgb32, rgb(PixelCompression::None), photo(FULL_HD, 0)), FULL_HD),
        (
            draw(FULL_HD, Encoding::Rgb32, rgb(PixelCompression::Lz4), samples::lz4(&photo(FULL_HD, 0))),
            FULL_HD,
        ),
        (draw(small, Encoding::Rgb32, rgb(PixelCompression::None), photo(small, 0)), small),
    ] {
        let pool = BufferPool::default();
        let mut receiver = Receiver::new(&pool);
        let mut decoder = StillDecoder::new(pool.clone());
        let stream = wire(&packet).0;
        let mut round = || {
            receiver.receive(&stream, AS_ASKED, |mut incoming| {
                let WindowDraw { encoding, data, options, rowstride, .. } = &incoming.packet;
                let coded = Coded { encoding: *encoding, data, size, rowstride: *rowstride, options };
                decoder.decode(&coded, &mut incoming.ledger).expect("a valid picture");
            });
        };
        // Buffers are made and memory is kept from here on.
        (0..3).for_each(|_| round());
        let ((), allocated) = counted(|| (0..10).for_each(|_| round()));
        let bytes = allocated.bytes / 10;
        assert!(bytes <= 1024, "{bytes} bytes of heap for a draw of {}x{}", size.width, size.height);
    }
}
