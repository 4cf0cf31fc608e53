//! Small pictures of sessions, as PNG.

use std::path::Path;
use std::sync::Arc;

use egui::ColorImage;

use crate::app::picture;
use crate::geometry::Size;

/// They fit into this, in pixels.
const LARGEST: Size = Size { width: 320, height: 200 };
/// A larger file was not written by us, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// A small picture of `rgba`, rows of pixels of a window of `size`. `None` if there are none.
pub fn encode(size: Size, rgba: &[u8]) -> Option<Vec<u8>> {
    let (small, pixels) = shrink(size, rgba)?;
    picture::png(small, png::ColorType::Rgb, &pixels).ok()
}

/// Each pixel is the mean of those that it stands for.
fn shrink(size: Size, rgba: &[u8]) -> Option<(Size, Vec<u8>)> {
    let (width, height) = (size.width as usize, size.height as usize);
    if width == 0 || height == 0 || rgba.len() < width * height * 4 {
        return None;
    }
    let factor = size.width.div_ceil(LARGEST.width).max(size.height.div_ceil(LARGEST.height)).max(1) as usize;
    let small = Size {
        width: u32::try_from((width / factor).max(1)).ok()?,
        height: u32::try_from((height / factor).max(1)).ok()?,
    };
    let mut pixels = Vec::with_capacity(small.width as usize * small.height as usize * 3);
    for y in 0..small.height as usize {
        for x in 0..small.width as usize {
            let mut sums = [0_usize; 3];
            let mut count = 0;
            for row in (y * factor..(y + 1) * factor).take_while(|row| *row < height) {
                for column in (x * factor..(x + 1) * factor).take_while(|column| *column < width) {
                    let pixel = rgba.get((row * width + column) * 4..)?;
                    for (sum, channel) in sums.iter_mut().zip(pixel) {
                        *sum += usize::from(*channel);
                    }
                    count += 1;
                }
            }
            pixels.extend(sums.map(|sum| u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX)));
        }
    }
    Some((small, pixels))
}

/// Reads a picture back. `None` if it is not there, or was not written by [`encode`].
pub fn read(path: &Path) -> Option<Arc<ColorImage>> {
    if std::fs::metadata(path).ok()?.len() > MAX_FILE {
        return None;
    }
    let file = std::fs::read(path).ok()?;
    let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().ok()?;
    let info = reader.info();
    let fits = info.width <= LARGEST.width && info.height <= LARGEST.height;
    if !fits || info.color_type != png::ColorType::Rgb || info.bit_depth != png::BitDepth::Eight {
        return None;
    }
    let size = [info.width as usize, info.height as usize];
    let mut pixels = vec![0; size[0] * size[1] * 3];
    reader.next_frame(&mut pixels).ok()?;
    Some(Arc::new(ColorImage::from_rgb(size, &pixels)))
}
