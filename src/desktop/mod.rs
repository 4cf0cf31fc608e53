//! Layer 2: what the local desktop knows and does beyond winit: exact keyboard state, window
//! hints, where a window really is, the bell, the clipboard.
//!
//! On X11 these are further connections to the display (`x11`, `x11_keyboard`, `x11::selections`), on Wayland a
//! second queue of winit's own (`wayland`); elsewhere winit's own answers are used, and what winit cannot do is
//! left out.

pub mod clipboard;
mod libraries;
pub mod portal;
pub mod purpose;
#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
#[path = "no_secrets.rs"]
pub mod secrets;
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
pub mod secrets;
#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
#[path = "no_wayland.rs"]
mod wayland;
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
mod wayland;
pub mod x11;
pub mod x11_keyboard;
pub mod xsettings;

use std::cell::OnceCell;

use clipboard::{Clipboard, OpenClipboard};
pub use libraries::{Library, MissingLibraries, check_libraries};
use wayland::Wayland;
pub use wayland::{Popup, WaylandError};
use winit::event::{ElementState, MouseButton, MouseScrollDelta};
use winit::event_loop::OwnedDisplayHandle;
use winit::window::{CursorIcon, Window};
use x11::X11;
pub use x11_keyboard::KeyMeaning;
use x11_keyboard::X11Keyboard;

use crate::geometry::{Point, Rect, Size};
use crate::session::windows::{ShapeRect, WindowShape};
use crate::session::{Keymap, WindowState};

/// Something that happened on the desktop and that winit does not tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DesktopEvent {
    /// A window was mapped, unmapped, or its state changed; the number is [`native_id`]'s.
    WindowState(u64),
    /// The screen's size, or the part of it that panels leave free, changed.
    Screen,
    /// Windows were opened, closed or brought to the front.
    Stacking,
    /// Something happened to the [`Popup`] of this number.
    Popup { number: u64, event: PopupEvent },
}

/// What happened to a popup. Places are in logical pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PopupEvent {
    /// It can be shown.
    Placed,
    /// It can be seen no more.
    Dismissed,
    /// The pointer is here in it.
    Moved { x: f64, y: f64 },
    /// The pointer is no more in it.
    Left,
    /// A button was pressed or released in it.
    Button(MouseButton, ElementState),
    /// The wheel turned there.
    Wheel(MouseScrollDelta),
}

/// What a popup is opened on.
pub enum PopupParent<'a> {
    Window(&'a Window),
    Popup(&'a Popup),
}

/// Where a popup belongs, in logical pixels from the corner of its parent (with frame).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PopupPlace {
    pub x: i32,
    pub y: i32,
    pub width: i32,
    pub height: i32,
    /// The parent's size.
    pub parent: (i32, i32),
}

/// What windows are made with.
#[derive(Clone, Debug)]
pub enum WindowSystem {
    X11,
    /// With winit's connection.
    Wayland(OwnedDisplayHandle),
    Other,
}

/// Where a window is and how it is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WindowFacts {
    /// Place of its content's top left corner on the screen; `None` where the desktop keeps
    /// that for itself (Wayland).
    pub position: Option<Point>,
    /// Size of its content in physical pixels.
    pub size: Size,
    pub state: WindowState,
    /// Mapped and not iconified.
    pub shown: bool,
}

/// How far a window's frame reaches beyond its content, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    pub left: i32,
    pub right: i32,
    pub top: i32,
    pub bottom: i32,
}

/// A monitor, in pixels of the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MonitorFacts {
    pub name: String,
    pub area: Rect,
    pub primary: bool,
}

/// What the window manager is told of a window before it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowHints {
    /// EWMH types without the `_NET_WM_WINDOW_TYPE_` prefix.
    pub types: Vec<String>,
    /// [`native_id`] of the window that this one belongs to.
    pub transient_for: Option<u64>,
    pub modal: bool,
    pub skip_taskbar: bool,
    pub state: WindowState,
}

/// The state of the keyboard that winit does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyboardFacts {
    /// X modifiers that are locked or latched.
    pub locked: u8,
    /// Layout group.
    pub group: u8,
}

