//! How many local pixels show one of the server's, and how.

use std::fmt;
use std::str::FromStr;

use crate::geometry::Size;

/// Local pixels for one of the server's: a factor in thousandths, so that both sides round alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale(u32);

/// What a user may want of it: `--desktop-scaling`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DesktopScaling {
    /// One local pixel for each of the server's.
    Off,
    /// As the main monitor's scale factor says.
    Auto,
    /// The same where that is [`HIDPI`] or more; else [`Self::Off`].
    #[default]
    Hidpi,
    By(Scale),
}

/// How pixels between those of the server are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScalingFilter {
    /// As sharp as can be without pixels of different sizes: [`Self::Nearest`] at whole factors,
    /// else [`Self::Linear`].
    #[default]
    Auto,
    /// Mixed from the neighbours.
    Linear,
    /// The nearest one as it is.
    Nearest,
}

/// How windows are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scaling {
    pub scale: Scale,
    pub filter: ScalingFilter,
}

/// From this scale factor on, what is shown pixel by pixel is too small to be read.
const HIDPI: f64 = 1.5;

/// What is left of a window beside its picture is narrow up to so many local pixels: the height of a line of large
/// text.
const EDGE: u32 = 96;

/// A text that is no scale.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScaleError {
    #[error("expected off, auto, hidpi, a number like 1.5, a fraction like 3/2, or a percentage like 150%")]
    Words,
    #[error("expected one number: Farpane scales width and height alike")]
    Pair,
    #[error("expected 0.25 to 4 (25% to 400%)")]
    Range,
}

impl Scale {
    /// One to one.
    pub const ONE: Self = Self(Self::UNIT);
    const UNIT: u32 = 1000;
    const SMALLEST: u32 = Self::UNIT / 4;
    const LARGEST: u32 = 4 * Self::UNIT;

    /// The scale nearest to `factor`; `None` if that is outside of 0.25..=4.
    pub fn new(factor: f64) -> Option<Self> {
        let thousandths = (factor * f64::from(Self::UNIT)).round();
        let bounds = f64::from(Self::SMALLEST)..=f64::from(Self::LARGEST);
        // Within the bounds it is a small number.
        bounds.contains(&thousandths).then_some(Self(thousandths as u32))
    }

    /// As many percent.
    pub const fn percent(percent: u32) -> Option<Self> {
        let thousandths = percent.saturating_mul(Self::UNIT / 100);
        if thousandths < Self::SMALLEST || thousandths > Self::LARGEST {
            return None;
        }
        Some(Self(thousandths))
    }

    /// Local pixels for one of the server's.
    pub fn factor(self) -> f64 {
        f64::from(self.0) / f64::from(Self::UNIT)
    }

    /// The same in percent.
    pub fn in_percent(self) -> f64 {
        f64::from(self.0) / f64::from(Self::UNIT / 100)
    }

    /// Whether each pixel of the server is a square of whole local ones.
    pub fn is_whole(self) -> bool {
        self.0.is_multiple_of(Self::UNIT)
    }

    /// A place or distance of the server's in local pixels.
    pub fn to_local(self, server: i32) -> i32 {
        ratio(server, self.0, Self::UNIT)
    }

    /// A local place or distance in the server's pixels. What [`Self::to_local`] made comes back
    /// as it was, unless the scale makes it smaller.
    pub fn to_server(self, local: i32) -> i32 {
        ratio(local, Self::UNIT, self.0)
    }

    /// A size of the server's in local pixels: never empty.
    pub fn size_to_local(self, Size { width, height }: Size) -> Size {
        let side = |side| ratio_of_side(side, self.0, Self::UNIT);
        Size { width: side(width), height: side(height) }
    }

    /// A local size in the server's pixels: never empty.
    pub fn size_to_server(self, Size { width, height }: Size) -> Size {
        let side = |side| ratio_of_side(side, Self::UNIT, self.0);
        Size { width: side(width), height: side(height) }
    }
}

/// `value · multiplier / divisor`, to the nearest, halves up.
fn ratio(value: i32, multiplier: u32, divisor: u32) -> i32 {
    let (multiplier, divisor) = (i64::from(multiplier), i64::from(divisor));
    let nearest = (2 * i64::from(value) * multiplier + divisor).div_euclid(2 * divisor);
    i32::try_from(nearest).unwrap_or(if value < 0 { i32::MIN } else { i32::MAX })
}

