//! Record headers, compressors, and peers that are something else.

use std::io::Write as _;

use farpane::buffers::BufferPool;
use farpane::fuzzing::reassemble;
use farpane::protocol::compression::{DecompressError, Decompressor, lz4_append};
use farpane::protocol::limits::MAX_RECORD_BEFORE_HELLO;
use farpane::protocol::record::{Compressor, Header, RecordKind};
use farpane::protocol::{Dialect, Limits, NotXpra, RecordError};
use farpane::stats::{CopyLedger, CopySite, Transform};

use super::now;

const LIMITS: Limits = Limits::BEFORE_HELLO;

fn parse(dialect: Dialect, flags: u8, compression: u8, index: u8, len: u32) -> Result<Header, RecordError> {
    let [a, b, c, d] = len.to_be_bytes();
    Header::parse([b'P', flags, compression, index, a, b, c, d], dialect, &LIMITS)
}

#[test]
fn flags_say_what_a_record_is() {
    let modern = |flags, index| parse(Dialect::Modern, flags, 0, index, 1).map(|header| header.kind);
    assert_eq!(modern(0x10, 0), Ok(RecordKind::Main { flush: false }));
    assert_eq!(modern(0x18, 0), Ok(RecordKind::Main { flush: true }));
    assert!(matches!(modern(0, 1), Ok(RecordKind::Chunk(index)) if index.position() == 1));
    assert!(matches!(modern(0, 15), Ok(RecordKind::Chunk(index)) if index.position() == 15));
    assert_eq!(modern(0, 16), Err(RecordError::ChunkIndex { got: 16 }));
    assert_eq!(modern(0x10, 1), Err(RecordError::Flags { flags: 0x10, index: 1 }));
    assert_eq!(modern(0x08, 1), Err(RecordError::Flags { flags: 0x08, index: 1 }));
    assert_eq!(modern(0x30, 0), Err(RecordError::Flags { flags: 0x30, index: 0 }));
    let other_encoder = |got| Err(RecordError::PacketEncoder { got, expected: "rencodeplus" });
    assert_eq!(modern(0x00, 0), other_encoder("bencode"));
    assert_eq!(modern(0x01, 0), other_encoder("rencode"));
    assert_eq!(modern(0x04, 0), other_encoder("yaml"));
    assert_eq!(modern(0x14, 0), other_encoder("several encoders at once"));
    // Enciphered or not, the other flags mean what they mean.
    for (flags, index) in [(0x10, 0), (0x18, 0), (0, 7)] {
        assert_eq!(modern(flags | 2, index), modern(flags, index));
        let header = |flags| parse(Dialect::Modern, flags, 0, index, 1).expect("a header").enciphered;
        assert_eq!((header(flags), header(flags | 2)), (false, true));
    }
    assert_eq!(modern(0x02, 0), other_encoder("bencode"));
    assert_eq!(modern(0xff, 0), Err(RecordError::Flags { flags: 0xfd, index: 0 }));
    let legacy = |flags, index| parse(Dialect::Legacy31, flags, 0, index, 1).map(|header| header.kind);
    assert_eq!(legacy(0, 0), Ok(RecordKind::Main { flush: false }));
    assert!(matches!(legacy(0, 7), Ok(RecordKind::Chunk(_))));
    let yaml = |flags, index| parse(Dialect::Yaml, flags, 0, index, 1).map(|header| header.kind);
    assert_eq!(yaml(0x0c, 0), Ok(RecordKind::Main { flush: true }));
    assert!(matches!(yaml(0, 7), Ok(RecordKind::Chunk(_))));
    assert_eq!(yaml(0x10, 0), Err(RecordError::PacketEncoder { got: "rencodeplus", expected: "yaml" }));
    assert_eq!(legacy(0x10, 0), Err(RecordError::PacketEncoder { got: "rencodeplus", expected: "bencode" }));
}

