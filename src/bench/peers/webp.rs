//! libwebp called directly: its encoder, and its decoder without anything of Farpane's around it.
#![expect(unsafe_code, reason = "libwebp has a C interface")]

use std::ffi::c_int;

use libwebp_sys::{WebPDecodeBGRAInto, WebPEncodeRGB, WebPFree};

/// A lossy file of RGB pixels without padding; `None` if libwebp refuses.
pub fn encode(rgb: &[u8], (width, height): (u32, u32), quality: f32) -> Option<Vec<u8>> {
    if rgb.len() != width as usize * height as usize * 3 {
        return None;
    }
    let (width, height) = (c_int::try_from(width).ok()?, c_int::try_from(height).ok()?);
    let mut file = std::ptr::null_mut();
    // SAFETY: the picture has `height` rows of `width` pixels of three bytes. libwebp allocates
    // `file` of the length that it returns; it is read before it is freed.
    unsafe {
        let len = WebPEncodeRGB(rgb.as_ptr(), width, height, width.checked_mul(3)?, quality, &raw mut file);
        if len == 0 {
            return None;
        }
        let bytes = Vec::from(std::slice::from_raw_parts(file, len));
        WebPFree(file.cast());
        Some(bytes)
    }
}

/// Decodes into BGRA rows of `width` pixels without padding. Whether that worked.
pub fn decode(file: &[u8], width: u32, out: &mut [u8]) -> bool {
    let Some(row) = c_int::try_from(width).ok().and_then(|width| width.checked_mul(4)) else { return false };
    // SAFETY: both slices are passed with their own lengths; libwebp checks that the picture fits
    // before it writes.
    let end = unsafe { WebPDecodeBGRAInto(file.as_ptr(), file.len(), out.as_mut_ptr(), out.len(), row) };
    !end.is_null()
}
