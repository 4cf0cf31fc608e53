//! The record header (Protocol.md §3.1 to §3.3): eight bytes before every payload.
//!
//! | offset | size | field |
//! |---:|---:|---|
//! | 0 | 1 | magic `P` |
//! | 1 | 1 | protocol flags |
//! | 2 | 1 | compression: level in the low nibble, compressor in the high one |
//! | 3 | 1 | chunk index, 0 for the main record |
//! | 4 | 4 | payload length, big-endian |

use super::limits::{Limits, MAX_CHUNK_INDEX};
use super::peer::NotXpra;

/// Bytes of a record header.
pub const HEADER_LEN: usize = 8;
/// The first byte of every record.
pub const MAGIC: u8 = b'P';

const FLAG_RENCODE: u8 = 0x01;
const FLAG_CIPHER: u8 = 0x02;
const FLAG_YAML: u8 = 0x04;
const FLAG_FLUSH: u8 = 0x08;
const FLAG_RENCODEPLUS: u8 = 0x10;
/// The flags that say how the packet is encoded.
const ENCODERS: u8 = FLAG_RENCODE | FLAG_YAML | FLAG_RENCODEPLUS;

const COMPRESS_LZ4: u8 = 0x10;
const COMPRESS_LZO: u8 = 0x20;
const COMPRESS_BROTLI: u8 = 0x40;
const COMPRESS_ZSTD: u8 = 0x80;

/// How a server is spoken to: packet encoder, names and capabilities (ARCHITECTURE.md, "Two generations of servers").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Protocol.md as it stands, and every server since 4.0: rencodeplus, nested maps of capabilities.
    #[default]
    Modern,
    /// Xpra 3.1 (xpra/net/header.py and protocol.py there): bencode, flat keys of capabilities, and zlib where no
    /// compressor bit is set.
    Legacy31,
    /// As [`Self::Modern`], but packets are YAML (Protocol.md §4.3). Slow: for 6.x servers whose configuration leaves
    /// it as the only packet encoder, as Debian's for 3.1 does, and for Xpra's clients that speak it.
    Yaml,
}

impl Dialect {
    /// That of 6.x, whatever packet encoder it takes.
    pub const fn is_modern(self) -> bool {
        !matches!(self, Self::Legacy31)
    }

    /// The packet encoder's name.
    pub const fn packet_encoder(self) -> &'static str {
        match self {
            Self::Modern => "rencodeplus",
            Self::Yaml => "yaml",
            Self::Legacy31 => "bencode",
        }
    }
}

/// The position of the argument that a raw chunk replaces: 1..=15.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChunkIndex(u8);

impl ChunkIndex {
    /// The index `index`, or `None` if it is out of range.
    pub const fn new(index: u8) -> Option<Self> {
        if index >= 1 && index <= MAX_CHUNK_INDEX { Some(Self(index)) } else { None }
    }

    /// The number on the wire.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The position in the packet, counted from its type at 0.
    pub const fn position(self) -> usize {
        self.0 as usize
    }
}

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// An encoded packet. `flush`: nothing else is queued behind it (a hint).
    Main { flush: bool },
    /// The bytes of one argument of the main record that follows.
    Chunk(ChunkIndex),
}

/// A record-layer compressor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compressor {
    Lz4,
    Brotli,
    Zstd,
    /// Only 3.1 sends it.
    Zlib,
}

impl Compressor {
    /// The name in capabilities and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lz4 => "lz4",
            Self::Brotli => "brotli",
            Self::Zstd => "zstd",
            Self::Zlib => "zlib",
        }
    }
}

/// A header that passed every check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub kind: RecordKind,
    pub compressor: Option<Compressor>,
    /// Payload bytes that follow, at least 1; without padding, if it is enciphered.
    pub len: usize,
    /// The payload is enciphered ([`super::cipher`]).
    pub enciphered: bool,
}

