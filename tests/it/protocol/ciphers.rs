//! Records that are enciphered, beside what OpenSSL's program makes of the same bytes.

use std::io::Write as _;
use std::process::{Command, Stdio};

use farpane::buffers::{BufferPool, Payload};
use farpane::fuzzing::reassemble_with;
use farpane::protocol::cipher::{KeyHash, Padding};
use farpane::protocol::packet::clipboard;
use farpane::protocol::packet::connection;
use farpane::protocol::packet::{ClientPacket, ServerPacket};
use farpane::protocol::record::{HEADER_LEN, Header, RecordKind};
use farpane::protocol::{
    CipherMode, CipherSpec, Dialect, KeptPacket, KeyData, Limits, PacketReader, PacketWriter, Reassembler,
    RecordError,
};
use farpane::stats::CopySite;
use proptest::prelude::*;

use super::{draw, hello, now};

const SECRET: &[u8] = b"what is in the file \xff\x00";

fn spec(mode: CipherMode, block: usize, padding: Padding) -> CipherSpec {
    CipherSpec {
        mode,
        iv: *b"0123456789abcdef",
        salt: (0..64).collect(),
        iterations: 1000,
        hash: KeyHash::Sha1,
        padding,
        block,
        data: KeyData::new(Vec::from(SECRET).into()).expect("a key"),
    }
}

