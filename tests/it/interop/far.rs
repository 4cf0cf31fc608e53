//! Over a line as it is to another continent: 150 ms there and back, 2 Mbit/s, a segment of fifty lost, packets of 1280 bytes,
//! half a minute of darkness. What it costs in time is for `farpane bench typing`; here is what must hold however slow
//! the machine is.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use farpane::bench::live::line::{Laid, Line};
use farpane::channel::clock;
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;

use super::SOON;
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::viewer::{Viewer, command};
use crate::support::wait_for;
use crate::support::xpra::{Generation, Options, XpraServer};

const LINE: Line = Line { delay: Duration::from_millis(150), bits_per_second: 2_000_000, loses_one_of: 50 };
const DARK: Duration = Duration::from_secs(30);
/// Positions that the pointer has while it is dark.
const MOVES: usize = 2400;
/// Of these, those that may arrive: what was sent until the darkness was noticed. Each key takes one along.
const OLD_MOVES: usize = 160;
/// Bytes from the darkness on until all is shown: what two systems, the line and one server's window keep,
/// and the last picture without loss.
const KEPT: usize = 4 << 20;
/// Key codes of the letters `a` to `f` in the order of the alphabet.
const KEYS: [(u8, &str); 6] = [(38, "a"), (56, "b"), (54, "c"), (40, "d"), (26, "e"), (41, "f")];

#[test]
fn v3_1() {
    far(Generation::V3_1);
}

#[test]
fn v6_5() {
    far(Generation::V6_5);
}

fn far(generation: Generation) {
    let switches = vec!["--bandwidth-detection=yes".to_owned()];
    let server = XpraServer::start(generation, &Options { switches, ..Options::default() });
    let port = server.address().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let sides = [0, 255].map(|value| Picture::from_fn(400, 300, |_, _| [value; 3]));
    let placed = |at| Look { at, placed: true, ..Look::default() };
    let card = Card::open(server.x().name(), "typed in", &sides[0], &placed((20, 40)));
    let frames: Vec<Picture> =
        (0..64).map(|number| Picture::smooth(640 + 512, 480).crop(8 * number, 0, 640, 480)).collect();
    let film = Card::open(server.x().name(), "a film", &frames[0], &placed((500, 40)));

    let laid = Laid::to(port, LINE).expect("a line");
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&laid.url(), "--log=info"]);
    let window = viewer.window("typed in");
    let film_window = viewer.window("a film");
    display.x.focus(window.id);
    card.wait_event("the focus", |event| matches!(event, Event::FocusIn(_)).then_some(()));
    looks_how_much_it_carries(&server);

    let (ended, shown) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                let number = shown.fetch_add(1, Ordering::Relaxed) + 1;
                film.show(&frames[number % frames.len()]);
                std::thread::sleep(Duration::from_millis(60));
            }
        });
        // Each key arrives, in its place.
        let mut seen = Seen::default();
        let words: Vec<&str> = KEYS.iter().cycle().take(60).map(|(_, key)| *key).collect();
        display.x.xdotool(&[&["key", "--delay", "60"], &words[..]].concat());
        seen.wait_keys(&card, 60, &viewer);
        seen.assert_order();

        let id = window.id.to_string();
        display.x.xdotool(&["mousemove", "--window", &id, "11", "12"]);
        seen.wait(&card, "the pointer", &viewer, |seen| seen.place == Some((11, 12)));

        laid.darken();
        let dark = clock::now();
        let [_, sent] = laid.sent();
        let mut seen = Seen::default();
        let pause = (DARK / MOVES as u32).as_secs_f64().to_string();
        let mut words = Vec::new();
        let at = |step: usize| (20 + (step % 300) as i16, 20 + (step / 300) as i16);
        for step in 0..MOVES {
            let (x, y) = at(step);
            words.extend(["mousemove", "--window", &id].map(str::to_owned));
            words.extend([x.to_string(), y.to_string(), "sleep".to_owned(), pause.clone()]);
            if step % 400 == 200 {
                words.extend(["key".to_owned(), KEYS[step / 400].1.to_owned()]);
            }
        }
        display.x.xdotool(&words.iter().map(String::as_str).collect::<Vec<_>>());
        std::thread::sleep((dark + DARK).saturating_duration_since(clock::now()));
        ended.store(true, Ordering::Relaxed);
        laid.light();
        seen.wait_keys(&card, KEYS.len(), &viewer);
        seen.assert_order();
        let moves = seen.moves;
        assert!(moves <= OLD_MOVES, "{generation:?}: {moves} positions came of {MOVES} old ones");
        // The newest place comes.
        seen.wait(&card, "the newest position", &viewer, |seen| seen.place == Some(at(MOVES - 1)));

        // What is typed now is shown, and the film's last picture: nothing old is in front of it for long.
        card.show(&sides[1]);
        let is_shown = |id, picture: &Picture| {
            display.x.grab(id).is_some_and(|shown| shown.psnr(picture) > 30.0).then_some(())
        };
        wait_for(
            "what was drawn after the darkness",
            SOON,
            || viewer.log(),
            || is_shown(window.id, &sides[1]),
        );
        let last = &frames[shown.load(Ordering::Relaxed) % frames.len()];
        wait_for("the film's last picture", SOON, || viewer.log(), || is_shown(film_window.id, last));
        let kept = laid.sent()[1] - sent;
        assert!(kept < KEPT, "{generation:?}: {kept} bytes until all was shown");
    });
    assert!(!viewer.log().contains("the connection is lost"), "{}", viewer.log());
    viewer.stop();
}

/// The server's own control of the bandwidth is on: 6.5.5 leaves it off for clients that do not ask for it.
fn looks_how_much_it_carries(server: &XpraServer) {
    let output = command(&["info", &server.url()]).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let detection = said.lines().filter(|line| line.contains("bandwidth") && line.contains("detection"));
    let detection: Vec<&str> = detection.filter(|line| line.starts_with("client")).collect();
    assert!(
        !detection.is_empty()
            && detection.iter().all(|line| line.ends_with("=1") || line.to_lowercase().ends_with("=true")),
        "{detection:?} in\n{said}"
    );
}

/// What came to the program.
#[derive(Default)]
struct Seen {
    keys: Vec<u8>,
    moves: usize,
    place: Option<(i16, i16)>,
}

impl Seen {
    #[track_caller]
    fn wait_keys(&mut self, card: &Card, count: usize, viewer: &Viewer<'_>) {
        self.wait(card, "all keys", viewer, |seen| seen.keys.len() == count);
    }

    #[track_caller]
    fn wait(&mut self, card: &Card, what: &str, viewer: &Viewer<'_>, done: impl Fn(&Self) -> bool) {
        let place = std::cell::Cell::new(None);
        let mut look = || {
            while let Some(event) = card.x.connection.poll_for_event().expect("the card's display") {
                match event {
                    Event::KeyPress(key) => self.keys.push(key.detail),
                    Event::MotionNotify(motion) => {
                        self.moves += 1;
                        self.place = Some((motion.event_x, motion.event_y));
                    }
                    _ => {}
                }
            }
            place.set(self.place);
            done(self).then_some(())
        };
        wait_for(what, SOON, || format!("pointer: {:?}\n{}", place.get(), viewer.log()), &mut look);
    }

    /// The letters of the alphabet, again and again.
    #[track_caller]
    fn assert_order(&self) {
        let wanted: Vec<u8> = KEYS.iter().map(|(code, _)| *code).cycle().take(self.keys.len()).collect();
        assert_eq!(self.keys, wanted);
    }
}
