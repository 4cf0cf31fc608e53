//! The pointer: its cursor, and what servers do with it. How it moves is [`super::input`].

use super::config::SessionConfig;
use super::event::{CursorShape, SessionEvent};
use super::room;
use crate::buffers::Payload;
use crate::protocol::packet::pointer::{Cursor, FromServer};
use crate::protocol::packet::{Dict, Value};

/// Largest width or height of a cursor.
const MAX_CURSOR_SIDE: u32 = 512;

/// Sizes of cursors that are asked for: the usual one, and the largest.
const CURSOR_SIDE: u32 = 24;
const LARGEST_ASKED_FOR: u32 = 256;

/// What hello says of it.
pub fn capabilities(config: &SessionConfig, hello: &mut Dict) {
    let unknown = || vec![Value::from(-1), Value::from(-1)];
    hello.push("cursors", true);
    if !config.generation.is_modern() {
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

/// What the user interface is to know of a packet.
pub fn packet(packet: FromServer) -> Option<SessionEvent> {
    match packet {
        FromServer::Cursor(cursor) => Some(SessionEvent::Cursor(shape(cursor))),
        FromServer::DefaultCursor => Some(SessionEvent::Cursor(CursorShape::Default)),
        FromServer::Grab { wid } => Some(SessionEvent::PointerGrabbed { wid }),
        FromServer::Ungrab { .. } => Some(SessionEvent::PointerUngrabbed),
        // The local pointer is the user's.
        FromServer::Position { .. } | FromServer::DefaultCursorShape => None,
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
