//! Every pixel format, at odd sizes, strides and places.

use farpane::buffers::Payload;
use farpane::channel::{DrawContent, NetCommand};
use farpane::codec::{
    Coded, CompressedPixels, Picture, PixelFormat, Plane, YuvFormat, YuvMatrix, YuvPicture,
};
use farpane::geometry::{Rect, Size};
use farpane::protocol::packet::WindowId;
use farpane::protocol::packet::draw::{DrawOptions, DrawOutcome, Encoding, PixelCompression, RgbFormatName};
use farpane::render::RendererChoice;
use farpane::session::{DrawInput, Input};
use farpane::stats::{CopySite, Transform};

use crate::support::samples;

use super::rig::{Image, Rig, noise, noise_picture, plain_picture, with_each_renderer};

with_each_renderer!(
    packed_formats_are_exact,
    pictures_are_clipped_at_every_edge,
    yuv_is_converted_with_its_matrix_and_range,
    compressed_pixels_show_like_any_others,
    a_picture_of_another_size_is_scaled,
);

const FORMATS: [PixelFormat; 13] = [
    PixelFormat::Bgrx,
    PixelFormat::Bgra,
    PixelFormat::Rgbx,
    PixelFormat::Rgba,
    PixelFormat::Xrgb,
    PixelFormat::Argb,
    PixelFormat::Xbgr,
    PixelFormat::Abgr,
    PixelFormat::Rgb,
    PixelFormat::Bgr,
    PixelFormat::Bgr565,
    PixelFormat::R210,
    PixelFormat::Grey,
];

fn packed_formats_are_exact(renderer: RendererChoice) {
    let mut rig = Rig::offscreen(renderer);
    for format in FORMATS {
        for (width, height, padding) in
            [(64, 48, 0), (37, 29, 0), (37, 29, 5), (1, 1, 3), (5, 1, 0), (1, 7, 12)]
        {
            let picture = noise_picture(format, width, height, padding);
            let mut expected = Image::black(70, 50);
            expected.paint(3, 1, &picture);
            rig.backing(1, farpane::channel::BackingUpdate::Destroy);
            rig.resize(1, 70, 50);
            rig.picture(1, 3, 1, &picture);
            let shown = rig.shown(1);
            assert_eq!(shown.max_error(&expected), 0, "{format:?} {width}×{height}+{padding}");
            assert!(matches!(rig.done().outcome, DrawOutcome::Presented { decode_us: 1.. }));
        }
    }
}

fn pictures_are_clipped_at_every_edge(renderer: RendererChoice) {
    let mut rig = Rig::offscreen(renderer);
    for format in [PixelFormat::Bgrx, PixelFormat::Rgb, PixelFormat::Argb] {
        let picture = noise_picture(format, 31, 23, 8);
        for (x, y) in [(-11, -7), (40, -3), (-30, 30), (45, 39), (-31, 0), (50, 0), (i32::MIN, i32::MAX)] {
            let mut expected = Image::black(50, 40);
            if x > -1000 {
                expected.paint(x, y, &picture);
            }
            rig.backing(1, farpane::channel::BackingUpdate::Destroy);
            rig.resize(1, 50, 40);
            rig.picture(1, x, y, &picture);
            assert_eq!(rig.shown(1).max_error(&expected), 0, "{format:?} at {x},{y}");
            assert!(matches!(rig.done().outcome, DrawOutcome::Presented { .. }));
        }
    }
}

/// YUV noise with padded planes that are not in order.
fn yuv_picture(format: YuvFormat, matrix: YuvMatrix, full_range: bool, width: u32, height: u32) -> Picture {
    let (chroma_width, chroma_height) = format.chroma_size(width, height);
    let (luma_stride, chroma_stride) = (width as usize + 3, chroma_width as usize + 1);
    let chroma_len = chroma_stride * chroma_height as usize;
    let planes = [
        Plane { offset: 1 + chroma_len, rowstride: luma_stride },
        Plane { offset: 1, rowstride: chroma_stride },
        Plane { offset: 2 + chroma_len + luma_stride * height as usize, rowstride: chroma_stride },
    ];
    let data = Payload::from(noise(width * height, planes[2].offset + chroma_len));
    let yuv = YuvPicture { format, matrix, full_range, planes, data };
    Picture::yuv(Size { width, height }, yuv).expect("a valid picture")
}

