//! What was received lately, kept in memory, so that it can be saved once something was seen: *instant replay*.
//!
//! Packets are kept as they came, no longer than a time and within a number of bytes, which count what is held of memory:
//! whole buffers, and the list itself. Large payloads are shared. Those below [`SHARED_FROM`] are copied one behind the
//! other ([`CopySite::Replay`]): each would keep a receive buffer for itself, and leave none to be recycled.
//!
//! What is left of a session in the middle can only be shown by who knows its windows. So every few seconds a *segment*
//! begins with what a server would have to say by then; packets that fall out of the oldest segment are kept without the
//! pictures until all of it did. The pixels of the windows are asked for anew when it is saved ([`Saving`]), and stand before
//! everything: what did not change since is right, and what did shows how it became later until it is drawn.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::recording::announce;
use crate::buffers::{Payload, PayloadRef};
use crate::channel::PacketSink;
use crate::protocol::packet::WindowId;
use crate::protocol::packet::draw::{self, Encoding};
use crate::protocol::packet::window;
use crate::protocol::reassembly::{KeptPacket, RawPacket, RawRecord};
use crate::protocol::record::{ChunkIndex, Compressor};
use crate::protocol::{Dialect, ServerPacket};
use crate::stats::{CopyLedger, CopySite, copies};

/// A payload of this size is shared, a smaller one copied.
pub const SHARED_FROM: usize = 512 << 10;
/// Shared payloads that are kept together: their buffers are not given back when they are let go, but recycled.
pub const MOST_SHARED: usize = 12 << 20;
/// Copies are made into blocks of this size: any of them fits.
const BLOCK: usize = 1 << 20;
/// No more is kept where there is video: its decoders take the memory ([`Bounds::video_bytes`]).
///
/// [`Bounds::video_bytes`]: crate::protocol::Bounds::video_bytes
pub const BESIDE_VIDEO: usize = 20 << 20;
/// A segment begins after this time, or so many parts of all bytes.
const SEGMENT: Duration = Duration::from_secs(5);
const SEGMENT_PARTS: usize = 8;
/// How long the pixels of all windows are waited for.
const PICTURES_WITHIN: Duration = Duration::from_secs(2);

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayBounds {
    pub bytes: usize,
    pub time: Duration,
}

impl Default for ReplayBounds {
    fn default() -> Self {
        Self { bytes: 64 << 20, time: Duration::from_secs(30) }
    }
}

/// The packets of a connection, the newest of them.
#[derive(Debug)]
pub struct Replay {
    bounds: ReplayBounds,
    dialect: Dialect,
    entries: VecDeque<Entry>,
    /// The raw chunks of the entries, in order.
    chunks: VecDeque<(ChunkIndex, Kept)>,
    /// What was copied, in order; entries know the number of their block.
    blocks: VecDeque<Vec<u8>>,
    first_block: u64,
    /// A block that nobody needs.
    spare: Option<Vec<u8>>,
    /// Number of the next entry.
    next: u64,
    /// The oldest one is that of the first entry.
    segments: VecDeque<Segment>,
    /// What came in the oldest segment before the first entry, without pictures.
    before: Vec<(KeptPacket, About)>,
    /// Bytes of memory: of shared payloads, of all of `before`.
    shared: usize,
    kept_before: usize,
    /// Bytes since the newest segment began.
    since_segment: usize,
    /// The server sent video.
    has_video: bool,
    saving: Option<Saving>,
}

/// What was there when it began.
#[derive(Debug)]
struct Segment {
    first: u64,
    began: Instant,
    state: Vec<ServerPacket>,
}

#[derive(Debug)]
struct Entry {
    arrived: Instant,
    wire_bytes: u64,
    main: Kept,
    chunks: usize,
    about: About,
}

/// A record's payload.
#[derive(Debug)]
enum Kept {
    Shared(RawRecord),
    Copied { block: u64, start: usize, len: usize, compressor: Option<Compressor> },
}

/// What a packet does to a window's picture, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    /// So many pixels of a window. `key`: of a video's frames, whether it needs none before it.
    Draw {
        wid: WindowId,
        pixels: u64,
        key: Option<bool>,
        scrolls: bool,
    },
    Create(WindowId),
    Destroy(WindowId),
    Else,
}

/// It is being saved: the windows are drawn anew for that.
#[derive(Debug)]
struct Saving {
    sink: Arc<dyn PacketSink>,
    /// The first entry that came later.
    until: u64,
    began: Instant,
    /// Pixels that are still to come of each window.
    waits: Vec<(WindowId, u64)>,
    pictures: Vec<(KeptPacket, About)>,
}

