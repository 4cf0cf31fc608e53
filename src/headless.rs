//! Layer 3: the whole viewer without OS windows: the same network task, decode pool and render
//! thread, wired to a queue instead of an event loop. For `farpane screenshot` and `farpane info`,
//! for tests against real servers, for replays and benchmarks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::channel::{
    AppEvent, AppSink, ConnectStage, Mailbox, NetCommand, NetQueue, RenderCommand, RenderMessage, clock,
};
use crate::geometry::{Point, Size};
use crate::net::NetConfig;
use crate::protocol::packet::WindowId;
use crate::render::RenderOptions;
use crate::session::{
    CertificateAnswer, CloseReason, ConnectionEvent, ConnectionInput, Input, LocalInfo, Profile, ServerInfo,
    SessionEvent, WindowChange, WindowEvent, WindowInfo, WindowInput,
};
use crate::stats::StatsSnapshot;
use crate::threads::Engine;

/// Stages of connecting that are kept.
const MAX_STAGES: usize = 64;

/// A viewer without windows. The server's windows count as mapped where the server put them.
///
/// Nothing happens to the public view (windows, events) by itself: [`Self::wait_for`] and
/// [`Self::read_back`] take in what the other threads reported.
pub struct HeadlessClient {
    /// Without a renderer if only information is wanted.
    engine: Engine,
    events: Mailbox,
    view: View,
}

/// What was learned so far.
#[derive(Debug, Default)]
pub struct View {
    /// What the server says of itself, once it accepted us.
    pub server: Option<ServerInfo>,
    /// The windows that exist now.
    pub windows: BTreeMap<WindowId, WindowInfo>,
    /// Windows that showed a complete update.
    pub painted: BTreeSet<WindowId>,
    /// The windows that exist were all announced.
    pub startup_complete: bool,
    /// How connecting went, and when: the first stages of it.
    pub stages: Vec<(ConnectStage, Instant)>,
    /// The answer to [`ConnectionInput::RequestInfo`].
    pub info: Option<Vec<(String, String)>>,
    /// The server asked for a password that the configuration does not have.
    pub password_wanted: Option<String>,
    /// Why the session is over.
    pub closed: Option<CloseReason>,
    /// Why nothing can be rendered any more.
    pub renderer_failed: Option<String>,
    /// Events that changed nothing above (bells, cursors, …) since the last wait began.
    pub events: Vec<SessionEvent>,
    /// Pixels that were read back and not yet taken.
    pixels: BTreeMap<WindowId, WindowPixels>,
}

/// The pixels of a window: rows of RGBA without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowPixels {
    pub size: Size,
    pub rgba: Vec<u8>,
}

