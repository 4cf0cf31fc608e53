//! Gathers the statistics of one connection. Owned by the network task.

use std::time::{Duration, Instant};

use super::clipboard::{ClipboardCounters, ClipboardTotals};
use super::draws::{DrawTimes, StageTimes};
use super::durations::Durations;
use super::history::History;
use super::rates::{GaugeWindow, RateWindow, complete_ticks, tick};
use super::snapshot::{
    DrawStats, EncodingStats, LatencyStats, MemoryStats, NamedRate, NetworkStats, Ratio, RendererFacts,
    SessionFacts, SiteStats, StatsSnapshot,
};
use super::{CopyLedger, CopySite, DrawTrace, Transform};

/// Different packet names and encodings that are counted apart; the rest counts as `other`.
const MAX_NAMES: usize = 64;

/// How a draw ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawCounted {
    /// Decoded and handed to the GPU.
    Presented,
    /// Nothing had to be painted.
    Skipped,
    /// Broken or unsupported.
    Refused,
}

/// Counts everything that [`StatsSnapshot`] tells. Times are passed in; recording does not
/// allocate once every packet name and encoding was seen.
#[derive(Clone, Debug)]
pub struct Collector {
    started: Instant,
    transport: &'static str,
    session: SessionFacts,
    renderer: RendererFacts,
    received: RateWindow,
    sent: RateWindow,
    clipboard: ClipboardCounters,
    packets: RateWindow,
    packets_by_name: ByName<RateWindow>,
    latency: GaugeWindow,
    latencies: Durations,
    copies: CopyLedger,
    copied_at: [RateWindow; CopySite::ALL.len()],
    transformed_by: [RateWindow; Transform::ALL.len()],
    copied: RateWindow,
    transformed: RateWindow,
    allocations: RateWindow,
    allocated_bytes: RateWindow,
    heap_allocations: RateWindow,
    draws: RateWindow,
    presents: RateWindow,
    outcomes: Outcomes,
    encodings: ByName<EncodingCounters>,
    times: DrawTimes,
    queue_bytes: GaugeWindow,
    history: History,
}

/// Draws by how they ended.
#[derive(Clone, Copy, Debug, Default)]
struct Outcomes {
    drawn: u64,
    skipped: u64,
    refused: u64,
}

impl Outcomes {
    fn count(&mut self, outcome: DrawCounted) {
        match outcome {
            DrawCounted::Presented => self.drawn += 1,
            DrawCounted::Skipped => self.skipped += 1,
            DrawCounted::Refused => self.refused += 1,
        }
    }

    fn sum(self) -> u64 {
        self.drawn + self.skipped + self.refused
    }
}

#[derive(Clone, Debug, Default)]
struct EncodingCounters {
    received: RateWindow,
    wire_bytes: RateWindow,
    outcomes: Outcomes,
    pixels: u64,
    decoded_bytes: u64,
    times: StageTimes,
}

impl Collector {
    /// Starts counting at `now` for a connection over `transport` (for example `tcp`).
    pub fn new(now: Instant, transport: &'static str) -> Self {
        Self {
            started: now,
            transport,
            session: SessionFacts::default(),
            renderer: RendererFacts::default(),
            received: RateWindow::default(),
            sent: RateWindow::default(),
            clipboard: ClipboardCounters::default(),
            packets: RateWindow::default(),
            packets_by_name: ByName::default(),
            latency: GaugeWindow::default(),
            latencies: Durations::default(),
            copies: CopyLedger::default(),
            copied_at: Default::default(),
            transformed_by: Default::default(),
            copied: RateWindow::default(),
            transformed: RateWindow::default(),
            allocations: RateWindow::default(),
            allocated_bytes: RateWindow::default(),
            heap_allocations: RateWindow::default(),
            draws: RateWindow::default(),
            presents: RateWindow::default(),
            outcomes: Outcomes::default(),
            encodings: ByName::default(),
            times: DrawTimes::default(),
            queue_bytes: GaugeWindow::default(),
            history: History::default(),
        }
    }

    /// `bytes` were read from the socket.
    pub fn received(&mut self, now: Instant, bytes: u64) {
        self.received.add(self.tick(now), bytes);
        self.history.at(self.started, now).received_bytes += bytes;
    }

    /// `bytes` were written to the socket.
    pub fn sent(&mut self, now: Instant, bytes: u64) {
        self.sent.add(self.tick(now), bytes);
        self.history.at(self.started, now).sent_bytes += bytes;
    }

    /// What the clipboard has moved so far.
    pub fn clipboard(&mut self, now: Instant, totals: ClipboardTotals) {
        self.clipboard.note(self.tick(now), totals);
    }

