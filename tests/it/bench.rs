//! `farpane bench peers`: the recordings that it makes, what it measures, what it says when it
//! cannot. And `farpane bench start` and `reconnect`.

mod receive;

use std::path::Path;
use std::process::Command;

use farpane::bench::peers::Case;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::program;
use crate::support::slots::Slot;
use crate::support::viewer;

/// `farpane bench peers` with these words, in a short version; what it wrote as JSON.
fn peers(words: &[&str], out: &Path) -> Value {
    let _slot = Slot::take();
    let out = out.display().to_string();
    let fixed = ["bench", "peers", "--quick", "--frames", "4", "--out", &out];
    let mut command = viewer::command(&[&fixed[..], words].concat());
    let said = program::run(command.env("FARPANE_XPRA6", "/nonexistent"));
    assert!(said.contains("| update "), "{said}");
    let text = |name: &str| std::fs::read_to_string(Path::new(&out).join(name)).expect("a file");
    assert!(text("peers.md").contains(said.trim()), "the page has the table");
    assert!(text("peers.csv").lines().count() > 1);
    serde_json::from_str(&text("peers.json")).expect("JSON")
}

#[test]
fn made_recordings_are_the_same_everywhere_and_change_all_the_time() {
    let folder = TempDir::new().expect("a folder");
    for case in [Case::Lz4, Case::Jpeg, Case::H264, Case::Small] {
        let record = |name: &str, draws| {
            let file = folder.path().join(name);
            case.record(&file, draws).expect("a recording");
            std::fs::read(file).expect("the recording")
        };
        let (one, other, longer) = (record("one", 2), record("other", 2), record("longer", 3));
        assert_eq!(one, other, "{case:?}");
        assert!(longer.len() > one.len() && one.len() > 10_000, "{case:?}");
    }
}