fn ratio_of_side(side: u32, multiplier: u32, divisor: u32) -> u32 {
    let (multiplier, divisor) = (u64::from(multiplier), u64::from(divisor));
    let nearest = (2 * u64::from(side) * multiplier + divisor) / (2 * divisor);
    u32::try_from(nearest).unwrap_or(u32::MAX).max(1)
}

impl Default for Scale {
    fn default() -> Self {
        Self::ONE
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.factor())
    }
}

impl FromStr for Scale {
    type Err = ScaleError;

    fn from_str(text: &str) -> Result<Self, ScaleError> {
        let number = |text: &str| text.trim().parse::<f64>().map_err(|_| ScaleError::Words);
        let factor = match (text.strip_suffix('%'), text.split_once('/')) {
            _ if text.contains(['x', 'X', ',', ':']) => return Err(ScaleError::Pair),
            (Some(percent), _) => number(percent)? / 100.0,
            (None, Some((above, below))) => number(above)? / number(below)?,
            (None, None) => number(text)?,
        };
        Self::new(factor).ok_or(ScaleError::Range)
    }
}

impl DesktopScaling {
    /// The scale on a monitor with this scale factor.
    pub fn scale(self, monitor: f64) -> Scale {
        match self {
            Self::Off => Scale::ONE,
            Self::Hidpi if monitor < HIDPI => Scale::ONE,
            Self::Auto | Self::Hidpi => Scale::new(monitor.clamp(0.25, 4.0)).unwrap_or_default(),
            Self::By(scale) => scale,
        }
    }
}

impl fmt::Display for DesktopScaling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Auto => f.write_str("auto"),
            Self::Hidpi => f.write_str("hidpi"),
            Self::By(scale) => scale.fmt(f),
        }
    }
}

impl FromStr for DesktopScaling {
    type Err = ScaleError;

    /// In Xpra's words too: `on` there means that it could be changed later, as it always can here.
    fn from_str(text: &str) -> Result<Self, ScaleError> {
        match text.trim().to_ascii_lowercase().as_str() {
            "off" | "no" | "false" | "0" | "on" | "yes" | "true" => Ok(Self::Off),
            "auto" => Ok(Self::Auto),
            "hidpi" => Ok(Self::Hidpi),
            text => match text.parse()? {
                Scale::ONE => Ok(Self::Off),
                scale => Ok(Self::By(scale)),
            },
        }
    }
}

impl Scaling {
    /// Whether windows are shown as they are.
    pub fn is_off(&self) -> bool {
        self.scale == Scale::ONE
    }

    /// Whether the nearest pixel is shown as it is.
    pub fn is_nearest(&self) -> bool {
        match self.filter {
            ScalingFilter::Auto => self.scale.is_whole(),
            ScalingFilter::Linear => false,
            ScalingFilter::Nearest => true,
        }
    }

    /// The local size of a picture of `size` in a window of the local size `window`: all of the
    /// window if it has about the right size. Not exactly, since not every local size is a
    /// multiple of the scale. Else the window shows a part of it, or more than it.
    pub fn shown(&self, size: Size, window: Size) -> Size {
        if self.is_off() {
            return size;
        }
        let exact = self.scale.size_to_local(size);
        // A pixel of the server.
        let slack = self.scale.0.div_ceil(Scale::UNIT);
        let side = |exact: u32, window: u32| if exact.abs_diff(window) <= slack { window } else { exact };
        Size { width: side(exact.width, window.width), height: side(exact.height, window.height) }
    }
}

/// The part of a window of the local size `window` that is painted when a picture of the local size `shown` is in its
/// upper left corner: all of it if what is left is narrow, as where a terminal has room for less than a character.
/// There the colours of the picture's edge go on; the rest of the window is black.
pub fn filled(shown: Size, window: Size) -> Size {
    let side = |shown: u32, window: u32| if window.saturating_sub(shown) <= EDGE { window } else { shown };
    Size { width: side(shown.width, window.width), height: side(shown.height, window.height) }
}
