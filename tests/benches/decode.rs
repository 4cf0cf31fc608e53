//! Decoding one 1080p picture of each encoding: `cargo bench --bench decode`.

#[path = "../it/support/samples.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod samples;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use farpane::buffers::BufferPool;
use farpane::codec::{Coded, StillDecoder, VideoDecoder};
use farpane::geometry::Size;
use farpane::protocol::lz4::decompress;
use farpane::protocol::packet::draw::{DrawOptions, Encoding, PixelCompression, RgbFormatName};
use farpane::stats::CopyLedger;
use turbojpeg::Subsamp;

const SIZE: Size = Size { width: 1920, height: 1080 };
const PIXELS: u64 = 1920 * 1080;

fn stills(criterion: &mut Criterion) {
    let rgba = samples::photo(SIZE, 0);
    let solid = samples::opaque(rgba.clone());
    let rgb = |pixel_compression| DrawOptions {
        rgb_format: Some(RgbFormatName::Rgba),
        pixel_compression,
        ..DrawOptions::default()
    };
    let plain = DrawOptions::default();
    let png = samples::png(SIZE, png::ColorType::Rgba, png::BitDepth::Eight, &[], &rgba);
    let pictures = [
        ("rgb32 raw", Encoding::Rgb32, rgb(PixelCompression::None), rgba.clone()),
        ("rgb32 lz4", Encoding::Rgb32, rgb(PixelCompression::Lz4), samples::lz4(&rgba)),
        ("rgb32 zlib", Encoding::Rgb32, rgb(PixelCompression::Zlib), samples::zlib(&rgba)),
        ("png", Encoding::Png, plain.clone(), png),
        ("jpeg 4:2:0", Encoding::Jpeg, plain.clone(), samples::jpeg(SIZE, &rgba, Subsamp::Sub2x2)),
        ("jpeg 4:4:4", Encoding::Jpeg, plain.clone(), samples::jpeg(SIZE, &rgba, Subsamp::None)),
        ("webp lossy", Encoding::Webp, plain.clone(), samples::webp(SIZE, &rgba, false)),
        ("webp lossless", Encoding::Webp, plain, samples::webp(SIZE, &solid, true)),
    ];
    let mut group = criterion.benchmark_group("decode 1080p");
    group.throughput(Throughput::Elements(PIXELS)).sample_size(10);
    for (name, encoding, options, file) in pictures {
        let data = samples::payload(file);
        let mut decoder = StillDecoder::new(BufferPool::default());
        let coded = Coded { encoding, data: &data, size: SIZE, rowstride: 0, options: &options };
        group.bench_function(name, |bencher| {
            bencher.iter(|| decoder.decode(&coded, &mut CopyLedger::default()).expect("a valid picture"));
        });
    }
    group.finish();
}

fn video(criterion: &mut Criterion) {
    let film: Vec<_> = samples::h264(SIZE, 10).into_iter().map(samples::payload).collect();
    let mut group = criterion.benchmark_group("decode 1080p");
    group.throughput(Throughput::Elements(PIXELS * film.len() as u64)).sample_size(10);
    group.bench_function("h264, 10 frames", |bencher| {
        let mut decoder = VideoDecoder::default();
        bencher.iter(|| {
            for (frame, data) in (0..).zip(&film) {
                let options = DrawOptions { frame: Some(frame), ..DrawOptions::default() };
                let coded =
                    Coded { encoding: Encoding::H264, data, size: SIZE, rowstride: 0, options: &options };
                decoder.decode(&coded, &mut CopyLedger::default()).expect("a valid frame");
            }
        });
    });
    group.finish();
}

/// The decoder that is built in and the one in Rust, on text, a photo and one colour.
fn lz4(criterion: &mut Criterion) {
    let text = (0..PIXELS as u32).map(|at| at % 16 < 11 && at.wrapping_mul(0x9e37_79b9) >> 30 == 0);
    let text: Vec<u8> =
        text.flat_map(|ink| if ink { [20, 20, 20, 255] } else { [255, 255, 255, 255] }).collect();
    let pictures = [
        ("text", text),
        ("photo", samples::photo(SIZE, 0)),
        ("one colour", [30, 60, 90, 255].repeat(PIXELS as usize)),
    ];
    let mut group = criterion.benchmark_group("lz4 1080p");
    group.throughput(Throughput::Bytes(PIXELS * 4)).sample_size(10);
    let pool = BufferPool::default();
    for (name, pixels) in pictures {
        let file = samples::lz4(&pixels);
        let block = &file[4..];
        group.bench_function(format!("{name}, built in"), |bencher| {
            let mut ledger = CopyLedger::default();
            bencher.iter(|| decompress(block, pixels.len(), &pool, &mut ledger).expect("a valid block"));
        });
        let mut out = vec![0; pixels.len()];
        group.bench_function(format!("{name}, lz4_flex"), |bencher| {
            bencher.iter(|| lz4_flex::block::decompress_into(block, &mut out).expect("a valid block"));
        });
    }
    group.finish();
}

criterion_group!(benches, stills, video, lz4);
criterion_main!(benches);
