//! Servers take the pointer for relative to the place of its window that they were told last.

use std::time::{Duration, Instant};

use farpane::app::geometry::{Conversation, ECHO, SETTLE, Step};
use farpane::app::place::Geometry;
use farpane::channel::{Scale, clock};
use farpane::desktop::WindowFacts;
use farpane::session::WindowState;
use farpane::session::windows::SizeLimits;

use super::{START, at};

const SOON: Duration = Duration::from_millis(20);

/// The OS window is seen at this place.
fn see(talk: &mut Conversation, now: Instant, window: Geometry) -> Vec<Step> {
    let (position, state) = (Some(window.corner()), WindowState::default());
    let mut steps = Vec::new();
    talk.observe(now, &WindowFacts { position, size: window.size, state, shown: true }, &mut steps);
    steps
}

/// A program moves its window: the server hears of that place at the latest before it hears of the pointer. One that moves
/// its window each time that it is told something hears of it less often.
#[test]
fn a_place_is_told_before_the_pointer() {
    let mut now = clock::now();
    let mut talk = Conversation::new(Scale::ONE, START, SizeLimits::default(), false);
    see(&mut talk, now, START);
    assert!(!talk.hurries(), "it was told");
    now += ECHO * 2;
    let there = at(500, 400, 400, 300);
    talk.server_says(now, Some(there.corner()), there.size, &mut Vec::new());
    assert_eq!(see(&mut talk, now + SOON, there), [], "nothing has to be said so soon");
    assert!(talk.hurries());
    assert_eq!(see(&mut talk, now + SOON * 2, there), [Step::TellAgain(there)]);
    assert!(!talk.hurries(), "it was told");

    let elsewhere = at(100, 400, 400, 300);
    now += SOON * 3;
    talk.server_says(now, Some(elsewhere.corner()), elsewhere.size, &mut Vec::new());
    assert!(!talk.hurries(), "it answers");
    assert_eq!(see(&mut talk, now + SOON, elsewhere), []);
    now += SETTLE * 2;
    assert!(talk.is_due(now));
    assert_eq!(see(&mut talk, now, elsewhere), [Step::TellAgain(elsewhere)]);
}
