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
    pub(super) fn connection_said(&mut self, event: ConnectionEvent) -> Option<CloseReason> {
        match event {
            ConnectionEvent::Connected(server) => {
                (self.question, self.asking, self.refusal) = (None, None, None);
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
                match self.kept_passwords.was_asked(number) {
                    Some(can_keep) => self.ask_for_password(asked, can_keep),
                    None if self.kept_passwords.look_up(asked.clone()) => {}
                    None => self.ask_for_password(asked, false),
                }
            }
            ConnectionEvent::PasswordRefused { number, why } => {
                self.question = None;
                self.kept_passwords.refused(number);
                self.refusal = Some((number, why));
            }
            ConnectionEvent::SshAsks { prompt, kind } => {
                let prompt = PasswordPrompt::of_ssh(prompt, kind == SshAsk::Confirm);
                self.asking = Some(Question::Password(prompt));
            }
            ConnectionEvent::CertificateAsks(question) => {
                self.asking = Some(Question::Certificate(*question));
            }
            ConnectionEvent::SeveralSessions { displays } => {
                let server = connections::address(&self.config.connection.target);
                self.asking = Some(Question::Display(DisplayPrompt { server, displays }));
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
                self.kept_passwords.over();
                return Some(reason);
            }
            ConnectionEvent::LoggingIn | ConnectionEvent::Info(_) => {}
        }
        None
    }

    /// The connection is lost: nothing that is done from now on reaches anybody.
    fn away(&mut self, how: Away) {
        (self.question, self.asking) = (None, None);
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
    pub fn password_found(&mut self, number: u32, found: Found) {
        let Some(asked) = self.kept_passwords.found(number, &found) else { return };
        match found {
            Found::Password(password) => self.queues.net.input(ConnectionInput::Password(password)),
            Found::Nothing => self.ask_for_password(asked, true),
            Found::NoStore => self.ask_for_password(asked, false),
        }
    }

    fn ask_for_password(&mut self, asked: Asked, can_keep: bool) {
        let Asked { prompt, number } = asked;
        let connection = &self.config.connection;
        let user = connection.session.identity.username.clone();
        let prompt = PasswordPrompt::new(connection.target.to_string(), prompt, number)
            .of_user(user)
            .with_store(can_keep);
        let refusal = self.refusal.as_ref().filter(|(refused, _)| *refused == number);
        let prompt = match refusal {
            Some((_, why)) => prompt.after(sentence(why)),
            None => prompt,
        };
        self.question_number = number;
        self.asking = Some(Question::Password(prompt));
    }

    /// The question that nobody was asked yet.
    pub fn take_question(&mut self) -> Option<Question> {
        self.asking.take()
    }

    /// Asks in a window of its own.
    pub fn ask(&mut self, question: Question, event_loop: &ActiveEventLoop) {
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

    /// The user's answer to a question.
    pub fn answered(&mut self, reply: Reply) {
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

/// Words that begin with a capital.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
