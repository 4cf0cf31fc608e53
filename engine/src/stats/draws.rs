//! Stage times of draws, since the start and over the last ten seconds.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::DrawTrace;
use super::durations::{Durations, exact_quantiles};
use super::rates::{BUCKET, BUCKETS, complete_ticks};
use super::snapshot::{Stage, StageStats};

/// Draws remembered one by one. At more than 200 draws a second the recent percentiles cover
/// less than ten seconds.
pub const RECENT_DRAWS: usize = 2048;
/// A draw that waited longer belongs to a hidden window: its present says nothing.
const LONGEST_WAIT: Duration = BUCKET.saturating_mul(BUCKETS as u32);

/// Distributions of every stage, since the start.
#[derive(Clone, Debug, Default)]
pub struct StageTimes([Durations; Stage::ALL.len()]);

impl StageTimes {
    /// Counts a draw that was handed to the GPU.
    fn record_drawn(&mut self, stages_us: [u64; 4]) {
        for (durations, us) in self.0.iter_mut().zip(stages_us) {
            durations.record(us);
        }
    }

    /// Counts the rest of the way of a draw that was presented.
    fn record_presented(&mut self, present_us: u64, total_us: u64) {
        self.0[Stage::Present as usize].record(present_us);
        self.0[Stage::Total as usize].record(total_us);
    }
}

/// One draw that was handed to the GPU.
#[derive(Clone, Copy, Debug)]
struct RecentDraw {
    wid: u64,
    sequence: u64,
    encoding: usize,
    arrived: Instant,
    /// Bucket of the arrival.
    tick: u64,
    /// From reassemble to upload.
    stages_us: [u64; 4],
    /// Time for presenting; `None` while it is not on the screen.
    present_us: Option<u64>,
}

impl RecentDraw {
    fn until_uploaded_us(&self) -> u64 {
        self.stages_us.iter().sum()
    }

    fn stage_us(&self, stage: Stage) -> Option<u64> {
        match stage {
            Stage::Reassemble | Stage::Queue | Stage::Decode | Stage::Upload => {
                Some(self.stages_us[stage as usize])
            }
            Stage::Present => self.present_us,
            Stage::Total => self.present_us.map(|present| self.until_uploaded_us() + present),
        }
    }
}

/// Draws handed to the GPU, newest last: the recent percentiles, and which draws still wait to be
/// presented. Bounded, and allocated once.
#[derive(Clone, Debug)]
pub struct DrawTimes {
    recent: VecDeque<RecentDraw>,
    overall: StageTimes,
}

impl Default for DrawTimes {
    fn default() -> Self {
        Self { recent: VecDeque::with_capacity(RECENT_DRAWS), overall: StageTimes::default() }
    }
}

impl DrawTimes {
    /// Counts a draw of encoding number `encoding` that was handed to the GPU.
    pub fn drawn(
        &mut self,
        wid: u64,
        sequence: u64,
        (encoding, times): (usize, &mut StageTimes),
        tick: u64,
        trace: &DrawTrace,
    ) {
        let stages_us = stages_until_uploaded(trace);
        times.record_drawn(stages_us);
        self.overall.record_drawn(stages_us);
        if self.recent.len() == RECENT_DRAWS {
            self.recent.pop_front();
        }
        self.recent.push_back(RecentDraw {
            wid,
            sequence,
            encoding,
            arrived: trace.arrived,
            tick,
            stages_us,
            present_us: None,
        });
    }

    /// Everything drawn in window `wid` up to `sequence` is on the screen since `at`. Calls
    /// `presented` with each such draw's encoding, present time and total.
    pub fn presented(
        &mut self,
        wid: u64,
        sequence: u64,
        at: Instant,
        mut presented: impl FnMut(usize, &dyn Fn(&mut StageTimes)),
    ) {
        let candidates = self.recent.iter_mut().rev().filter(|draw| draw.wid == wid);
        for draw in candidates {
            let waited = at.saturating_duration_since(draw.arrived);
            if draw.present_us.is_some() || waited > LONGEST_WAIT {
                break;
            }
            if draw.sequence > sequence {
                continue;
            }
            let total_us = micros(waited).max(draw.until_uploaded_us());
            let present_us = total_us - draw.until_uploaded_us();
            draw.present_us = Some(present_us);
            self.overall.record_presented(present_us, total_us);
            presented(draw.encoding, &|times| times.record_presented(present_us, total_us));
        }
    }

    /// Statistics of every stage over all encodings.
    pub fn overall(&self, now: u64) -> Vec<StageStats> {
        self.stats(&self.overall, now, |_| true)
    }

    /// Statistics of every stage of one encoding, whose times since the start are `times`.
    pub fn of_encoding(&self, encoding: usize, times: &StageTimes, now: u64) -> Vec<StageStats> {
        self.stats(times, now, |draw| draw.encoding == encoding)
    }

    /// The longest way to the screen of the draws that arrived in each bucket.
    pub fn longest_totals(&self, now: u64) -> Vec<u64> {
        let longest = |tick| {
            let arrived_then = self.recent.iter().filter(|draw| draw.tick == tick);
            arrived_then.filter_map(|draw| draw.stage_us(Stage::Total)).max().unwrap_or(0)
        };
        complete_ticks(now).map(|tick| tick.map_or(0, longest)).collect()
    }

    fn stats(&self, times: &StageTimes, now: u64, wanted: impl Fn(&RecentDraw) -> bool) -> Vec<StageStats> {
        let oldest = now.saturating_sub(BUCKETS as u64);
        let stats = |(stage, session): (Stage, &Durations)| {
            let of_window = self.recent.iter().filter(|draw| draw.tick >= oldest && wanted(draw));
            let mut recent_us: Vec<u64> = of_window.filter_map(|draw| draw.stage_us(stage)).collect();
            StageStats {
                stage: stage.name(),
                last_10s: exact_quantiles(&mut recent_us),
                session: session.quantiles(),
            }
        };
        Stage::ALL.into_iter().zip(&times.0).map(stats).collect()
    }
}

/// The first four stages: differences of whole microseconds since the arrival, so that they add
/// up exactly. A stage that did not happen took no time.
fn stages_until_uploaded(trace: &DrawTrace) -> [u64; 4] {
    let mut before_us = 0;
    [Some(trace.reassembled), trace.decode_started, trace.decoded, trace.uploaded].map(|moment| {
        let since_arrival = moment.map_or(Duration::ZERO, |at| at.saturating_duration_since(trace.arrived));
        let until_us = micros(since_arrival).max(before_us);
        let stage_us = until_us - before_us;
        before_us = until_us;
        stage_us
    })
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
