//! The event loop's state: what winit, the session and the desktop say goes to the part that it
//! concerns.

use std::sync::{Arc, PoisonError};

use anyhow::anyhow;
use winit::application::ApplicationHandler;
use winit::event::{DeviceEvent, DeviceId, ElementState, MouseButton, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow, OwnedDisplayHandle};
use winit::window::WindowId as OsWindowId;

use crate::channel::{AppEvent, AppSink, NetCommand};
use crate::codec::Size;
use crate::config::Config;
use crate::desktop::{Desktop, DesktopEvent};
use crate::protocol::packet::WindowId;
use crate::render::RenderOptions;
use crate::session::config::{DisplayInfo, Monitor, Profile};
use crate::session::{CloseReason, Input, SessionEvent, WindowChange};
use crate::stats::StatsSnapshot;
use crate::ui::{OverlayState, PasswordReply};

use super::cursor;
use super::dialogs::PasswordDialog;
use super::inbox::{Inbox, InboxEvent};
use super::overlay::Overlay;
use super::session_info::SessionInfoWindow;
use super::threads::{Queues, Threads};
use super::user_input::{Hotkey, KeyOutcome, UserInput};
use super::windows::Windows;

/// Everything that the event loop's thread owns.
pub struct Viewer {
    config: Config,
    inbox: Arc<Inbox>,
    queues: Queues,
    windows: Windows,
    input: UserInput,
    overlay: Overlay,
    password: Option<PasswordDialog>,
    session_info: Option<SessionInfoWindow>,
    /// Windows of our own that were opened so far.
    own_windows: u64,
    /// The network thread was told that somebody looks at the statistics.
    watching: bool,
    /// `None` before the event loop runs.
    running: Option<Running>,
    outcome: Option<anyhow::Result<CloseReason>>,
}

/// What exists while the event loop runs.
struct Running {
    threads: Threads,
    desktop: Desktop,
    x11: bool,
    screen: Size,
}

impl Viewer {
    /// Nothing is started before the event loop runs.
    pub fn new(config: Config, inbox: Arc<Inbox>) -> Self {
        let queues = Queues::default();
        let keys = OverlayState { hotkey: config.overlay_key.to_string(), ..OverlayState::default() };
        let hotkeys = [
            (config.overlay_key.clone(), Hotkey::Overlay),
            (config.session_info_key.clone(), Hotkey::SessionInfo),
        ];
        let overlay = Overlay::new(queues.render.clone(), Arc::clone(&queues.stats), keys, config.overlay);
        Self {
            windows: Windows::new(queues.net.clone(), queues.render.clone()),
            input: UserInput::new(queues.net.clone(), hotkeys),
            overlay,
            password: None,
            session_info: None,
            own_windows: 0,
            watching: false,
            running: None,
            outcome: None,
            config,
            inbox,
            queues,
        }
    }

    /// Ends what is still running and waits for it. Returns the final statistics.
    pub fn shut_down(&mut self) -> (&Config, Arc<StatsSnapshot>) {
        self.password = None;
        self.session_info = None;
        self.windows.destroy_all();
        if let Some(running) = self.running.take() {
            running.threads.stop(&self.queues);
        }
        // If the event loop ended by itself, the reason may still be in the inbox.
        while let Some(event) = self.inbox.pop() {
            if let InboxEvent::App(AppEvent::Session(SessionEvent::Closed(reason))) = event {
                self.outcome.get_or_insert(Ok(reason));
            }
        }
        let stats = Arc::clone(&self.queues.stats.lock().unwrap_or_else(PoisonError::into_inner));
        (&self.config, stats)
    }

    /// How the session ended; after [`Self::shut_down`].
    ///
    /// # Errors
    /// If the viewer could not go on.
    pub fn outcome(self) -> anyhow::Result<CloseReason> {
        self.outcome.unwrap_or(Ok(CloseReason::User))
    }

