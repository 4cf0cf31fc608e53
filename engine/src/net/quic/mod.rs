//! A session's bytes in one stream of a QUIC connection: WebSocket over HTTP/3 (RFC 9220), and Xpra's WebTransport.
//!
//! quinn does QUIC. Of HTTP/3 (RFC 9114) only what a client needs that opens one stream is here, without a dynamic table of
//! fields: the `h3` crate (0.0.8) knows no `:protocol: websocket`.
//!
//! The records are read where they belong, as with TLS. quinn moves each byte twice: out of the buffer that the kernel
//! filled, and to the reader.

mod connect;
mod error;
pub mod frame;
mod huffman;
mod knock;
pub mod qpack;
mod request;
mod stream;

pub use connect::connect;
pub use error::QuicError;
pub use request::Framing;
pub use stream::QuicStream;
