//! Layer 3: what the user asked for, validated. The command line makes it; nothing else reads
//! arguments, environment variables or files of options.

use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::net::{NetConfig, local};
use crate::render::{self, PresentPreference, RenderOptions};
use crate::session::{ClientIdentity, Profile};
use crate::stats::StatsSnapshot;

/// Everything that a viewer needs to know to start.
#[derive(Clone, Debug)]
pub struct Config {
    /// What to attach to, and what to tell the server.
    pub connection: NetConfig,
    pub renderer: RendererChoice,
    pub present_mode: PresentModeChoice,
    /// Start with the overlay shown.
    pub overlay: bool,
    /// What toggles the overlay.
    pub overlay_key: KeyCombination,
    /// What opens and closes the session information window.
    pub session_info_key: KeyCombination,
    /// Where to record the session while it is shown.
    pub record: Option<PathBuf>,
    /// Where to write the statistics at exit.
    pub stats_json: Option<PathBuf>,
}

/// Draws between the socket and the renderer, in bytes.
pub const DRAW_BUDGET: usize = 64 << 20;

impl Config {
    /// How to start the network thread for this purpose.
    pub fn net(&self, profile: Profile) -> NetConfig {
        let mut connection = self.connection.clone();
        connection.session.profile = profile;
        connection
    }

    /// How to start the render thread.
    pub fn render_options(&self) -> RenderOptions {
        let present_mode = match self.present_mode {
            PresentModeChoice::Latest => PresentPreference::Latest,
            PresentModeChoice::Vsync => PresentPreference::Vsync,
        };
        let renderer = match self.renderer {
            RendererChoice::Auto => render::RendererChoice::Auto,
            RendererChoice::Wgpu => render::RendererChoice::Wgpu,
            RendererChoice::Cpu => render::RendererChoice::Cpu,
        };
        RenderOptions { renderer, present_mode, ..RenderOptions::default() }
    }

    /// Writes the statistics to the file that the user named, if any.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_stats(&self, stats: &StatsSnapshot) -> std::io::Result<()> {
        let Some(path) = &self.stats_json else { return Ok(()) };
        let mut file = BufWriter::new(File::create(path)?);
        serde_json::to_writer_pretty(&mut file, stats)?;
        writeln!(file)?;
        file.flush()
    }
}

/// Who we are: what `xpra info` shows, and the name to log in with.
pub fn identity(username: Option<String>) -> ClientIdentity {
    let account = local::account_name().unwrap_or_default();
    let hostname = gethostname::gethostname().to_string_lossy().into_owned();
    let machine = std::fs::read_to_string("/etc/machine-id").unwrap_or_else(|_| hostname.clone());
    let uuid = Sha256::digest(format!("farpane {} {account}", machine.trim()));
    let mut session_id = [0; 16];
    if let Err(error) = getrandom::fill(&mut session_id) {
        tracing::warn!(%error, "no random numbers: the session has no identifier of its own");
    }
    ClientIdentity {
        hostname,
        username: username.unwrap_or(account),
        uuid: hex(&uuid[..16]),
        session_id: hex(&session_id),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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

/// Whether a present waits for the screen's refresh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum PresentModeChoice {
    /// The newest picture as soon as possible (mailbox, else immediate, else fifo).
    #[default]
    Latest,
    /// Every picture waits its turn (fifo).
    Vsync,
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

impl KeyCombination {
    /// A key with Shift.
    pub fn shift(key: &str) -> Self {
        Self { shift: true, control: false, alt: false, logo: false, key: key.to_owned() }
    }

    /// Whether this is it: Shift, Ctrl, Alt, Super as they are held, and the keysym's name.
    pub fn is(&self, held: [bool; 4], key: &str) -> bool {
        held == [self.shift, self.control, self.alt, self.logo] && self.key.eq_ignore_ascii_case(key)
    }
}

impl fmt::Display for KeyCombination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, name) in
            [(self.shift, "Shift"), (self.control, "Ctrl"), (self.alt, "Alt"), (self.logo, "Super")]
        {
            if held {
                write!(f, "{name}+")?;
            }
        }
        f.write_str(&self.key)
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
