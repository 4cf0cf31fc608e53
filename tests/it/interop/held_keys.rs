//! Keys that are held: down there as long as here, repeated as here, whatever the link does.

use std::time::Duration;

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;

use super::{SOON, empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::program::run;
use crate::support::relay::Relay;
use crate::support::typist::Typist;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::xpra::Generation;

for_every_server!(held_keys);

/// Key codes of a PC keyboard (evdev).
const KEY_W: u8 = 25;
const KEY_D: u8 = 40;
const KEY_E: u8 = 26;
/// Longer than what both servers' timers allow.
const LONG: Duration = Duration::from_secs(3);

/// Key events as the session's program sees them: pressed, key code, milliseconds of its X server.
type Seen = (bool, u8, u32);

struct Desk<'a> {
    display: &'a Display,
    typist: Typist<'a>,
    card: &'a Card,
}

impl Desk<'_> {
    fn xset(&self, words: &[&str]) {
        run(std::process::Command::new("xset").args(words).env("DISPLAY", self.display.name()));
    }

    /// Everything up to the release of a last key, which is typed after the rest.
    #[track_caller]
    fn seen(&self) -> Vec<Seen> {
        self.typist.tap(&[], KEY_E);
        let mut seen = Vec::new();
        wait_for("the last key", SOON, String::new, || {
            while let Some(event) = self.card.x.connection.poll_for_event().expect("the card's display") {
                match event {
                    Event::KeyRelease(key) if key.detail == KEY_E => return Some(()),
                    Event::KeyPress(key) if key.detail != KEY_E => seen.push((true, key.detail, key.time)),
                    Event::KeyRelease(key) => seen.push((false, key.detail, key.time)),
                    _ => {}
                }
            }
            None
        });
        seen
    }
}

fn presses(seen: &[Seen], key: u8) -> usize {
    seen.iter().filter(|(pressed, detail, _)| *pressed && *detail == key).count()
}

/// How long it was down, if it was pressed and released once.
#[track_caller]
fn down_ms(seen: &[Seen], key: u8) -> u32 {
    let times: Vec<&Seen> = seen.iter().filter(|(_, detail, _)| *detail == key).collect();
    let [(true, _, from), (false, _, to)] = times[..] else {
        panic!("not pressed and released once: {seen:?}")
    };
    to - from
}

#[track_caller]
fn check_near(what: &str, value: u32, expect: u32, tolerance: u32) {
    assert!(value.abs_diff(expect) <= tolerance, "{what}: {value} instead of {expect}");
}

fn held_keys(generation: Generation) {
    let server = empty_session(generation);
    let card = Card::open(server.x().name(), "held", &Picture::smooth(300, 200), &Look::default());
    let display = Display::with_window_manager();
    let relay = Relay::to(server.address());
    let mut viewer = Viewer::start(&display, &[&relay.url()]);
    let id = viewer.window("held").id.to_string();
    display.x.focus(id);
    card.wait_event("the focus", |event| matches!(event, Event::FocusIn(_)).then_some(()));
    let desk = Desk { typist: Typist::at(&display.x), display: &display, card: &card };
    desk.seen();

    // A key that does not repeat here.
    desk.xset(&["r", "off"]);
    desk.typist.press(KEY_W);
    std::thread::sleep(LONG);
    desk.typist.release(KEY_W);
    check_near("held for 3 s", down_ms(&desk.seen(), KEY_W), 3000, 250);
    // Two at a time, as one walks in games.
    desk.typist.press(KEY_W);
    std::thread::sleep(LONG / 6);
    desk.typist.press(KEY_D);
    std::thread::sleep(LONG);
    desk.typist.release(KEY_D);
    std::thread::sleep(LONG);
    desk.typist.release(KEY_W);
    let seen = desk.seen();
    check_near("the first of two", down_ms(&seen, KEY_W), 6500, 250);
    check_near("the second of two", down_ms(&seen, KEY_D), 3000, 250);
    // The link stands still while it is held.
    desk.typist.press(KEY_W);
    std::thread::sleep(LONG / 6);
    relay.stop();
    std::thread::sleep(LONG);
    desk.typist.release(KEY_W);
    relay.go_on();
    check_near("held while the link stands still", down_ms(&desk.seen(), KEY_W), 3500, 250);

    // One that repeats here, at the rate of here, also when that changes.
    for (delay_ms, per_second) in [(200, 40), (400, 10)] {
        desk.xset(&["r", "rate", &delay_ms.to_string(), &per_second.to_string()]);
        desk.xset(&["r", "on"]);
        desk.typist.press(KEY_W);
        std::thread::sleep(LONG / 2);
        desk.typist.release(KEY_W);
        let seen = desk.seen();
        let expect = 1 + (1500 - delay_ms) * per_second / 1000;
        check_near("repeats", presses(&seen, KEY_W) as u32, expect, 1 + expect / 10);
    }

    // Short ones, while the link stands still now and then: a letter is a letter.
    desk.xset(&["r", "rate", "500", "30"]);
    for letter in 0..200 {
        if letter % 50 == 20 {
            relay.stop();
        }
        desk.typist.press(KEY_W);
        std::thread::sleep(Duration::from_millis(10));
        desk.typist.release(KEY_W);
        std::thread::sleep(Duration::from_millis(20));
        if letter % 50 == 49 {
            relay.go_on();
        }
    }
    assert_eq!(presses(&desk.seen(), KEY_W), 200);
    // It stands still between press and release.
    desk.typist.press(KEY_W);
    card.wait_event("the press", |event| matches!(event, Event::KeyPress(_)).then_some(()));
    relay.stop();
    desk.typist.release(KEY_W);
    std::thread::sleep(LONG);
    relay.go_on();
    let seen = desk.seen();
    assert!(matches!(seen[..], [(false, KEY_W, _)]), "one press, already seen, and its release: {seen:?}");
    viewer.stop();
}
