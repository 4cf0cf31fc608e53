//! What is painted over one of the remote windows: the statistics, and words for the user.

use std::time::{Duration, Instant};

use winit::dpi::PhysicalPosition;

use crate::channel::{RenderCommand, RenderMessage, RenderQueue, SharedStats, clock};
use crate::config::connections::Store;
use crate::protocol::packet::WindowId;
use crate::stats::{Chosen, Help};
use crate::ui::{Corner, OverlayButton, OverlayPainter, OverlayState, OverlayStep};

use super::windows::Windows;

/// How long words for the user are shown.
const NOTE_TIME: Duration = Duration::from_secs(8);

/// Shows the overlay, or nothing.
pub struct Overlay {
    render: RenderQueue,
    stats: SharedStats,
    state: OverlayState,
    shown: Option<Shown>,
    /// Until when words for the user are shown.
    note_until: Option<Instant>,
    /// Something else is painted over all windows.
    covered: bool,
}

struct Shown {
    wid: WindowId,
    painter: OverlayPainter,
    next: Instant,
}

impl Overlay {
    /// Hidden, unless it is `wanted` from the start. `hotkey` is named in it.
    pub fn new(render: RenderQueue, stats: SharedStats, hotkey: String, wanted: bool) -> Self {
        let step = if wanted { OverlayStep::Full } else { OverlayStep::Off };
        let kept = Store::user().and_then(|store| store.overlay_corner()).unwrap_or_default();
        let corner = Corner::ALL.into_iter().find(|corner| corner.name() == kept).unwrap_or_default();
        let state = OverlayState { step, corner, hotkey, ..OverlayState::default() };
        Self { render, stats, state, shown: None, note_until: None, covered: false }
    }

    /// Something else is painted over all windows from now on, or that is gone again.
    pub fn set_covered(&mut self, covered: bool) {
        self.covered = covered;
        self.state.hovered = None;
        if let Some(shown) = &mut self.shown {
            // What was painted is gone, with its textures.
            (shown.painter, shown.next) = (OverlayPainter::new(), clock::now());
        }
    }

    /// Whether any window has the statistics.
    pub fn is_shown(&self) -> bool {
        self.shown.is_some() && self.state.step != OverlayStep::Off
    }

    /// How much of them.
    pub fn step(&self) -> OverlayStep {
        self.state.step
    }

    /// What the user has chosen by now: advice goes by it.
    pub fn set_chosen(&mut self, chosen: Chosen) {
        self.state.chosen = chosen;
        self.repaint();
    }

    /// Whether any window has statistics or words.
    pub fn shows_anything(&self) -> bool {
        self.shown.is_some() || self.state.step != OverlayStep::Off
    }

    /// Shows words for the user: where the statistics are, else over this window.
    pub fn note(&mut self, words: String, over: Option<WindowId>) {
        self.state.note = words;
        self.note_until = Some(clock::now() + NOTE_TIME);
        match (&mut self.shown, over) {
            (Some(shown), _) => shown.next = clock::now(),
            (None, Some(wid)) => self.show(wid),
            (None, None) => {}
        }
    }

    /// These words do not hold any more.
    pub fn end_words(&mut self, words: &str) {
        if let Some(until) = self.note_until.as_mut().filter(|_| self.state.note == words) {
            *until = clock::now();
        }
    }

    /// The pointer is at this position of a window, or left it.
    pub fn pointer(&mut self, wid: WindowId, position: Option<PhysicalPosition<f64>>) {
        let Some(shown) = self.shown.as_mut().filter(|shown| shown.wid == wid) else { return };
        let at = |PhysicalPosition { x, y }| shown.painter.button_at(x as f32, y as f32);
        let hovered = position.and_then(at);
        if std::mem::replace(&mut self.state.hovered, hovered) != hovered {
            shown.next = clock::now();
        }
    }

    /// The overlay's button that the pointer is on in this window.
    pub fn button(&self, wid: WindowId) -> Option<OverlayButton> {
        self.state.hovered.filter(|_| self.shown.as_ref().is_some_and(|shown| shown.wid == wid))
    }

