//! The desktop and the server both insist on a size: a tiling window manager, or full screen, and a screen that cannot get larger.

use std::time::Duration;

use farpane::app::geometry::{Conversation, Step};
use farpane::channel::{Scale, clock};
use farpane::desktop::WindowFacts;
use farpane::session::WindowState;
use farpane::session::windows::SizeLimits;

use super::{START, at, size};

const STEP: Duration = Duration::from_millis(10);

/// How often the server is told of the window within a minute when the desktop shows it at `full` at once, and the server
/// answers `latency` later that it has `START`'s size.
fn told(latency: Duration, state: WindowState) -> (usize, Conversation) {
    let full = at(0, 0, 1600, 1000);
    let mut now = clock::now();
    let end = now + Duration::from_secs(60);
    let mut talk = Conversation::new(Scale::ONE, START, SizeLimits::default(), false);
    let mut steps = Vec::new();
    let facts = |window: farpane::app::place::Geometry, state| WindowFacts {
        position: Some(window.corner()),
        size: window.size,
        state,
        shown: true,
    };
    talk.observe(now, &facts(START, WindowState::default()), &mut steps);
    let (mut answers, mut told) = (Vec::new(), 0);
    while now < end {
        now += STEP;
        steps.clear();
        talk.observe(now, &facts(full, state), &mut steps);
        talk.is_due(now);
        for step in steps.drain(..) {
            if matches!(step, Step::TellConfigured(..)) {
                told += 1;
                answers.push(now + latency);
            }
        }
        let due = answers.iter().filter(|at| **at <= now).count();
        for _ in answers.drain(..due) {
            talk.server_says(now, None, START.size, &mut steps);
        }
        for step in steps.drain(..) {
            if matches!(step, Step::TellConfigured(..)) {
                told += 1;
                answers.push(now + latency);
            }
        }
    }
    (told, talk)
}

#[test]
fn it_ends() {
    for latency in [1, 30, 100, 250, 400, 900, 2000].map(Duration::from_millis) {
        for state in [WindowState::default(), WindowState { fullscreen: true, ..WindowState::default() }] {
            let (told, _) = told(latency, state);
            assert!((1..=12).contains(&told), "told {told} times in a minute at {latency:?}, {state:?}");
        }
    }
}

/// What was in dispute before is said again when the user does it again.
#[test]
fn the_next_time_counts_again() {
    let (_, mut talk) = told(Duration::from_millis(100), WindowState::default());
    let mut now = clock::now() + Duration::from_secs(120);
    for _ in 0..10 {
        for window in [START, at(0, 0, 1600, 1000)] {
            let mut steps = Vec::new();
            now += Duration::from_secs(2);
            let facts = WindowFacts {
                position: Some(window.corner()),
                size: window.size,
                state: WindowState::default(),
                shown: true,
            };
            talk.is_due(now);
            talk.observe(now, &facts, &mut steps);
            let said = steps
                .iter()
                .any(|step| matches!(step, Step::TellConfigured(told, _) if told.size == window.size));
            assert!(said, "{window:?}: {steps:?}");
        }
    }
    assert_eq!(talk.place().server().size, size(1600, 1000));
}
