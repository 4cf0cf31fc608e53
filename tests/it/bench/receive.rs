//! `farpane bench receive`: what it counts, not how fast this machine is.

use farpane::bench::docs;
use farpane::bench::receive::{self, Plan, ReadSize, Results, Source, Strategy, Workload};

#[test]
fn each_strategy_receives_everything_and_counts_its_copies() {
    let plan = Plan {
        read_sizes: vec![ReadSize::Bytes(8 << 10), ReadSize::AsAsked],
        workloads: vec![Workload::Raw1080p, Workload::Small],
        bytes: 1 << 20,
        runs: 1,
        ..Plan::default()
    };
    let measurements = receive::run(&plan, |_| {}).expect("what was sent");
    let combinations = Strategy::ALL.len() * Source::ALL.len() * 2 * 2;
    assert_eq!(measurements.len(), combinations);
    let pixels = 1920.0 * 1080.0 * 4.0;
    for m in &measurements {
        let large = m.workload == Workload::Raw1080p;
        match m.strategy {
            Strategy::BareReads | Strategy::BareSmall => assert_eq!(m.counters.copied, 0),
            // The ticket's arithmetic: 4 GB for one picture in reads of 8 KB. Reads may bring less.
            Strategy::Append if large && m.read_size == ReadSize::Bytes(8 << 10) => {
                assert!(m.copies_per_byte() * pixels > 4e9, "{m:?}");
            }
            Strategy::Farpane => {
                // Sockets: the runtime allocates once when it waits for the first time.
                let most = if m.source == Source::Memory { 0 } else { 2 };
                assert!(m.allocations.count <= most, "{m:?}");
                assert!(!large || m.copies_per_byte() <= 0.01, "{m:?}");
            }
            _ => {}
        }
    }
    let results = Results { measurements: &measurements, transports: &[] };
    let goals = results.goals();
    let is_met = |start: &str| goals.iter().find(|goal| goal.what.starts_with(start)).map(|goal| goal.met);
    assert_eq!(is_met("large payloads: "), Some(true));
    assert_eq!(is_met("every payload, from memory: "), Some(true));
}

#[test]
fn what_a_transport_copies_is_a_constant() {
    let costs = receive::transports(Workload::Raw4k).expect("pictures");
    let of = |name: &str| costs.iter().filter(|cost| cost.transport == name).collect::<Vec<_>>();
    for (name, count, least, most) in [
        ("tcp", 1, 0.0, 0.01),
        ("unix", 1, 0.0, 0.01),
        ("ssl", 1, 1.99, 2.01),
        ("ws", 4, 0.0, 0.02),
        ("wss", 4, 1.99, 2.05),
    ] {
        assert_eq!(of(name).len(), count);
        for cost in of(name) {
            let copied = cost.copies_per_byte();
            assert!((least..=most).contains(&copied), "{name}, frames of {:?}: {copied}", cost.frame);
        }
    }
}

/// The document can take the tables of a run, and holds those of one.
#[test]
fn the_document_holds_the_figures_of_a_run() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/receive-path.md");
    let document = std::fs::read_to_string(path).expect("the document");
    let written = docs::insert(&document, receive::COMMAND, "THE TABLES").expect("markers");
    assert!(written.contains("THE TABLES") && written.len() < document.len());
    assert!(document.contains("**The ticket's arithmetic:**") && document.contains("**Goals of (f)**"));
    assert_eq!(docs::insert("no markers", receive::COMMAND, "THE TABLES"), None);
}