    /// What is advised.
    pub fn help(&self) -> Option<Help> {
        self.shown.as_ref()?.painter.help()
    }

    /// Shows so much of it from now on, in this window if in none yet.
    pub fn set_step(&mut self, step: OverlayStep, wid: WindowId) {
        self.state.step = step;
        self.state.hovered = None;
        match &self.shown {
            Some(_) if step == OverlayStep::Off && self.note_until.is_none() => self.hide(),
            Some(_) => self.repaint(),
            None if step == OverlayStep::Off => {}
            None => self.show(wid),
        }
    }

    /// Puts it into the next corner, also of later sessions.
    pub fn turn(&mut self) {
        self.state.corner = self.state.corner.next();
        self.state.hovered = None;
        self.repaint();
        if let Some(store) = Store::user()
            && let Err(error) = store.keep_overlay_corner(self.state.corner.name())
        {
            tracing::warn!(%error, "the overlay's corner cannot be kept");
        }
    }

    /// The user works with this window: what is shown goes there.
    pub fn focused(&mut self, wid: WindowId) {
        if self.shown.as_ref().is_some_and(|shown| shown.wid != wid) {
            self.hide();
            self.show(wid);
        }
    }

    /// A window is gone. If it had the statistics, the next one gets them; what was said is over.
    pub fn forget(&mut self, wid: WindowId) {
        if self.shown.as_ref().is_some_and(|shown| shown.wid == wid) {
            self.shown = None;
            self.state.hovered = None;
        }
    }

    /// Paints what is new, if it is time.
    pub fn update(&mut self, windows: &Windows) {
        if self.state.step != OverlayStep::Off
            && self.shown.is_none()
            && let Some(first) = windows.first()
        {
            self.show(first.wid);
        }
        if self.covered {
            return;
        }
        let now = clock::now();
        self.end_note(now);
        let Some(shown) = self.shown.as_mut().filter(|shown| shown.next <= now) else { return };
        shown.next = now + OverlayPainter::REFRESH;
        let Some(remote) = windows.get(shown.wid) else { return };
        let snapshot =
            std::sync::Arc::clone(&self.stats.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        let scale = remote.window.scale_factor() as f32;
        let frame = shown.painter.frame(&snapshot, &self.state, remote.surface, scale);
        let wid = shown.wid;
        if let Some(frame) = frame {
            self.send(RenderCommand::Overlay { surface: wid.into(), frame: Some(frame) });
        }
    }

    /// The window changed its size: the overlay is laid out anew.
    pub fn resized(&mut self, wid: WindowId) {
        if let Some(shown) = self.shown.as_mut().filter(|shown| shown.wid == wid) {
            shown.next = clock::now();
        }
    }

    /// When [`Self::update`] is due; `None` while nothing is shown.
    pub fn deadline(&self) -> Option<Instant> {
        let next = self.shown.as_ref().filter(|_| !self.covered)?.next;
        Some(self.note_until.map_or(next, |until| next.min(until)))
    }

    /// Takes the words away when their time is over.
    fn end_note(&mut self, now: Instant) {
        if self.note_until.take_if(|until| *until <= now).is_none() {
            return;
        }
        self.state.note.clear();
        if self.state.step == OverlayStep::Off { self.hide() } else { self.repaint() }
    }

    /// Takes it away from where it is.
    fn hide(&mut self) {
        self.state.hovered = None;
        // What covers it is not to be taken away with it.
        if let Some(shown) = self.shown.take().filter(|_| !self.covered) {
            self.send(RenderCommand::Overlay { surface: shown.wid.into(), frame: None });
        }
    }

    fn repaint(&mut self) {
        if let Some(shown) = &mut self.shown {
            shown.next = clock::now();
        }
    }

    fn show(&mut self, wid: WindowId) {
        self.shown = Some(Shown { wid, painter: OverlayPainter::new(), next: clock::now() });
    }

    fn send(&self, command: RenderCommand) {
        self.render.push(RenderMessage::Command(command));
    }
}
