//! The clipboard against real servers: programs of both sides copy and paste.

use std::process::Command;
use std::time::Duration;

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
pub(super) struct Owner {
    _program: Program,
}

/// A local program copies `bytes` as `target`. Returns when it owns the selection.
#[track_caller]
pub(super) fn copy(display: &str, selection: &str, target: &str, bytes: &[u8]) -> Owner {
    // Servers tell of a copy 100 ms later. Who copies on both sides within that time has either of the two.
    std::thread::sleep(Duration::from_millis(400));
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
pub(super) fn paste(display: &str, selection: &str, target: &str) -> Option<Vec<u8>> {
    let mut command = Command::new("/usr/bin/timeout");
    command.args(["20", "/usr/bin/xclip", "-o", "-selection", selection, "-t", target]);
    let output = command.env("DISPLAY", display).output().expect("xclip");
    output.status.success().then_some(output.stdout)
}

/// A session and a desktop.
struct Sides {
    server: XpraServer,
    display: Display,
}

impl Sides {
    fn new(server: XpraServer) -> Self {
        Self { server, display: Display::bare() }
    }

    /// The displays there and here.
    fn names(&self) -> (&str, &str) {
        (self.server.x().name(), self.display.name())
    }

    fn attach(&self, words: &[&str]) -> Viewer<'_> {
        let url = self.server.url();
        let words = [&[url.as_str(), "--log=farpane=debug,info"], words].concat();
        let viewer = Viewer::start(&self.display, &words);
        wait_for(
            "the viewer to be accepted",
            SOON,
            || viewer.log(),
            || viewer.log().contains("the server accepted us").then_some(()),
        );
        viewer
    }

    /// What both sides say.
    fn logs(&self, viewer: &Viewer<'_>) -> String {
        format!("{}\n{}", viewer.log(), crate::support::tail(&self.server.log(), 30))
    }

    #[track_caller]
    fn wait_paste(&self, at: &str, (selection, target): (&str, &str), wanted: &[u8], viewer: &Viewer<'_>) {
        let shown =
            |got: Vec<u8>| (got.len(), String::from_utf8_lossy(&got[..got.len().min(60)]).into_owned());
        let context = || format!("{:?}\n{}", paste(at, selection, target).map(shown), self.logs(viewer));
        wait_for(&format!("{} bytes of {target} in {selection}", wanted.len()), SOON, context, || {
            let is_there = paste(at, selection, target).as_deref() == Some(wanted);
            // Servers drop what is asked for more than 30 times in a second, as nobody does by hand.
            if !is_there {
                std::thread::sleep(Duration::from_millis(150));
            }
            is_there.then_some(())
        });
    }
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
    let sides = Sides::new(empty_session(generation));
    let (there, here) = sides.names();
    let before = "copied before anybody came, \u{2713}".as_bytes();
    let _owner = copy(there, "clipboard", "UTF8_STRING", before);
    let viewer = sides.attach(&[]);
    sides.wait_paste(here, ("clipboard", "UTF8_STRING"), before, &viewer);
    // Each selection, each way; text in the spellings that programs ask for.
    for selection in ["clipboard", "primary", "secondary"] {
        let text = format!("caf\u{e9} from there in {selection}");
        let _owner = copy(there, selection, "UTF8_STRING", text.as_bytes());
        sides.wait_paste(here, (selection, "UTF8_STRING"), text.as_bytes(), &viewer);
        sides.wait_paste(here, (selection, "text/plain;charset=utf-8"), text.as_bytes(), &viewer);
        let latin1: Vec<u8> = text.chars().map(|c| c as u8).collect();
        sides.wait_paste(here, (selection, "STRING"), &latin1, &viewer);
        let text = format!("na\u{ef}ve from here in {selection}");
        let _owner = copy(here, selection, "UTF8_STRING", text.as_bytes());
        sides.wait_paste(there, (selection, "UTF8_STRING"), text.as_bytes(), &viewer);
    }
    for (target, bytes) in [
        ("text/html", &b"<b>bold</b>"[..]),
        ("text/rtf", b"{\\rtf1 bold}"),
        ("text/uri-list", b"file:///tmp/a\r\nfile:///tmp/b\r\n"),
    ] {
        let _owner = copy(here, "clipboard", target, bytes);
        sides.wait_paste(there, ("clipboard", target), bytes, &viewer);
        let _owner = copy(there, "clipboard", target, bytes);
        sides.wait_paste(here, ("clipboard", target), bytes, &viewer);
    }
    viewer.stop();
}

