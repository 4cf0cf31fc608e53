//! Pixels in the form they came in: packed RGB of any order, or planes of YUV.

use crate::buffers::Payload;

use crate::geometry::Size;

/// Byte order of packed pixels in memory, first byte first. `X` is padding to be shown as opaque.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    Bgrx,
    Bgra,
    Rgbx,
    Rgba,
    Xrgb,
    Argb,
    Xbgr,
    Abgr,
    /// 3 bytes a pixel.
    Rgb,
    /// 3 bytes a pixel.
    Bgr,
    /// 2 bytes a pixel, little-endian 5-6-5 with blue in the low bits.
    Bgr565,
    /// 4 bytes a pixel, little-endian: blue in bits 0..10, green 10..20, red 20..30.
    R210,
    /// 1 byte a pixel.
    Grey,
}

impl PixelFormat {
    /// Bytes of one pixel.
    pub const fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Rgb | Self::Bgr => 3,
            Self::Bgr565 => 2,
            Self::Grey => 1,
            _ => 4,
        }
    }
}

/// Sub-sampling of the chroma planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum YuvFormat {
    /// 4:2:0, chroma halved both ways (rounded up).
    I420,
    /// 4:2:2, chroma halved across.
    I422,
    /// 4:4:4.
    I444,
}

impl YuvFormat {
    /// Size of a chroma plane for a luma plane of `width` × `height`.
    pub const fn chroma_size(self, width: u32, height: u32) -> (u32, u32) {
        match self {
            Self::I420 => (width.div_ceil(2), height.div_ceil(2)),
            Self::I422 => (width.div_ceil(2), height),
            Self::I444 => (width, height),
        }
    }
}

/// Colour matrix of YUV pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum YuvMatrix {
    Bt601,
    Bt709,
}

/// One plane of a [`YuvPicture`]: a range of its `data`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plane {
    /// Offset of the first row in the picture's data.
    pub offset: usize,
    /// Bytes from one row to the next.
    pub rowstride: usize,
}

/// Planar YUV, 8 bits a sample.
#[derive(Clone, Debug)]
pub struct YuvPicture {
    pub format: YuvFormat,
    pub matrix: YuvMatrix,
    /// Samples use 0..=255 instead of 16..=235/240.
    pub full_range: bool,
    /// Y, U, V.
    pub planes: [Plane; 3],
    /// One buffer that holds the three planes.
    pub data: Payload,
}

/// The pixels of a picture.
#[derive(Clone, Debug)]
pub enum Pixels {
    Packed { format: PixelFormat, rowstride: usize, data: Payload },
    Yuv(YuvPicture),
}

/// A decoded picture. Invariant: `data` holds all rows; [`Picture::packed`] and [`Picture::yuv`]
/// check it.
#[derive(Clone, Debug)]
pub struct Picture {
    pub width: u32,
    pub height: u32,
    pub pixels: Pixels,
}

impl Picture {
    /// A picture of packed pixels, or `None` if `data` is too short for `size`, or a row is longer
    /// than `rowstride`. The last row may lack its padding.
    pub fn packed(size: Size, format: PixelFormat, rowstride: usize, data: Payload) -> Option<Self> {
        let row = (size.width as usize).checked_mul(format.bytes_per_pixel())?;
        (span(row, rowstride, size.height)? <= data.len()).then_some(Self {
            width: size.width,
            height: size.height,
            pixels: Pixels::Packed { format, rowstride, data },
        })
    }

    /// A picture of YUV planes, or `None` if one of them does not lie within the data.
    pub fn yuv(size: Size, yuv: YuvPicture) -> Option<Self> {
        let chroma = yuv.format.chroma_size(size.width, size.height);
        let sizes = [(size.width, size.height), chroma, chroma];
        for (plane, (width, height)) in yuv.planes.iter().zip(sizes) {
            let end = plane.offset.checked_add(span(width as usize, plane.rowstride, height)?)?;
            if end > yuv.data.len() {
                return None;
            }
        }
        Some(Self { width: size.width, height: size.height, pixels: Pixels::Yuv(yuv) })
    }

    /// Bytes of the buffer that holds the pixels.
    pub fn data_len(&self) -> usize {
        match &self.pixels {
            Pixels::Packed { data, .. } => data.len(),
            Pixels::Yuv(yuv) => yuv.data.len(),
        }
    }
}

/// Pixels that belong to somebody else: what renderers read.
#[derive(Clone, Copy, Debug)]
pub struct PictureRef<'a> {
    pub width: u32,
    pub height: u32,
    pub pixels: PixelsRef<'a>,
}

/// The pixels of a [`PictureRef`].
#[derive(Clone, Copy, Debug)]
pub enum PixelsRef<'a> {
    Packed { format: PixelFormat, rowstride: usize, data: &'a [u8] },
    Yuv(YuvRef<'a>),
}

/// Planar YUV, 8 bits a sample.
#[derive(Clone, Copy, Debug)]
pub struct YuvRef<'a> {
    pub format: YuvFormat,
    pub matrix: YuvMatrix,
    /// Samples use 0..=255 instead of 16..=235/240.
    pub full_range: bool,
    /// Y, U, V.
    pub planes: [PlaneRef<'a>; 3],
}

/// One plane, from its first row on.
#[derive(Clone, Copy, Debug)]
pub struct PlaneRef<'a> {
    /// All rows; the last one without padding.
    pub data: &'a [u8],
    /// Bytes from one row to the next.
    pub rowstride: usize,
}

impl PictureRef<'_> {
    /// Bytes of the pixels; for planes without the padding of their rows.
    pub fn data_len(&self) -> usize {
        match &self.pixels {
            PixelsRef::Packed { data, .. } => data.len(),
            PixelsRef::Yuv(yuv) => {
                let (width, rows) = yuv.format.chroma_size(self.width, self.height);
                self.width as usize * self.height as usize + 2 * width as usize * rows as usize
            }
        }
    }
}

impl<'a> From<&'a Picture> for PictureRef<'a> {
    fn from(picture: &'a Picture) -> Self {
        let pixels = match &picture.pixels {
            Pixels::Packed { format, rowstride, data } => {
                PixelsRef::Packed { format: *format, rowstride: *rowstride, data }
            }
            Pixels::Yuv(yuv) => {
                let chroma = yuv.format.chroma_size(picture.width, picture.height);
                let [luma, u, v] = yuv.planes;
                let sizes = [(luma, (picture.width, picture.height)), (u, chroma), (v, chroma)];
                let planes = sizes.map(|(Plane { offset, rowstride }, (width, rows))| {
                    // `Picture::yuv` has checked that.
                    let len = span(width as usize, rowstride, rows).unwrap_or(0);
                    PlaneRef { data: yuv.data.get(offset..offset + len).unwrap_or_default(), rowstride }
                });
                let YuvPicture { format, matrix, full_range, .. } = *yuv;
                PixelsRef::Yuv(YuvRef { format, matrix, full_range, planes })
            }
        };
        Self { width: picture.width, height: picture.height, pixels }
    }
}

/// Bytes from the start of the first to the end of the last of `rows` rows of `row` bytes that
/// start `rowstride` bytes apart; `None` if they overlap or the number is too large.
pub fn span(row: usize, rowstride: usize, rows: u32) -> Option<usize> {
    if rows == 0 || row == 0 {
        return Some(0);
    }
    if row > rowstride {
        return None;
    }
    rowstride.checked_mul(rows as usize - 1)?.checked_add(row)
}
