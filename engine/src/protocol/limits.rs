//! What a peer may ask of us (Protocol.md §3.4), and bounds of our own for the packet decoders.
//!
//! Every length, count and index from the wire is compared with one of these before anything is
//! allocated for it.

/// Largest declared payload before the peer's hello was accepted.
pub const MAX_RECORD_BEFORE_HELLO: usize = 4 * 1024 * 1024;
/// Largest declared payload after it, unless the display needs more.
pub const MAX_RECORD: usize = 16 * 1024 * 1024;
/// Largest declared payload, and largest decompressed record, whatever was negotiated.
pub const MAX_PAYLOAD: usize = 256 * 1024 * 1024;
/// Raw chunks that may precede a main record.
pub const MAX_CHUNKS: usize = 3;
/// Highest chunk index.
pub const MAX_CHUNK_INDEX: u8 = 15;
/// Containers in containers in a packet. Real packets reach about 8 (a server's info).
pub const MAX_DEPTH: usize = 32;
/// Values of all kinds in one packet: bounds the memory of a decoded packet (16 bytes each, and up to 64 where
/// an owned value is made of them). Real packets reach about 20,000 (the information of a server with 60 windows).
pub const MAX_NODES: usize = 1 << 18;
/// Hello packets that servers accept before authentication, when they are strict: 16 KiB.
pub const MAX_HELLO: usize = 16 * 1024;

/// Room beside the pixels in a record that holds a whole desktop.
const RECORD_SLACK: usize = 4096;

/// The limits that change during a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest declared payload of a record, in bytes; and of all records of a packet together.
    pub max_record: usize,
    /// What the main record and the chunks of a packet may give together when they are unpacked, in bytes.
    pub max_decompressed: usize,
}

impl Limits {
    /// The limits until the peer's hello is accepted.
    pub const BEFORE_HELLO: Self =
        Self { max_record: MAX_RECORD_BEFORE_HELLO, max_decompressed: MAX_RECORD_BEFORE_HELLO };

    /// The limits of an established connection whose largest picture is `width` × `height`
    /// pixels of 4 bytes.
    pub fn established(width: u32, height: u32) -> Self {
        let pixels = u64::from(width).saturating_mul(u64::from(height)).saturating_mul(4);
        let bytes = usize::try_from(pixels).unwrap_or(MAX_PAYLOAD).saturating_add(RECORD_SLACK);
        Self::with_max_record(bytes)
    }

    /// The limits of an established connection that allows records of `bytes` (kept between
    /// 16 MiB and 256 MiB).
    pub fn with_max_record(bytes: usize) -> Self {
        let bytes = bytes.clamp(MAX_RECORD, MAX_PAYLOAD);
        Self { max_record: bytes, max_decompressed: bytes }
    }
}

/// What one session may take of memory, whoever is at the other end. Everything follows from the desktop's size:
/// each limit is a sum, and all of them with the program itself stay below three desktops of 4 bytes a pixel
/// and 256 MB (`docs/memory.md` has what was measured).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    width: u32,
    height: u32,
}

/// A window may always be that large, in pixels: one that was sized for a 4K monitor is shown on a laptop too.
const ALWAYS_ALLOWED_PIXELS: u64 = 4096 * 2304;
/// The largest desktop that a server is believed to have, in pixels: 8K.
const MAX_DESKTOP_PIXELS: u64 = 7680 * 4320;
const MIB: u64 = 1 << 20;

/// How often each pixel of a window may be written by one `scroll`, on the average. No more than once would do, but the
/// search for moved lines of 3.1.3 and 6.5.5 counts lines that look the same for several distances: nearly four times
/// the window was seen for text with many empty lines (`findings/xpra-scrolls-lines-twice.sh`).
pub const SCROLL_COVER: u64 = 8;

impl Default for Bounds {
    /// Those of a full-HD desktop.
    fn default() -> Self {
        Self::of_desktop(1920, 1080)
    }
}

impl Bounds {
    /// The bounds of a session whose desktop has this size in pixels. One that is larger than 8K counts as that.
    pub const fn of_desktop(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// Pixels of the desktop.
    fn pixels(self) -> u64 {
        (u64::from(self.width) * u64::from(self.height)).min(MAX_DESKTOP_PIXELS)
    }

    /// Bytes of a picture of the whole desktop, or of a full-HD one if that is larger.
    pub fn desktop_bytes(self) -> u64 {
        self.pixels().max(1920 * 1080) * 4
    }

    /// Pixels of a window, and of the rectangle of a draw, at most.
    pub fn window_pixels(self) -> u64 {
        self.pixels().max(ALWAYS_ALLOWED_PIXELS)
    }

    /// Bytes of a picture, rows with their padding, at most.
    pub fn picture_bytes(self) -> u64 {
        self.window_pixels() * 4 + self.window_pixels() / 8
    }

    /// Bytes of all records of a packet together, and of what they give when they are unpacked.
    pub fn packet_bytes(self) -> usize {
        usize::try_from(self.picture_bytes()).unwrap_or(MAX_PAYLOAD).saturating_add(RECORD_SLACK)
    }

    /// Bytes of the pixels of all windows together (4 a pixel), and of the buffers that show them.
    pub fn windows_bytes(self) -> u64 {
        76 * MIB + self.pixels() * 8
    }

    /// Bytes that the video decoders of all windows may keep together. Beyond that the one that rested longest
    /// begins anew.
    pub fn video_bytes(self) -> u64 {
        68 * MIB + self.pixels() * 4
    }

    /// Bytes of the icons of all windows together, as they came.
    pub fn icons_bytes(self) -> usize {
        8 << 20
    }

    /// Bytes of a picture outside the draw path (an icon, a cursor), as it came.
    pub fn small_picture_bytes(width: u32, height: u32) -> u64 {
        (u64::from(width) * u64::from(height)).saturating_mul(4).saturating_add(64 * 1024)
    }
}
