//! The session menu: what can be changed while a session runs.

use egui::{
    Button, CentralPanel, ComboBox, Frame, Grid, Key, Label, Popup, RichText, ScrollArea, Slider, Ui, Vec2,
};

use super::overlay::OverlayStep;
use super::theme;
use crate::channel::{DesktopScaling, RendererChoice, Scale, ScalingFilter};
use crate::session::clipboard::Direction;

/// Size of the window in points, to begin with.
pub const SESSION_MENU_SIZE: (u32, u32) = (400, 740);

/// Bandwidth limits to choose from, in bits per second.
const BANDWIDTHS: [u64; 7] =
    [1_000_000, 2_000_000, 5_000_000, 10_000_000, 20_000_000, 50_000_000, 100_000_000];
/// What a limit, and what quality and speed are at first where none were chosen.
const FIRST_BANDWIDTH: u64 = 10_000_000;
const FIRST_PERCENT: u8 = 70;

/// Scales to choose from, in percent, beside one to one and the monitor's.
const SCALES: [u32; 5] = [75, 125, 150, 200, 300];

// In points.
const MARGIN: i8 = 16;
const LABEL_WIDTH: f32 = 88.0;
const COLUMN_GAP: f32 = 12.0;
const ROW_HEIGHT: f32 = 28.0;
const ROW_GAP: f32 = 6.0;
/// Lists longer than this have a scroll bar.
const LIST_HEIGHT: f32 = 260.0;
/// The number behind a slider.
const NUMBER_WIDTH: f32 = 68.0;
/// Of the line and *Disconnect* under the entries.
const FOOTER_HEIGHT: f32 = 52.0;

/// What the menu shows as chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionMenu {
    /// The encodings that can be asked for.
    pub encodings: Vec<String>,
    /// Empty: the server chooses.
    pub encoding: String,
    /// Percent; 0: the server chooses.
    pub quality: u8,
    /// Percent; 0: the server chooses.
    pub speed: u8,
    /// Bits per second; 0: no limit.
    pub bandwidth: u64,
    pub renderer: RendererChoice,
    pub scaling: DesktopScaling,
    pub filter: ScalingFilter,
    pub overlay: OverlayStep,
    /// Which way copies go; `None`: this session has no clipboard.
    pub clipboard: Option<Direction>,
    /// The session is being recorded.
    pub recording: bool,
    /// What was received lately is kept, and can be saved.
    pub has_replay: bool,
    /// The saved connection that settings can be kept for, or that they would make; `None`: the session has none.
    pub keep_as: Option<String>,
    /// The keys that do the same as an entry.
    pub keys: MenuKeys,
    /// What became of the last thing that was done, for example where a picture was saved.
    pub note: String,
    /// Show what program this is.
    pub about: bool,
    /// The server lets its clients end the session.
    pub can_stop: bool,
    /// Ask whether that is meant.
    pub stopping: bool,
}

/// The keys that are shown beside what they do, for example `Shift+F11`; empty: none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MenuKeys {
    pub overlay: String,
    pub session_info: String,
    pub full_screen: String,
}

/// What the user wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionMenuAction {
    /// Empty: let the server choose.
    Encoding(String),
    Quality(u8),
    Speed(u8),
    Bandwidth(u64),
    Renderer(RendererChoice),
    Clipboard(Direction),
    /// Show windows in this size and with this filter, as the menu has them.
    Scaling,
    /// Show the statistics overlay as the menu has it.
    Overlay,
    /// Ask for the pixels of all windows again.
    Refresh,
    /// Show the window that the menu was opened in in full screen, or as before.
    FullScreen,
    /// Open the session's card.
    Card,
    /// Open the settings window.
    Settings,
    /// Open or close the session information window.
    SessionInfo,
    /// Save a picture of the window that the menu was opened in.
    Screenshot,
    /// Record to a file, or stop that.
    Record,
    /// Save what was received lately as a recording.
    Replay,
    /// Keep what was changed here with the saved connection.
    Keep,
    Disconnect,
    /// End the session, with all that runs in it.
    Stop,
    Close,
}

/// The menu's content. What is chosen is changed in `menu` too. Escape closes the innermost of list, question and menu.
pub fn session_menu_ui(menu: &mut SessionMenu, ui: &mut Ui) -> Option<SessionMenuAction> {
    // The list closes itself with the same key.
    let has_list = Popup::is_any_open(ui.ctx());
    let frame = Frame::new().fill(ui.visuals().panel_fill).inner_margin(MARGIN);
    let shown = CentralPanel::default().frame(frame).show(ui, |ui| content(menu, ui)).inner;
    let escaped = !has_list && ui.input(|input| input.key_pressed(Key::Escape));
    if escaped && (std::mem::take(&mut menu.stopping) || std::mem::take(&mut menu.about)) {
        return None;
    }
    shown.or(escaped.then_some(SessionMenuAction::Close))
}

