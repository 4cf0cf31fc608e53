//! Starts sessions on this machine, and lists those that run here or at the other end of ssh.

use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Failure, output};
use crate::app::connect::local_sessions;
use crate::channel::clock;
use crate::config::Config;
use crate::net::ssh::command::{self, MARKER};
use crate::net::{Endpoint, local};
use crate::protocol::text;
use crate::session::CloseReason;

/// How long a new session may take until it can be attached to.
const READY_LIMIT: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// xpra says on descriptor 3 which display it took; what else it says is for the user.
const START: &str = r#"exec xpra "$@" --daemon=yes --displayfd=3 3>&1 >&2"#;
/// Characters of a line of a list, and lines.
const MAX_LINE: usize = 300;
const MAX_LINES: usize = 1000;

/// Starts a session on this machine with its `xpra` (`command`: `start` or `start-desktop`) and waits until it can be
/// attached to. Gives its display's number.
///
/// # Errors
/// If there is no xpra, or it starts none.
pub fn here(command: &str, arguments: &[String], display: Option<&str>) -> Result<String, Failure> {
    let failed = |why: String| -> Failure { CloseReason::ConnectFailed(why).into() };
    let mut shell = Command::new("sh");
    shell.args(["-c", START, "sh", command]).args(arguments);
    if let Some(display) = display {
        shell.arg(command::display_argument(display).map_err(|error| failed(error.to_string()))?);
    }
    let started = shell.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let started = started.map_err(|error| failed(format!("xpra cannot be started: {error}")))?;
    let said = String::from_utf8_lossy(&started.stdout);
    let number = said.trim().trim_start_matches(':');
    if !started.status.success() || number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        let hint = match started.status.code() {
            Some(127) => "is xpra installed on this machine?",
            _ => "xpra's own words stand above",
        };
        return Err(failed(format!("no session was started ({hint})")));
    }
    let until = clock::now() + READY_LIMIT;
    while clock::now() < until {
        if local::socket_candidates(number).iter().any(|socket| UnixStream::connect(socket).is_ok()) {
            return Ok(number.to_owned());
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    let seconds = READY_LIMIT.as_secs();
    Err(failed(format!(
        "the new session :{number} has no socket after {seconds} s (see its log with `xpra list`)"
    )))
}

/// Prints the sessions of this machine, one a line: display, number of windows, name.
pub fn list_here() {
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
pub fn list_there(config: &Config) -> Result<(), Failure> {
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
