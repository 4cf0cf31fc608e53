//! What goes into a session and what comes out of it.

use std::time::Duration;

use super::clipboard::{Direction, FromDesktop, ToDesktop};
use super::config::{DisplayInfo, Secret};
use crate::buffers::Payload;
use crate::codec::{Coded, Rect, Size};
use crate::protocol::Bounds;
use crate::protocol::packet::draw::{DrawOptions, DrawOutcome, Encoding};
use crate::protocol::packet::pointer::{Cursor, PointerState};
use crate::protocol::packet::{ClientPacket, Image};
use crate::protocol::packet::{DrawSequence, WindowId};
use crate::protocol::text;
use crate::stats::DrawTrace;

/// Characters of the reason of an end.
const MAX_REASON_CHARS: usize = 1000;

/// Something that the session wants done, in order.
#[derive(Debug)]
pub enum Output {
    /// Write this packet.
    Send(ClientPacket),
    /// Decode and show this draw; answer with a [`DrawDone`].
    Draw(DrawRequest),
    /// A window's backing changes size (or goes), in order with its draws; `None` destroys it.
    Backing { wid: WindowId, size: Option<Size> },
    /// Something for the user interface.
    Event(SessionEvent),
    /// The server's hello was accepted, or the desktop has another size: these are the bounds from now on.
    Established { bounds: Bounds },
    /// The server understands only half of what was said: connect again and say it as 3.1 wants it. Ends the
    /// session like [`Output::Close`].
    SpeakLegacy,
    /// End the connection after writing what was sent before.
    Close(CloseReason),
}

/// One draw on its way to the screen.
#[derive(Debug)]
pub struct DrawRequest {
    pub wid: WindowId,
    pub sequence: DrawSequence,
    pub rect: Rect,
    pub encoding: Encoding,
    pub data: Payload,
    /// Bytes from one row to the next of rgb data; 0 for the others.
    pub rowstride: u32,
    pub options: DrawOptions,
    pub trace: DrawTrace,
}

impl DrawRequest {
    /// What a decoder needs of it.
    pub fn coded(&self) -> Coded<'_> {
        let Self { encoding, ref data, rect, rowstride, ref options, .. } = *self;
        let size = Size { width: rect.width, height: rect.height };
        Coded { encoding, data, size, rowstride, options }
    }
}

/// The end of a draw: shown or refused.
#[derive(Clone, Debug)]
pub struct DrawDone {
    pub wid: WindowId,
    pub sequence: DrawSequence,
    pub size: Size,
    pub encoding: Encoding,
    pub outcome: DrawOutcome,
    pub trace: DrawTrace,
}

/// What the session tells the user interface.
#[derive(Clone, Debug)]
pub enum SessionEvent {
    /// The server accepted us.
    Connected(Box<ServerInfo>),
    /// The server asked who we are, and is being answered.
    LoggingIn,
    /// A password is needed; answer with [`Input::Password`].
    PasswordNeeded {
        /// What for, in the server's words: one short line without hidden characters, perhaps empty.
        prompt: String,
        /// How many times the server has asked in this login, from 1.
        number: u32,
    },
    /// The server finished sending the windows that exist.
    StartupComplete,
    WindowCreated(Box<WindowInfo>),
    WindowChanged {
        wid: WindowId,
        change: WindowChange,
    },
    WindowDestroyed {
        wid: WindowId,
    },
    /// A window rings, or none in particular.
    Bell {
        wid: Option<WindowId>,
        percent: i32,
        pitch: i32,
        duration_ms: i32,
    },
    Cursor(CursorShape),
    PointerGrabbed {
        wid: WindowId,
    },
    PointerUngrabbed,
    /// For the desktop's clipboard.
    Clipboard(ToDesktop),
    /// Round trip of the last ping.
    Latency(Duration),
    /// The answer to an info request: flattened `key=value` lines.
    Info(Vec<(String, String)>),
    /// Words for the user: something is not shown, or not pasted. Seldom, whatever a server does.
    Notice(String),
    /// The connection is over.
    Closed(CloseReason),
}

/// What the server says of itself, for the user and for logs.
#[derive(Clone, Debug, Default)]
pub struct ServerInfo {
    pub version: String,
    pub session_name: String,
    pub platform: String,
    pub hostname: String,
    /// `seamless`, `desktop`, `shadow`.
    pub mode: String,
    pub display: String,
    pub encodings: Vec<String>,
    /// Packet encoder and compressors in use, for example `rencodeplus+lz4`.
    pub wire: String,
}

