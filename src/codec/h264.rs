//! `h264`, with openh264.

use std::ptr::NonNull;

use openh264::OpenH264API;
use openh264::decoder::{DecodeOptions, DecodedYUV, Decoder, DecoderConfig, Flush};
use openh264::formats::YUVSource;

use crate::protocol::packet::ShortName;
use crate::stats::{CopyLedger, Transform};

use super::decode::{check_dimensions, picture_bytes};
use super::pixels::span;
use super::{Coded, DecodeError, PictureRef, PixelsRef, PlaneRef, Size, YuvFormat, YuvMatrix, YuvRef, sps};

/// Encoders pad frames to whole macroblocks of this size; some leave the padding in.
const MACROBLOCK: u32 = 16;

/// Decodes the video of one window. Frames must come in order; one thread at a time.
///
/// A new stream begins at frame 0, or when size or sub-sampling change.
#[derive(Default)]
pub struct VideoDecoder {
    stream: Option<Box<Stream>>,
}

struct Stream {
    decoder: Decoder,
    size: Size,
    csc: Option<ShortName>,
    full_range: bool,
    matrix: YuvMatrix,
    /// Of the last frame.
    planes: Option<Planes>,
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
        let parameters = sps::find(coded.data);
        if let Some(parameters) = parameters {
            if parameters.chroma_format != 1 {
                return Err(DecodeError::Chroma { got: parameters.chroma_format });
            }
            check_frame(parameters.size, size)?;
        }
        let stream = self.stream_for(coded, size)?;
        if let Some(matrix) = parameters.and_then(|p| p.matrix) {
            stream.matrix = matrix;
        }
        // Servers name the range when it changes; otherwise the key frame's own word holds.
        if let Some(full_range) = coded.options.full_range.or(parameters.and_then(|p| p.full_range)) {
            stream.full_range = full_range;
        }

        let complete = coded.options.delayed == 0;
        stream.decode(coded.data, complete)?;
        let picture = stream.picture();
        if let Some(picture) = &picture {
            ledger.note_transform(Transform::Decode, picture.data_len());
        } else if complete {
            return Err(DecodeError::NoPicture);
        }
        Ok(picture)
    }

    /// The picture of the last frame, where [`Self::decode`] had one.
    pub fn picture(&self) -> Option<PictureRef<'_>> {
        self.stream.as_ref()?.picture()
    }

    fn stream_for(&mut self, coded: &Coded, size: Size) -> Result<&mut Stream, DecodeError> {
        let goes_on = self.stream.take().filter(|stream| {
            coded.options.frame != Some(0) && stream.size == size && stream.csc == coded.options.csc
        });
        let stream = match goes_on {
            Some(stream) => stream,
            None => Box::new(Stream {
                decoder: Decoder::with_api_config(OpenH264API::from_source(), DecoderConfig::new())?,
                size,
                csc: coded.options.csc,
                full_range: false,
                matrix: YuvMatrix::Bt601,
                planes: None,
            }),
        };
        Ok(self.stream.insert(stream))
    }
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
struct Planes {
    size: Size,
    /// Start, bytes and bytes from one row to the next.
    places: [(NonNull<u8>, usize, usize); 3],
}

#[expect(unsafe_code, reason = "pointers into the memory of a decoder")]
// SAFETY: the decoder's memory belongs to no thread, and `Stream` moves both together.
unsafe impl Send for Planes {}

impl Planes {
    /// Those of `frame`, without its border.
    fn of(frame: &DecodedYUV, size: Size) -> Result<Self, DecodeError> {
        let (width, height) = frame.dimensions();
        let dimension = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        check_frame(Size { width: dimension(width), height: dimension(height) }, size)?;
        let (y_stride, u_stride, v_stride) = frame.strides();
        let luma = (size.width, size.height);
        let chroma = YuvFormat::I420.chroma_size(size.width, size.height);
        let place = |plane: &[u8], stride: usize, (width, rows): (u32, u32)| {
            let len = span(width as usize, stride, rows).filter(|len| *len <= plane.len());
            let expected = stride.saturating_mul(rows as usize);
            let too_short = DecodeError::PixelBytes { got: plane.len(), min: expected, max: expected };
            Ok::<_, DecodeError>((NonNull::from(plane).cast::<u8>(), len.ok_or(too_short)?, stride))
        };
        let places = [
            place(frame.y(), y_stride, luma)?,
            place(frame.u(), u_stride, chroma)?,
            place(frame.v(), v_stride, chroma)?,
        ];
        Ok(Self { size, places })
    }
}

impl Stream {
    /// Decodes one access unit; the newest picture, if there is one, is in `planes` afterwards.
    fn decode(&mut self, data: &[u8], complete: bool) -> Result<(), DecodeError> {
        self.planes = None;
        let options = DecodeOptions::new().flush_after_decode(Flush::NoFlush);
        let frame = self.decoder.decode_with_options(data, options)?;
        let mut planes = frame.map(|frame| Planes::of(&frame, self.size)).transpose()?;
        // The decoder holds pictures back to reorder them. Unless the server's encoder does reorder,
        // all are taken out at once, and the newest is the one to show.
        if complete && let Some(frame) = self.decoder.flush_remaining()?.last() {
            planes = Some(Planes::of(frame, self.size)?);
        }
        self.planes = planes;
        Ok(())
    }

    fn picture(&self) -> Option<PictureRef<'_>> {
        let Planes { size, places } = self.planes.as_ref()?;
        let planes = places.map(|(start, len, rowstride)| {
            #[expect(unsafe_code, reason = "openh264 keeps its pictures until it decodes again")]
            // SAFETY: a plane of the decoder in `self`, which `len` was taken from. `decode`, which
            // alone uses the decoder, forgets the planes first, and cannot run while `self` is borrowed.
            let data = unsafe { std::slice::from_raw_parts(start.as_ptr(), len) };
            PlaneRef { data, rowstride }
        });
        let (matrix, full_range) = (self.matrix, self.full_range);
        let yuv = YuvRef { format: YuvFormat::I420, matrix, full_range, planes };
        Some(PictureRef { width: size.width, height: size.height, pixels: PixelsRef::Yuv(yuv) })
    }
}
