//! What the viewer costs while nothing happens, with the renderer for machines without a GPU.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use farpane::channel::clock;
use farpane::player::{AtEnd, Options, Pace, Player};

use crate::support::display::Display;
use crate::support::viewer::Viewer;
use crate::support::wait_for;

/// How long nothing happens.
const IDLE: Duration = Duration::from_secs(5);
/// What of a core that may take: 0.2 %.
const SHARE: f64 = 0.002;
/// Memory at most, shared pages by their share.
const MAX_PSS_KB: u64 = 60 * 1024;
/// Buckets of the statistics' ten seconds, 250 ms each, that lie within the idle time for sure.
const IDLE_BUCKETS: usize = 16;

/// The CPU time that all threads have used.
fn cpu_time(pid: u32) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("a running process");
    let of_task = |task: std::io::Result<std::fs::DirEntry>| {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
    };
    tasks.filter_map(of_task).sum()
}

fn pss_kb(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("a running process");
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).expect("a sum");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn an_unchanging_window_costs_next_to_nothing() {
    let display = Display::bare();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings/editing-3.1.fpr").into();
    let options = Options { file, pace: Pace::FlatOut, window: 4, rounds: 1, at_end: AtEnd::Stay };
    let player = Player::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), options).expect("a server");
    let url = format!("tcp://{}/", player.address());
    let mut viewer = Viewer::start(&display, &[&url, "--renderer", "cpu"]);
    viewer.window("editing");
    wait_for("the end of the recording", Duration::from_secs(60), String::new, || {
        (player.played().finished > 0).then_some(())
    });
    // Settled when a second passed without work.
    let pid = viewer.pid();
    let mut before = cpu_time(pid);
    wait_for(
        "the viewer to settle",
        Duration::from_secs(60),
        || viewer.log(),
        || {
            std::thread::sleep(Duration::from_secs(1));
            let settled = cpu_time(pid) - before < Duration::from_millis(5);
            before = cpu_time(pid);
            settled.then_some(())
        },
    );

    let (started, before) = (clock::now(), cpu_time(pid));
    std::thread::sleep(IDLE);
    let (idle, used) = (clock::now() - started, cpu_time(pid) - before);
    assert!(used.as_secs_f64() <= idle.as_secs_f64() * SHARE, "{used:?} of CPU time in {idle:?}");
    let pss_kb = pss_kb(pid);
    assert!(pss_kb <= MAX_PSS_KB, "{pss_kb} kB of memory");

    let stats = viewer.stop();
    let presents = &stats["draws"]["presents"];
    assert!(presents["total"].as_u64() > Some(0), "{presents}");
    let series = presents["series"].as_array().expect("presents by bucket");
    let idle = &series[series.len() - IDLE_BUCKETS..];
    assert!(idle.iter().all(|rate| rate.as_f64() == Some(0.0)), "presents while idle: {presents}");
}
