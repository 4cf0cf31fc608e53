//! The program as ssh starts it, to ask a question (`SSH_ASKPASS`).

use std::path::Path;
use std::process::ExitCode;

use super::output;
use crate::net::ssh::{self, ASKPASS_VARIABLE};

/// Passes a question of ssh's on to the `farpane` that started ssh, and prints the answer; `None` if ssh did not start
/// this process. Without an answer the exit code says so.
pub fn run() -> Option<ExitCode> {
    let socket = std::env::var_os(ASKPASS_VARIABLE)?;
    let prompt = std::env::args_os().nth(1).unwrap_or_default();
    match ssh::askpass(Path::new(&socket), &prompt.to_string_lossy()) {
        Ok(Some(answer)) => {
            output::line(answer.expose());
            Some(ExitCode::SUCCESS)
        }
        Ok(None) => Some(ExitCode::FAILURE),
        Err(error) => {
            output::error(&format!("the question cannot be passed on: {error}"));
            Some(ExitCode::FAILURE)
        }
    }
}
