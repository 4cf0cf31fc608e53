//! A way to a server that can be shut, as a network breaks, and opened again.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::channel::clock;

/// How often somebody who waits at the door is looked for: part of what a figure is off.
const LOOK: Duration = Duration::from_millis(1);
/// Bytes that are carried at once.
const PIECE: usize = 256 << 10;

/// Carries connections of a loopback port to another one while it is open.
pub struct Door {
    at: SocketAddr,
    to: SocketAddr,
    through: Arc<Mutex<Vec<TcpStream>>>,
    open: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
    came: Arc<OnceLock<Instant>>,
}

impl Door {
    /// An open one that leads to this port.
    ///
    /// # Errors
    /// If there is no free port.
    pub fn open_to(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (at, to) = (listener.local_addr()?, (Ipv4Addr::LOCALHOST, port).into());
        let mut door = Self { at, to, through: Arc::default(), open: None, came: Arc::default() };
        door.carry(listener)?;
        Ok(door)
    }

    /// What to attach to.
    pub fn url(&self) -> String {
        format!("tcp://{}/", self.at)
    }

    /// When the first connection came since it was opened.
    pub fn came(&self) -> Option<Instant> {
        self.came.get().copied()
    }

    /// Ends all connections, and refuses others from now on.
    pub fn shut(&mut self) {
        if let Some((stop, thread)) = self.open.take() {
            stop.store(true, Ordering::Relaxed);
            let _ = thread.join();
        }
        for connection in self.through.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Lets connections through again.
    ///
    /// # Errors
    /// If somebody else has taken its port.
    pub fn open(&mut self) -> io::Result<()> {
        // (The standard library sets SO_REUSEADDR: what is left of old connections is in nobody's way.)
        self.carry(TcpListener::bind(self.at)?)
    }

    fn carry(&mut self, listener: TcpListener) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        let stop = Arc::new(AtomicBool::new(false));
        let (told, through, to) = (Arc::clone(&stop), Arc::clone(&self.through), self.to);
        let came = Arc::new(OnceLock::new());
        self.came = Arc::clone(&came);
        let run = move || {
            while !told.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((client, _)) => {
                        came.get_or_init(clock::now);
                        if let Err(error) = join(client, to, &through) {
                            tracing::debug!(%error, "nobody comes through the door");
                        }
                    }
                    Err(_) => std::thread::sleep(LOOK),
                }
            }
        };
        let thread = std::thread::Builder::new().name("farpane-bench-door".to_owned()).spawn(run)?;
        self.open = Some((stop, thread));
        Ok(())
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.shut();
    }
}

/// Connects a client to the server. Both connections are among those that end when the door is shut.
fn join(client: TcpStream, to: SocketAddr, through: &Mutex<Vec<TcpStream>>) -> io::Result<()> {
    client.set_nonblocking(false)?;
    let server = TcpStream::connect(to)?;
    for (from, to) in [(&client, &server), (&server, &client)] {
        from.set_nodelay(true)?;
        let (mut from, mut to) = (from.try_clone()?, to.try_clone()?);
        let run = move || {
            let mut piece = vec![0; PIECE];
            while let Ok(count @ 1..) = from.read(&mut piece) {
                if to.write_all(piece.get(..count).unwrap_or_default()).is_err() {
                    break;
                }
            }
            // The other side hears of it.
            let _ = to.shutdown(Shutdown::Both);
        };
        std::thread::Builder::new().name("farpane-bench-door".to_owned()).spawn(run)?;
    }
    through.lock().unwrap_or_else(PoisonError::into_inner).extend([client, server]);
    Ok(())
}
