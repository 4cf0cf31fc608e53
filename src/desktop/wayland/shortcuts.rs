//! Keys that the compositor has for itself, for a window (keyboard-shortcuts-inhibit). Compositors may refuse, and their users
//! can take the keys back by a shortcut that stays.

use raw_window_handle::{HasWindowHandle as _, RawWindowHandle};
use smithay_client_toolkit::reexports::client::backend::ObjectId;
use smithay_client_toolkit::reexports::client::protocol::wl_surface::WlSurface;
use smithay_client_toolkit::reexports::client::{Proxy as _, delegate_noop};
use smithay_client_toolkit::reexports::protocols::wp::keyboard_shortcuts_inhibit::zv1::client::{
    zwp_keyboard_shortcuts_inhibit_manager_v1::ZwpKeyboardShortcutsInhibitManagerV1 as Manager,
    zwp_keyboard_shortcuts_inhibitor_v1::ZwpKeyboardShortcutsInhibitorV1 as Inhibitor,
};
use winit::window::Window;

use super::Wayland;
use super::state::State;

/// What the compositor knows of it.
pub(super) struct Shortcuts {
    pub manager: Option<Manager>,
    /// One for each seat that had a keyboard's focus to give when the keys were asked for.
    pub inhibitors: std::cell::RefCell<Vec<Inhibitor>>,
}

impl Wayland {
    /// Whether the compositor gives its keys away at all.
    pub fn can_grab_keyboard(&self) -> bool {
        self.shortcuts.manager.is_some()
    }

    /// Has all keys come to this window, while it has the focus. Returns whether the compositor was asked for it.
    pub fn grab_keyboard(&self, window: &Window) -> bool {
        let (Some(manager), Some(surface)) = (&self.shortcuts.manager, self.surface(window)) else {
            return false;
        };
        // A second one for the same surface would be an error.
        self.release_keyboard();
        let seats = self.shared.seats();
        let inhibit = |seat| manager.inhibit_shortcuts(&surface, seat, &self.queue, ());
        *self.shortcuts.inhibitors.borrow_mut() = seats.iter().map(inhibit).collect();
        let _ = self.connection.flush();
        true
    }

    /// Ends that.
    pub fn release_keyboard(&self) {
        for inhibitor in self.shortcuts.inhibitors.take() {
            inhibitor.destroy();
        }
        let _ = self.connection.flush();
    }

    #[expect(unsafe_code, reason = "winit shows the window by its address only")]
    fn surface(&self, window: &Window) -> Option<WlSurface> {
        let RawWindowHandle::Wayland(handle) = window.window_handle().ok()?.as_raw() else { return None };
        // SAFETY: the window lives, and with it its surface.
        let id = unsafe { ObjectId::from_ptr(WlSurface::interface(), handle.surface.as_ptr().cast()) };
        WlSurface::from_id(&self.connection, id.ok()?).ok()
    }
}

delegate_noop!(State: Manager);
delegate_noop!(State: ignore Inhibitor);