impl Replay {
    /// Nothing yet.
    pub fn new(bounds: ReplayBounds) -> Self {
        Self {
            bounds,
            dialect: Dialect::Modern,
            entries: VecDeque::new(),
            chunks: VecDeque::new(),
            blocks: VecDeque::new(),
            first_block: 0,
            spare: None,
            next: 0,
            segments: VecDeque::new(),
            before: Vec::new(),
            shared: 0,
            kept_before: 0,
            since_segment: 0,
            has_video: false,
            saving: None,
        }
    }

    /// Bytes that may be kept.
    fn limit(&self) -> usize {
        if self.has_video { self.bounds.bytes.min(BESIDE_VIDEO) } else { self.bounds.bytes }
    }

    /// Another connection: nothing of the one before is shown with it.
    pub fn begin(&mut self, dialect: Dialect) {
        if let Some(saving) = self.saving.take() {
            self.write(saving);
        }
        *self = Self { dialect, ..Self::new(self.bounds) };
    }

    /// Bytes of memory that are held: never more than the bound.
    pub fn held_bytes(&self) -> usize {
        let list =
            self.entries.len() * size_of::<Entry>() + self.chunks.len() * size_of::<(ChunkIndex, Kept)>();
        self.shared + self.kept_before + self.blocks.len() * BLOCK + list
    }

    /// How much time is kept.
    pub fn length(&self) -> Duration {
        match (self.entries.front(), self.entries.back()) {
            (Some(first), Some(last)) => last.arrived.saturating_duration_since(first.arrived),
            _ => Duration::ZERO,
        }
    }

    /// Keeps a packet; `packet` is what it says, if it could be read, and `state` what a server would say before it. Returns
    /// what was copied.
    pub fn packet(
        &mut self,
        now: Instant,
        raw: &RawPacket<'_>,
        packet: Option<&ServerPacket>,
        state: impl FnOnce() -> Vec<ServerPacket>,
    ) -> CopyLedger {
        let mut ledger = CopyLedger::default();
        // What people copied stays theirs.
        if matches!(packet, Some(ServerPacket::Clipboard(_))) {
            return ledger;
        }
        self.begin_segment(now, state);
        let about = About::of(packet);
        self.has_video |= matches!(about, About::Draw { key: Some(_), .. });
        self.since_segment += size_of::<(KeptPacket, About)>();
        let main = self.keep(raw.main, raw.compressor, &mut ledger);
        for (index, record) in raw.chunks {
            let kept = self.keep(record.payload.lend(), record.compressor, &mut ledger);
            self.chunks.push_back((*index, kept));
        }
        let (arrived, wire_bytes, chunks) = (raw.arrived, raw.wire_bytes, raw.chunks.len());
        self.entries.push_back(Entry { arrived, wire_bytes, main, chunks, about });
        self.next += 1;
        let before = self.saving.as_ref().map_or(now, |saving| saving.began);
        self.forget(before);
        if let Some(saving) = &mut self.saving {
            saving.take(raw, about);
        }
        self.save_if_due(now);
        ledger
    }

    /// A segment, if it is time for one.
    fn begin_segment(&mut self, now: Instant, state: impl FnOnce() -> Vec<ServerPacket>) {
        let is_over = |segment: &Segment| {
            now.saturating_duration_since(segment.began) >= SEGMENT
                || self.since_segment >= self.limit() / SEGMENT_PARTS
        };
        if self.segments.back().is_some_and(|newest| !is_over(newest)) {
            return;
        }
        let state = state();
        // Before the server's hello there is nothing to say: all that came is there.
        if state.is_empty() && !self.segments.is_empty() {
            return;
        }
        self.segments.push_back(Segment { first: self.next, began: now, state });
        self.since_segment = 0;
        if self.entries.is_empty() {
            self.drop_segments(self.next);
        }
    }

    /// Shares or copies a payload.
    fn keep(
        &mut self,
        bytes: PayloadRef<'_>,
        compressor: Option<Compressor>,
        ledger: &mut CopyLedger,
    ) -> Kept {
        self.since_segment += bytes.len();
        if bytes.len() >= SHARED_FROM {
            let payload = bytes.keep();
            self.shared += payload.retained_bytes();
            return Kept::Shared(RawRecord { payload, compressor });
        }
        let is_full = |block: &Vec<u8>| block.capacity() - block.len() < bytes.len();
        if self.blocks.back().is_none_or(is_full) {
            let block = self.spare.take().unwrap_or_else(|| Vec::with_capacity(BLOCK));
            self.blocks.push_back(block);
        }
        let number = self.first_block + self.blocks.len() as u64 - 1;
        let mut start = 0;
        if let Some(block) = self.blocks.back_mut() {
            start = block.len();
            copies::append(ledger, CopySite::Replay, &bytes, block);
        }
        Kept::Copied { block: number, start, len: bytes.len(), compressor }
    }

