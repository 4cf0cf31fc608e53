//! An entry's menu: by the other mouse button, the menu key or Shift+F10.

use egui::{Event, Key, Popup, RectAlign, Response, SetOpenCommand, Ui};

use super::list::{Renaming, deletable};
use super::{ConnectAction, ConnectEntry, ConnectView, EntryKind};

/// Shows the menu of an entry, if it is open. Returns what was chosen.
pub(super) fn menu(view: &mut ConnectView, entry: &ConnectEntry, row: &Response) -> Option<ConnectAction> {
    if matches!(entry.kind, EntryKind::Nearby | EntryKind::Demo) {
        return None;
    }
    let begins = row.has_focus() && is_wanted(&row.ctx);
    if begins {
        view.menu = Some((entry.id, true));
    } else if row.secondary_clicked() {
        view.menu = Some((entry.id, false));
    }
    let by_key = view.menu == Some((entry.id, true));
    let popup = Popup::context_menu(row);
    let popup = if by_key { popup.anchor(row).align(RectAlign::BOTTOM_START) } else { popup };
    let popup = if begins { popup.open_memory(Some(SetOpenCommand::Bool(true))) } else { popup };
    let mut action = None;
    let shown = popup.show(|ui| action = entries_ui(view, entry, begins, ui));
    if shown.is_none() && view.menu.take_if(|(id, _)| *id == entry.id).is_some() {
        // Unless what was chosen takes it.
        row.request_focus();
    }
    action
}

/// On a busy machine press and release come together: what was held counts as it was then.
fn is_wanted(context: &egui::Context) -> bool {
    context.input(|input| {
        input.events.iter().any(|event| match event {
            Event::Key { key: Key::Menu, pressed: true, .. } => true,
            Event::Key { key: Key::F10, pressed: true, modifiers, .. } => modifiers.shift,
            _ => false,
        })
    })
}

fn entries_ui(
    view: &mut ConnectView,
    entry: &ConnectEntry,
    begins: bool,
    ui: &mut Ui,
) -> Option<ConnectAction> {
    let saved = entry.kind == EntryKind::Saved;
    let connect = ui.button("Connect");
    if begins {
        connect.request_focus();
    }
    let copies =
        [("Copy address", &entry.address), ("Copy command", &entry.command), ("Copy link", &entry.link)];
    let mut action = None;
    // Enter closes no menu by itself.
    let mut is_chosen = true;
    if connect.clicked() {
        action = Some(ConnectAction::Open(entry.id));
    } else if ui.button("Edit").clicked() {
        view.focused = false;
        action = Some(ConnectAction::Select(entry.id));
    } else if saved && ui.button("Rename").clicked() {
        view.renaming = Some(Renaming::of(entry));
    } else if saved && ui.button("Duplicate").clicked() {
        action = Some(ConnectAction::Duplicate(entry.id));
    } else if let Some(text) = copied(&copies, ui) {
        ui.ctx().copy_text(text);
    } else if deletable(entry) && forget(ui) {
        view.deleting = Some(entry.id);
    } else {
        is_chosen = false;
    }
    if is_chosen {
        ui.close();
    }
    action
}

/// Buttons that copy a text, where there is one. Returns that of the one that was pressed.
fn copied(copies: &[(&str, &String)], ui: &mut Ui) -> Option<String> {
    ui.separator();
    let there = copies.iter().filter(|(_, text)| !text.is_empty());
    let pressed = there.filter(|(name, _)| ui.button(*name).clicked());
    pressed.last().map(|(_, text)| (*text).clone())
}

fn forget(ui: &mut Ui) -> bool {
    ui.separator();
    ui.button("Forget").clicked()
}
