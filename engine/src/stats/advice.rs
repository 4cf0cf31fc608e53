//! Why a session is slow, in one sentence, and what helps: from the times of the stages of the last ten seconds.

use super::snapshot::{Quantiles, Stage, StatsSnapshot};
use super::text;

/// Pictures that come to the screen within this are not slow: three frames of a screen of 60 Hz.
const PROMPT_US: f64 = 50_000.0;
/// A server that answers within this is near.
const NEAR_US: u64 = 100_000;
/// An answer that takes so many times what is usual, and this long, waits in a line that is full.
const FULL_LINE_TIMES: u64 = 3;
const FULL_LINE_US: u64 = 150_000;
/// A limit that is used up to this part holds pictures back.
const LIMIT_IS_USED: f64 = 0.7;
/// What of a full line is left to others.
const SHARE_OF_LINE: f64 = 0.8;
/// Bandwidth limits that are advised, in bits per second, largest first.
const LIMITS: [u64; 7] = [100_000_000, 50_000_000, 20_000_000, 10_000_000, 5_000_000, 2_000_000, 1_000_000];
/// Qualities that are advised, best first.
const QUALITIES: [u8; 2] = [60, 30];
/// Encodings that keep every pixel: larger than others.
const LOSSLESS: [&str; 5] = ["png", "png/P", "rgb", "rgb24", "rgb32"];

/// What the user has chosen by now, as far as advice depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Empty: the server chooses.
    pub encoding: String,
    /// Percent; 0: the server chooses.
    pub quality: u8,
    /// Bits per second; 0: no limit.
    pub bandwidth: u64,
}

/// What may help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Help {
    /// Empty: let the server choose.
    Encoding(&'static str),
    Quality(u8),
    /// Bits per second; 0: no limit.
    Bandwidth(u64),
    /// Draw without a graphics adapter.
    CpuRenderer,
}

impl Help {
    /// What to try, and what is on the button that does it.
    pub fn words(&self) -> String {
        match self {
            Self::Encoding("") => "encoding automatic".to_owned(),
            Self::Encoding(name) => format!("encoding {name}"),
            Self::Quality(percent) => format!("quality {percent}"),
            Self::Bandwidth(0) => "no bandwidth limit".to_owned(),
            Self::Bandwidth(limit) => format!("a limit of {}", megabits(*limit as f64)),
            Self::CpuRenderer => "the CPU renderer".to_owned(),
        }
    }
}

/// The answer to *Why is it slow?*
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    pub sentence: String,
    pub help: Option<Help>,
    /// Something is.
    pub is_slow: bool,
}

impl Advice {
    fn calm(sentence: String) -> Self {
        Self { sentence, help: None, is_slow: false }
    }

    fn slow(what: String, help: Option<Help>, without_help: &str) -> Self {
        let sentence = match &help {
            Some(help) => format!("{what}: try {}.", help.words()),
            None => format!("{what}: {without_help}."),
        };
        Self { sentence, help, is_slow: true }
    }

    /// As of this snapshot.
    pub fn of(snapshot: &StatsSnapshot, chosen: &Chosen) -> Self {
        let latency = &snapshot.network.latency;
        let (now, usual) = (latency.last.now, latency.session.p50_us);
        let has_ping = latency.session.count > 0;
        let rate = snapshot.network.received.per_sec_10s * 8.0;
        if has_ping && now >= FULL_LINE_US && now >= usual.saturating_mul(FULL_LINE_TIMES) && rate > 0.0 {
            return full_line(now, usual, rate, chosen);
        }
        let total = times(snapshot, Stage::Total);
        if total.count == 0 || total.mean_us < PROMPT_US {
            return prompt(total, has_ping.then_some(now));
        }
        let parts = [Stage::Reassemble, Stage::Queue, Stage::Decode, Stage::Upload, Stage::Present];
        let longest = parts
            .into_iter()
            .max_by(|one, other| times(snapshot, *one).mean_us.total_cmp(&times(snapshot, *other).mean_us));
        let Some(stage) = longest else { return prompt(total, has_ping.then_some(now)) };
        let sum: f64 = parts.into_iter().map(|stage| times(snapshot, stage).mean_us).sum();
        let share = (times(snapshot, stage).mean_us / sum.max(1.0) * 100.0).round();
        let (what, help, without) = slowest(stage, snapshot, chosen, rate);
        Self::slow(format!("{share} % of the time is {what}"), help, without)
    }
}

