//! Sessions through the system's own `ssh`, so that its configuration, agents, jump hosts and hardware keys
//! count: a child process whose input and output are the record stream.
//!
//! The other end runs `xpra _proxy DISPLAY`, which hands bytes on to a session there (what Xpra's own clients run).
//! Until then a login shell may print anything: our command says a line with a number that it was given
//! ([`noise`]), and what follows is the stream. ssh's questions come through [`ask`], its errors through [`error`].

#[cfg(unix)]
pub mod ask;
pub mod asking;
pub mod command;
#[cfg(unix)]
mod connect;
pub mod error;
pub mod noise;
#[cfg(unix)]
mod said;
#[cfg(unix)]
mod stream;

use crate::session::Secret;

#[cfg(unix)]
pub use ask::askpass;
pub use asking::Asking;
#[cfg(unix)]
pub(super) use connect::connect;
pub use error::SshError;
#[cfg(unix)]
pub use stream::SshStream;

/// Names the socket to the process that ssh starts to ask a question.
pub const ASKPASS_VARIABLE: &str = "FARPANE_ASKPASS";

/// How to reach a server through ssh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshOptions {
    /// The program, and arguments that stand before all others.
    pub command: Vec<String>,
    /// Answers ssh's first question for a password, and nothing else.
    pub password: Option<Secret>,
    /// ssh may ask its questions on the terminal that this process was started from. Else they come as
    /// [`crate::session::ConnectionEvent::SshAsks`].
    pub terminal: bool,
}

/// Whether somebody sits at the terminal that this process was started from, and it may read there: it is not in the
/// background.
#[cfg(unix)]
pub fn has_terminal() -> bool {
    let foreground = rustix::termios::tcgetpgrp(std::io::stdin()).ok();
    foreground.is_some_and(|group| group == rustix::process::getpgrp())
}

/// The same, where it is not known.
#[cfg(not(unix))]
pub const fn has_terminal() -> bool {
    false
}

impl Default for SshOptions {
    fn default() -> Self {
        Self { command: vec!["ssh".to_owned()], password: None, terminal: false }
    }
}
