//! `farpane bench` in a build without the feature `bench`, such as packages hold: says where to find it.

use clap::Args;

/// What was to be measured.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct RawBench {
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// Nothing can be measured.
#[derive(Debug, thiserror::Error)]
#[error(
    "this build has no benchmarks: packages leave them out; `cargo build --release` in Farpane's source makes one that has"
)]
pub struct BenchError;

/// Only fails.
///
/// # Errors
/// Always.
pub fn run(_bench: &RawBench) -> Result<(), BenchError> {
    Err(BenchError)
}