/// The local desktop.
pub struct Desktop {
    x11: Option<X11>,
    keyboard: Option<X11Keyboard>,
    wayland: Option<Wayland>,
    /// What starts its clipboard.
    open_clipboard: Option<OpenClipboard>,
    /// What the portal answered when it was asked.
    portal_is_dark: OnceCell<Option<bool>>,
}

impl Desktop {
    /// Opens the desktop. `notify` is called from a thread of its own. What cannot be opened is logged and
    /// left out. It must be dropped before the event loop is.
    pub fn open(system: WindowSystem, notify: impl Fn(DesktopEvent) + Send + 'static) -> Self {
        let mut desktop = Self {
            x11: None,
            keyboard: None,
            wayland: None,
            open_clipboard: None,
            portal_is_dark: OnceCell::new(),
        };
        match system {
            WindowSystem::X11 => {}
            WindowSystem::Wayland(display) => {
                desktop.wayland = Wayland::open(display, notify)
                    .inspect_err(|error| tracing::warn!(%error, "popups will be windows"))
                    .ok();
                return desktop;
            }
            WindowSystem::Other => return desktop,
        }
        let x11 = X11::open(None, notify)
            .inspect_err(|error| tracing::warn!(%error, "no window hints: the second X11 connection failed"));
        let keyboard = X11Keyboard::open(None)
            .inspect_err(|error| tracing::warn!(%error, "keys are guessed: XKB is not available"));
        Self { x11: x11.ok(), keyboard: keyboard.ok(), open_clipboard: X11_CLIPBOARD, ..desktop }
    }

    /// The clipboard, for one session: it ends when it is dropped.
    pub fn clipboard(&self) -> Clipboard {
        self.open_clipboard.map(Clipboard::new).unwrap_or_default()
    }

    /// Whether windows can be opened that belong to others and lie over them.
    pub fn has_popups(&self) -> bool {
        self.wayland.is_some()
    }

    /// The pointer's look over popups.
    pub fn set_popup_cursor(&self, icon: CursorIcon) {
        if let Some(wayland) = &self.wayland {
            wayland.set_cursor(icon);
        }
    }

    /// Opens a popup on another window; `factor` is that window's scale factor.
    pub fn open_popup(&self, parent: PopupParent<'_>, place: &PopupPlace, factor: f64) -> Option<Popup> {
        self.wayland.as_ref()?.open_popup(parent, place, factor)
    }

    /// Moves and resizes a popup. Returns whether that can be done.
    pub fn move_popup(&self, popup: &Popup, place: &PopupPlace) -> bool {
        self.wayland.as_ref().is_some_and(|wayland| wayland.move_popup(popup, place))
    }

    /// The window belongs to `parent`, where that is not among the [`WindowHints`].
    pub fn set_parent(&self, window: &Window, parent: Option<&Window>) {
        if let Some(wayland) = &self.wayland {
            wayland.set_parent(window, parent);
        }
    }

    /// Whether programs are to look dark, as far as the desktop says so: by `GTK_THEME`, else the
    /// [portal], which is asked once, else the name of the theme of GTK programs (XSETTINGS).
    pub fn is_dark(&self) -> Option<bool> {
        let by_name = |name: String| name.to_ascii_lowercase().contains("dark");
        let chosen = std::env::var("GTK_THEME").ok().filter(|name| !name.is_empty());
        chosen
            .map(by_name)
            .or_else(|| *self.portal_is_dark.get_or_init(portal::is_dark))
            .or_else(|| self.x11.as_ref().and_then(X11::theme_name).map(by_name))
    }

    /// The keyboard map, if the desktop tells it; `name` names keysyms.
    pub fn keymap(&self, name: impl Fn(u32) -> String) -> Option<Keymap> {
        self.keyboard.as_ref().map(|keyboard| keyboard.keymap(name))
    }

    /// Locks and group as they are now. The second value is true if the keyboard's map changed
    /// since the last call.
    pub fn keyboard_facts(&mut self) -> Option<(KeyboardFacts, bool)> {
        self.keyboard.as_mut().and_then(X11Keyboard::facts)
    }

