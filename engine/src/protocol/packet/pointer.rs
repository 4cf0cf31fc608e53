//! The pointer, both ways: where it is, what is pressed, who has it, and its cursor (Protocol.md §7.6, §8.5).

use crate::buffers::Payload;
use crate::protocol::tape::Node;

use super::args::{ArgError, Args, List};
use super::encode::Encoder;
use super::names::{self, Names, Naming, alias, received};
use super::out::Out;
use super::{Modifiers, WindowId};

/// The packets that have two names.
pub const NAMES: Names = Names {
    to_client: &[
        alias("cursor-data", "cursor", Naming::V65),
        alias("window-grab", "pointer-grab", Naming::V66),
        alias("window-ungrab", "pointer-ungrab", Naming::V66),
    ],
    to_server: &[
        alias("pointer-motion", "pointer-position", Naming::V65),
        alias("pointer-button", "button-action", Naming::V65),
        alias("pointer-wheel", "wheel-motion", Naming::V65),
        alias("cursor-set", "set-cursors", Naming::V65),
        received("pointer-motion", "pointer"),
    ],
};

/// From the server.
#[derive(Clone, Debug, PartialEq)]
pub enum FromServer {
    /// The server moved the pointer; `None`: over no window of ours.
    Position {
        wid: Option<WindowId>,
        x: i32,
        y: i32,
    },
    Cursor(Cursor),
    DefaultCursor,
    /// What the default cursor looks like, which clients of their own look have no use for (legacy `cursor` with
    /// `default:`).
    DefaultCursorShape,
    Grab {
        wid: WindowId,
    },
    /// The server may ungrab without a window.
    Ungrab {
        wid: Option<WindowId>,
    },
}

/// To the server.
#[derive(Clone, Debug, PartialEq)]
pub enum ToServer {
    Motion(PointerState),
    Button {
        button: u8,
        pressed: bool,
        pointer: PointerState,
    },
    /// Precise wheel motion: `button` 4..7 says the axis and sign, `distance` is in 1/1000 notch.
    Wheel {
        button: u8,
        distance: i32,
        pointer: PointerState,
    },
    /// Whether cursors are to be sent.
    CursorSet {
        enabled: bool,
    },
}

/// Where the pointer is and what is held with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PointerState {
    /// `None`: it is over none of the windows.
    pub wid: Option<WindowId>,
    /// In root pixels of the server.
    pub x: i32,
    pub y: i32,
    pub modifiers: Modifiers,
    /// X's numbers of the buttons that are down.
    pub buttons: Vec<u8>,
}

/// `cursor-data`; in legacy form `cursor`.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    /// `raw` (BGRA) or `png`.
    pub encoding: String,
    pub width: u32,
    pub height: u32,
    pub hotspot_x: u32,
    pub hotspot_y: u32,
    pub serial: u64,
    pub data: Payload,
    /// X cursor font or theme name, for example `xterm`; may be empty.
    pub name: String,
}

impl FromServer {
    /// The modern name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Position { .. } => "pointer-position",
            Self::Cursor(_) | Self::DefaultCursorShape => "cursor-data",
            Self::DefaultCursor => "cursor-default",
            Self::Grab { .. } => "window-grab",
            Self::Ungrab { .. } => "window-ungrab",
        }
    }

    /// Reads a packet; `None` if it is of another subject.
    ///
    /// # Errors
    /// If an argument is missing or wrong.
    pub fn parse(args: &mut Args<'_>) -> Result<Option<Self>, ArgError> {
        let name = args.packet();
        Ok(Some(match names::modern(NAMES.to_client, name) {
            "pointer-position" => {
                Self::Position { wid: args.window()?, x: args.i32("x")?, y: args.i32("y")? }
            }
            "cursor-data" if name == "cursor" => legacy_cursor(args)?,
            "cursor-data" => Self::Cursor(cursor(args)?),
            "cursor-default" => Self::DefaultCursor,
            "window-grab" => Self::Grab { wid: args.wid()? },
            "window-ungrab" => Self::Ungrab { wid: args.window()? },
            _ => return Ok(None),
        }))
    }

    /// Writes the packet.
    pub fn encode(&self, out: &mut Out<'_, '_>) {
        match self {
            Self::Position { wid, x, y } => out.packet("pointer-position", 5, |args| {
                args.window(*wid);
                args.ints_bare(&[*x, *y, *x, *y]);
            }),
            Self::Cursor(cursor) => write_cursor(out, cursor),
            // Nobody who reads it does anything about the shape.
            Self::DefaultCursor | Self::DefaultCursorShape if out.is_legacy() => {
                out.packet("cursor-data", 1, |args| args.str(""));
            }
            Self::DefaultCursor | Self::DefaultCursorShape => out.packet("cursor-default", 0, |_| {}),
            Self::Grab { wid } => out.window("window-grab", *wid),
            Self::Ungrab { wid } => out.packet("window-ungrab", 1, |args| args.window(*wid)),
        }
    }
}

