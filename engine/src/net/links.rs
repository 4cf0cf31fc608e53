//! What outlives a connection, and how one ends.

use std::sync::Arc;
use std::time::Instant;

use crate::buffers::BufferPool;
use crate::channel::{AppSink, ByteBudget, DrawSink, NetCommand, NetQueue, PacketSink, Presented};
use crate::protocol::packet::WindowId;
use crate::protocol::reassembly::RawPacket;
use crate::protocol::{Dialect, ServerPacket};
use crate::session::{Before, CloseReason, Prospect, Session, Setup};

use super::replay::Replay;
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
    /// What they brought lately, if that is kept.
    pub replay: Option<Replay>,
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
    /// When [`Self::do_what_is_due`] is to be called.
    pub fn deadline(&self) -> Option<Instant> {
        let replay = self.replay.as_ref().and_then(Replay::deadline);
        self.report.deadline().into_iter().chain(replay).min()
    }

    /// Publishes statistics, and completes what is being saved.
    pub fn do_what_is_due(&mut self, now: Instant) {
        self.report.publish_if_due(now);
        self.replay.iter_mut().for_each(|replay| replay.save_if_due(now));
    }

    /// A packet that came, and what it says if it could be read, is kept for a while.
    pub fn keep(
        &mut self,
        now: Instant,
        raw: &RawPacket<'_>,
        packet: Option<&ServerPacket>,
        session: &Session,
    ) {
        if let Some(replay) = &mut self.replay {
            let ledger = replay.packet(now, raw, packet, || session.snapshot());
            self.report.collector.receive_ledger(now, &ledger);
        }
    }

    /// Gives what came lately to this one. Returns the windows whose pixels are to be sent again for that.
    pub fn save_replay(
        &mut self,
        now: Instant,
        sink: Arc<dyn PacketSink>,
        state: &[ServerPacket],
    ) -> Vec<WindowId> {
        match &mut self.replay {
            Some(replay) => replay.save(now, sink, state),
            None => {
                sink.end();
                Vec::new()
            }
        }
    }

    /// Takes a command that came while there is no session.
    pub fn without_session(&mut self, now: Instant, command: NetCommand, setup: &mut Setup) {
        match command {
            NetCommand::Input(input) => setup.note(input),
            NetCommand::WatchStats(watched) => self.report.watch(now, watched),
            NetCommand::Record(sink) => self.recorder = sink,
            NetCommand::SaveReplay(sink) => _ = self.save_replay(now, sink, &[]),
            NetCommand::Renderer(info) => self.report.renderer(info),
            NetCommand::DrawDone(done) => self.report.draw_done(now, &done),
            NetCommand::Presented(Presented { wid, sequence, at, ledger }) => {
                self.report.presented(wid, sequence, at, &ledger);
            }
        }
    }
}
