//! The byte stream inside the frames.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf, Take};

use crate::stats::{CopyLedger, CopySite};

use super::frame::{FrameError, FrameHeader, Opcode, encode_header, mask};

/// Bytes read at once where a header is expected after a large frame: a header without mask, so
/// that at most 8 bytes of payload come with it and have to be moved.
const READ_HEADER: usize = 10;
/// The same after a small frame: several small frames may come in one read, and moving them costs
/// less than a system call for each.
const READ_SMALL: usize = 2048;
/// From this payload length on a frame is large.
const LARGE_FRAME: u64 = 4096;
/// Payload of one frame that we send at most.
const MAX_SENT_PAYLOAD: usize = 64 * 1024;

/// An Xpra byte stream inside WebSocket frames. See [`super`] for what is copied and when.
///
/// Reads and writes are cancel-safe like those of the stream below.
#[derive(Debug)]
pub struct WebSocket<S> {
    inner: Take<S>,
    /// Bytes that came with or before a header: `ahead[at..]` are not yet looked at.
    ahead: Vec<u8>,
    at: usize,
    /// The frame that is being received.
    frame: Option<Frame>,
    /// Bytes to read where a header is expected.
    read_ahead: usize,
    /// A control frame's payload as far as it came.
    control: Vec<u8>,
    /// The payload of the newest ping that was not answered: a peer that pings and does not read is
    /// answered once (RFC 6455 §5.5.3).
    ping: Option<Vec<u8>>,
    /// Frames that were not written yet: `sending[sent..]`.
    sending: Vec<u8>,
    sent: usize,
    closed: bool,
    /// What the next read fails with.
    failed: Option<io::Error>,
    framing: Framing,
    ledger: CopyLedger,
}

/// Whether the server frames what it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// Nothing came yet.
    Unknown,
    Framed,
    /// A 3.1 server answers a packet that it cannot parse by plain text without a frame.
    PlainText,
}

/// How that text starts: no frame starts like this, the bits are reserved.
const PLAIN_TEXT: u8 = b'd';

#[derive(Clone, Copy, Debug)]
struct Frame {
    header: FrameHeader,
    received: u64,
}

