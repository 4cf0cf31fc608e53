//! The statistics overlay, in three steps: a line, a few plain words with advice, and a [`Report`] as tables with small
//! graphs.
//!
//! Everything is placed by hand from a few measures, so that one pass suffices and nothing jumps
//! when a number grows. Where the window is too small, first the rows of detail go, then whole
//! tables in favour of one line.

mod plain;

use egui::emath::GuiRounding;
use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Align2, Color32, FontId, Painter, Pos2, Rect, Shape, Stroke, Vec2};

use super::graph;
use super::theme;
use super::toast::toast_ui;
use crate::stats::report::{Graph, Report, Row, Section, SectionKind};
use crate::stats::{Chosen, StatsSnapshot};

/// How much the overlay shows: each press of its key is a step, and the one after the last is the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OverlayStep {
    #[default]
    Off,
    /// The most telling numbers.
    Line,
    /// What they mean, and why it is slow if it is.
    Words,
    /// All there is.
    Full,
}

impl OverlayStep {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Off, Self::Line, Self::Words, Self::Full];

    /// The one that follows.
    pub const fn next(self) -> Self {
        match self {
            Self::Off => Self::Line,
            Self::Line => Self::Words,
            Self::Words => Self::Full,
            Self::Full => Self::Off,
        }
    }

    /// What it is called in lists.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Line => "one line",
            Self::Words => "plain words",
            Self::Full => "everything",
        }
    }
}

/// Where in the window it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Corner {
    #[default]
    TopLeft,
    TopRight,
    BottomRight,
    BottomLeft,
}

impl Corner {
    /// All of them, clockwise.
    pub const ALL: [Self; 4] = [Self::TopLeft, Self::TopRight, Self::BottomRight, Self::BottomLeft];

    /// The one that follows, clockwise.
    pub const fn next(self) -> Self {
        match self {
            Self::TopLeft => Self::TopRight,
            Self::TopRight => Self::BottomRight,
            Self::BottomRight => Self::BottomLeft,
            Self::BottomLeft => Self::TopLeft,
        }
    }

    /// Its name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TopLeft => "top-left",
            Self::TopRight => "top-right",
            Self::BottomRight => "bottom-right",
            Self::BottomLeft => "bottom-left",
        }
    }

    /// Where something of this size is in `room`.
    fn place(self, size: Vec2, room: Rect) -> Rect {
        let align = match self {
            Self::TopLeft => Align2::LEFT_TOP,
            Self::TopRight => Align2::RIGHT_TOP,
            Self::BottomRight => Align2::RIGHT_BOTTOM,
            Self::BottomLeft => Align2::LEFT_BOTTOM,
        };
        align.align_size_within_rect(size, room)
    }
}

/// What the overlay shows besides the statistics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OverlayState {
    pub step: OverlayStep,
    pub corner: Corner,
    /// The keys of the next step, for example `Shift+F11`; empty: none are named.
    pub hotkey: String,
    /// The button that the pointer is on.
    pub hovered: Option<OverlayButton>,
    /// What the advice goes by.
    pub chosen: Chosen,
    /// Words for the user, below; empty: none.
    pub note: String,
}

/// The overlay's buttons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverlayButton {
    /// Opens the session information window.
    Info,
    /// Opens the session menu.
    Menu,
    /// Puts the overlay into the next corner.
    Corner,
    /// Shows more or less.
    Step,
    /// Does what is advised.
    Help,
}

/// Where the buttons are, in points.
pub type Buttons = Vec<(OverlayButton, Rect)>;

// All measures are in points.
const MARGIN: f32 = 8.0;
const PADDING: f32 = 9.0;
const ROW: f32 = 14.0;
const SECTION_GAP: f32 = 6.0;
/// Two lines.
const HEADER: f32 = 34.0;
const HEADER_LINE: f32 = 16.0;
const LABEL_WIDTH: f32 = 76.0;
const GRAPH_WIDTH: f32 = 40.0;
const GRAPH_GAP: f32 = 2.0;
const COLUMN_WIDTH: f32 = 56.0;
const TABLE_WIDTH: f32 = LABEL_WIDTH + GRAPH_WIDTH + GRAPH_GAP + 3.0 * COLUMN_WIDTH;
const TABLE_GAP: f32 = 18.0;
const FONT: FontId = FontId::monospace(11.0);
const SMALL_FONT: FontId = FontId::monospace(9.5);

