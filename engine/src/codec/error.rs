//! Why a draw is refused.

use crate::geometry::Size;

/// Why a picture could not be decoded. The draw is acknowledged with the error's text; the session
/// goes on.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("{encoding} was not offered")]
    Encoding { encoding: &'static str },
    #[error("the picture is {width}x{height}, expected 1x1 to {limit}x{limit}")]
    Dimensions { width: u32, height: u32, limit: u32 },
    #[error("the picture takes {got} bytes, at most {limit} are allowed")]
    TooLarge { got: usize, limit: usize },
    #[error("the coded picture is {}x{}, expected at most {}x{}", got.width, got.height, limit.width, limit.height)]
    LargerThanDraw { got: Size, limit: Size },
    #[error("the video frame is {}x{}, expected {}x{}", got.width, got.height, expected.width, expected.height)]
    FrameSize { got: Size, expected: Size },
    #[error("unknown pixel format")]
    PixelFormat,
    #[error("unknown compression of pixels")]
    PixelCompression,
    #[error("rowstride {got}, expected at least {expected}")]
    Rowstride { got: usize, expected: usize },
    #[error("rowstride {got} for rows of {row} bytes, expected at most {limit} more")]
    RowPadding { got: usize, row: usize, limit: usize },
    #[error("{got} bytes of pixels, expected {min} to {max}")]
    PixelBytes { got: usize, min: usize, max: usize },
    #[error("lz4: {0}")]
    Lz4(#[from] crate::protocol::lz4::Lz4Error),
    #[error("zlib: {0}")]
    Zlib(#[from] flate2::DecompressError),
    #[error(transparent)]
    Decompress(#[from] crate::protocol::compression::DecompressError),
    #[error("zlib: the data ends early or goes on after {got} bytes of pixels")]
    ZlibEnd { got: usize },
    #[error("png: {0}")]
    Png(#[from] png::DecodingError),
    #[error("jpeg: {0}")]
    Jpeg(#[from] turbojpeg::Error),
    #[error("jpeg: the colours are {got:?}, expected YCbCr, grey or RGB")]
    JpegColours { got: turbojpeg::Colorspace },
    #[error("webp: {0}")]
    Webp(&'static str),
    #[error("h264: {0}")]
    H264(#[from] openh264::Error),
    #[error("h264: {0}")]
    H264Full(#[from] rusty_h264_decoder::DecodeError),
    #[error("h264: chroma format {got}, expected 1 (4:2:0)")]
    Chroma { got: u32 },
    #[error("h264: a parameter set's number is beyond 31, or 255 for one of pictures")]
    ParameterId,
    #[error("h264: {frames} reference frames of {}x{} pixels, expected {limit} blocks of 16x16 at most", size.width, size.height)]
    References { frames: u32, size: Size, limit: u64 },
    #[error("h264: a damaged parameter set")]
    ParameterSet,
    #[error("h264: a parameter set behind the picture asks for more pictures to be kept")]
    LateParameterSet,
    #[error("h264: the frame gave no picture")]
    NoPicture,
    #[error("{got} scroll rectangles, expected 1 to {limit}")]
    ScrollCount { got: usize, limit: usize },
    #[error("scroll rectangle {index} is empty or larger than {limit}x{limit}")]
    ScrollRect { index: usize, limit: u32 },
    #[error("{encoding} is not a picture that stands alone")]
    NotStill { encoding: &'static str },
}
