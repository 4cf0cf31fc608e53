//! `farpane stop`, `exit` and `detach`: what is done with a session without showing it.

use std::time::Duration;

use super::output;
use crate::config::Config;
use crate::headless::{HeadlessClient, HeadlessError};
use crate::render::RenderOptions;
use crate::session::{CloseReason, Profile, SessionCommand};

/// How long all of it may take. The session has shorter limits of its own, with better words.
const LIMIT: Duration = Duration::from_secs(120);

/// Has the server do it, waits until it says that it did, and says so.
///
/// # Errors
/// If the server cannot be reached, lets nobody do that, or says nothing of it.
pub fn run(config: &Config, command: SessionCommand) -> Result<(), HeadlessError> {
    let mut client = HeadlessClient::start(config.net(Profile::Command(command)), RenderOptions::default())?;
    if let Err(error) = client.wait_for("the server's answer", LIMIT, |_| false)
        && !matches!(error, HeadlessError::Closed(CloseReason::User))
    {
        return Err(error);
    }
    let done = match command {
        SessionCommand::Stop => "the session has ended",
        SessionCommand::Exit => "the server has ended, its programs go on",
        SessionCommand::Detach => "nobody is attached any more",
    };
    output::progress(done);
    Ok(())
}
