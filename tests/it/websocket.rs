//! The WebSocket layer: framing in any split, masks, control frames, and what it copies.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use farpane::net::websocket::{FrameError, FrameHeader, Opcode, WebSocket, encode_header, handshake, mask};
use farpane::stats::CopySite;
use proptest::prelude::*;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};

/// A peer that answers the handshake, then sends prepared bytes in reads of given sizes.
#[derive(Debug)]
struct Peer {
    request: Vec<u8>,
    to_read: Vec<u8>,
    at: usize,
    reads: Vec<usize>,
    next_read: usize,
    frames: Vec<u8>,
    answer: fn(&str) -> String,
    written: std::sync::Arc<std::sync::Mutex<Vec<u8>>>,
}

impl Peer {
    fn new(frames: Vec<u8>, reads: Vec<usize>) -> Self {
        Self {
            request: Vec::new(),
            to_read: Vec::new(),
            at: 0,
            reads,
            next_read: 0,
            frames,
            answer: accepting,
            written: std::sync::Arc::default(),
        }
    }
}

fn accepting(request: &str) -> String {
    use base64::Engine as _;
    use sha1::Digest as _;
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("a key");
    let digest = sha1::Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
    let accept = base64::engine::general_purpose::STANDARD.encode(digest);
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )
}

impl AsyncRead for Peer {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.to_read.is_empty() {
            let request = String::from_utf8(this.request.clone()).expect("text");
            this.to_read = (this.answer)(&request).into_bytes();
            this.to_read.extend(std::mem::take(&mut this.frames));
        }
        let size = this.reads.get(this.next_read % this.reads.len().max(1)).copied().unwrap_or(usize::MAX);
        this.next_read += 1;
        let rest = &this.to_read[this.at..];
        let len = size.min(buf.remaining()).min(rest.len());
        for byte in &rest[..len] {
            buf.initialize_unfilled_to(1)[0] = *byte;
            buf.advance(1);
        }
        this.at += len;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Peer {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.to_read.is_empty() {
            this.request.extend(buf);
        } else {
            this.written.lock().expect("lock").extend(buf);
        }
        Poll::Ready(Ok(buf.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

/// A frame as a server sends it; with a mask if asked, which RFC 6455 §5.1 forbids.
fn frame(first: u8, payload: &[u8], key: Option<[u8; 4]>) -> Vec<u8> {
    let bit = if key.is_some() { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..=125 => bytes.push(bit | len as u8),
        len @ 126..=0xffff => {
            bytes.push(bit | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        len => {
            bytes.push(bit | 127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    bytes.extend(key.into_iter().flatten());
    let start = bytes.len();
    bytes.extend(payload);
    if let Some(key) = key {
        mask(&mut bytes[start..], key, 0);
    }
    bytes
}

async fn connect(frames: Vec<u8>, reads: Vec<usize>) -> WebSocket<Peer> {
    handshake(Peer::new(frames, reads), "host", "/").await.expect("an upgrade")
}

/// Reads to the end with buffers of `size`, as a reassembler lends them.
async fn read_all(socket: &mut WebSocket<Peer>, size: usize) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let mut part = vec![0; size];
        match socket.read(&mut part).await? {
            0 => return Ok(all),
            len => all.extend(part.drain(..len)),
        }
    }
}

proptest! {
    #[test]
    fn any_framing_and_any_split_gives_the_same_bytes(
        payloads in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..9000), any::<bool>()), 0..12),
        reads in prop::collection::vec(1_usize..5000, 1..20),
        size in 1_usize..70_000,
    ) {
        let mut frames = Vec::new();
        let mut expected: Vec<u8> = Vec::new();
        for (payload, ping) in &payloads {
            frames.extend(frame(0x82, payload, None));
            expected.extend(payload);
            if *ping {
                frames.extend(frame(0x89, &payload[..payload.len().min(125)], None));
            }
        }
        let got = run(async { read_all(&mut connect(frames, reads).await, size).await }).expect("bytes");
        prop_assert_eq!(got, expected);
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = FrameHeader::parse(&bytes);
        let _ = run(async { read_all(&mut connect(bytes, vec![7]).await, 64).await });
    }

    #[test]
    fn a_header_says_what_was_encoded(len in 0_usize..100_000, key: [u8; 4]) {
        let (bytes, header_len) = encode_header(Opcode::Data, len, key);
        let parsed = FrameHeader::parse(&bytes[..header_len]).expect("valid");
        let header = FrameHeader { opcode: Opcode::Data, mask: Some(key), payload_len: len as u64 };
        prop_assert_eq!(parsed, Some((header, header_len)));
    }
}

/// The budget of issue "Transports that do not copy": a constant per frame, whatever its size.
#[test]
fn payload_is_received_in_place() {
    for (payload_len, frame_len, most_copied) in
        [(8 << 20, 8 << 20, 2048), (8 << 20, 64 << 10, 2048 + 128 * 8), (33 << 20, 16 << 10, 2048 + 2112 * 8)]
    {
        let frames = vec![7_u8; frame_len];
        let bytes = (0..payload_len / frame_len).flat_map(|_| frame(0x82, &frames, None)).collect();
        let copied = run(async {
            let mut socket = connect(bytes, vec![usize::MAX]).await;
            assert_eq!(read_all(&mut socket, 8 << 20).await.expect("bytes").len(), payload_len);
            socket.take_ledger().copied_at(CopySite::Transport)
        });
        assert!(
            copied <= most_copied,
            "{frame_len}-byte frames: {copied} bytes copied, at most {most_copied} expected"
        );
    }
}

#[test]
fn what_is_written_is_masked_and_pings_are_answered() {
    run(async {
        let mut frames = frame(0x89, b"are you there", None);
        frames.extend(frame(0x82, b"x", None));
        let peer = Peer::new(frames, vec![usize::MAX]);
        let written = std::sync::Arc::clone(&peer.written);
        let mut socket = handshake(peer, "host", "/").await.expect("an upgrade");
        socket.write_all(b"hello").await.expect("written");
        socket.flush().await.expect("flushed");
        assert_eq!(read_all(&mut socket, 100).await.expect("bytes"), b"x");
        socket.flush().await.expect("flushed");
        let mut bytes = written.lock().expect("lock").clone();
        for (opcode, expected) in [(Opcode::Data, &b"hello"[..]), (Opcode::Pong, b"are you there")] {
            let (header, len) = FrameHeader::parse(&bytes).expect("valid").expect("complete");
            assert_eq!(header.opcode, opcode);
            bytes.drain(..len);
            let mut payload: Vec<u8> = bytes.drain(..header.payload_len as usize).collect();
            assert_ne!(payload, expected, "it must be masked");
            mask(&mut payload, header.mask.expect("a mask"), 0);
            assert_eq!(payload, expected);
        }
    });
}

#[test]
fn a_server_that_does_not_upgrade_is_told_apart() {
    for (answer, expected) in [
        (
            (|_: &str| "HTTP/1.1 404 Not Found\r\n\r\n".to_owned()) as fn(&str) -> String,
            "HTTP status 404 Not Found",
        ),
        (|_| "SSH-2.0-OpenSSH_9.2\r\n\r\n".to_owned(), "an SSH port"),
        (|_| "SIP/2.0 200 OK\r\n\r\n".to_owned(), "it sent the text"),
        (
            |_| "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: nonsense\r\n\r\n".to_owned(),
            "does not answer our key",
        ),
        (|_| format!("HTTP/1.1 101 OK\r\nX: {}", "x".repeat(20_000)), "longer than"),
    ] {
        let mut peer = Peer::new(Vec::new(), vec![1000]);
        peer.answer = answer;
        let error = run(handshake(peer, "host", "/")).expect_err("refused").to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn broken_frames_are_refused() {
    for (bytes, expected) in [
        (&[0xc2, 0][..], FrameError::Reserved { got: 0x40 }),
        (&[0x83, 0], FrameError::Opcode { got: 3 }),
        (&[0x09, 0], FrameError::Control { got: 0 }),
        (&[0x89, 126, 1, 0], FrameError::Control { got: 256 }),
        (&[0x82, 127, 0xff, 0, 0, 0, 0, 0, 0, 0], FrameError::Length { got: 0xff00_0000_0000_0000 }),
    ] {
        assert_eq!(FrameHeader::parse(bytes), Err(expected));
    }
}

/// RFC 6455 §5.1: a client must close the connection upon a masked frame.
#[test]
fn masked_frames_are_refused() {
    for (first, payload) in
        [(0x82, &b"pixels"[..]), (0x89, b"ping"), (0x88, b""), (0x02, b"part"), (0x82, &[7; 300])]
    {
        let mut frames = frame(0x82, b"before", None);
        frames.extend(frame(first, payload, Some([1, 2, 3, 4])));
        let error = run(async {
            let mut socket = connect(frames, vec![usize::MAX]).await;
            loop {
                match socket.read(&mut [0; 3]).await {
                    Ok(0) => panic!("the stream ended well"),
                    Ok(_) => {}
                    Err(error) => return error,
                }
            }
        });
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().contains("masked"), "{error}");
    }
}

/// What a server said before the fault is read first, and the fault with the read behind it, as all that reads expects.
#[test]
fn what_comes_before_a_fault_is_read() {
    let mut frames = frame(0x82, b"goodbye", None);
    frames.extend(b"no frame");
    run(async {
        let mut socket = connect(frames, vec![usize::MAX]).await;
        let mut read = Vec::new();
        let error = socket.read_to_end(&mut read).await.expect_err("a broken frame");
        assert_eq!(read, b"goodbye");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    });
}

/// RFC 6455 §5.5.3: who has not answered a ping yet may answer the newest one alone.
#[test]
fn a_peer_that_pings_and_does_not_read_is_answered_once() {
    run(async {
        let (ours, mut theirs) = tokio::io::duplex(4096);
        let (socket, ()) = tokio::join!(handshake(ours, "host", "/"), async {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                assert!(theirs.read_buf(&mut request).await.expect("a request") > 0);
            }
            let answer = accepting(&String::from_utf8(request).expect("text"));
            theirs.write_all(answer.as_bytes()).await.expect("it is read");
        });
        let mut socket = socket.expect("an upgrade");
        // What was not answered fills the pipe to the peer.
        let filler = vec![1; 4000];
        socket.write_all(&filler).await.expect("it fits");
        const PINGS: u32 = 20_000;
        let pings: Vec<u8> = (0..PINGS).flat_map(|number| frame(0x89, &number.to_be_bytes(), None)).collect();
        let mut byte = [0];
        let flood = async {
            theirs.write_all(&pings).await.expect("it is read");
            theirs.write_all(&frame(0x82, b"x", None)).await.expect("it is read");
        };
        let ((), read) = tokio::join!(flood, socket.read(&mut byte));
        assert_eq!(read.expect("the byte behind them"), 1);
        let mut said = Vec::new();
        let written = async {
            let _ = socket.shutdown().await;
            drop(socket);
        };
        let (_, ()) = tokio::join!(theirs.read_to_end(&mut said), written);
        let mut rest = &said[..];
        let mut answers = Vec::new();
        while let Some((header, len)) = FrameHeader::parse(rest).expect("valid") {
            let mut payload = rest[len..][..header.payload_len as usize].to_vec();
            rest = &rest[len + payload.len()..];
            mask(&mut payload, header.mask.expect("a client masks"), 0);
            if header.opcode == Opcode::Pong {
                answers.push(u32::from_be_bytes(payload.try_into().expect("four bytes")));
            }
        }
        assert_eq!(answers.last(), Some(&(PINGS - 1)), "the newest is answered");
        assert!(answers.len() <= 20, "{} answers", answers.len());
    });
}

/// What 3.1.3 says over WebSocket to a packet that it cannot parse: no frame around it.
#[test]
fn plain_text_is_handed_on() {
    let text = b"disconnect: failed to parse bencode packet";
    let got = run(async { read_all(&mut connect(text[..].into(), vec![5]).await, 7).await });
    assert_eq!(got.expect("bytes"), text);
}