/// How the sections are arranged.
#[derive(Debug, PartialEq)]
enum Layout<'a> {
    Tables { columns: Vec<Vec<&'a Section>>, details: bool },
    Headline,
}

/// Paints the overlay in its corner of `ui`. Returns where its buttons are.
pub fn overlay_ui(snapshot: &StatsSnapshot, state: &OverlayState, ui: &mut egui::Ui) -> Buttons {
    let room = ui.max_rect().shrink(MARGIN);
    let buttons = match state.step {
        OverlayStep::Off => Buttons::new(),
        OverlayStep::Line => plain::line(snapshot, state, ui.painter(), room),
        OverlayStep::Words => plain::words(snapshot, state, ui.painter(), room),
        OverlayStep::Full => tables(snapshot, state, ui.painter(), room),
    };
    if !state.note.is_empty() {
        toast_ui(&state.note, ui);
    }
    buttons
}

fn tables(snapshot: &StatsSnapshot, state: &OverlayState, painter: &Painter, room: Rect) -> Buttons {
    let report = Report::new(snapshot);
    match layout(&report.sections, room.size()) {
        Layout::Headline => {
            headline(&report.headline.join("  "), state.corner, painter, room);
            Buttons::new()
        }
        Layout::Tables { columns, details } => {
            let size = Vec2::new(tables_width(columns.len()), tables_height(&columns, details));
            let rect = state.corner.place(size, room);
            panel(painter, rect);
            let inner = rect.shrink(PADDING);
            let buttons = header(&report, state, painter, inner);
            for (index, column) in columns.iter().enumerate() {
                let x = inner.left() + index as f32 * (TABLE_WIDTH + TABLE_GAP);
                let mut at = Pos2::new(x, inner.top() + HEADER);
                for shown in column {
                    section(shown, details, painter, at);
                    at.y += section_height(shown, details);
                }
                if index > 0 {
                    let line = Stroke::new(1.0, theme::OVERLAY_BORDER);
                    painter.vline(x - TABLE_GAP / 2.0, inner.top() + HEADER..=inner.bottom(), line);
                }
            }
            buttons
        }
    }
}

/// One column if all fits, else two, else less detail, else fewer sections, else one line.
fn layout(sections: &[Section], room: Vec2) -> Layout<'_> {
    for details in [true, false] {
        for count in [1, 2] {
            let columns = split(sections.iter(), count, details);
            if tables_width(count) <= room.x && tables_height(&columns, details) <= room.y {
                return Layout::Tables { columns, details };
            }
        }
    }
    let count = if tables_width(2) <= room.x { 2 } else { 1 };
    if tables_width(count) > room.x {
        return Layout::Headline;
    }
    for keep in (1..SectionKind::BY_IMPORTANCE.len()).rev() {
        let kept = &SectionKind::BY_IMPORTANCE[..keep];
        let columns = split(sections.iter().filter(|section| kept.contains(&section.kind)), count, false);
        if tables_height(&columns, false) <= room.y {
            return Layout::Tables { columns, details: false };
        }
    }
    Layout::Headline
}

/// Spreads the sections over `count` columns of about the same height, in their order.
fn split<'a>(
    sections: impl Iterator<Item = &'a Section>,
    count: usize,
    details: bool,
) -> Vec<Vec<&'a Section>> {
    let mut all: Vec<&Section> = sections.collect();
    if count == 1 || all.len() < 2 {
        return vec![all];
    }
    let tallest = |cut: usize| {
        let (left, right) = all.split_at(cut);
        column_height(left, details).max(column_height(right, details))
    };
    let best = (1..all.len()).min_by(|a, b| tallest(*a).total_cmp(&tallest(*b))).unwrap_or(all.len());
    let right = all.split_off(best);
    vec![all, right]
}

fn tables_width(columns: usize) -> f32 {
    columns as f32 * (TABLE_WIDTH + TABLE_GAP) - TABLE_GAP + 2.0 * PADDING
}

