//! Real sessions: recorded, replayed without and with windows, served to Xpra's own client.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use farpane::channel::NetCommand;
use farpane::cli::screenshot::settle;
use farpane::headless::{HeadlessClient, View};
use farpane::net::Recorder;
use farpane::player::{AtEnd, Options, Pace};
use serde_json::Value;
use tempfile::TempDir;

use super::play::last_picture;
use super::{PATIENCE, attach, picture};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::{Picture, assert_same};
use crate::support::program::{self, Launch};
use crate::support::slots::Slot;
use crate::support::viewer::{self, Viewer};
use crate::support::xpra::{self, Generation, XpraServer, official_client};
use crate::support::{tail, wait_for};

/// A terminal that scrolls for about three seconds and then rests.
const SCROLLING: &str = "xterm -T scrolling -geometry 60x12 -e sh -c \
    'for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; \
     do echo line $n of a terminal that scrolls; sleep 0.1; done; sleep 1000'";

fn start(generation: Generation) -> XpraServer {
    let options = xpra::Options { start: Some(SCROLLING.to_owned()), ..xpra::Options::default() };
    XpraServer::start(generation, &options)
}

/// What the client shows of the window with this title, when it rests.
fn resting(client: &mut HeadlessClient, title: &str) -> Picture {
    let shown = |windows: &std::collections::BTreeMap<_, farpane::session::WindowInfo>| {
        windows.values().find(|window| window.title == title).map(|window| window.wid)
    };
    client
        .wait_for("the window", PATIENCE, |view| {
            shown(&view.windows).is_some_and(|wid| view.painted.contains(&wid))
        })
        .expect("a window");
    // Lossless refreshes follow lossy updates.
    client.run_for(Duration::from_secs(5)).expect("a session");
    settle(client).expect("a session");
    let wid = shown(client.windows()).expect("a window");
    picture(&client.read_back(wid).expect("pixels"))
}

fn replay(file: &Path, title: &str) -> Picture {
    let (file, pace, at_end) = (file.to_owned(), Pace::FlatOut, AtEnd::Stay);
    let options = Options { file, pace, window: 16, rounds: 1, at_end };
    last_picture(options, title)
}

/// Records what a live client gets, and says what that showed at the end.
fn record_live(server: &XpraServer, file: &Path) -> Picture {
    let recorder = Recorder::create(file, server.url()).expect("a file");
    let mut live = attach(&server.url(), &[], Some(recorder.clone()));
    let shown = resting(&mut live, "scrolling");
    live.close();
    let progress = recorder.finish().expect("a recording");
    assert!(progress.ended && progress.packets > 10, "{progress:?}");
    assert_eq!(progress.bytes, std::fs::metadata(file).expect("a file").len());
    shown
}

#[test]
fn a_replay_of_3_1_shows_what_the_live_session_showed() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("session.fpr");
    let live = {
        let server = start(Generation::V3_1);
        record_live(&server, &file)
    };
    assert!(live.colours() >= 2, "something was painted");
    assert_same(&replay(&file, "scrolling"), &live, "recording-replay-3.1");
}

#[test]
fn a_replay_of_6_5_shows_what_the_live_session_showed_also_in_xpras_own_client() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("session.fpr");
    let live = {
        let server = start(Generation::V6_5);
        record_live(&server, &file)
    };
    assert!(live.colours() >= 2, "something was painted");
    assert_same(&replay(&file, "scrolling"), &live, "recording-replay-6.5");

    let _slot = Slot::take();
    let display = Display::bare();
    let words = ["serve", &file.display().to_string(), "--flat-out", "--bind", "127.0.0.1:0"];
    let serve = Launch::new(env!("CARGO_BIN_EXE_farpane")).args(words).start();
    let url = wait_for(
        "the address",
        PATIENCE,
        || serve.stderr(),
        || {
            let said = serve.stdout();
            let address = said.split_whitespace().find(|word| word.starts_with("tcp://"))?;
            Some(address.trim_end_matches(':').to_owned())
        },
    );
    let client = official_client(Generation::V6_5, &display, &url, &["--desktop-scaling=off"]);
    let log = || tail(&client.stderr(), 60);
    let seen = || display.x.windows().into_iter().find(|window| window.title.contains("scrolling"));
    let window = wait_for("the window", PATIENCE, log, seen);
    let difference = || {
        let shown = display.x.grab(window.id)?;
        if shown == live { Some(None) } else { Some(shown.difference(&live, "recording-official-client")) }
    };
    let context = || format!("{}\n{}", difference().flatten().unwrap_or_default(), log());
    wait_for("the recorded picture", PATIENCE, context, || {
        (display.x.grab(window.id)? == live).then_some(())
    });
}

#[test]
fn a_recording_begins_in_the_middle_of_a_video_of_3_1() {
    in_the_middle_of_a_video(Generation::V3_1);
}

#[test]
fn a_recording_begins_in_the_middle_of_a_video_of_6_5() {
    in_the_middle_of_a_video(Generation::V6_5);
}

