//! Tests of pipeline.

#[cfg(target_os = "linux")]
mod confined;

use std::time::Duration;

use farpane::buffers::{BufferPool, Payload};
use farpane::channel::{
    BackingUpdate, ByteBudget, DecodedDraw, DrawContent, DrawJob, DrawSink, RenderItem, RenderMessage,
    RenderQueue, clock,
};
use farpane::codec::reference;
use farpane::geometry::{Rect, Size};
use farpane::pipeline::DecodePool;
use farpane::protocol::packet::draw::{
    DrawOptions, DrawOutcome, Encoding, PixelCompression, RgbFormatName, ScrollRect,
};
use farpane::protocol::packet::{DrawSequence, WindowId};
use farpane::session::DrawRequest;
use farpane::stats::DrawTrace;

use crate::support::samples::{self, photo, psnr};

const SIZE: Size = Size { width: 96, height: 64 };
const LARGE: Size = Size { width: 960, height: 640 };
const ONE: WindowId = WindowId(1);
const TWO: WindowId = WindowId(2);
const THREE: WindowId = WindowId(3);
const FOUR: WindowId = WindowId(4);
const FIVE: WindowId = WindowId(5);
const FULL_HD: Size = Size { width: 1920, height: 1072 };
/// A key frame of that size of a stream with 16 reference frames, which takes more than all decoders may together:
/// `tests/golden/h264/make.py`.
const SIXTEEN_REFERENCES: &[u8] = include_bytes!("../golden/h264/sixteen-references-baseline.h264");

/// A pool and what comes out of it.
struct Harness {
    pool: DecodePool,
    output: RenderQueue,
    budget: ByteBudget,
    sequence: u64,
}

impl Harness {
    fn new(threads: usize) -> Self {
        let output = RenderQueue::default();
        let pool = DecodePool::with_threads(threads, &BufferPool::default(), output.clone());
        let budget = ByteBudget::new(64 * 1024 * 1024);
        Self { pool: pool.expect("threads"), output, budget, sequence: 0 }
    }

    fn draw(
        &mut self,
        wid: WindowId,
        size: Size,
        encoding: Encoding,
        options: DrawOptions,
        data: &Payload,
    ) -> u64 {
        self.sequence += 1;
        let now = clock::now();
        let request = DrawRequest {
            wid,
            sequence: DrawSequence(self.sequence),
            rect: Rect { x: 3, y: 4, width: size.width, height: size.height },
            encoding,
            data: data.clone(),
            rowstride: 0,
            options,
            trace: DrawTrace::new(now, now, data.len() as u64),
        };
        let permit = pollster::block_on(self.budget.acquire(1024));
        self.pool.draw(DrawJob { request, permit });
        self.sequence
    }

    fn next(&self) -> RenderItem {
        match self.output.pop(Some(Duration::from_secs(30))) {
            Some(RenderMessage::Item(item)) => item,
            Some(RenderMessage::Command(_)) => panic!("the pool sends no commands"),
            None => panic!("nothing came out within 30 s"),
        }
    }

    fn next_draw(&self) -> DecodedDraw {
        match self.next() {
            RenderItem::Draw(draw) => draw,
            other => panic!("expected a draw, got {other:?}"),
        }
    }
}

fn rgb(compression: PixelCompression) -> DrawOptions {
    DrawOptions {
        rgb_format: Some(RgbFormatName::Rgba),
        pixel_compression: compression,
        ..DrawOptions::default()
    }
}

fn video(frame: u64) -> DrawOptions {
    DrawOptions { frame: Some(frame), ..DrawOptions::default() }
}

fn rgba(draw: &DecodedDraw) -> Vec<u8> {
    match &draw.content {
        DrawContent::Picture(picture) => reference::to_rgba(picture),
        DrawContent::Video(frame) => reference::to_rgba(frame.picture().expect("a picture")),
        other => panic!("expected a picture, got {other:?}"),
    }
}

#[test]
fn each_window_keeps_its_order() {
    for threads in [1, 2, 4] {
        let mut harness = Harness::new(threads);
        let slow = samples::payload(samples::webp(LARGE, &photo(LARGE, 0), false));
        let fast = samples::payload(photo(SIZE, 0));
        let mut expected = [Vec::new(), Vec::new()];
        for round in 0..24 {
            for (index, wid) in [ONE, TWO].into_iter().enumerate() {
                let sequence = if (round + index) % 4 == 0 {
                    harness.draw(wid, LARGE, Encoding::Webp, DrawOptions::default(), &slow)
                } else {
                    harness.draw(wid, SIZE, Encoding::Rgb32, rgb(PixelCompression::None), &fast)
                };
                expected[index].push(sequence);
            }
        }
        let mut seen = [Vec::new(), Vec::new()];
        for _ in 0..48 {
            let draw = harness.next_draw();
            seen[usize::from(draw.wid == TWO)].push(draw.sequence.0);
        }
        assert_eq!(seen, expected, "{threads} threads");
        assert!(harness.output.is_empty());
    }
}

