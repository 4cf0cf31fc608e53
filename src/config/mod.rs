//! Layer 3: what the user asked for, validated: [`Config`] and its way there.
//!
//! [`Options`] is the one definition of every option. A [`Layer`] holds what one place says of
//! them: the command line, a configuration file ([`mod@file`]), a session file ([`SessionFile`]) or a
//! link. [`Request`] is what a user opens; [`Settings`] puts the layers over each other and makes
//! the [`Config`]: command line over link or session file over the user's configuration file over
//! the system's over defaults. [`connections`] is what the user saved and used lately.

pub mod aes;
mod border;
pub mod connections;
pub mod edit;
pub mod file;
mod key;
pub mod layers;
pub mod options;
mod private_file;
mod proxy_words;
pub mod request;
mod resolve;
pub mod session_file;
mod title;
pub mod xpra_options;

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};

use crate::channel::{DesktopScaling, ScalingFilter};
use crate::net::{NetConfig, Secret, local, new_file};
use crate::render::{self, PresentPreference, RenderOptions};
use crate::session::{ClientIdentity, Profile};
use crate::stats::StatsSnapshot;

pub use border::{BorderChoice, BorderError};
pub use file::ConfigFiles;
pub use key::{KeyCombination, KeyCombinationError};
pub use layers::{CliLayer, Layer, OptionError, Origin, Value};
pub use options::{Options, ProtocolChoice, SshCommand, VerifyMode, flag, known_servers, seconds};
pub use request::{LinkError, OpenError, Question, Request, Sender};
pub use resolve::{ConfigError, Settings};
pub use session_file::SessionFile;
pub use title::{Names, TitleError, TitleFormat};

/// Everything that a viewer needs to know to start.
#[derive(Clone, Debug)]
pub struct Config {
    /// What to attach to, and what to tell the server.
    pub connection: NetConfig,
    /// Somebody else named the server: it learns nothing that lasts.
    pub is_foreign: bool,
    /// Windows stay when the connection is lost, and it is made again.
    pub reconnect: bool,
    pub renderer: RendererChoice,
    pub present_mode: PresentModeChoice,
    pub desktop_scaling: DesktopScaling,
    pub scaling_filter: ScalingFilter,
    /// What windows are called.
    pub title: TitleFormat,
    /// A coloured edge around them.
    pub border: BorderChoice,
    /// What came lately is kept, to be saved if something was to be seen.
    pub instant_replay: bool,
    /// Start with the overlay shown.
    pub overlay: bool,
    /// What toggles the overlay.
    pub overlay_key: KeyCombination,
    /// What opens and closes the session information window.
    pub session_info_key: KeyCombination,
    /// What opens and closes the session menu.
    pub session_menu_key: KeyCombination,
    /// What shows a window in full screen, and as before.
    pub full_screen_key: KeyCombination,
    /// All keys go to the session while its window is in full screen by that key.
    pub grab_keyboard: bool,
    /// Say over the first window how to open the menu.
    pub greeting: bool,
    /// The configuration files: the settings window changes the user's.
    pub files: ConfigFiles,
    /// Where to record the session while it is shown.
    pub record: Option<PathBuf>,
    /// Where to write the statistics at exit.
    pub stats_json: Option<PathBuf>,
}

impl Config {
    /// How to start the network thread for this purpose.
    pub fn net(&self, profile: Profile) -> NetConfig {
        let mut connection = self.connection.clone();
        let session = &mut connection.session;
        session.profile = profile;
        // Servers that a link names are told of no identifier that lasts.
        if profile == Profile::Attach && !session.share && !self.is_foreign {
            session.identity.uuid = account_id();
        }
        connection
    }

    /// How to start the render thread.
    pub fn render_options(&self) -> RenderOptions {
        let present_mode = match self.present_mode {
            PresentModeChoice::Latest => PresentPreference::Latest,
            PresentModeChoice::Vsync => PresentPreference::Vsync,
        };
        RenderOptions { renderer: self.renderer.into(), present_mode, ..RenderOptions::default() }
    }

