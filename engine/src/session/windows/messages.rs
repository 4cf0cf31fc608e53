//! What is said of windows: by the session to the user interface, and back.

use super::info::{SizeLimits, WindowInfo, WindowMemory, WindowShape, WindowState};
use crate::geometry::{Point, Size};
use crate::protocol::packet::{Image, WindowId};

/// What the user interface is told of windows.
#[derive(Clone, Debug)]
pub enum WindowEvent {
    Created(Box<WindowInfo>),
    /// A window of the connection that was lost is still there: this is what it is like now.
    Kept(Box<WindowInfo>),
    Changed {
        wid: WindowId,
        change: WindowChange,
    },
    Destroyed {
        wid: WindowId,
    },
    /// A window rings, or none in particular.
    Bell {
        wid: Option<WindowId>,
        percent: i32,
        pitch: i32,
        duration_ms: i32,
    },
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
        position: Option<Point>,
        size: Size,
    },
    Raise,
    /// The server wants the user to move or resize the window (EWMH direction), with the pointer
    /// where it was when the program asked, in root pixels of the server.
    InitiateMoveResize {
        at: Point,
        direction: u8,
        button: u8,
    },
    /// `None`: a plain box from now on.
    Shape(Option<WindowShape>),
}

/// What the user and the window manager do to windows.
#[derive(Clone, Debug)]
pub enum WindowInput {
    /// The OS window exists and is shown at this place (of its content, in root pixels).
    Mapped {
        wid: WindowId,
        x: i32,
        y: i32,
        size: Size,
    },
    Unmapped {
        wid: WindowId,
        iconified: bool,
    },
    /// The OS window was moved or resized by the user or the window manager.
    Configured {
        wid: WindowId,
        x: i32,
        y: i32,
        size: Size,
        state: WindowState,
    },
    /// The server is to hear once more where it put the window: something that it was told earlier may have come to it
    /// after it said so.
    ToldAgain {
        wid: WindowId,
        x: i32,
        y: i32,
        size: Size,
    },
    /// What the server is to keep with the window for the next session; `None` leaves what it has.
    Remembered {
        wid: WindowId,
        memory: WindowMemory,
    },
    /// The user asks to close the window: the server is told, the window stays.
    CloseRequested {
        wid: WindowId,
    },
}
