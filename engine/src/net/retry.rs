//! When a session whose connection is lost is tried to get back into. No IO, no clock.

use std::time::{Duration, Instant};

use crate::session::Prospect;

use super::tls::TlsError;
use super::transport::ConnectError;
use super::websocket::HandshakeError;

/// From a loss, or an attempt that failed, to the next attempt; the last one for ever after.
const DELAYS_MS: [u64; 6] = [100, 500, 1000, 2000, 5000, 10_000];
/// A connection that lasted as long is taken for a good one: when it is lost, everything begins anew. A server that takes
/// clients in only to drop them is tried less and less.
const STEADY: Duration = Duration::from_millis(500);
/// What says that the network changed comes in crowds: attempts lie so far apart all the same.
const APART: Duration = Duration::from_millis(500);

/// A connection that lasted as long was thrown out by nothing that this client left behind.
const LEFT_BEHIND: Duration = Duration::from_secs(10);

/// Counts the attempts of one loss, and says when the next one is due.
#[derive(Debug, Default)]
pub struct RetryPlan {
    /// Attempts since the last good connection.
    attempts: usize,
    /// When the present connection, if there is one, was accepted.
    back: Option<Instant>,
    due: Option<Instant>,
    /// When it was tried last.
    tried: Option<Instant>,
    /// Attempts that reached the server and were given up before it accepted them, since a connection lasted. A server that
    /// stood still takes them for clients when it goes on, and each throws out the one before it (seen with 6.5.5).
    given_up: usize,
}

impl RetryPlan {
    /// The server accepted us.
    pub fn accepted(&mut self, now: Instant) {
        self.back = Some(now);
    }

    /// An attempt reached the server, and was given up before it was accepted.
    pub fn gave_up(&mut self) {
        self.given_up = self.given_up.saturating_add(1);
    }

    /// The server let this client go for another connection of the same. Whether that was one that was given up: each may
    /// do so once, soon after.
    pub fn is_own_doing(&mut self, now: Instant) -> bool {
        self.forget_given_up(now);
        let is_own = self.given_up > 0;
        self.given_up = self.given_up.saturating_sub(1);
        is_own
    }

    fn forget_given_up(&mut self, now: Instant) {
        if self.back.is_some_and(|back| now.saturating_duration_since(back) >= LEFT_BEHIND) {
            self.given_up = 0;
        }
    }

    /// The connection was lost, or an attempt failed. Returns when to try again.
    pub fn lost(&mut self, now: Instant) -> Instant {
        self.forget_given_up(now);
        if self.back.take().is_some_and(|back| now.saturating_duration_since(back) >= STEADY) {
            self.attempts = 0;
        }
        let [.., longest] = DELAYS_MS;
        let delay = DELAYS_MS.get(self.attempts).copied().unwrap_or(longest);
        self.attempts = self.attempts.saturating_add(1);
        let due = now + Duration::from_millis(delay);
        self.due = Some(due);
        due
    }

    /// The network is another one: what was not reached may be now, so the next attempt is due at once, and those
    /// after it soon again. Returns when.
    pub fn network_changed(&mut self, now: Instant) -> Instant {
        self.attempts = 0;
        let earliest = self.tried.map_or(now, |tried| now.max(tried + APART));
        let due = self.due.map_or(earliest, |due| due.min(earliest));
        self.due = Some(due);
        due
    }

    /// An attempt begins, by the plan or by the user's wish.
    pub fn tries(&mut self, now: Instant) {
        (self.due, self.tried) = (None, Some(now));
    }
}

impl ConnectError {
    /// Whether another attempt may go better, when the server was reached before.
    pub fn prospect(&self) -> Prospect {
        use HandshakeError as Web;
        let is_final = match self {
            Self::NoZone { .. } | Self::NoSocket { .. } | Self::Unsupported { .. } => true,
            Self::Tls(error) => !matches!(error, TlsError::ClosedAtOnce { .. } | TlsError::Handshake { .. }),
            // A web server in front of the session answers for it while it is away.
            Self::WebSocket(error) => {
                !matches!(error, Web::Io(_) | Web::Closed | Web::Cut | Web::Status { .. } | Web::TooLong)
            }
            Self::Quic(error) => !error.may_pass(),
            Self::Proxy(error) => error.is_final(),
            _ => false,
        };
        if is_final { Prospect::Over } else { Prospect::Again }
    }
}
