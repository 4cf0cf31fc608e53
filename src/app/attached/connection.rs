//! What the session says of the connection, and what the user answers.

use winit::event_loop::ActiveEventLoop;

use super::Attached;
use crate::app::panel::PanelWindow;
use crate::config::connections;
use crate::session::{CloseReason, ConnectionEvent, ConnectionInput, SshAsk};
use crate::ui::{PasswordPrompt, PasswordReply};

impl Attached {
    /// Asks for the end, which comes as [`ConnectionEvent::Closed`].
    pub fn disconnect(&self) {
        self.queues.net.input(ConnectionInput::Disconnect);
    }

    /// Returns why it is over, when it is.
    pub(super) fn connection_said(
        &mut self,
        event: ConnectionEvent,
        event_loop: &ActiveEventLoop,
    ) -> Option<CloseReason> {
        match event {
            ConnectionEvent::Connected(server) => {
                self.password = None;
                if !server.session_name.is_empty() {
                    self.windows.title = server.session_name;
                }
            }
            ConnectionEvent::PasswordNeeded { prompt, number } => {
                let server = connections::address(&self.config.connection.target);
                self.ask_password(PasswordPrompt::new(server, prompt, number), event_loop);
            }
            ConnectionEvent::SshAsks { prompt, kind } => {
                self.ask_password(PasswordPrompt::of_ssh(prompt, kind == SshAsk::Confirm), event_loop);
            }
            ConnectionEvent::StartupComplete => self.windows.startup_complete(),
            ConnectionEvent::Closed(reason) => return Some(reason),
            ConnectionEvent::LoggingIn | ConnectionEvent::Latency(_) | ConnectionEvent::Info(_) => {}
        }
        None
    }

    fn ask_password(&mut self, prompt: PasswordPrompt, event_loop: &ActiveEventLoop) {
        self.own_windows.0 += 1;
        let render = self.queues.render.clone();
        match PanelWindow::open(prompt, self.own_windows, event_loop, render) {
            Ok(dialog) => self.password = Some(dialog),
            Err(error) => {
                tracing::error!(%error, "the password dialog cannot be opened");
                self.queues.net.input(ConnectionInput::PasswordCancelled);
            }
        }
    }

    pub(super) fn password_reply(&mut self, reply: PasswordReply) {
        self.password = None;
        self.queues.net.input(match reply {
            PasswordReply::Password(password) => ConnectionInput::Password(password),
            PasswordReply::Cancelled => ConnectionInput::PasswordCancelled,
        });
    }
}
