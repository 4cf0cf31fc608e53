//! The pointer: where it is, which buttons are held, how far the wheel turned.

use winit::event::{DeviceEvent, ElementState, MouseButton, MouseScrollDelta};

/// Buttons that can be held at once.
const MAX_BUTTONS: usize = 9;
/// Pixels of a touchpad's scroll motion that count as one notch of a wheel.
const PIXELS_PER_NOTCH: f64 = 20.0;
/// The session counts wheel motion in thousandths of a notch.
const UNITS_PER_NOTCH: f64 = 1000.0;

/// The X number of a mouse button; buttons that X does not know have none.
pub fn button_number(button: MouseButton) -> Option<u8> {
    match button {
        MouseButton::Left => Some(1),
        MouseButton::Middle => Some(2),
        MouseButton::Right => Some(3),
        MouseButton::Back => Some(8),
        MouseButton::Forward => Some(9),
        MouseButton::Other(_) => None,
    }
}

/// Where the pointer is and which buttons are held.
#[derive(Debug, Default)]
pub struct Pointer {
    /// In root pixels; the last place known.
    pub x: i32,
    pub y: i32,
    held: Vec<u8>,
}

impl Pointer {
    /// The buttons held, in the order in which they were pressed.
    pub fn buttons(&self) -> Vec<u8> {
        self.held.clone()
    }

    /// Whether any button is held.
    pub fn is_dragging(&self) -> bool {
        !self.held.is_empty()
    }

    /// A button went down or up. False if nothing changed: a release without its press.
    pub fn set_button(&mut self, button: u8, pressed: bool) -> bool {
        let position = self.held.iter().position(|held| *held == button);
        match (position, pressed) {
            (None, true) if self.held.len() < MAX_BUTTONS => self.held.push(button),
            (Some(index), false) => {
                self.held.remove(index);
            }
            _ => return false,
        }
        true
    }
}

/// Turns scroll deltas into whole thousandths of a notch and keeps what is left over.
#[derive(Debug, Default)]
pub struct WheelScale {
    rest_x: f64,
    rest_y: f64,
}

impl WheelScale {
    /// Wheel motion in thousandths of a notch: positive x is right, positive y is up.
    ///
    /// winit's x is the way the content moves: to the right when one scrolls to the left.
    pub fn thousandths(&mut self, delta: MouseScrollDelta) -> (i32, i32) {
        let (x, y) = match delta {
            MouseScrollDelta::LineDelta(x, y) => (f64::from(x), f64::from(y)),
            MouseScrollDelta::PixelDelta(pixels) => {
                (pixels.x / PIXELS_PER_NOTCH, pixels.y / PIXELS_PER_NOTCH)
            }
        };
        (whole(&mut self.rest_x, -x * UNITS_PER_NOTCH), whole(&mut self.rest_y, y * UNITS_PER_NOTCH))
    }
}

fn whole(rest: &mut f64, units: f64) -> i32 {
    if !units.is_finite() {
        return 0;
    }
    let total = *rest + units;
    let whole = total.round();
    *rest = total - whole;
    // Saturating: a float cast never wraps.
    whole as i32
}

/// Leaves out the second of the two wheel events that winit 0.30 makes of one click of X buttons
/// 4 to 7: it makes one of the press and one of the release.
///
/// Only clicks that are no shadow of smooth scrolling come that way (xdotool, old devices). Each
/// is preceded by the raw device event, which says whether it was a press: so raw events must be
/// listened to while the pointer is over one of our windows.
#[derive(Debug, Default)]
pub struct WheelFilter {
    /// The last raw event, if that was a wheel button.
    raw: Option<ElementState>,
}

impl WheelFilter {
    /// A raw device event came.
    pub fn device_event(&mut self, event: &DeviceEvent) {
        self.raw = match event {
            DeviceEvent::Button { button: 4..=7, state } => Some(*state),
            _ => None,
        };
    }

    /// Whether a wheel event counts.
    pub fn accepts(&mut self) -> bool {
        self.raw.take() != Some(ElementState::Released)
    }
}
