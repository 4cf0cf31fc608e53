//! The event loop's state: what winit, the session and the desktop say goes to the part that it
//! concerns.

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use winit::application::ApplicationHandler;
use winit::event::{DeviceEvent, DeviceId, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow};
use winit::window::WindowId as OsWindowId;

use crate::channel::AppEvent;
use crate::config::Config;
use crate::session::{CloseReason, SessionEvent};

use super::Finished;
use super::attached::Attached;
use super::inbox::{Inbox, InboxEvent};
use super::screen::Screen;
use super::signals::Signals;

/// Everything that the event loop's thread owns.
pub struct Viewer {
    /// What to attach to; taken when the event loop runs.
    wanted: Option<Config>,
    inbox: Arc<Inbox>,
    /// `None` before the event loop runs.
    running: Option<Running>,
    attached: Option<Attached>,
    outcome: Option<anyhow::Result<CloseReason>>,
}

/// What exists while the event loop runs.
struct Running {
    screen: Screen,
    _signals: Signals,
}

impl Viewer {
    /// Nothing is started before the event loop runs.
    pub fn new(config: Config, inbox: Arc<Inbox>) -> Self {
        Self { wanted: Some(config), inbox, running: None, attached: None, outcome: None }
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
            if let InboxEvent::App(AppEvent::Session(SessionEvent::Closed(reason))) = event {
                self.outcome.get_or_insert(Ok(reason));
            }
        }
        let reason = self.outcome.unwrap_or(Ok(CloseReason::User))?;
        completed.map(|()| Finished { reason, stats })
    }

    fn start(&mut self, event_loop: &ActiveEventLoop) -> anyhow::Result<()> {
        let inbox = Arc::clone(&self.inbox);
        let signals = Signals::watch(move || inbox.push(InboxEvent::Interrupted))
            .context("cannot start the signal thread")?;
        let running =
            self.running.insert(Running { screen: Screen::open(event_loop, &self.inbox), _signals: signals });
        if let Some(config) = self.wanted.take() {
            self.attached = Some(Attached::start(config, &running.screen, event_loop, &self.inbox)?);
        }
        Ok(())
    }

    fn fail(&mut self, error: anyhow::Error, event_loop: &ActiveEventLoop) {
        self.outcome.get_or_insert(Err(error));
        event_loop.exit();
    }

    fn app_event(&mut self, event: AppEvent, event_loop: &ActiveEventLoop) {
        match event {
            AppEvent::Connecting(stage) => tracing::debug!(?stage, "connecting"),
            AppEvent::Session(event) => {
                let (Some(running), Some(attached)) = (&self.running, &mut self.attached) else { return };
                if let Some(reason) = attached.session_event(event, &running.screen, event_loop) {
                    self.outcome.get_or_insert(Ok(reason));
                    event_loop.exit();
                }
            }
            AppEvent::RendererFailed(why) => {
                self.fail(anyhow!("windows cannot be painted: {why}"), event_loop)
            }
            AppEvent::FirstPaint { wid } => tracing::debug!(%wid, "first picture"),
            AppEvent::Pixels { .. } => {}
        }
    }
}

impl ApplicationHandler for Viewer {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        if self.running.is_none()
            && self.outcome.is_none()
            && let Err(error) = self.start(event_loop)
        {
            self.fail(error, event_loop);
        }
    }

    fn user_event(&mut self, event_loop: &ActiveEventLoop, (): ()) {
        self.inbox.heard();
        while let Some(event) = self.inbox.pop() {
            match event {
                InboxEvent::App(event) => self.app_event(event, event_loop),
                InboxEvent::Desktop(event) => {
                    if let Some(attached) = &mut self.attached {
                        attached.desktop_event(event, event_loop);
                    }
                }
                InboxEvent::Interrupted => match &self.attached {
                    Some(attached) => attached.disconnect(),
                    None => event_loop.exit(),
                },
            }
        }
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, id: OsWindowId, event: WindowEvent) {
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
        let (Some(running), Some(attached)) = (&self.running, &mut self.attached) else { return };
        event_loop.set_control_flow(match attached.update(&running.screen) {
            Some(deadline) => ControlFlow::WaitUntil(deadline),
            None => ControlFlow::Wait,
        });
    }
}