fn tables_height(columns: &[Vec<&Section>], details: bool) -> f32 {
    let tallest = columns.iter().map(|column| column_height(column, details)).fold(0.0, f32::max);
    HEADER + tallest + 2.0 * PADDING
}

fn column_height(sections: &[&Section], details: bool) -> f32 {
    sections.iter().map(|section| section_height(section, details)).sum::<f32>() - SECTION_GAP
}

fn section_height(section: &Section, details: bool) -> f32 {
    (1 + rows(section, details).count()) as f32 * ROW + SECTION_GAP
}

fn rows(section: &Section, details: bool) -> impl Iterator<Item = &Row> {
    section.rows.iter().filter(move |row| details || !row.detail)
}

fn panel(painter: &Painter, rect: Rect) {
    painter.rect(
        rect,
        8.0,
        theme::OVERLAY_BACKGROUND,
        Stroke::new(1.0, theme::OVERLAY_BORDER),
        egui::StrokeKind::Inside,
    );
}

/// What it is and the buttons; below what is connected, and the key.
fn header(report: &Report, state: &OverlayState, painter: &Painter, inner: Rect) -> Buttons {
    let y = inner.top() + 6.0;
    let name = painter.text(
        Pos2::new(inner.left(), y),
        Align2::LEFT_CENTER,
        "Farpane",
        FontId::proportional(14.0),
        theme::ACCENT,
    );
    let mut right = inner.right();
    let mut buttons = Buttons::new();
    for (which, words) in [
        (OverlayButton::Step, if state.step == OverlayStep::Full { "Off" } else { "More" }),
        (OverlayButton::Corner, "Corner"),
        (OverlayButton::Info, "Info"),
        (OverlayButton::Menu, "Menu"),
    ] {
        let place = button(which, words, state, painter, Pos2::new(right, y));
        right = place.left() - 4.0;
        buttons.push((which, place));
    }
    let elapsed = (right - name.right() - 14.0).max(0.0);
    line(painter, Pos2::new(name.right() + 10.0, y), &report.elapsed, SMALL_FONT, theme::DIM, elapsed);
    let y = y + HEADER_LINE;
    let keys = Pos2::new(inner.right(), y);
    let keys = painter.text(keys, Align2::RIGHT_CENTER, &state.hotkey, SMALL_FONT, theme::DIM);
    let room = keys.left() - inner.left() - 8.0;
    line(painter, Pos2::new(inner.left(), y), &report.title, SMALL_FONT, theme::LABEL, room);
    buttons
}

/// A button, left of `right_middle`.
fn button(
    which: OverlayButton,
    words: &str,
    state: &OverlayState,
    painter: &Painter,
    right_middle: Pos2,
) -> Rect {
    let hovered = state.hovered == Some(which);
    let (text, fill) =
        if hovered { (theme::TEXT, theme::BUTTON_HOVERED) } else { (theme::LABEL, theme::BUTTON) };
    let galley = painter.layout_no_wrap(words.to_owned(), SMALL_FONT, text);
    let size = galley.size() + Vec2::new(10.0, 4.0);
    let rect = Rect::from_min_size(right_middle - Vec2::new(size.x, size.y / 2.0), size);
    let rect = rect.round_to_pixels(painter.pixels_per_point());
    painter.rect_filled(rect, 3.0, fill);
    painter.galley(rect.center() - galley.size() / 2.0, galley, text);
    rect
}

fn headline(text: &str, corner: Corner, painter: &Painter, room: Rect) {
    let galley = fitting(painter, text, FONT, theme::TEXT, (room.width() - 2.0 * PADDING).max(0.0));
    let rect = corner.place(galley.size() + Vec2::new(2.0 * PADDING, 6.0), room);
    panel(painter, rect);
    painter.galley(rect.min + Vec2::new(PADDING, 3.0), galley, theme::TEXT);
}

