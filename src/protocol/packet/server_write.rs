//! [`ServerPacket`]s to the wire: what a server needs.

use crate::buffers::Payload;

use super::encode::Encoder;
use super::names::{self, Spelling};
use super::server::{Cursor, ServerPacket, WindowCreate};
use super::{Value, draw};

/// Writes one packet. A draw's pixels are left out unless they are `inline`.
///
/// [`ServerPacket::Ignored`] and [`ServerPacket::Unknown`] say nothing but a name and are written
/// without arguments.
pub fn encode(packet: &ServerPacket, spelling: Spelling, inline: bool, out: &mut Encoder<'_>) {
    let mut out = Out { spelling, out };
    match packet {
        ServerPacket::WindowDraw(draw) => {
            out.packet("window-draw", draw::ARGUMENTS, |args| draw::encode(draw, inline, args));
        }
        ServerPacket::Hello(capabilities) => out.packet("hello", 1, |args| args.dict(capabilities)),
        ServerPacket::Challenge(challenge) => out.packet("challenge", 5, |args| {
            args.bytes(&challenge.salt);
            args.dict(&challenge.auth_caps);
            args.str(&challenge.digest);
            args.str(&challenge.salt_digest);
            args.str(challenge.prompt.as_deref().unwrap_or_default());
        }),
        ServerPacket::ConnectionClose { reasons } => {
            out.packet("connection-close", reasons.len(), |args| {
                reasons.iter().for_each(|reason| args.str(reason))
            });
        }
        ServerPacket::Ping { monotonic_ms, sid } => out.ping(*monotonic_ms, sid.as_deref()),
        ServerPacket::PingEcho(echo) => out.packet("ping-echo", 6, |args| {
            args.uint(echo.monotonic_ms);
            echo.load.iter().for_each(|load| args.uint(*load));
            args.int(echo.latency_ms);
            args.str(echo.sid.as_deref().unwrap_or_default());
        }),
        ServerPacket::StartupComplete => out.packet("startup-complete", 0, |_| {}),
        ServerPacket::SettingChange { name, value } => out.packet("setting-change", 2, |args| {
            args.str(name);
            args.value(value);
        }),
        ServerPacket::ServerEvent { name, values } => out.texts("server-event", name, values),
        ServerPacket::Control { command, arguments } => out.texts("control", command, arguments),
        ServerPacket::InfoResponse(information) => {
            out.packet("info-response", 1, |args| args.dict(information))
        }
        ServerPacket::EncodingSet(properties) => out.packet("encoding-set", 1, |args| args.dict(properties)),
        ServerPacket::DisplayResized { width, height, max_width, max_height } => {
            out.ints("display-resized", &[width, height, max_width, max_height].map(|size| i64::from(*size)));
        }
        ServerPacket::DisplayScreenshot(image) => out.packet("display-screenshot", 5, |args| {
            args.int(image.width);
            args.int(image.height);
            args.str(&image.encoding);
            args.int(image.rowstride);
            args.bytes(&image.data);
        }),
        ServerPacket::DisplayShowDesktop { show } => {
            out.packet("display-show-desktop", 1, |args| args.bool(*show))
        }
        ServerPacket::WindowCreate(create) => out.window_create(create),
        ServerPacket::WindowMetadata { wid, metadata } => out.packet("window-metadata", 2, |args| {
            args.uint(wid.0);
            args.dict(metadata);
        }),
        ServerPacket::WindowMoveResize(to) => out.packet("window-move-resize", 6, |args| {
            args.uint(to.wid.0);
            args.int(to.x);
            args.int(to.y);
            args.int(to.width);
            args.int(to.height);
            args.uint(to.resize_counter);
        }),
        ServerPacket::WindowResized { wid, width, height, resize_counter } => {
            out.packet("window-resized", 4, |args| {
                args.uint(wid.0);
                args.int(*width);
                args.int(*height);
                args.uint(*resize_counter);
            });
        }
        ServerPacket::WindowRaise { wid } => out.window("window-raise", wid.0),
        ServerPacket::WindowRestack { wid, detail, sibling } => out.packet("window-restack", 3, |args| {
            args.uint(wid.0);
            args.int(*detail);
            args.uint(*sibling);
        }),
        ServerPacket::WindowInitiateMoveResize(start) => {
            out.packet("window-initiate-moveresize", 6, |args| {
                args.uint(start.wid.0);
                args.int(start.root_x);
                args.int(start.root_y);
                args.int(start.direction);
                args.int(start.button);
                args.int(start.source);
            })
        }
        ServerPacket::WindowDestroy { wid } => out.window("window-destroy", wid.0),
        ServerPacket::WindowIcon { wid, image } => out.packet("window-icon", 5, |args| {
            args.uint(wid.0);
            args.int(image.width);
            args.int(image.height);
            args.str(&image.encoding);
            args.bytes(&image.data);
        }),
        ServerPacket::WindowEos { wid } => out.window("window-eos", wid.0),
        ServerPacket::WindowBell(bell) => out.packet("window-bell", 8, |args| {
            args.uint(bell.wid);
            args.int(0);
            args.int(bell.percent);
            args.int(bell.pitch);
            args.int(bell.duration_ms);
            args.int(0);
            args.int(0);
            args.str(&bell.name);
        }),
        ServerPacket::WindowGrab { wid } => out.window("window-grab", wid.0),
        ServerPacket::WindowUngrab { wid } => out.window("window-ungrab", wid.0),
        ServerPacket::PointerPosition { wid, x, y } => out.packet("pointer-position", 5, |args| {
            args.uint(wid.0);
            args.ints_bare(&[*x, *y, *x, *y]);
        }),
        ServerPacket::CursorData(cursor) => out.cursor(cursor),
        ServerPacket::CursorDefault if spelling == Spelling::Legacy => {
            out.packet("cursor-data", 1, |args| args.str(""))
        }
        ServerPacket::CursorDefault => out.packet("cursor-default", 0, |_| {}),
        ServerPacket::Ignored { name } => out.named(name, 0, |_| {}),
        ServerPacket::Unknown { name } => out.named(name, 0, |_| {}),
    }
}

