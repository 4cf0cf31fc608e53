//! What is recorded of the connection, and saved of what it brought lately.

use std::sync::Arc;
use std::time::Instant;

use super::Connection;
use crate::channel::PacketSink;
use crate::net::recording::Recording;
use crate::protocol::packet::WindowId;
use crate::session::DrawInput;

impl Connection<'_> {
    /// Gives all packets to this one from now on, or to nobody any more.
    pub(super) fn record(&mut self, now: Instant, sink: Option<Arc<dyn PacketSink>>) {
        self.links.recorder.clone_from(&sink);
        let Some(sink) = sink else {
            self.recording = Recording::default();
            return;
        };
        self.recording = Recording::from_now(now, sink, self.dialect, &self.session.snapshot());
        // Servers begin their videos anew then.
        let windows: Vec<_> = self.recording.windows().collect();
        self.refresh(now, windows);
    }

    /// Gives what came lately to this one.
    pub(super) fn save_replay(&mut self, now: Instant, sink: Arc<dyn PacketSink>) {
        let windows = self.links.save_replay(now, sink, &self.session.snapshot());
        self.refresh(now, windows);
    }

    fn refresh(&mut self, now: Instant, windows: Vec<WindowId>) {
        for wid in windows {
            self.session_input(now, DrawInput::Refresh { wid }.into());
        }
    }
}
