//! Layer 0: the wire, without IO: records, chunks, compressors, packet encoders, typed packets.
//!
//! The authority is Xpra's `docs/Network/Protocol.md` (cited by section as "Protocol.md §3.1").

pub mod packet;

pub use packet::{ClientPacket, ServerPacket};