fn pictures_both_ways(generation: Generation) {
    let sides = Sides::new(empty_session(generation));
    let (there, here) = sides.names();
    let viewer = sides.attach(&[]);
    let picture = Picture::smooth(64, 48);
    let png = std::fs::read(picture.save(&format!("clipboard-{generation:?}"))).expect("a picture");
    for (from, to) in [(here, there), (there, here)] {
        let _owner = copy(from, "clipboard", "image/png", &png);
        let context = || sides.logs(&viewer);
        let got = wait_for("a picture", SOON, context, || {
            let got = paste(to, "clipboard", "image/png").filter(|got| got.starts_with(b"\x89PNG"))?;
            let file = viewer.home().join("pasted.png");
            std::fs::write(&file, got).expect("a file");
            let got = Picture::load(&file);
            ((got.width, got.height) == (picture.width, picture.height)).then_some(got)
        });
        // 3.1.3 writes a stamp of its own into what goes to clients.
        if generation != Generation::V3_1 || to == there {
            assert!(got == picture, "the pixels are others, from {from} to {to}");
        }
    }
    viewer.stop();
}

fn large_copies(generation: Generation) {
    let sides = Sides::new(empty_session(generation));
    let (there, here) = sides.names();
    let viewer = sides.attach(&[]);
    // xclip gives by INCR from about 1 MB on.
    let text: Vec<u8> =
        (0..5_000_000u32).map(|n| b'a' + (n.wrapping_mul(2_654_435_761) >> 24) as u8 % 26).collect();
    let _owner = copy(here, "clipboard", "UTF8_STRING", &text);
    sides.wait_paste(there, ("clipboard", "UTF8_STRING"), &text, &viewer);
    let most = text.get(..1_000_000).expect("so much");
    let _owner = copy(there, "clipboard", "UTF8_STRING", most);
    sides.wait_paste(here, ("clipboard", "UTF8_STRING"), most, &viewer);
    viewer.stop();
}

/// A recording is given to others: what was copied meanwhile is their business least of all.
fn not_recorded(generation: Generation) {
    let sides = Sides::new(empty_session(generation));
    let (there, here) = sides.names();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("session.fpr");
    let viewer = sides.attach(&[&format!("--record={}", file.display())]);
    let _owner = copy(there, "clipboard", "UTF8_STRING", b"a secret");
    sides.wait_paste(here, ("clipboard", "UTF8_STRING"), b"a secret", &viewer);
    viewer.stop();
    let names = packet_names(&file);
    assert!(names.iter().any(|name| name == "hello"), "{names:?}");
    assert!(!names.iter().any(|name| name.contains("clipboard")), "{names:?}");
}

/// `--clipboard-direction`.
fn one_way(generation: Generation) {
    let sides = Sides::new(empty_session(generation));
    let (there, here) = sides.names();
    let viewer = sides.attach(&["--clipboard-direction=to-client"]);
    let _owner = copy(there, "clipboard", "UTF8_STRING", b"to the client");
    sides.wait_paste(here, ("clipboard", "UTF8_STRING"), b"to the client", &viewer);
    let _local = copy(here, "clipboard", "UTF8_STRING", b"not to the server");
    // What goes the other way afterwards has overtaken nothing.
    let _owner = copy(there, "primary", "UTF8_STRING", b"later");
    sides.wait_paste(here, ("primary", "UTF8_STRING"), b"later", &viewer);
    assert_eq!(paste(there, "clipboard", "UTF8_STRING").as_deref(), Some(&b"to the client"[..]));
    viewer.stop();
}