fn content(menu: &mut SessionMenu, ui: &mut Ui) -> Option<SessionMenuAction> {
    ui.spacing_mut().scroll = theme::scroll_bars();
    if menu.about {
        about(ui);
        if ui.button("Back").clicked() {
            menu.about = false;
        }
        return None;
    }
    if menu.stopping {
        return stop(menu, ui);
    }
    let note = RichText::new(&menu.note).small().color(ui.visuals().weak_text_color());
    let width = ui.available_width();
    let note = egui::WidgetText::from(note).into_galley(
        ui,
        Some(egui::TextWrapMode::Wrap),
        width,
        egui::TextStyle::Small,
    );
    let room = (ui.available_height() - FOOTER_HEIGHT - note.size().y).max(80.0);
    let shown = ScrollArea::vertical().max_height(room).auto_shrink([false, false]).show(ui, |ui| {
        let settings = settings(menu, ui);
        ui.separator();
        entries(menu, ui).or(settings)
    });
    ui.add(Label::new(note).wrap());
    ui.separator();
    let words = RichText::new("Disconnect").color(theme::on_alarm(ui));
    let leave = Button::new(words).fill(theme::alarm(ui)).min_size(Vec2::new(width, 0.0));
    let leaves = ui.add(leave).clicked();
    leaves.then_some(SessionMenuAction::Disconnect).or(shown.inner)
}

fn settings(menu: &mut SessionMenu, ui: &mut Ui) -> Option<SessionMenuAction> {
    let mut action = None;
    let grid = Grid::new("settings").num_columns(2).min_col_width(LABEL_WIDTH);
    grid.spacing([COLUMN_GAP, ROW_GAP]).show(ui, |ui| {
        // Every row is as high, whatever is in it.
        ui.spacing_mut().interact_size.y = ROW_HEIGHT;
        action = pictures(menu, ui).or(action.take());
        action = bandwidth(menu, ui).or(action.take());
        action = renderer(menu, ui).or(action.take());
        action = scaling(menu, ui).or(action.take());
        action = clipboard(menu, ui).or(action.take());
        action = overlay(menu, ui).or(action.take());
    });
    action
}

fn entries(menu: &mut SessionMenu, ui: &mut Ui) -> Option<SessionMenuAction> {
    let mut action = None;
    let width = ui.available_width();
    ui.spacing_mut().item_spacing.y = 2.0;
    let mut entry = |words: &str, keys: &str, why_not: Option<&str>| {
        let mut button = Button::new(words.to_owned()).frame_when_inactive(false);
        button = button.min_size(Vec2::new(width, 0.0)).shortcut_text(keys.to_owned());
        let shown = ui.add_enabled(why_not.is_none(), button);
        if shown.has_focus() && super::is_typing(ui) {
            shown.scroll_to_me(None);
        }
        shown.on_disabled_hover_text(why_not.unwrap_or_default()).clicked()
    };
    let record = if menu.recording { "Stop recording" } else { "Record the session" };
    let no_replay = (!menu.has_replay).then_some("It was started with --instant-replay=no");
    let no_name = menu.keep_as.is_none().then_some("This session's address is not kept");
    for (words, keys, why_not, meaning) in [
        ("Start a program …", "", None, SessionMenuAction::Card),
        ("Refresh", "", None, SessionMenuAction::Refresh),
        ("Full screen", menu.keys.full_screen.as_str(), None, SessionMenuAction::FullScreen),
        ("Session information", menu.keys.session_info.as_str(), None, SessionMenuAction::SessionInfo),
        ("Save a picture of the window", "", None, SessionMenuAction::Screenshot),
        (record, "", None, SessionMenuAction::Record),
        ("Save what just happened", "", no_replay, SessionMenuAction::Replay),
        ("Keep these settings for this connection", "", no_name, SessionMenuAction::Keep),
        ("Settings for all sessions …", "", None, SessionMenuAction::Settings),
    ] {
        if entry(words, keys, why_not) {
            action = Some(meaning);
        }
    }
    if entry("About Farpane", "", None) {
        menu.about = true;
    }
    let no_stop = (!menu.can_stop).then_some("The server does not allow it");
    if entry("Stop the session …", "", no_stop) {
        menu.stopping = true;
    }
    action
}

