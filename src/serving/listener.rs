//! Accepts clients, each of which gets a session of its own.

use std::error::Error;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::LocalSet;

/// Serves on `listener` until `shutdown` changes or its sender goes: `session` makes what runs for
/// one client, and is given the same wish to end. Runs on the current thread.
///
/// # Errors
/// If no connection can be accepted any more. A client's errors end only its own session.
pub async fn serve<F, E>(
    listener: tokio::net::TcpListener,
    mut shutdown: watch::Receiver<bool>,
    session: impl Fn(TcpStream, watch::Receiver<bool>) -> F,
) -> io::Result<()>
where
    F: Future<Output = Result<(), E>> + 'static,
    E: Error + 'static,
{
    let clients = LocalSet::new();
    let result = clients
        .run_until(async {
            loop {
                tokio::select! {
                    _ = shutdown.changed() => return Ok(()),
                    accepted = listener.accept() => {
                        let (stream, peer) = accepted?;
                        let session = session(stream, shutdown.clone());
                        tokio::task::spawn_local(async move {
                            match session.await {
                                Ok(()) => tracing::debug!(%peer, "the client left"),
                                Err(error) => tracing::warn!(%peer, %error, "the client was dropped"),
                            }
                        });
                    }
                }
            }
        })
        .await;
    // The clients still have to be told.
    clients.await;
    result
}

/// A server on a thread of its own. Dropping it ends the sessions and waits for the thread.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shutdown: watch::Sender<bool>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Server {
    /// Starts serving on `bind` (port 0 takes a free one), in a thread of this name; see
    /// [`serve`].
    ///
    /// # Errors
    /// If the address is in use, or not one of this machine.
    pub fn start<F, E>(
        bind: SocketAddr,
        name: &str,
        session: impl Fn(TcpStream, watch::Receiver<bool>) -> F + Send + 'static,
    ) -> io::Result<Self>
    where
        F: Future<Output = Result<(), E>> + 'static,
        E: Error + 'static,
    {
        let listener = TcpListener::bind(bind)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (shutdown, told) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            runtime
                .block_on(async { serve(tokio::net::TcpListener::from_std(listener)?, told, session).await })
        })?;
        Ok(Self { address, shutdown, thread: Some(thread) })
    }

    /// Where it serves.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the server ends, which it only does when it fails.
    ///
    /// # Errors
    /// Why it failed.
    pub fn wait(mut self) -> io::Result<()> {
        self.join()
    }

    fn join(&mut self) -> io::Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(io::Error::other("the server's thread panicked")),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.shutdown.send(true);
        if let Err(error) = self.join() {
            tracing::warn!(%error, "the server ended badly");
        }
    }
}
