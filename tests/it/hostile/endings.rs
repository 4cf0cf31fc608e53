//! Misbehaviours that end the session: with words, soon, and without having taken much memory.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Mutex;
use std::time::Duration;

use farpane::protocol::packet::Value;

use super::MEMORY;
use super::program::Watched;
use super::raw::{self, BROTLI, LZ4, RENCODEPLUS, ZSTD};
use crate::support::slots::Slot;

/// How long a clear end may take, with a machine's other work beside it.
const SOON: Duration = Duration::from_secs(25);
/// Programs at a time.
const AT_ONCE: usize = 4;

/// A misbehaviour, and the words that it must come to.
pub struct Ending {
    pub name: String,
    /// What the server says instead of anything else.
    pub bytes: Vec<u8>,
    /// The server's hello comes before.
    pub accepted: bool,
    /// The server closes its side then.
    pub closes: bool,
    /// What the program's last line must hold.
    pub words: &'static str,
}

fn in_session(name: impl Into<String>, words: &'static str, bytes: Vec<u8>) -> Ending {
    Ending { name: name.into(), bytes, accepted: true, closes: false, words }
}

fn at_first(name: impl Into<String>, words: &'static str, bytes: Vec<u8>) -> Ending {
    Ending { name: name.into(), bytes, accepted: false, closes: false, words }
}

fn closing(ending: Ending) -> Ending {
    Ending { closes: true, ..ending }
}

/// The cases.
pub fn table() -> Vec<Ending> {
    let mut table = Vec::new();
    records(&mut table);
    packets(&mut table);
    compressed(&mut table);
    arguments(&mut table);
    handshakes(&mut table);
    texts(&mut table);
    goodbyes(&mut table);
    table
}

fn records(table: &mut Vec<Ending>) {
    let fine = raw::encoded(&["cursor-default".into()]);
    for flags in [0x20, 0x40, 0x80] {
        table.push(in_session(
            format!("a record with flags {flags:#x}"),
            "protocol flags",
            raw::record(flags, 0, 0, &fine),
        ));
    }
    table.push(in_session(
        "a record with AES",
        "encrypted with AES",
        raw::record(RENCODEPLUS | 2, 0, 0, &fine),
    ));
    table.push(in_session("a record in bencode", "encoded with bencode", raw::record(0, 0, 0, &fine)));
    table.push(in_session("a record in rencode", "encoded with rencode", raw::record(1, 0, 0, &fine)));
    table.push(in_session("a record in yaml", "encoded with yaml", raw::record(4, 0, 0, &fine)));
    for byte in [0x01, 0x10, 0x21, 0x31, 0xc1, 0xff] {
        table.push(in_session(
            format!("a record with compression {byte:#x}"),
            "compression byte",
            raw::record(RENCODEPLUS, byte, 0, &fine),
        ));
    }
    for index in [16, 200, 255] {
        table.push(in_session(
            format!("a chunk of index {index}"),
            "chunk index",
            raw::chunk(index, &[1; 10]),
        ));
    }
    table.push(in_session("a chunk with flags", "protocol flags", raw::record(RENCODEPLUS, 0, 7, &[1; 10])));
    table.push(in_session(
        "two chunks of one index",
        "two chunks",
        [raw::chunk(7, &[1]), raw::chunk(7, &[1])].concat(),
    ));
    let four = (1..=4).flat_map(|index| raw::chunk(index, &[1])).collect();
    table.push(in_session("four chunks", "more than 3 chunks", four));
    table.push(in_session("an empty record", "record is empty", raw::header(RENCODEPLUS, 0, 0, 0)));
    table.push(in_session("an empty chunk", "record is empty", raw::header(0, 0, 7, 0)));
    for len in [64 << 20, 256 << 20, u32::MAX] {
        table.push(in_session(
            format!("a record of {len} bytes"),
            "allowed are",
            raw::header(RENCODEPLUS, 0, 0, len),
        ));
        table.push(in_session(format!("a chunk of {len} bytes"), "allowed are", raw::header(0, 0, 7, len)));
    }
    table.push(at_first(
        "a record of 5 MB before hello",
        "allowed are",
        raw::header(RENCODEPLUS, 0, 0, 5 << 20),
    ));
    let large = raw::chunk(1, &vec![0; 30 << 20]);
    table.push(in_session(
        "chunks of 60 MB together",
        "packet's records have",
        [large, raw::header(0, 0, 2, 30 << 20)].concat(),
    ));
    table.push(closing(in_session("half a header", "without a goodbye", vec![b'P', RENCODEPLUS, 0])));
    table.push(closing(in_session(
        "half a payload",
        "without a goodbye",
        raw::header(RENCODEPLUS, 0, 0, 100),
    )));
    table.push(closing(in_session("half a large payload", "without a goodbye", {
        [raw::header(0, 0, 7, 1 << 20), vec![0; 1000]].concat()
    })));
    table.push(closing(in_session(
        "a chunk without its packet",
        "without a goodbye",
        raw::chunk(7, &[1; 10]),
    )));
    table.push(closing(in_session("nothing more", "without a goodbye", Vec::new())));
    table.push(closing(at_first("not a word", "before its first word", Vec::new())));
    let outside = [raw::chunk(15, &[1; 10]), raw::packet(&["cursor-default".into()])].concat();
    table.push(in_session("a chunk for an argument that is not there", "chunk has index 15", outside));
}