    /// What a key means in this state of the keyboard, if the desktop tells it; see
    /// [`X11Keyboard::meaning`].
    pub fn key_meaning(
        &self,
        keycode: u32,
        modifiers: u8,
        group: u8,
        typed: impl Fn(&KeyMeaning) -> bool,
    ) -> Option<KeyMeaning> {
        self.keyboard.as_ref().and_then(|keyboard| keyboard.meaning(keycode, modifiers, group, typed))
    }

    /// Tells the window manager about a window that is not shown yet, and watches it from now on.
    pub fn prepare_window(&self, window: &Window, hints: &WindowHints) {
        if let (Some(x11), Some(id)) = (&self.x11, native_id(window)) {
            x11.prepare_window(id, hints);
        }
    }

    /// Moves the window so that its content's corner is at (`x`, `y`), if the window system can be told so
    /// (else positions are those of frames). Returns whether it was.
    pub fn move_content(&self, window: &Window, x: i32, y: i32) -> bool {
        let (Some(x11), Some(id)) = (&self.x11, native_id(window)) else { return false };
        x11.move_content(id, x, y);
        true
    }

    /// The hints of a window that is shown changed.
    pub fn update_window(&self, window: &Window, hints: &WindowHints) {
        if let (Some(x11), Some(id)) = (&self.x11, native_id(window)) {
            x11.update_window(id, hints);
        }
    }

    /// `WM_CLASS`: instance and class.
    pub fn set_class(&self, window: &Window, instance: &str, class: &str) {
        if let (Some(x11), Some(id)) = (&self.x11, native_id(window)) {
            x11.set_class(id, instance, class);
        }
    }

    /// Has a window shown as `new` says instead of `old`, but for minimising. Returns false where winit has to
    /// do it (on X11 its way to full screen and back moves the window by its frame).
    pub fn change_state(&self, window: &Window, old: WindowState, new: WindowState) -> bool {
        let (Some(x11), Some(id)) = (&self.x11, native_id(window)) else { return false };
        x11.change_state(id, old, new);
        true
    }

    /// Whether a window can have all keys.
    pub fn can_grab_keyboard(&self) -> bool {
        self.x11.is_some() || self.wayland.as_ref().is_some_and(Wayland::can_grab_keyboard)
    }

    /// Has all keys come to this window, which has the focus: those that the window manager takes for itself too. Returns whether
    /// they do.
    pub fn grab_keyboard(&self, window: &Window) -> bool {
        match (&self.x11, &self.wayland) {
            (Some(_), _) => x11::grab_keyboard(window),
            (None, Some(wayland)) => wayland.grab_keyboard(window),
            (None, None) => false,
        }
    }

    /// Ends that.
    pub fn release_keyboard(&self, window: &Window) {
        match (&self.x11, &self.wayland) {
            (Some(_), _) => x11::release_keyboard(window),
            (None, Some(wayland)) => wayland.release_keyboard(),
            (None, None) => {}
        }
    }

    /// Has the user move or resize a window (`direction` of EWMH's `_NET_WM_MOVERESIZE`), whose pointer was at `at`
    /// on the screen when that began. Returns false where winit has to do it.
    pub fn begin_move_resize(&self, window: &Window, at: Point, direction: u8, button: u8) -> bool {
        let (Some(x11), Some(id)) = (&self.x11, native_id(window)) else { return false };
        x11::release_pointer(window);
        x11.begin_move_resize(id, at, direction, button);
        true
    }

    /// How far the frame that a prepared window gets will reach; none where that is not known.
    pub fn frame_to_come(&self, window: &Window) -> Frame {
        match (&self.x11, native_id(window)) {
            (Some(x11), Some(id)) => x11.frame_to_come(id),
            _ => Frame::default(),
        }
    }

