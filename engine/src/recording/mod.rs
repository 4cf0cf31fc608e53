//! Layer 0: recordings of sessions: what a server sent, and when. No clock, and no file of its
//! own: [`Writer`] and [`Reader`] work on anything that can be written or read.
//!
//! # The format
//!
//! A file is a start, then one entry a packet, in order of arrival, then an end mark. Numbers are
//! little-endian; a *varint* is LEB128: seven bits a byte, the low ones first, the highest bit set
//! in all bytes but the last.
//!
//! | start | size | |
//! |---|---:|---|
//! | magic | 8 | `FPREC`, CR, LF, 0x1a: a file that a text transfer damaged is none |
//! | version | 1 | 1 |
//! | dialect | 1 | 0: rencodeplus, 1: bencode (a 3.1 server), 2: yaml |
//! | length | 4 | of the facts, at most 64 KiB |
//! | facts | | [`Facts`] as JSON; readers skip what they do not know |
//! | checksum | 4 | CRC-32 of all of the above |
//!
//! | entry | size | |
//! |---|---:|---|
//! | delay | varint | microseconds from the arrival of the packet before (0 for the first one) |
//! | length | varint | of the records; 0 is the end mark |
//! | records | | the raw chunks in order of arrival, then the main record, as on the wire: eight bytes of header (Protocol.md §3.1) and a payload, still compressed |
//! | checksum | 4 | CRC-32 of the entry up to here |
//!
//! Payloads are the very bytes that came. Their headers are written anew: the compression level
//! becomes 1, and the hint that nothing is queued behind a packet is lost.
//!
//! # When the recorder dies
//!
//! Entries only depend on what is before them, so all that was written before a crash can be
//! read: a file without an end mark, with half an entry at its end, or damaged somewhere is good
//! up to there, and the reader says where that is ([`ReadError::Cut`], [`ReadError::Damaged`]).
//!
//! # Hostile recordings
//!
//! The records of an entry go through the same [`Reassembler`](crate::protocol::Reassembler),
//! under the same limits, as those of a connection: a file can ask for no more memory than a
//! server.

// Nothing that a file holds is cut, wrapped or indexed without a look.
#![warn(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::indexing_slicing
)]

mod reader;
mod writer;

pub use reader::{ReadError, Reader, TimedPacket};
pub use writer::Writer;

use serde::{Deserialize, Serialize};

use crate::protocol::Dialect;

/// The first bytes of a recording.
const MAGIC: [u8; 8] = *b"FPREC\r\n\x1a";
const VERSION: u8 = 1;
/// Longest facts.
const MAX_FACTS: usize = 64 * 1024;

/// How a recording begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// What the records are encoded in.
    pub dialect: Dialect,
    pub facts: Facts,
}

/// Where a recording comes from, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// When the recorder started: milliseconds since 1970-01-01 UTC.
    pub started_unix_ms: u64,
    /// The server's address, without passwords.
    pub server: String,
    /// What recorded it, for example `Farpane 0.1.0`.
    pub recorder: String,
}

const fn dialect_code(dialect: Dialect) -> u8 {
    match dialect {
        Dialect::Modern => 0,
        Dialect::Legacy31 => 1,
        Dialect::Yaml => 2,
    }
}

const fn dialect_from(code: u8) -> Option<Dialect> {
    match code {
        0 => Some(Dialect::Modern),
        1 => Some(Dialect::Legacy31),
        2 => Some(Dialect::Yaml),
        _ => None,
    }
}
