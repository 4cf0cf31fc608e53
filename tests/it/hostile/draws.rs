//! Draws of every still encoding with wrong sizes, rows, scales, options and data, and `scroll`.

use farpane::geometry::Size;
use farpane::protocol::packet::Value;

use super::peer::{self, BAD_SIZE, Draw};
use super::{Case, Right, case, raw};
use crate::support::samples;

/// The encodings of pictures that stand alone, by their names on the wire.
const STILL: [&str; 7] = ["rgb24", "rgb32", "png", "png/P", "png/L", "jpeg", "webp"];
/// Those with a size of their own.
const FILES: [&str; 5] = ["png", "png/P", "png/L", "jpeg", "webp"];

/// A valid picture of the encoding.
pub fn picture(encoding: &str, width: u32, height: u32) -> Vec<u8> {
    let size = Size { width, height };
    let rgba = samples::photo(size, 0);
    match encoding {
        "rgb24" => samples::without_alpha(&rgba),
        "rgb32" => rgba,
        "jpeg" => samples::jpeg(size, &rgba, turbojpeg::Subsamp::Sub2x2),
        "webp" => samples::webp(size, &rgba, false),
        "png/L" => {
            let grey = vec![7; (width * height) as usize];
            samples::png(size, png::ColorType::Grayscale, png::BitDepth::Eight, &[], &grey)
        }
        "png/P" => {
            let indices = vec![0; (width * height) as usize];
            samples::png(size, png::ColorType::Indexed, png::BitDepth::Eight, &[1, 2, 3], &indices)
        }
        _ => samples::png(size, png::ColorType::Rgba, png::BitDepth::Eight, &[], &rgba),
    }
}

fn refused(name: String, draw: Draw) -> Case {
    case(name, Right::Refused, move |peer| peer.draw(&draw))
}

fn shown(name: &str, draw: Draw) -> Case {
    case(name, Right::Shown, move |peer| peer.draw(&draw))
}

fn answered(name: String, draw: Draw) -> Case {
    case(name, Right::Answered, move |peer| peer.draw(&draw))
}

fn scroll(rects: &[[i64; 6]]) -> Draw {
    let rects = rects.iter().map(|rect| raw::list(rect)).collect();
    Draw { data: Value::List(rects), ..Draw::with("scroll", BAD_SIZE, Vec::new()) }
}

/// The cases.
pub fn table() -> Vec<Case> {
    let mut table = Vec::new();
    sizes(&mut table);
    data(&mut table);
    rows(&mut table);
    packed(&mut table);
    scrolls(&mut table);
    table
}

fn sizes(table: &mut Vec<Case>) {
    for encoding in STILL {
        let small = || picture(encoding, 32, 32);
        for size in [(0, 0), (0, 32), (32, 0)] {
            table
                .push(refused(format!("{encoding} of {size:?} pixels"), Draw::with(encoding, size, small())));
        }
        for size in [(16_385, 1), (1, 65_535), (65_535, 65_535), (16_000, 16_000), (8_000, 1_080)] {
            table
                .push(refused(format!("{encoding} of {size:?} pixels"), Draw::with(encoding, size, small())));
        }
    }
    for encoding in FILES {
        let small = picture(encoding, 32, 32);
        let over = Draw::with(encoding, (16, 32), small.clone());
        table.push(refused(format!("{encoding}: a picture wider than the draw"), over));
        let told = Draw::with(encoding, (16, 16), small.clone()).option("scaled_size", raw::list(&[32, 32]));
        table.push(refused(format!("{encoding}: a scaled size larger than the draw"), told));
        let huge = Draw::with(encoding, (32, 32), small.clone());
        let huge = huge.option("scaled_size", raw::list(&[65_535, 65_535]));
        table.push(refused(format!("{encoding}: a scaled size of 65535 x 65535"), huge));
        // Scaled up over the whole desktop, of which the window shows a little.
        let large = Draw::with(encoding, (1920, 1080), small);
        table.push(answered(format!("{encoding}: scaled far beyond the window"), large));
        let large =
            Draw { at: (-900, -900), ..Draw::with(encoding, (1920, 1080), picture(encoding, 1920, 1080)) };
        table.push(answered(format!("{encoding}: larger than the window, from outside"), large));
    }
    for at in [(i64::from(i32::MIN), 0), (0, i64::from(i32::MAX)), (5_000, 5_000)] {
        let draw = Draw { at, ..Draw::with("rgb32", (32, 32), picture("rgb32", 32, 32)) };
        table.push(answered(format!("a draw at {at:?}"), draw));
    }
    let unknown = Draw { wid: 77, ..Draw::with("png", (32, 32), picture("png", 32, 32)) };
    table.push(refused("a draw for a window that is none".into(), unknown));
    let upper = Draw { wid: i64::MAX, ..Draw::with("png", (32, 32), picture("png", 32, 32)) };
    table.push(refused("a draw for the largest window number".into(), upper));
}

