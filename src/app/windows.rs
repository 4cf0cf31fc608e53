//! Remote windows as windows of the local desktop.
//!
//! The server is told where each window really is, so its popups come at the right place by
//! themselves. What is said to the server is in its pixels, what is said to the desktop in local ones: each
//! window's [`super::place::Place`] knows both.

mod kept;
mod wayland;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use winit::event_loop::ActiveEventLoop;
use winit::window::{Cursor, Window};

use crate::channel::{Border, NetQueue, RenderCommand, RenderMessage, RenderQueue, Scale, clock};
use crate::desktop::{Desktop, Frame, native_id};
use crate::geometry::{Point, Rect, Size};
use crate::protocol::packet::WindowId;
use crate::session::{WindowChange, WindowInfo};

use super::attributes;
use super::geometry::Conversation;
use super::memory::Memory;
use super::os_size;
use super::place::{Geometry, Place};
use super::placement;
use super::remote_window::{Outside, RemoteWindow};
use super::retired;
use super::titles::Titles;

/// A frame that is larger than most: a new window so far from all edges needs no better place.
const LARGE_FRAME: Frame = Frame { left: 64, right: 64, top: 64, bottom: 64 };

/// All remote windows, and what they need to talk to the other threads.
pub struct Windows {
    windows: BTreeMap<WindowId, RemoteWindow>,
    by_os_id: BTreeMap<winit::window::WindowId, WindowId>,
    cursor: Cursor,
    x11: bool,
    wayland: bool,
    scale: Scale,
    /// The server's screen, in its pixels.
    pub screen: Size,
    /// Where windows may be: the monitors, without panels. Empty where positions are not known.
    areas: Vec<Rect>,
    pub titles: Titles,
    /// Around each window.
    border: Option<Border>,
    memory: Memory,
    net: NetQueue,
    render: RenderQueue,
}

