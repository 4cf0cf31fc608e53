//! [`ClientPacket`]s to the wire, in each [`Spelling`].

use super::client::{ClientPacket, DrawAck, DrawOutcome, KeyboardEvent, WindowGeometry};
use super::encode::Encoder;
use super::names::{self, Spelling};
use super::{Dict, Value, WindowId};

/// The bandwidth, in bits per second, from which on servers of all generations lift their limit. 0 would be
/// the least one that they know, 1 Mbit/s.
pub(super) const NO_LIMIT: u64 = 10 << 30;

/// Writes one packet.
pub fn encode(packet: &ClientPacket, spelling: Spelling, out: &mut Encoder<'_>) {
    let mut out = Out { spelling, out };
    match packet {
        ClientPacket::Hello(capabilities) => out.packet("hello", 1, |args| args.dict(capabilities)),
        ClientPacket::ConnectionClose { reason } => {
            out.packet("connection-close", 1, |args| args.str(reason))
        }
        ClientPacket::Ping { monotonic_ms } => out.packet("ping", 1, |args| args.uint(*monotonic_ms)),
        ClientPacket::PingEcho { monotonic_ms, load, latency_ms, sid } => {
            out.packet("ping-echo", 6, |args| {
                args.uint(*monotonic_ms);
                load.iter().for_each(|load| args.uint(*load));
                args.int(*latency_ms);
                args.str(sid.as_deref().unwrap_or_default());
            })
        }
        ClientPacket::InfoRequest => out.packet("info-request", 2, |args| {
            args.list(0, |_| {});
            args.list(0, |_| {});
        }),
        ClientPacket::DisplayConfigure { width, height, properties } => {
            out.display(*width, *height, properties)
        }
        ClientPacket::WindowMap(geometry) => out.map(geometry),
        ClientPacket::WindowUnmap { wid, iconified } => out.packet("window-unmap", 2, |args| {
            args.uint(wid.0);
            args.bool(*iconified);
        }),
        ClientPacket::WindowConfigure(geometry) => out.configure(geometry),
        ClientPacket::WindowClose { wid } => out.packet("window-close", 1, |args| args.uint(wid.0)),
        ClientPacket::WindowFocus { wid, modifiers } => out.packet("window-focus", 2, |args| {
            window(args, *wid);
            args.strs(modifiers);
        }),
        ClientPacket::WindowRefresh { wid, quality } => out.packet("window-refresh", 3, |args| {
            args.uint(wid.0);
            args.int(0);
            args.int(*quality);
        }),
        ClientPacket::WindowsProperties { properties, refresh } => {
            out.windows_properties(properties, *refresh)
        }
        ClientPacket::DrawAck(ack) => out.draw_ack(ack),
        ClientPacket::EncodingOption { name, value } => out.encoding_option(name, value),
        ClientPacket::EncodingConfig(config) => out.packet("encoding-config", 1, |args| args.dict(config)),
        ClientPacket::EncodingSet { encoding } => out.packet("encoding-set", 1, |args| args.str(encoding)),
        ClientPacket::KeyboardEvent(event) => out.key(event),
        ClientPacket::KeyboardConfig(config) => out.packet("keyboard-config", 1, |args| args.dict(config)),
        ClientPacket::PointerMotion { wid, x, y, modifiers, buttons } => {
            out.motion(*wid, (*x, *y), modifiers, buttons);
        }
        ClientPacket::PointerButton { wid, button, pressed, x, y, modifiers, buttons } => {
            out.button(*wid, (*button, *pressed), (*x, *y), modifiers, buttons);
        }
        ClientPacket::PointerWheel { wid, button, distance, x, y, modifiers, buttons } => {
            out.wheel(*wid, (*button, *distance), (*x, *y), modifiers, buttons);
        }
        ClientPacket::BandwidthLimit { bits_per_second } => {
            let limit = if *bits_per_second == 0 { NO_LIMIT } else { *bits_per_second };
            out.packet("bandwidth-limit", 1, |args| args.uint(limit));
        }
        ClientPacket::CursorSet { enabled } => out.packet("cursor-set", 1, |args| args.bool(*enabled)),
        ClientPacket::BellSet { enabled } => out.packet("bell-set", 1, |args| args.bool(*enabled)),
        ClientPacket::Suspend { suspended } => out.suspend(*suspended),
    }
}

/// The window or, for none, 0.
fn window(args: &mut Encoder<'_>, wid: Option<WindowId>) {
    args.uint(wid.map_or(0, |wid| wid.0));
}

