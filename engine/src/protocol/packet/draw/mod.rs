//! Pixels, both ways: draws and what became of them, and which encodings they may come in (Protocol.md §6, §7.4, §8.4).

mod encoding;
mod options;

use std::num::NonZeroU64;

use crate::buffers::Payload;
use crate::protocol::tape::Node;

use super::args::{ArgError, Args, Map};
use super::encode::Encoder;
use super::names::{self, Names, Naming, alias};
use super::out::Out;
use super::{Dict, DrawSequence, Value, WindowId};

pub use encoding::{Encoding, PixelCompression, RgbFormatName};
pub use options::{DrawOptions, MAX_SCROLLS, ScrollRect};

/// The packets that have two names.
pub const NAMES: Names = Names {
    to_client: &[
        alias("window-draw", "draw", Naming::V65),
        alias("window-eos", "eos", Naming::V66),
        alias("encoding-set", "encodings", Naming::V65),
    ],
    to_server: &[
        alias("window-draw-ack", "damage-sequence", Naming::V65),
        alias("window-refresh", "buffer-refresh", Naming::V65),
        alias("encoding-set", "encoding", Naming::V65),
    ],
};

/// Encoding options that clients set with a packet of that name.
const ENCODING_OPTIONS: [&str; 6] =
    ["quality", "min-quality", "max-quality", "speed", "min-speed", "max-speed"];

/// The bandwidth, in bits per second, from which on servers of all generations lift their limit. 0 would be
/// the least one that they know, 1 Mbit/s.
const NO_LIMIT: u64 = 10 << 30;

/// From the server.
#[derive(Clone, Debug, PartialEq)]
pub enum FromServer {
    Draw(WindowDraw),
    /// `window-eos`, legacy `eos`: the window's video stream ends.
    EndOfStream {
        wid: WindowId,
    },
    /// `encoding-set`, legacy `encodings`: the server's encoding properties.
    Encodings(Dict),
}

/// To the server.
#[derive(Clone, Debug, PartialEq)]
pub enum ToServer {
    Ack(DrawAck),
    /// Asks for all pixels of the window again (`buffer-refresh`).
    Refresh {
        wid: WindowId,
        quality: u32,
    },
    /// Client properties of all windows, and with `refresh` all their pixels again
    /// (`window-refresh` of window 0, `buffer-refresh` of −1).
    AllWindows {
        properties: Dict,
        refresh: bool,
    },
    /// `quality`, `speed` and so on, by legacy name.
    EncodingOption {
        name: &'static str,
        value: Value,
    },
    /// Encoding capabilities again, after hello (`encoding-config`; servers from 6.5 on).
    EncodingConfig(Dict),
    /// The encoding to use: `encoding-set`, legacy `encoding`.
    EncodingSet {
        encoding: String,
    },
    /// `None` lifts the limit, of which servers are told by a number that is beyond their largest one.
    BandwidthLimit {
        bits_per_second: Option<NonZeroU64>,
    },
}

/// `window-draw`, legacy `draw`: one damaged rectangle of a window.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowDraw {
    pub wid: WindowId,
    pub x: i32,
    pub y: i32,
    pub width: u32,
    pub height: u32,
    pub encoding: Encoding,
    /// Empty for `scroll`.
    pub data: Payload,
    pub sequence: DrawSequence,
    /// Bytes from one row to the next; 0 where the encoding does not need it.
    pub rowstride: u32,
    pub options: DrawOptions,
}

/// `window-draw-ack` / `damage-sequence` (the modern `window-ack` orders its arguments otherwise).
#[derive(Clone, Debug, PartialEq)]
pub struct DrawAck {
    pub wid: WindowId,
    pub sequence: DrawSequence,
    pub width: u32,
    pub height: u32,
    pub outcome: DrawOutcome,
}

/// What became of a draw, as the server is told: microseconds > 0, 0, −1 or −2 on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DrawOutcome {
    /// Decoded and handed to the GPU in this time, at least 1 µs.
    Presented { decode_us: u32 },
    /// Not painted and no fault (`void`).
    Skipped,
    /// Refused, with the reason.
    Error { message: String },
    /// No such window here.
    WindowNotFound,
}

