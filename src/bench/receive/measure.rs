//! Runs the experiment.

use std::io;
use std::mem::take;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;

use crate::channel::clock;
use crate::stats::alloc::{self, Allocations};

use super::source::{self, Memory};
use super::{Counters, ReadSize, RecordStream, Sink, Source, Strategy, Workload};

/// Bytes that are received before anything is measured: buffers are taken, their pages mapped.
const WARM_UP: usize = 8 << 20;

/// What to run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub strategies: Vec<Strategy>,
    pub read_sizes: Vec<ReadSize>,
    pub workloads: Vec<Workload>,
    pub sources: Vec<Source>,
    /// Bytes that each measurement receives, about.
    pub bytes: usize,
    /// How often each is measured. Tables have the best, verdicts compare all, turn by turn.
    pub runs: usize,
    /// A combination that would copy more than this is left out: appending 33 MB in reads of
    /// 1200 bytes copies 450 GB.
    pub max_copied: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            strategies: Vec::from(Strategy::ALL),
            read_sizes: Vec::from(ReadSize::ALL),
            workloads: Vec::from(Workload::ALL),
            sources: Vec::from(Source::ALL),
            bytes: 64 << 20,
            runs: 3,
            max_copied: 16 << 30,
        }
    }
}

/// One combination, measured.
#[derive(Clone, Debug)]
pub struct Measurement {
    pub strategy: Strategy,
    pub read_size: ReadSize,
    pub workload: Workload,
    pub source: Source,
    /// Payload bytes in all, those of the warm-up too, and what was done to them.
    pub received_bytes: u64,
    pub counters: Counters,
    /// The rest is of the time after the warm-up.
    pub payload_bytes: u64,
    pub records: u64,
    pub allocations: Allocations,
    pub wall: Duration,
    /// Of the receiving thread.
    pub cpu: Duration,
    /// Throughput of every run, in their order: the others had the same turns.
    pub turns: Vec<f64>,
}

impl Measurement {
    /// Bytes copied for each byte of payload.
    pub fn copies_per_byte(&self) -> f64 {
        self.counters.copied as f64 / self.received_bytes.max(1) as f64
    }

    /// Payload bytes per second.
    pub fn throughput(&self) -> f64 {
        self.payload_bytes as f64 / self.wall.as_secs_f64().max(1e-9)
    }

    /// CPU seconds of the receiving thread for 10⁹ bytes.
    pub fn cpu_seconds_per_gb(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e9 / self.payload_bytes.max(1) as f64
    }

    /// Allocations for each record.
    pub fn allocations_per_record(&self) -> f64 {
        self.allocations.count as f64 / self.records.max(1) as f64
    }
}

/// Runs the plan; `progress` is told of every measurement.
///
/// # Errors
/// If a socket fails, or a strategy received something else than was sent.
pub fn run(plan: &Plan, mut progress: impl FnMut(&Measurement)) -> io::Result<Vec<Measurement>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut measurements = Vec::new();
    for &workload in &plan.workloads {
        let stream = RecordStream::new(workload, workload.payload_len().unwrap_or(4 << 20));
        for &source in &plan.sources {
            for &read_size in &plan.read_sizes {
                let mut best: Vec<Option<Measurement>> = vec![None; plan.strategies.len()];
                // One after the other, over and over: what else the machine does meets all of them.
                for _ in 0..plan.runs.max(1) {
                    for (&strategy, best) in plan.strategies.iter().zip(&mut best) {
                        let rounds = rounds(plan, strategy, workload, read_size, &stream);
                        if rounds == 0 {
                            continue;
                        }
                        let now =
                            runtime.block_on(one(strategy, read_size, source, workload, &stream, rounds))?;
                        let mut turns = best.as_mut().map_or_else(Vec::new, |best| take(&mut best.turns));
                        turns.push(now.throughput());
                        let mut better = best.take().filter(|best| best.wall <= now.wall).unwrap_or(now);
                        better.turns = turns;
                        *best = Some(better);
                    }
                }
                for measurement in best.into_iter().flatten() {
                    progress(&measurement);
                    measurements.push(measurement);
                }
            }
        }
    }
    Ok(measurements)
}

