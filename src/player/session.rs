//! One client to which a recording is played.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use crate::channel::clock;
use crate::protocol::packet::connection::{self, PingEcho};
use crate::protocol::packet::draw::{self, DrawOutcome};
use crate::protocol::packet::window;
use crate::protocol::packet::{Dict, DrawSequence, WindowId};
use crate::protocol::{ClientPacket, ServerPacket};
use crate::serving::hello::is_request;
use crate::serving::{Received, Wire};

use super::hello;
use super::script::{PlayError, Script, Step};
use super::{AtEnd, Options, Pace, Progress};

/// How often clients are asked whether they are still there.
const PING_EVERY: Duration = Duration::from_secs(5);
/// A client that acknowledges nothing for this long is not waited for any more: it may have closed
/// the window.
const PATIENCE: Duration = Duration::from_secs(10);
/// What was acknowledged last may still have to be presented when the client is told goodbye.
const LINGER: Duration = Duration::from_millis(300);

/// Plays the recording to one client until it leaves, or until `shutdown` changes.
///
/// # Errors
/// If the recording cannot be opened, the client breaks the protocol or the connection does.
pub async fn run(
    stream: TcpStream,
    mut shutdown: watch::Receiver<bool>,
    options: Arc<Options>,
    progress: Progress,
    draws_allowed: watch::Receiver<u64>,
) -> Result<(), PlayError> {
    let accepted = tokio::select! {
        accepted = Wire::accept(stream) => accepted?,
        _ = shutdown.changed() => return Ok(()),
    };
    let Some((mut wire, client)) = accepted else { return Ok(()) };
    let mut script = Script::open(&options.file)?;
    let recorded = script.hello()?;
    script.repeat(options.rounds);
    let answer = hello::answer(wire.dialect(), &client, &recorded, script.dialect());
    wire.send(&connection::FromServer::Hello(answer).into()).await?;
    if is_request(&client) {
        return Ok(());
    }
    progress.note(|played| played.clients += 1);
    let mut session = Session::new(wire, script, &options, progress, draws_allowed);
    let ended = tokio::select! {
        ended = session.play() => ended,
        _ = shutdown.changed() => Ok(Some("server shutdown")),
    };
    if let Some(reason) = ended? {
        session.wire.goodbye(reason).await;
    }
    Ok(())
}

/// A client's session.
struct Session<'a> {
    wire: Wire,
    script: Script,
    options: &'a Options,
    progress: Progress,
    /// How many draws may be sent in all.
    draws_allowed: watch::Receiver<u64>,
    draws_sent: u64,
    began: Instant,
    /// The packet to send next; `None` after the last one.
    next: Option<Step>,
    /// Draws that the client has not acknowledged.
    unanswered: BTreeSet<(WindowId, DrawSequence)>,
    /// When the client last acknowledged something, or was given something to acknowledge while
    /// it had nothing.
    answered: Instant,
    /// Sizes of the windows, as the client knows them.
    sizes: BTreeMap<WindowId, (u32, u32)>,
    finished: bool,
}

/// What happened.
enum Wake {
    Received(Received),
    Due,
    Allowed,
    Tick,
}

impl<'a> Session<'a> {
    fn new(
        wire: Wire,
        script: Script,
        options: &'a Options,
        progress: Progress,
        draws_allowed: watch::Receiver<u64>,
    ) -> Self {
        let began = Instant::now();
        let mut session = Self {
            wire,
            script,
            options,
            progress,
            draws_allowed,
            draws_sent: 0,
            began,
            next: None,
            unanswered: BTreeSet::new(),
            answered: began,
            sizes: BTreeMap::new(),
            finished: false,
        };
        session.advance();
        session
    }