impl FromServer {
    /// The modern name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Draw(_) => "window-draw",
            Self::EndOfStream { .. } => "window-eos",
            Self::Encodings(_) => "encoding-set",
        }
    }

    /// Reads a packet; `None` if it is of another subject.
    ///
    /// # Errors
    /// If an argument is missing or wrong.
    pub fn parse(args: &mut Args<'_>) -> Result<Option<Self>, ArgError> {
        Ok(Some(match names::modern(NAMES.to_client, args.packet()) {
            "window-draw" => Self::Draw(draw(args)?),
            "window-eos" => Self::EndOfStream { wid: args.wid()? },
            "encoding-set" => Self::Encodings(args.dict("properties")?),
            _ => return Ok(None),
        }))
    }

    /// Writes the packet; a draw's pixels only if they are `inline`, else an empty placeholder.
    pub fn encode(&self, inline: bool, out: &mut Out<'_, '_>) {
        match self {
            Self::Draw(draw) => out.packet("window-draw", 10, |args| write_draw(draw, inline, args)),
            Self::EndOfStream { wid } => out.window("window-eos", *wid),
            Self::Encodings(properties) => out.packet("encoding-set", 1, |args| args.dict(properties)),
        }
    }

    /// The pixels that go in a raw chunk before the packet, and their position in it. Small ones stay
    /// within the packet, as servers have it.
    pub fn chunk(&self) -> Option<(u8, &Payload)> {
        const INLINE_BYTES: usize = 1024;
        const DATA_POSITION: u8 = 7;
        match self {
            Self::Draw(draw) if draw.data.len() > INLINE_BYTES => Some((DATA_POSITION, &draw.data)),
            _ => None,
        }
    }
}

impl ToServer {
    /// Reads a packet; `None` if it is of another subject.
    ///
    /// # Errors
    /// If an argument is missing or wrong.
    pub fn parse(args: &mut Args<'_>) -> Result<Option<Self>, ArgError> {
        Ok(Some(match names::modern(NAMES.to_server, args.packet()) {
            "window-draw-ack" => Self::Ack(draw_ack(args)?),
            "window-ack" => Self::Ack(modern_ack(args)?),
            "window-refresh" => refresh(args)?,
            "encoding-config" => Self::EncodingConfig(args.dict("configuration")?),
            "encoding-set" => Self::EncodingSet { encoding: args.string("encoding")? },
            "encoding-options" => return args.map("options").map(encoding_option),
            "bandwidth-limit" => {
                let limit = args.u64("bits_per_second")?;
                Self::BandwidthLimit {
                    bits_per_second: NonZeroU64::new(limit).filter(|limit| limit.get() < NO_LIMIT),
                }
            }
            modern => match ENCODING_OPTIONS.into_iter().find(|option| *option == modern) {
                Some(name) => Self::EncodingOption { name, value: args.value("value")? },
                None => return Ok(None),
            },
        }))
    }

    /// Writes the packet.
    pub fn encode(&self, out: &mut Out<'_, '_>) {
        match self {
            Self::Ack(ack) => write_ack(out, ack),
            Self::Refresh { wid, quality } => out.packet("window-refresh", 3, |args| {
                args.uint(wid.0);
                args.int(0);
                args.int(*quality);
            }),
            Self::AllWindows { properties, refresh } => write_all_windows(out, properties, *refresh),
            Self::EncodingOption { name, value } => write_encoding_option(out, name, value),
            Self::EncodingConfig(config) => out.packet("encoding-config", 1, |args| args.dict(config)),
            Self::EncodingSet { encoding } => out.packet("encoding-set", 1, |args| args.str(encoding)),
            Self::BandwidthLimit { bits_per_second } => {
                let limit = bits_per_second.map_or(NO_LIMIT, NonZeroU64::get);
                out.packet("bandwidth-limit", 1, |args| args.uint(limit));
            }
        }
    }
}

fn draw(args: &mut Args<'_>) -> Result<WindowDraw, ArgError> {
    let wid = args.wid()?;
    let (x, y) = (args.i32("x")?, args.i32("y")?);
    let (width, height) = (args.size("w")?, args.size("h")?);
    let encoding = Encoding::from_name(args.str("encoding")?);
    // Released servers put the rectangles of a scroll here, 6.6 in the options.
    let mut scroll = Vec::new();
    let data = if matches!(args.peek(), Some(Node::List { .. })) {
        let list = args.list("data")?;
        if encoding == Encoding::Scroll {
            scroll = options::scrolls(list)
                .ok_or_else(|| args.error("data", "rectangles of six integers", "a list"))?;
        }
        Payload::default()
    } else {
        args.bytes("data")?
    };
    let sequence = DrawSequence(args.u64("sequence")?);
    let rowstride = args.u32("rowstride")?;
    let mut options = if args.left() > 0 { options::parse(args)? } else { DrawOptions::default() };
    if options.scroll.is_empty() {
        options.scroll = scroll;
    }
    Ok(WindowDraw { wid, x, y, width, height, encoding, data, sequence, rowstride, options })
}

