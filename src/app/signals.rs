//! Ctrl-C and the system's wish that the program ends: the session is closed in order.

use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::Notify;

/// Exit code after a second signal, as shells count it (128 + SIGINT).
const EXIT_IMPATIENT: i32 = 130;

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
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let run = move || {
            runtime.block_on(async {
                let mut seen = false;
                loop {
                    tokio::select! {
                        () = stopped.notified() => return,
                        result = signal() => match result {
                            Err(error) => {
                                tracing::warn!(%error, "signals cannot be handled");
                                return;
                            }
                            Ok(()) if seen => std::process::exit(EXIT_IMPATIENT),
                            Ok(()) => {
                                seen = true;
                                interrupted();
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

#[cfg(unix)]
async fn signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
