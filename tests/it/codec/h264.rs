//! Video: films of openh264's encoder, and of Xpra's own.

use std::io::Write as _;

use farpane::codec::{Coded, DecodeError, PictureRef, PixelsRef, VideoDecoder, YuvMatrix, reference};
use farpane::geometry::Size;
use farpane::protocol::packet::ShortName;
use farpane::protocol::packet::draw::{DrawOptions, Encoding};
use farpane::stats::{CopyLedger, Transform};
use openh264::encoder::VuiConfig;

use crate::support::samples::{self, payload, photo, psnr};

const VIDEO: Size = Size { width: 96, height: 64 };

/// A key frame of 1920 x 1072 pixels of a stream with 16 reference frames: `tests/golden/h264/make.py`.
const BASELINE_16: &[u8] = include_bytes!("../../golden/h264/sixteen-references-baseline.h264");

pub fn video_options(frame: u64) -> DrawOptions {
    DrawOptions { frame: Some(frame), csc: ShortName::new("YUV420P"), ..DrawOptions::default() }
}

fn play<'a>(
    decoder: &'a mut VideoDecoder,
    size: Size,
    options: &DrawOptions,
    unit: &[u8],
) -> Result<Option<PictureRef<'a>>, DecodeError> {
    let data = payload(unit.to_vec());
    let coded = Coded { encoding: Encoding::H264, data: &data, size, rowstride: 0, options };
    decoder.decode(&coded, &mut CopyLedger::default())
}

#[test]
fn h264_film() {
    let mut decoder = VideoDecoder::default();
    for (frame, unit) in (0..).zip(samples::h264(VIDEO, 5)) {
        let picture = play(&mut decoder, VIDEO, &video_options(frame), &unit);
        let picture = picture.expect("a valid frame").expect("a picture a frame");
        let original = photo(VIDEO, u32::try_from(frame).expect("few frames"));
        let quality = psnr(&reference::to_rgba(picture), &original);
        assert!(quality > 30.0, "frame {frame}: {quality} dB");
    }
}

#[test]
fn h264_planes_are_not_copied() {
    let unit = payload(samples::h264(VIDEO, 1).remove(0));
    let options = video_options(0);
    let coded = Coded { encoding: Encoding::H264, data: &unit, size: VIDEO, rowstride: 0, options: &options };
    let mut ledger = CopyLedger::default();
    let mut decoder = VideoDecoder::default();
    let picture = decoder.decode(&coded, &mut ledger).expect("a valid frame").expect("a picture");
    assert_eq!(picture.data_len(), 96 * 64 * 3 / 2);
    let decoded = reference::to_rgba(picture);
    assert_eq!(reference::to_rgba(decoder.picture().expect("the same")), decoded);
    assert_eq!(ledger.copied_bytes(), 0);
    assert_eq!(ledger.transformed_by(Transform::Decode), 96 * 64 * 3 / 2);
}

#[test]
fn h264_recovers_at_the_next_key_frame() {
    let film = samples::h264(VIDEO, 3);
    let mut decoder = VideoDecoder::default();
    assert!(play(&mut decoder, VIDEO, &video_options(1), &film[1]).is_err(), "no key frame yet");
    assert!(play(&mut decoder, VIDEO, &video_options(2), &film[2]).is_err(), "no key frame yet");
    assert!(play(&mut decoder, VIDEO, &video_options(3), &film[0]).expect("a key frame").is_some());
    assert!(play(&mut decoder, VIDEO, &video_options(4), &film[1]).expect("the next frame").is_some());
    // A new stream: what came before is forgotten.
    assert!(play(&mut decoder, VIDEO, &video_options(0), &film[2]).is_err());
}

