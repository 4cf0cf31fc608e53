//! What ssh and the programs behind it say on stderr.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::channel::{AppEvent, AppSink, ConnectStage};
use crate::protocol::text;

/// Lines that are kept for an error.
const MAX_LINES: usize = 24;
/// Bytes of a line that are kept.
const MAX_LINE: usize = 400;
/// Lines that the application is told of: what says more does not fill its mailbox.
const MAX_TOLD: usize = 40;

/// The last lines, shared with the task that reads them.
#[derive(Clone, Debug, Default)]
pub struct Said(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<String>,
    /// The stream has ended: nothing more comes.
    ended: bool,
    /// The session has begun: lines are logged, and not told any more.
    quiet: bool,
}

impl Said {
    /// Reads `stderr` in a task of the current runtime until its end; logs each line, and tells `app` while connecting.
    pub fn read(stderr: impl AsyncRead + Unpin + Send + 'static, app: Arc<dyn AppSink>) -> Self {
        let said = Self::default();
        tokio::spawn(said.clone().listen(stderr, app));
        said
    }

    /// The last lines, the newest last.
    pub fn lines(&self) -> Vec<String> {
        self.lock().lines.iter().cloned().collect()
    }

    /// Whether all of it was read.
    pub fn has_ended(&self) -> bool {
        self.lock().ended
    }

    /// The session has begun.
    pub fn be_quiet(&self) {
        self.lock().quiet = true;
    }

    async fn listen(self, mut stderr: impl AsyncRead + Unpin, app: Arc<dyn AppSink>) {
        let (mut line, mut told) = (Vec::new(), 0);
        let mut chunk = [0; 1024];
        loop {
            let read = stderr.read(&mut chunk).await.unwrap_or(0);
            for byte in chunk.get(..read).unwrap_or_default() {
                match byte {
                    b'\n' | b'\r' => self.line(&std::mem::take(&mut line), &*app, &mut told),
                    _ if line.len() < MAX_LINE => line.push(*byte),
                    _ => {}
                }
            }
            if read == 0 {
                self.line(&line, &*app, &mut told);
                self.lock().ended = true;
                return;
            }
        }
    }

    fn line(&self, line: &[u8], app: &dyn AppSink, told: &mut usize) {
        let line = text::shown_bytes(line, MAX_LINE);
        if line.trim().is_empty() {
            return;
        }
        tracing::info!(%line, "ssh says");
        let mut state = self.lock();
        if !state.quiet && *told < MAX_TOLD {
            *told += 1;
            app.send(AppEvent::Connecting(ConnectStage::SshSays { line: line.clone() }));
        }
        state.lines.push_back(line);
        if state.lines.len() > MAX_LINES {
            state.lines.pop_front();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
