//! Where there is no Wayland.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use winit::event_loop::OwnedDisplayHandle;
use winit::window::{CursorIcon, Window};

use super::{DesktopEvent, PopupParent, PopupPlace};
use crate::channel::WindowTarget;

/// Never there.
pub struct Wayland(Infallible);

/// Never open.
pub struct Popup(Infallible);

/// Why not.
#[derive(Debug, thiserror::Error)]
#[error("this system has no Wayland")]
pub struct WaylandError;

#[allow(missing_docs, clippy::missing_errors_doc, reason = "nobody can call them")]
impl Wayland {
    pub fn open(
        _display: OwnedDisplayHandle,
        _notify: impl Fn(DesktopEvent) + Send + 'static,
    ) -> Result<Self, WaylandError> {
        Err(WaylandError)
    }

    pub fn set_cursor(&self, _icon: CursorIcon) {
        match self.0 {}
    }

    pub fn set_parent(&self, _window: &Window, _parent: Option<&Window>) {
        match self.0 {}
    }

    pub fn can_grab_keyboard(&self) -> bool {
        match self.0 {}
    }

    pub fn grab_keyboard(&self, _window: &Window) -> bool {
        match self.0 {}
    }

    pub fn release_keyboard(&self) {
        match self.0 {}
    }

    pub fn open_popup(&self, _parent: PopupParent<'_>, _place: &PopupPlace, _factor: f64) -> Option<Popup> {
        match self.0 {}
    }

    pub fn move_popup(&self, _popup: &Popup, _place: &PopupPlace) -> bool {
        match self.0 {}
    }
}

impl Popup {
    /// By which events name it.
    pub fn number(&self) -> u64 {
        match self.0 {}
    }

    /// Set when the compositor took it away.
    pub fn dismissed(&self) -> Arc<AtomicBool> {
        match self.0 {}
    }

    /// For a renderer.
    pub fn target(&self) -> Arc<dyn WindowTarget> {
        match self.0 {}
    }
}
