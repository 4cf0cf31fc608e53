//! `h264`: which decoder a stream gets, and its pictures.

use std::ptr::NonNull;

use crate::protocol::packet::ShortName;
use crate::stats::{CopyLedger, Transform};

use super::decode::{check_dimensions, picture_bytes};
use super::h264_baseline::BaselineDecoder;
use super::h264_full::FullDecoder;
use super::pixels::span;
use super::sps::{self, Sps};
use crate::geometry::Size;

use super::{Coded, DecodeError, PictureRef, PixelsRef, PlaneRef, YuvFormat, YuvMatrix, YuvRef};

/// Encoders pad frames to whole macroblocks of this size; some leave the padding in.
const MACROBLOCK: u32 = 16;
/// What may be cropped of a side: hardware encoders code in steps of up to 64 pixels.
const MAX_CROPPED: u32 = 64;
/// Reference frames of a stream at most, and macroblocks of them together (ITU-T H.264, tables: levels
/// 5.1 and 5.2, which cover 4096 x 2304 at 60 Hz).
const MAX_REFERENCES: u32 = 16;
const MAX_REFERENCE_BLOCKS: u64 = 184_320;

/// Decodes the video of one window. Frames must come in order; one thread at a time.
///
/// A new stream begins at frame 0, or when size or sub-sampling change.
#[derive(Default)]
pub struct VideoDecoder {
    stream: Option<Box<Stream>>,
    /// The decoder for simple streams failed in this window: the other one gets all that follow.
    full_only: bool,
}

struct Stream {
    decoder: Engine,
    size: Size,
    csc: Option<ShortName>,
    full_range: bool,
    matrix: YuvMatrix,
    /// Pictures that it keeps for frames that refer to them.
    references: u32,
    /// A frame was decoded: what fails now is not for the lack of those before it.
    is_under_way: bool,
    /// Of the last frame.
    planes: Option<Planes>,
}

/// Baseline streams go to the faster decoder, all others to the one that reads every tool of the High
/// profile (docs/video.md has the measurements).
enum Engine {
    Baseline(BaselineDecoder),
    Full(FullDecoder),
}

impl Engine {
    fn new(baseline: bool) -> Result<Self, DecodeError> {
        Ok(if baseline {
            Self::Baseline(BaselineDecoder::new()?)
        } else {
            Self::Full(FullDecoder::default())
        })
    }
}

impl VideoDecoder {
    /// Decodes one access unit. The picture lies in the decoder's own memory until the next call, and
    /// [`Self::picture`] lends it again. `None`: the frame is kept back because others that refer to it
    /// follow (B-frames), as the server announced.
    ///
    /// # Errors
    /// If the data cannot be decoded, for example because frames before it are missing. The next
    /// key frame is decoded again.
    pub fn decode(
        &mut self,
        coded: &Coded,
        ledger: &mut CopyLedger,
    ) -> Result<Option<PictureRef<'_>>, DecodeError> {
        let size = coded.picture_size();
        check_dimensions(size)?;
        picture_bytes(size.width as usize * 3 / 2, size.height)?;
        let parameters = parameters(coded.data, size)?;
        let counted = announced(coded).map_or(0, |announced| announced.references);
        let full_only = &mut self.full_only;
        let simple = parameters.map(|parameters| parameters.profile == sps::BASELINE && !*full_only);
        let stream = stream_for(&mut self.stream, coded, size, simple.unwrap_or(true))?;
        if let Some(parameters) = &parameters {
            // No more than room was made for (`Self::expected_bytes`).
            if parameters.references > counted.max(stream.references) {
                return Err(DecodeError::LateParameterSet);
            }
            stream.references = parameters.references;
            stream.matrix = parameters.matrix.unwrap_or(stream.matrix);
        }
        simple.map_or(Ok(()), |simple| stream.choose(simple))?;
        // Servers name the range when it changes; otherwise the key frame's own word holds.
        if let Some(full_range) = coded.options.full_range.or(parameters.and_then(|p| p.full_range)) {
            stream.full_range = full_range;
        }

