//! What the session says of its windows.

use winit::event_loop::ActiveEventLoop;

use super::Attached;
use crate::app::remote_window::is_by_pointer;
use crate::app::screen::Screen;
use crate::channel::clock;
use crate::protocol::packet::WindowId;
use crate::session::{WindowChange, WindowEvent, WindowInfo};

impl Attached {
    pub(super) fn window_said(&mut self, event: WindowEvent, screen: &Screen, event_loop: &ActiveEventLoop) {
        match event {
            WindowEvent::Created(info) => self.window_created(*info, screen, event_loop),
            WindowEvent::Kept(info) => {
                if let Err(info) = self.windows.keep(*info, &screen.desktop) {
                    self.forget(info.wid);
                    self.window_created(*info, screen, event_loop);
                }
            }
            WindowEvent::Changed { wid, change } => self.window_changed(wid, change, screen),
            WindowEvent::Destroyed { wid } => self.forget(wid),
            WindowEvent::Bell { percent, pitch, duration_ms, .. } => {
                screen.desktop.bell(percent, pitch, duration_ms);
            }
        }
    }

    fn window_created(&mut self, info: WindowInfo, screen: &Screen, event_loop: &ActiveEventLoop) {
        let (wid, title) = (info.wid, info.title.clone());
        self.card.window_comes(info.override_redirect);
        if let Some(window) = self.popup_window(&info, &screen.desktop) {
            self.popups.create(info, window);
        } else if let Err(error) = self.windows.create(info, event_loop, &screen.desktop) {
            tracing::error!(%error, %wid, title, "no window can be made for a remote one");
        }
    }

    fn window_changed(&mut self, wid: WindowId, change: WindowChange, screen: &Screen) {
        if let WindowChange::InitiateMoveResize { direction, .. } = change {
            // The user let go before the server answered: nothing would end it.
            if is_by_pointer(direction) && !self.input.is_button_held() {
                return;
            }
            self.input.release_buttons(wid);
        }
        match change {
            WindowChange::Geometry { position, size } if self.popups.contains(wid) => {
                if self.popups.geometry(wid, position, size, &self.windows, &screen.desktop) {
                    // Nobody says any more that the pointer leaves it; if it is in the new one, that is said.
                    self.leaving.left(clock::now(), wid);
                }
            }
            change => self.windows.change(wid, change, &screen.desktop),
        }
    }
}
