//! `farpane stop`, `exit` and `detach`: what is done with a session without showing it.

use std::time::Duration;

use super::output;
use crate::channel::clock;
use crate::config::Config;
use crate::headless::{HeadlessClient, HeadlessError};
use crate::net::{Endpoint, local};
use crate::render::RenderOptions;
use crate::session::{CloseReason, Profile, SessionCommand};

/// How long all of it may take. The session has shorter limits of its own, with better words.
const LIMIT: Duration = Duration::from_secs(120);

/// How long a server of this machine may take to end after its goodbye. It took up to a second (3.1.3, 6.5.5).
const GONE_LIMIT: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Waits until nobody listens for a session of this machine any more: what comes next may want its display.
fn wait_gone(endpoint: &Endpoint) {
    let sockets = match endpoint {
        Endpoint::Display(display) => local::socket_candidates(display),
        Endpoint::Unix(path) => vec![path.clone()],
        _ => return,
    };
    let until = clock::now() + GONE_LIMIT;
    while clock::now() < until && local::is_live(&sockets) {
        std::thread::sleep(LOOK_AGAIN);
    }
}

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
    if command != SessionCommand::Detach {
        wait_gone(&config.connection.target.endpoint);
    }
    let done = match command {
        SessionCommand::Stop => "the session has ended",
        SessionCommand::Exit => "the server has ended, its programs go on",
        SessionCommand::Detach => "nobody is attached any more",
    };
    output::progress(done);
    Ok(())
}
