//! The clipboard against real servers: programs of both sides copy and paste.

use std::process::Command;

use farpane::buffers::BufferPool;
use farpane::channel::clock;
use farpane::protocol::{Limits, PacketReader};
use farpane::recording::{Reader, TimedPacket};

use super::{SOON, empty_session, for_every_server};
use crate::clipboard::x11_programs::{self, toolkit};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::program::{Launch, Program};
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::x11::X;
use crate::support::xpra::{Generation, Options, XpraServer};

for_every_server!(text_both_ways, pictures_both_ways, large_copies, one_way, not_recorded);
for_every_server!(switched_by_the_server, two_viewers, many_copies, gtk_both_ways);
#[cfg(feature = "test-programs")]
for_every_server!(qt_both_ways);

/// xclip as the owner of a selection, until it is dropped.
struct Owner {
    _program: Program,
}

/// A local program copies `bytes` as `target`. Returns when it owns the selection.
#[track_caller]
fn copy(display: &str, selection: &str, target: &str, bytes: &[u8]) -> Owner {
    let x = X::connect(display);
    let owner = || x.selection_owner(x.atom(&selection.to_uppercase()));
    let before = owner();
    let launch = Launch::new("/usr/bin/xclip");
    let file = launch.directory().join("copied");
    std::fs::write(&file, bytes).expect("a file");
    let words = ["-quiet", "-i", "-selection", selection, "-t", target];
    let program = launch.args(words).args([&file]).env("DISPLAY", display).start();
    wait_for("xclip to own the selection", SOON, String::new, || {
        (![before, x11rb::NONE].contains(&owner())).then_some(())
    });
    Owner { _program: program }
}

/// What a local program that pastes `target` gets.
fn paste(display: &str, selection: &str, target: &str) -> Option<Vec<u8>> {
    let mut command = Command::new("/usr/bin/timeout");
    command.args(["20", "/usr/bin/xclip", "-o", "-selection", selection, "-t", target]);
    let output = command.env("DISPLAY", display).output().expect("xclip");
    output.status.success().then_some(output.stdout)
}

#[track_caller]
fn wait_paste(
    display: &str,
    (selection, target): (&str, &str),
    wanted: &[u8],
    viewer: &Viewer<'_>,
    server: &XpraServer,
) {
    let shown = |got: Option<Vec<u8>>| {
        got.map(|got| (got.len(), String::from_utf8_lossy(&got[..got.len().min(60)]).into_owned()))
    };
    let context = || {
        format!(
            "{:?}\n{}\n{}",
            shown(paste(display, selection, target)),
            viewer.log(),
            crate::support::tail(&server.log(), 30)
        )
    };
    wait_for(&format!("{} bytes of {target} in {selection}", wanted.len()), SOON, context, || {
        let is_there = paste(display, selection, target).as_deref() == Some(wanted);
        // Servers drop what is asked for more than 30 times in a second, as nobody does by hand.
        if !is_there {
            std::thread::sleep(std::time::Duration::from_millis(150));
        }
        is_there.then_some(())
    });
}

fn attached<'a>(server: &XpraServer, display: &'a Display, words: &[&str]) -> Viewer<'a> {
    let url = server.url();
    let words = [&[url.as_str(), "--log=farpane=debug,info"], words].concat();
    let viewer = Viewer::start(display, &words);
    wait_for(
        "the viewer to be accepted",
        SOON,
        || viewer.log(),
        || viewer.log().contains("the server accepted us").then_some(()),
    );
    viewer
}

/// The names of all packets in a recording.
fn packet_names(file: &std::path::Path) -> Vec<String> {
    let input = std::io::BufReader::new(std::fs::File::open(file).expect("the recording"));
    let mut recording = Reader::new(input, BufferPool::default()).expect("a recording");
    let mut reader =
        PacketReader::new(recording.start().dialect, Limits::established(2560, 1600), BufferPool::default());
    let zero = clock::now();
    let next = || recording.next(zero).expect("a packet");
    let name =
        |packet: TimedPacket| reader.read(packet.raw.lend()).expect("a packet").packet.name().to_owned();
    std::iter::from_fn(next).map(name).collect()
}