fn data(table: &mut Vec<Case>) {
    for encoding in STILL {
        let whole = picture(encoding, 32, 32);
        let half = Draw::with(encoding, (32, 32), whole[..whole.len() / 2].to_vec());
        table.push(refused(format!("{encoding}: half of the data"), half));
        let none = Draw::with(encoding, (32, 32), Vec::new());
        table.push(refused(format!("{encoding}: no data"), none));
        let list = Draw { data: raw::list(&[1, 2, 3]), ..Draw::with(encoding, (32, 32), Vec::new()) };
        table.push(refused(format!("{encoding}: a list in place of data"), list));
    }
    for encoding in FILES {
        let garbage = Draw::with(encoding, (32, 32), vec![0xaa; 1000]);
        table.push(refused(format!("{encoding}: no picture"), garbage));
        let other = if encoding == "jpeg" { "webp" } else { "jpeg" };
        let other = Draw::with(encoding, (32, 32), picture(other, 32, 32));
        table.push(refused(format!("{encoding}: a picture of another kind"), other));
    }
    for encoding in ["avif", "vp8", "vp9", "av1", "h265", "mmap", "", "rgb", "PNG", "jpega"] {
        table.push(refused(
            format!("an encoding called {encoding:?}"),
            Draw::with(encoding, (32, 32), vec![1; 64]),
        ));
    }
    let long = Draw::with("rgb32", (32, 32), vec![1; 32 * 32 * 4 + 4096]);
    table.push(refused("rgb32: more data than pixels".into(), long));
    for csc in [Value::Int(5), "x".repeat(1000).into()] {
        let draw = Draw::with("rgb32", (32, 32), picture("rgb32", 32, 32)).option("csc", csc.clone());
        table.push(shown(&format!("colours called {:.20}", format!("{csc:?}")), draw));
    }
    let format = Draw::with("rgb32", (32, 32), picture("rgb32", 32, 32)).option("rgb_format", "YUV9");
    table.push(refused("rgb32: a pixel format that is none".into(), format));
}

fn rows(table: &mut Vec<Case>) {
    let pixels = || picture("rgb32", 32, 32);
    for rowstride in [1, 127, 128 + 4097, 1 << 20, 250_000_000, i64::from(u32::MAX)] {
        let draw = Draw::with("rgb32", (32, 32), pixels()).rowstride(rowstride);
        table.push(refused(format!("rgb32: rows of {rowstride} bytes"), draw));
    }
    let one = Draw::with("rgb32", (1, 1), vec![1; 4]).rowstride(250_000_000);
    table.push(refused("rgb32: one pixel in a row of 250 MB".into(), one.clone()));
    let packed = Draw { data: Value::Bytes(samples::lz4(&vec![0; 4096])), ..one.clone() };
    table.push(refused("rgb32 with lz4: one pixel in a row of 250 MB".into(), packed.option("lz4", 1)));
    let packed = Draw { data: Value::Bytes(samples::zlib(&[0; 4])), ..one };
    table.push(refused("rgb32 with zlib: one pixel in a row of 250 MB".into(), packed.option("zlib", 1)));
    let tall = Draw::with("rgb24", (1, 16_384), vec![0; 3 * 16_384]).rowstride(4096);
    table.push(refused("rgb24: a column of long rows".into(), tall));
    let padded = vec![0; (128 + 4096) * 32];
    table.push(shown(
        "rgb32: rows with 4 KiB behind each",
        Draw::with("rgb32", (32, 32), padded).rowstride(128 + 4096),
    ));
}