#[test]
fn the_compression_byte_names_one_compressor() {
    let modern = |byte| parse(Dialect::Modern, 0x10, byte, 0, 1).map(|header| header.compressor);
    let legacy = |byte| parse(Dialect::Legacy31, 0, byte, 0, 1).map(|header| header.compressor);
    for byte in 0..=255u8 {
        let refused = Err(RecordError::Compression { got: byte });
        let (high, low) = (byte >> 4, byte & 15);
        let expected = match (high, low) {
            (0, 0) => Ok(None),
            (_, 0) => refused.clone(),
            (1, _) => Ok(Some(Compressor::Lz4)),
            (4, _) => Ok(Some(Compressor::Brotli)),
            (8, _) => Ok(Some(Compressor::Zstd)),
            _ => refused.clone(),
        };
        assert_eq!(modern(byte), expected, "{byte:#x}");
        let expected = match (high, low) {
            (0, 1..) => Ok(Some(Compressor::Zlib)),
            (2, 1..) => Err(RecordError::Lzo),
            (8, _) => refused,
            _ => expected,
        };
        assert_eq!(legacy(byte), expected, "{byte:#x}");
    }
}

#[test]
fn lengths_are_bounded_before_anything_is_allocated() {
    let max = MAX_RECORD_BEFORE_HELLO as u32;
    assert_eq!(parse(Dialect::Modern, 0x10, 0, 0, 0), Err(RecordError::Empty));
    assert!(parse(Dialect::Modern, 0x10, 0, 0, max).is_ok());
    let limit = max as usize;
    assert_eq!(
        parse(Dialect::Modern, 0, 0, 1, max + 1),
        Err(RecordError::TooLarge { got: limit + 1, limit })
    );
    let mib = 1024 * 1024;
    assert_eq!(Limits::established(1920, 1080).max_record, 16 * mib);
    assert_eq!(Limits::established(3840, 2160).max_record, 3840 * 2160 * 4 + 4096);
    assert_eq!(Limits::established(u32::MAX, u32::MAX).max_record, 256 * mib);
}

#[test]
fn a_header_that_was_written_is_read_back() {
    for dialect in [Dialect::Modern, Dialect::Legacy31, Dialect::Yaml] {
        let bytes = Header::encode(RecordKind::Main { flush: false }, dialect, 0, 77);
        let header = Header::parse(bytes, dialect, &LIMITS).expect("a header");
        assert_eq!(
            header,
            Header { kind: RecordKind::Main { flush: false }, compressor: None, len: 77, enciphered: false }
        );
    }
    let bytes = Header::encode(RecordKind::Main { flush: true }, Dialect::Modern, 3, 5);
    let header = Header::parse(bytes, Dialect::Modern, &LIMITS).expect("a header");
    assert_eq!(header.compressor, Some(Compressor::Lz4));
}

