//! The connection itself: from the first hello to the goodbye, pings, and what the server says of itself
//! ([`crate::protocol::packet::connection`]). Login is [`super::handshake`].

mod again;
mod certificate;
mod command;
mod displays;
mod messages;
mod rival;

use std::time::{Duration, Instant};

pub use again::{Before, Prospect, SessionId};
pub use certificate::{Certificate, CertificateAnswer, CertificateQuestion, Fingerprint};
pub use messages::{Away, CloseReason, ConnectionEvent, ConnectionInput, SshAsk};
pub use rival::has_rival;

use super::config::Profile;
use super::encryption;
use super::event::Output;
use super::ping::Pinger;
use super::server_info::{self, ServerTraits};
use super::{Phase, Session, handshake};
use crate::protocol::packet::connection::{FromServer, ToServer};
use crate::protocol::packet::{Dict, ServerPacket, draw, window};
use crate::protocol::text;

/// Characters of what is wrong that the server is told.
const MAX_GOODBYE_CHARS: usize = 200;

/// The end of a connection on which nothing came for so long.
pub(super) fn silent_for(silence: Duration) -> CloseReason {
    CloseReason::Timeout(format!("the server has been silent for {} seconds", silence.as_secs()))
}

impl Session {
    /// Takes a packet before the server's hello was accepted.
    pub(super) fn handshake_packet(
        &mut self,
        now: Instant,
        packet: ServerPacket,
        out: &mut Vec<Output>,
    ) -> Result<(), CloseReason> {
        let Phase::Handshake(handshake) = &mut self.phase else {
            return Ok(());
        };
        match packet {
            ServerPacket::Connection(FromServer::Challenge(challenge)) => {
                handshake.challenge(now, challenge, &self.setup, out)
            }
            ServerPacket::Connection(FromServer::Close { reasons })
                if encryption::is_not_understood(&self.setup, &reasons) =>
            {
                self.phase = Phase::Closed;
                out.push(Output::SpeakLegacy);
                Ok(())
            }
            ServerPacket::Connection(FromServer::Close { reasons }) => {
                let displays = displays::offered(&reasons);
                let is_asked_anew = self.setup.config.display_name.is_none()
                    && self.setup.peer.dialect.is_modern()
                    && displays::are_withheld(&reasons);
                if displays.is_empty() && !is_asked_anew {
                    let done = command::done(self.setup.config.profile, &reasons);
                    let refused = encryption::silence(&self.setup, &reasons);
                    return Err(done
                        .or(refused)
                        .unwrap_or_else(|| handshake.goodbye(&reasons, &mut self.setup)));
                }
                // The login went well: the session that is chosen then asks for the same.
                self.setup.config.remembered = handshake.passwords().to_owned();
                Err(CloseReason::SeveralSessions(displays))
            }
            ServerPacket::Connection(FromServer::Hello(hello))
                if self.setup.config.profile != Profile::Attach =>
            {
                handshake::agreed(&hello, true, &self.setup, out)?;
                if let Profile::Command(command) = self.setup.config.profile {
                    return command::accepted(command, &hello, out);
                }
                out.push(Output::Event(ConnectionEvent::Info(server_info::flatten(&hello)).into()));
                Err(CloseReason::User)
            }
            ServerPacket::Connection(FromServer::Hello(hello)) if self.is_half_understood(&hello) => {
                let reason = "connecting again".to_owned();
                out.push(Output::Send(ToServer::Close { reason }.into()));
                self.phase = Phase::Closed;
                out.push(Output::SpeakLegacy);
                Ok(())
            }
            ServerPacket::Connection(FromServer::Hello(hello)) => {
                handshake::agreed(&hello, false, &self.setup, out)?;
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

    /// Whether `packet` will make the session end with [`Output::SpeakLegacy`].
    pub fn will_speak_legacy(&self, packet: &ServerPacket) -> bool {
        match (&self.phase, packet) {
            (Phase::Handshake(_), ServerPacket::Connection(FromServer::Hello(hello))) => {
                self.is_half_understood(hello)
            }
            _ => false,
        }
    }

    fn is_half_understood(&self, hello: &Dict) -> bool {
        self.setup.peer.may_speak_legacy
            && self.setup.config.profile == Profile::Attach
            && ServerTraits::from_hello(hello).reads_flat_names()
    }

    fn accepted(&mut self, now: Instant, hello: &Dict, out: &mut Vec<Output>) {
        let traits = ServerTraits::from_hello(hello);
        let info = server_info::server_info(hello, self.setup.peer.dialect, &self.setup.config.compressors);
        tracing::info!(version = info.version, mode = info.mode, wire = info.wire, "the server accepted us");
        self.windows.desktop_server = traits.is_desktop;
        self.go_on(SessionId::from_hello(hello), out);
        self.devices.accepted(&traits);
        let pinger = Phase::Running(Pinger::new(now, self.setup.config.silence));
        if let Phase::Handshake(handshake) = std::mem::replace(&mut self.phase, pinger)
            && self.setup.config.reconnect
        {
            self.setup.config.remembered = handshake.into_passwords();
        }
        self.display.accepted(&traits, &self.setup, &mut self.windows, out);
        out.push(Output::Event(ConnectionEvent::Connected(Box::new(info)).into()));
        self.keyboard.accepted(&self.setup, &mut self.devices, out);
        self.draws.accepted(&traits, &self.setup, out);
        self.clipboard.accepted(hello, &self.setup, out);
    }

    /// The server has this session. If it is not the one that was lost, that one's windows are no more.
    fn go_on(&mut self, id: SessionId, out: &mut Vec<Output>) {
        let is_same = self.before.as_ref().is_some_and(|before| before.id.is(&id));
        if let Some(before) = self.before.replace(Before { id, ..Before::default() }) {
            self.windows.expect(before.windows);
            if !is_same {
                tracing::info!("another session answers at the address");
                self.windows.forget_expected(out);
            }
        }
    }

    /// Takes one of the subject's packets after that.
    pub(super) fn connection_packet(
        &mut self,
        now: Instant,
        packet: FromServer,
        out: &mut Vec<Output>,
    ) -> Result<(), CloseReason> {
        match (packet, &mut self.phase) {
            (FromServer::Ping { monotonic_ms, sid }, Phase::Running(pinger)) => {
                out.push(Output::Send(pinger.echo(monotonic_ms, sid)));
            }
            (FromServer::PingEcho(echo), Phase::Running(pinger)) => {
                let latency = pinger.echoed(now, &echo);
                out.extend(latency.map(|latency| Output::Event(ConnectionEvent::Latency(latency).into())));
            }
            (FromServer::Menu(menu), _) => {
                out.push(Output::Event(ConnectionEvent::Menu(Box::new(menu)).into()));
            }
            (FromServer::SettingChange { name, value }, _) => self.clipboard.setting(now, &name, &value, out),
            (FromServer::Close { .. }, _) if self.stopping => return Err(CloseReason::User),
            (FromServer::Close { reasons }, _) => return Err(handshake::goodbye(&reasons)),
            (FromServer::StartupComplete, _) => {
                self.windows.forget_expected(out);
                out.push(Output::Event(ConnectionEvent::StartupComplete.into()));
            }
            (FromServer::InfoResponse(info), _) if std::mem::take(&mut self.info_wanted) => {
                out.push(Output::Event(ConnectionEvent::Info(server_info::flatten(&info)).into()));
            }
            (
                FromServer::Hello(_)
                | FromServer::Challenge(_)
                | FromServer::Ping { .. }
                | FromServer::PingEcho(_)
                | FromServer::InfoResponse(_)
                | FromServer::ServerEvent { .. }
                | FromServer::Control { .. },
                _,
            ) => {}
        }
        Ok(())
    }

    /// Takes what the user wants of the connection, in any phase but the last.
    pub(super) fn connection_input(
        &mut self,
        now: Instant,
        input: ConnectionInput,
        out: &mut Vec<Output>,
    ) -> Result<(), CloseReason> {
        match (&mut self.phase, input) {
            (_, ConnectionInput::Disconnect) => Err(CloseReason::User),
            (Phase::Handshake(handshake), ConnectionInput::Password(password)) => {
                handshake.password(now, &password, &self.setup, out)
            }
            (Phase::Handshake(handshake), ConnectionInput::PasswordCancelled) => {
                handshake.password_cancelled()
            }
            (Phase::Running(_), ConnectionInput::RequestInfo) => {
                self.info_wanted = true;
                out.push(Output::Send(ToServer::InfoRequest.into()));
                Ok(())
            }
            (Phase::Running(_), ConnectionInput::Start { name, command }) => {
                out.push(Output::Send(ToServer::Start { name, command, ignored: false }.into()));
                Ok(())
            }
            (Phase::Running(_), ConnectionInput::StopServer) => {
                self.stopping = true;
                out.push(Output::Send(ToServer::StopServer.into()));
                Ok(())
            }
            (Phase::Running(pinger), ConnectionInput::TryNow) => {
                pinger.silence(now).map_or(Ok(()), |silence| Err(silent_for(silence)))
            }
            (
                Phase::Running(_) | Phase::Closed,
                ConnectionInput::Password(_) | ConnectionInput::PasswordCancelled,
            )
            | (
                Phase::Handshake(_) | Phase::Closed,
                ConnectionInput::RequestInfo | ConnectionInput::StopServer | ConnectionInput::Start { .. },
            )
            // The way to the server was found before the session began.
            | (_, ConnectionInput::TryNow | ConnectionInput::Certificate { .. } | ConnectionInput::Display(_)) => {
                Ok(())
            }
        }
    }

    /// Ends the session because of what cannot be read or is no packet at all: the server is told.
    pub fn fail(&mut self, reason: CloseReason, out: &mut Vec<Output>) {
        if !matches!(self.phase, Phase::Closed) {
            self.close(reason, out);
        }
    }

    pub(super) fn close(&mut self, reason: CloseReason, out: &mut Vec<Output>) {
        // a server that said goodbye, or refused us, does not listen any more
        let words = match &reason {
            CloseReason::User => Some("client exit".to_owned()),
            CloseReason::Timeout(_) => Some("server ping timeout".to_owned()),
            CloseReason::Protocol(why) => {
                Some(format!("protocol error: {}", text::shown(why, MAX_GOODBYE_CHARS)))
            }
            CloseReason::Authentication(_) => Some("authentication failed".to_owned()),
            CloseReason::Server(_)
            | CloseReason::ConnectionLost(_)
            | CloseReason::ConnectFailed(_)
            | CloseReason::CertificateChanged(_)
            | CloseReason::SeveralSessions(_)
            | CloseReason::PasswordRefused { .. } => None,
        };
        if let Some(reason) = words {
            out.push(Output::Send(ToServer::Close { reason }.into()));
        }
        self.phase = Phase::Closed;
        out.push(Output::Close(reason));
    }
}
