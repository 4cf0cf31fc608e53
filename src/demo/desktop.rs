//! The windows of one client: what it does to them, and what it may be sent.

use std::time::Duration;

use crate::protocol::packet::connection::{self, PingEcho};
use crate::protocol::packet::draw::{self, DrawOutcome, WindowDraw};
use crate::protocol::packet::keyboard;
use crate::protocol::packet::pointer::{self, PointerState};
use crate::protocol::packet::window::{self, WindowCreate, WindowGeometry};
use crate::protocol::packet::{Dict, DrawSequence, Value, WindowId};
use crate::protocol::{ClientPacket, ServerPacket};

use super::content::{
    Content, Request, menu::Menu, pad::Pad, plasma::Plasma, terminal::Terminal, video::Video,
};
use super::hello::Offers;

/// Updates of a window that a client may leave unanswered before it gets no more. Nothing is lost
/// meanwhile: contents gather what changes, and send it when they are asked next.
const MAX_UNANSWERED: usize = 3;
/// A window that its user makes smaller or larger stays within these.
const SMALLEST: u32 = 64;
const LARGEST: u32 = 2048;

/// One window.
struct Window {
    wid: WindowId,
    x: i32,
    y: i32,
    content: Box<dyn Content>,
    /// The client shows it.
    mapped: bool,
    /// All of it has to be sent.
    stale: bool,
    /// The last draw of each update that is not acknowledged yet.
    unanswered: Vec<DrawSequence>,
    title: String,
    is_popup: bool,
}

/// All windows of one client.
pub struct Desktop {
    offers: Offers,
    windows: Vec<Window>,
    next_wid: u64,
    next_sequence: u64,
    outgoing: Vec<ServerPacket>,
}

impl Desktop {
    /// A desktop with the demo's windows, for a client that offers this; the pad has the `captions`.
    pub fn new(offers: Offers, captions: &[String]) -> Self {
        let mut desktop =
            Self { offers, windows: Vec::new(), next_wid: 1, next_sequence: 1, outgoing: Vec::new() };
        desktop.open(40, 60, Box::new(Plasma::new()), None);
        desktop.open(400, 60, Box::new(Terminal::new()), None);
        desktop.open(40, 420, Box::new(Video::new()), None);
        desktop.open(600, 500, Box::new(Pad::new(captions)), None);
        desktop.send(connection::FromServer::StartupComplete.into());
        desktop
    }

    /// Queues a packet.
    pub fn send(&mut self, packet: ServerPacket) {
        self.outgoing.push(packet);
    }

    /// Takes what is to be sent, in order.
    pub fn outgoing(&mut self) -> Vec<ServerPacket> {
        std::mem::take(&mut self.outgoing)
    }

    /// Opens a window; with a parent it is a popup of that.
    fn open(&mut self, x: i32, y: i32, content: Box<dyn Content>, parent: Option<WindowId>) {
        let wid = WindowId(self.next_wid);
        self.next_wid += 1;
        let (width, height) = content.size();
        let title = content.title();
        let mut metadata = Dict::default();
        metadata
            .push("title", title.as_str())
            .push("class-instance", &["farpane-demo", "FarpaneDemo"][..])
            // Side by side, also where no window manager thinks of it.
            .push("set-initial-position", true)
            .push("window-type", &[if parent.is_some() { "POPUP_MENU" } else { "NORMAL" }][..]);
        if let Some(parent) = parent {
            metadata.push("override-redirect", true).push("transient-for", parent.0);
        } else {
            metadata
                .push("set-initial-position", true)
                .push("requested-position", Value::List(vec![x.into(), y.into()]))
                .push("size-constraints", limits(content.as_ref()));
        }
        let is_popup = parent.is_some();
        self.send(
            window::FromServer::Create(WindowCreate {
                wid,
                x,
                y,
                width,
                height,
                metadata,
                client_properties: Dict::default(),
                override_redirect: is_popup,
                tray: false,
            })
            .into(),
        );
        // Nobody maps a popup: it is there at once.
        let (mapped, stale, unanswered) = (is_popup, true, Vec::new());
        self.windows.push(Window { wid, x, y, content, mapped, stale, unanswered, title, is_popup });
    }

    fn close(&mut self, wid: WindowId) {
        if let Some(index) = self.windows.iter().position(|window| window.wid == wid) {
            self.windows.remove(index);
            self.send(window::FromServer::Destroy { wid }.into());
        }
    }

    fn window(&mut self, wid: WindowId) -> Option<&mut Window> {
        self.windows.iter_mut().find(|window| window.wid == wid)
    }

