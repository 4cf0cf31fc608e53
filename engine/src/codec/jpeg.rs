//! `jpeg`: to YUV planes where the sub-sampling has a shader, else to RGB.

use turbojpeg::{Colorspace, DecompressHeader, Decompressor, Image, Subsamp, YuvImage};

use crate::buffers::BufferPool;
use crate::stats::{CopyLedger, Transform};

use super::decode::picture_bytes;
use crate::geometry::Size;

use super::{Coded, DecodeError, Picture, PixelFormat, Pixels, Plane, YuvFormat, YuvMatrix, YuvPicture};

/// Scans of a progressive picture at most: each costs a pass over all coefficients.
const MAX_SCANS: u32 = 64;

/// Keeps the library's handle between pictures.
#[derive(Default)]
pub(super) struct JpegDecoder {
    handle: Option<Decompressor>,
}

impl JpegDecoder {
    pub(super) fn decode(
        &mut self,
        coded: &Coded,
        pool: &BufferPool,
        ledger: &mut CopyLedger,
    ) -> Result<Picture, DecodeError> {
        let handle = match &mut self.handle {
            Some(handle) => handle,
            None => {
                let mut handle = Decompressor::new()?;
                handle.set_scan_limit(MAX_SCANS)?;
                self.handle.insert(handle)
            }
        };
        let header = handle.read_header(coded.data)?;
        let dimension = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        let size = Size { width: dimension(header.width), height: dimension(header.height) };
        coded.check_coded(size)?;
        let picture = match header.colorspace {
            Colorspace::YCbCr if yuv_format(header.subsamp).is_some() => {
                let full_range = coded.options.full_range.unwrap_or(true);
                decode_yuv(handle, coded.data, &header, size, full_range, pool, ledger)?
            }
            Colorspace::Gray => {
                let format = (PixelFormat::Grey, turbojpeg::PixelFormat::GRAY);
                decode_packed(handle, coded.data, format, size, pool, ledger)?
            }
            Colorspace::YCbCr | Colorspace::RGB => {
                let format = (PixelFormat::Rgbx, turbojpeg::PixelFormat::RGBX);
                decode_packed(handle, coded.data, format, size, pool, ledger)?
            }
            got => return Err(DecodeError::JpegColours { got }),
        };
        ledger.note_transform(Transform::Decode, picture.data_len());
        Ok(picture)
    }
}

/// Whether the library keeps the coefficients of the whole picture while it decodes: it does for progressive ones, and
/// where a scan has not all components (ITU-T T.81, annex B).
pub(super) fn is_kept_whole(data: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xda;
    /// Sequential frames with Huffman codes.
    const BASELINE: std::ops::RangeInclusive<u8> = 0xc0..=0xc1;
    /// All frames; tables (`0xc4`, `0xc8`, `0xcc`) are among them.
    const FRAMES: std::ops::RangeInclusive<u8> = 0xc0..=0xcf;
    let mut rest = data.get(2..).unwrap_or_default();
    let mut components = None;
    while let [0xff, marker, segment @ ..] = rest {
        let (Some((&len, _)), marker) = (segment.split_first_chunk(), *marker) else { return false };
        let len = usize::from(u16::from_be_bytes(len));
        match marker {
            // Filling bytes before a marker.
            0xff => rest = rest.get(1..).unwrap_or_default(),
            START_OF_SCAN => return segment.get(2) != components.as_ref(),
            _ if BASELINE.contains(&marker) => components = segment.get(7).copied(),
            _ if FRAMES.contains(&marker) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) => return true,
            _ => {}
        }
        if marker != 0xff {
            rest = segment.get(len..).unwrap_or_default();
        }
    }
    false
}

const fn yuv_format(subsampling: Subsamp) -> Option<YuvFormat> {
    match subsampling {
        Subsamp::Sub2x2 => Some(YuvFormat::I420),
        Subsamp::Sub2x1 => Some(YuvFormat::I422),
        Subsamp::None => Some(YuvFormat::I444),
        _ => None,
    }
}

fn decode_yuv(
    handle: &mut Decompressor,
    data: &[u8],
    header: &DecompressHeader,
    size: Size,
    full_range: bool,
    pool: &BufferPool,
    ledger: &mut CopyLedger,
) -> Result<Picture, DecodeError> {
    // INVARIANT: the caller asked for a sub-sampling that has a format.
    let format = yuv_format(header.subsamp).expect("a sub-sampling with a YUV format");
    // The library pads luma planes to whole chroma samples.
    let luma_row = header.width.next_multiple_of(header.subsamp.width());
    let luma_rows = header.height.next_multiple_of(header.subsamp.height());
    let chroma_row = luma_row / header.subsamp.width();
    let chroma_bytes = chroma_row * (luma_rows / header.subsamp.height());
    let luma_bytes = luma_row * luma_rows;
    let mut pixels = pool.take_filled(picture_bytes(luma_bytes + 2 * chroma_bytes, 1)?, ledger);
    handle.decompress_to_yuv(
        data,
        YuvImage {
            pixels: &mut pixels.vec()[..],
            width: header.width,
            align: 1,
            height: header.height,
            subsamp: header.subsamp,
        },
    )?;
    let planes = [
        Plane { offset: 0, rowstride: luma_row },
        Plane { offset: luma_bytes, rowstride: chroma_row },
        Plane { offset: luma_bytes + chroma_bytes, rowstride: chroma_row },
    ];
    let got = pixels.len();
    let yuv = YuvPicture { format, matrix: YuvMatrix::Bt601, full_range, planes, data: pixels.freeze() };
    Picture::yuv(size, yuv).ok_or(DecodeError::PixelBytes { got, min: got, max: got })
}

fn decode_packed(
    handle: &mut Decompressor,
    data: &[u8],
    (format, turbo_format): (PixelFormat, turbojpeg::PixelFormat),
    size: Size,
    pool: &BufferPool,
    ledger: &mut CopyLedger,
) -> Result<Picture, DecodeError> {
    let row = size.width as usize * format.bytes_per_pixel();
    let mut pixels = pool.take_filled(picture_bytes(row, size.height)?, ledger);
    handle.decompress(
        data,
        Image {
            pixels: &mut pixels.vec()[..],
            width: size.width as usize,
            pitch: row,
            height: size.height as usize,
            format: turbo_format,
        },
    )?;
    Ok(Picture {
        width: size.width,
        height: size.height,
        pixels: Pixels::Packed { format, rowstride: row, data: pixels.freeze() },
    })
}
