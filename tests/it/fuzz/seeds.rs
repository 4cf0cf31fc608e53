//! Inputs to begin with, made of what the tests have anyway: recordings, vectors, pictures of the encoders.

use farpane::buffers::{BufferPool, Payload};
use farpane::channel::clock;
use farpane::geometry::Size;
use farpane::protocol::compression::Decompressor;
use farpane::protocol::packet::args::{ArgError, Args, Unpack};
use farpane::protocol::packet::encode::Encoder;
use farpane::protocol::packet::{ClientPacket, Dict, ServerPacket, Value};
use farpane::protocol::reassembly::RawRecord;
use farpane::protocol::record::{Header, RecordKind};
use farpane::protocol::tape::Tape;
use farpane::protocol::{Dialect, bencode, rencodeplus};
use farpane::recording::{Reader, Writer};
use farpane::stats::CopyLedger;
use png::{BitDepth, ColorType};
use turbojpeg::Subsamp;

use super::targets::packets::{self, Subject};
use crate::support::samples::{self, opaque, photo, without_alpha};

/// The subjects and their targets.
pub const SUBJECTS: [(&str, &Subject); 7] = [
    ("packets-draw", &packets::DRAW),
    ("packets-window", &packets::WINDOW),
    ("packets-pointer", &packets::POINTER),
    ("packets-keyboard", &packets::KEYBOARD),
    ("packets-connection", &packets::CONNECTION),
    ("packets-display", &packets::DISPLAY),
    ("packets-clipboard", &packets::CLIPBOARD),
];
const RECORDINGS: [&[u8]; 4] = [
    include_bytes!("../../recordings/editing-3.1.fpr"),
    include_bytes!("../../recordings/scrolling-6.5.fpr"),
    include_bytes!("../../recordings/still-3.1.fpr"),
    include_bytes!("../../recordings/video-6.5.fpr"),
];
const FILMS: [&[u8]; 5] = [
    include_bytes!("../../golden/h264/openh264.draws"),
    include_bytes!("../../golden/h264/recorded-6.5.5-flip.draws"),
    include_bytes!("../../golden/h264/x264-baseline.draws"),
    include_bytes!("../../golden/h264/x264-high.draws"),
    include_bytes!("../../golden/h264/x264-main-b-frames.draws"),
];
/// Large enough for blocks of every codec, small enough to be quick.
const SIZE: Size = Size { width: 24, height: 18 };
/// Inputs of one kind at most.
const MAX_SEEDS: usize = 48;

