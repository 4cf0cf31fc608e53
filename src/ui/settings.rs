//! The settings window: every option of the configuration file, with what it is for.

use egui::{
    Align, Button, CentralPanel, ComboBox, Frame, Key, Label, Layout, Popup, RichText, ScrollArea, TextEdit,
    Ui, Vec2,
};

use super::theme;

/// Size of the window in points, to begin with.
pub const SETTINGS_SIZE: (u32, u32) = (640, 620);

// In points.
const FIELD_WIDTH: f32 = 220.0;
/// Around the text of a field.
const FIELD_MARGIN: f32 = 8.0;
const DEFAULT_WIDTH: f32 = 64.0;
const ROW_HEIGHT: f32 = 28.0;
const FOOTER_HEIGHT: f32 = 40.0;

/// An option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingRow {
    pub name: String,
    /// What it is for.
    pub help: String,
    pub kind: SettingKind,
    /// The user's own file says so.
    pub is_own: bool,
    /// What is in its field, and what was before somebody began to type there.
    pub value: String,
    pub before: Option<String>,
    /// What counts where no file says anything; empty: nothing does.
    pub default: String,
}

/// How it is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingKind {
    YesNo,
    OneOf(Vec<String>),
    Text,
}

/// What the window shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingsForm {
    pub rows: Vec<SettingRow>,
    /// Only options with these words are shown.
    pub search: String,
    /// The file, and what it says.
    pub path: String,
    pub text: String,
    /// Show that instead of the options.
    pub shows_file: bool,
    /// Why something cannot be read or set; empty: all is well.
    pub error: String,
    /// The search has had the focus.
    pub focused: bool,
}

/// What the user wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsAction {
    /// The file is to say this of an option, or nothing.
    Set {
        name: String,
        value: Option<String>,
    },
    Close,
}

/// The window's content. Escape closes a list, then the window.
pub fn settings_ui(form: &mut SettingsForm, ui: &mut Ui) -> Option<SettingsAction> {
    let has_list = Popup::is_any_open(ui.ctx());
    let frame = Frame::new().fill(ui.visuals().panel_fill).inner_margin(16);
    let shown = CentralPanel::default().frame(frame).show(ui, |ui| {
        ui.spacing_mut().scroll = theme::scroll_bars();
        ui.label(RichText::new("Settings").heading().color(theme::accent(ui)));
        let words = "They count for sessions that begin from now on, where nothing else is said.";
        ui.add(Label::new(RichText::new(words).weak()).wrap());
        if !form.error.is_empty() {
            ui.add(Label::new(RichText::new(&form.error).color(ui.visuals().error_fg_color)).wrap());
        }
        if form.shows_file {
            file(form, ui);
            None
        } else {
            options(form, ui)
        }
        .or_else(|| footer(form, ui))
    });
    let escaped = !has_list && ui.input(|input| input.key_pressed(Key::Escape));
    shown.inner.or(escaped.then_some(SettingsAction::Close))
}

fn options(form: &mut SettingsForm, ui: &mut Ui) -> Option<SettingsAction> {
    let search = TextEdit::singleline(&mut form.search).hint_text("search").desired_width(f32::INFINITY);
    let search = ui.add(search);
    search.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, "Search"));
    if !std::mem::replace(&mut form.focused, true) {
        search.request_focus();
    }
    let wanted = form.search.to_lowercase();
    let mut action = None;
    let room = (ui.available_height() - FOOTER_HEIGHT).max(80.0);
    ScrollArea::vertical().max_height(room).auto_shrink([false, false]).show(ui, |ui| {
        for row in &mut form.rows {
            if row.name.contains(&wanted) || row.help.to_lowercase().contains(&wanted) {
                action = action.take().or(option(row, ui));
                ui.separator();
            }
        }
    });
    action
}

