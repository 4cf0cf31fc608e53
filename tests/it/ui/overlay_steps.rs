//! The overlay's steps, corners and buttons.

use std::sync::Arc;

use farpane::geometry::Size;
use farpane::stats::snapshot::Stage;
use farpane::stats::{Advice, Chosen, plain};
use farpane::ui::{Corner, OverlayButton, OverlayPainter, OverlayState, OverlayStep, overlay_ui};

use super::raster::Canvas;
use super::{busy_snapshot, texts};

fn state(step: OverlayStep) -> OverlayState {
    OverlayState { step, hotkey: "Shift+F11".to_owned(), ..OverlayState::default() }
}

fn shown(state: &OverlayState, size: (u32, u32)) -> Vec<String> {
    texts(size, |ui| {
        overlay_ui(&busy_snapshot(), state, ui);
    })
}

#[test]
fn each_step_says_more() {
    let snapshot = busy_snapshot();
    assert_eq!(OverlayStep::ALL.map(OverlayStep::next).map(OverlayStep::words)[0], "one line");
    assert_eq!(OverlayStep::ALL[3].next(), OverlayStep::Off);
    assert_eq!(shown(&state(OverlayStep::Off), (640, 480)), [""; 0]);
    assert_eq!(shown(&state(OverlayStep::Line), (640, 480)), [plain::one_line(&snapshot)]);
    let words = shown(&state(OverlayStep::Words), (640, 480));
    for line in plain::lines(&snapshot) {
        assert!(
            words.contains(&line.label.to_owned()) && words.contains(&line.value),
            "{line:?} in {words:?}"
        );
    }
    assert!(words.contains(&Advice::of(&snapshot, &Chosen::default()).sentence), "{words:?}");
    let all = shown(&state(OverlayStep::Full), (640, 480));
    assert!(all.len() > 3 * words.len(), "{} and {}", all.len(), words.len());
    // What is connected is below the buttons, with the key.
    for step in [OverlayStep::Words, OverlayStep::Full] {
        let shown = shown(&state(step), (640, 480));
        for wanted in ["Menu", "Info", "Corner", "Shift+F11"] {
            assert!(shown.contains(&wanted.to_owned()), "{wanted} in {shown:?}");
        }
        assert!(shown.iter().any(|text| text.contains("xpra 6.5.5")), "{shown:?}");
    }
    // Too small for that: one line.
    assert_eq!(shown(&state(OverlayStep::Words), (300, 200)).len(), 1);
}

#[test]
fn buttons_are_where_the_corner_is() {
    let snapshot = Arc::new(busy_snapshot());
    let size = Size { width: 700, height: 600 };
    for corner in Corner::ALL {
        for step in [OverlayStep::Words, OverlayStep::Full] {
            let mut painter = OverlayPainter::new();
            painter.frame(&snapshot, &OverlayState { corner, ..state(step) }, size, 1.0).expect("a frame");
            let mut found: Vec<(OverlayButton, i32, i32)> = Vec::new();
            for y in (0..600).step_by(4) {
                for x in (0..700).step_by(4) {
                    if let Some(button) = painter.button_at(x as f32, y as f32)
                        && !found.iter().any(|(known, ..)| *known == button)
                    {
                        found.push((button, x, y));
                    }
                }
            }
            let wanted =
                [OverlayButton::Menu, OverlayButton::Info, OverlayButton::Corner, OverlayButton::Step];
            for button in wanted {
                assert!(found.iter().any(|(known, ..)| *known == button), "{button:?} in {found:?}");
            }
            let (_, x, _) = found.iter().find(|(known, ..)| *known == OverlayButton::Step).expect("found");
            let is_right = matches!(corner, Corner::TopRight | Corner::BottomRight);
            assert!(!is_right || *x > 600, "{corner:?}: {x}");
        }
    }
}

#[test]
fn the_steps_can_be_looked_at() {
    let snapshot = Arc::new(busy_snapshot());
    let mut slow = busy_snapshot();
    for (stage, times) in slow.draws.stages.iter_mut().enumerate() {
        if stage == Stage::Reassemble as usize || stage == Stage::Total as usize {
            times.last_10s.mean_us += 90_000.0;
        }
    }
    let slow = Arc::new(slow);
    for (name, step, snapshot, corner, scale) in [
        ("overlay-line", OverlayStep::Line, &snapshot, Corner::TopLeft, 1.0),
        ("overlay-words", OverlayStep::Words, &snapshot, Corner::TopRight, 1.0),
        ("overlay-words-slow", OverlayStep::Words, &slow, Corner::BottomLeft, 1.0),
        ("overlay-words-slow-2x", OverlayStep::Words, &slow, Corner::TopLeft, 2.0),
        ("overlay-full-corner", OverlayStep::Full, &snapshot, Corner::BottomRight, 1.0),
        ("overlay-full-2x", OverlayStep::Full, &snapshot, Corner::TopLeft, 2.0),
    ] {
        let (width, height) = ((700.0 * scale) as u32, (540.0 * scale) as u32);
        let mut painter = OverlayPainter::new();
        let mut canvas = Canvas::new(width as usize, height as usize);
        let state = OverlayState { corner, ..state(step) };
        canvas.paint(painter.frame(snapshot, &state, Size { width, height }, scale).expect("a frame"));
        canvas.save(name);
        let advises = step == OverlayStep::Words && Arc::ptr_eq(snapshot, &slow);
        assert_eq!(painter.help().is_some(), Arc::ptr_eq(snapshot, &slow), "{name}");
        let has_button = (0..height).step_by(3).any(|y| {
            (0..width).step_by(3).any(|x| painter.button_at(x as f32, y as f32) == Some(OverlayButton::Help))
        });
        assert_eq!(has_button, advises, "{name}");
    }
}
