//! Layer 1: the session's state without IO: handshake, authentication, capabilities, windows,
//! draw ledger, input state. No clock, socket, thread or pixel in here: time is passed in, what
//! is to be done is appended to a list that the caller owns.
//!
//! Order of calls: [`Session::start`] once; then, as things happen, [`Session::handle_packet`],
//! [`Session::handle_input`], [`Session::handle_draw_done`], and [`Session::handle_timeout`] when
//! [`Session::next_timeout`] has passed (calling it early does nothing). Each appends to `out`,
//! in the order in which it is to be done. After [`Output::Close`] nothing more comes out.
//!
//! What never happens here: a draw without exactly one acknowledgement (unless the session ends),
//! a packet other than hello before the server's hello, a password sent so that others could read
//! it, a panic because of what the peer sent.

// Nothing that a peer sends is cut, wrapped or indexed without a look.
#![warn(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    clippy::missing_errors_doc
)]

pub mod auth;
pub mod clipboard;
pub mod config;
mod display;
pub mod draw_ledger;
mod draws;
mod encodings;
pub mod event;
mod handshake;
mod hello;
mod input;
mod keyboard;
mod keymap;
mod metadata;
mod opening;
pub mod ping;
mod pointer;
mod room;
mod server_info;
mod unknown;
mod video;
pub mod windows;

use std::time::Instant;

pub use config::{ClientIdentity, Generation, Link, PictureOptions, Profile, Secret, SessionConfig};
pub use event::{
    CloseReason, DrawDone, DrawRequest, Input, Key, Keymap, KeymapEntry, Output, ServerInfo, SessionEvent,
    WindowChange, WindowInfo, WindowState,
};
pub use handshake::HELLO_TIMEOUT;

use crate::codec::Size;
use crate::protocol::packet::connection;
use crate::protocol::packet::draw;
use crate::protocol::packet::pointer::PointerState;
use crate::protocol::packet::window;
use crate::protocol::packet::{ClientPacket, ServerPacket};
use crate::protocol::packet::{Dict, Value, WindowId};
use crate::protocol::text;
use crate::stats::{ClipboardTotals, DrawTrace};
use clipboard::Clipboard;
use draws::Draws;
use handshake::Handshake;
use input::InputState;
use keymap::Told;
use ping::Pinger;
use server_info::ServerTraits;
use unknown::UnknownPackets;
use windows::Windows;

/// Characters of what is wrong that the server is told.
const MAX_GOODBYE_CHARS: usize = 200;

/// Where the connection stands.
#[derive(Debug)]
enum Phase {
    /// Before the server's hello.
    Handshake(Handshake),
    Running(Pinger),
    Closed,
}

/// One connection to one server, from hello to goodbye.
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    phase: Phase,
    windows: Windows,
    draws: Draws,
    input: InputState,
    clipboard: Clipboard,
    /// The keymap became known after hello.
    keyboard_changed: bool,
    told_keymap: Told,
    /// With which the server accepted us.
    server_hello: Option<Dict>,
    /// The desktop that its windows show, if they show one.
    server_desktop: Option<Size>,
    /// The server was asked for its information and has not answered.
    info_wanted: bool,
    unknown: UnknownPackets,
}

impl Session {
    /// A session that has not said hello yet.
    pub fn new(mut config: SessionConfig) -> Self {
        config.pictures.complete();
        Self {
            config,
            phase: Phase::Handshake(Handshake::default()),
            windows: Windows::default(),
            draws: Draws::default(),
            input: InputState::default(),
            clipboard: Clipboard::default(),
            keyboard_changed: false,
            told_keymap: Told::default(),
            server_hello: None,
            server_desktop: None,
            info_wanted: false,
            unknown: UnknownPackets::default(),
        }
    }

    /// Says hello.
    pub fn start(&mut self, now: Instant, out: &mut Vec<Output>) {
        if let Phase::Handshake(handshake) = &mut self.phase {
            handshake.start(now, &self.config, out);
        }
    }

