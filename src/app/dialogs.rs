//! The password dialog: an OS window of its own, painted by the renderer like an overlay over
//! nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use winit::dpi::LogicalSize;
use winit::event::WindowEvent;
use winit::event_loop::ActiveEventLoop;
use winit::window::Window;

use crate::channel::{RenderCommand, RenderMessage, RenderQueue, clock};
use crate::codec::Size;
use crate::protocol::packet::WindowId;
use crate::ui::dialogs::DIALOG_SIZE;
use crate::ui::{PasswordPrompt, PasswordReply, UiSurface, password_ui};

use super::attributes::own_icon;

/// Numbers from here on are windows of our own: servers count from 1.
const FIRST_OWN_WID: u64 = 1 << 63;

/// The open dialog.
pub struct PasswordDialog {
    wid: WindowId,
    window: Arc<Window>,
    surface: UiSurface,
    input: egui_winit::State,
    prompt: PasswordPrompt,
    next: Option<Instant>,
    render: RenderQueue,
}

impl PasswordDialog {
    /// Opens the dialog. `number` tells dialogs of one run apart.
    ///
    /// # Errors
    /// If the OS makes no window.
    pub fn open(
        prompt: &str,
        number: u64,
        event_loop: &ActiveEventLoop,
        render: RenderQueue,
    ) -> Result<Self, winit::error::OsError> {
        let (width, height) = DIALOG_SIZE;
        let attributes = Window::default_attributes()
            .with_title("Farpane: password")
            .with_window_icon(own_icon())
            .with_inner_size(LogicalSize::new(width, height))
            .with_resizable(false);
        let window = Arc::new(event_loop.create_window(attributes)?);
        let wid = WindowId(FIRST_OWN_WID.saturating_add(number));
        let surface = UiSurface::new();
        let input = egui_winit::State::new(
            surface.context().clone(),
            egui::ViewportId::ROOT,
            &window,
            Some(window.scale_factor() as f32),
            None,
            None,
        );
        let target: Arc<Window> = Arc::clone(&window);
        let dialog = Self {
            wid,
            window,
            surface,
            input,
            prompt: PasswordPrompt::new(prompt),
            next: Some(clock::now()),
            render,
        };
        let size = dialog.size();
        dialog.send(RenderCommand::Attach { wid, target, size });
        Ok(dialog)
    }

    /// Whether an event is for this window.
    pub fn is(&self, id: winit::window::WindowId) -> bool {
        self.window.id() == id
    }

    /// An event of the dialog's window. `Some` when the user decided.
    pub fn event(&mut self, event: &WindowEvent) -> Option<PasswordReply> {
        match event {
            WindowEvent::CloseRequested => return Some(PasswordReply::Cancelled),
            WindowEvent::Resized(size) => {
                let size = Size { width: size.width, height: size.height };
                self.send(RenderCommand::SurfaceResized { wid: self.wid, size });
            }
            WindowEvent::RedrawRequested => self.send(RenderCommand::Redraw { wid: self.wid }),
            _ => {}
        }
        if self.input.on_window_event(&self.window, event).repaint {
            self.next = Some(clock::now());
        }
        None
    }

    /// Paints the dialog if it is time. `Some` when the user decided.
    pub fn update(&mut self) -> Option<PasswordReply> {
        let now = clock::now();
        self.next.filter(|next| *next <= now)?;
        let mut reply = None;
        let input = self.input.take_egui_input(&self.window);
        let prompt = &mut self.prompt;
        let frame = self.surface.frame(input, |ui| {
            // egui may run the function twice; only the first answer has the password.
            let answer = password_ui(prompt, ui);
            reply = reply.take().or(answer);
        });
        self.input.handle_platform_output(&self.window, frame.platform_output);
        self.send(RenderCommand::Overlay { wid: self.wid, frame: Some(frame.frame) });
        self.next = (frame.repaint_after < Duration::MAX).then(|| now + frame.repaint_after);
        reply
    }

    /// When [`Self::update`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.next
    }

    fn size(&self) -> Size {
        let size = self.window.inner_size();
        Size { width: size.width, height: size.height }
    }

    fn send(&self, command: RenderCommand) {
        self.render.push(RenderMessage::Command(command));
    }
}

impl Drop for PasswordDialog {
    fn drop(&mut self) {
        self.window.set_visible(false);
        self.send(RenderCommand::Detach { wid: self.wid });
    }
}
