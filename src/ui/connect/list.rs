//! The left side: what can be connected to with one key or click.

use egui::{
    Align, Color32, EventFilter, Id, Image, Key, Layout, Rect, Response, RichText, ScrollArea, Sense,
    TextEdit, Ui, Vec2,
};

use super::{ConnectAction, ConnectEntry, ConnectView, EntryKind};

const THUMBNAIL: Vec2 = Vec2::new(80.0, 50.0);
const ROW_HEIGHT: f32 = 62.0;

/// The sections and their entries.
pub(super) fn list_ui(view: &mut ConnectView, ui: &mut Ui) -> Option<ConnectAction> {
    let mut action = None;
    let mut rows = Vec::new();
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        for (kind, title) in [
            (EntryKind::Saved, "Saved"),
            (EntryKind::Recent, "Recent"),
            (EntryKind::Local, "On this machine"),
            (EntryKind::Nearby, "Nearby"),
            (EntryKind::Demo, "Demo"),
        ] {
            let entries: Vec<ConnectEntry> =
                view.entries.iter().filter(|entry| entry.kind == kind).cloned().collect();
            if entries.is_empty() {
                continue;
            }
            ui.label(RichText::new(title).small().color(ui.visuals().weak_text_color()));
            for entry in &entries {
                let (row, decided) = entry_ui(view, entry, ui);
                rows.push((row, entry.id));
                action = decided.or(action.take());
            }
            ui.add_space(6.0);
        }
    });
    attend(view, &rows, ui);
    move_along(&rows, ui).map(ConnectAction::Select).or(action)
}

/// Moves the focus to where the application wants it.
fn attend(view: &mut ConnectView, rows: &[(Id, u64)], ui: &Ui) {
    let Some((entry, before)) = view.attended.take() else { return };
    let row = |entry: u64| rows.iter().find(|(_, other)| *other == entry).map(|(row, _)| *row);
    let is_there = before.is_none_or(|before| row(before).is_some_and(|row| ui.memory(|m| m.has_focus(row))));
    if let Some(row) = row(entry).filter(|_| is_there) {
        ui.memory_mut(|memory| memory.request_focus(row));
    }
}

/// The arrows, Home and End go along the list. Returns the entry that one of them came to.
fn move_along(rows: &[(Id, u64)], ui: &Ui) -> Option<u64> {
    let focused = ui.memory(|memory| memory.focused())?;
    let here = rows.iter().position(|(row, _)| *row == focused)?;
    let arrows = EventFilter { vertical_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(focused, arrows));
    let pressed = |key| ui.input(|input| input.key_pressed(key));
    let last = rows.len().saturating_sub(1);
    let there = match () {
        () if pressed(Key::ArrowDown) => here.saturating_add(1).min(last),
        () if pressed(Key::ArrowUp) => here.saturating_sub(1),
        () if pressed(Key::Home) => 0,
        () if pressed(Key::End) => last,
        () => return None,
    };
    let (row, entry) = *rows.get(there)?;
    ui.memory_mut(|memory| memory.request_focus(row));
    Some(entry)
}

