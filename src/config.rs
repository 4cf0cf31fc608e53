//! Layer 3: what the user asked for, validated. The command line makes it; nothing else reads
//! arguments, environment variables or files of options.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::net::{Secret, Target};

/// Everything that a viewer needs to know to start.
#[derive(Clone, Debug)]
pub struct Config {
    pub target: Target,
    pub username: Option<String>,
    pub password: Option<Secret>,
    pub pictures: PictureOptions,
    pub wire: WireOptions,
    pub renderer: RendererChoice,
    pub present_mode: PresentModeChoice,
    /// Start with the overlay shown.
    pub overlay: bool,
    /// What toggles the overlay.
    pub overlay_key: KeyCombination,
    /// Where to write the statistics at exit.
    pub stats_json: Option<PathBuf>,
}

/// How the server is asked to encode windows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PictureOptions {
    /// Only these are offered; `None`: all that Farpane decodes.
    pub encodings: Option<Vec<String>>,
    /// The one that the server should prefer.
    pub encoding: Option<String>,
    /// 1..=100.
    pub quality: Option<u8>,
    /// 1..=100.
    pub speed: Option<u8>,
}

/// How packets travel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireOptions {
    pub protocol: ProtocolChoice,
    /// Only these compressors are offered; `None`: all that Farpane knows. May be empty.
    pub compressors: Option<Vec<String>>,
    /// 0 (off) ..= 9.
    pub compression_level: Option<u8>,
    /// How long reaching the server may take.
    pub connect_timeout: Duration,
}

impl Default for WireOptions {
    fn default() -> Self {
        Self {
            protocol: ProtocolChoice::Auto,
            compressors: None,
            compression_level: None,
            connect_timeout: Duration::from_secs(10),
        }
    }
}

/// Which generation of the protocol to open with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ProtocolChoice {
    /// Modern first; bencode if the server turns out to be a 3.1 one.
    #[default]
    Auto,
    /// rencodeplus only (servers from 4.x on).
    Modern,
    /// bencode only (3.1 servers).
    Bencode,
}

/// What draws the windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum RendererChoice {
    /// The GPU, or the CPU where there is none.
    #[default]
    Auto,
    /// wgpu, also on a software adapter.
    Wgpu,
    /// Without a GPU.
    Cpu,
}

/// How frames wait for the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum PresentModeChoice {
    /// Mailbox where there is one, else fifo.
    #[default]
    Auto,
    /// Every frame, at the screen's rate.
    Fifo,
    /// The newest frame, at the screen's rate.
    Mailbox,
    /// At once; may tear.
    Immediate,
}

/// A key with modifiers, for example `Shift+F11`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCombination {
    pub shift: bool,
    pub control: bool,
    pub alt: bool,
    pub logo: bool,
    /// The key's X keysym name: `F11`, `a`, `Home`.
    pub key: String,
}

impl Default for KeyCombination {
    fn default() -> Self {
        Self { shift: true, control: false, alt: false, logo: false, key: "F11".to_owned() }
    }
}

/// A key combination that could not be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{got}` is not a key combination: expected for example Shift+F11 (modifiers: Shift, Ctrl, Alt, Super)"
)]
pub struct KeyCombinationError {
    got: String,
}

impl FromStr for KeyCombination {
    type Err = KeyCombinationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || KeyCombinationError { got: text.to_owned() };
        let mut combination =
            Self { shift: false, control: false, alt: false, logo: false, key: String::new() };
        let (modifiers, key) = text.rsplit_once('+').unwrap_or(("", text));
        for modifier in modifiers.split('+').filter(|modifier| !modifier.is_empty()) {
            match modifier.trim().to_ascii_lowercase().as_str() {
                "shift" => combination.shift = true,
                "ctrl" | "control" => combination.control = true,
                "alt" => combination.alt = true,
                "super" | "logo" | "meta" | "win" => combination.logo = true,
                _ => return Err(error()),
            }
        }
        let key = key.trim();
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(error());
        }
        combination.key = key.to_owned();
        Ok(combination)
    }
}
