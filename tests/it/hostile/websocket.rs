//! A WebSocket server that misbehaves: in its answer to the handshake, and in its frames.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;

use base64::Engine as _;
use sha1::Digest as _;

use super::endings::{drain, judge};
use super::program::Watched;
use super::raw;
use crate::support::slots::Slot;

/// Programs at a time.
const AT_ONCE: usize = 4;

/// What is sent in place of, or behind, the answer to the handshake.
pub struct Ending {
    pub name: &'static str,
    pub says: Says,
    pub closes: bool,
    /// What the program's last line must hold.
    pub words: &'static str,
}

/// What the server says.
pub enum Says {
    /// This, in place of an answer.
    Instead(Vec<u8>),
    /// The right answer, then these bytes.
    Frames(Vec<u8>),
}

fn instead(name: &'static str, words: &'static str, bytes: impl Into<Vec<u8>>) -> Ending {
    Ending { name, says: Says::Instead(bytes.into()), closes: false, words }
}

fn frames(name: &'static str, words: &'static str, bytes: Vec<u8>) -> Ending {
    Ending { name, says: Says::Frames(bytes), closes: false, words }
}

fn closing(ending: Ending) -> Ending {
    Ending { closes: true, ..ending }
}

/// A frame with any first two bytes, and a length of 16 bits if it needs one.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).expect("a small payload");
    let head = match u8::try_from(len) {
        Ok(len) if len < 126 => vec![first, len],
        _ => [&[first, 126][..], &len.to_be_bytes()].concat(),
    };
    [&head[..], payload].concat()
}

fn binary(payload: &[u8]) -> Vec<u8> {
    frame(0x82, payload)
}

/// The cases.
pub fn table() -> Vec<Ending> {
    let switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    let hello = || binary(&raw::hello());
    vec![
        instead("ws: a page", "200", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
        instead("ws: no such page", "404", "HTTP/1.1 404 Not Found\r\n\r\n"),
        instead("ws: bad gateway", "502", "HTTP/1.1 502 Bad Gateway\r\n\r\n"),
        instead("ws: no HTTP", "an SSH port", "SSH-2.0-OpenSSH_9.2\r\n"),
        instead("ws: zeros", "100 zeros", vec![0; 100]),
        instead("ws: an answer without a key", "Sec-WebSocket-Accept", format!("{switching}\r\n")),
        instead(
            "ws: an answer to another key",
            "Sec-WebSocket-Accept",
            format!("{switching}Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"),
        ),
        instead("ws: headers without end", "longer than", format!("{switching}X: {}", "x".repeat(1 << 20))),
        instead("ws: a thousand headers", "farpane: ", format!("{switching}{}\r\n", "X: y\r\n".repeat(1000))),
        instead("ws: a reason of 1 MB", "farpane: ", format!("HTTP/1.1 500 {}\r\n\r\n", "x".repeat(1 << 20))),
        closing(instead("ws: not a word", "handshake", "")),
        closing(instead("ws: half an answer", "handshake", switching)),
        frames("ws: reserved bits", "reserved bits", frame(0xf2, &[1])),
        frames("ws: an opcode that is none", "opcode", frame(0x83, &[1])),
        frames("ws: a control opcode that is none", "opcode", frame(0x8b, &[1])),
        frames("ws: a text frame", "farpane: ", frame(0x81, b"some text")),
        frames("ws: a ping in parts", "farpane: ", frame(0x09, &[1])),
        frames("ws: a ping of 200 bytes", "farpane: ", frame(0x89, &[1; 200])),
        frames("ws: a length of 64 bits", "63 bits", [&[0x82, 127][..], &u64::MAX.to_be_bytes()].concat()),
        frames("ws: a masked frame", "mask", vec![0x82, 0x81, 1, 2, 3, 4, b'P' ^ 1]),
        frames("ws: garbage in a frame", "farpane: ", [hello(), binary(b"garbage in a frame\n")].concat()),
        frames("ws: the end of the connection", "farpane: ", [hello(), frame(0x88, &[])].concat()),
        frames("ws: the end with a reason", "farpane: ", [hello(), frame(0x88, b"\x03\xf2no more")].concat()),
        frames("ws: the end with half a code", "farpane: ", [hello(), frame(0x88, &[3])].concat()),
        closing(frames("ws: half a frame", "farpane: ", [hello(), vec![0x82, 100, 1]].concat())),
        closing(frames("ws: half a frame's head", "farpane: ", [hello(), vec![0x82]].concat())),
        closing(frames("ws: pings, then nothing", "farpane: ", {
            [hello(), frame(0x89, &[1; 100]).repeat(50_000)].concat()
        })),
        closing(frames(
            "ws: empty frames, then nothing",
            "farpane: ",
            [hello(), binary(&[]).repeat(100_000)].concat(),
        )),
    ]
}

#[test]
fn endings_are_clear_and_soon() {
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

fn check(ending: &Ending) -> Result<(), String> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("ws://{}/", listener.local_addr().expect("it is bound"));
    std::thread::scope(|scope| {
        scope.spawn(|| serve(&listener, ending));
        let judged = judge(ending.words, Watched::screenshot(&url));
        // If it never came, the server still waits.
        drop(listener.local_addr().and_then(TcpStream::connect));
        judged
    })
}

fn serve(listener: &TcpListener, ending: &Ending) {
    let Ok((mut stream, _)) = listener.accept() else { return };
    let Some(request) = request(&mut stream) else { return };
    // It may hang up in the middle.
    let _ = match &ending.says {
        Says::Instead(bytes) => stream.write_all(bytes),
        Says::Frames(bytes) => {
            stream.write_all(answer(&request).as_bytes()).and_then(|()| stream.write_all(bytes))
        }
    };
    drain(stream, ending.closes);
}

fn request(stream: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        request.push(byte[0]);
    }
    String::from_utf8(request).ok()
}

fn answer(request: &str) -> String {
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap_or_default();
    let digest = sha1::Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
    let accept = base64::engine::general_purpose::STANDARD.encode(digest);
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )
}
