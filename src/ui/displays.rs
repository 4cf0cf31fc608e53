//! Which of several sessions behind one address is wanted. Fills an OS window of its own.

use egui::{Align, Button, Key, Label, Layout, RichText, ScrollArea, Ui, Vec2};

use super::dialogs::dialog;
use super::theme;

/// Size of its window, in points.
pub const DISPLAYS_SIZE: (u32, u32) = (440, 320);
const BUTTONS_HEIGHT: f32 = 44.0;

/// What there is to choose from.
pub struct DisplayPrompt {
    /// The server, without a password.
    pub server: String,
    pub displays: Vec<String>,
}

/// The dialog: the chosen display, or `None` if none is wanted. `Some` when the user decided.
pub fn displays_ui(prompt: &DisplayPrompt, ui: &mut Ui) -> Option<Option<String>> {
    dialog(ui, |ui| {
        ui.label(RichText::new("Which session?").heading().color(theme::TEXT));
        let said = format!("{} has several. Its displays:", prompt.server);
        ui.add(Label::new(RichText::new(said).color(theme::LABEL)).truncate());
        let room = (ui.available_height() - BUTTONS_HEIGHT).max(60.0);
        let mut chosen = None;
        ScrollArea::vertical().max_height(room).auto_shrink([false, false]).show(ui, |ui| {
            for (index, display) in prompt.displays.iter().enumerate() {
                let size = Vec2::new(ui.available_width() - 12.0, 30.0);
                let button =
                    ui.add_sized(size, Button::new(RichText::new(display).color(theme::TEXT)).truncate());
                if index == 0 && ui.memory(|memory| memory.focused().is_none()) {
                    button.request_focus();
                }
                if button.clicked() {
                    chosen = Some(Some(display.clone()));
                }
            }
        });
        let cancelled =
            ui.with_layout(Layout::bottom_up(Align::Max), |ui| ui.button("Cancel").clicked()).inner;
        if cancelled || ui.input(|input| input.key_pressed(Key::Escape)) {
            chosen = Some(None);
        }
        chosen
    })
}
