//! The session menu: what can be changed while a session runs.

use egui::{CentralPanel, ComboBox, Frame, Grid, Key, Label, RichText, ScrollArea, Slider, Ui};

use super::theme;
use crate::channel::{DesktopScaling, RendererChoice, Scale, ScalingFilter};
use crate::session::clipboard::Direction;

/// Size of the window in points, to begin with.
pub const SESSION_MENU_SIZE: (u32, u32) = (380, 656);

/// Bandwidth limits to choose from, in bits per second; 0: none.
const BANDWIDTHS: [u64; 8] =
    [0, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 20_000_000, 50_000_000, 100_000_000];

/// Scales to choose from, in percent, beside one to one and the monitor's.
const SCALES: [u32; 5] = [75, 125, 150, 200, 300];

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
    pub overlay: bool,
    /// Which way copies go; `None`: this session has no clipboard.
    pub clipboard: Option<Direction>,
    /// The session is being recorded.
    pub recording: bool,
    /// What became of the last thing that was done, for example where a picture was saved.
    pub note: String,
    /// Show what program this is.
    pub about: bool,
    /// The server lets its clients end the session.
    pub can_stop: bool,
    /// Ask whether that is meant.
    pub stopping: bool,
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
    /// Show or hide the statistics overlay.
    Overlay,
    /// Open the session's card.
    Card,
    /// Open or close the session information window.
    SessionInfo,
    /// Save a picture of the window that the menu was opened in.
    Screenshot,
    /// Record to a file, or stop that.
    Record,
    Disconnect,
    /// End the session, with all that runs in it.
    Stop,
    Close,
}

/// The menu's content. What is chosen is changed in `menu` too.
pub fn session_menu_ui(menu: &mut SessionMenu, ui: &mut Ui) -> Option<SessionMenuAction> {
    let frame = Frame::new().fill(ui.visuals().panel_fill).inner_margin(18);
    let shown = CentralPanel::default()
        .frame(frame)
        .show(ui, |ui| ScrollArea::vertical().show(ui, |ui| content(menu, ui)).inner);
    let escaped = ui.input(|input| input.key_pressed(Key::Escape));
    if escaped && std::mem::take(&mut menu.stopping) {
        return None;
    }
    shown.inner.or(escaped.then_some(SessionMenuAction::Close))
}

fn content(menu: &mut SessionMenu, ui: &mut Ui) -> Option<SessionMenuAction> {
    let mut action = None;
    if menu.about {
        about(ui);
        if ui.button("Back").clicked() {
            menu.about = false;
        }
        return action;
    }
    if menu.stopping {
        return stop(menu, ui);
    }
    Grid::new("settings").num_columns(2).min_col_width(90.0).spacing([12.0, 10.0]).show(ui, |ui| {
        action = pictures(menu, ui).or(action.take());
        action = bandwidth(menu, ui).or(action.take());
        action = renderer(menu, ui).or(action.take());
        action = scaling(menu, ui).or(action.take());
        action = clipboard(menu, ui).or(action.take());
    });
    ui.add_space(6.0);
    if ui.checkbox(&mut menu.overlay, "Statistics overlay").clicked() {
        action = Some(SessionMenuAction::Overlay);
    }
    ui.separator();
    let wide = egui::Vec2::new(ui.available_width(), 0.0);
    for (words, meaning) in [
        ("Start a program …", SessionMenuAction::Card),
        ("Session information", SessionMenuAction::SessionInfo),
        ("Save a picture of the window", SessionMenuAction::Screenshot),
        (if menu.recording { "Stop recording" } else { "Record the session" }, SessionMenuAction::Record),
        ("Disconnect", SessionMenuAction::Disconnect),
    ] {
        if ui.add(egui::Button::new(words).min_size(wide)).clicked() {
            action = Some(meaning);
        }
    }
    let stop = egui::Button::new("Stop the session …").min_size(wide);
    if ui.add_enabled(menu.can_stop, stop).on_disabled_hover_text("The server does not allow it").clicked() {
        menu.stopping = true;
    }
    if ui.add(egui::Button::new("About Farpane").min_size(wide)).clicked() {
        menu.about = true;
    }
    ui.add(Label::new(RichText::new(&menu.note).small().color(ui.visuals().weak_text_color())).wrap());
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
    let percent = |name: &str, value: &mut u8, ui: &mut Ui| {
        let label = ui.label(name).id;
        let slider = Slider::new(value, 0..=100).custom_formatter(|value, _| match value as u8 {
            0 => "automatic".to_owned(),
            percent => format!("{percent} %"),
        });
        let response = ui.add(slider).labelled_by(label);
        ui.end_row();
        // The server is told where the slider ends up, not every step on the way.
        (response.changed() && !response.dragged()) || response.drag_stopped()
    };
    if percent("Quality", &mut menu.quality, ui) {
        action = Some(SessionMenuAction::Quality(menu.quality));
    }
    if percent("Speed", &mut menu.speed, ui) {
        action = Some(SessionMenuAction::Speed(menu.speed));
    }
    action
}

fn bandwidth(menu: &mut SessionMenu, ui: &mut Ui) -> Option<SessionMenuAction> {
    let words = |limit: &u64| match limit {
        0 => "no limit".to_owned(),
        limit => format!("{} Mbit/s", limit / 1_000_000),
    };
    let chosen = choice("Bandwidth", &mut menu.bandwidth, &BANDWIDTHS, words, ui);
    chosen.then_some(SessionMenuAction::Bandwidth(menu.bandwidth))
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
    let words = |scaling: &DesktopScaling| match scaling {
        DesktopScaling::Off => "off".to_owned(),
        DesktopScaling::Auto => "as the monitor".to_owned(),
        DesktopScaling::By(scale) => format!("{} %", scale.in_percent()),
    };
    let mut all = vec![DesktopScaling::Off, DesktopScaling::Auto];
    all.extend(SCALES.into_iter().filter_map(Scale::percent).map(DesktopScaling::By));
    let scale = choice("Scaling", &mut menu.scaling, &all, words, ui);
    let words = |filter| match filter {
        ScalingFilter::Auto => "automatic",
        ScalingFilter::Linear => "smooth",
        ScalingFilter::Nearest => "sharp",
    };
    let all = [ScalingFilter::Auto, ScalingFilter::Linear, ScalingFilter::Nearest];
    let filter = choice("Filter", &mut menu.filter, &all, |filter| words(*filter).to_owned(), ui);
    (scale || filter).then_some(SessionMenuAction::Scaling)
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

/// A field with a list of what can be chosen. Returns whether something was.
fn choice<T: Clone + PartialEq>(
    name: &str,
    chosen: &mut T,
    all: &[T],
    words: impl Fn(&T) -> String,
    ui: &mut Ui,
) -> bool {
    let mut clicked = false;
    let label = ui.label(name).id;
    let shown = ComboBox::from_id_salt(name).selected_text(words(chosen)).show_ui(ui, |ui| {
        for one in all {
            if ui.selectable_value(chosen, one.clone(), words(one)).clicked() {
                clicked = true;
                ui.close();
            }
        }
    });
    if clicked {
        // Back from the list: the next field is one step away.
        shown.response.request_focus();
    }
    shown.response.labelled_by(label);
    ui.end_row();
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
