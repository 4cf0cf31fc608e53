//! Records and their reassembly, the packet encoders, the compressors.

use farpane::buffers::BufferPool;
use farpane::channel::clock;
use farpane::fuzzing::{self, reassemble};
use farpane::protocol::compression::{Decompressor, lz4_append};
use farpane::protocol::packet::Value;
use farpane::protocol::packet::encode::Encoder;
use farpane::protocol::record::Compressor;
use farpane::protocol::tape::Tape;
use farpane::protocol::{Dialect, KeptPacket, Limits, PacketReader, bencode, rencodeplus, yaml};
use farpane::stats::CopyLedger;

use super::Input;

const DIALECTS: [Dialect; 3] = [Dialect::Modern, Dialect::Legacy31, Dialect::Yaml];
const LIMITS: Limits = Limits { max_record: 1 << 20, max_decompressed: 1 << 20 };

/// Whatever pieces a stream comes in, it has the same packets, and each of them is read or refused.
pub fn records(bytes: &[u8]) {
    let mut input = Input(bytes);
    let dialect = input.one_of(&DIALECTS);
    let split = usize::from(input.u8());
    let (stream, now) = (input.0, clock::now());
    let (packets, end) = reassemble(dialect, stream, &[], now);
    let (in_pieces, other_end) = reassemble(dialect, stream, &[split, 1, 8, 300], now);
    assert_eq!(packets.len(), in_pieces.len(), "{end:?}, {other_end:?}");
    for (one, other) in packets.iter().zip(&in_pieces) {
        assert_eq!((&one.main, &one.chunks), (&other.main, &other.chunks));
        assert_eq!(one.wire_bytes, other.wire_bytes);
    }
    // What a peer that is something else is taken for depends on how much of its words is there.
    assert_eq!(end.is_err(), other_end.is_err(), "{end:?}, {other_end:?}");
    let mut reader = PacketReader::new(dialect, LIMITS, BufferPool::default());
    for packet in &packets {
        let _ = reader.read(packet.lend());
        let _ = reader.read_client(KeptPacket::lend(packet));
    }
}

/// Text that is decoded is written and decoded again to the same: the values, compared by how they are written, since
/// there are numbers that do not equal themselves.
fn rewritten(dialect: Dialect, value: &Value, decode: impl Fn(&[u8]) -> Value) {
    let write = |value: &Value| {
        let mut written = Vec::new();
        Encoder::new(dialect, &mut written).value(value);
        written
    };
    let first = write(value);
    let second = write(&decode(&first));
    assert!(first == second, "{value:?}: {:?}, {:?}", Shown(&first), Shown(&second));
}

/// Bytes as a text with escapes.
struct Shown<'a>(&'a [u8]);

impl std::fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

/// A packet in rencodeplus is refused, or decoded to what is written to the same.
pub fn rencodeplus(bytes: &[u8]) {
    let decode = |bytes: &[u8]| {
        let mut tape = Tape::default();
        rencodeplus::decode(bytes, &mut tape).map(|()| tape.value(0, bytes))
    };
    if let Ok(value) = decode(bytes) {
        rewritten(Dialect::Modern, &value, |written| decode(written).expect("what was written here"));
    }
}

/// A packet in bencode is refused, or decoded to what is written to the same.
pub fn bencode(bytes: &[u8]) {
    let decode = |bytes: &[u8]| {
        let mut tape = Tape::default();
        bencode::decode(bytes, &mut tape).map(|()| tape.value(0, bytes))
    };
    if let Ok(value) = decode(bytes) {
        rewritten(Dialect::Legacy31, &value, |written| decode(written).expect("what was written here"));
    }
}

/// A packet in YAML is refused, or decoded to what is written to the same, and to valid rencodeplus.
pub fn yaml(bytes: &[u8]) {
    if let Ok(value) = yaml::read(bytes) {
        rewritten(Dialect::Yaml, &value, |written| yaml::read(written).expect("what was written here"));
    }
    fuzzing::packet(bytes);
}

/// What is unpacked is no more than allowed; what was packed here is unpacked to the same.
pub fn compressed(bytes: &[u8]) {
    let mut input = Input(bytes);
    let compressors = [Compressor::Lz4, Compressor::Zlib, Compressor::Zstd, Compressor::Brotli];
    let (choice, limit) = (usize::from(input.u8()), 1 + usize::from(input.u16()));
    let (pool, mut ledger) = (BufferPool::default(), CopyLedger::default());
    let mut decompressor = Decompressor::default();
    if let Some(compressor) = compressors.get(choice) {
        // Twice: the second finds what the first left of the library's state.
        for _ in 0..2 {
            if let Ok(payload) = decompressor.decompress(*compressor, input.0, limit, &pool, &mut ledger) {
                assert!(payload.len() <= limit, "{} gave {} bytes", compressor.name(), payload.len());
            }
        }
        return;
    }
    let mut packed = Vec::new();
    if lz4_append(input.0, &mut packed).is_some() {
        let unpacked = decompressor.decompress(Compressor::Lz4, &packed, input.0.len(), &pool, &mut ledger);
        assert_eq!(unpacked.as_deref(), Ok(input.0));
    }
}