/// One entry: where the focus can be, and what the user decided.
fn entry_ui(view: &mut ConnectView, entry: &ConnectEntry, ui: &mut Ui) -> (Id, Option<ConnectAction>) {
    let size = Vec2::new(ui.available_width(), ROW_HEIGHT);
    let (area, _) = ui.allocate_exact_size(size, Sense::hover());
    // The list changes while it is looked at: the focus stays with its entry.
    let lasting = if entry.kind == EntryKind::Saved { &entry.name } else { &entry.address };
    let id = ui.make_persistent_id((entry.kind, lasting));
    let response = ui.interact(area, id, Sense::click());
    let described = format!("{}, {}", entry.name, entry.address);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, ui.is_enabled(), &described));
    let selected = view.selected == Some(entry.id);
    let visuals = ui.style().interact_selectable(&response, selected);
    if selected || response.hovered() || response.has_focus() {
        ui.painter().rect(area, 6, visuals.weak_bg_fill, visuals.bg_stroke, egui::StrokeKind::Inside);
    }
    let mut inner = ui.new_child(
        egui::UiBuilder::new().max_rect(area.shrink(6.0)).layout(Layout::left_to_right(Align::Center)),
    );
    thumbnail(view, entry, &mut inner);
    let action = match &mut view.renaming {
        Some((id, name)) if *id == entry.id => {
            let named = rename(name, &mut inner);
            if named != Naming::Typing {
                view.renaming = None;
                response.request_focus();
            }
            named.into_action(entry)
        }
        _ => {
            words(entry, &mut inner);
            pressed(view, entry, &response, ui).or_else(|| menu(view, entry, &response))
        }
    };
    if view.deleting == Some(entry.id) {
        return (response.id, confirm(view, entry, ui).or(action));
    }
    (response.id, action)
}

/// Clicks on an entry, and keys while it has the focus.
fn pressed(view: &mut ConnectView, entry: &ConnectEntry, row: &Response, ui: &Ui) -> Option<ConnectAction> {
    if row.has_focus() && crate::ui::is_typing(ui) {
        row.scroll_to_me(None);
    }
    if row.double_clicked() {
        return Some(ConnectAction::Open(entry.id));
    }
    if row.clicked_by(egui::PointerButton::Primary) {
        row.request_focus();
        return Some(ConnectAction::Select(entry.id));
    }
    if !row.has_focus() {
        return None;
    }
    let pressed = |key| ui.input(|input| input.key_pressed(key));
    if pressed(Key::Delete) && deletable(entry) {
        view.deleting = Some(entry.id);
    }
    if pressed(Key::F2) && entry.kind == EntryKind::Saved {
        view.renaming = Some((entry.id, entry.name.clone()));
    }
    pressed(Key::Enter).then_some(ConnectAction::Open(entry.id))
}

/// What the other mouse button, or the menu key, offers.
fn menu(view: &mut ConnectView, entry: &ConnectEntry, row: &Response) -> Option<ConnectAction> {
    if matches!(entry.kind, EntryKind::Nearby | EntryKind::Demo) {
        return None;
    }
    let mut action = None;
    row.context_menu(|ui| {
        let saved = entry.kind == EntryKind::Saved;
        if ui.button("Connect").clicked() {
            action = Some(ConnectAction::Open(entry.id));
        }
        if ui.button("Edit").clicked() {
            view.focused = false;
            action = Some(ConnectAction::Select(entry.id));
        }
        if saved && ui.button("Rename").clicked() {
            view.renaming = Some((entry.id, entry.name.clone()));
        }
        if saved && ui.button("Duplicate").clicked() {
            action = Some(ConnectAction::Duplicate(entry.id));
        }
        ui.separator();
        if ui.button("Copy address").clicked() {
            ui.ctx().copy_text(entry.address.clone());
        }
        if ui.button("Copy command").clicked() {
            ui.ctx().copy_text(entry.command.clone());
        }
        if deletable(entry) {
            ui.separator();
            if ui.button("Forget").clicked() {
                view.deleting = Some(entry.id);
            }
        }
    });
    action
}

/// How far a new name is.
#[derive(PartialEq, Eq)]
enum Naming {
    Typing,
    Given(String),
    /// The old one stays.
    Left,
}

impl Naming {
    fn into_action(self, entry: &ConnectEntry) -> Option<ConnectAction> {
        match self {
            Self::Given(name) if name != entry.name => Some(ConnectAction::Rename(entry.id, name)),
            _ => None,
        }
    }
}

