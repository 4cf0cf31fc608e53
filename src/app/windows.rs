//! Remote windows as windows of the local desktop.
//!
//! The server is told where each window really is, so its popups come at the right place by
//! themselves. What is said to the server is in its pixels, what is said to the desktop in local ones: each
//! window's [`Place`] knows both.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use winit::event_loop::ActiveEventLoop;
use winit::window::{Cursor, Fullscreen, ResizeDirection, Window};

use crate::channel::{NetCommand, NetQueue, RenderCommand, RenderMessage, RenderQueue, Scale, clock};
use crate::codec::Size;
use crate::desktop::{Desktop, native_id};
use crate::protocol::packet::WindowId;
use crate::session::{Input, WindowChange, WindowInfo, WindowState};

use super::attributes;
use super::place::{Geometry, Place};

/// EWMH `_NET_WM_MOVERESIZE` directions.
const RESIZE_DIRECTIONS: [ResizeDirection; 8] = [
    ResizeDirection::NorthWest,
    ResizeDirection::North,
    ResizeDirection::NorthEast,
    ResizeDirection::East,
    ResizeDirection::SouthEast,
    ResizeDirection::South,
    ResizeDirection::SouthWest,
    ResizeDirection::West,
];
const MOVE_DIRECTION: u8 = 8;

/// How long the window manager may take to do what the server asked for. Until then a window
/// that is still as before is no news for the server.
const SETTLE: Duration = Duration::from_millis(300);
/// How long the server may take to echo what it was told: 6.5 waits for up to 250 ms.
const ECHO: Duration = Duration::from_secs(1);
/// Geometries that are remembered for that, at most: one for each step of a window being dragged.
const MAX_TOLD_BEFORE: usize = 128;

/// One remote window and its OS window.
pub struct RemoteWindow {
    pub wid: WindowId,
    pub window: Arc<Window>,
    pub info: WindowInfo,
    pub place: Place,
    /// Size of the OS window's content in physical pixels, as winit said last.
    pub surface: Size,
    /// Size of the backing: what either side said last. What it gains was painted by nobody.
    backing: Size,
    /// What the server was told last, in its pixels; `None` before it was told that the window is mapped, and
    /// after it was told that it is not.
    told: Option<(Geometry, WindowState)>,
    /// What the server was told before that, and until when: for [`ECHO`].
    told_before: Vec<(Geometry, Instant)>,
    /// Something happened to the OS window: look where it is and how it is shown.
    dirty: bool,
    /// The server changed the window just now: until then only agreement counts.
    settling: Option<Instant>,
    /// The renderer believes that the window can be seen.
    visible: bool,
}

/// All remote windows, and what they need to talk to the other threads.
pub struct Windows {
    windows: BTreeMap<WindowId, RemoteWindow>,
    by_os_id: BTreeMap<winit::window::WindowId, WindowId>,
    cursor: Cursor,
    x11: bool,
    scale: Scale,
    /// Title of windows that have none: the session's name.
    pub title: String,
    net: NetQueue,
    render: RenderQueue,
}

impl Windows {
    /// No windows yet. `x11` says whether winit uses X11.
    pub fn new(net: NetQueue, render: RenderQueue, x11: bool, scale: Scale) -> Self {
        Self {
            windows: BTreeMap::new(),
            by_os_id: BTreeMap::new(),
            cursor: Cursor::default(),
            x11,
            scale,
            title: "Farpane".to_owned(),
            net,
            render,
        }
    }

    /// The window with this number.
    pub fn get(&self, wid: WindowId) -> Option<&RemoteWindow> {
        self.windows.get(&wid)
    }

    /// The remote window that an OS window shows.
    pub fn by_os_id(&self, id: winit::window::WindowId) -> Option<&RemoteWindow> {
        self.windows.get(self.by_os_id.get(&id)?)
    }

    /// The first window that is no popup.
    pub fn first(&self) -> Option<&RemoteWindow> {
        self.windows.values().find(|window| !window.info.override_redirect)
    }