fn text_both_ways(generation: Generation) {
    let server = empty_session(generation);
    let display = Display::bare();
    let (there, here) = (server.x().name().to_owned(), display.name().to_owned());
    let before = "copied before anybody came, \u{2713}".as_bytes();
    let _owner = copy(&there, "clipboard", "UTF8_STRING", before);
    let viewer = attached(&server, &display, &[]);
    wait_paste(&here, ("clipboard", "UTF8_STRING"), before, &viewer, &server);
    // Each selection, each way; text in the spellings that programs ask for.
    for selection in ["clipboard", "primary"] {
        let text = format!("caf\u{e9} from there in {selection}");
        let _owner = copy(&there, selection, "UTF8_STRING", text.as_bytes());
        wait_paste(&here, (selection, "UTF8_STRING"), text.as_bytes(), &viewer, &server);
        wait_paste(&here, (selection, "text/plain;charset=utf-8"), text.as_bytes(), &viewer, &server);
        let latin1: Vec<u8> = text.chars().map(|c| c as u8).collect();
        wait_paste(&here, (selection, "STRING"), &latin1, &viewer, &server);
        let text = format!("na\u{ef}ve from here in {selection}");
        let _owner = copy(&here, selection, "UTF8_STRING", text.as_bytes());
        wait_paste(&there, (selection, "UTF8_STRING"), text.as_bytes(), &viewer, &server);
        let _owner = copy(&here, selection, "text/html", b"<b>bold</b>");
        wait_paste(&there, (selection, "text/html"), b"<b>bold</b>", &viewer, &server);
    }
    viewer.stop();
}

fn pictures_both_ways(generation: Generation) {
    let server = empty_session(generation);
    let display = Display::bare();
    let (there, here) = (server.x().name().to_owned(), display.name().to_owned());
    let viewer = attached(&server, &display, &[]);
    let picture = Picture::smooth(64, 48);
    let png = std::fs::read(picture.save(&format!("clipboard-{generation:?}"))).expect("a picture");
    for (from, to) in [(&here, &there), (&there, &here)] {
        let _owner = copy(from, "clipboard", "image/png", &png);
        let context = || format!("{}\n{}", viewer.log(), crate::support::tail(&server.log(), 30));
        let got = wait_for("a picture", SOON, context, || {
            let got = paste(to, "clipboard", "image/png").filter(|got| got.starts_with(b"\x89PNG"))?;
            let file = viewer.home().join("pasted.png");
            std::fs::write(&file, got).expect("a file");
            let got = Picture::load(&file);
            ((got.width, got.height) == (picture.width, picture.height)).then_some(got)
        });
        // 3.1.3 writes a stamp of its own into what goes to clients.
        if generation != Generation::V3_1 || to == &there {
            assert!(got == picture, "the pixels are others, from {from} to {to}");
        }
    }
    viewer.stop();
}

fn large_copies(generation: Generation) {
    let server = empty_session(generation);
    let display = Display::bare();
    let (there, here) = (server.x().name().to_owned(), display.name().to_owned());
    let viewer = attached(&server, &display, &[]);
    // xclip gives by INCR from about 1 MB on.
    let text: Vec<u8> =
        (0..5_000_000u32).map(|n| b'a' + (n.wrapping_mul(2_654_435_761) >> 24) as u8 % 26).collect();
    let _owner = copy(&here, "clipboard", "UTF8_STRING", &text);
    wait_paste(&there, ("clipboard", "UTF8_STRING"), &text, &viewer, &server);
    let most = text.get(..1_000_000).expect("so much");
    let _owner = copy(&there, "clipboard", "UTF8_STRING", most);
    wait_paste(&here, ("clipboard", "UTF8_STRING"), most, &viewer, &server);
    viewer.stop();
}