impl Windows {
    /// No windows yet. `x11` and `wayland` say what winit uses; `screen` is the size that the server is told, and
    /// windows may be in the `areas`.
    pub fn new(
        (net, render): (NetQueue, RenderQueue),
        (x11, wayland): (bool, bool),
        scale: Scale,
        (screen, areas): (Size, Vec<Rect>),
        (titles, border): (Titles, Option<Border>),
    ) -> Self {
        Self {
            windows: BTreeMap::new(),
            by_os_id: BTreeMap::new(),
            cursor: Cursor::default(),
            x11,
            wayland,
            scale,
            screen,
            areas,
            titles,
            border,
            memory: Memory::default(),
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

    /// Whether the server was told that the window is shown.
    pub fn is_mapped(&self, wid: WindowId) -> bool {
        self.windows.get(&wid).is_some_and(|remote| remote.talk.is_mapped() || remote.info.override_redirect)
    }

    /// The server is about to hear of the pointer in this window: it has to know where the window is.
    pub fn before_pointer(&mut self, wid: WindowId, desktop: &Desktop) {
        let outside = Outside { desktop, net: &self.net, render: &self.render, screen: self.screen };
        if let Some(remote) = self.windows.get_mut(&wid)
            && remote.talk.hurries()
        {
            remote.sync(clock::now(), outside);
        }
    }

    /// The first window that is no popup.
    pub fn first(&self) -> Option<&RemoteWindow> {
        self.windows.values().find(|window| !window.info.override_redirect)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &RemoteWindow> {
        self.windows.values()
    }

    /// Windows may be in other places from now on.
    pub fn set_areas(&mut self, areas: Vec<Rect>) {
        self.areas = areas;
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
        let wid = info.wid;
        if self.windows.contains_key(&wid) {
            self.destroy(wid);
        }
        let server = Geometry { x: info.x, y: info.y, size: info.size };
        let mut talk = Conversation::new(self.scale, server, info.size_limits, info.override_redirect);
        if let Some(normal) = self.normal_place(&info, desktop) {
            talk.set_normal(normal);
            talk.begin_at(Place::new(self.scale, normal).local());
        }
        let local = attributes::local(&info, talk.place());
        let mut attributes = attributes::attributes(&local, self.titles.of(&info.title), self.x11)
            .with_cursor(self.cursor.clone());
        let guessed_factor = self.wayland.then(|| self.usual_factor(event_loop));
        if let Some(factor) = guessed_factor {
            attributes = os_size::wayland_attributes(attributes, &local, factor);
        }
        let window = Arc::new(event_loop.create_window(attributes)?);
        desktop.prepare_window(&window, &attributes::hints(&info, self.native_parent(&info)));
        desktop.set_parent(&window, self.parent(&info).map(|parent| &*parent.window));
        self.place_first(&info, &mut talk, &window, desktop);
        // Elsewhere the window manager will be heard.
        let wanted = attributes::physical(talk.place().local().size);
        let (asked, size) = match guessed_factor {
            Some(factor) => wayland::first_size(&window, factor),
            None => (None, Size { width: wanted.width, height: wanted.height }),
        };
        let mut remote = RemoteWindow {
            wid,
            window: Arc::clone(&window),
            info,
            talk,
            surface: size,
            dirty: true,
            visible: true,
            asked,
            guessed_factor,
        };
        if self.wayland {
            // With the frame, which is there now if it is winit's own.
            remote.set_size_limits();
        }
        if remote.info.shape.is_some() {
            remote.set_shape(desktop);
        }
        let target: Arc<Window> = Arc::clone(&window);
        self.send(RenderCommand::Attach { surface: wid.into(), target, size, dismissed: None });
        if let Some(border) = self.border.filter(|_| !remote.info.override_redirect) {
            self.send(RenderCommand::Border { surface: wid.into(), border });
        }
        window.set_visible(true);
        if remote.info.state.iconified {
            window.set_minimized(true);
        }
        self.by_os_id.insert(window.id(), wid);
        self.windows.insert(wid, remote);
        Ok(())
    }

    /// Where a window that is shown maximised or full screen goes back to, on the server. Nobody but an earlier
    /// session of ours may know; then it is to become a smaller one at least.
    fn normal_place(&self, info: &WindowInfo, desktop: &Desktop) -> Option<Geometry> {
        // Without a window manager it stays as it is made.
        if !(info.state.maximized || info.state.fullscreen) || desktop.work_area().is_none() {
            return None;
        }
        if let Some(normal) = info.memory.normal {
            return Some(Geometry { x: normal.x, y: normal.y, size: normal.size });
        }
        let part = |side: u32| (side / 4 * 3).max(1);
        let margin = |side: u32| i32::try_from(side / 8).unwrap_or(0);
        let Size { width, height } = info.size;
        Some(Geometry {
            x: info.x.saturating_add(margin(width)),
            y: info.y.saturating_add(margin(height)),
            size: Size { width: part(width), height: part(height) },
        })
    }

    /// Sees to it that a window which is about to be shown can be reached by the user.
    fn place_first(&self, info: &WindowInfo, talk: &mut Conversation, window: &Window, desktop: &Desktop) {
        if info.override_redirect || self.areas.is_empty() {
            return;
        }
        let (corner, size) = (talk.place().local().corner(), talk.place().local().size);
        let is_placed = attributes::has_place(info);
        let is_known = info.memory != Default::default();
        let is_near_edge = placement::reachable(corner, size, LARGE_FRAME, &self.areas, false) != corner;
        if !(info.is_desktop || is_placed && is_near_edge) {
            return;
        }
        let is_framed = attributes::has_decorations(info) && !info.state.fullscreen;
        let frame = if is_framed { desktop.frame_to_come(window) } else { Frame::default() };
        let fits = |size| placement::no_larger_than_screen(corner, size, frame, &self.areas);
        let size =
            if info.is_desktop && attributes::is_resizable(info.size_limits) { fits(size) } else { size };
        let Point { x, y } = placement::reachable(corner, size, frame, &self.areas, is_known);
        let placed = Geometry { x, y, size };
        if placed != talk.place().local() {
            tracing::debug!(wid = %info.wid, ?placed, "a window that could not be reached there");
            talk.begin_at(placed);
            if is_placed {
                desktop.move_content(window, x, y);
            }
            let _ = window.request_inner_size(attributes::physical(size));
        }
    }

    /// Follows a change that the server made.
    pub fn change(&mut self, wid: WindowId, change: WindowChange, desktop: &Desktop) {
        let now = clock::now();
        let outside = Outside { desktop, net: &self.net, render: &self.render, screen: self.screen };
        let Some(remote) = self.windows.get_mut(&wid) else { return };
        let window = Arc::clone(&remote.window);
        match change {
            WindowChange::Title(title) => {
                remote.info.title = title;
                window.set_title(&self.titles.of(&remote.info.title));
            }
            WindowChange::Icon(image) => {
                if let Some(icon) = attributes::window_icon(&image) {
                    window.set_window_icon(Some(icon));
                }
            }
            WindowChange::SizeLimits(limits) => {
                remote.info.size_limits = limits;
                remote.set_size_limits();
                let mut steps = Vec::new();
                remote.talk.set_limits(now, limits, &mut steps);
                remote.take(&steps, outside);
            }
            WindowChange::State(state) => remote.follow_state(now, state, desktop),
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
                let RemoteWindow { info: old, .. } = remote;
                let (state, icon, memory) = (old.state, old.icon.take(), old.memory);
                remote.info = WindowInfo { state, icon, memory, ..*info };
                self.update_hints(wid, desktop);
            }
            WindowChange::Shape(shape) => {
                remote.info.shape = shape;
                remote.set_shape(desktop);
            }
            WindowChange::Geometry { position, size } => {
                tracing::trace!(%wid, ?position, ?size, "the server's geometry");
                let mut steps = Vec::new();
                remote.talk.server_says(now, position, size, &mut steps);
                remote.take(&steps, outside);
            }
            WindowChange::Raise => {
                if window.is_minimized() == Some(true) {
                    window.set_minimized(false);
                }
                desktop.raise(&window);
            }
            WindowChange::InitiateMoveResize { at, direction, button } => {
                remote.initiate_move_resize(at, direction, button, desktop);
            }
        }
    }

    /// The remote window is gone.
    pub fn destroy(&mut self, wid: WindowId) {
        if let Some(remote) = self.windows.remove(&wid) {
            self.by_os_id.remove(&remote.window.id());
            remote.window.set_visible(false);
            self.send(RenderCommand::Detach { surface: wid.into() });
            // The renderer still has its surface.
            retired::retire(remote.window);
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
    pub fn set_scale(&mut self, scale: Scale, desktop: &Desktop) {
        self.scale = scale;
        let now = clock::now();
        let outside = Outside { desktop, net: &self.net, render: &self.render, screen: self.screen };
        for remote in self.windows.values_mut() {
            let mut steps = Vec::new();
            remote.talk.rescale(now, scale, &mut steps);
            remote.set_size_limits();
            remote.take(&steps, outside);
            if remote.info.shape.is_some() {
                remote.set_shape(desktop);
            }
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
        let mut size = size;
        if let Some(remote) = self.windows.get_mut(&wid) {
            size = remote.resized(clock::now()).unwrap_or(size);
            remote.surface = size;
        }
        self.send(RenderCommand::SurfaceResized { surface: wid.into(), size });
        self.mark_dirty(wid);
    }

    /// The OS asks for the window's content.
    pub fn redraw(&self, wid: WindowId) {
        self.send(RenderCommand::Redraw { surface: wid.into() });
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

    /// Looks where the windows are to which something happened, and tells the server. Returns whether somebody
    /// here moved one.
    pub fn sync(&mut self, desktop: &Desktop) -> bool {
        let now = clock::now();
        let outside = Outside { desktop, net: &self.net, render: &self.render, screen: self.screen };
        let mut is_moved = false;
        for remote in self.windows.values_mut() {
            remote.dirty |= remote.talk.is_due(now) || remote.guessed_factor.is_some();
            if std::mem::take(&mut remote.dirty) {
                is_moved |= remote.sync(now, outside);
            }
        }
        self.memory.update(now, &mut self.windows, outside);
        is_moved
    }

    /// When [`Self::sync`] has something to do even if nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        let settled = self.windows.values().filter_map(|remote| remote.talk.deadline()).min();
        [settled, self.memory.deadline()].into_iter().flatten().min()
    }

    /// All windows that exist on the server were made: those of an earlier session get their order and focus back. After
    /// a connection that was lost they never lost them, but the server did not hear of what changed.
    pub fn startup_complete(&mut self) {
        self.memory.begin(clock::now());
        self.memory.restacked();
    }

    /// Windows of the desktop changed their order.
    pub fn restacked(&mut self) {
        self.memory.restacked();
    }

    /// The user gave this window the focus.
    pub fn focused(&mut self, wid: WindowId) {
        self.memory.focused(wid, &mut self.windows, &self.net);
    }

    fn update_hints(&self, wid: WindowId, desktop: &Desktop) {
        if let Some(remote) = self.windows.get(&wid) {
            let hints = attributes::hints(&remote.info, self.native_parent(&remote.info));
            desktop.update_window(&remote.window, &hints);
            desktop.set_parent(&remote.window, self.parent(&remote.info).map(|parent| &*parent.window));
        }
    }

    fn native_parent(&self, info: &WindowInfo) -> Option<u64> {
        native_id(&self.parent(info)?.window)
    }

    fn parent(&self, info: &WindowInfo) -> Option<&RemoteWindow> {
        self.windows.get(&info.parent?)
    }

    fn send(&self, command: RenderCommand) {
        self.render.push(RenderMessage::Command(command));
    }
}
