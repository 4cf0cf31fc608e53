//! Pixels as PNG.

use crate::codec::Size;

/// Rows of opaque RGBA of this size as a PNG file.
///
/// # Errors
/// If there are not enough of them.
pub fn png(size: Size, rgba: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, size.width, size.height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(rgba)?;
    writer.finish()?;
    Ok(file)
}