/// How long the pictures of the last ten seconds were in a stage.
pub(super) fn times(snapshot: &StatsSnapshot, stage: Stage) -> Quantiles {
    snapshot.draws.stages.get(stage as usize).map(|stage| stage.last_10s).unwrap_or_default()
}

/// Bits per second in words.
pub fn megabits(bits_per_second: f64) -> String {
    let megabits = bits_per_second / 1e6;
    let decimals = if megabits >= 9.95 || megabits.fract() == 0.0 { 0 } else { 1 };
    format!("{megabits:.decimals$} Mbit/s")
}

/// Answers wait behind what is sent.
fn full_line(now: u64, usual: u64, rate: f64, chosen: &Chosen) -> Advice {
    let what = format!(
        "The line is full: the server answers after {} where {} are usual",
        text::micros(now),
        text::micros(usual)
    );
    let fits = |limit: &u64| {
        *limit as f64 <= rate * SHARE_OF_LINE && (chosen.bandwidth == 0 || *limit < chosen.bandwidth)
    };
    let smallest = LIMITS.last().copied().filter(|limit| chosen.bandwidth == 0 || *limit < chosen.bandwidth);
    let limit = LIMITS.into_iter().find(fits).or(smallest);
    Advice::slow(what, limit.map(Help::Bandwidth), "less can hardly be sent")
}

/// Pictures are not slow.
fn prompt(total: Quantiles, ping: Option<u64>) -> Advice {
    let pictures = match total.count {
        0 => "no picture came in the last ten seconds".to_owned(),
        _ => format!(
            "pictures are on the screen {} after their first byte",
            text::micros(total.mean_us.round() as u64)
        ),
    };
    match ping {
        Some(ping) if ping >= NEAR_US => Advice {
            sentence: format!(
                "The way to the server is long: it answers after {}, and so do keys and clicks; {pictures}.",
                text::micros(ping)
            ),
            help: None,
            is_slow: true,
        },
        Some(ping) => Advice::calm(format!(
            "Nothing is slow: {pictures}, and the server answers after {}.",
            text::micros(ping)
        )),
        None => Advice::calm(format!("Nothing is slow: {pictures}.")),
    }
}

/// What the time goes to, what helps, and what is so where nothing does.
fn slowest(
    stage: Stage,
    snapshot: &StatsSnapshot,
    chosen: &Chosen,
    rate: f64,
) -> (&'static str, Option<Help>, &'static str) {
    let other_encoding = (chosen.encoding != "jpeg").then_some(Help::Encoding("jpeg"));
    match stage {
        Stage::Reassemble => {
            ("waiting for bytes", fewer_bytes(chosen, rate), "the line, or the server, brings no more")
        }
        Stage::Queue => ("waiting for a decoder", other_encoding, "this machine is busy"),
        Stage::Decode => ("decoding", other_encoding, "this machine is busy"),
        Stage::Upload => {
            let is_program = snapshot.renderer.software && snapshot.renderer.backend != CPU_BACKEND;
            let help = is_program.then_some(Help::CpuRenderer);
            ("handing pixels to what draws them", help, "this machine is busy")
        }
        Stage::Present | Stage::Total => {
            ("waiting for the screen", None, "the window is hidden, or the screen takes its time")
        }
    }
}

/// What the renderer without a graphics adapter calls itself.
const CPU_BACKEND: &str = "softbuffer";

/// What makes the server send less, or lets it send more.
fn fewer_bytes(chosen: &Chosen, rate: f64) -> Option<Help> {
    if chosen.bandwidth > 0 && rate >= chosen.bandwidth as f64 * LIMIT_IS_USED {
        return Some(Help::Bandwidth(0));
    }
    if LOSSLESS.contains(&chosen.encoding.as_str()) {
        return Some(Help::Encoding(""));
    }
    let lower = QUALITIES.into_iter().find(|quality| chosen.quality == 0 || *quality < chosen.quality);
    lower.map(Help::Quality)
}
