//! The session information window.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use winit::dpi::LogicalSize;
use winit::window::{Window, WindowAttributes};

use crate::channel::SharedStats;
use crate::config::KeyCombination;
use crate::stats::StatsSnapshot;
use crate::stats::export::{history_csv, history_json};
use crate::ui::{SessionInfoAction, session_info_ui};

use super::export;
use super::panel::Panel;

/// The history has a point a second.
const REFRESH: Duration = Duration::from_secs(1);
/// Time for the first statistics to come.
const FIRST_REFRESH: Duration = Duration::from_millis(100);

/// The statistics of a session and their history.
pub struct SessionInfo {
    /// Of which session.
    title: String,
    /// What closes it, besides Escape and its button.
    key: KeyCombination,
    stats: SharedStats,
    /// It has been shown once.
    shown: bool,
    /// Where the last export was saved, or why not.
    note: String,
    size: LogicalSize<f64>,
}

impl SessionInfo {
    /// The information about the session called `title`; `key` closes the window.
    pub fn new(title: String, key: KeyCombination, stats: SharedStats, size: LogicalSize<f64>) -> Self {
        Self { title, key, stats, shown: false, note: String::new(), size }
    }

    /// Saves the history as the user asks. True if the user closes the window instead.
    pub fn act(&mut self, action: SessionInfoAction) -> bool {
        let snapshot = self.snapshot();
        self.note = match action {
            SessionInfoAction::Close => return true,
            SessionInfoAction::ExportCsv => saved("csv", &history_csv(&snapshot.history)),
            SessionInfoAction::ExportJson => match history_json(&snapshot) {
                Ok(json) => saved("json", &json),
                Err(error) => format!("Not saved: {error}"),
            },
        };
        false
    }

    fn snapshot(&self) -> Arc<StatsSnapshot> {
        Arc::clone(&self.stats.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Panel for SessionInfo {
    type Action = SessionInfoAction;

    fn attributes(&self) -> WindowAttributes {
        Window::default_attributes()
            .with_title(format!("Session information: {}", self.title))
            .with_inner_size(self.size)
    }

    fn ui(&mut self, ui: &mut egui::Ui) -> Option<SessionInfoAction> {
        let again = if std::mem::replace(&mut self.shown, true) { REFRESH } else { FIRST_REFRESH };
        ui.ctx().request_repaint_after(again);
        session_info_ui(&self.snapshot(), &self.note, ui)
    }

    fn closed(&self) -> SessionInfoAction {
        SessionInfoAction::Close
    }

    fn closing_key(&self) -> Option<&KeyCombination> {
        Some(&self.key)
    }
}

/// Saves an export, and says where or why not.
fn saved(extension: &str, text: &str) -> String {
    match export::save(extension, text.as_bytes()) {
        Ok(path) => format!("Saved {}", path.display()),
        Err(error) => format!("Not saved: {error}"),
    }
}