        let complete = coded.options.delayed == 0;
        if let Err(error) = stream.decode(coded.data, complete) {
            // A key frame needs nothing that came before: the other decoder may try.
            let was_baseline = matches!(stream.decoder, Engine::Baseline(_));
            *full_only |= was_baseline && (parameters.is_some() || stream.is_under_way);
            if parameters.is_none() {
                return Err(error);
            }
            stream.choose(!was_baseline)?;
            stream.decode(coded.data, complete).map_err(|_| error)?;
        }
        stream.is_under_way = true;
        let picture = stream.picture();
        if let Some(picture) = &picture {
            ledger.note_transform(Transform::Decode, picture.data_len());
        } else if complete {
            return Err(DecodeError::NoPicture);
        }
        Ok(picture)
    }

    /// Bytes of memory that it keeps, about.
    pub fn memory_bytes(&self) -> u64 {
        self.stream.as_ref().map_or(0, |stream| {
            stream_bytes(stream.size, stream.references, matches!(stream.decoder, Engine::Baseline(_)))
        })
    }

    /// Bytes of memory that a decoder takes for the stream that this frame begins, about; 0 if it begins none, or one
    /// that is refused.
    pub fn expected_bytes(coded: &Coded) -> u64 {
        announced(coded).map_or(0, |announced| {
            stream_bytes(coded.picture_size(), announced.references, announced.profile == sps::BASELINE)
        })
    }

    /// The picture of the last frame, where [`Self::decode`] had one.
    pub fn picture(&self) -> Option<PictureRef<'_>> {
        self.stream.as_ref()?.picture()
    }
}

/// Bytes of memory that a decoder keeps for a stream, about: pictures with their motion vectors, and what is made of a
/// frame on the way.
fn stream_bytes(size: Size, references: u32, baseline: bool) -> u64 {
    const PICTURE: u64 = 640;
    // Beside pictures: what a frame takes for each block, and a decoder for the smallest picture (measured for
    // openh264 by the test `h264_takes_about_the_memory_that_is_counted`).
    const BASELINE: (u64, u64) = (1024, 4_000_000);
    const FULL: (u64, u64) = (2048, 0);
    let (frame, fixed) = if baseline { BASELINE } else { FULL };
    blocks(size) * (PICTURE * (u64::from(references) + 2) + frame) + fixed
}

/// What the parameter sets say that come before the picture, where there are any and they are allowed. They are looked
/// for where they can be: a frame begins with them.
fn announced(coded: &Coded) -> Option<Sps> {
    const MAX_HEAD: usize = 16 << 10;
    let head = coded.data.get(..MAX_HEAD).unwrap_or(coded.data);
    parameters(sps::before_slices(head), coded.picture_size()).ok().flatten()
}

/// The first of the parameter sets of an access unit for pictures of `size`, with the most references of all of them.
/// All are checked: decoders keep each set that they are sent.
fn parameters(access_unit: &[u8], size: Size) -> Result<Option<Sps>, DecodeError> {
    if !sps::ids_fit(access_unit) {
        return Err(DecodeError::ParameterId);
    }
    let mut parameters: Option<Sps> = None;
    for found in sps::all(access_unit) {
        let found = found.ok_or(DecodeError::ParameterSet)?;
        check_parameters(&found, size)?;
        let first = parameters.get_or_insert(found);
        first.references = first.references.max(found.references);
    }
    Ok(parameters)
}

/// The stream that the frame belongs to: the one at hand or a new one.
fn stream_for<'a>(
    current: &'a mut Option<Box<Stream>>,
    coded: &Coded,
    size: Size,
    baseline: bool,
) -> Result<&'a mut Stream, DecodeError> {
    let goes_on = current.take().filter(|stream| {
        coded.options.frame != Some(0) && stream.size == size && stream.csc == coded.options.csc
    });
    let stream = match goes_on {
        Some(stream) => stream,
        None => Box::new(Stream {
            decoder: Engine::new(baseline)?,
            size,
            csc: coded.options.csc,
            full_range: false,
            matrix: YuvMatrix::Bt601,
            references: 0,
            is_under_way: false,
            planes: None,
        }),
    };
    Ok(current.insert(stream))
}

/// Refuses what would make the decoder allocate more than frames of `expected` need.
fn check_parameters(got: &Sps, expected: Size) -> Result<(), DecodeError> {
    if got.chroma_format != 1 {
        return Err(DecodeError::Chroma { got: got.chroma_format });
    }
    check_frame(got.size, expected)?;
    let fits = |got: u32, expected: u32| got <= expected.saturating_add(MAX_CROPPED);
    if !fits(got.coded.width, expected.width) || !fits(got.coded.height, expected.height) {
        return Err(DecodeError::FrameSize { got: got.coded, expected });
    }
    if got.references > MAX_REFERENCES || blocks(got.coded) * u64::from(got.references) > MAX_REFERENCE_BLOCKS
    {
        let (frames, size) = (got.references, got.coded);
        return Err(DecodeError::References { frames, size, limit: MAX_REFERENCE_BLOCKS });
    }
    Ok(())
}

