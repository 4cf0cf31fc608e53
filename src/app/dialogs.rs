//! What is asked before there is a session, each question in an OS window of its own: for a password, whether a
//! certificate is to be trusted, which session is wanted.

use winit::dpi::LogicalSize;
use winit::window::{Window, WindowAttributes};

use crate::session::{CertificateAnswer, CertificateQuestion, Fingerprint};
use crate::ui::{
    CERTIFICATE_SIZE, DISPLAYS_SIZE, DisplayPrompt, PasswordPrompt, PasswordReply, certificate_ui,
    displays_ui, password_ui,
};

use super::panel::Panel;

/// What is asked.
pub enum Question {
    Password(PasswordPrompt),
    Certificate(CertificateQuestion),
    Display(DisplayPrompt),
}

/// What the user says to it.
pub enum Reply {
    Password(PasswordReply),
    Certificate(Fingerprint, CertificateAnswer),
    Display(Option<String>),
}

impl Question {
    const fn title(&self) -> &'static str {
        match self {
            Self::Password(prompt) => prompt.title(),
            Self::Certificate(_) => "Farpane: certificate",
            Self::Display(_) => "Farpane: sessions",
        }
    }

    const fn size(&self) -> (u32, u32) {
        match self {
            Self::Password(prompt) => prompt.size(),
            Self::Certificate(_) => CERTIFICATE_SIZE,
            Self::Display(_) => DISPLAYS_SIZE,
        }
    }
}

impl Panel for Question {
    type Action = Reply;

    fn attributes(&self) -> WindowAttributes {
        let (width, height) = self.size();
        Window::default_attributes()
            .with_title(self.title())
            .with_inner_size(LogicalSize::new(width, height))
            .with_resizable(false)
    }

    fn ui(&mut self, ui: &mut egui::Ui) -> Option<Reply> {
        match self {
            Self::Password(prompt) => password_ui(prompt, ui).map(Reply::Password),
            Self::Display(prompt) => displays_ui(prompt, ui).map(Reply::Display),
            Self::Certificate(question) => {
                let fingerprint = question.certificate.fingerprint;
                certificate_ui(question, ui).map(|answer| Reply::Certificate(fingerprint, answer))
            }
        }
    }

    fn closed(&self) -> Reply {
        match self {
            Self::Password(_) => Reply::Password(PasswordReply::Cancelled),
            Self::Display(_) => Reply::Display(None),
            Self::Certificate(question) => {
                Reply::Certificate(question.certificate.fingerprint, CertificateAnswer::No)
            }
        }
    }
}
