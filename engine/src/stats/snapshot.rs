//! What the overlay shows and `--stats-json` writes.
//!
//! The field names below are the JSON keys; they stay as they are within one
//! [`StatsSnapshot::FORMAT`]. Bytes are bytes, times end in `_us` or `_sec`, a ratio that has no
//! meaning yet (nothing received) is `null`. A `series` holds one value for each of the forty
//! complete 250 ms buckets before the snapshot, oldest first.

use serde::Serialize;

/// All statistics at one moment.
#[derive(Clone, Debug, Default, Serialize)]
pub struct StatsSnapshot {
    /// Version of this shape: [`StatsSnapshot::FORMAT`].
    pub format: u32,
    /// Time since the collector started.
    pub elapsed_sec: f64,
    pub session: SessionFacts,
    pub renderer: RendererFacts,
    pub network: NetworkStats,
    pub memory: MemoryStats,
    pub draws: DrawStats,
    /// Bytes of draws between the socket and the GPU.
    pub queue_bytes: Gauge,
    /// The last ten minutes, one point a second; not part of the JSON (it has its own export).
    #[serde(skip)]
    pub history: Vec<HistoryPoint>,
}

impl StatsSnapshot {
    /// The current version of the JSON shape.
    pub const FORMAT: u32 = 1;
}

/// What is connected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SessionFacts {
    /// The server's version, for example `6.5.5`; empty before its hello.
    pub server_version: String,
    /// The name of the server's machine, as it says.
    pub server_host: String,
    /// The session's name or display.
    pub session_name: String,
    /// Packet encoder and compressors, for example `rencodeplus+lz4`.
    pub wire: String,
    /// Whether others on the way can read along, for example `TLS, certificate checked`.
    pub encryption: &'static str,
    /// Whether decoders can do anything beside decoding, for example `confined (seccomp)`.
    pub decoders: &'static str,
}

/// What draws the pixels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RendererFacts {
    /// For example `llvmpipe (LLVM 15.0.6, 256 bits)`; empty before the renderer started.
    pub adapter: String,
    /// For example `vulkan`.
    pub backend: String,
    /// For example `mailbox`.
    pub present_mode: String,
    /// The adapter is a CPU.
    pub software: bool,
}

/// Something that is counted, and how fast.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Rate {
    /// Since the start.
    pub total: u64,
    /// Mean over the complete buckets of the last second.
    pub per_sec: f64,
    /// Mean over the complete buckets of the last ten seconds.
    pub per_sec_10s: f64,
    /// Rate per second in each bucket; left out where no graph is shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<f64>,
}

/// A value that goes up and down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Gauge {
    pub now: u64,
    /// The largest of the last ten seconds.
    pub max_10s: u64,
    /// The largest in each bucket.
    pub series: Vec<u64>,
}

/// A ratio of two counters.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Ratio {
    /// Over the last ten seconds.
    pub last_10s: Option<f64>,
    /// Since the start.
    pub session: Option<f64>,
}

/// A distribution of durations in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Quantiles {
    pub count: u64,
    pub mean_us: f64,
    pub p50_us: u64,
    pub p95_us: u64,
    pub p99_us: u64,
    pub max_us: u64,
}

/// Bytes and packets on the wire.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NetworkStats {
    /// For example `tcp`, `wss`.
    pub transport: &'static str,
    /// Bytes read from the socket.
    pub received: Rate,
    /// Bytes written to the socket.
    pub sent: Rate,
    /// Packets received.
    pub packets: Rate,
    pub packets_by_name: Vec<NamedRate>,
    pub latency: LatencyStats,
    pub clipboard: ClipboardStats,
}

/// What was copied on one side and pasted on the other.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ClipboardStats {
    /// Bytes of contents from the server.
    pub received: Rate,
    /// Bytes of contents to the server.
    pub sent: Rate,
    /// For how long a local program has waited for the server; 0: none does.
    pub waiting_sec: f64,
}

/// A rate and what it is of.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NamedRate {
    pub name: &'static str,
    #[serde(flatten)]
    pub rate: Rate,
}

/// Round trips of pings.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LatencyStats {
    /// Microseconds; 0 before the first echo.
    pub last: Gauge,
    /// Since the start.
    pub session: Quantiles,
}

