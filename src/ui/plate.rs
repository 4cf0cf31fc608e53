//! One line and some buttons, painted over a window of the session. They take the pointer only, and no focus: the keyboard
//! is the session's.

use std::sync::Arc;

use egui::emath::GuiRounding;
use egui::text::LayoutJob;
use egui::{Align, FontId, Galley, Painter, Pos2, Rect, Stroke, StrokeKind, Ui, Vec2};

use super::surface::{UiSurface, passive_input};
use super::theme;
use crate::channel::OverlayFrame;
use crate::geometry::Size;

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
const SPINNER: f32 = 16.0;

/// What buttons stand for.
pub trait Button: Copy + PartialEq + 'static {
    /// What the button says.
    fn words(self) -> &'static str;
}

/// What is painted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plate<A: 'static> {
    pub line: String,
    /// From left to right. The last ones are left out where there is no room for them.
    pub buttons: &'static [A],
    /// The button that the pointer is on.
    pub hovered: Option<A>,
    /// How far the spinner before the line has turned, of [`TURN`].
    pub spinner: Option<u8>,
    /// It stands in the middle of a window that is darkened, else at the bottom of one that is not.
    pub is_veil: bool,
}

/// Steps of a spinner until it is where it was.
pub const TURN: u8 = 8;

/// Whether a window of `size` physical pixels at `scale` pixels a point has room for buttons.
pub fn has_room(size: Size, scale: f32) -> bool {
    let points = Vec2::new(size.width as f32, size.height as f32) / scale;
    fits_buttons(points - Vec2::splat(2.0 * MARGIN))
}

fn fits_buttons(room: Vec2) -> bool {
    room.x >= NARROWEST.x && room.y >= NARROWEST.y
}

/// Paints it, as far as there is room. Returns where the buttons are, in points.
fn plate_ui<A: Button>(plate: &Plate<A>, ui: &Ui) -> Vec<(A, Rect)> {
    let (painter, all) = (ui.painter(), ui.max_rect());
    if plate.is_veil {
        painter.rect_filled(all, 0.0, theme::VEIL);
    }
    let room = all.shrink(MARGIN);
    let has_room = fits_buttons(room.size());
    let padding = if has_room { PADDING } else { PADDING / 2.0 };
    let before = if plate.spinner.is_some() { SPINNER + GAP } else { 0.0 };
    let widest = WIDEST.min(room.width()) - 2.0 * padding.x;
    let mut job = LayoutJob::simple(plate.line.clone(), FONT, theme::TEXT, (widest - before).max(0.0));
    (job.wrap.max_rows, job.wrap.break_anywhere) = (if has_room { 2 } else { 1 }, !has_room);
    job.halign = Align::LEFT;
    let line = painter.layout_job(job);
    let (buttons, row) =
        if has_room { row(plate.buttons, widest, painter) } else { (Vec::new(), Vec2::ZERO) };
    let head = before + line.size().x;
    let below = if buttons.is_empty() { 0.0 } else { GAP + row.y };
    let size = Vec2::new(head.max(row.x), line.size().y + below) + 2.0 * padding;
    if size.y > room.height() {
        return Vec::new();
    }
    let center = if plate.is_veil {
        room.center()
    } else {
        Pos2::new(room.center().x, room.bottom() - MARGIN - size.y / 2.0)
    };
    let rect = Rect::from_center_size(center, size).round_to_pixels(painter.pixels_per_point());
    let edge = Stroke::new(1.0, theme::OVERLAY_BORDER);
    painter.rect(rect, 8.0, theme::OVERLAY_BACKGROUND, edge, StrokeKind::Inside);
    let (left, top) = (rect.center().x - head / 2.0, rect.top() + padding.y);
    let middle = top + line.size().y / 2.0;
    if let Some(turned) = plate.spinner {
        spinner(Pos2::new(left + SPINNER / 2.0, middle), turned, painter);
    }
    let top_of_row = top + line.size().y + GAP;
    painter.galley(Pos2::new(left + before, top), line, theme::TEXT);
    let mut left = rect.center().x - row.x / 2.0;
    buttons
        .into_iter()
        .map(|(action, words)| {
            let rect = Rect::from_min_size(Pos2::new(left, top_of_row), words.size() + 2.0 * BUTTON_PADDING);
            left = rect.right() + GAP;
            button(rect, words, plate.hovered == Some(action), painter);
            (action, rect)
        })
        .collect()
}

