//! *Why is it slow?*: what is said of a session's statistics, and what helps.

use farpane::stats::snapshot::{Gauge, Quantiles, Rate};
use farpane::stats::{Advice, Chosen, Help, StatsSnapshot, plain};

use super::*;

/// Stage times in milliseconds, of reassemble, queue, decode, upload, present; and an answer after `ping` milliseconds.
fn snapshot(stages_ms: [f64; 5], ping_ms: u64) -> StatsSnapshot {
    let times = |ms: f64| Quantiles { count: 10, mean_us: ms * 1000.0, ..Quantiles::default() };
    let total = stages_ms.iter().sum();
    let all = stages_ms.into_iter().chain([total]);
    let mut snapshot = StatsSnapshot::default();
    snapshot.draws.stages = Stage::ALL
        .into_iter()
        .zip(all)
        .map(|(stage, ms)| StageStats { stage: stage.name(), last_10s: times(ms), ..StageStats::default() })
        .collect();
    snapshot.network.latency.last = Gauge { now: ping_ms * 1000, ..Gauge::default() };
    snapshot.network.latency.session = Quantiles { count: 5, p50_us: ping_ms * 1000, ..Quantiles::default() };
    snapshot
}

fn rate(mut snapshot: StatsSnapshot, bits_per_second: f64) -> StatsSnapshot {
    snapshot.network.received = Rate { per_sec_10s: bits_per_second / 8.0, ..Rate::default() };
    snapshot
}

#[track_caller]
fn says(snapshot: &StatsSnapshot, chosen: &Chosen, words: &str, help: Option<Help>) {
    let advice = Advice::of(snapshot, chosen);
    assert!(advice.sentence.contains(words), "{:?} has no {words:?}", advice.sentence);
    assert_eq!(advice.help, help, "{}", advice.sentence);
    if let Some(help) = help {
        assert!(advice.sentence.contains(&help.words()), "{}", advice.sentence);
        assert!(advice.is_slow);
    }
}

#[test]
fn bytes_that_are_waited_for_are_made_fewer() {
    let slow = rate(snapshot([82.0, 1.0, 10.0, 4.0, 3.0], 20), 4e6);
    let quality = |quality| Chosen { quality, ..Chosen::default() };
    says(
        &slow,
        &quality(0),
        "82 % of the time is waiting for bytes: try quality 60.",
        Some(Help::Quality(60)),
    );
    says(&slow, &quality(90), "quality 60", Some(Help::Quality(60)));
    says(&slow, &quality(60), "quality 30", Some(Help::Quality(30)));
    says(&slow, &quality(30), "the line, or the server, brings no more", None);
    // What was chosen before stands in the way.
    let limited = Chosen { bandwidth: 5_000_000, ..Chosen::default() };
    says(&slow, &limited, "no bandwidth limit", Some(Help::Bandwidth(0)));
    let png = Chosen { encoding: "png".to_owned(), ..Chosen::default() };
    says(&slow, &png, "encoding automatic", Some(Help::Encoding("")));
}

#[test]
fn this_machine_may_be_the_slow_one() {
    let none = Chosen::default();
    says(
        &snapshot([5.0, 80.0, 10.0, 3.0, 2.0], 20),
        &none,
        "80 % of the time is waiting for a decoder",
        Some(Help::Encoding("jpeg")),
    );
    says(&snapshot([5.0, 5.0, 80.0, 5.0, 5.0], 20), &none, "decoding", Some(Help::Encoding("jpeg")));
    let jpeg = Chosen { encoding: "jpeg".to_owned(), ..Chosen::default() };
    says(&snapshot([5.0, 5.0, 80.0, 5.0, 5.0], 20), &jpeg, "this machine is busy", None);
    let mut upload = snapshot([5.0, 5.0, 5.0, 80.0, 5.0], 20);
    says(&upload, &none, "handing pixels", None);
    (upload.renderer.software, upload.renderer.backend) = (true, "vulkan".to_owned());
    says(&upload, &none, "the CPU renderer", Some(Help::CpuRenderer));
    upload.renderer.backend = "softbuffer".to_owned();
    says(&upload, &none, "this machine is busy", None);
    says(&snapshot([5.0, 5.0, 5.0, 5.0, 80.0], 20), &none, "waiting for the screen", None);
}

#[test]
fn the_line_may_be_full_or_long() {
    let mut full = rate(snapshot([20.0, 1.0, 3.0, 1.0, 1.0], 40), 13e6);
    full.network.latency.last.now = 640_000;
    let none = Chosen::default();
    let words = "The line is full: the server answers after 640 ms where 40.0 ms are usual: try a limit of 10 Mbit/s.";
    says(&full, &none, words, Some(Help::Bandwidth(10_000_000)));
    let limited = Chosen { bandwidth: 10_000_000, ..Chosen::default() };
    says(&full, &limited, "a limit of 5 Mbit/s", Some(Help::Bandwidth(5_000_000)));
    let least = Chosen { bandwidth: 1_000_000, ..Chosen::default() };
    says(&full, &least, "less can hardly be sent", None);
    let long = snapshot([3.0, 1.0, 3.0, 1.0, 1.0], 180);
    says(&long, &none, "The way to the server is long: it answers after 180 ms", None);
    assert!(Advice::of(&long, &none).is_slow);
}

#[test]
fn it_says_when_nothing_is_slow() {
    let none = Chosen::default();
    let words = "Nothing is slow: pictures are on the screen 9.00 ms after their first byte, and the server answers after 1.00 ms.";
    says(&snapshot([3.0, 1.0, 3.0, 1.0, 1.0], 1), &none, words, None);
    assert!(!Advice::of(&snapshot([3.0, 1.0, 3.0, 1.0, 1.0], 1), &none).is_slow);
    says(&StatsSnapshot::default(), &none, "Nothing is slow: no picture came in the last ten seconds.", None);
}

#[test]
fn plain_words_agree_with_the_numbers() {
    let start = clock::now();
    let mut collector = Collector::new(start, "tcp");
    for number in 0..100_u64 {
        let at = start + ms(number * 100);
        collector.received(at, 12_500);
        collector.draw_received(at, "webp", 12_500);
        let trace = trace(at, [2000, 500, 3000, 500]);
        collector.draw_done(at + ms(7), 1, number, "webp", DrawCounted::Presented, &trace);
        collector.presented(1, number, at + ms(10));
        collector.latency(at, ms(4));
    }
    let snapshot = collector.snapshot(start + ms(10_000));
    let lines = plain::lines(&snapshot);
    let value = |label: &str| lines.iter().find(|line| line.label == label).expect(label).value.clone();
    assert_eq!(value("Frames on the screen"), "10.0 FPS");
    assert_eq!(value("Network latency"), "4.00 ms (varies by 0 µs)");
    assert_eq!(value("Bandwidth"), "1 Mbit/s");
    assert_eq!(value("Encoding"), "webp");
    assert_eq!(value("Average decoding time"), "3.00 ms");
    assert_eq!(value("Average queue delay"), "500 µs");
    assert_eq!(value("Average time to the screen"), "10.0 ms");
    assert_eq!(plain::one_line(&snapshot), "10.0 FPS  ·  4.00 ms  ·  1 Mbit/s  ·  webp");
    assert!(plain::lines(&StatsSnapshot::default()).iter().all(|line| !line.value.contains("NaN")));
}
