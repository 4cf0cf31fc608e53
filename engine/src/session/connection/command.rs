//! A connection that only tells the server to do something with the session ([`Profile::Command`]).
//!
//! 6.5.5 does it when it reads hello and answers with its goodbye; 3.1.3 lets the client in and waits for a packet.

use super::CloseReason;
use crate::protocol::packet::Dict;
use crate::protocol::packet::connection::ToServer;
use crate::session::config::{Profile, SessionCommand};
use crate::session::event::Output;
use crate::session::server_info::can_stop;

/// The server let us in.
///
/// # Errors
/// If it does not let clients stop it.
pub fn accepted(command: SessionCommand, hello: &Dict, out: &mut Vec<Output>) -> Result<(), CloseReason> {
    let packet = match command {
        SessionCommand::Stop if can_stop(hello) == Some(false) => {
            let words = "it does not let its clients stop it: run `xpra stop` on its machine";
            return Err(CloseReason::Server(words.to_owned()));
        }
        SessionCommand::Stop => ToServer::StopServer,
        SessionCommand::Exit => ToServer::ExitServer,
        // Done by now: its goodbye is on its way.
        SessionCommand::Detach => return Ok(()),
    };
    out.push(Output::Send(packet.into()));
    Ok(())
}

/// Whether this goodbye says that the command was carried out: then the connection has done what it is for.
pub fn done(profile: Profile, reasons: &[String]) -> Option<CloseReason> {
    let Profile::Command(command) = profile else { return None };
    let first = reasons.first()?.to_lowercase().replace(['_', '-'], " ");
    let is_done = match command {
        SessionCommand::Stop => first.starts_with("server shutdown"),
        // 6.5.5 says "server shutdown" here too.
        SessionCommand::Exit => first.starts_with("server exit") || first.starts_with("server shutdown"),
        SessionCommand::Detach => first.starts_with("done"),
    };
    is_done.then_some(CloseReason::User)
}
