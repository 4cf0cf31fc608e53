//! Ctrl-C and the system's wish that the program ends: the session is closed in order. SIGUSR1: what just happened in it is
//! to be saved.

use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::Notify;

/// Exit code after a second signal, as shells count it (128 + SIGINT).
const EXIT_IMPATIENT: i32 = 130;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The end of the program.
    End,
    /// A file with what just happened.
    SaveReplay,
}

/// A thread that waits for signals; dropping it ends the thread.
pub struct Signals {
    stop: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

impl Signals {
    /// Starts the thread. The first signal calls `interrupted` on that thread; the second one ends
    /// the program at once.
    ///
    /// # Errors
    /// If the OS gives no thread.
    pub fn watch(interrupted: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        Self::start(false, move |_| interrupted())
    }

    /// The same, and SIGUSR1 is heard too.
    ///
    /// # Errors
    /// If the OS gives no thread.
    pub fn watch_all(asked: impl Fn(Asked) + Send + 'static) -> std::io::Result<Self> {
        Self::start(true, asked)
    }

    fn start(saves: bool, asked: impl Fn(Asked) + Send + 'static) -> std::io::Result<Self> {
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let run = move || {
            runtime.block_on(async {
                let mut seen = false;
                let mut signals = match Heard::new(saves) {
                    Ok(signals) => signals,
                    Err(error) => {
                        tracing::warn!(%error, "signals cannot be handled");
                        return;
                    }
                };
                loop {
                    tokio::select! {
                        () = stopped.notified() => return,
                        result = signals.next() => match result {
                            Asked::SaveReplay => asked(Asked::SaveReplay),
                            Asked::End if seen => std::process::exit(EXIT_IMPATIENT),
                            Asked::End => {
                                seen = true;
                                asked(Asked::End);
                            }
                        }
                    }
                }
            });
        };
        let thread = std::thread::Builder::new().name("farpane-signals".to_owned()).spawn(run)?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.stop.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::warn!("the thread that waits for signals panicked");
        }
    }
}

/// The signals that are waited for.
#[cfg(unix)]
struct Heard {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
    save: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Heard {
    fn new(saves: bool) -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            save: saves.then(|| signal(SignalKind::user_defined1())).transpose()?,
        })
    }

    async fn next(&mut self) -> Asked {
        let Self { interrupt, terminate, hangup, save } = self;
        let save = async {
            match save {
                Some(save) => save.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => Asked::End,
            _ = terminate.recv() => Asked::End,
            _ = hangup.recv() => Asked::End,
            _ = save => Asked::SaveReplay,
        }
    }
}

/// The signals that are waited for.
#[cfg(not(unix))]
struct Heard;

#[cfg(not(unix))]
impl Heard {
    fn new(_saves: bool) -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Asked {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Asked::End,
            Err(error) => {
                tracing::warn!(%error, "signals cannot be handled");
                std::future::pending().await
            }
        }
    }
}