    /// Lets go of what is too old or too much.
    fn forget(&mut self, now: Instant) {
        while let Some(first) = self.entries.front() {
            let is_old = now.saturating_duration_since(first.arrived) > self.bounds.time;
            if !is_old && self.held_bytes() <= self.limit() && self.shared <= MOST_SHARED {
                break;
            }
            self.forget_first();
        }
        // One packet alone may be more.
        if self.held_bytes() > self.limit() {
            self.before.clear();
            self.kept_before = 0;
        }
    }

    fn forget_first(&mut self) {
        let Some(entry) = self.entries.pop_front() else { return };
        let first = self.next - self.entries.len() as u64;
        let chunks: Vec<_> = if matches!(entry.about, About::Draw { .. }) {
            for (_, kept) in self.chunks.drain(..entry.chunks) {
                self.shared -= kept.shared_bytes();
            }
            Vec::new()
        } else {
            self.chunks.drain(..entry.chunks).collect()
        };
        self.shared -= entry.main.shared_bytes();
        if !matches!(entry.about, About::Draw { .. }) {
            self.shared -= chunks.iter().map(|(_, kept)| kept.shared_bytes()).sum::<usize>();
            let packet = self.packet_of(&entry, chunks.iter());
            self.kept_before += packet_bytes(&packet);
            self.before.push((packet, entry.about));
        }
        self.drop_segments(first);
        self.drop_blocks();
    }

    /// The segments whose entries are all gone: what was kept of them is in the next one's beginning.
    fn drop_segments(&mut self, first: u64) {
        while self.segments.get(1).is_some_and(|next| next.first <= first) {
            self.segments.pop_front();
            self.before.clear();
            self.kept_before = 0;
        }
    }

    /// The blocks that no entry needs.
    fn drop_blocks(&mut self) {
        let of_main = self.entries.front().and_then(|entry| entry.main.block());
        let of_chunk = self.chunks.front().and_then(|(_, kept)| kept.block());
        let needed = match (self.entries.is_empty(), of_main.into_iter().chain(of_chunk).min()) {
            (true, _) => self.first_block + self.blocks.len() as u64,
            (false, Some(needed)) => needed,
            (false, None) => return,
        };
        while self.first_block < needed {
            let Some(mut block) = self.blocks.pop_front() else { break };
            block.clear();
            self.spare = Some(block);
            self.first_block += 1;
        }
    }

    /// Asks for all of it to be given to `sink`. Returns the windows whose pixels are to be sent again for that.
    pub fn save(&mut self, now: Instant, sink: Arc<dyn PacketSink>, state: &[ServerPacket]) -> Vec<WindowId> {
        let area = |packet: &ServerPacket| match packet {
            ServerPacket::Window(window::FromServer::Create(create)) => {
                Some((create.wid, u64::from(create.width) * u64::from(create.height)))
            }
            _ => None,
        };
        if let Some(earlier) = self.saving.take() {
            self.write(earlier);
        }
        self.forget(now);
        let waits: Vec<_> = state.iter().filter_map(area).collect();
        let windows = waits.iter().map(|(wid, _)| *wid).collect();
        self.saving = Some(Saving { sink, until: self.next, began: now, waits, pictures: Vec::new() });
        self.save_if_due(now);
        windows
    }

    /// The session is over: what is being saved is complete.
    pub fn finish(&mut self) {
        if let Some(saving) = self.saving.take() {
            self.write(saving);
        }
    }

    /// When [`Self::save_if_due`] is to be called.
    pub fn deadline(&self) -> Option<Instant> {
        self.saving.as_ref().map(|saving| saving.began + PICTURES_WITHIN)
    }

    /// Gives all of it away, if that was asked for and all pixels came, or were waited for long enough.
    pub fn save_if_due(&mut self, now: Instant) {
        let is_due = |saving: &mut Saving| {
            saving.waits.iter().all(|(_, pixels)| *pixels == 0) || now >= saving.began + PICTURES_WITHIN
        };
        if let Some(saving) = self.saving.take_if(is_due) {
            self.write(saving);
        }
    }

