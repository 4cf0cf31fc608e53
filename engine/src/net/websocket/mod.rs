//! WebSocket (RFC 6455) as a byte stream, the way Xpra uses it: one binary message after another,
//! whose boundaries mean nothing.
//!
//! [`WebSocket`] unframes **in place**: while a frame's payload is being received, the caller's
//! buffer is handed to the transport below, limited to what is left of the frame, so payload
//! bytes land where the [`crate::protocol::reassembly::Reassembler`] wants them. Only what comes
//! in the same read as a frame's header is moved, see `READ_HEADER` and `READ_SMALL`.

mod frame;
mod handshake;
mod stream;

pub use frame::{FrameError, FrameHeader, Opcode, encode_header, mask};
pub use handshake::{HandshakeError, handshake};
pub use stream::WebSocket;
