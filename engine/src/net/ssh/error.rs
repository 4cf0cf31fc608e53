//! Why there is no session through ssh: one sentence that says what to do, and under it ssh's own words.

use std::io;

use super::command::{CommandError, DEFAULT_PORT, NO_XPRA};
use super::noise::TooMuchNoise;
use crate::net::uri::HostPort;
use crate::session::{CloseReason, Prospect};

/// Lines of ssh's that an error repeats.
const MAX_REPEATED: usize = 6;

/// What went wrong, and what ssh and the programs behind it said last.
#[derive(Debug, thiserror::Error)]
#[error("{problem}{}", repeated(said))]
pub struct SshError {
    pub problem: Problem,
    pub said: Vec<String>,
}

/// What went wrong. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(
        "`{program}` cannot be started: {source} (is OpenSSH's client installed? --ssh=COMMAND takes another one)"
    )]
    Start { program: String, source: io::Error },
    #[error("ssh cannot find the host `{host}` (check its name)")]
    NoHost { host: String },
    #[error("{host} refused the connection: no ssh server listens there (check its port)")]
    Refused { host: String },
    #[error("ssh cannot reach {host} (check the address, and firewalls on the way)")]
    Unreachable { host: String },
    #[error(
        "{host} shows another key than before: somebody may be in between, or it was installed anew; ask who runs it \
         before you remove the old key (`ssh-keygen -R`, as ssh says)"
    )]
    OtherHostKey { host: String },
    #[error(
        "the key of {host} is not known, and nobody said that it is right: log in once with `ssh ssh://{host}`"
    )]
    UnknownHostKey { host: String },
    #[error(
        "{host} refused the login: check the user's name and your key or password (does `ssh ssh://{host}` work?)"
    )]
    Denied { host: String },
    #[error("there is no xpra on {host}: it must be installed there")]
    NoXpra { host: String },
    #[error(
        "there is no session {display} on {host}: `farpane list ssh://{host}/` shows what runs, and \
         `farpane start ssh://{host}/ --start=xterm` starts one"
    )]
    NoSession { host: String, display: String },
    /// xpra says the same of both.
    #[error(
        "{host} has no session, or several: `farpane list ssh://{host}/` shows them, ssh://{host}/100 names one, and \
         `farpane start ssh://{host}/ --start=xterm` starts one"
    )]
    NotOne { host: String },
    #[error(
        "{source} on {host}: what the login shell prints there must end (does `ssh ssh://{host} true` print anything?)"
    )]
    Noise { host: String, source: TooMuchNoise },
    #[error("ssh asked a question, and got no answer: {prompt}")]
    Unanswered { prompt: String },
    #[error("no session could be started on {host}")]
    NotStarted { host: String },
    #[error("ssh to {host} ended before there was a session ({how})")]
    Ended { host: String, how: String },
    #[error("ssh has ended ({how})")]
    Lost { how: String },
    #[error("reading from ssh failed: {source}")]
    Read { source: io::Error },
}

impl From<Problem> for SshError {
    fn from(problem: Problem) -> Self {
        Self { problem, said: Vec::new() }
    }
}

impl SshError {
    /// The one that a stream's error holds.
    pub fn within(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// What the user is told.
    pub fn reason(&self) -> CloseReason {
        match &self.problem {
            Problem::Denied { .. } | Problem::Unanswered { .. } => {
                CloseReason::Authentication(self.to_string())
            }
            _ => CloseReason::ConnectFailed(self.to_string()),
        }
    }

    /// Whether another attempt may go better, when the session was reached before.
    pub fn prospect(&self) -> Prospect {
        match self.problem {
            Problem::NoHost { .. }
            | Problem::Refused { .. }
            | Problem::Unreachable { .. }
            | Problem::Ended { .. }
            | Problem::Lost { .. }
            | Problem::Read { .. } => Prospect::Again,
            Problem::Command(_)
            | Problem::Start { .. }
            | Problem::OtherHostKey { .. }
            | Problem::UnknownHostKey { .. }
            | Problem::Denied { .. }
            | Problem::NoXpra { .. }
            | Problem::NoSession { .. }
            | Problem::NotOne { .. }
            | Problem::Noise { .. }
            | Problem::Unanswered { .. }
            | Problem::NotStarted { .. } => Prospect::Over,
        }
    }
}

/// How far it had come when ssh ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Our command at the other end was not reached, or found no xpra.
    LoggingIn,
    /// A session was to be started.
    Starting,
    /// The bytes were to be handed to a session.
    Attaching,
    /// A session was there.
    Running,
}

/// What was wanted where, for the words.
#[derive(Clone, Debug)]
pub struct Wish {
    /// As in an address: with its user and port, if they are not as usual.
    pub host: String,
    /// As xpra has it: `:100`.
    pub display: Option<String>,
}

impl Wish {
    /// What is said of a host in words and addresses.
    pub fn new(at: &HostPort, user: Option<&str>, display: Option<String>) -> Self {
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        let at = at.to_string();
        let usual = format!(":{DEFAULT_PORT}");
        Self { host: format!("{user}{}", at.strip_suffix(&usual).unwrap_or(&at)), display }
    }
}

/// What went wrong, by what ssh and the programs behind it said, and how it ended.
pub fn problem(phase: Phase, wish: &Wish, said: &[String], how: String) -> Problem {
    let host = wish.host.clone();
    let has = |words: &[&str]| words.iter().any(|words| said.iter().any(|line| line.contains(words)));
    if phase == Phase::Running {
        return Problem::Lost { how };
    }
    if has(&[NO_XPRA]) {
        return Problem::NoXpra { host };
    }
    if phase != Phase::LoggingIn {
        if phase == Phase::Starting {
            return Problem::NotStarted { host };
        }
        // Without a display xpra takes the only session, else asks a proxy server for the whole system.
        let is_missing = has(&["cannot find live server", "not found", "/run/xpra/system"]);
        return match &wish.display {
            Some(display) if is_missing => Problem::NoSession { host, display: display.clone() },
            None if is_missing => Problem::NotOne { host },
            _ => Problem::Ended { host, how },
        };
    }
    if has(&["IDENTIFICATION HAS CHANGED"]) {
        Problem::OtherHostKey { host }
    } else if has(&["Host key verification failed", "No matching host key", "host key is known"]) {
        Problem::UnknownHostKey { host }
    } else if has(&["Permission denied", "Too many authentication failures"]) {
        Problem::Denied { host }
    } else if has(&["Could not resolve hostname"]) {
        Problem::NoHost { host }
    } else if has(&["Connection refused"]) {
        Problem::Refused { host }
    } else if has(&["timed out", "No route to host", "Network is unreachable"]) {
        Problem::Unreachable { host }
    } else {
        Problem::Ended { host, how }
    }
}

/// The last lines under the sentence.
fn repeated(said: &[String]) -> String {
    let is_decoration = |line: &&String| line.chars().all(|c| c == '@' || c.is_whitespace());
    let lines: Vec<&String> = said.iter().filter(|line| !is_decoration(line)).collect();
    let last = lines.get(lines.len().saturating_sub(MAX_REPEATED)..).unwrap_or_default();
    last.iter().map(|line| format!("\nssh: {line}")).collect()
}