fn yuv_is_converted_with_its_matrix_and_range(renderer: RendererChoice) {
    let mut rig = Rig::offscreen(renderer);
    for format in [YuvFormat::I420, YuvFormat::I422, YuvFormat::I444] {
        for matrix in [YuvMatrix::Bt601, YuvMatrix::Bt709] {
            for full_range in [false, true] {
                for (width, height) in [(64, 48), (37, 29), (1, 1)] {
                    let picture = yuv_picture(format, matrix, full_range, width, height);
                    let mut expected = Image::black(64, 48);
                    expected.paint(0, 0, &picture);
                    rig.backing(1, farpane::channel::BackingUpdate::Destroy);
                    rig.resize(1, 64, 48);
                    rig.picture(1, 0, 0, &picture);
                    let error = rig.shown(1).max_error(&expected);
                    assert!(error <= 1, "{format:?} {matrix:?} {full_range} {width}×{height}: {error}");
                }
            }
        }
    }
}

fn compressed_pixels_show_like_any_others(renderer: RendererChoice) {
    let (width, height) = (60, 40);
    let formats = [
        (RgbFormatName::Bgrx, PixelFormat::Bgrx),
        (RgbFormatName::Rgbx, PixelFormat::Rgbx),
        (RgbFormatName::Rgb, PixelFormat::Rgb),
    ];
    let mut rig = Rig::offscreen(renderer);
    rig.resize(1, width, height);
    let mut expected = Image::black(width, height);
    for (name, format) in formats {
        // Whole rows of the window, parts of rows, and what lies outside in part or wholly; with padding too.
        let places = [(0_i32, 7, 60, 20, 0), (0, 0, 60, 40, 0), (5, 9, 31, 17, 0), (3, 4, 50, 3, 6)];
        let outside = [(-7, -3, 60, 40, 0), (0, 30, 60, 40, 0), (100, 0, 60, 40, 0)];
        for (x, y, width, height, padding) in places.into_iter().chain(outside) {
            let size = Size { width, height };
            let rowstride = width as usize * format.bytes_per_pixel() + padding;
            let bytes = noise(width + height + x.unsigned_abs(), rowstride * height as usize);
            let options = DrawOptions {
                rgb_format: Some(name),
                pixel_compression: PixelCompression::Lz4,
                ..DrawOptions::default()
            };
            let (data, rowstride_sent) = (Payload::from(samples::lz4(&bytes)), rowstride as u32);
            let encoding = Encoding::Rgb32;
            let coded = Coded { encoding, data: &data, size, rowstride: rowstride_sent, options: &options };
            let packed = CompressedPixels::new(&coded).expect("pixels that fit");
            let picture = Picture::packed(size, format, rowstride, Payload::from(bytes)).expect("a picture");
            rig.draw(1, Rect { x, y, width, height }, DrawContent::Compressed(packed), 0);
            expected.paint(x, y, &picture);
            let error = rig.shown(1).max_error(&expected);
            assert_eq!(error, 0, "{format:?} of {width}×{height} at {x},{y}");
            assert!(matches!(rig.done().outcome, DrawOutcome::Presented { .. }));
        }
    }
    // A damaged one is refused, and the next one shows.
    let mut damaged = samples::lz4(&noise(1, 60 * 40 * 4));
    damaged.truncate(200);
    let options = DrawOptions { pixel_compression: PixelCompression::Lz4, ..DrawOptions::default() };
    let size = Size { width, height };
    let data = Payload::from(damaged);
    let coded = Coded { encoding: Encoding::Rgb32, data: &data, size, rowstride: 0, options: &options };
    let packed = CompressedPixels::new(&coded).expect("a size that fits");
    let whole = Rect { x: 0, y: 0, width, height };
    rig.draw(1, whole, DrawContent::Compressed(packed), 0);
    // What was there may be damaged too.
    while !matches!(
        rig.net_command(),
        NetCommand::Input(Input::Draw(DrawInput::Refresh { wid: WindowId(1) }))
    ) {}
    let outcome = rig.done().outcome;
    assert!(
        matches!(&outcome, DrawOutcome::Error { message } if message.starts_with("lz4: ")),
        "{outcome:?}"
    );
    rig.picture(1, 0, 0, &plain_picture(60, 40, [1, 2, 3]));
    assert_eq!(rig.shown(1).pixel(59, 39), [1, 2, 3, 255]);
}

