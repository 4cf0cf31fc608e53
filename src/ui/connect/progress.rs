//! How far connecting is, and the question that has to be answered before it goes on.

use std::time::Duration;

use egui::{Align, Label, Layout, RichText, ScrollArea, Spinner, Ui, Vec2};

use super::ConnectAction;
use crate::ui::dialogs::{PasswordPrompt, PasswordReply, question_ui};
use crate::ui::theme;

/// A stage that takes longer is explained.
const PATIENCE: Duration = Duration::from_secs(3);
/// What a question takes, in points: the stages above it scroll where there is no room for both.
const QUESTION_HEIGHT: f32 = 250.0;
/// The same for the button, and the words before it.
const BUTTON_HEIGHT: f32 = 44.0;

/// A try to connect.
#[derive(Clone, Debug, Default)]
pub struct Attempt {
    /// What is connected to, without a password.
    pub to: String,
    /// In order; the last one is under way.
    pub stages: Vec<Stage>,
    /// Since the last one began.
    pub elapsed: Duration,
}

/// A step of connecting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// For example `Connecting to 192.0.2.7:14500`.
    pub words: String,
    /// What is said of it when it stands still. Empty: nothing.
    pub patience: &'static str,
}

/// The stages so far, and the question or Cancel.
pub(super) fn progress_ui(
    attempt: &Attempt,
    question: &mut Option<PasswordPrompt>,
    ui: &mut Ui,
) -> Option<ConnectAction> {
    ui.add(Label::new(RichText::new(&attempt.to).heading().strong()).truncate());
    ui.add_space(8.0);
    let below = if question.is_some() { QUESTION_HEIGHT } else { BUTTON_HEIGHT };
    let room = (ui.available_height() - below).max(40.0);
    ScrollArea::vertical().max_height(room).auto_shrink([false, true]).stick_to_bottom(true).show(ui, |ui| {
        stages_ui(attempt, question.is_some(), ui);
    });
    if let Some(prompt) = question {
        ui.separator();
        return match question_ui(prompt, ui)? {
            // ssh may ask for something else then.
            PasswordReply::Cancelled if !prompt.is_of_ssh() => Some(ConnectAction::Cancel),
            reply => Some(ConnectAction::Answer(reply)),
        };
    }
    let cancel = ui.with_layout(Layout::bottom_up(Align::Max), |ui| ui.button("Cancel")).inner;
    if ui.memory(|memory| memory.focused().is_none()) {
        cancel.request_focus();
    }
    cancel.clicked().then_some(ConnectAction::Cancel)
}

fn stages_ui(attempt: &Attempt, is_asked: bool, ui: &mut Ui) {
    let last = attempt.stages.len().saturating_sub(1);
    for (index, stage) in attempt.stages.iter().enumerate() {
        let is_under_way = index == last && !is_asked;
        ui.horizontal(|ui| {
            if index < last {
                tick(ui);
                ui.label(RichText::new(&stage.words).color(ui.visuals().weak_text_color()));
                return;
            }
            if is_under_way {
                ui.add(Spinner::new().size(16.0));
            } else {
                // It is the user who is waited for.
                ui.add_space(16.0 + ui.spacing().item_spacing.x);
            }
            ui.label(&stage.words);
            if is_under_way && attempt.elapsed >= Duration::from_secs(2) {
                let seconds = format!("{} s", attempt.elapsed.as_secs());
                ui.label(RichText::new(seconds).color(ui.visuals().weak_text_color()));
            }
        });
        if is_under_way && attempt.elapsed >= PATIENCE && !stage.patience.is_empty() {
            ui.add(Label::new(RichText::new(stage.patience).color(ui.visuals().weak_text_color())).wrap());
        }
    }
}

/// A check mark.
fn tick(ui: &mut Ui) {
    let (area, _) = ui.allocate_exact_size(Vec2::splat(16.0), egui::Sense::hover());
    let at = |x: f32, y: f32| area.min + Vec2::new(x, y);
    let stroke = egui::Stroke::new(2.0, theme::accent(ui));
    ui.painter().line(vec![at(3.0, 8.5), at(6.5, 12.0), at(13.0, 4.5)], stroke);
}
