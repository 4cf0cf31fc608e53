//! What the pixels of a draw are: picture encodings, pixel formats, compression.

/// A picture encoding's name on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    Rgb24,
    Rgb32,
    Png,
    /// 256-colour palette (`png/P`).
    PngPalette,
    /// Greyscale (`png/L`).
    PngGrey,
    Jpeg,
    Webp,
    H264,
    Scroll,
    /// Nothing to paint (`void`): acknowledged at once.
    Void,
    /// One that was not offered; refused with an error acknowledgement.
    Other,
}

impl Encoding {
    /// Every encoding that can be shown, in the order in which statistics list them.
    pub const ALL: [Self; 11] = [
        Self::Rgb24,
        Self::Rgb32,
        Self::Png,
        Self::PngPalette,
        Self::PngGrey,
        Self::Jpeg,
        Self::Webp,
        Self::H264,
        Self::Scroll,
        Self::Void,
        Self::Other,
    ];

    /// Frames refer to earlier ones: they are decoded in order, by one decoder a window.
    pub const fn is_video(self) -> bool {
        matches!(self, Self::H264)
    }

    /// Pictures that stand alone.
    pub const fn is_still(self) -> bool {
        !self.is_video() && !matches!(self, Self::Scroll | Self::Void | Self::Other)
    }

    /// The name on the wire (`other` for [`Encoding::Other`]).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rgb24 => "rgb24",
            Self::Rgb32 => "rgb32",
            Self::Png => "png",
            Self::PngPalette => "png/P",
            Self::PngGrey => "png/L",
            Self::Jpeg => "jpeg",
            Self::Webp => "webp",
            Self::H264 => "h264",
            Self::Scroll => "scroll",
            Self::Void => "void",
            Self::Other => "other",
        }
    }

    /// The encoding called `name` on the wire.
    pub fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|e| e.name() == name).unwrap_or(Self::Other)
    }
}

/// A pixel format's name on the wire (at most 8 bytes, upper case).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RgbFormatName {
    Bgr,
    Bgr565,
    Bgra,
    Bgrx,
    R210,
    Rgb,
    Rgba,
    Rgbx,
    Xrgb,
    Argb,
    Xbgr,
    Abgr,
    /// One that is not known: the draw is refused.
    Other,
}

/// How the pixels of an rgb draw are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PixelCompression {
    #[default]
    None,
    /// `lz4` > 0: u32 little-endian size, then one LZ4 block.
    Lz4,
    /// `zlib` > 0 (3.1).
    Zlib,
    /// `zstd` > 0 (6.6): one frame that says its size.
    Zstd,
    /// A kind that Farpane does not offer (lzo, brotli, …): the draw is refused.
    Other,
}

const FORMATS: [(RgbFormatName, &str); 12] = [
    (RgbFormatName::Bgrx, "BGRX"),
    (RgbFormatName::Bgra, "BGRA"),
    (RgbFormatName::Rgb, "RGB"),
    (RgbFormatName::Rgbx, "RGBX"),
    (RgbFormatName::Rgba, "RGBA"),
    (RgbFormatName::Bgr, "BGR"),
    (RgbFormatName::Bgr565, "BGR565"),
    (RgbFormatName::R210, "r210"),
    (RgbFormatName::Xrgb, "XRGB"),
    (RgbFormatName::Argb, "ARGB"),
    (RgbFormatName::Xbgr, "XBGR"),
    (RgbFormatName::Abgr, "ABGR"),
];

/// The pixel format of this name.
pub fn format_from_name(name: &str) -> RgbFormatName {
    FORMATS.iter().find(|(_, known)| *known == name).map_or(RgbFormatName::Other, |(format, _)| *format)
}

/// The name of a pixel format on the wire.
pub fn format_name(format: RgbFormatName) -> &'static str {
    FORMATS.iter().find(|(known, _)| *known == format).map_or("", |(_, name)| *name)
}