    /// Plays until the client leaves. Returns what to tell it if it is to leave.
    async fn play(&mut self) -> Result<Option<&'static str>, PlayError> {
        let mut pings = interval(PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due = self.due();
            let wake = tokio::select! {
                biased;
                received = self.wire.receive() => Wake::Received(received?),
                _ = pings.tick() => Wake::Tick,
                Ok(()) = self.draws_allowed.changed() => Wake::Allowed,
                () = wait_until(due.flatten()), if due.is_some() => Wake::Due,
            };
            match wake {
                Wake::Received(Received::End) => return Ok(None),
                Wake::Received(Received::Packet(Some(ClientPacket::Connection(
                    connection::ToServer::Close { .. },
                )))) => {
                    return Ok(None);
                }
                Wake::Received(Received::Packet(Some(packet))) => self.answer(packet).await?,
                Wake::Received(Received::Packet(None)) | Wake::Allowed => {}
                Wake::Due => self.send_next().await?,
                Wake::Tick => self.tick().await?,
            }
            if self.next.is_none() && self.unanswered.is_empty() && !self.finished {
                self.finished = true;
                let time = self.began.elapsed();
                self.progress.note(|played| {
                    played.time = time;
                    played.finished += 1;
                });
                if self.options.at_end == AtEnd::Close {
                    sleep(LINGER).await;
                    return Ok(Some("end of the recording"));
                }
            }
        }
    }

    /// When to send the next packet: `None` if there is none, or not before an acknowledgement;
    /// `Some(None)` for at once.
    fn due(&self) -> Option<Option<Instant>> {
        let next = self.next.as_ref()?;
        let is_draw = matches!(next.packet, ServerPacket::Draw(draw::FromServer::Draw(_)));
        let is_held = || {
            self.unanswered.len() >= self.options.window.max(1)
                || self.draws_sent >= *self.draws_allowed.borrow()
        };
        if is_draw && is_held() {
            return None;
        }
        Some(match self.options.pace {
            Pace::Recorded => Some(self.began + next.at),
            Pace::FlatOut => None,
        })
    }

    /// Reads the packet to send next.
    fn advance(&mut self) {
        self.next = self.script.next_step().unwrap_or_else(|error| {
            tracing::warn!(%error, "the recording is played as far as it can be read");
            self.progress.note(|played| played.damage = Some(error.to_string()));
            None
        });
    }

    async fn send_next(&mut self) -> Result<(), PlayError> {
        let Some(Step { packet, .. }) = self.next.take() else { return Ok(()) };
        if let Some(resize) = self.see(&packet) {
            self.wire.send(&resize).await?;
        }
        self.wire.send(&packet).await?;
        let is_draw = matches!(packet, ServerPacket::Draw(draw::FromServer::Draw(_)));
        self.draws_sent += u64::from(is_draw);
        self.progress.note(|played| {
            played.packets += 1;
            played.draws += u64::from(is_draw);
        });
        self.advance();
        Ok(())
    }

    /// Notes what a packet does to windows. A window that its user had resized at the time of the
    /// recording has to be resized before it is painted.
    fn see(&mut self, packet: &ServerPacket) -> Option<ServerPacket> {
        match packet {
            ServerPacket::Window(window::FromServer::Create(create)) => {
                self.sizes.insert(create.wid, (create.width, create.height));
            }
            ServerPacket::Window(window::FromServer::MoveResize(to)) => {
                self.sizes.insert(to.wid, (to.width, to.height));
            }
            ServerPacket::Window(window::FromServer::Resized { wid, width, height, .. }) => {
                self.sizes.insert(*wid, (*width, *height));
            }
            ServerPacket::Window(window::FromServer::Destroy { wid }) => {
                self.sizes.remove(wid);
                self.unanswered.retain(|(of, _)| of != wid);
            }
            ServerPacket::Draw(draw::FromServer::Draw(draw)) => {
                if self.unanswered.is_empty() {
                    self.answered = Instant::now();
                }
                self.unanswered.insert((draw.wid, draw.sequence));
                let size = draw.options.window_size.filter(|(width, height)| *width > 0 && *height > 0)?;
                let known = self.sizes.get_mut(&draw.wid)?;
                if std::mem::replace(known, size) != size {
                    let ((width, height), wid) = (size, draw.wid);
                    return Some(ServerPacket::Window(window::FromServer::Resized {
                        wid,
                        width,
                        height,
                        resize_counter: 0,
                    }));
                }
            }
            _ => {}
        }
        None
    }

    async fn answer(&mut self, packet: ClientPacket) -> Result<(), PlayError> {
        match packet {
            ClientPacket::Connection(connection::ToServer::Ping { monotonic_ms }) => {
                let echo = PingEcho { monotonic_ms, load: [0; 3], latency_ms: -1, sid: None };
                self.wire.send(&connection::FromServer::PingEcho(echo).into()).await?;
            }
            ClientPacket::Connection(connection::ToServer::InfoRequest) => {
                let mut info = Dict::default();
                let played = self.progress.get();
                info.push("server", "farpane serve")
                    .push("recorded", self.script.start().facts.server.as_str())
                    .push("packets", played.packets)
                    .push("draws", played.draws);
                self.wire.send(&connection::FromServer::InfoResponse(info).into()).await?;
            }
            ClientPacket::Draw(draw::ToServer::Ack(ack)) => {
                self.answered = Instant::now();
                self.unanswered.remove(&(ack.wid, ack.sequence));
                let refusal = match ack.outcome {
                    DrawOutcome::Error { message } => Some(message),
                    _ => None,
                };
                if let Some(message) = &refusal {
                    tracing::debug!(wid = %ack.wid, message, "the client cannot show a draw");
                }
                let now = clock::now();
                self.progress.note(|played| {
                    played.first_acknowledged.get_or_insert(now);
                    played.last_acknowledged = Some(now);
                    played.acknowledged += 1;
                    played.refused += u64::from(refusal.is_some());
                });
            }
            _ => {}
        }
        Ok(())
    }

    async fn tick(&mut self) -> Result<(), PlayError> {
        if !self.unanswered.is_empty() && self.answered.elapsed() >= PATIENCE {
            tracing::warn!(draws = self.unanswered.len(), "the client does not acknowledge these draws");
            self.unanswered.clear();
        }
        let monotonic_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(0);
        Ok(self.wire.send(&connection::FromServer::Ping { monotonic_ms, sid: None }.into()).await?)
    }
}

async fn wait_until(due: Option<Instant>) {
    if let Some(due) = due {
        sleep_until(due).await;
    }
}
