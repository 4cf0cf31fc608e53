//! A way to a server as long and as narrow as one over a continent, which can go dark for a while.
//!
//! Everything happens in this process, above TCP: the kernel's own queueing disciplines for delay and loss are not everywhere.
//! So a lost packet is what a program sees of it, a pause in all that comes after it ([`Line::lost`]); that TCP also sends
//! more slowly then is not in it. Both ends are told a small segment, and little is read ahead: what a server's own
//! system keeps of what it could not send is as much as on a real line.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;

use crate::channel::clock;

/// Bytes of a segment where packets have 1280 bytes, the least that IPv6 allows.
pub const SEGMENT: u32 = 1228;
/// The bytes that wait in front of the narrow place.
const QUEUE: usize = 32 << 10;
/// What the system at either end of it keeps besides.
const KEPT: usize = 8 << 10;
/// As many as a fast line takes.
const UNBOUNDED: usize = 4 << 20;
/// Linux waits as long at least before it sends a segment again.
const LEAST_TIMEOUT: Duration = Duration::from_millis(200);

/// What a line is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// There and back.
    pub delay: Duration,
    /// Bits a second, each way; 0: as many as come.
    pub bits_per_second: u64,
    /// One segment of so many is lost; 0: none.
    pub loses_one_of: u32,
}

impl Line {
    /// What everything behind a lost segment waits for it.
    fn lost(&self) -> Duration {
        LEAST_TIMEOUT.max(2 * self.delay)
    }

    /// How long so many bytes need to pass the narrow place.
    fn passing(&self, bytes: usize) -> Duration {
        let bits = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(8_000_000);
        bits.checked_div(self.bits_per_second).map_or(Duration::ZERO, Duration::from_micros)
    }

    /// Bytes that are taken from a sender before one has arrived.
    fn room(&self) -> usize {
        let on_the_way = u128::from(self.bits_per_second / 8) * self.delay.as_micros() / 2_000_000;
        match self.bits_per_second {
            0 => UNBOUNDED,
            _ => usize::try_from(on_the_way).unwrap_or(UNBOUNDED).min(UNBOUNDED) + QUEUE,
        }
    }
}

/// A line that is laid. Its connections end when it is dropped.
pub struct Laid {
    at: SocketAddr,
    wishes: watch::Sender<Wishes>,
    sent: Arc<[AtomicUsize; 2]>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Wishes {
    is_dark: bool,
    has_ended: bool,
}

impl Laid {
    /// One to this loopback port.
    ///
    /// # Errors
    /// If there is no port or thread.
    pub fn to(port: u16, line: Line) -> io::Result<Self> {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
        prepare(&socket)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        socket.listen(8)?;
        let listener = TcpListener::from(socket);
        let at = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (wishes, wanted) = watch::channel(Wishes::default());
        let sent: Arc<[AtomicUsize; 2]> = Arc::default();
        let counted = Arc::clone(&sent);
        let run = move || {
            if let Err(error) = runtime.block_on(listen(listener, port, line, wanted, counted)) {
                tracing::debug!(%error, "the line is broken");
            }
        };
        let thread = std::thread::Builder::new().name("farpane-bench-line".to_owned()).spawn(run)?;
        Ok(Self { at, wishes, sent, thread: Some(thread) })
    }

    /// What to attach to.
    pub fn url(&self) -> String {
        format!("tcp://{}/", self.at)
    }

    /// Nothing gets through, either way, until [`Self::light`]; then all that was sent meanwhile does.
    pub fn darken(&self) {
        self.wishes.send_modify(|wishes| wishes.is_dark = true);
    }

    /// The end of that.
    pub fn light(&self) {
        self.wishes.send_modify(|wishes| wishes.is_dark = false);
    }

