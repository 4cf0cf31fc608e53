//! Packets from a server, of either generation, to [`ServerPacket`].

use crate::buffers::Payload;
use crate::protocol::tape::Node;
use crate::protocol::text;

use super::args::{ArgError, Args};
use super::server::{
    Challenge, Cursor, Image, PingEcho, ServerPacket, WindowBell, WindowCreate, WindowInitiateMoveResize,
    WindowMoveResize,
};
use super::{Dict, WindowId, draw, names};

/// Reads the packet that `args` are the arguments of.
pub fn parse(args: &mut Args<'_>) -> Result<ServerPacket, ArgError> {
    let name = args.packet();
    Ok(match names::modern_from_server(name) {
        "window-draw" => ServerPacket::WindowDraw(draw::parse(args)?),
        "hello" => ServerPacket::Hello(args.dict("capabilities")?),
        "challenge" => ServerPacket::Challenge(challenge(args)?),
        "connection-close" => ServerPacket::ConnectionClose { reasons: reasons(args)? },
        "ping" => ping(args)?,
        "ping-echo" => ServerPacket::PingEcho(ping_echo(args)?),
        "startup-complete" => ServerPacket::StartupComplete,
        "setting-change" => {
            ServerPacket::SettingChange { name: args.string("name")?, value: args.value("value")? }
        }
        "server-event" => ServerPacket::ServerEvent { name: args.string("name")?, values: args.rest() },
        "control" => ServerPacket::Control { command: args.string("command")?, arguments: args.rest() },
        "info-response" => ServerPacket::InfoResponse(args.dict("information")?),
        "encoding-set" => ServerPacket::EncodingSet(args.dict("properties")?),
        "display-resized" => ServerPacket::DisplayResized {
            width: args.size("width")?,
            height: args.size("height")?,
            max_width: args.size("max_width")?,
            max_height: args.size("max_height")?,
        },
        "display-screenshot" => ServerPacket::DisplayScreenshot(screenshot(args)?),
        "display-show-desktop" => ServerPacket::DisplayShowDesktop { show: args.bool("show")? },
        "window-create" | "new-override-redirect" => ServerPacket::WindowCreate(window_create(args)?),
        "new-tray" => ServerPacket::WindowCreate(new_tray(args)?),
        "window-metadata" => {
            ServerPacket::WindowMetadata { wid: wid(args)?, metadata: args.dict("metadata")? }
        }
        "window-move-resize" => ServerPacket::WindowMoveResize(window_move_resize(args)?),
        "window-resized" => ServerPacket::WindowResized {
            wid: wid(args)?,
            width: args.size("w")?,
            height: args.size("h")?,
            resize_counter: counter(args)?,
        },
        "window-raise" => ServerPacket::WindowRaise { wid: wid(args)? },
        "window-restack" => ServerPacket::WindowRestack {
            wid: wid(args)?,
            detail: args.u8("detail")?,
            sibling: args.u64("sibling")?,
        },
        "window-initiate-moveresize" => ServerPacket::WindowInitiateMoveResize(initiate_moveresize(args)?),
        "window-destroy" => ServerPacket::WindowDestroy { wid: wid(args)? },
        "window-icon" => ServerPacket::WindowIcon { wid: wid(args)?, image: icon(args)? },
        "window-eos" => ServerPacket::WindowEos { wid: wid(args)? },
        "window-bell" => ServerPacket::WindowBell(bell(args)?),
        "window-grab" => ServerPacket::WindowGrab { wid: wid(args)? },
        // The server may ungrab without a window.
        "window-ungrab" => ServerPacket::WindowUngrab { wid: WindowId(any_wid(args)?) },
        "pointer-position" => ServerPacket::PointerPosition {
            wid: WindowId(any_wid(args)?),
            x: args.i32("x")?,
            y: args.i32("y")?,
        },
        "cursor-data" if name == "cursor" => legacy_cursor(args)?,
        "cursor-data" => ServerPacket::CursorData(cursor(args)?),
        "cursor-default" => ServerPacket::CursorDefault,
        modern => match names::ignored(modern) {
            Some(name) => ServerPacket::Ignored { name },
            None => ServerPacket::Unknown { name: text::name(name) },
        },
    })
}

/// A window's identifier.
pub fn wid(args: &mut Args<'_>) -> Result<WindowId, ArgError> {
    match args.u64("wid")? {
        0 => Err(args.error("wid", "a window, which is never 0", "0")),
        wid => Ok(WindowId(wid)),
    }
}

/// A window's identifier; 0 or −1 (which is read as 0) where there is none.
fn any_wid(args: &mut Args<'_>) -> Result<u64, ArgError> {
    args.i64("wid").map(|wid| u64::try_from(wid).unwrap_or(0))
}

fn counter(args: &mut Args<'_>) -> Result<u64, ArgError> {
    if args.left() == 0 { Ok(0) } else { args.i64("resize_counter").map(|n| u64::try_from(n).unwrap_or(0)) }
}

