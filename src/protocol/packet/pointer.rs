//! The pointer, both ways: where it is, what is pressed, who has it, and its cursor (Protocol.md §7.6, §8.5).

use crate::buffers::Payload;
use crate::protocol::tape::Node;

use super::WindowId;
use super::args::{ArgError, Args, List};
use super::encode::Encoder;
use super::names::{self, Names, Spelling, alias, received};
use super::out::Out;

/// The packets that have two names.
pub const NAMES: Names = Names {
    to_client: &[
        alias("cursor-data", "cursor", Spelling::V65),
        alias("window-grab", "pointer-grab", Spelling::V66),
        alias("window-ungrab", "pointer-ungrab", Spelling::V66),
    ],
    to_server: &[
        alias("pointer-motion", "pointer-position", Spelling::V65),
        alias("pointer-button", "button-action", Spelling::V65),
        alias("pointer-wheel", "wheel-motion", Spelling::V65),
        alias("cursor-set", "set-cursors", Spelling::V65),
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
    Motion {
        wid: Option<WindowId>,
        x: i32,
        y: i32,
        modifiers: Vec<String>,
        buttons: Vec<u8>,
    },
    Button {
        wid: Option<WindowId>,
        button: u8,
        pressed: bool,
        x: i32,
        y: i32,
        modifiers: Vec<String>,
        buttons: Vec<u8>,
    },
    /// Precise wheel motion: `button` 4..7 says the axis and sign, `distance` is in 1/1000 notch.
    Wheel {
        wid: Option<WindowId>,
        button: u8,
        distance: i32,
        x: i32,
        y: i32,
        modifiers: Vec<String>,
        buttons: Vec<u8>,
    },
    /// Whether cursors are to be sent.
    CursorSet {
        enabled: bool,
    },
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
            // It has no meaning of its own for who reads it: an empty one.
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
            Self::Motion { wid, x, y, modifiers, buttons } => {
                write_motion(out, *wid, (*x, *y), modifiers, buttons);
            }
            Self::Button { wid, button, pressed, x, y, modifiers, buttons } => {
                write_button(out, *wid, (*button, *pressed), (*x, *y), modifiers, buttons);
            }
            Self::Wheel { wid, button, distance, x, y, modifiers, buttons } => {
                write_wheel(out, *wid, (*button, *distance), (*x, *y), modifiers, buttons);
            }
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
    if !is_legacy {
        args.skip("device")?;
        args.skip("sequence")?;
    }
    let wid = args.window()?;
    let (x, y) = axes(args)?;
    let (modifiers, buttons) = pointer_state(args)?;
    Ok(ToServer::Motion { wid, x, y, modifiers, buttons })
}

fn button(args: &mut Args<'_>, is_legacy: bool) -> Result<ToServer, ArgError> {
    if !is_legacy {
        args.skip("device")?;
        args.skip("sequence")?;
    }
    let wid = args.window()?;
    let (button, pressed) = (args.u8("button")?, args.bool("pressed")?);
    let (x, y) = axes(args)?;
    let (modifiers, buttons) = pointer_state(args)?;
    Ok(ToServer::Button { wid, button, pressed, x, y, modifiers, buttons })
}

fn wheel(args: &mut Args<'_>) -> Result<ToServer, ArgError> {
    let wid = args.window()?;
    let button = args.u8("axis")?;
    let distance = args.i32("delta")?;
    let (x, y) = axes(args)?;
    let (modifiers, buttons) = pointer_state(args)?;
    Ok(ToServer::Wheel { wid, button, distance, x, y, modifiers, buttons })
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
fn pointer_state(args: &mut Args<'_>) -> Result<(Vec<String>, Vec<u8>), ArgError> {
    let ints = |list: List<'_>| list.items().filter_map(|item| item.int()).collect();
    match args.peek() {
        Some(Node::Dict { .. }) => {
            let (mut modifiers, mut buttons) = (Vec::new(), Vec::new());
            for (key, item) in args.map("properties")?.entries() {
                match (key, item.list()) {
                    ("modifiers", Some(list)) => modifiers = list.strings(),
                    ("buttons", Some(list)) => buttons = ints(list),
                    _ => {}
                }
            }
            Ok((modifiers, buttons))
        }
        Some(Node::List { .. }) => {
            let modifiers = args.list("modifiers")?.strings();
            let has_buttons = matches!(args.peek(), Some(Node::List { .. }));
            Ok((modifiers, if has_buttons { ints(args.list("buttons")?) } else { Vec::new() }))
        }
        _ => Ok((Vec::new(), Vec::new())),
    }
}

fn write_cursor(out: &mut Out<'_, '_>, cursor: &Cursor) {
    let is_legacy = out.spelling == Spelling::Legacy;
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

fn write_motion(
    out: &mut Out<'_, '_>,
    wid: Option<WindowId>,
    at: (i32, i32),
    modifiers: &[String],
    buttons: &[u8],
) {
    let pointer = at_in(out, at);
    if out.is_legacy() {
        out.packet("pointer-motion", 4, |args| {
            args.window(wid);
            args.ints(&pointer);
            args.strs(modifiers);
            args.ints(buttons);
        });
        return;
    }
    out.packet("pointer-motion", 5, |args| {
        device(args);
        args.window(wid);
        args.ints(&pointer);
        pointer_properties(args, modifiers, buttons);
    });
}

fn write_button(
    out: &mut Out<'_, '_>,
    wid: Option<WindowId>,
    (button, pressed): (u8, bool),
    at: (i32, i32),
    modifiers: &[String],
    buttons: &[u8],
) {
    let pointer = at_in(out, at);
    if out.is_legacy() {
        out.packet("pointer-button", 6, |args| {
            args.window(wid);
            args.int(button);
            args.bool(pressed);
            args.ints(&pointer);
            args.strs(modifiers);
            args.ints(buttons);
        });
        return;
    }
    out.packet("pointer-button", 7, |args| {
        device(args);
        args.window(wid);
        args.int(button);
        args.bool(pressed);
        args.ints(&pointer);
        pointer_properties(args, modifiers, buttons);
    });
}

fn write_wheel(
    out: &mut Out<'_, '_>,
    wid: Option<WindowId>,
    (button, distance): (u8, i32),
    at: (i32, i32),
    modifiers: &[String],
    buttons: &[u8],
) {
    let pointer = at_in(out, at);
    let with_properties = out.spelling == Spelling::V66;
    out.packet("pointer-wheel", 6 + usize::from(with_properties), |args| {
        args.window(wid);
        args.int(button);
        args.int(distance);
        args.ints(&pointer);
        args.strs(modifiers);
        args.ints(buttons);
        if with_properties {
            args.map(0, |_| {});
        }
    });
}

/// Strict servers take 16 bits without a sign.
fn at_in(out: &Out<'_, '_>, (x, y): (i32, i32)) -> [i64; 2] {
    let clamp = |value: i32| match out.spelling {
        Spelling::V66 => i64::from(value.clamp(0, i32::from(u16::MAX))),
        _ => i64::from(value),
    };
    [clamp(x), clamp(y)]
}

/// No particular device, and so no sequence number.
fn device(args: &mut Encoder<'_>) {
    args.int(-1);
    args.int(0);
}

fn pointer_properties(args: &mut Encoder<'_>, modifiers: &[String], buttons: &[u8]) {
    args.map(2, |map| {
        map.str("modifiers");
        map.strs(modifiers);
        map.str("buttons");
        map.ints(buttons);
    });
}
