//! Menus, lists and tooltips of remote programs, where the window system opens such things on a window
//! ([`Desktop::open_popup`]).
//!
//! They lie where they lie on the server from their window, unless that is beyond the edge of the screen, which only
//! the window system knows: it moves them then. A menu that comes out of another one is opened on that, and moves
//! with it.

use std::collections::BTreeMap;

use winit::dpi::PhysicalPosition;

use crate::channel::{RenderCommand, RenderMessage, RenderQueue, Scale};
use crate::desktop::{Desktop, Popup, PopupParent, PopupPlace};
use crate::geometry::{Point, Rect, Size};
use crate::protocol::packet::WindowId;
use crate::session::WindowInfo;

use super::leaving::is_menu;
use super::os_size;
use super::place::{Geometry, Place};
use super::remote_window::RemoteWindow;
use super::windows::Windows;

/// Pixels of the server's that may lie between a menu and the one that it comes out of.
const GAP: i32 = 8;
/// Types of windows without a frame that belong to no window, unless they name one.
const ALONE: [&str; 4] = ["DESKTOP", "DOCK", "NOTIFICATION", "SPLASH"];

/// All popups.
pub struct Popups {
    popups: BTreeMap<WindowId, RemotePopup>,
    scale: Scale,
    render: RenderQueue,
}

/// A popup of the server's.
struct RemotePopup {
    info: WindowInfo,
    /// The window that it belongs to, which may be gone.
    window: WindowId,
    open: Option<Open>,
    /// The window system took it away.
    dismissed: bool,
}

/// What is there of it locally.
struct Open {
    popup: Popup,
    place: PopupPlace,
    /// The popup that it was opened on; `None`: the window.
    on: Option<WindowId>,
    /// Pixels a logical one.
    factor: f64,
    /// It has a place, and the renderer shows it.
    placed: bool,
}

impl Popups {
    /// None yet.
    pub fn new(scale: Scale, render: RenderQueue) -> Self {
        Self { popups: BTreeMap::new(), scale, render }
    }

    /// Whether a window of the server's belongs to another one, so that it is to be opened on that.
    pub fn is_popup(info: &WindowInfo) -> bool {
        let alone = |kind: &String| ALONE.contains(&kind.as_str());
        info.override_redirect && (info.parent.is_some() || !info.window_types.iter().any(alone))
    }

    /// Whether it is one of these.
    pub fn contains(&self, wid: WindowId) -> bool {
        self.popups.contains_key(&wid)
    }

    /// The window that a popup belongs to.
    pub fn window_of(&self, wid: WindowId) -> Option<WindowId> {
        self.popups.get(&wid).map(|popup| popup.window)
    }

    /// A new popup, of this window. [`Self::update`] opens it.
    pub fn create(&mut self, info: WindowInfo, window: WindowId) {
        let wid = info.wid;
        self.destroy(wid);
        self.popups.insert(wid, RemotePopup { info, window, open: None, dismissed: false });
    }

    /// The server closed it.
    pub fn destroy(&mut self, wid: WindowId) {
        self.close(wid);
        self.popups.remove(&wid);
    }

    /// The server moved or resized it. Returns whether it had to be closed for that: [`Self::update`] opens it again.
    pub fn geometry(
        &mut self,
        wid: WindowId,
        position: Option<Point>,
        size: Size,
        windows: &Windows,
        desktop: &Desktop,
    ) -> bool {
        let Some(popup) = self.popups.get_mut(&wid) else { return false };
        popup.info.size = size;
        if let Some(Point { x, y }) = position {
            (popup.info.x, popup.info.y) = (x, y);
        }
        let Some(Open { on, factor, place: old, .. }) = popup.open.as_ref() else { return false };
        let (on, factor, old) = (*on, *factor, *old);
        let Some((place, _)) = self.place(wid, on, windows) else { return false };
        if place == old {
            return false;
        }
        let surface = os_size::granted(self.scale.size_to_local(size), factor);
        let open = self.popups.get_mut(&wid).and_then(|popup| popup.open.as_mut());
        match open {
            Some(open) if desktop.move_popup(&open.popup, &place) => {
                open.place = place;
                if open.placed {
                    self.send(RenderCommand::SurfaceResized { surface: wid.into(), size: surface });
                }
                false
            }
            _ => {
                self.close(wid);
                true
            }
        }
    }