fn packed(table: &mut Vec<Case>) {
    let with =
        |compressor: &'static str, data: Vec<u8>| Draw::with("rgb32", (32, 32), data).option(compressor, 1);
    let right = picture("rgb32", 32, 32);
    let mut lies = samples::lz4(&right);
    for size in [0, 1, 4095, 4097, 1 << 28, u32::MAX] {
        lies[..4].copy_from_slice(&size.to_le_bytes());
        table.push(refused(format!("rgb32 with lz4 that says {size} bytes"), with("lz4", lies.clone())));
    }
    table.push(refused("rgb32 with lz4: no block".into(), with("lz4", vec![0xff; 900])));
    table.push(refused("rgb32 with lz4: two bytes".into(), with("lz4", vec![0; 2])));
    let mut cut = samples::lz4(&right);
    cut.truncate(cut.len() / 2);
    table.push(refused("rgb32 with lz4: half a block".into(), with("lz4", cut)));
    table.push(refused("rgb32 with lz4: 64 MB of zeros".into(), with("lz4", raw::bomb::lz4(64 << 20))));
    table.push(refused("rgb32 with zlib: no stream".into(), with("zlib", vec![0xaa; 900])));
    table.push(refused("rgb32 with zlib: 64 MB of zeros".into(), with("zlib", raw::bomb::zlib(64 << 20))));
    let mut cut = samples::zlib(&right);
    cut.truncate(cut.len() / 2);
    table.push(refused("rgb32 with zlib: half a stream".into(), with("zlib", cut)));
    table.push(refused("rgb32 with lzo".into(), with("lzo", vec![1; 900])));
    let both = with("lz4", samples::lz4(&right)).option("zlib", 1);
    table.push(answered("rgb32 with lz4 and zlib at once".into(), both));
    // Animations, and pictures that are mostly something else.
    let mut apng = picture("png", 32, 32);
    let bytes = apng.len() as u32;
    apng[16..20].copy_from_slice(&(bytes << 8).to_be_bytes());
    table.push(refused(
        "png: a header that is not what its checksum says".into(),
        Draw::with("png", (32, 32), apng),
    ));
    let deep = {
        let size = Size { width: 1800, height: 1000 };
        samples::png(size, png::ColorType::Rgba, png::BitDepth::Sixteen, &[], &vec![0; 1800 * 1000 * 8])
    };
    table.push(answered(
        "png: 16 bits a channel, beyond the window".into(),
        Draw::with("png", (1800, 1000), deep),
    ));
    let lossless = samples::webp(Size { width: 1800, height: 1000 }, &vec![9; 1800 * 1000 * 4], true);
    table.push(answered(
        "webp: lossless, beyond the window".into(),
        Draw::with("webp", (1800, 1000), lossless),
    ));
}

fn scrolls(table: &mut Vec<Case>) {
    let (width, height) = BAD_SIZE;
    let nearly = [0, 0, width - 1, height - 1, 1, 1];
    table.push(refused("scroll of nothing".into(), scroll(&[])));
    table.push(refused("scroll of 1001 rectangles".into(), scroll(&[[0, 0, 1, 1, 1, 1]; 1001])));
    table.push(refused("scroll of 100 rectangles, each nearly the window".into(), scroll(&[nearly; 100])));
    let desktop = [0, 0, 1919, 1079, 1, 1];
    table.push(refused("scroll of 100 rectangles, each nearly the desktop".into(), scroll(&[desktop; 100])));
    table.push(refused("scroll of 1000 rectangles, each nearly the window".into(), scroll(&[nearly; 1000])));
    // What servers do where many lines look the same.
    table.push(shown("scroll of three times the window", scroll(&[nearly; 3])));
    let edge = i64::from(i32::MAX);
    for rect in [[0, 0, 0, 0, 1, 1], [0, 0, edge, edge, 1, 1], [edge, edge, edge, edge, -1, -1]] {
        table.push(refused(format!("scroll of {rect:?}"), scroll(&[rect])));
    }
    for rect in [
        [-edge, -edge, 10, 10, edge, edge],
        [0, 0, 10, 10, -edge - 1, edge],
        [5, 5, 10, 10, 0, 0],
        [390, 290, 100, 100, -50, -50],
    ] {
        table.push(answered(format!("scroll of {rect:?}"), scroll(&[rect])));
    }
    let option = Draw::with("scroll", BAD_SIZE, Vec::new());
    let option = option.option("scroll", Value::List(vec![raw::list(&nearly); 100]));
    table.push(refused("scroll in the options, 100 times the window".into(), option));
}

#[test]
fn are_refused_and_the_session_goes_on() {
    peer::play(&table());
}