    /// Copies and transforms that belong to no single draw: of reassembly, record decompression and
    /// presents, since the last call.
    pub fn receive_ledger(&mut self, now: Instant, delta: &CopyLedger) {
        let tick = self.tick(now);
        for (site, window) in CopySite::ALL.into_iter().zip(&mut self.copied_at) {
            window.add(tick, delta.copied_at(site));
        }
        for (transform, window) in Transform::ALL.into_iter().zip(&mut self.transformed_by) {
            window.add(tick, delta.transformed_by(transform));
        }
        self.copied.add(tick, delta.copied_bytes());
        self.transformed.add(tick, delta.transformed_bytes());
        self.allocations.add(tick, delta.allocations);
        self.allocated_bytes.add(tick, delta.allocated_bytes);
        self.heap_allocations(now, delta.heap_allocations);
        self.copies.merge(delta);
        let point = self.history.at(self.started, now);
        point.copied_bytes += delta.copied_bytes();
        point.transformed_bytes += delta.transformed_bytes();
    }

    /// `count` allocations of whatever size were made that no ledger holds.
    pub fn heap_allocations(&mut self, now: Instant, count: u64) {
        self.heap_allocations.add(self.tick(now), count);
    }

    /// A packet was received.
    pub fn packet(&mut self, now: Instant, name: &'static str) {
        let tick = self.tick(now);
        self.packets.add(tick, 1);
        self.packets_by_name.entry(name).1.add(tick, 1);
    }

    /// A draw packet was received: `wire_bytes` with its headers and chunks.
    pub fn draw_received(&mut self, now: Instant, encoding: &'static str, wire_bytes: u64) {
        let tick = self.tick(now);
        self.draws.add(tick, 1);
        let (_, counters) = self.encodings.entry(encoding);
        counters.received.add(tick, 1);
        counters.wire_bytes.add(tick, wire_bytes);
        self.history.at(self.started, now).draws += 1;
    }

    /// A draw that was received before came to its end, except for being presented.
    pub fn draw_done(
        &mut self,
        now: Instant,
        wid: u64,
        sequence: u64,
        encoding: &'static str,
        outcome: DrawCounted,
        trace: &DrawTrace,
    ) {
        self.receive_ledger(now, &trace.ledger);
        self.outcomes.count(outcome);
        let arrival = self.tick(trace.arrived);
        let (index, counters) = self.encodings.entry(encoding);
        counters.outcomes.count(outcome);
        if outcome == DrawCounted::Presented {
            counters.pixels += trace.pixels;
            counters.decoded_bytes += trace.decoded_bytes;
            self.times.drawn(wid, sequence, (index, &mut counters.times), arrival, trace);
        }
    }

    /// The update of window `wid` that ends with draw `sequence` is on the screen since `at`.
    pub fn presented(&mut self, wid: u64, sequence: u64, at: Instant) {
        self.presented_again(at);
        let encodings = &mut self.encodings;
        self.times.presented(wid, sequence, at, |encoding, record| {
            if let Some(counters) = encodings.at(encoding) {
                record(&mut counters.times);
            }
        });
    }

    /// A window was presented with nothing new of the server's in it: an expose, the overlay.
    pub fn presented_again(&mut self, at: Instant) {
        self.presents.add(self.tick(at), 1);
        self.history.at(self.started, at).presents += 1;
    }

    /// `bytes` of draws are between the socket and the GPU now.
    pub fn queue_bytes(&mut self, now: Instant, bytes: u64) {
        self.queue_bytes.set(self.tick(now), bytes);
        let point = self.history.at(self.started, now);
        point.queue_bytes = point.queue_bytes.max(bytes);
    }

