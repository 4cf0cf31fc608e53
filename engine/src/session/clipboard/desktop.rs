//! What session and desktop say to each other of the clipboard. Which desktop it is, X11 or another, is all the same.

use crate::protocol::packet::clipboard::{Contents, Selection};

/// To the desktop, in order.
#[derive(Clone, Debug)]
pub enum ToDesktop {
    /// Look at these selections from now on: say of each whether a local program owns it, and whenever that changes. None
    /// at all: let go of everything and look at nothing.
    Watch(Vec<Selection>),
    /// Local programs get the selection from the session from now on, as one of these targets, until another
    /// [`Self::Own`] (a new copy, even of the same targets) or [`Self::Release`], or until a local program takes it. The
    /// window system's own targets (`TARGETS`, `MULTIPLE`, `TIMESTAMP`) are the desktop's matter and not among them.
    Own { selection: Selection, targets: Vec<String> },
    /// The session has nothing for the selection any more: nobody owns it, unless a local program does.
    Release(Selection),
    /// Ask the local program that owns the selection for `target` (which may be `TARGETS`). Answered by one
    /// [`FromDesktop::Contents`] with the same number.
    Read { request: u64, selection: Selection, target: String, max_bytes: usize },
    /// The answer to [`FromDesktop::Wanted`]; `None`: it cannot be had.
    Answer { request: u64, contents: Option<Contents> },
}

/// From the desktop.
#[derive(Clone, Debug)]
pub enum FromDesktop {
    /// A local program, not this one, owns the selection now, or owned it when watching began, or copied anew.
    Owned(Selection),
    /// Nobody owns it any more.
    Unowned(Selection),
    /// A local program pastes what the session owns: [`ToDesktop::Answer`] with this number, chosen by the desktop.
    Wanted { request: u64, selection: Selection, target: String },
    /// Who asked by [`Self::Wanted`] is gone or waits no longer: no answer is needed.
    Forget { request: u64 },
    /// The answer to [`ToDesktop::Read`].
    Contents { request: u64, result: Result<Contents, Unreadable> },
}

/// Why a local program's selection cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("it does not offer that")]
    Refused,
    #[error("it is larger than the limit")]
    TooLarge,
    #[error("it did not answer in time")]
    TimedOut,
    #[error("it is gone")]
    Gone,
}
