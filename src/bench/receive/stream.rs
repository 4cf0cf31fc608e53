//! What is received: streams of records as a server sends them.

use crate::protocol::record::{ChunkIndex, Dialect, HEADER_LEN, Header, RecordKind};

/// Position of a draw's pixels in its packet.
const DATA_INDEX: u8 = 7;
/// A draw's main record, without its pixels, is about this long.
const MAIN_LEN: usize = 90;
/// A ping, a pointer position, an icon's property.
const SMALL_LEN: usize = 100;
/// Small packets between two pictures of [`Workload::Mixed`].
const SMALL_BETWEEN: usize = 50;

/// One kind of traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Workload {
    /// 1920 × 1080 raw RGBA.
    Raw1080p,
    /// 3840 × 2160 raw RGBA.
    Raw4k,
    /// A 400 KB lz4 picture.
    Lz4,
    /// A 200 KB video frame.
    H264,
    /// A 30 KB jpeg.
    Jpeg,
    /// 100-byte packets.
    Small,
    /// All of them, with 100-byte packets in between.
    Mixed,
}

impl Workload {
    /// Every kind, largest payload first.
    pub const ALL: [Self; 7] =
        [Self::Raw4k, Self::Raw1080p, Self::Lz4, Self::H264, Self::Jpeg, Self::Small, Self::Mixed];

    /// The name in tables and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw1080p => "raw 1080p 8 MB",
            Self::Raw4k => "raw 4K 33 MB",
            Self::Lz4 => "lz4 400 KB",
            Self::H264 => "h264 200 KB",
            Self::Jpeg => "jpeg 30 KB",
            Self::Small => "100 B packets",
            Self::Mixed => "mixed",
        }
    }

    /// Length of its picture's payload; `None` where there is not one.
    pub const fn payload_len(self) -> Option<usize> {
        match self {
            Self::Raw1080p => Some(1920 * 1080 * 4),
            Self::Raw4k => Some(3840 * 2160 * 4),
            Self::Lz4 => Some(400 * 1000),
            Self::H264 => Some(200 * 1000),
            Self::Jpeg => Some(30 * 1000),
            Self::Small | Self::Mixed => None,
        }
    }
}

/// The bytes of a stream, and what a receiver must find in them.
#[derive(Debug)]
pub struct RecordStream {
    pub bytes: Vec<u8>,
    /// Bytes of the payloads, headers not counted.
    pub payload_bytes: u64,
    pub records: u64,
    /// See [`super::Sink`].
    pub checksum: u64,
    /// Length of the longest record, header included.
    pub largest_record: usize,
}

impl RecordStream {
    /// A stream of `workload`, repeated until it is at least `bytes` long.
    pub fn new(workload: Workload, bytes: usize) -> Self {
        let mut stream =
            Self { bytes: Vec::new(), payload_bytes: 0, records: 0, checksum: 0, largest_record: 0 };
        while stream.bytes.len() < bytes.max(1) {
            match (workload, workload.payload_len()) {
                (_, Some(len)) => stream.picture(len),
                (Workload::Small, _) => stream.small(),
                _ => {
                    for picture in Workload::ALL.into_iter().filter_map(Workload::payload_len) {
                        stream.picture(picture);
                        for _ in 0..SMALL_BETWEEN {
                            stream.small();
                        }
                    }
                }
            }
        }
        stream
    }

    fn picture(&mut self, len: usize) {
        if let Some(index) = ChunkIndex::new(DATA_INDEX) {
            self.record(RecordKind::Chunk(index), len);
        }
        self.record(RecordKind::Main { flush: true }, MAIN_LEN);
    }

    fn small(&mut self) {
        self.record(RecordKind::Main { flush: true }, SMALL_LEN);
    }

    fn record(&mut self, kind: RecordKind, len: usize) {
        let wire_len = u32::try_from(len).unwrap_or(u32::MAX);
        self.bytes.extend(Header::encode(kind, Dialect::Modern, 0, wire_len));
        let start = self.bytes.len();
        let seed = self.records;
        self.bytes.extend((0..len as u64).map(|at| (at.wrapping_mul(167) ^ seed) as u8));
        self.checksum = self.checksum.wrapping_add(sample(&self.bytes[start..]));
        self.payload_bytes += len as u64;
        self.largest_record = self.largest_record.max(HEADER_LEN + len);
        self.records += 1;
    }

    /// Length of headers and payloads.
    pub fn wire_bytes(&self) -> u64 {
        self.payload_bytes + self.records * HEADER_LEN as u64
    }
}

/// A number that changes when a payload's length, ends or any of up to 16 places in between do:
/// enough to see that it arrived in order, and little work beside receiving it.
pub(super) fn sample(payload: &[u8]) -> u64 {
    let step = (payload.len() / 16).max(64);
    let places = payload.iter().step_by(step).chain(payload.last());
    places.fold(payload.len() as u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)))
}
