//! What outlives a connection, and how one ends.

use std::sync::Arc;
use std::time::Instant;

use crate::buffers::BufferPool;
use crate::channel::{AppSink, ByteBudget, DrawSink, NetCommand, NetQueue, PacketSink, Presented};
use crate::protocol::Dialect;
use crate::session::{Before, CloseReason, Prospect, Setup};

use super::report::Report;

/// What outlives a connection: the ways to the other threads, and what they said so far.
pub(super) struct Links {
    pub queue: NetQueue,
    pub app: Arc<dyn AppSink>,
    pub draws: Box<dyn DrawSink>,
    pub budget: ByteBudget,
    pub pool: BufferPool,
    pub report: Report,
    /// Who gets all packets of the connections from now on.
    pub recorder: Option<Arc<dyn PacketSink>>,
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    Closed(CloseReason, Prospect),
    /// The server does not take what was spoken to it: it has to be spoken to like this.
    Needs(Dialect),
}

/// A connection that ended, and what the next one begins with.
pub(super) struct Ended {
    pub end: End,
    /// When the server accepted us, if it did.
    pub accepted: Option<Instant>,
    pub setup: Setup,
    /// What a session that goes on takes over from the one that was lost; `None`: no server has accepted us yet.
    pub before: Option<Before>,
}

impl Links {
    /// Takes a command that came while there is no session.
    pub fn without_session(&mut self, now: Instant, command: NetCommand, setup: &mut Setup) {
        match command {
            NetCommand::Input(input) => setup.note(input),
            NetCommand::WatchStats(watched) => self.report.watch(now, watched),
            NetCommand::Record(sink) => self.recorder = sink,
            NetCommand::Renderer(info) => self.report.renderer(info),
            NetCommand::DrawDone(done) => self.report.draw_done(now, &done),
            NetCommand::Presented(Presented { wid, sequence, at, ledger }) => {
                self.report.presented(wid, sequence, at, &ledger);
            }
        }
    }
}