fn section(section: &Section, details: bool, painter: &Painter, at: Pos2) {
    let color = theme::section_color(section.kind);
    let middle = ROW / 2.0;
    painter.text(at + Vec2::new(0.0, middle), Align2::LEFT_CENTER, section.kind.title(), FONT, color);
    for (index, column) in section.columns.iter().enumerate() {
        let to = Pos2::new(column_right(at.x, index), at.y + middle);
        painter.text(to, Align2::RIGHT_CENTER, *column, SMALL_FONT, theme::DIM);
    }
    for (index, row) in rows(section, details).enumerate() {
        table_row(row, section.kind, painter, Pos2::new(at.x, at.y + ROW * (index + 1) as f32));
    }
}

fn table_row(row: &Row, kind: SectionKind, painter: &Painter, at: Pos2) {
    let color = theme::section_color(kind);
    let middle = at.y + ROW / 2.0;
    let idle = row.cells.first().is_some_and(|cell| is_nothing(cell));
    let label_color = if row.detail && idle { theme::DIM } else { theme::LABEL };
    let indent = if row.detail { 8.0 } else { 0.0 };
    let room = match (row.cells.is_empty(), &row.graph) {
        (true, _) => TABLE_WIDTH,
        (false, Graph::None) => LABEL_WIDTH + GRAPH_WIDTH,
        (false, _) => LABEL_WIDTH,
    };
    line(painter, Pos2::new(at.x + indent, middle), &row.label, FONT, label_color, room - indent);
    let graph_rect =
        Rect::from_min_size(Pos2::new(at.x + LABEL_WIDTH, at.y + 2.0), Vec2::new(GRAPH_WIDTH, ROW - 4.0));
    match &row.graph {
        Graph::None => {}
        Graph::Series(series) => painter.extend(graph::sparkline(series, graph_rect, color)),
        Graph::Span(from, to) => painter.extend(span(*from, *to, graph_rect, color)),
    }
    for (index, cell) in row.cells.iter().enumerate() {
        let galley = painter.layout_job(cell_text(cell));
        let left_top = Pos2::new(column_right(at.x, index) - galley.size().x, middle - galley.size().y / 2.0);
        painter.galley(left_top.round_to_pixels(painter.pixels_per_point()), galley, theme::TEXT);
    }
}

/// A bar from `from` to `to` on a faint track, so that stages one below the other read as a
/// waterfall.
fn span(from: f64, to: f64, rect: Rect, color: Color32) -> [Shape; 2] {
    let track = rect.shrink2(Vec2::new(0.0, 3.0));
    let x = |part: f64| track.left() + track.width() * part.clamp(0.0, 1.0) as f32;
    let bar = Rect::from_x_y_ranges(x(from)..=x(to).max(x(from) + 1.0), track.y_range());
    [Shape::rect_filled(track, 1.0, color.gamma_multiply(0.12)), Shape::rect_filled(bar, 1.0, color)]
}

fn column_right(table_left: f32, index: usize) -> f32 {
    table_left + TABLE_WIDTH - (2 - index.min(2)) as f32 * COLUMN_WIDTH
}

/// A number in full light and its unit in less.
fn cell_text(cell: &str) -> LayoutJob {
    let unit_at = cell.find(|c: char| c.is_alphabetic() || c == '×').unwrap_or(cell.len());
    let (number, unit) = cell.split_at(unit_at);
    let (number_color, unit_color) =
        if is_nothing(cell) { (theme::DIM, theme::DIM) } else { (theme::TEXT, theme::UNIT) };
    let mut job = LayoutJob::default();
    job.append(number, 0.0, TextFormat::simple(FONT, number_color));
    job.append(unit, 0.0, TextFormat::simple(FONT, unit_color));
    job
}

fn is_nothing(cell: &str) -> bool {
    matches!(cell, "0" | "0 B" | "0×" | "0 µs" | "–")
}

/// Text from `left_middle` on, cut with an ellipsis at `room`.
fn line(painter: &Painter, left_middle: Pos2, text: &str, font: FontId, color: Color32, room: f32) {
    let galley = fitting(painter, text, font, color, room);
    painter.galley(Pos2::new(left_middle.x, left_middle.y - galley.size().y / 2.0), galley, color);
}

fn fitting(
    painter: &Painter,
    text: &str,
    font: FontId,
    color: Color32,
    room: f32,
) -> std::sync::Arc<egui::Galley> {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), font, color);
    job.wrap = TextWrapping::truncate_at_width(room.max(0.0));
    painter.layout_job(job)
}