    fn start(&mut self, event_loop: &ActiveEventLoop) -> anyhow::Result<Running> {
        let x11 = is_x11(event_loop);
        self.windows.set_x11(x11);
        let inbox = Arc::clone(&self.inbox);
        let desktop = Desktop::open(x11, move |event| inbox.push(InboxEvent::Desktop(event)));
        let display = display_info(event_loop);
        let screen = display.size;
        let mut net = self.config.net(Profile::Attach);
        net.session.may_prompt = true;
        net.session.display = display;
        net.session.keymap = desktop.keymap(crate::input::keysym::name);
        let handle: OwnedDisplayHandle = event_loop.owned_display_handle();
        let options = RenderOptions { display: Some(Arc::new(handle)), ..self.config.render_options() };
        let app: Arc<dyn AppSink> = Arc::clone(&self.inbox) as _;
        let threads = Threads::start(net, options, &self.queues, app)?;
        Ok(Running { threads, desktop, x11, screen })
    }

    fn fail(&mut self, error: anyhow::Error, event_loop: &ActiveEventLoop) {
        self.outcome.get_or_insert(Err(error));
        event_loop.exit();
    }

    fn app_event(&mut self, event: AppEvent, event_loop: &ActiveEventLoop) {
        match event {
            AppEvent::Connecting(stage) => tracing::debug!(?stage, "connecting"),
            AppEvent::Session(event) => self.session_event(event, event_loop),
            AppEvent::RendererFailed(why) => {
                self.fail(anyhow!("windows cannot be painted: {why}"), event_loop)
            }
            AppEvent::FirstPaint { wid } => tracing::debug!(%wid, "first picture"),
            AppEvent::Pixels { .. } => {}
        }
    }

    fn session_event(&mut self, event: SessionEvent, event_loop: &ActiveEventLoop) {
        let Some(running) = &mut self.running else { return };
        match event {
            SessionEvent::Connected(server) => {
                self.password = None;
                if !server.session_name.is_empty() {
                    self.windows.title = server.session_name;
                }
            }
            SessionEvent::PasswordNeeded { prompt } => self.ask_password(&prompt, event_loop),
            SessionEvent::WindowCreated(info) => {
                let (wid, title) = (info.wid, info.title.clone());
                if let Err(error) = self.windows.create(*info, event_loop, &running.desktop) {
                    tracing::error!(%error, wid, title, "no window can be made for a remote one");
                }
            }
            SessionEvent::WindowChanged { wid, change } => {
                if matches!(change, WindowChange::InitiateMoveResize { .. }) {
                    self.input.release_buttons(wid);
                }
                self.windows.change(wid, change, &running.desktop);
            }
            SessionEvent::WindowDestroyed { wid } => self.forget(wid),
            SessionEvent::Bell { percent, pitch, duration_ms, .. } => {
                running.desktop.bell(percent, pitch, duration_ms);
            }
            SessionEvent::Cursor(shape) => {
                self.windows.set_cursor(cursor::cursor(&shape, event_loop, running.x11));
            }
            SessionEvent::Closed(reason) => {
                self.outcome.get_or_insert(Ok(reason));
                event_loop.exit();
            }
            // A grab of the pointer would take it away from all other programs of this desktop.
            SessionEvent::PointerGrabbed { .. } | SessionEvent::PointerUngrabbed => {}
            SessionEvent::LoggingIn
            | SessionEvent::StartupComplete
            | SessionEvent::Latency(_)
            | SessionEvent::Info(_) => {}
        }
    }

    fn forget(&mut self, wid: WindowId) {
        self.input.forget(wid);
        self.overlay.forget(wid);
        self.windows.destroy(wid);
    }

    fn ask_password(&mut self, prompt: &str, event_loop: &ActiveEventLoop) {
        self.own_windows += 1;
        let render = self.queues.render.clone();
        match PasswordDialog::open(prompt, self.own_windows, event_loop, render) {
            Ok(dialog) => self.password = Some(dialog),
            Err(error) => {
                tracing::error!(%error, "the password dialog cannot be opened");
                self.queues.net.push(NetCommand::Input(Input::PasswordCancelled));
            }
        }
    }