/// Why a record cannot be read. The connection cannot go on: the stream has no other framing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    #[error(transparent)]
    NotXpra(#[from] NotXpra),
    /// After records that were good.
    #[error("the server sent something else in the place of a record: {got}")]
    Magic { got: String },
    #[error("the record is encrypted with AES, which was not asked for: use --encryption=AES, or ssl")]
    Encrypted,
    #[error("the server sent a record that is not encrypted, after others that were")]
    NotEncrypted,
    #[error("a record cannot be decrypted: its padding is wrong")]
    Padding,
    #[error("the packet is encoded with {got}, expected {expected}")]
    PacketEncoder { got: &'static str, expected: &'static str },
    #[error("protocol flags {flags:#04x} are not valid for chunk index {index}")]
    Flags { flags: u8, index: u8 },
    #[error("the record is compressed with lzo, which was not offered")]
    Lzo,
    #[error("compression byte {got:#04x} is not valid")]
    Compression { got: u8 },
    #[error("chunk index {got} is above {MAX_CHUNK_INDEX}")]
    ChunkIndex { got: u8 },
    #[error("two chunks have index {got}")]
    DuplicateChunk { got: u8 },
    #[error("more than {} chunks before a packet", super::limits::MAX_CHUNKS)]
    TooManyChunks,
    #[error("the record is empty")]
    Empty,
    #[error("the record has {got} bytes, allowed are {limit}")]
    TooLarge { got: usize, limit: usize },
    #[error("the packet's records have {got} bytes, allowed are {limit}")]
    PacketTooLarge { got: usize, limit: usize },
    #[error("the connection ended within a record, {missing} bytes before its end")]
    Truncated { missing: usize },
}

impl Header {
    /// Reads and checks the header at the start of `bytes`; the caller checked the magic byte.
    ///
    /// # Errors
    /// If it is of another protocol or dialect, or announces more than `limits` allow.
    pub fn parse(bytes: [u8; HEADER_LEN], dialect: Dialect, limits: &Limits) -> Result<Self, RecordError> {
        let [_, flags, compression, index, l0, l1, l2, l3] = bytes;
        let (enciphered, flags) = (flags & FLAG_CIPHER != 0, flags & !FLAG_CIPHER);
        let kind = match ChunkIndex::new(index) {
            Some(_) if flags != 0 => return Err(RecordError::Flags { flags, index }),
            Some(chunk) => RecordKind::Chunk(chunk),
            None if index == 0 => main_kind(flags, dialect)?,
            None => return Err(RecordError::ChunkIndex { got: index }),
        };
        let compressor = parse_compression(compression, dialect)?;
        let len = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
        if len == 0 {
            return Err(RecordError::Empty);
        }
        if len > limits.max_record {
            return Err(RecordError::TooLarge { got: len, limit: limits.max_record });
        }
        Ok(Self { kind, compressor, len, enciphered })
    }

    /// The payload's length, which is not checked, if this is the header of a main record that is
    /// not compressed. `None`: [`Self::parse`] says what it is.
    #[inline(always)]
    pub fn plain_main_len(bytes: [u8; HEADER_LEN], dialect: Dialect) -> Option<usize> {
        const HINTS: u32 = u32::from_ne_bytes([0, FLAG_FLUSH, 0, 0]);
        let [start, len] = bytes.as_chunks().0 else { return None };
        let plain = u32::from_ne_bytes([MAGIC, encoder_flag(dialect), 0, 0]);
        let is_plain = u32::from_ne_bytes(*start) & !HINTS == plain;
        is_plain.then(|| u32::from_be_bytes(*len) as usize)
    }

    /// The header's bytes, for sending. `lz4_level` 0 means not compressed.
    pub fn encode(kind: RecordKind, dialect: Dialect, lz4_level: u8, len: u32) -> [u8; HEADER_LEN] {
        let compression = if lz4_level == 0 { 0 } else { COMPRESS_LZ4 | lz4_level.min(15) };
        Self::bytes(kind, dialect, compression, len)
    }

    /// The header's bytes for a payload that is kept as it was received, whichever way it is
    /// compressed. The level, which only its sender knew, becomes 1.
    pub fn encode_received(
        kind: RecordKind,
        dialect: Dialect,
        compressor: Option<Compressor>,
        len: u32,
    ) -> [u8; HEADER_LEN] {
        let compression = match compressor {
            None => 0,
            Some(Compressor::Lz4) => COMPRESS_LZ4 | 1,
            Some(Compressor::Brotli) => COMPRESS_BROTLI | 1,
            Some(Compressor::Zstd) => COMPRESS_ZSTD | 1,
            Some(Compressor::Zlib) => 1,
        };
        Self::bytes(kind, dialect, compression, len)
    }

