//! Typed packets, both ways, by subject. A subject's file has all there is to know of its packets on the wire: their
//! types, how they are read and written in each spelling, and their names. Dynamic values stay in here, except in the
//! maps that the protocol itself leaves open (capabilities, window metadata).

pub mod args;
pub mod clipboard;
pub mod connection;
pub mod display;
pub mod draw;
pub mod encode;
mod image;
pub mod keyboard;
pub mod menu;
mod modifiers;
mod names;
mod out;
pub mod pointer;
mod short_name;
pub mod unowned;
pub mod value;
pub mod window;

use crate::buffers::Payload;

use args::{ArgError, Args};
use encode::Encoder;
use out::Out;

pub use image::Image;
pub use modifiers::Modifiers;
pub use names::Naming;
pub use short_name::ShortName;
pub use value::{Dict, Value};

/// A window's identifier, chosen by the server, never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WindowId(pub u64);

impl std::fmt::Display for WindowId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The number by which a draw is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DrawSequence(pub u64);

/// A packet from the server.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerPacket {
    Draw(draw::FromServer),
    Window(window::FromServer),
    Pointer(pointer::FromServer),
    Connection(connection::FromServer),
    Display(display::FromServer),
    Clipboard(clipboard::FromServer),
    /// One that no subject has although servers send it: see [`unowned`].
    Ignored {
        name: &'static str,
    },
    /// A packet type that the protocol document does not know.
    Unknown {
        name: String,
    },
}

/// A packet to the server. One shape for all servers: the writer knows how each [`Naming`] has it.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientPacket {
    Draw(draw::ToServer),
    Pointer(pointer::ToServer),
    Keyboard(keyboard::ToServer),
    Window(window::ToServer),
    Connection(connection::ToServer),
    Display(display::ToServer),
    Clipboard(clipboard::ToServer),
}

impl ServerPacket {
    /// The packet's modern name, for statistics and logs; `unknown` for [`Self::Unknown`].
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Draw(packet) => packet.name(),
            Self::Window(packet) => packet.name(),
            Self::Pointer(packet) => packet.name(),
            Self::Connection(packet) => packet.name(),
            Self::Display(packet) => packet.name(),
            Self::Clipboard(packet) => packet.name(),
            Self::Ignored { name } => name,
            Self::Unknown { .. } => "unknown",
        }
    }

    /// Reads the packet that `args` are the arguments of, in any spelling.
    ///
    /// # Errors
    /// If an argument is missing or not what the packet wants.
    pub fn parse(args: &mut Args<'_>) -> Result<Self, ArgError> {
        if let Some(packet) = draw::FromServer::parse(args)? {
            return Ok(Self::Draw(packet));
        }
        if let Some(packet) = window::FromServer::parse(args)? {
            return Ok(Self::Window(packet));
        }
        if let Some(packet) = pointer::FromServer::parse(args)? {
            return Ok(Self::Pointer(packet));
        }
        if let Some(packet) = connection::FromServer::parse(args)? {
            return Ok(Self::Connection(packet));
        }
        if let Some(packet) = display::FromServer::parse(args)? {
            return Ok(Self::Display(packet));
        }
        if let Some(packet) = clipboard::FromServer::parse(args)? {
            return Ok(Self::Clipboard(packet));
        }
        Ok(match unowned::find(args.packet()) {
            Some((name, _)) => Self::Ignored { name },
            None => Self::Unknown { name: super::text::name(args.packet()) },
        })
    }

    /// Writes the packet, as a server does. A draw's pixels are left out unless they are `inline`.
    ///
    /// [`Self::Ignored`] and [`Self::Unknown`] say nothing but a name and are written without arguments.
    pub fn encode(&self, naming: Naming, inline: bool, encoder: &mut Encoder<'_>) {
        let mut out = Out::new(naming, encoder);
        match self {
            Self::Draw(packet) => packet.encode(inline, out.names(draw::NAMES.to_client)),
            Self::Window(packet) => packet.encode(out.names(window::NAMES.to_client)),
            Self::Pointer(packet) => packet.encode(out.names(pointer::NAMES.to_client)),
            Self::Connection(packet) => packet.encode(out.names(connection::NAMES.to_client)),
            Self::Display(packet) => packet.encode(out.names(display::NAMES.to_client)),
            Self::Clipboard(packet) => packet.encode(inline, out.names(clipboard::NAMES.to_client)),
            Self::Ignored { name } => out.named(name, 0, |_| {}),
            Self::Unknown { name } => out.named(name, 0, |_| {}),
        }
    }

    /// The pixels that go in a raw chunk before the packet, and their position in it.
    pub fn chunk(&self) -> Option<(u8, &Payload)> {
        match self {
            Self::Draw(packet) => packet.chunk(),
            Self::Clipboard(packet) => packet.chunk(),
            _ => None,
        }
    }
}

