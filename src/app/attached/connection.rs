//! What the session says of the connection, and what the user answers.

use winit::event_loop::ActiveEventLoop;

use super::Attached;
use crate::app::dialogs::{Question, Reply};
use crate::app::kept_passwords::Asked;
use crate::app::panel::{Panel as _, PanelWindow};
use crate::config::connections;
use crate::desktop::purpose::Found;
use crate::session::clipboard::ToDesktop;
use crate::session::{Away, CloseReason, ConnectionEvent, ConnectionInput, SshAsk};
use crate::ui::{AwayAction, DisplayPrompt, PasswordPrompt, PasswordReply};

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
                self.question = None;
                self.kept_passwords.accepted();
                self.back();
                self.chosen.can_stop = server.can_stop;
                self.card.connected(&server);
                if !server.session_name.is_empty() {
                    self.windows.titles.session = server.session_name;
                }
                if !server.hostname.is_empty() {
                    self.windows.titles.server = server.hostname;
                }
            }
            ConnectionEvent::PasswordNeeded { prompt, number } => {
                let asked = Asked { prompt, number };
                if !self.kept_passwords.look_up(asked.clone()) {
                    self.ask_for_password(asked, false, event_loop);
                }
            }
            ConnectionEvent::SshAsks { prompt, kind } => {
                let prompt = PasswordPrompt::of_ssh(prompt, kind == SshAsk::Confirm);
                self.ask(Question::Password(prompt), event_loop);
            }
            ConnectionEvent::CertificateAsks(question) => {
                self.ask(Question::Certificate(*question), event_loop);
            }
            ConnectionEvent::SeveralSessions { displays } => {
                let server = connections::address(&self.config.connection.target);
                self.ask(Question::Display(DisplayPrompt { server, displays }), event_loop);
            }
            ConnectionEvent::StartupComplete => {
                self.windows.startup_complete();
                self.card.startup_complete();
            }
            ConnectionEvent::Latency(ping) => self.card.latency(ping),
            ConnectionEvent::Silence(since) => {
                self.away.silent(since);
                self.overlay.set_covered(self.away.is_still());
            }
            ConnectionEvent::Menu(menu) => self.card.menu(*menu),
            ConnectionEvent::Away(how) => self.away(how),
            ConnectionEvent::Closed(reason) => {
                if let CloseReason::Authentication(_) = &reason {
                    self.kept_passwords.refused();
                }
                self.kept_passwords.over();
                return Some(reason);
            }
            ConnectionEvent::LoggingIn | ConnectionEvent::Info(_) => {}
        }
        None
    }

    /// The connection is lost: nothing that is done from now on reaches anybody.
    fn away(&mut self, how: Away) {
        self.question = None;
        self.kept_passwords.over();
        if self.away.lost(how) {
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
            AwayAction::TryNow | AwayAction::Reconnect => ConnectionInput::TryNow,
            AwayAction::Disconnect => ConnectionInput::Disconnect,
        });
    }

    /// The desktop's store has this for the question of this number, if that still waits.
    pub fn password_found(&mut self, number: u32, found: Found, event_loop: &ActiveEventLoop) {
        let Some(asked) = self.kept_passwords.found(number, &found) else { return };
        match found {
            Found::Password(password) => self.queues.net.input(ConnectionInput::Password(password)),
            Found::Nothing => self.ask_for_password(asked, true, event_loop),
            Found::NoStore => self.ask_for_password(asked, false, event_loop),
        }
    }

    fn ask_for_password(&mut self, asked: Asked, can_keep: bool, event_loop: &ActiveEventLoop) {
        let Asked { prompt, number } = asked;
        let server = connections::address(&self.config.connection.target);
        let prompt = PasswordPrompt::new(server, prompt, number).with_store(can_keep);
        self.question_number = number;
        self.ask(Question::Password(prompt), event_loop);
    }

    fn ask(&mut self, question: Question, event_loop: &ActiveEventLoop) {
        self.own_windows.0 += 1;
        let render = self.queues.render.clone();
        let refusal = question.closed();
        match PanelWindow::open(question, self.own_windows, event_loop, render) {
            Ok(dialog) => self.question = Some(dialog),
            Err(error) => {
                tracing::error!(%error, "the dialog cannot be opened");
                self.answered(refusal);
            }
        }
    }

    pub(super) fn answered(&mut self, reply: Reply) {
        self.question = None;
        self.queues.net.input(match reply {
            Reply::Password(PasswordReply::Password(password)) => ConnectionInput::Password(password),
            Reply::Password(PasswordReply::Keep(password)) => {
                self.kept_passwords.typed(self.question_number, password.clone());
                ConnectionInput::Password(password)
            }
            Reply::Password(PasswordReply::Cancelled) => ConnectionInput::PasswordCancelled,
            Reply::Display(display) => ConnectionInput::Display(display),
            Reply::Certificate(fingerprint, answer) => ConnectionInput::Certificate { fingerprint, answer },
        });
    }
}
