//! Farpane's own icon, for windows that have none of their own.

use std::io::Cursor;

const PNG: &[u8] = include_bytes!("../../assets/icons/hicolor/128x128/apps/farpane.png");

/// An icon's pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Icon {
    pub width: u32,
    pub height: u32,
    /// Four bytes a pixel, not premultiplied, as `winit::window::Icon::from_rgba` takes them.
    pub rgba: Vec<u8>,
}

/// Farpane's icon.
///
/// # Errors
/// None in practice: the picture is part of the program, and a test decodes it.
pub fn farpane_icon() -> Result<Icon, png::DecodingError> {
    let mut reader = png::Decoder::new(Cursor::new(PNG)).read_info()?;
    let mut rgba = vec![0; reader.output_buffer_size().unwrap_or(0)];
    let info = reader.next_frame(&mut rgba)?;
    Ok(Icon { width: info.width, height: info.height, rgba })
}
