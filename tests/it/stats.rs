//! Rates, stage times and the snapshot of `stats`.

mod advice;

use std::time::{Duration, Instant};

use farpane::channel::clock;
use farpane::stats::durations::{Durations, exact_quantiles};
use farpane::stats::history::HISTORY_SECONDS;
use farpane::stats::rates::{BUCKETS, GaugeWindow, RateWindow};
use farpane::stats::snapshot::{Quantiles, Stage, StageStats, StatsSnapshot};
use farpane::stats::{Collector, CopyLedger, CopySite, DrawCounted, DrawTrace, Transform, text};
use serde_json::Value;

use crate::support::alloc::counted;

/// A draw that spent these microseconds in reassemble, queue, decode and upload.
fn trace(arrived: Instant, stages_us: [u64; 4]) -> DrawTrace {
    let [reassemble, queue, decode, upload] = stages_us.map(Duration::from_micros);
    let mut trace = DrawTrace::new(arrived, arrived + reassemble, 1000);
    trace.decode_started = Some(arrived + reassemble + queue);
    trace.decoded = Some(arrived + reassemble + queue + decode);
    trace.uploaded = Some(arrived + reassemble + queue + decode + upload);
    trace.decoded_bytes = 4000;
    trace.pixels = 1000;
    trace
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn a_rate_averages_complete_buckets_only() {
    let mut window = RateWindow::default();
    window.add(0, 100);
    assert_eq!(window.rate(0).per_sec, 0.0, "the bucket that is being filled does not count");
    assert_eq!(window.rate(1).per_sec, 400.0, "one complete bucket of 250 ms");
    window.add(1, 300);
    window.add(2, 1_000_000);
    assert_eq!(window.rate(2).per_sec, 800.0);
    assert_eq!(window.rate(2).per_sec_10s, 800.0);
    assert_eq!(window.rate(2).total, 1_000_400);
}

#[test]
fn a_stall_decays_to_zero_without_any_event() {
    let mut window = RateWindow::default();
    for tick in 0..8 {
        window.add(tick, 25);
    }
    assert_eq!(window.rate(8).per_sec, 100.0);
    assert_eq!(window.rate(10).per_sec, 50.0, "half of the last second was silent");
    assert_eq!(window.rate(12).per_sec, 0.0);
    assert!(window.rate(12).per_sec_10s > 0.0);
    assert_eq!(window.rate(8 + BUCKETS as u64).per_sec_10s, 0.0);
    assert_eq!(window.rate_with_series(1_000_000).series, vec![0.0; BUCKETS]);
    assert_eq!(window.rate(1_000_000).total, 200);
}

#[test]
fn a_rate_after_a_pause_does_not_see_old_buckets() {
    let mut window = RateWindow::default();
    for tick in 0..60 {
        window.add(tick, 7);
    }
    for pause in [1, 5, BUCKETS as u64, BUCKETS as u64 + 1, 1000, u64::MAX / 2] {
        let mut later = window.clone();
        later.add(59 + pause, 1);
        let expected: u64 = if pause > BUCKETS as u64 { 0 } else { 7 * (BUCKETS as u64 - (pause - 1)) };
        assert_eq!(later.window_sum(59 + pause), expected, "after {pause} buckets");
    }
}

#[test]
fn events_of_an_earlier_bucket_find_it_or_count_in_the_total_only() {
    let mut window = RateWindow::default();
    window.add(100, 1);
    window.add(98, 5);
    window.add(3, 50);
    assert_eq!(window.bucket(98), 5);
    assert_eq!(window.bucket(100), 1);
    assert_eq!(window.window_sum(101), 6);
    assert_eq!(window.total(), 56);
}

#[test]
fn a_gauge_holds_its_value_and_keeps_the_largest_of_each_bucket() {
    let mut gauge = GaugeWindow::default();
    gauge.set(2, 10);
    gauge.set(2, 50);
    gauge.set(2, 20);
    gauge.set(5, 0);
    let at_8 = gauge.gauge(8);
    assert_eq!(at_8.series[BUCKETS - 8..], [0, 0, 50, 20, 20, 20, 0, 0][..]);
    assert_eq!((at_8.now, at_8.max_10s), (0, 50));
    gauge.set(6, 33);
    assert_eq!(gauge.gauge(10_000).series, vec![33; BUCKETS], "a gauge holds through a stall");
}

#[test]
fn percentiles_agree_with_a_sorted_list() {
    // A long-tailed list from a fixed linear congruential generator.
    let mut state = 12345_u64;
    let mut list: Vec<u64> = (0..10_000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let octave = (state >> 60) % 14;
            1 + ((state >> 20) & ((1 << (octave + 6)) - 1))
        })
        .collect();
    let mut histogram = Durations::default();
    for us in &list {
        histogram.record(*us);
    }
    let exact = exact_quantiles(&mut list);
    let coarse = histogram.quantiles();
    assert_eq!(exact.p50_us, list[4999]);
    assert_eq!(exact.p95_us, list[9499]);
    assert_eq!(exact.p99_us, list[9899]);
    assert_eq!((coarse.count, coarse.max_us), (10_000, exact.max_us));
    assert!((coarse.mean_us - exact.mean_us).abs() < 1e-6);
    for (coarse, exact) in
        [(coarse.p50_us, exact.p50_us), (coarse.p95_us, exact.p95_us), (coarse.p99_us, exact.p99_us)]
    {
        let error = coarse.abs_diff(exact) as f64 / exact as f64;
        assert!(error <= 0.01, "{coarse} instead of {exact}");
    }
}