#[test]
fn h264_size_and_range_follow_the_stream() {
    let larger = Size { width: 128, height: 64 };
    let mut decoder = VideoDecoder::default();
    let mut show = |size, options: &DrawOptions, unit: &[u8]| match play(&mut decoder, size, options, unit)
        .expect("a valid frame")
        .expect("a picture")
        .pixels
    {
        PixelsRef::Yuv(yuv) => (yuv.full_range, yuv.matrix),
        other => panic!("unexpected {other:?}"),
    };
    assert_eq!(show(VIDEO, &video_options(0), &samples::h264(VIDEO, 1)[0]), (false, YuvMatrix::Bt601));
    let film = samples::h264_described(larger, 3, VuiConfig::bt709_full());
    assert_eq!(show(larger, &video_options(7), &film[0]), (true, YuvMatrix::Bt709));
    assert_eq!(show(larger, &video_options(8), &film[1]), (true, YuvMatrix::Bt709));
    let limited = DrawOptions { full_range: Some(false), ..video_options(9) };
    assert_eq!(show(larger, &limited, &film[2]), (false, YuvMatrix::Bt709));

    let scaled = DrawOptions { scaled_size: Some((96, 64)), ..video_options(0) };
    let picture = play(&mut decoder, Size { width: 192, height: 128 }, &scaled, &samples::h264(VIDEO, 1)[0]);
    assert_eq!(picture.expect("a valid frame").map(|p| (p.width, p.height)), Some((96, 64)));
    let error = play(&mut decoder, VIDEO, &video_options(0), &film[0]).expect_err("another size");
    assert!(matches!(error, DecodeError::FrameSize { .. }), "{error}");
}

/// Draws as Xpra's encoders make them: `tests/golden/h264/make.py`.
fn golden_film(file: &[u8]) -> Vec<(DrawOptions, &[u8])> {
    let mut draws = Vec::new();
    let mut rest = file;
    while let Some((&[delayed, full_range, a, b, c, d], data)) = rest.split_first_chunk() {
        let (unit, after) = data.split_at(u32::from_le_bytes([a, b, c, d]) as usize);
        let options = DrawOptions {
            delayed: u32::from(delayed),
            full_range: Some(full_range != 0),
            ..video_options(draws.len() as u64)
        };
        draws.push((options, unit));
        rest = after;
    }
    draws
}

/// Pictures that Xpra's x264 makes of a window that flips: at the low quantisers of windows that seldom change,
/// the High profile's codes are longer than those that other profiles allow (`level_prefix`).
#[test]
fn h264_of_windows_that_flip_at_the_best_quality() {
    for (name, file) in [
        ("baseline", &include_bytes!("../../golden/h264/flip-baseline.draws")[..]),
        ("main", &include_bytes!("../../golden/h264/flip-main.draws")[..]),
        ("high, variable lengths", &include_bytes!("../../golden/h264/flip-high-cavlc.draws")[..]),
        ("high, arithmetic", &include_bytes!("../../golden/h264/flip-high-cabac.draws")[..]),
    ] {
        let mut decoder = VideoDecoder::default();
        for (frame, (options, unit)) in (0..).zip(golden_film(file)) {
            let picture = play(&mut decoder, VIDEO, &options, unit);
            let picture = picture.unwrap_or_else(|error| panic!("{name}, frame {frame}: {error}"));
            let quality = psnr(&reference::to_rgba(picture.expect("a picture a frame")), &flip(frame));
            assert!(quality > 38.0, "{name}, frame {frame}: {quality} dB");
        }
    }
}

/// The key frame of such a window, as 6.5.5 sent it to Farpane before it stopped asking for fast decoding: all of it
/// black. Recorded with `farpane record`; openh264 alone refuses it.
#[test]
fn h264_that_was_refused_once() {
    const WINDOW: Size = Size { width: 400, height: 300 };
    let film = golden_film(include_bytes!("../../golden/h264/recorded-6.5.5-flip.draws"));
    let [(options, unit)] = &film[..] else { panic!("one draw") };
    let mut alone = openh264::decoder::Decoder::new().expect("a decoder");
    assert!(alone.decode(unit).is_err(), "openh264 reads it now: is there need for another decoder?");
    let mut decoder = VideoDecoder::default();
    let picture = play(&mut decoder, WINDOW, options, unit).expect("a valid frame").expect("a picture");
    let shown = reference::to_rgba(picture);
    assert!(
        shown.chunks_exact(4).all(|pixel| pixel.iter().take(3).all(|value| *value < 4)),
        "{:?}",
        &shown[..8]
    );
}

