//! Records what the server sends while the session goes on as usual: packets are handed to a
//! thread of its own, `farpane-record`, which writes them to a file. No payload is copied.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use super::new_file;
use crate::channel::PacketSink;
use crate::protocol::Dialect;
use crate::protocol::reassembly::{KeptPacket, RawPacket};
use crate::recording::{Facts, Start, Writer};

/// Memory that packets may hold while they wait for the disk. Beyond that the network thread
/// waits with them: a recording has no holes.
const MAX_WAITING: usize = 64 << 20;
/// The file is written in pieces of this size, larger payloads as they are.
const FILE_BUFFER: usize = 64 << 10;

/// Why a recording failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the recording {}: {why}", path.display())]
pub struct RecordingError {
    path: PathBuf,
    why: io::Error,
}

/// How far a recording is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub packets: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// It ended, at the wish of its owner or because of an error.
    pub ended: bool,
}

/// A recording that is being written. Cheap to clone: all clones are the same recording.
#[derive(Clone, Debug)]
pub struct Recorder {
    path: PathBuf,
    shared: Arc<Shared>,
    thread: Arc<Mutex<Option<JoinHandle<io::Result<()>>>>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// The state changed.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<(Dialect, KeptPacket)>,
    waiting_bytes: usize,
    /// No more packets will come.
    closed: bool,
    progress: Progress,
}

impl Recorder {
    /// Creates the file, readable by its owner only, and starts the thread. `server` names what is
    /// recorded, without passwords.
    ///
    /// # Errors
    /// If the file exists already or cannot be created, or the OS gives no thread.
    pub fn create(path: &Path, server: String) -> Result<Self, RecordingError> {
        let file = new_file::create(path).map_err(|why| RecordingError { path: path.to_owned(), why })?;
        Self::write_to(file, path, server)
    }

    /// The same, under another name if the file exists already: see [`Self::path`].
    ///
    /// # Errors
    /// If the file cannot be created, or the OS gives no thread.
    pub fn create_numbered(path: &Path, server: String) -> Result<Self, RecordingError> {
        let made = new_file::create_numbered(path);
        let (file, path) = made.map_err(|why| RecordingError { path: path.to_owned(), why })?;
        Self::write_to(file, &path, server)
    }

    /// The same into an empty file that is there already, at `path`.
    ///
    /// # Errors
    /// If the OS gives no thread.
    pub fn write_to(file: File, path: &Path, server: String) -> Result<Self, RecordingError> {
        let shared = Arc::new(Shared::default());
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let facts = Facts {
            started_unix_ms: u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX),
            server,
            recorder: concat!("Farpane ", env!("CARGO_PKG_VERSION")).to_owned(),
        };
        let of_thread = Arc::clone(&shared);
        let run = move || {
            let result = write(file, facts, &of_thread);
            of_thread.close(true);
            result
        };
        let thread = std::thread::Builder::new().name("farpane-record".to_owned()).spawn(run);
        let thread = thread.map_err(|why| RecordingError { path: path.to_owned(), why })?;
        Ok(Self { path: path.to_owned(), shared, thread: Arc::new(Mutex::new(Some(thread))) })
    }

    /// Asks for the end, which [`Progress`] tells; [`Self::finish`] does not wait for long then.
    pub fn close(&self) {
        self.shared.close(false);
    }

    /// Where it is written.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        self.shared.lock().progress
    }

    /// Writes what waits, ends the recording and says how far it came. Only the first call can
    /// fail.
    ///
    /// # Errors
    /// If it could not be written, now or earlier.
    pub fn finish(&self) -> Result<Progress, RecordingError> {
        self.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let result = match thread.map(JoinHandle::join) {
            None | Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(why))) => Err(why),
            Some(Err(_)) => Err(io::Error::other("its thread panicked")),
        };
        result.map_err(|why| RecordingError { path: self.path.clone(), why }).map(|()| self.progress())
    }
}

impl PacketSink for Recorder {
    /// Records a packet. Blocks only while the disk is behind by [`MAX_WAITING`].
    fn packet(&self, dialect: Dialect, packet: &RawPacket<'_>) {
        let mut state = self.shared.lock();
        while state.waiting_bytes >= MAX_WAITING && !state.closed {
            state = self.shared.wait(state);
        }
        if !state.closed {
            let packet = packet.keep();
            state.waiting_bytes += retained_bytes(&packet);
            state.waiting.push_back((dialect, packet));
            self.shared.changed.notify_all();
        }
    }

    fn end(&self) {
        self.close();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self, ended: bool) {
        let mut state = self.lock();
        state.closed = true;
        state.progress.ended |= ended;
        self.changed.notify_all();
    }

    /// The next packet if there is one.
    fn try_take(&self) -> Option<(Dialect, KeptPacket)> {
        let mut state = self.lock();
        let (dialect, packet) = state.waiting.pop_front()?;
        state.waiting_bytes = state.waiting_bytes.saturating_sub(retained_bytes(&packet));
        self.changed.notify_all();
        Some((dialect, packet))
    }

    /// Waits until there is a packet; `false`: there will be none.
    fn wait_for_packet(&self) -> bool {
        let mut state = self.lock();
        while state.waiting.is_empty() && !state.closed {
            state = self.wait(state);
        }
        !state.waiting.is_empty()
    }

    fn note(&self, bytes: u64, packets: u64) {
        let mut state = self.lock();
        state.progress.packets += packets;
        state.progress.bytes = bytes;
    }
}

/// The thread: writes what comes, and flushes whenever nothing waits.
fn write(file: File, facts: Facts, shared: &Shared) -> io::Result<()> {
    shared.wait_for_packet();
    let first = shared.try_take();
    let dialect = first.as_ref().map_or(Dialect::Modern, |(dialect, _)| *dialect);
    let output = BufWriter::with_capacity(FILE_BUFFER, file);
    let mut writer = Writer::new(output, Start { dialect, facts })?;
    let mut next = first;
    loop {
        while let Some((packet_dialect, packet)) = next.take().or_else(|| shared.try_take()) {
            if packet_dialect != dialect {
                return Err(io::Error::other("the server changed its protocol"));
            }
            writer.packet(&packet.lend())?;
            shared.note(writer.written(), 1);
        }
        writer.flush()?;
        if !shared.wait_for_packet() {
            break;
        }
    }
    let output = writer.finish()?;
    let file = output.into_inner().map_err(io::IntoInnerError::into_error)?;
    shared.note(file.metadata()?.len(), 0);
    file.sync_all()
}

/// Memory that a packet keeps from being used again.
fn retained_bytes(packet: &KeptPacket) -> usize {
    let chunks = packet.chunks.iter().map(|(_, record)| record);
    let records = chunks.chain([&packet.main]);
    records.map(|record| record.payload.retained_bytes()).sum::<usize>()
}
