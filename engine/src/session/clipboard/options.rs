//! What the user wants of the clipboard.

use crate::protocol::packet::clipboard::Selection;

/// Bytes that one copy may have, unless the user says otherwise. Servers drop what is larger.
const DEFAULT_MAX_BYTES: usize = 16 << 20;

/// Which way copies go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    #[default]
    Both,
    /// What was copied here can be pasted there.
    ToServer,
    /// What was copied there can be pasted here.
    ToClient,
    Disabled,
}

/// What the user wants of the clipboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClipboardOptions {
    /// Without it servers are told nothing of a clipboard, and it cannot be switched on in this session.
    pub enabled: bool,
    pub direction: Direction,
    /// Those that are shared, if the server has them too.
    pub selections: Vec<Selection>,
    /// Bytes that one copy may have, either way.
    pub max_bytes: usize,
}

impl Default for ClipboardOptions {
    /// Off: there has to be a desktop that has a clipboard.
    fn default() -> Self {
        Self {
            enabled: false,
            direction: Direction::default(),
            selections: Selection::ALL.into(),
            max_bytes: DEFAULT_MAX_BYTES,
        }
    }
}

impl Direction {
    /// All of them, in the order of menus.
    pub const ALL: [Self; 4] = [Self::Both, Self::ToServer, Self::ToClient, Self::Disabled];

    /// The name in options and files, the same as Xpra's.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::ToServer => "to-server",
            Self::ToClient => "to-client",
            Self::Disabled => "disabled",
        }
    }

    /// The direction of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|direction| direction.name() == name)
    }

    /// Whether what was copied here can be pasted there.
    pub const fn to_server(self) -> bool {
        matches!(self, Self::Both | Self::ToServer)
    }

    /// Whether what was copied there can be pasted here.
    pub const fn to_client(self) -> bool {
        matches!(self, Self::Both | Self::ToClient)
    }
}