    /// Does what the client asks for. Windows that do not exist any more are nobody's fault.
    pub fn handle(&mut self, packet: ClientPacket) {
        match packet {
            ClientPacket::Connection(connection::ToServer::Ping { monotonic_ms }) => {
                let echo = PingEcho { monotonic_ms, load: [0; 3], latency_ms: -1, sid: None };
                self.send(connection::FromServer::PingEcho(echo).into());
            }
            ClientPacket::Connection(connection::ToServer::InfoRequest) => {
                self.send(connection::FromServer::InfoResponse(self.info()).into())
            }
            ClientPacket::Draw(draw::ToServer::EncodingConfig(config)) => self.offers.see_config(&config),
            ClientPacket::Window(window::ToServer::Map(geometry)) => {
                if let Some(window) = self.window(geometry.wid) {
                    window.mapped = true;
                    window.stale = true;
                }
                self.place(&geometry);
            }
            ClientPacket::Window(window::ToServer::Unmap { wid, .. }) => {
                if let Some(window) = self.window(wid) {
                    window.mapped = false;
                }
            }
            ClientPacket::Window(window::ToServer::Configure(geometry)) => self.place(&geometry),
            ClientPacket::Window(window::ToServer::Close { wid }) => self.close(wid),
            ClientPacket::Draw(draw::ToServer::Refresh { wid, .. }) => {
                let all = wid.0 == 0;
                let asked = self.windows.iter_mut().filter(|window| all || window.wid == wid);
                asked.for_each(|window| window.stale = true);
            }
            ClientPacket::Draw(draw::ToServer::AllWindows { refresh: true, .. }) => {
                self.windows.iter_mut().for_each(|window| window.stale = true);
            }
            ClientPacket::Draw(draw::ToServer::Ack(ack)) => {
                if let Some(window) = self.window(ack.wid) {
                    window.unanswered.retain(|sequence| *sequence > ack.sequence);
                    window.stale |= matches!(ack.outcome, DrawOutcome::Error { .. });
                }
            }
            ClientPacket::Keyboard(keyboard::ToServer::Event(event)) if event.pressed => {
                let wid = event.wid;
                if let Some(window) = wid.and_then(|wid| self.window(wid)) {
                    window.content.key(&event.keyname, &event.string);
                }
            }
            ClientPacket::Pointer(pointer::ToServer::Motion(PointerState { wid, x, y, .. })) => {
                self.pointer(wid, (x, y), None)
            }
            ClientPacket::Pointer(pointer::ToServer::Button {
                button,
                pressed,
                pointer: PointerState { wid, x, y, .. },
                ..
            }) => {
                self.pointer(wid, (x, y), Some((button, pressed)));
            }
            _ => {}
        }
    }

    /// The client put a window somewhere, or gave it another size.
    fn place(&mut self, geometry: &WindowGeometry) {
        let Some(window) = self.window(geometry.wid).filter(|_| !geometry.skip_geometry) else {
            return;
        };
        (window.x, window.y) = (geometry.x, geometry.y);
        let size = (geometry.width.clamp(SMALLEST, LARGEST), geometry.height.clamp(SMALLEST, LARGEST));
        if window.content.size() != size && window.content.resizable() {
            window.content.resize(size.0, size.1);
            window.stale = true;
        }
    }

    /// The pointer moved, or a button was pressed or released.
    fn pointer(&mut self, wid: Option<WindowId>, (x, y): (i32, i32), button: Option<(u8, bool)>) {
        let pressed = matches!(button, Some((_, true)));
        let target = wid.and_then(|wid| self.window(wid));
        let is_popup = target.as_ref().is_some_and(|window| window.is_popup);
        let request = target.and_then(|window| {
            let at = (x.saturating_sub(window.x), y.saturating_sub(window.y));
            Some((window.wid, window.content.pointer(at, button)?))
        });
        if pressed && !is_popup {
            self.close_popups();
        }
        match request {
            Some((wid, Request::Menu(entries))) => self.open(x, y, Box::new(Menu::new(entries)), Some(wid)),
            Some((_, Request::Chosen(entry))) => {
                self.close_popups();
                for window in &mut self.windows {
                    window.content.chosen(entry);
                }
            }
            None => {}
        }
    }

    fn close_popups(&mut self) {
        let popups: Vec<WindowId> =
            self.windows.iter().filter(|window| window.is_popup).map(|window| window.wid).collect();
        popups.into_iter().for_each(|wid| self.close(wid));
    }

    /// Queues what changed since the last call, for every window whose client keeps up. `elapsed`
    /// is the time since the session began.
    pub fn frame(&mut self, elapsed: Duration) {
        for window in &mut self.windows {
            if !window.mapped || window.unanswered.len() >= MAX_UNANSWERED {
                continue;
            }
            let title = window.content.title();
            if title != window.title {
                let mut metadata = Dict::default();
                metadata.push("title", title.as_str());
                self.outgoing.push(window::FromServer::Metadata { wid: window.wid, metadata }.into());
                window.title = title;
            }
            let draws = window.content.draws(&self.offers, elapsed, std::mem::take(&mut window.stale));
            let count = u32::try_from(draws.len()).unwrap_or(u32::MAX);
            for (draw, follow) in draws.into_iter().zip((0..count).rev()) {
                let sequence = DrawSequence(self.next_sequence);
                self.next_sequence += 1;
                if follow == 0 {
                    window.unanswered.push(sequence);
                }
                let mut options = draw.options;
                options.flush = follow;
                self.outgoing.push(
                    draw::FromServer::Draw(WindowDraw {
                        wid: window.wid,
                        x: i32::try_from(draw.area.x).unwrap_or(0),
                        y: i32::try_from(draw.area.y).unwrap_or(0),
                        width: draw.area.width,
                        height: draw.area.height,
                        encoding: draw.encoding,
                        data: draw.data,
                        sequence,
                        rowstride: draw.rowstride,
                        options,
                    })
                    .into(),
                );
            }
        }
    }

    fn info(&self) -> Dict {
        let mut windows = Dict::default();
        for window in &self.windows {
            windows.push(&window.wid.to_string(), window.title.as_str());
        }
        let mut info = Dict::default();
        info.push("server", "farpane demo").push("draws", self.next_sequence - 1).push("windows", windows);
        info
    }
}

/// `size-constraints`: fixed for contents that cannot change their size.
fn limits(content: &dyn Content) -> Dict {
    let pair = |(width, height): (u32, u32)| Value::List(vec![width.into(), height.into()]);
    let mut limits = Dict::default();
    if content.resizable() {
        limits
            .push("minimum-size", pair((SMALLEST, SMALLEST)))
            .push("maximum-size", pair((LARGEST, LARGEST)));
    } else {
        limits.push("minimum-size", pair(content.size())).push("maximum-size", pair(content.size()));
    }
    limits
}
