//! One fuzz target under libFuzzer: the one that `FARPANE_FUZZ` names. Started by `run.sh`.
#![no_main]

mod targets;

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

static TARGET: OnceLock<fn(&[u8])> = OnceLock::new();

/// The target of this run.
fn target() -> fn(&[u8]) {
    let name = std::env::var("FARPANE_FUZZ").unwrap_or_default();
    let found = targets::ALL.iter().find(|target| target.name == name);
    found.unwrap_or_else(|| panic!("FARPANE_FUZZ is {name:?}, which is no fuzz target")).run
}

fuzz_target!(|bytes: &[u8]| TARGET.get_or_init(target)(bytes));
