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
const MAX_OUTSTANDING: usize = 64;
/// While the pointer moves a ping is sent this often: what shows how old its positions are when they arrive.
const MOTION_PING: Duration = Duration::from_millis(200);
/// An answer is late when it takes longer than the quickest of so many, by that and this much.
const QUICK_OF: usize = 64;
const LATE: Duration = Duration::from_millis(100);
/// What the user does wants an answer: one that is no older is asked for behind it.
const FRESH: Duration = Duration::from_millis(500);
/// No answer for so long is silence while the user waits for one, and while nobody does.
const SILENCE_MISSED: Duration = Duration::from_secs(2);
const SILENCE_NOTICED: Duration = Duration::from_secs(10);
/// How often a position is sent while answers are late, and how late these may be for that.
const SLOW_MOTION: Duration = Duration::from_millis(100);
const STOPPED: Duration = Duration::from_secs(1);

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
    last_ping: Option<Instant>,
    last_motion: Option<Instant>,
    /// When the user did something last that no answer came after.
    acted: Option<Instant>,
    /// The silence that was said of, by its begin.
    told: Option<Instant>,
    /// The newest [`QUICK_OF`], the newest last.
    latencies: VecDeque<Duration>,
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
            last_ping: None,
            last_motion: None,
            acted: None,
            told: None,
            latencies: VecDeque::new(),
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

    /// When [`Pinger::poll`] or [`Pinger::silence_changed`] has something to do.
    pub fn next_timeout(&self) -> Instant {
        let silent = self.silent_from().filter(|_| self.told.is_none());
        silent.map_or(self.next_ping, |from| self.next_ping.min(from))
    }

    /// The user did something that the server's answer is waited for: a key, a click. That there is one is looked after.
    pub fn acted(&mut self, now: Instant) {
        self.acted = Some(now);
        self.ask_again(now);
    }

    /// A ping soon, if none is on the way.
    fn ask_again(&mut self, now: Instant) {
        if self.outstanding.is_empty() {
            let soon = self.last_ping.map_or(now, |last| now.max(last + FRESH));
            self.next_ping = self.next_ping.min(soon);
        }
    }

    /// Since when an answer is missing, whoever waits for it. Never of a server that has not answered a ping yet: some
    /// may not.
    fn unanswered_since(&self) -> Option<Instant> {
        let (sent, _) = (self.outstanding.front()?.1, self.latencies.back()?);
        Some(sent.max(self.last_heard))
    }

    /// From when on that is silence, if nothing is heard until then.
    fn silent_from(&self) -> Option<Instant> {
        let patience = if self.acted.is_some() { SILENCE_MISSED } else { SILENCE_NOTICED };
        self.unanswered_since().map(|since| since + patience)
    }

    /// Since when the server is silent, if that is not what was said last; `Some(None)`: it is not any more.
    pub fn silence_changed(&mut self, now: Instant) -> Option<Option<Instant>> {
        let is_silent = self.silent_from().is_some_and(|from| from <= now);
        if is_silent == self.told.is_some() {
            return None;
        }
        self.told = self.unanswered_since().filter(|_| is_silent);
        Some(self.told)
    }

    /// How long the silence lasts that was said of.
    pub fn silence(&self, now: Instant) -> Option<Duration> {
        self.told.map(|since| now.saturating_duration_since(since))
    }

    /// The ping to send if one is due, or the silence if it lasted too long.
    ///
    /// # Errors
    /// The silence, when it lasted so long that the connection is taken for dead.
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
        Ok(Some(self.ping(now)))
    }

    fn ping(&mut self, now: Instant) -> ClientPacket {
        self.last_ping = Some(now);
        let monotonic_ms = self.millis(now);
        if self.outstanding.len() >= MAX_OUTSTANDING {
            self.outstanding.pop_front();
        }
        self.outstanding.push_back((monotonic_ms, now));
        ClientPacket::Connection(connection::ToServer::Ping { monotonic_ms })
    }

    /// From when on a pointer position may be sent; `None`: when something was heard.
    ///
    /// Those that were sent lie on the way, in systems and devices that nobody can call them back from, and keys behind
    /// them. So fewer are sent while answers to pings are late, and none when the line stands still: then the newest
    /// one waits here.
    pub fn next_motion(&self, now: Instant) -> Option<Instant> {
        let quick = self.latencies.iter().min();
        let (Some(quick), Some((_, sent))) = (quick, self.outstanding.front()) else { return Some(now) };
        let late = now.saturating_duration_since(*sent).checked_sub(2 * *quick + LATE);
        match (late, self.last_motion) {
            (None, _) | (_, None) => Some(now),
            (Some(late), Some(last)) => (late < STOPPED).then_some(last + SLOW_MOTION),
        }
    }

    /// A pointer position was sent: the ping to send behind it, if there is to be one.
    pub fn moved(&mut self, now: Instant) -> Option<ClientPacket> {
        self.last_motion = Some(now);
        let since = self.last_ping.map(|last| now.saturating_duration_since(last));
        since.is_none_or(|since| since >= MOTION_PING).then(|| self.ping(now))
    }

    /// The answer to the server's own ping.
    pub fn echo(&self, monotonic_ms: u64, sid: Option<String>) -> ClientPacket {
        let latency_ms = self.latencies.back().map_or(-1, |l| i64::try_from(l.as_millis()).unwrap_or(-1));
        let sid = sid.filter(|sid| sid.len() <= MAX_SID);
        // load averages of the client's machine are nobody's business
        ClientPacket::Connection(connection::ToServer::PingEcho(connection::PingEcho {
            monotonic_ms,
            load: [0; 3],
            latency_ms,
            sid,
        }))
    }

    /// The latency, if the echo answers a ping of ours that was not answered yet. Those before it are answered too.
    pub fn echoed(&mut self, now: Instant, echo: &PingEcho) -> Option<Duration> {
        let index = self.outstanding.iter().position(|(ms, _)| *ms == echo.monotonic_ms)?;
        let (_, sent) = self.outstanding.drain(..=index).next_back()?;
        let latency = now.saturating_duration_since(sent);
        if self.latencies.len() >= QUICK_OF {
            self.latencies.pop_front();
        }
        self.latencies.push_back(latency);
        if self.acted.take_if(|acted| *acted <= sent).is_none() && self.acted.is_some() {
            self.ask_again(now);
        }
        Some(latency)
    }

    /// Milliseconds since the epoch plus one: 0 means "no time" to servers.
    fn millis(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.epoch).as_millis();
        u64::try_from(elapsed).unwrap_or(u64::MAX - 1) + 1
    }
}