/// Windows are at most 65535 pixels wide and high, and positions are 16 bits.
fn size(value: u32) -> i64 {
    i64::from(value.min(u32::from(u16::MAX)))
}

fn position(value: i32) -> i64 {
    i64::from(value.clamp(i32::from(i16::MIN), i32::from(i16::MAX)))
}

struct Out<'a, 'b> {
    spelling: Spelling,
    out: &'a mut Encoder<'b>,
}

impl Out<'_, '_> {
    fn is_legacy(&self) -> bool {
        self.spelling == Spelling::Legacy
    }

    /// A packet by its modern name, with `count` arguments.
    fn packet(&mut self, modern: &'static str, count: usize, fill: impl FnOnce(&mut Encoder<'_>)) {
        let name = names::to_server(modern, self.spelling);
        self.out.list(count + 1, |packet| {
            packet.str(name);
            fill(packet);
        });
    }

    /// 3.1 wants `desktop_size` with a list of screens, and the resolution as last arguments; later
    /// servers a map.
    fn display(&mut self, width: u32, height: u32, properties: &Dict) {
        if self.is_legacy() {
            let screens = properties.get("screen_sizes").cloned().unwrap_or(Value::List(Vec::new()));
            let dpi = |axis: &str| properties.get("dpi").and_then(|dpi| dpi.as_dict()?.get(axis)?.as_i64());
            let (Some(x), Some(y)) = (dpi("x"), dpi("y")) else {
                self.packet("display-configure", 3, |args| {
                    args.int(size(width));
                    args.int(size(height));
                    args.value(&screens);
                });
                return;
            };
            self.packet("display-configure", 9, |args| {
                args.int(size(width));
                args.int(size(height));
                args.value(&screens);
                args.int(1);
                args.strs(&[String::new()]);
                args.int(size(width));
                args.int(size(height));
                args.int(x);
                args.int(y);
            });
            return;
        }
        self.packet("display-configure", 1, |args| {
            args.map(properties.0.len() + 1, |map| {
                map.str("desktop-size");
                map.ints(&[size(width), size(height)]);
                for (key, value) in &properties.0 {
                    map.value(key);
                    map.value(value);
                }
            });
        });
    }

    fn map(&mut self, geometry: &WindowGeometry) {
        self.packet("window-map", 7, |args| {
            place(geometry, args);
            args.dict(&geometry.client_properties);
            args.dict(&geometry.state);
        });
    }

    fn configure(&mut self, geometry: &WindowGeometry) {
        if self.is_legacy() {
            self.packet("window-configure", 9, |args| {
                place(geometry, args);
                args.dict(&geometry.client_properties);
                args.uint(geometry.resize_counter);
                args.dict(&geometry.state);
                args.bool(geometry.skip_geometry);
            });
            return;
        }
        let WindowGeometry { wid, x, y, width, height, client_properties, state, .. } = geometry;
        let with_geometry = !geometry.skip_geometry;
        let entries = 2 * usize::from(with_geometry)
            + usize::from(!client_properties.0.is_empty())
            + usize::from(!state.0.is_empty());
        self.packet("window-configure", 2, |args| {
            args.uint(wid.0);
            args.map(entries, |map| {
                if with_geometry {
                    map.str("geometry");
                    map.ints(&[position(*x), position(*y), size(*width), size(*height)]);
                    map.str("resize-counter");
                    map.uint(geometry.resize_counter);
                }
                if !client_properties.0.is_empty() {
                    map.str("properties");
                    map.dict(client_properties);
                }
                if !state.0.is_empty() {
                    map.str("state");
                    map.dict(state);
                }
            });
        });
    }

    fn windows_properties(&mut self, properties: &Dict, refresh: bool) {
        let all = if self.is_legacy() { -1 } else { 0 };
        self.packet("window-refresh", 5, |args| {
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

    /// `window-draw-ack`, which every server understands (`window-ack` is new in 6.6).
    fn draw_ack(&mut self, ack: &DrawAck) {
        let (decode_us, message) = match &ack.outcome {
            DrawOutcome::Presented { decode_us } => (i64::from((*decode_us).clamp(1, i32::MAX as u32)), ""),
            DrawOutcome::Skipped => (0, ""),
            DrawOutcome::Error { message } => (-1, message.as_str()),
            DrawOutcome::WindowNotFound => (-2, "window not found"),
        };
        self.packet("window-draw-ack", 6, |args| {
            args.uint(ack.sequence.0);
            args.uint(ack.wid.0);
            args.int(size(ack.width));
            args.int(size(ack.height));
            args.int(decode_us);
            args.str(message);
        });
    }

    fn encoding_option(&mut self, name: &'static str, value: &Value) {
        if self.is_legacy() {
            self.packet(name, 1, |args| args.value(value));
            return;
        }
        self.packet("encoding-options", 1, |args| {
            args.map(1, |map| {
                map.str(name);
                map.value(value);
            });
        });
    }

    fn key(&mut self, event: &KeyboardEvent) {
        if self.is_legacy() {
            self.packet("keyboard-event", 8, |args| {
                window(args, event.wid);
                args.str(&event.keyname);
                args.bool(event.pressed);
                args.strs(&event.modifiers);
                args.int(event.keyval);
                args.str(&event.string);
                args.int(event.keycode);
                args.int(event.group);
            });
            return;
        }
        self.packet("keyboard-event", 4, |args| {
            window(args, event.wid);
            args.str(&event.keyname);
            args.bool(event.pressed);
            args.map(5, |map| {
                map.str("modifiers");
                map.strs(&event.modifiers);
                map.str("keyval");
                map.int(event.keyval);
                map.str("string");
                map.str(&event.string);
                map.str("keycode");
                map.int(event.keycode);
                map.str("group");
                map.int(event.group);
            });
        });
    }

    /// Strict servers take 16 bits without a sign.
    fn pointer(&self, (x, y): (i32, i32)) -> [i64; 2] {
        let clamp = |value: i32| match self.spelling {
            Spelling::V66 => i64::from(value.clamp(0, i32::from(u16::MAX))),
            _ => i64::from(value),
        };
        [clamp(x), clamp(y)]
    }

    fn motion(&mut self, wid: Option<WindowId>, at: (i32, i32), modifiers: &[String], buttons: &[u8]) {
        let pointer = self.pointer(at);
        if self.is_legacy() {
            self.packet("pointer-motion", 4, |args| {
                window(args, wid);
                args.ints(&pointer);
                args.strs(modifiers);
                args.ints(buttons);
            });
            return;
        }
        self.packet("pointer-motion", 5, |args| {
            device(args);
            window(args, wid);
            args.ints(&pointer);
            pointer_properties(args, modifiers, buttons);
        });
    }

    fn button(
        &mut self,
        wid: Option<WindowId>,
        (button, pressed): (u8, bool),
        at: (i32, i32),
        modifiers: &[String],
        buttons: &[u8],
    ) {
        let pointer = self.pointer(at);
        if self.is_legacy() {
            self.packet("pointer-button", 6, |args| {
                window(args, wid);
                args.int(button);
                args.bool(pressed);
                args.ints(&pointer);
                args.strs(modifiers);
                args.ints(buttons);
            });
            return;
        }
        self.packet("pointer-button", 7, |args| {
            device(args);
            window(args, wid);
            args.int(button);
            args.bool(pressed);
            args.ints(&pointer);
            pointer_properties(args, modifiers, buttons);
        });
    }

    fn wheel(
        &mut self,
        wid: Option<WindowId>,
        (button, distance): (u8, i32),
        at: (i32, i32),
        modifiers: &[String],
        buttons: &[u8],
    ) {
        let pointer = self.pointer(at);
        let with_properties = self.spelling == Spelling::V66;
        self.packet("pointer-wheel", 6 + usize::from(with_properties), |args| {
            window(args, wid);
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

    /// Before 6.6 there are two packets; 3.1 wants to know of which windows.
    fn suspend(&mut self, suspended: bool) {
        match (self.spelling, suspended) {
            (Spelling::V66, _) => self.packet("suspend", 1, |args| args.bool(suspended)),
            (Spelling::V65, true) => self.packet("suspend", 0, |_| {}),
            (Spelling::V65, false) => self.packet("resume", 0, |_| {}),
            (Spelling::Legacy, _) => self.packet(if suspended { "suspend" } else { "resume" }, 2, |args| {
                args.bool(true);
                args.list(0, |_| {});
            }),
        }
    }
}

fn place(geometry: &WindowGeometry, args: &mut Encoder<'_>) {
    args.uint(geometry.wid.0);
    args.int(position(geometry.x));
    args.int(position(geometry.y));
    args.int(size(geometry.width));
    args.int(size(geometry.height));
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
