//! The session menu over real servers: what is chosen there is what the server does next.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use farpane::buffers::BufferPool;
use farpane::channel::clock;
use farpane::recording::Reader;

use super::{SOON, empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::program;
use crate::support::viewer::{self, Viewer};
use crate::support::wait_for;
use crate::support::x11::Seen;
use crate::support::xpra::Generation;

for_every_server!(used_with_the_keyboard);

/// By then a server has sent its refresh, if it sends one.
const REFRESH: std::time::Duration = std::time::Duration::from_millis(1200);

/// Another quality and a picture of the window, with the keyboard alone. (The encoding is a wish that
/// servers need not follow.)
fn used_with_the_keyboard(generation: Generation) {
    let mut server = empty_session(generation);
    let first = Picture::smooth(640, 480);
    let card = Card::open(server.x().name(), "shown", &first, &Look::default());
    let display = Display::with_window_manager();
    let url = server.url();
    // Servers on the same machine send what is lossless, unless told that it need not be.
    let pictures = ["--encodings", "webp,jpeg", "--encoding", "webp", "--quality", "60"];
    let words = [&[url.as_str(), "--renderer", "cpu"], &pictures[..]].concat();
    let mut viewer = Viewer::start(&display, &words);
    std::fs::create_dir(viewer.home().join("Downloads")).expect("a folder");
    let remote = viewer.window("shown");
    let shows = |viewer: &Viewer, wanted: &Picture| {
        let same = || (display.x.grab(remote.id)?.psnr(wanted) > 30.0).then_some(());
        wait_for("the picture", SOON, || viewer.log(), same);
    };
    shows(&viewer, &first);

    let key = |keys: &[&str]| display.x.xdotool(&[&["key", "--delay", "200"], keys].concat());
    let menu = open(&mut viewer, &display, &remote);
    // The second field: whether it is automatic, and a slider at 60.
    key(&["Tab", "Tab", "Tab", "Right", "Right", "Right", "Right", "Right"]);
    display.x.picture(menu.id).save(&format!("session-menu-{generation:?}"));
    let second = Picture::smooth(1040, 480).crop(400, 0, 640, 480);
    card.show(&second);
    shows(&viewer, &second);
    // Some servers send a lossless refresh a moment later.
    let stays = || {
        let before = display.x.grab(remote.id)?;
        std::thread::sleep(REFRESH);
        (display.x.grab(remote.id)? == before).then_some(())
    };
    wait_for("a picture that stays", SOON, || viewer.log(), stays);

    // A picture of the window, from the slider.
    display.x.focus(menu.id);
    let saved = viewer.home().join("Downloads/farpane-session.png");
    let before = display.x.picture(remote.id);
    key(&[&["Tab"; Entry::Picture as usize + SLIDER - 3][..], &["Return"]].concat());
    // The file is there before what is in it.
    let complete = || std::fs::read(&saved).ok()?.ends_with(b"IEND\xae\x42\x60\x82").then_some(());
    wait_for("a saved picture", SOON, || viewer.log(), complete);
    // A refresh may have come between.
    let (kept, after) = (Picture::load(&saved), display.x.picture(remote.id));
    assert!(kept == before || kept == after, "the saved picture is another");

    // A recording, by the next button; nothing changes meanwhile.
    let recording = viewer.home().join("Downloads/farpane-session.fpr");
    key(&["Tab", "Return"]);
    let begun = || recording.exists().then_some(());
    wait_for("a recording", SOON, || viewer.log(), begun);
    let with_picture = || (recorded(&recording).0 > 60_000).then_some(());
    wait_for("the picture in it", SOON, || viewer.log(), with_picture);
    display.x.picture(menu.id).save(&format!("session-menu-recording-{generation:?}"));
    key(&["Return"]);
    let complete = || recorded(&recording).1.then_some(());
    wait_for("the recording's end", SOON, || viewer.log(), complete);
    let shown = display.x.picture(remote.id);
    let last = viewer.home().join("last.png").display().to_string();
    let words =
        ["replay", &recording.display().to_string(), "--headless", "--flat-out", "--screenshot", &last];
    let said = program::run(&mut viewer::command(&words));
    assert!(said.contains(" 0 refused"), "{said}");
    let replayed = Picture::load(Path::new(&last));
    assert!(replayed.psnr(&shown) > 30.0, "{:?}", replayed.difference(&shown, "session-menu-replayed"));

    // No other button was pressed.
    let titles: Vec<String> = display.x.windows().into_iter().map(|seen| seen.title).collect();
    assert!(!titles.iter().any(|title| title.starts_with("Session information")), "{titles:?}");
    let downloads = std::fs::read_dir(viewer.home().join("Downloads")).expect("a folder");
    assert_eq!(downloads.count(), 2, "a picture and a recording");

    key(&["Escape"]);
    let closed = || display.x.seen(menu.id).is_none().then_some(());
    wait_for("the menu's end", SOON, || viewer.log(), closed);

    // 3.1.3 does not log the quality; it goes on and shows what comes next, as seen above.
    if generation != Generation::V3_1 {
        let log = server.log();
        assert!(log.contains("'quality': 60") && log.contains("'quality': 65"), "the quality did not change");
    }

    // The session's end, by the last button but one, and with a question.
    let menu = open(&mut viewer, &display, &remote);
    let unasked = display.x.picture(menu.id);
    key(&["shift+Tab", "shift+Tab", "Return"]);
    let asks = || (display.x.picture(menu.id) != unasked).then_some(());
    wait_for("the question", SOON, || viewer.log(), asks);
    display.x.picture(menu.id).save(&format!("session-menu-stop-{generation:?}"));
    assert!(!viewer.exited(), "without an answer");
    key(&["Tab", "Tab", "Return"]);
    assert_eq!(viewer.exit_code(SOON), 0, "{}", viewer.log());
    server.wait_end(SOON);
}

/// How often Tab is pressed to get to what the menu has, where nothing is chosen.
#[derive(Clone, Copy)]
pub enum Entry {
    Quality = 2,
    Bandwidth = 4,
    Renderer = 5,
    Scaling = 6,
    Start = 10,
    Refresh = 11,
    FullScreen = 12,
    Picture = 14,
    Replay = 16,
    Keep = 17,
}

/// Steps more to what comes after a quality that is chosen: a slider, and its number.
pub const SLIDER: usize = 2;

/// Opens the menu over this remote window by its key. It has the focus then.
#[track_caller]
pub fn open(viewer: &mut Viewer, display: &Display, over: &Seen) -> Seen {
    display.x.focus(over.id);
    display.x.xdotool(&["key", "shift+F9"]);
    let menu = viewer.window("Session menu");
    let painted = || (display.x.grab(menu.id)?.colours() > 20).then_some(());
    wait_for("the menu's content", SOON, || viewer.log(), painted);
    display.x.focus(menu.id);
    menu
}

/// Bytes of packets in a recording, and whether it is complete.
pub fn recorded(file: &Path) -> (u64, bool) {
    let file = BufReader::new(File::open(file).expect("a recording"));
    let mut bytes = 0;
    let Ok(mut reader) = Reader::new(file, BufferPool::default()) else { return (bytes, false) };
    loop {
        match reader.next(clock::now()) {
            Ok(Some(packet)) => bytes += packet.raw.wire_bytes,
            end => return (bytes, end.is_ok()),
        }
    }
}

#[test]
fn a_renderer_that_does_not_work_is_not_kept() {
    let server = empty_session(Generation::V6_5);
    let card = Card::open(server.x().name(), "shown", &Picture::smooth(420, 300), &Look::default());
    let display = Display::with_window_manager();
    // No machine that runs these tests has Metal.
    let nothing = [("WGPU_BACKEND", "metal")];
    let mut viewer = Viewer::start_with(&display, &[&server.url(), "--renderer", "cpu"], &nothing);
    let remote = viewer.window("shown");
    let key = |keys: &[&str]| display.x.xdotool(&[&["key", "--delay", "200"], keys].concat());
    open(&mut viewer, &display, &remote);
    // Its list is automatic, GPU, CPU.
    key(&[&["Tab"; Entry::Renderer as usize][..], &["Return", "Tab", "Tab", "Return"]].concat());
    let said = || viewer.log().contains("does not work").then_some(());
    wait_for("words about it", SOON, || viewer.log(), said);
    let second = Picture::sharp(420, 300);
    card.show(&second);
    let same = || (display.x.grab(remote.id)?.psnr(&second) > 30.0).then_some(());
    wait_for("what comes next", SOON, || viewer.log(), same);
    viewer.stop();
}