/// A recording is given to others: what was copied meanwhile is their business least of all.
fn not_recorded(generation: Generation) {
    let server = empty_session(generation);
    let display = Display::bare();
    let (there, here) = (server.x().name().to_owned(), display.name().to_owned());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("session.fpr");
    let viewer = attached(&server, &display, &[&format!("--record={}", file.display())]);
    let _owner = copy(&there, "clipboard", "UTF8_STRING", b"a secret");
    wait_paste(&here, ("clipboard", "UTF8_STRING"), b"a secret", &viewer, &server);
    viewer.stop();
    let names = packet_names(&file);
    assert!(names.iter().any(|name| name == "hello"), "{names:?}");
    assert!(!names.iter().any(|name| name.contains("clipboard")), "{names:?}");
}

/// `--clipboard-direction`.
fn one_way(generation: Generation) {
    let server = empty_session(generation);
    let display = Display::bare();
    let (there, here) = (server.x().name().to_owned(), display.name().to_owned());
    let viewer = attached(&server, &display, &["--clipboard-direction=to-client"]);
    let _owner = copy(&there, "clipboard", "UTF8_STRING", b"to the client");
    wait_paste(&here, ("clipboard", "UTF8_STRING"), b"to the client", &viewer, &server);
    let _local = copy(&here, "clipboard", "UTF8_STRING", b"not to the server");
    // What goes the other way afterwards has overtaken nothing.
    let _owner = copy(&there, "primary", "UTF8_STRING", b"later");
    wait_paste(&here, ("primary", "UTF8_STRING"), b"later", &viewer, &server);
    assert_eq!(paste(&there, "clipboard", "UTF8_STRING").as_deref(), Some(&b"to the client"[..]));
    viewer.stop();
}

/// `xpra control … toggle-feature clipboard`: the administrator switches it off and on.
fn switched_by_the_server(generation: Generation) {
    let server = empty_session(generation);
    let display = Display::bare();
    let (there, here) = (server.x().name().to_owned(), display.name().to_owned());
    let picture = Picture::smooth(480, 320);
    let _card = Card::open(server.x().name(), "shown", &picture, &Look::default());
    let mut viewer = attached(&server, &display, &[]);
    let seen = viewer.window("shown");
    let wait_shown = |viewer: &Viewer<'_>, what: &str, accept: &dyn Fn(&Picture) -> bool| {
        wait_for(what, SOON, || viewer.log(), || accept(&display.x.grab(seen.id)?).then_some(()));
    };
    wait_shown(&viewer, "the window", &|shown| *shown == picture);
    let _owner = copy(&there, "clipboard", "UTF8_STRING", b"before");
    wait_paste(&here, ("clipboard", "UTF8_STRING"), b"before", &viewer, &server);
    server.control(&["toggle-feature", "clipboard", "off"]);
    // The user is told, over the window, for some seconds.
    let bottom = |picture: &Picture| picture.crop(40, 250, 400, 50);
    wait_shown(&viewer, "words for the user", &|shown| {
        shown.crop(0, 0, 480, 200) == picture.crop(0, 0, 480, 200) && bottom(shown) != bottom(&picture)
    });
    wait_shown(&viewer, "the end of the words", &|shown| *shown == picture);
    // What was to be had from there is not any more.
    let context = || format!("{}\n{}", viewer.log(), crate::support::tail(&server.log(), 30));
    wait_for("nothing to paste", SOON, context, || {
        paste(&here, "clipboard", "UTF8_STRING").is_none().then_some(())
    });
    let _local = copy(&here, "clipboard", "UTF8_STRING", b"meanwhile");
    assert_eq!(paste(&there, "clipboard", "UTF8_STRING").as_deref(), Some(&b"before"[..]));
    server.control(&["toggle-feature", "clipboard", "on"]);
    wait_paste(&there, ("clipboard", "UTF8_STRING"), b"meanwhile", &viewer, &server);
    viewer.stop();
}

