//! Frame headers (RFC 6455 §5.2) and masking (§5.3).

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// Binary, or the continuation of a binary message: Xpra's stream.
    Data,
    Close,
    Ping,
    Pong,
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    pub opcode: Opcode,
    /// XOR key of the payload: clients mask, servers must not (§5.1).
    pub mask: Option<[u8; 4]>,
    /// Bytes of payload.
    pub payload_len: u64,
}

/// A header that breaks RFC 6455 or that Xpra never sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("the WebSocket frame is masked, which a server's must not be")]
    Masked,
    #[error("the WebSocket frame has reserved bits {got:#04x} set; expected none")]
    Reserved { got: u8 },
    #[error("the WebSocket frame has opcode {got}; expected binary, close, ping or pong")]
    Opcode { got: u8 },
    #[error(
        "the WebSocket control frame is {got} bytes long or fragmented; at most 125 bytes in one frame are allowed"
    )]
    Control { got: u64 },
    #[error("the WebSocket frame's length {got} does not fit 63 bits")]
    Length { got: u64 },
}

impl FrameHeader {
    /// Longest header: two bytes, 64-bit length, mask.
    pub const MAX_LEN: usize = 14;

    /// Reads the header at the start of `bytes`: the header and its length, or `None` if more
    /// bytes are needed.
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, FrameError> {
        let Some(&[first, second]) = bytes.first_chunk::<2>() else { return Ok(None) };
        if first & 0x70 != 0 {
            return Err(FrameError::Reserved { got: first & 0x70 });
        }
        let opcode = match first & 0x0f {
            0x0 | 0x2 => Opcode::Data,
            0x8 => Opcode::Close,
            0x9 => Opcode::Ping,
            0xa => Opcode::Pong,
            got => return Err(FrameError::Opcode { got }),
        };
        let (payload_len, at) = match second & 0x7f {
            126 => match bytes.get(2..).and_then(<[u8]>::first_chunk::<2>) {
                Some(len) => (u64::from(u16::from_be_bytes(*len)), 4),
                None => return Ok(None),
            },
            127 => match bytes.get(2..).and_then(<[u8]>::first_chunk::<8>) {
                Some(len) => (u64::from_be_bytes(*len), 10),
                None => return Ok(None),
            },
            len => (u64::from(len), 2),
        };
        if payload_len > i64::MAX as u64 {
            return Err(FrameError::Length { got: payload_len });
        }
        if opcode != Opcode::Data && (payload_len > 125 || first & 0x80 == 0) {
            return Err(FrameError::Control { got: payload_len });
        }
        if second & 0x80 == 0 {
            return Ok(Some((Self { opcode, mask: None, payload_len }, at)));
        }
        let Some(key) = bytes.get(at..).and_then(<[u8]>::first_chunk::<4>) else { return Ok(None) };
        Ok(Some((Self { opcode, mask: Some(*key), payload_len }, at + 4)))
    }
}

/// The header of a final, masked frame, as clients must send it, and its length.
pub fn encode_header(
    opcode: Opcode,
    payload_len: usize,
    key: [u8; 4],
) -> ([u8; FrameHeader::MAX_LEN], usize) {
    let code: u8 = match opcode {
        Opcode::Data => 0x2,
        Opcode::Close => 0x8,
        Opcode::Ping => 0x9,
        Opcode::Pong => 0xa,
    };
    let mut header = [0; FrameHeader::MAX_LEN];
    let mut len = 0;
    let mut put = |bytes: &[u8]| {
        for byte in bytes {
            header[len] = *byte;
            len += 1;
        }
    };
    put(&[0x80 | code]);
    match payload_len {
        0..=125 => put(&[0x80 | payload_len as u8]),
        126..=0xffff => {
            put(&[0x80 | 126]);
            put(&(payload_len as u16).to_be_bytes());
        }
        _ => {
            put(&[0x80 | 127]);
            put(&(payload_len as u64).to_be_bytes());
        }
    }
    put(&key);
    (header, len)
}

/// XORs `bytes`, which start at byte `offset` of their frame's payload, with the frame's key:
/// masks and unmasks.
pub fn mask(bytes: &mut [u8], key: [u8; 4], offset: u64) {
    let mut key = key;
    key.rotate_left((offset % 4) as usize);
    let wide = u64::from_ne_bytes([key[0], key[1], key[2], key[3], key[0], key[1], key[2], key[3]]);
    let (blocks, rest) = bytes.as_chunks_mut::<8>();
    for block in blocks {
        *block = (u64::from_ne_bytes(*block) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}
