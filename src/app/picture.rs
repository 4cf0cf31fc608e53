//! Pixels as PNG.

use crate::geometry::Size;

/// Rows of pixels of this size as a PNG file: of RGBA, or of RGB.
///
/// # Errors
/// If there are not as many of them.
pub fn png(size: Size, color: png::ColorType, pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, size.width, size.height);
    encoder.set_color(color);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(file)
}
