//! The socket's turn in the network task: writing what waits, and reading what came.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use tokio::io::{AsyncReadExt, AsyncWrite};

use crate::protocol::Reassembler;

use super::outgoing::{Outgoing, Wrote};
use super::transport::Transport;

/// What reading or writing achieved.
pub enum Progress {
    /// 0: the server has closed its side.
    Read(usize),
    Written(Wrote),
}

/// Writes some of `outgoing`, or reads into `reassembler`'s buffer, whichever is possible first; of bulk data both in
/// turns. Cancel-safe: what was not reported did not happen.
///
/// After a failed write only reading goes on: the server's reason may still be on its way.
pub async fn progress(
    transport: &mut Transport,
    outgoing: &mut Outgoing,
    mut reassembler: Option<&mut Reassembler>,
) -> io::Result<Progress> {
    std::future::poll_fn(|cx| {
        if outgoing.take_readers_turn()
            && let Poll::Ready(read) = poll_read(transport, reassembler.as_deref_mut(), cx)
        {
            return Poll::Ready(read.map(Progress::Read));
        }
        if outgoing.is_empty() {
            // A TLS or WebSocket layer may hold what the socket did not take. Whether that goes
            // well shows when reading.
            let _ = Pin::new(&mut *transport).poll_flush(cx);
        } else {
            match outgoing.poll_write(transport, cx) {
                Poll::Ready(Ok(wrote)) => return Poll::Ready(Ok(Progress::Written(wrote))),
                Poll::Ready(Err(error)) => {
                    tracing::debug!(%error, "writing failed");
                    outgoing.discard();
                }
                Poll::Pending => {}
            }
        }
        poll_read(transport, reassembler.as_deref_mut(), cx).map_ok(Progress::Read)
    })
    .await
}

/// Reads into `reassembler`'s buffer; without one nothing is read.
fn poll_read(
    transport: &mut Transport,
    reassembler: Option<&mut Reassembler>,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    let Some(reassembler) = reassembler else { return Poll::Pending };
    let mut space = reassembler.buffer();
    pin!(transport.read_buf(&mut space)).poll(cx)
}
