//! Variable-length integers (RFC 9000 §16), HTTP/3's frame headers (RFC 9114 §7.1) and SETTINGS (§7.2.4).

/// Frames and streams by their numbers (RFC 9114 §11.2).
pub mod kind {
    pub const DATA: u64 = 0x0;
    pub const HEADERS: u64 = 0x1;
    pub const SETTINGS: u64 = 0x4;
    pub const CONTROL_STREAM: u64 = 0x0;
    pub const PUSH_STREAM: u64 = 0x1;
    pub const ENCODER_STREAM: u64 = 0x2;
    pub const DECODER_STREAM: u64 = 0x3;
}

/// The setting by which a server says that it takes extended CONNECT (RFC 9220 §5).
pub const ENABLE_CONNECT_PROTOCOL: u64 = 0x8;
/// The setting by which we say how long the fields of an answer may be (RFC 9114 §7.2.4.1).
pub const MAX_FIELD_SECTION_SIZE: u64 = 0x6;

/// What stands before a frame's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    pub kind: u64,
    /// Bytes of payload.
    pub payload_len: u64,
}

impl FrameHeader {
    /// Longest header: two integers of eight bytes.
    pub const MAX_LEN: usize = 16;

    /// How long the header at the start of `bytes` is, as far as these tell: as many bytes at least.
    pub fn needed(bytes: &[u8]) -> usize {
        let Some(first) = bytes.first() else { return 2 };
        let kind = varint_len(*first);
        bytes.get(kind).map_or(kind + 1, |second| kind + varint_len(*second))
    }

    /// The header at the start of `bytes`, if all of it is there.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (kind, at) = varint(bytes)?;
        let (payload_len, _) = varint(bytes.get(at..)?)?;
        Some(Self { kind, payload_len })
    }

    /// Appends the header.
    pub fn put(self, out: &mut Vec<u8>) {
        put_varint(self.kind, out);
        put_varint(self.payload_len, out);
    }

    /// Whether such a frame must not stand on a request's stream, of a client that allows no push (RFC 9114 §7.2). Kinds that
    /// nobody knows may (§9).
    pub fn is_out_of_place(self) -> bool {
        // PRIORITY and its like of HTTP/2, CANCEL_PUSH, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE,
        // CONTINUATION, MAX_PUSH_ID.
        matches!(self.kind, 0x2..=0x9 | 0xd)
    }
}

/// Bytes of the integer that begins with `first`.
fn varint_len(first: u8) -> usize {
    1 << (first >> 6)
}

/// The integer at the start of `bytes`, and its length. `None` if more bytes are needed.
pub fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let len = varint_len(first);
    let rest = bytes.get(1..len)?;
    Some((rest.iter().fold(u64::from(first & 0x3f), |value, byte| value << 8 | u64::from(*byte)), len))
}

/// Appends an integer below 2^62; a larger one as that.
pub fn put_varint(value: u64, out: &mut Vec<u8>) {
    let value = value.min((1 << 62) - 1);
    let (len, mark) = match value {
        0..0x40 => (1, 0x00),
        0x40..0x4000 => (2, 0x40),
        0x4000..0x4000_0000 => (4, 0x80),
        _ => (8, 0xc0),
    };
    let bytes = value.to_be_bytes();
    let start = out.len();
    out.extend(bytes.iter().skip(8 - len));
    if let Some(first) = out.get_mut(start) {
        *first |= mark;
    }
}

/// The value of setting `name` in the payload of a SETTINGS frame; 0 if it is not there. `None` if the payload is none.
pub fn setting(payload: &[u8], name: u64) -> Option<u64> {
    let (mut rest, mut found) = (payload, 0);
    while !rest.is_empty() {
        let (got, at) = varint(rest)?;
        let (value, len) = varint(rest.get(at..)?)?;
        rest = rest.get(at + len..)?;
        if got == name {
            found = value;
        }
    }
    Some(found)
}