/// Why waiting ended early.
#[derive(Debug, thiserror::Error)]
pub enum HeadlessError {
    #[error("{0}")]
    Closed(CloseReason),
    #[error("the pictures cannot be rendered: {0}")]
    Renderer(String),
    #[error("{what} did not happen within {} s", limit.as_secs_f64())]
    TimedOut { what: &'static str, limit: Duration },
    #[error("there is no window {wid}")]
    NoWindow { wid: WindowId },
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// Collects events for the thread that owns the client.
struct EventQueue(Mailbox);

impl AppSink for EventQueue {
    fn send(&self, event: AppEvent) {
        self.0.push(event);
    }

    fn mailbox(&self) -> Option<&Mailbox> {
        Some(&self.0)
    }
}

impl HeadlessClient {
    /// Starts connecting. Only with [`Profile::Attach`] is anything decoded or rendered.
    ///
    /// # Errors
    /// If the OS gives no thread. Everything else is reported by the waiting functions.
    pub fn start(config: NetConfig, options: RenderOptions) -> Result<Self, HeadlessError> {
        // There is no desktop, and no clipboard that it could have.
        let local = LocalInfo { has_clipboard: false, ..LocalInfo::default() };
        let events = Mailbox::default();
        let app: Arc<dyn AppSink> = Arc::new(EventQueue(events.clone()));
        let engine = if config.session.profile == Profile::Attach {
            Engine::start(config, local, RenderOptions { offscreen: true, ..options }, app)?
        } else {
            Engine::without_renderer(config, local, app)?
        };
        Ok(Self { engine, events, view: View::default() })
    }

    /// What was learned up to the last wait.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The same, when nothing else is wanted.
    pub fn into_view(self) -> View {
        self.view
    }

    /// The windows as of the last wait.
    pub fn windows(&self) -> &BTreeMap<WindowId, WindowInfo> {
        &self.view.windows
    }

    /// Tells the session something, as a user would.
    pub fn send(&self, input: impl Into<Input>) {
        self.engine.queues().net.input(input);
    }

    /// The way to the network thread, for a signal handler.
    pub fn queue(&self) -> NetQueue {
        self.engine.queues().net.clone()
    }

    /// The statistics: several times a second after [`Self::watch_stats`], complete after the end.
    pub fn stats(&self) -> Arc<StatsSnapshot> {
        Arc::clone(&self.engine.queues().stats.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps [`Self::stats`] fresh from now on.
    pub fn watch_stats(&self) {
        self.engine.queues().net.push(NetCommand::WatchStats(true));
    }

    /// Takes in what happens until `done`. `what` names it in the error.
    ///
    /// # Errors
    /// If the session or the renderer ends, or `limit` passes, before that.
    pub fn wait_for(
        &mut self,
        what: &'static str,
        limit: Duration,
        mut done: impl FnMut(&View) -> bool,
    ) -> Result<(), HeadlessError> {
        let deadline = clock::now() + limit;
        self.view.events.clear();
        while let Some(event) = self.events.try_pop() {
            self.take_in(event);
        }
        loop {
            if done(&self.view) {
                return Ok(());
            }
            if let Some(reason) = &self.view.closed {
                return Err(HeadlessError::Closed(reason.clone()));
            }
            if let Some(why) = &self.view.renderer_failed {
                return Err(HeadlessError::Renderer(why.clone()));
            }
            match self.next_event(deadline) {
                Some(event) => self.take_in(event),
                None => return Err(HeadlessError::TimedOut { what, limit }),
            }
        }
    }

    /// Takes in what happens for this long, or until the session or the renderer ends.
    pub fn run_for(&mut self, time: Duration) -> Result<(), HeadlessError> {
        match self.wait_for("", time, |_| false) {
            Err(HeadlessError::TimedOut { .. }) => Ok(()),
            result => result,
        }
    }

    /// The pixels of a window, after the draws that arrived before.
    ///
    /// # Errors
    /// If there is no such window, or as [`Self::wait_for`].
    pub fn read_back(&mut self, wid: WindowId) -> Result<WindowPixels, HeadlessError> {
        if !self.engine.renders() || !self.view.windows.contains_key(&wid) {
            return Err(HeadlessError::NoWindow { wid });
        }
        self.engine.queues().render.push(RenderMessage::Command(RenderCommand::ReadBack { wid }));
        self.wait_for("reading back the pixels", Duration::from_secs(30), |view| {
            view.pixels.contains_key(&wid)
        })?;
        self.view.pixels.remove(&wid).ok_or(HeadlessError::NoWindow { wid })
    }

    /// Says goodbye to the server and waits for the end of all threads. Returns why the session
    /// ended; [`Self::stats`] is complete then.
    pub fn close(&mut self) -> CloseReason {
        self.engine.stop();
        while let Some(event) = self.events.try_pop() {
            self.take_in(event);
        }
        self.view.closed.clone().unwrap_or(CloseReason::User)
    }

    fn next_event(&self, deadline: Instant) -> Option<AppEvent> {
        self.events.pop(deadline.saturating_duration_since(clock::now()))
    }

    fn take_in(&mut self, event: AppEvent) {
        match event {
            AppEvent::Connecting(stage) if self.view.stages.len() < MAX_STAGES => {
                self.view.stages.push((stage, clock::now()));
            }
            AppEvent::Connecting(_) => {}
            AppEvent::Session(event) => self.session_event(event),
            AppEvent::RendererFailed(why) => self.view.renderer_failed = Some(why),
            AppEvent::FirstPaint { wid } => {
                self.view.painted.insert(wid);
            }
            AppEvent::Pixels { wid, size, rgba } => {
                self.view.pixels.insert(wid, WindowPixels { size, rgba });
            }
        }
    }

    fn session_event(&mut self, event: SessionEvent) {
        match event {
            SessionEvent::Connection(event) => self.connection_event(event),
            SessionEvent::Window(event) => self.window_event(event),
            event => self.view.events.push(event),
        }
    }

    fn connection_event(&mut self, event: ConnectionEvent) {
        match event {
            ConnectionEvent::Connected(server) => self.view.server = Some(*server),
            ConnectionEvent::PasswordNeeded { prompt, .. } => {
                self.view.password_wanted = Some(prompt);
                self.send(ConnectionInput::PasswordCancelled);
            }
            // The reason of the end repeats the question.
            ConnectionEvent::SshAsks { .. } => self.send(ConnectionInput::PasswordCancelled),
            // Comes only where somebody can be asked.
            ConnectionEvent::CertificateAsks(question) => self.send(ConnectionInput::Certificate {
                fingerprint: question.certificate.fingerprint,
                answer: CertificateAnswer::No,
            }),
            ConnectionEvent::SeveralSessions { .. } => self.send(ConnectionInput::Display(None)),
            ConnectionEvent::StartupComplete => self.view.startup_complete = true,
            ConnectionEvent::Info(lines) => self.view.info = Some(lines),
            ConnectionEvent::Closed(reason) => self.view.closed = Some(reason),
            // Comes only where somebody can be asked once more.
            ConnectionEvent::PasswordRefused { .. } => {}
            event @ (ConnectionEvent::LoggingIn
            | ConnectionEvent::Latency(_)
            | ConnectionEvent::Silence(_)
            | ConnectionEvent::Menu(_)
            | ConnectionEvent::Away(_)) => {
                self.view.events.push(event.into());
            }
        }
    }

    fn window_event(&mut self, event: WindowEvent) {
        match event {
            WindowEvent::Created(info) | WindowEvent::Kept(info) => {
                let wid = info.wid;
                self.send(WindowInput::Mapped { wid, x: info.x, y: info.y, size: info.size });
                self.view.windows.insert(wid, *info);
            }
            WindowEvent::Changed { wid, change } => self.window_changed(wid, change),
            WindowEvent::Destroyed { wid } => {
                self.view.windows.remove(&wid);
                self.view.painted.remove(&wid);
            }
            event @ WindowEvent::Bell { .. } => self.view.events.push(event.into()),
        }
    }

    fn window_changed(&mut self, wid: WindowId, change: WindowChange) {
        let Some(window) = self.view.windows.get_mut(&wid) else { return };
        match change {
            WindowChange::Title(title) => window.title = title,
            WindowChange::Icon(icon) => window.icon = Some(icon),
            WindowChange::SizeLimits(limits) => window.size_limits = limits,
            WindowChange::State(state) => window.state = state,
            WindowChange::Decorations(decorations) => window.decorations = decorations,
            WindowChange::Class(instance, class) => window.class = (instance, class),
            WindowChange::Parent(parent) => window.parent = parent,
            WindowChange::Hints(now) => *window = *now,
            WindowChange::Geometry { position, size } => {
                if let Some(Point { x, y }) = position {
                    (window.x, window.y) = (x, y);
                }
                window.size = size;
                let (x, y, state) = (window.x, window.y, window.state);
                self.send(WindowInput::Configured { wid, x, y, size, state });
            }
            WindowChange::Raise | WindowChange::InitiateMoveResize { .. } | WindowChange::Shape(_) => {}
        }
    }
}
