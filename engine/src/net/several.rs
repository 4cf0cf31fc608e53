//! Several sessions behind one address: which one is wanted is asked, or how to write it is said.

use percent_encoding::utf8_percent_encode;

use super::links::Links;
use super::uri::{IN_PATH, Target};
use crate::channel::{AppEvent, NetCommand, clock};
use crate::session::{CloseReason, ConnectionEvent, ConnectionInput, Input, Setup};

/// Asks the user. Cancel-safe.
///
/// # Errors
/// How the session ends if none is wanted.
pub(super) async fn ask(
    displays: Vec<String>,
    links: &mut Links,
    setup: &mut Setup,
) -> Result<String, CloseReason> {
    let asks = ConnectionEvent::SeveralSessions { displays: displays.clone() };
    links.app.send(AppEvent::Session(asks.into()));
    loop {
        match links.queue.pop().await {
            NetCommand::Input(Input::Connection(ConnectionInput::Disconnect)) => {
                return Err(CloseReason::User);
            }
            NetCommand::Input(Input::Connection(ConnectionInput::Display(None))) => {
                return Err(CloseReason::User);
            }
            NetCommand::Input(Input::Connection(ConnectionInput::Display(Some(display))))
                if displays.contains(&display) =>
            {
                return Ok(display);
            }
            command => links.without_session(clock::now(), command, setup),
        }
    }
}

/// The end where nobody can be asked: which ones there are, and how to write one.
pub(super) fn refusal(target: &Target, displays: &[String]) -> CloseReason {
    let url = |display: &String| {
        let name = display.strip_prefix(':').unwrap_or(display);
        let target = Target { display: None, ..target.clone() };
        format!("{target}{}", utf8_percent_encode(name, IN_PATH))
    };
    let first = displays.first().map(url).unwrap_or_default();
    CloseReason::Server(format!(
        "it has several sessions, {}: write which one after the port, for example {first}",
        displays.join(", ")
    ))
}
