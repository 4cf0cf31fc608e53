//! Words for the user over a window, for a few seconds.

use egui::text::LayoutJob;
use egui::{Align, FontId, Rect, Stroke, Ui, Vec2};

use super::theme;

// In points.
const MARGIN: f32 = 16.0;
const PADDING: Vec2 = Vec2::new(16.0, 11.0);
const WIDEST: f32 = 460.0;
const FONT: FontId = FontId::proportional(14.0);

/// Paints `words` at the bottom of `ui`, in the middle.
pub fn toast_ui(words: &str, ui: &Ui) {
    let room = ui.max_rect().shrink(MARGIN);
    let widest = WIDEST.min(room.width()) - 2.0 * PADDING.x;
    let mut job = LayoutJob::simple(words.to_owned(), FONT, theme::TEXT, widest.max(0.0));
    job.halign = Align::LEFT;
    let galley = ui.painter().layout_job(job);
    let size = galley.size() + 2.0 * PADDING;
    let at = egui::Pos2::new(room.center().x - size.x / 2.0, room.bottom() - size.y);
    let rect = Rect::from_min_size(at, size);
    let edge = Stroke::new(1.0, theme::OVERLAY_BORDER);
    ui.painter().rect(rect, 8.0, theme::OVERLAY_BACKGROUND, edge, egui::StrokeKind::Inside);
    ui.painter().galley(at + PADDING, galley, theme::TEXT);
}
