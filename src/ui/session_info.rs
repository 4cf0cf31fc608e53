//! The session information window: what is connected, and the last ten minutes as plots.

use egui::{Align, CentralPanel, Frame, Grid, Key, Layout, Rect, RichText, Sense, Ui, Vec2};

use super::plot::{Line, Plot};
use super::theme;
use crate::stats::snapshot::HistoryPoint;
use crate::stats::{StatsSnapshot, report::SectionKind, text};

/// Size of the window in points, to begin with.
pub const SESSION_INFO_SIZE: (u32, u32) = (860, 620);

const GAP: f32 = 10.0;
const BUTTONS_HEIGHT: f32 = 36.0;
const LEAST_PLOT_HEIGHT: f32 = 110.0;
/// Two plots side by side need this much.
const TWO_COLUMNS: f32 = 640.0;
/// Seconds that a ratio is taken over.
const RATIO_SECONDS: usize = 10;
/// With fewer bytes received in them it says nothing: pings alone, while the overlay is painted.
const RATIO_LEAST_BYTES: u64 = 10_000;

/// What the user asks for in the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionInfoAction {
    /// Save [`crate::stats::export::history_csv`].
    ExportCsv,
    /// Save [`crate::stats::export::history_json`].
    ExportJson,
    Close,
}

/// Shows `snapshot` and its history; `note` is a line beside the buttons, for example where an
/// export was saved.
pub fn session_info_ui(snapshot: &StatsSnapshot, note: &str, ui: &mut Ui) -> Option<SessionInfoAction> {
    let frame = Frame::new().fill(theme::BACKGROUND).inner_margin(16);
    let shown = CentralPanel::default().frame(frame).show(ui, |ui| {
        ui.label(RichText::new("Session information").heading().color(theme::TEXT));
        let room = (ui.available_height() - BUTTONS_HEIGHT).max(LEAST_PLOT_HEIGHT);
        egui::ScrollArea::vertical().max_height(room).auto_shrink([false, false]).show(ui, |ui| {
            let top = ui.cursor().top();
            facts(snapshot, ui);
            let below = room - (ui.cursor().top() - top);
            plots(&plots_of(&snapshot.history), below, ui);
        });
        ui.with_layout(Layout::bottom_up(Align::Min), |ui| buttons(note, ui)).inner
    });
    let escaped = ui.input(|input| input.key_pressed(Key::Escape));
    shown.inner.or(escaped.then_some(SessionInfoAction::Close))
}

fn facts(snapshot: &StatsSnapshot, ui: &mut Ui) {
    let StatsSnapshot { session, renderer, network, memory, draws, .. } = snapshot;
    let or_unknown = |text: &str| if text.is_empty() { "–".to_owned() } else { text.to_owned() };
    let version = &session.server_version;
    let server = match (version.is_empty(), session.server_host.is_empty()) {
        (true, _) => or_unknown(&session.server_host),
        (false, true) => format!("Xpra {version}"),
        (false, false) => format!("Xpra {version} on {}", session.server_host),
    };
    let (encoder, compressor) = session.wire.split_once('+').unwrap_or((&session.wire, "none"));
    let compressor = if encoder.is_empty() { "" } else { compressor };
    let encodings: Vec<&str> = draws.by_encoding.iter().map(|encoding| encoding.name).collect();
    let renderer_words = [renderer.adapter.as_str(), &renderer.backend, &renderer.present_mode];
    let rows = [
        [("Session", or_unknown(&session.session_name)), ("Server", server)],
        [("Transport", or_unknown(network.transport)), ("Encryption", or_unknown(session.encryption))],
        [("Packet encoder", or_unknown(encoder)), ("Compressor", or_unknown(compressor))],
        [("Encodings", or_unknown(&encodings.join(", "))), ("Decoders", or_unknown(session.decoders))],
        [
            ("Renderer", or_unknown(renderer_words.join("  ·  ").trim_matches([' ', '·']))),
            ("Connected for", text::elapsed(snapshot.elapsed_sec)),
        ],
        [
            (
                "Draws",
                format!("{} drawn  ·  {} refused", text::count(draws.drawn), text::count(draws.refused)),
            ),
            (
                "Copied",
                format!(
                    "{}  ·  {} of what was received",
                    text::bytes(memory.copied.total as f64),
                    text::factor(memory.copied_per_received.session)
                ),
            ),
        ],
        [
            ("Received", text::bytes(network.received.total as f64)),
            ("Sent", text::bytes(network.sent.total as f64)),
        ],
    ];
    let wide = ui.available_width() >= TWO_COLUMNS;
    Grid::new("facts").spacing([18.0, 4.0]).show(ui, |ui| {
        for row in rows {
            for (label, value) in row {
                ui.label(RichText::new(label).color(theme::UNIT));
                ui.label(RichText::new(value).color(theme::TEXT));
                if !wide {
                    ui.end_row();
                }
            }
            if wide {
                ui.end_row();
            }
        }
    });
    ui.add_space(2.0);
}

