//! Layer 0: the wire, without IO: records, chunks, compressors, packet encoders, typed packets.
//!
//! The authority is Xpra's `docs/Network/Protocol.md` (cited by section as "Protocol.md §3.1").
//!
//! ```text
//! bytes ─► Reassembler ─► RawPacket ─► PacketReader ─► ServerPacket
//! ClientPacket ─► PacketWriter ─► bytes
//! ```
//!
//! A server speaks the same: [`PacketReader::read_client`] and [`PacketWriter::write_server`].

// Nothing that a peer sends is cut, wrapped or indexed without a look.
#![warn(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    clippy::missing_errors_doc
)]

pub mod bencode;
pub mod cipher;
pub mod compression;
mod deciphering;
pub mod limits;
pub mod lz4;
pub mod packet;
pub mod peer;
pub mod reader;
pub mod reassembly;
pub mod record;
pub mod rencodeplus;
pub mod tape;
pub mod text;
pub mod writer;
pub mod yaml;

pub use cipher::{CipherMode, CipherSpec, KeyData};
pub use limits::{Bounds, Limits};
pub use packet::{ClientPacket, Naming, ServerPacket};
pub use peer::NotXpra;
pub use reader::{Incoming, PacketError, PacketReader};
pub use reassembly::{KeptPacket, RawPacket, Reassembler};
pub use record::{Dialect, RecordError};
pub use writer::{PacketWriter, Records};
