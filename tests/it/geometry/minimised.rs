//! Whether a window is minimised, as both sides know it.

use std::time::Duration;

use farpane::app::geometry::{Conversation, ECHO};
use farpane::channel::{Scale, clock};
use farpane::desktop::WindowFacts;
use farpane::session::WindowState;
use farpane::session::windows::SizeLimits;

use super::START;

/// 6.5 tells up to a quarter of a second late that a window is minimised: the user may have it back by then.
#[test]
fn a_server_that_is_late_neither_minimises_nor_restores() {
    let mut talk = Conversation::new(Scale::default(), START, SizeLimits::default(), false);
    let mut now = clock::now();
    let mut see = |talk: &mut Conversation, shown: bool, later: Duration| {
        now += later;
        let state = WindowState { iconified: !shown, ..WindowState::default() };
        let facts = WindowFacts { position: Some(START.corner()), size: START.size, state, shown };
        talk.observe(now, &facts, &mut Vec::new());
        now
    };
    // A program may minimise its window as soon as it is there.
    let shown = see(&mut talk, true, Duration::ZERO);
    assert!(!talk.is_old_news(shown, true));
    let hidden = see(&mut talk, false, ECHO);
    assert!(talk.is_old_news(hidden + ECHO / 2, false) && !talk.is_old_news(hidden, true));
    let back = see(&mut talk, true, ECHO / 4);
    assert!(talk.is_old_news(back + ECHO / 2, true) && !talk.is_old_news(back, false));
    // The program does it itself, later.
    assert!(!talk.is_old_news(back + ECHO, true));
    let hidden = see(&mut talk, false, ECHO * 2);
    assert!(!talk.is_old_news(hidden + ECHO, false));
}
