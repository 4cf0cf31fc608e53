//! Lists the sessions that run on this machine, or at the other end of ssh.

use std::process::{Command, Stdio};

use super::{Failure, output};
use crate::app::connect::local_sessions;
use crate::config::Config;
use crate::net::Endpoint;
use crate::net::ssh::command::{self, MARKER};
use crate::protocol::text;
use crate::session::CloseReason;

/// Characters of a line of a list, and lines.
const MAX_LINE: usize = 300;
const MAX_LINES: usize = 1000;

/// Prints the sessions of this machine, one a line: display, number of windows, name.
pub fn here() {
    let sessions = local_sessions();
    if sessions.is_empty() {
        output::progress("no session runs on this machine");
    }
    for session in sessions {
        let windows = session.windows.map_or_else(|| "-".to_owned(), |count| count.to_string());
        let name = text::shown(&session.name, MAX_LINE);
        output::line(format!(":{:<12} {windows:>3} windows  {name}", session.display).trim_end());
    }
}

/// Prints what `xpra list` says at the other end of ssh. ssh asks on the terminal, if there is one.
///
/// # Errors
/// If the address is no ssh one, or the list cannot be had.
pub fn there(config: &Config) -> Result<(), Failure> {
    let failed = |why: String| -> Failure { CloseReason::ConnectFailed(why).into() };
    let connection = &config.connection;
    let Endpoint::Ssh(at) = &connection.target.endpoint else {
        return Err(failed(
            "sessions are listed on this machine, or through ssh: farpane list ssh://HOST/".to_owned(),
        ));
    };
    let mark = "list";
    let remote = command::remote_command(&["list"], mark).map_err(|error| failed(error.to_string()))?;
    let user = connection.target.username.as_deref();
    let limit = connection.connect_timeout;
    let (program, arguments) = command::local(&connection.ssh, at, user, limit, remote)
        .map_err(|error| failed(error.to_string()))?;
    let ssh = Command::new(&program).args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let ssh = ssh.map_err(|error| failed(format!("`{program}` cannot be started: {error}")))?;
    let said = String::from_utf8_lossy(&ssh.stdout);
    let marker = format!("{MARKER}{mark}");
    let mut lines = said.lines().map(str::trim_end).skip_while(|line| **line != marker);
    if lines.next().is_none() {
        return Err(failed(format!("{} could not be asked: ssh's own words stand above", at.host)));
    }
    lines.take(MAX_LINES).for_each(|line| output::line(&text::shown(line, MAX_LINE)));
    Ok(())
}