    /// Opens what is to be opened, as soon as its window is on the screen.
    pub fn update(&mut self, windows: &Windows, desktop: &Desktop) {
        let is_new = |popup: &RemotePopup| popup.open.is_none() && !popup.dismissed;
        let new: Vec<WindowId> =
            self.popups.iter().filter(|(_, popup)| is_new(popup)).map(|(wid, _)| *wid).collect();
        for wid in new {
            let on = self.below(wid);
            let Some((place, remote)) = self.place(wid, on, windows) else { continue };
            if remote.window.current_monitor().is_none() {
                continue;
            }
            let factor = remote.window.scale_factor();
            let parent = on.and_then(|on| self.popups.get(&on)?.open.as_ref());
            let parent = match parent {
                Some(open) => PopupParent::Popup(&open.popup),
                None => PopupParent::Window(&remote.window),
            };
            let opened = desktop.open_popup(parent, &place, factor);
            if let Some(popup) = self.popups.get_mut(&wid) {
                popup.dismissed = opened.is_none();
                popup.open = opened.map(|popup| Open { popup, place, on, factor, placed: false });
            }
        }
    }

    /// The popup with this number.
    pub fn by_number(&self, number: u64) -> Option<WindowId> {
        let is = |popup: &RemotePopup| popup.open.as_ref().is_some_and(|open| open.popup.number() == number);
        self.popups.iter().find(|(_, popup)| is(popup)).map(|(wid, _)| *wid)
    }

    /// The window system has found a place for it: it can be shown.
    pub fn placed(&mut self, wid: WindowId) {
        let scale = self.scale;
        let Some(popup) = self.popups.get_mut(&wid) else { return };
        let size = scale.size_to_local(popup.info.size);
        let Some(open) = popup.open.as_mut().filter(|open| !open.placed) else { return };
        open.placed = true;
        let (target, size) = (open.popup.target(), os_size::granted(size, open.factor));
        let dismissed = Some(open.popup.dismissed());
        self.send(RenderCommand::Attach { surface: wid.into(), target, size, dismissed });
    }

    /// The window system took it away; the server still has it.
    pub fn dismissed(&mut self, wid: WindowId) {
        self.close(wid);
        if let Some(popup) = self.popups.get_mut(&wid) {
            popup.dismissed = true;
        }
    }

    /// Takes away the menus that are open; the server still has them.
    pub fn dismiss_menus(&mut self) {
        let is_open_menu = |popup: &RemotePopup| popup.open.is_some() && is_menu(&popup.info);
        let menus: Vec<WindowId> =
            self.popups.iter().filter(|(_, popup)| is_open_menu(popup)).map(|(wid, _)| *wid).collect();
        menus.into_iter().for_each(|wid| self.dismissed(wid));
    }

    /// Whether there are any.
    pub fn is_menu_open(&self) -> bool {
        self.popups.values().any(|popup| popup.open.is_some() && is_menu(&popup.info))
    }

    /// What they cover of the server's screen.
    pub fn occupied(&self) -> impl Iterator<Item = Rect> {
        let open = self.popups.values().filter(|popup| popup.open.is_some());
        open.map(|RemotePopup { info, .. }| {
            let Size { width, height } = info.size;
            Rect { x: info.x, y: info.y, width, height }
        })
    }

    /// Where it is on the server, and where in its pixels a place in logical ones is.
    pub fn at(&self, wid: WindowId, x: f64, y: f64) -> Option<(Place, PhysicalPosition<f64>)> {
        let RemotePopup { info, open, .. } = self.popups.get(&wid)?;
        let factor = open.as_ref()?.factor;
        let place = Place::new(self.scale, Geometry { x: info.x, y: info.y, size: info.size });
        Some((place, PhysicalPosition::new(x * factor, y * factor)))
    }

