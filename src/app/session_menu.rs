//! The session menu's window.

use std::time::Instant;

use winit::dpi::LogicalSize;
use winit::event::WindowEvent;
use winit::event_loop::ActiveEventLoop;
use winit::keyboard::ModifiersState;
use winit::window::Window;

use crate::channel::{OwnId, RenderQueue};
use crate::config::KeyCombination;
use crate::protocol::packet::WindowId;
use crate::ui::session_menu::SESSION_MENU_SIZE;
use crate::ui::{SessionMenu, SessionMenuAction, session_menu_ui, theme};

use super::own_window::{OwnWindow, is_pressed};
use super::screen::Screen;

/// The open menu.
pub struct SessionMenuWindow {
    window: OwnWindow,
    pub menu: SessionMenu,
    /// The remote window that it was opened in.
    pub over: WindowId,
    /// What closes it, besides Escape.
    key: KeyCombination,
    modifiers: ModifiersState,
}

impl SessionMenuWindow {
    /// Opens the menu as own window `id`, over the remote window `over`.
    ///
    /// # Errors
    /// If the OS makes no window.
    pub fn open(
        menu: SessionMenu,
        over: WindowId,
        id: OwnId,
        key: KeyCombination,
        (screen, event_loop): (&Screen, &ActiveEventLoop),
        render: RenderQueue,
    ) -> Result<Self, winit::error::OsError> {
        let attributes = Window::default_attributes()
            .with_title("Session menu")
            .with_inner_size(LogicalSize::new(SESSION_MENU_SIZE.0, SESSION_MENU_SIZE.1))
            .with_resizable(false);
        let window = OwnWindow::open(attributes, id, event_loop, render)?;
        theme::set_dark(window.context(), screen.is_dark(&window));
        Ok(Self { window, menu, over, key, modifiers: ModifiersState::default() })
    }

    /// Whether an event is for this window.
    pub fn is(&self, id: winit::window::WindowId) -> bool {
        self.window.is(id)
    }

    /// An event of the window.
    pub fn event(&mut self, event: &WindowEvent) -> Option<SessionMenuAction> {
        self.window.event(event);
        let closed =
            matches!(event, WindowEvent::CloseRequested) || is_pressed(&self.key, event, &mut self.modifiers);
        closed.then_some(SessionMenuAction::Close)
    }

    /// Paints the window if it is time.
    pub fn update(&mut self) -> Option<SessionMenuAction> {
        if !self.window.is_due() {
            return None;
        }
        let Self { window, menu, .. } = self;
        let mut action = None;
        window.paint(|ui| {
            let decided = session_menu_ui(menu, ui);
            action = action.take().or(decided);
        });
        action
    }

    /// Says what became of what was done.
    pub fn note(&mut self, words: String) {
        self.menu.note = words;
        self.window.due_at(crate::channel::clock::now());
    }

    /// When [`Self::update`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.window.deadline()
    }
}
