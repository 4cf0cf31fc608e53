//! Letting go of the pointer for the window manager.

use winit::window::Window;

/// Ends the grab that a pressed button makes, so that the window manager can take the pointer. The grab is
/// of winit's connection, which no other can end; winit itself does it only together with a message that says
/// where the pointer is now, not where it was when the button went down.
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
#[expect(unsafe_code, reason = "winit's connection is known by its address only")]
pub fn release_pointer(window: &Window) {
    use raw_window_handle::{HasDisplayHandle as _, RawDisplayHandle};
    let Ok(handle) = window.display_handle() else { return };
    let RawDisplayHandle::Xlib(handle) = handle.as_raw() else { return };
    let (Some(display), Ok(xlib)) = (handle.display, x11_dl::xlib::Xlib::open()) else { return };
    // SAFETY: the display is that of a living window, and winit's event loop runs on this thread; the library is
    // the one that winit uses.
    unsafe {
        (xlib.XUngrabPointer)(display.as_ptr().cast(), x11_dl::xlib::CurrentTime);
        // The round trip: the window manager is told over another connection after this.
        (xlib.XSync)(display.as_ptr().cast(), x11_dl::xlib::False);
    }
}

/// There is no X11 behind winit here.
#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
pub fn release_pointer(_window: &Window) {}
