//! What the compositor says in our own queue: the pointer over popups, where popups are.
//!
//! No screen is bound here: the compositor names every bound one to winit's windows, which take a strange one for
//! theirs and do not hear when its scale factor changes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use smithay_client_toolkit::compositor::{CompositorState, SurfaceData};
use smithay_client_toolkit::globals::GlobalData;
use smithay_client_toolkit::reexports::client::backend::ObjectId;
use smithay_client_toolkit::reexports::client::globals::{BindError, GlobalList};
use smithay_client_toolkit::reexports::client::protocol::{
    wl_callback, wl_compositor, wl_pointer, wl_seat, wl_surface,
};
use smithay_client_toolkit::reexports::client::{
    Connection, Dispatch, Proxy as _, QueueHandle, delegate_noop,
};
use smithay_client_toolkit::reexports::protocols::wp::viewporter::client::{
    wp_viewport::WpViewport, wp_viewporter::WpViewporter,
};
use smithay_client_toolkit::registry::{ProvidesRegistryState, RegistryState};
use smithay_client_toolkit::seat::pointer::{
    CursorIcon, PointerEvent, PointerEventKind, PointerHandler, ThemeSpec, ThemedPointer,
};
use smithay_client_toolkit::seat::{Capability, SeatHandler, SeatState};
use smithay_client_toolkit::shell::xdg::popup::{Popup as XdgPopup, PopupConfigure, PopupHandler};
use smithay_client_toolkit::shell::xdg::window::{Window, WindowConfigure, WindowHandler};
use smithay_client_toolkit::shm::{Shm, ShmHandler};
use smithay_client_toolkit::{
    delegate_pointer, delegate_registry, delegate_seat, delegate_shm, delegate_xdg_popup, delegate_xdg_shell,
    registry_handlers,
};

use winit::event::{ElementState, MouseButton, MouseScrollDelta};

use super::Shared;
use super::popup::PopupData;
use crate::desktop::{DesktopEvent, PopupEvent};

/// Marks the answer that ends the thread.
pub(super) struct Quit;

/// The pointers, and what they look like over popups.
#[derive(Default)]
pub(super) struct Cursors {
    icon: CursorIcon,
    /// By seat; whether each is over a popup.
    pointers: HashMap<ObjectId, (ThemedPointer, bool)>,
}

impl Cursors {
    /// The pointers look so from now on.
    pub(super) fn set(&mut self, icon: CursorIcon, connection: &Connection) {
        self.icon = icon;
        self.pointers
            .values()
            .filter(|(_, inside)| *inside)
            .for_each(|(pointer, _)| show(pointer, icon, connection));
    }

    fn inside(&mut self, pointer: &wl_pointer::WlPointer, inside: bool, connection: &Connection) {
        for (themed, is_inside) in
            self.pointers.values_mut().filter(|(themed, _)| themed.pointer() == pointer)
        {
            *is_inside = inside;
            if inside {
                show(themed, self.icon, connection);
            }
        }
    }
}

fn show(pointer: &ThemedPointer, icon: CursorIcon, connection: &Connection) {
    if let Err(error) =
        pointer.set_cursor(connection, icon).or_else(|_| pointer.set_cursor(connection, CursorIcon::Default))
    {
        tracing::debug!(%error, "a popup's cursor cannot be shown");
    }
}

/// What the thread owns.
pub(super) struct State {
    registry: RegistryState,
    seats: SeatState,
    compositor: CompositorState,
    shm: Shm,
    shared: Arc<Shared>,
    notify: Box<dyn Fn(DesktopEvent) + Send>,
}

impl State {
    pub(super) fn new(
        globals: &GlobalList,
        queue: &QueueHandle<Self>,
        shared: Arc<Shared>,
        notify: Box<dyn Fn(DesktopEvent) + Send>,
    ) -> Result<Self, BindError> {
        Ok(Self {
            registry: RegistryState::new(globals),
            seats: SeatState::new(globals, queue),
            compositor: CompositorState::bind(globals, queue)?,
            shm: Shm::bind(globals, queue)?,
            shared,
            notify,
        })
    }

    fn popup(&self, number: u64, event: PopupEvent) {
        (self.notify)(DesktopEvent::Popup { number, event });
    }
}

impl SeatHandler for State {
    fn seat_state(&mut self) -> &mut SeatState {
        &mut self.seats
    }

    // Not said of those that were there before: their capabilities are.
    fn new_seat(&mut self, _: &Connection, _: &QueueHandle<Self>, _: wl_seat::WlSeat) {}

    fn new_capability(
        &mut self,
        _: &Connection,
        queue: &QueueHandle<Self>,
        seat: wl_seat::WlSeat,
        capability: Capability,
    ) {
        let mut seats = self.shared.seats();
        if capability == Capability::Keyboard && !seats.contains(&seat) {
            seats.push(seat.clone());
        }
        drop(seats);
        if capability != Capability::Pointer {
            return;
        }
        let mut cursors = self.shared.cursors();
        if let Entry::Vacant(entry) = cursors.pointers.entry(seat.id()) {
            let surface = self.compositor.create_surface(queue);
            let shm = self.shm.wl_shm();
            match self.seats.get_pointer_with_theme::<Self, SurfaceData>(
                queue,
                &seat,
                shm,
                surface,
                ThemeSpec::System,
            ) {
                Ok(pointer) => drop(entry.insert((pointer, false))),
                Err(error) => tracing::debug!(%error, "no pointer over popups"),
            }
        }
    }

