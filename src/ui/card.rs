//! The session's card: what the session is, what can be started in it, and the ways out of it. Shown while it has no window,
//! and when the user wants it.

use std::sync::Arc;
use std::time::Duration;

use egui::{
    Align, Button, CentralPanel, Frame, Key, Label, Layout, RichText, ScrollArea, TextEdit, Ui, UiBuilder,
};

use super::away::{AwayAction, AwayState};
use super::plate::Button as _;
use super::theme;
use crate::protocol::packet::menu::{Application, Menu};

/// Size of its window in points, to begin with.
pub const CARD_SIZE: (u32, u32) = (420, 460);
/// For the buttons below all others, and what is free above them.
const BUTTONS_HEIGHT: f32 = 42.0;
const GAP: f32 = 10.0;
/// Applications that are listed at once; typing finds the others.
const MAX_LISTED: usize = 300;

/// What the card says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardState {
    /// The session's name, if it has one.
    pub name: String,
    /// Its address, without a password.
    pub server: String,
    /// How far away the server is.
    pub ping: Option<Duration>,
    /// For how long the session has been shown.
    pub connected: Duration,
    /// It has no window.
    pub is_bare: bool,
    /// It is all that is seen of the session: it cannot be closed.
    pub must_stay: bool,
    /// The connection is lost, or the server does not answer.
    pub away: Option<AwayState>,
    /// The server starts programs for its clients.
    pub can_start: bool,
    /// The server lets its clients end the session.
    pub can_stop: bool,
    /// The server's display, for programs that are started there.
    pub display: String,
    /// The server's applications.
    pub menu: Arc<Menu>,
    /// What became of the program that was started last.
    pub note: String,
}

impl CardState {
    /// What the session is called.
    pub fn title(&self) -> &str {
        if self.name.is_empty() { &self.server } else { &self.name }
    }
}

/// What the user does in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardForm {
    /// A command line, or part of an application's name.
    pub command: String,
    /// Ask whether the session is to end.
    pub stopping: bool,
    /// The command line is to have the focus. A card that comes by itself has it nowhere: what is typed then was meant
    /// for another window.
    pub focus: bool,
}

/// What the user wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardAction {
    Start(Application),
    /// What the buttons over windows offer while nothing moves.
    Away(AwayAction),
    Disconnect,
    /// End the session, with all that runs in it.
    Stop,
    /// Away with the card, if the session has windows.
    Close,
}

/// The card's content.
pub fn card_ui(state: &CardState, form: &mut CardForm, ui: &mut Ui) -> Option<CardAction> {
    let frame = Frame::new().fill(ui.visuals().panel_fill).inner_margin(18);
    let escaped = ui.input(|input| input.key_pressed(Key::Escape));
    if escaped && std::mem::take(&mut form.stopping) {
        return None;
    }
    let shown = CentralPanel::default().frame(frame).show(ui, |ui| {
        if form.stopping {
            return stop(form, ui);
        }
        // The ways out can be seen in a window of any size.
        let (all, edge) = (ui.max_rect(), ui.max_rect().bottom() - BUTTONS_HEIGHT);
        let above = UiBuilder::new().max_rect(all.with_max_y(edge));
        let started = ui.scope_builder(above, |ui| {
            ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| content(state, form, ui)).inner
        });
        let below = UiBuilder::new().max_rect(all.with_min_y(edge + GAP));
        started.inner.or(ui.scope_builder(below, |ui| ways_out(state, form, ui)).inner)
    });
    shown.inner.or((escaped && !state.must_stay).then_some(CardAction::Close))
}

fn content(state: &CardState, form: &mut CardForm, ui: &mut Ui) -> Option<CardAction> {
    head(state, ui);
    if let Some(away) = &state.away {
        return lost(away, ui);
    }
    if state.can_start {
        return start(state, form, ui);
    }
    let place = if state.display.is_empty() { "its display" } else { &state.display };
    let words = format!(
        "The server starts no programs for those who are attached. One that is started on its machine, on \
         {place}, is shown here."
    );
    ui.add(Label::new(words).wrap());
    None
}

fn head(state: &CardState, ui: &mut Ui) {
    ui.add(Label::new(RichText::new(state.title()).heading().color(theme::accent(ui))).truncate());
    if !state.name.is_empty() {
        ui.add(Label::new(RichText::new(&state.server).color(ui.visuals().weak_text_color())).truncate());
    }
    if state.away.is_none() {
        let facts = [
            state.is_bare.then(|| "no windows".to_owned()),
            state.ping.map(|ping| format!("ping {}", millis(ping))),
            Some(format!("connected {}", ago(state.connected))),
        ];
        let line = facts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
        ui.add(Label::new(line).truncate());
    }
    ui.separator();
}

