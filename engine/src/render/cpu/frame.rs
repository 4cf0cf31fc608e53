//! Painting into a window's pixels.

use super::layer::Layer;
use super::{convert, scale, yuv};
use crate::codec::{CompressedPixels, PictureRef, PixelFormat, PixelsRef};
use crate::geometry::{Rect, Size};
use crate::render::RenderError;
use crate::stats::{CopyLedger, CopySite, Transform, copies};

/// A window's pixels, `0x00RRGGBB`, wherever they are; the highest byte has no meaning.
pub(super) struct Frame<'a> {
    pixels: &'a mut [u32],
    size: Size,
}

impl<'a> Frame<'a> {
    /// `pixels` are the rows of a window of `size`, without padding.
    pub(super) fn new(pixels: &'a mut [u32], size: Size) -> Self {
        debug_assert_eq!(pixels.len(), size.width as usize * size.height as usize);
        Self { pixels, size }
    }

    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// The bytes from pixel (x, y) on, which must lie within the backing, and the bytes of a row.
    pub(super) fn rows_at(&self, x: u32, y: u32) -> (&[u8], usize) {
        (&bytes(self.pixels)[self.index(x, y) * 4..], self.size.width as usize * 4)
    }

    /// See [`Self::rows_at`].
    pub(super) fn rows_at_mut(&mut self, x: u32, y: u32) -> (&mut [u8], usize) {
        let start = self.index(x, y) * 4;
        (&mut bytes_mut(self.pixels)[start..], self.size.width as usize * 4)
    }

    fn index(&self, x: u32, y: u32) -> usize {
        y as usize * self.size.width as usize + x as usize
    }

    fn row_mut(&mut self, x: u32, y: u32, width: u32) -> &mut [u32] {
        let start = self.index(x, y);
        &mut self.pixels[start..start + width as usize]
    }

    /// Paints `picture` over `rect`, scaled if its size differs. `scratch` is only used meanwhile.
    pub(super) fn paint(
        &mut self,
        rect: Rect,
        picture: PictureRef<'_>,
        scratch: &mut Vec<u32>,
        ledger: &mut CopyLedger,
    ) -> Result<(), RenderError> {
        let Some(visible) = rect.clip(self.size) else { return Ok(()) };
        if picture.width == 0 || picture.height == 0 {
            return Ok(());
        }
        let scaled = (rect.width, rect.height) != (picture.width, picture.height);
        match picture.pixels {
            PixelsRef::Packed { format, rowstride, data } if !scaled => {
                self.paint_packed((rect, visible), format, rowstride, data, ledger)
            }
            PixelsRef::Yuv(yuv) if !scaled && visible == rect => {
                let width = self.size.width as usize;
                // `visible` has no negative coordinates.
                let start = rect.y.unsigned_abs() as usize * width + rect.x.unsigned_abs() as usize;
                let to = &mut self.pixels[start..];
                yuv::convert(&yuv, picture.width, 0..picture.height as usize, to, width)?;
                ledger
                    .note_transform(Transform::Convert, visible.width as usize * visible.height as usize * 4);
                Ok(())
            }
            _ => self.paint_by_scratch((rect, visible), picture, scratch, ledger),
        }
    }

    /// Unpacks pixels over `rect`, which has their size: in place if whole rows of the window lie
    /// there just so, else by way of `scratch`.
    pub(super) fn paint_compressed(
        &mut self,
        rect: Rect,
        packed: &CompressedPixels,
        scratch: &mut Vec<u32>,
        ledger: &mut CopyLedger,
    ) -> Result<(), RenderError> {
        let Some(visible) = rect.clip(self.size) else { return Ok(()) };
        let (format, rowstride) = packed.layout();
        let len = packed.unpacked_len();
        let window_row = self.size.width as usize * 4;
        if is_as_shown(format) && visible == rect && rect.width == self.size.width && rowstride == window_row
        {
            // `visible` has no negative coordinates, and rows without padding end with it.
            let (to, _) = self.rows_at_mut(0, rect.y.unsigned_abs());
            let got = to.len();
            let to = to.get_mut(..len).ok_or(RenderError::PictureData { got, expected: len })?;
            return Ok(packed.unpack_into(to, ledger)?);
        }
        let unpacked = room(scratch, len.div_ceil(4), ledger);
        let unpacked = &mut bytes_mut(unpacked)[..len];
        packed.unpack_into(unpacked, ledger)?;
        self.paint_packed((rect, visible), format, rowstride, unpacked, ledger)
    }

