//! Packets to the server (Protocol.md §5.3, §7, §8). One shape for both generations: the writer
//! knows how each [`super::super::Dialect`] spells them.

use super::{Dict, DrawSequence, Value, WindowId};

/// A packet to the server.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientPacket {
    Hello(Dict),
    /// `connection-close`, legacy `disconnect`.
    ConnectionClose {
        reason: String,
    },
    Ping {
        monotonic_ms: u64,
    },
    PingEcho {
        monotonic_ms: u64,
        load: [u64; 3],
        latency_ms: i64,
        sid: Option<String>,
    },
    InfoRequest,
    DisplayConfigure {
        width: u32,
        height: u32,
        properties: Dict,
    },
    WindowMap(WindowGeometry),
    WindowUnmap {
        wid: WindowId,
        iconified: bool,
    },
    WindowConfigure(WindowGeometry),
    WindowClose {
        wid: WindowId,
    },
    /// `None`: no window of ours has the focus.
    WindowFocus {
        wid: Option<WindowId>,
        modifiers: Vec<String>,
    },
    /// Asks for all pixels of the window again (`buffer-refresh`).
    WindowRefresh {
        wid: WindowId,
        quality: u32,
    },
    /// Client properties of all windows, and with `refresh` all their pixels again
    /// (`window-refresh` of window 0, `buffer-refresh` of −1).
    WindowsProperties {
        properties: Dict,
        refresh: bool,
    },
    DrawAck(DrawAck),
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
    KeyboardEvent(KeyboardEvent),
    /// The keymap and layout, for the server to set up its keyboard (`keymap-changed`).
    KeyboardConfig(Dict),
    PointerMotion {
        wid: Option<WindowId>,
        x: i32,
        y: i32,
        modifiers: Vec<String>,
        buttons: Vec<u8>,
    },
    PointerButton {
        wid: Option<WindowId>,
        button: u8,
        pressed: bool,
        x: i32,
        y: i32,
        modifiers: Vec<String>,
        buttons: Vec<u8>,
    },
    /// Precise wheel motion: `button` 4..7 says the axis and sign, `distance` is in 1/1000 notch.
    PointerWheel {
        wid: Option<WindowId>,
        button: u8,
        distance: i32,
        x: i32,
        y: i32,
        modifiers: Vec<String>,
        buttons: Vec<u8>,
    },
    /// Bandwidth limit in bits per second; 0 for none, which servers are told by a number that is beyond
    /// their largest limit.
    BandwidthLimit {
        bits_per_second: u64,
    },
    CursorSet {
        enabled: bool,
    },
    BellSet {
        enabled: bool,
    },
    Suspend {
        suspended: bool,
    },
}

/// Where a window is: `window-map` and `window-configure`.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowGeometry {
    pub wid: WindowId,
    pub x: i32,
    pub y: i32,
    pub width: u32,
    pub height: u32,
    /// Client properties, window state (`maximized`, `fullscreen`, …) and resize counter.
    pub client_properties: Dict,
    pub state: Dict,
    pub resize_counter: u64,
    /// Do not raise or map: only tell the geometry.
    pub skip_geometry: bool,
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

/// `keyboard-event`; legacy `key-action`.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyboardEvent {
    pub wid: Option<WindowId>,
    /// X keysym name: `a`, `Return`, `Shift_L`, `eacute`.
    pub keyname: String,
    pub pressed: bool,
    pub modifiers: Vec<String>,
    /// X keysym value.
    pub keyval: u32,
    /// Text that the key types; may be empty.
    pub string: String,
    /// X hardware keycode.
    pub keycode: u32,
    /// Layout group, 0 for the first.
    pub group: u32,
}
