//! Statistics of the connection, and when they are published.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::channel::{RendererInfo, SharedStats};
use crate::protocol::packet::draw::DrawOutcome;
use crate::protocol::packet::{DrawSequence, WindowId};
use crate::session::{ConnectionEvent, DrawDone, ServerInfo};
use crate::stats::alloc;
use crate::stats::{Collector, CopyLedger, DrawCounted, RendererFacts, SessionFacts};

/// Time between two publications while someone watches.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(250);

/// Owns the [`Collector`] of the connection and publishes its snapshots: several times a second
/// while the overlay shows, and at the end.
pub struct Report {
    pub collector: Collector,
    shared: SharedStats,
    encryption: &'static str,
    decoders: &'static str,
    /// Allocations of this thread that were counted.
    heap_counted: u64,
    /// When to publish next; `None` while nobody watches.
    next_publish: Option<Instant>,
}

impl Report {
    /// Starts counting for a connection over `transport`, whose draws go to such `decoders`.
    pub fn new(now: Instant, transport: &'static str, decoders: &'static str, shared: SharedStats) -> Self {
        Self {
            collector: Collector::new(now, transport),
            shared,
            encryption: "",
            decoders,
            heap_counted: 0,
            next_publish: None,
        }
    }

    /// How the connection is protected from others on the way.
    pub fn encryption(&mut self, encryption: &'static str) {
        self.encryption = encryption;
    }

    /// Someone starts or stops watching.
    pub fn watch(&mut self, now: Instant, watched: bool) {
        self.next_publish = watched.then_some(now);
        self.publish_if_due(now);
    }

    /// When [`Self::publish_if_due`] has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        self.next_publish
    }

    /// Publishes if it is time to.
    pub fn publish_if_due(&mut self, now: Instant) {
        if self.next_publish.is_some_and(|at| at <= now) {
            self.publish(now);
            self.next_publish = Some(now + PUBLISH_INTERVAL);
        }
    }

    /// Publishes the statistics as of `now`.
    pub fn publish(&mut self, now: Instant) {
        self.count_heap(now);
        let snapshot = Arc::new(self.collector.snapshot(now));
        *self.shared.lock().unwrap_or_else(PoisonError::into_inner) = snapshot;
        self.heap_counted = alloc::so_far().count;
    }

    /// Counts what this thread has allocated since the last time.
    fn count_heap(&mut self, now: Instant) {
        let so_far = alloc::so_far().count;
        let heap_allocations = so_far.saturating_sub(std::mem::replace(&mut self.heap_counted, so_far));
        self.collector.heap_allocations(now, heap_allocations);
    }

    /// Notes what the session says of the connection.
    pub fn event(&mut self, now: Instant, event: &ConnectionEvent) {
        match event {
            ConnectionEvent::Connected(server) => {
                self.collector.session(session_facts(server, self.encryption, self.decoders));
            }
            ConnectionEvent::Latency(rtt) => self.collector.latency(now, *rtt),
            _ => {}
        }
    }

    /// A draw came to its end.
    pub fn draw_done(&mut self, now: Instant, done: &DrawDone) {
        let outcome = match done.outcome {
            DrawOutcome::Presented { .. } => DrawCounted::Presented,
            DrawOutcome::Skipped => DrawCounted::Skipped,
            DrawOutcome::Error { .. } | DrawOutcome::WindowNotFound => DrawCounted::Refused,
        };
        let encoding = done.encoding.name();
        self.collector.draw_done(now, done.wid.0, done.sequence.0, encoding, outcome, &done.trace);
    }

    /// A window was presented; `ledger` counts what that cost.
    pub fn presented(
        &mut self,
        wid: WindowId,
        sequence: Option<DrawSequence>,
        at: Instant,
        ledger: &CopyLedger,
    ) {
        self.collector.receive_ledger(at, ledger);
        self.count_heap(at);
        match sequence {
            Some(sequence) => self.collector.presented(wid.0, sequence.0, at),
            None => self.collector.presented_again(at),
        }
    }

    /// What renders.
    pub fn renderer(&mut self, info: RendererInfo) {
        let RendererInfo { adapter, backend, present_mode, software } = info;
        self.collector.renderer(RendererFacts { adapter, backend, present_mode, software });
    }
}

fn session_facts(server: &ServerInfo, encryption: &'static str, decoders: &'static str) -> SessionFacts {
    let name = if server.session_name.is_empty() { &server.display } else { &server.session_name };
    SessionFacts {
        server_version: server.version.clone(),
        server_host: server.hostname.clone(),
        session_name: name.clone(),
        wire: server.wire.clone(),
        encryption,
        decoders,
    }
}