impl ToServer {
    /// Reads a packet; `None` if it is of another subject.
    ///
    /// # Errors
    /// If an argument is missing or wrong.
    pub fn parse(args: &mut Args<'_>) -> Result<Option<Self>, ArgError> {
        let name = args.packet();
        Ok(Some(match names::modern(NAMES.to_server, name) {
            "pointer-motion" => motion(args, name == "pointer-position")?,
            "pointer-button" => button(args, name == "button-action")?,
            "pointer-wheel" => wheel(args)?,
            "cursor-set" => Self::CursorSet { enabled: args.bool("enabled")? },
            _ => return Ok(None),
        }))
    }

    /// Writes the packet.
    pub fn encode(&self, out: &mut Out<'_, '_>) {
        match self {
            Self::Motion(pointer) => write_motion(out, pointer),
            Self::Button { button, pressed, pointer } => write_button(out, *button, *pressed, pointer),
            Self::Wheel { button, distance, pointer } => write_wheel(out, *button, *distance, pointer),
            Self::CursorSet { enabled } => out.packet("cursor-set", 1, |args| args.bool(*enabled)),
        }
    }
}

fn cursor(args: &mut Args<'_>) -> Result<Cursor, ArgError> {
    Ok(Cursor {
        encoding: args.string("encoding")?,
        width: args.size("w")?,
        height: args.size("h")?,
        hotspot_x: args.size("hotspot_x")?,
        hotspot_y: args.size("hotspot_y")?,
        serial: args.u64("serial")?,
        data: args.bytes("data")?,
        name: if args.left() > 0 { args.string("name")? } else { String::new() },
    })
}

/// `cursor`: the encoding, a position that means nothing, then the arguments of `cursor-data` and
/// the server's cursor sizes. With one argument only it asks for the default cursor.
fn legacy_cursor(args: &mut Args<'_>) -> Result<FromServer, ArgError> {
    if args.left() <= 1 {
        return Ok(FromServer::DefaultCursor);
    }
    let encoding = args.string("encoding")?;
    // "default:png" describes the cursor that windows have when they do not set one.
    let (encoding, is_default) = match encoding.strip_prefix("default:") {
        Some(encoding) => (encoding.to_owned(), true),
        None => (encoding, false),
    };
    args.skip("x")?;
    args.skip("y")?;
    let (width, height) = (args.size("w")?, args.size("h")?);
    let (hotspot_x, hotspot_y) = (args.size("hotspot_x")?, args.size("hotspot_y")?);
    let serial = args.u64("serial")?;
    let data = match args.peek() {
        Some(Node::Null) => args.skip("data").map(|()| Payload::default())?,
        _ => args.bytes("data")?,
    };
    let name = if args.left() > 0 { args.string("name")? } else { String::new() };
    if is_default {
        return Ok(FromServer::DefaultCursorShape);
    }
    Ok(FromServer::Cursor(Cursor { encoding, width, height, hotspot_x, hotspot_y, serial, data, name }))
}

fn motion(args: &mut Args<'_>, is_legacy: bool) -> Result<ToServer, ArgError> {
    skip_device(args, is_legacy)?;
    let wid = args.window()?;
    Ok(ToServer::Motion(state(wid, args)?))
}

fn button(args: &mut Args<'_>, is_legacy: bool) -> Result<ToServer, ArgError> {
    skip_device(args, is_legacy)?;
    let wid = args.window()?;
    let (button, pressed) = (args.u8("button")?, args.bool("pressed")?);
    Ok(ToServer::Button { button, pressed, pointer: state(wid, args)? })
}

fn wheel(args: &mut Args<'_>) -> Result<ToServer, ArgError> {
    let wid = args.window()?;
    let (button, distance) = (args.u8("axis")?, args.i32("delta")?);
    Ok(ToServer::Wheel { button, distance, pointer: state(wid, args)? })
}

/// The device and its sequence number, which the legacy form lacks.
fn skip_device(args: &mut Args<'_>, is_legacy: bool) -> Result<(), ArgError> {
    if !is_legacy {
        args.skip("device")?;
        args.skip("sequence")?;
    }
    Ok(())
}

/// The arguments with which all of them end.
fn state(wid: Option<WindowId>, args: &mut Args<'_>) -> Result<PointerState, ArgError> {
    let (x, y) = axes(args)?;
    let (modifiers, buttons) = held(args)?;
    Ok(PointerState { wid, x, y, modifiers, buttons })
}