    /// Makes the OS window for a new remote one.
    ///
    /// # Errors
    /// If the OS makes no window.
    pub fn create(
        &mut self,
        info: WindowInfo,
        event_loop: &ActiveEventLoop,
        desktop: &Desktop,
    ) -> Result<(), winit::error::OsError> {
        let wid = WindowId(info.wid);
        if self.windows.contains_key(&wid) {
            self.destroy(wid);
        }
        let backing = info.size;
        let place = Place::new(self.scale, Geometry { x: info.x, y: info.y, size: info.size });
        let local = attributes::local(&info, &place);
        let attributes =
            attributes::attributes(&local, &self.title, self.x11).with_cursor(self.cursor.clone());
        let window = Arc::new(event_loop.create_window(attributes)?);
        desktop.prepare_window(&window, &attributes::hints(&info, self.native_parent(&info)));
        let size = attributes::physical(local.size);
        let size = Size { width: size.width, height: size.height };
        let target: Arc<Window> = Arc::clone(&window);
        self.send(RenderCommand::Attach { wid, target, size });
        window.set_visible(true);
        if info.state.iconified {
            window.set_minimized(true);
        }
        self.by_os_id.insert(window.id(), wid);
        let mut remote = RemoteWindow {
            wid,
            window,
            info,
            place,
            surface: size,
            backing,
            told: None,
            told_before: Vec::new(),
            dirty: true,
            settling: None,
            visible: true,
        };
        if remote.info.override_redirect {
            // It is where the server said; nobody else moves it.
            remote.tell_mapped(&self.net, WindowState::default());
        }
        self.windows.insert(wid, remote);
        Ok(())
    }

    /// Follows a change that the server made.
    pub fn change(&mut self, wid: WindowId, change: WindowChange, desktop: &Desktop) {
        let Some(remote) = self.windows.get_mut(&wid) else { return };
        let window = Arc::clone(&remote.window);
        match change {
            WindowChange::Title(title) => {
                remote.info.title = title;
                window.set_title(&attributes::display_title(&remote.info, &self.title));
            }
            WindowChange::Icon(image) => {
                if let Some(icon) = attributes::window_icon(&image) {
                    window.set_window_icon(Some(icon));
                }
            }
            WindowChange::SizeLimits(limits) => {
                remote.info.size_limits = limits;
                remote.set_size_limits();
            }
            WindowChange::State(state) => remote.follow_state(state),
            WindowChange::Decorations(decorations) => {
                remote.info.decorations = decorations;
                window.set_decorations(attributes::has_decorations(&remote.info));
            }
            WindowChange::Class(instance, class) => {
                desktop.set_class(&window, &attributes::text(&instance), &attributes::text(&class));
                remote.info.class = (instance, class);
            }
            WindowChange::Parent(parent) => {
                remote.info.parent = parent;
                self.update_hints(wid, desktop);
            }
            WindowChange::Hints(info) => {
                let (state, icon) = (remote.info.state, remote.info.icon.take());
                remote.info = WindowInfo { state, icon, ..*info };
                self.update_hints(wid, desktop);
            }
            WindowChange::Geometry { position, size } if remote.was_told(position, size) => {
                // 6.5 echoes what it is told after up to 250 ms: the user may be further by then.
                tracing::trace!(%wid, ?size, "an echo");
                if remote.backing_grows(size) {
                    self.net.push(NetCommand::Input(Input::RefreshWindow { wid }));
                }
            }
            WindowChange::Geometry { position, size } if remote.was_told_lately(position, size) => {
                // The same, too late. Or the application insists on its size: then it does so again.
                tracing::trace!(%wid, ?size, "a late echo");
                remote.backing_grows(size);
                remote.tell_again(&self.net);
            }
            WindowChange::Geometry { position, size } => {
                let old = self.scale.size_to_server(remote.surface);
                let grows = remote.backing_grows(size);
                remote.follow_geometry(position, size, desktop);
                if grows || size.width > old.width || size.height > old.height {
                    // 3.1 draws the larger window before it tells of the new size, and keeps the
                    // pixels that were cut off then for known. So does either for a window that became
                    // smaller for a moment only.
                    self.net.push(NetCommand::Input(Input::RefreshWindow { wid }));
                }
            }
            WindowChange::Raise => {
                if window.is_minimized() == Some(true) {
                    window.set_minimized(false);
                }
                desktop.raise(&window);
            }
            WindowChange::InitiateMoveResize { direction } => initiate_move_resize(&window, direction),
        }
    }

    /// The remote window is gone.
    pub fn destroy(&mut self, wid: WindowId) {
        if let Some(remote) = self.windows.remove(&wid) {
            self.by_os_id.remove(&remote.window.id());
            remote.window.set_visible(false);
            // The renderer drops the last reference when it has dropped the surface.
            self.send(RenderCommand::Detach { wid });
        }
    }

    /// All windows go.
    pub fn destroy_all(&mut self) {
        let all: Vec<WindowId> = self.windows.keys().copied().collect();
        for wid in all {
            self.destroy(wid);
        }
    }

    /// Shows all windows in another size from now on.
    pub fn set_scale(&mut self, scale: Scale) {
        self.scale = scale;
        for remote in self.windows.values_mut() {
            let size = remote.place.rescale(scale);
            remote.set_size_limits();
            let _ = remote.window.request_inner_size(attributes::physical(size));
            remote.settling = Some(clock::now() + SETTLE);
        }
    }

