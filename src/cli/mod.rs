//! Layer 3: the command line: arguments, the commands that open no window, and what they print.

pub mod args;
pub mod output;

pub use args::{Invocation, RawArgs, UsageError};

/// Exit code of anything that has no code of its own.
pub const EXIT_OTHER: u8 = 1;
/// Exit code of a command line that was not understood.
pub const EXIT_USAGE: u8 = 2;