#[test]
fn peers_that_are_something_else_are_recognised_however_their_bytes_arrive() {
    let cases: [(&[u8], NotXpra); 13] = [
        (b"disconnect: failed to parse bencode packet\n", NotXpra::NeedsBencode),
        (b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", NotXpra::Ssh),
        (b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n", NotXpra::Http),
        (b"<!DOCTYPE HTML>\n<html><head>", NotXpra::Http),
        (b"RFB 003.008\n", NotXpra::Other { what: "a VNC server (RFB)" }),
        (&[3, 0, 0, 19, 14, 208], NotXpra::Other { what: "a Windows remote desktop (RDP) server" }),
        (b"disconnect invalid packet encoding: 'rencodeplus' decoder is not available\n", NotXpra::NeedsYaml),
        (b"disconnect invalid packet encoding: 'bencode' decoder is not available\n", NotXpra::NeedsModern),
        (b"disconnect go away\n", NotXpra::Refused { message: "go away".to_owned() }),
        (&[21, 3, 1, 0, 2, 2, 70], NotXpra::Tls),
        (&[22, 3, 3, 0, 100, 1], NotXpra::Tls),
        (
            b"disconnect: packet looks like \x1b[31mfun\n",
            NotXpra::Refused { message: "packet looks like  [31mfun".to_owned() },
        ),
        (b"who is there?\r\n", NotXpra::Text { text: "who is there?".to_owned() }),
    ];
    for (bytes, expected) in cases {
        // The escape in a text makes it binary; strip it for the text cases.
        let expected = if bytes.contains(&0x1b) {
            let hex = bytes[..16].iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
            NotXpra::Binary { hex }
        } else {
            expected
        };
        for split in [1, 3, 1000] {
            let (packets, end) = reassemble(Dialect::Modern, bytes, &[split], now());
            assert!(packets.is_empty());
            if split == 1000 || !matches!(expected, NotXpra::Binary { .. }) {
                assert_eq!(end, Err(expected.clone().into()), "{:?}", String::from_utf8_lossy(bytes));
            }
        }
    }
    let cut = reassemble(Dialect::Modern, b"disconnect: fail", &[5], now()).1;
    assert_eq!(cut, Err(NotXpra::Refused { message: "fail".to_owned() }.into()));
    let binary = reassemble(Dialect::Modern, &[0, 1, 2, 3], &[4], now()).1;
    assert_eq!(binary, Err(NotXpra::Binary { hex: "00 01 02 03".to_owned() }.into()));
}

#[test]
fn errors_tell_the_user_what_to_do() {
    let says = |error: RecordError, what: &str| assert!(error.to_string().contains(what), "{error}");
    says(NotXpra::Ssh.into(), "ssh://");
    says(NotXpra::Http.into(), "ws://");
    says(NotXpra::Tls.into(), "ssl://");
    says(RecordError::Encrypted, "AES");
    says(RecordError::TooLarge { got: 9, limit: 8 }, "9 bytes, allowed are 8");
}

/// `data` as each compressor packs it.
fn compressed(data: &[u8]) -> Vec<(Compressor, Vec<u8>)> {
    let mut lz4 = Vec::new();
    lz4_append(data, &mut lz4).expect("it can be compressed");
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    zlib.write_all(data).expect("compressed");
    let mut brotli = Vec::new();
    brotli::BrotliCompress(&mut &data[..], &mut brotli, &brotli::enc::BrotliEncoderParams::default())
        .expect("compressed");
    let mut zstd_stream = zstd::stream::Encoder::new(Vec::new(), 3).expect("an encoder");
    zstd_stream.write_all(data).expect("compressed");
    vec![
        (Compressor::Lz4, lz4),
        (Compressor::Zlib, zlib.finish().expect("compressed")),
        (Compressor::Brotli, brotli),
        (Compressor::Zstd, zstd::bulk::compress(data, 3).expect("compressed")),
        // Without the size at the start.
        (Compressor::Zstd, zstd_stream.finish().expect("compressed")),
    ]
}

#[test]
fn every_compressor_gives_back_what_went_in() {
    let pool = BufferPool::default();
    let mut decompressor = Decompressor::default();
    for len in [1000, 65_536, 65_537, 1_000_000] {
        let data: Vec<u8> = (0..len).map(|i: usize| (i / 100 % 251) as u8).collect();
        for (compressor, packed) in compressed(&data) {
            for _ in 0..2 {
                let mut ledger = CopyLedger::default();
                let result = decompressor.decompress(compressor, &packed, len, &pool, &mut ledger);
                assert_eq!(result.as_deref(), Ok(&data[..]), "{}", compressor.name());
                assert_eq!(ledger.transformed_by(Transform::Decompress), len as u64);
                let knows_size = packed.len() < len && compressor == Compressor::Lz4;
                assert!(!knows_size || ledger.copied_at(CopySite::Splice) == 0);
            }
        }
    }
}

#[test]
fn no_compressor_gives_more_than_the_limit() {
    let pool = BufferPool::default();
    let mut decompressor = Decompressor::default();
    let bomb = vec![0; 10_000_000];
    for (compressor, packed) in compressed(&bomb) {
        for limit in [100_000, bomb.len() - 1] {
            let mut ledger = CopyLedger::default();
            let result = decompressor.decompress(compressor, &packed, limit, &pool, &mut ledger);
            assert!(matches!(result, Err(DecompressError::TooLarge { .. })), "{}", compressor.name());
            assert!(ledger.allocated_bytes <= 4 * limit as u64 + 200_000, "{} {ledger:?}", compressor.name());
        }
        for cut in [0, 1, 4, 5, packed.len() / 2, packed.len() - 1] {
            let result = decompressor.decompress(
                compressor,
                &packed[..cut],
                bomb.len(),
                &pool,
                &mut CopyLedger::default(),
            );
            assert!(result.is_err(), "{} cut to {cut}", compressor.name());
        }
    }
    // A size that LZ4 could not reach is refused before memory is taken for it.
    let mut lying = vec![0xff, 0xff, 0xff, 0x0f];
    lying.extend([0; 100]);
    let mut ledger = CopyLedger::default();
    let result = decompressor.decompress(Compressor::Lz4, &lying, 1 << 28, &pool, &mut ledger);
    assert!(matches!(result, Err(DecompressError::TooLarge { limit: 25_500, .. })), "{result:?}");
    assert_eq!(ledger.allocations, 0);
}