fn option(row: &mut SettingRow, ui: &mut Ui) -> Option<SettingsAction> {
    let mut chosen = None;
    // All of a row is in the middle of the same height.
    ui.spacing_mut().interact_size.y = ROW_HEIGHT;
    ui.horizontal(|ui| {
        let name = RichText::new(&row.name).strong();
        let label = ui.label(if row.is_own { name.color(theme::accent(ui)) } else { name }).id;
        // From left to right, as Tab goes: the value, then what takes it away.
        let own = FIELD_WIDTH + FIELD_MARGIN + DEFAULT_WIDTH + 2.0 * ui.spacing().item_spacing.x;
        ui.add_space((ui.available_width() - own).max(0.0));
        let size = Vec2::new(FIELD_WIDTH + FIELD_MARGIN, ROW_HEIGHT);
        let layout = Layout::left_to_right(Align::Center);
        let value = ui.allocate_ui_with_layout(size, layout, |ui| {
            ui.set_min_width(size.x);
            field(row, label, ui)
        });
        chosen = chosen.take().or(value.inner.map(Some));
        let reset = Button::new("default").min_size(Vec2::new(DEFAULT_WIDTH, 0.0));
        if ui.add_enabled(row.is_own, reset).on_hover_text("Take it out of the file").clicked() {
            chosen = Some(None);
        }
    });
    ui.add(Label::new(RichText::new(&row.help).small().weak()).wrap());
    chosen.map(|value| SettingsAction::Set { name: row.name.clone(), value })
}

/// What it is from now on, once the user is done with it.
fn field(row: &mut SettingRow, label: egui::Id, ui: &mut Ui) -> Option<String> {
    match &row.kind {
        SettingKind::YesNo => {
            let mut yes = matches!(row.value.as_str(), "yes" | "true" | "on" | "1");
            let words = if yes { "yes" } else { "no" };
            let shown = ui.checkbox(&mut yes, words).labelled_by(label);
            in_sight(&shown, ui);
            shown.changed().then(|| if yes { "yes" } else { "no" }.to_owned())
        }
        SettingKind::OneOf(choices) => {
            let mut chosen = row.value.clone();
            let list = ComboBox::from_id_salt(&row.name).selected_text(&chosen).width(FIELD_WIDTH);
            let shown = list.show_ui(ui, |ui| {
                for choice in choices {
                    ui.selectable_value(&mut chosen, choice.clone(), choice);
                }
            });
            in_sight(&shown.response, ui);
            shown.response.labelled_by(label);
            (chosen != row.value).then_some(chosen)
        }
        SettingKind::Text => {
            let field = TextEdit::singleline(&mut row.value).id_salt(&row.name).desired_width(FIELD_WIDTH);
            let shown = ui.add(field.hint_text("not set")).labelled_by(label);
            in_sight(&shown, ui);
            if shown.gained_focus() {
                row.before = Some(row.value.clone());
            }
            let was = row.before.take_if(|_| shown.lost_focus());
            was.filter(|was| *was != row.value).map(|_| row.value.clone())
        }
    }
}

fn in_sight(shown: &egui::Response, ui: &Ui) {
    if shown.has_focus() && super::is_typing(ui) {
        shown.scroll_to_me(None);
    }
}

fn file(form: &SettingsForm, ui: &mut Ui) {
    let path = if form.path.is_empty() { "there is no place for it" } else { &form.path };
    ui.add(Label::new(RichText::new(path).strong()).wrap());
    let room = (ui.available_height() - FOOTER_HEIGHT).max(80.0);
    ScrollArea::both().max_height(room).auto_shrink([false, false]).show(ui, |ui| {
        let text =
            if form.text.is_empty() { "# nothing yet: every option is at its default" } else { &form.text };
        ui.add(Label::new(RichText::new(text).monospace()).selectable(true).extend());
    });
}

fn footer(form: &mut SettingsForm, ui: &mut Ui) -> Option<SettingsAction> {
    let mut action = None;
    ui.separator();
    ui.horizontal(|ui| {
        if ui.button(if form.shows_file { "Show the options" } else { "Show the file" }).clicked() {
            form.shows_file = !form.shows_file;
        }
        if ui.button("Close").clicked() {
            action = Some(SettingsAction::Close);
        }
    });
    action
}
