//! A session that is being shown: its windows, its dialogs, and the threads behind them.

mod card;
mod connection;
mod menu;
mod popups;
mod remote;
mod windows;

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use anyhow::Context as _;
use winit::event::{DeviceEvent, WindowEvent};
use winit::event_loop::{ActiveEventLoop, OwnedDisplayHandle};
use winit::window::WindowId as OsWindowId;

use crate::channel::{
    AppSink, NetCommand, OwnId, RenderCommand, RenderMessage, RenderQueue, Scale, Scaling, clock,
};
use crate::config::Config;
use crate::config::connections::{Store, address};
use crate::desktop::DesktopEvent;
use crate::desktop::clipboard::Clipboard;
use crate::geometry::Size;
use crate::net::ReplayBounds;
use crate::protocol::packet::WindowId;
use crate::render::RenderOptions;
use crate::session::{CloseReason, DisplayInfo, DisplayInput, LocalInfo, Profile, SessionEvent};
use crate::stats::StatsSnapshot;
use crate::threads::{Engine, Queues};
use crate::ui::session_info::SESSION_INFO_SIZE;
use crate::ui::{SessionInfoAction, SessionMenu};

use super::away::AwayView;
use super::card::CardView;
use super::cursor;
use super::dialogs::Question;
use super::full_screen::FullScreen;
use super::greeting::Greeting;
use super::inbox::Inbox;
use super::kept_passwords::KeptPasswords;
use super::kept_settings::{Began, KeptSettings};
use super::leaving::Leaving;
use super::overlay::Overlay;
use super::panel::PanelWindow;
use super::popups::Popups;
use super::screen::{self, Screen, display_info};
use super::session_info::SessionInfo;
use super::session_menu::OpenMenu;
use super::session_recording::SessionRecording;
use super::session_replay::SessionReplay;
use super::settings::SettingsPanel;
use super::titles::Titles;
use super::user_input::{Hotkey, UserInput};
use super::windows::Windows;
use super::{export, picture};

/// A session, from the wish to attach until its threads have ended.
pub struct Attached {
    config: Config,
    queues: Queues,
    windows: Windows,
    popups: Popups,
    /// The window that the pointer is over, or over a popup of which.
    hovered: Option<WindowId>,
    input: UserInput,
    leaving: Leaving,
    overlay: Overlay,
    away: AwayView,
    greeting: Greeting,
    full_screen: FullScreen,
    card: CardView,
    question: Option<PanelWindow<Question>>,
    /// A question that nobody was asked yet.
    asking: Option<Question>,
    /// The number of the last question whose answer was refused, and why.
    refusal: Option<(u32, String)>,
    /// The how manieth question for a password that is.
    question_number: u32,
    kept_passwords: KeptPasswords,
    session_info: Option<PanelWindow<SessionInfo>>,
    menu: Option<PanelWindow<OpenMenu>>,
    settings: Option<PanelWindow<SettingsPanel>>,
    /// What the menu shows when it is opened again.
    chosen: SessionMenu,
    kept_settings: KeptSettings,
    /// The next pixels of this window are a picture that the user asked for.
    wanted_picture: Option<WindowId>,
    /// Windows of our own that were opened so far.
    own_windows: OwnId,
    /// The network thread was told that somebody looks at the statistics.
    watching: bool,
    recording: SessionRecording,
    replay: SessionReplay,
    clipboard: Clipboard,
    engine: Engine,
    /// What the server was told of the screen.
    display: DisplayInfo,
    scale: Scale,
}

