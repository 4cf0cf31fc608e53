//! `farpane list --mdns`: the sessions that announce themselves on the local network.

use super::{EXIT_OTHER, Failure, output};
use crate::net::nearby;

/// Looks for some seconds and prints those that answer, one a line: address, account and display, name, system.
///
/// # Errors
/// If the network cannot be listened to.
pub fn list() -> Result<(), Failure> {
    output::progress("looking for sessions on this network");
    let found = nearby::search().map_err(|error| Failure {
        message: format!("the network cannot be listened to for sessions: {error}"),
        code: EXIT_OTHER,
    })?;
    if found.is_empty() {
        output::progress("no session announces itself on this network (servers do so with --mdns=yes)");
    }
    for session in found {
        let address = session.address();
        let of = format!("{} {}", session.username, session.display);
        let line = format!("{address:<34} {:<20} {}  {}", of.trim(), session.name, session.platform);
        output::line(line.trim_end());
    }
    Ok(())
}
