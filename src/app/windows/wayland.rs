//! Sizes and places on Wayland, where a window learns its scale factor late, and its place never.

use winit::dpi::PhysicalSize;
use winit::event_loop::ActiveEventLoop;

use super::Windows;
use crate::app::os_size::{self, os_size};
use crate::app::place::Geometry;
use crate::app::remote_window::RemoteWindow;
use crate::app::screen;
use crate::channel::{RenderCommand, RenderMessage, RenderQueue};
use crate::codec::Size;
use crate::desktop::WindowFacts;
use crate::protocol::packet::WindowId;

impl Windows {
    /// The OS window is on a screen of another scale factor. Returns the true pixels that it is to have there: as
    /// many as before, since remote pixels have the same size on every screen. The OS has the last word.
    pub fn scale_factor_changed(&mut self, wid: WindowId) -> Option<PhysicalSize<u32>> {
        let remote = self.windows.get_mut(&wid)?;
        if !remote.wayland {
            return Some(remote.window.inner_size());
        }
        remote.guessed_factor = None;
        remote.set_size_limits();
        let size = os_size::granted(remote.place().agreed_size(), remote.window.scale_factor());
        Some(PhysicalSize::new(size.width, size.height))
    }

    /// The scale factor of the screen that a new window will come up on, most likely.
    pub(super) fn usual_factor(&self, event_loop: &ActiveEventLoop) -> f64 {
        let on_screen = self.windows.values().find(|remote| remote.guessed_factor.is_none());
        on_screen.map_or_else(|| screen::factor(event_loop), |remote| remote.window.scale_factor())
    }
}

impl RemoteWindow {
    /// Whether the window's size says nothing yet: it was made for another scale factor than it has, and may get
    /// that one as soon as it is on a screen.
    pub(in crate::app) fn waits_for_factor(&mut self, render: &RenderQueue) -> bool {
        let Some(guessed) = self.guessed_factor else { return false };
        if guessed == self.window.scale_factor() {
            self.guessed_factor = None;
        } else if self.talk.is_settling() {
            return true;
        } else if self.window.current_monitor().is_some() {
            // The guess was wrong.
            self.guessed_factor = None;
            self.set_size_limits();
            self.request_size(self.place().agreed_size(), render);
        }
        false
    }

    /// What Wayland does not tell: a size is what was asked for if it only was rounded up, and a window lies where
    /// all of it can be reached on the server's `screen`, which is where its pointer can go.
    pub(in crate::app) fn wayland_facts(&self, facts: WindowFacts, screen: Size) -> WindowFacts {
        let wanted = self.place().agreed_size();
        // What is on no screen has the size that it was made for.
        let is_wanted = self.guessed_factor.is_some()
            || self.surface == os_size::granted(wanted, self.window.scale_factor());
        let size = if is_wanted { wanted } else { self.surface };
        let screen = self.place().scale().size_to_local(screen);
        let inside = |at: i32, len: u32, screen: u32| {
            at.min(i32::try_from(screen.saturating_sub(len)).unwrap_or(i32::MAX)).max(0)
        };
        let Geometry { x, y, .. } = self.place().local();
        let position = (inside(x, size.width, screen.width), inside(y, size.height, screen.height));
        WindowFacts { position: Some(position), size, ..facts }
    }

    /// Asks for another size, which takes effect at once where the OS says so.
    pub(in crate::app) fn request_size(&mut self, size: Size, render: &RenderQueue) {
        let (wid, factor) = (self.wid, self.factor());
        if let Some(size) = self.window.request_inner_size(os_size(size, factor)) {
            let size = Size { width: size.width, height: size.height };
            self.surface = size;
            render.push(RenderMessage::Command(RenderCommand::SurfaceResized { wid, size }));
        }
    }

    /// True pixels a logical one, where sizes are counted in those.
    pub(in crate::app) fn factor(&self) -> Option<f64> {
        self.wayland.then(|| self.guessed_factor.unwrap_or_else(|| self.window.scale_factor()))
    }
}