    /// The header of a payload that is enciphered.
    pub const fn enciphered(header: [u8; HEADER_LEN]) -> [u8; HEADER_LEN] {
        let [magic, flags, rest @ ..] = header;
        let [compression, index, l0, l1, l2, l3] = rest;
        [magic, flags | FLAG_CIPHER, compression, index, l0, l1, l2, l3]
    }

    fn bytes(kind: RecordKind, dialect: Dialect, compression: u8, len: u32) -> [u8; HEADER_LEN] {
        let (flags, index) = match (kind, dialect) {
            // 3.1 does not know the hint.
            (RecordKind::Main { flush: true }, Dialect::Modern | Dialect::Yaml) => {
                (encoder_flag(dialect) | FLAG_FLUSH, 0)
            }
            (RecordKind::Main { .. }, _) => (encoder_flag(dialect), 0),
            (RecordKind::Chunk(ChunkIndex(index)), _) => (0, index),
        };
        let [l0, l1, l2, l3] = len.to_be_bytes();
        [MAGIC, flags, compression, index, l0, l1, l2, l3]
    }

    /// Which dialect a peer speaks whose first record has these `flags`.
    ///
    /// # Errors
    /// The name of the packet encoder, if it is one that Farpane does not know.
    pub fn dialect_of(flags: u8) -> Result<Dialect, &'static str> {
        match flags & ENCODERS {
            FLAG_RENCODEPLUS => Ok(Dialect::Modern),
            FLAG_YAML => Ok(Dialect::Yaml),
            0 => Ok(Dialect::Legacy31),
            other => Err(encoder_name(other)),
        }
    }
}

/// Checks the flags of a main record (Protocol.md §3.2).
fn main_kind(flags: u8, dialect: Dialect) -> Result<RecordKind, RecordError> {
    let expected = encoder_flag(dialect);
    if flags & !(ENCODERS | FLAG_FLUSH) != 0 {
        return Err(RecordError::Flags { flags, index: 0 });
    }
    match flags & ENCODERS {
        encoder if encoder == expected => Ok(RecordKind::Main { flush: flags & FLAG_FLUSH != 0 }),
        encoder => {
            Err(RecordError::PacketEncoder { got: encoder_name(encoder), expected: encoder_name(expected) })
        }
    }
}

/// The protocol flag of the dialect's packet encoder.
const fn encoder_flag(dialect: Dialect) -> u8 {
    match dialect {
        Dialect::Modern => FLAG_RENCODEPLUS,
        Dialect::Legacy31 => 0,
        Dialect::Yaml => FLAG_YAML,
    }
}

const fn encoder_name(flag: u8) -> &'static str {
    match flag {
        0 => "bencode",
        FLAG_RENCODE => "rencode",
        FLAG_YAML => "yaml",
        FLAG_RENCODEPLUS => "rencodeplus",
        _ => "several encoders at once",
    }
}

/// Checks the compression byte (Protocol.md §3.3).
fn parse_compression(byte: u8, dialect: Dialect) -> Result<Option<Compressor>, RecordError> {
    let (compressor, level) = (byte & 0xf0, byte & 0x0f);
    match (compressor, dialect) {
        _ if byte == 0 => Ok(None),
        _ if level == 0 => Err(RecordError::Compression { got: byte }),
        (COMPRESS_LZ4, _) => Ok(Some(Compressor::Lz4)),
        (COMPRESS_BROTLI, _) => Ok(Some(Compressor::Brotli)),
        (COMPRESS_ZSTD, Dialect::Modern | Dialect::Yaml) => Ok(Some(Compressor::Zstd)),
        (0, Dialect::Legacy31) => Ok(Some(Compressor::Zlib)),
        (COMPRESS_LZO, Dialect::Legacy31) => Err(RecordError::Lzo),
        _ => Err(RecordError::Compression { got: byte }),
    }
}