/// The first two of the pointer's axes.
fn axes(args: &mut Args<'_>) -> Result<(i32, i32), ArgError> {
    let list = args.list("pointer")?;
    let mut axes = list.items().map(|item| item.int::<i32>());
    match (axes.next().flatten(), axes.next().flatten()) {
        (Some(x), Some(y)) => Ok((x, y)),
        _ => Err(args.error("pointer", "two integers", "a list of something else")),
    }
}

/// Modifiers and buttons: two lists in the legacy form, in a map in the modern one.
fn held(args: &mut Args<'_>) -> Result<(Modifiers, Vec<u8>), ArgError> {
    let ints = |list: List<'_>| list.items().filter_map(|item| item.int()).collect();
    match args.peek() {
        Some(Node::Dict { .. }) => {
            let (mut modifiers, mut buttons) = (Modifiers::default(), Vec::new());
            for (key, item) in args.map("properties")?.entries() {
                match (key, item.list()) {
                    ("modifiers", Some(list)) => modifiers = list.modifiers(),
                    ("buttons", Some(list)) => buttons = ints(list),
                    _ => {}
                }
            }
            Ok((modifiers, buttons))
        }
        Some(Node::List { .. }) => {
            let modifiers = args.list("modifiers")?.modifiers();
            let has_buttons = matches!(args.peek(), Some(Node::List { .. }));
            Ok((modifiers, if has_buttons { ints(args.list("buttons")?) } else { Vec::new() }))
        }
        _ => Ok((Modifiers::default(), Vec::new())),
    }
}

fn write_cursor(out: &mut Out<'_, '_>, cursor: &Cursor) {
    let is_legacy = out.is_legacy();
    out.packet("cursor-data", if is_legacy { 10 } else { 8 }, |args| {
        args.str(&cursor.encoding);
        if is_legacy {
            args.ints_bare(&[0, 0]);
        }
        args.ints_bare(&[cursor.width, cursor.height, cursor.hotspot_x, cursor.hotspot_y]);
        args.uint(cursor.serial);
        args.bytes(&cursor.data);
        args.str(&cursor.name);
    });
}

fn write_motion(out: &mut Out<'_, '_>, pointer: &PointerState) {
    let (is_legacy, at) = (out.is_legacy(), at_in(out, pointer));
    out.packet("pointer-motion", if is_legacy { 4 } else { 5 }, |args| {
        device(args, is_legacy);
        args.window(pointer.wid);
        args.ints(&at);
        held_in(args, is_legacy, pointer);
    });
}

fn write_button(out: &mut Out<'_, '_>, button: u8, pressed: bool, pointer: &PointerState) {
    let (is_legacy, at) = (out.is_legacy(), at_in(out, pointer));
    out.packet("pointer-button", if is_legacy { 6 } else { 7 }, |args| {
        device(args, is_legacy);
        args.window(pointer.wid);
        args.int(button);
        args.bool(pressed);
        args.ints(&at);
        held_in(args, is_legacy, pointer);
    });
}

fn write_wheel(out: &mut Out<'_, '_>, button: u8, distance: i32, pointer: &PointerState) {
    let at = at_in(out, pointer);
    let with_properties = out.naming == Naming::V66;
    out.packet("pointer-wheel", 6 + usize::from(with_properties), |args| {
        args.window(pointer.wid);
        args.int(button);
        args.int(distance);
        args.ints(&at);
        held_in(args, true, pointer);
        if with_properties {
            args.map(0, |_| {});
        }
    });
}

/// Strict servers take 16 bits without a sign.
fn at_in(out: &Out<'_, '_>, pointer: &PointerState) -> [i64; 2] {
    [pointer.x, pointer.y].map(|value| match out.naming {
        Naming::V66 => i64::from(value.clamp(0, i32::from(u16::MAX))),
        _ => i64::from(value),
    })
}

/// No particular device, and so no sequence number. The legacy form has no place for them.
fn device(args: &mut Encoder<'_>, is_legacy: bool) {
    if !is_legacy {
        args.int(-1);
        args.int(0);
    }
}

/// Modifiers and buttons: two lists in the legacy form, in a map in the modern one.
fn held_in(args: &mut Encoder<'_>, is_legacy: bool, pointer: &PointerState) {
    if is_legacy {
        pointer.modifiers.encode(args);
        args.ints(&pointer.buttons);
        return;
    }
    args.map(2, |map| {
        map.str("modifiers");
        pointer.modifiers.encode(map);
        map.str("buttons");
        map.ints(&pointer.buttons);
    });
}
