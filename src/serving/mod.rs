//! The server's side of a connection, for `demo` and `player`: accepting clients, the protocol on
//! a socket, the part of the handshake that is the same for every server.

pub mod hello;
mod listener;
mod wire;

pub use listener::{Server, serve};
pub use wire::{Received, Wire, WireError};