impl ClientPacket {
    /// Reads the packet that `args` are the arguments of, in any spelling; `None` if it is one that Farpane's own
    /// client does not send.
    ///
    /// # Errors
    /// If an argument is missing or not what the packet wants.
    pub fn parse(args: &mut Args<'_>) -> Result<Option<Self>, ArgError> {
        if let Some(packet) = draw::ToServer::parse(args)? {
            return Ok(Some(Self::Draw(packet)));
        }
        if let Some(packet) = pointer::ToServer::parse(args)? {
            return Ok(Some(Self::Pointer(packet)));
        }
        if let Some(packet) = keyboard::ToServer::parse(args)? {
            return Ok(Some(Self::Keyboard(packet)));
        }
        if let Some(packet) = window::ToServer::parse(args)? {
            return Ok(Some(Self::Window(packet)));
        }
        if let Some(packet) = connection::ToServer::parse(args)? {
            return Ok(Some(Self::Connection(packet)));
        }
        if let Some(packet) = display::ToServer::parse(args)? {
            return Ok(Some(Self::Display(packet)));
        }
        clipboard::ToServer::parse(args).map(|packet| packet.map(Self::Clipboard))
    }

    /// Writes the packet. Bulk data is left out unless it is `inline`.
    pub fn encode(&self, naming: Naming, inline: bool, encoder: &mut Encoder<'_>) {
        let mut out = Out::new(naming, encoder);
        match self {
            Self::Draw(packet) => packet.encode(out.names(draw::NAMES.to_server)),
            Self::Pointer(packet) => packet.encode(out.names(pointer::NAMES.to_server)),
            Self::Keyboard(packet) => packet.encode(out.names(keyboard::NAMES.to_server)),
            Self::Window(packet) => packet.encode(out.names(window::NAMES.to_server)),
            Self::Connection(packet) => packet.encode(out.names(connection::NAMES.to_server)),
            Self::Display(packet) => packet.encode(out.names(display::NAMES.to_server)),
            Self::Clipboard(packet) => packet.encode(inline, out.names(clipboard::NAMES.to_server)),
        }
    }

    /// The bulk data that goes in a raw chunk before the packet, and its position in it.
    pub fn chunk(&self) -> Option<(u8, &Payload)> {
        match self {
            Self::Clipboard(packet) => packet.chunk(),
            _ => None,
        }
    }
}

/// So that an enum of subjects can be made of each subject's own.
macro_rules! is_of {
    ($all:ident: $($subject:ident, $of:path;)+) => {
        $(impl From<$of> for $all {
            fn from(of: $of) -> Self {
                Self::$subject(of)
            }
        })+
    };
}
pub(crate) use is_of;

is_of!(ServerPacket:
    Draw, draw::FromServer;
    Window, window::FromServer;
    Pointer, pointer::FromServer;
    Connection, connection::FromServer;
    Display, display::FromServer;
    Clipboard, clipboard::FromServer;
);
is_of!(ClientPacket:
    Draw, draw::ToServer;
    Pointer, pointer::ToServer;
    Keyboard, keyboard::ToServer;
    Window, window::ToServer;
    Connection, connection::ToServer;
    Display, display::ToServer;
    Clipboard, clipboard::ToServer;
);
