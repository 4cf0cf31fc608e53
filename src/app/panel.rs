//! What the session's own windows have in common: each shows one panel, which can come to something.

use std::time::Instant;

use winit::event::WindowEvent;
use winit::event_loop::ActiveEventLoop;
use winit::keyboard::ModifiersState;
use winit::window::WindowAttributes;

use crate::channel::{OwnId, RenderQueue, clock};
use crate::config::KeyCombination;
use crate::ui::theme;

use super::own_window::{OwnWindow, is_pressed};
use super::screen::Screen;

/// What an own window shows.
pub trait Panel {
    /// What the user decides in it.
    type Action;

    /// Title, size and so on of its window.
    fn attributes(&self) -> WindowAttributes;

    /// Shows it. egui may run it twice a frame; the first answer counts. What is to be shown anew without an event asks
    /// egui for that (`request_repaint_after`).
    fn ui(&mut self, ui: &mut egui::Ui) -> Option<Self::Action>;

    /// What it means to close the window.
    fn closed(&self) -> Self::Action;

    /// The key that closes the window, besides those of [`Self::ui`].
    fn closing_key(&self) -> Option<&KeyCombination> {
        None
    }
}

/// A window with a panel. Closed by dropping it.
pub struct PanelWindow<P> {
    window: OwnWindow,
    panel: P,
    modifiers: ModifiersState,
}

impl<P: Panel> PanelWindow<P> {
    /// Opens the window as own window `id`.
    ///
    /// # Errors
    /// If the OS makes no window.
    pub fn open(
        panel: P,
        id: OwnId,
        event_loop: &ActiveEventLoop,
        render: RenderQueue,
    ) -> Result<Self, winit::error::OsError> {
        let window = OwnWindow::open(panel.attributes(), id, event_loop, render)?;
        Ok(Self { window, panel, modifiers: ModifiersState::default() })
    }

    /// Dark or light, as the desktop is.
    pub fn follow_theme(&self, screen: &Screen) {
        theme::set_dark(self.window.context(), screen.is_dark(&self.window));
    }

    /// Whether an event is for this window.
    pub fn is(&self, id: winit::window::WindowId) -> bool {
        self.window.is(id)
    }

    /// An event of the window. `Some` when the user decided.
    pub fn event(&mut self, event: &WindowEvent) -> Option<P::Action> {
        self.window.event(event);
        let key = self.panel.closing_key();
        // Destroyed: by somebody else, as xkill does.
        let closed = matches!(event, WindowEvent::CloseRequested | WindowEvent::Destroyed)
            || key.is_some_and(|key| is_pressed(key, event, &mut self.modifiers));
        closed.then(|| self.panel.closed())
    }

    /// Paints the panel if it is time. `Some` when the user decided.
    pub fn update(&mut self) -> Option<P::Action> {
        let Self { window, panel, .. } = self;
        if !window.is_due() {
            return None;
        }
        let mut action = None;
        window.paint(|ui| {
            // Of two runs only the first answer has a password that was typed.
            let answer = panel.ui(ui);
            action = action.take().or(answer);
        });
        action
    }

    /// When [`Self::update`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.window.deadline()
    }

    /// What the window shows.
    pub fn panel(&self) -> &P {
        &self.panel
    }

    /// What the window shows, to be changed: it is painted anew.
    pub fn panel_mut(&mut self) -> &mut P {
        self.window.due_at(clock::now());
        &mut self.panel
    }
}