    /// Gives a window the shape that its rectangles, each moved by `to_local`, make.
    pub fn set_shape(
        &self,
        window: &Window,
        shape: Option<&WindowShape>,
        to_local: impl Fn(&ShapeRect) -> ShapeRect,
    ) {
        let (Some(x11), Some(id)) = (&self.x11, native_id(window)) else { return };
        let rects = |part: &Option<Box<[ShapeRect]>>| {
            let rect = |rect: &ShapeRect| {
                let ShapeRect { x, y, width, height } = to_local(rect);
                x11rb::protocol::xproto::Rectangle { x, y, width, height }
            };
            part.as_ref().map(|part| part.iter().map(rect).collect::<Vec<_>>())
        };
        let (bounding, input) =
            shape.map_or((None, None), |shape| (rects(&shape.bounding), rects(&shape.input)));
        x11.set_shape(id, bounding.as_deref(), input.as_deref());
    }

    /// Puts a window below all others, where that can be done.
    pub fn lower(&self, window: &Window) {
        if let (Some(x11), Some(id)) = (&self.x11, native_id(window)) {
            x11.lower(id);
        }
    }

    /// Gives a window the focus, where that can be done.
    pub fn activate(&self, window: &Window) {
        if let (Some(x11), Some(id)) = (&self.x11, native_id(window)) {
            x11.activate(id);
        }
    }

    /// All windows of the desktop by [`native_id`], the lowest first, where that is known.
    pub fn stacking(&self) -> Option<Vec<u64>> {
        self.x11.as_ref()?.stacking()
    }

    /// The desktop's active window by [`native_id`]; 0 for none, `None` where that is not known.
    pub fn active_window(&self) -> Option<u64> {
        self.x11.as_ref()?.active_window()
    }

    /// Where the pointer is on the screen, where that is known.
    pub fn pointer(&self) -> Option<Point> {
        self.x11.as_ref()?.pointer()
    }

    /// The monitors, where they are known better than winit does.
    pub fn monitors(&self) -> Vec<MonitorFacts> {
        self.x11.as_ref().map(X11::monitors).unwrap_or_default()
    }

    /// The size of the whole screen, where that is known.
    pub fn screen_size(&self) -> Option<Size> {
        self.x11.as_ref()?.screen_size()
    }

    /// The part of the screen that panels leave free, where that is known.
    pub fn work_area(&self) -> Option<Rect> {
        self.x11.as_ref()?.work_area()
    }

    /// Brings a window to the front without giving it the focus, where that can be done.
    pub fn raise(&self, window: &Window) {
        if let (Some(x11), Some(id)) = (&self.x11, native_id(window)) {
            x11.raise(id);
        }
    }

    /// Where the window is and how it is shown; `None` if somebody else destroyed it.
    pub fn window_facts(&self, window: &Window) -> Option<WindowFacts> {
        if let (Some(x11), Some(id)) = (&self.x11, native_id(window)) {
            return x11.window_facts(id);
        }
        let size = window.inner_size();
        let iconified = window.is_minimized().unwrap_or(false);
        Some(WindowFacts {
            position: window.inner_position().ok().map(|position| Point::new(position.x, position.y)),
            size: Size { width: size.width, height: size.height },
            state: WindowState {
                maximized: window.is_maximized(),
                fullscreen: window.fullscreen().is_some(),
                iconified,
                ..WindowState::default()
            },
            shown: !iconified,
        })
    }

    /// Rings the bell: volume −100..=100 relative to the user's, pitch in Hz and duration; 0 or
    /// less for the user's own.
    pub fn bell(&self, percent: i32, pitch: i32, duration_ms: i32) {
        if let Some(x11) = &self.x11 {
            x11.bell(percent, pitch, duration_ms);
        }
    }
}

/// Starts the clipboard of X11.
const X11_CLIPBOARD: Option<OpenClipboard> = {
    #[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
    {
        Some(x11::selections::open)
    }
    #[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
    None
};

/// The window system's own number of a window, by which windows refer to each other.
#[allow(clippy::useless_conversion, reason = "Xlib's numbers have another size on other platforms")]
pub fn native_id(window: &Window) -> Option<u64> {
    use raw_window_handle::{HasWindowHandle as _, RawWindowHandle};
    match window.window_handle().ok()?.as_raw() {
        RawWindowHandle::Xlib(handle) => Some(handle.window.into()),
        RawWindowHandle::Xcb(handle) => Some(handle.window.get().into()),
        _ => None,
    }
}