/// Every kind that servers have.
fn specs() -> [CipherSpec; 4] {
    [
        spec(CipherMode::Cbc, 16, Padding::Pkcs7),
        spec(CipherMode::Cbc, 32, Padding::Pkcs7),
        spec(CipherMode::Cbc, 32, Padding::Spaces),
        spec(CipherMode::Ctr, 16, Padding::Pkcs7),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn openssl(words: &[String], input: &[u8]) -> Vec<u8> {
    let pipes = Command::new("openssl").args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut program = pipes.expect("openssl");
    let mut stdin = program.stdin.take().expect("a pipe");
    let input = Vec::from(input);
    let writing = std::thread::Builder::new().spawn(move || stdin.write_all(&input)).expect("a thread");
    let output = program.wait_with_output().expect("its output");
    assert!(output.status.success(), "openssl {words:?}");
    writing.join().expect("it does not panic").expect("it reads everything");
    output.stdout
}

/// The key that OpenSSL derives.
fn key(spec: &CipherSpec) -> Vec<u8> {
    let mut words: Vec<String> = ["kdf", "-keylen", "32", "-binary"].map(str::to_owned).into();
    let options = [
        format!("digest:{}", spec.hash.name()),
        format!("hexpass:{}", hex(SECRET)),
        format!("hexsalt:{}", hex(&spec.salt)),
        format!("iter:{}", spec.iterations),
    ];
    words.extend(options.into_iter().flat_map(|option| ["-kdfopt".to_owned(), option]));
    words.push("PBKDF2".to_owned());
    openssl(&words, b"")
}

/// What OpenSSL makes of `input`.
fn enc(spec: &CipherSpec, direction: &str, input: &[u8]) -> Vec<u8> {
    let cipher = format!("-aes-256-{}", spec.mode.name().to_lowercase());
    let words = ["enc", &cipher, direction, "-nopad", "-K", &hex(&key(spec)), "-iv", &hex(&spec.iv)];
    openssl(&words.map(str::to_owned), input)
}

/// How much is behind a payload, and what, by the words of the protocol's document.
fn padding(spec: &CipherSpec, len: usize) -> Vec<u8> {
    let count = match spec.mode {
        CipherMode::Cbc => spec.block - len % spec.block,
        CipherMode::Ctr => 0,
    };
    vec![if spec.padding == Padding::Spaces { b' ' } else { count as u8 }; count]
}

/// The records in a stream, as they stand in it: header, payload, the padding that belongs there.
fn records<'s>(
    spec: &CipherSpec,
    stream: &'s [u8],
    padded: bool,
) -> Vec<([u8; HEADER_LEN], &'s [u8], Vec<u8>)> {
    let (mut rest, mut found) = (stream, Vec::new());
    while let Some((header, behind)) = rest.split_first_chunk::<HEADER_LEN>() {
        let len = u32::from_be_bytes(*header.last_chunk().expect("four bytes")) as usize;
        let padding = padding(spec, len);
        let (payload, behind) = behind.split_at(len + if padded { padding.len() } else { 0 });
        found.push((*header, payload, padding));
        rest = behind;
    }
    found
}

/// A plain stream as a server sends it that enciphers as `spec` says, with OpenSSL's help.
fn enciphered(spec: &CipherSpec, plain: &[u8]) -> Vec<u8> {
    let records = records(spec, plain, false);
    let payloads: Vec<u8> =
        records.iter().flat_map(|(_, payload, padding)| [payload, &padding[..]].concat()).collect();
    let secret = enc(spec, "-e", &payloads);
    let mut rest = &secret[..];
    let mut stream = Vec::new();
    for (mut header, payload, padding) in records {
        let (mine, behind) = rest.split_at(payload.len() + padding.len());
        header[1] |= 2;
        stream.extend([&header[..], mine].concat());
        rest = behind;
    }
    stream
}

fn plain(dialect: Dialect, packets: &[ServerPacket]) -> Vec<u8> {
    let mut writer = PacketWriter::new(dialect);
    let records = packets.iter().map(|packet| writer.write_server(packet, true));
    records.flat_map(|r| [&r.head[..], r.data.as_deref().unwrap_or_default(), &r.tail[..]].concat()).collect()
}

/// Packets of all sizes: small ones, and chunks within the receive buffer and with one of their own.
fn packets() -> Vec<ServerPacket> {
    let sizes = [1, 15, 16, 17, 31, 32, 33, 16_383, 16_384, 16_400, 40_000, 131_072, 200_001, 5];
    let draws = sizes.into_iter().enumerate();
    let mut packets: Vec<ServerPacket> =
        draws.map(|(n, len)| draw(n as u64, (0..len).map(|i| (i * 31 + n) as u8).collect())).collect();
    packets.insert(0, hello());
    packets.insert(5, ServerPacket::Connection(connection::FromServer::StartupComplete));
    packets
}

fn listening(dialect: Dialect, spec: &CipherSpec) -> Reassembler {
    let mut reassembler = Reassembler::new(dialect, Limits::BEFORE_HELLO, BufferPool::default());
    reassembler.decipher(spec.decryptor());
    reassembler
}

fn decoded(dialect: Dialect, packets: &[KeptPacket]) -> Vec<ServerPacket> {
    let mut reader = PacketReader::new(dialect, Limits::BEFORE_HELLO, BufferPool::default());
    packets.iter().map(|raw| reader.read(raw.lend()).expect("a packet").packet).collect()
}

/// What OpenSSL enciphered is read, however the network cuts it, and whoever keeps what came before.
#[test]
fn any_split_of_what_openssl_enciphered_is_read() {
    for spec in specs() {
        let dialect = if spec.block == 32 { Dialect::Legacy31 } else { Dialect::Modern };
        let sent = plain(dialect, &packets());
        let stream = enciphered(&spec, &sent);
        let (whole, end) = reassemble_with(listening(dialect, &spec), &stream, &[], now());
        assert_eq!(end, Ok(()), "{spec:?}");
        assert_eq!(whole.iter().map(|packet| packet.wire_bytes).sum::<u64>(), stream.len() as u64);
        let expected = reassemble_with(
            Reassembler::new(dialect, Limits::BEFORE_HELLO, BufferPool::default()),
            &sent,
            &[],
            now(),
        )
        .0;
        let expected = decoded(dialect, &expected);
        assert_eq!(decoded(dialect, &whole), expected, "{spec:?}");
        for splits in [&[1][..], &[7, 100], &[15, 1, 16, 17], &[8, 4096], &[65_537, 3], &[131_072]] {
            let (packets, end) = reassemble_with(listening(dialect, &spec), &stream, splits, now());
            assert_eq!(end, Ok(()), "{splits:?}");
            assert_eq!(decoded(dialect, &packets), expected, "{splits:?} {spec:?}");
        }
        // The header alone says what is missing.
        let (_, end) = reassemble_with(listening(dialect, &spec), &stream[..20], &[], now());
        assert!(matches!(end, Err(RecordError::Truncated { .. })), "{end:?}");
    }
}

/// What is enciphered becomes plain in its place: no more is moved than of a plain stream.
#[test]
fn deciphering_copies_nothing() {
    let moved = |reassembler: Reassembler, stream: &[u8]| {
        let (packets, end) = reassemble_with(reassembler, stream, &[60_000], now());
        assert_eq!(end, Ok(()));
        let ledgers = packets.iter().filter_map(|packet| packet.ledger);
        let sites = [CopySite::ReceivePrefix, CopySite::ReceiveCompact, CopySite::Splice];
        ledgers.map(|ledger| sites.map(|site| ledger.copied_at(site)).iter().sum::<u64>()).sum::<u64>()
    };
    // Ten of 200 KB, and the padding shifts where reads end.
    let packets: Vec<ServerPacket> = (0..10).map(|n| draw(n, vec![n as u8; 200_000])).collect();
    let bare = plain(Dialect::Modern, &packets);
    let plain = moved(Reassembler::new(Dialect::Modern, Limits::BEFORE_HELLO, BufferPool::default()), &bare);
    for spec in specs() {
        let secret = moved(listening(Dialect::Modern, &spec), &enciphered(&spec, &bare));
        assert!(secret <= plain + 10 * 1024, "{secret} bytes moved, {plain} of a plain stream: {spec:?}");
    }
}

/// What is sent can be read by OpenSSL, packets of bulk data too.
#[test]
fn openssl_reads_what_is_sent() {
    let paste = |len: usize| {
        ClientPacket::Clipboard(clipboard::Packet::Contents {
            request: 7,
            selection: clipboard::Selection::Clipboard,
            contents: clipboard::Contents::bytes("UTF8_STRING", Payload::from(vec![7; len])),
        })
    };
    for spec in specs() {
        let (mut bare, mut writer) = (PacketWriter::new(Dialect::Modern), PacketWriter::new(Dialect::Modern));
        assert!(!writer.enciphers());
        writer.encipher(spec.encryptor());
        assert!(writer.enciphers());
        let (mut expected, mut sent) = (Vec::new(), Vec::new());
        let ping = ClientPacket::Connection(connection::ToServer::Ping { monotonic_ms: 77 });
        for _ in 0..3 {
            bare.write(&ping, &mut expected);
            writer.write(&ping, &mut sent);
            for len in [10, 5000, 100_000] {
                for (writer, out) in [(&mut bare, &mut expected), (&mut writer, &mut sent)] {
                    let records = writer.write_bulk(&paste(len));
                    out.extend(records.head);
                    out.extend(records.data.as_deref().unwrap_or_default());
                    out.extend(records.tail);
                }
            }
        }
        let secret: Vec<u8> =
            records(&spec, &sent, true).iter().flat_map(|(_, p, _)| Vec::from(*p)).collect();
        let opened = enc(&spec, "-d", &secret);
        let (mut rest, mut seen) = (&opened[..], Vec::new());
        for (header, payload, padding) in records(&spec, &sent, true) {
            let (padded, behind) = rest.split_at(payload.len());
            assert!(padded.ends_with(&padding), "{spec:?}");
            let mut header = header;
            assert_eq!(header[1] & 2, 2);
            header[1] &= !2;
            seen.extend([&header[..], &padded[..padded.len() - padding.len()]].concat());
            rest = behind;
        }
        assert_eq!(seen, expected, "{spec:?}");
    }
}

/// Every hash makes the key that OpenSSL makes.
#[test]
fn keys_are_openssls() {
    for name in ["SHA1", "SHA224", "SHA256", "SHA384", "SHA512"] {
        let hash = KeyHash::from_name(name).expect(name);
        let spec = CipherSpec { hash, iterations: 1234, ..spec(CipherMode::Ctr, 16, Padding::Pkcs7) };
        let mut bytes = [0; 100];
        assert_eq!(spec.decryptor().apply(&mut bytes), 100);
        assert_eq!(enc(&spec, "-e", &[0; 100]), bytes, "{name}");
    }
}

/// Line ends around a key do not count, and nothing else is left out; it is printed nowhere.
#[test]
fn a_key_is_what_is_between_line_ends() {
    let key = |bytes: &[u8]| KeyData::new(Vec::from(bytes).into());
    assert_eq!(key(b"\r\n a\nb \n\n"), key(b" a\nb "));
    assert_ne!(key(b"a"), key(b" a"));
    assert_eq!((key(b""), key(b"\n\r")), (None, None));
    assert_eq!(format!("{:?}", key(b"hunter2")), "Some(KeyData(…))");
}

/// Another key, or bytes that changed on their way: an error, or with CTR other bytes, never a panic.
#[test]
fn another_key_is_noticed_at_once() {
    for spec in specs() {
        let stream = enciphered(&spec, &plain(Dialect::Modern, &[hello()]));
        let other = CipherSpec { salt: vec![1; 64], ..spec.clone() };
        let (packets, end) = reassemble_with(listening(Dialect::Modern, &other), &stream, &[], now());
        let mut reader = PacketReader::new(Dialect::Modern, Limits::BEFORE_HELLO, BufferPool::default());
        match spec.mode {
            CipherMode::Cbc => assert_eq!((packets.len(), end), (0, Err(RecordError::Padding))),
            CipherMode::Ctr => assert!(reader.read(packets[0].lend()).is_err()),
        }
    }
}

/// What comes before the first enciphered record may be plain; nothing behind it.
#[test]
fn nothing_plain_comes_behind_what_is_enciphered() {
    let spec = spec(CipherMode::Cbc, 16, Padding::Pkcs7);
    let bare = plain(Dialect::Modern, &[hello()]);
    let secret = enciphered(&spec, &bare);
    for splits in [&[][..], &[1], &[13]] {
        let listening = || listening(Dialect::Modern, &spec);
        let (packets, end) = reassemble_with(listening(), &[&bare[..], &bare].concat(), splits, now());
        assert_eq!((packets.len(), end), (2, Ok(())));
        let (packets, end) = reassemble_with(listening(), &[&secret[..], &bare].concat(), splits, now());
        assert_eq!((packets.len(), end), (1, Err(RecordError::NotEncrypted)), "{splits:?}");
    }
    let mut reassembler = listening(Dialect::Modern, &spec);
    assert!(!reassembler.has_deciphered());
    reassembler.feed(&secret, now());
    assert!(reassembler.next_packet().expect("valid").is_some());
    assert!(reassembler.has_deciphered());
    // Nobody asked for it.
    let bare = Reassembler::new(Dialect::Modern, Limits::BEFORE_HELLO, BufferPool::default());
    assert_eq!(reassemble_with(bare, &secret, &[], now()).1, Err(RecordError::Encrypted));
}

/// A new cipher is for the records that begin behind it, also when the one before is not all there.
#[test]
fn a_new_cipher_begins_with_a_record() {
    let first = spec(CipherMode::Cbc, 16, Padding::Pkcs7);
    let second = CipherSpec { salt: vec![9; 32], iv: *b"fedcba9876543210", ..first.clone() };
    let packets = packets();
    let bare = plain(Dialect::Modern, &packets);
    let (before, after) = (enciphered(&first, &bare), enciphered(&second, &bare));
    for missing in [0, 1, 16, 40] {
        let mut reassembler = listening(Dialect::Modern, &first);
        let mut got = Vec::new();
        let (begun, end) = before.split_at(before.len() - missing);
        for (n, stream) in [begun, end, &after].into_iter().enumerate() {
            let mut rest = stream;
            while !rest.is_empty() {
                let fed = reassembler.feed(rest, now());
                rest = &rest[fed..];
                while let Some(packet) = reassembler.next_packet().expect("valid records") {
                    got.push(packet.keep());
                }
            }
            if n == 0 {
                assert_eq!(got.len(), packets.len() - usize::from(missing > 0));
                reassembler.decipher(second.decryptor());
            }
        }
        assert_eq!(decoded(Dialect::Modern, &got), [&packets[..], &packets].concat(), "{missing}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes: errors, and no more memory than was declared and allowed.
    #[test]
    fn hostile_streams_end_in_errors(
        at in 0usize..4000, bits in 1u8.., cut in 0usize..4000, splits in prop::collection::vec(1usize..500, 1..9),
    ) {
        static STREAMS: std::sync::LazyLock<Vec<(CipherSpec, Vec<u8>)>> = std::sync::LazyLock::new(|| {
            let packets = [hello(), draw(1, vec![3; 1500]), hello(), draw(2, vec![4; 100]), hello()];
            specs().map(|spec| { let stream = enciphered(&spec, &plain(Dialect::Modern, &packets)); (spec, stream) }).into()
        });
        for (spec, stream) in STREAMS.iter() {
            let mut stream = stream.clone();
            let at = at % stream.len();
            stream[at] ^= bits;
            stream.truncate(stream.len() - cut % stream.len());
            let (packets, _) = reassemble_with(listening(Dialect::Modern, spec), &stream, &splits, now());
            let mut reader = PacketReader::new(Dialect::Modern, Limits::BEFORE_HELLO, BufferPool::default());
            for packet in packets {
                let _ = reader.read(packet.lend());
            }
        }
    }
}

/// A length is compared with the limits before anything is allocated for it, with its padding.
#[test]
fn lengths_are_bounded() {
    let spec = spec(CipherMode::Cbc, 32, Padding::Pkcs7);
    for len in [u32::MAX, 4 * 1024 * 1024 + 1] {
        let header = Header::encode(RecordKind::Main { flush: false }, Dialect::Modern, 0, len);
        let stream = Header::enciphered(header);
        let (_, end) = reassemble_with(listening(Dialect::Modern, &spec), &stream, &[], now());
        assert!(matches!(end, Err(RecordError::TooLarge { .. })), "{end:?}");
    }
}