#[test]
fn video_decodes_in_order_between_pictures() {
    let mut harness = Harness::new(4);
    let film: Vec<Payload> = samples::h264(SIZE, 12).into_iter().map(samples::payload).collect();
    let still = samples::payload(samples::lz4(&photo(SIZE, 100)));
    for (frame, unit) in (0..).zip(&film) {
        for wid in [ONE, TWO] {
            harness.draw(wid, SIZE, Encoding::H264, video(frame), unit);
            harness.draw(wid, SIZE, Encoding::Rgb32, rgb(PixelCompression::Lz4), &still);
        }
    }
    let mut counts = [0_u32; 2];
    for _ in 0..film.len() * 4 {
        let draw = harness.next_draw();
        let count = &mut counts[usize::from(draw.wid == TWO)];
        let original = photo(SIZE, if *count % 2 == 0 { *count / 2 } else { 100 });
        let quality = psnr(&rgba(&draw), &original);
        assert!(quality > 30.0, "draw {count} of window {}: {quality} dB", draw.wid);
        *count += 1;
    }
}

#[test]
fn refused_draws_keep_their_place() {
    let mut harness = Harness::new(4);
    let good = samples::payload(photo(SIZE, 0));
    let film = samples::h264(SIZE, 2);
    harness.draw(ONE, SIZE, Encoding::Rgb32, rgb(PixelCompression::None), &good);
    harness.draw(ONE, SIZE, Encoding::Jpeg, DrawOptions::default(), &good);
    harness.draw(ONE, SIZE, Encoding::H264, video(1), &samples::payload(film[1].clone()));
    harness.draw(ONE, SIZE, Encoding::Other, DrawOptions::default(), &good);
    harness.draw(ONE, SIZE, Encoding::Scroll, DrawOptions::default(), &Payload::default());
    harness.draw(ONE, SIZE, Encoding::Void, DrawOptions::default(), &Payload::default());
    harness.draw(ONE, SIZE, Encoding::H264, video(0), &samples::payload(film[0].clone()));

    assert_eq!(rgba(&harness.next_draw()), photo(SIZE, 0));
    for reason in ["jpeg: ", "h264: ", "other was not offered", "0 scroll rectangles"] {
        match harness.next_draw().content {
            DrawContent::Nothing(DrawOutcome::Error { message }) => {
                assert!(message.starts_with(reason), "{message:?} instead of {reason:?}");
            }
            other => panic!("expected {reason:?}, got {other:?}"),
        }
    }
    assert!(matches!(harness.next_draw().content, DrawContent::Nothing(DrawOutcome::Skipped)));
    assert!(matches!(harness.next_draw().content, DrawContent::Video(_)));
}

#[test]
fn a_renderer_that_unpacks_gets_compressed_pixels_in_their_place() {
    let mut harness = Harness::new(2);
    harness.output.set_unpacks(true);
    let slow = samples::payload(samples::webp(LARGE, &photo(LARGE, 0), false));
    let packed = samples::payload(samples::lz4(&photo(SIZE, 0)));
    for _ in 0..5 {
        harness.draw(ONE, LARGE, Encoding::Webp, DrawOptions::default(), &slow);
        harness.draw(ONE, SIZE, Encoding::Rgb32, rgb(PixelCompression::Lz4), &packed);
    }
    // The size that it names is another one.
    harness.draw(ONE, LARGE, Encoding::Rgb32, rgb(PixelCompression::Lz4), &packed);
    for number in 0..5 {
        let draw = harness.next_draw();
        assert_eq!(draw.sequence.0, 2 * number + 1);
        assert!(matches!(draw.content, DrawContent::Picture(_)));
        let draw = harness.next_draw();
        assert_eq!(draw.sequence.0, 2 * number + 2);
        assert!(matches!(draw.content, DrawContent::Compressed(_)));
        assert_eq!(draw.trace.decoded_bytes, 96 * 64 * 4);
    }
    let content = harness.next_draw().content;
    assert!(matches!(content, DrawContent::Nothing(DrawOutcome::Error { .. })), "{content:?}");
}

