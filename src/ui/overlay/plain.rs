//! The steps of the overlay in between: one line, and plain words with the answer to *Why is it slow?*

use egui::{FontId, Painter, Pos2, Rect, Vec2};

use super::{
    Buttons, HEADER, OverlayButton, OverlayState, PADDING, SMALL_FONT, button, fitting, header, headline,
    line as cut_line, panel,
};
use crate::stats::{Advice, Report, StatsSnapshot, plain};
use crate::ui::theme;

// In points.
const WIDTH: f32 = 340.0;
const ROW: f32 = 18.0;
const LABEL_WIDTH: f32 = 170.0;
const GAP: f32 = 8.0;
const BUTTON_HEIGHT: f32 = 22.0;
const FONT: FontId = FontId::proportional(12.5);

/// The most telling numbers in one line.
pub fn line(snapshot: &StatsSnapshot, state: &OverlayState, painter: &Painter, room: Rect) -> Buttons {
    headline(&plain::one_line(snapshot), state.corner, painter, room);
    Buttons::new()
}

/// What the numbers mean, and why it is slow if it is. One line where there is no room for that.
pub fn words(snapshot: &StatsSnapshot, state: &OverlayState, painter: &Painter, room: Rect) -> Buttons {
    let lines = plain::lines(snapshot);
    let advice = Advice::of(snapshot, &state.chosen);
    let inner_width = WIDTH - 2.0 * PADDING;
    let color = if advice.is_slow { theme::WARNING } else { theme::LABEL };
    let why = painter.layout(advice.sentence.clone(), FONT, color, inner_width);
    let button_height = if advice.help.is_some() { GAP + BUTTON_HEIGHT } else { 0.0 };
    let rows = lines.len() as f32 * ROW;
    let height = HEADER + rows + GAP + why.size().y + button_height + 2.0 * PADDING;
    if WIDTH > room.width() || height > room.height() {
        return line(snapshot, state, painter, room);
    }
    let rect = state.corner.place(Vec2::new(WIDTH, height), room);
    panel(painter, rect);
    let inner = rect.shrink(PADDING);
    let mut buttons = header(&Report::new(snapshot), state, painter, inner);
    let mut y = inner.top() + HEADER;
    for shown in lines {
        let middle = y + ROW / 2.0;
        cut_line(painter, Pos2::new(inner.left(), middle), shown.label, FONT, theme::LABEL, LABEL_WIDTH);
        let room = inner.width() - LABEL_WIDTH;
        let galley = fitting(painter, &shown.value, FONT, theme::TEXT, room);
        let at = Pos2::new(inner.left() + LABEL_WIDTH, middle - galley.size().y / 2.0);
        painter.galley(at, galley, theme::TEXT);
        y += ROW;
    }
    y += GAP;
    let why_height = why.size().y;
    painter.galley(Pos2::new(inner.left(), y), why, color);
    if let Some(help) = &advice.help {
        let words = format!("Try {}", help.words());
        let size = painter.layout_no_wrap(words.clone(), SMALL_FONT, theme::TEXT).size();
        let middle = y + why_height + GAP + BUTTON_HEIGHT / 2.0;
        let right = Pos2::new(inner.left() + size.x + 10.0, middle);
        buttons.push((OverlayButton::Help, button(OverlayButton::Help, &words, state, painter, right)));
    }
    buttons
}
