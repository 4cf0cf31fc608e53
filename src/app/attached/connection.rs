//! What the session says of the connection, and what the user answers.

use winit::event_loop::ActiveEventLoop;

use super::Attached;
use crate::app::panel::PanelWindow;
use crate::config::connections;
use crate::session::clipboard::ToDesktop;
use crate::session::{Away, CloseReason, ConnectionEvent, ConnectionInput, SshAsk};
use crate::ui::{AwayAction, PasswordPrompt, PasswordReply};

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
                self.back();
                self.chosen.can_stop = server.can_stop;
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
            ConnectionEvent::Away(how) => self.away(how),
            ConnectionEvent::Closed(reason) => return Some(reason),
            ConnectionEvent::LoggingIn | ConnectionEvent::Latency(_) | ConnectionEvent::Info(_) => {}
        }
        None
    }

    /// The connection is lost: nothing that is done from now on reaches anybody.
    fn away(&mut self, how: Away) {
        self.password = None;
        if self.away.begin(how) {
            self.input.set_away(true);
            self.overlay.set_covered(true);
            self.windows.lost();
            // Who pastes meanwhile gets nothing, at once.
            self.clipboard.send(ToDesktop::Watch(Vec::new()));
        }
    }

    /// There is another one.
    fn back(&mut self) {
        if self.away.end() {
            self.overlay.set_covered(false);
            self.input.set_away(false);
        }
    }

    pub(super) fn away_action(&mut self, action: AwayAction) {
        self.queues.net.input(match action {
            AwayAction::TryNow => ConnectionInput::TryNow,
            AwayAction::Disconnect => ConnectionInput::Disconnect,
        });
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
