//! The byte stream in DATA frames (RFC 9114 §7.2.1), and its end.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use quinn::{Connection, Endpoint, RecvStream, SendStream, VarInt};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf, Take};

use super::error::QuicError;
use super::frame::{FrameHeader, kind};
use super::knock;
use super::request::{MAX_FIELDS, Opened};
use crate::net::tls::Checked;
use crate::stats::{CopyLedger, CopySite};

/// Payload of one frame that we send at most.
const MAX_SENT_PAYLOAD: usize = 64 * 1024;
/// Bytes in a row that carry nothing (frames that nobody knows, trailers) before the server is given up.
const MAX_SKIPPED: u64 = MAX_FIELDS;
/// Frames in a row that carry nothing.
const MAX_EMPTY: u32 = 1024;
/// Copies of each byte received, see [`super`].
const COPIES: usize = 2;
/// HTTP/3's "no error" (RFC 9114 §8.1).
const H3_NO_ERROR: VarInt = VarInt::from_u32(0x100);
/// How long the last datagram is waited for.
const CLOSE_LIMIT: Duration = Duration::from_millis(20);

/// A session's bytes in one stream of a QUIC connection. Dropping it closes the connection.
///
/// Reads and writes are cancel-safe.
pub struct QuicStream {
    send: SendStream,
    recv: Take<RecvStream>,
    _kept: (SendStream, Vec<RecvStream>),
    connection: Connection,
    endpoint: Endpoint,
    /// Waits for the news that the server is gone, until they came.
    gone: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// The header that is being received: `head[..head_len]`.
    head: [u8; FrameHeader::MAX_LEN],
    head_len: usize,
    /// Bytes of the present frame's payload that were not received yet, and whether they are the session's.
    left: u64,
    is_data: bool,
    /// Bytes and frames since the last that were the session's.
    skipped: (u64, u32),
    /// The header that is being sent: `sending[sent..]`.
    sending: Vec<u8>,
    sent: usize,
    /// Bytes of the present frame that were announced and not sent yet.
    owed: usize,
    ending: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// For the words of errors.
    server: Box<str>,
    checked: Checked,
    ledger: CopyLedger,
}

impl QuicStream {
    pub(super) fn new(
        opened: Opened,
        (endpoint, connection): (Endpoint, Connection),
        server: &str,
        checked: Checked,
    ) -> Self {
        let Opened { send, recv, kept } = opened;
        let watched = connection.clone();
        Self {
            send,
            recv: recv.take(0),
            _kept: kept,
            gone: Some(Box::pin(async move { knock::gone(&watched).await })),
            connection,
            endpoint,
            head: [0; FrameHeader::MAX_LEN],
            head_len: 0,
            left: 0,
            is_data: false,
            skipped: (0, 0),
            sending: Vec::new(),
            sent: 0,
            owed: 0,
            ending: None,
            server: server.into(),
            checked,
            ledger: CopyLedger::default(),
        }
    }

    /// What was copied since the last call.
    pub fn take_ledger(&mut self) -> CopyLedger {
        std::mem::take(&mut self.ledger)
    }

    /// Who said that the server is the right one.
    pub fn checked(&self) -> Checked {
        self.checked
    }

    /// The connection below.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Receives what is left of a frame's header. `false`: the stream has ended, between two frames.
    fn poll_header(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        loop {
            let needed = FrameHeader::needed(self.head.get(..self.head_len).unwrap_or_default());
            if self.head_len == needed {
                let header = FrameHeader::parse(self.head.get(..needed).unwrap_or_default());
                self.head_len = 0;
                return Poll::Ready(header.map_or(Err(broken("a frame of its has no header")), |header| {
                    self.begin(header).map(|()| true)
                }));
            }
            let room = self.head.get_mut(self.head_len..needed).unwrap_or_default();
            let mut room = ReadBuf::new(room);
            self.recv.set_limit(room.remaining() as u64);
            ready!(Pin::new(&mut self.recv).poll_read(cx, &mut room))?;
            match (room.filled().len(), self.head_len) {
                (0, 0) => return Poll::Ready(Ok(false)),
                (0, _) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                (more, _) => self.head_len += more,
            }
        }
    }

