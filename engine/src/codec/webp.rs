//! `webp`: lossy pictures without alpha to their own YUV planes, all others to RGBA.

use crate::buffers::BufferPool;
use crate::stats::{CopyLedger, Transform};

use super::decode::picture_bytes;
use super::webp_ffi::{self, Features};
use crate::geometry::Size;

use super::{Coded, DecodeError, Picture, PixelFormat, Plane, YuvFormat, YuvMatrix, YuvPicture};

pub(super) fn decode(
    coded: &Coded,
    pool: &BufferPool,
    ledger: &mut CopyLedger,
) -> Result<Picture, DecodeError> {
    let features = webp_ffi::features(coded.data).ok_or(DecodeError::Webp("not a WebP picture"))?;
    coded.check_coded(features.size)?;
    if features.animated {
        return Err(DecodeError::Webp("an animation"));
    }
    let picture = if features.lossy && !features.alpha {
        decode_yuv(coded.data, features.size, pool, ledger)?
    } else {
        decode_rgba(coded.data, &features, pool, ledger)?
    };
    ledger.note_transform(Transform::Decode, picture.data_len());
    Ok(picture)
}

/// Whether the library keeps all pixels in a form of its own while it decodes: it does for the lossless form.
pub(super) fn is_lossless(data: &[u8]) -> bool {
    // A RIFF header, then the first chunk's name; `VP8X` may hold either.
    !matches!(data.get(12..16), Some(b"VP8 "))
}

fn decode_yuv(
    data: &[u8],
    size: Size,
    pool: &BufferPool,
    ledger: &mut CopyLedger,
) -> Result<Picture, DecodeError> {
    let format = YuvFormat::I420;
    let (chroma_width, chroma_height) = format.chroma_size(size.width, size.height);
    let luma = picture_bytes(size.width as usize, size.height)?;
    let chroma = picture_bytes(chroma_width as usize, chroma_height)?;
    let mut pixels = pool.take_filled(picture_bytes(luma + 2 * chroma, 1)?, ledger);
    if !webp_ffi::decode_yuv(data, size, pixels.vec()) {
        return Err(DecodeError::Webp("the data is damaged"));
    }
    let planes = [
        Plane { offset: 0, rowstride: size.width as usize },
        Plane { offset: luma, rowstride: chroma_width as usize },
        Plane { offset: luma + chroma, rowstride: chroma_width as usize },
    ];
    let data = pixels.freeze();
    // VP8 key frames are BT.601, limited range.
    let yuv = YuvPicture { format, matrix: YuvMatrix::Bt601, full_range: false, planes, data };
    Picture::yuv(size, yuv).ok_or(DecodeError::Webp("planes that do not fit"))
}

fn decode_rgba(
    data: &[u8],
    features: &Features,
    pool: &BufferPool,
    ledger: &mut CopyLedger,
) -> Result<Picture, DecodeError> {
    let row = features.size.width as usize * 4;
    let mut pixels = pool.take_filled(picture_bytes(row, features.size.height)?, ledger);
    if !webp_ffi::decode_rgba(data, features.size, pixels.vec()) {
        return Err(DecodeError::Webp("the data is damaged"));
    }
    let format = if features.alpha { PixelFormat::Rgba } else { PixelFormat::Rgbx };
    Picture::packed(features.size, format, row, pixels.freeze())
        .ok_or(DecodeError::Webp("pixels that do not fit"))
}