    /// The pointer has another look.
    pub fn set_cursor(&mut self, cursor: Cursor) {
        for remote in self.windows.values() {
            remote.window.set_cursor(cursor.clone());
        }
        self.cursor = cursor;
    }

    /// The OS window got another size: its surface follows at once.
    pub fn resized(&mut self, wid: WindowId, size: Size) {
        if let Some(remote) = self.windows.get_mut(&wid) {
            remote.surface = size;
        }
        self.send(RenderCommand::SurfaceResized { wid, size });
        self.mark_dirty(wid);
    }

    /// The OS asks for the window's content.
    pub fn redraw(&self, wid: WindowId) {
        self.send(RenderCommand::Redraw { wid });
    }

    /// The OS says whether any part of the window can be seen.
    pub fn occluded(&mut self, wid: WindowId, occluded: bool) {
        if let Some(remote) = self.windows.get_mut(&wid) {
            remote.set_visible(!occluded, &self.render);
            remote.dirty = true;
        }
    }

    /// Something happened to the OS window; [`Self::sync`] looks what.
    pub fn mark_dirty(&mut self, wid: WindowId) {
        if let Some(remote) = self.windows.get_mut(&wid) {
            remote.dirty = true;
        }
    }

    /// The same by the window system's number of the window.
    pub fn mark_dirty_native(&mut self, native: u64) {
        if let Some(remote) = self.windows.values_mut().find(|w| native_id(&w.window) == Some(native)) {
            remote.dirty = true;
        }
    }

    /// Looks where the windows are to which something happened, and tells the server.
    pub fn sync(&mut self, desktop: &Desktop) {
        let now = clock::now();
        for remote in self.windows.values_mut() {
            if remote.settling.is_some_and(|until| until <= now) {
                remote.settling = None;
                remote.dirty = true;
            }
            if std::mem::take(&mut remote.dirty) {
                remote.sync(desktop, &self.net, &self.render);
            }
        }
    }

    /// When [`Self::sync`] has something to do even if nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        self.windows.values().filter_map(|remote| remote.settling).min()
    }

    fn update_hints(&self, wid: WindowId, desktop: &Desktop) {
        if let Some(remote) = self.windows.get(&wid) {
            let hints = attributes::hints(&remote.info, self.native_parent(&remote.info));
            desktop.update_window(&remote.window, &hints);
        }
    }

    fn native_parent(&self, info: &WindowInfo) -> Option<u64> {
        native_id(&self.windows.get(&info.parent?)?.window)
    }

    fn send(&self, command: RenderCommand) {
        self.render.push(RenderMessage::Command(command));
    }
}

impl RemoteWindow {
    fn sync(&mut self, desktop: &Desktop, net: &NetQueue, render: &RenderQueue) {
        if self.info.override_redirect {
            return;
        }
        // A window that is gone reports itself as destroyed.
        let Some(facts) = desktop.window_facts(&self.window) else { return };
        if !facts.shown {
            if self.told.take().is_some() {
                let input = Input::WindowUnmapped { wid: self.wid, iconified: facts.state.iconified };
                net.push(NetCommand::Input(input));
                self.set_visible(false, render);
            }
            return;
        }
        let Geometry { x, y, .. } = self.place.local();
        let (x, y) = facts.position.unwrap_or((x, y));
        self.place.found(Geometry { x, y, size: facts.size });
        let geometry = self.place.server();
        match self.told {
            None => {
                self.set_visible(true, render);
                self.tell_mapped(net, facts.state);
            }
            Some(told) if told == (geometry, facts.state) => self.settling = None,
            Some(_) if self.settling.is_some() => {}
            Some(_) => {
                let Geometry { x, y, size } = geometry;
                tracing::trace!(wid = %self.wid, x, y, ?size, state = ?facts.state, "configured");
                let now = clock::now();
                self.told_before.retain(|(_, until)| *until + ECHO > now);
                if self.told_before.len() < MAX_TOLD_BEFORE {
                    self.told_before.extend(self.told.map(|(geometry, _)| (geometry, now)));
                }
                self.told = Some((geometry, facts.state));
                self.backing = size;
                self.place.told();
                let input = Input::WindowConfigured { wid: self.wid, x, y, size, state: facts.state };
                net.push(NetCommand::Input(input));
            }
        }
    }

    fn tell_mapped(&mut self, net: &NetQueue, state: WindowState) {
        let geometry @ Geometry { x, y, size } = self.place.server();
        tracing::trace!(wid = %self.wid, x, y, ?size, "mapped");
        self.told = Some((geometry, state));
        self.backing = size;
        self.place.told();
        net.push(NetCommand::Input(Input::WindowMapped { wid: self.wid, x, y, size }));
    }