#[test]
fn percentiles_of_few_and_of_extreme_durations() {
    assert_eq!(Durations::default().quantiles().count, 0);
    assert_eq!(exact_quantiles(&mut []).p99_us, 0);
    let one = exact_quantiles(&mut [7]);
    assert_eq!((one.p50_us, one.p95_us, one.max_us), (7, 7, 7));
    let mut histogram = Durations::default();
    histogram.record(0);
    histogram.record(u64::MAX);
    let quantiles = histogram.quantiles();
    assert_eq!((quantiles.p50_us, quantiles.max_us), (0, u64::MAX));
}

fn of_last_10s(stage: &StageStats) -> Quantiles {
    stage.last_10s
}

fn of_session(stage: &StageStats) -> Quantiles {
    stage.session
}

#[test]
fn the_stages_of_every_presented_draw_add_up_to_its_total() {
    let start = clock::now();
    let mut collector = Collector::new(start, "tcp");
    // Odd nanoseconds, so that rounding each stage by itself would lose microseconds.
    for sequence in 1..=50_u64 {
        let arrived = start + Duration::from_nanos(1_000_777 * sequence);
        let mut trace = trace(arrived, [0; 4]);
        let mut at = arrived;
        let mut next = |nanos: u64| {
            at += Duration::from_nanos(nanos * sequence);
            at
        };
        trace.reassembled = next(1_999);
        trace.decode_started = Some(next(2_501));
        trace.decoded = Some(next(777_777));
        trace.uploaded = Some(next(99_999));
        collector.draw_received(arrived, "jpeg", 1000);
        collector.draw_done(arrived, 1, sequence, "jpeg", DrawCounted::Presented, &trace);
        let on_screen = next(5_000_001);
        collector.presented(1, sequence, on_screen);
    }
    let snapshot = collector.snapshot(start + ms(5000));
    for stages in [&snapshot.draws.stages, &snapshot.draws.by_encoding[0].stages] {
        for quantiles in [of_last_10s, of_session] {
            let sum = |stage: Stage| {
                let of_stage = quantiles(&stages[stage as usize]);
                assert_eq!(of_stage.count, 50, "{}", stage.name());
                (of_stage.mean_us * 50.0).round() as u64
            };
            let parts: u64 = Stage::ALL.into_iter().filter(|stage| *stage != Stage::Total).map(sum).sum();
            assert_eq!(parts, sum(Stage::Total));
        }
    }
}

#[test]
fn a_stage_that_did_not_happen_takes_no_time() {
    let start = clock::now();
    let mut collector = Collector::new(start, "tcp");
    let mut scroll = DrawTrace::new(start, start + Duration::from_micros(40), 100);
    scroll.uploaded = Some(start + Duration::from_micros(90));
    collector.draw_done(start, 1, 1, "scroll", DrawCounted::Presented, &scroll);
    collector.presented(1, 1, start + Duration::from_micros(200));
    let stages = collector.snapshot(start + ms(300)).draws.stages;
    let times: Vec<u64> = stages.iter().map(|stage| stage.last_10s.max_us).collect();
    assert_eq!(times, [40, 0, 0, 50, 110, 200]);
}

