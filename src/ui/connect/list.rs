//! The left side: what can be connected to with one key or click.

use egui::{
    Align, Color32, EventFilter, Id, Image, Key, Layout, Rect, Response, RichText, ScrollArea, Sense,
    TextEdit, Ui, Vec2,
};

use super::menu::menu;
use super::{ConnectAction, ConnectEntry, ConnectView, EntryKind, Reach};

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
    let described = [entry.name.as_str(), &entry.address, note(entry)];
    let described: Vec<&str> = described.into_iter().filter(|words| !words.is_empty()).collect();
    let described = described.join(", ");
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, ui.is_enabled(), &described));
    let response = match &entry.reach {
        Reach::Odd(why) | Reach::No(why) => response.on_hover_text(why),
        Reach::Unknown | Reach::Yes(_) => response,
    };
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
        Some(renaming) if renaming.id == entry.id => {
            let named = rename(renaming, &mut inner);
            // A name that was given may still be refused.
            if named == Naming::Left || named == Naming::Given(entry.name.clone()) {
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
    if let Some(renaming) = view.renaming.as_ref().filter(|renaming| renaming.id == entry.id)
        && !renaming.error.is_empty()
    {
        let words = RichText::new(&renaming.error).small().color(ui.visuals().warn_fg_color);
        ui.add(egui::Label::new(words).wrap().selectable(false));
    }
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
        view.renaming = Some(Renaming::of(entry));
    }
    pressed(Key::Enter).then_some(ConnectAction::Open(entry.id))
}

/// A saved entry gets another name.
pub(super) struct Renaming {
    pub id: u64,
    name: String,
    /// Why it cannot be what was typed; empty: nothing was wrong yet.
    error: String,
    /// The field has the focus.
    begun: bool,
    /// It is for the application to say what becomes of it.
    is_given: bool,
}

impl Renaming {
    pub fn of(entry: &ConnectEntry) -> Self {
        Self { id: entry.id, name: entry.name.clone(), error: String::new(), begun: false, is_given: false }
    }

    /// What was typed stays, to be typed better.
    pub fn refuse(&mut self, why: String) {
        (self.error, self.begun, self.is_given) = (why, false, false);
    }
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
fn rename(renaming: &mut Renaming, ui: &mut Ui) -> Naming {
    let Renaming { name, error, begun, is_given, .. } = renaming;
    let id = Id::unique("another name");
    let field = ui.add(TextEdit::singleline(name).id(id).desired_width(f32::INFINITY));
    field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, "Name"));
    if !std::mem::replace(begun, true) {
        field.request_focus();
        if error.is_empty() {
            super::form::select_all(field.id, name.chars().count(), ui);
        }
        return Naming::Typing;
    }
    if *is_given || !field.lost_focus() {
        return Naming::Typing;
    }
    *is_given = ui.input(|input| input.key_pressed(Key::Enter)) && !name.trim().is_empty();
    if *is_given { Naming::Given(name.trim().to_owned()) } else { Naming::Left }
}

pub(super) fn deletable(entry: &ConnectEntry) -> bool {
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
        let note = note(entry);
        ui.spacing_mut().interact_size.y = 0.0;
        ui.horizontal(|ui| {
            dot(&entry.reach, ui);
            line(RichText::new(note).small().color(ui.visuals().weak_text_color()), ui);
        });
    });
}

/// What is said of an entry besides its name and address.
fn note(entry: &ConnectEntry) -> &str {
    match &entry.reach {
        Reach::Yes(words) => words,
        Reach::Odd(_) => "answers, but cannot be used",
        Reach::No(_) => "cannot be reached",
        Reach::Unknown => &entry.note,
    }
}

/// A mark before what is said of a server that was asked; the words say the same.
fn dot(reach: &Reach, ui: &mut Ui) {
    let visuals = ui.visuals();
    let color = match reach {
        Reach::Unknown => return,
        Reach::Yes(_) => visuals.hyperlink_color,
        Reach::Odd(_) => visuals.warn_fg_color,
        Reach::No(_) => visuals.weak_text_color(),
    };
    let (area, _) = ui.allocate_exact_size(Vec2::splat(10.0), Sense::hover());
    if matches!(reach, Reach::No(_)) {
        ui.painter().circle_stroke(area.center(), 3.0, egui::Stroke::new(1.5, color));
    } else {
        ui.painter().circle_filled(area.center(), 3.5, color);
    }
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
