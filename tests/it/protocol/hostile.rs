//! Random and mutated bytes: no panic, no allocation beyond the limits.

use farpane::fuzzing;
use farpane::protocol::Dialect;
use proptest::prelude::*;

use super::{draw, hello, now, server_bytes};
use crate::support::alloc::counted;

/// The oracles' record limit, times a small factor for growing buffers, plus the tape, the pools
/// and the decoders' own state.
const LARGEST_ALLOCATION: u64 = 20 << 20;

fn samples() -> Vec<Vec<u8>> {
    let mut samples = Vec::new();
    for dialect in [Dialect::Modern, Dialect::Legacy31, Dialect::Yaml] {
        for packet in [hello(), draw(5, vec![1; 300]), draw(6, vec![2; 3000])] {
            samples.push(server_bytes(dialect, &packet, true));
            samples.push(server_bytes(dialect, &packet, false));
        }
    }
    let goldens = [
        include_str!("../../golden/rencodeplus.json"),
        include_str!("../../golden/bencode.json"),
        include_str!("../../golden/yaml.json"),
    ];
    for vectors in goldens {
        let json: serde_json::Value = serde_json::from_str(vectors).expect("JSON");
        let hex = json["vectors"].as_array().expect("vectors").iter().rev().take(6);
        for text in hex.filter_map(|vector| vector["hex"].as_str()) {
            let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
            samples.push((0..text.len()).step_by(2).map(byte).collect());
        }
    }
    samples
}

#[track_caller]
fn survives(bytes: &[u8]) {
    let ((), allocations) = counted(|| {
        fuzzing::stream(bytes, now());
        fuzzing::packet(bytes);
        fuzzing::compressed(bytes);
    });
    assert!(allocations.largest <= LARGEST_ALLOCATION, "{allocations:?} for {} bytes", bytes.len());
}

/// What random bytes found once.
#[test]
fn found_before() {
    // Brotli with a window of 32 MB, which only its "large window" form has.
    survives(&[17, 153, 104, 0, 2]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        survives(&bytes);
    }

    #[test]
    fn records_with_random_headers_and_payloads(
        flags in prop::sample::select(vec![0u8, 0x10, 0x18, 0x02, 0x04]),
        compression in prop::sample::select(vec![0u8, 1, 0x11, 0x21, 0x41, 0x81]),
        index in 0u8..18,
        lie in any::<Option<u32>>(),
        payload in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let len = lie.unwrap_or(payload.len() as u32).to_be_bytes();
        let mut bytes = vec![b'P', flags, compression, index];
        bytes.extend(len);
        bytes.extend(payload);
        survives(&bytes);
    }

    #[test]
    fn mutated_packets(
        sample in prop::sample::select(samples()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let mut bytes = sample;
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        survives(&bytes);
    }
}
