//! What is said of the connection itself: by the session to the user interface, and back.

use std::time::{Duration, Instant};

use crate::protocol::packet::menu::Menu;
use crate::protocol::text;
use crate::session::config::Secret;
use crate::session::connection::{CertificateAnswer, CertificateQuestion, Fingerprint};
use crate::session::server_info::ServerInfo;

/// Characters of the reason of an end.
const MAX_REASON_CHARS: usize = 1000;

/// What the user interface is told of the connection.
#[derive(Clone, Debug)]
pub enum ConnectionEvent {
    /// The server accepted us.
    Connected(Box<ServerInfo>),
    /// The server asked who we are, and is being answered.
    LoggingIn,
    /// A password is needed; answer with [`ConnectionInput::Password`].
    PasswordNeeded {
        /// What for, in the server's words: one short line without hidden characters, perhaps empty.
        prompt: String,
        /// How many times the server has asked in this login, from 1.
        number: u32,
    },
    /// The server knows another password than the one that answered the question of this number. It is asked for again, with
    /// [`Self::PasswordNeeded`], over another connection; or it was the last try, and [`Self::Closed`] follows.
    PasswordRefused {
        number: u32,
        /// In words, with the server's.
        why: String,
    },
    /// ssh, which makes the connection, asks this; answer with [`ConnectionInput::Password`] too. Comes before the
    /// session.
    SshAsks {
        /// In its words: short lines without hidden characters.
        prompt: String,
        kind: SshAsk,
    },
    /// The server's certificate is one that nobody vouches for; answer with [`ConnectionInput::Certificate`]. Comes before
    /// the session, and before anything was sent to the server. Nothing is connected while it is open.
    CertificateAsks(Box<CertificateQuestion>),
    /// Behind the address are these sessions; answer with [`ConnectionInput::Display`]. Comes before the session.
    SeveralSessions { displays: Vec<String> },
    /// The server finished sending the windows that exist.
    StartupComplete,
    /// Round trip of the last ping.
    Latency(Duration),
    /// Since when the server has answered nothing: for two seconds if the user did something that wants an answer, else for
    /// ten. `None`: it answers again. The connection stands meanwhile, and what is done arrives if the server goes on.
    Silence(Option<Instant>),
    /// The server's applications, again whenever they change.
    Menu(Box<Menu>),
    /// The answer to an info request: flattened `key=value` lines.
    Info(Vec<(String, String)>),
    /// The connection was lost, and the session is not: it is connected to again ([`SessionConfig::reconnect`]) until
    /// [`Self::Connected`] or [`Self::Closed`]. Said again for each attempt.
    ///
    /// [`SessionConfig::reconnect`]: crate::session::SessionConfig::reconnect
    Away(Away),
    /// The connection is over.
    Closed(CloseReason),
}

/// What kind of answer ssh wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SshAsk {
    /// A password, a passphrase or a code.
    Secret,
    /// `yes` or nothing: whether a host's key is right, for example.
    Confirm,
    /// None: it only says something.
    Notice,
}

/// How getting back into a session stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Away {
    /// Why there is no connection: one line or more.
    pub why: String,
    /// When it is tried next; `None`: it is being tried.
    pub until: Option<Instant>,
}

/// What the user wants of the connection.
#[derive(Clone, Debug)]
pub enum ConnectionInput {
    Password(Secret),
    /// The user gave up the password dialog.
    PasswordCancelled,
    /// What the user says to [`ConnectionEvent::CertificateAsks`], of this very certificate.
    Certificate {
        fingerprint: Fingerprint,
        answer: CertificateAnswer,
    },
    /// Which of [`ConnectionEvent::SeveralSessions`] the user wants, or none.
    Display(Option<String>),
    /// Answered by [`ConnectionEvent::Info`].
    RequestInfo,
    /// Start a program in the session, if the server allows it ([`ServerInfo::can_start`]): what comes of it is a window or
    /// nothing.
    Start {
        /// What it is called where the session's programs are listed.
        name: String,
        /// Words as for a shell.
        command: String,
    },
    /// End the session, with all that runs in it: the server says goodbye then, if it lets clients do so.
    StopServer,
    /// While the session is being connected to again: not at its time, but now. During [`ConnectionEvent::Silence`]: the
    /// connection is given up as one that was silent for too long, and the session connected to again.
    TryNow,
    Disconnect,
}

/// Why a session ended. [`CloseReason::exit_code`] maps each to the documented exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The user ended it.
    User,
    /// The server said goodbye: its words.
    Server(String),
    /// The connection was lost without a goodbye.
    ConnectionLost(String),
    /// The server could not be reached.
    ConnectFailed(String),
    /// Behind the address are several sessions, and it was not said which one is wanted: their displays. None of them: the
    /// server names them, or has only one, if hello has an empty name.
    SeveralSessions(Vec<String>),
    /// It shows another certificate than the one that was trusted: somebody else may sit there.
    CertificateChanged(String),
    /// The peer does not speak Xpra's protocol, or broke it.
    Protocol(String),
    /// The password was wrong, missing or refused.
    Authentication(String),
    /// The same, where another password may be given to another connection: the one that answered the question of this
    /// number was not right.
    PasswordRefused {
        why: String,
        number: u32,
        /// The user, or the desktop's store, was asked for it.
        was_asked: bool,
    },
    /// The server stopped answering.
    Timeout(String),
}

impl CloseReason {
    /// The exit code of the process, as docs/troubleshooting.md documents it.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::User => 0,
            Self::Server(_) | Self::SeveralSessions(_) => 3,
            Self::ConnectionLost(_) => 4,
            Self::ConnectFailed(_) | Self::CertificateChanged(_) => 5,
            Self::Protocol(_) => 6,
            Self::Authentication(_) | Self::PasswordRefused { .. } => 7,
            Self::Timeout(_) => 8,
        }
    }
}

impl CloseReason {
    /// The same as it may be shown and logged, whoever made up the words: bounded, without what is not seen.
    pub fn shown(self) -> Self {
        let shown = |why: String| {
            let lines: Vec<String> = why.lines().map(|line| text::shown(line, MAX_REASON_CHARS)).collect();
            lines.join("\n").chars().take(MAX_REASON_CHARS).collect()
        };
        match self {
            Self::User => Self::User,
            Self::Server(why) => Self::Server(shown(why)),
            Self::SeveralSessions(displays) => Self::SeveralSessions(displays),
            Self::ConnectionLost(why) => Self::ConnectionLost(shown(why)),
            Self::ConnectFailed(why) => Self::ConnectFailed(shown(why)),
            Self::CertificateChanged(why) => Self::CertificateChanged(shown(why)),
            Self::Protocol(why) => Self::Protocol(shown(why)),
            Self::Authentication(why) | Self::PasswordRefused { why, .. } => Self::Authentication(shown(why)),
            Self::Timeout(why) => Self::Timeout(shown(why)),
        }
    }
}

impl std::fmt::Display for CloseReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User => write!(f, "disconnected"),
            Self::Server(why) => write!(f, "the server ended the session: {why}"),
            Self::SeveralSessions(displays) => {
                write!(f, "the server has several sessions: {}", displays.join(", "))
            }
            Self::ConnectionLost(why) => write!(f, "the connection was lost: {why}"),
            Self::ConnectFailed(why)
            | Self::CertificateChanged(why)
            | Self::Protocol(why)
            | Self::Authentication(why)
            | Self::PasswordRefused { why, .. }
            | Self::Timeout(why) => {
                write!(f, "{why}")
            }
        }
    }
}