/// The field for a saved connection's other name: Enter takes it, Escape and leaving the field do not.
fn rename(name: &mut String, ui: &mut Ui) -> Naming {
    let field = ui.add(TextEdit::singleline(name).desired_width(f32::INFINITY));
    field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, "Name"));
    let id = field.id.with("begun");
    let is_new = ui.data_mut(|data| !std::mem::replace(data.get_temp_mut_or_default::<bool>(id), true));
    if is_new {
        field.request_focus();
        super::form::select_all(field.id, name.chars().count(), ui);
        return Naming::Typing;
    }
    if !field.lost_focus() {
        return Naming::Typing;
    }
    ui.data_mut(|data| data.remove::<bool>(id));
    let given = ui.input(|input| input.key_pressed(Key::Enter)) && !name.trim().is_empty();
    if given { Naming::Given(name.trim().to_owned()) } else { Naming::Left }
}

fn deletable(entry: &ConnectEntry) -> bool {
    matches!(entry.kind, EntryKind::Saved | EntryKind::Recent)
}

fn thumbnail(view: &mut ConnectView, entry: &ConnectEntry, ui: &mut Ui) {
    let Some(image) = &entry.thumbnail else {
        let (area, _) = ui.allocate_exact_size(THUMBNAIL, Sense::hover());
        placeholder(area, entry.kind, ui);
        return;
    };
    let texture = view.textures.entry(entry.id).or_insert_with(|| {
        let name = format!("thumbnail {}", entry.id);
        ui.ctx().load_texture(
            name,
            egui::ImageData::Color(std::sync::Arc::clone(image)),
            egui::TextureOptions::LINEAR,
        )
    });
    let picture = Image::from_texture((texture.id(), texture.size_vec2())).fit_to_exact_size(THUMBNAIL);
    let (area, _) = ui.allocate_exact_size(THUMBNAIL, Sense::hover());
    let size = picture.calc_size(THUMBNAIL, Some(texture.size_vec2()));
    picture.corner_radius(4).paint_at(ui, Rect::from_center_size(area.center(), size));
}

/// Two windows, one over the other.
fn placeholder(area: Rect, kind: EntryKind, ui: &Ui) {
    let painter = ui.painter();
    let color = match kind {
        EntryKind::Demo => ui.visuals().hyperlink_color,
        _ => ui.visuals().weak_text_color(),
    };
    painter.rect_filled(area, 4, color.gamma_multiply(0.15));
    let window = |offset: Vec2, fill: Color32| {
        let window = Rect::from_center_size(area.center() + offset, Vec2::new(30.0, 20.0));
        painter.rect(window, 2, fill, egui::Stroke::new(1.5, color), egui::StrokeKind::Inside);
    };
    window(Vec2::new(-5.0, -4.0), Color32::TRANSPARENT);
    window(Vec2::new(6.0, 5.0), super::theme::side_fill(ui));
}

fn words(entry: &ConnectEntry, ui: &mut Ui) {
    ui.with_layout(Layout::top_down(Align::Min), |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        let line = |text: RichText, ui: &mut Ui| ui.add(egui::Label::new(text).truncate().selectable(false));
        line(RichText::new(&entry.name).strong(), ui);
        if entry.address != entry.name && !entry.address.is_empty() {
            line(RichText::new(&entry.address).small(), ui);
        }
        if !entry.note.is_empty() {
            line(RichText::new(&entry.note).small().color(ui.visuals().weak_text_color()), ui);
        }
    });
}

/// Forgetting cannot be undone: it is asked for first.
fn confirm(view: &mut ConnectView, entry: &ConnectEntry, ui: &mut Ui) -> Option<ConnectAction> {
    let mut action = None;
    ui.horizontal(|ui| {
        ui.label(format!("Forget “{}”?", entry.name));
        let forget = ui.button("Forget");
        if ui.memory(|memory| memory.focused().is_none()) {
            forget.request_focus();
        }
        if forget.clicked() {
            view.deleting = None;
            action = Some(ConnectAction::Delete(entry.id));
        }
        if ui.button("Keep").clicked() || ui.input(|input| input.key_pressed(Key::Escape)) {
            view.deleting = None;
        }
    });
    action
}
