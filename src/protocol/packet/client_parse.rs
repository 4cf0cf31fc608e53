//! Packets from a client, of any spelling, to [`ClientPacket`]: what a server needs.

use crate::protocol::tape::Node;

use super::args::{ArgError, Args, List, Map};
use super::client::{ClientPacket, DrawAck, DrawOutcome, KeyboardEvent, WindowGeometry};
use super::client_write::NO_LIMIT;
use super::server_parse::{reasons, sid, wid};
use super::{Dict, DrawSequence, Value, WindowId, names};

/// Encoding options that clients set with a packet of that name.
const ENCODING_OPTIONS: [&str; 6] =
    ["quality", "min-quality", "max-quality", "speed", "min-speed", "max-speed"];

/// Reads the packet that `args` are the arguments of; `None` if it is one that Farpane's own
/// client does not send.
pub fn parse(args: &mut Args<'_>) -> Result<Option<ClientPacket>, ArgError> {
    let name = args.packet();
    Ok(Some(match names::modern_from_client(name) {
        "hello" => ClientPacket::Hello(args.dict("capabilities")?),
        "connection-close" => ClientPacket::ConnectionClose { reason: reasons(args)?.join(", ") },
        "ping" => ClientPacket::Ping { monotonic_ms: args.u64("monotonic_ms")? },
        "ping-echo" => ClientPacket::PingEcho {
            monotonic_ms: args.u64("monotonic_ms")?,
            load: [args.u64("load1")?, args.u64("load5")?, args.u64("load15")?],
            latency_ms: args.i64("latency_ms")?,
            sid: sid(args)?,
        },
        "info-request" => ClientPacket::InfoRequest,
        "display-configure" => display(args)?,
        "window-map" => ClientPacket::WindowMap(map(args)?),
        "window-unmap" => ClientPacket::WindowUnmap {
            wid: wid(args)?,
            iconified: args.left() > 0 && args.bool("iconified")?,
        },
        "window-configure" if name == "configure-window" => ClientPacket::WindowConfigure(configure(args)?),
        "window-configure" => ClientPacket::WindowConfigure(configure_map(args)?),
        "window-close" => ClientPacket::WindowClose { wid: wid(args)? },
        "window-focus" => ClientPacket::WindowFocus {
            wid: window(args)?,
            modifiers: if args.left() > 0 { args.list("modifiers")?.strings() } else { Vec::new() },
        },
        "window-refresh" => refresh(args)?,
        "window-draw-ack" => ClientPacket::DrawAck(draw_ack(args)?),
        "window-ack" => ClientPacket::DrawAck(modern_ack(args)?),
        "encoding-config" => ClientPacket::EncodingConfig(args.dict("configuration")?),
        "encoding-set" => ClientPacket::EncodingSet { encoding: args.string("encoding")? },
        "encoding-options" => match encoding_option(args.map("options")?) {
            Some(packet) => packet,
            None => return Ok(None),
        },
        "keyboard-event" if name == "key-action" => ClientPacket::KeyboardEvent(key_action(args)?),
        "keyboard-event" => ClientPacket::KeyboardEvent(keyboard_event(args)?),
        "keyboard-config" => ClientPacket::KeyboardConfig(args.dict("configuration")?),
        "pointer-motion" => motion(args, name == "pointer-position")?,
        "pointer-button" => button(args, name == "button-action")?,
        "pointer-wheel" => wheel(args)?,
        "bandwidth-limit" => {
            let limit = args.u64("bits_per_second")?;
            ClientPacket::BandwidthLimit { bits_per_second: if limit < NO_LIMIT { limit } else { 0 } }
        }
        "cursor-set" => ClientPacket::CursorSet { enabled: args.bool("enabled")? },
        "bell-set" => ClientPacket::BellSet { enabled: args.bool("enabled")? },
        "suspend" => {
            // 3.1 puts "user interface too" here, always true; 6.6 whether to suspend or resume.
            ClientPacket::Suspend { suspended: args.left() == 0 || args.bool("suspended")? }
        }
        "resume" => ClientPacket::Suspend { suspended: false },
        modern => match ENCODING_OPTIONS.into_iter().find(|option| *option == modern) {
            Some(name) => ClientPacket::EncodingOption { name, value: args.value("value")? },
            None => return Ok(None),
        },
    }))
}

/// A window, or `None` for 0 and −1.
fn window(args: &mut Args<'_>) -> Result<Option<WindowId>, ArgError> {
    let wid = args.i64("wid")?;
    Ok(u64::try_from(wid).ok().filter(|wid| *wid > 0).map(WindowId))
}

