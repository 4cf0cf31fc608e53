//! Typed packets, both ways. Dynamic values stay in here, except in the maps that the protocol
//! itself leaves open (capabilities, window metadata).

pub mod args;
pub mod client;
pub(crate) mod client_parse;
pub(crate) mod client_write;
mod draw;
pub mod encode;
pub mod names;
pub mod server;
pub(crate) mod server_parse;
pub(crate) mod server_write;
mod short_name;
pub mod value;

pub use client::ClientPacket;
pub use draw::MAX_SCROLLS;
pub use names::Spelling;
pub use server::ServerPacket;
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