    fn set_visible(&mut self, visible: bool, render: &RenderQueue) {
        if self.visible != visible {
            self.visible = visible;
            render.push(RenderMessage::Command(RenderCommand::Visible { wid: self.wid, visible }));
        }
    }

    /// The backing has this size from now on. Whether it is larger than before.
    fn backing_grows(&mut self, size: Size) -> bool {
        let before = std::mem::replace(&mut self.backing, size);
        size.width > before.width || size.height > before.height
    }

    /// Whether this is what the server was told last.
    fn was_told(&self, position: Option<(i32, i32)>, size: Size) -> bool {
        self.told.is_some_and(|(told, _)| told.is_at(position, size))
    }

    /// Whether this is what the server was told not long before.
    fn was_told_lately(&self, position: Option<(i32, i32)>, size: Size) -> bool {
        let now = clock::now();
        self.told_before.iter().any(|(told, until)| told.is_at(position, size) && *until + ECHO > now)
    }

    /// Tells the server once more what it was told last. Its older words have resized the backing
    /// meanwhile, so all pixels are needed again too.
    fn tell_again(&mut self, net: &NetQueue) {
        let (wid, Some((Geometry { x, y, size }, state))) = (self.wid, self.told) else { return };
        self.backing = size;
        net.push(NetCommand::Input(Input::WindowConfigured { wid, x, y, size, state }));
        net.push(NetCommand::Input(Input::RefreshWindow { wid }));
    }

    /// The server moved or resized the window. It knows the new geometry: when the OS window
    /// gets it, there is nothing to tell.
    fn follow_geometry(&mut self, position: Option<(i32, i32)>, size: Size, desktop: &Desktop) {
        let Geometry { x, y, .. } = self.place.server();
        let (x, y) = position.unwrap_or((x, y));
        tracing::trace!(wid = %self.wid, ?position, ?size, "the server moves or resizes");
        let geometry = Geometry { x, y, size };
        if let Some((told, _)) = &mut self.told {
            *told = geometry;
        }
        let local @ Geometry { x, y, size } = self.place.wanted(geometry);
        if self.info.override_redirect {
            self.place.found(local);
        }
        if position.is_some() && !desktop.move_content(&self.window, x, y) {
            let (left, top) = self.frame_offset();
            self.window.set_outer_position(attributes::position(x - left, y - top));
        }
        let _ = self.window.request_inner_size(attributes::physical(size));
        self.settling = Some(clock::now() + SETTLE);
    }

    fn set_size_limits(&self) {
        if self.info.override_redirect {
            return;
        }
        let limits = attributes::local_limits(self.info.size_limits, self.place.scale());
        self.window.set_min_inner_size(limits.min.map(attributes::physical));
        self.window.set_max_inner_size(limits.max.map(attributes::physical));
        self.window.set_resize_increments(attributes::increment(limits));
        self.window.set_resizable(attributes::is_resizable(limits));
    }

    /// From the frame's corner to the content's.
    fn frame_offset(&self) -> (i32, i32) {
        if self.info.override_redirect {
            return (0, 0);
        }
        match (self.window.inner_position(), self.window.outer_position()) {
            (Ok(inner), Ok(outer)) => (inner.x - outer.x, inner.y - outer.y),
            _ => (0, 0),
        }
    }

    fn follow_state(&mut self, state: WindowState) {
        let old = std::mem::replace(&mut self.info.state, state);
        if let Some((_, told)) = &mut self.told {
            *told = state;
        }
        self.settling = Some(clock::now() + SETTLE);
        if old.maximized != state.maximized {
            self.window.set_maximized(state.maximized);
        }
        if old.fullscreen != state.fullscreen {
            self.window.set_fullscreen(state.fullscreen.then_some(Fullscreen::Borderless(None)));
        }
        if (old.above, old.below) != (state.above, state.below) {
            self.window.set_window_level(attributes::window_level(state));
        }
        if old.iconified != state.iconified {
            self.window.set_minimized(state.iconified);
        }
    }
}

fn initiate_move_resize(window: &Window, direction: u8) {
    let result = match RESIZE_DIRECTIONS.get(usize::from(direction)) {
        Some(resize) => window.drag_resize_window(*resize),
        None if direction == MOVE_DIRECTION => window.drag_window(),
        // Keyboard moves, and the cancelling of a move: left to the window manager's own keys.
        None => Ok(()),
    };
    if let Err(error) = result {
        tracing::debug!(%error, "the window manager does not move or resize on request");
    }
}