impl Frame {
    fn missing(&self) -> u64 {
        self.header.payload_len - self.received
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// A stream after its handshake; `ahead` is what came after the server's answer.
    pub(in crate::net) fn new(stream: S, ahead: Vec<u8>) -> Self {
        Self {
            inner: stream.take(0),
            ahead,
            at: 0,
            frame: None,
            read_ahead: READ_SMALL,
            control: Vec::new(),
            ping: None,
            sending: Vec::new(),
            sent: 0,
            closed: false,
            failed: None,
            framing: Framing::Unknown,
            ledger: CopyLedger::default(),
        }
    }

    /// The stream below.
    pub fn get_ref(&self) -> &S {
        self.inner.get_ref()
    }

    /// The stream below.
    pub fn get_mut(&mut self) -> &mut S {
        self.inner.get_mut()
    }

    /// What was copied since the last call.
    pub fn take_ledger(&mut self) -> CopyLedger {
        std::mem::take(&mut self.ledger)
    }

    /// Makes `self.frame` the frame whose payload comes next. `false`: end of the stream.
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        loop {
            if self.closed {
                return Poll::Ready(Ok(false));
            }
            if self.frame.is_some_and(|frame| frame.missing() == 0) {
                self.finish_frame();
                continue;
            }
            if self.frame.is_some() {
                return Poll::Ready(Ok(true));
            }
            let waiting = self.ahead.get(self.at..).unwrap_or_default();
            if let (Framing::Unknown, Some(first)) = (self.framing, waiting.first()) {
                self.framing = if *first == PLAIN_TEXT { Framing::PlainText } else { Framing::Framed };
            }
            if self.framing == Framing::PlainText {
                // Handed on as it is, for the reader of records to recognise: to the end.
                let header = FrameHeader { opcode: Opcode::Data, mask: None, payload_len: u64::MAX };
                self.frame = Some(Frame { header, received: 0 });
                continue;
            }
            if let Some((header, len)) = FrameHeader::parse(waiting).map_err(broken)? {
                if header.mask.is_some() {
                    return Poll::Ready(Err(broken(FrameError::Masked)));
                }
                self.at += len;
                self.frame = Some(Frame { header, received: 0 });
                if header.opcode == Opcode::Data {
                    self.read_ahead =
                        if header.payload_len >= LARGE_FRAME { READ_HEADER } else { READ_SMALL };
                }
                continue;
            }
            // At most the part of one header stays: a few bytes.
            self.ahead.drain(..self.at);
            self.at = 0;
            self.ahead.reserve(self.read_ahead);
            self.inner.set_limit(self.read_ahead as u64);
            let before = self.ahead.len();
            let read = std::pin::pin!(self.inner.read_buf(&mut self.ahead));
            ready!(std::future::Future::poll(read, cx))?;
            if self.ahead.len() == before {
                self.closed = true;
                if before > 0 {
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
            }
        }
    }

    fn finish_frame(&mut self) {
        let Some(frame) = self.frame.take() else { return };
        match frame.header.opcode {
            Opcode::Data | Opcode::Pong => {}
            Opcode::Close => self.closed = true,
            Opcode::Ping => {
                std::mem::swap(self.ping.get_or_insert_default(), &mut self.control);
            }
        }
        self.control.clear();
    }

    /// Moves what came with the header: to `buf` for data, to `control` for the rest.
    fn take_ahead(&mut self, frame: &mut Frame, buf: &mut ReadBuf<'_>) {
        let waiting = self.ahead.get(self.at..).unwrap_or_default();
        let missing = usize::try_from(frame.missing()).unwrap_or(usize::MAX);
        let is_data = frame.header.opcode == Opcode::Data;
        let room = if is_data { buf.remaining() } else { usize::MAX };
        let bytes = waiting.get(..missing.min(room).min(waiting.len())).unwrap_or_default();
        let len = bytes.len();
        if is_data {
            put(buf, bytes);
            self.ledger.note_copy(CopySite::Transport, len);
        } else {
            self.control.extend(bytes);
        }
        self.at += len;
        frame.received += len as u64;
    }

    /// Appends a masked frame to what is being sent.
    fn queue_frame(&mut self, opcode: Opcode, payload: &[u8]) -> io::Result<()> {
        let mut key = [0; 4];
        getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
        let (header, len) = encode_header(opcode, payload.len(), key);
        self.sending.extend(&header[..len]);
        let start = self.sending.len();
        self.sending.extend(payload);
        mask(&mut self.sending[start..], key, 0);
        Ok(())
    }

    /// Writes what is queued, and the answer to the newest ping behind it.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            while let Some(rest) = self.sending.get(self.sent..).filter(|rest| !rest.is_empty()) {
                let written = ready!(Pin::new(self.inner.get_mut()).poll_write(cx, rest))?;
                if written == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                self.sent += written;
            }
            self.sending.clear();
            self.sent = 0;
            let Some(ping) = self.ping.take() else { return Poll::Ready(Ok(())) };
            self.queue_frame(Opcode::Pong, &ping)?;
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for WebSocket<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Some(error) = this.failed.take() {
            return Poll::Ready(Err(error));
        }
        let start = buf.filled().len();
        match this.poll_payload(cx, buf) {
            // Whoever reads finds nothing in the buffer of a read that failed: what came before the fault comes first.
            Poll::Ready(Err(error)) if buf.filled().len() > start => {
                this.failed = Some(error);
                Poll::Ready(Ok(()))
            }
            result => result,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Reads the payload of frames. May fail behind bytes that it put into `buf`.
    fn poll_payload(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self;
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let start = buf.filled().len();
        loop {
            // An answer to a ping leaves as soon as it can; a full socket does not stop reading.
            if !this.sending.is_empty() || this.ping.is_some() {
                let _ = this.poll_send(cx)?;
            }
            match this.poll_frame(cx) {
                // What was moved already is handed over first.
                Poll::Pending if buf.filled().len() > start => return Poll::Ready(Ok(())),
                Poll::Pending => {
                    if this.ping.is_some() {
                        let _ = this.poll_send(cx)?;
                    }
                    return Poll::Pending;
                }
                Poll::Ready(more) => {
                    if !more? {
                        return Poll::Ready(Ok(()));
                    }
                }
            }
            let Some(mut frame) = this.frame else { continue };
            if this.at < this.ahead.len() {
                this.take_ahead(&mut frame, buf);
                this.frame = Some(frame);
                // More complete frames may wait in `ahead`: pass them on in the same read.
                if buf.remaining() > 0 && this.at < this.ahead.len() {
                    continue;
                }
                if buf.filled().len() > start {
                    return Poll::Ready(Ok(()));
                }
                continue;
            }
            if buf.filled().len() > start {
                return Poll::Ready(Ok(()));
            }
            if frame.header.opcode != Opcode::Data {
                this.inner.set_limit(frame.missing());
                this.ahead.clear();
                this.at = 0;
                let read = std::pin::pin!(this.inner.read_buf(&mut this.ahead));
                if ready!(std::future::Future::poll(read, cx))? == 0 {
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
                continue;
            }
            this.inner.set_limit(frame.missing());
            ready!(Pin::new(&mut this.inner).poll_read(cx, buf))?;
            let len = buf.filled().len() - start;
            if len == 0 && this.framing == Framing::PlainText {
                return Poll::Ready(Ok(()));
            }
            if len == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            frame.received += len as u64;
            this.frame = Some(frame);
            return Poll::Ready(Ok(()));
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WebSocket<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_send(cx))?;
        let payload = &buf[..buf.len().min(MAX_SENT_PAYLOAD)];
        this.queue_frame(Opcode::Data, payload)?;
        // The frame is ours now: what does not leave at once leaves with the next write or flush.
        if let Poll::Ready(Err(error)) = this.poll_send(cx) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(payload.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_send(cx))?;
        Pin::new(this.inner.get_mut()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.closed {
            this.closed = true;
            this.queue_frame(Opcode::Close, &1000_u16.to_be_bytes())?;
        }
        ready!(this.poll_send(cx))?;
        Pin::new(this.inner.get_mut()).poll_shutdown(cx)
    }
}

#[expect(clippy::disallowed_methods, reason = "the caller notes the copy")]
fn put(buf: &mut ReadBuf<'_>, bytes: &[u8]) {
    buf.put_slice(bytes);
}

fn broken(error: FrameError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