impl Attached {
    /// Starts attaching: what becomes of it comes through `inbox`.
    ///
    /// # Errors
    /// If a thread cannot be started, or the recording cannot be created.
    pub fn start(
        config: Config,
        began: Began,
        screen: &Screen,
        event_loop: &ActiveEventLoop,
        inbox: &Arc<Inbox>,
    ) -> anyhow::Result<Self> {
        let hotkeys = [
            (config.overlay_key.clone(), Hotkey::Overlay),
            (config.session_info_key.clone(), Hotkey::SessionInfo),
            (config.session_menu_key.clone(), Hotkey::SessionMenu),
            (config.full_screen_key.clone(), Hotkey::FullScreen),
        ];
        let scale = screen::scale(config.desktop_scaling, event_loop);
        let display = display_info(event_loop, &screen.desktop, scale);
        let recording = SessionRecording::new(&config)?;
        let mut net = config.net(Profile::Attach);
        net.recorder = recording.sink();
        net.session.reconnect = config.reconnect;
        net.replay = config.instant_replay.then(ReplayBounds::default);
        let replay = SessionReplay::new(config.connection.target.to_string(), config.instant_replay);
        let mut clipboard = screen.desktop.clipboard();
        let has_clipboard = net.session.clipboard.enabled && clipboard.is_possible();
        let local = LocalInfo {
            may_prompt: true,
            display: display.clone(),
            keymap: screen.desktop.keymap(crate::input::keysym::name),
            has_clipboard,
            shows_menu: true,
        };
        let handle: OwnedDisplayHandle = event_loop.owned_display_handle();
        let scaling = Scaling { scale, filter: config.scaling_filter };
        let options = RenderOptions { display: Some(Arc::new(handle)), scaling, ..config.render_options() };
        let app: Arc<dyn AppSink> = Arc::clone(inbox) as _;
        let engine = Engine::start(net, local, options, app).context("cannot start the threads")?;
        let queues = engine.queues().clone();
        let to_session = queues.net.clone();
        clipboard.connect(Box::new(move |event| to_session.input(event)));
        let server = address(&config.connection.target);
        let chosen = menu::chosen(&config, has_clipboard);
        let (stats, keys) = (Arc::clone(&queues.stats), config.overlay_key.to_string());
        let mut overlay = Overlay::new(queues.render.clone(), stats, keys, config.overlay);
        overlay.set_chosen(menu::advised_by(&chosen));
        Ok(Self {
            windows: Windows::new(
                (queues.net.clone(), queues.render.clone()),
                (screen.x11, screen.wayland),
                scale,
                (display.size, screen::areas(&screen.desktop)),
                (Titles::new(config.title.clone(), server.clone()), config.border.border(&server)),
            ),
            leaving: Leaving::default(),
            popups: Popups::new(scale, queues.render.clone()),
            hovered: None,
            input: UserInput::new(queues.net.clone(), hotkeys),
            overlay,
            away: AwayView::new(queues.render.clone(), config.reconnect),
            greeting: greeting(&config, queues.render.clone()),
            full_screen: FullScreen::new(config.grab_keyboard),
            card: CardView::new(queues.render.clone(), server),
            question: None,
            asking: None,
            refusal: None,
            question_number: 0,
            kept_passwords: KeptPasswords::of(&config, inbox),
            session_info: None,
            menu: None,
            settings: None,
            kept_settings: KeptSettings::new(began, chosen.clone()),
            chosen,
            wanted_picture: None,
            own_windows: OwnId(0),
            watching: false,
            recording,
            replay,
            clipboard,
            engine,
            display,
            scale,
            config,
            queues,
        })
    }

    /// Asks for the pixels of the first window, which come as [`crate::channel::AppEvent::Pixels`].
    pub fn read_back(&self) {
        if let Some(window) = self.windows.first() {
            let command = RenderCommand::ReadBack { wid: window.wid };
            self.queues.render.push(RenderMessage::Command(command));
        }
    }

    /// Ends what is still running, waits for it, and completes the files that were asked for.
    /// Returns the final statistics.
    pub fn stop(mut self) -> (Arc<StatsSnapshot>, anyhow::Result<()>) {
        self.question = None;
        self.session_info = None;
        self.menu = None;
        self.settings = None;
        self.card.end();
        self.popups.destroy_all();
        self.windows.destroy_all();
        self.engine.stop();
        self.kept_passwords.finish();
        let stats = Arc::clone(&self.queues.stats.lock().unwrap_or_else(PoisonError::into_inner));
        let written = self.config.write_stats(&stats).context("the statistics cannot be written");
        let written = written.and(self.replay.finish().map_err(anyhow::Error::from));
        (stats, written.and(self.recording.finish().map_err(anyhow::Error::from)))
    }

    /// Takes what the session says. Returns why it is over, when it is.
    pub fn session_event(
        &mut self,
        event: SessionEvent,
        screen: &Screen,
        event_loop: &ActiveEventLoop,
    ) -> Option<CloseReason> {
        match event {
            SessionEvent::Connection(event) => return self.connection_said(event),
            SessionEvent::Window(event) => self.window_said(event, screen, event_loop),
            SessionEvent::Pointer(event) => {
                cursor::follow(&event, &mut self.windows, self.scale, screen, event_loop);
            }
            SessionEvent::Clipboard(message) => self.clipboard.send(message),
            SessionEvent::Notice(words) => self.notice(words),
        }
        None
    }

