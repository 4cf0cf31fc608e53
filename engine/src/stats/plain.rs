//! A snapshot in plain words, for who wants to know how a session does and not what Farpane is made of.

use super::advice::{megabits, times};
use super::snapshot::{EncodingStats, Quantiles, Stage, StatsSnapshot};
use super::text;

/// Encodings that are named; what else comes is rare.
const NAMED_ENCODINGS: usize = 3;

/// What something is, and how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainLine {
    pub label: &'static str,
    pub value: String,
}

/// The lines, the most wanted first.
pub fn lines(snapshot: &StatsSnapshot) -> Vec<PlainLine> {
    let draws = &snapshot.draws;
    let line = |label, value| PlainLine { label, value };
    let average = |stage: Stage| time(times(snapshot, stage));
    vec![
        line("Frames on the screen", format!("{} FPS", text::per_sec(draws.presents.per_sec))),
        line("Pictures from the network", format!("{} a second", text::per_sec(draws.received.per_sec))),
        line("Network latency", latency(snapshot)),
        line("Bandwidth", megabits(snapshot.network.received.per_sec * 8.0)),
        line("Encoding", encodings(&draws.by_encoding)),
        line("Average decoding time", average(Stage::Decode)),
        line("Average queue delay", average(Stage::Queue)),
        line("Average time to the screen", average(Stage::Total)),
    ]
}

/// All in one line.
pub fn one_line(snapshot: &StatsSnapshot) -> String {
    let draws = &snapshot.draws;
    let parts = [
        format!("{} FPS", text::per_sec(draws.presents.per_sec)),
        ping(snapshot),
        megabits(snapshot.network.received.per_sec * 8.0),
        encodings(&draws.by_encoding),
    ];
    parts.join("  ·  ")
}

fn time(times: Quantiles) -> String {
    if times.count == 0 { "–".to_owned() } else { text::micros(times.mean_us.round() as u64) }
}

fn ping(snapshot: &StatsSnapshot) -> String {
    let latency = &snapshot.network.latency;
    if latency.session.count == 0 { "–".to_owned() } else { text::micros(latency.last.now) }
}

fn latency(snapshot: &StatsSnapshot) -> String {
    let Quantiles { count, p50_us, p95_us, .. } = snapshot.network.latency.session;
    match count {
        0 => "–".to_owned(),
        _ => format!("{} (varies by {})", ping(snapshot), text::micros(p95_us.saturating_sub(p50_us))),
    }
}

/// Those of the last second, else those of the last ten.
fn encodings(all: &[EncodingStats]) -> String {
    let of = |rate: fn(&EncodingStats) -> f64| {
        let mut now: Vec<&EncodingStats> = all.iter().filter(|encoding| rate(encoding) > 0.0).collect();
        now.sort_by(|one, other| rate(other).total_cmp(&rate(one)));
        now.into_iter().take(NAMED_ENCODINGS).map(|encoding| encoding.name).collect::<Vec<_>>().join(", ")
    };
    let now = of(|encoding| encoding.wire_bytes.per_sec);
    let lately = if now.is_empty() { of(|encoding| encoding.wire_bytes.per_sec_10s) } else { now };
    if lately.is_empty() { "–".to_owned() } else { lately }
}