fn display(args: &mut Args<'_>) -> Result<ClientPacket, ArgError> {
    if !matches!(args.peek(), Some(Node::Dict { .. })) {
        let (width, height) = (args.size("width")?, args.size("height")?);
        let mut properties = Dict::default();
        if args.left() > 0 {
            properties.push("screen_sizes", args.value("screens")?);
        }
        if args.left() >= 6 {
            for unused in ["desktops", "desktop_names", "unscaled_width", "unscaled_height"] {
                args.skip(unused)?;
            }
            let (x, y) = (args.i64("xdpi")?, args.i64("ydpi")?);
            let mut dots = Dict::default();
            dots.push("x", Value::from(x)).push("y", Value::from(y));
            properties.push("dpi", dots);
        }
        return Ok(ClientPacket::DisplayConfigure { width, height, properties });
    }
    let map = args.map("configuration")?;
    let size = map.entries().find(|(key, _)| *key == "desktop-size");
    let [width, height] = match size {
        Some((_, item)) => {
            let size = item.list().and_then(List::ints::<u16, 2>);
            size.ok_or_else(|| {
                args.error("configuration", "a desktop-size of two integers", "another value")
            })?
        }
        None => [0, 0],
    };
    let mut properties = map.to_dict();
    properties.0.retain(|(key, _)| key.as_str() != Some("desktop-size"));
    Ok(ClientPacket::DisplayConfigure { width: u32::from(width), height: u32::from(height), properties })
}

fn map(args: &mut Args<'_>) -> Result<WindowGeometry, ArgError> {
    let mut geometry = place(args)?;
    geometry.client_properties = args.optional_dict("client_properties")?;
    geometry.state = args.optional_dict("state")?;
    Ok(geometry)
}

/// The arguments with which `window-map` and `configure-window` begin.
fn place(args: &mut Args<'_>) -> Result<WindowGeometry, ArgError> {
    Ok(WindowGeometry {
        wid: wid(args)?,
        x: args.i32("x")?,
        y: args.i32("y")?,
        width: args.size("w")?,
        height: args.size("h")?,
        client_properties: Dict::default(),
        state: Dict::default(),
        resize_counter: 0,
        skip_geometry: false,
    })
}

fn configure(args: &mut Args<'_>) -> Result<WindowGeometry, ArgError> {
    let mut geometry = place(args)?;
    geometry.client_properties = args.optional_dict("client_properties")?;
    if args.left() > 0 {
        geometry.resize_counter = u64::try_from(args.i64("resize_counter")?).unwrap_or(0);
    }
    geometry.state = args.optional_dict("state")?;
    geometry.skip_geometry = args.left() > 0 && args.bool("skip_geometry")?;
    Ok(geometry)
}

fn configure_map(args: &mut Args<'_>) -> Result<WindowGeometry, ArgError> {
    let wid = wid(args)?;
    let map = args.map("configuration")?;
    let mut geometry = WindowGeometry {
        wid,
        x: 0,
        y: 0,
        width: 0,
        height: 0,
        client_properties: Dict::default(),
        state: Dict::default(),
        resize_counter: 0,
        skip_geometry: true,
    };
    for (key, item) in map.entries() {
        match key {
            "geometry" => {
                let place = item.list().and_then(List::ints::<i32, 4>);
                let [x, y, width, height] = place.ok_or_else(|| {
                    args.error("configuration", "a geometry of four integers", "another value")
                })?;
                (geometry.x, geometry.y) = (x, y);
                geometry.width = u32::try_from(width).unwrap_or(0);
                geometry.height = u32::try_from(height).unwrap_or(0);
                geometry.skip_geometry = false;
            }
            "resize-counter" => geometry.resize_counter = item.int().unwrap_or(0),
            "properties" => geometry.client_properties = item.map().map(Map::to_dict).unwrap_or_default(),
            "state" => geometry.state = item.map().map(Map::to_dict).unwrap_or_default(),
            _ => {}
        }
    }
    Ok(geometry)
}

/// 6.5 sends −1 to mean all windows, which is read as window 0.
fn refresh(args: &mut Args<'_>) -> Result<ClientPacket, ArgError> {
    let wid = window(args)?.unwrap_or(WindowId(0));
    if matches!(args.peek(), Some(Node::Dict { .. })) {
        let map = args.map("options")?;
        let quality = map.entries().find(|(key, _)| *key == "quality").and_then(|(_, item)| item.int());
        return Ok(ClientPacket::WindowRefresh { wid, quality: quality.unwrap_or(100) });
    }
    args.skip("unused")?;
    let quality = args.u32("quality")?;
    if wid.0 != 0 || args.left() < 2 {
        return Ok(ClientPacket::WindowRefresh { wid, quality });
    }
    let options = args.dict("options")?;
    let refresh = options.bool("refresh-now").unwrap_or(true);
    let properties = args.dict("client_properties")?;
    if properties.0.is_empty() {
        return Ok(ClientPacket::WindowRefresh { wid, quality });
    }
    Ok(ClientPacket::WindowsProperties { properties, refresh })
}

