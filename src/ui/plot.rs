//! Plots of the session's history.

use std::ops::RangeInclusive;

use egui::{Align2, Color32, FontId, Painter, Pos2, Rect, Shape, Stroke, Vec2};

use super::theme;

const FONT: FontId = FontId::monospace(10.5);
const TITLE_FONT: FontId = FontId::proportional(14.0);
const TITLE_HEIGHT: f32 = 22.0;
const LEFT_MARGIN: f32 = 58.0;
const BOTTOM_MARGIN: f32 = 16.0;
const PADDING: f32 = 8.0;
/// Widths of the time axis, in seconds.
const SPANS: [usize; 4] = [60, 120, 300, 600];

/// One line of a plot: a value a second, the newest last.
pub struct Line {
    pub name: &'static str,
    pub color: Color32,
    pub values: Vec<f64>,
}

/// Lines that share axes.
pub struct Plot {
    pub title: &'static str,
    pub lines: Vec<Line>,
    /// Writes a value of the vertical axis.
    pub format: fn(f64) -> String,
}

impl Plot {
    /// Paints the plot into `rect`; `pointer` shows the values of the second under it.
    pub fn paint(&self, painter: &Painter, rect: Rect, pointer: Option<Pos2>) {
        painter.rect_filled(rect, 6.0, theme::PLOT_BACKGROUND);
        let inner = rect.shrink(PADDING);
        let area = Rect::from_min_max(
            inner.min + Vec2::new(LEFT_MARGIN, TITLE_HEIGHT),
            inner.max - Vec2::new(0.0, BOTTOM_MARGIN),
        );
        if !area.is_positive() {
            return;
        }
        let seconds = self.lines.iter().map(|line| line.values.len()).max().unwrap_or(0);
        let span = SPANS.into_iter().find(|span| seconds <= *span).unwrap_or(SPANS[SPANS.len() - 1]);
        let values = self.lines.iter().flat_map(|line| &line.values);
        let top = nice_top(values.copied().fold(0.0, f64::max));
        self.axes(painter, area, span, top);
        for line in &self.lines {
            painter.extend(curve(line, area, span, top));
        }
        let second = pointer
            .filter(|pointer| area.contains(*pointer))
            .map(|pointer| ((area.right() - pointer.x) / area.width() * (span - 1) as f32).round() as usize);
        if let Some(ago) = second {
            painter.vline(x_of(ago, area, span), area.y_range(), Stroke::new(1.0, theme::DIM));
        }
        self.legend(painter, inner, second);
    }

    fn axes(&self, painter: &Painter, area: Rect, span: usize, top: f64) {
        let grid = Stroke::new(1.0, theme::PLOT_GRID);
        for part in [0.0, 0.5, 1.0] {
            let y = area.bottom() - area.height() * part as f32;
            painter.hline(area.x_range(), y, grid);
            let label = (self.format)(top * part);
            painter.text(Pos2::new(area.left() - 6.0, y), Align2::RIGHT_CENTER, label, FONT, theme::UNIT);
        }
        for (quarter, align) in [(0, Align2::RIGHT_TOP), (2, Align2::CENTER_TOP), (4, Align2::LEFT_TOP)] {
            let ago = span * quarter / 4;
            let at = Pos2::new(area.right() - area.width() * quarter as f32 / 4.0, area.bottom() + 4.0);
            let label = match ago {
                0 => "now".to_owned(),
                ago if ago % 60 == 0 => format!("-{} min", ago / 60),
                ago if ago > 60 => format!("-{}:{:02} min", ago / 60, ago % 60),
                ago => format!("-{ago} s"),
            };
            painter.text(at, align, label, FONT, theme::DIM);
        }
    }

    /// The title, and each line's name with its value `ago` seconds before the newest.
    fn legend(&self, painter: &Painter, inner: Rect, ago: Option<usize>) {
        let y = inner.top() + 6.0;
        painter.text(Pos2::new(inner.left(), y), Align2::LEFT_CENTER, self.title, TITLE_FONT, theme::TEXT);
        let mut right = inner.right();
        for line in self.lines.iter().rev() {
            let index = line.values.len().checked_sub(1 + ago.unwrap_or(0));
            let value = index.and_then(|index| line.values.get(index));
            let value = value.map_or_else(|| "–".to_owned(), |value| (self.format)(*value));
            let text = format!("{} {value}", line.name);
            let shown = painter.text(Pos2::new(right, y), Align2::RIGHT_CENTER, text, FONT, theme::LABEL);
            painter.circle_filled(Pos2::new(shown.left() - 7.0, y), 3.0, line.color);
            right = shown.left() - 22.0;
        }
    }
}

fn curve(line: &Line, area: Rect, span: usize, top: f64) -> Vec<Shape> {
    let newest = line.values.len().saturating_sub(1);
    let points: Vec<Pos2> = line
        .values
        .iter()
        .enumerate()
        .map(|(index, value)| {
            let height = (value / top).clamp(0.0, 1.0) as f32 * area.height();
            Pos2::new(x_of(newest - index, area, span), area.bottom() - height)
        })
        .filter(|point| within(point.x, area.left()..=area.right()))
        .collect();
    if points.len() < 2 {
        return Vec::new();
    }
    vec![
        super::graph::area(&points, area.bottom(), line.color, 0.25),
        Shape::line(points, Stroke::new(1.2, line.color)),
    ]
}

fn x_of(seconds_ago: usize, area: Rect, span: usize) -> f32 {
    area.right() - area.width() * seconds_ago as f32 / (span - 1) as f32
}

fn within(x: f32, range: RangeInclusive<f32>) -> bool {
    *range.start() - 0.5 <= x && x <= *range.end() + 0.5
}

/// The smallest of 1, 2, 5, 10, 20, … that is not under `largest`.
pub fn nice_top(largest: f64) -> f64 {
    if !largest.is_finite() || largest <= 1.0 {
        return 1.0;
    }
    let magnitude = 10_f64.powf(largest.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * magnitude);
    steps.into_iter().find(|step| *step >= largest).unwrap_or(largest)
}
