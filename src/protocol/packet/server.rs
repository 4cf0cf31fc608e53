//! Packets from the server (Protocol.md §5.3, §7, §8), under their modern names.

use crate::buffers::Payload;

use super::{Dict, DrawSequence, ShortName, Value, WindowId};

/// A packet from the server.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerPacket {
    Hello(Dict),
    Challenge(Challenge),
    /// `connection-close`, legacy `disconnect`.
    ConnectionClose {
        reasons: Vec<String>,
    },
    Ping {
        monotonic_ms: u64,
        sid: Option<String>,
    },
    PingEcho(PingEcho),
    StartupComplete,
    SettingChange {
        name: String,
        value: Value,
    },
    /// `server-event`, also `events`.
    ServerEvent {
        name: String,
        values: Vec<Value>,
    },
    Control {
        command: String,
        arguments: Vec<Value>,
    },
    InfoResponse(Dict),
    /// `encoding-set`, legacy `encodings`: the server's encoding properties.
    EncodingSet(Dict),
    DisplayResized {
        width: u32,
        height: u32,
        max_width: u32,
        max_height: u32,
    },
    DisplayScreenshot(Image),
    DisplayShowDesktop {
        show: bool,
    },
    WindowCreate(WindowCreate),
    WindowMetadata {
        wid: WindowId,
        metadata: Dict,
    },
    WindowMoveResize(WindowMoveResize),
    WindowResized {
        wid: WindowId,
        width: u32,
        height: u32,
        resize_counter: u64,
    },
    WindowRaise {
        wid: WindowId,
    },
    WindowRestack {
        wid: WindowId,
        detail: u8,
        sibling: u64,
    },
    WindowInitiateMoveResize(WindowInitiateMoveResize),
    WindowDestroy {
        wid: WindowId,
    },
    WindowIcon {
        wid: WindowId,
        image: Image,
    },
    WindowDraw(WindowDraw),
    WindowEos {
        wid: WindowId,
    },
    WindowBell(WindowBell),
    WindowGrab {
        wid: WindowId,
    },
    WindowUngrab {
        wid: WindowId,
    },
    PointerPosition {
        wid: WindowId,
        x: i32,
        y: i32,
    },
    CursorData(Cursor),
    CursorDefault,
    /// A packet that this client has no use for although servers send it (clipboard, sound, … of
    /// later issues). Known by name, so it is no error.
    Ignored {
        name: &'static str,
    },
    /// A packet type that the protocol document does not know.
    Unknown {
        name: String,
    },
}

impl ServerPacket {
    /// The packet's modern name, for statistics and logs; `unknown` for [`Self::Unknown`].
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Hello(_) => "hello",
            Self::Challenge(_) => "challenge",
            Self::ConnectionClose { .. } => "connection-close",
            Self::Ping { .. } => "ping",
            Self::PingEcho(_) => "ping-echo",
            Self::StartupComplete => "startup-complete",
            Self::SettingChange { .. } => "setting-change",
            Self::ServerEvent { .. } => "server-event",
            Self::Control { .. } => "control",
            Self::InfoResponse(_) => "info-response",
            Self::EncodingSet(_) => "encoding-set",
            Self::DisplayResized { .. } => "display-resized",
            Self::DisplayScreenshot(_) => "display-screenshot",
            Self::DisplayShowDesktop { .. } => "display-show-desktop",
            Self::WindowCreate(_) => "window-create",
            Self::WindowMetadata { .. } => "window-metadata",
            Self::WindowMoveResize(_) => "window-move-resize",
            Self::WindowResized { .. } => "window-resized",
            Self::WindowRaise { .. } => "window-raise",
            Self::WindowRestack { .. } => "window-restack",
            Self::WindowInitiateMoveResize(_) => "window-initiate-moveresize",
            Self::WindowDestroy { .. } => "window-destroy",
            Self::WindowIcon { .. } => "window-icon",
            Self::WindowDraw(_) => "window-draw",
            Self::WindowEos { .. } => "window-eos",
            Self::WindowBell(_) => "window-bell",
            Self::WindowGrab { .. } => "window-grab",
            Self::WindowUngrab { .. } => "window-ungrab",
            Self::PointerPosition { .. } => "pointer-position",
            Self::CursorData(_) => "cursor-data",
            Self::CursorDefault => "cursor-default",
            Self::Ignored { name } => name,
            Self::Unknown { .. } => "unknown",
        }
    }
}

/// `challenge` (Protocol.md §5.3).
#[derive(Clone, Debug, PartialEq)]
pub struct Challenge {
    pub salt: Vec<u8>,
    pub auth_caps: Dict,
    /// For example `hmac+sha512`, `xor`, `kerberos:…`.
    pub digest: String,
    /// For example `hmac+sha256`.
    pub salt_digest: String,
    pub prompt: Option<String>,
}

/// `ping-echo`, legacy `ping_echo`.
#[derive(Clone, Debug, PartialEq)]
pub struct PingEcho {
    pub monotonic_ms: u64,
    /// Load averages over 1, 5 and 15 minutes, times 1000.
    pub load: [u64; 3],
    /// −1 when unknown.
    pub latency_ms: i64,
    pub sid: Option<String>,
}

/// `window-create`; legacy `new-window` and `new-override-redirect`.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowCreate {
    pub wid: WindowId,
    pub x: i32,
    pub y: i32,
    pub width: u32,
    pub height: u32,
    pub metadata: Dict,
    pub client_properties: Dict,
    /// From `new-override-redirect` or the metadata's `override-redirect`.
    pub override_redirect: bool,
    /// From `new-tray` or the metadata's `tray`.
    pub tray: bool,
}

