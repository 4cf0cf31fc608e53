//! Runs the experiment.

use std::io;
use std::time::Duration;

use cpu_time::ThreadTime;
use tokio::io::AsyncRead;

use crate::channel::clock;
use crate::stats::alloc::{self, Allocations};

use super::source::{self, Memory};
use super::{Counters, ReadSize, RecordStream, Sink, Source, Strategy, Workload};

/// What to run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub strategies: Vec<Strategy>,
    pub read_sizes: Vec<ReadSize>,
    pub workloads: Vec<Workload>,
    pub sources: &'static [Source],
    /// Bytes that each measurement receives, about.
    pub bytes: usize,
    /// The best of this many runs counts: noise only ever adds time.
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
            sources: Source::ALL,
            bytes: 64 << 20,
            runs: 3,
            max_copied: 16 << 30,
        }
    }
}

/// One combination, measured.
#[derive(Clone, Copy, Debug)]
pub struct Measurement {
    pub strategy: Strategy,
    pub read_size: ReadSize,
    pub workload: Workload,
    pub source: Source,
    pub payload_bytes: u64,
    pub records: u64,
    pub counters: Counters,
    pub allocations: Allocations,
    pub wall: Duration,
    /// Of the receiving thread.
    pub cpu: Duration,
}

impl Measurement {
    /// Bytes copied for each byte of payload.
    pub fn copies_per_byte(&self) -> f64 {
        self.counters.copied as f64 / self.payload_bytes.max(1) as f64
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
        for &source in plan.sources {
            for &read_size in &plan.read_sizes {
                for &strategy in &plan.strategies {
                    let rounds = rounds(plan, strategy, workload, read_size, &stream);
                    if rounds == 0 {
                        continue;
                    }
                    let mut best: Option<Measurement> = None;
                    for _ in 0..plan.runs.max(1) {
                        let now =
                            runtime.block_on(one(strategy, read_size, source, workload, &stream, rounds))?;
                        if best.is_none_or(|best| now.wall < best.wall) {
                            best = Some(now);
                        }
                    }
                    if let Some(best) = best {
                        progress(&best);
                        measurements.push(best);
                    }
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
    let (sender, received) = match source {
        Source::Memory => (None, timed(strategy, read_size, Memory::new(&stream.bytes, rounds)).await?),
        Source::Tcp => {
            let (socket, sender) = source::tcp(stream.bytes.clone(), rounds)?;
            (Some(sender), timed(strategy, read_size, socket).await?)
        }
        #[cfg(unix)]
        Source::Unix => {
            let (socket, sender) = source::unix(stream.bytes.clone(), rounds)?;
            (Some(sender), timed(strategy, read_size, socket).await?)
        }
    };
    if let Some(sender) = sender {
        sender.join().map_err(|_| io::Error::other("the sending thread panicked"))??;
    }
    let Timed { sink, counters, allocations, wall, cpu } = received;
    let expected = Sink {
        payload_bytes: stream.payload_bytes * rounds as u64,
        records: stream.records * rounds as u64,
        checksum: stream.checksum.wrapping_mul(rounds as u64),
    };
    let complete = match strategy {
        Strategy::BareReads => sink.payload_bytes == stream.wire_bytes() * rounds as u64,
        _ => sink == expected,
    };
    if !complete {
        let name = strategy.name();
        return Err(io::Error::other(format!("{name} received {sink:?}, expected {expected:?}")));
    }
    let Sink { payload_bytes, records, .. } = expected;
    Ok(Measurement {
        strategy,
        read_size,
        workload,
        source,
        payload_bytes,
        records,
        counters,
        allocations,
        wall,
        cpu,
    })
}

struct Timed {
    sink: Sink,
    counters: Counters,
    allocations: Allocations,
    wall: Duration,
    cpu: Duration,
}

async fn timed<S: AsyncRead + Unpin>(
    strategy: Strategy,
    read_size: ReadSize,
    mut source: S,
) -> io::Result<Timed> {
    let before = alloc::so_far();
    let (started, cpu) = (clock::now(), ThreadTime::now());
    let (sink, counters) = strategy.receive(&mut source, read_size).await?;
    let (wall, cpu) = (clock::now() - started, cpu.elapsed());
    Ok(Timed { sink, counters, allocations: alloc::so_far().since(before), wall, cpu })
}
