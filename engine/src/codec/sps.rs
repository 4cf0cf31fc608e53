//! The part of an H.264 sequence parameter set that the decoder does not tell: colour range and
//! matrix; and what it makes the decoder allocate: the picture's size and the number of reference frames, to
//! refuse too many before that happens (ITU-T H.264 §7.3.2.1.1, annex E.1.1).

use crate::geometry::Size;

use super::YuvMatrix;

/// `nal_unit_type` of a sequence parameter set.
const SEQUENCE_PARAMETER_SET: u8 = 7;
/// The profile of streams without arithmetic coding, 8x8 transform, B-frames (§A.2.1).
pub(super) const BASELINE: u8 = 66;

/// What a sequence parameter set says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sps {
    /// Which tools the stream may use: [`BASELINE`], 77 main, 100 high, and others.
    pub profile: u8,
    /// Size without the cropped border.
    pub size: Size,
    /// Size with it: that is what is decoded.
    pub coded: Size,
    /// Reference frames that the decoder has to keep.
    pub references: u32,
    /// 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    pub chroma_format: u32,
    pub full_range: Option<bool>,
    pub matrix: Option<YuvMatrix>,
    /// How many pictures may come before another one that is shown earlier.
    pub reordered: Option<u32>,
}

/// What comes before the first slice of an access unit in Annex B form, where parameter sets belong (§7.4.1.2.3). No
/// more is looked at than that.
pub(super) fn before_slices(access_unit: &[u8]) -> &[u8] {
    /// `nal_unit_type` of slices, and of their partitions: 1 to 5.
    const LAST_SLICE: u8 = 5;
    let mut at = 0;
    while let Some(start) = access_unit.get(at..).and_then(after_start_code) {
        at += start;
        if access_unit.get(at).is_some_and(|header| matches!(header & 0x1f, 1..=LAST_SLICE)) {
            return access_unit.get(..at).unwrap_or_default();
        }
    }
    access_unit
}

/// Parses every sequence parameter set of an access unit in Annex B form, those of enhancement layers included;
/// `None` in place of one that is damaged.
pub(super) fn all(access_unit: &[u8]) -> impl Iterator<Item = Option<Sps>> {
    const SUBSET_SEQUENCE_PARAMETER_SET: u8 = 15;
    let mut rest = access_unit;
    std::iter::from_fn(move || {
        loop {
            let start = after_start_code(rest)?;
            let (&header, unit) = rest.get(start..)?.split_first()?;
            rest = unit;
            if matches!(header & 0x1f, SEQUENCE_PARAMETER_SET | SUBSET_SEQUENCE_PARAMETER_SET) {
                return Some(parse(unit));
            }
        }
    })
}

/// Whether the numbers of all parameter sets of an access unit are those that the standard allows (§7.4.2).
pub(super) fn ids_fit(access_unit: &[u8]) -> bool {
    const PICTURE_PARAMETER_SET: u8 = 8;
    const BEFORE_ID_BITS: u32 = 24;
    let mut rest = access_unit;
    while let Some(start) = after_start_code(rest) {
        let Some((&header, unit)) = rest.get(start..).and_then(<[u8]>::split_first) else { return true };
        let mut bits = Bits::new(unit);
        let fits = match header & 0x1f {
            SEQUENCE_PARAMETER_SET => {
                bits.read(BEFORE_ID_BITS).and_then(|_| bits.golomb()).is_some_and(|id| id < 32)
            }
            PICTURE_PARAMETER_SET => bits.golomb().is_some_and(|id| id < 256),
            _ => true,
        };
        if !fits {
            return false;
        }
        rest = unit;
    }
    true
}

/// Where the first unit of `bytes` begins: behind 0, 0, 1. Looks at every third byte where there are no zeros.
fn after_start_code(bytes: &[u8]) -> Option<usize> {
    let mut at = 2;
    loop {
        match *bytes.get(at)? {
            0 => at += 1,
            1 if bytes.get(at - 2..at) == Some(&[0, 0]) => return Some(at + 1),
            _ => at += 3,
        }
    }
}

