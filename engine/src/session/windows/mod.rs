//! The windows of the session: what the server says of them, what the local desktop did to them.

mod info;
mod messages;

use std::collections::{BTreeMap, BTreeSet};

pub use info::{NormalGeometry, ShapeRect, SizeLimits, WindowInfo, WindowMemory, WindowShape, WindowState};
pub use messages::{WindowChange, WindowEvent, WindowInput};

use super::event::{Output, SessionEvent};
use super::metadata;
use super::room::{DrawRefused, NoRoom, Room};
use super::setup::Setup;
use super::video::{Remedy, VideoHealth};
use crate::buffers::Payload;
use crate::geometry::{Point, Rect, Size};
use crate::protocol::packet::Image;
use crate::protocol::packet::draw::{self, DrawOptions, Encoding, WindowDraw};
use crate::protocol::packet::window::{
    self, WindowCreate, WindowGeometry, WindowInitiateMoveResize, WindowMoveResize,
};
use crate::protocol::packet::{Dict, DrawSequence, Value, WindowId};

pub use super::room::{MAX_WINDOW_SIDE, MAX_WINDOWS};

/// What hello says of them.
pub fn capabilities(setup: &Setup, hello: &mut Dict) {
    let square = |side: u32| vec![Value::from(side), Value::from(side)];
    hello
        .push("windows", true)
        .push("metadata.supported", metadata::SUPPORTED)
        .push("system_tray", false)
        .push("bell", true);
    if setup.peer.dialect.is_modern() {
        let mut window = Dict::default();
        window.push("enabled", true).push("min-size", square(0)).push("max-size", square(MAX_WINDOW_SIDE));
        hello.push("window", window);
        return;
    }
    hello
        .push("generic_window_types", true)
        .push("server-window-move-resize", true)
        .push("server-window-resize", true)
        .push("raw_window_icons", true)
        .push("window.raise", true)
        .push("window.initiate-moveresize", true)
        .push("window.resize-counter", true)
        .push("window.min-size", square(0))
        .push("window.max-size", square(MAX_WINDOW_SIDE));
}

#[derive(Debug)]
struct Window {
    info: WindowInfo,
    /// The server's counter of its own resizes: told back, so that it can tell a stale answer.
    resize_counter: u64,
    /// The OS window is shown, and the server knows it.
    mapped: bool,
    /// The server may not have heard yet what it was told last. Its first draw shows that it has; later draws may have
    /// been on their way.
    unheard: bool,
    drawn: bool,
    /// What it said last of the window's place crossed something that it was told: said in that time, or told since.
    crossed: bool,
    /// Where it was told last that the window is. Servers take pointer positions for relative to that, whatever they did with
    /// the window since (seen with 3.1.3 and 6.5.5).
    told: Point,
    video: VideoHealth,
    /// Width and height that it ever had at most.
    largest: Size,
    /// Pixels that the server takes for shown were cut off, since the backing was too small for them.
    cut: bool,
}

impl Window {
    fn tell(&mut self, at: Point) {
        (self.unheard, self.crossed) = (true, true);
        self.told = at;
    }
}

/// All windows.
#[derive(Debug, Default)]
pub struct Windows {
    windows: BTreeMap<WindowId, Window>,
    /// Those of the connection before this one that the server did not speak of yet.
    expected: BTreeSet<WindowId>,
    pub room: Room,
    /// Every window is a whole screen (desktop and shadow servers).
    pub desktop_server: bool,
    /// Client properties that servers are told of each window that is mapped from now on.
    pub map_properties: Dict,
}

impl Windows {
    /// The connection before this one had these: the user interface knows of them.
    pub fn expect(&mut self, windows: BTreeSet<WindowId>) {
        self.expected = windows;
    }

    /// Those of them that the server did not speak of are no more.
    pub fn forget_expected(&mut self, out: &mut Vec<Output>) {
        for wid in std::mem::take(&mut self.expected) {
            gone(wid, out);
        }
    }

    /// All that the user interface knows of.
    pub fn all_known(mut self) -> BTreeSet<WindowId> {
        self.expected.extend(self.windows.keys());
        self.expected
    }