fn packets(table: &mut Vec<Ending>) {
    const INVALID: &str = "not valid rencodeplus";
    let payloads: Vec<(&str, &'static str, Vec<u8>)> = vec![
        ("a number", "no list", vec![5]),
        ("text", "no list", vec![0x83, b'a', b'b', b'c']),
        ("nothing", "no list", vec![69]),
        ("an empty list", "no list", vec![192]),
        ("a list that starts with a number", "no list", vec![193, 5]),
        ("a list that starts with a list", "no list", vec![193, 192]),
        ("a dictionary", "no list", vec![102]),
        ("two values", INVALID, vec![193, 0x81, b'a', 5]),
        ("a code that is none", INVALID, vec![193, 45]),
        ("a list that is cut", INVALID, vec![195, 0x81, b'a']),
        ("text that is cut", INVALID, vec![193, 0xbf, b'a']),
        ("text that is no UTF-8", INVALID, vec![193, 0x82, 0xff, 0xfe]),
        ("a length of 4 GB", INVALID, [&[193][..], b"4294967295/"].concat()),
        ("a length of 20 digits", INVALID, [&[193][..], b"99999999999999999999:"].concat()),
        ("a length with a zero before it", INVALID, [&[193][..], b"01:a"].concat()),
        ("a number of 30 digits", INVALID, [&[193, 61][..], &[b'9'; 30], &[127]].concat()),
        ("a number that is no number", INVALID, [&[193, 61][..], b"-x", &[127]].concat()),
        ("an end where nothing is open", INVALID, vec![127]),
        ("a key without a value", INVALID, vec![194, 0x81, b'a', 60, 0x81, b'k', 127]),
        ("a fraction that is cut", INVALID, vec![194, 0x81, b'a', 44, 0, 0]),
        ("lists 40 deep", INVALID, [vec![194, 0x81, b'a'], vec![193; 40], vec![5]].concat()),
        ("lists a million deep", INVALID, [vec![194, 0x81, b'a'], vec![59; 1_000_000]].concat()),
        ("dictionaries 40 deep", INVALID, [vec![194, 0x81, b'a'], [103, 5].repeat(40), vec![5]].concat()),
        ("a million values", INVALID, [vec![194, 0x81, b'a', 59], vec![5; 1_000_000], vec![127]].concat()),
        (
            "a million empty dictionaries",
            INVALID,
            [vec![194, 0x81, b'a', 59], vec![102; 1_000_000], vec![127]].concat(),
        ),
    ];
    for (name, words, payload) in payloads {
        table.push(in_session(format!("a packet that is {name}"), words, raw::main(&payload)));
    }
}