#[test]
fn one_present_shows_every_draw_of_its_window_up_to_the_sequence() {
    let start = clock::now();
    let mut collector = Collector::new(start, "tcp");
    for (wid, sequence) in [(1, 1), (2, 2), (1, 3), (1, 4)] {
        collector.draw_done(start, wid, sequence, "png", DrawCounted::Presented, &trace(start, [10; 4]));
    }
    let presented = |collector: &Collector| {
        collector.snapshot(start + ms(1000)).draws.stages[Stage::Total as usize].session.count
    };
    collector.presented(1, 3, start + ms(1));
    assert_eq!(presented(&collector), 2, "draws 1 and 3");
    collector.presented(1, 3, start + ms(2));
    assert_eq!(presented(&collector), 2, "a draw is presented once");
    collector.presented(1, 4, start + ms(3));
    collector.presented(2, 9, start + ms(4));
    assert_eq!(presented(&collector), 4);
    assert_eq!(collector.snapshot(start + ms(1000)).draws.presents.total, 4);
}

#[test]
fn a_hidden_window_neither_grows_the_statistics_nor_spoils_them() {
    let start = clock::now();
    let mut collector = Collector::new(start, "tcp");
    for sequence in 0..100_000_u64 {
        let at = start + Duration::from_micros(200 * sequence);
        collector.draw_done(at, 1, sequence, "png", DrawCounted::Presented, &trace(at, [10; 4]));
    }
    let shown_at = start + ms(60_000);
    collector.presented(1, 100_000, shown_at);
    let stages = collector.snapshot(shown_at).draws.stages;
    assert_eq!(stages[Stage::Total as usize].session.count, 0, "waiting for a hidden window is no latency");
    assert_eq!(stages[Stage::Decode as usize].session.count, 100_000);
}

#[test]
fn skipped_and_refused_draws_count_but_have_no_stage_times() {
    let start = clock::now();
    let mut collector = Collector::new(start, "tcp");
    let outcomes = [DrawCounted::Presented, DrawCounted::Skipped, DrawCounted::Refused, DrawCounted::Refused];
    for (sequence, outcome) in outcomes.into_iter().enumerate() {
        collector.draw_received(start, "webp", 10);
        collector.draw_done(start, 1, sequence as u64, "webp", outcome, &trace(start, [10; 4]));
    }
    collector.draw_received(start, "webp", 10);
    let draws = collector.snapshot(start + ms(500)).draws;
    assert_eq!((draws.drawn, draws.skipped, draws.refused, draws.in_flight), (1, 1, 2, 1));
    let webp = &draws.by_encoding[0];
    assert_eq!((webp.drawn, webp.skipped, webp.refused, webp.received.total), (1, 1, 2, 5));
    assert_eq!((webp.pixels, webp.decoded_bytes), (1000, 4000));
    assert_eq!(draws.stages[Stage::Decode as usize].session.count, 1);
}

#[test]
fn copies_are_reported_by_site_and_per_received_byte() {
    let start = clock::now();
    let mut collector = Collector::new(start, "wss");
    collector.received(start, 8_000_000);
    let mut receive = CopyLedger::default();
    receive.note_copy(CopySite::ReceivePrefix, 20_000);
    receive.note_transform(Transform::Decompress, 4_000_000);
    receive.note_allocation(8_000_000);
    collector.receive_ledger(start, &receive);
    let mut draw = trace(start, [10; 4]);
    draw.ledger.note_copy(CopySite::Staging, 8_000_000);
    collector.draw_done(start, 1, 1, "rgb32", DrawCounted::Presented, &draw);
    collector.presented(1, 1, start + ms(1));
    collector.presented(1, 1, start + ms(2));

    let memory = collector.snapshot(start + ms(250)).memory;
    assert_eq!(memory.copied.total, 8_020_000);
    assert_eq!(memory.copied.per_sec, 8_020_000.0 * 4.0);
    assert_eq!(memory.copied_per_received.last_10s, Some(1.0025));
    assert_eq!(memory.copied_per_received.session, Some(1.0025));
    assert_eq!(memory.copied_per_received_series.last(), Some(&1.0025));
    assert_eq!(memory.allocations_per_frame.last_10s, Some(0.5), "one allocation, two presents");
    assert_eq!(memory.by_site.len(), CopySite::ALL.len());
    let site = |wanted: CopySite| {
        memory.by_site.iter().find(|site| site.name == wanted.name()).expect("every site is listed")
    };
    assert_eq!(site(CopySite::Staging).bytes.total, 8_000_000);
    assert_eq!(site(CopySite::Staging).per_received.session, Some(1.0));
    assert_eq!(site(CopySite::ReceivePrefix).copies, 1);
    assert_eq!(site(CopySite::Splice).bytes.total, 0);
    assert_eq!(memory.by_transform[0].rate.total, 4_000_000);
    let sum: u64 = memory.by_site.iter().map(|site| site.bytes.total).sum();
    assert_eq!(sum, memory.copied.total);

    let silent = collector.snapshot(start + ms(60_000)).memory;
    assert_eq!(silent.copied_per_received.last_10s, None, "nothing received: no ratio, not zero");
    assert_eq!(silent.copied_per_received.session, Some(1.0025));
}

