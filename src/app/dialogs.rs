//! The password dialog: an OS window of its own.

use std::time::Instant;

use winit::dpi::LogicalSize;
use winit::event::WindowEvent;
use winit::event_loop::ActiveEventLoop;
use winit::window::Window;

use crate::channel::{OwnId, RenderQueue};
use crate::ui::dialogs::DIALOG_SIZE;
use crate::ui::{PasswordPrompt, PasswordReply, password_ui};

use super::own_window::OwnWindow;

/// The open dialog.
pub struct PasswordDialog {
    window: OwnWindow,
    prompt: PasswordPrompt,
}

impl PasswordDialog {
    /// Opens the dialog as own window `id`.
    ///
    /// # Errors
    /// If the OS makes no window.
    pub fn open(
        prompt: PasswordPrompt,
        id: OwnId,
        event_loop: &ActiveEventLoop,
        render: RenderQueue,
    ) -> Result<Self, winit::error::OsError> {
        let (width, height) = DIALOG_SIZE;
        let attributes = Window::default_attributes()
            .with_title("Farpane: password")
            .with_inner_size(LogicalSize::new(width, height))
            .with_resizable(false);
        let window = OwnWindow::open(attributes, id, event_loop, render)?;
        Ok(Self { window, prompt })
    }

    /// Whether an event is for this window.
    pub fn is(&self, id: winit::window::WindowId) -> bool {
        self.window.is(id)
    }

    /// An event of the dialog's window. `Some` when the user decided.
    pub fn event(&mut self, event: &WindowEvent) -> Option<PasswordReply> {
        self.window.event(event);
        matches!(event, WindowEvent::CloseRequested).then_some(PasswordReply::Cancelled)
    }

    /// Paints the dialog if it is time. `Some` when the user decided.
    pub fn update(&mut self) -> Option<PasswordReply> {
        let Self { window, prompt } = self;
        if !window.is_due() {
            return None;
        }
        let mut reply = None;
        window.paint(|ui| {
            // Of two runs only the first answer has the password.
            let answer = password_ui(prompt, ui);
            reply = reply.take().or(answer);
        });
        reply
    }

    /// When [`Self::update`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.window.deadline()
    }
}