    /// Writes the statistics to the file that the user named, if any; to one beside it if there is
    /// something already.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_stats(&self, stats: &StatsSnapshot) -> std::io::Result<()> {
        let Some(path) = &self.stats_json else { return Ok(()) };
        let mut file = BufWriter::new(new_file::create_numbered(path)?.0);
        serde_json::to_writer_pretty(&mut file, stats)?;
        writeln!(file)?;
        file.flush()
    }
}

/// Takes the password out of the variable `FARPANE_PASSWORD`, so that no child inherits it.
///
/// To be called first of all, while there is only one thread.
#[expect(unsafe_code, reason = "the environment may only be changed while there is one thread")]
pub fn take_password() -> Option<Secret> {
    let password = std::env::var(PASSWORD_VARIABLE).ok().map(Secret::new);
    // SAFETY: see above; nothing else reads the environment now.
    unsafe { std::env::remove_var(PASSWORD_VARIABLE) };
    password.filter(|password| !password.expose().is_empty())
}

/// A password to log in with.
const PASSWORD_VARIABLE: &str = "FARPANE_PASSWORD";

/// This process to servers, wherever it is not [`account_id`]. A new one each time that the program starts, the
/// same for all its connections.
static PROCESS_ID: OnceLock<String> = OnceLock::new();

/// This account on this machine to servers, whatever the process: they keep the order of the windows and more for who
/// attaches next with the same identifier. They let one client of an identifier in at a time: it is not for who
/// shares a session or only asks something.
fn account_id() -> String {
    let hostname = || gethostname::gethostname().to_string_lossy().into_owned();
    let machine = std::fs::read_to_string("/etc/machine-id").unwrap_or_else(|_| hostname());
    let account = local::account_name().unwrap_or_default();
    hex(&Sha256::digest(format!("farpane {} {account}", machine.trim()))[..16])
}

/// Who we are: what `xpra info` shows, and the name to log in with.
pub fn identity(username: Option<String>) -> ClientIdentity {
    let account = local::account_name().unwrap_or_default();
    let hostname = gethostname::gethostname().to_string_lossy().into_owned();
    ClientIdentity {
        hostname,
        username: username.unwrap_or(account),
        uuid: PROCESS_ID.get_or_init(random_id).clone(),
        session_id: random_id(),
    }
}

fn random_id() -> String {
    let mut id = [0; 16];
    if let Err(error) = getrandom::fill(&mut id) {
        tracing::warn!(%error, "no random numbers: the session has no identifier of its own");
    }
    hex(&id)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What draws the windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum RendererChoice {
    /// The GPU, or the CPU where there is none.
    #[default]
    #[value(alias = "probe")]
    Auto,
    /// wgpu, also on a software adapter.
    // The other names are those of Xpra's `--opengl`.
    #[value(aliases = ["yes", "true", "on", "force"])]
    Wgpu,
    /// Without a GPU.
    #[value(aliases = ["no", "false", "off"])]
    Cpu,
}

impl From<RendererChoice> for render::RendererChoice {
    fn from(choice: RendererChoice) -> Self {
        match choice {
            RendererChoice::Auto => Self::Auto,
            RendererChoice::Wgpu => Self::Wgpu,
            RendererChoice::Cpu => Self::Cpu,
        }
    }
}

/// How pixels between those of the server are made, if windows are scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ScalingFilterChoice {
    /// The nearest pixel at 2, 3 and 4 times the size, else mixed.
    #[default]
    Auto,
    /// Mixed from the neighbours.
    Linear,
    /// The nearest pixel as it is.
    Nearest,
}

impl From<ScalingFilterChoice> for ScalingFilter {
    fn from(choice: ScalingFilterChoice) -> Self {
        match choice {
            ScalingFilterChoice::Auto => Self::Auto,
            ScalingFilterChoice::Linear => Self::Linear,
            ScalingFilterChoice::Nearest => Self::Nearest,
        }
    }
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
