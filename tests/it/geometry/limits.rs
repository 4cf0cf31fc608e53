//! Windows whose programs change which sizes they may have.

use std::time::{Duration, Instant};

use farpane::app::geometry::{Conversation, Step};
use farpane::app::place::Geometry;
use farpane::channel::{Scale, clock};
use farpane::desktop::WindowFacts;
use farpane::geometry::Size;
use farpane::session::WindowState;
use farpane::session::windows::SizeLimits;

use super::{START, at, size};

const SOON: Duration = Duration::from_millis(20);

fn fixed(size: Size) -> SizeLimits {
    SizeLimits { min: Some(size), max: Some(size), ..SizeLimits::default() }
}

fn see(talk: &mut Conversation, now: Instant, window: Geometry, state: WindowState) {
    let position = Some(window.corner());
    talk.observe(now, &WindowFacts { position, size: window.size, state, shown: true }, &mut Vec::new());
}

/// GTK says other limits when a window is restored: that is no wish for the maximised size.
#[test]
fn limits_of_a_restored_window_keep_no_maximised_size() {
    let full = at(0, 0, 1600, 1000);
    let maximised = WindowState { maximized: true, ..WindowState::default() };
    let now = clock::now();
    let mut talk = Conversation::new(Scale::ONE, START, SizeLimits::default(), false);
    see(&mut talk, now, START, WindowState::default());
    see(&mut talk, now + SOON, full, maximised);
    talk.server_says(now + SOON * 2, Some(full.corner()), full.size, &mut Vec::new());
    talk.server_sets(now + SOON * 3, WindowState::default());
    let mut steps = Vec::new();
    let limits = SizeLimits { min: Some(size(100, 50)), ..SizeLimits::default() };
    talk.set_limits(now + SOON * 3, limits, &mut steps);
    assert_eq!(steps, []);
}

/// What the server said just now may have been refused here, by the limits before.
#[test]
fn a_size_is_asked_for_again_once_it_is_possible() {
    let now = clock::now();
    let mut talk = Conversation::new(Scale::ONE, START, fixed(START.size), false);
    see(&mut talk, now, START, WindowState::default());
    let larger = size(500, 350);
    talk.server_says(now + SOON, None, larger, &mut Vec::new());
    let mut steps = Vec::new();
    talk.set_limits(now + SOON * 2, fixed(larger), &mut steps);
    assert_eq!(steps, [Step::Resize(larger)]);
}

/// A dialog that shows its details and hides them at once.
#[test]
fn a_program_that_changes_back_is_followed() {
    let now = clock::now();
    let mut talk = Conversation::new(Scale::ONE, START, fixed(START.size), false);
    see(&mut talk, now, START, WindowState::default());
    // It was told the first size lately, and tells another place since.
    see(&mut talk, now + SOON, Geometry { x: START.x + 5, ..START }, WindowState::default());
    let larger = size(500, 350);
    let mut steps = Vec::new();
    talk.server_says(now + SOON * 2, None, larger, &mut steps);
    talk.set_limits(now + SOON * 2, fixed(larger), &mut steps);
    talk.set_limits(now + SOON * 2, fixed(START.size), &mut steps);
    talk.server_says(now + SOON * 3, None, START.size, &mut steps);
    let told: Vec<_> = steps.iter().filter(|step| matches!(step, Step::TellConfigured(..))).collect();
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(steps.iter().rfind(|step| matches!(step, Step::Resize(_))), Some(&Step::Resize(START.size)));
}

/// The same before anybody has told the server of what came between: its window has the first size all the time.
#[test]
fn a_program_that_changes_back_at_once_is_followed() {
    let now = clock::now();
    let mut talk = Conversation::new(Scale::ONE, START, fixed(START.size), false);
    see(&mut talk, now, START, WindowState::default());
    let mut steps = Vec::new();
    talk.set_limits(now, fixed(size(500, 350)), &mut steps);
    talk.set_limits(now, fixed(START.size), &mut steps);
    talk.server_says(now + SOON, None, START.size, &mut steps);
    assert_eq!(steps.iter().rfind(|step| matches!(step, Step::Resize(_))), Some(&Step::Resize(START.size)));
    // Once the OS window is that large again, nothing is asked of it.
    steps.clear();
    see(&mut talk, now + SOON * 2, START, WindowState::default());
    talk.set_limits(now + SOON * 2, fixed(START.size), &mut steps);
    assert_eq!(steps, []);
}

/// Servers resize the application's window and may not say so, and a compositor that lets windows choose their sizes
/// says nothing either: the server hears of the size all the same, and is asked for the pixels.
#[test]
fn a_size_that_follows_from_limits_is_told() {
    let now = clock::now();
    let mut talk = Conversation::new(Scale::ONE, START, fixed(START.size), false);
    see(&mut talk, now, START, WindowState::default());
    let larger = size(500, 350);
    let mut steps = Vec::new();
    talk.set_limits(now, fixed(larger), &mut steps);
    assert_eq!(std::mem::take(&mut steps), [Step::Resize(larger)]);
    // Its OS window is still as it was: that says nothing.
    see(&mut talk, now, START, WindowState::default());
    let due = talk.deadline().expect("it is looked at again");
    assert!(talk.is_due(due));
    let facts = WindowFacts {
        position: Some(START.corner()),
        size: larger,
        state: WindowState::default(),
        shown: true,
    };
    talk.observe(due, &facts, &mut steps);
    let told = Step::TellConfigured(Geometry { size: larger, ..START }, WindowState::default());
    assert_eq!(steps, [told]);
}
