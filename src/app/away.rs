//! What the user sees while nothing of the session moves: its windows as they were, under a veil that says why. Either its
//! connection is lost and it is being connected to again, or its server does not answer.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use winit::dpi::PhysicalPosition;

use crate::channel::{RenderCommand, RenderMessage, RenderQueue, clock};
use crate::protocol::packet::WindowId;
use crate::session::Away;
use crate::ui::plate::TURN;
use crate::ui::{AwayAction, AwayPainter, AwayState};

use super::windows::Windows;

/// A loss that is over so soon is not shown.
const VEIL_AFTER: Duration = Duration::from_millis(200);
/// It is said elsewhere so long after the loss, if it has to.
const ELSEWHERE_AFTER: Duration = Duration::from_secs(1);
/// A server that does not answer for so long may be given up.
const GIVE_UP_AFTER: Duration = Duration::from_secs(10);
/// How fast the spinner turns.
const SPIN: Duration = Duration::from_millis(150);

/// Whether the session stands still, and how that is shown.
pub struct AwayView {
    render: RenderQueue,
    /// Whether a lost connection is followed by another one.
    reconnects: bool,
    /// `None`: it does not.
    still: Option<Still>,
}

/// Why nothing moves.
enum How {
    /// The connection is lost.
    Lost(Away),
    /// It stands, and nobody answers. `reconnects`: if it is given up another one follows.
    Silent { reconnects: bool },
}

/// A session that stands still.
struct Still {
    since: Instant,
    how: How,
    veils: BTreeMap<WindowId, AwayPainter>,
    /// The window and its button that the pointer is on.
    hovered: Option<(WindowId, AwayAction)>,
    /// When something is to be painted anew.
    next: Instant,
}

impl AwayView {
    /// Of a session that lives. `reconnects`: a lost connection is followed by another one.
    pub fn new(render: RenderQueue, reconnects: bool) -> Self {
        Self { render, reconnects, still: None }
    }

    /// Whether veils are over the windows, or are about to be.
    pub fn is_still(&self) -> bool {
        self.still.is_some()
    }

    /// The connection is lost, like this. Returns whether it was not before.
    pub fn lost(&mut self, how: Away) -> bool {
        let now = clock::now();
        let was_lost = self.still.as_ref().is_some_and(Still::is_lost);
        match &mut self.still {
            Some(still) => {
                let since = if was_lost { still.since } else { now };
                (still.since, still.how, still.next) = (since, How::Lost(how), now);
                still.hovered = still.hovered.filter(|_| was_lost);
            }
            None => self.still = Some(Still::new(How::Lost(how), now, now + VEIL_AFTER)),
        }
        !was_lost
    }

    /// Since when the server has answered nothing, while the connection stands.
    pub fn silent(&mut self, since: Option<Instant>) {
        match (since, &self.still) {
            (Some(since), None) => {
                let how = How::Silent { reconnects: self.reconnects };
                self.still = Some(Still::new(how, since, clock::now()));
            }
            (None, Some(still)) if !still.is_lost() => {
                self.end();
            }
            _ => {}
        }
    }

    /// It lives again: all windows are shown as they are. Returns whether it was away.
    pub fn end(&mut self) -> bool {
        let Some(still) = self.still.take() else { return false };
        let was_lost = still.is_lost();
        for wid in still.veils.into_keys() {
            self.unveil(wid);
        }
        was_lost
    }

    /// A window is gone.
    pub fn forget(&mut self, wid: WindowId) {
        if let Some(still) = &mut self.still {
            still.veils.remove(&wid);
            still.hovered.take_if(|(of, _)| *of == wid);
        }
    }

    /// A window changed its size.
    pub fn resized(&mut self) {
        if let Some(still) = &mut self.still {
            still.next = still.next.min(clock::now().max(still.since + VEIL_AFTER));
        }
    }

