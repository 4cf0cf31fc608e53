//! After the connection is gone: whether the session can be connected to again, and what the session that takes this
//! one's place has to know.

use std::collections::BTreeSet;

use super::CloseReason;
use crate::protocol::packet::{Dict, Value, WindowId};
use crate::session::clipboard::Clipboard;

/// How a server says that another one takes its place, with all windows and programs (`xpra upgrade`).
const UPGRADE: &str = "upgrade";
/// How a server says that a client came that calls itself the same (3.1.3, 6.5.5).
const SAME_CLIENT: &str = "new connection from the same uuid";
/// Characters of what a server calls itself.
const MAX_NAME: usize = 200;

/// Whether it makes sense to connect to the session again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prospect {
    /// It is not over, as far as is known: only the way to it is gone, or was not found.
    Again,
    /// It is over, or this client is not wanted in it any more, or will be refused each time.
    Over,
}

impl CloseReason {
    /// What is to be expected after this end of a session that the server had accepted us in, or of an attempt to get
    /// back into one.
    ///
    /// Not of [`Self::ConnectFailed`], which has many reasons: whoever made it knows.
    pub fn prospect(&self) -> Prospect {
        match self {
            Self::ConnectionLost(_) | Self::Timeout(_) | Self::ConnectFailed(_) => Prospect::Again,
            Self::Server(words) if is_upgrade(words) => Prospect::Again,
            // Who said goodbye meant it. Above all "new connection from the same uuid": two clients of one account
            // would throw each other out for ever.
            Self::Server(_)
            | Self::User
            | Self::Protocol(_)
            | Self::Authentication(_)
            | Self::PasswordRefused { .. }
            | Self::CertificateChanged(_)
            | Self::SeveralSessions(_) => Prospect::Over,
        }
    }
}

impl CloseReason {
    /// The server says that another connection of this very client took its place.
    pub fn is_replaced(&self) -> bool {
        matches!(self, Self::Server(words) if words.contains(SAME_CLIENT))
    }
}

/// The first of a server's reasons decides: those after it explain.
fn is_upgrade(words: &str) -> bool {
    words.split(": ").next().is_some_and(|reason| reason.to_lowercase().contains(UPGRADE))
}

/// Which session a server has, as its hello says it: the same over all connections, and when another server takes over
/// its display. Nothing is known of what a hello leaves out.
#[derive(Clone, Debug, Default)]
pub struct SessionId {
    /// Of the display (3.1.3), or of the server's process (6.5.5).
    uuid: String,
    machine: String,
    display: String,
}

impl SessionId {
    /// What a server's hello says of it.
    pub fn from_hello(hello: &Dict) -> Self {
        let text = |paths: &[&str]| {
            let found = paths.iter().find_map(|path| hello.get_path(path).and_then(Value::as_str));
            found.unwrap_or_default().chars().take(MAX_NAME).collect()
        };
        Self {
            uuid: text(&["uuid"]),
            machine: text(&["machine_id", "machine-id"]),
            display: text(&["display", "display.name"]),
        }
    }

    /// Whether both are the same session, as far as is known: a display of a machine has one at a time.
    pub fn is(&self, other: &Self) -> bool {
        let is_known = !self.machine.is_empty() && !self.display.is_empty();
        let place = |id: &Self| (id.machine.clone(), id.display.clone());
        self.uuid == other.uuid || is_known && place(self) == place(other)
    }
}

/// What a session leaves to the one that takes its place when its connection is lost.
#[derive(Debug, Default)]
pub struct Before {
    pub(in crate::session) id: SessionId,
    /// The user interface knows of them, and they have backings.
    pub(in crate::session) windows: BTreeSet<WindowId>,
    pub(in crate::session) clipboard: Clipboard,
}

impl Before {
    /// The windows that it had.
    pub fn windows(&self) -> impl Iterator<Item = WindowId> {
        self.windows.iter().copied()
    }
}
