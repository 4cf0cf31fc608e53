//! Windows that belong to another window and lie over it: menus, lists, tooltips.

use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use raw_window_handle::{
    DisplayHandle, HandleError, HasDisplayHandle, HasWindowHandle, RawWindowHandle, WaylandWindowHandle,
    WindowHandle,
};
use smithay_client_toolkit::compositor::{SurfaceData, SurfaceDataExt};
use smithay_client_toolkit::reexports::client::Proxy as _;
use smithay_client_toolkit::reexports::protocols::wp::viewporter::client::wp_viewport::WpViewport;
use smithay_client_toolkit::reexports::protocols::xdg::shell::client::xdg_positioner::{
    Anchor, ConstraintAdjustment, Gravity,
};
use smithay_client_toolkit::shell::xdg::popup::Popup as XdgPopup;
use smithay_client_toolkit::shell::xdg::{XdgPositioner, XdgSurface as _};
use winit::event_loop::OwnedDisplayHandle;

use super::Wayland;
use crate::channel::WindowTarget;
use crate::desktop::{PopupParent, PopupPlace};

/// The first version of `xdg_popup` that can be moved.
const CAN_MOVE: u32 = 3;

/// What a popup's surface knows of it.
#[derive(Debug)]
pub(super) struct PopupData {
    pub(super) number: u64,
    /// The compositor took it away. wlroots (seen with 0.15, sway 1.7) ends the connection of whoever presents to it
    /// then, so that is known before the application hears of it.
    pub(super) dismissed: Arc<AtomicBool>,
    surface: SurfaceData,
}

impl SurfaceDataExt for PopupData {
    fn surface_data(&self) -> &SurfaceData {
        &self.surface
    }
}

/// An open popup. It is gone when this and all targets of it are dropped.
pub struct Popup {
    number: u64,
    dismissed: Arc<AtomicBool>,
    target: Arc<Target>,
}

/// What is presented to.
struct Target {
    popup: XdgPopup,
    viewport: Option<WpViewport>,
    display: OwnedDisplayHandle,
}

impl Wayland {
    /// Opens a popup, which can be presented to when it was [placed](crate::desktop::PopupEvent::Placed). `factor` is
    /// the parent's. Popups that lie on another one must be dropped before that.
    pub fn open_popup(&self, parent: PopupParent<'_>, place: &PopupPlace, factor: f64) -> Option<Popup> {
        let parent = match parent {
            PopupParent::Window(window) => self.toplevel(window)?.xdg_surface().clone(),
            PopupParent::Popup(popup) => popup.target.popup.xdg_surface().clone(),
        };
        let number = self.opened.get() + 1;
        self.opened.set(number);
        let positioner = self.positioner(place)?;
        let dismissed = Arc::<AtomicBool>::default();
        let data = PopupData { number, dismissed: Arc::clone(&dismissed), surface: SurfaceData::default() };
        let surface = self.compositor.create_surface_with_data(&self.queue, data);
        let viewport = if factor.fract() == 0.0 {
            surface.set_buffer_scale(factor as i32);
            None
        } else {
            let viewport = self.viewporter.as_ref()?.get_viewport(&surface, &self.queue, ());
            viewport.set_destination(place.width, place.height);
            Some(viewport)
        };
        let popup = XdgPopup::from_surface(Some(&parent), &positioner, &self.queue, surface, &self.shell)
            .inspect_err(|error| tracing::warn!(%error, "no popup"))
            .ok()?;
        popup.wl_surface().commit();
        let _ = self.connection.flush();
        Some(Popup {
            number,
            dismissed,
            target: Arc::new(Target { popup, viewport, display: self.display.clone() }),
        })
    }

    /// Moves and resizes a popup, if the compositor can do that.
    pub fn move_popup(&self, popup: &Popup, place: &PopupPlace) -> bool {
        let Target { popup: xdg, viewport, .. } = &*popup.target;
        if xdg.xdg_popup().version() < CAN_MOVE {
            return false;
        }
        let Some(positioner) = self.positioner(place) else { return false };
        xdg.reposition(&positioner, 0);
        if let Some(viewport) = viewport {
            viewport.set_destination(place.width, place.height);
        }
        let _ = self.connection.flush();
        true
    }

    fn positioner(&self, place: &PopupPlace) -> Option<XdgPositioner> {
        let positioner = XdgPositioner::new(&self.shell).ok()?;
        positioner.set_size(place.width.max(1), place.height.max(1));
        // The anchor must lie on the parent, the popup need not.
        let on_parent = |at: i32, len: i32| at.clamp(0, (len - 1).max(0));
        let (x, y) = (on_parent(place.x, place.parent.0), on_parent(place.y, place.parent.1));
        positioner.set_anchor_rect(x, y, 1, 1);
        positioner.set_anchor(Anchor::TopLeft);
        positioner.set_gravity(Gravity::BottomRight);
        positioner.set_offset(place.x - x, place.y - y);
        // The program that opens it does not know where the edges of the screen are.
        positioner.set_constraint_adjustment(ConstraintAdjustment::SlideX | ConstraintAdjustment::SlideY);
        Some(positioner)
    }
}

impl Popup {
    /// By which events name it.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Set when the compositor took it away.
    pub fn dismissed(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.dismissed)
    }

    /// For a renderer.
    pub fn target(&self) -> Arc<dyn WindowTarget> {
        Arc::clone(&self.target) as _
    }
}

impl HasWindowHandle for Target {
    #[expect(unsafe_code, reason = "a handle is an address")]
    fn window_handle(&self) -> Result<WindowHandle<'_>, HandleError> {
        let address =
            NonNull::new(self.popup.wl_surface().id().as_ptr().cast()).ok_or(HandleError::Unavailable)?;
        let raw = RawWindowHandle::Wayland(WaylandWindowHandle::new(address));
        // SAFETY: the surface lives as long as this.
        Ok(unsafe { WindowHandle::borrow_raw(raw) })
    }
}

impl HasDisplayHandle for Target {
    fn display_handle(&self) -> Result<DisplayHandle<'_>, HandleError> {
        self.display.display_handle()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(viewport) = self.viewport.take() {
            viewport.destroy();
        }
        // At once, whatever the other thread still holds: popups on it are gone by now, and its parent may go next.
        self.popup.xdg_popup().destroy();
    }
}
