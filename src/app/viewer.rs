//! The event loop's state: what winit, the session and the desktop say goes to the part that it
//! concerns.
//!
//! Either there is one session and the program ends with it, or sessions begin and end at
//! [`Home`], the connect window.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use winit::application::ApplicationHandler;
use winit::event::{DeviceEvent, DeviceId, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow};
use winit::window::WindowId as OsWindowId;

use crate::channel::{AppEvent, clock};
use crate::config::Config;
use crate::config::connections::{ConnectionKey, Store};
use crate::session::{CloseReason, ConnectionEvent, SessionEvent};

use super::attached::Attached;
use super::connect::{Decision, Home, Launcher};
use super::dialogs::Reply;
use super::inbox::{Inbox, InboxEvent};
use super::kept_settings::Began;
use super::retired;
use super::screen::Screen;
use super::signals::{Asked, Signals};
use super::{Finished, Start};

/// How long events of the session are handled before the desktop's own are looked at.
const SLICE: Duration = Duration::from_millis(8);

/// Everything that the event loop's thread owns.
pub struct Viewer {
    /// What to begin with; taken when the event loop runs.
    start: Option<Start>,
    inbox: Arc<Inbox>,
    /// `None` before the event loop runs.
    running: Option<Running>,
    /// `None` if the program ends with its session.
    home: Option<Home>,
    attached: Option<Attached>,
    /// The user leaves, not only the session.
    quitting: bool,
    outcome: Option<anyhow::Result<CloseReason>>,
}

/// What exists while the event loop runs.
struct Running {
    screen: Screen,
    _signals: Signals,
}

impl Viewer {
    /// Nothing is started before the event loop runs.
    pub fn new(start: Start, inbox: Arc<Inbox>) -> Self {
        Self {
            start: Some(start),
            inbox,
            running: None,
            home: None,
            attached: None,
            quitting: false,
            outcome: None,
        }
    }

    /// Ends what is still running, waits for it, and says how it ended.
    ///
    /// # Errors
    /// If the viewer could not go on, or a file that was asked for cannot be written.
    pub fn finish(mut self) -> anyhow::Result<Finished> {
        let (stats, completed) = match self.attached.take() {
            Some(attached) => attached.stop(),
            None => (Arc::default(), Ok(())),
        };
        // If the event loop ended by itself, the reason may still be in the inbox.
        while let Some(event) = self.inbox.pop() {
            let InboxEvent::App(AppEvent::Session(SessionEvent::Connection(event))) = event else { continue };
            if let ConnectionEvent::Closed(reason) = event {
                self.outcome.get_or_insert(Ok(reason));
            }
        }
        let reason = self.outcome.unwrap_or(Ok(CloseReason::User))?;
        completed.map(|()| Finished { reason, stats })
    }

    fn begin(&mut self, event_loop: &ActiveEventLoop) -> anyhow::Result<()> {
        let inbox = Arc::clone(&self.inbox);
        let signals = Signals::watch_all(move |asked| {
            inbox.push(match asked {
                Asked::End => InboxEvent::Interrupted,
                Asked::SaveReplay => InboxEvent::SaveReplay,
            });
        });
        let signals = signals.context("cannot start the signal thread")?;
        let screen = Screen::open(event_loop, &self.inbox);
        let running = self.running.insert(Running { screen, _signals: signals });
        match self.start.take() {
            None => Ok(()),
            Some(Start::Attach(config)) => {
                let is_own = !config.is_foreign;
                let which = is_own.then(|| ConnectionKey::address(&config.connection.target));
                self.attach(*config, Began { which, ..Began::default() }, event_loop)
            }
            Some(Start::Connect { settings, opened }) => {
                let launcher = Launcher { settings: *settings, store: Store::user() };
                let home = self.home.insert(Home::new(launcher));
                home.open(None, &running.screen, event_loop, &self.inbox)?;
                let decision = opened.and_then(|opened| home.show(*opened));
                self.decided(decision, event_loop)
            }
        }
    }

