//! The veil over windows while nothing of the session moves: its buttons and its look.

use std::time::Duration;

use farpane::channel::clock;
use farpane::geometry::Size;
use farpane::session::Away;
use farpane::ui::plate::{Button, PlatePainter, has_room};
use farpane::ui::{AwayAction, AwayPainter, AwayState, GreetingAction, greeting};

use super::raster::Canvas;

fn lost() -> AwayState {
    let until = Some(clock::now() + Duration::from_secs(4));
    AwayState::lost(&Away { why: "a cable".to_owned(), until }, clock::now())
}

fn silent(seconds: u64) -> AwayState {
    AwayState::silent(Duration::from_secs(seconds), seconds >= 10, true)
}

/// The buttons that a painter placed in a window of this size, from left to right.
fn placed<A: Button>(painter: &PlatePainter<A>, width: u32, height: u32) -> Vec<A> {
    let along = (0..width * height).map(|at| painter.button_at((at % width) as f32, (at / width) as f32));
    let mut found: Vec<A> = Vec::new();
    for button in along.flatten() {
        if !found.contains(&button) {
            found.push(button);
        }
    }
    assert_eq!(painter.has_buttons(), !found.is_empty());
    found
}

fn buttons(state: &AwayState, width: u32, height: u32) -> Vec<AwayAction> {
    let mut painter = AwayPainter::default();
    assert!(painter.frame(&state.plate(None, None), Size { width, height }, 1.0).is_some());
    placed(&painter, width, height)
}

/// What is asked before anything is painted is what comes of it.
#[test]
fn there_is_room_where_it_says_so() {
    for scale in [1, 2] {
        for (width, height) in [(245, 300), (246, 300), (300, 125), (300, 126), (246, 126), (164, 164)] {
            let size = Size { width: width * scale, height: height * scale };
            let mut painter = PlatePainter::default();
            let _ = painter.frame(&greeting("Ctrl+Alt+Shift+F9", None), size, scale as f32);
            assert_eq!(painter.has_buttons(), has_room(size, scale as f32), "{width} x {height} at {scale}");
        }
    }
}

#[test]
fn what_can_be_done() {
    assert_eq!(buttons(&lost(), 400, 300), [AwayAction::TryNow, AwayAction::Disconnect]);
    assert_eq!(buttons(&silent(4), 400, 300), []);
    assert_eq!(buttons(&silent(11), 400, 300), [AwayAction::Reconnect, AwayAction::Disconnect]);
    let alone = AwayState::silent(Duration::from_secs(11), true, false);
    assert_eq!(buttons(&alone, 400, 300), [AwayAction::Disconnect]);
    for state in [lost(), silent(11)] {
        assert_eq!(buttons(&state, 120, 80), [], "no room");
    }
}

#[test]
fn it_can_be_looked_at() {
    for (name, state) in [("lost", lost()), ("silent", silent(4)), ("silent-long", silent(14))] {
        for (look, width, height, scale) in [
            ("1x", 420, 240, 1.0),
            ("2x", 840, 480, 2.0),
            ("narrow", 300, 200, 1.0),
            ("low", 230, 60, 1.0),
            ("tiny", 90, 30, 1.0),
        ] {
            let mut canvas = Canvas::new(width as usize, height as usize);
            let before: f32 = canvas.pixel(0, 0).iter().sum();
            let mut painter = AwayPainter::default();
            let state = state.plate(Some(AwayAction::Disconnect), Some(3));
            let frame = painter.frame(&state, Size { width, height }, scale).expect("a frame");
            canvas.paint(frame);
            canvas.save(&format!("away-{name}-{look}"));
            let after: f32 = canvas.pixel(0, 0).iter().sum();
            assert!(after * 3.0 < before * 2.0, "{name} {look} is not dimmed: {before}, then {after}");
            assert!(painter.frame(&state, Size { width, height }, scale).is_none(), "nothing is new");
        }
    }
}

/// As many buttons as fit, the first ones first.
#[test]
fn the_greeting_can_be_looked_at() {
    use GreetingAction::{Disconnect, Enough, Menu};
    for (look, width, height, scale, buttons) in [
        ("1x", 484, 316, 1.0, &[Menu, Disconnect, Enough][..]),
        ("2x", 968, 632, 2.0, &[Menu, Disconnect, Enough]),
        ("narrow", 260, 200, 1.0, &[Menu, Disconnect]),
        ("low", 484, 80, 1.0, &[]),
    ] {
        let mut painter = PlatePainter::default();
        let mut canvas = Canvas::new(width as usize, height as usize);
        let before = canvas.pixel(0, 0);
        canvas.paint(
            painter.frame(&greeting("Shift+F9", Some(Menu)), Size { width, height }, scale).expect("a frame"),
        );
        canvas.save(&format!("greeting-{look}"));
        assert_eq!(canvas.pixel(0, 0), before, "the window is as it was");
        assert_eq!(placed(&painter, width, height), buttons, "{look}");
    }
}
