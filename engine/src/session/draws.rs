//! Draws: which are under way, what becomes of them, and in which encodings they may come.

use std::num::NonZeroU64;

use super::connection::CloseReason;
use super::draw_ledger::DrawLedger;
use super::encodings;
use super::event::{DrawDone, DrawRequest, Output};
use super::server_info::ServerTraits;
use super::setup::Setup;
use super::windows::Windows;
use crate::geometry::Rect;
use crate::protocol::Dialect;
use crate::protocol::packet::draw::{DrawAck, DrawOutcome, Encoding, FromServer, ToServer, WindowDraw};
use crate::protocol::packet::{Value, WindowId};
use crate::stats::DrawTrace;

/// How the server is to draw from now on.
#[derive(Clone, Debug)]
pub enum DrawInput {
    /// All pixels of a window are needed again.
    Refresh { wid: WindowId },
    /// Change quality, speed or another encoding option while running.
    EncodingOption { name: &'static str, value: i64 },
    /// Prefer this encoding from now on; `None`: the server chooses.
    PreferEncoding(Option<String>),
    /// Let the server send at most this many bits per second; `None`: as many as it likes.
    BandwidthLimit { bits_per_second: Option<NonZeroU64> },
}

/// The draws of all windows.
#[derive(Debug, Default)]
pub struct Draws {
    ledger: DrawLedger,
    /// The server can be offered `scroll`.
    scroll_works: bool,
    /// The server does not multiply the colours of png pictures by alpha, as it does in all others.
    straight_png: bool,
}

impl Draws {
    /// The server accepted us: what it can do besides is offered.
    pub fn accepted(&mut self, traits: &ServerTraits, setup: &Setup, out: &mut Vec<Output>) {
        self.straight_png = traits.has_straight_png();
        self.scroll_works = traits.scroll_works();
        if setup.peer.dialect.is_modern() && self.scrolls(setup) {
            out.push(Output::Send(ToServer::EncodingConfig(encodings::map(setup, true)).into()));
        }
        if let Some(limit) = setup.config.bandwidth_limit {
            out.push(Output::Send(ToServer::BandwidthLimit { bits_per_second: Some(limit) }.into()));
        }
    }

    fn scrolls(&self, setup: &Setup) -> bool {
        self.scroll_works && encodings::scrolls(&setup.config.pictures)
    }

    /// Takes a packet of the server's.
    ///
    /// # Errors
    /// If the server does not wait for acknowledgements.
    pub fn packet(
        &mut self,
        trace: DrawTrace,
        packet: FromServer,
        setup: &Setup,
        windows: &mut Windows,
        out: &mut Vec<Output>,
    ) -> Result<(), CloseReason> {
        match packet {
            FromServer::Draw(draw) => self.draw(trace, draw, setup, windows, out),
            // The next frame of a stream that ended begins another one, and says so itself.
            FromServer::EndOfStream { .. } | FromServer::Encodings(_) => Ok(()),
        }
    }

    /// Takes what is wanted of the server.
    pub fn input(&self, input: DrawInput, setup: &mut Setup, windows: &mut Windows, out: &mut Vec<Output>) {
        let packet = match input {
            DrawInput::Refresh { wid } if windows.contains(wid) => ToServer::Refresh { wid, quality: 100 },
            DrawInput::Refresh { .. } => return,
            DrawInput::EncodingOption { name, value } => {
                note(input, setup);
                ToServer::EncodingOption { name, value: Value::from(value) }
            }
            DrawInput::PreferEncoding(_) => {
                note(input, setup);
                return self.offer_again(setup, windows, out);
            }
            DrawInput::BandwidthLimit { bits_per_second } => {
                note(input, setup);
                ToServer::BandwidthLimit { bits_per_second }
            }
        };
        out.push(Output::Send(packet.into()));
    }

