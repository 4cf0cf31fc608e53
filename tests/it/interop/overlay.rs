//! The overlay over real sessions: its steps, its corners, where it goes, and what it advises.

use std::time::Duration;

use farpane::bench::live::line::{Laid, Line};

use super::{SOON, empty_session};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::x11::Seen;
use crate::support::xpra::Generation;

/// What buttons over the session's windows are filled with.
const FILL: [u8; 3] = [0x24, 0x2c, 0x36];

/// How much of a window shows such buttons, in pixels.
pub fn button_pixels(display: &Display, window: &Seen) -> usize {
    let seen = display.x.grab(window.id);
    seen.map_or(0, |seen| seen.rgb.as_chunks().0.iter().filter(|pixel| **pixel == FILL).count())
}

/// The middles of the overlay's buttons, from the left: *Menu*, *Info*, *Corner*, *More*. They stand in one row.
pub fn buttons(picture: &Picture) -> Vec<(i32, i32)> {
    let is_fill = |x: usize, y: usize| picture.rgb[(y * picture.width + x) * 3..][..3] == FILL;
    let row = (0..picture.height).find(|y| (0..picture.width).any(|x| is_fill(x, *y)));
    // Not the first row of it: there letters leave no gaps.
    let Some(row) = row.map(|row| row + 1).filter(|row| *row < picture.height) else { return Vec::new() };
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for x in (0..picture.width).filter(|x| is_fill(*x, row)) {
        match spans.last_mut() {
            Some((_, end)) if x - *end <= 1 => *end = x,
            _ => spans.push((x, x)),
        }
    }
    spans.iter().map(|(from, to)| (((from + to) / 2) as i32, row as i32 + 4)).collect()
}

fn dark(picture: &Picture, left: usize, top: usize, width: usize, height: usize) -> bool {
    let part = picture.crop(left, top, width, height);
    part.rgb.iter().filter(|value| **value < 90).count() > part.rgb.len() / 2
}

/// Presses a button of the overlay's, and takes the pointer away from it.
fn click(display: &Display, over: &Seen, at: (i32, i32)) {
    display.x.click_in(over, at);
    display.x.xdotool(&["mousemove_relative", "--", "0", "150"]);
}

#[test]
fn steps_corners_and_focus() {
    const SIZE: (usize, usize) = (520, 420);
    let server = empty_session(Generation::V6_5);
    let white = Picture::from_fn(SIZE.0, SIZE.1, |_, _| [255; 3]);
    let look = |at| Look { at, placed: true, ..Look::default() };
    let first_card = Card::open(server.x().name(), "first", &white, &look((10, 40)));
    let _second_card = Card::open(server.x().name(), "second", &white, &look((560, 40)));
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url(), "--renderer=cpu", "--encodings=rgb"]);
    let (first, second) = (viewer.window("first"), viewer.window("second"));
    let is_white = |id| {
        let white = white.clone();
        move |x: &crate::support::x11::X| x.grab(id).is_some_and(|now| now == white)
    };
    let wait_white = |viewer: &Viewer, id| {
        wait_for("a window without it", SOON, || viewer.log(), || is_white(id)(&display.x).then_some(()));
    };
    wait_white(&viewer, first.id);
    wait_white(&viewer, second.id);
    display.x.focus(first.id);
    let step = || display.x.xdotool(&["key", "shift+F11"]);

    // One line: no buttons, and most of the window is free.
    step();
    let line = |now: Picture| (dark(&now, 12, 12, 60, 10) && !dark(&now, 12, 60, 60, 60)).then_some(now);
    let shown = || line(display.x.grab(first.id)?);
    wait_for("one line", SOON, || viewer.log(), shown).save("overlay-line");
    // Plain words, which have buttons; then everything, which is taller.
    step();
    let words = || Some(display.x.grab(first.id)?).filter(|now| buttons(now).len() == 4);
    let plain = wait_for("plain words", SOON, || viewer.log(), words);
    plain.save("overlay-words");
    step();
    let more = || Some(display.x.grab(first.id)?).filter(|now| dark(now, 12, 300, 200, 60));
    wait_for("everything", SOON, || viewer.log(), more).save("overlay-full");

    // It goes with the focus, and back.
    display.x.focus(second.id);
    wait_white(&viewer, first.id);
    let there = || Some(display.x.grab(second.id)?).filter(|now| dark(now, 12, 300, 200, 60));
    wait_for("the overlay in the other window", SOON, || viewer.log(), there);
    display.x.focus(first.id);
    wait_white(&viewer, second.id);
    let back = || Some(display.x.grab(first.id)?).filter(|now| buttons(now).len() == 4);
    let now = wait_for("the overlay again", SOON, || viewer.log(), back);

    // Another corner, also of the next session. The program hears nothing of the click.
    click(&display, &first, buttons(&now)[2]);
    let right = || {
        Some(display.x.grab(first.id)?).filter(|now| !dark(now, 12, 12, 60, 10) && dark(now, 440, 12, 60, 10))
    };
    wait_for("another corner", SOON, || viewer.log(), right).save("overlay-corner");
    first_card.sync();
    let file = viewer.home().join(".local/share/farpane/connections/overlay-corner");
    assert_eq!(std::fs::read_to_string(&file).expect("the corner is kept").trim(), "top-right");
    step();
    wait_white(&viewer, first.id);
    viewer.stop();
}

/// Over a line that carries little, a film waits for bytes: the overlay says what helps, and its button asks for less.
#[test]
fn advice_that_helps() {
    const LINE: Line = Line { delay: Duration::from_millis(20), bits_per_second: 1_500_000, loses_one_of: 0 };
    let server = empty_session(Generation::V6_5);
    let frames: Vec<Picture> =
        (0..16).map(|number| Picture::smooth(640 + 512, 480).crop(32 * number, 0, 640, 480)).collect();
    let film = Card::open(server.x().name(), "a film", &frames[0], &Look::default());
    let port = server.address().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let laid = Laid::to(port, LINE).expect("a line");
    let display = Display::with_window_manager();
    let words = [&laid.url(), "--renderer=cpu", "--encodings=webp,jpeg,png"];
    let mut viewer = Viewer::start(&display, &words);
    let window = viewer.window("a film");
    display.x.focus(window.id);
    display.x.xdotool(&["key", "--delay", "200", "shift+F11", "shift+F11"]);
    let mut number = 0;
    let help = wait_for(
        "advice with a button",
        SOON,
        || viewer.log(),
        || {
            number += 1;
            film.show(&frames[number % frames.len()]);
            std::thread::sleep(Duration::from_millis(60));
            let now = display.x.grab(window.id)?;
            // Under the words: the only button outside of the row of four.
            let row = buttons(&now).first()?.1 as usize + 10;
            let below = now.crop(0, row, now.width, now.height - row);
            let (x, y) = *buttons(&below).first()?;
            now.save("overlay-advice");
            Some((x, y + row as i32))
        },
    );
    let start = server.log_length();
    click(&display, &window, help);
    // Answers that wait behind the film are another reason, with another remedy.
    let asked = || {
        let said = server.log();
        let asked =
            ["'quality': 60", "bandwidth-limit changed to"].iter().any(|words| said[start..].contains(words));
        asked.then_some(())
    };
    wait_for(
        "less to be asked for",
        SOON,
        || format!("{}\n{}", &server.log()[start..], viewer.log()),
        || {
            number += 1;
            film.show(&frames[number % frames.len()]);
            asked()
        },
    );
    viewer.stop();
}
