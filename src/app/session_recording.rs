//! The recording of the session that is shown, by the wish of the command line or of the session menu.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::channel::{NetCommand, NetQueue, PacketSink, clock};
use crate::config::Config;
use crate::net::recorder::Progress;
use crate::net::{Recorder, RecordingError};
use crate::stats::text;

use super::export;

/// Time between two looks at how far the recording is.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// At most one recording at a time.
pub struct SessionRecording {
    /// What is recorded, for people.
    server: String,
    /// The one that is being written, until its end was told.
    recorder: Option<Recorder>,
    next_look: Instant,
    /// Why one of them is not complete.
    failed: Option<RecordingError>,
}

impl SessionRecording {
    /// Creates the file that the configuration asks for. Its packets come from whoever is given
    /// [`Self::sink`].
    ///
    /// # Errors
    /// If the file cannot be created.
    pub fn new(config: &Config) -> Result<Self, RecordingError> {
        let server = config.connection.target.to_string();
        let recorder = match &config.record {
            Some(file) => Some(Recorder::create_numbered(file, server.clone())?),
            None => None,
        };
        Ok(Self { server, recorder, next_look: clock::now() + LOOK_EVERY, failed: None })
    }

    /// Takes the packets, if something is recorded.
    pub fn sink(&self) -> Option<Arc<dyn PacketSink>> {
        self.recorder.clone().map(|recorder| Arc::new(recorder) as _)
    }

    /// Whether something is recorded.
    pub fn is_running(&self) -> bool {
        self.recorder.is_some()
    }

    /// Records to a new file from now on, or ends that: has the network thread give its packets. Returns words for the
    /// user.
    pub fn toggle(&mut self, net: &NetQueue) -> String {
        if let Some(recorder) = &self.recorder {
            net.push(NetCommand::Record(None));
            recorder.close();
            self.next_look = clock::now();
            return format!("Completing {}", recorder.path().display());
        }
        match self.start() {
            Ok(recorder) => {
                let words = format!("Recording to {}", recorder.path().display());
                net.push(NetCommand::Record(Some(Arc::new(recorder.clone()))));
                self.recorder = Some(recorder);
                self.next_look = clock::now() + LOOK_EVERY;
                words
            }
            Err(error) => format!("Not recorded: {error:#}"),
        }
    }

    fn start(&self) -> anyhow::Result<Recorder> {
        let (file, path) = export::create("fpr")?;
        Ok(Recorder::write_to(file, &path, self.server.clone())?)
    }

    /// Looks how far it is, if it is time. Returns words for the user.
    pub fn update(&mut self, net: &NetQueue) -> Option<String> {
        let now = clock::now();
        let recorder = self.recorder.take_if(|_| now >= self.next_look)?;
        let progress = recorder.progress();
        let path = recorder.path().display();
        if !progress.ended {
            let words = format!("Recording to {path}: {}", words(progress));
            self.next_look = now + LOOK_EVERY;
            self.recorder = Some(recorder);
            return Some(words);
        }
        net.push(NetCommand::Record(None));
        Some(match recorder.finish() {
            Ok(progress) => format!("Recorded {path}: {}", words(progress)),
            Err(error) => {
                tracing::error!(%error, "the recording ended");
                let words = format!("Not recorded: {error}");
                self.failed = Some(error);
                words
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
    /// If one of the recordings is not complete.
    pub fn finish(self) -> Result<(), RecordingError> {
        if let Some(recorder) = self.recorder {
            recorder.finish()?;
        }
        self.failed.map_or(Ok(()), Err)
    }
}

fn words(Progress { packets, bytes, .. }: Progress) -> String {
    format!("{} packets, {}", text::count(packets), text::bytes(bytes as f64))
}
