//! The left side: what can be connected to with one key or click.

use egui::{Align, Color32, Image, Key, Layout, Rect, RichText, ScrollArea, Sense, Ui, Vec2};

use super::{ConnectAction, ConnectEntry, ConnectView, EntryKind};

const THUMBNAIL: Vec2 = Vec2::new(80.0, 50.0);
const ROW_HEIGHT: f32 = 62.0;

/// The sections and their entries.
pub(super) fn list_ui(view: &mut ConnectView, ui: &mut Ui) -> Option<ConnectAction> {
    let mut action = None;
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
                action = entry_ui(view, entry, ui).or(action.take());
            }
            ui.add_space(6.0);
        }
    });
    action
}

fn entry_ui(view: &mut ConnectView, entry: &ConnectEntry, ui: &mut Ui) -> Option<ConnectAction> {
    let size = Vec2::new(ui.available_width(), ROW_HEIGHT);
    let (area, response) = ui.allocate_exact_size(size, Sense::click());
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
    words(entry, &mut inner);
    let mut action = None;
    if response.clicked() {
        action = Some(ConnectAction::Select(entry.id));
    }
    if response.double_clicked() {
        action = Some(ConnectAction::Open(entry.id));
    }
    if response.has_focus() {
        let (open, delete) =
            ui.input(|input| (input.key_pressed(Key::Enter), input.key_pressed(Key::Delete)));
        if open {
            action = Some(ConnectAction::Open(entry.id));
        }
        if delete && deletable(entry) {
            view.deleting = Some(entry.id);
        }
    }
    if deletable(entry) {
        response.context_menu(|ui| {
            if ui.button("Forget").clicked() {
                view.deleting = Some(entry.id);
                ui.close();
            }
        });
    }
    if view.deleting == Some(entry.id) {
        action = confirm(view, entry, ui).or(action);
    }
    action
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
        if entry.address != entry.name {
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
