//! What the window manager is asked for, and what it tells (EWMH).

use x11rb::connection::Connection as _;
use x11rb::errors::{ConnectionError, ReplyError};
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ClientMessageEvent, ConfigureWindowAux, ConnectionExt as _, EventMask, StackMode, Window,
};

use super::{STATE_ADD, STATE_REMOVE, X11, log_failure};
use crate::desktop::Frame;
use crate::geometry::{Point, Rect, Size};
use crate::session::WindowState;

/// `_NET_ACTIVE_WINDOW` and `_NET_WM_MOVERESIZE`: an application asks, not a pager.
const SOURCE_APPLICATION: u32 = 1;
/// Windows of one desktop that are looked at.
const MAX_STACKED: u32 = 4096;
/// How long the window manager may take to say how large its frame will be.
const FRAME_TRIES: u32 = 50;
const FRAME_WAIT: std::time::Duration = std::time::Duration::from_millis(1);

impl X11 {
    /// Asks for the states of a window that changed from `old` to `new`, but for iconifying.
    pub fn change_state(&self, id: u64, old: WindowState, new: WindowState) {
        let atoms = &self.atoms;
        let none: Atom = x11rb::NONE;
        let states = [
            (old.fullscreen, new.fullscreen, atoms._NET_WM_STATE_FULLSCREEN, none),
            (
                old.maximized,
                new.maximized,
                atoms._NET_WM_STATE_MAXIMIZED_HORZ,
                atoms._NET_WM_STATE_MAXIMIZED_VERT,
            ),
            (old.above, new.above, atoms._NET_WM_STATE_ABOVE, none),
            (old.below, new.below, atoms._NET_WM_STATE_BELOW, none),
        ];
        for (old, new, first, second) in states {
            if old != new {
                let action = if new { STATE_ADD } else { STATE_REMOVE };
                let data = [action, first, second, SOURCE_APPLICATION, 0];
                self.tell_manager(id, self.atoms._NET_WM_STATE, data);
            }
        }
    }

    /// Has the user move or resize a window (`direction` of EWMH) whose pointer was at (`x`, `y`) of the root window
    /// when that began. Nobody may have grabbed the pointer.
    pub fn begin_move_resize(&self, id: u64, Point { x, y }: Point, direction: u8, button: u8) {
        let data =
            [x.cast_unsigned(), y.cast_unsigned(), direction.into(), button.into(), SOURCE_APPLICATION];
        self.tell_manager(id, self.atoms._NET_WM_MOVERESIZE, data);
    }

    /// Gives a window the focus and brings it to the front.
    pub fn activate(&self, id: u64) {
        let data = [SOURCE_APPLICATION, x11rb::CURRENT_TIME, 0, 0, 0];
        self.tell_manager(id, self.atoms._NET_ACTIVE_WINDOW, data);
    }

    /// Puts a window below all others.
    pub fn lower(&self, id: u64) {
        self.restack(id, StackMode::BELOW);
    }

    pub(super) fn restack(&self, id: u64, mode: StackMode) {
        let Ok(window) = Window::try_from(id) else { return };
        let result = self
            .connection
            .configure_window(window, &ConfigureWindowAux::new().stack_mode(mode))
            .and_then(|_| self.connection.flush());
        log_failure("stacking", result.map_err(ReplyError::from));
    }

    /// The managed windows, the lowest first; `None` if the window manager does not tell.
    pub fn stacking(&self) -> Option<Vec<u64>> {
        let windows = self.root_words(self.atoms._NET_CLIENT_LIST_STACKING, AtomEnum::WINDOW, MAX_STACKED)?;
        Some(windows.into_iter().map(u64::from).collect())
    }

    /// The active window; 0 for none, `None` if nobody tells.
    pub fn active_window(&self) -> Option<u64> {
        Some(self.root_words(self.atoms._NET_ACTIVE_WINDOW, AtomEnum::WINDOW, 1)?.first().copied()?.into())
    }

    /// The part of the screen that panels leave free on the current desktop.
    pub fn work_area(&self) -> Option<Rect> {
        let current = self.root_words(self.atoms._NET_CURRENT_DESKTOP, AtomEnum::CARDINAL, 1);
        let current = current.and_then(|words| words.first().copied()).unwrap_or(0);
        let areas = self.root_words(self.atoms._NET_WORKAREA, AtomEnum::CARDINAL, 256)?;
        let (areas, _) = areas.as_chunks();
        let [x, y, width, height] =
            *usize::try_from(current).ok().and_then(|current| areas.get(current)).or(areas.first())?;
        (width > 0 && height > 0).then_some(Rect { x: x.cast_signed(), y: y.cast_signed(), width, height })
    }

    /// How far the frame that the window manager will put around a prepared window reaches; none if it does not
    /// say so soon.
    pub fn frame_to_come(&self, id: u64) -> Frame {
        let Ok(window) = Window::try_from(id) else { return Frame::default() };
        if self.root_words(self.atoms._NET_SUPPORTING_WM_CHECK, AtomEnum::WINDOW, 1).is_none() {
            return Frame::default();
        }
        self.tell_manager(id, self.atoms._NET_REQUEST_FRAME_EXTENTS, [0; 5]);
        for _ in 0..FRAME_TRIES {
            if let Some(frame) = self.frame(window) {
                return frame;
            }
            std::thread::sleep(FRAME_WAIT);
        }
        tracing::debug!("the window manager does not say how large its frames are");
        Frame::default()
    }

    fn frame(&self, window: Window) -> Option<Frame> {
        let words = self.words(window, self.atoms._NET_FRAME_EXTENTS, AtomEnum::CARDINAL, 4)?;
        let [left, right, top, bottom] = words[..] else { return None };
        let side = |side: u32| i32::try_from(side.min(u32::from(u16::MAX))).unwrap_or(0);
        Some(Frame { left: side(left), right: side(right), top: side(top), bottom: side(bottom) })
    }

    /// Where the pointer is on the root window.
    pub fn pointer(&self) -> Option<Point> {
        let reply = self.connection.query_pointer(self.root).ok()?.reply().ok()?;
        Some(Point::new(reply.root_x.into(), reply.root_y.into()))
    }

    /// The size of the whole screen.
    pub fn screen_size(&self) -> Option<Size> {
        let root = self.connection.get_geometry(self.root).ok()?.reply().ok()?;
        Some(Size { width: root.width.into(), height: root.height.into() })
    }

    fn root_words(&self, property: Atom, kind: AtomEnum, count: u32) -> Option<Vec<u32>> {
        self.words(self.root, property, kind, count)
    }

    fn words(&self, window: Window, property: Atom, kind: AtomEnum, count: u32) -> Option<Vec<u32>> {
        let cookie = self.connection.get_property(false, window, property, kind, 0, count).ok()?;
        let words: Vec<u32> = cookie.reply().ok()?.value32()?.collect();
        (!words.is_empty()).then_some(words)
    }

    /// A message about a window to whoever manages windows.
    fn tell_manager(&self, id: u64, kind: Atom, data: [u32; 5]) {
        let Ok(window) = Window::try_from(id) else { return };
        let message = ClientMessageEvent::new(32, window, kind, data);
        let mask = EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY;
        let sent: Result<(), ConnectionError> =
            self.connection.send_event(false, self.root, mask, message).and_then(|_| self.connection.flush());
        log_failure("message to the window manager", sent.map_err(ReplyError::from));
    }
}