#[test]
fn recording_does_not_allocate_once_every_name_was_seen() {
    let start = clock::now();
    let mut collector = Collector::new(start, "tcp");
    let second = |collector: &mut Collector, second: u64| {
        for n in 0..100_u64 {
            let sequence = second * 100 + n;
            let at = start + ms(second * 1000 + n * 10);
            let encoding = if n % 3 == 0 { "jpeg" } else { "h264" };
            collector.received(at, 1000);
            collector.sent(at, 50);
            collector.packet(at, "window-draw");
            collector.receive_ledger(at, &CopyLedger::default());
            collector.draw_received(at, encoding, 1000);
            collector.queue_bytes(at, n);
            collector.draw_done(at, n % 4, sequence, encoding, DrawCounted::Presented, &trace(at, [10; 4]));
            collector.presented(n % 4, sequence, at + ms(1));
            collector.latency(at, ms(3));
        }
    };
    second(&mut collector, 0);
    let ((), allocations) = counted(|| (1..700).for_each(|n| second(&mut collector, n)));
    assert_eq!(allocations.count, 0, "{allocations:?}");
}

#[test]
fn names_beyond_the_bound_count_together() {
    let start = clock::now();
    let mut collector = Collector::new(start, "tcp");
    let names: Vec<&'static str> = (0..100).map(|n| &*format!("packet-{n}").leak()).collect();
    for name in &names {
        collector.packet(start, name);
        collector.packet(start, name);
    }
    let packets = collector.snapshot(start + ms(500)).network.packets_by_name;
    assert!(packets.len() <= 65, "{}", packets.len());
    assert_eq!(packets.iter().map(|packet| packet.rate.total).sum::<u64>(), 200);
    assert_eq!(packets.last().map(|packet| packet.name), Some("other"));
}

#[test]
fn the_history_keeps_ten_minutes_of_seconds() {
    let start = clock::now();
    let mut collector = Collector::new(start, "tcp");
    for second in 0..1000_u64 {
        if second != 990 {
            collector.received(start + ms(second * 1000 + 500), second);
        }
    }
    collector.latency(start + ms(989_900), ms(4));
    let history = collector.snapshot(start + ms(1_000_000)).history;
    assert_eq!(history.len(), HISTORY_SECONDS - 1);
    assert_eq!(history[0].second, 401);
    assert!(history.windows(2).all(|pair| pair[1].second == pair[0].second + 1));
    let at = |second: u64| history[(second - 401) as usize];
    assert_eq!(at(401).received_bytes, 401);
    assert_eq!(at(990).received_bytes, 0, "nothing came in that second");
    assert_eq!(at(989).latency_us, 4000);
    assert_eq!(at(999).latency_us, 4000, "the last measured latency holds");
}