/// How often the stream is sent: 0 if that would take for ever.
fn rounds(
    plan: &Plan,
    strategy: Strategy,
    workload: Workload,
    read_size: ReadSize,
    stream: &RecordStream,
) -> usize {
    let rounds = (plan.bytes / stream.bytes.len()).max(1);
    if strategy != Strategy::Append {
        return rounds;
    }
    let largest =
        workload.payload_len().or((workload == Workload::Mixed).then_some(33 << 20)).unwrap_or(0) as u64;
    let read = read_size.limit(usize::MAX).min(1 << 30) as u64;
    let copied_per_round = largest * (largest / read.max(1)) / 2;
    match plan.max_copied / copied_per_round.max(1) {
        0 => 0,
        most => rounds.min(usize::try_from(most).unwrap_or(usize::MAX)),
    }
}

async fn one(
    strategy: Strategy,
    read_size: ReadSize,
    source: Source,
    workload: Workload,
    stream: &RecordStream,
    rounds: usize,
) -> io::Result<Measurement> {
    // What makes (a) slow is no matter of warm buffers: it gets none, and no extra rounds.
    let warm_up = if strategy == Strategy::Append { 0 } else { WARM_UP.div_ceil(stream.bytes.len()) };
    let rounds = rounds + warm_up;
    let sink = Sink::new(stream.payload_bytes * warm_up as u64);
    let (read, largest) = (read_size, stream.largest_record);
    let (sender, (end, sink, counters)) = match source {
        Source::Memory => {
            let mut memory = Memory::new(&stream.bytes, rounds);
            (None, timed(strategy.receive(&mut memory, read, largest, sink)).await?)
        }
        Source::Tcp => {
            let (mut socket, sender) = source::tcp(stream.bytes.clone(), rounds)?;
            (Some(sender), timed(strategy.receive(&mut socket, read, largest, sink)).await?)
        }
        #[cfg(unix)]
        Source::Unix => {
            let (mut socket, sender) = source::unix(stream.bytes.clone(), rounds)?;
            (Some(sender), timed(strategy.receive(&mut socket, read, largest, sink)).await?)
        }
    };
    if let Some(sender) = sender {
        sender.join().map_err(|_| io::Error::other("the sending thread panicked"))??;
    }
    let sent = rounds as u64;
    let complete = match strategy {
        Strategy::BareReads | Strategy::BareSmall => sink.payload_bytes == stream.wire_bytes() * sent,
        _ => {
            (sink.payload_bytes, sink.records) == (stream.payload_bytes * sent, stream.records * sent)
                && sink.checksum == stream.checksum.wrapping_mul(sent)
        }
    };
    let Some(start) = sink.started.filter(|_| complete) else {
        let (name, bytes) = (strategy.name(), sink.payload_bytes);
        return Err(io::Error::other(format!("{name} received {bytes} bytes that are not what was sent")));
    };
    let (wall, cpu, allocations) = end;
    Ok(Measurement {
        strategy,
        read_size,
        workload,
        source,
        received_bytes: sink.payload_bytes,
        counters,
        payload_bytes: sink.payload_bytes - start.payload_bytes,
        records: (sent - warm_up as u64) * stream.records,
        allocations: allocations.since(start.allocations),
        wall: wall - start.at,
        cpu: cpu.duration_since(start.cpu),
        turns: Vec::new(),
    })
}

/// The end of a run: the time, the thread's CPU time and its allocations.
type End = (Instant, ThreadTime, Allocations);

async fn timed(
    receiving: impl Future<Output = io::Result<(Sink, Counters)>>,
) -> io::Result<(End, Sink, Counters)> {
    let (sink, counters) = receiving.await?;
    Ok(((clock::now(), ThreadTime::now(), alloc::so_far()), sink, counters))
}