#[test]
fn farpane_is_measured_beside_others() {
    let folder = TempDir::new().expect("a folder");
    let others = folder.path().join("others.json");
    let broken = r#"[{"name": "broken cpu", "command": ["sh", "-c", "echo I cannot; exit 3", "{url}"]}]"#;
    std::fs::write(&others, broken).expect("a file");
    let others = others.display().to_string();
    let words = ["--cases", "raw,h264,small", "--only", "cpu", "--clients", &others];
    let page = peers(&words, folder.path());
    let rows = page["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 3, "{page:#}");
    for row in rows {
        let [farpane, broken] = &row["clients"].as_array().expect("clients")[..] else { panic!("{row:#}") };
        assert_eq!((&farpane["client"], &broken["client"]), (&"farpane cpu".into(), &"broken cpu".into()));
        let result = &farpane["result"];
        assert_eq!(result["picture_is_right"], true, "{row:#}");
        assert_eq!((&result["refused"], &result["unanswered"]), (&0.into(), &0.into()), "{row:#}");
        for measured in ["draws_per_s", "first_paint_ms", "first_ack_ms", "peak_memory_bytes"] {
            assert!(result[measured].as_f64() > Some(0.0), "{measured} in {row:#}");
        }
        assert!(row["bare_decoder_ms"].as_f64() > Some(0.0), "{row:#}");
        let why = broken["not_available"].as_str().expect("a reason");
        assert!(why.contains("exit status: 3") && why.contains("I cannot"), "{why}");
    }
}

/// Xpra's own client shows the same, and a recording of a real session can be played.
#[test]
fn xpras_client_is_measured_with_a_real_recording() {
    let _slot = Slot::take();
    let folder = TempDir::new().expect("a folder");
    let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/scrolling-6.5.fpr");
    let (recording, out) = (recording.display().to_string(), folder.path().display().to_string());
    let words = ["bench", "peers", "--quick", "--recording", &recording, "--out", &out];
    program::run(viewer::command(&words).args(["--only", "farpane cpu,6.5.5 cairo"]));
    let text = std::fs::read_to_string(folder.path().join("peers.json")).expect("JSON");
    let page: Value = serde_json::from_str(&text).expect("JSON");
    let clients = page["rows"][0]["clients"].as_array().expect("clients");
    assert_eq!(clients.len(), 2, "is Xpra 6.5.5 there? run 'make setup-test' once: {page:#}");
    for client in clients {
        assert_eq!(client["result"]["picture_is_right"], true, "{page:#}");
    }
}

/// It ends only when words can be seen in the connect window.
#[test]
fn the_start_is_measured_until_words_are_on_the_screen() {
    let _slot = Slot::take();
    for renderer in ["cpu", "wgpu"] {
        let said =
            program::run(&mut viewer::command(&["bench", "start", "--runs", "2", "--renderer", renderer]));
        let line = |name: &str| -> Vec<u32> {
            let line = said.lines().find(|line| line.starts_with(name)).expect("a line of the table");
            line.split_whitespace().filter_map(|word| word.parse().ok()).collect()
        };
        let [mapped, painted] = [line("on the screen"), line("with words")];
        assert_eq!((mapped.len(), painted.len()), (3, 3), "{said}");
        assert!(
            mapped.iter().zip(&painted).all(|(mapped, painted)| (1..=*painted).contains(mapped)),
            "{said}"
        );
    }
}

#[test]
fn the_return_to_a_session_is_measured() {
    let _slot = Slot::take();
    let words = ["bench", "reconnect", "--windows", "2", "--times", "1", "--servers", "3.1"];
    let said = program::run(&mut viewer::command(&words));
    let line = said.lines().find(|line| line.starts_with("3.1.3")).expect("a line of the table");
    let numbers: Vec<u32> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    // When it came; and the least, the middle and the most of one.
    let [_, least, median, most] = numbers[..] else { panic!("{said}") };
    assert!(least == median && median == most && most > 0, "{said}");
}

#[test]
fn what_is_missing_or_wrong_is_said() {
    let folder = TempDir::new().expect("a folder");
    let fails = |command: &mut Command| {
        let output = command.output().expect("farpane");
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let words = ["bench", "peers", "--quick", "--cases", "lz4", "--only", "farpane cpu"];

    // Nothing but setpriv is installed.
    let found = program::run(Command::new("sh").args(["-c", "command -v setpriv"]));
    std::os::unix::fs::symlink(found.trim(), folder.path().join("setpriv")).expect("a link");
    let mut bare = Command::new(env!("CARGO_BIN_EXE_farpane"));
    let said = fails(bare.args(words).env("PATH", folder.path()));
    assert!(said.contains("Xvfb") && said.contains("package"), "{said}");

    let said = fails(&mut viewer::command(&["bench", "peers", "--only", "nobody"]));
    assert!(said.contains("no client is left") && said.contains("farpane wgpu"), "{said}");

    let said = fails(&mut viewer::command(&["bench", "peers", "--cases", "lz5"]));
    assert!(said.contains("lz4, jpeg"), "{said}");

    // Tests are built for development.
    for kind in ["live", "receive", "overlay"] {
        let words = ["bench", kind, "--docs", "video.md"];
        let said = fails(&mut viewer::command(&words));
        assert!(said.contains("without optimisation") && said.contains("cargo build --release"), "{said}");
    }

    let others = folder.path().join("others.json");
    std::fs::write(&others, r#"[{"name": "x", "command": ["x"]}]"#).expect("a file");
    let words = ["bench", "peers", "--clients", &others.display().to_string()];
    let said = fails(&mut viewer::command(&words));
    assert!(said.contains("{url}"), "{said}");
}

/// All bytes, in order, not before their time, and none while it is dark.
#[test]
fn a_far_line_carries_everything_late() {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    use farpane::bench::live::line::{Laid, Line};
    use farpane::channel::clock;

    const DELAY: Duration = Duration::from_millis(100);
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let line = Line { delay: DELAY, bits_per_second: 20_000_000, loses_one_of: 50 };
    let laid = Laid::to(port, line).expect("a line");
    let at = laid.url().replace("tcp://", "").replace('/', "");
    let mut client = TcpStream::connect(at).expect("a connection");
    let (mut server, _) = listener.accept().expect("it arrives");
    let sent: Vec<u8> = (0..200_000_u32).map(|number| (number % 251) as u8).collect();
    let begin = clock::now();
    client.write_all(&sent).expect("it takes them");
    let mut got = vec![0; sent.len()];
    server.read_exact(&mut got[..1]).expect("the first");
    assert!(begin.elapsed() >= DELAY / 2, "after {:?}", begin.elapsed());
    server.read_exact(&mut got[1..]).expect("the others");
    assert!(got == sent);
    assert!(begin.elapsed() >= DELAY / 2 + Duration::from_millis(80), "20 Mbit/s");

    laid.darken();
    std::thread::sleep(DELAY);
    server.write_all(b"dark").expect("it takes them");
    client.set_read_timeout(Some(2 * DELAY)).expect("a timeout");
    client.read_exact(&mut got[..1]).expect_err("nothing comes through");
    laid.light();
    client.set_read_timeout(None).expect("no timeout");
    client.read_exact(&mut got[..4]).expect("it comes");
    assert_eq!(&got[..4], b"dark");
    assert_eq!(laid.sent(), [sent.len(), 4]);
}
