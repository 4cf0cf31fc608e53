//! What a session starts with: wishes, and what is known of both sides by then.

use super::clipboard::ClipboardInput;
use super::config::SessionConfig;
use super::display::{DisplayInfo, DisplayInput};
use super::draws;
use super::event::Input;
use super::keyboard::{KeyboardInput, Keymap};
use crate::geometry::Size;
use crate::protocol::Dialect;

/// Everything that a session needs to know before its first packet.
///
/// What the user changes while it runs is kept in `config`, and what the desktop says then in `local`.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    pub config: SessionConfig,
    pub peer: Peer,
    pub local: LocalInfo,
}

/// What is known of the server before it says anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Peer {
    /// How it is spoken to.
    pub dialect: Dialect,
    /// Who runs the session can connect again with the other generation: [`super::Output::SpeakLegacy`].
    pub may_speak_legacy: bool,
    pub link: Link,
}

/// Who can read what is sent: decides which digests are safe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// TLS to a server whose certificate and name were checked, or whose certificate the user trusts: nobody between the two
    /// ends can read along, and the other end is who it should be.
    pub encrypted: bool,
    /// A socket of this machine at whose other end is a process of the same account, or of root.
    pub local: bool,
}

impl Link {
    /// Whether a password may be sent so that the receiver could read it.
    pub const fn may_reveal_password(self) -> bool {
        self.encrypted || self.local
    }
}

/// What is known of this side.
#[derive(Clone, Debug)]
pub struct LocalInfo {
    /// Someone can be asked for a password.
    pub may_prompt: bool,
    pub display: DisplayInfo,
    /// The local X server's keymap, if it is known by now; else a US one is told, until
    /// [`super::KeyboardInput::KeymapChanged`].
    pub keymap: Option<Keymap>,
    /// There is a clipboard whose contents can be had and given.
    pub has_clipboard: bool,
    /// The server's applications can be shown and chosen from.
    pub shows_menu: bool,
}

impl Default for LocalInfo {
    /// A desktop of usual size where nobody is, with a clipboard.
    fn default() -> Self {
        Self {
            may_prompt: false,
            display: DisplayInfo::single(Size { width: 1280, height: 800 }),
            keymap: None,
            has_clipboard: true,
            shows_menu: false,
        }
    }
}

impl Setup {
    /// Takes what is wanted and what the desktop is like from now on, as it is said while there is no session. What is
    /// done then, in its windows and with keyboard and pointer, means nothing to the one that comes.
    pub fn note(&mut self, input: Input) {
        match input {
            Input::Display(DisplayInput::Changed(display)) => self.local.display = *display,
            Input::Keyboard(KeyboardInput::KeymapChanged(keymap)) => self.local.keymap = Some(*keymap),
            Input::Draw(input) => draws::note(input, self),
            Input::Clipboard(ClipboardInput::Direction(direction)) => {
                self.config.clipboard.direction = direction;
            }
            Input::Keyboard(KeyboardInput::Focus { .. } | KeyboardInput::Key { .. })
            | Input::Clipboard(ClipboardInput::Desktop(_))
            | Input::Connection(_)
            | Input::Window(_)
            | Input::Pointer(_) => {}
        }
    }

    /// The record compressors that this generation of servers knows, best first.
    pub fn offered_compressors(&self) -> Vec<&'static str> {
        let modern = self.peer.dialect.is_modern();
        let known = |name: &&&str| match **name {
            "lz4" => true,
            "zlib" => !modern,
            "zstd" | "brotli" => modern,
            _ => false,
        };
        self.config.compressors.iter().filter(known).copied().collect()
    }

    /// Whether the server is told of a clipboard.
    pub fn offers_clipboard(&self) -> bool {
        self.config.clipboard.enabled && self.local.has_clipboard
    }
}
