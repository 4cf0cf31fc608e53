//! The calls into libwebp, behind safe functions that check every length.
#![expect(unsafe_code, reason = "libwebp has a C interface, and its safe wrappers allocate every picture")]

use std::ffi::c_int;

use libwebp_sys::{
    VP8StatusCode, WebPBitstreamFeatures, WebPDecodeRGBAInto, WebPDecodeYUVInto, WebPGetFeatures,
};

use crate::geometry::Size;

use super::YuvFormat;

/// What the header says.
pub(super) struct Features {
    pub size: Size,
    pub alpha: bool,
    pub animated: bool,
    pub lossy: bool,
}

/// Reads the header; `None` if there is no valid one.
pub(super) fn features(data: &[u8]) -> Option<Features> {
    let mut found =
        WebPBitstreamFeatures { width: 0, height: 0, has_alpha: 0, has_animation: 0, format: 0, pad: [0; 5] };
    // SAFETY: pointer and length are those of one slice; `found` outlives the call.
    let status = unsafe { WebPGetFeatures(data.as_ptr(), data.len(), &raw mut found) };
    (status == VP8StatusCode::VP8_STATUS_OK).then_some(())?;
    Some(Features {
        size: Size { width: u32::try_from(found.width).ok()?, height: u32::try_from(found.height).ok()? },
        alpha: found.has_alpha != 0,
        animated: found.has_animation != 0,
        lossy: found.format == 1,
    })
}

/// Decodes into three planes without padding, one after the other; `out` must have their exact
/// length.
pub(super) fn decode_yuv(data: &[u8], size: Size, out: &mut [u8]) -> bool {
    let (chroma_width, chroma_height) = YuvFormat::I420.chroma_size(size.width, size.height);
    let luma_bytes = size.width as usize * size.height as usize;
    let chroma_bytes = chroma_width as usize * chroma_height as usize;
    let (Ok(luma_row), Ok(chroma_row)) = (c_int::try_from(size.width), c_int::try_from(chroma_width)) else {
        return false;
    };
    if out.len() != luma_bytes + 2 * chroma_bytes {
        return false;
    }
    let (luma, chroma) = out.split_at_mut(luma_bytes);
    let (u, v) = chroma.split_at_mut(chroma_bytes);
    // SAFETY: each plane comes with its own length, which libwebp checks against the picture's
    // size and the stride before it writes.
    let result = unsafe {
        WebPDecodeYUVInto(
            data.as_ptr(),
            data.len(),
            luma.as_mut_ptr(),
            luma.len(),
            luma_row,
            u.as_mut_ptr(),
            u.len(),
            chroma_row,
            v.as_mut_ptr(),
            v.len(),
            chroma_row,
        )
    };
    !result.is_null()
}

/// Decodes into RGBA rows without padding; `out` must have their exact length.
pub(super) fn decode_rgba(data: &[u8], size: Size, out: &mut [u8]) -> bool {
    let Ok(row) = c_int::try_from(size.width as usize * 4) else {
        return false;
    };
    if out.len() != size.width as usize * 4 * size.height as usize {
        return false;
    }
    // SAFETY: the buffer comes with its length, which libwebp checks against the picture's size
    // and the stride before it writes.
    let result = unsafe { WebPDecodeRGBAInto(data.as_ptr(), data.len(), out.as_mut_ptr(), out.len(), row) };
    !result.is_null()
}
