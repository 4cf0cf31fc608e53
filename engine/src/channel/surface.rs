//! Which window a surface of the render thread belongs to.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::protocol::packet::WindowId;

/// One of Farpane's own windows: a dialog, the session menu, the connect window. Counted by the
/// application for each render thread; no peer sees or chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OwnId(pub u64);

/// An OS window that the render thread presents. A server chooses the numbers of its windows freely,
/// so they share no space with those of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SurfaceId {
    /// Shows a server's window: its backing, and an overlay over it.
    Remote(WindowId),
    /// Shows an overlay alone: no draw and no backing can be for it.
    Own(OwnId),
}

impl SurfaceId {
    /// The server's window, if it shows one.
    pub const fn remote(self) -> Option<WindowId> {
        match self {
            Self::Remote(wid) => Some(wid),
            Self::Own(_) => None,
        }
    }
}

/// As cheap as that of a number alone, since every draw looks its window up. Own windows are few: a remote one
/// with the same number collides with one of them at most.
impl Hash for SurfaceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Remote(WindowId(number)) | Self::Own(OwnId(number)) => number.hash(state),
        }
    }
}

impl From<WindowId> for SurfaceId {
    fn from(wid: WindowId) -> Self {
        Self::Remote(wid)
    }
}

impl From<OwnId> for SurfaceId {
    fn from(id: OwnId) -> Self {
        Self::Own(id)
    }
}

impl fmt::Display for SurfaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remote(wid) => wid.fmt(f),
            Self::Own(OwnId(number)) => write!(f, "own {number}"),
        }
    }
}
