//! What the user sees while the session is being connected to again: its windows as they were, under a veil that says so.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use winit::dpi::PhysicalPosition;

use crate::channel::{RenderCommand, RenderMessage, RenderQueue, clock};
use crate::protocol::packet::WindowId;
use crate::session::Away;
use crate::ui::{AwayAction, AwayPainter, AwayState};

use super::windows::Windows;

/// A loss that is over so soon is not shown.
const VEIL_AFTER: Duration = Duration::from_millis(200);
/// It is said elsewhere so long after the loss, if it has to.
const ELSEWHERE_AFTER: Duration = Duration::from_secs(1);

/// Whether the session is away, and how that is shown.
pub struct AwayView {
    render: RenderQueue,
    /// `None`: it is not.
    lost: Option<Lost>,
}

/// A session that is away.
struct Lost {
    since: Instant,
    how: Away,
    veils: BTreeMap<WindowId, AwayPainter>,
    /// The window and its button that the pointer is on.
    hovered: Option<(WindowId, AwayAction)>,
    /// When something is to be painted anew.
    next: Instant,
}

impl AwayView {
    /// Of a session that is not away.
    pub fn new(render: RenderQueue) -> Self {
        Self { render, lost: None }
    }

    /// Whether the session is away.
    pub fn is_away(&self) -> bool {
        self.lost.is_some()
    }

    /// It is, like this. Returns whether it was not before.
    pub fn begin(&mut self, how: Away) -> bool {
        let now = clock::now();
        match &mut self.lost {
            Some(lost) => {
                (lost.how, lost.next) = (how, now);
                false
            }
            None => {
                self.lost = Some(Lost {
                    since: now,
                    how,
                    veils: BTreeMap::new(),
                    hovered: None,
                    next: now + VEIL_AFTER,
                });
                true
            }
        }
    }

    /// It is back: all windows are shown as they are. Returns whether it was away.
    pub fn end(&mut self) -> bool {
        let Some(lost) = self.lost.take() else { return false };
        for wid in lost.veils.into_keys() {
            self.unveil(wid);
        }
        true
    }

    /// A window is gone.
    pub fn forget(&mut self, wid: WindowId) {
        if let Some(lost) = &mut self.lost {
            lost.veils.remove(&wid);
            lost.hovered.take_if(|(of, _)| *of == wid);
        }
    }

    /// A window changed its size.
    pub fn resized(&mut self) {
        if let Some(lost) = &mut self.lost {
            lost.next = lost.next.min(clock::now().max(lost.since + VEIL_AFTER));
        }
    }

    /// The pointer is at this position of a window, or left it.
    pub fn pointer(&mut self, wid: WindowId, position: Option<PhysicalPosition<f64>>) {
        let Some(lost) = &mut self.lost else { return };
        let veil = lost.veils.get(&wid);
        let at = |PhysicalPosition { x, y }| veil?.button_at(x as f32, y as f32);
        let hovered = position.and_then(at).map(|button| (wid, button));
        if std::mem::replace(&mut lost.hovered, hovered) != hovered {
            lost.next = clock::now();
        }
    }

    /// The button that the pointer is on in this window.
    pub fn button(&self, wid: WindowId) -> Option<AwayAction> {
        let (of, button) = self.lost.as_ref()?.hovered?;
        (of == wid).then_some(button)
    }

    /// When [`Self::update`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.lost.as_ref().map(|lost| lost.next)
    }

    /// Paints what is new, if it is time. Whether it is to be said elsewhere, since the user sees no button here.
    pub fn update(&mut self, windows: &Windows) -> bool {
        let Some(lost) = &mut self.lost else { return false };
        let now = clock::now();
        if lost.next <= now {
            lost.paint(now, windows, &self.render);
        }
        lost.is_unseen(now, windows)
    }

    /// What there is to say of it, also where windows say it.
    pub fn state(&self) -> Option<AwayState> {
        self.lost.as_ref().map(|lost| AwayState::new(&lost.how, clock::now()))
    }

    fn unveil(&self, wid: WindowId) {
        let command = RenderCommand::Overlay { surface: wid.into(), frame: None };
        self.render.push(RenderMessage::Command(command));
    }
}

impl Lost {
    fn paint(&mut self, now: Instant, windows: &Windows, render: &RenderQueue) {
        let state = AwayState::new(&self.how, now);
        for remote in windows.all() {
            let veil = self.veils.entry(remote.wid).or_default();
            let hovered = self.hovered.filter(|(of, _)| *of == remote.wid).map(|(_, button)| button);
            let scale = remote.window.scale_factor() as f32;
            let state = AwayState { hovered, ..state.clone() };
            if let Some(frame) = veil.frame(&state, remote.surface, scale) {
                let command = RenderCommand::Overlay { surface: remote.wid.into(), frame: Some(frame) };
                render.push(RenderMessage::Command(command));
            }
        }
        let elsewhere_at = (now < self.since + ELSEWHERE_AFTER).then_some(self.since + ELSEWHERE_AFTER);
        let changes = [AwayState::changes_at(&self.how, now), elsewhere_at].into_iter().flatten().min();
        // Else the next attempt says so.
        self.next = changes.unwrap_or(now + Duration::from_secs(60));
    }

    /// Whether the user sees no button anywhere.
    fn is_unseen(&self, now: Instant, windows: &Windows) -> bool {
        let has_buttons = |wid| self.veils.get(&wid).is_some_and(AwayPainter::has_buttons);
        now >= self.since + ELSEWHERE_AFTER
            && !windows.all().any(|remote| remote.talk.is_shown() && has_buttons(remote.wid))
    }
}