    /// The pointer is at this position of a window, or left it.
    pub fn pointer(&mut self, wid: WindowId, position: Option<PhysicalPosition<f64>>) {
        let Some(still) = &mut self.still else { return };
        let veil = still.veils.get(&wid);
        let at = |PhysicalPosition { x, y }| veil?.button_at(x as f32, y as f32);
        let hovered = position.and_then(at).map(|button| (wid, button));
        if std::mem::replace(&mut still.hovered, hovered) != hovered {
            still.next = clock::now();
        }
    }

    /// The button that the pointer is on in this window.
    pub fn button(&self, wid: WindowId) -> Option<AwayAction> {
        let (of, button) = self.still.as_ref()?.hovered?;
        (of == wid).then_some(button)
    }

    /// When [`Self::update`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.still.as_ref().map(|still| still.next)
    }

    /// Paints what is new, if it is time. Whether it is to be said elsewhere, since the user sees no button here.
    pub fn update(&mut self, windows: &Windows) -> bool {
        let Some(still) = &mut self.still else { return false };
        let now = clock::now();
        if still.next <= now {
            still.paint(now, windows, &self.render);
        }
        still.is_unseen(now, windows)
    }

    /// What there is to say of it, also where windows say it.
    pub fn state(&self) -> Option<AwayState> {
        self.still.as_ref().map(|still| still.state(clock::now()))
    }

    fn unveil(&self, wid: WindowId) {
        let command = RenderCommand::Overlay { surface: wid.into(), frame: None };
        self.render.push(RenderMessage::Command(command));
    }
}

impl Still {
    fn new(how: How, since: Instant, next: Instant) -> Self {
        Self { since, how, veils: BTreeMap::new(), hovered: None, next }
    }

    fn is_lost(&self) -> bool {
        matches!(self.how, How::Lost(_))
    }

    fn state(&self, now: Instant) -> AwayState {
        match &self.how {
            How::Lost(away) => AwayState::lost(away, now),
            How::Silent { reconnects } => {
                let silence = now.saturating_duration_since(self.since);
                AwayState::silent(silence, silence >= GIVE_UP_AFTER, *reconnects)
            }
        }
    }

    fn paint(&mut self, now: Instant, windows: &Windows, render: &RenderQueue) {
        let state = self.state(now);
        for remote in windows.all() {
            let hovered = self.hovered.filter(|(of, _)| *of == remote.wid).map(|(_, button)| button);
            let scale = remote.window.scale_factor() as f32;
            let turns = !self.is_lost() && remote.talk.is_shown();
            let spinner = turns.then(|| turn(now.saturating_duration_since(self.since)));
            let plate = state.plate(hovered, spinner);
            let veil = self.veils.entry(remote.wid).or_default();
            if let Some(frame) = veil.frame(&plate, remote.surface, scale) {
                let command = RenderCommand::Overlay { surface: remote.wid.into(), frame: Some(frame) };
                render.push(RenderMessage::Command(command));
            }
        }
        let elsewhere_at = self.since + self.elsewhere_after();
        let elsewhere_at = (now < elsewhere_at).then_some(elsewhere_at);
        let changes = match &self.how {
            How::Lost(away) => AwayState::changes_at(away, now),
            How::Silent { .. } => Some(now + SPIN),
        };
        // Else the next attempt says so.
        self.next =
            [changes, elsewhere_at].into_iter().flatten().min().unwrap_or(now + Duration::from_secs(60));
    }

    fn elsewhere_after(&self) -> Duration {
        if self.is_lost() { ELSEWHERE_AFTER } else { GIVE_UP_AFTER }
    }

    /// Whether the user sees no button anywhere.
    fn is_unseen(&self, now: Instant, windows: &Windows) -> bool {
        let has_buttons = |wid| self.veils.get(&wid).is_some_and(AwayPainter::has_buttons);
        now >= self.since + self.elsewhere_after()
            && !windows.all().any(|remote| remote.talk.is_shown() && has_buttons(remote.wid))
    }
}

/// How far the spinner has turned.
fn turn(silence: Duration) -> u8 {
    u8::try_from(silence.as_millis() / SPIN.as_millis() % u128::from(TURN)).unwrap_or_default()
}