#[test]
fn the_json_has_the_documented_keys() {
    let start = clock::now();
    let mut collector = Collector::new(start, "tcp");
    collector.received(start, 5000);
    collector.packet(start, "window-draw");
    collector.draw_received(start, "rgb32", 4000);
    collector.draw_done(start, 1, 1, "rgb32", DrawCounted::Presented, &trace(start, [1, 2, 3, 4]));
    let snapshot = collector.snapshot(start + ms(1000));
    let json = serde_json::to_value(&snapshot).expect("statistics are plain data");

    let keys = |value: &Value| -> Vec<String> {
        let mut keys: Vec<String> = value.as_object().expect("an object").keys().cloned().collect();
        keys.sort();
        keys
    };
    assert_eq!(json["format"], StatsSnapshot::FORMAT);
    assert_eq!(
        keys(&json),
        ["draws", "elapsed_sec", "format", "memory", "network", "queue_bytes", "renderer", "session"]
    );
    assert_eq!(
        keys(&json["network"]),
        ["clipboard", "latency", "packets", "packets_by_name", "received", "sent", "transport"]
    );
    assert_eq!(keys(&json["network"]["received"]), ["per_sec", "per_sec_10s", "series", "total"]);
    assert_eq!(
        keys(&json["memory"]),
        [
            "allocated_bytes",
            "allocations",
            "allocations_per_frame",
            "by_site",
            "by_transform",
            "copied",
            "copied_per_received",
            "copied_per_received_series",
            "heap_allocations",
            "heap_allocations_per_frame",
            "transformed"
        ]
    );
    assert_eq!(
        keys(&json["memory"]["by_site"][0]),
        ["copies", "name", "per_received", "per_sec", "per_sec_10s", "total"]
    );
    assert_eq!(
        keys(&json["draws"]),
        [
            "arrival_to_present_us_series",
            "by_encoding",
            "drawn",
            "in_flight",
            "presents",
            "received",
            "refused",
            "skipped",
            "stages"
        ]
    );
    assert_eq!(
        keys(&json["draws"]["by_encoding"][0]),
        [
            "decoded_bytes",
            "drawn",
            "name",
            "pixels",
            "received",
            "refused",
            "skipped",
            "stages",
            "wire_bytes"
        ]
    );
    assert_eq!(keys(&json["draws"]["stages"][0]), ["last_10s", "session", "stage"]);
    assert_eq!(
        keys(&json["draws"]["stages"][0]["last_10s"]),
        ["count", "max_us", "mean_us", "p50_us", "p95_us", "p99_us"]
    );
    assert_eq!(keys(&json["queue_bytes"]), ["max_10s", "now", "series"]);
    assert_eq!(keys(&json["renderer"]), ["adapter", "backend", "present_mode", "software"]);
    assert_eq!(
        keys(&json["session"]),
        ["decoders", "encryption", "server_host", "server_version", "session_name", "wire"]
    );
    assert_eq!(json["network"]["received"]["series"].as_array().map(Vec::len), Some(BUCKETS));
    assert_eq!(json["memory"]["allocations_per_frame"]["session"], Value::Null);
}

#[test]
fn numbers_are_written_short_and_the_same_everywhere() {
    let check = |written: String, expected: &str| assert_eq!(written, expected);
    check(text::bytes(0.0), "0 B");
    check(text::bytes(999.0), "999 B");
    check(text::bytes(999.6), "1.00 kB");
    check(text::bytes(12_345.0), "12.3 kB");
    check(text::bytes(99_960.0), "100 kB");
    check(text::bytes(999_499.0), "999 kB");
    check(text::bytes(8_294_400.0), "8.29 MB");
    check(text::bytes(2.5e15), "2500 TB");
    check(text::bytes(f64::NAN), "0 B");
    check(text::micros(0), "0 µs");
    check(text::micros(999), "999 µs");
    check(text::micros(1_234), "1.23 ms");
    check(text::micros(999_499), "999 ms");
    check(text::micros(999_500), "1.00 s");
    check(text::per_sec(0.0), "0");
    check(text::per_sec(0.4), "0.4");
    check(text::per_sec(59.94), "59.9");
    check(text::per_sec(1234.4), "1234");
    check(text::count(9_999), "9999");
    check(text::count(12_345), "12 345");
    check(text::count(1_002_003), "1 002 003");
    check(text::count(123_456_789), "123 M");
    check(text::factor(None), "–");
    check(text::factor(Some(0.0)), "0×");
    check(text::factor(Some(0.0042)), "0.004×");
    check(text::factor(Some(1.0)), "1.00×");
    check(text::factor(Some(254.2)), "254×");
    check(text::average(Some(0.125)), "0.12");
    check(text::elapsed(8.42), "8 s");
    check(text::elapsed(187.0), "3:07");
    check(text::elapsed(7387.9), "2:03:07");
}