    /// Closes the popups of a window that goes or gets another scale factor. [`Self::update`] opens them again if it
    /// is still there.
    pub fn close_all_of(&mut self, window: WindowId) {
        let all: Vec<WindowId> =
            self.popups.iter().filter(|(_, popup)| popup.window == window).map(|(wid, _)| *wid).collect();
        all.into_iter().for_each(|wid| self.close(wid));
    }

    /// All go.
    pub fn destroy_all(&mut self) {
        let all: Vec<WindowId> = self.popups.keys().copied().collect();
        all.into_iter().for_each(|wid| self.destroy(wid));
    }

    /// Shows all in another size from now on.
    pub fn set_scale(&mut self, scale: Scale) {
        self.scale = scale;
        let all: Vec<WindowId> = self.popups.keys().copied().collect();
        all.into_iter().for_each(|wid| self.close(wid));
    }

    /// Closes a popup locally, and before it those that lie on it.
    fn close(&mut self, wid: WindowId) {
        let is_on = |popup: &RemotePopup| popup.open.as_ref().is_some_and(|open| open.on == Some(wid));
        while let Some(above) = self.popups.iter().find(|(_, popup)| is_on(popup)).map(|(wid, _)| *wid) {
            self.close(above);
        }
        let open = self.popups.get_mut(&wid).and_then(|popup| popup.open.take());
        if open.is_some_and(|open| open.placed) {
            self.send(RenderCommand::Detach { surface: wid.into() });
        }
    }

    /// The newest popup of the same window that this one comes out of.
    fn below(&self, wid: WindowId) -> Option<WindowId> {
        let popup = self.popups.get(&wid)?;
        let comes_out_of = |(other, below): &(&WindowId, &RemotePopup)| {
            **other != wid
                && below.window == popup.window
                && below.open.as_ref().is_some_and(|open| open.placed)
                && !below.info.window_types.iter().any(|kind| kind == "TOOLTIP")
                && touch(&popup.info, &below.info)
        };
        // The server counts windows up.
        self.popups.iter().rev().find(comes_out_of).map(|(wid, _)| *wid)
    }

    /// Where it belongs on `on`, else on its window, which comes with it.
    fn place<'a>(
        &self,
        wid: WindowId,
        on: Option<WindowId>,
        windows: &'a Windows,
    ) -> Option<(PopupPlace, &'a RemoteWindow)> {
        let popup = self.popups.get(&wid)?;
        let remote = windows.get(popup.window)?;
        let factor = remote.window.scale_factor();
        let on = on.and_then(|on| self.popups.get(&on));
        let logical = |pixels: f64| (pixels / factor).round() as i32;
        let (origin, frame, parent) = match on.and_then(|on| Some((&on.info, on.open.as_ref()?))) {
            Some((info, open)) => (Point::new(info.x, info.y), 0, (open.place.width, open.place.height)),
            None => {
                let origin = remote.place().server().corner();
                let (inner, outer) = (remote.window.inner_size(), remote.window.outer_size());
                let parent = (logical(outer.width.into()), logical(outer.height.into()));
                // A frame of winit's own has a title bar at the top and nothing else.
                (origin, parent.1 - logical(inner.height.into()), parent)
            }
        };
        let from = |at: i32, origin: i32| logical(self.scale.to_local(at.saturating_sub(origin)).into());
        let size = os_size::granted(self.scale.size_to_local(popup.info.size), factor);
        let place = PopupPlace {
            x: from(popup.info.x, origin.x),
            y: from(popup.info.y, origin.y).saturating_add(frame),
            width: logical(size.width.into()),
            height: logical(size.height.into()),
            parent,
        };
        Some((place, remote))
    }

    fn send(&self, command: RenderCommand) {
        self.render.push(RenderMessage::Command(command));
    }
}

/// Whether two windows of the server's overlap, or nearly.
fn touch(one: &WindowInfo, other: &WindowInfo) -> bool {
    let near = |at: i32, len: u32, other: i32, other_len: u32| {
        let (at, other) = (i64::from(at), i64::from(other));
        let gap = i64::from(GAP);
        at <= other + i64::from(other_len) + gap && other <= at + i64::from(len) + gap
    };
    near(one.x, one.size.width, other.x, other.size.width)
        && near(one.y, one.size.height, other.y, other.size.height)
}
