//! Who answers ssh's questions, and what was answered.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::channel::{AppEvent, AppSink};
use crate::protocol::text;
use crate::session::{ConnectionEvent, Secret, SshAsk};

/// Lines of a question, and characters of each.
const MAX_LINES: usize = 12;
const MAX_LINE: usize = 200;

/// Who is asked, and what was answered: outlives each run of ssh.
pub struct Asking {
    pub(super) app: Arc<dyn AppSink>,
    /// From the user; `None`: none will be given.
    answers: mpsc::Receiver<Option<Secret>>,
    /// Questions and their answers, in the order in which they were given.
    remembered: Vec<(String, Secret)>,
    /// Answers the first question for a password.
    password: Option<Secret>,
    /// The display of the session that was started: the next run attaches to it.
    pub(super) started: Option<String>,
}

/// A question of ssh's, as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub prompt: String,
    pub kind: SshAsk,
}

impl Asking {
    /// Questions go to `app`, answers come through the sender.
    pub fn new(app: Arc<dyn AppSink>, password: Option<Secret>) -> (Self, mpsc::Sender<Option<Secret>>) {
        let (sender, answers) = mpsc::channel(1);
        (Self { app, answers, remembered: Vec::new(), password, started: None }, sender)
    }

    /// What was answered in an earlier run of ssh: each answer counts once a run, since a question that comes again
    /// was answered wrongly.
    pub(super) fn memory(&self) -> Vec<(String, Secret)> {
        self.remembered.clone()
    }

    /// The answer to `question`; `None` if the user gives none. Cancel-safe: what is answered later is not taken for
    /// the answer to another question.
    pub(super) async fn answer(
        &mut self,
        question: &Question,
        memory: &mut Vec<(String, Secret)>,
    ) -> Option<Secret> {
        if let Some(at) = memory.iter().position(|(prompt, _)| *prompt == question.prompt) {
            return Some(memory.remove(at).1);
        }
        // It was wrong.
        self.remembered.retain(|(prompt, _)| *prompt != question.prompt);
        let is_password =
            question.kind == SshAsk::Secret && question.prompt.to_ascii_lowercase().contains("password");
        let given = if is_password { self.password.take() } else { None };
        let answer = match given {
            Some(password) => password,
            None => {
                while self.answers.try_recv().is_ok() {}
                let Question { prompt, kind } = question.clone();
                self.app.send(AppEvent::Session(ConnectionEvent::SshAsks { prompt, kind }.into()));
                self.answers.recv().await.flatten()?
            }
        };
        self.remembered.push((question.prompt.clone(), answer.clone()));
        Some(answer)
    }
}

impl Question {
    /// Understands what the process that ssh started passes on: a line with ssh's hint, and the question.
    pub fn read(bytes: &[u8]) -> Self {
        let said = String::from_utf8_lossy(bytes);
        let (hint, prompt) = said.split_once('\n').unwrap_or(("", &said));
        let lines: Vec<String> =
            prompt.lines().take(MAX_LINES).map(|line| text::shown(line, MAX_LINE)).collect();
        let prompt = lines.join("\n").trim().to_owned();
        let kind = match hint {
            "none" => SshAsk::Notice,
            "confirm" => SshAsk::Confirm,
            // ssh(1) gives no hint with the question whether a host's key is right.
            _ if prompt.contains("(yes/no") => SshAsk::Confirm,
            _ => SshAsk::Secret,
        };
        Self { prompt, kind }
    }
}