/// Two viewers of one session on one desktop: copies go round neither between them nor over the server.
fn two_viewers(generation: Generation) {
    let options = Options { switches: vec!["--sharing=yes".to_owned()], ..Options::default() };
    let server = XpraServer::start(generation, &options);
    let display = Display::bare();
    let (there, here) = (server.x().name().to_owned(), display.name().to_owned());
    let first = attached(&server, &display, &["--sharing"]);
    let second = attached(&server, &display, &["--sharing"]);
    // Who copies on both sides within the time that the news needs gets either of the two.
    let pause = || std::thread::sleep(std::time::Duration::from_millis(500));
    for round in 0..3 {
        pause();
        let text = format!("from there, {round}");
        let _owner = copy(&there, "clipboard", "UTF8_STRING", text.as_bytes());
        wait_paste(&here, ("clipboard", "UTF8_STRING"), text.as_bytes(), &first, &server);
        pause();
        let text = format!("from here, {round}");
        let _owner = copy(&here, "clipboard", "UTF8_STRING", text.as_bytes());
        wait_paste(&there, ("clipboard", "UTF8_STRING"), text.as_bytes(), &first, &server);
    }
    // Nobody takes a selection from anybody when nobody copies.
    let owners = || {
        let x = X::connect(&here);
        let atom = x.atom("CLIPBOARD");
        let there = server.x().atom("CLIPBOARD");
        (x.selection_owner(atom), server.x().selection_owner(there))
    };
    let before = owners();
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(owners(), before);
    first.stop();
    second.stop();
}

/// Fifty copies in a second, each way: the last is what is pasted.
fn many_copies(generation: Generation) {
    let server = empty_session(generation);
    let display = Display::bare();
    let (there, here) = (server.x().name().to_owned(), display.name().to_owned());
    let viewer = attached(&server, &display, &[]);
    for (from, to) in [(&there, &here), (&here, &there)] {
        let mut owners = Vec::new();
        for number in 0..50 {
            let launch = Launch::new("/usr/bin/xclip");
            let file = launch.directory().join("copied");
            std::fs::write(&file, format!("copy {number} from {from}")).expect("a file");
            let words = ["-quiet", "-i", "-selection", "clipboard", "-t", "UTF8_STRING"];
            owners.push(launch.args(words).args([&file]).env("DISPLAY", from).start());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        // Programs start in another order on a busy machine: one more is surely the last.
        let last = format!("the last from {from}");
        let _owner = copy(from, "clipboard", "UTF8_STRING", last.as_bytes());
        wait_paste(to, ("clipboard", "UTF8_STRING"), last.as_bytes(), &viewer, &server);
    }
    viewer.stop();
}

/// A program of a toolkit on each side, a few words and 5 MB.
fn toolkits(generation: Generation, program: &str) {
    let server = empty_session(generation);
    let display = Display::bare();
    let (there, here) = (server.x().name().to_owned(), display.name().to_owned());
    let viewer = attached(&server, &display, &[]);
    let large: String = (0..1_000_000u32)
        .map(|n| char::from(b'a' + (n % 23) as u8))
        .flat_map(|c| [c, '\u{e9}', ' '])
        .collect();
    for (from, to) in [(&there, &here), (&here, &there)] {
        for words in ["Gr\u{fc}\u{df}e, \u{4e16}\u{754c}", &large] {
            let _owner = toolkit(from, program, "copy", words.as_bytes());
            let context = || format!("{}\n{}", viewer.log(), crate::support::tail(&server.log(), 30));
            wait_for(&format!("{} bytes from {from} in {to}", words.len()), 3 * SOON, context, || {
                let mut paster = toolkit(to, program, "paste", b"");
                paster.wait_exit(2 * SOON).filter(std::process::ExitStatus::success)?;
                let pasted = std::fs::read(paster.directory().join("text")).expect("what it pasted");
                (pasted == words.as_bytes()).then_some(())
            });
        }
    }
    viewer.stop();
}

fn gtk_both_ways(generation: Generation) {
    toolkits(generation, x11_programs::GTK);
}

#[cfg(feature = "test-programs")]
fn qt_both_ways(generation: Generation) {
    toolkits(generation, x11_programs::QT);
}
