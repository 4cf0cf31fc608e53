//! Sizes and places on Wayland, where a window learns its scale factor late, and its place never.

use std::time::Instant;

use winit::dpi::{LogicalSize, PhysicalSize};
use winit::event_loop::ActiveEventLoop;
use winit::window::Window;

use super::Windows;
use crate::app::os_size::{self, Asked, os_size};
use crate::app::place::Geometry;
use crate::app::remote_window::RemoteWindow;
use crate::app::screen;
use crate::channel::{RenderCommand, RenderMessage, RenderQueue};
use crate::desktop::WindowFacts;
use crate::geometry::{Point, Size};
use crate::protocol::packet::WindowId;

/// The size of a new window, which was made for a screen of this factor, and its true pixels there. The compositor has
/// chosen by now.
pub(super) fn first_size(window: &Window, factor: f64) -> (Option<Asked>, Size) {
    let size = os_size::inner_size(window);
    (Some(Asked::new(size)), os_size::true_size(size, factor))
}

impl Windows {
    /// The OS window is on a screen of another scale factor. Returns the true pixels that it is to have there: as
    /// many as before, since remote pixels have the same size on every screen. The OS has the last word.
    pub fn scale_factor_changed(&mut self, wid: WindowId) -> Option<PhysicalSize<u32>> {
        let remote = self.windows.get_mut(&wid)?;
        let Some(asked) = &mut remote.asked else { return Some(remote.window.inner_size()) };
        let factor = remote.window.scale_factor();
        let wanted = remote.talk.place().agreed_size();
        asked.rescale(os_size::logical_size(wanted, factor), remote.surface, factor);
        remote.guessed_factor = None;
        remote.set_size_limits();
        let size = os_size::granted(wanted, factor);
        Some(PhysicalSize::new(size.width, size.height))
    }

    /// The scale factor of the screen that a new window will come up on, most likely.
    pub(super) fn usual_factor(&self, event_loop: &ActiveEventLoop) -> f64 {
        let on_screen = self.windows.values().find(|remote| remote.guessed_factor.is_none());
        on_screen.map_or_else(|| screen::factor(event_loop), |remote| remote.window.scale_factor())
    }
}

impl RemoteWindow {
    /// On a screen a window has its true scale factor, for which it may have to get another size.
    pub(in crate::app) fn learn_factor(&mut self, render: &RenderQueue) {
        if let Some(guessed) = self.guessed_factor.take_if(|_| self.window.current_monitor().is_some())
            && guessed != self.window.scale_factor()
        {
            self.set_size_limits();
            self.request_size(self.place().agreed_size(), render);
        }
    }

    /// On Wayland: the window has another size or scale factor. Returns its true pixels, after it was told again what
    /// it is to have if that was out of date.
    pub(in crate::app) fn resized(&mut self, now: Instant) -> Option<Size> {
        let factor = self.factor()?;
        let size = os_size::inner_size(&self.window);
        match self.asked.as_mut()?.found(now, size) {
            Some(again) => self.ask(again),
            None => Some(os_size::true_size(size, factor)),
        }
    }

    /// What Wayland does not tell: a size is what was asked for if it only was rounded up, and a window lies where
    /// all of it can be reached on the server's `screen`, which is where its pointer can go.
    pub(in crate::app) fn wayland_facts(&self, facts: WindowFacts, screen: Size) -> WindowFacts {
        let wanted = self.place().agreed_size();
        let is_wanted = self.factor().is_some_and(|factor| self.surface == os_size::granted(wanted, factor));
        let size = if is_wanted { wanted } else { self.surface };
        let screen = self.place().scale().size_to_local(screen);
        let inside = |at: i32, len: u32, screen: u32| {
            at.min(i32::try_from(screen.saturating_sub(len)).unwrap_or(i32::MAX)).max(0)
        };
        let Geometry { x, y, .. } = self.place().local();
        let position = Point::new(inside(x, size.width, screen.width), inside(y, size.height, screen.height));
        WindowFacts { position: Some(position), size, ..facts }
    }

    /// Asks for another size, which takes effect at once where the OS says so.
    pub(in crate::app) fn request_size(&mut self, size: Size, render: &RenderQueue) {
        let wid = self.wid;
        let taken = match self.factor() {
            Some(factor) => self.ask(os_size::logical_size(size, factor)),
            None => {
                self.allow_size(size);
                self.window
                    .request_inner_size(os_size(size, None))
                    .map(|PhysicalSize { width, height }| Size { width, height })
            }
        };
        if let Some(size) = taken {
            self.surface = size;
            render.push(RenderMessage::Command(RenderCommand::SurfaceResized { surface: wid.into(), size }));
        }
    }

    /// On Wayland. Returns the true pixels that the window has after that.
    fn ask(&mut self, size: LogicalSize<u32>) -> Option<Size> {
        let factor = self.factor()?;
        let asked = self.asked.as_mut()?;
        asked.ask(size);
        let _ = self.window.request_inner_size(size);
        let got = os_size::inner_size(&self.window);
        if got != size {
            // Tiles and the like have no choice.
            asked.accept(got);
        }
        Some(os_size::true_size(got, factor))
    }

    /// On Wayland: true pixels a logical one.
    pub(in crate::app) fn factor(&self) -> Option<f64> {
        self.asked.is_some().then(|| self.guessed_factor.unwrap_or_else(|| self.window.scale_factor()))
    }
}
