//! The session information window.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use winit::dpi::LogicalSize;
use winit::event::WindowEvent;
use winit::event_loop::ActiveEventLoop;
use winit::keyboard::ModifiersState;
use winit::window::Window;

use crate::channel::{OwnId, RenderQueue, SharedStats, clock};
use crate::config::KeyCombination;
use crate::stats::StatsSnapshot;
use crate::stats::export::{history_csv, history_json};
use crate::ui::session_info::SESSION_INFO_SIZE;
use crate::ui::{SessionInfoAction, session_info_ui};

use super::export;
use super::own_window::{OwnWindow, is_pressed};

/// The history has a point a second.
const REFRESH: Duration = Duration::from_secs(1);
/// Time for the first statistics to come.
const FIRST_REFRESH: Duration = Duration::from_millis(100);

/// The open window.
pub struct SessionInfoWindow {
    window: OwnWindow,
    stats: SharedStats,
    /// What closes it, besides Escape and its button.
    key: KeyCombination,
    modifiers: ModifiersState,
    /// Where the last export was saved, or why not.
    note: String,
    /// When to look for new statistics.
    refresh: Instant,
}

impl SessionInfoWindow {
    /// Opens the window as own window `id`. `title` says of which session.
    ///
    /// # Errors
    /// If the OS makes no window.
    pub fn open(
        title: &str,
        id: OwnId,
        key: KeyCombination,
        event_loop: &ActiveEventLoop,
        (render, stats): (RenderQueue, SharedStats),
    ) -> Result<Self, winit::error::OsError> {
        let (width, height) = SESSION_INFO_SIZE;
        let attributes = Window::default_attributes()
            .with_title(format!("Session information: {title}"))
            .with_inner_size(LogicalSize::new(width, height));
        let window = OwnWindow::open(attributes, id, event_loop, render)?;
        let refresh = clock::now() + FIRST_REFRESH;
        let modifiers = ModifiersState::default();
        Ok(Self { window, stats, key, modifiers, note: String::new(), refresh })
    }

    /// Whether an event is for this window.
    pub fn is(&self, id: winit::window::WindowId) -> bool {
        self.window.is(id)
    }

    /// An event of the window. Returns whether the user closes it.
    pub fn event(&mut self, event: &WindowEvent) -> bool {
        self.window.event(event);
        matches!(event, WindowEvent::CloseRequested) || is_pressed(&self.key, event, &mut self.modifiers)
    }

    /// Paints the window if it is time, and exports what the user asks for. Returns whether the
    /// user closes it.
    pub fn update(&mut self) -> bool {
        let now = clock::now();
        if self.refresh <= now {
            self.refresh = now + REFRESH;
            self.window.due_at(now);
        }
        if !self.window.is_due() {
            return false;
        }
        let snapshot = Arc::clone(&self.stats.lock().unwrap_or_else(PoisonError::into_inner));
        let Self { window, note, .. } = self;
        let mut action = None;
        window.paint(|ui| {
            let answer = session_info_ui(&snapshot, note, ui);
            action = action.or(answer);
        });
        match action {
            None => return false,
            Some(SessionInfoAction::Close) => return true,
            Some(SessionInfoAction::ExportCsv) => self.export("csv", &history_csv(&snapshot.history)),
            Some(SessionInfoAction::ExportJson) => self.export_json(&snapshot),
        }
        self.window.due_at(now);
        false
    }

    /// When [`Self::update`] is due.
    pub fn deadline(&self) -> Instant {
        self.window.deadline().map_or(self.refresh, |due| due.min(self.refresh))
    }

    fn export_json(&mut self, snapshot: &StatsSnapshot) {
        match history_json(snapshot) {
            Ok(json) => self.export("json", &json),
            Err(error) => self.note = format!("Not saved: {error}"),
        }
    }

    fn export(&mut self, extension: &str, text: &str) {
        self.note = match export::save(extension, text.as_bytes()) {
            Ok(path) => format!("Saved {}", path.display()),
            Err(error) => format!("Not saved: {error}"),
        };
    }
}