    /// Takes a packet from the server. `trace` is used for draws: when the packet arrived and what
    /// it cost until here.
    pub fn handle_packet(
        &mut self,
        now: Instant,
        trace: DrawTrace,
        packet: ServerPacket,
        out: &mut Vec<Output>,
    ) {
        let result = match &mut self.phase {
            Phase::Closed => return,
            Phase::Handshake(_) => self.handshake_packet(now, packet, out),
            Phase::Running(pinger) => {
                pinger.heard(now);
                self.running_packet(now, trace, packet, out)
            }
        };
        if let Err(reason) = result {
            self.close(reason, out);
        }
    }

    /// Takes what the user, the desktop or the application did.
    pub fn handle_input(&mut self, now: Instant, input: Input, out: &mut Vec<Output>) {
        let result = match (&mut self.phase, input) {
            (Phase::Closed, _) => return,
            (_, Input::Disconnect) => Err(CloseReason::User),
            (Phase::Handshake(handshake), Input::Password(password)) => {
                handshake.password(now, &password, &self.config, out)
            }
            (Phase::Handshake(handshake), Input::PasswordCancelled) => handshake.password_cancelled(),
            (Phase::Handshake(_), Input::KeymapChanged(keymap)) => {
                self.config.keymap = Some(*keymap);
                self.keyboard_changed = true;
                Ok(())
            }
            (Phase::Handshake(_), Input::ScreenChanged(display)) => {
                self.config.display = *display;
                Ok(())
            }
            (Phase::Running(_), input) => {
                self.running_input(now, input, out);
                Ok(())
            }
            (Phase::Handshake(_), _) => Ok(()),
        };
        if let Err(reason) = result {
            self.close(reason, out);
        }
    }

    /// A draw was shown or refused: the server is told.
    pub fn handle_draw_done(&mut self, _now: Instant, done: &DrawDone, out: &mut Vec<Output>) {
        if !matches!(self.phase, Phase::Running(_)) {
            return;
        }
        self.draws.done(done, &self.config, &mut self.windows, out);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut Vec<Output>) {
        let reason = match &mut self.phase {
            Phase::Handshake(handshake) if handshake.timed_out(now) => {
                let seconds = HELLO_TIMEOUT.as_secs();
                CloseReason::Timeout(format!("the server did not answer within {seconds} seconds"))
            }
            Phase::Running(pinger) => match pinger.poll(now) {
                Ok(ping) => {
                    out.extend(ping.map(Output::Send));
                    self.clipboard.timeout(now, out);
                    return;
                }
                Err(silence) => {
                    let seconds = silence.as_secs();
                    CloseReason::Timeout(format!("the server has been silent for {seconds} seconds"))
                }
            },
            Phase::Handshake(_) | Phase::Closed => return,
        };
        self.close(reason, out);
    }

    /// The server's silence means nothing now: what it may have sent is not read, or it is taking bulk data, and a
    /// ping waits behind that.
    pub fn excuse_silence(&mut self, now: Instant) {
        if let Phase::Running(pinger) = &mut self.phase {
            pinger.heard(now);
        }
    }

