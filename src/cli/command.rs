//! `farpane stop`, `exit` and `detach`: what is done with a session without showing it.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use super::output;
use crate::channel::clock;
use crate::config::Config;
use crate::headless::{HeadlessClient, HeadlessError};
use crate::net::{Endpoint, HostPort, local};
use crate::render::RenderOptions;
use crate::session::{CloseReason, Profile, SessionCommand};

/// How long all of it may take. The session has shorter limits of its own, with better words.
const LIMIT: Duration = Duration::from_secs(120);

/// How long a server may take to end after its goodbye. It took up to a second (3.1.3, 6.5.5).
const GONE_LIMIT: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Who is silent for so long is gone.
const CONNECT_LIMIT: Duration = Duration::from_millis(500);

/// Waits until nobody listens for the session any more: what comes next may want its display or port. What lies behind a
/// proxy, ssh or UDP is not looked at.
fn wait_gone(config: &Config) {
    let connection = &config.connection;
    let is_live: Box<dyn Fn() -> bool> = match &connection.target.endpoint {
        Endpoint::Display(display) => {
            let sockets = local::socket_candidates(display);
            Box::new(move || local::is_live(&sockets))
        }
        Endpoint::Unix(path) => Box::new(|| local::is_live(std::slice::from_ref(path))),
        Endpoint::Tcp(at) | Endpoint::Tls(at) | Endpoint::WebSocket { at, .. }
            if connection.proxy.is_none() =>
        {
            Box::new(|| answers(at))
        }
        _ => return,
    };
    let until = clock::now() + GONE_LIMIT;
    while clock::now() < until && is_live() {
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// Whether somebody listens there.
fn answers(at: &HostPort) -> bool {
    let addresses = (at.host.as_str(), at.port).to_socket_addrs();
    addresses.into_iter().flatten().any(|address| TcpStream::connect_timeout(&address, CONNECT_LIMIT).is_ok())
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
        wait_gone(config);
    }
    let done = match command {
        SessionCommand::Stop => "the session has ended",
        SessionCommand::Exit => "the server has ended, its programs go on",
        SessionCommand::Detach => "nobody is attached any more",
    };
    output::progress(done);
    Ok(())
}
