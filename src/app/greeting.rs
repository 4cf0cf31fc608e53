//! What is said over the first window of a session, for a few seconds: how to get at its menu, and how to leave.

use std::time::{Duration, Instant};

use winit::dpi::PhysicalPosition;

use crate::channel::{RenderCommand, RenderMessage, RenderQueue, clock};
use crate::protocol::packet::WindowId;
use crate::ui::plate::{PlatePainter, has_room};
use crate::ui::{GreetingAction, greeting};

use super::remote_window::RemoteWindow;
use super::windows::Windows;

/// How long it is there, and how long after the pointer left it.
const SHOWN: Duration = Duration::from_secs(5);
const LEFT: Duration = Duration::from_secs(2);

/// The greeting of one session.
pub struct Greeting {
    render: RenderQueue,
    /// What opens the menu.
    key: String,
    stage: Stage,
}

enum Stage {
    /// There was no window that has room for it.
    Waits,
    Shown(Shown),
    Over,
}

struct Shown {
    wid: WindowId,
    painter: PlatePainter<GreetingAction>,
    hovered: Option<GreetingAction>,
    until: Instant,
    /// Something of it is to be painted anew.
    is_due: bool,
}

impl Greeting {
    /// It is to be shown, if it is `wanted`.
    pub fn new(render: RenderQueue, key: String, wanted: bool) -> Self {
        Self { render, key, stage: if wanted { Stage::Waits } else { Stage::Over } }
    }

    /// Shows it and ends it, as it is time. `is_covered`: something else is painted over windows, or the user found the menu.
    pub fn update(&mut self, windows: &Windows, is_covered: bool) {
        match &self.stage {
            Stage::Over => return,
            Stage::Waits | Stage::Shown(_) if is_covered => return self.end(),
            Stage::Shown(shown) if shown.until <= clock::now() => return self.end(),
            Stage::Shown(_) => {}
            Stage::Waits => self.begin(windows),
        }
        self.paint(windows);
    }

    /// Over the first window that has room, if there is one.
    fn begin(&mut self, windows: &Windows) {
        let is_fit = |remote: &&RemoteWindow| {
            let scale = remote.window.scale_factor() as f32;
            !remote.info.override_redirect && remote.talk.is_shown() && has_room(remote.surface, scale)
        };
        let Some(remote) = windows.all().find(is_fit) else { return };
        let (painter, until) = (PlatePainter::default(), clock::now() + SHOWN);
        self.stage = Stage::Shown(Shown { wid: remote.wid, painter, hovered: None, until, is_due: true });
    }

    fn paint(&mut self, windows: &Windows) {
        let Stage::Shown(shown) = &mut self.stage else { return };
        let Some(remote) = windows.get(shown.wid).filter(|_| std::mem::take(&mut shown.is_due)) else {
            return;
        };
        let words = greeting(&self.key, shown.hovered);
        let frame = shown.painter.frame(&words, remote.surface, remote.window.scale_factor() as f32);
        if let Some(frame) = frame {
            let command = RenderCommand::Overlay { surface: shown.wid.into(), frame: Some(frame) };
            self.render.push(RenderMessage::Command(command));
        }
    }

    /// The pointer is at this position of a window, or left it.
    pub fn pointer(&mut self, wid: WindowId, position: Option<PhysicalPosition<f64>>) {
        let Stage::Shown(shown) = &mut self.stage else { return };
        if shown.wid != wid {
            return;
        }
        let at = |PhysicalPosition { x, y }| shown.painter.button_at(x as f32, y as f32);
        let hovered = position.and_then(at);
        if hovered.is_some() || shown.hovered.is_some() {
            shown.until = shown.until.max(clock::now() + LEFT);
        }
        shown.is_due |= std::mem::replace(&mut shown.hovered, hovered) != hovered;
    }

    /// The button that the pointer is on in this window.
    pub fn button(&self, wid: WindowId) -> Option<GreetingAction> {
        match &self.stage {
            Stage::Shown(shown) if shown.wid == wid => shown.hovered,
            _ => None,
        }
    }

    /// The window changed its size.
    pub fn resized(&mut self, wid: WindowId) {
        if let Stage::Shown(shown) = &mut self.stage {
            shown.is_due |= shown.wid == wid;
        }
    }

    /// A window is gone: what was not read yet is said over another one.
    pub fn forget(&mut self, wid: WindowId) {
        if matches!(&self.stage, Stage::Shown(shown) if shown.wid == wid) {
            self.stage = Stage::Waits;
        }
    }

    /// It has done its work.
    pub fn end(&mut self) {
        if let Stage::Shown(shown) = std::mem::replace(&mut self.stage, Stage::Over) {
            let command = RenderCommand::Overlay { surface: shown.wid.into(), frame: None };
            self.render.push(RenderMessage::Command(command));
        }
    }

    /// When [`Self::update`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Shown(shown) if shown.is_due => Some(clock::now()),
            Stage::Shown(shown) => Some(shown.until),
            Stage::Waits | Stage::Over => None,
        }
    }
}
