//! Layer 2: plays recordings to clients: `farpane serve` to any Xpra client, `farpane replay` to
//! the viewer in the same process.
//!
//! The client sees a server that sends what the recorded one sent, spelled and encoded as the
//! client wants it. Everything that was meant for the recording client alone (its challenge, the
//! echoes of its pings, notifications and sound) is left out, and the hello says only what still
//! holds ([`hello`]). What the client does has no effect, but it is answered: pings, information,
//! and acknowledgements, which let the next draws through.
//!
//! [`script`] reads the recording, [`session`] plays it to one client.

pub mod hello;
pub mod script;
pub mod session;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::serving::Server;

pub use script::PlayError;
use script::Script;

/// Draws that may be unacknowledged unless told otherwise.
pub const DEFAULT_WINDOW: usize = 32;

/// What to play and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub file: PathBuf,
    pub pace: Pace,
    /// Draws that a client may leave unacknowledged before it gets no more, at least 1.
    pub window: usize,
    /// How often the draws are played, one round after the other, at least 1: benchmarks need more
    /// of them than fit in a file. All else is played once.
    pub rounds: u32,
    pub at_end: AtEnd,
}

/// When packets are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// As they came, unless the client falls behind: then as fast as it goes until it has caught
    /// up.
    #[default]
    Recorded,
    /// As fast as the client acknowledges.
    FlatOut,
}

/// What happens when all was sent and acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AtEnd {
    /// The windows stay as they are until the client leaves.
    #[default]
    Stay,
    /// The client is told goodbye.
    Close,
}

/// What was played so far, to all clients together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Played {
    /// Clients that attached.
    pub clients: u64,
    /// Clients that were sent everything and have acknowledged it.
    pub finished: u64,
    pub packets: u64,
    pub draws: u64,
    pub acknowledged: u64,
    /// Draws that a client could not show.
    pub refused: u64,
    /// When a client first acknowledged a draw.
    pub first_acknowledged: Option<Instant>,
    /// When a client last acknowledged a draw.
    pub last_acknowledged: Option<Instant>,
    /// How long it took the last client that finished, from its hello on.
    pub time: Duration,
    /// The recording could not be read to its end, and why.
    pub damage: Option<String>,
}

/// [`Played`], as the sessions note it.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Mutex<Played>>);

impl Progress {
    /// What was played so far.
    pub fn get(&self) -> Played {
        self.lock().clone()
    }

    /// Changes it.
    pub fn note(&self, change: impl FnOnce(&mut Played)) {
        change(&mut self.lock());
    }

    fn lock(&self) -> MutexGuard<'_, Played> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A server that plays a recording from its beginning to every client that attaches. Dropping it
/// ends the sessions.
#[derive(Debug)]
pub struct Player {
    server: Server,
    progress: Progress,
    draws_allowed: watch::Sender<u64>,
}

impl Player {
    /// Starts serving on `bind`; port 0 takes a free one.
    ///
    /// # Errors
    /// If the file is no recording of a session, or the address cannot be served on.
    pub fn start(bind: SocketAddr, options: Options) -> Result<Self, PlayError> {
        Script::open(&options.file)?.hello()?;
        let progress = Progress::default();
        let (options, notes) = (Arc::new(options), progress.clone());
        let (draws_allowed, allowed) = watch::channel(u64::MAX);
        let server = Server::start(bind, "farpane-player", move |stream, shutdown| {
            session::run(stream, shutdown, Arc::clone(&options), notes.clone(), allowed.clone())
        });
        let server = server.map_err(|why| PlayError::Bind { at: bind, why })?;
        Ok(Self { server, progress, draws_allowed })
    }

    /// Sends each client no more draws than this from now on, until another number is given.
    pub fn allow_draws(&self, draws: u64) {
        self.draws_allowed.send_replace(draws);
    }

    /// Where it serves.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// What was played so far.
    pub fn played(&self) -> Played {
        self.progress.get()
    }

    /// Waits until the server ends, which it only does when it fails.
    ///
    /// # Errors
    /// Why it failed.
    pub fn wait(self) -> io::Result<()> {
        self.server.wait()
    }
}
