//! What is shown while a session is being connected to again: a veil over each of its windows with one line and two
//! buttons. The session's card ([`super::card`]) says the same where no window has room for them.

use std::time::{Duration, Instant};

use egui::emath::GuiRounding;
use egui::text::{LayoutJob, TextWrapping};
use egui::{Align, FontId, Painter, Pos2, Rect, Stroke, Ui, Vec2};

use super::surface::{UiSurface, passive_input};
use super::theme;
use crate::channel::OverlayFrame;
use crate::geometry::Size;
use crate::session::Away;

// In points.
const MARGIN: f32 = 8.0;
const PADDING: Vec2 = Vec2::new(18.0, 13.0);
const WIDEST: f32 = 460.0;
/// A window that is narrower or lower has no buttons.
const NARROWEST: Vec2 = Vec2::new(230.0, 110.0);
const GAP: f32 = 10.0;
const BUTTON_PADDING: Vec2 = Vec2::new(14.0, 6.0);
const FONT: FontId = FontId::proportional(15.0);
const BUTTON_FONT: FontId = FontId::proportional(13.0);

/// What the user decides while the session is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwayAction {
    TryNow,
    Disconnect,
}

impl AwayAction {
    const ALL: [Self; 2] = [Self::TryNow, Self::Disconnect];

    const fn words(self) -> &'static str {
        match self {
            Self::TryNow => "Try now",
            Self::Disconnect => "Disconnect",
        }
    }
}

/// What is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AwayState {
    /// One line.
    pub line: String,
    /// Why there is no connection.
    pub why: String,
    /// The button that the pointer is on.
    pub hovered: Option<AwayAction>,
}

impl AwayState {
    /// As it is to be said at `now`.
    pub fn new(away: &Away, now: Instant) -> Self {
        let line = match away.until.map(|until| seconds(until.saturating_duration_since(now))) {
            None => "Connecting…".to_owned(),
            Some(0) => "Connection lost, trying again".to_owned(),
            Some(seconds) => format!("Connection lost, trying again in {seconds} s"),
        };
        Self { line, why: away.why.clone(), hovered: None }
    }

    /// When that reads differently, if nothing happens before.
    pub fn changes_at(away: &Away, now: Instant) -> Option<Instant> {
        let left = away.until?.saturating_duration_since(now);
        let below = Duration::from_secs(seconds(left).saturating_sub(1));
        (seconds(left) > 0).then(|| now + left.saturating_sub(below))
    }
}

/// Whole seconds that are not over yet; of less than one there is no need to speak.
fn seconds(left: Duration) -> u64 {
    match left.as_secs() {
        0 => 0,
        whole => whole + u64::from(left.subsec_millis() > 0),
    }
}

/// Darkens all of `ui` and says what there is to say in its middle, as far as there is room. Returns where the buttons
/// are, in points, if there was room for them.
pub fn away_ui(state: &AwayState, ui: &Ui) -> Option<[(AwayAction, Rect); 2]> {
    let (painter, all) = (ui.painter(), ui.max_rect());
    painter.rect_filled(all, 0.0, theme::VEIL);
    let room = all.shrink(MARGIN);
    let has_buttons = room.width() >= NARROWEST.x && room.height() >= NARROWEST.y;
    let padding = if has_buttons { PADDING } else { PADDING / 2.0 };
    let widest = WIDEST.min(room.width()) - 2.0 * padding.x;
    let mut job = LayoutJob::simple_singleline(state.line.clone(), FONT, theme::TEXT);
    job.wrap = TextWrapping::truncate_at_width(widest.max(0.0));
    job.halign = Align::LEFT;
    let line = painter.layout_job(job);
    let buttons: Vec<_> = AwayAction::ALL
        .into_iter()
        .filter(|_| has_buttons)
        .map(|action| (action, painter.layout_no_wrap(action.words().to_owned(), BUTTON_FONT, theme::TEXT)))
        .collect();
    let sizes = buttons.iter().map(|(_, words)| words.size() + 2.0 * BUTTON_PADDING);
    let row = sizes.fold(Vec2::ZERO, |row, size| Vec2::new(row.x + size.x + GAP, row.y.max(size.y + GAP)));
    let content = Vec2::new(line.size().x.max(row.x - GAP), line.size().y + row.y);
    let size = content + 2.0 * padding;
    if size.y > room.height() {
        return None;
    }
    let card = Rect::from_center_size(room.center(), size).round_to_pixels(painter.pixels_per_point());
    let edge = Stroke::new(1.0, theme::OVERLAY_BORDER);
    painter.rect(card, 8.0, theme::OVERLAY_BACKGROUND, edge, egui::StrokeKind::Inside);
    let at = Pos2::new(card.center().x - line.size().x / 2.0, card.top() + padding.y);
    let below = at.y + line.size().y + GAP;
    painter.galley(at, line, theme::TEXT);
    let mut left = card.center().x - (row.x - GAP) / 2.0;
    let placed: Vec<(AwayAction, Rect)> = buttons
        .into_iter()
        .map(|(action, words)| {
            let rect = Rect::from_min_size(Pos2::new(left, below), words.size() + 2.0 * BUTTON_PADDING);
            left = rect.right() + GAP;
            button(rect, words, state.hovered == Some(action), painter);
            (action, rect)
        })
        .collect();
    placed.try_into().ok()
}

fn button(rect: Rect, words: std::sync::Arc<egui::Galley>, hovered: bool, painter: &Painter) {
    let rect = rect.round_to_pixels(painter.pixels_per_point());
    let fill = if hovered { theme::BUTTON_HOVERED } else { theme::BUTTON };
    painter.rect_filled(rect, 4.0, fill);
    painter.galley(rect.center() - words.size() / 2.0, words, theme::TEXT);
}

/// Makes the veil's frames for one window, and only when there is something new to show. The first one brings its
/// textures along.
pub struct AwayPainter {
    surface: UiSurface,
    painted: Option<(AwayState, Size, f32)>,
    /// Where the buttons are, in physical pixels.
    buttons: Option<[(AwayAction, Rect); 2]>,
}

impl Default for AwayPainter {
    fn default() -> Self {
        Self { surface: UiSurface::new(), painted: None, buttons: None }
    }
}

impl AwayPainter {
    /// The veil for a window of `size` physical pixels at `scale` pixels a point; `None` if the last one still stands.
    pub fn frame(&mut self, state: &AwayState, size: Size, scale: f32) -> Option<OverlayFrame> {
        let painted = Some((state.clone(), size, scale));
        if self.painted == painted {
            return None;
        }
        self.painted = painted;
        let mut buttons = None;
        let frame = self.surface.frame(passive_input(size, scale), |ui| buttons = away_ui(state, ui));
        let scale = frame.frame.pixels_per_point;
        self.buttons = buttons.map(|buttons| buttons.map(|(button, place)| (button, place * scale)));
        Some(frame.frame)
    }

    /// Whether the window has room for the buttons.
    pub fn has_buttons(&self) -> bool {
        self.buttons.is_some()
    }

    /// The button at this place, in physical pixels.
    pub fn button_at(&self, x: f32, y: f32) -> Option<AwayAction> {
        let buttons = self.buttons.iter().flatten();
        buttons.copied().find(|(_, place)| place.contains(egui::pos2(x, y))).map(|(button, _)| button)
    }
}