    fn remove_capability(
        &mut self,
        _: &Connection,
        _: &QueueHandle<Self>,
        seat: wl_seat::WlSeat,
        capability: Capability,
    ) {
        if capability == Capability::Pointer {
            self.shared.cursors().pointers.remove(&seat.id());
        }
    }

    fn remove_seat(&mut self, _: &Connection, _: &QueueHandle<Self>, seat: wl_seat::WlSeat) {
        self.shared.cursors().pointers.remove(&seat.id());
        self.shared.seats().retain(|other| *other != seat);
    }
}

impl ShmHandler for State {
    fn shm_state(&mut self) -> &mut Shm {
        &mut self.shm
    }
}

impl PointerHandler for State {
    fn pointer_frame(
        &mut self,
        connection: &Connection,
        _: &QueueHandle<Self>,
        pointer: &wl_pointer::WlPointer,
        events: &[PointerEvent],
    ) {
        for event in events {
            // All else is over winit's windows.
            let Some(PopupData { number, .. }) = event.surface.data() else { continue };
            let (x, y) = event.position;
            match event.kind {
                PointerEventKind::Enter { .. } => self.shared.cursors().inside(pointer, true, connection),
                PointerEventKind::Leave { .. } => self.shared.cursors().inside(pointer, false, connection),
                _ => {}
            }
            let event = match event.kind {
                PointerEventKind::Enter { .. } | PointerEventKind::Motion { .. } => {
                    PopupEvent::Moved { x, y }
                }
                PointerEventKind::Leave { .. } => PopupEvent::Left,
                PointerEventKind::Press { button, .. } => {
                    PopupEvent::Button(mouse_button(button), ElementState::Pressed)
                }
                PointerEventKind::Release { button, .. } => {
                    PopupEvent::Button(mouse_button(button), ElementState::Released)
                }
                // winit counts the other way round.
                PointerEventKind::Axis { horizontal: x, vertical: y, .. }
                    if x.discrete != 0 || y.discrete != 0 =>
                {
                    PopupEvent::Wheel(MouseScrollDelta::LineDelta(-x.discrete as f32, -y.discrete as f32))
                }
                PointerEventKind::Axis { horizontal: x, vertical: y, .. } => {
                    PopupEvent::Wheel(MouseScrollDelta::PixelDelta((-x.absolute, -y.absolute).into()))
                }
            };
            self.popup(*number, event);
        }
    }
}

impl PopupHandler for State {
    fn configure(&mut self, _: &Connection, _: &QueueHandle<Self>, popup: &XdgPopup, _: PopupConfigure) {
        if let Some(PopupData { number, .. }) = popup.wl_surface().data() {
            self.popup(*number, PopupEvent::Placed);
        }
    }

    fn done(&mut self, _: &Connection, _: &QueueHandle<Self>, popup: &XdgPopup) {
        if let Some(PopupData { number, dismissed, .. }) = popup.wl_surface().data() {
            dismissed.store(true, Ordering::Release);
            self.popup(*number, PopupEvent::Dismissed);
        }
    }
}

/// A button by its number in Linux' `input-event-codes.h`, as winit names them.
fn mouse_button(button: u32) -> MouseButton {
    match button {
        0x110 => MouseButton::Left,
        0x111 => MouseButton::Right,
        0x112 => MouseButton::Middle,
        0x113 | 0x116 => MouseButton::Back,
        0x114 | 0x115 => MouseButton::Forward,
        other => MouseButton::Other(u16::try_from(other).unwrap_or(u16::MAX)),
    }
}

/// Popups are drawn for the factor of the window that they belong to, on whatever screen.
impl<T: Send + Sync + 'static> Dispatch<wl_surface::WlSurface, T> for State {
    fn event(
        _: &mut Self,
        _: &wl_surface::WlSurface,
        _: wl_surface::Event,
        _: &T,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
    }
}

impl Dispatch<wl_compositor::WlCompositor, GlobalData> for State {
    fn event(
        _: &mut Self,
        _: &wl_compositor::WlCompositor,
        _: wl_compositor::Event,
        _: &GlobalData,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
    }
}

/// Windows are winit's.
impl WindowHandler for State {
    fn request_close(&mut self, _: &Connection, _: &QueueHandle<Self>, _: &Window) {}

    fn configure(&mut self, _: &Connection, _: &QueueHandle<Self>, _: &Window, _: WindowConfigure, _: u32) {}
}

impl ProvidesRegistryState for State {
    registry_handlers!(SeatState);

    fn registry(&mut self) -> &mut RegistryState {
        &mut self.registry
    }
}

impl Dispatch<wl_callback::WlCallback, Quit> for State {
    fn event(
        _: &mut Self,
        _: &wl_callback::WlCallback,
        _: wl_callback::Event,
        _: &Quit,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
    }
}

delegate_pointer!(State);
delegate_registry!(State);
delegate_seat!(State);
delegate_shm!(State);
delegate_xdg_popup!(State);
delegate_xdg_shell!(State);
delegate_noop!(State: WpViewporter);
delegate_noop!(State: WpViewport);
