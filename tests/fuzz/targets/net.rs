//! What comes over a WebSocket, and addresses.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use farpane::config::Request;
use farpane::net::address::redacted;
use farpane::net::proxy::{Proxy, ProxyChoice, without_password};
use farpane::net::websocket::{FrameHeader, Opcode, encode_header, handshake, mask};
use farpane::net::{Endpoint, Target};
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

use super::Input;

/// A server whose bytes come in reads of these sizes, over and over.
struct Server {
    /// The answer to our request; `None`: it switches to WebSocket as it should.
    answer: Option<Vec<u8>>,
    request: Vec<u8>,
    frames: Vec<u8>,
    /// What is read, once the request is known.
    stream: Option<Vec<u8>>,
    at: usize,
    reads: [usize; 4],
    count: usize,
}

impl Server {
    fn new(answer: Option<Vec<u8>>, frames: Vec<u8>, reads: [usize; 4]) -> Self {
        Self { answer, request: Vec::new(), frames, stream: None, at: 0, reads, count: 0 }
    }

    fn accepting(&self) -> Vec<u8> {
        let request = String::from_utf8_lossy(&self.request);
        let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("a key");
        let digest = Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
        let accept = BASE64.encode(digest);
        let start = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
        format!("{start}Sec-WebSocket-Accept: {accept}\r\n\r\n").into_bytes()
    }
}

impl AsyncRead for Server {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.stream.is_none() {
            let mut stream = this.answer.take().unwrap_or_else(|| this.accepting());
            stream.append(&mut this.frames);
            this.stream = Some(stream);
        }
        let rest = this.stream.as_ref().and_then(|stream| stream.get(this.at..)).unwrap_or_default();
        let len = this.reads[this.count % this.reads.len()].clamp(1, buf.remaining().max(1));
        let piece = &rest[..len.min(rest.len()).min(buf.remaining())];
        buf.put_slice(piece);
        this.at += piece.len();
        this.count += 1;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Server {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.stream.is_none() {
            this.request.extend(buf);
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

thread_local! {
    /// Whose clock the waiting for an error page needs.
    static RUNTIME: tokio::runtime::Runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
}

/// What is read through the frames, and whether that ended as it should.
fn unframed(server: Server) -> Option<(Vec<u8>, bool)> {
    let read = async {
        let mut stream = handshake(server, "host", "/").await.ok()?;
        let mut read = Vec::new();
        let ended = stream.read_to_end(&mut read).await.is_ok();
        Some((read, ended))
    };
    RUNTIME.with(|runtime| runtime.block_on(read))
}

/// What RFC 6455 makes of a server's frames: what comes before the first fault, and whether there is none.
fn expected(mut frames: &[u8]) -> (Vec<u8>, bool) {
    let mut payload = Vec::new();
    // Plain text of a 3.1 server: it is handed on.
    if frames.first() == Some(&b'd') {
        return (frames.to_vec(), true);
    }
    loop {
        let (header, len) = match FrameHeader::parse(frames) {
            Ok(Some((FrameHeader { mask: Some(_), .. }, _))) | Err(_) => return (payload, false),
            Ok(None) => return (payload, frames.is_empty()),
            Ok(Some(parsed)) => parsed,
        };
        let wanted = usize::try_from(header.payload_len).unwrap_or(usize::MAX);
        let rest = &frames[len..];
        let there = &rest[..wanted.min(rest.len())];
        if header.opcode == Opcode::Data {
            payload.extend(there);
        }
        if there.len() < wanted {
            return (payload, false);
        }
        if header.opcode == Opcode::Close {
            return (payload, true);
        }
        frames = &rest[wanted..];
    }
}

/// Frames give their payload in whatever pieces they come, up to the first fault.
pub fn websocket(bytes: &[u8]) {
    let mut input = Input(bytes);
    let reads = std::array::from_fn(|_| 1 + usize::from(input.u8()));
    let (payload, is_whole) = unframed(Server::new(None, input.0.to_vec(), reads)).expect("the handshake");
    let (all, whole) = expected(input.0);
    assert_eq!(is_whole, whole);
    assert_eq!(payload, all);
    // A header that is read is the one that was written.
    let (key, len) = (input.array::<4>(), input.0.len());
    let (header, header_len) = encode_header(Opcode::Data, len, key);
    let read = FrameHeader { opcode: Opcode::Data, mask: Some(key), payload_len: len as u64 };
    assert_eq!(FrameHeader::parse(&header[..header_len]), Ok(Some((read, header_len))));
    let mut masked = input.0.to_vec();
    let middle = masked.len() / 3;
    let (one, other) = masked.split_at_mut(middle);
    mask(one, key, 0);
    mask(other, key, middle as u64);
    mask(&mut masked, key, 0);
    assert_eq!(masked, input.0);
}

/// Any answer to our handshake: the end is an error or a stream.
pub fn websocket_answer(bytes: &[u8]) {
    let mut input = Input(bytes);
    let reads = std::array::from_fn(|_| 1 + 4 * usize::from(input.u8()));
    let answer = input.0.to_vec();
    RUNTIME.with(|runtime| {
        runtime.block_on(async {
            if let Err(error) = handshake(Server::new(Some(answer), Vec::new(), reads), "host", "/").await {
                let words = error.seen_from(false, "host", "/").to_string();
                assert!(!words.contains(char::is_control), "{words:?}");
                assert!(words.len() < 4096, "{} bytes", words.len());
            }
        });
    });
}

/// An address is understood or refused; one that was understood is shown as an address that leads to the same place.
pub fn url(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = redacted(&text);
    match Target::parse(&text) {
        Ok(target) => check_shown(&target),
        Err(error) => assert!(!error.to_string().contains(char::is_control), "{error:?}"),
    }
    // Its words may repeat what was asked for; who prints them takes out what a terminal would follow.
    let _ = Request::address(&text).map_err(|error| error.to_string());
    let _ = ProxyChoice::parse(&text);
    if let Ok(proxy) = Proxy::parse(&text) {
        let shown = proxy.to_string();
        assert_eq!(Proxy::parse(&shown).map(|proxy| proxy.to_string()), Ok(shown));
    }
    let (without, _) = without_password(&text);
    assert!(without_password(&without).1.is_none(), "{without:?}");
}

fn check_shown(target: &Target) {
    let shown = target.to_string();
    // What is left out of a socket's path or in words is not for reading.
    let is_text = match &target.endpoint {
        Endpoint::Unix(path) => path.to_str().is_some_and(|path| path.starts_with('/')),
        Endpoint::Display(name) => !name.is_empty(),
        _ => true,
    };
    if !is_text {
        return;
    }
    let again = Target::parse(&shown).unwrap_or_else(|error| panic!("{target:?}: {shown:?}: {error}"));
    assert_eq!(again.endpoint, target.endpoint, "{shown:?}");
    if !matches!(
        target.endpoint,
        Endpoint::Unix(_) | Endpoint::Abstract(_) | Endpoint::Display(_) | Endpoint::Vsock(_)
    ) {
        assert_eq!(again.display, target.display, "{shown:?}");
    }
}