    fn attach(&mut self, config: Config, began: Began, event_loop: &ActiveEventLoop) -> anyhow::Result<()> {
        if let Some(running) = &self.running {
            self.attached = Some(Attached::start(config, began, &running.screen, event_loop, &self.inbox)?);
        }
        Ok(())
    }

    /// Does what the user decided in the connect window.
    fn decided(&mut self, decision: Option<Decision>, event_loop: &ActiveEventLoop) -> anyhow::Result<()> {
        match (decision, &mut self.home) {
            (Some(Decision::Attach(chosen)), Some(home)) if self.attached.is_none() => {
                let which = chosen.which.clone().filter(|_| !chosen.is_foreign);
                let began = Began { which, options: chosen.options.clone() };
                let config = home.begin(*chosen);
                self.attach(config, began, event_loop)
            }
            (Some(Decision::Answer(reply)), _) => {
                if let Some(attached) = &mut self.attached {
                    attached.answered(Reply::Password(reply));
                }
                Ok(())
            }
            (Some(Decision::Cancel), _) => {
                self.attached.iter().for_each(Attached::disconnect);
                Ok(())
            }
            (Some(Decision::Quit), _) => {
                self.quit(event_loop);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Leaves: the session first, if there is one.
    fn quit(&mut self, event_loop: &ActiveEventLoop) {
        self.quitting = true;
        match &self.attached {
            Some(attached) => attached.disconnect(),
            None => event_loop.exit(),
        }
    }

    fn fail(&mut self, error: anyhow::Error, event_loop: &ActiveEventLoop) {
        self.outcome.get_or_insert(Err(error));
        event_loop.exit();
    }

    fn app_event(&mut self, event: AppEvent, event_loop: &ActiveEventLoop) -> anyhow::Result<()> {
        match event {
            AppEvent::Connecting(stage) => {
                tracing::debug!(?stage, "connecting");
                self.home.iter_mut().for_each(|home| home.stage(&stage));
            }
            AppEvent::Session(event) => return self.session_event(event, event_loop),
            AppEvent::RendererFailed(why) => return Err(anyhow!("windows cannot be painted: {why}")),
            AppEvent::FirstPaint { wid } => {
                tracing::debug!(%wid, "first picture");
                self.home.iter_mut().for_each(Home::first_picture);
            }
            AppEvent::Pixels { wid, size, rgba } => {
                let taken = self.attached.as_mut().is_some_and(|attached| attached.pixels(wid, size, &rgba));
                if let Some(home) = self.home.as_ref().filter(|_| !taken) {
                    home.keep_picture(size, &rgba);
                }
            }
        }
        Ok(())
    }

    fn session_event(&mut self, event: SessionEvent, event_loop: &ActiveEventLoop) -> anyhow::Result<()> {
        let (Some(running), Some(attached)) = (&self.running, &mut self.attached) else { return Ok(()) };
        self.home.iter_mut().for_each(|home| home.session_event(&event));
        match attached.session_event(event, &running.screen, event_loop) {
            Some(reason) => self.session_over(reason, event_loop),
            None => Ok(()),
        }
    }

    fn session_over(&mut self, reason: CloseReason, event_loop: &ActiveEventLoop) -> anyhow::Result<()> {
        let (Some(home), Some(running), false) = (&mut self.home, &self.running, self.quitting) else {
            self.outcome.get_or_insert(Ok(reason));
            event_loop.exit();
            return Ok(());
        };
        let completed = self.attached.take().map_or(Ok(()), |attached| attached.stop().1);
        // What its threads still said concerns no session after it.
        let left = std::iter::from_fn(|| self.inbox.pop());
        let others: Vec<InboxEvent> = left.filter(|event| !matches!(event, InboxEvent::App(_))).collect();
        home.session_over(&reason, completed, &running.screen, event_loop, &self.inbox)?;
        others.into_iter().try_for_each(|event| self.inbox_event(event, event_loop))
    }

    fn inbox_event(&mut self, event: InboxEvent, event_loop: &ActiveEventLoop) -> anyhow::Result<()> {
        match event {
            InboxEvent::App(event) => return self.app_event(event, event_loop),
            InboxEvent::Desktop(event) => {
                if let (Some(running), Some(attached)) = (&self.running, &mut self.attached) {
                    attached.desktop_event(event, &running.screen, event_loop);
                }
            }
            InboxEvent::LocalSessions(found) => {
                self.home.iter_mut().for_each(|home| home.locals(found.clone()));
            }
            InboxEvent::ConnectionsChanged => {
                self.home.iter_mut().for_each(Home::connections_changed);
            }
            InboxEvent::SavedServer { name, answer } => {
                self.home.iter_mut().for_each(|home| home.answered(&name, answer.clone()));
            }
            InboxEvent::Nearby(found) => self.home.iter_mut().for_each(|home| home.nearby(found.clone())),
            InboxEvent::KeptPassword { number, found } => {
                if let Some(attached) = &mut self.attached {
                    attached.password_found(number, found);
                }
            }
            InboxEvent::SaveReplay => self.attached.iter_mut().for_each(Attached::save_replay),
            InboxEvent::Interrupted => self.quit(event_loop),
        }
        Ok(())
    }
}

impl ApplicationHandler for Viewer {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        if self.running.is_none()
            && self.outcome.is_none()
            && let Err(error) = self.begin(event_loop)
        {
            self.fail(error, event_loop);
        }
    }

    /// Handles what waits in the inbox, for a limited time: the rest rings again after the desktop's turn.
    fn user_event(&mut self, event_loop: &ActiveEventLoop, (): ()) {
        let end = clock::now() + SLICE;
        while let Some(event) = self.inbox.pop() {
            if let Err(error) = self.inbox_event(event, event_loop) {
                self.fail(error, event_loop);
            }
            if clock::now() >= end {
                break;
            }
        }
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, id: OsWindowId, event: WindowEvent) {
        let decision = self.home.as_mut().and_then(|home| home.window_event(id, &event));
        if let Err(error) = self.decided(decision, event_loop) {
            self.fail(error, event_loop);
        }
        if let (Some(running), Some(attached)) = (&mut self.running, &mut self.attached) {
            attached.window_event(id, event, &mut running.screen, event_loop);
        }
    }

    fn device_event(&mut self, _event_loop: &ActiveEventLoop, _device: DeviceId, event: DeviceEvent) {
        if let Some(attached) = &mut self.attached {
            attached.device_event(&event);
        }
    }

    /// After each batch of events: does what they came to, and sleeps until something is due.
    fn about_to_wait(&mut self, event_loop: &ActiveEventLoop) {
        self.inbox.rest();
        if let Some(attached) = &mut self.attached
            && let Some(question) = attached.take_question()
            && let Some(question) = Home::ask(self.home.as_mut(), question)
        {
            attached.ask(question, event_loop);
        }
        let decision = self.home.as_mut().and_then(|home| home.update(self.attached.as_ref()));
        if let Err(error) = self.decided(decision, event_loop) {
            self.fail(error, event_loop);
        }
        let session = match (&self.running, &mut self.attached) {
            (Some(running), Some(attached)) => attached.update(&running.screen, event_loop),
            _ => None,
        };
        if self.attached.as_ref().is_some_and(Attached::shows_card) {
            self.home.iter_mut().for_each(Home::shown);
        }
        let home = self.home.as_ref().and_then(Home::deadline);
        let retired = retired::sweep().then(|| clock::now() + retired::PATIENCE);
        event_loop.set_control_flow(match [session, home, retired].into_iter().flatten().min() {
            Some(deadline) => ControlFlow::WaitUntil(deadline),
            None => ControlFlow::Wait,
        });
    }
}
