//! Rates and gauges over the last ten seconds, in buckets that the caller's clock rolls.
//!
//! Times are bucket numbers ([`tick`]): a reader passes the bucket that is being filled now, so a
//! stall shows as zeros instead of freezing the last rate.

use std::time::{Duration, Instant};

use super::snapshot::{Gauge, Rate};

/// Length of one bucket.
pub const BUCKET: Duration = Duration::from_millis(250);
/// Complete buckets that make the window: ten seconds.
pub const BUCKETS: usize = 40;
/// Complete buckets that make the last second.
const BUCKETS_PER_SEC: usize = 4;
/// The complete buckets and the one being filled.
const RING: usize = BUCKETS + 1;

/// The number of the bucket that `now` falls in; bucket 0 starts at `origin`.
pub fn tick(origin: Instant, now: Instant) -> u64 {
    let buckets = now.saturating_duration_since(origin).as_millis() / BUCKET.as_millis();
    u64::try_from(buckets).unwrap_or(u64::MAX)
}

/// The complete buckets before `now`, oldest first; `None` stands for times before bucket 0.
pub fn complete_ticks(now: u64) -> impl Iterator<Item = Option<u64>> {
    (1..=BUCKETS as u64).rev().map(move |age| now.checked_sub(age))
}

/// Sums per bucket and since the start.
#[derive(Clone, Debug)]
pub struct RateWindow {
    total: u64,
    head: u64,
    ring: [u64; RING],
}

impl Default for RateWindow {
    fn default() -> Self {
        Self { total: 0, head: 0, ring: [0; RING] }
    }
}

impl RateWindow {
    /// Adds `amount` to bucket `tick`. An older bucket than the newest is fine; one that left the
    /// window counts in the total only.
    pub fn add(&mut self, tick: u64, amount: u64) {
        self.total += amount;
        for skipped in (self.head + 1..=tick).rev().take(RING) {
            self.ring[slot(skipped)] = 0;
        }
        self.head = self.head.max(tick);
        if self.holds(tick) {
            self.ring[slot(tick)] += amount;
        }
    }

    /// Everything added since the start.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// What was added in bucket `tick`, if that is still in the window.
    pub fn bucket(&self, tick: u64) -> u64 {
        if tick <= self.head && self.holds(tick) { self.ring[slot(tick)] } else { 0 }
    }

    /// Sum of the complete buckets before `now`.
    pub fn window_sum(&self, now: u64) -> u64 {
        self.last_sum(now, BUCKETS)
    }

    /// Rates as of `now`, averaged over complete buckets only.
    pub fn rate(&self, now: u64) -> Rate {
        Rate {
            total: self.total,
            per_sec: self.mean(now, BUCKETS_PER_SEC),
            per_sec_10s: self.mean(now, BUCKETS),
            series: Vec::new(),
        }
    }

    /// As [`Self::rate`], with the rate in each complete bucket, oldest first.
    pub fn rate_with_series(&self, now: u64) -> Rate {
        let series = complete_ticks(now)
            .map(|tick| tick.map_or(0.0, |tick| self.bucket(tick) as f64 / BUCKET.as_secs_f64()))
            .collect();
        Rate { series, ..self.rate(now) }
    }

    fn mean(&self, now: u64, buckets: usize) -> f64 {
        let complete = now.min(buckets as u64);
        if complete == 0 {
            return 0.0;
        }
        self.last_sum(now, buckets) as f64 / (complete as f64 * BUCKET.as_secs_f64())
    }

    fn last_sum(&self, now: u64, buckets: usize) -> u64 {
        (now.saturating_sub(buckets as u64)..now).map(|tick| self.bucket(tick)).sum()
    }

    fn holds(&self, tick: u64) -> bool {
        self.head.saturating_sub(tick) < RING as u64
    }
}

/// A value that holds until it is set again; each bucket keeps its largest.
#[derive(Clone, Debug)]
pub struct GaugeWindow {
    last: u64,
    head: u64,
    ring: [u64; RING],
}

impl Default for GaugeWindow {
    fn default() -> Self {
        Self { last: 0, head: 0, ring: [0; RING] }
    }
}

impl GaugeWindow {
    /// The value is `value` from now on.
    pub fn set(&mut self, tick: u64, value: u64) {
        for skipped in (self.head + 1..=tick).rev().take(RING) {
            self.ring[slot(skipped)] = self.last;
        }
        self.head = self.head.max(tick);
        self.last = value;
        let newest = &mut self.ring[slot(self.head)];
        *newest = value.max(*newest);
    }

    /// The largest value that bucket `tick` saw.
    pub fn bucket(&self, tick: u64) -> u64 {
        if tick > self.head {
            self.last
        } else if self.head - tick < RING as u64 {
            self.ring[slot(tick)]
        } else {
            0
        }
    }

    /// The value now and its course, as of `now`.
    pub fn gauge(&self, now: u64) -> Gauge {
        let series: Vec<u64> =
            complete_ticks(now).map(|tick| tick.map_or(0, |tick| self.bucket(tick))).collect();
        Gauge { now: self.last, max_10s: series.iter().copied().fold(self.bucket(now), u64::max), series }
    }
}

fn slot(tick: u64) -> usize {
    (tick % RING as u64) as usize
}
