//! What is known of a window.

use crate::geometry::Size;
use crate::protocol::packet::{Image, WindowId};

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
