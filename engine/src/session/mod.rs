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
mod connection;
mod display;
pub mod draw_ledger;
mod draws;
mod encodings;
pub mod encryption;
pub mod event;
mod handshake;
mod hello;
mod input;
mod keyboard;
mod keymap;
mod metadata;
pub mod ping;
mod pointer;
mod room;
mod server_info;
mod setup;
mod snapshot;
mod unknown;
mod video;
pub mod windows;

use std::time::Instant;

pub use clipboard::ClipboardInput;
pub use config::{ClientIdentity, PictureOptions, Profile, Secret, SessionCommand, SessionConfig};
pub use connection::{
    Away, Before, Certificate, CertificateAnswer, CertificateQuestion, CloseReason, ConnectionEvent,
    ConnectionInput, Fingerprint, Prospect, SessionId, SshAsk, has_rival,
};
pub use display::{DisplayInfo, DisplayInput, Monitor};
pub use draws::DrawInput;
pub use encryption::Encryption;
pub use event::{DrawDone, DrawRequest, Input, Output, SessionEvent};
pub use handshake::HELLO_TIMEOUT;
pub use keyboard::{Key, KeyboardInput, Keymap, KeymapEntry};
pub use pointer::{CursorShape, PointerEvent, PointerInput};
pub use server_info::ServerInfo;
pub use setup::{Link, LocalInfo, Peer, Setup};
pub use windows::{WindowChange, WindowEvent, WindowInfo, WindowInput, WindowState};

use crate::protocol::packet::{ClientPacket, Dict, ServerPacket, WindowId, window};
use crate::stats::{ClipboardTotals, DrawTrace};
use clipboard::Clipboard;
use display::Display;
use draws::Draws;
use handshake::Handshake;
use input::InputState;
use keyboard::Keyboard;
use ping::Pinger;
use unknown::UnknownPackets;
use windows::Windows;

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
    setup: Setup,
    phase: Phase,
    windows: Windows,
    draws: Draws,
    display: Display,
    keyboard: Keyboard,
    /// Keys, pointer and focus.
    devices: InputState,
    clipboard: Clipboard,
    /// With which the server accepted us.
    server_hello: Option<Dict>,
    /// Of the connection that this one takes the place of, until the server accepts us; then what is to be left to the
    /// next one.
    before: Option<Before>,
    /// The server was asked for its information and has not answered.
    info_wanted: bool,
    /// The server was told to end.
    stopping: bool,
    unknown: UnknownPackets,
}

impl Session {
    /// A session that has not said hello yet.
    pub fn new(mut setup: Setup) -> Self {
        setup.config.pictures.complete();
        Self {
            setup,
            phase: Phase::Handshake(Handshake::default()),
            windows: Windows::default(),
            draws: Draws::default(),
            display: Display::default(),
            keyboard: Keyboard::default(),
            devices: InputState::default(),
            clipboard: Clipboard::default(),
            server_hello: None,
            before: None,
            info_wanted: false,
            stopping: false,
            unknown: UnknownPackets::default(),
        }
    }

    /// A session that has not said hello yet, and takes the place of one whose connection was lost.
    pub fn after(before: Before, setup: Setup) -> Self {
        let clipboard = before.clipboard.successor();
        Self { before: Some(before), clipboard, ..Self::new(setup) }
    }

    /// Ends it without a word: what is wanted now, and what the one that takes its place has to know. That is `None` if
    /// no server accepted us, neither in this one nor before it.
    pub fn leave(self) -> (Setup, Option<Before>) {
        let Self { setup, before, windows, clipboard, server_hello, .. } = self;
        if server_hello.is_none() {
            return (setup, before);
        }
        let before = before.map(|before| Before {
            windows: windows.all_known(),
            clipboard: clipboard.successor(),
            ..before
        });
        (setup, before)
    }