/// `xpra control … toggle-feature clipboard`: the administrator switches it off and on.
fn switched_by_the_server(generation: Generation) {
    let sides = Sides::new(empty_session(generation));
    let (there, here) = sides.names();
    let picture = Picture::smooth(480, 320);
    let _card = Card::open(sides.server.x().name(), "shown", &picture, &Look::default());
    let mut viewer = sides.attach(&[]);
    let seen = viewer.window("shown");
    let wait_shown = |viewer: &Viewer<'_>, what: &str, accept: &dyn Fn(&Picture) -> bool| {
        wait_for(what, SOON, || viewer.log(), || accept(&sides.display.x.grab(seen.id)?).then_some(()));
    };
    wait_shown(&viewer, "the window", &|shown| *shown == picture);
    let _owner = copy(there, "clipboard", "UTF8_STRING", b"before");
    sides.wait_paste(here, ("clipboard", "UTF8_STRING"), b"before", &viewer);
    sides.server.control(&["toggle-feature", "clipboard", "off"]);
    // The user is told, over the window, for some seconds.
    let bottom = |picture: &Picture| picture.crop(40, 250, 400, 50);
    wait_shown(&viewer, "words for the user", &|shown| {
        shown.crop(0, 0, 480, 200) == picture.crop(0, 0, 480, 200) && bottom(shown) != bottom(&picture)
    });
    wait_shown(&viewer, "the end of the words", &|shown| *shown == picture);
    // What was to be had from there is not any more.
    let context = || sides.logs(&viewer);
    wait_for("nothing to paste", SOON, context, || {
        paste(here, "clipboard", "UTF8_STRING").is_none().then_some(())
    });
    let _local = copy(here, "clipboard", "UTF8_STRING", b"meanwhile");
    assert_eq!(paste(there, "clipboard", "UTF8_STRING").as_deref(), Some(&b"before"[..]));
    sides.server.control(&["toggle-feature", "clipboard", "on"]);
    sides.wait_paste(there, ("clipboard", "UTF8_STRING"), b"meanwhile", &viewer);
    viewer.stop();
}

/// Two viewers of one session on one desktop: copies go round neither between them nor over the server.
fn two_viewers(generation: Generation) {
    let options = Options { switches: vec!["--sharing=yes".to_owned()], ..Options::default() };
    let server = XpraServer::start(generation, &options);
    let sides = Sides::new(server);
    let (there, here) = sides.names();
    let first = sides.attach(&["--sharing"]);
    let second = sides.attach(&["--sharing"]);
    for round in 0..3 {
        let text = format!("from there, {round}");
        let _owner = copy(there, "clipboard", "UTF8_STRING", text.as_bytes());
        sides.wait_paste(here, ("clipboard", "UTF8_STRING"), text.as_bytes(), &first);
        let text = format!("from here, {round}");
        let _owner = copy(here, "clipboard", "UTF8_STRING", text.as_bytes());
        sides.wait_paste(there, ("clipboard", "UTF8_STRING"), text.as_bytes(), &first);
    }
    // Nobody takes a selection from anybody when nobody copies.
    let owners = || {
        let x = X::connect(here);
        let atom = x.atom("CLIPBOARD");
        let there = sides.server.x().atom("CLIPBOARD");
        (x.selection_owner(atom), sides.server.x().selection_owner(there))
    };
    let before = owners();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(owners(), before);
    first.stop();
    second.stop();
}

/// Fifty copies in a second, each way: the last is what is pasted.
fn many_copies(generation: Generation) {
    let sides = Sides::new(empty_session(generation));
    let (there, here) = sides.names();
    let viewer = sides.attach(&[]);
    for (from, to) in [(there, here), (here, there)] {
        let mut owners = Vec::new();
        for number in 0..50 {
            let launch = Launch::new("/usr/bin/xclip");
            let file = launch.directory().join("copied");
            std::fs::write(&file, format!("copy {number} from {from}")).expect("a file");
            let words = ["-quiet", "-i", "-selection", "clipboard", "-t", "UTF8_STRING"];
            owners.push(launch.args(words).args([&file]).env("DISPLAY", from).start());
            std::thread::sleep(Duration::from_millis(20));
        }
        // Programs start in another order on a busy machine: one more is surely the last.
        let last = format!("the last from {from}");
        let _owner = copy(from, "clipboard", "UTF8_STRING", last.as_bytes());
        sides.wait_paste(to, ("clipboard", "UTF8_STRING"), last.as_bytes(), &viewer);
    }
    viewer.stop();
}

/// A program of a toolkit on each side, a few words and 5 MB.
fn toolkits(generation: Generation, program: &str) {
    let sides = Sides::new(empty_session(generation));
    let (there, here) = sides.names();
    let viewer = sides.attach(&[]);
    let large: String = (0..1_000_000u32)
        .map(|n| char::from(b'a' + (n % 23) as u8))
        .flat_map(|c| [c, '\u{e9}', ' '])
        .collect();
    for (from, to) in [(there, here), (here, there)] {
        for words in ["Gr\u{fc}\u{df}e, \u{4e16}\u{754c}", &large] {
            let _owner = toolkit(from, program, "copy", words.as_bytes());
            let context = || sides.logs(&viewer);
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