fn parse(unit: &[u8]) -> Option<Sps> {
    let mut bits = Bits::new(unit);
    let profile = u8::try_from(bits.read(8)?).ok()?;
    bits.read(16)?; // constraints, level
    bits.golomb()?; // id
    let mut chroma_format = 1;
    if matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135) {
        chroma_format = bits.golomb()?;
        if chroma_format == 3 {
            bits.read(1)?; // separate planes
        }
        bits.golomb()?; // luma bit depth
        bits.golomb()?; // chroma bit depth
        bits.read(1)?; // transform bypass
        if bits.flag()? {
            let lists = if chroma_format == 3 { 12 } else { 8 };
            for list in 0..lists {
                if bits.flag()? {
                    skip_scaling_list(&mut bits, if list < 6 { 16 } else { 64 })?;
                }
            }
        }
    }
    bits.golomb()?; // frame number length
    match bits.golomb()? {
        0 => {
            bits.golomb()?; // picture order count length
        }
        1 => {
            bits.read(1)?;
            bits.golomb()?;
            bits.golomb()?;
            let cycle = bits.golomb()?;
            for _ in 0..cycle.min(256) {
                bits.golomb()?;
            }
        }
        _ => {}
    }
    let references = bits.golomb()?;
    bits.read(1)?; // gaps
    let width_in_blocks = bits.golomb()?.checked_add(1)?;
    let height_units = bits.golomb()?.checked_add(1)?;
    let frames_only = bits.flag()?;
    if !frames_only {
        bits.read(1)?; // adaptive frame/field
    }
    bits.read(1)?; // direct 8x8
    let mut crop = [0; 4];
    if bits.flag()? {
        for side in &mut crop {
            *side = bits.golomb()?;
        }
    }
    let described = bits.flag()?;
    // Of no consequence to the memory: what is not there has its default.
    let signal = if described { video_signal(&mut bits) } else { None };
    let (full_range, matrix) = signal.unwrap_or((None, None));
    let reordered = if signal.is_some() { reordered(&mut bits) } else { None };

    let field_factor = if frames_only { 1 } else { 2 };
    let crop_x = if matches!(chroma_format, 1 | 2) { 2 } else { 1 };
    let crop_y = field_factor * if chroma_format == 1 { 2 } else { 1 };
    let cropped = |blocks: u32, before: u32, after: u32, unit: u32| {
        blocks.checked_mul(16)?.checked_sub(before.checked_add(after)?.checked_mul(unit)?)
    };
    let height_in_blocks = height_units.checked_mul(field_factor)?;
    let size = Size {
        width: cropped(width_in_blocks, crop[0], crop[1], crop_x)?,
        height: cropped(height_in_blocks, crop[2], crop[3], crop_y)?,
    };
    let coded = Size { width: width_in_blocks.checked_mul(16)?, height: height_in_blocks.checked_mul(16)? };
    Some(Sps { profile, size, coded, references, chroma_format, full_range, matrix, reordered })
}

fn skip_scaling_list(bits: &mut Bits, len: u32) -> Option<()> {
    let (mut last, mut next) = (8_i64, 8_i64);
    for _ in 0..len {
        if next != 0 {
            next = (last + bits.signed_golomb()?).rem_euclid(256);
        }
        if next != 0 {
            last = next;
        }
    }
    Some(())
}

/// The start of the video usability information, up to the colours.
fn video_signal(bits: &mut Bits) -> Option<(Option<bool>, Option<YuvMatrix>)> {
    const EXTENDED_ASPECT_RATIO: u32 = 255;
    if bits.flag()? && bits.read(8)? == EXTENDED_ASPECT_RATIO {
        bits.read(32)?;
    }
    if bits.flag()? {
        bits.read(1)?; // overscan
    }
    if !bits.flag()? {
        return Some((None, None));
    }
    bits.read(3)?; // video format
    let full_range = bits.flag()?;
    let mut matrix = None;
    if bits.flag()? {
        bits.read(16)?; // primaries, transfer function
        matrix = match bits.read(8)? {
            1 => Some(YuvMatrix::Bt709),
            4..=6 => Some(YuvMatrix::Bt601),
            _ => None,
        };
    }
    Some((Some(full_range), matrix))
}

/// The rest of the video usability information, down to the number of reordered frames.
fn reordered(bits: &mut Bits) -> Option<u32> {
    if bits.flag()? {
        bits.golomb()?; // places of chroma samples
        bits.golomb()?;
    }
    if bits.flag()? {
        bits.read(32)?; // timing
        bits.read(32)?;
        bits.read(1)?;
    }
    let mut has_reference_decoder = false;
    for _ in 0..2 {
        if bits.flag()? {
            has_reference_decoder = true;
            let buffers = bits.golomb()?.checked_add(1)?;
            bits.read(8)?; // scales
            for _ in 0..buffers.min(32) {
                bits.golomb()?;
                bits.golomb()?;
                bits.read(1)?;
            }
            bits.read(20)?; // lengths of delays
        }
    }
    if has_reference_decoder {
        bits.read(1)?; // low delay
    }
    bits.read(1)?; // picture structure
    if !bits.flag()? {
        return None;
    }
    bits.read(1)?; // vectors over the picture's edge
    for _ in 0..4 {
        bits.golomb()?; // bytes, bits, lengths of vectors
    }
    bits.golomb()
}

/// Reads bits, most significant first, without the emulation prevention bytes (§7.4.1).
struct Bits<'a> {
    bytes: &'a [u8],
    zeros: u32,
    current: u8,
    left: u32,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, zeros: 0, current: 0, left: 0 }
    }

    fn next_byte(&mut self) -> Option<u8> {
        let (mut byte, mut rest) = self.bytes.split_first()?;
        if self.zeros >= 2 && *byte == 3 {
            self.zeros = 0;
            (byte, rest) = rest.split_first()?;
        }
        self.zeros = if *byte == 0 { self.zeros + 1 } else { 0 };
        self.bytes = rest;
        Some(*byte)
    }

    fn flag(&mut self) -> Option<bool> {
        if self.left == 0 {
            self.current = self.next_byte()?;
            self.left = 8;
        }
        self.left -= 1;
        Some(self.current >> self.left & 1 == 1)
    }

    /// `count` ≤ 32 bits.
    fn read(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            value = value << 1 | u32::from(self.flag()?);
        }
        Some(value)
    }

    /// An unsigned Exp-Golomb code (§9.1).
    fn golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        let suffix = self.read(zeros)?;
        ((1_u32 << zeros) - 1).checked_add(suffix)
    }

    fn signed_golomb(&mut self) -> Option<i64> {
        let code = i64::from(self.golomb()?);
        Some(if code % 2 == 1 { (code + 1) / 2 } else { -(code / 2) })
    }
}