    /// A ping was answered after `rtt`.
    pub fn latency(&mut self, now: Instant, rtt: Duration) {
        let rtt_us = u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX);
        self.latency.set(self.tick(now), rtt_us);
        self.latencies.record(rtt_us);
        let point = self.history.at(self.started, now);
        point.latency_us = point.latency_us.max(rtt_us);
    }

    /// What renders.
    pub fn renderer(&mut self, facts: RendererFacts) {
        self.renderer = facts;
    }

    /// What is connected.
    pub fn session(&mut self, facts: SessionFacts) {
        self.session = facts;
    }

    /// Everything as of `now`. Allocates; meant for a few calls a second.
    pub fn snapshot(&self, now: Instant) -> StatsSnapshot {
        let tick = self.tick(now);
        StatsSnapshot {
            format: StatsSnapshot::FORMAT,
            elapsed_sec: now.saturating_duration_since(self.started).as_secs_f64(),
            session: self.session.clone(),
            renderer: self.renderer.clone(),
            network: self.network_stats(tick, now),
            memory: self.memory_stats(tick),
            draws: self.draw_stats(tick),
            queue_bytes: self.queue_bytes.gauge(tick),
            history: self.history.points(self.started, now),
        }
    }

    fn network_stats(&self, now: u64, at: Instant) -> NetworkStats {
        NetworkStats {
            transport: self.transport,
            received: self.received.rate_with_series(now),
            sent: self.sent.rate_with_series(now),
            packets: self.packets.rate_with_series(now),
            packets_by_name: self
                .packets_by_name
                .iter()
                .map(|(name, window)| NamedRate { name, rate: window.rate(now) })
                .collect(),
            latency: LatencyStats { last: self.latency.gauge(now), session: self.latencies.quantiles() },
            clipboard: self.clipboard.stats(now, at),
        }
    }

    fn memory_stats(&self, now: u64) -> MemoryStats {
        let site_stats = |(site, window): (CopySite, &RateWindow)| SiteStats {
            name: site.name(),
            bytes: window.rate(now),
            copies: self.copies.copies_at(site),
            per_received: ratio(window, &self.received, now),
        };
        let per_received = |tick| ratio_of(self.copied.bucket(tick), self.received.bucket(tick));
        MemoryStats {
            copied: self.copied.rate_with_series(now),
            copied_per_received: ratio(&self.copied, &self.received, now),
            copied_per_received_series: complete_ticks(now)
                .map(|tick| tick.and_then(per_received).unwrap_or(0.0))
                .collect(),
            by_site: CopySite::ALL.into_iter().zip(&self.copied_at).map(site_stats).collect(),
            transformed: self.transformed.rate_with_series(now),
            by_transform: Transform::ALL
                .into_iter()
                .zip(&self.transformed_by)
                .map(|(transform, window)| NamedRate { name: transform.name(), rate: window.rate(now) })
                .collect(),
            allocations: self.allocations.rate(now),
            allocated_bytes: self.allocated_bytes.rate(now),
            allocations_per_frame: ratio(&self.allocations, &self.presents, now),
            heap_allocations: self.heap_allocations.rate(now),
            heap_allocations_per_frame: ratio(&self.heap_allocations, &self.presents, now),
        }
    }

    fn draw_stats(&self, now: u64) -> DrawStats {
        let encoding_stats =
            |(index, (name, counters)): (usize, (&'static str, &EncodingCounters))| EncodingStats {
                name,
                received: counters.received.rate_with_series(now),
                wire_bytes: counters.wire_bytes.rate(now),
                drawn: counters.outcomes.drawn,
                skipped: counters.outcomes.skipped,
                refused: counters.outcomes.refused,
                pixels: counters.pixels,
                decoded_bytes: counters.decoded_bytes,
                stages: self.times.of_encoding(index, &counters.times, now),
            };
        DrawStats {
            received: self.draws.rate_with_series(now),
            drawn: self.outcomes.drawn,
            skipped: self.outcomes.skipped,
            refused: self.outcomes.refused,
            in_flight: self.draws.total().saturating_sub(self.outcomes.sum()),
            presents: self.presents.rate_with_series(now),
            stages: self.times.overall(now),
            arrival_to_present_us_series: self.times.longest_totals(now),
            by_encoding: self.encodings.iter().enumerate().map(encoding_stats).collect(),
        }
    }

    fn tick(&self, now: Instant) -> u64 {
        tick(self.started, now)
    }
}

fn ratio(part: &RateWindow, whole: &RateWindow, now: u64) -> Ratio {
    Ratio {
        last_10s: ratio_of(part.window_sum(now), whole.window_sum(now)),
        session: ratio_of(part.total(), whole.total()),
    }
}

fn ratio_of(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Counters by name, in the order of first use; at most [`MAX_NAMES`].
#[derive(Clone, Debug)]
struct ByName<T> {
    entries: Vec<(&'static str, T)>,
}

impl<T> Default for ByName<T> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<T: Default> ByName<T> {
    /// The counters of `name` and their number.
    fn entry(&mut self, name: &'static str) -> (usize, &mut T) {
        let name =
            if self.entries.len() < MAX_NAMES || self.position(name).is_some() { name } else { "other" };
        let index = self.position(name).unwrap_or_else(|| {
            self.entries.push((name, T::default()));
            self.entries.len() - 1
        });
        (index, &mut self.entries[index].1)
    }

    fn at(&mut self, index: usize) -> Option<&mut T> {
        self.entries.get_mut(index).map(|(_, counters)| counters)
    }

    fn iter(&self) -> impl Iterator<Item = (&'static str, &T)> {
        self.entries.iter().map(|(name, counters)| (*name, counters))
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.entries.iter().position(|(known, _)| *known == name)
    }
}