    /// Opens the session information window, or closes it.
    fn toggle_session_info(&mut self, event_loop: &ActiveEventLoop) {
        if self.session_info.take().is_some() {
            return;
        }
        self.own_windows += 1;
        let key = self.config.session_info_key.clone();
        let queues = (self.queues.render.clone(), Arc::clone(&self.queues.stats));
        match SessionInfoWindow::open(&self.windows.title, self.own_windows, key, event_loop, queues) {
            Ok(window) => self.session_info = Some(window),
            Err(error) => tracing::error!(%error, "the session information window cannot be opened"),
        }
    }

    /// Has statistics published while somebody looks at them.
    fn sync_watching(&mut self) {
        let watching = self.overlay.is_shown() || self.session_info.is_some();
        if std::mem::replace(&mut self.watching, watching) != watching {
            self.queues.net.push(NetCommand::WatchStats(watching));
        }
    }

    fn password_reply(&mut self, reply: PasswordReply) {
        self.password = None;
        self.queues.net.push(NetCommand::Input(match reply {
            PasswordReply::Password(password) => Input::Password(password),
            PasswordReply::Cancelled => Input::PasswordCancelled,
        }));
    }

    fn desktop_event(&mut self, event: DesktopEvent, event_loop: &ActiveEventLoop) {
        match event {
            DesktopEvent::WindowState(native) => self.windows.mark_dirty_native(native),
            DesktopEvent::Screen => {
                let size = display_info(event_loop).size;
                if let Some(running) = self.running.as_mut().filter(|running| running.screen != size) {
                    running.screen = size;
                    self.queues.net.push(NetCommand::Input(Input::ScreenResized(size)));
                }
            }
        }
    }

    fn remote_window_event(&mut self, wid: WindowId, event: WindowEvent, event_loop: &ActiveEventLoop) {
        let (Some(running), Some(remote)) = (&mut self.running, self.windows.get(wid)) else { return };
        match event {
            WindowEvent::Resized(size) => {
                let size = Size { width: size.width, height: size.height };
                self.windows.resized(wid, size);
                self.overlay.resized(wid);
            }
            WindowEvent::Moved(_) => self.windows.mark_dirty(wid),
            WindowEvent::ScaleFactorChanged { mut inner_size_writer, .. } => {
                // Remote pixels are shown one to one on every screen.
                let _ = inner_size_writer.request_inner_size(remote.window.inner_size());
            }
            WindowEvent::RedrawRequested => self.windows.redraw(wid),
            WindowEvent::Occluded(occluded) => self.windows.occluded(wid, occluded),
            WindowEvent::CloseRequested => {
                let input = if remote.info.is_desktop {
                    Input::Disconnect
                } else {
                    Input::WindowCloseRequested { wid }
                };
                self.queues.net.push(NetCommand::Input(input));
            }
            WindowEvent::Destroyed => {
                // By somebody else, as xkill does: without a window there is no other way to close it.
                self.forget(wid);
                self.queues.net.push(NetCommand::Input(Input::WindowCloseRequested { wid }));
            }
            WindowEvent::Focused(focused) => {
                self.input.focus(wid, focused, &mut running.desktop);
                self.windows.mark_dirty(wid);
            }
            WindowEvent::KeyboardInput { event, is_synthetic, .. } => {
                match self.input.key(wid, &event, is_synthetic, &mut running.desktop) {
                    KeyOutcome::Hotkey(Hotkey::Overlay) => self.overlay.toggle(wid),
                    KeyOutcome::Hotkey(Hotkey::SessionInfo) => self.toggle_session_info(event_loop),
                    KeyOutcome::Handled => {}
                }
            }
            WindowEvent::CursorMoved { position, .. } => {
                self.overlay.pointer(wid, Some(position));
                self.input.moved(remote, position);
            }
            WindowEvent::CursorLeft { .. } => self.overlay.pointer(wid, None),
            WindowEvent::MouseInput { state: ElementState::Pressed, button: MouseButton::Left, .. }
                if self.overlay.is_on_button(wid) =>
            {
                self.toggle_session_info(event_loop);
            }
            WindowEvent::MouseInput { state, button, .. } => self.input.button(wid, button, state),
            WindowEvent::MouseWheel { delta, .. } => self.input.wheel(wid, delta),
            WindowEvent::Touch(touch) => self.input.touch(remote, &touch),
            _ => {}
        }
    }
}

