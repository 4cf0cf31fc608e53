//! Bytes that no writer of ours makes: records, packets, parameter sets.

use farpane::protocol::Dialect;
use farpane::protocol::packet::encode::Encoder;
use farpane::protocol::packet::{Dict, Value};

/// A record header's flag for rencodeplus.
pub const RENCODEPLUS: u8 = 0x10;
/// Compression bytes of records.
pub const LZ4: u8 = 0x11;
pub const ZSTD: u8 = 0x81;
pub const BROTLI: u8 = 0x41;

/// A record with any header.
pub fn record(flags: u8, compression: u8, index: u8, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).expect("a record's length");
    header(flags, compression, index, len).into_iter().chain(payload.iter().copied()).collect()
}

/// Its header alone, which may lie.
pub fn header(flags: u8, compression: u8, index: u8, len: u32) -> Vec<u8> {
    let [a, b, c, d] = len.to_be_bytes();
    vec![b'P', flags, compression, index, a, b, c, d]
}

/// A plain main record with this payload.
pub fn main(payload: &[u8]) -> Vec<u8> {
    record(RENCODEPLUS, 0, 0, payload)
}

/// A raw chunk.
pub fn chunk(index: u8, payload: &[u8]) -> Vec<u8> {
    record(0, 0, index, payload)
}

/// Values as a payload.
pub fn encoded(values: &[Value]) -> Vec<u8> {
    let mut payload = Vec::new();
    Encoder::new(Dialect::Modern, &mut payload).value(&Value::List(values.to_vec()));
    payload
}

/// A whole packet.
pub fn packet(values: &[Value]) -> Vec<u8> {
    main(&encoded(values))
}

/// A packet of a name and integers.
pub fn ints(name: &str, numbers: &[i64]) -> Vec<u8> {
    let numbers = numbers.iter().copied().map(Value::Int);
    packet(&std::iter::once(Value::from(name)).chain(numbers).collect::<Vec<_>>())
}

/// A dictionary.
pub fn dict(entries: &[(&str, Value)]) -> Value {
    Value::Dict(Dict(entries.iter().map(|(key, value)| (Value::from(*key), value.clone())).collect()))
}

/// A list of integers.
pub fn list(numbers: &[i64]) -> Value {
    Value::List(numbers.iter().copied().map(Value::Int).collect())
}

/// What makes the server known, as 6.5.5 does.
pub fn hello() -> Vec<u8> {
    packet(&["hello".into(), dict(&[("version", "6.5.5".into()), ("session-type", "seamless".into())])])
}

/// A window.
pub fn window(wid: i64, width: i64, height: i64, metadata: &[(&str, Value)]) -> Vec<u8> {
    let at = 40 + wid % 7 * 50;
    let numbers = [wid, at, at, width, height].map(Value::Int);
    let mut values = vec![Value::from("window-create")];
    values.extend(numbers);
    values.push(dict(metadata));
    packet(&values)
}

/// `bytes` of zeros, compressed.
pub mod bomb {
    use std::io::Write as _;

    pub fn zlib(bytes: usize) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        let zeros = vec![0; 1 << 20];
        for _ in 0..bytes >> 20 {
            encoder.write_all(&zeros).expect("memory");
        }
        encoder.finish().expect("memory")
    }

    /// With the size in the frame, or without it.
    pub fn zstd(bytes: usize, says_size: bool) -> Vec<u8> {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
        if says_size {
            encoder.set_pledged_src_size(Some(bytes as u64)).expect("a size");
            encoder.include_contentsize(true).expect("a size");
        }
        let zeros = vec![0; 1 << 20];
        for _ in 0..bytes >> 20 {
            encoder.write_all(&zeros).expect("memory");
        }
        encoder.finish().expect("memory")
    }

    pub fn brotli(bytes: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = brotli::CompressorWriter::new(&mut out, 4096, 1, 22);
        let zeros = vec![0; 1 << 20];
        for _ in 0..bytes >> 20 {
            encoder.write_all(&zeros).expect("memory");
        }
        drop(encoder);
        out
    }

    /// As records have it: the size, then a block.
    pub fn lz4(bytes: usize) -> Vec<u8> {
        lz4_flex::block::compress_prepend_size(&vec![0; bytes])
    }
}

/// Writes bits, most significant first.
#[derive(Default)]
pub struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    pub fn put(&mut self, value: u32, count: u32) -> &mut Self {
        for bit in (0..count).rev() {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let last = self.bytes.last_mut().expect("a byte");
            *last |= u8::try_from(value >> bit & 1).expect("a bit") << (7 - self.used % 8);
            self.used += 1;
        }
        self
    }

    /// An Exp-Golomb code.
    pub fn golomb(&mut self, value: u32) -> &mut Self {
        let code = u64::from(value) + 1;
        let len = 63 - code.leading_zeros();
        self.put(0, len);
        for bit in (0..=len).rev() {
            self.put(u32::try_from(code >> bit & 1).expect("a bit"), 1);
        }
        self
    }
}

/// A sequence parameter set of the Main profile, as a NAL unit with its start code.
pub struct ParameterSet {
    pub unit: u8,
    pub profile: u32,
    pub level: u32,
    pub chroma_format: u32,
    pub references: u32,
    /// In macroblocks.
    pub size: (u32, u32),
    /// Right and bottom, in steps of two pixels.
    pub crop: (u32, u32),
}

impl Default for ParameterSet {
    fn default() -> Self {
        Self { unit: 7, profile: 77, level: 51, chroma_format: 1, references: 1, size: (4, 4), crop: (0, 0) }
    }
}

impl ParameterSet {
    pub fn bytes(&self) -> Vec<u8> {
        let mut bits = Bits::default();
        bits.put(self.profile, 8).put(0, 8).put(self.level, 8).golomb(0);
        if self.profile == 244 || self.profile == 100 {
            bits.golomb(self.chroma_format);
            if self.chroma_format == 3 {
                bits.put(0, 1);
            }
            bits.golomb(0).golomb(0).put(0, 1).put(0, 1);
        }
        bits.golomb(0).golomb(2).golomb(self.references).put(0, 1);
        bits.golomb(self.size.0 - 1).golomb(self.size.1 - 1).put(1, 1).put(1, 1);
        if self.crop == (0, 0) {
            bits.put(0, 1);
        } else {
            bits.put(1, 1).golomb(0).golomb(self.crop.0).golomb(0).golomb(self.crop.1);
        }
        // No description of colours; the end.
        bits.put(0, 1).put(1, 1);
        let mut unit = vec![0, 0, 0, 1, 0x60 | self.unit];
        let mut zeros = 0;
        for byte in bits.bytes {
            // No start code may come about.
            if zeros >= 2 && byte <= 3 {
                unit.push(3);
                zeros = 0;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            unit.push(byte);
        }
        unit
    }
}