    /// When [`Session::handle_timeout`] has something to do next.
    pub fn next_timeout(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Handshake(handshake) => handshake.deadline(),
            Phase::Running(pinger) => {
                let clipboard = self.clipboard.next_timeout();
                Some(clipboard.map_or(pinger.next_timeout(), |due| due.min(pinger.next_timeout())))
            }
            Phase::Closed => None,
        }
    }

    /// Whether `packet` will make the session end with [`Output::SpeakLegacy`].
    pub fn will_speak_legacy(&self, packet: &ServerPacket) -> bool {
        match (&self.phase, packet) {
            (Phase::Handshake(_), ServerPacket::Connection(connection::FromServer::Hello(hello))) => {
                self.is_half_understood(hello)
            }
            _ => false,
        }
    }

    fn is_half_understood(&self, hello: &Dict) -> bool {
        self.config.may_speak_legacy
            && self.config.profile == Profile::Attach
            && ServerTraits::from_hello(hello).reads_flat_names()
    }

    /// The next of what is large, to be sent when nothing else waits.
    pub fn next_bulk(&mut self) -> Option<ClientPacket> {
        self.clipboard.next_bulk().map(ClientPacket::Clipboard)
    }

    /// What the clipboard has moved so far.
    pub fn clipboard_totals(&self) -> ClipboardTotals {
        self.clipboard.totals()
    }

    /// Draws that were handed out and not finished yet.
    pub fn draws_in_flight(&self) -> usize {
        self.draws.in_flight()
    }

    /// Draws of one window that were handed out and not finished yet.
    pub fn draws_in_flight_of(&self, wid: WindowId) -> usize {
        self.draws.in_flight_of(wid)
    }

    /// A window as it is now.
    pub fn window(&self, wid: WindowId) -> Option<&WindowInfo> {
        self.windows.info(wid)
    }

    /// Ends the session because of what cannot be read or is no packet at all: the server is told.
    pub fn fail(&mut self, reason: CloseReason, out: &mut Vec<Output>) {
        if !matches!(self.phase, Phase::Closed) {
            self.close(reason, out);
        }
    }

    fn close(&mut self, reason: CloseReason, out: &mut Vec<Output>) {
        // a server that said goodbye, or refused us, does not listen any more
        let words = match &reason {
            CloseReason::User => Some("client exit".to_owned()),
            CloseReason::Timeout(_) => Some("server ping timeout".to_owned()),
            CloseReason::Protocol(why) => {
                Some(format!("protocol error: {}", text::shown(why, MAX_GOODBYE_CHARS)))
            }
            CloseReason::Authentication(_) => Some("authentication failed".to_owned()),
            CloseReason::Server(_) | CloseReason::ConnectionLost(_) | CloseReason::ConnectFailed(_) => None,
        };
        if let Some(reason) = words {
            out.push(Output::Send(connection::ToServer::Close { reason }.into()));
        }
        self.phase = Phase::Closed;
        out.push(Output::Close(reason));
    }

    // ---- before the server's hello -------------------------------------------------------------

    fn handshake_packet(
        &mut self,
        now: Instant,
        packet: ServerPacket,
        out: &mut Vec<Output>,
    ) -> Result<(), CloseReason> {
        let Phase::Handshake(handshake) = &mut self.phase else {
            return Ok(());
        };
        match packet {
            ServerPacket::Connection(connection::FromServer::Challenge(challenge)) => {
                handshake.challenge(now, challenge, &self.config, out)
            }
            ServerPacket::Connection(connection::FromServer::Close { reasons }) => {
                Err(handshake::goodbye(&reasons, true))
            }
            ServerPacket::Connection(connection::FromServer::Hello(hello))
                if self.config.profile != Profile::Attach =>
            {
                let info = SessionEvent::Info(server_info::flatten(&hello));
                out.push(Output::Event(info));
                Err(CloseReason::User)
            }
            ServerPacket::Connection(connection::FromServer::Hello(hello))
                if self.is_half_understood(&hello) =>
            {
                let reason = "connecting again".to_owned();
                out.push(Output::Send(connection::ToServer::Close { reason }.into()));
                self.phase = Phase::Closed;
                out.push(Output::SpeakLegacy);
                Ok(())
            }
            ServerPacket::Connection(connection::FromServer::Hello(hello)) => {
                self.accepted(now, &hello, out);
                self.server_hello = Some(hello);
                Ok(())
            }
            ServerPacket::Draw(draw::FromServer::Draw(_))
            | ServerPacket::Window(window::FromServer::Create(_)) => {
                Err(CloseReason::Protocol("the server sent windows before its hello".to_owned()))
            }
            other => {
                tracing::debug!(packet = ?std::mem::discriminant(&other), "ignored before the server's hello");
                Ok(())
            }
        }
    }

    fn accepted(&mut self, now: Instant, hello: &Dict, out: &mut Vec<Output>) {
        let traits = ServerTraits::from_hello(hello);
        let info = server_info::server_info(hello, self.config.generation, &self.config.compressors);
        tracing::info!(version = info.version, mode = info.mode, wire = info.wire, "the server accepted us");
        self.windows.desktop_server = traits.is_desktop;
        self.input.precise_wheel = traits.precise_wheel;
        self.input.server_repeats = traits.repeats_keys;
        self.keymap_known();
        self.phase = Phase::Running(Pinger::new(now));
        self.server_desktop = traits.desktop;
        self.set_desktop(out);
        out.push(Output::Event(SessionEvent::Connected(Box::new(info))));
        let modern = self.config.generation.is_modern();
        if modern || self.keyboard_changed {
            // 6.x: the keycodes did not fit into hello
            self.send_keyboard(out);
        }
        self.draws.accepted(&traits, &self.config, out);
        self.clipboard.accepted(hello, &self.config, out);
    }

    /// The bounds follow the desktop: the local one, and that of a server whose windows are whole desktops.
    fn set_desktop(&mut self, out: &mut Vec<Output>) {
        let (local, server) = (self.config.display.size, self.server_desktop.unwrap_or_default());
        let width = local.width.max(server.width);
        let height = local.height.max(server.height);
        let bounds = self.windows.room.set_desktop(Size { width, height });
        out.push(Output::Established { bounds });
    }

    // ---- after it ------------------------------------------------------------------------------

    fn running_packet(
        &mut self,
        now: Instant,
        trace: DrawTrace,
        packet: ServerPacket,
        out: &mut Vec<Output>,
    ) -> Result<(), CloseReason> {
        match packet {
            ServerPacket::Draw(packet) => {
                self.draws.packet(trace, packet, &self.config, &mut self.windows, out)
            }
            ServerPacket::Window(packet) => {
                if let window::FromServer::Destroy { wid } = packet {
                    self.input.window_gone(wid, out);
                }
                self.windows.packet(packet, out);
                Ok(())
            }
            ServerPacket::Pointer(packet) => {
                out.extend(pointer::packet(packet).map(Output::Event));
                Ok(())
            }
            ServerPacket::Connection(packet) => self.connection_packet(now, packet, out),
            ServerPacket::Clipboard(packet) => {
                self.clipboard.packet(now, packet, out);
                Ok(())
            }
            ServerPacket::Unknown { name } => {
                self.unknown.note(name);
                Ok(())
            }
            // Its size is what we told; nothing else of it is shown.
            ServerPacket::Display(_) | ServerPacket::Ignored { .. } => Ok(()),
        }
    }

    fn connection_packet(
        &mut self,
        now: Instant,
        packet: connection::FromServer,
        out: &mut Vec<Output>,
    ) -> Result<(), CloseReason> {
        use connection::FromServer as Packet;
        match (packet, &mut self.phase) {
            (Packet::Ping { monotonic_ms, sid }, Phase::Running(pinger)) => {
                out.push(Output::Send(pinger.echo(monotonic_ms, sid)));
            }
            (Packet::PingEcho(echo), Phase::Running(pinger)) => {
                let latency = pinger.echoed(now, &echo);
                out.extend(latency.map(|latency| Output::Event(SessionEvent::Latency(latency))));
            }
            (Packet::SettingChange { name, value }, _) => self.clipboard.setting(now, &name, &value, out),
            (Packet::Close { reasons }, _) => return Err(handshake::goodbye(&reasons, false)),
            (Packet::StartupComplete, _) => out.push(Output::Event(SessionEvent::StartupComplete)),
            (Packet::InfoResponse(info), _) if std::mem::take(&mut self.info_wanted) => {
                out.push(Output::Event(SessionEvent::Info(server_info::flatten(&info))));
            }
            (
                Packet::Hello(_)
                | Packet::Challenge(_)
                | Packet::Ping { .. }
                | Packet::PingEcho(_)
                | Packet::InfoResponse(_)
                | Packet::ServerEvent { .. }
                | Packet::Control { .. },
                _,
            ) => {}
        }
        Ok(())
    }

    fn running_input(&mut self, now: Instant, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::WindowMapped { wid, x, y, size } => self.windows.mapped(wid, x, y, size, out),
            Input::WindowUnmapped { wid, iconified } => self.windows.unmapped(wid, iconified, out),
            Input::WindowConfigured { wid, x, y, size, state } => {
                self.windows.configured(wid, x, y, size, state, out);
            }
            Input::WindowToldAgain { wid, x, y, size } => self.windows.told_again(wid, x, y, size, out),
            Input::WindowRemembered { wid, memory } => self.windows.remembered(wid, memory, out),
            Input::WindowCloseRequested { wid } if self.windows.contains(wid) => {
                out.push(Output::Send(window::ToServer::Close { wid }.into()));
            }
            Input::Focus { wid } => {
                let wid = self.known(wid);
                self.input.focus(wid, out);
            }
            Input::Key { wid, mut key, pressed, modifiers } => {
                let wid = self.known(wid);
                let (group, is_other) = self.told_keymap.group(key.group, pressed);
                key.group = group;
                if is_other {
                    self.send_keyboard(out);
                }
                if self.told_keymap.leaves_first_group(group) {
                    self.input.first_group(wid, out);
                }
                self.input.key(wid, key, pressed, modifiers, out);
            }
            Input::PointerMoved(pointer) => {
                let pointer = self.over_known(pointer);
                self.input.motion(pointer, out);
            }
            Input::PointerButton { button, pressed, pointer } => {
                let pointer = self.over_known(pointer);
                self.input.button(button, pressed, pointer, out);
            }
            Input::Wheel { dx, dy, pointer } => {
                let pointer = self.over_known(pointer);
                self.input.wheel(dx, dy, pointer, out);
            }
            Input::ScreenChanged(display) => {
                self.config.display = *display;
                self.set_desktop(out);
                out.push(Output::Send(display::configure(&self.config.display).into()));
            }
            Input::KeymapChanged(keymap) => {
                if self.config.keymap.as_ref() != Some(&keymap) {
                    self.config.keymap = Some(*keymap);
                    self.keymap_known();
                    self.send_keyboard(out);
                }
            }
            Input::RefreshWindow { wid } if self.windows.contains(wid) => {
                out.push(Output::Send(draw::ToServer::Refresh { wid, quality: 100 }.into()));
            }
            Input::Clipboard(event) => self.clipboard.input(now, event, out),
            Input::ClipboardDirection(direction) => self.clipboard.change(direction, out),
            Input::RequestInfo => {
                self.info_wanted = true;
                out.push(Output::Send(connection::ToServer::InfoRequest.into()));
            }
            Input::EncodingOption { name, value } => {
                self.config.pictures.note_option(name, value);
                let value = Value::from(value);
                out.push(Output::Send(draw::ToServer::EncodingOption { name, value }.into()));
            }
            Input::PreferEncoding(encoding) => {
                self.config.pictures.preferred =
                    Some(encoding).filter(|name| !name.is_empty() && name != "auto");
                self.draws.offer_again(&self.config, &mut self.windows, out);
            }
            Input::BandwidthLimit { bits_per_second } => {
                out.push(Output::Send(draw::ToServer::BandwidthLimit { bits_per_second }.into()));
            }
            Input::WindowCloseRequested { .. }
            | Input::RefreshWindow { .. }
            | Input::Password(_)
            | Input::PasswordCancelled
            | Input::Disconnect => {}
        }
    }

    fn keymap_known(&mut self) {
        self.told_keymap.start(self.config.keymap.as_ref());
        self.input.keymap(self.config.keymap.as_ref().unwrap_or(&keymap::us()));
    }

    fn send_keyboard(&self, out: &mut Vec<Output>) {
        keyboard::tell(&self.config, &self.told_keymap, out);
    }

    fn over_known(&self, pointer: PointerState) -> PointerState {
        PointerState { wid: self.known(pointer.wid), ..pointer }
    }

    fn known(&self, wid: Option<WindowId>) -> Option<WindowId> {
        wid.filter(|wid| self.windows.contains(*wid))
    }
}