impl ApplicationHandler for Viewer {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        if self.running.is_none() && self.outcome.is_none() {
            match self.start(event_loop) {
                Ok(running) => self.running = Some(running),
                Err(error) => self.fail(error, event_loop),
            }
        }
    }

    fn user_event(&mut self, event_loop: &ActiveEventLoop, (): ()) {
        self.inbox.heard();
        while let Some(event) = self.inbox.pop() {
            match event {
                InboxEvent::App(event) => self.app_event(event, event_loop),
                InboxEvent::Desktop(event) => self.desktop_event(event, event_loop),
            }
        }
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, id: OsWindowId, event: WindowEvent) {
        if let Some(dialog) = self.password.as_mut().filter(|dialog| dialog.is(id)) {
            if let Some(reply) = dialog.event(&event) {
                self.password_reply(reply);
            }
        } else if let Some(window) = self.session_info.as_mut().filter(|window| window.is(id)) {
            if window.event(&event) {
                self.session_info = None;
            }
        } else if let Some(wid) = self.windows.by_os_id(id).map(|remote| remote.wid) {
            self.remote_window_event(wid, event, event_loop);
        }
    }

    fn device_event(&mut self, _event_loop: &ActiveEventLoop, _device: DeviceId, event: DeviceEvent) {
        self.input.device_event(&event);
    }

    /// After each batch of events: tells the server once what the batch came to, paints what is
    /// due, and sleeps until the next thing that is.
    fn about_to_wait(&mut self, event_loop: &ActiveEventLoop) {
        let Some(running) = &self.running else { return };
        self.windows.sync(&running.desktop);
        self.input.sync_focus();
        self.overlay.update(&self.windows);
        if let Some(reply) = self.password.as_mut().and_then(PasswordDialog::update) {
            self.password_reply(reply);
        }
        if self.session_info.as_mut().is_some_and(SessionInfoWindow::update) {
            self.session_info = None;
        }
        self.sync_watching();
        let deadlines = [
            self.windows.deadline(),
            self.overlay.deadline(),
            self.password.as_ref().and_then(PasswordDialog::deadline),
            self.session_info.as_ref().map(SessionInfoWindow::deadline),
        ];
        event_loop.set_control_flow(match deadlines.into_iter().flatten().min() {
            Some(deadline) => ControlFlow::WaitUntil(deadline),
            None => ControlFlow::Wait,
        });
    }
}

#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
fn is_x11(event_loop: &ActiveEventLoop) -> bool {
    winit::platform::x11::ActiveEventLoopExtX11::is_x11(event_loop)
}

#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
fn is_x11(_event_loop: &ActiveEventLoop) -> bool {
    false
}

/// The local screen: all monitors.
fn display_info(event_loop: &ActiveEventLoop) -> DisplayInfo {
    let primary = event_loop.primary_monitor();
    let mut display = DisplayInfo::default();
    for (index, monitor) in event_loop.available_monitors().enumerate() {
        let (position, size) = (monitor.position(), monitor.size());
        let edge = |start: i32, length: u32| u32::try_from(i64::from(start) + i64::from(length)).unwrap_or(0);
        display.size.width = display.size.width.max(edge(position.x, size.width));
        display.size.height = display.size.height.max(edge(position.y, size.height));
        let hz = monitor.refresh_rate_millihertz().map_or(0, |millihertz| millihertz.div_ceil(1000));
        display.refresh_hz = display.refresh_hz.max(hz);
        display.monitors.push(Monitor {
            name: monitor.name().unwrap_or_else(|| format!("monitor {index}")),
            x: position.x,
            y: position.y,
            size: Size { width: size.width, height: size.height },
            width_mm: 0,
            height_mm: 0,
            primary: primary.as_ref() == Some(&monitor),
        });
    }
    if display.size == Size::default() {
        DisplayInfo::single(Size { width: 1920, height: 1080 })
    } else {
        display
    }
}
