//! The measurements as the tables of `docs/receive-path.md`, and whether the goals were met.

use std::fmt::Write as _;

use crate::stats::CopySite;

use super::{Measurement, ReadSize, Source, Strategy, TransportCost, Workload};

/// Of the bare loop's throughput, for large payloads.
const LEAST_OF_BARE: f64 = 0.95;
/// Copies per byte of large payloads.
const MOST_COPIES: f64 = 0.01;
/// From here on a payload is large.
const LARGE: usize = 400_000;
/// Copies per byte through rustls.
const MOST_TLS_COPIES: f64 = 2.1;

/// Everything that was measured.
#[derive(Clone, Copy, Debug)]
pub struct Results<'a> {
    pub measurements: &'a [Measurement],
    pub transports: &'a [TransportCost],
}

/// A goal, and whether this run met it.
#[derive(Clone, Debug)]
pub struct Goal {
    pub what: String,
    pub got: String,
    pub met: bool,
}

impl Results<'_> {
    fn find(
        &self,
        strategy: Strategy,
        workload: Workload,
        source: Source,
        read: ReadSize,
    ) -> Option<&Measurement> {
        self.measurements
            .iter()
            .find(|m| (m.strategy, m.workload, m.source, m.read_size) == (strategy, workload, source, read))
    }

    /// Throughput of (f) compared to another strategy's in the same turn, for every turn and read size,
    /// lowest first.
    fn ratios(&self, to: Strategy, workload: Workload, source: Source) -> Vec<f64> {
        let of_read_size = |read| {
            let ours = &self.find(Strategy::Farpane, workload, source, read)?.turns;
            let theirs = &self.find(to, workload, source, read)?.turns;
            Some(ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs))
        };
        let mut ratios: Vec<f64> = ReadSize::ALL.into_iter().filter_map(of_read_size).flatten().collect();
        ratios.sort_by(f64::total_cmp);
        ratios
    }

    /// What the issue asks of (f), each with what this run gave. A ratio is the median over turns and read
    /// sizes, and in brackets the middle half of them: a single one, and the best of several even more,
    /// swings with whatever else the machine does.
    pub fn goals(&self) -> Vec<Goal> {
        let mut goals = Vec::new();
        let large = || Workload::ALL.into_iter().filter(|w| w.payload_len().is_some_and(|len| len >= LARGE));
        for workload in large() {
            for source in Source::ALL.iter().filter(|source| **source != Source::Memory) {
                let ratios = self.ratios(Strategy::BareReads, workload, *source);
                let Some((median, [low, high])) = middle(&ratios) else { continue };
                goals.push(Goal {
                    what: format!(
                        "{} over {}: at least {LEAST_OF_BARE} of the bare loop's throughput",
                        workload.name(),
                        source.name()
                    ),
                    got: format!("{median:.2} ({low:.2} to {high:.2})"),
                    met: median >= LEAST_OF_BARE,
                });
            }
        }
        for other in [Strategy::JoinedList, Strategy::LengthDelimited] {
            for source in Source::ALL {
                let ratios = self.ratios(other, Workload::Small, *source);
                let Some((median, [low, high])) = middle(&ratios) else { continue };
                goals.push(Goal {
                    what: format!("100 B packets from {}: not slower than {}", source.name(), other.name()),
                    got: format!("{median:.2} times as fast ({low:.2} to {high:.2})"),
                    met: median >= 1.0,
                });
            }
        }
        let ours = || self.measurements.iter().filter(|m| m.strategy == Strategy::Farpane);
        let copies = ours().filter(|m| large().any(|w| w == m.workload)).map(Measurement::copies_per_byte);
        if let Some(most) = copies.reduce(f64::max) {
            goals.push(Goal {
                what: format!("large payloads: at most {MOST_COPIES} bytes copied per byte"),
                got: format!("{most:.4}"),
                met: most <= MOST_COPIES,
            });
        }
        // From memory: with sockets the runtime allocates when it waits for the first time.
        let from_memory = ours().filter(|m| m.source == Source::Memory);
        if let Some(most) = from_memory.map(|m| m.allocations.count).max() {
            goals.push(Goal {
                what: "every payload, from memory: no allocation after the warm-up".to_owned(),
                got: format!("{most}"),
                met: most == 0,
            });
        }
        let encrypted = self.transports.iter().filter(|cost| matches!(cost.transport, "ssl" | "wss"));
        let mut copies: Vec<f64> = encrypted.map(TransportCost::copies_per_byte).collect();
        copies.sort_by(f64::total_cmp);
        if let (Some(least), Some(most)) = (copies.first(), copies.last()) {
            goals.push(Goal {
                what: format!(
                    "ssl and wss, every frame size: at most {MOST_TLS_COPIES} bytes copied per byte"
                ),
                got: format!("{least:.3} to {most:.3}"),
                met: *most <= MOST_TLS_COPIES,
            });
        }
        goals
    }

    /// The goals as lines of text.
    pub fn goals_text(&self) -> String {
        let mut text = String::from("\ngoals in this run\n");
        for Goal { what, got, met } in self.goals() {
            let _ = writeln!(text, "{:>8}  {what}: {got}", if met { "met" } else { "NOT MET" });
        }
        text
    }

    /// What the transports cost, as text.
    pub fn transports_text(&self) -> String {
        let mut text = format!(
            "\none raw 4K picture, 33 MB, through the viewer's transports\n{:>9}  {:>10} {:>12} {:>10} {:>14} {:>9}\n",
            "transport", "frames", "copied/byte", "layers", "heap/byte", "MB/s"
        );
        for cost in self.transports {
            let _ = writeln!(
                text,
                "{:>9}  {:>10} {:>12.5} {:>10.5} {:>14.5} {:>9.0}",
                cost.transport,
                frame_name(cost.frame),
                cost.copies_per_byte(),
                cost.copies_at(CopySite::Transport),
                cost.allocations.bytes as f64 / cost.received.max(1) as f64,
                cost.received as f64 / 1e6 / cost.wall.as_secs_f64().max(1e-9),
            );
        }
        text
    }

    /// The tables of `docs/receive-path.md`.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        if let Some(ticket) =
            self.find(Strategy::Append, Workload::Raw1080p, Source::Tcp, ReadSize::Bytes(8 << 10))
        {
            let payload = Workload::Raw1080p.payload_len().unwrap_or(0) as f64;
            let _ = writeln!(
                text,
                "**The ticket's arithmetic:** (a) with reads of 8 KiB copies {:.2} GB to receive one picture of \
                 {:.2} MB, {:.0} bytes for each byte.\n",
                ticket.copies_per_byte() * payload / 1e9,
                payload / 1e6,
                ticket.copies_per_byte(),
            );
        }
        let sockets: Vec<Source> = Source::ALL.iter().copied().filter(|s| *s != Source::Memory).collect();
        self.by_read_size(&mut text, "Bytes copied per payload byte", Workload::Raw1080p, Source::Tcp, |m| {
            format!("{:.4}", m.copies_per_byte())
        });
        for source in sockets {
            self.by_read_size(&mut text, "Throughput in MB/s", Workload::Raw1080p, source, |m| {
                format!("{:.0}", m.throughput() / 1e6)
            });
        }
        #[cfg(unix)]
        self.by_read_size(&mut text, "Throughput in MB/s", Workload::Lz4, Source::Unix, |m| {
            format!("{:.0}", m.throughput() / 1e6)
        });
        for source in Source::ALL {
            self.by_read_size(&mut text, "Nanoseconds for a packet", Workload::Small, *source, |m| {
                format!("{:.1}", m.wall.as_secs_f64() * 1e9 / m.records.max(1) as f64)
            });
        }
        let _ = writeln!(
            text,
            "**One raw 4K picture, 33 MB, through the viewer's own transports**, TLS records of 16 KiB:\n\n\
             | transport | WebSocket frames | bytes copied per byte | of these in TLS and WebSocket | heap bytes asked for per byte |\n\
             |---|---|---:|---:|---:|"
        );
        for cost in self.transports {
            let _ = writeln!(
                text,
                "| {} | {} | {:.5} | {:.5} | {:.5} |",
                cost.transport,
                frame_name(cost.frame),
                cost.copies_per_byte(),
                cost.copies_at(CopySite::Transport),
                cost.allocations.bytes as f64 / cost.received.max(1) as f64,
            );
        }
        let _ = writeln!(text, "\n**Goals of (f)**\n\n| goal | this run | |\n|---|---|---|");
        for Goal { what, got, met } in self.goals() {
            let _ = writeln!(text, "| {what} | {got} | {} |", if met { "met" } else { "**not met**" });
        }
        text
    }

    /// A table with a line a strategy and a column a read size.
    fn by_read_size(
        &self,
        text: &mut String,
        what: &str,
        workload: Workload,
        source: Source,
        value: impl Fn(&Measurement) -> String,
    ) {
        let _ = write!(text, "**{what}: {}, {}**, by largest read:\n\n| |", workload.name(), source.name());
        for read in ReadSize::ALL {
            let _ = write!(text, " {read} |");
        }
        let _ = writeln!(text, "\n|---|{}", "---:|".repeat(ReadSize::ALL.len()));
        for strategy in Strategy::ALL {
            let _ = write!(text, "| {} |", strategy.name());
            for read in ReadSize::ALL {
                let cell = self.find(strategy, workload, source, read).map_or("–".to_owned(), &value);
                let _ = write!(text, " {cell} |");
            }
            text.push('\n');
        }
        text.push('\n');
    }
}

/// The median of sorted values, and between which the middle half of them is.
fn middle(sorted: &[f64]) -> Option<(f64, [f64; 2])> {
    let last = sorted.len().checked_sub(1)?;
    let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
    let median = (at(last / 2) + at(last.div_ceil(2))) / 2.0;
    Some((median, [at(last / 4), at(last - last / 4)]))
}

fn frame_name(frame: Option<usize>) -> String {
    match frame {
        None => "none".to_owned(),
        Some(usize::MAX) => "one".to_owned(),
        Some(len) => format!("{} KiB", len >> 10),
    }
}