    /// Shows the user what the session wants said.
    fn notice(&mut self, words: String) {
        tracing::warn!("{words}");
        self.tell(words);
    }

    /// Shows the user words, in the menu and over a window.
    fn tell(&mut self, words: String) {
        let over = self.hovered.or(self.windows.first().map(|window| window.wid));
        self.overlay.note(words.clone(), over);
        self.note(words);
    }

    /// Saves what just happened.
    pub fn save_replay(&mut self) {
        let words = self.replay.save(&self.queues.net);
        self.tell(words);
    }

    /// Takes what happened on the desktop.
    pub fn desktop_event(&mut self, event: DesktopEvent, screen: &Screen, event_loop: &ActiveEventLoop) {
        match event {
            DesktopEvent::WindowState(native) => self.windows.mark_dirty_native(native),
            DesktopEvent::Screen => self.sync_scale(screen, event_loop),
            DesktopEvent::Stacking => self.windows.restacked(),
            DesktopEvent::Popup { number, event } => self.popup_event(number, event),
        }
    }

    /// Tells the server what the screen is like, if that changed.
    fn sync_screen(&mut self, screen: &Screen, event_loop: &ActiveEventLoop) {
        self.windows.set_areas(screen::areas(&screen.desktop));
        let display = display_info(event_loop, &screen.desktop, self.scale);
        if self.display != display {
            self.display.clone_from(&display);
            self.windows.screen = display.size;
            self.queues.net.input(DisplayInput::Changed(Box::new(display)));
        }
    }

    /// Takes an event of one of the session's windows, or of another one, which is ignored.
    pub fn window_event(
        &mut self,
        id: OsWindowId,
        event: WindowEvent,
        screen: &mut Screen,
        event_loop: &ActiveEventLoop,
    ) {
        if let Some(dialog) = self.question.as_mut().filter(|dialog| dialog.is(id)) {
            if let Some(reply) = dialog.event(&event) {
                self.answered(reply);
            }
        } else if let Some(window) = self.session_info.as_mut().filter(|window| window.is(id)) {
            if let Some(action) = window.event(&event) {
                self.session_info_action(action);
            }
        } else if let Some(menu) = self.menu.as_mut().filter(|menu| menu.is(id)) {
            if let Some(action) = menu.event(&event) {
                self.menu_action(action, screen, event_loop);
            }
        } else if let Some(window) = self.settings.as_mut().filter(|window| window.is(id)) {
            if let Some(action) = window.event(&event) {
                self.settings_action(action);
            }
        } else if let Some(card) = self.card.window().filter(|card| card.is(id)) {
            if let Some(action) = card.event(&event) {
                self.card_action(action);
            }
        } else if let Some(wid) = self.windows.by_os_id(id).map(|remote| remote.wid) {
            self.remote_window_event(wid, event, screen, event_loop);
        }
    }

    /// Takes what a device did, whatever window it was over.
    pub fn device_event(&mut self, event: &DeviceEvent) {
        self.input.device_event(event);
    }