    fn begin(&mut self, header: FrameHeader) -> io::Result<()> {
        if header.is_out_of_place() {
            return Err(broken("a frame stands where it must not"));
        }
        self.is_data = header.kind == kind::DATA;
        self.left = header.payload_len;
        if !self.is_data || self.left == 0 {
            let (bytes, frames) = &mut self.skipped;
            *frames += 1;
            *bytes = bytes.saturating_add(header.payload_len);
            if *bytes > MAX_SKIPPED || *frames > MAX_EMPTY {
                return Err(broken("it sends much that says nothing"));
            }
        }
        Ok(())
    }

    /// Receives some of a frame that is not the session's, and drops it.
    fn poll_skip(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut scratch = [0; 1024];
        let mut scratch = ReadBuf::new(&mut scratch);
        self.recv.set_limit(self.left);
        ready!(Pin::new(&mut self.recv).poll_read(cx, &mut scratch))?;
        match scratch.filled().len() {
            0 => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            len => {
                self.left -= len as u64;
                Poll::Ready(Ok(()))
            }
        }
    }

    fn poll_data(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            while self.left == 0 {
                if !ready!(self.poll_header(cx))? {
                    return Poll::Ready(Ok(()));
                }
            }
            if !self.is_data {
                ready!(self.poll_skip(cx))?;
                continue;
            }
            let before = buf.filled().len();
            self.recv.set_limit(self.left);
            ready!(Pin::new(&mut self.recv).poll_read(cx, buf))?;
            let len = buf.filled().len() - before;
            if len == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            self.ledger.note_copy(CopySite::Transport, len * COPIES);
            self.left -= len as u64;
            self.skipped = (0, 0);
            return Poll::Ready(Ok(()));
        }
    }

    /// An error of the stream, as an error of the connection if it is that. `None`: the server closed it properly.
    fn explained(&self, error: io::Error) -> Option<io::Error> {
        match (self.connection.close_reason(), error.kind()) {
            (Some(reason), _) => QuicError::of(&reason, &self.server).map(io::Error::from),
            (None, io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) => Some(error),
            (None, _) => Some(QuicError::CutOff.into()),
        }
    }
}

impl std::fmt::Debug for QuicStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QuicStream")
            .field("peer", &self.connection.remote_address())
            .field("checked", &self.checked)
            .finish_non_exhaustive()
    }
}

impl AsyncRead for QuicStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        match this.poll_data(cx, buf) {
            Poll::Ready(Err(error)) => Poll::Ready(this.explained(error).map_or(Ok(()), Err)),
            Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
            Poll::Pending => {
                let Some(gone) = &mut this.gone else { return Poll::Pending };
                ready!(gone.as_mut().poll(cx));
                this.gone = None;
                this.connection.close(H3_NO_ERROR, b"");
                Poll::Ready(Err(QuicError::Gone.into()))
            }
        }
    }
}

impl AsyncWrite for QuicStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let broken_pipe =
            |this: &Self, error| this.explained(error).unwrap_or(io::ErrorKind::BrokenPipe.into());
        if this.owed == 0 {
            this.owed = buf.len().min(MAX_SENT_PAYLOAD);
            this.sending.clear();
            this.sent = 0;
            FrameHeader { kind: kind::DATA, payload_len: this.owed as u64 }.put(&mut this.sending);
        }
        while let Some(rest) = this.sending.get(this.sent..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut this.send).poll_write(cx, rest)) {
                Ok(written) => this.sent += written,
                Err(error) => return Poll::Ready(Err(broken_pipe(this, error.into()))),
            }
        }
        let part = buf.get(..this.owed.min(buf.len())).unwrap_or_default();
        match ready!(Pin::new(&mut this.send).poll_write(cx, part)) {
            Ok(written) => {
                this.owed -= written;
                Poll::Ready(Ok(written))
            }
            Err(error) => Poll::Ready(Err(broken_pipe(this, error.into()))),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Ends our side, waits until the server has all of it, and closes the connection.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ending.is_none() {
            let acknowledged = this.send.stopped();
            let (connection, endpoint) = (this.connection.clone(), this.endpoint.clone());
            // Closed already: then there is nobody to wait for.
            let _ = this.send.finish();
            this.ending = Some(Box::pin(async move {
                let _ = acknowledged.await;
                connection.close(H3_NO_ERROR, b"");
                let _ = tokio::time::timeout(CLOSE_LIMIT, endpoint.wait_idle()).await;
            }));
        }
        match &mut this.ending {
            Some(ending) => ending.as_mut().poll(cx).map(Ok),
            None => Poll::Ready(Ok(())),
        }
    }
}

fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, QuicError::Http3(what))
}
