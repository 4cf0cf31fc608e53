//! The session without IO: every test feeds it packets and inputs and looks at what comes out.

mod again;
mod clipboard;
mod draws;
mod encryption;
mod handshake;
mod hostile;
mod input;
mod kept;
mod live;
mod login;
mod lost_pixels;
mod programs;
mod rival;
mod several;
mod silence;
mod video;
mod windows;

use std::time::{Duration, Instant};

use farpane::geometry::Size;
use farpane::protocol::Dialect;
use farpane::protocol::packet::connection;
use farpane::protocol::packet::window::{self, WindowCreate};
use farpane::protocol::packet::{ClientPacket, ServerPacket};
use farpane::protocol::packet::{Dict, Value, WindowId};
use farpane::session::{
    ClientIdentity, CloseReason, DrawDone, Input, LocalInfo, Output, Peer, Session, SessionConfig,
    SessionEvent, Setup,
};
use farpane::stats::DrawTrace;

/// A session, its clock, and what came out since the last look.
pub struct Driver {
    pub session: Session,
    pub now: Instant,
    out: Vec<Output>,
}

impl Driver {
    /// Said hello, waits for the server's.
    pub fn started(setup: Setup) -> Self {
        let now = farpane::channel::clock::now();
        let mut driver = Self { session: Session::new(setup), now, out: Vec::new() };
        driver.session.start(now, &mut driver.out);
        driver
    }

    /// The server accepted, and what that brought about was looked at.
    pub fn running(setup: Setup) -> Self {
        let mut driver = Self::started(setup);
        driver.packet(ServerPacket::Connection(connection::FromServer::Hello(server_hello("6.5.5"))));
        driver.take();
        driver
    }

    pub fn packet(&mut self, packet: ServerPacket) -> &mut Self {
        let trace = DrawTrace::new(self.now, self.now, 100);
        self.session.handle_packet(self.now, trace, packet, &mut self.out);
        self
    }

    /// A draw was shown or refused.
    pub fn done(&mut self, done: &DrawDone) -> &mut Self {
        self.session.handle_draw_done(done, &mut self.out);
        self
    }

    pub fn input(&mut self, input: impl Into<Input>) -> &mut Self {
        self.session.handle_input(self.now, input.into(), &mut self.out);
        self
    }

    pub fn pass(&mut self, time: Duration) -> &mut Self {
        self.now += time;
        self.session.handle_timeout(self.now, &mut self.out);
        self
    }

    /// Everything that came out since the last look.
    pub fn take(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.out)
    }

    /// The packets among it.
    pub fn sent(&mut self) -> Vec<ClientPacket> {
        let packet = |output| match output {
            Output::Send(packet) => Some(packet),
            _ => None,
        };
        self.take().into_iter().filter_map(packet).collect()
    }

    /// The events among it.
    pub fn events(&mut self) -> Vec<SessionEvent> {
        let event = |output| match output {
            Output::Event(event) => Some(event),
            _ => None,
        };
        self.take().into_iter().filter_map(event).collect()
    }

    /// The hello that was sent last.
    #[track_caller]
    pub fn hello(&mut self) -> Dict {
        let hello = |packet| match packet {
            ClientPacket::Connection(connection::ToServer::Hello(hello)) => Some(hello),
            _ => None,
        };
        self.sent().into_iter().filter_map(hello).next_back().expect("a hello was sent")
    }

    /// Why the session ended.
    #[track_caller]
    pub fn closed(&mut self) -> CloseReason {
        match self.take().pop() {
            Some(Output::Close(reason)) => reason,
            other => panic!("the session goes on: {other:?}"),
        }
    }

    /// Makes a plain window.
    pub fn window(&mut self, wid: u64, x: i32, y: i32, width: u32, height: u32) -> WindowId {
        self.packet(create(wid, x, y, width, height, Dict::default()));
        self.take();
        WindowId(wid)
    }
}

pub fn setup(dialect: Dialect) -> Setup {
    let identity = ClientIdentity {
        hostname: "here".to_owned(),
        username: "user".to_owned(),
        uuid: "0123456789abcdef".to_owned(),
        session_id: "fedcba9876543210".to_owned(),
    };
    Setup {
        config: SessionConfig { identity, ..SessionConfig::default() },
        peer: Peer { dialect, ..Peer::default() },
        local: LocalInfo::default(),
    }
}

/// The same with a change.
pub fn changed(mut setup: Setup, change: impl FnOnce(&mut Setup)) -> Setup {
    change(&mut setup);
    setup
}

pub fn server_hello(version: &str) -> Dict {
    let mut hello = Dict::default();
    hello.push("version", version).push("hostname", "there").push("lz4", true);
    hello
}

pub fn create(wid: u64, x: i32, y: i32, width: u32, height: u32, metadata: Dict) -> ServerPacket {
    ServerPacket::Window(window::FromServer::Create(WindowCreate {
        wid: WindowId(wid),
        x,
        y,
        width,
        height,
        override_redirect: metadata.bool("override-redirect").unwrap_or(false),
        tray: metadata.bool("tray").unwrap_or(false),
        metadata,
        client_properties: Dict::default(),
    }))
}

pub fn dict(entries: &[(&str, Value)]) -> Dict {
    Dict(entries.iter().map(|(key, value)| (Value::from(*key), value.clone())).collect())
}

pub fn size(width: u32, height: u32) -> Size {
    Size { width, height }
}
