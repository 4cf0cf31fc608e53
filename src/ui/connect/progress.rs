//! How far connecting is, and questions about links.

use std::time::Duration;

use egui::{Align, Key, Layout, RichText, Spinner, Ui, Vec2};

use super::ConnectAction;
use crate::ui::theme;

/// A try to connect.
#[derive(Clone, Debug, Default)]
pub struct Attempt {
    /// What is connected to, without a password.
    pub to: String,
    /// In order; the last one is under way.
    pub stages: Vec<Stage>,
    /// Since the user asked for it.
    pub elapsed: Duration,
}

/// A step of connecting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// For example `Connecting to 192.0.2.7:14500`.
    pub words: String,
}

/// The stages so far, and Cancel.
pub(super) fn progress_ui(attempt: &Attempt, ui: &mut Ui) -> Option<ConnectAction> {
    ui.add(egui::Label::new(RichText::new(&attempt.to).heading().strong()).truncate());
    ui.add_space(10.0);
    let last = attempt.stages.len().saturating_sub(1);
    for (index, stage) in attempt.stages.iter().enumerate() {
        ui.horizontal(|ui| {
            if index < last {
                tick(ui);
                ui.label(RichText::new(&stage.words).color(ui.visuals().weak_text_color()));
            } else {
                ui.add(Spinner::new().size(16.0));
                ui.label(&stage.words);
                if attempt.elapsed >= Duration::from_secs(2) {
                    let seconds = format!("{} s", attempt.elapsed.as_secs());
                    ui.label(RichText::new(seconds).color(ui.visuals().weak_text_color()));
                }
            }
        });
    }
    let cancel = ui.with_layout(Layout::bottom_up(Align::Max), |ui| ui.button("Cancel")).inner;
    if ui.memory(|memory| memory.focused().is_none()) {
        cancel.request_focus();
    }
    cancel.clicked().then_some(ConnectAction::Cancel)
}

/// A check mark.
fn tick(ui: &mut Ui) {
    let (area, _) = ui.allocate_exact_size(Vec2::splat(16.0), egui::Sense::hover());
    let at = |x: f32, y: f32| area.min + Vec2::new(x, y);
    let stroke = egui::Stroke::new(2.0, theme::accent(ui));
    ui.painter().line(vec![at(3.0, 8.5), at(6.5, 12.0), at(13.0, 4.5)], stroke);
}

/// What a link or a stranger's session file wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The server that it leads to, without a password.
    pub to: String,
    /// What it asks for besides, in words: one an option.
    pub wants: Vec<String>,
}

/// Where a link leads and what it asks for, and whether it may.
pub(super) fn consent_ui(asked: &Asked, ui: &mut Ui) -> Option<ConnectAction> {
    let (heading, allow) = if asked.wants.is_empty() {
        ("Connect to this server?", "Connect")
    } else {
        ("This link asks for more than to connect", "Allow and connect")
    };
    ui.label(RichText::new(heading).heading().strong());
    ui.add_space(4.0);
    ui.add(egui::Label::new(RichText::new(&asked.to).strong()).wrap());
    ui.add_space(8.0);
    for question in &asked.wants {
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new("•").color(ui.visuals().warn_fg_color));
            ui.label(RichText::new(question).color(ui.visuals().warn_fg_color));
        });
    }
    ui.add_space(8.0);
    if asked.wants.is_empty() {
        ui.label(
            "A link, or a session file that is not among your saved ones, leads there. Nothing was sent yet.",
        );
        ui.label(
            "Connecting tells the server the name of your account. It gets no password that you do not type.",
        );
    } else {
        ui.label("Only allow it if you know who made the link, and why it needs this.");
    }
    let mut action = None;
    ui.with_layout(Layout::bottom_up(Align::Max), |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let refuse = ui.button(if asked.wants.is_empty() { "Do not connect" } else { "Do not allow" });
            // The answer that does no harm is the one that Enter gives.
            if ui.memory(|memory| memory.focused().is_none()) {
                refuse.request_focus();
            }
            if refuse.clicked() {
                action = Some(ConnectAction::Consent(false));
            }
            if ui.button(allow).clicked() {
                action = Some(ConnectAction::Consent(true));
            }
        });
    });
    if ui.input(|input| input.key_pressed(Key::Escape)) {
        action = Some(ConnectAction::Consent(false));
    }
    action
}
