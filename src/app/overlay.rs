//! What is painted over one of the remote windows: the statistics, and words for the user.

use std::time::{Duration, Instant};

use winit::dpi::PhysicalPosition;

use crate::channel::{RenderCommand, RenderMessage, RenderQueue, SharedStats, clock};
use crate::protocol::packet::WindowId;
use crate::ui::{OverlayButton, OverlayPainter, OverlayState};

use super::windows::Windows;

/// How long words for the user are shown.
const NOTE_TIME: Duration = Duration::from_secs(8);

/// Shows the overlay, or nothing.
pub struct Overlay {
    render: RenderQueue,
    stats: SharedStats,
    state: OverlayState,
    /// Show it on the first window that comes.
    wanted: bool,
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
    /// Hidden, unless it is `wanted` from the start.
    pub fn new(render: RenderQueue, stats: SharedStats, state: OverlayState, wanted: bool) -> Self {
        Self { render, stats, state, wanted, shown: None, note_until: None, covered: false }
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
        self.shown.is_some() && !self.state.only_note
    }

    /// Whether any window has statistics or words.
    pub fn shows_anything(&self) -> bool {
        self.shown.is_some() || self.wanted
    }

    /// Shows words for the user: where the statistics are, else over this window.
    pub fn note(&mut self, words: String, over: Option<WindowId>) {
        self.state.note = words;
        self.note_until = Some(clock::now() + NOTE_TIME);
        match (&mut self.shown, over) {
            (Some(shown), _) => shown.next = clock::now(),
            (None, Some(wid)) => {
                self.state.only_note = true;
                self.show(wid);
            }
            (None, None) => {}
        }
    }

    /// What was said does not hold any more.
    pub fn end_words(&mut self) {
        if let Some(until) = &mut self.note_until {
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

    /// The user pressed the overlay's key in this window.
    pub fn toggle(&mut self, wid: WindowId) {
        self.wanted = false;
        if std::mem::take(&mut self.state.only_note)
            && let Some(shown) = self.shown.as_mut().filter(|shown| shown.wid == wid)
        {
            shown.next = clock::now();
            return;
        }
        match self.shown.take() {
            Some(shown) => {
                self.send(RenderCommand::Overlay { surface: shown.wid.into(), frame: None });
                self.state.hovered = None;
                if shown.wid != wid {
                    self.show(wid);
                }
            }
            None => self.show(wid),
        }
    }

    /// A window is gone. If it had the overlay, the next one gets it.
    pub fn forget(&mut self, wid: WindowId) {
        if self.shown.as_ref().is_some_and(|shown| shown.wid == wid) {
            self.shown = None;
            self.state.hovered = None;
            // The next window gets the statistics; what was said is over.
            self.wanted |= !std::mem::take(&mut self.state.only_note);
        }
    }

    /// Paints what is new, if it is time.
    pub fn update(&mut self, windows: &Windows) {
        if self.wanted
            && self.shown.is_none()
            && let Some(first) = windows.first()
        {
            self.wanted = false;
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
        if std::mem::take(&mut self.state.only_note) {
            if let Some(shown) = self.shown.take() {
                self.send(RenderCommand::Overlay { surface: shown.wid.into(), frame: None });
            }
        } else if let Some(shown) = &mut self.shown {
            shown.next = now;
        }
    }

    fn show(&mut self, wid: WindowId) {
        self.shown = Some(Shown { wid, painter: OverlayPainter::new(), next: clock::now() });
    }

    fn send(&self, command: RenderCommand) {
        self.render.push(RenderMessage::Command(command));
    }
}