    /// Bytes that clients, and the server, have put on it so far.
    pub fn sent(&self) -> [usize; 2] {
        [0, 1].map(|way: usize| self.sent.get(way).map_or(0, |sent| sent.load(Ordering::Relaxed)))
    }
}

impl Drop for Laid {
    fn drop(&mut self) {
        self.wishes.send_modify(|wishes| wishes.has_ended = true);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Small segments, and little that is read ahead.
fn prepare(socket: &socket2::Socket) -> io::Result<()> {
    #[cfg(not(windows))]
    socket.set_tcp_mss(SEGMENT)?;
    socket.set_recv_buffer_size(KEPT)
}

async fn listen(
    listener: TcpListener,
    port: u16,
    line: Line,
    mut wanted: watch::Receiver<Wishes>,
    sent: Arc<[AtomicUsize; 2]>,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (client, _) = tokio::select! {
            accepted = listener.accept() => accepted?,
            ended = wanted.wait_for(|wishes| wishes.has_ended) => return ended.map(|_| ()).or(Ok(())),
        };
        // Without a server the client is left alone, as by a machine that runs none.
        let Ok(server) = connect(port) else { continue };
        client.set_nodelay(true)?;
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        for (way, from, to) in [(0, from_client, to_server), (1, from_server, to_client)] {
            let (wanted, sent) = (wanted.clone(), Arc::clone(&sent));
            tokio::spawn(async move {
                let count = |bytes| {
                    if let Some(sent) = sent.get(way) {
                        sent.fetch_add(bytes, Ordering::Relaxed);
                    }
                };
                if let Err(error) = Way::new(line).carry(from, to, wanted, count).await {
                    tracing::debug!(%error, "a connection ended");
                }
            });
        }
    }
}

fn connect(port: u16) -> io::Result<tokio::net::TcpStream> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    prepare(&socket)?;
    socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    tokio::net::TcpStream::from_std(stream)
}

/// One direction of a connection.
struct Way {
    line: Line,
    /// What is on the way, and when it arrives.
    pieces: VecDeque<(Instant, Vec<u8>)>,
    bytes: usize,
    /// When the narrow place is free.
    free: Instant,
    /// Nothing arrives before: something that was lost is awaited.
    held: Instant,
    chance: u32,
}

impl Way {
    fn new(line: Line) -> Self {
        let now = clock::now();
        Self { line, pieces: VecDeque::new(), bytes: 0, free: now, held: now, chance: 0x9e37_79b9 }
    }

    async fn carry(
        &mut self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        mut wanted: watch::Receiver<Wishes>,
        count: impl Fn(usize),
    ) -> io::Result<()> {
        let mut piece = vec![0; SEGMENT as usize];
        let (mut open, mut dark_since) = (true, None::<Instant>);
        while open || !self.pieces.is_empty() {
            let due = self.pieces.front().map(|(due, _)| *due).filter(|_| dark_since.is_none());
            let arrival = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                read = from.read(&mut piece), if open && self.bytes < self.line.room() => {
                    let read = read?;
                    open = read > 0;
                    count(read);
                    self.take(piece.get(..read).unwrap_or_default(), dark_since.unwrap_or_else(clock::now));
                }
                () = arrival => {
                    if let Some((_, piece)) = self.pieces.pop_front() {
                        self.bytes -= piece.len();
                        to.write_all(&piece).await?;
                    }
                }
                changed = wanted.changed() => {
                    let Wishes { is_dark, has_ended } = *wanted.borrow_and_update();
                    if has_ended || changed.is_err() {
                        return Ok(());
                    }
                    let now = clock::now();
                    match dark_since {
                        None if is_dark => dark_since = Some(now),
                        Some(since) if !is_dark => {
                            dark_since = None;
                            self.put_off(now - since);
                        }
                        _ => {}
                    }
                }
            }
        }
        to.shutdown().await
    }

    fn take(&mut self, bytes: &[u8], now: Instant) {
        if bytes.is_empty() {
            return;
        }
        self.free = self.free.max(now) + self.line.passing(bytes.len());
        let due = (self.free + self.line.delay / 2).max(self.held);
        self.held = if self.loses() { due + self.line.lost() } else { due };
        self.bytes += bytes.len();
        self.pieces.push_back((self.held, Vec::from(bytes)));
    }

    /// It was dark for this long.
    fn put_off(&mut self, dark: Duration) {
        self.free += dark;
        self.held += dark;
        self.pieces.iter_mut().for_each(|(due, _)| *due += dark);
    }

    /// Whether the next segment is lost: the same ones each time (xorshift).
    fn loses(&mut self) -> bool {
        for shift in [13_i32, -17, 5] {
            self.chance ^= if shift > 0 { self.chance << shift } else { self.chance >> -shift };
        }
        self.line.loses_one_of > 0 && self.chance.is_multiple_of(self.line.loses_one_of)
    }
}