    /// Whether there is such a window.
    pub fn contains(&self, wid: WindowId) -> bool {
        self.windows.contains_key(&wid)
    }

    /// The window, if there is such a one.
    pub fn known(&self, wid: Option<WindowId>) -> Option<WindowId> {
        wid.filter(|wid| self.contains(*wid))
    }

    /// The window as it is now.
    pub fn info(&self, wid: WindowId) -> Option<&WindowInfo> {
        self.windows.get(&wid).map(|w| &w.info)
    }

    /// All of them, as they are now.
    pub fn all(&self) -> impl Iterator<Item = &WindowInfo> {
        self.windows.values().map(|window| &window.info)
    }

    /// Whether a draw may be decoded.
    ///
    /// # Errors
    /// If it is out of bounds.
    pub fn check_draw(&self, draw: &WindowDraw) -> Result<(), DrawRefused> {
        let largest = self.windows.get(&draw.wid).map(|window| window.largest);
        self.room.check_draw(largest.unwrap_or_default(), draw)
    }

    /// The server draws this part of the window.
    pub fn drawn(&mut self, wid: WindowId, rect: Rect) {
        let Some(window) = self.windows.get_mut(&wid) else { return };
        if !window.drawn {
            (window.drawn, window.unheard) = (true, false);
        }
        // 3.1 draws what its program made larger before it says so, and does not say so at all when it hears of another
        // size meanwhile.
        window.cut |= rect.clip(window.info.size) != Some(rect);
    }

    /// What the server says of its windows.
    pub fn packet(&mut self, packet: window::FromServer, out: &mut Vec<Output>) {
        use window::FromServer as Packet;
        match packet {
            Packet::Create(create) => self.create(&create, out),
            Packet::Metadata { wid, metadata } => self.update_metadata(wid, &metadata, out),
            Packet::MoveResize(moved) => self.server_moved(&moved, out),
            Packet::Resized { wid, width, height, resize_counter } => {
                self.server_resized(wid, width, height, resize_counter, out);
            }
            // X's Above without a sibling is a raise; other orders mean nothing on another desktop
            Packet::Raise { wid } | Packet::Restack { wid, detail: 0, .. } => self.raise(wid, out),
            Packet::Restack { .. } => {}
            Packet::InitiateMoveResize(request) => self.initiate_move_resize(&request, out),
            Packet::Destroy { wid } => self.destroy(wid, out),
            Packet::Icon { wid, image } => self.icon(wid, image, out),
            Packet::Bell(bell) => {
                let bell = WindowEvent::Bell {
                    wid: bell.wid,
                    percent: bell.percent.clamp(-100, 100),
                    pitch: bell.pitch,
                    duration_ms: bell.duration_ms,
                };
                out.push(Output::Event(bell.into()));
            }
        }
    }

    /// What the user and the window manager do to them.
    pub fn input(&mut self, input: WindowInput, out: &mut Vec<Output>) {
        match input {
            WindowInput::Mapped { wid, x, y, size } => self.mapped(wid, x, y, size, out),
            WindowInput::Unmapped { wid, iconified } => self.unmapped(wid, iconified, out),
            WindowInput::Configured { wid, x, y, size, state } => {
                self.configured(wid, x, y, size, state, out);
            }
            WindowInput::ToldAgain { wid, x, y, size } => self.told_again(wid, x, y, size, out),
            WindowInput::Remembered { wid, memory } => self.remembered(wid, memory, out),
            WindowInput::CloseRequested { wid } => {
                if self.contains(wid) {
                    out.push(Output::Send(window::ToServer::Close { wid }.into()));
                }
            }
        }
    }