/// Parameter sets with numbers that no stream may use would be kept without end.
#[test]
fn h264_parameter_sets_are_counted() {
    let film = golden_film(include_bytes!("../../golden/h264/x264-high.draws"));
    let (options, unit) = &film[0];
    // Picture parameter set 1000: Exp-Golomb 0000000001111101001.
    let with = |number: &[u8]| [&[0, 0, 0, 1, 0x68], number, &unit[..]].concat();
    let mut decoder = VideoDecoder::default();
    let refused = play(&mut decoder, VIDEO, options, &with(&[0x00, 0x7d, 0x3c, 0x80])).err();
    assert!(matches!(refused, Some(DecodeError::ParameterId)), "{refused:?}");
}

/// As `tests/golden/h264/make.py` has it.
fn flip(number: u32) -> Vec<u8> {
    let inside = |at: u32, end: u32| (8..end - 8).contains(&at);
    let pixel = |at: u32| {
        let (x, y) = (at % VIDEO.width, at / VIDEO.width);
        let is_line =
            inside(x, VIDEO.width) && inside(y, VIDEO.height) && (x * 7 + y * 13 + number * 31) % 5 < 2;
        let value = if is_line != (number % 2 == 1) { 255 } else { 0 };
        [value, value, value, 255]
    };
    (0..VIDEO.width * VIDEO.height).flat_map(pixel).collect()
}

/// Encoders that hold frames back without changing their order: each is shown when it comes.
#[test]
fn h264_that_comes_late_is_not_held_back_again() {
    let mut decoder = VideoDecoder::default();
    for (frame, (options, unit)) in
        (0..).zip(golden_film(include_bytes!("../../golden/h264/x264-high-delayed.draws")))
    {
        let picture = play(&mut decoder, VIDEO, &options, unit).expect("a valid frame");
        let shown = reference::to_rgba(picture.expect("a picture a frame"));
        let quality = psnr(&shown, &photo(VIDEO, frame));
        assert!(quality > 38.0, "frame {frame}: {quality} dB");
    }
}

#[test]
fn h264_of_xpras_own_encoders() {
    for (name, file) in [
        ("x264 baseline", &include_bytes!("../../golden/h264/x264-baseline.draws")[..]),
        ("x264 high", &include_bytes!("../../golden/h264/x264-high.draws")[..]),
        ("x264 high limited", &include_bytes!("../../golden/h264/x264-high-limited.draws")[..]),
        ("openh264", &include_bytes!("../../golden/h264/openh264.draws")[..]),
    ] {
        let mut decoder = VideoDecoder::default();
        for (frame, (options, unit)) in (0..).zip(golden_film(file)) {
            let picture = play(&mut decoder, VIDEO, &options, unit).expect("a valid frame");
            let shown = reference::to_rgba(picture.expect("a picture a frame"));
            let quality = psnr(&shown, &photo(VIDEO, frame));
            assert!(quality > 38.0, "{name}, frame {frame}: {quality} dB");
        }
    }
}

#[test]
fn h264_with_b_frames_shows_them_in_order_and_the_last_at_the_end() {
    for file in [
        &include_bytes!("../../golden/h264/x264-high-b-frames.draws")[..],
        &include_bytes!("../../golden/h264/x264-main-b-frames.draws")[..],
    ] {
        let mut decoder = VideoDecoder::default();
        let shown: Vec<Option<u32>> = golden_film(file)
            .iter()
            .map(|(options, unit)| {
                let picture = play(&mut decoder, VIDEO, options, unit).expect("a valid frame")?;
                let shown = reference::to_rgba(picture);
                (0..10).find(|frame| psnr(&shown, &photo(VIDEO, *frame)) > 44.0)
            })
            .collect();
        let expected =
            [None, Some(0), Some(1), Some(2), Some(3), Some(4), Some(5), Some(6), Some(7), Some(9)];
        assert_eq!(shown, expected);
    }
}