    fn paint_packed(
        &mut self,
        (rect, visible): (Rect, Rect),
        format: PixelFormat,
        rowstride: usize,
        data: &[u8],
        ledger: &mut CopyLedger,
    ) -> Result<(), RenderError> {
        // `visible` lies within `rect`, and has no negative coordinates.
        let skipped_columns = visible.x.abs_diff(rect.x) as usize * format.bytes_per_pixel();
        let row_len = visible.width as usize * format.bytes_per_pixel();
        let first_row = visible.y.abs_diff(rect.y) as usize;
        let start = first_row * rowstride + skipped_columns;
        let expected = start + (visible.height as usize - 1) * rowstride + row_len;
        if skipped_columns + row_len > rowstride {
            return Err(RenderError::PictureData { got: rowstride, expected: skipped_columns + row_len });
        }
        let from = data.get(start..expected).ok_or(RenderError::PictureData { got: data.len(), expected })?;
        let stride = self.size.width as usize;
        let first = visible.y.unsigned_abs() as usize * stride + visible.x.unsigned_abs() as usize;
        let to = &mut self.pixels[first..];
        if is_as_shown(format) {
            let to = (bytes_mut(to), stride * 4);
            copies::copy_rows(ledger, CopySite::Staging, row_len, (from, rowstride), to);
            return Ok(());
        }
        let width = visible.width as usize;
        for (from, to) in from.chunks(rowstride).zip(to.chunks_mut(stride)).take(visible.height as usize) {
            convert::row(format, &from[..row_len], &mut to[..width]);
        }
        ledger.note_transform(Transform::Convert, width * visible.height as usize * 4);
        Ok(())
    }

    /// Makes the rows of the picture that matter in `scratch` and puts them in their place from there.
    fn paint_by_scratch(
        &mut self,
        (rect, visible): (Rect, Rect),
        picture: PictureRef<'_>,
        scratch: &mut Vec<u32>,
        ledger: &mut CopyLedger,
    ) -> Result<(), RenderError> {
        // `visible` lies within `rect`.
        let (left, top) = (visible.x.abs_diff(rect.x), visible.y.abs_diff(rect.y));
        let from = Size { width: picture.width, height: picture.height };
        let to = Size { width: rect.width, height: rect.height };
        let scaler = scale::Scaler::new(from, to, left..left + visible.width, false);
        let rows = scaler.rows(top..top + visible.height);
        let mut scaler = scaler.starting_at(rows.start);
        let width = picture.width as usize;
        let len = width * rows.len();
        let made = room(scratch, len, ledger);
        match picture.pixels {
            PixelsRef::Packed { format, rowstride, data } => {
                let row_len = width * format.bytes_per_pixel();
                for (y, to) in rows.zip(made.chunks_exact_mut(width)) {
                    let expected = y * rowstride + row_len;
                    let from = data
                        .get(y * rowstride..expected)
                        .ok_or(RenderError::PictureData { got: data.len(), expected })?;
                    convert::row(format, from, to);
                }
            }
            PixelsRef::Yuv(yuv) => yuv::convert(&yuv, picture.width, rows, made, width)?,
        }
        ledger.note_transform(Transform::Convert, len * 4);
        for row in 0..visible.height {
            let (x, y) = (visible.x.unsigned_abs(), visible.y.unsigned_abs() + row);
            scaler.row(made, top + row, self.row_mut(x, y, visible.width));
        }
        let painted = visible.width as usize * visible.height as usize;
        ledger.note_transform(Transform::Convert, painted * 4);
        Ok(())
    }

    /// All pixels scaled to the size `shown`, with `layer` over them, as opaque RGBA.
    pub(super) fn read_back(&self, shown: Size, nearest: bool, layer: &Layer) -> Vec<u8> {
        let mut pixels = Vec::with_capacity(shown.width as usize * shown.height as usize * 4);
        let mut scaler = scale::Scaler::new(self.size, shown, 0..shown.width, nearest);
        let mut row = vec![0; shown.width as usize];
        for y in 0..shown.height {
            scaler.row(self.pixels, y, &mut row);
            layer.blend(0, y, &mut row);
            pixels.extend(row.iter().flat_map(|pixel| {
                let [_, red, green, blue] = pixel.to_be_bytes();
                [red, green, blue, 255]
            }));
        }
        pixels
    }
}

/// Whether a window's pixels have this very format.
fn is_as_shown(format: PixelFormat) -> bool {
    cfg!(target_endian = "little") && matches!(format, PixelFormat::Bgrx | PixelFormat::Bgra)
}

/// The first `len` pixels of `scratch`, which grows if need be.
pub(super) fn room<'a>(scratch: &'a mut Vec<u32>, len: usize, ledger: &mut CopyLedger) -> &'a mut [u32] {
    if scratch.len() < len {
        ledger.note_allocation((len - scratch.len()) * 4);
        scratch.resize(len, 0);
    }
    &mut scratch[..len]
}

/// Pixels as bytes.
pub(super) fn bytes(pixels: &[u32]) -> &[u8] {
    bytemuck::cast_slice(pixels)
}

/// Pixels as bytes.
pub(super) fn bytes_mut(pixels: &mut [u32]) -> &mut [u8] {
    bytemuck::cast_slice_mut(pixels)
}
