//! The fuzz targets of `tests/fuzz` without a fuzzer: each is run with its corpus, and with changed inputs of it.

mod corpus;
mod mutate;
mod seeds;
#[path = "../fuzz/targets/mod.rs"]
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use farpane::protocol::limits::MAX_PAYLOAD;

use crate::support::alloc::counted;

use mutate::Mutator;
use targets::Target;

/// No input may make Farpane take more at once, in bytes: four times the largest picture that the targets ask for.
const LARGEST_ALLOCATION: u64 = 64 << 20;
/// A recording may hold pictures of any size, and is not looked at as a whole before.
const LARGEST_OF_A_RECORDING: u64 = MAX_PAYLOAD as u64 + (1 << 20);
/// The same changes each time: what nobody has changed does not fail. Others come with `FARPANE_FUZZ_SEED`.
const SEED: u64 = 0x4641_5250_414e_4531;

fn find(name: &str) -> &'static Target {
    targets::ALL.iter().find(|target| target.name == name).expect("a target of this name")
}

/// The target with its corpus, then with inputs that are made of it.
fn check(name: &str) {
    let target = find(name);
    let mut inputs = corpus::read(name);
    assert!(!inputs.is_empty(), "{name} has no corpus: tests/fuzz/run.sh");
    inputs.extend(seeds::of(name));
    for (number, input) in inputs.iter().enumerate() {
        run(target, input, || format!("input {number} of its corpus"));
    }
    let seed = std::env::var("FARPANE_FUZZ_SEED").map_or(SEED, |seed| seed.parse().expect("a number"));
    let mut mutator = Mutator::new(seed, &inputs, target.max_len);
    for number in 0..target.executions {
        let input = mutator.next_input();
        run(target, input, || format!("seed {seed}, input {number}"));
    }
}

/// One input. Where it fails it is kept, unless the process ends with it.
fn run(target: &Target, input: &[u8], which: impl Fn() -> String) {
    let result = catch_unwind(AssertUnwindSafe(|| counted(|| (target.run)(input)).1));
    let limit = if target.name == "recording" { LARGEST_OF_A_RECORDING } else { LARGEST_ALLOCATION };
    let why = match result {
        Ok(allocations) if allocations.largest <= limit => return,
        Ok(allocations) => format!("{} bytes at once", allocations.largest),
        Err(_) => "a panic, see above".to_owned(),
    };
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../test-artifacts");
    let file = folder.join(format!("fuzz-{}", target.name));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(&file, input).expect("a file");
    panic!("{}: {why}: {}, which is kept in {}", target.name, which(), file.display());
}

macro_rules! a_test_each {
    ($($test:ident: $name:literal),+ $(,)?) => {
        $(#[test]
        fn $test() {
            check($name);
        })+

        const TESTED: &[&str] = &[$($name),+];
    };
}

a_test_each! {
    records: "records",
    rencodeplus: "rencodeplus",
    bencode: "bencode",
    yaml: "yaml",
    compressed: "compressed",
    packets_draw: "packets-draw",
    packets_window: "packets-window",
    packets_pointer: "packets-pointer",
    packets_keyboard: "packets-keyboard",
    packets_connection: "packets-connection",
    packets_display: "packets-display",
    packets_clipboard: "packets-clipboard",
    session: "session",
    rgb: "rgb",
    png: "png",
    jpeg: "jpeg",
    webp: "webp",
    h264: "h264",
    scroll: "scroll",
    icon: "icon",
    websocket: "websocket",
    websocket_answer: "websocket-answer",
    url: "url",
    session_file: "session-file",
    configuration_file: "configuration-file",
    recording: "recording",
}

#[test]
fn every_target_has_a_test() {
    assert_eq!(targets::ALL.map(|target| target.name), *TESTED);
}

/// What a subject's target takes for its packets are the names of packets, each of that subject.
#[test]
fn the_names_of_packets_are_known() {
    for (subject, names) in seeds::SUBJECTS {
        assert!(!names.to_server.is_empty(), "{subject}");
        for name in names.to_client {
            assert!(seeds::is_read_of_a_server(name), "{subject}: {name}");
        }
        for name in names.to_server {
            assert!(seeds::is_read_of_a_client(name), "{subject}: {name}");
        }
    }
}