/// Inputs for a target.
pub fn of(name: &str) -> Vec<Vec<u8>> {
    if let Some((_, subject)) = SUBJECTS.iter().find(|(target, _)| *target == name) {
        return packets(subject);
    }
    match name {
        "records" => records(),
        "rencodeplus" => vectors(include_str!("../../golden/rencodeplus.json")),
        "bencode" => vectors(include_str!("../../golden/bencode.json")),
        "yaml" => vectors(include_str!("../../golden/yaml.json")),
        "compressed" => compressed(),
        "session" => session(),
        "rgb" => rgb(),
        "png" => with_size(pngs(), &[0]),
        "jpeg" => with_size(jpegs(), &[]),
        "webp" => with_size(webps(), &[]),
        "h264" => FILMS.iter().map(|film| access_units(film)).collect(),
        "scroll" => vec![[1, 2, 30, 40, 5, 6].iter().flat_map(|number: &i32| number.to_le_bytes()).collect()],
        "icon" => icons(),
        "websocket" => frames(),
        "websocket-answer" => answers(),
        "url" => texts(&URLS),
        "session-file" => {
            let mut files = texts(&SESSION_FILES);
            files.push(include_bytes!("../../golden/session-3.1.3.xpra").to_vec());
            files.push(include_bytes!("../../golden/session-6.5.5.xpra").to_vec());
            files
        }
        "configuration-file" => texts(&CONFIGURATIONS),
        "recording" => recordings(),
        other => panic!("{other} has no seeds"),
    }
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

const URLS: [&str; 18] = [
    "tcp://user:secret@server.example.org:14500/100?compression-level=1&quality=80",
    "ssl://[2001:db8::1%25eth0]:443/",
    "ws://server/path/to?encoding=png",
    "wss://server:8443/%61b",
    "quic://server:14500/",
    "wt://server",
    "ssh://user@server:22/:100",
    "vsock://2:14500/",
    "tcp:server:14500:100",
    "tcp/server/14500/100",
    "socket:///run/user/1000/xpra/100",
    "/run/xpra/100",
    "@abstract",
    ":100",
    "100",
    "xpra+ssl://server?password=x",
    "socks5://user:secret@proxy:1080/?rdns=no",
    "http://proxy:3128",
];
const SESSION_FILES: [&str; 4] = [
    "# a comment\nmode=ssl\nhost=server\nport=443\n\nquality=80\npassword=secret\n",
    "mode=ssh\r\nhost=server\r\nssh_port=22\r\nport=:100\r\nusername=me\r\n",
    "mode=socket\npath=@abstract\nencodings=['png', \\\n 'jpeg']\n",
    "mode=vsock\nhost=2\nport=14500\nproxy-type=SOCKS5\nproxy-host=proxy\nproxy-port=1080\n",
];
const CONFIGURATIONS: [&str; 3] = [
    "overlay = true\noverlay-key = \"Ctrl+Alt+S\"\n",
    "min-quality = 80\nencodings = [\"png\", \"webp\"]\n# words\n",
    "username = 'me'\ndesktop-scaling = 1.5\nssl-ca-certs = \"/etc/authority.pem\"\n",
];

/// The packets of the recordings as values, small ones only.
fn recorded() -> Vec<Vec<Value>> {
    let mut found = Vec::new();
    for file in RECORDINGS {
        let mut reader = Reader::new(file, BufferPool::default()).expect("a recording");
        let dialect = reader.start().dialect;
        let mut decompressor = Decompressor::default();
        while let Ok(Some(packet)) = reader.next(clock::now()) {
            let record = packet.raw.main;
            let mut ledger = CopyLedger::default();
            let payload = match record.compressor {
                Some(how) => decompressor
                    .decompress(how, &record.payload, 1 << 20, &BufferPool::default(), &mut ledger)
                    .expect("a recorded packet"),
                None => record.payload,
            };
            if payload.len() > 1024 {
                continue;
            }
            let mut tape = Tape::default();
            let decoded = match dialect {
                Dialect::Legacy31 => bencode::decode(&payload, &mut tape),
                _ => rencodeplus::decode(&payload, &mut tape),
            };
            decoded.expect("a recorded packet");
            if let Value::List(items) = tape.value(0, &payload) {
                found.push(items);
            }
        }
    }
    found
}

fn encoded(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    values.iter().for_each(|value| Encoder::new(Dialect::Modern, &mut out).value(value));
    out
}

/// Arguments as packets have them: the window first, places, texts, maps.
fn arguments() -> Vec<Vec<Value>> {
    let text = || Value::from("text");
    let map = || {
        let mut map = Dict::default();
        map.push("key", 1).push("text", "words").push("list", vec![Value::from(2), Value::from(3)]);
        Value::from(map)
    };
    let ints = |count: i32| (1..=count).map(Value::from).collect::<Vec<Value>>();
    let list = || Value::from(vec![text(), text()]);
    vec![
        vec![],
        ints(12),
        vec![text(), text(), text()],
        vec![map()],
        vec![list()],
        vec![text(), 1.into()],
        vec![true.into(), text()],
        vec![1.into(), map()],
        [ints(5), vec![map(), map()]].concat(),
        [ints(5), vec![map(), 1.into(), map(), false.into()]].concat(),
        [ints(5), vec!["rgb32".into(), vec![0_u8; 16].into(), 9.into(), 8.into(), map()]].concat(),
        vec![1.into(), 2.into(), 2.into(), "png".into(), vec![0_u8; 8].into()],
        vec![1.into(), vec![Value::from(2), Value::from(3)].into(), list(), vec![Value::from(1)].into()],
        vec![1.into(), 2.into(), true.into(), vec![Value::from(2), Value::from(3)].into(), list()],
        vec![1.into(), text(), true.into(), list(), 5.into(), text(), 6.into(), 7.into()],
        vec!["CLIPBOARD".into(), list(), text(), text(), 8.into(), "bytes".into(), vec![1_u8, 2].into()],
        vec![3.into(), "PRIMARY".into(), text(), 8.into(), "bytes".into(), vec![1_u8, 2].into()],
        vec![vec![9_u8; 16].into(), text(), "hmac".into(), "hmac+sha256".into(), text()],
    ]
}

/// For each packet of the subject: those that were recorded, and arguments that may fit.
fn packets(subject: &Subject) -> Vec<Vec<u8>> {
    let recorded = recorded();
    let mut seeds = Vec::new();
    for (number, name) in subject.to_client.iter().chain(subject.to_server).enumerate() {
        let number = u8::try_from(number).expect("few packets");
        let same = |items: &&Vec<Value>| items[0].as_str() == Some(name);
        let is_to_client = usize::from(number) < subject.to_client.len();
        let of_it = recorded.iter().filter(same).filter(|_| is_to_client).take(MAX_SEEDS);
        let args = of_it.map(|items| items[1..].to_vec()).chain(arguments());
        seeds.extend(
            args.enumerate()
                .map(|(naming, args)| [&[number, (naming % 3) as u8][..], &encoded(&args)].concat()),
        );
    }
    seeds
}

struct NoChunks;

impl Unpack for NoChunks {
    fn chunk(&mut self, _: &RawRecord) -> Option<Payload> {
        None
    }
}

/// A packet of that name and no arguments, as `parse` finds it.
fn parsed<P>(name: &str, parse: impl FnOnce(&mut Args<'_>) -> Result<P, ArgError>) -> Result<P, ArgError> {
    let packet = Payload::from(encoded(&[Value::List(vec![name.into()])]));
    let mut tape = Tape::default();
    rencodeplus::decode(&packet, &mut tape).expect("a packet");
    parse(&mut Args::new(&tape, packet.lend(), &[], &mut NoChunks).expect("a packet"))
}

/// Whether a subject takes a server's packet of this name. Its arguments are missing, which is an error of its own.
pub fn is_read_of_a_server(name: &str) -> bool {
    !matches!(
        parsed(name, ServerPacket::parse),
        Ok(ServerPacket::Ignored { .. } | ServerPacket::Unknown { .. })
    )
}

/// The same of a client's.
pub fn is_read_of_a_client(name: &str) -> bool {
    !matches!(parsed(name, ClientPacket::parse), Ok(None))
}

fn records() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (number, dialect) in (0..).zip([Dialect::Modern, Dialect::Legacy31, Dialect::Yaml]) {
        let mut stream = vec![number, 7];
        for items in recorded().into_iter().take(3) {
            let mut payload = Vec::new();
            Encoder::new(dialect, &mut payload).value(&Value::List(items));
            let len = u32::try_from(payload.len()).expect("a small packet");
            stream.extend(Header::encode(RecordKind::Main { flush: false }, dialect, 0, len));
            stream.extend(payload);
        }
        seeds.push(stream);
        seeds.push([&[number, 1][..], b"disconnect: packet looks like an HTTP request\n"].concat());
    }
    seeds
}

/// One of each length at most.
fn vectors(json: &str) -> Vec<Vec<u8>> {
    let json: serde_json::Value = serde_json::from_str(json).expect("JSON");
    let byte = |text: &str, at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    let texts =
        json["vectors"].as_array().expect("vectors").iter().filter_map(|vector| vector["hex"].as_str());
    let mut seeds: Vec<Vec<u8>> =
        texts.map(|text| (0..text.len()).step_by(2).map(|at| byte(text, at)).collect()).collect();
    seeds.sort_by_key(Vec::len);
    seeds.dedup_by_key(|seed| seed.len());
    seeds
}

fn compressed() -> Vec<Vec<u8>> {
    let plain: Vec<u8> = (0..600_usize).map(|at| (at / 20 * 7) as u8).collect();
    let mut brotli = Vec::new();
    brotli::BrotliCompress(&mut &plain[..], &mut brotli, &brotli::enc::BrotliEncoderParams::default())
        .expect("compressed");
    let packed = [samples::lz4(&plain), samples::zlib(&plain), samples::zstd(&plain), brotli, plain];
    (0..).zip(packed).map(|(number, packed)| [&[number, 0, 4][..], &packed].concat()).collect()
}

fn session() -> Vec<Vec<u8>> {
    let mut packets = recorded();
    // Each name a few times is enough.
    packets.sort_by_key(|items| items[0].as_str().unwrap_or_default().to_owned());
    let mut seeds = Vec::new();
    for items in packets.chunks(4).take(MAX_SEEDS) {
        let mut seed = vec![1];
        for items in items {
            let packet = encoded(&[Value::List(items.clone())]);
            seed.extend(u16::try_from(packet.len()).expect("a small packet").to_le_bytes());
            seed.extend(packet);
        }
        seed.extend(0x9000_u16.to_le_bytes());
        seeds.push(seed);
    }
    seeds
}

/// Each file behind its size and `more`.
fn with_size(files: Vec<Vec<u8>>, more: &[u8]) -> Vec<Vec<u8>> {
    let head = [&[SIZE.width as u8, SIZE.height as u8, 0][..], more].concat();
    files.into_iter().map(|file| [&head[..], &file].concat()).collect()
}

fn rgb() -> Vec<Vec<u8>> {
    let pixels = photo(SIZE, 0);
    let plain = without_alpha(&pixels);
    let mut seeds = Vec::new();
    for (encoding, pixels) in [(0, plain), (1, pixels)] {
        let packed = [pixels.clone(), samples::lz4(&pixels), samples::zlib(&pixels), samples::zstd(&pixels)];
        for (compression, packed) in (0..).zip(packed) {
            for format in [5, 3] {
                seeds.push([&[encoding, format, compression, 0, 0][..], &packed].concat());
            }
        }
    }
    with_size(seeds, &[])
}

fn pngs() -> Vec<Vec<u8>> {
    let rgba = photo(SIZE, 0);
    let grey: Vec<u8> = rgba.iter().step_by(4).copied().collect();
    let indexed: Vec<u8> = grey.iter().map(|value| value % 4).collect();
    let palette: Vec<u8> = (0..12).collect();
    vec![
        samples::png(SIZE, ColorType::Rgba, BitDepth::Eight, &[], &rgba),
        samples::png(SIZE, ColorType::Rgb, BitDepth::Eight, &[], &without_alpha(&rgba)),
        samples::png(SIZE, ColorType::Grayscale, BitDepth::Eight, &[], &grey),
        samples::png(SIZE, ColorType::Indexed, BitDepth::Eight, &palette, &indexed),
        samples::png(SIZE, ColorType::GrayscaleAlpha, BitDepth::Eight, &[], &rgba[..grey.len() * 2]),
        samples::png(SIZE, ColorType::Grayscale, BitDepth::Sixteen, &[], &rgba[..grey.len() * 2]),
    ]
}

fn jpegs() -> Vec<Vec<u8>> {
    let kinds = [Subsamp::None, Subsamp::Sub2x1, Subsamp::Sub2x2, Subsamp::Gray];
    kinds.map(|kind| samples::jpeg(SIZE, &photo(SIZE, 0), kind)).to_vec()
}

fn webps() -> Vec<Vec<u8>> {
    let rgba = photo(SIZE, 0);
    vec![
        samples::webp(SIZE, &rgba, true),
        samples::webp(SIZE, &opaque(rgba.clone()), false),
        samples::webp_alpha(SIZE, &rgba),
    ]
}

/// A film of `tests/golden/h264` (96 × 64 pixels, one of 400 × 300) as its target takes it.
fn access_units(film: &[u8]) -> Vec<u8> {
    const HEAD: [u8; 3] = [50, 64, 3];
    let mut seed = HEAD.to_vec();
    let mut rest = film;
    while let Some((&[delayed, _, a, b, c, d], data)) = rest.split_first_chunk() {
        let (unit, after) = data.split_at(u32::from_le_bytes([a, b, c, d]) as usize);
        let len = u16::try_from(unit.len()).expect("a small frame");
        seed.push((delayed & 3) << 1);
        seed.extend(len.to_le_bytes());
        seed.extend(unit);
        rest = after;
    }
    seed
}

fn icons() -> Vec<Vec<u8>> {
    let rgba = photo(SIZE, 0);
    let mut files = vec![[&[0, 96, 0][..], &rgba].concat(), [&[3, 0, 0][..], &rgba].concat()];
    files.extend(pngs().into_iter().map(|file| [&[5, 0, 0][..], &file].concat()));
    files.extend(jpegs().into_iter().map(|file| [&[6, 0, 0][..], &file].concat()));
    files.extend(webps().into_iter().map(|file| [&[7, 0, 0][..], &file].concat()));
    with_size(files, &[])
}

fn frames() -> Vec<Vec<u8>> {
    let frame = |head: &[u8], payload: &[u8]| [head, payload].concat();
    let data = frame(&[0x82, 5], b"hello");
    let long = frame(&[0x82, 126, 1, 0], &[7; 256]);
    let longest = frame(&[0x02, 127, 0, 0, 0, 0, 0, 1, 0, 0], &[7; 300]);
    let ping = frame(&[0x89, 4], b"ping");
    let close = frame(&[0x88, 2], &1000_u16.to_be_bytes());
    let streams = [
        [&data[..], &long, &ping, &data, &close].concat(),
        [&longest[..], &frame(&[0x80, 1], b"x"), &frame(&[0x8a, 0], b"")].concat(),
        b"disconnect: failed to parse bencode packet".to_vec(),
    ];
    streams.iter().map(|stream| [&[255, 0, 3, 9][..], stream].concat()).collect()
}

fn answers() -> Vec<Vec<u8>> {
    let texts = [
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno!",
        "HTTP/1.1 302 Found\r\nLocation: https://elsewhere/login?x=1\r\n\r\n",
        "HTTP/1.1 400 Bad Request\r\nServer: Xpra\r\n\r\n<html>does not accept websocket</html>",
        "disconnect: packet looks like HTTP\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
    ];
    texts.iter().map(|text| [&[255, 255, 1, 9][..], text.as_bytes()].concat()).collect()
}

/// The first packets of each recording, written anew.
fn recordings() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for file in RECORDINGS {
        let mut reader = Reader::new(file, BufferPool::default()).expect("a recording");
        let mut writer = Writer::new(Vec::new(), reader.start().clone()).expect("memory");
        let mut written = 0;
        while let Ok(Some(packet)) = reader.next(clock::now()) {
            if written < 6 && packet.raw.wire_bytes < 500 {
                written += 1;
                writer.packet(&packet.raw.lend()).expect("memory");
            }
        }
        seeds.push([&[1][..], &writer.finish().expect("memory")].concat());
    }
    seeds
}
