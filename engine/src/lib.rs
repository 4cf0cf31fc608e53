//! What Farpane does with a session's bytes, from the socket to the screen: those of its modules whose speed is
//! felt. They are compiled apart from the others, for speed; `farpane`'s own `lib.rs` has all modules and their layers.

pub mod stats;

pub mod geometry;

pub mod buffers;

pub mod protocol;

pub mod recording;

#[doc(hidden)]
pub mod fuzzing;

pub mod codec;

pub mod session;

#[cfg(feature = "viewer")]
pub mod channel;

#[cfg(feature = "viewer")]
pub mod net;

#[cfg(feature = "viewer")]
pub mod pipeline;

#[cfg(feature = "viewer")]
pub mod render;

#[cfg(feature = "viewer")]
pub mod threads;
