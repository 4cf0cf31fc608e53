//! A preferred encoding is the one that comes, whichever way it is asked for.

use super::{SOON, empty_session, for_every_server, session_menu};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::xpra::{Generation, Sent, XpraServer};

for_every_server!(by_option, by_menu);

const SIZE: (usize, usize) = (640, 480);

/// By name, and whether nothing else may come for the whole window: 3.1.3 sends the lossless refresh of what
/// it sent as jpeg in another encoding.
const ENCODINGS: [(&str, bool); 6] =
    [("png", true), ("webp", true), ("rgb", true), ("jpeg", false), ("png/P", true), ("png/L", true)];

/// Frame `n` of something that changes everywhere: few colours, so that palettes have them all.
fn picture(n: usize) -> Picture {
    Picture::from_fn(SIZE.0, SIZE.1, |x, y| [((x / 25 + n) % 6 * 51) as u8, (y / 25 % 6 * 51) as u8, 102])
}

fn is(sent: &Sent, name: &str) -> bool {
    if name == "rgb" { sent.encoding.starts_with("rgb") } else { sent.encoding == name }
}

/// Waits for a picture of the whole window that was sent since the log had this length, in this encoding.
#[track_caller]
fn wait_sent(server: &XpraServer, viewer: &Viewer, start: usize, (name, alone): (&str, bool)) {
    let whole = || {
        let sent = server.sent_since(start).into_iter();
        sent.filter(|sent| (sent.width as usize, sent.height as usize) == SIZE).collect::<Vec<_>>()
    };
    let context = || format!("{:?}\n{}", whole(), viewer.log());
    let what = format!("{name} of {:?}", server.generation);
    wait_for(&what, SOON, context, || whole().iter().any(|sent| is(sent, name)).then_some(()));
    let sent = whole();
    assert!(!alone || sent.iter().all(|sent| is(sent, name)), "{name}: {sent:?}");
}

pub fn by_option(generation: Generation) {
    let server = empty_session(generation);
    let card = Card::open(server.x().name(), "shown", &picture(0), &Look::default());
    let display = Display::bare();
    for wanted @ (name, _) in ENCODINGS {
        let start = server.log_length();
        let mut viewer = Viewer::start(&display, &[&server.url(), "--renderer=cpu", "--encoding", name]);
        viewer.window("shown");
        wait_sent(&server, &viewer, start, wanted);
        for n in 1..4 {
            let start = server.log_length();
            card.show(&picture(n));
            wait_sent(&server, &viewer, start, wanted);
        }
        assert_eq!(viewer.stop()["draws"]["refused"], 0, "{name}");
    }
    let mut viewer = Viewer::start(&display, &[&server.url(), "--renderer=cpu", "--encoding=h264"]);
    viewer.window("shown");
    wait_video(&server, &viewer, &card);
    viewer.stop();
}

/// Moves something until it comes as video.
#[track_caller]
fn wait_video(server: &XpraServer, viewer: &Viewer, card: &Card) {
    let start = server.log_length();
    let (mut n, context) = (0, || format!("{:?}\n{}", server.sent_since(start), viewer.log()));
    wait_for("video", SOON, context, || {
        n += 1;
        card.show(&Picture::smooth(SIZE.0 + 60, SIZE.1).crop(n % 60, 0, SIZE.0, SIZE.1));
        server.sent_since(start).iter().any(|sent| sent.encoding == "h264").then_some(())
    });
}

fn by_menu(generation: Generation) {
    let server = empty_session(generation);
    let card = Card::open(server.x().name(), "shown", &picture(0), &Look::default());
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url(), "--renderer=cpu"]);
    let remote = viewer.window("shown");
    let menu = session_menu::open(&mut viewer, &display, &remote);
    let log_start = server.log_length();
    let key = |keys: &[&str]| display.x.xdotool(&[&["key", "--delay", "150"], keys].concat());
    // The first field, whose list is: automatic, h264, webp, png, png/P, rgb, jpeg.
    key(&["Tab"]);
    let choose = |place: usize| {
        display.x.focus(menu.id);
        key(&[&["Return"][..], &vec!["Tab"; place], &["Return"]].concat());
    };
    for (place, wanted) in [4, 3, 6, 7, 5].into_iter().zip(ENCODINGS) {
        // Nothing changes: all is asked for again. (A refresh in the encoding of before may still be on its way.)
        let start = server.log_length();
        choose(place);
        wait_sent(&server, &viewer, start, (wanted.0, false));
        let start = server.log_length();
        card.show(&picture(place));
        wait_sent(&server, &viewer, start, wanted);
    }
    // Windows that come later.
    let start = server.log_length();
    let later = Card::open(server.x().name(), "later", &picture(1), &Look::default());
    viewer.window("later");
    wait_sent(&server, &viewer, start, ("png/P", true));
    drop(later);
    choose(2);
    wait_video(&server, &viewer, &card);
    choose(4);
    let start = server.log_length();
    card.show(&picture(2));
    wait_sent(&server, &viewer, start, ("png", false));
    // Back to all.
    choose(1);
    wait_video(&server, &viewer, &card);
    let log = server.log();
    let said = &log[log_start..];
    assert!(!said.contains("Traceback"), "{said}");
    assert_eq!(viewer.stop()["draws"]["refused"], 0);
}