/// Says so many decoders of so large streams are to be measured, in a process of their own.
const MEASURE: &str = "FARPANE_TEST_DECODERS";

/// Bytes of memory that this process has.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a process's status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

/// Prints what one of the decoders takes.
fn measure_decoders(words: &str) {
    let mut numbers = words.split(' ').map(|number| number.parse::<u32>().expect("a number"));
    let [count, width, height, references] = std::array::from_fn(|_| numbers.next().expect("four numbers"));
    let size = Size { width, height };
    let film = if references == 1 { samples::h264(size, 3) } else { vec![BASELINE_16.into()] };
    let before = resident();
    let all: Vec<VideoDecoder> = (0..count)
        .map(|_| {
            let mut decoder = VideoDecoder::default();
            for (frame, unit) in (0..).zip(&film) {
                play(&mut decoder, size, &video_options(frame), unit).expect("a valid frame");
            }
            decoder
        })
        .collect();
    let taken = (resident() - before) / u64::from(count);
    writeln!(std::io::stdout(), "{taken} {}", all[0].memory_bytes()).expect("somebody reads it");
}

/// Room is made for a stream before its decoder exists.
#[test]
fn h264_takes_the_memory_that_is_expected() {
    let size = Size { width: 1920, height: 1072 };
    let frames: [(&str, &[u8]); 3] = [
        ("one reference frame", &samples::h264(size, 1).remove(0)),
        ("16 reference frames", BASELINE_16),
        ("16 of the High profile", include_bytes!("../../golden/h264/sixteen-references-high.h264")),
    ];
    for (name, frame) in frames {
        let (options, data) = (video_options(0), payload(frame.to_vec()));
        let coded = Coded { encoding: Encoding::H264, data: &data, size, rowstride: 0, options: &options };
        let mut decoder = VideoDecoder::default();
        play(&mut decoder, size, &options, frame).expect("a valid frame");
        assert_eq!(VideoDecoder::expected_bytes(&coded), decoder.memory_bytes(), "{name}");
        // A slice alone begins nothing.
        let slice = frame.windows(4).position(|start| start == [0, 0, 1, 0x65]).expect("a slice");
        let data = payload(frame[slice..].to_vec());
        assert_eq!(VideoDecoder::expected_bytes(&Coded { data: &data, ..coded }), 0, "{name}");
    }
}

#[test]
fn h264_takes_about_the_memory_that_is_counted() {
    if let Ok(words) = std::env::var(MEASURE) {
        return measure_decoders(&words);
    }
    for words in ["40 64 64 1", "20 320 240 1", "10 640 480 1", "6 1920 1072 1", "3 1920 1072 16"] {
        let mut child = std::process::Command::new(std::env::current_exe().expect("this program"));
        child.args(["--exact", "codec::h264::h264_takes_about_the_memory_that_is_counted", "--nocapture"]);
        let output = child.env(MEASURE, words).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let numbers = said.lines().find_map(|line| {
            let (taken, counted) = line.split_once(' ')?;
            Some((taken.parse::<u64>().ok()?, counted.parse::<u64>().ok()?))
        });
        let (taken, counted) = numbers.unwrap_or_else(|| panic!("{words}: {said}"));
        writeln!(std::io::stdout(), "{words}: {taken} {counted}").expect("somebody reads it");
        assert!(
            taken < counted * 11 / 10 && counted < taken * 2,
            "{words}: {taken} taken, {counted} counted"
        );
    }
}