fn a_picture_of_another_size_is_scaled(renderer: RendererChoice) {
    let mut rig = Rig::offscreen(renderer);
    rig.resize(1, 60, 40);
    // A gradient stays one: each channel grows evenly.
    let ramp: Vec<u8> = (0..10).flat_map(|y| (0..20).flat_map(move |x| [x * 10, y * 20, 7, 0])).collect();
    let size = Size { width: 20, height: 10 };
    let ramp = Picture::packed(size, PixelFormat::Rgbx, 80, Payload::from(ramp)).expect("a valid picture");
    let rect = Rect { x: 0, y: 0, width: 60, height: 40 };
    rig.draw(1, rect, DrawContent::Picture(ramp), 0);
    let shown = rig.shown(1);
    for y in 0..40 {
        for x in 0..60 {
            let red = ((x as f32 + 0.5) / 3.0 - 0.5).clamp(0.0, 19.0) * 10.0;
            let green = ((y as f32 + 0.5) / 4.0 - 0.5).clamp(0.0, 9.0) * 20.0;
            let [got_red, got_green, ..] = shown.pixel(x, y);
            assert!((f32::from(got_red) - red).abs() <= 1.0, "{x},{y}: {got_red} for {red}");
            assert!((f32::from(got_green) - green).abs() <= 1.0, "{x},{y}: {got_green} for {green}");
        }
    }
    // The direct format is scaled too, and YUV.
    rig.draw(1, rect, DrawContent::Picture(plain_picture(7, 5, [200, 100, 50])), 0);
    let mut expected = Image::black(60, 40);
    expected.paint(0, 0, &plain_picture(60, 40, [200, 100, 50]));
    assert_eq!(rig.shown(1).max_error(&expected), 0);
    let yuv = yuv_picture(YuvFormat::I420, YuvMatrix::Bt601, false, 1, 1);
    let mut expected = Image::black(1, 1);
    expected.paint(0, 0, &yuv);
    rig.draw(1, rect, DrawContent::Picture(yuv), 0);
    let (got, wanted) = (rig.shown(1).pixel(59, 39), expected.pixel(0, 0));
    assert!(got.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 1), "{got:?} {wanted:?}");
}

/// Bytes by site and transform, and allocations, of one draw.
fn cost(rig: &mut Rig, x: i32, picture: &Picture) -> (u64, u64, u64) {
    rig.picture(1, x, 0, picture);
    let ledger = rig.done().trace.ledger;
    assert_eq!(ledger.copied_bytes(), ledger.copied_at(CopySite::Staging), "no other copies");
    (ledger.copied_bytes(), ledger.transformed_by(Transform::Convert), ledger.allocations)
}

#[test]
fn uploads_are_counted() {
    let mut rig = Rig::offscreen(RendererChoice::Wgpu);
    rig.resize(1, 100, 100);
    // Only the visible part of pixels that go straight into the backing.
    assert_eq!(cost(&mut rig, 0, &noise_picture(PixelFormat::Bgrx, 50, 10, 8)), (50 * 10 * 4, 0, 0));
    assert_eq!(cost(&mut rig, 90, &noise_picture(PixelFormat::Bgra, 50, 10, 8)), (10 * 10 * 4, 0, 0));
    // All bytes of others, and the staging buffer is made once.
    assert_eq!(cost(&mut rig, 0, &noise_picture(PixelFormat::Rgb, 33, 3, 2)), (101 * 3, 0, 1));
    assert_eq!(cost(&mut rig, 0, &noise_picture(PixelFormat::Rgb, 33, 3, 2)), (101 * 3, 0, 0));
    assert_eq!(cost(&mut rig, 0, &noise_picture(PixelFormat::Grey, 7, 1, 0)), (7, 0, 0));
}

#[test]
fn the_cpu_renderer_counts_copies_and_conversions() {
    let mut rig = Rig::offscreen(RendererChoice::Cpu);
    rig.resize(1, 100, 100);
    assert_eq!(cost(&mut rig, 0, &noise_picture(PixelFormat::Bgrx, 50, 10, 8)), (50 * 10 * 4, 0, 0));
    assert_eq!(cost(&mut rig, 90, &noise_picture(PixelFormat::Bgra, 50, 10, 8)), (10 * 10 * 4, 0, 0));
    assert_eq!(cost(&mut rig, 0, &noise_picture(PixelFormat::Rgb, 33, 3, 2)), (0, 33 * 3 * 4, 0));
    let yuv = yuv_picture(YuvFormat::I420, YuvMatrix::Bt601, false, 20, 10);
    assert_eq!(cost(&mut rig, 0, &yuv), (0, 20 * 10 * 4, 0));
    // Clipped YUV is made elsewhere first.
    assert_eq!(cost(&mut rig, 90, &yuv), (0, (20 + 10) * 10 * 4, 1));
    assert_eq!(cost(&mut rig, 90, &yuv), (0, (20 + 10) * 10 * 4, 0));
}
