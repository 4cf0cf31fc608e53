//! The password dialog: an OS window of its own.

use winit::dpi::LogicalSize;
use winit::window::{Window, WindowAttributes};

use crate::ui::{PasswordPrompt, PasswordReply, password_ui};

use super::panel::Panel;

impl Panel for PasswordPrompt {
    type Action = PasswordReply;

    fn attributes(&self) -> WindowAttributes {
        let (width, height) = self.size();
        Window::default_attributes()
            .with_title(self.title())
            .with_inner_size(LogicalSize::new(width, height))
            .with_resizable(false)
    }

    fn ui(&mut self, ui: &mut egui::Ui) -> Option<PasswordReply> {
        password_ui(self, ui)
    }

    fn closed(&self) -> PasswordReply {
        PasswordReply::Cancelled
    }
}