    fn write(&self, Saving { sink, until, pictures, .. }: Saving) {
        let first = self.next - self.entries.len() as u64;
        if let (Some(front), Some(segment)) = (self.entries.front(), self.segments.front()) {
            let zero = front.arrived;
            announce(zero, &*sink, self.dialect, &segment.state);
            let mut known: BTreeSet<WindowId> = segment.state.iter().filter_map(created).collect();
            for (packet, about) in &self.before {
                match about {
                    About::Create(wid) => _ = known.insert(*wid),
                    About::Destroy(wid) => _ = known.remove(wid),
                    About::Draw { .. } | About::Else => {}
                }
                sink.packet(self.dialect, &KeptPacket { arrived: zero, ..packet.clone() }.lend());
            }
            let mut videos = Videos::default();
            for (packet, about) in &pictures {
                let is_there = matches!(about, About::Draw { wid, .. } if known.contains(wid));
                if is_there && videos.can_be_shown(*about) {
                    sink.packet(self.dialect, &KeptPacket { arrived: zero, ..packet.clone() }.lend());
                }
            }
            let mut videos = Videos::default();
            let mut chunks = self.chunks.iter();
            for entry in self.entries.iter().take(usize::try_from(until.saturating_sub(first)).unwrap_or(0)) {
                let own = chunks.by_ref().take(entry.chunks);
                if videos.can_be_shown(entry.about) {
                    sink.packet(self.dialect, &self.packet_of(entry, own).lend());
                } else {
                    own.for_each(drop);
                }
            }
        }
        sink.end();
    }

    fn packet_of<'a>(
        &self,
        entry: &Entry,
        chunks: impl Iterator<Item = &'a (ChunkIndex, Kept)>,
    ) -> KeptPacket {
        KeptPacket {
            main: self.record_of(&entry.main),
            chunks: chunks.map(|(index, kept)| (*index, self.record_of(kept))).collect(),
            arrived: entry.arrived,
            wire_bytes: entry.wire_bytes,
            ledger: None,
        }
    }

    fn record_of(&self, kept: &Kept) -> RawRecord {
        match kept {
            Kept::Shared(record) => record.clone(),
            Kept::Copied { block, start, len, compressor } => {
                let block = usize::try_from(block - self.first_block).ok().and_then(|at| self.blocks.get(at));
                let bytes = block.and_then(|block| block.get(*start..start + len)).unwrap_or_default();
                let mut copy = Vec::with_capacity(bytes.len());
                // Once, for a file.
                copies::append(&mut CopyLedger::default(), CopySite::Replay, bytes, &mut copy);
                RawRecord { payload: Payload::from(copy), compressor: *compressor }
            }
        }
    }
}

impl Kept {
    fn shared_bytes(&self) -> usize {
        match self {
            Self::Shared(record) => record.payload.retained_bytes(),
            Self::Copied { .. } => 0,
        }
    }

    fn block(&self) -> Option<u64> {
        match self {
            Self::Shared(_) => None,
            Self::Copied { block, .. } => Some(*block),
        }
    }
}

impl About {
    fn of(packet: Option<&ServerPacket>) -> Self {
        match packet {
            Some(ServerPacket::Draw(draw::FromServer::Draw(draw))) => Self::Draw {
                wid: draw.wid,
                pixels: u64::from(draw.width) * u64::from(draw.height),
                key: draw.encoding.is_video().then_some(draw.options.frame == Some(0)),
                scrolls: draw.encoding == Encoding::Scroll,
            },
            Some(ServerPacket::Window(window::FromServer::Create(create))) => Self::Create(create.wid),
            Some(ServerPacket::Window(window::FromServer::Destroy { wid })) => Self::Destroy(*wid),
            _ => Self::Else,
        }
    }
}

impl Saving {
    /// A draw that came since: it makes the windows' pictures whole.
    fn take(&mut self, raw: &RawPacket<'_>, about: About) {
        let About::Draw { wid, pixels, scrolls, .. } = about else { return };
        let Some((_, missing)) = self.waits.iter_mut().find(|(of, _)| *of == wid) else { return };
        // What moves pixels that are not there yet moves nothing.
        if *missing > 0 && scrolls {
            return;
        }
        *missing = missing.saturating_sub(pixels);
        self.pictures.push((raw.keep(), about));
    }
}

/// The videos that can be shown: those whose key frame is there.
#[derive(Debug, Default)]
struct Videos(BTreeSet<WindowId>);

impl Videos {
    fn can_be_shown(&mut self, about: About) -> bool {
        match about {
            About::Draw { wid, key: Some(true), .. } => {
                self.0.insert(wid);
                true
            }
            About::Draw { wid, key: Some(false), .. } => self.0.contains(&wid),
            // Its id may be used again.
            About::Create(wid) | About::Destroy(wid) => {
                self.0.remove(&wid);
                true
            }
            About::Draw { key: None, .. } | About::Else => true,
        }
    }
}

fn created(packet: &ServerPacket) -> Option<WindowId> {
    match packet {
        ServerPacket::Window(window::FromServer::Create(create)) => Some(create.wid),
        _ => None,
    }
}

/// Memory that a packet holds.
fn packet_bytes(packet: &KeptPacket) -> usize {
    let chunks = packet.chunks.iter().map(|(_, record)| record.payload.retained_bytes());
    size_of::<(KeptPacket, About)>() + packet.main.payload.retained_bytes() + chunks.sum::<usize>()
}