/// Macroblocks of a picture.
fn blocks(size: Size) -> u64 {
    u64::from(size.width.div_ceil(MACROBLOCK)) * u64::from(size.height.div_ceil(MACROBLOCK))
}

/// Refuses frames that are smaller than `expected`, or larger by more than padding.
fn check_frame(got: Size, expected: Size) -> Result<(), DecodeError> {
    let fits = |got: u32, expected: u32| (expected..expected.saturating_add(MACROBLOCK)).contains(&got);
    if fits(got.width, expected.width) && fits(got.height, expected.height) {
        return Ok(());
    }
    Err(DecodeError::FrameSize { got, expected })
}

/// Where the decoder keeps the picture that it made last. The memory is valid, and nobody writes to
/// it, until the decoder decodes again or is dropped.
pub(super) struct Planes {
    size: Size,
    /// Start, bytes and bytes from one row to the next.
    places: [(NonNull<u8>, usize, usize); 3],
}

#[expect(unsafe_code, reason = "pointers into the memory of a decoder")]
// SAFETY: the decoder's memory belongs to no thread, and `Stream` moves both together.
unsafe impl Send for Planes {}

impl Planes {
    /// Those of a 4:2:0 picture of size `got`, without its border around `size`.
    pub fn new(got: (usize, usize), planes: [(&[u8], usize); 3], size: Size) -> Result<Self, DecodeError> {
        let dimension = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        check_frame(Size { width: dimension(got.0), height: dimension(got.1) }, size)?;
        let chroma = YuvFormat::I420.chroma_size(size.width, size.height);
        let place = |(plane, stride): (&[u8], usize), (width, rows): (u32, u32)| {
            let len = span(width as usize, stride, rows).filter(|len| *len <= plane.len());
            let expected = stride.saturating_mul(rows as usize);
            let too_short = DecodeError::PixelBytes { got: plane.len(), min: expected, max: expected };
            Ok::<_, DecodeError>((NonNull::from(plane).cast::<u8>(), len.ok_or(too_short)?, stride))
        };
        let [y, u, v] = planes;
        let places = [place(y, (size.width, size.height))?, place(u, chroma)?, place(v, chroma)?];
        Ok(Self { size, places })
    }
}

impl Stream {
    /// Goes on with the decoder for baseline streams, or the full one.
    fn choose(&mut self, baseline: bool) -> Result<(), DecodeError> {
        if baseline != matches!(self.decoder, Engine::Baseline(_)) {
            self.planes = None;
            self.is_under_way = false;
            self.decoder = Engine::new(baseline)?;
        }
        Ok(())
    }

    /// Decodes one access unit; the newest picture, if there is one, is in `planes` afterwards.
    fn decode(&mut self, data: &[u8], complete: bool) -> Result<(), DecodeError> {
        self.planes = None;
        self.planes = match &mut self.decoder {
            Engine::Baseline(decoder) => decoder.decode(data, complete, self.size)?,
            Engine::Full(decoder) => decoder.decode(data, complete, self.size)?,
        };
        Ok(())
    }

    fn picture(&self) -> Option<PictureRef<'_>> {
        let Planes { size, places } = self.planes.as_ref()?;
        let planes = places.map(|(start, len, rowstride)| {
            #[expect(unsafe_code, reason = "decoders keep their pictures until they decode again")]
            // SAFETY: a plane of the decoder in `self`, which `len` was taken from. `decode` and `choose`, which
            // alone use the decoder, forget the planes first, and cannot run while `self` is borrowed.
            let data = unsafe { std::slice::from_raw_parts(start.as_ptr(), len) };
            PlaneRef { data, rowstride }
        });
        let (matrix, full_range) = (self.matrix, self.full_range);
        let yuv = YuvRef { format: YuvFormat::I420, matrix, full_range, planes };
        Some(PictureRef { width: size.width, height: size.height, pixels: PixelsRef::Yuv(yuv) })
    }
}