fn compressed(table: &mut Vec<Ending>) {
    let main = |compression: u8, data: &[u8]| raw::record(RENCODEPLUS, compression, 0, data);
    let kinds: [(&str, u8, &'static str); 3] =
        [("lz4", LZ4, "lz4"), ("zstd", ZSTD, "zstd"), ("brotli", BROTLI, "brotli")];
    for (name, byte, words) in kinds {
        table.push(in_session(format!("{name} that is none"), words, main(byte, &[0xaa; 500])));
        table.push(in_session(format!("{name} of one byte"), words, main(byte, &[7])));
        let mut cut = match byte {
            LZ4 => raw::bomb::lz4(1 << 20),
            ZSTD => raw::bomb::zstd(1 << 20, true),
            _ => raw::bomb::brotli(1 << 20),
        };
        cut.truncate(cut.len() / 2);
        table.push(in_session(format!("{name} that is cut"), words, main(byte, &cut)));
    }
    let bombs: Vec<(&str, u8, Vec<u8>)> = vec![
        ("lz4", LZ4, raw::bomb::lz4(200 << 20)),
        ("zstd that says its size", ZSTD, raw::bomb::zstd(400 << 20, true)),
        ("zstd that does not", ZSTD, raw::bomb::zstd(400 << 20, false)),
        ("brotli", BROTLI, raw::bomb::brotli(400 << 20)),
    ];
    for (name, byte, data) in bombs {
        table.push(in_session(format!("many zeros in {name}"), "allowed are", main(byte, &data)));
        let hello = at_first(format!("many zeros in {name} before hello"), "allowed are", main(byte, &data));
        table.push(hello);
        // A draw whose data they are.
        let chunk = raw::record(0, byte, 7, &data);
        let draw = super::peer::Draw { chunk: false, wid: 1, ..Default::default() }.bytes(1);
        table.push(in_session(
            format!("a draw of many zeros in {name}"),
            "allowed are",
            [chunk, draw].concat(),
        ));
    }
    // Each of the four records is allowed, all of them together are not.
    let part = raw::bomb::zstd(30 << 20, true);
    let mut together: Vec<u8> = raw::record(0, ZSTD, 7, &part);
    let filler = "f".repeat(20 << 20);
    let values = ["window-draw".into(), 1.into(), 0.into(), 0.into(), 1.into(), 1.into(), "rgb32".into()];
    let values = values.into_iter().chain([Value::Bytes(Vec::new()), 1.into(), 4.into()]);
    let values = values.chain([raw::dict(&[("filler", filler.into())])]).collect::<Vec<Value>>();
    let long = raw::encoded(&values);
    together.extend(main(ZSTD, &zstd::bulk::compress(&long, 1).expect("memory")));
    table.push(in_session("a packet and its chunk, of 50 MB together", "allowed are", together));
    let window = zstd_window();
    table.push(in_session("zstd with a window of 128 MB", "zstd", main(ZSTD, &window)));
}

/// The start of a frame that asks for a window of 128 MiB and does not say its size.
fn zstd_window() -> Vec<u8> {
    // Magic number; descriptor: no size, no checksum, no dictionary; window: exponent 17, that is 2^27; an empty
    // block of raw bytes that is not the last one.
    vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 0x00, 0x00, 0x00]
}

fn arguments(table: &mut Vec<Ending>) {
    const WORDS: &str = "argument";
    let names = [
        "window-draw",
        "hello",
        "connection-close",
        "ping",
        "ping-echo",
        "setting-change",
        "server-event",
        "control",
        "info-response",
        "encoding-set",
        "display-resized",
        "display-screenshot",
        "display-show-desktop",
        "window-create",
        "new-override-redirect",
        "new-tray",
        "window-metadata",
        "window-move-resize",
        "configure-override-redirect",
        "window-resized",
        "window-raise",
        "window-restack",
        "window-initiate-moveresize",
        "window-destroy",
        "window-icon",
        "window-eos",
        "window-bell",
        "window-grab",
        "window-ungrab",
        "pointer-position",
        "cursor-data",
    ];
    for name in names {
        if name != "connection-close" {
            table.push(in_session(format!("{name} without arguments"), WORDS, raw::packet(&[name.into()])));
        }
        let lists = vec![raw::list(&[1]); 12];
        let values = std::iter::once(Value::from(name)).chain(lists).collect::<Vec<_>>();
        // One list of texts is a goodbye's modern form.
        let words = if name == "connection-close" { "no reason given" } else { WORDS };
        table.push(in_session(format!("{name} with lists for arguments"), words, raw::packet(&values)));
    }
    let draw = |option: &str, value: Value| {
        let draw = ["window-draw".into(), 1.into(), 0.into(), 0.into(), 1.into(), 1.into(), "rgb32".into()];
        let draw =
            draw.into_iter().chain([vec![0_u8; 4].into(), 1.into(), 4.into(), raw::dict(&[(option, value)])]);
        raw::packet(&draw.collect::<Vec<Value>>())
    };
    for (option, value) in [
        ("flush", Value::Int(-1)),
        ("flush", "x".into()),
        ("scaled_size", raw::list(&[1])),
        ("scaled_size", raw::list(&[-1, 1])),
        ("rgb_format", Value::Null),
        ("lz4", raw::list(&[])),
        ("full-range", "x".into()),
        ("window-size", raw::list(&[70_000, 1])),
        ("scroll", raw::list(&[1, 2, 3])),
    ] {
        table.push(in_session(format!("a draw with {option} {}", short(&value)), WORDS, draw(option, value)));
    }
    let numbers: [(&str, Vec<i64>); 6] = [
        ("window-raise", vec![0]),
        ("window-raise", vec![-1]),
        ("window-resized", vec![1, -1, 1, 1]),
        ("window-resized", vec![1, 65_536, 1, 1]),
        ("window-create", vec![1, 1 << 40, 0, 1, 1]),
        ("window-restack", vec![1, 256, 1]),
    ];
    for (name, numbers) in numbers {
        table.push(in_session(format!("{name} of {numbers:?}"), WORDS, raw::ints(name, &numbers)));
    }
}

fn short(value: &Value) -> String {
    format!("{value:?}").chars().take(24).collect()
}

fn handshakes(table: &mut Vec<Ending>) {
    let window = raw::window(1, 50, 50, &[]);
    table.push(at_first("a window before hello", "windows before its hello", window));
    let draw = super::peer::Draw { chunk: false, ..Default::default() }.bytes(1);
    table.push(at_first("a draw before hello", "windows before its hello", draw));
    let challenge = |salt: Vec<u8>, digest: &str, salt_digest: &str, prompt: String| {
        let values =
            ["challenge".into(), Value::Bytes(salt), raw::dict(&[]), digest.into(), salt_digest.into()];
        raw::packet(&values.into_iter().chain([prompt.into()]).collect::<Vec<Value>>())
    };
    let salt = || vec![7; 32];
    table.push(at_first(
        "a password",
        "asks for a password",
        challenge(salt(), "hmac+sha512", "hmac+sha256", "p".into()),
    ));
    let long = "p".repeat(1 << 20);
    table.push(at_first(
        "a password, with a long prompt",
        "asks for a password",
        challenge(salt(), "hmac+sha512", "hmac+sha256", long),
    ));
    for digest in ["", "md5", "kerberos:x", "hmac+nothing", "u2f:xor"] {
        table.push(at_first(
            format!("a password by {digest:?}"),
            "farpane: ",
            challenge(salt(), digest, "hmac+sha256", "p".into()),
        ));
    }
    table.push(at_first(
        "a password with an empty salt",
        "farpane: ",
        challenge(Vec::new(), "hmac+sha512", "hmac+sha256", "p".into()),
    ));
    table.push(at_first(
        "a password with 1 MB of salt",
        "farpane: ",
        challenge(vec![7; 1 << 20], "hmac+sha512", "hmac+sha256", "p".into()),
    ));
    table.push(at_first(
        "a hello that is no dictionary",
        "argument",
        raw::packet(&["hello".into(), 5.into()]),
    ));
    table.push(at_first("a hello without anything", "argument", raw::packet(&["hello".into()])));
    let caps = raw::dict(&[("x", "x".repeat(5 << 20).into())]);
    let hello = raw::encoded(&["hello".into(), caps]);
    let packed = zstd::bulk::compress(&hello, 1).expect("memory");
    table.push(at_first("a hello of 5 MB", "allowed are", raw::record(RENCODEPLUS, ZSTD, 0, &packed)));
}

fn texts(table: &mut Vec<Ending>) {
    let said: Vec<(&str, &'static str, &[u8])> = vec![
        ("of a web server", "HTTP server", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        ("of an SSH server", "SSH port", b"SSH-2.0-OpenSSH_9.2\r\n"),
        ("of a VNC server", "VNC", b"RFB 003.008\n"),
        ("of TLS", "TLS", &[21, 3, 3, 0, 2, 2, 70]),
        ("of a proxy", "refused", b"disconnect: no such session\n"),
        ("of nobody", "does not speak", b"hello? who is there?\n"),
        ("that is zeros", "does not speak", &[0; 64]),
        ("that is noise", "does not speak", &[1, 2, 3, 250, 251, 252]),
    ];
    for (name, words, bytes) in said {
        table.push(at_first(format!("text {name} in place of a hello"), words, bytes.to_vec()));
    }
    let line = "w".repeat(1 << 20);
    table.push(at_first("a line of 1 MB in place of a hello", "does not speak", line.clone().into_bytes()));
    // In a session any other start of a record is an error at once.
    for (name, bytes) in [
        ("text", b"something went wrong".to_vec()),
        ("one letter", b"x".to_vec()),
        ("zeros", vec![0; 16]),
        ("a line of 1 MB", line.into_bytes()),
        ("a web server's answer", b"HTTP/1.1 502 Bad Gateway\r\n\r\n".to_vec()),
    ] {
        table.push(in_session(format!("{name} in place of a record"), "farpane: ", bytes));
    }
}

fn goodbyes(table: &mut Vec<Ending>) {
    let goodbye = |reasons: Vec<Value>| {
        raw::packet(&std::iter::once("connection-close".into()).chain(reasons).collect::<Vec<_>>())
    };
    table.push(in_session("a goodbye without a reason", "no reason given", goodbye(Vec::new())));
    table.push(in_session(
        "a goodbye with a reason",
        "server shutdown",
        goodbye(vec!["server shutdown".into()]),
    ));
    let list = Value::List(vec!["in a list".into(), "of words".into()]);
    table.push(in_session("a goodbye with a list", "in a list: of words", goodbye(vec![list])));
    table.push(in_session(
        "a goodbye of 1 MB",
        "bye",
        goodbye(vec![format!("bye{}", "e".repeat(1 << 20)).into()]),
    ));
    table.push(in_session("a goodbye of 10000 reasons", "bye", goodbye(vec!["bye".into(); 10_000])));
    table.push(in_session(
        "a goodbye with control codes",
        "red",
        goodbye(vec!["\u{1b}[31mred\u{7}\0".into()]),
    ));
    table.push(in_session(
        "a goodbye in the old name",
        "bye",
        raw::packet(&["disconnect".into(), "bye".into()]),
    ));
    table.push(at_first("a goodbye before hello", "full", goodbye(vec!["the server is full".into()])));
    table.push(at_first(
        "a goodbye about a password",
        "refused the login",
        goodbye(vec!["authentication failed".into()]),
    ));
    let after = [goodbye(vec!["bye".into()]), raw::header(RENCODEPLUS, 0xff, 99, u32::MAX)].concat();
    table.push(in_session("garbage behind a goodbye", "bye", after));
}

#[test]
fn are_clear_and_soon() {
    let _slot = Slot::take();
    let table = table();
    let waiting = Mutex::new(table.iter());
    let next = || waiting.lock().expect("nobody panicked").next();
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(ending) = next() {
                    if let Err(why) = check(ending) {
                        failures.lock().expect("nobody panicked").push(format!("{}: {why}", ending.name));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("nobody panicked");
    assert!(failures.is_empty(), "{} of {} are wrong:\n{}", failures.len(), table.len(), failures.join("\n"));
}

/// Plays one to a program of its own.
fn check(ending: &Ending) -> Result<(), String> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("tcp://{}/", listener.local_addr().expect("it is bound"));
    std::thread::scope(|scope| {
        scope.spawn(|| serve(&listener, ending));
        let judged = judge(ending.words, Watched::screenshot(&url));
        // If it never came, the server still waits.
        drop(listener.local_addr().and_then(TcpStream::connect));
        judged
    })
}

/// Waits for the program's end and says what is wrong with it.
pub fn judge(words: &str, program: Watched) -> Result<(), String> {
    let ended = program.end(SOON)?;
    let said = ended.words.trim_end();
    let shown: String = said.chars().take(400).collect();
    let complaint = if ended.code.is_none_or(|code| code == 0) {
        format!("it ended with {:?}", ended.code)
    } else if !said.contains(words) {
        format!("expected {words:?}")
    } else if said.len() > 1000 || said.lines().count() != 1 || said.contains('\u{1b}') {
        format!("{} bytes in {} lines", said.len(), said.lines().count())
    } else if ended.peak >= MEMORY {
        format!("{} MB of memory", ended.peak / 1_000_000)
    } else {
        return Ok(());
    };
    Err(format!("{complaint}, it said: {shown}"))
}

fn serve(listener: &TcpListener, ending: &Ending) {
    let Ok((mut stream, _)) = listener.accept() else { return };
    // The first bytes of its hello: servers speak when they are spoken to.
    let mut start = [0; 8];
    let Ok(()) = stream.read_exact(&mut start) else { return };
    let hello = if ending.accepted { raw::hello() } else { Vec::new() };
    // It may hang up in the middle.
    let _ = stream.write_all(&hello).and_then(|()| stream.write_all(&ending.bytes));
    drain(stream, ending.closes);
}

/// Reads what still comes until the program hangs up.
pub fn drain(mut stream: TcpStream, close: bool) {
    if close {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}
