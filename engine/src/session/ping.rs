//! Is the server still there, and how far away is it?

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::protocol::packet::ClientPacket;
use crate::protocol::packet::connection::{self, PingEcho};

/// How often a ping is sent.
pub const PING_INTERVAL: Duration = Duration::from_secs(3);
/// The connection is given up when nothing at all came for this long although pings were sent, unless the user says
/// otherwise.
pub const SERVER_TIMEOUT: Duration = Duration::from_secs(45);
/// How long the server may be silent after this machine slept: then most connections are dead.
pub const WAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of a server's session number that are sent back with the answer to its ping: it has 32 or so.
const MAX_SID: usize = 128;
/// Pings whose echo is awaited; older ones are forgotten.
const MAX_OUTSTANDING: usize = 16;

/// Sends pings, measures their way back, notices silence.
#[derive(Debug)]
pub struct Pinger {
    /// Zero of the times on the wire.
    epoch: Instant,
    last_heard: Instant,
    /// How long it may be silent.
    silence: Duration,
    /// This machine slept until then, and nothing was heard since.
    woke: Option<Instant>,
    next_ping: Instant,
    last_latency: Option<Duration>,
    /// Time on the wire and real time of the pings that were not echoed yet.
    outstanding: VecDeque<(u64, Instant)>,
}

impl Pinger {
    /// Starts with a ping that is due at once. The server may be silent for `silence`.
    pub fn new(now: Instant, silence: Duration) -> Self {
        Self {
            epoch: now,
            last_heard: now,
            silence,
            woke: None,
            next_ping: now,
            last_latency: None,
            outstanding: VecDeque::new(),
        }
    }

    /// Something came from the server.
    pub fn heard(&mut self, now: Instant) {
        self.last_heard = self.last_heard.max(now);
        self.woke = None;
    }

    /// This machine slept until now.
    pub fn woke(&mut self, now: Instant) {
        (self.woke, self.next_ping) = (Some(now), now);
    }

    /// When [`Pinger::poll`] has something to do.
    pub fn next_timeout(&self) -> Instant {
        self.next_ping
    }

    /// The ping to send if one is due, or the silence if it lasted too long.
    ///
    /// # Errors
    /// The silence.
    pub fn poll(&mut self, now: Instant) -> Result<Option<ClientPacket>, Duration> {
        if now < self.next_ping {
            return Ok(None);
        }
        // A process that slept could not hear anything: the wait starts again.
        if now.saturating_duration_since(self.next_ping) > PING_INTERVAL {
            self.last_heard = now;
        }
        let silence = now.saturating_duration_since(self.last_heard);
        let since_awake = self.woke.map_or(Duration::ZERO, |woke| now.saturating_duration_since(woke));
        if silence >= self.silence || since_awake >= WAKE_TIMEOUT {
            return Err(silence.max(since_awake));
        }
        let limit = if self.woke.is_some() { WAKE_TIMEOUT.min(self.silence) } else { self.silence };
        self.next_ping = now + PING_INTERVAL.min(limit / 4);
        let monotonic_ms = self.millis(now);
        if self.outstanding.len() >= MAX_OUTSTANDING {
            self.outstanding.pop_front();
        }
        self.outstanding.push_back((monotonic_ms, now));
        Ok(Some(ClientPacket::Connection(connection::ToServer::Ping { monotonic_ms })))
    }

    /// The answer to the server's own ping.
    pub fn echo(&self, monotonic_ms: u64, sid: Option<String>) -> ClientPacket {
        let latency_ms = self.last_latency.map_or(-1, |l| i64::try_from(l.as_millis()).unwrap_or(-1));
        let sid = sid.filter(|sid| sid.len() <= MAX_SID);
        // load averages of the client's machine are nobody's business
        ClientPacket::Connection(connection::ToServer::PingEcho(connection::PingEcho {
            monotonic_ms,
            load: [0; 3],
            latency_ms,
            sid,
        }))
    }

    /// The latency, if the echo answers a ping of ours that was not answered yet.
    pub fn echoed(&mut self, now: Instant, echo: &PingEcho) -> Option<Duration> {
        let index = self.outstanding.iter().position(|(ms, _)| *ms == echo.monotonic_ms)?;
        let (_, sent) = self.outstanding.remove(index)?;
        let latency = now.saturating_duration_since(sent);
        self.last_latency = Some(latency);
        Some(latency)
    }

    /// Milliseconds since the epoch plus one: 0 means "no time" to servers.
    fn millis(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.epoch).as_millis();
        u64::try_from(elapsed).unwrap_or(u64::MAX - 1) + 1
    }
}