fn pictures(menu: &mut SessionMenu, ui: &mut Ui) -> Option<SessionMenuAction> {
    let mut action = None;
    let all: Vec<String> = std::iter::once(String::new()).chain(menu.encodings.iter().cloned()).collect();
    let words =
        |encoding: &String| if encoding.is_empty() { "automatic".to_owned() } else { encoding.clone() };
    if choice("Encoding", &mut menu.encoding, &all, words, ui) {
        action = Some(SessionMenuAction::Encoding(menu.encoding.clone()));
    }
    if percent("Quality", &mut menu.quality, ui) {
        action = Some(SessionMenuAction::Quality(menu.quality));
    }
    if percent("Speed", &mut menu.speed, ui) {
        action = Some(SessionMenuAction::Speed(menu.speed));
    }
    action
}

/// A part of a hundred, or the server's choice. Returns whether the user came to one.
fn percent(name: &str, value: &mut u8, ui: &mut Ui) -> bool {
    let label = ui.label(name).id;
    let chosen = ui.horizontal(|ui| {
        let mut automatic = *value == 0;
        let ticked = ui.checkbox(&mut automatic, "automatic").labelled_by(label).changed();
        if ticked {
            *value = if automatic { 0 } else { FIRST_PERCENT };
        }
        if automatic {
            return ticked;
        }
        ui.spacing_mut().slider_width = (ui.available_width() - NUMBER_WIDTH).max(40.0);
        let response = ui.add(Slider::new(value, 1..=100).suffix(" %")).labelled_by(label);
        // The server is told where the slider ends up, not every step on the way.
        ticked || (response.changed() && !response.dragged()) || response.drag_stopped()
    });
    ui.end_row();
    chosen.inner
}

fn bandwidth(menu: &mut SessionMenu, ui: &mut Ui) -> Option<SessionMenuAction> {
    let label = ui.label("Bandwidth").id;
    let chosen = ui.horizontal(|ui| {
        let mut unlimited = menu.bandwidth == 0;
        let ticked = ui.checkbox(&mut unlimited, "no limit").labelled_by(label).changed();
        if ticked {
            menu.bandwidth = if unlimited { 0 } else { FIRST_BANDWIDTH };
        }
        let words = |limit: &u64| format!("{} Mbit/s", limit / 1_000_000);
        ticked || (!unlimited && list("Bandwidth", label, &mut menu.bandwidth, &BANDWIDTHS, words, ui))
    });
    ui.end_row();
    chosen.inner.then_some(SessionMenuAction::Bandwidth(menu.bandwidth))
}

fn renderer(menu: &mut SessionMenu, ui: &mut Ui) -> Option<SessionMenuAction> {
    let words = |choice| match choice {
        RendererChoice::Auto => "automatic",
        RendererChoice::Wgpu => "GPU (wgpu)",
        RendererChoice::Cpu => "CPU",
    };
    let all = [RendererChoice::Auto, RendererChoice::Wgpu, RendererChoice::Cpu];
    let chosen = choice("Renderer", &mut menu.renderer, &all, |choice| words(*choice).to_owned(), ui);
    chosen.then_some(SessionMenuAction::Renderer(menu.renderer))
}

fn scaling(menu: &mut SessionMenu, ui: &mut Ui) -> Option<SessionMenuAction> {
    let mut all = vec![DesktopScaling::Off, DesktopScaling::Auto, DesktopScaling::Hidpi];
    all.extend(SCALES.into_iter().filter_map(Scale::percent).map(DesktopScaling::By));
    let scale = choice("Scaling", &mut menu.scaling, &all, scaling_words, ui);
    let words = |filter| match filter {
        ScalingFilter::Auto => "automatic",
        ScalingFilter::Linear => "smooth",
        ScalingFilter::Nearest => "sharp",
    };
    let all = [ScalingFilter::Auto, ScalingFilter::Linear, ScalingFilter::Nearest];
    let filter = choice("Filter", &mut menu.filter, &all, |filter| words(*filter).to_owned(), ui);
    (scale || filter).then_some(SessionMenuAction::Scaling)
}

/// What a scale is called in lists.
pub fn scaling_words(scaling: &DesktopScaling) -> String {
    match scaling {
        DesktopScaling::Off => "off".to_owned(),
        DesktopScaling::Auto => "as the monitor".to_owned(),
        DesktopScaling::Hidpi => "as the monitor, from 150 % on".to_owned(),
        DesktopScaling::By(scale) => format!("{} %", scale.in_percent()),
    }
}

