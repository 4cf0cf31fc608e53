//! h264: parameter sets that promise more than the draw, frames without what they refer to.

use farpane::geometry::Size;

use super::peer::{self, Draw};
use super::raw::ParameterSet;
use super::{Case, Right, case, raw};
use crate::support::samples;

const SIZE: Size = Size { width: 64, height: 64 };

/// Key frames of 1920 x 1072 pixels of streams with 16 reference frames: `tests/golden/h264/make.py`.
const BASELINE_16: &[u8] = include_bytes!("../../golden/h264/sixteen-references-baseline.h264");
const HIGH_16: &[u8] = include_bytes!("../../golden/h264/sixteen-references-high.h264");

fn draw(data: Vec<u8>) -> Draw {
    Draw::with("h264", (64, 64), data).option("csc", "YUV420P").option("frame", 0).option("type", "IDR")
}

/// The cases.
pub fn table() -> Vec<Case> {
    let film = samples::h264(SIZE, 3);
    let refused = |name: &str, data: Vec<u8>| {
        let draw = draw(data);
        case(format!("h264: {name}"), Right::Refused, move |peer| peer.draw(&draw))
    };
    // In front of a key frame that is right.
    let with = |name: &str, set: ParameterSet| refused(name, [set.bytes(), film[0].clone()].concat());
    // Behind it.
    let after = |name: &str, set: ParameterSet| refused(name, [film[0].clone(), set.bytes()].concat());
    let set = || ParameterSet::default();
    let mut table = vec![
        refused("no data", Vec::new()),
        refused("no video", vec![0xaa; 2000]),
        refused("a start code and no more", vec![0, 0, 0, 1]),
        refused("a frame that refers to another", film[1].clone()),
        refused("half a key frame", film[0][..film[0].len() / 2].to_vec()),
        with("a picture of 4096 x 2304", ParameterSet { size: (256, 144), ..set() }),
        with("a picture of 16384 x 16384", ParameterSet { size: (1024, 1024), ..set() }),
        with("a picture of a million blocks a side", ParameterSet { size: (1 << 20, 1 << 20), ..set() }),
        with(
            "a picture of 4096 x 2304, cropped to the draw",
            ParameterSet { size: (256, 144), crop: ((4096 - 64) / 2, (2304 - 64) / 2), ..set() },
        ),
        with("a picture cropped to less than nothing", ParameterSet { crop: (400, 400), ..set() }),
        with("a picture smaller than the draw", ParameterSet { size: (2, 2), ..set() }),
        with("17 reference frames", ParameterSet { references: 17, ..set() }),
        with("60000 reference frames", ParameterSet { references: 60_000, ..set() }),
        with("colours at full size", ParameterSet { profile: 244, chroma_format: 3, ..set() }),
        with("colours at half size", ParameterSet { profile: 100, chroma_format: 2, ..set() }),
        with("no colours", ParameterSet { profile: 100, chroma_format: 0, ..set() }),
        after("a second parameter set for 4096 x 2304", ParameterSet { size: (256, 144), ..set() }),
        after("a second parameter set with 17 reference frames", ParameterSet { references: 17, ..set() }),
        with("a layer above of 4096 x 2304", ParameterSet { unit: 15, size: (256, 144), ..set() }),
        refused("a parameter set that is cut", {
            let bytes = set().bytes();
            [bytes[..bytes.len() - 2].to_vec(), film[0].clone()].concat()
        }),
    ];
    let large = samples::h264(Size { width: 640, height: 480 }, 1).remove(0);
    table.push(refused("a key frame of another size", large));
    for size in [(65_535, 65_535), (16_384, 16_384), (0, 0)] {
        let draw = Draw { size, ..draw(film[0].clone()) };
        table.push(case(format!("h264 of {size:?} pixels"), Right::Refused, move |peer| peer.draw(&draw)));
    }
    let scaled = draw(film[0].clone()).option("scaled_size", raw::list(&[4096, 4096]));
    table.push(case("h264: a scaled size larger than the draw", Right::Refused, move |peer| {
        peer.draw(&scaled)
    }));
    let none = draw(film[0].clone()).option("scaled_size", raw::list(&[0, 0]));
    table.push(case("h264: a scaled size of nothing", Right::Refused, move |peer| peer.draw(&none)));
    // Each frame begins a stream anew.
    let again = draw(film[0].clone());
    table.push(case("h264: 200 streams one after the other", Right::Shown, move |peer| {
        (0..200).for_each(|_| peer.draw(&again));
    }));
    let many = draw(film[0].clone());
    table.push(case("h264: a stream in each of 300 windows", Right::Shown, move |peer| {
        (300..600).for_each(|wid| peer.send(&raw::window(wid, 64, 64, &[])));
        (300..600).for_each(|wid| peer.draw(&Draw { wid, ..many.clone() }));
        peer.settle();
        (300..600).for_each(|wid| peer.send(&raw::ints("window-destroy", &[wid])));
    }));
    let full_hd = Size { width: 1920, height: 1072 };
    for (name, frame) in [
        ("of a whole desktop", samples::h264(full_hd, 1).remove(0)),
        ("with 16 reference frames", BASELINE_16.into()),
        ("with 16 reference frames, of the High profile,", HIGH_16.into()),
    ] {
        let name = format!("h264: streams {name} in 12 windows at once, twice");
        table.push(case(name, Right::Answered, move |peer| {
            (400..412).for_each(|wid| peer.send(&raw::window(wid, 1920, 1072, &[])));
            for wid in (400..412).chain(400..412) {
                peer.draw(&Draw { wid, size: (1920, 1072), ..draw(frame.clone()) });
            }
            peer.settle();
            (400..412).for_each(|wid| peer.send(&raw::ints("window-destroy", &[wid])));
        }));
    }
    table.push(case("h264: a stream that wants 16 reference frames later", Right::Refused, {
        // Behind its picture.
        let late = ParameterSet { references: 16, ..set() }.bytes();
        let late = draw([film[0].clone(), late].concat());
        move |peer| peer.draw(&late)
    }));
    table
}

#[test]
fn is_refused_and_the_session_goes_on() {
    peer::play(&table());
}