    /// `window-create`. A tray is left out: there is nothing to show it in; so is a window that does not fit.
    fn create(&mut self, create: &WindowCreate, out: &mut Vec<Output>) {
        let wid = create.wid;
        if create.tray {
            tracing::debug!(%wid, "system tray left out");
            return;
        }
        if self.contains(wid) {
            tracing::debug!(%wid, "made again without being destroyed");
            self.destroy(wid, out);
        }
        let mut info = WindowInfo {
            x: create.x,
            y: create.y,
            size: not_empty(create.width, create.height),
            override_redirect: create.override_redirect,
            decorations: true,
            is_desktop: self.desktop_server,
            memory: metadata::memory(&create.client_properties),
            ..WindowInfo::new(wid)
        };
        metadata::apply(&mut info, &create.metadata);
        if info.is_desktop {
            // 6.5.5 makes one of 8192 x 4096 unless told otherwise, and follows the window's size.
            info.size = self.room.fitting(info.size);
        }
        let size = info.size;
        if let Err(error) = self.room.resize(wid, None, size) {
            return refuse(&mut self.room, &error, out);
        }
        out.push(Output::Backing { wid, size: Some(size) });
        let is_kept = self.expected.remove(&wid);
        let event = if is_kept { WindowEvent::Kept } else { WindowEvent::Created };
        out.push(Output::Event(event(Box::new(info.clone())).into()));
        let video = VideoHealth::default();
        let window = Window {
            info,
            resize_counter: 0,
            mapped: false,
            unheard: false,
            drawn: false,
            crossed: false,
            told: Point::new(create.x, create.y),
            video,
            largest: size,
            cut: false,
        };
        self.windows.insert(wid, window);
    }

    /// `window-destroy`.
    fn destroy(&mut self, wid: WindowId, out: &mut Vec<Output>) {
        if let Some(window) = self.windows.remove(&wid) {
            self.room.release(window.info.size, window.info.icon.as_ref());
            gone(wid, out);
        }
    }

    /// `window-metadata`.
    fn update_metadata(&mut self, wid: WindowId, update: &Dict, out: &mut Vec<Output>) {
        let Some(window) = self.windows.get_mut(&wid) else { return };
        let touched = metadata::apply(&mut window.info, update);
        let info = &window.info;
        if touched.title {
            changed(wid, WindowChange::Title(info.title.clone()), out);
        }
        if touched.class {
            changed(wid, WindowChange::Class(info.class.0.clone(), info.class.1.clone()), out);
        }
        if touched.size_limits {
            changed(wid, WindowChange::SizeLimits(info.size_limits), out);
        }
        if touched.parent {
            changed(wid, WindowChange::Parent(info.parent), out);
        }
        if touched.decorations {
            changed(wid, WindowChange::Decorations(info.decorations), out);
        }
        if touched.state {
            changed(wid, WindowChange::State(info.state), out);
        }
        if touched.shape {
            changed(wid, WindowChange::Shape(info.shape.clone()), out);
        }
        if touched.hints {
            changed(wid, WindowChange::Hints(Box::new(info.clone())), out);
        }
    }

    /// `window-move-resize`.
    fn server_moved(&mut self, moved: &WindowMoveResize, out: &mut Vec<Output>) {
        let size = not_empty(moved.width, moved.height);
        self.server_geometry(moved.wid, Some(Point::new(moved.x, moved.y)), size, moved.resize_counter, out);
    }

    /// `window-resized`.
    fn server_resized(
        &mut self,
        wid: WindowId,
        width: u32,
        height: u32,
        resize_counter: u64,
        out: &mut Vec<Output>,
    ) {
        self.server_geometry(wid, None, not_empty(width, height), resize_counter, out);
    }

    /// The server raises a window.
    fn raise(&self, wid: WindowId, out: &mut Vec<Output>) {
        self.change(wid, WindowChange::Raise, out);
    }

    /// The application asks to be moved or resized by the user.
    fn initiate_move_resize(&self, request: &WindowInitiateMoveResize, out: &mut Vec<Output>) {
        let WindowInitiateMoveResize { wid, root_x, root_y, direction, button, .. } = *request;
        let at = Point::new(root_x, root_y);
        self.change(wid, WindowChange::InitiateMoveResize { at, direction, button }, out);
    }

    /// `window-icon`. An empty one (`default`) or a huge one changes nothing.
    fn icon(&mut self, wid: WindowId, mut image: Image, out: &mut Vec<Output>) {
        let Some(window) = self.windows.get_mut(&wid) else { return };
        if !self.room.icon(window.info.icon.as_ref(), &image) {
            tracing::debug!(%wid, width = image.width, height = image.height, "an icon is left out");
            return;
        }
        // The buffer that it was received in may be far larger.
        image.data = Payload::from(Vec::from(&image.data[..]));
        window.info.icon = Some(image.clone());
        changed(wid, WindowChange::Icon(image), out);
    }

