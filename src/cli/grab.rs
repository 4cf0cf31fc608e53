//! A picture of the whole X11 screen, for the demo: what a person would see.

use x11rb::connection::Connection;
use x11rb::errors::{ConnectError, ConnectionError, ReplyError};
use x11rb::protocol::xproto::{ConnectionExt, ImageFormat, ImageOrder};

use crate::geometry::Size;
use crate::headless::WindowPixels;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum GrabError {
    #[error("the screen can only be photographed on X11: {0}")]
    Connect(#[from] ConnectError),
    #[error("the X server does not show its screen: {0}")]
    Reply(#[from] ReplyError),
    #[error("the X server does not answer: {0}")]
    Connection(#[from] ConnectionError),
    #[error("the screen has {depth} bits a pixel, expected 24 or 32, little-endian")]
    Format { depth: u8 },
}

/// The screen of `$DISPLAY`.
pub fn screen() -> Result<WindowPixels, GrabError> {
    let (connection, number) = x11rb::connect(None)?;
    let setup = connection.setup();
    // INVARIANT: `connect` only succeeds for a screen that the server has.
    let screen = setup.roots.get(number).expect("the default screen exists");
    let size = Size { width: screen.width_in_pixels.into(), height: screen.height_in_pixels.into() };
    let (width, height) = (screen.width_in_pixels, screen.height_in_pixels);
    let image = connection.get_image(ImageFormat::Z_PIXMAP, screen.root, 0, 0, width, height, u32::MAX)?;
    let image = image.reply()?;
    let pixels = u64::from(size.width) * u64::from(size.height);
    let is_expected = setup.image_byte_order == ImageOrder::LSB_FIRST && matches!(image.depth, 24 | 32);
    if !is_expected || image.data.len() as u64 != pixels * 4 {
        return Err(GrabError::Format { depth: image.depth });
    }
    let mut rgba = image.data;
    for pixel in rgba.chunks_exact_mut(4) {
        pixel.swap(0, 2);
        pixel[3] = 255;
    }
    Ok(WindowPixels { size, rgba })
}
