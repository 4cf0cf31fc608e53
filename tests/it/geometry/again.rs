//! A window over a lost connection: who moved it meanwhile, and what the next connection hears of it.

use std::time::{Duration, Instant};

use farpane::app::geometry::{Conversation, SETTLE, Step};
use farpane::app::place::Geometry;
use farpane::channel::{Scale, clock};
use farpane::desktop::WindowFacts;
use farpane::session::WindowState;
use farpane::session::windows::SizeLimits;

use super::{START, at};

/// A window that both sides know, and what time it is.
struct Kept {
    talk: Conversation,
    now: Instant,
}

impl Kept {
    fn shown_at(here: Geometry) -> Self {
        let talk = Conversation::new(Scale::ONE, START, SizeLimits::default(), false);
        let mut kept = Self { talk, now: clock::now() };
        kept.see(here, true);
        assert!(kept.talk.is_mapped());
        kept
    }

    /// The OS window is here. Returns what is told.
    fn see(&mut self, here: Geometry, shown: bool) -> Vec<Step> {
        let mut steps = Vec::new();
        self.now += Duration::from_secs(2);
        let state = WindowState { iconified: !shown, ..WindowState::default() };
        let facts = WindowFacts { position: Some(here.corner()), size: here.size, state, shown };
        self.talk.observe(self.now, &facts, &mut steps);
        steps
    }

    fn again(&mut self, there: Geometry) -> Vec<Step> {
        let mut steps = Vec::new();
        self.now += Duration::from_secs(2);
        self.talk.again(self.now, there, &mut steps);
        assert_eq!(self.talk.is_mapped(), self.talk.is_shown());
        steps
    }
}

fn told(here: Geometry) -> Vec<Step> {
    vec![Step::TellMapped(here), Step::TellConfigured(here, WindowState::default())]
}

#[test]
fn the_users_place_counts_if_the_server_has_the_old_one() {
    let (old, new) = (at(10, 20, 400, 300), at(70, 20, 410, 300));
    let mut kept = Kept::shown_at(old);
    kept.talk.lost();
    assert!(!kept.talk.is_mapped() && kept.talk.is_shown(), "nobody is told of a focus");
    kept.see(new, true);
    assert_eq!(kept.again(old), told(new));
    assert_eq!(kept.see(new, true), [], "nothing more is to be said");
    // What was told just before may not have come to it.
    kept.see(old, true);
    kept.talk.lost();
    assert_eq!(kept.again(new), told(old));
    // Nothing happened, and 3.1 has it in its corner.
    kept.talk.lost();
    assert_eq!(kept.again(old), told(old));
    kept.talk.lost();
    assert_eq!(kept.again(at(0, 0, 400, 300)), told(old));
}

#[test]
fn the_servers_place_counts_if_it_is_a_new_one() {
    let (old, new) = (at(10, 20, 400, 300), at(300, 200, 500, 400));
    let mut kept = Kept::shown_at(old);
    kept.talk.lost();
    let moved = [vec![Step::MoveTo { x: 300, y: 200 }, Step::Resize(new.size)], told(new)].concat();
    assert_eq!(kept.again(new), moved);
    // The window manager takes its time, and what is seen until then is no news.
    let (mut steps, now) = (Vec::new(), kept.now + SETTLE / 2);
    let state = WindowState::default();
    let facts = WindowFacts { position: Some(old.corner()), size: old.size, state, shown: true };
    kept.talk.observe(now, &facts, &mut steps);
    assert_eq!(steps, []);
    assert_eq!(kept.see(new, true), []);
}

#[test]
fn a_window_that_is_minimised_is_not_shown_by_that() {
    let mut kept = Kept::shown_at(START);
    kept.talk.lost();
    kept.see(START, false);
    assert_eq!(kept.again(START), []);
    assert_eq!(kept.see(START, true)[..1], told(START)[..1]);
}
