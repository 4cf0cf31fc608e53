//! What just happened in the session, saved at the user's wish.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::channel::{NetCommand, NetQueue, clock};
use crate::net::{Recorder, RecordingError};
use crate::stats::text;

use super::export;

/// Time between two looks at how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// At most one file at a time.
pub struct SessionReplay {
    /// What is saved, for people.
    server: String,
    /// What came lately is kept.
    is_kept: bool,
    /// The file that is being written, until its end was told.
    recorder: Option<Recorder>,
    next_look: Instant,
}

impl SessionReplay {
    /// Of the session with this server.
    pub fn new(server: String, is_kept: bool) -> Self {
        Self { server, is_kept, recorder: None, next_look: clock::now() }
    }

    /// Begins a new file with it. Returns words for the user.
    pub fn save(&mut self, net: &NetQueue) -> String {
        if !self.is_kept {
            return "Not saved: nothing is kept for that (--instant-replay=no)".to_owned();
        }
        if let Some(recorder) = &self.recorder {
            return format!("{} is still being written", recorder.path().display());
        }
        let made = export::create("fpr").map_err(anyhow::Error::from);
        let made = made.and_then(|(file, path)| Ok(Recorder::write_to(file, &path, self.server.clone())?));
        match made {
            Ok(recorder) => {
                let words = format!("Saving what just happened as {}", recorder.path().display());
                net.push(NetCommand::SaveReplay(Arc::new(recorder.clone())));
                self.recorder = Some(recorder);
                self.next_look = clock::now() + LOOK_EVERY;
                words
            }
            Err(error) => format!("Not saved: {error:#}"),
        }
    }

    /// Looks how far it is, if it is time. Returns words for the user when it is there.
    pub fn update(&mut self) -> Option<String> {
        let now = clock::now();
        let recorder = self.recorder.take_if(|_| now >= self.next_look)?;
        if !recorder.progress().ended {
            self.next_look = now + LOOK_EVERY;
            self.recorder = Some(recorder);
            return None;
        }
        let path = recorder.path().display();
        Some(match recorder.finish() {
            Ok(progress) if progress.packets == 0 => {
                // It can be made again.
                let _ = std::fs::remove_file(recorder.path());
                "Not saved: nothing came yet".to_owned()
            }
            Ok(progress) => format!(
                "Saved {path}: {} packets, {}",
                text::count(progress.packets),
                text::bytes(progress.bytes as f64)
            ),
            Err(error) => {
                tracing::error!(%error, "what just happened is not saved");
                format!("Not saved: {error}")
            }
        })
    }

    /// When [`Self::update`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.recorder.as_ref().map(|_| self.next_look)
    }

    /// Completes what is being written.
    ///
    /// # Errors
    /// If it is not complete.
    pub fn finish(self) -> Result<(), RecordingError> {
        let Some(recorder) = self.recorder else { return Ok(()) };
        if recorder.finish()?.packets == 0 {
            // Nothing came before the end.
            let _ = std::fs::remove_file(recorder.path());
        }
        Ok(())
    }
}
