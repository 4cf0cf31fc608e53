//! `--border`: a coloured edge around the windows of a session.

use std::str::FromStr;

use crate::channel::Border;

/// What a user may want of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BorderChoice {
    #[default]
    Off,
    /// In a colour that follows from the server's address.
    Auto {
        width: u32,
    },
    Of(Border),
}

/// A text that is no border.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected off, auto or a colour (#rrggbb, {}), perhaps with a comma and how wide it is (1 to {MAX_WIDTH}; 0 is off)",
    names()
)]
pub struct BorderError;

const DEFAULT_WIDTH: u32 = 4;
/// Xpra's limit.
const MAX_WIDTH: u32 = 45;

/// Names of colours.
const NAMED: [(&str, [u8; 3]); 10] = [
    ("black", [0, 0, 0]),
    ("blue", [0x1f, 0x6f, 0xeb]),
    ("cyan", [0x14, 0xb8, 0xc4]),
    ("green", [0x1a, 0x9e, 0x4b]),
    ("magenta", [0xd0, 0x2b, 0xc0]),
    ("orange", [0xf0, 0x80, 0x1a]),
    ("purple", [0x7c, 0x3a, 0xed]),
    ("red", [0xe0, 0x2b, 0x2b]),
    ("white", [0xff, 0xff, 0xff]),
    ("yellow", [0xf0, 0xc0, 0x10]),
];
/// How many of them, from blue on, tell servers apart.
const TELLING: std::ops::Range<usize> = 1..8;

impl BorderChoice {
    /// The edge for windows of the server at this address.
    pub fn border(self, address: &str) -> Option<Border> {
        match self {
            Self::Off => None,
            Self::Of(border) => Some(border),
            Self::Auto { width } => {
                let hash = address.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
                });
                // No more than there are.
                let number = (hash >> 32) as usize % TELLING.len();
                Some(Border { color: NAMED[TELLING.start + number].1, width })
            }
        }
    }
}

impl FromStr for BorderChoice {
    type Err = BorderError;

    fn from_str(text: &str) -> Result<Self, BorderError> {
        let text = text.trim().to_ascii_lowercase();
        // Xpra's way to have one that is to be switched on later.
        if matches!(text.as_str(), "off" | "no" | "none" | "false") || text.ends_with(":off") {
            return Ok(Self::Off);
        }
        let (color, width) = text.split_once(',').unwrap_or((&text, ""));
        let width = match width.trim() {
            "" => DEFAULT_WIDTH,
            width => width.parse().ok().filter(|width| *width <= MAX_WIDTH).ok_or(BorderError)?,
        };
        if width == 0 {
            return Ok(Self::Off);
        }
        match color.trim() {
            "auto" => Ok(Self::Auto { width }),
            color => Ok(Self::Of(Border { color: parse_color(color).ok_or(BorderError)?, width })),
        }
    }
}

fn names() -> String {
    NAMED.map(|(name, _)| name).join(", ")
}

fn parse_color(text: &str) -> Option<[u8; 3]> {
    let Some(digits) = text.strip_prefix('#') else {
        return NAMED.iter().find(|(name, _)| *name == text).map(|(_, color)| *color);
    };
    if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
    Some([red, green, blue])
}
