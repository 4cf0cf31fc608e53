//! Grabs of winit's own connection to the X server, which no other connection can make or end: letting go of the pointer for the
//! window manager, and taking the keyboard from it.

use winit::window::Window;

#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
pub use here::{grab_keyboard, release_keyboard, release_pointer};
#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
pub use nowhere::{grab_keyboard, release_keyboard, release_pointer};

#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
mod here {
    use raw_window_handle::{HasDisplayHandle as _, HasWindowHandle as _, RawDisplayHandle, RawWindowHandle};
    use x11_dl::xlib::{CurrentTime, Display, False, GrabModeAsync, GrabSuccess, True, Xlib};

    use super::Window;

    /// winit's connection, with the library that winit uses it through.
    fn connection(window: &Window) -> Option<(Xlib, *mut Display)> {
        let RawDisplayHandle::Xlib(handle) = window.display_handle().ok()?.as_raw() else { return None };
        Some((Xlib::open().ok()?, handle.display?.as_ptr().cast()))
    }

    /// Ends the grab that a pressed button makes, so that the window manager can take the pointer. winit itself does it
    /// only together with a message that says where the pointer is now, not where it was when the button went down.
    #[expect(unsafe_code, reason = "winit's connection is known by its address only")]
    pub fn release_pointer(window: &Window) {
        let Some((xlib, display)) = connection(window) else { return };
        // SAFETY: the display is that of a living window, and winit's event loop runs on this thread; the library is
        // the one that winit uses.
        unsafe {
            (xlib.XUngrabPointer)(display, CurrentTime);
            // The round trip: the window manager is told over another connection after this.
            (xlib.XSync)(display, False);
        }
    }

    /// Has all keys come to this window until [`release_keyboard`], or until it is not seen any more. Returns whether they do.
    #[expect(unsafe_code, reason = "winit's connection is known by its address only")]
    pub fn grab_keyboard(window: &Window) -> bool {
        let Some((xlib, display)) = connection(window) else { return false };
        let Ok(RawWindowHandle::Xlib(handle)) = window.window_handle().map(|handle| handle.as_raw()) else {
            return false;
        };
        // SAFETY: as above, and the window lives. `owner_events`: keys come to the window as they do without a grab.
        let status = unsafe {
            (xlib.XGrabKeyboard)(display, handle.window, True, GrabModeAsync, GrabModeAsync, CurrentTime)
        };
        tracing::debug!(status, "the keyboard is grabbed");
        status == GrabSuccess
    }

    /// Ends that.
    #[expect(unsafe_code, reason = "winit's connection is known by its address only")]
    pub fn release_keyboard(window: &Window) {
        let Some((xlib, display)) = connection(window) else { return };
        // SAFETY: the display is that of a living window, and winit's event loop runs on this thread.
        unsafe {
            (xlib.XUngrabKeyboard)(display, CurrentTime);
            (xlib.XFlush)(display);
        }
    }
}

/// There is no X11 behind winit.
#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
mod nowhere {
    use super::Window;

    pub fn release_pointer(_window: &Window) {}

    pub fn grab_keyboard(_window: &Window) -> bool {
        false
    }

    pub fn release_keyboard(_window: &Window) {}
}