/// 6.5 sends −1 to mean all windows, which is read as window 0.
fn refresh(args: &mut Args<'_>) -> Result<ToServer, ArgError> {
    let wid = args.window()?.unwrap_or(WindowId(0));
    if matches!(args.peek(), Some(Node::Dict { .. })) {
        let map = args.map("options")?;
        let quality = map.entries().find(|(key, _)| *key == "quality").and_then(|(_, item)| item.int());
        return Ok(ToServer::Refresh { wid, quality: quality.unwrap_or(100) });
    }
    args.skip("unused")?;
    let quality = args.u32("quality")?;
    if wid.0 != 0 || args.left() < 2 {
        return Ok(ToServer::Refresh { wid, quality });
    }
    let options = args.dict("options")?;
    let refresh = options.bool("refresh-now").unwrap_or(true);
    let properties = args.dict("client_properties")?;
    if properties.0.is_empty() {
        return Ok(ToServer::Refresh { wid, quality });
    }
    Ok(ToServer::AllWindows { properties, refresh })
}

fn draw_ack(args: &mut Args<'_>) -> Result<DrawAck, ArgError> {
    Ok(DrawAck {
        sequence: DrawSequence(args.u64("sequence")?),
        wid: args.wid()?,
        width: args.size("width")?,
        height: args.size("height")?,
        outcome: outcome(args)?,
    })
}

fn modern_ack(args: &mut Args<'_>) -> Result<DrawAck, ArgError> {
    let wid = args.wid()?;
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

fn encoding_option(map: Map<'_>) -> Option<ToServer> {
    map.entries().find_map(|(key, item)| {
        let name = ENCODING_OPTIONS.into_iter().find(|option| *option == key)?;
        Some(ToServer::EncodingOption { name, value: item.to_value() })
    })
}

/// Writes a draw's arguments; the pixels only if they are `inline`, else an empty placeholder.
fn write_draw(draw: &WindowDraw, inline: bool, packet: &mut Encoder<'_>) {
    packet.uint(draw.wid.0);
    packet.int(draw.x);
    packet.int(draw.y);
    packet.int(draw.width);
    packet.int(draw.height);
    packet.str(draw.encoding.name());
    if draw.encoding == Encoding::Scroll {
        let rects = &draw.options.scroll;
        packet.list(rects.len(), |list| rects.iter().for_each(|rect| options::encode_scroll(*rect, list)));
    } else {
        packet.bytes(if inline { &draw.data } else { &[] });
    }
    packet.uint(draw.sequence.0);
    packet.int(draw.rowstride);
    options::encode(&draw.options, packet);
}

/// `window-draw-ack`, which every server understands (`window-ack` is new in 6.6).
fn write_ack(out: &mut Out<'_, '_>, ack: &DrawAck) {
    let (decode_us, message) = match &ack.outcome {
        DrawOutcome::Presented { decode_us } => (i64::from((*decode_us).clamp(1, i32::MAX as u32)), ""),
        DrawOutcome::Skipped => (0, ""),
        DrawOutcome::Error { message } => (-1, message.as_str()),
        DrawOutcome::WindowNotFound => (-2, "window not found"),
    };
    out.packet("window-draw-ack", 6, |args| {
        args.uint(ack.sequence.0);
        args.uint(ack.wid.0);
        args.size(ack.width);
        args.size(ack.height);
        args.int(decode_us);
        args.str(message);
    });
}

fn write_all_windows(out: &mut Out<'_, '_>, properties: &Dict, refresh: bool) {
    let all = if out.is_legacy() { -1 } else { 0 };
    out.packet("window-refresh", 5, |args| {
        args.int(all);
        args.int(0);
        args.int(100);
        args.map(1, |options| {
            options.str("refresh-now");
            options.bool(refresh);
        });
        args.dict(properties);
    });
}

fn write_encoding_option(out: &mut Out<'_, '_>, name: &'static str, value: &Value) {
    if out.is_legacy() {
        out.packet(name, 1, |args| args.value(value));
        return;
    }
    out.packet("encoding-options", 1, |args| {
        args.map(1, |map| {
            map.str(name);
            map.value(value);
        });
    });
}