fn draw_ack(args: &mut Args<'_>) -> Result<DrawAck, ArgError> {
    Ok(DrawAck {
        sequence: DrawSequence(args.u64("sequence")?),
        wid: wid(args)?,
        width: args.size("width")?,
        height: args.size("height")?,
        outcome: outcome(args)?,
    })
}

fn modern_ack(args: &mut Args<'_>) -> Result<DrawAck, ArgError> {
    let wid = wid(args)?;
    let (width, height) = (args.size("width")?, args.size("height")?);
    Ok(DrawAck { wid, width, height, sequence: DrawSequence(args.u64("sequence")?), outcome: outcome(args)? })
}

fn outcome(args: &mut Args<'_>) -> Result<DrawOutcome, ArgError> {
    let decode_us = args.i32("decode_time_us")?;
    let message = if args.left() > 0 { args.string("message")? } else { String::new() };
    Ok(match (u32::try_from(decode_us), decode_us) {
        (Ok(0), _) => DrawOutcome::Skipped,
        (Ok(decode_us), _) => DrawOutcome::Presented { decode_us },
        (_, -2) => DrawOutcome::WindowNotFound,
        _ => DrawOutcome::Error { message },
    })
}

fn encoding_option(map: Map<'_>) -> Option<ClientPacket> {
    map.entries().find_map(|(key, item)| {
        let name = ENCODING_OPTIONS.into_iter().find(|option| *option == key)?;
        Some(ClientPacket::EncodingOption { name, value: item.to_value() })
    })
}

fn key_action(args: &mut Args<'_>) -> Result<KeyboardEvent, ArgError> {
    Ok(KeyboardEvent {
        wid: window(args)?,
        keyname: args.string("keyname")?,
        pressed: args.bool("pressed")?,
        modifiers: args.list("modifiers")?.strings(),
        keyval: positive(args.i64("keyval")?),
        string: args.string("string")?,
        keycode: positive(args.i64("keycode")?),
        group: positive(args.i64("group")?),
    })
}

fn keyboard_event(args: &mut Args<'_>) -> Result<KeyboardEvent, ArgError> {
    let wid = window(args)?;
    let (keyname, pressed) = (args.string("keyname")?, args.bool("pressed")?);
    let properties = args.dict("properties")?;
    let number = |name| positive(properties.get(name).and_then(Value::as_i64).unwrap_or(0));
    let modifiers = properties.strs("modifiers").unwrap_or_default();
    Ok(KeyboardEvent {
        wid,
        keyname,
        pressed,
        modifiers: modifiers.into_iter().map(str::to_owned).collect(),
        keyval: number("keyval"),
        string: properties.str("string").unwrap_or_default().to_owned(),
        keycode: number("keycode"),
        group: number("group"),
    })
}

/// Clients send −1 for what they do not know.
fn positive(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

fn motion(args: &mut Args<'_>, is_legacy: bool) -> Result<ClientPacket, ArgError> {
    if !is_legacy {
        args.skip("device")?;
        args.skip("sequence")?;
    }
    let wid = window(args)?;
    let (x, y) = pointer(args)?;
    let (modifiers, buttons) = pointer_state(args)?;
    Ok(ClientPacket::PointerMotion { wid, x, y, modifiers, buttons })
}

fn button(args: &mut Args<'_>, is_legacy: bool) -> Result<ClientPacket, ArgError> {
    if !is_legacy {
        args.skip("device")?;
        args.skip("sequence")?;
    }
    let wid = window(args)?;
    let (button, pressed) = (args.u8("button")?, args.bool("pressed")?);
    let (x, y) = pointer(args)?;
    let (modifiers, buttons) = pointer_state(args)?;
    Ok(ClientPacket::PointerButton { wid, button, pressed, x, y, modifiers, buttons })
}

fn wheel(args: &mut Args<'_>) -> Result<ClientPacket, ArgError> {
    let wid = window(args)?;
    let button = args.u8("axis")?;
    let distance = args.i32("delta")?;
    let (x, y) = pointer(args)?;
    let (modifiers, buttons) = pointer_state(args)?;
    Ok(ClientPacket::PointerWheel { wid, button, distance, x, y, modifiers, buttons })
}

/// The first two of the pointer's axes.
fn pointer(args: &mut Args<'_>) -> Result<(i32, i32), ArgError> {
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