/// The pixels that go in a raw chunk before the packet, and their position in it. Small ones stay
/// within the packet, as servers have it.
pub fn chunk(packet: &ServerPacket) -> Option<(u8, &Payload)> {
    const INLINE_BYTES: usize = 1024;
    match packet {
        ServerPacket::WindowDraw(draw) if draw.data.len() > INLINE_BYTES => {
            Some((draw::DATA_POSITION, &draw.data))
        }
        _ => None,
    }
}

struct Out<'a, 'b> {
    spelling: Spelling,
    out: &'a mut Encoder<'b>,
}

impl Out<'_, '_> {
    /// A packet by its modern name, with `count` arguments.
    fn packet(&mut self, modern: &'static str, count: usize, fill: impl FnOnce(&mut Encoder<'_>)) {
        self.named(names::to_client(modern, self.spelling), count, fill);
    }

    fn named(&mut self, name: &str, count: usize, fill: impl FnOnce(&mut Encoder<'_>)) {
        self.out.list(count + 1, |packet| {
            packet.str(name);
            fill(packet);
        });
    }

    fn window(&mut self, modern: &'static str, wid: u64) {
        self.packet(modern, 1, |args| args.uint(wid));
    }

    fn ints(&mut self, modern: &'static str, values: &[i64]) {
        self.packet(modern, values.len(), |args| args.ints_bare(values));
    }

    fn texts(&mut self, modern: &'static str, text: &str, values: &[Value]) {
        self.packet(modern, 1 + values.len(), |args| {
            args.str(text);
            values.iter().for_each(|value| args.value(value));
        });
    }

    /// Released clients look for `sid` after the server's wall clock, which they do not use.
    fn ping(&mut self, monotonic_ms: u64, sid: Option<&str>) {
        let with_clock = self.spelling != Spelling::V66;
        let count = 1 + (usize::from(with_clock) + 1) * usize::from(sid.is_some());
        self.packet("ping", count, |args| {
            args.uint(monotonic_ms);
            if let Some(sid) = sid {
                if with_clock {
                    args.int(0);
                }
                args.str(sid);
            }
        });
    }

    /// Legacy clients know popups and trays by packets of their own.
    fn window_create(&mut self, create: &WindowCreate) {
        if create.tray && self.spelling == Spelling::Legacy {
            self.named("new-tray", 4, |args| {
                args.uint(create.wid.0);
                args.int(create.width);
                args.int(create.height);
                args.dict(&create.metadata);
            });
            return;
        }
        let name = match (create.override_redirect, self.spelling) {
            (true, Spelling::Legacy) => "new-override-redirect",
            _ => names::to_client("window-create", self.spelling),
        };
        self.named(name, 7, |args| {
            args.uint(create.wid.0);
            args.int(create.x);
            args.int(create.y);
            args.int(create.width);
            args.int(create.height);
            args.dict(&create.metadata);
            args.dict(&create.client_properties);
        });
    }

    fn cursor(&mut self, cursor: &Cursor) {
        let is_legacy = self.spelling == Spelling::Legacy;
        self.packet("cursor-data", if is_legacy { 10 } else { 8 }, |args| {
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
}