fn lost(away: &AwayState, ui: &mut Ui) -> Option<CardAction> {
    ui.label(RichText::new(&away.line).strong().color(ui.visuals().warn_fg_color));
    ui.add(Label::new(&away.why).wrap());
    // The way out stands below, whatever goes on.
    let ways_back = away.buttons.iter().copied().filter(|action| *action != AwayAction::Disconnect);
    ways_back.filter(|action| ui.button(action.words()).clicked()).last().map(CardAction::Away)
}

/// A command line, and the applications that what is typed there is part of.
fn start(state: &CardState, form: &mut CardForm, ui: &mut Ui) -> Option<CardAction> {
    let label = ui.label("Start a program").id;
    let (mut action, mut is_quoted) = (None, true);
    ui.horizontal(|ui| {
        let words = Button::new("Start");
        let room = ui.available_width() - 76.0;
        let edit = TextEdit::singleline(&mut form.command).hint_text("a command, as in a terminal").margin(6);
        let field = ui.add(edit.desired_width(room)).labelled_by(label);
        if std::mem::take(&mut form.focus) {
            field.request_focus();
        }
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let command = form.command.trim();
        is_quoted = shlex::split(command).is_some();
        let may_start = is_quoted && !command.is_empty();
        if (ui.add_enabled(may_start, words).clicked() || entered) && may_start {
            let name = command.split_whitespace().next().unwrap_or_default().to_owned();
            action = Some(Application { name, command: command.to_owned() });
        }
        if entered {
            field.request_focus();
        }
    });
    let note = if is_quoted { state.note.as_str() } else { "A quotation mark has no partner." };
    if !note.is_empty() {
        ui.add(Label::new(RichText::new(note).color(ui.visuals().warn_fg_color)).wrap());
    }
    if let Some(chosen) = applications(&state.menu, &form.command, ui) {
        let command = chosen.command_line();
        action = Some(Application { command, ..chosen });
    }
    if action.is_some() {
        form.command.clear();
    }
    action.map(CardAction::Start)
}

/// Lists those whose name or command has this in it.
fn applications(menu: &Menu, part: &str, ui: &mut Ui) -> Option<Application> {
    let part = part.trim().to_lowercase();
    let is_meant = |application: &&Application| {
        [&application.name, &application.command].iter().any(|text| text.to_lowercase().contains(&part))
    };
    let mut left = MAX_LISTED;
    let mut chosen = None;
    for category in &menu.categories {
        let listed: Vec<&Application> = category.applications.iter().filter(is_meant).take(left).collect();
        left -= listed.len();
        if listed.is_empty() {
            continue;
        }
        ui.label(RichText::new(&category.name).small().color(ui.visuals().weak_text_color()));
        ui.with_layout(Layout::top_down_justified(Align::LEFT), |ui| {
            for application in listed {
                let row = ui.selectable_label(false, &application.name);
                if row.has_focus() && super::is_typing(ui) {
                    row.scroll_to_me(None);
                }
                if row.clicked() {
                    chosen = Some(application.clone());
                }
            }
        });
    }
    if left == 0 {
        ui.weak("Typing a name finds the others.");
    }
    chosen
}

fn ways_out(state: &CardState, form: &mut CardForm, ui: &mut Ui) -> Option<CardAction> {
    ui.with_layout(Layout::right_to_left(Align::Max), |ui| {
        let disconnect = ui.button("Disconnect").clicked().then_some(CardAction::Disconnect);
        let stop = ui.add_enabled(state.can_stop && state.away.is_none(), Button::new("Stop the session …"));
        if stop.on_disabled_hover_text("The server does not allow it").clicked() {
            form.stopping = true;
        }
        disconnect
    })
    .inner
}

/// Whether the session is to end; Escape is a no.
fn stop(form: &mut CardForm, ui: &mut Ui) -> Option<CardAction> {
    super::session_menu::stop_ui(ui).and_then(|sure| {
        form.stopping = false;
        sure.then_some(CardAction::Stop)
    })
}

fn millis(ping: Duration) -> String {
    match ping.as_millis() {
        0 => "below 1 ms".to_owned(),
        millis => format!("{millis} ms"),
    }
}

/// In the words of a clock that nobody has to look at twice.
fn ago(time: Duration) -> String {
    match time.as_secs() {
        0..60 => "just now".to_owned(),
        seconds @ 60..3600 => format!("for {} min", seconds / 60),
        seconds @ 3600..86_400 => format!("for {} h {} min", seconds / 3600, seconds / 60 % 60),
        seconds => format!("for {} days", seconds / 86_400),
    }
}
