//! Layer 3: the command line: arguments, the commands that open no window, and what they print.

pub mod args;
#[cfg(unix)]
pub mod askpass;
#[cfg_attr(not(feature = "bench"), path = "no_bench.rs")]
pub mod bench;
pub mod command;
#[cfg(target_os = "linux")]
pub mod core_dumps;
pub mod demo;
mod grab;
pub mod help;
pub mod info;
#[cfg(unix)]
pub mod list;
pub mod nearby;
pub mod output;
pub mod record;
pub mod relevant;
pub mod replay;
pub mod screenshot;
pub mod trust;

pub use args::{Invocation, RawArgs, UsageError};

use crate::headless::HeadlessError;
use crate::net::RecordingError;
use crate::player::PlayError;
use crate::session::CloseReason;
use screenshot::ScreenshotError;

/// Exit code of anything that has no code of its own.
pub const EXIT_OTHER: u8 = 1;
/// Exit code of a command line that was not understood.
pub const EXIT_USAGE: u8 = 2;

/// Why a command failed: one line for the user, and the exit code as `--help` documents it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub message: String,
    pub code: u8,
}

impl From<CloseReason> for Failure {
    fn from(reason: CloseReason) -> Self {
        Self { message: reason.to_string(), code: reason.exit_code() }
    }
}

impl From<HeadlessError> for Failure {
    fn from(error: HeadlessError) -> Self {
        match error {
            HeadlessError::Closed(reason) => reason.into(),
            error => Self { message: error.to_string(), code: EXIT_OTHER },
        }
    }
}

impl From<ScreenshotError> for Failure {
    fn from(error: ScreenshotError) -> Self {
        match error {
            ScreenshotError::Headless(error) => error.into(),
            error => Self { message: error.to_string(), code: EXIT_OTHER },
        }
    }
}

impl From<RecordingError> for Failure {
    fn from(error: RecordingError) -> Self {
        Self { message: error.to_string(), code: EXIT_OTHER }
    }
}

impl From<PlayError> for Failure {
    fn from(error: PlayError) -> Self {
        Self { message: error.to_string(), code: EXIT_OTHER }
    }
}

impl From<bench::BenchError> for Failure {
    fn from(error: bench::BenchError) -> Self {
        Self { message: error.to_string(), code: EXIT_OTHER }
    }
}

impl From<UsageError> for Failure {
    fn from(error: UsageError) -> Self {
        Self { message: error.to_string(), code: EXIT_USAGE }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { message: format!("{error:#}"), code: EXIT_OTHER }
    }
}