/// The first buttons that fit beside each other, and their size.
fn row<A: Button>(buttons: &[A], widest: f32, painter: &Painter) -> (Vec<(A, Arc<Galley>)>, Vec2) {
    let (mut fitting, mut size) = (Vec::new(), Vec2::ZERO);
    for action in buttons {
        let words = painter.layout_no_wrap(action.words().to_owned(), BUTTON_FONT, theme::TEXT);
        let gap = if fitting.is_empty() { 0.0 } else { GAP };
        let own = words.size() + 2.0 * BUTTON_PADDING;
        if size.x + gap + own.x > widest {
            break;
        }
        size = Vec2::new(size.x + gap + own.x, size.y.max(own.y));
        fitting.push((*action, words));
    }
    (fitting, size)
}

fn button(rect: Rect, words: Arc<Galley>, hovered: bool, painter: &Painter) {
    let rect = rect.round_to_pixels(painter.pixels_per_point());
    let fill = if hovered { theme::BUTTON_HOVERED } else { theme::BUTTON };
    painter.rect_filled(rect, 4.0, fill);
    painter.galley(rect.center() - words.size() / 2.0, words, theme::TEXT);
}

/// Dots in a circle, the newest of which is the brightest.
fn spinner(center: Pos2, turned: u8, painter: &Painter) {
    for dot in 0..TURN {
        let angle = f32::from(dot) / f32::from(TURN) * std::f32::consts::TAU;
        let age = turned.wrapping_sub(dot) % TURN;
        let brightness = 1.0 - f32::from(age) / f32::from(TURN);
        let at = center + Vec2::angled(angle) * (SPINNER / 2.0 - 2.0);
        painter.circle_filled(at, 1.8, theme::TEXT.gamma_multiply(brightness));
    }
}

/// Makes the frames for one window, and only when there is something new to show. The first one brings its textures along.
pub struct PlatePainter<A: 'static> {
    surface: UiSurface,
    painted: Option<(Plate<A>, Size, f32)>,
    /// Where the buttons are, in physical pixels.
    buttons: Vec<(A, Rect)>,
}

impl<A> Default for PlatePainter<A> {
    fn default() -> Self {
        Self { surface: UiSurface::new(), painted: None, buttons: Vec::new() }
    }
}

impl<A: Button> PlatePainter<A> {
    /// The frame for a window of `size` physical pixels at `scale` pixels a point; `None` if the last one still stands.
    pub fn frame(&mut self, plate: &Plate<A>, size: Size, scale: f32) -> Option<OverlayFrame> {
        let painted = Some((plate.clone(), size, scale));
        if self.painted == painted {
            return None;
        }
        self.painted = painted;
        let mut buttons = Vec::new();
        let frame = self.surface.frame(passive_input(size, scale), |ui| buttons = plate_ui(plate, ui));
        let scale = frame.frame.pixels_per_point;
        self.buttons = buttons.into_iter().map(|(button, place)| (button, place * scale)).collect();
        Some(frame.frame)
    }

    /// Whether the window has room for the buttons.
    pub fn has_buttons(&self) -> bool {
        !self.buttons.is_empty()
    }

    /// The button at this place, in physical pixels.
    pub fn button_at(&self, x: f32, y: f32) -> Option<A> {
        self.buttons
            .iter()
            .copied()
            .find(|(_, place)| place.contains(egui::pos2(x, y)))
            .map(|(button, _)| button)
    }
}
