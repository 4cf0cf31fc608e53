//! Remembers how a peer's answer begins while another protocol is tried on it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::protocol::NotXpra;

/// Bytes that are remembered: a line of text is recognised by less.
const KEPT: usize = 160;

/// A stream that keeps the first bytes that were read from it, until it is told that they are not
/// needed any more: reading then costs one comparison more than without it.
#[derive(Debug)]
pub struct FirstBytes<S> {
    stream: S,
    /// `None`: not wanted any more.
    read: Option<Vec<u8>>,
}

impl<S> FirstBytes<S> {
    /// Begins to remember what is read from `stream`.
    pub fn of(stream: S) -> Self {
        Self { stream, read: Some(Vec::new()) }
    }

    /// The peer speaks what was tried: forgets what it began with.
    pub fn forget(&mut self) {
        self.read = None;
    }

    /// What the peer is instead, as far as its first bytes tell. `None` if it said nothing.
    pub fn recognised(&self) -> Option<NotXpra> {
        let read = self.read.as_deref().filter(|read| !read.is_empty())?;
        NotXpra::recognise(read, true)
    }

    /// The stream below.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for FirstBytes<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let Some(read) = &mut this.read else { return Pin::new(&mut this.stream).poll_read(cx, buf) };
        let before = buf.filled().len();
        let result = Pin::new(&mut this.stream).poll_read(cx, buf);
        let new = buf.filled().get(before..).unwrap_or_default();
        read.extend(new.iter().take(KEPT.saturating_sub(read.len())));
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for FirstBytes<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
