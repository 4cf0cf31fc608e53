//! A pointer for a compositor that has none.

use std::os::unix::net::UnixStream;
use std::path::Path;

use wayland_client::globals::{GlobalListContents, registry_queue_init};
use wayland_client::protocol::wl_pointer::{Axis, ButtonState};
use wayland_client::protocol::{wl_registry, wl_seat};
use wayland_client::{Connection, Dispatch, EventQueue, QueueHandle, delegate_noop};
use wayland_protocols_wlr::virtual_pointer::v1::client::zwlr_virtual_pointer_manager_v1::ZwlrVirtualPointerManagerV1;
use wayland_protocols_wlr::virtual_pointer::v1::client::zwlr_virtual_pointer_v1::ZwlrVirtualPointerV1;

/// Linux' number of the left button.
pub const LEFT: u32 = 0x110;
/// The right one.
pub const RIGHT: u32 = 0x111;

struct Nothing;

/// The pointer, as long as it lives.
pub struct VirtualPointer {
    pointer: ZwlrVirtualPointerV1,
    queue: EventQueue<Nothing>,
    /// Milliseconds since it was made, as events tell them.
    time: u32,
    screen: (usize, usize),
}

impl VirtualPointer {
    /// A new one for the compositor at `socket`, whose screen has this many true pixels.
    #[track_caller]
    pub fn new(socket: &Path, screen: (usize, usize)) -> Self {
        let stream = UnixStream::connect(socket).expect("the compositor's socket");
        let connection = Connection::from_socket(stream).expect("a Wayland connection");
        let (globals, queue) = registry_queue_init::<Nothing>(&connection).expect("Wayland's globals");
        let handle = queue.handle();
        let manager: ZwlrVirtualPointerManagerV1 =
            globals.bind(&handle, 1..=2, ()).expect("virtual pointers");
        let seat: wl_seat::WlSeat = globals.bind(&handle, 1..=7, ()).expect("a seat");
        let pointer = manager.create_virtual_pointer(Some(&seat), &handle, ());
        let mut pointer = Self { pointer, queue, time: 0, screen };
        pointer.send();
        pointer
    }

    /// Moves it to this pixel of the screen.
    pub fn move_to(&mut self, x: usize, y: usize) {
        // In the middle of the pixel, so that no rounding leads out of it.
        let half = |at: usize| u32::try_from(2 * at + 1).expect("a position");
        let (width, height) = (half(self.screen.0) - 1, half(self.screen.1) - 1);
        self.time += 1;
        self.pointer.motion_absolute(self.time, half(x), half(y), width, height);
        self.send();
    }

    /// Presses or releases a button.
    pub fn button(&mut self, button: u32, pressed: bool) {
        self.time += 1;
        self.pointer.button(
            self.time,
            button,
            if pressed { ButtonState::Pressed } else { ButtonState::Released },
        );
        self.send();
    }

    /// Presses a button and releases it.
    pub fn click(&mut self, button: u32) {
        self.button(button, true);
        self.button(button, false);
    }

    /// Turns the wheel by one notch, down or up.
    pub fn wheel(&mut self, down: bool) {
        let notch = if down { 1 } else { -1 };
        self.time += 1;
        self.pointer.axis_source(wayland_client::protocol::wl_pointer::AxisSource::Wheel);
        self.pointer.axis_discrete(self.time, Axis::VerticalScroll, f64::from(15 * notch), notch);
        self.send();
    }

    fn send(&mut self) {
        self.pointer.frame();
        self.queue.roundtrip(&mut Nothing).expect("the compositor");
    }
}

impl Dispatch<wl_registry::WlRegistry, GlobalListContents> for Nothing {
    fn event(
        _: &mut Self,
        _: &wl_registry::WlRegistry,
        _: wl_registry::Event,
        _: &GlobalListContents,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
    }
}

delegate_noop!(Nothing: ignore wl_seat::WlSeat);
delegate_noop!(Nothing: ZwlrVirtualPointerManagerV1);
delegate_noop!(Nothing: ZwlrVirtualPointerV1);
