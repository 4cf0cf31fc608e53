//! ssh's input and output as a byte stream, and the end of the process with it.

use std::io;
use std::pin::Pin;
use std::process::ExitStatus;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::time::Sleep;

use super::error::{Phase, Problem, SshError, Wish, problem};
use super::noise::Noise;
use super::said::Said;
use crate::channel::clock;

/// How often it is looked whether a process has ended that is about to.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// How long an end is waited for whose reason is wanted.
const REASON_LIMIT: Duration = Duration::from_secs(2);
/// How long the last words are waited for once the process has ended: another process may hold its stderr open.
const WORDS_LIMIT: Duration = Duration::from_millis(200);
/// How long a process may take to end that was asked to.
const END_LIMIT: Duration = Duration::from_millis(700);

/// The running ssh. Dropping it ends it, and leaves no zombie: that takes [`END_LIMIT`] at most.
pub(super) struct Process {
    child: Child,
    said: Said,
}

/// A session's bytes through ssh.
pub struct SshStream {
    /// `None`: our side was closed.
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    /// Bytes of the stream that came with the noise before it.
    start: Vec<u8>,
    /// The stream has not begun yet.
    noise: Option<Noise>,
    phase: Phase,
    wish: Wish,
    /// Since when the end is waited for, and the next look at it.
    ending: Option<(Instant, Pin<Box<Sleep>>)>,
    process: Process,
}

impl Process {
    pub fn new(child: Child, said: Said) -> Self {
        Self { child, said }
    }

    /// What it said last.
    pub fn said(&self) -> &Said {
        &self.said
    }

    /// Waits for its end, and for its last words. Cancel-safe.
    pub async fn ended(&mut self) -> Option<ExitStatus> {
        let since = clock::now();
        let status = tokio::time::timeout(REASON_LIMIT, self.child.wait()).await.ok()?.ok();
        while !self.said.has_ended()
            && clock::now().saturating_duration_since(since) < REASON_LIMIT + WORDS_LIMIT
        {
            tokio::time::sleep(LOOK_AGAIN).await;
            if clock::now().saturating_duration_since(since) > WORDS_LIMIT {
                break;
            }
        }
        status
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.said.be_quiet();
        let Self { child, .. } = self;
        let has_ended = |child: &mut Child| child.try_wait().is_ok_and(|status| status.is_some());
        if has_ended(child) {
            return;
        }
        // It gives the terminal back, if it has it.
        if let Some(pid) =
            child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw)
            && let Err(error) = rustix::process::kill_process(pid, rustix::process::Signal::TERM)
        {
            tracing::debug!(%error, "ssh could not be asked to end");
        }
        let until = clock::now() + END_LIMIT;
        while !has_ended(child) && clock::now() < until {
            std::thread::sleep(LOOK_AGAIN);
        }
        if !has_ended(child) {
            if let Err(error) = child.start_kill() {
                tracing::debug!(%error, "ssh could not be ended");
            }
            let until = clock::now() + END_LIMIT;
            while !has_ended(child) && clock::now() < until {
                std::thread::sleep(LOOK_AGAIN);
            }
        }
    }
}

/// How a process ended, in words.
pub(super) fn how(status: Option<ExitStatus>) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match status {
        None => "it said nothing more".to_owned(),
        Some(status) => match (status.code(), status.signal()) {
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => status.to_string(),
        },
    }
}

impl SshStream {
    pub(super) fn new(
        stdin: ChildStdin,
        stdout: ChildStdout,
        process: Process,
        noise: Option<Noise>,
        start: Vec<u8>,
        wish: Wish,
    ) -> Self {
        let phase = if noise.is_some() { Phase::LoggingIn } else { Phase::Attaching };
        Self { stdin: Some(stdin), stdout, start, noise, phase, wish, ending: None, process }
    }

    /// Polls for the end of the process and of its last words, for a limited time.
    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<Option<ExitStatus>> {
        loop {
            let (since, timer) = self
                .ending
                .get_or_insert_with(|| (clock::now(), Box::pin(tokio::time::sleep(Duration::ZERO))));
            let waited = clock::now().saturating_duration_since(*since);
            let status = self.process.child.try_wait().ok().flatten();
            let is_told = self.process.said.has_ended() || waited >= WORDS_LIMIT;
            if (status.is_some() && is_told) || waited >= REASON_LIMIT {
                return Poll::Ready(status);
            }
            ready!(timer.as_mut().poll(cx));
            timer.as_mut().reset((clock::now() + LOOK_AGAIN).into());
        }
    }

    /// The output has ended. That is the session's end if ssh ended well after a session, else an error.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let status = ready!(self.poll_ended(cx));
        if self.phase == Phase::Running && status.is_none_or(|status| status.success()) {
            return Poll::Ready(Ok(()));
        }
        let mut said = self.process.said.lines();
        said.extend(self.noise.iter().flat_map(Noise::last_lines));
        let problem = problem(self.phase, &self.wish, &said, how(status));
        Poll::Ready(Err(io::Error::other(SshError { problem, said })))
    }

    /// Reads what stands before the stream, until it begins.
    fn poll_noise(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(noise) = &mut self.noise {
            let mut chunk = [0; 4096];
            let mut buffer = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut self.stdout).poll_read(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                return self.poll_end(cx).map_ok(|()| ());
            }
            match noise.feed(buffer.filled()) {
                Ok(None) => {}
                Ok(Some(begin)) => {
                    self.start = begin.rest;
                    self.phase = Phase::Attaching;
                    self.noise = None;
                }
                Err(source) => {
                    let said = noise.last_lines();
                    let problem = Problem::Noise { host: self.wish.host.clone(), source };
                    return Poll::Ready(Err(io::Error::other(SshError { problem, said })));
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl std::fmt::Debug for SshStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SshStream")
            .field("phase", &self.phase)
            .field("pid", &self.process.child.id())
            .finish()
    }
}

impl AsyncRead for SshStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ending.is_some() {
            return this.poll_end(cx);
        }
        if this.noise.is_some() {
            ready!(this.poll_noise(cx))?;
            if this.noise.is_some() {
                return Poll::Ready(Ok(()));
            }
        }
        if !this.start.is_empty() {
            let count = buf.remaining().min(this.start.len());
            #[expect(
                clippy::disallowed_methods,
                reason = "what came together with the noise, once a connection"
            )]
            this.start.drain(..count).for_each(|byte| buf.put_slice(&[byte]));
            this.begun();
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.stdout).poll_read(cx, buf))?;
        if buf.filled().len() == before && buf.remaining() > 0 {
            return this.poll_end(cx);
        }
        this.begun();
        Poll::Ready(Ok(()))
    }
}

impl SshStream {
    /// A server has said something.
    fn begun(&mut self) {
        if self.phase != Phase::Running {
            self.phase = Phase::Running;
            self.process.said.be_quiet();
        }
    }
}

/// After our side was closed nothing can be written.
fn closed() -> io::Error {
    io::ErrorKind::BrokenPipe.into()
}

impl AsyncWrite for SshStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().stdin {
            Some(stdin) => Pin::new(stdin).poll_write(cx, buf),
            None => Poll::Ready(Err(closed())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stdin {
            Some(stdin) => Pin::new(stdin).poll_flush(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Closes our side, and waits until ssh has ended: what was written last is then at the other end. What still comes
    /// from there is dropped.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.stdin = None;
        let mut scratch = [0; 16 * 1024];
        while this.ending.is_none() {
            let mut buffer = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut this.stdout).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                Ok(()) | Err(_) => break,
            }
        }
        this.poll_ended(cx).map(|_| Ok(()))
    }
}
