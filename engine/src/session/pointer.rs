//! The pointer: its cursor, and what servers do with it. How it moves is [`super::input`].

use super::event::Output;
use super::input::InputState;
use super::room;
use super::setup::Setup;
use super::windows::Windows;
use crate::buffers::Payload;
use crate::protocol::packet::pointer::{Cursor, FromServer, PointerState};
use crate::protocol::packet::{Dict, Value, WindowId};

/// Largest width or height of a cursor.
const MAX_CURSOR_SIDE: u32 = 512;

/// Sizes of cursors that are asked for: the usual one, and the largest.
const CURSOR_SIDE: u32 = 24;
const LARGEST_ASKED_FOR: u32 = 256;

/// What the user interface is told of the pointer.
#[derive(Clone, Debug)]
pub enum PointerEvent {
    Cursor(CursorShape),
    Grabbed { wid: WindowId },
    Ungrabbed,
}

/// The pointer's look.
#[derive(Clone, Debug)]
pub enum CursorShape {
    Default,
    Image(Cursor),
}

/// What the user does with the pointer.
#[derive(Clone, Debug)]
pub enum PointerInput {
    Moved(PointerState),
    /// `button` is the X button number 1..=9.
    Button {
        button: u8,
        pressed: bool,
        pointer: PointerState,
    },
    /// Wheel motion in 1/1000 notch; positive x is right, positive y is up.
    Wheel {
        dx: i32,
        dy: i32,
        pointer: PointerState,
    },
}

/// What hello says of it.
pub fn capabilities(setup: &Setup, hello: &mut Dict) {
    let unknown = || vec![Value::from(-1), Value::from(-1)];
    hello.push("cursors", true);
    if !setup.peer.dialect.is_modern() {
        hello
            .push("encodings.cursor", &["raw", "png"][..])
            .push("mouse.show", false)
            .push("double_click.time", -1)
            .push("double_click.distance", unknown());
        return;
    }
    let square = |side: u32| vec![Value::from(side), Value::from(side)];
    let mut cursor = Dict::default();
    cursor
        .push("encodings", &["raw", "png"][..])
        .push("backwards-compatible", false)
        .push("default", square(CURSOR_SIDE))
        .push("max", square(LARGEST_ASKED_FOR));
    let mut double_click = Dict::default();
    double_click.push("time", -1).push("distance", unknown());
    let mut pointer = Dict::default();
    pointer.push("double_click", double_click);
    hello.push("cursor", cursor).push("pointer", pointer);
}

/// Takes a packet of the server's.
pub fn packet(packet: FromServer, out: &mut Vec<Output>) {
    let event = match packet {
        FromServer::Cursor(cursor) => PointerEvent::Cursor(shape(cursor)),
        FromServer::DefaultCursor => PointerEvent::Cursor(CursorShape::Default),
        FromServer::Grab { wid } => PointerEvent::Grabbed { wid },
        FromServer::Ungrab { .. } => PointerEvent::Ungrabbed,
        // The local pointer is the user's.
        FromServer::Position { .. } | FromServer::DefaultCursorShape => return,
    };
    out.push(Output::Event(event.into()));
}

/// Takes what the user does.
pub fn input(input: PointerInput, windows: &Windows, devices: &mut InputState, out: &mut Vec<Output>) {
    let over_known = |pointer: PointerState| PointerState { wid: windows.known(pointer.wid), ..pointer };
    match input {
        PointerInput::Moved(pointer) => devices.motion(over_known(pointer), out),
        PointerInput::Button { button, pressed, pointer } => {
            devices.button(button, pressed, over_known(pointer), out);
        }
        PointerInput::Wheel { dx, dy, pointer } => devices.wheel(dx, dy, over_known(pointer), out),
    }
}

fn shape(mut cursor: Cursor) -> CursorShape {
    if !room::is_small_picture(cursor.width, cursor.height, MAX_CURSOR_SIDE, cursor.data.len()) {
        return CursorShape::Default;
    }
    // The buffer that it was received in may be far larger.
    cursor.data = Payload::from(Vec::from(&cursor.data[..]));
    CursorShape::Image(cursor)
}