    /// Says hello.
    pub fn start(&mut self, now: Instant, out: &mut Vec<Output>) {
        if let Phase::Handshake(handshake) = &mut self.phase
            && let Err(reason) = handshake.start(now, &self.setup, out)
        {
            self.close(reason, out);
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
        match result {
            Ok(()) => self.say_silence(now, out),
            Err(reason) => self.close(reason, out),
        }
    }

    /// Bytes came from the server: it is there, also while a large packet is on its way.
    pub fn receiving(&mut self, now: Instant, out: &mut Vec<Output>) {
        self.excuse_silence(now);
        self.say_silence(now, out);
    }

    /// Says that the server does not answer, or does again, if that is new.
    fn say_silence(&mut self, now: Instant, out: &mut Vec<Output>) {
        if let Phase::Running(pinger) = &mut self.phase
            && let Some(since) = pinger.silence_changed(now)
        {
            out.push(Output::Event(ConnectionEvent::Silence(since).into()));
        }
    }

    /// Takes what the user, the desktop or the application did.
    pub fn handle_input(&mut self, now: Instant, input: Input, out: &mut Vec<Output>) {
        let is_running = match self.phase {
            Phase::Handshake(_) => false,
            Phase::Running(_) => true,
            Phase::Closed => return,
        };
        if let Phase::Running(pinger) = &mut self.phase
            && input.wants_answer()
        {
            pinger.acted(now);
        }
        let Self { setup, windows, devices, .. } = self;
        match input {
            Input::Connection(input) => {
                if let Err(reason) = self.connection_input(now, input, out) {
                    self.close(reason, out);
                }
            }
            Input::Keyboard(input) if !is_running => self.keyboard.early_input(input, setup),
            // Nothing that is done means anything before the server's hello.
            input if !is_running => setup.note(input),
            Input::Window(input) => windows.input(input, out),
            Input::Keyboard(input) => self.keyboard.input(input, setup, windows, devices, out),
            Input::Pointer(input) => {
                let moves = matches!(input, PointerInput::Moved(_));
                pointer::input(input, windows, devices, out);
                if let Phase::Running(pinger) = &mut self.phase
                    && moves
                {
                    out.extend(pinger.moved(now).map(Output::Send));
                }
            }
            Input::Display(input) => self.display.input(input, setup, windows, out),
            Input::Draw(input) => self.draws.input(input, setup, windows, out),
            Input::Clipboard(input) => {
                if let ClipboardInput::Direction(direction) = input {
                    setup.config.clipboard.direction = direction;
                }
                self.clipboard.input(now, input, out);
            }
        }
    }

    /// From when on a pointer position is to be handed over, `None`: when something was heard. Keys and buttons are at
    /// any time, and take the position before them along.
    pub fn next_motion(&self, now: Instant) -> Option<Instant> {
        match &self.phase {
            Phase::Running(pinger) => pinger.next_motion(now),
            Phase::Handshake(_) | Phase::Closed => Some(now),
        }
    }

    /// The machine slept: whether the server is still there is asked at once, and it has to say something soon.
    pub fn woke(&mut self, now: Instant) {
        if let Phase::Running(pinger) = &mut self.phase {
            pinger.woke(now);
        }
    }

    /// A draw was shown or refused: the server is told.
    pub fn handle_draw_done(&mut self, done: &DrawDone, out: &mut Vec<Output>) {
        if !matches!(self.phase, Phase::Running(_)) {
            return;
        }
        self.draws.done(done, &self.setup, &mut self.windows, out);
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
                    return self.say_silence(now, out);
                }
                Err(silence) => connection::silent_for(silence),
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

    /// The user wanted the server to end: then an end is what was to come, whatever the server says or does not.
    pub fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// A window as it is now.
    pub fn window(&self, wid: WindowId) -> Option<&WindowInfo> {
        self.windows.info(wid)
    }

    fn running_packet(
        &mut self,
        now: Instant,
        trace: DrawTrace,
        packet: ServerPacket,
        out: &mut Vec<Output>,
    ) -> Result<(), CloseReason> {
        match packet {
            ServerPacket::Connection(packet) => return self.connection_packet(now, packet, out),
            ServerPacket::Draw(packet) => {
                return self.draws.packet(trace, packet, &self.setup, &mut self.windows, out);
            }
            ServerPacket::Window(packet) => {
                if let window::FromServer::Destroy { wid } = packet {
                    self.devices.window_gone(wid, out);
                }
                self.windows.packet(packet, out);
            }
            ServerPacket::Pointer(packet) => pointer::packet(packet, out),
            ServerPacket::Clipboard(packet) => self.clipboard.packet(now, packet, out),
            ServerPacket::Unknown { name } => self.unknown.note(name),
            // Its size is what we told; nothing else of it is shown.
            ServerPacket::Display(_) | ServerPacket::Ignored { .. } => {}
        }
        Ok(())
    }
}