/// `window-move-resize`; legacy `configure-override-redirect` comes as this too.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowMoveResize {
    pub wid: WindowId,
    pub x: i32,
    pub y: i32,
    pub width: u32,
    pub height: u32,
    pub resize_counter: u64,
}

/// `window-initiate-moveresize`: directions as in EWMH's `_NET_WM_MOVERESIZE`.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowInitiateMoveResize {
    pub wid: WindowId,
    pub root_x: i32,
    pub root_y: i32,
    pub direction: u8,
    pub button: u8,
    pub source: u8,
}

/// `window-bell`, legacy `bell`.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowBell {
    pub wid: u64,
    pub percent: i32,
    pub pitch: i32,
    pub duration_ms: i32,
    pub name: String,
}

/// A picture outside the draw path: a window's icon, a screenshot.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    pub width: u32,
    pub height: u32,
    /// `png`, `BGRA`, `premult_argb32`, `default`, …
    pub encoding: String,
    pub rowstride: u32,
    pub data: Payload,
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

/// A picture encoding's name on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    Rgb24,
    Rgb32,
    Png,
    /// 256-colour palette (`png/P`).
    PngPalette,
    /// Greyscale (`png/L`).
    PngGrey,
    Jpeg,
    Webp,
    H264,
    Scroll,
    /// Nothing to paint (`void`): acknowledged at once.
    Void,
    /// One that was not offered; refused with an error acknowledgement.
    Other,
}

impl Encoding {
    /// Every encoding that can be shown, in the order in which statistics list them.
    pub const ALL: [Self; 11] = [
        Self::Rgb24,
        Self::Rgb32,
        Self::Png,
        Self::PngPalette,
        Self::PngGrey,
        Self::Jpeg,
        Self::Webp,
        Self::H264,
        Self::Scroll,
        Self::Void,
        Self::Other,
    ];

    /// Frames refer to earlier ones: they are decoded in order, by one decoder a window.
    pub const fn is_video(self) -> bool {
        matches!(self, Self::H264)
    }

    /// Pictures that stand alone.
    pub const fn is_still(self) -> bool {
        !self.is_video() && !matches!(self, Self::Scroll | Self::Void | Self::Other)
    }

    /// The name on the wire (`other` for [`Encoding::Other`]).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rgb24 => "rgb24",
            Self::Rgb32 => "rgb32",
            Self::Png => "png",
            Self::PngPalette => "png/P",
            Self::PngGrey => "png/L",
            Self::Jpeg => "jpeg",
            Self::Webp => "webp",
            Self::H264 => "h264",
            Self::Scroll => "scroll",
            Self::Void => "void",
            Self::Other => "other",
        }
    }

    /// The encoding called `name` on the wire.
    pub fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|e| e.name() == name).unwrap_or(Self::Other)
    }
}

/// What Farpane uses of a draw's options map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DrawOptions {
    /// Draws of the same screen update that still follow; 0 ends the update.
    pub flush: u32,
    /// Byte order of rgb data: `BGRX`, `RGB`, …; absent means the encoding's default.
    pub rgb_format: Option<RgbFormatName>,
    /// Compression of the pixel data itself (not of the record).
    pub pixel_compression: PixelCompression,
    /// Size of the coded picture where it differs from the rectangle (`scaled_size`).
    pub scaled_size: Option<(u32, u32)>,
    /// Chroma sub-sampling of video: `YUV420P`, … (`csc`).
    pub csc: Option<ShortName>,
    /// Frame number within a video stream (`frame`).
    pub frame: Option<u64>,
    /// `IDR`, `I`, `P`, `B` where the server says (`type`).
    pub frame_type: Option<ShortName>,
    /// YUV uses 0..=255 (`full-range`).
    pub full_range: Option<bool>,
    /// Frames that the server's video encoder holds back (`delayed`): while it is not 0, the
    /// picture of this draw may come out of the decoder only with a later one.
    pub delayed: u32,
    /// `Some(false)`: decode, so that later video frames can refer to it, but do not show it
    /// (`paint`).
    pub paint: Option<bool>,
    /// Quality 0..=100 that the server encoded with.
    pub quality: Option<u32>,
    /// The server's window size at the time of the draw (`window-size`).
    pub window_size: Option<(u32, u32)>,
    /// Rectangles of a `scroll` draw.
    pub scroll: Vec<ScrollRect>,
    /// The colours of a png picture are not multiplied by alpha yet, and have to be. Not on the wire: the
    /// session knows.
    pub straight_alpha: bool,
}

/// A pixel format's name on the wire (at most 8 bytes, upper case).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RgbFormatName {
    Bgr,
    Bgr565,
    Bgra,
    Bgrx,
    R210,
    Rgb,
    Rgba,
    Rgbx,
    Xrgb,
    Argb,
    Xbgr,
    Abgr,
    /// One that is not known: the draw is refused.
    Other,
}

/// How the pixels of an rgb draw are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PixelCompression {
    #[default]
    None,
    /// `lz4` > 0: u32 little-endian size, then one LZ4 block.
    Lz4,
    /// `zlib` > 0 (3.1).
    Zlib,
    /// `zstd` > 0 (6.6): one frame that says its size.
    Zstd,
    /// A kind that Farpane does not offer (lzo, brotli, …): the draw is refused.
    Other,
}

/// One part of a `scroll` draw: the rectangle at (`x`, `y`) moves by (`dx`, `dy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScrollRect {
    pub x: i32,
    pub y: i32,
    pub width: u32,
    pub height: u32,
    pub dx: i32,
    pub dy: i32,
}