/// A window as it is now.
#[derive(Clone, Debug)]
pub struct WindowInfo {
    pub wid: WindowId,
    /// Position in the server's root window.
    pub x: i32,
    pub y: i32,
    pub size: Size,
    pub title: String,
    /// `WM_CLASS`: instance and class.
    pub class: (String, String),
    pub override_redirect: bool,
    /// The application chose its position (`set-initial-position`); otherwise the local window
    /// manager may place the window.
    pub has_position: bool,
    /// EWMH types without the `_NET_WM_WINDOW_TYPE_` prefix, for example `DIALOG`, `POPUP_MENU`.
    pub window_types: Vec<String>,
    pub parent: Option<WindowId>,
    pub modal: bool,
    pub decorations: bool,
    pub has_alpha: bool,
    pub skip_taskbar: bool,
    /// The whole remote screen in one window (desktop and shadow sessions).
    pub is_desktop: bool,
    pub size_limits: SizeLimits,
    pub state: WindowState,
    pub icon: Option<Image>,
    /// `None`: a plain box.
    pub shape: Option<WindowShape>,
    /// What an earlier session of ours had the server keep.
    pub memory: WindowMemory,
}

impl WindowInfo {
    /// A window of no size that nothing was said of.
    pub fn new(wid: WindowId) -> Self {
        Self {
            wid,
            x: 0,
            y: 0,
            size: Size::default(),
            title: String::new(),
            class: Default::default(),
            override_redirect: false,
            has_position: false,
            window_types: Vec::new(),
            parent: None,
            modal: false,
            decorations: false,
            has_alpha: false,
            skip_taskbar: false,
            is_desktop: false,
            size_limits: SizeLimits::default(),
            state: WindowState::default(),
            icon: None,
            shape: None,
            memory: WindowMemory::default(),
        }
    }
}

/// The regions of a window that is no plain box (X Shape extension), each `None` where it is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowShape {
    /// Where the window is.
    pub bounding: Option<Box<[ShapeRect]>>,
    /// Where it takes the pointer.
    pub input: Option<Box<[ShapeRect]>>,
}

/// A rectangle of a [`WindowShape`], in the window's pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShapeRect {
    pub x: i16,
    pub y: i16,
    pub width: u16,
    pub height: u16,
}

/// What a server keeps with a window for the client that attaches next with our uuid: it hands client
/// properties back in `window-create`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WindowMemory {
    /// Of two windows, the one with the larger number is above.
    pub order: Option<u32>,
    /// The window with the largest number had the focus last.
    pub focus: Option<u32>,
    /// Its place before it was maximised or full screen.
    pub normal: Option<NormalGeometry>,
}

/// A place and size in the server's pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NormalGeometry {
    pub x: i32,
    pub y: i32,
    pub size: Size,
}

/// `size-constraints` of a window (ICCCM WM_NORMAL_HINTS).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SizeLimits {
    pub min: Option<Size>,
    pub max: Option<Size>,
    pub base: Option<Size>,
    pub increment: Option<Size>,
}

/// EWMH states that a server may set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WindowState {
    pub maximized: bool,
    pub fullscreen: bool,
    pub iconified: bool,
    pub above: bool,
    pub below: bool,
}

/// A change of one window.
#[derive(Clone, Debug)]
pub enum WindowChange {
    Title(String),
    Icon(Image),
    SizeLimits(SizeLimits),
    State(WindowState),
    Decorations(bool),
    Class(String, String),
    Parent(Option<WindowId>),
    /// One of the hints that rarely change: types, modal, skip-taskbar, alpha. The window as it
    /// is now.
    Hints(Box<WindowInfo>),
    /// The server moved or resized the window.
    Geometry {
        position: Option<(i32, i32)>,
        size: Size,
    },
    Raise,
    /// The server wants the user to move or resize the window (EWMH direction), with the pointer
    /// where it was when the program asked, in root pixels of the server.
    InitiateMoveResize {
        x: i32,
        y: i32,
        direction: u8,
        button: u8,
    },
    /// `None`: a plain box from now on.
    Shape(Option<WindowShape>),
}

/// The pointer's look.
#[derive(Clone, Debug)]
pub enum CursorShape {
    Default,
    Image(Cursor),
}

