//! The session menu's window.

use winit::dpi::LogicalSize;
use winit::window::{Window, WindowAttributes};

use crate::config::KeyCombination;
use crate::protocol::packet::WindowId;
use crate::ui::{SessionMenu, SessionMenuAction, session_menu_ui};

use super::panel::Panel;

/// The menu over a window.
pub struct OpenMenu {
    /// What it shows, as the user sets it.
    pub menu: SessionMenu,
    /// The remote window that it was opened in.
    pub over: WindowId,
    /// What closes it, besides Escape.
    pub key: KeyCombination,
    /// Of its window.
    pub size: LogicalSize<f64>,
}

impl Panel for OpenMenu {
    type Action = SessionMenuAction;

    fn attributes(&self) -> WindowAttributes {
        Window::default_attributes()
            .with_title("Session menu")
            .with_inner_size(self.size)
            .with_resizable(false)
    }

    fn ui(&mut self, ui: &mut egui::Ui) -> Option<SessionMenuAction> {
        session_menu_ui(&mut self.menu, ui)
    }

    fn closed(&self) -> SessionMenuAction {
        SessionMenuAction::Close
    }

    fn closing_key(&self) -> Option<&KeyCombination> {
        Some(&self.key)
    }
}
