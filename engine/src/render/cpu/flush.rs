//! Sending off what softbuffer leaves in the output buffer of an X connection.
//!
//! The connection is the application's, whose event loop sends it off only when something happens.

use std::sync::Arc;

use as_raw_xcb_connection::AsRawXcbConnection;
use raw_window_handle::RawDisplayHandle;
use x11rb::connection::Connection;
use x11rb::xcb_ffi::XCBConnection;

use crate::channel::WindowTarget;
use crate::render::RenderError;

/// The X connection of a window, if it has one. To be dropped before the window.
pub(super) struct Flusher {
    connection: Option<XCBConnection>,
}

impl Flusher {
    #[expect(unsafe_code, reason = "the connection is known by its address only")]
    pub(super) fn new(target: &Arc<dyn WindowTarget>) -> Result<Self, RenderError> {
        let handle = target.display_handle().map_err(failed)?;
        let raw = match handle.as_raw() {
            RawDisplayHandle::Xcb(handle) => handle.connection.map(|connection| connection.as_ptr()),
            // SAFETY: the handle is that of a living window.
            RawDisplayHandle::Xlib(handle) => handle.display.map(|display| unsafe {
                tiny_xlib::Display::from_ptr(display.as_ptr()).as_raw_xcb_connection().cast()
            }),
            _ => None,
        };
        // SAFETY: the owner drops this before the window, which keeps its connection open.
        let connect = |raw| unsafe { XCBConnection::from_raw_xcb_connection(raw, false) };
        Ok(Self { connection: raw.map(connect).transpose().map_err(failed)? })
    }

    /// Sends off everything.
    pub(super) fn flush(&self) -> Result<(), RenderError> {
        self.connection.as_ref().map_or(Ok(()), |connection| connection.flush().map_err(failed))
    }
}

fn failed(error: impl std::fmt::Display) -> RenderError {
    RenderError::Surface(error.to_string())
}