/// What the user, the desktop and the pipeline tell the session.
#[derive(Clone, Debug)]
pub enum Input {
    /// The OS window exists and is shown at this place (of its content, in root pixels).
    WindowMapped {
        wid: WindowId,
        x: i32,
        y: i32,
        size: Size,
    },
    WindowUnmapped {
        wid: WindowId,
        iconified: bool,
    },
    /// The OS window was moved or resized by the user or the window manager.
    WindowConfigured {
        wid: WindowId,
        x: i32,
        y: i32,
        size: Size,
        state: WindowState,
    },
    /// The server is to hear once more where it put the window: something that it was told earlier may have come to it
    /// after it said so.
    WindowToldAgain {
        wid: WindowId,
        x: i32,
        y: i32,
        size: Size,
    },
    /// What the server is to keep with the window for the next session; `None` leaves what it has.
    WindowRemembered {
        wid: WindowId,
        memory: WindowMemory,
    },
    /// The user asks to close the window: the server is told, the window stays.
    WindowCloseRequested {
        wid: WindowId,
    },
    /// `None`: none of our windows has the focus.
    Focus {
        wid: Option<WindowId>,
    },
    Key {
        wid: Option<WindowId>,
        key: Key,
        pressed: bool,
        modifiers: Vec<String>,
    },
    PointerMoved(PointerState),
    /// `button` is the X button number 1..=9.
    PointerButton {
        button: u8,
        pressed: bool,
        pointer: PointerState,
    },
    /// Wheel motion in 1/1000 notch; positive x is right, positive y is up.
    Wheel {
        dx: i32,
        dy: i32,
        pointer: PointerState,
    },
    Password(Secret),
    /// The user gave up the password dialog.
    PasswordCancelled,
    /// The local screen or its monitors changed.
    ScreenChanged(Box<DisplayInfo>),
    /// The local keyboard's map changed (or became known).
    KeymapChanged(Box<Keymap>),
    /// From the desktop's clipboard.
    Clipboard(FromDesktop),
    /// Which way copies go from now on.
    ClipboardDirection(Direction),
    /// All pixels of a window are needed again.
    RefreshWindow {
        wid: WindowId,
    },
    RequestInfo,
    /// Change quality, speed or another encoding option while running.
    EncodingOption {
        name: &'static str,
        value: i64,
    },
    /// Prefer this encoding from now on; empty: the server chooses.
    PreferEncoding(String),
    /// Let the server send at most this many bits per second; 0: as many as it likes.
    BandwidthLimit {
        bits_per_second: u64,
    },
    Disconnect,
}

/// One key as X names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Key {
    pub keyname: String,
    pub keyval: u32,
    pub keycode: u32,
    pub group: u32,
    pub string: String,
}

/// The local keyboard, for the server to set up its own. Empty where it is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keymap {
    /// RMLVO names: `evdev`, `pc105`, `us,de`, `,nodeadkeys`, `grp:alt_shift_toggle`.
    pub rules: String,
    pub model: String,
    pub layout: String,
    pub variant: String,
    pub options: String,
    /// Everything that the keys can type.
    pub keys: Vec<KeymapEntry>,
    /// Which modifier each modifier key stands for: (`Shift_L`, `shift`), (`Num_Lock`, `mod2`).
    pub modifier_meanings: Vec<(String, String)>,
}

/// One level of one key of a [`Keymap`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeymapEntry {
    pub keyval: u32,
    pub keyname: String,
    pub keycode: u32,
    pub group: u32,
    pub level: u32,
    /// Columns that this group of the key has in X's core keyboard map: 2, or the levels of a type that was set
    /// explicitly (XKB 16.1.3).
    pub core_levels: u32,
}

/// Why a session ended. [`CloseReason::exit_code`] maps each to the documented exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The user ended it.
    User,
    /// The server said goodbye: its words.
    Server(String),
    /// The connection was lost without a goodbye.
    ConnectionLost(String),
    /// The server could not be reached.
    ConnectFailed(String),
    /// The peer does not speak Xpra's protocol, or broke it.
    Protocol(String),
    /// The password was wrong, missing or refused.
    Authentication(String),
    /// The server stopped answering.
    Timeout(String),
}

impl CloseReason {
    /// The exit code of the process, as the README documents it.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::User => 0,
            Self::Server(_) => 3,
            Self::ConnectionLost(_) => 4,
            Self::ConnectFailed(_) => 5,
            Self::Protocol(_) => 6,
            Self::Authentication(_) => 7,
            Self::Timeout(_) => 8,
        }
    }
}

impl CloseReason {
    /// The same as it may be shown and logged, whoever made up the words: bounded, without what is not seen.
    pub fn shown(self) -> Self {
        let shown = |why: String| {
            let lines: Vec<String> = why.lines().map(|line| text::shown(line, MAX_REASON_CHARS)).collect();
            lines.join("\n").chars().take(MAX_REASON_CHARS).collect()
        };
        match self {
            Self::User => Self::User,
            Self::Server(why) => Self::Server(shown(why)),
            Self::ConnectionLost(why) => Self::ConnectionLost(shown(why)),
            Self::ConnectFailed(why) => Self::ConnectFailed(shown(why)),
            Self::Protocol(why) => Self::Protocol(shown(why)),
            Self::Authentication(why) => Self::Authentication(shown(why)),
            Self::Timeout(why) => Self::Timeout(shown(why)),
        }
    }
}

impl std::fmt::Display for CloseReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User => write!(f, "disconnected"),
            Self::Server(why) => write!(f, "the server ended the session: {why}"),
            Self::ConnectionLost(why) => write!(f, "the connection was lost: {why}"),
            Self::ConnectFailed(why)
            | Self::Protocol(why)
            | Self::Authentication(why)
            | Self::Timeout(why) => {
                write!(f, "{why}")
            }
        }
    }
}