    /// Hands a draw to the decoders. Also one that will be refused goes that way, so that it keeps
    /// its place in its screen update; only a draw without a window, or out of bounds, is answered here.
    fn draw(
        &mut self,
        mut trace: DrawTrace,
        draw: WindowDraw,
        setup: &Setup,
        windows: &mut Windows,
        out: &mut Vec<Output>,
    ) -> Result<(), CloseReason> {
        let refused = if windows.contains(draw.wid) {
            let refused = windows.check_draw(&draw).err();
            refused.map(|error| DrawOutcome::Error { message: error.to_string() })
        } else {
            Some(DrawOutcome::WindowNotFound)
        };
        let WindowDraw { wid, x, y, width, height, encoding, data, sequence, rowstride, mut options } = draw;
        if let Some(outcome) = refused {
            let ack = DrawAck { wid, sequence, width, height, outcome };
            out.push(Output::Send(ToServer::Ack(ack).into()));
            return Ok(());
        }
        let rect = Rect { x, y, width, height };
        windows.drawn(wid, rect);
        self.ledger.begin(wid, sequence).map_err(|e| CloseReason::Protocol(e.to_string()))?;
        let is_wanted = encodings::accepts(&setup.config.pictures, encoding);
        let encoding = if is_wanted { encoding } else { Encoding::Other };
        options.straight_alpha =
            self.straight_png && is_png(encoding) && windows.info(wid).is_some_and(|info| info.has_alpha);
        windows.video_began(wid, sequence, encoding, &options);
        trace.pixels = u64::from(width) * u64::from(height);
        let request = DrawRequest { wid, sequence, rect, encoding, data, rowstride, options, trace };
        out.push(Output::Draw(request));
        Ok(())
    }

    /// A draw was shown or refused: the server is told.
    pub fn done(&mut self, done: &DrawDone, setup: &Setup, windows: &mut Windows, out: &mut Vec<Output>) {
        let Some(ack) = self.ledger.finish(done, windows.contains(done.wid)) else {
            tracing::debug!(wid = %done.wid, sequence = done.sequence.0, "no such draw is under way");
            return;
        };
        out.push(Output::Send(ToServer::Ack(ack).into()));
        if done.encoding.is_video() {
            let refused = matches!(done.outcome, DrawOutcome::Error { .. });
            let pictures_only = || encodings::pictures_only(setup);
            windows.video_done(done.wid, done.sequence, refused, pictures_only, out);
        }
    }

    /// Other encodings are preferred: offers them from now on, and asks for all pixels in them.
    fn offer_again(&self, setup: &Setup, windows: &mut Windows, out: &mut Vec<Output>) {
        let scroll = self.scrolls(setup);
        let properties = encodings::window_properties(&setup.config.pictures, setup.peer.dialect, scroll);
        windows.map_properties.clone_from(&properties);
        let mut send = |packet| out.push(Output::Send(packet));
        // The list first: a preference that a window's list lacks is replaced for good. The packet that
        // changes the preference alone makes 6.5 log an error and forget the refresh.
        send(ToServer::AllWindows { properties: properties.clone(), refresh: false }.into());
        match setup.peer.dialect {
            Dialect::Modern | Dialect::Yaml => {
                send(ToServer::EncodingConfig(encodings::map(setup, scroll)).into());
                send(ToServer::AllWindows { properties, refresh: true }.into());
            }
            Dialect::Legacy31 => {
                let encoding = encodings::setting(&setup.config.pictures).to_owned();
                send(ToServer::EncodingSet { encoding }.into());
            }
        }
    }

    /// Draws that were handed out and not finished yet.
    pub fn in_flight(&self) -> usize {
        self.ledger.in_flight()
    }

    /// Those of one window.
    pub fn in_flight_of(&self, wid: WindowId) -> usize {
        self.ledger.in_flight_of(wid)
    }
}

/// Keeps what is wanted of the server, for hello and for the next connection.
pub fn note(input: DrawInput, setup: &mut Setup) {
    let config = &mut setup.config;
    match input {
        DrawInput::Refresh { .. } => {}
        DrawInput::EncodingOption { name, value } => config.pictures.note_option(name, value),
        DrawInput::PreferEncoding(encoding) => config.pictures.preferred = encoding,
        DrawInput::BandwidthLimit { bits_per_second } => config.bandwidth_limit = bits_per_second,
    }
}

fn is_png(encoding: Encoding) -> bool {
    matches!(encoding, Encoding::Png | Encoding::PngPalette | Encoding::PngGrey)
}