/// What the server is asked for when a recording begins: pictures that need none from before.
fn in_the_middle_of_a_video(generation: Generation) {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("session.fpr");
    let server = XpraServer::start(generation, &xpra::Options::default());
    let frame = |n: usize| Picture::smooth(640 + 8 * n, 480).crop(8 * n, 0, 640, 480);
    let card = Card::open(server.x().name(), "to be named", &frame(0), &Look::default());
    let pictures = ["--encodings", "h264", "--quality", "60"];
    let mut client = attach(&server.url(), &pictures, None);
    client.wait_for("the window", PATIENCE, |view| !view.painted.is_empty()).expect("a window");
    card.set_title("video");
    let named = |view: &View| view.windows.values().any(|window| window.title == "video");
    client.wait_for("its name", PATIENCE, named).expect("a window");

    let log_start = server.log_length();
    let play = |client: &mut HeadlessClient, frames: std::ops::Range<usize>| {
        for n in frames {
            card.show(&frame(n));
            client.run_for(Duration::from_millis(40)).expect("a session");
        }
    };
    play(&mut client, 1..40);
    let recorder = Recorder::create(&file, server.url()).expect("a file");
    client.queue().push(NetCommand::Record(Some(Arc::new(recorder.clone()))));
    play(&mut client, 40..100);
    let live = resting(&mut client, "video");
    client.queue().push(NetCommand::Record(None));
    client.run_for(Duration::from_millis(200)).expect("a session");
    recorder.finish().expect("a recording");
    client.close();
    let video = server.sent_since(log_start).iter().filter(|sent| sent.encoding == "h264").count();
    assert!(video > 20, "{video} pictures of a video");
    let replayed = replay(&file, "video");
    assert!(replayed.psnr(&live) > 30.0, "{:?}", replayed.difference(&live, "recording-in-between"));
}

#[test]
fn the_commands_record_and_replay() {
    let folder = TempDir::new().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (file, stats) = (path("session.fpr"), path("stats.json"));
    {
        let server = start(Generation::V6_5);
        let said = program::run(&mut viewer::command(&["record", &server.url(), &file, "--seconds", "3"]));
        assert!(said.contains("packets") && said.contains(&server.url()), "{said}");
    }
    let words = ["replay", &file, "--headless", "--flat-out", "--stats-json", &stats];
    let picture = ["--screenshot", &path("final.png")];
    let said = program::run(&mut viewer::command(&[&words[..], &picture[..]].concat()));
    for expected in ["Stage times", "decode", "draws/s", " 0 refused"] {
        assert!(said.contains(expected), "{expected} is missing in:\n{said}");
    }
    let shown = Picture::load(&folder.path().join("final.png"));
    assert!(shown.colours() >= 2, "something was painted");
    let stats = std::fs::read_to_string(&stats).expect("statistics");
    let stats: Value = serde_json::from_str(&stats).expect("JSON");
    assert!(stats["draws"]["received"]["total"].as_u64() > Some(5), "{stats:#}");
    check_times(&stats, &said);
    assert!(stats["memory"]["heap_allocations"]["total"].as_u64() > Some(0), "{stats:#}");

    let _slot = Slot::take();
    let display = Display::with_window_manager();
    let mut windowed = Viewer::start(&display, &["replay", &file, "--flat-out"]);
    assert_eq!(windowed.exit_code(PATIENCE), 0, "{}", windowed.log());
    assert!(windowed.stats()["draws"]["presents"]["total"].as_u64() > Some(0));
    let mut recorded_again = Viewer::start(&display, &["replay", &path("missing")]);
    assert_eq!(recorded_again.exit_code(PATIENCE), 1);
    assert!(recorded_again.log().contains("cannot open"), "{}", recorded_again.log());
}

/// What `farpane replay` says of stage times: for each encoding, and adding up to the total.
#[track_caller]
fn check_times(stats: &Value, summary: &str) {
    let draws = &stats["draws"];
    assert!(draws["drawn"].as_u64() > Some(0), "{draws}");
    let encodings = draws["by_encoding"].as_array().expect("encodings");
    for of in encodings.iter().chain([draws]) {
        let stages = of["stages"].as_array().expect("stages");
        let (total, parts) = stages.split_last().expect("the total comes last");
        let presented = total["session"]["count"].as_u64().expect("a count");
        let mean = |stage: &Value| stage["session"]["mean_us"].as_f64().expect("a mean");
        assert_eq!(total["stage"], "total");
        if parts.iter().all(|part| part["session"]["count"] == presented) {
            let sum: f64 = parts.iter().map(mean).sum();
            assert!((sum - mean(total)).abs() < 0.01, "{sum} µs of {} µs: {stages:#?}", mean(total));
        }
    }
    let sections: Vec<&str> = summary.lines().filter(|line| line.contains("p99")).collect();
    assert_eq!(sections.len(), 2, "{summary}");
    for encoding in encodings {
        let name = encoding["name"].as_str().expect("a name");
        assert!(summary.contains(&format!("\n  {name:<22}")), "{name} is missing in {summary}");
    }
}