fn overlay(menu: &mut SessionMenu, ui: &mut Ui) -> Option<SessionMenuAction> {
    let label = ui.label("Statistics").id;
    let chosen = ui.horizontal(|ui| {
        let keys = RichText::new(&menu.keys.overlay).weak();
        let keys = egui::WidgetText::from(keys);
        let keys =
            keys.into_galley(ui, Some(egui::TextWrapMode::Extend), f32::INFINITY, egui::TextStyle::Button);
        let width = (ui.available_width() - keys.size().x - ui.spacing().item_spacing.x).max(60.0);
        let words = |step: &OverlayStep| step.words().to_owned();
        let chosen = wide_list("Statistics", (label, width), &mut menu.overlay, &OverlayStep::ALL, words, ui);
        ui.label(keys);
        chosen
    });
    ui.end_row();
    chosen.inner.then_some(SessionMenuAction::Overlay)
}

fn clipboard(menu: &mut SessionMenu, ui: &mut Ui) -> Option<SessionMenuAction> {
    let Some(direction) = &mut menu.clipboard else {
        ui.label("Clipboard");
        ui.weak("not in this session");
        ui.end_row();
        return None;
    };
    let words = |direction: &Direction| {
        let words = match direction {
            Direction::Both => "both ways",
            Direction::ToServer => "only to the server",
            Direction::ToClient => "only from the server",
            Direction::Disabled => "off",
        };
        words.to_owned()
    };
    let chosen = choice("Clipboard", direction, &Direction::ALL, words, ui);
    chosen.then_some(SessionMenuAction::Clipboard(*direction))
}

/// A row with a list of what can be chosen. Returns whether something was.
fn choice<T: Clone + PartialEq>(
    name: &str,
    chosen: &mut T,
    all: &[T],
    words: impl Fn(&T) -> String,
    ui: &mut Ui,
) -> bool {
    let label = ui.label(name).id;
    let clicked = list(name, label, chosen, all, words, ui);
    ui.end_row();
    clicked
}

/// A list as wide as there is room.
fn list<T: Clone + PartialEq>(
    name: &str,
    label: egui::Id,
    chosen: &mut T,
    all: &[T],
    words: impl Fn(&T) -> String,
    ui: &mut Ui,
) -> bool {
    let width = ui.available_width();
    wide_list(name, (label, width), chosen, all, words, ui)
}

fn wide_list<T: Clone + PartialEq>(
    name: &str,
    (label, width): (egui::Id, f32),
    chosen: &mut T,
    all: &[T],
    words: impl Fn(&T) -> String,
    ui: &mut Ui,
) -> bool {
    let mut clicked = false;
    let look = |style: &mut egui::Style| {
        egui::containers::menu::menu_style(style);
        style.spacing.scroll = theme::scroll_bars();
        style.spacing.button_padding = Vec2::new(8.0, 3.0);
    };
    let shown = ComboBox::from_id_salt(name)
        .selected_text(words(chosen))
        .width(width)
        .height(LIST_HEIGHT)
        .popup_style(egui::style::StyleModifier::new(look))
        .truncate()
        .show_ui(ui, |ui| {
            for one in all {
                let shown = ui.selectable_value(chosen, one.clone(), words(one));
                if shown.has_focus() && super::is_typing(ui) {
                    shown.scroll_to_me(None);
                }
                if shown.clicked() {
                    clicked = true;
                    ui.close();
                }
            }
        });
    if shown.inner.is_some() && !ComboBox::is_open(ui.ctx(), shown.response.id) {
        // Back from the list: the next field is one step away.
        shown.response.request_focus();
    }
    shown.response.labelled_by(label);
    clicked
}

/// Whether the session is to end; Escape is a no.
fn stop(menu: &mut SessionMenu, ui: &mut Ui) -> Option<SessionMenuAction> {
    let sure = stop_ui(ui)?;
    menu.stopping = sure;
    sure.then_some(SessionMenuAction::Stop)
}

/// The question whether the session is to end. `Some` when the user answered.
pub fn stop_ui(ui: &mut Ui) -> Option<bool> {
    ui.label(RichText::new("Stop the session?").heading().color(theme::accent(ui)));
    ui.label("Its programs end, for everybody who is attached. What is not saved is lost.");
    ui.add_space(12.0);
    ui.horizontal(|ui| {
        let back = ui.button("Back").clicked().then_some(false);
        ui.button("Stop the session").clicked().then_some(true).or(back)
    })
    .inner
}

fn about(ui: &mut Ui) {
    ui.label(
        RichText::new(concat!("Farpane ", env!("CARGO_PKG_VERSION"))).heading().color(theme::accent(ui)),
    );
    ui.label(env!("CARGO_PKG_DESCRIPTION"));
    ui.label("Licensed under MIT or Apache-2.0, at your choice.");
    ui.add(
        Label::new("The licences of what it is made of come with the packages: THIRD-PARTY-LICENSES.").wrap(),
    );
}