fn challenge(args: &mut Args<'_>) -> Result<Challenge, ArgError> {
    Ok(Challenge {
        salt: Vec::from(&args.bytes("salt")?[..]),
        auth_caps: args.dict("auth_caps")?,
        digest: args.string("digest")?,
        salt_digest: if args.left() > 0 { args.string("salt_digest")? } else { "xor".to_owned() },
        prompt: if args.left() > 0 {
            Some(args.string("prompt")?).filter(|text| !text.is_empty())
        } else {
            None
        },
    })
}

/// One list of texts, or, as every released server has it, one argument a text.
pub fn reasons(args: &mut Args<'_>) -> Result<Vec<String>, ArgError> {
    if matches!(args.peek(), Some(Node::List { .. })) {
        return args.list("reasons").map(|list| list.strings());
    }
    let mut reasons = Vec::new();
    while args.left() > 0 {
        reasons.push(args.string("reason")?);
    }
    Ok(reasons)
}

/// The modern form has `sid` second; released servers put their wall clock there and `sid` third.
fn ping(args: &mut Args<'_>) -> Result<ServerPacket, ArgError> {
    let monotonic_ms = args.u64("monotonic_ms")?;
    if matches!(args.peek(), Some(Node::Int(_))) {
        args.skip("time")?;
    }
    Ok(ServerPacket::Ping { monotonic_ms, sid: sid(args)? })
}

/// The last argument of ping and its echo.
pub fn sid(args: &mut Args<'_>) -> Result<Option<String>, ArgError> {
    if args.left() == 0 {
        return Ok(None);
    }
    args.string("sid").map(|sid| Some(sid).filter(|sid| !sid.is_empty()))
}

fn ping_echo(args: &mut Args<'_>) -> Result<PingEcho, ArgError> {
    Ok(PingEcho {
        monotonic_ms: args.u64("monotonic_ms")?,
        load: [args.u64("load1")?, args.u64("load5")?, args.u64("load15")?],
        latency_ms: args.i64("latency_ms")?,
        sid: sid(args)?,
    })
}

fn screenshot(args: &mut Args<'_>) -> Result<Image, ArgError> {
    Ok(Image {
        width: args.size("width")?,
        height: args.size("height")?,
        encoding: args.string("encoding")?,
        rowstride: args.u32("rowstride")?,
        data: args.bytes("data")?,
    })
}

fn window_create(args: &mut Args<'_>) -> Result<WindowCreate, ArgError> {
    let legacy_popup = args.packet() == "new-override-redirect";
    let wid = wid(args)?;
    let (x, y) = (args.i32("x")?, args.i32("y")?);
    let (width, height) = (args.size("w")?, args.size("h")?);
    let metadata = args.dict("metadata")?;
    let client_properties = args.optional_dict("client_properties")?;
    let override_redirect = legacy_popup || metadata.bool("override-redirect").unwrap_or(false);
    let tray = metadata.bool("tray").unwrap_or(false);
    Ok(WindowCreate { wid, x, y, width, height, metadata, client_properties, override_redirect, tray })
}

fn new_tray(args: &mut Args<'_>) -> Result<WindowCreate, ArgError> {
    Ok(WindowCreate {
        wid: wid(args)?,
        x: 0,
        y: 0,
        width: args.size("w")?,
        height: args.size("h")?,
        metadata: args.optional_dict("metadata")?,
        client_properties: Dict::default(),
        override_redirect: false,
        tray: true,
    })
}

fn window_move_resize(args: &mut Args<'_>) -> Result<WindowMoveResize, ArgError> {
    Ok(WindowMoveResize {
        wid: wid(args)?,
        x: args.i32("x")?,
        y: args.i32("y")?,
        width: args.size("w")?,
        height: args.size("h")?,
        resize_counter: counter(args)?,
    })
}

fn initiate_moveresize(args: &mut Args<'_>) -> Result<WindowInitiateMoveResize, ArgError> {
    Ok(WindowInitiateMoveResize {
        wid: wid(args)?,
        root_x: args.i32("root_x")?,
        root_y: args.i32("root_y")?,
        direction: args.u8("direction")?,
        button: args.u8("button")?,
        source: args.u8("source")?,
    })
}

fn icon(args: &mut Args<'_>) -> Result<Image, ArgError> {
    Ok(Image {
        width: args.size("w")?,
        height: args.size("h")?,
        encoding: args.string("encoding")?,
        rowstride: 0,
        data: args.bytes("data")?,
    })
}

fn bell(args: &mut Args<'_>) -> Result<WindowBell, ArgError> {
    let wid = any_wid(args)?;
    args.skip("device")?;
    let (percent, pitch, duration_ms) = (args.i32("percent")?, args.i32("pitch")?, args.i32("duration")?);
    args.skip("class")?;
    args.skip("id")?;
    let name = if args.left() > 0 { args.string("name")? } else { String::new() };
    Ok(WindowBell { wid, percent, pitch, duration_ms, name })
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
fn legacy_cursor(args: &mut Args<'_>) -> Result<ServerPacket, ArgError> {
    if args.left() <= 1 {
        return Ok(ServerPacket::CursorDefault);
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
        return Ok(ServerPacket::Ignored { name: "cursor" });
    }
    Ok(ServerPacket::CursorData(Cursor { encoding, width, height, hotspot_x, hotspot_y, serial, data, name }))
}
