//! The session's card: when it is shown, and what it says. While no window of the session is on the screen, it is all that
//! the user sees of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use winit::dpi::LogicalSize;
use winit::event_loop::ActiveEventLoop;
use winit::window::{Window, WindowAttributes};

use crate::channel::{OwnId, RenderQueue, clock};
use crate::protocol::packet::menu::{Application, Menu};
use crate::session::ServerInfo;
use crate::ui::AwayState;
use crate::ui::card::{CARD_SIZE, CardAction, CardForm, CardState, card_ui};

use super::panel::{Panel, PanelWindow};
use super::screen::{self, Screen};

/// Programs may swap their windows, and a new session's first one may be on its way.
const CARD_AFTER: Duration = Duration::from_secs(1);
/// A program that was started and shows no window for this long: the user is told that none came.
const START_PATIENCE: Duration = Duration::from_secs(5);
/// How often it says anew how long the session has been shown: only whole minutes are said.
const MINUTE: Duration = Duration::from_secs(60);

/// What is known of the session, and its card.
pub struct CardView {
    render: RenderQueue,
    state: CardState,
    /// When the server accepted us first.
    since: Option<Instant>,
    /// Each window of the session is one of its own: it can be without any.
    is_seamless: bool,
    /// All windows that it has were announced.
    is_ready: bool,
    /// Since when it has none.
    bare_since: Option<Instant>,
    /// The user opened it.
    is_asked: bool,
    started: Option<Started>,
    window: Option<PanelWindow<Card>>,
    /// The system makes no such window.
    failed: bool,
}

/// A program that the server was asked to start.
struct Started {
    name: String,
    /// The command line, if it was typed.
    typed: Option<String>,
    at: Instant,
}

/// What the window shows.
pub struct Card {
    state: CardState,
    form: CardForm,
    size: LogicalSize<f64>,
}

impl CardView {
    /// Of the session at this address, which has not begun.
    pub fn new(render: RenderQueue, server: String) -> Self {
        Self {
            render,
            state: CardState { server, ..CardState::default() },
            since: None,
            is_seamless: false,
            is_ready: false,
            bare_since: None,
            is_asked: false,
            started: None,
            window: None,
            failed: false,
        }
    }

    /// The server accepted us.
    pub fn connected(&mut self, server: &ServerInfo) {
        self.since.get_or_insert_with(clock::now);
        if !server.session_name.is_empty() {
            self.state.name.clone_from(&server.session_name);
        }
        self.state.display.clone_from(&server.display);
        (self.state.can_start, self.state.can_stop) = (server.can_start, server.can_stop);
        self.is_seamless = server.is_seamless();
    }

    /// It announced all its windows.
    pub fn startup_complete(&mut self) {
        self.is_ready = true;
    }

    /// How far away the server is.
    pub fn latency(&mut self, ping: Duration) {
        self.state.ping = Some(ping);
    }

    /// The applications that the server has.
    pub fn menu(&mut self, menu: Menu) {
        self.state.menu = Arc::new(menu);
    }

    /// A window of the session is about to be shown, or a menu or the like: the card has done its work.
    pub fn window_comes(&mut self, is_popup: bool) {
        (self.bare_since, self.state.is_bare) = (None, false);
        if !self.is_asked || self.started.is_some() && !is_popup {
            self.close();
        }
    }

    /// The user wants to see it.
    pub fn ask(&mut self) {
        self.is_asked = true;
        self.failed = false;
        if let Some(window) = &mut self.window {
            window.panel_mut().form.focus = true;
        }
    }

    /// Closes it, if the session has windows. Returns whether that is so.
    pub fn dismiss(&mut self) -> bool {
        if !self.state.must_stay {
            self.close();
            return true;
        }
        false
    }

    /// The server was asked to start this.
    pub fn started(&mut self, application: &Application) {
        self.state.note = format!("Starting {} …", application.name);
        let Application { name, command } = application;
        let is_listed = self
            .state
            .menu
            .categories
            .iter()
            .any(|category| category.applications.iter().any(|listed| listed.name == *name));
        let typed = (!is_listed).then(|| command.clone());
        self.started = Some(Started { name: name.clone(), typed, at: clock::now() });
    }