    /// After each batch of events: tells the server once what the batch came to, and paints what
    /// is due. Returns when it is to be called again, if nothing happens before.
    pub fn update(&mut self, screen: &Screen, event_loop: &ActiveEventLoop) -> Option<Instant> {
        let is_moved = self.windows.sync(&screen.desktop);
        self.popups.update(&self.windows, &screen.desktop);
        if let Some(wid) = self.input.sync_focus(|wid| self.windows.is_mapped(wid)) {
            self.windows.focused(wid);
            self.overlay.focused(wid);
        }
        let size = (self.display.size, self.scale);
        let all = (&self.windows, &mut self.popups);
        self.leaving.update(clock::now(), is_moved, all, &mut self.input, size, &screen.desktop);
        self.overlay.update(&self.windows);
        let is_covered = self.overlay.shows_anything() || self.away.is_still() || self.menu.is_some();
        self.greeting.update(&self.windows, is_covered);
        self.update_full_screen(screen);
        self.update_card(screen, event_loop);
        if let Some(reply) = self.question.as_mut().and_then(PanelWindow::update) {
            self.answered(reply);
        }
        if let Some(action) = self.session_info.as_mut().and_then(PanelWindow::update) {
            self.session_info_action(action);
        }
        if let Some(words) = self.recording.update(&self.queues.net) {
            self.note(words);
        }
        if let Some(words) = self.replay.update() {
            self.tell(words);
        }
        if let Some(action) = self.menu.as_mut().and_then(PanelWindow::update) {
            self.menu_action(action, screen, event_loop);
        }
        if let Some(action) = self.settings.as_mut().and_then(PanelWindow::update) {
            self.settings_action(action);
        }
        self.sync_watching();
        let deadlines = [
            self.windows.deadline(),
            self.overlay.deadline(),
            self.away.deadline(),
            self.greeting.deadline(),
            self.full_screen.deadline(),
            self.card.deadline(),
            self.question.as_ref().and_then(PanelWindow::deadline),
            self.session_info.as_ref().and_then(PanelWindow::deadline),
            self.menu.as_ref().and_then(PanelWindow::deadline),
            self.settings.as_ref().and_then(PanelWindow::deadline),
            self.recording.deadline(),
            self.replay.deadline(),
            self.leaving.deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    fn forget(&mut self, wid: WindowId) {
        self.input.forget(wid);
        self.overlay.forget(wid);
        self.away.forget(wid);
        self.greeting.forget(wid);
        self.full_screen.forget(wid);
        self.leaving.forget(wid);
        self.popups.close_all_of(wid);
        self.popups.destroy(wid);
        self.windows.destroy(wid);
    }

    /// Opens the session information window, or closes it.
    fn toggle_session_info(&mut self, screen: &Screen, event_loop: &ActiveEventLoop) {
        if self.session_info.take().is_some() {
            return;
        }
        self.own_windows.0 += 1;
        let key = self.config.session_info_key.clone();
        let title = self.windows.titles.session.clone();
        let size = screen::own_size(SESSION_INFO_SIZE, &screen.desktop, event_loop);
        let info = SessionInfo::new(title, key, Arc::clone(&self.queues.stats), size);
        match PanelWindow::open(info, self.own_windows, event_loop, self.queues.render.clone()) {
            Ok(window) => self.session_info = Some(window),
            Err(error) => tracing::error!(%error, "the session information window cannot be opened"),
        }
    }

    fn session_info_action(&mut self, action: SessionInfoAction) {
        if self.session_info.as_mut().is_some_and(|window| window.panel_mut().act(action)) {
            self.session_info = None;
        }
    }

    /// The monitors' scale factors may have changed.
    fn sync_scale(&mut self, screen: &Screen, event_loop: &ActiveEventLoop) {
        if screen::scale(self.chosen.scaling, event_loop) != self.scale {
            self.rescale(screen, event_loop);
        }
        self.sync_screen(screen, event_loop);
    }

    fn render(&self, command: RenderCommand) {
        self.queues.render.push(RenderMessage::Command(command));
    }

    /// Takes pixels that were asked for with [`RenderCommand::ReadBack`], rows of RGBA, and saves
    /// them if the user wanted that. Returns whether that was so.
    pub fn pixels(&mut self, wid: WindowId, size: Size, rgba: &[u8]) -> bool {
        if self.wanted_picture.take_if(|wanted| *wanted == wid).is_none() {
            return false;
        }
        let saved = picture::png(size, png::ColorType::Rgba, rgba).map_err(anyhow::Error::from);
        let saved = saved.and_then(|png| Ok(export::save("png", &png)?));
        let words = match saved {
            Ok(path) => format!("Saved {}", path.display()),
            Err(error) => format!("Not saved: {error:#}"),
        };
        self.note(words);
        true
    }

    /// Has statistics published while somebody looks at them.
    fn sync_watching(&mut self) {
        let watching = self.overlay.is_shown() || self.session_info.is_some();
        if std::mem::replace(&mut self.watching, watching) != watching {
            self.queues.net.push(NetCommand::WatchStats(watching));
        }
    }
}

fn greeting(config: &Config, render: RenderQueue) -> Greeting {
    let knows_menu = || Store::user().is_some_and(|store| store.knows_menu());
    Greeting::new(render, config.session_menu_key.to_string(), config.greeting && !knows_menu())
}