    /// The OS window is shown at this place.
    fn mapped(&mut self, wid: WindowId, x: i32, y: i32, size: Size, out: &mut Vec<Output>) {
        // the server maps override-redirect windows by itself
        let Some(window) = self.windows.get_mut(&wid).filter(|w| !w.info.override_redirect) else { return };
        window.mapped = true;
        window.tell(Point::new(x, y));
        window.info.state.iconified = false;
        place(window, &mut self.room, Point::new(x, y), size, out);
        let mut packet = window_geometry(window, Dict::default());
        packet.client_properties.clone_from(&self.map_properties);
        out.push(Output::Send(window::ToServer::Map(packet).into()));
    }

    /// The OS window is hidden.
    fn unmapped(&mut self, wid: WindowId, iconified: bool, out: &mut Vec<Output>) {
        let Some(window) = self.windows.get_mut(&wid).filter(|w| w.mapped) else { return };
        window.mapped = false;
        window.info.state.iconified = iconified;
        out.push(Output::Send(window::ToServer::Unmap { wid, iconified }.into()));
    }

    /// The OS window was moved or resized. Says nothing when the server knows it already, as it
    /// does when the change was its own: that keeps the two from answering each other forever.
    fn configured(
        &mut self,
        wid: WindowId,
        x: i32,
        y: i32,
        size: Size,
        state: WindowState,
        out: &mut Vec<Output>,
    ) {
        let Some(window) = self.windows.get_mut(&wid).filter(|w| w.mapped) else { return };
        let changes = metadata::state_changes(window.info.state, state);
        window.info.state = state;
        let moved = place(window, &mut self.room, Point::new(x, y), size, out);
        if moved || !changes.0.is_empty() {
            window.tell(Point::new(x, y));
            let packet = window_geometry(window, changes);
            out.push(Output::Send(window::ToServer::Configure(packet).into()));
        }
    }

    /// Tells where the window is even though the server said so itself, if that may have crossed what it was told, or is
    /// another place than that. Else it would only undo what the program does meanwhile.
    fn told_again(&mut self, wid: WindowId, x: i32, y: i32, size: Size, out: &mut Vec<Output>) {
        let at = Point::new(x, y);
        if let Some(window) = self.windows.get_mut(&wid).filter(|w| w.mapped && (w.crossed || w.told != at)) {
            window.tell(at);
            place(window, &mut self.room, at, size, out);
            let packet = window_geometry(window, Dict::default());
            out.push(Output::Send(window::ToServer::Configure(packet).into()));
        }
    }

    /// A draw goes to the decoders.
    pub fn video_began(
        &mut self,
        wid: WindowId,
        sequence: DrawSequence,
        encoding: Encoding,
        options: &DrawOptions,
    ) {
        if let Some(window) = self.windows.get_mut(&wid) {
            window.video.begin(sequence, encoding, options);
        }
    }

    /// A video frame was shown or refused. Pixels that were refused are asked for again at once: by
    /// itself the server sends them 350 ms later. Where its video cannot be read, it is told to send
    /// this window as pictures; `pictures_only` are the client properties that say so.
    pub fn video_done(
        &mut self,
        wid: WindowId,
        sequence: DrawSequence,
        refused: bool,
        pictures_only: impl FnOnce() -> Dict,
        out: &mut Vec<Output>,
    ) {
        let Some(window) = self.windows.get_mut(&wid) else { return };
        let remedy = window.video.finish(sequence, refused);
        if remedy == Remedy::Pictures {
            tracing::warn!(%wid, "this window's video cannot be read: asking for pictures instead");
            let properties = WindowGeometry {
                client_properties: pictures_only(),
                skip_geometry: true,
                ..window_geometry(window, Dict::default())
            };
            out.push(Output::Send(window::ToServer::Configure(properties).into()));
        }
        if remedy != Remedy::None {
            out.push(Output::Send(draw::ToServer::Refresh { wid, quality: 100 }.into()));
        }
    }

