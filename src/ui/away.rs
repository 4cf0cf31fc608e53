//! What is shown while nothing of a session moves, since its connection is lost or its server does not answer: a veil over
//! each of its windows with one line and two buttons. The session's card ([`super::card`]) says the same where no window has
//! room for them.

use std::time::{Duration, Instant};

use super::plate::{Button, Plate, PlatePainter};
use crate::session::Away;

/// What the user decides while the session stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwayAction {
    /// Connect again at once, where that is tried anyway.
    TryNow,
    /// Give up the connection and connect again.
    Reconnect,
    Disconnect,
}

impl Button for AwayAction {
    fn words(self) -> &'static str {
        match self {
            Self::TryNow => "Try now",
            Self::Reconnect => "Reconnect",
            Self::Disconnect => "Disconnect",
        }
    }
}

/// What is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AwayState {
    /// One line.
    pub line: String,
    /// Why that is so.
    pub why: String,
    pub buttons: &'static [AwayAction],
}

impl AwayState {
    /// Of a server that has not answered for so long. `can_give_up`: it is time for a way out. `reconnects`: there is
    /// another connection after this one.
    pub fn silent(silence: Duration, can_give_up: bool, reconnects: bool) -> Self {
        let line = format!("No answer from the server for {}\u{a0}s", silence.as_secs());
        let why =
            "The server or the network stands still. What you typed arrives when they go on.".to_owned();
        let buttons: &[AwayAction] = match (can_give_up, reconnects) {
            (false, _) => &[],
            (true, true) => &[AwayAction::Reconnect, AwayAction::Disconnect],
            (true, false) => &[AwayAction::Disconnect],
        };
        Self { line, why, buttons }
    }

    /// Of a connection that is lost, as it is to be said at `now`.
    pub fn lost(away: &Away, now: Instant) -> Self {
        let line = match away.until.map(|until| seconds(until.saturating_duration_since(now))) {
            None => "Connecting…".to_owned(),
            Some(0) => "Connection lost, trying again".to_owned(),
            Some(seconds) => format!("Connection lost, trying again in {seconds}\u{a0}s"),
        };
        let buttons = &[AwayAction::TryNow, AwayAction::Disconnect];
        Self { line, why: away.why.clone(), buttons }
    }

    /// What is painted over a window whose button `hovered` has the pointer; `spinner`: how far that has turned.
    pub fn plate(&self, hovered: Option<AwayAction>, spinner: Option<u8>) -> Plate<AwayAction> {
        Plate { line: self.line.clone(), buttons: self.buttons, hovered, spinner, is_veil: true }
    }

    /// When that reads differently, if nothing happens before.
    pub fn changes_at(away: &Away, now: Instant) -> Option<Instant> {
        let left = away.until?.saturating_duration_since(now);
        let below = Duration::from_secs(seconds(left).saturating_sub(1));
        (seconds(left) > 0).then(|| now + left.saturating_sub(below))
    }
}

/// Whole seconds that are not over yet; of less than one there is no need to speak.
fn seconds(left: Duration) -> u64 {
    match left.as_secs() {
        0 => 0,
        whole => whole + u64::from(left.subsec_millis() > 0),
    }
}

/// Paints the veil of one window.
pub type AwayPainter = PlatePainter<AwayAction>;