    /// The window, if it is open.
    pub fn window(&mut self) -> Option<&mut PanelWindow<Card>> {
        self.window.as_mut()
    }

    /// Whether it is open.
    pub fn is_shown(&self) -> bool {
        self.window.is_some()
    }

    /// Opens it, closes it and paints it, as it is time. `away`: nothing moves, and whether that is said nowhere
    /// else. `own` counts the windows of our own.
    pub fn update(
        &mut self,
        has_windows: bool,
        (away, is_unseen): (Option<AwayState>, bool),
        own: &mut OwnId,
        screen: &Screen,
        event_loop: &ActiveEventLoop,
    ) -> Option<CardAction> {
        let now = clock::now();
        self.look(now, has_windows, away);
        self.state.must_stay = !has_windows || is_unseen;
        let is_overdue = self.bare_since.is_some_and(|since| now >= since + CARD_AFTER);
        let is_wanted = self.is_asked || is_overdue || is_unseen;
        if !is_wanted {
            self.close();
            return None;
        }
        if self.window.is_none() && !self.failed {
            own.0 += 1;
            self.open(*own, screen, event_loop);
        }
        let window = self.window.as_mut()?;
        if window.panel().state != self.state {
            window.panel_mut().state = self.state.clone();
        }
        window.update()
    }

    /// When [`Self::update`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        let Some(window) = &self.window else {
            return self.bare_since.filter(|_| !self.failed).map(|since| since + CARD_AFTER);
        };
        let minute = self.since.map(|since| since + self.state.connected + MINUTE);
        let told = self.started.as_ref().map(|started| started.at + START_PATIENCE);
        [window.deadline(), minute, told].into_iter().flatten().min()
    }

    /// Takes how things stand.
    fn look(&mut self, now: Instant, has_windows: bool, away: Option<AwayState>) {
        let is_bare = self.is_seamless && self.is_ready && !has_windows;
        self.bare_since = is_bare.then(|| self.bare_since.unwrap_or(now));
        self.state.is_bare = !has_windows;
        if away.is_some() {
            self.started = None;
            self.state.note.clear();
        }
        self.state.away = away;
        let connected = self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        self.state.connected = Duration::from_secs(connected.as_secs() / 60 * 60);
        if let Some(Started { name, typed, at }) = &self.started
            && now >= *at + START_PATIENCE
        {
            // It may have been mistyped.
            if let (Some(window), Some(typed)) = (&mut self.window, typed)
                && self.is_seamless
                && window.panel().form.command.is_empty()
            {
                window.panel_mut().form.command.clone_from(typed);
            }
            // Where all is one screen, what came is seen there.
            self.state.note = if !self.is_seamless {
                String::new()
            } else {
                format!(
                    "No window came of {name}. The server does not say why: its log does, or {name} in a terminal there."
                )
            };
            self.started = None;
        }
    }

    fn open(&mut self, id: OwnId, screen: &Screen, event_loop: &ActiveEventLoop) {
        let card = Card {
            state: self.state.clone(),
            form: CardForm { focus: self.is_asked, ..CardForm::default() },
            size: screen::own_size(CARD_SIZE, &screen.desktop, event_loop),
        };
        match PanelWindow::open(card, id, event_loop, self.render.clone()) {
            Ok(window) => {
                window.follow_theme(screen);
                self.window = Some(window);
            }
            Err(error) => {
                tracing::error!(%error, "the session's card cannot be opened");
                self.failed = true;
            }
        }
    }

    /// The session is over.
    pub fn end(&mut self) {
        self.is_ready = false;
        self.close();
    }

    fn close(&mut self) {
        self.window = None;
        self.is_asked = false;
        self.started = None;
        self.state.note.clear();
    }
}

impl Panel for Card {
    type Action = CardAction;

    fn attributes(&self) -> WindowAttributes {
        Window::default_attributes()
            .with_title(format!("Farpane: {}", super::attributes::text(self.state.title())))
            .with_inner_size(self.size)
            .with_min_inner_size(LogicalSize::new(300, 240))
    }

    fn ui(&mut self, ui: &mut egui::Ui) -> Option<CardAction> {
        card_ui(&self.state, &mut self.form, ui)
    }

    fn closed(&self) -> CardAction {
        CardAction::Close
    }
}