#[test]
fn scrolls_and_unpainted_frames() {
    let mut harness = Harness::new(1);
    let rect = ScrollRect { x: 0, y: 16, width: 96, height: 48, dx: 0, dy: -16 };
    let scroll = DrawOptions { scroll: vec![rect], flush: 3, ..DrawOptions::default() };
    harness.draw(ONE, SIZE, Encoding::Scroll, scroll, &Payload::default());
    let hidden = DrawOptions { paint: Some(false), ..video(0) };
    let film = samples::h264(SIZE, 2);
    harness.draw(ONE, SIZE, Encoding::H264, hidden, &samples::payload(film[0].clone()));
    harness.draw(ONE, SIZE, Encoding::H264, video(1), &samples::payload(film[1].clone()));

    let draw = harness.next_draw();
    assert_eq!(draw.flush, 3);
    assert!(matches!(&draw.content, DrawContent::Scroll(rects) if rects[..] == [rect]));
    assert!(matches!(harness.next_draw().content, DrawContent::Nothing(DrawOutcome::Skipped)));
    assert!(psnr(&rgba(&harness.next_draw()), &photo(SIZE, 1)) > 30.0);
}

#[test]
fn backings_keep_their_place_and_take_their_video_with_them() {
    let mut harness = Harness::new(4);
    let slow = samples::payload(samples::webp(LARGE, &photo(LARGE, 0), false));
    let film = samples::h264(SIZE, 2);
    let resize = BackingUpdate::Resize(LARGE);
    harness.pool.backing(ONE, resize);
    harness.draw(ONE, LARGE, Encoding::Webp, DrawOptions::default(), &slow);
    harness.draw(ONE, SIZE, Encoding::H264, video(5), &samples::payload(film[0].clone()));
    harness.pool.backing(ONE, BackingUpdate::Destroy);
    assert!(matches!(harness.next(), RenderItem::Backing { wid: ONE, update } if update == resize));
    assert!(matches!(harness.next_draw().content, DrawContent::Picture(_)));
    assert!(matches!(harness.next_draw().content, DrawContent::Video(_)));
    assert!(matches!(harness.next(), RenderItem::Backing { update: BackingUpdate::Destroy, .. }));
    // The same number again is another window: there is no film to go on with.
    harness.draw(ONE, SIZE, Encoding::H264, video(6), &samples::payload(film[1].clone()));
    let content = harness.next_draw().content;
    assert!(matches!(content, DrawContent::Nothing(DrawOutcome::Error { .. })), "{content:?}");
}

#[test]
fn a_frame_keeps_its_decoder_until_it_is_dropped() {
    let mut harness = Harness::new(2);
    let film = samples::h264(SIZE, 3);
    for (number, unit) in (0..).zip(&film) {
        harness.draw(ONE, SIZE, Encoding::H264, video(number), &samples::payload(unit.clone()));
    }
    let first = harness.next_draw();
    // Another window's film does not wait.
    harness.draw(TWO, SIZE, Encoding::H264, video(0), &samples::payload(film[0].clone()));
    let other = harness.next_draw();
    assert_eq!((first.wid, other.wid), (ONE, TWO));
    assert_eq!(harness.output.len(), 0);
    assert!(psnr(&rgba(&first), &photo(SIZE, 0)) > 30.0);
    drop(first);
    let second = harness.next_draw();
    assert!(psnr(&rgba(&second), &photo(SIZE, 1)) > 30.0);
    drop(second);
    let third = harness.next_draw();
    // Frames may outlive the pool.
    drop(harness.pool);
    assert!(psnr(&rgba(&third), &photo(SIZE, 2)) > 30.0);
}

/// A stream that needs more than all room there is waits for the decoders that are out; what came later does not pass it,
/// or streams that always have a frame could keep it waiting for ever.
#[test]
fn a_stream_without_room_waits_and_has_its_turn() {
    let mut harness = Harness::new(1);
    let film: Vec<Payload> = samples::h264(SIZE, 2).into_iter().map(samples::payload).collect();
    let large = samples::payload(SIXTEEN_REFERENCES.to_vec());
    for wid in [ONE, TWO] {
        harness.draw(wid, SIZE, Encoding::H264, video(0), &film[0]);
    }
    let shown = [harness.next_draw(), harness.next_draw()];
    harness.draw(THREE, FULL_HD, Encoding::H264, video(0), &large);
    for wid in [ONE, TWO] {
        harness.draw(wid, SIZE, Encoding::H264, video(1), &film[1]);
    }
    let still = samples::payload(samples::lz4(&photo(SIZE, 0)));
    harness.draw(FOUR, SIZE, Encoding::Rgb32, rgb(PixelCompression::Lz4), &still);
    assert_eq!(harness.next_draw().wid, FOUR, "what is no video goes past it");
    for frame in shown {
        drop(frame);
    }
    let first = harness.next_draw();
    assert_eq!(first.wid, THREE);
    assert!(matches!(first.content, DrawContent::Video(_)), "{:?}", first.content);
    drop(first);
    for wid in [ONE, TWO] {
        let draw = harness.next_draw();
        let made_room = matches!(draw.content, DrawContent::Nothing(DrawOutcome::Error { .. }));
        assert!(draw.wid == wid && made_room, "window {}: {:?}", draw.wid, draw.content);
    }
}