fn plots(plots: &[Plot], room: f32, ui: &mut Ui) {
    let columns = if ui.available_width() >= TWO_COLUMNS { 2 } else { 1 };
    let lines = plots.len().div_ceil(columns);
    let height = ((room - GAP * (lines - 1) as f32) / lines as f32).max(LEAST_PLOT_HEIGHT);
    let width = (ui.available_width() - GAP * (columns - 1) as f32) / columns as f32;
    let total = Vec2::new(ui.available_width(), lines as f32 * (height + GAP) - GAP);
    let (area, response) = ui.allocate_exact_size(total, Sense::hover());
    for (index, plot) in plots.iter().enumerate() {
        let column = (index % columns) as f32;
        let line = (index / columns) as f32;
        let corner = area.min + Vec2::new(column * (width + GAP), line * (height + GAP));
        plot.paint(ui.painter(), Rect::from_min_size(corner, Vec2::new(width, height)), response.hover_pos());
    }
}

fn plots_of(history: &[HistoryPoint]) -> [Plot; 6] {
    let line = |name, color, value: fn(&HistoryPoint) -> u64| Line {
        name,
        color,
        values: history.iter().map(|point| value(point) as f64).collect(),
    };
    let network = theme::section_color(SectionKind::Network);
    let copies = theme::section_color(SectionKind::Copies);
    let transforms = theme::section_color(SectionKind::Transforms);
    let frames = theme::section_color(SectionKind::Frames);
    let times = theme::section_color(SectionKind::Times);
    let latency = theme::section_color(SectionKind::Latency);
    let bytes: fn(f64) -> String = text::bytes;
    [
        Plot {
            title: "Bandwidth",
            lines: vec![
                line("in", network, |point| point.received_bytes),
                line("out", theme::ACCENT, |point| point.sent_bytes),
            ],
            format: bytes,
        },
        Plot {
            title: "Ping",
            lines: vec![line("", latency, |point| point.latency_us)],
            format: |us| text::micros(us.round() as u64),
        },
        Plot {
            title: "Frames per second",
            lines: vec![
                line("draws", times, |point| point.draws),
                line("presents", frames, |point| point.presents),
            ],
            format: text::per_sec,
        },
        Plot {
            title: "Copied per byte received",
            lines: vec![Line { name: "10 s", color: copies, values: copied_per_received(history) }],
            format: |factor| text::factor(Some(factor)),
        },
        Plot {
            title: "Memory per second",
            lines: vec![
                line("copied", copies, |point| point.copied_bytes),
                line("transformed", transforms, |point| point.transformed_bytes),
            ],
            format: bytes,
        },
        Plot { title: "Queue", lines: vec![line("", frames, |point| point.queue_bytes)], format: bytes },
    ]
}

/// Bytes copied for each byte received in the ten seconds before the end of each second; 0 where next to
/// nothing came.
fn copied_per_received(history: &[HistoryPoint]) -> Vec<f64> {
    let ratio = |end: usize| {
        let window = &history[(end + 1).saturating_sub(RATIO_SECONDS)..=end];
        let received: u64 = window.iter().map(|point| point.received_bytes).sum();
        let copied: u64 = window.iter().map(|point| point.copied_bytes).sum();
        if received < RATIO_LEAST_BYTES { 0.0 } else { copied as f64 / received as f64 }
    };
    (0..history.len()).map(ratio).collect()
}

fn buttons(note: &str, ui: &mut Ui) -> Option<SessionInfoAction> {
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let mut action = None;
        for (label, meaning) in [
            ("Close", SessionInfoAction::Close),
            ("Export JSON", SessionInfoAction::ExportJson),
            ("Export CSV", SessionInfoAction::ExportCsv),
        ] {
            if ui.button(label).clicked() {
                action = Some(meaning);
            }
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.add(egui::Label::new(RichText::new(note).color(theme::UNIT)).truncate());
        });
        action
    })
    .inner
}
