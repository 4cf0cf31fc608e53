//! Questions about links: where they lead, and what they want besides.

use egui::{Align, Key, Label, Layout, RichText, ScrollArea, Ui};

use super::ConnectAction;

/// What the buttons take, in points.
const BUTTONS_HEIGHT: f32 = 44.0;

/// What a link or a stranger's session file wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The server that it leads to, without a password.
    pub to: String,
    /// What it asks for besides: one an option.
    pub wants: Vec<Wish>,
}

/// One thing that a link asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// What would be done.
    pub words: String,
    /// As the link has it.
    pub option: String,
}

/// Where a link leads and what it asks for, and whether it may.
pub(super) fn consent_ui(asked: &Asked, ui: &mut Ui) -> Option<ConnectAction> {
    let is_more = !asked.wants.is_empty();
    let heading = if is_more { "This asks for more than to connect" } else { "Connect to this server?" };
    ui.label(RichText::new(heading).heading().strong());
    ui.add_space(4.0);
    let room = (ui.available_height() - BUTTONS_HEIGHT).max(60.0);
    ScrollArea::vertical().max_height(room).auto_shrink([false, false]).show(ui, |ui| words_ui(asked, ui));
    let mut action = None;
    ui.with_layout(Layout::bottom_up(Align::Max), |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let refuse = ui.button(if is_more { "Cancel" } else { "Do not connect" });
            // The answer that does no harm is the one that Enter gives.
            if ui.memory(|memory| memory.focused().is_none()) {
                refuse.request_focus();
            }
            if refuse.clicked() {
                action = Some(ConnectAction::Consent(false));
            }
            if is_more && ui.button("Connect without it").clicked() {
                action = Some(ConnectAction::ConnectWithout);
            }
            if ui.button(if is_more { "Allow and connect" } else { "Connect" }).clicked() {
                action = Some(ConnectAction::Consent(true));
            }
        });
    });
    if ui.input(|input| input.key_pressed(Key::Escape)) {
        action = Some(ConnectAction::Consent(false));
    }
    action
}

fn words_ui(asked: &Asked, ui: &mut Ui) {
    ui.add(Label::new(RichText::new(&asked.to).strong()).wrap());
    ui.add_space(8.0);
    let (warning, weak) = (ui.visuals().warn_fg_color, ui.visuals().weak_text_color());
    if !asked.wants.is_empty() {
        ui.label("Besides showing that server's windows, it would:");
    }
    for Wish { words, option } in &asked.wants {
        ui.horizontal_top(|ui| {
            ui.label(RichText::new("•").color(warning));
            ui.add(Label::new(RichText::new(words).color(warning)).wrap());
        });
        ui.indent(option, |ui| {
            ui.add(Label::new(RichText::new(option).small().monospace().color(weak)).wrap());
        });
    }
    ui.add_space(8.0);
    if asked.wants.is_empty() {
        ui.label(
            "A link, or a session file that is not among your saved ones, leads there. Nothing was sent yet.",
        );
    } else {
        ui.label("Nothing was sent yet. Allow it only if you know who wrote this, and why it needs that.");
    }
    ui.label(
        "Connecting tells the server the name of your account. It gets no password that you do not type.",
    );
}