    /// The server is to keep this with the window. The geometry is left out: it is no news.
    fn remembered(&mut self, wid: WindowId, memory: WindowMemory, out: &mut Vec<Output>) {
        let Some(window) = self.windows.get_mut(&wid).filter(|w| !w.info.override_redirect) else { return };
        let client_properties = metadata::properties(&memory);
        if client_properties.0.is_empty() {
            return;
        }
        let kept = &mut window.info.memory;
        kept.order = memory.order.or(kept.order);
        kept.focus = memory.focus.or(kept.focus);
        kept.normal = memory.normal.or(kept.normal);
        let geometry = window_geometry(window, Dict::default());
        let packet = WindowGeometry { client_properties, skip_geometry: true, ..geometry };
        out.push(Output::Send(window::ToServer::Configure(packet).into()));
    }

    fn server_geometry(
        &mut self,
        wid: WindowId,
        position: Option<Point>,
        size: Size,
        resize_counter: u64,
        out: &mut Vec<Output>,
    ) {
        let Some(window) = self.windows.get_mut(&wid) else { return };
        window.resize_counter = window.resize_counter.max(resize_counter);
        window.crossed = window.unheard;
        let Size { width, height } = window.info.size;
        let at = position.unwrap_or(Point::new(window.info.x, window.info.y));
        place(window, &mut self.room, at, size, out);
        let size = window.info.size;
        // If that is only for a moment, the server draws nothing again.
        window.cut |= size.width < width || size.height < height;
        changed(wid, WindowChange::Geometry { position, size }, out);
    }

    fn change(&self, wid: WindowId, change: WindowChange, out: &mut Vec<Output>) {
        if self.contains(wid) {
            changed(wid, change, out);
        }
    }
}

/// Notes where a window is, and resizes its backing if its size changed and the new one fits. If it gets larger, what was
/// cut off before is asked for again. Whether anything changed.
fn place(
    window: &mut Window,
    room: &mut Room,
    Point { x, y }: Point,
    size: Size,
    out: &mut Vec<Output>,
) -> bool {
    let info = &mut window.info;
    let mut size = not_empty(size.width, size.height);
    if size != info.size
        && let Err(error) = room.resize(info.wid, Some(info.size), size)
    {
        refuse(room, &error, out);
        size = info.size;
    }
    let moved = (info.x, info.y) != (x, y);
    let before = info.size;
    let resized = before != size;
    (info.x, info.y, info.size) = (x, y, size);
    if resized {
        let Size { width, height } = window.largest;
        window.largest = Size { width: width.max(size.width), height: height.max(size.height) };
        out.push(Output::Backing { wid: info.wid, size: Some(size) });
        let grows = size.width > before.width || size.height > before.height;
        if grows && std::mem::take(&mut window.cut) {
            out.push(Output::Send(draw::ToServer::Refresh { wid: info.wid, quality: 100 }.into()));
        }
    }
    moved || resized
}

/// Tells the user once that something does not fit.
fn refuse(room: &mut Room, error: &NoRoom, out: &mut Vec<Output>) {
    tracing::debug!(%error, "no room");
    out.extend(room.complain(error).map(|words| Output::Event(SessionEvent::Notice(words))));
}

fn gone(wid: WindowId, out: &mut Vec<Output>) {
    out.push(Output::Backing { wid, size: None });
    out.push(Output::Event(WindowEvent::Destroyed { wid }.into()));
}

fn window_geometry(window: &Window, state: Dict) -> WindowGeometry {
    let info = &window.info;
    WindowGeometry {
        wid: info.wid,
        x: info.x,
        y: info.y,
        width: info.size.width,
        height: info.size.height,
        client_properties: Dict::default(),
        state,
        resize_counter: window.resize_counter,
        skip_geometry: false,
    }
}

fn changed(wid: WindowId, change: WindowChange, out: &mut Vec<Output>) {
    out.push(Output::Event(WindowEvent::Changed { wid, change }.into()));
}

/// Servers make windows of no size now and then; their own client shows one pixel.
fn not_empty(width: u32, height: u32) -> Size {
    Size { width: width.max(1), height: height.max(1) }
}