/// Whatever waits for room, and however many threads there are, each draw comes out.
#[test]
fn nothing_waits_for_room_for_ever() {
    const FRAMES: u64 = 30;
    let film: Vec<Payload> = samples::h264(SIZE, FRAMES as u32).into_iter().map(samples::payload).collect();
    let large = samples::payload(SIXTEEN_REFERENCES.to_vec());
    for threads in [1, 2, 4] {
        let mut harness = Harness::new(threads);
        for (frame, unit) in (0..).zip(&film) {
            for wid in [ONE, TWO] {
                harness.draw(wid, SIZE, Encoding::H264, video(frame), unit);
            }
            if frame % 10 == 5 {
                for wid in [THREE, FOUR, FIVE] {
                    harness.draw(wid, FULL_HD, Encoding::H264, video(0), &large);
                }
            }
        }
        let mut large_ones = 0;
        for _ in 0..FRAMES * 2 + 9 {
            let draw = harness.next_draw();
            let is_film = [ONE, TWO].contains(&draw.wid);
            large_ones += u32::from(!is_film && matches!(draw.content, DrawContent::Video(_)));
        }
        assert_eq!(large_ones, 9, "{threads} threads: each begins a stream, so each is shown");
    }
}

#[test]
fn the_trace_and_the_permit_ride_along() {
    let mut harness = Harness::new(1);
    let data = samples::payload(samples::lz4(&photo(SIZE, 0)));
    harness.draw(ONE, SIZE, Encoding::Rgb32, rgb(PixelCompression::Lz4), &data);
    let draw = harness.next_draw();
    assert_eq!(draw.rect, Rect { x: 3, y: 4, width: 96, height: 64 });
    assert_eq!(draw.trace.pixels, 96 * 64);
    assert_eq!(draw.trace.decoded_bytes, 96 * 64 * 4);
    assert_eq!(draw.trace.wire_bytes, data.len() as u64);
    assert_eq!(draw.trace.ledger.transformed_bytes(), 96 * 64 * 4);
    assert!(draw.trace.decode_started >= Some(draw.trace.reassembled));
    assert!(draw.trace.decoded >= draw.trace.decode_started);
    assert_eq!(harness.budget.used_bytes(), 1024);
    drop(draw);
    assert_eq!(harness.budget.used_bytes(), 0);
}

#[test]
fn buffers_are_recycled() {
    let mut harness = Harness::new(2);
    let lz4 = samples::payload(samples::lz4(&photo(SIZE, 0)));
    let jpeg = samples::payload(samples::jpeg(SIZE, &photo(SIZE, 0), turbojpeg::Subsamp::Sub2x2));
    let film: Vec<Payload> = samples::h264(SIZE, 40).into_iter().map(samples::payload).collect();
    let mut allocations = Vec::new();
    for (frame, unit) in (0..).zip(&film) {
        harness.draw(ONE, SIZE, Encoding::Rgb32, rgb(PixelCompression::Lz4), &lz4);
        harness.draw(ONE, SIZE, Encoding::Jpeg, DrawOptions::default(), &jpeg);
        harness.draw(ONE, SIZE, Encoding::H264, video(frame), unit);
        let draws = [harness.next_draw(), harness.next_draw(), harness.next_draw()];
        allocations.push(draws.iter().map(|draw| draw.trace.ledger.allocations).sum::<u64>());
    }
    assert_eq!(allocations[1..], [0; 39], "only the first round may allocate");
}

#[test]
fn dropping_the_pool_ends_its_threads() {
    let mut harness = Harness::new(2);
    let slow = samples::payload(samples::webp(LARGE, &photo(LARGE, 0), false));
    for _ in 0..20 {
        harness.draw(ONE, LARGE, Encoding::Webp, DrawOptions::default(), &slow);
    }
    let Harness { pool, output, budget, .. } = harness;
    drop(pool);
    while output.try_pop().is_some() {}
    assert_eq!(budget.used_bytes(), 0, "draws that were not decoded gave their permits back");
}