/// Where bytes were copied or made into others after the kernel's own copy out of the socket.
#[derive(Clone, Debug, Default, Serialize)]
pub struct MemoryStats {
    /// Bytes copied at all sites.
    pub copied: Rate,
    /// Bytes copied for each byte received.
    pub copied_per_received: Ratio,
    /// The same in each bucket, 0 where nothing was received.
    pub copied_per_received_series: Vec<f64>,
    /// Every [`super::CopySite`], also those that copied nothing.
    pub by_site: Vec<SiteStats>,
    /// Bytes written by all transforms.
    pub transformed: Rate,
    /// Every [`super::Transform`].
    pub by_transform: Vec<NamedRate>,
    /// Heap buffers for payloads and pixels that no recycled buffer could serve.
    pub allocations: Rate,
    pub allocated_bytes: Rate,
    /// Allocations for each presented update.
    pub allocations_per_frame: Ratio,
    /// Every allocation of the network, decode and render threads, of whatever size; that of the statistics
    /// themselves excepted.
    pub heap_allocations: Rate,
    pub heap_allocations_per_frame: Ratio,
}

/// Copies at one site.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SiteStats {
    pub name: &'static str,
    /// Bytes copied.
    #[serde(flatten)]
    pub bytes: Rate,
    /// Number of copies since the start.
    pub copies: u64,
    /// Bytes copied here for each byte received.
    pub per_received: Ratio,
}

/// Draws from arrival to the screen.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DrawStats {
    /// Draw packets received.
    pub received: Rate,
    /// Draws decoded and handed to the GPU.
    pub drawn: u64,
    /// Draws that needed no painting.
    pub skipped: u64,
    /// Draws refused as broken or unsupported.
    pub refused: u64,
    /// Received and not yet drawn, skipped or refused.
    pub in_flight: u64,
    /// Screen updates presented.
    pub presents: Rate,
    /// Over all encodings, in [`Stage::ALL`] order.
    pub stages: Vec<StageStats>,
    /// The longest time from arrival to presented in each bucket, microseconds.
    pub arrival_to_present_us_series: Vec<u64>,
    pub by_encoding: Vec<EncodingStats>,
}

/// Time spent in one stage.
#[derive(Clone, Debug, Default, Serialize)]
pub struct StageStats {
    /// [`Stage::name`].
    pub stage: &'static str,
    /// Exact, of the draws that arrived in the last ten seconds (at most 2048 of them).
    pub last_10s: Quantiles,
    /// Since the start, within one percent.
    pub session: Quantiles,
}

/// Draws of one encoding.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EncodingStats {
    /// The encoding's name on the wire, for example `jpeg`.
    pub name: &'static str,
    /// Draw packets received.
    pub received: Rate,
    /// Their bytes on the wire.
    pub wire_bytes: Rate,
    pub drawn: u64,
    pub skipped: u64,
    pub refused: u64,
    /// Pixels drawn.
    pub pixels: u64,
    /// Bytes of those pixels after decoding.
    pub decoded_bytes: u64,
    /// In [`Stage::ALL`] order.
    pub stages: Vec<StageStats>,
}

/// A part of a draw's way. The parts are contiguous: for each presented draw the first five add
/// up to [`Stage::Total`] exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Stage {
    /// First byte to last byte, and the packet decoded.
    Reassemble,
    /// Waiting for a decode thread.
    Queue,
    Decode,
    /// Handed to the GPU, or to the CPU presenter's backing; includes waiting for the turn.
    Upload,
    /// Until the update that it belongs to is on the screen.
    Present,
    /// From the first byte to the screen.
    Total,
}

impl Stage {
    /// Every stage, in the order in which a draw passes them, and the total.
    pub const ALL: [Self; 6] =
        [Self::Reassemble, Self::Queue, Self::Decode, Self::Upload, Self::Present, Self::Total];

    /// The name shown in the overlay and in `--stats-json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reassemble => "reassemble",
            Self::Queue => "queue",
            Self::Decode => "decode",
            Self::Upload => "upload",
            Self::Present => "present",
            Self::Total => "total",
        }
    }
}

/// One second of the history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct HistoryPoint {
    /// Whole seconds from the start to the beginning of this second.
    pub second: u64,
    pub received_bytes: u64,
    pub sent_bytes: u64,
    pub copied_bytes: u64,
    pub transformed_bytes: u64,
    pub draws: u64,
    pub presents: u64,
    /// The largest in this second.
    pub queue_bytes: u64,
    /// The largest in this second, microseconds.
    pub latency_us: u64,
}
