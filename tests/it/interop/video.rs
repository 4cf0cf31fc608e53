//! Busy windows and video: not one draw is refused, and what was drawn last is what is shown.

use std::time::Duration;

use farpane::channel::clock;
use x11rb::protocol::Event;

use super::SOON;
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::xpra::{Generation, Options, XpraServer};

/// Encoded as the servers like, and as those that cannot do otherwise: windows that flip often enough, or in full
/// quality, come as h264 of the High profile with long codes.
const OFFERS: [&[&str]; 3] =
    [&[], &["--encodings", "h264,rgb"], &["--encodings", "h264", "--min-quality", "90"]];
/// Milliseconds between key presses, and how many.
const PRESSES: [(u32, usize); 3] = [(250, 16), (100, 40), (33, 60)];

#[test]
fn no_draw_of_a_window_that_flips_is_refused_by_v3_1() {
    flips(Generation::V3_1);
}

#[test]
fn no_draw_of_a_window_that_flips_is_refused_by_v6_5() {
    flips(Generation::V6_5);
}

/// A window that turns black or white at each key press, as terminals and editors do.
fn flips(generation: Generation) {
    let server = XpraServer::start(generation, &Options::default());
    for (number, offer) in OFFERS.into_iter().enumerate() {
        let display = Display::bare();
        let title = format!("flips {number}");
        let sides = [0, 255].map(|value| Picture::from_fn(400, 300, |_, _| [value; 3]));
        let card = Card::open(server.x().name(), &title, &sides[0], &Look::default());
        let url = server.url();
        let mut viewer = Viewer::start(&display, &[&[url.as_str()], offer].concat());
        let seen = viewer.window(&title);
        display.x.focus(seen.id);
        let mut flipped = 0;
        for (delay, presses) in PRESSES {
            let (delay, key) = (delay.to_string(), vec!["a"; presses]);
            let words = [&["key", "--delay", &delay][..], &key].concat();
            let expected = flipped + presses;
            std::thread::scope(|scope| {
                let typing = scope.spawn(|| display.x.xdotool(&words));
                while flipped < expected {
                    card.wait_event("a key press", |event| matches!(event, Event::KeyPress(_)).then_some(()));
                    flipped += 1;
                    card.show(&sides[flipped % 2]);
                }
                typing.join().expect("xdotool");
            });
            let context = || format!("after {flipped} flips\n{}", viewer.log());
            wait_for("the last flip", SOON, context, || {
                let shown = display.x.grab(seen.id)?;
                (shown.psnr(&sides[flipped % 2]) > 30.0).then_some(())
            });
        }
        assert_nothing_refused(&server, viewer, &format!("{generation:?} {offer:?}"));
    }
}

#[test]
fn no_frame_of_a_film_is_refused_by_v3_1() {
    films(Generation::V3_1);
}

#[test]
fn no_frame_of_a_film_is_refused_by_v6_5() {
    films(Generation::V6_5);
}

/// A film of 25 frames a second, long enough for more than one stream of each of the server's encoders.
fn films(generation: Generation) {
    let server = XpraServer::start(generation, &Options::default());
    let display = Display::bare();
    let frame = |number: usize| Picture::smooth(640 + 512, 480).crop(8 * (number % 64), 0, 640, 480);
    let frames: Vec<Picture> = (0..64).map(frame).collect();
    let card = Card::open(server.x().name(), "a film", &frames[0], &Look::default());
    let log_start = server.log_length();
    let url = server.url();
    let mut viewer = Viewer::start(&display, &[&url, "--quality", "60"]);
    viewer.window("a film");
    let (begin, every) = (clock::now(), Duration::from_millis(40));
    for number in 1..250 {
        card.show(&frames[number as usize % frames.len()]);
        std::thread::sleep((begin + every * number).saturating_duration_since(clock::now()));
    }
    let sent = server.sent_since(log_start);
    let video = sent.iter().filter(|sent| sent.encoding == "h264").count();
    assert!(video > 20, "{generation:?}: {video} frames of video among {}", sent.len());
    assert_nothing_refused(&server, viewer, &format!("{generation:?}"));
}

/// Ends the viewer: neither it nor the server knows of a draw that could not be shown.
#[track_caller]
pub fn assert_nothing_refused(server: &XpraServer, viewer: Viewer<'_>, what: &str) {
    let stats = viewer.stop();
    let draws = &stats["draws"];
    assert!(draws["drawn"].as_u64() > Some(10) || draws["by_encoding"].is_array(), "{what}: {draws:#}");
    assert_eq!(draws["refused"], 0, "{what}: {draws:#}\n{}", crate::support::tail(&server.log(), 40));
    let complaints = server.log().matches("client decoding error").count();
    assert_eq!(complaints, 0, "{what}: {}", crate::support::tail(&server.log(), 40));
}
