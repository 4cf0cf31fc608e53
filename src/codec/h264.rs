//! `h264`, with openh264.

use openh264::OpenH264API;
use openh264::decoder::{DecodeOptions, DecodedYUV, Decoder, DecoderConfig, Flush};
use openh264::formats::YUVSource;

use crate::buffers::BufferPool;
use crate::protocol::packet::ShortName;
use crate::stats::{CopyLedger, CopySite, Transform, copies};

use super::decode::{check_dimensions, picture_bytes};
use super::{Coded, DecodeError, Picture, Plane, Size, YuvFormat, YuvMatrix, YuvPicture, sps};

/// Encoders pad frames to whole macroblocks of this size; some leave the padding in.
const MACROBLOCK: u32 = 16;

/// Decodes the video of one window. Frames must come in order; one thread at a time.
///
/// A new stream begins at frame 0, or when size or sub-sampling change.
#[derive(Default)]
pub struct VideoDecoder {
    stream: Option<Stream>,
}

struct Stream {
    decoder: Decoder,
    size: Size,
    csc: Option<ShortName>,
    full_range: bool,
    matrix: YuvMatrix,
}

impl VideoDecoder {
    /// Decodes one access unit. `None`: the frame is kept back because others that refer to it
    /// follow (B-frames), as the server announced.
    ///
    /// # Errors
    /// If the data cannot be decoded, for example because frames before it are missing. The next
    /// key frame is decoded again.
    pub fn decode(
        &mut self,
        coded: &Coded,
        pool: &BufferPool,
        ledger: &mut CopyLedger,
    ) -> Result<Option<Picture>, DecodeError> {
        let size = coded.picture_size();
        check_dimensions(size)?;
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

        // The decoder holds pictures back to reorder them. Unless the server's encoder does reorder,
        // all are taken out at once, and the newest is the one to show.
        let complete = coded.options.delayed == 0;
        let colours = (stream.full_range, stream.matrix);
        let options = DecodeOptions::new().flush_after_decode(Flush::NoFlush);
        let frame = stream.decoder.decode_with_options(coded.data, options)?;
        let mut picture = frame.map(|frame| copy_out(&frame, size, colours, pool, ledger)).transpose()?;
        if complete && let Some(frame) = stream.decoder.flush_remaining()?.last() {
            picture = Some(copy_out(frame, size, colours, pool, ledger)?);
        }
        if complete && picture.is_none() {
            return Err(DecodeError::NoPicture);
        }
        Ok(picture)
    }

    fn stream_for(&mut self, coded: &Coded, size: Size) -> Result<&mut Stream, DecodeError> {
        let goes_on = self.stream.take().filter(|stream| {
            coded.options.frame != Some(0) && stream.size == size && stream.csc == coded.options.csc
        });
        let stream = match goes_on {
            Some(stream) => stream,
            None => Stream {
                decoder: Decoder::with_api_config(OpenH264API::from_source(), DecoderConfig::new())?,
                size,
                csc: coded.options.csc,
                full_range: false,
                matrix: YuvMatrix::Bt601,
            },
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

/// The decoder's planes are its own and padded: they are copied out once, without the padding.
fn copy_out(
    frame: &DecodedYUV,
    size: Size,
    (full_range, matrix): (bool, YuvMatrix),
    pool: &BufferPool,
    ledger: &mut CopyLedger,
) -> Result<Picture, DecodeError> {
    let (width, height) = frame.dimensions();
    let dimension = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    check_frame(Size { width: dimension(width), height: dimension(height) }, size)?;

    let format = YuvFormat::I420;
    let (chroma_width, chroma_height) = format.chroma_size(size.width, size.height);
    let (luma_row, chroma_row) = (size.width as usize, chroma_width as usize);
    let luma = picture_bytes(luma_row, size.height)?;
    let chroma = picture_bytes(chroma_row, chroma_height)?;
    let mut pixels = pool.take(picture_bytes(luma + 2 * chroma, 1)?, ledger);
    let (y_stride, u_stride, v_stride) = frame.strides();
    let planes = [
        (frame.y(), y_stride, luma_row, size.height),
        (frame.u(), u_stride, chroma_row, chroma_height),
        (frame.v(), v_stride, chroma_row, chroma_height),
    ];
    for (from, stride, row, rows) in planes {
        copies::append_rows(ledger, CopySite::Repack, from, stride, row, rows as usize, pixels.vec());
    }
    ledger.note_transform(Transform::Decode, pixels.len());

    let planes = [
        Plane { offset: 0, rowstride: luma_row },
        Plane { offset: luma, rowstride: chroma_row },
        Plane { offset: luma + chroma, rowstride: chroma_row },
    ];
    let got = pixels.len();
    let yuv = YuvPicture { format, matrix, full_range, planes, data: pixels.freeze() };
    let expected = luma + 2 * chroma;
    Picture::yuv(size, yuv).ok_or(DecodeError::PixelBytes { got, min: expected, max: expected })
}
