//! The command line as typed, and its way to a validated [`Config`].

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PathBufValueParser, TypedValueParser as _};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

use crate::app::connect::Opened;
use crate::config::file::ConfigFileError;
use crate::config::{
    CliLayer, Config, ConfigError, ConfigFiles, OpenError, OptionError, Request, Settings, seconds,
    xpra_options,
};
use crate::net::address::redacted;
use crate::net::ssh;
use crate::net::{Endpoint, Secret, Wanted};
use crate::player::DEFAULT_WINDOW;
use crate::protocol::packet::WindowId;
use crate::session::{Fingerprint, SessionCommand};

use super::bench::RawBench;
use super::help;
use super::replay::ReplayArgs;
use super::trust::RawTrust;

/// A fast native viewer for Xpra sessions
#[derive(Debug, Parser)]
#[command(name = "farpane", version, about, after_help = help::after_help(), max_term_width = 100)]
pub struct RawArgs {
    #[command(subcommand)]
    pub command: Option<RawCommand>,
    /// The server whose windows to show, or a session file
    #[arg(value_parser = secret)]
    pub url: Option<Secret>,
    /// Read this configuration file instead of the user's
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub options: CliLayer,
}

/// A file's name as typed. An address may stand in its place by mistake, which may hold a password: it is not printed.
#[derive(Clone)]
pub struct FileName(PathBuf);

impl std::fmt::Debug for FileName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if is_address(&self.0) { f.write_str("…") } else { write!(f, "{:?}", self.0) }
    }
}

/// What to do instead of showing windows.
#[derive(Debug, Subcommand)]
pub enum RawCommand {
    /// Show the windows of a session (what `farpane URL` does too)
    Attach {
        #[arg(value_parser = secret)]
        url: Secret,
    },
    /// Open a link, session file or address as a desktop does: questions and errors come in a window
    Open {
        /// Without it the connect window opens
        #[arg(value_parser = secret)]
        what: Option<Secret>,
    },
    /// Write a picture of a session's windows, without opening any
    Screenshot {
        #[arg(value_parser = secret)]
        url: Secret,
        /// The PNG file to write
        #[arg(value_parser = PathBufValueParser::new().map(FileName), value_hint = ValueHint::AnyPath)]
        file: FileName,
        /// Wait this long before taking it, instead of until the windows are complete
        #[arg(long, value_name = "SECONDS", value_parser = seconds)]
        wait: Option<Duration>,
        /// Only this window, by its number
        #[arg(long, value_name = "WID")]
        window: Option<u64>,
    },
    /// Start a session and show its windows, on this machine or through ssh; it goes on when you leave
    Start(RawStart),
    /// The same with a whole desktop in one window
    StartDesktop(RawStartDesktop),
    /// Show the screen of a machine that is there already, here or through ssh
    Shadow {
        /// ssh://HOST/ or ssh://HOST/DISPLAY, or :DISPLAY of this machine
        #[arg(value_parser = secret)]
        url: Secret,
    },
    /// List the sessions of this machine, or of another one through ssh
    List {
        /// ssh://HOST/, also with user and port; without it this machine
        #[arg(value_parser = secret)]
        url: Option<Secret>,
        /// Those that announce themselves on the local network, instead
        #[arg(long, conflicts_with = "url")]
        mdns: bool,
    },
    /// End a session, with all that runs in it
    Stop {
        #[arg(value_parser = secret)]
        url: Secret,
    },
    /// End a session's server, and leave its display and programs running
    Exit {
        #[arg(value_parser = secret)]
        url: Secret,
    },
    /// Make everybody leave a session
    Detach {
        #[arg(value_parser = secret)]
        url: Secret,
    },
    /// Print what a server says of itself
    Info {
        #[arg(value_parser = secret)]
        url: Secret,
    },
    /// Show the certificate of a server that nobody vouches for, and ask whether to trust it from now on
    Trust(RawTrust),
    /// Write what a server sends to a file, without showing it, until Ctrl-C
    Record {
        #[arg(value_parser = secret)]
        url: Secret,
        /// The recording to write
        #[arg(value_parser = PathBufValueParser::new().map(FileName), value_hint = ValueHint::AnyPath)]
        file: FileName,
        /// End after this time
        #[arg(long = "seconds", value_name = "SECONDS", value_parser = seconds)]
        time: Option<Duration>,
    },
    /// Play a recording through the viewer, and print what that cost
    Replay {
        #[command(flatten)]
        play: RawPlay,
        /// Without windows
        #[arg(long)]
        headless: bool,
        /// Save the final picture (only with --headless)
        #[arg(long, value_name = "FILE", requires = "headless")]
        screenshot: Option<PathBuf>,
    },
    /// Play a recording to any Xpra client that attaches (rencodeplus, yaml or bencode)
    Serve {
        #[command(flatten)]
        play: RawPlay,
        /// The address to serve on; port 0 takes a free one
        #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:14500")]
        bind: SocketAddr,
        /// End after this time
        #[arg(long = "seconds", value_name = "SECONDS", value_parser = seconds)]
        time: Option<Duration>,
    },
    /// Start a demo session and attach to it
    Demo(RawDemo),
    /// Measure what the hot paths cost
    #[cfg_attr(feature = "bench", command(subcommand))]
    #[cfg_attr(not(feature = "bench"), command(hide = true))]
    Bench(RawBench),
    /// Show the configuration: every option, what it is for, its value and where that comes from
    Config {
        /// Print all of it as a configuration file (what it does anyway)
        #[arg(long)]
        show: bool,
        /// Only print where the configuration files are
        #[arg(long, conflicts_with = "show")]
        path: bool,
    },
    /// Print what makes a shell complete the command line
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man {
        /// Write the pages of all commands to this folder instead
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
}

/// What to start.
#[derive(Args, Clone, Debug)]
pub struct RawStart {
    /// ssh://HOST/, also with user, port and display (ssh://USER@HOST:PORT/100), or :DISPLAY of this machine; without it this machine, and a display that is free
    #[arg(value_parser = secret)]
    pub url: Option<Secret>,
    /// Run this command in the session; can be given several times
    #[arg(long, value_name = "COMMAND")]
    pub start: Vec<String>,
    /// The same, of those that `--exit-with-children` waits for
    #[arg(long, value_name = "COMMAND")]
    pub start_child: Vec<String>,
    /// End the session when all commands of `--start-child` have ended
    #[arg(long)]
    pub exit_with_children: bool,
}

/// What to start, and how large.
#[derive(Args, Clone, Debug)]
pub struct RawStartDesktop {
    #[command(flatten)]
    pub start: RawStart,
    /// Size of the desktop, at most, in pixels
    // Without one 6.5.5 makes one of 8192 x 4096, more than most viewers can show. 3.1.3 does not know sizes, and has that of the screen.
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "1920x1080", value_parser = desktop_size)]
    pub resize_display: String,
}

/// A size, as xpra has it.
fn desktop_size(text: &str) -> Result<String, String> {
    let is_side = |side: &str| side.parse::<u16>().is_ok_and(|pixels| (64..=16_384).contains(&pixels));
    text.split_once('x')
        .filter(|(width, height)| is_side(width) && is_side(height))
        .map(|_| text.to_owned())
        .ok_or_else(|| "expected for example 1920x1080".to_owned())
}

impl RawStart {
    /// As xpra has it.
    fn arguments(&self) -> Vec<String> {
        let started = self.start.iter().map(|command| format!("--start={command}"));
        let children = self.start_child.iter().map(|command| format!("--start-child={command}"));
        let exit = self.exit_with_children.then(|| "--exit-with-children=yes".to_owned());
        started.chain(children).chain(exit).collect()
    }
}

/// Options of `farpane demo`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct RawDemo {
    /// Only serve: any Xpra client can attach
    #[arg(long)]
    pub serve_only: bool,
    /// The address to serve on [default: a free port of 127.0.0.1]
    #[arg(long, value_name = "ADDR:PORT")]
    pub bind: Option<SocketAddr>,
    /// End after this time
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub seconds: Option<Duration>,
    /// Save a picture of the windows at the end (after 10 s unless --seconds is given)
    #[arg(long, value_name = "FILE")]
    pub screenshot: Option<PathBuf>,
}

/// What to play of a recording, and how.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct RawPlay {
    /// The recording
    pub file: PathBuf,
    /// As fast as the client acknowledges, instead of in recorded time
    #[arg(long)]
    pub flat_out: bool,
    /// Draws that the client may leave unacknowledged before it gets no more
    #[arg(long, value_name = "N", default_value_t = DEFAULT_WINDOW, value_parser = window)]
    pub window: usize,
    /// Play the draws this often, one round after the other
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
}

/// A validated command line.
#[derive(Clone, Debug)]
pub enum Invocation {
    Attach(Config),
    /// Show the connect window.
    Connect {
        settings: Box<Settings>,
        opened: Option<Box<Opened>>,
    },
    /// `None`: this machine's.
    List(Option<Config>),
    /// Those that announce themselves on the network.
    ListNearby,
    Screenshot(Config, ScreenshotArgs),
    Info(Config),
    Command(Config, SessionCommand),
    Trust(Config, Option<Fingerprint>),
    /// Forget a trusted server, or list all.
    ManageTrust(RawTrust),
    Record(Config, RecordArgs),
    Replay(ReplayArgs, Box<Settings>),
    Serve {
        play: RawPlay,
        bind: SocketAddr,
        time: Option<Duration>,
    },
    Demo(RawDemo, Box<Settings>),
    Bench(RawBench),
    ShowConfig(Box<Settings>),
    ShowConfigPaths(ConfigFiles),
    Completions(Shell),
    Man {
        out: Option<PathBuf>,
    },
}

/// What `farpane record` is to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordArgs {
    pub file: PathBuf,
    /// `None`: until it is stopped.
    pub time: Option<Duration>,
}

/// What `farpane screenshot` is to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScreenshotArgs {
    pub file: PathBuf,
    /// `None`: until the windows are complete.
    pub wait: Option<Duration>,
    /// `None`: all windows at their places.
    pub window: Option<WindowId>,
}

/// A command line that cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    #[error(transparent)]
    File(#[from] ConfigFileError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Option(#[from] OptionError),
    #[error("both a server ({url}) and a command: expected one of them first")]
    TwoCommands { url: String },
    #[error(
        "a session is started on this machine (farpane start :100), or through ssh (farpane start ssh://HOST/): {url} is neither"
    )]
    NoStart { url: String },
    #[error("the address stands before the file: expected `farpane {command} URL FILE`")]
    Swapped { command: &'static str },
    /// A command of Xpra's.
    #[error("{0}")]
    NoCommand(String),
}

impl RawArgs {
    /// Where the configuration files are.
    pub fn files(&self) -> ConfigFiles {
        ConfigFiles::locate(self.config.clone())
    }

    /// The options with the configuration files under them. Commands that have nothing to do with
    /// the configuration do not fail over it.
    ///
    /// # Errors
    /// If a configuration file cannot be used.
    pub fn settings(&self, files: &ConfigFiles) -> Result<Settings, UsageError> {
        let needs_none = matches!(
            &self.command,
            Some(
                RawCommand::Config { path: true, .. }
                    | RawCommand::Completions { .. }
                    | RawCommand::Man { .. }
            )
        );
        let none = ConfigFiles::default();
        Ok(Settings::load(if needs_none { &none } else { files }, self.options.clone())?)
    }

    /// Checks everything that can be checked before connecting; reads the session file and the
    /// password file.
    pub fn validate(self, settings: Settings) -> Result<Invocation, UsageError> {
        let files = self.files();
        let Self { command, url, .. } = self;
        if let (Some(_), Some(url)) = (&command, &url) {
            return Err(UsageError::TwoCommands { url: redacted(url.expose()) });
        }
        let config_of = |request: &Request| -> Result<Config, UsageError> {
            let mut config = settings.config(request)?;
            // A password from the address is handed to ssh, which it only takes that way.
            let ssh = &mut config.connection.ssh;
            ssh.terminal = ssh.password.is_none() && ssh::has_terminal();
            Ok(config)
        };
        let config = |url: &Secret| config_of(&Request::open(url.expose())?);
        Ok(match command {
            None => match url {
                Some(url) => {
                    if let Some(why) = xpra_options::lacking_command(url.expose()) {
                        return Err(UsageError::NoCommand(why));
                    }
                    Invocation::Attach(config(&url)?)
                }
                None => Invocation::Connect { settings: Box::new(settings), opened: None },
            },
            Some(RawCommand::Open { what }) => {
                let opened = what.map(|what| Box::new(Opened::understand(what.expose())));
                Invocation::Connect { settings: Box::new(settings), opened }
            }
            Some(RawCommand::Attach { url }) => Invocation::Attach(config(&url)?),
            Some(RawCommand::Screenshot { url, file, wait, window }) => {
                let file = in_order("screenshot", file)?;
                Invocation::Screenshot(
                    config(&url)?,
                    ScreenshotArgs { file, wait, window: window.map(WindowId) },
                )
            }
            Some(RawCommand::Start(start)) => {
                starting("start", start.url.as_ref(), start.arguments(), config_of)?
            }
            Some(RawCommand::StartDesktop(RawStartDesktop { start, resize_display })) => {
                let size = format!("--resize-display={resize_display}");
                let arguments = start.arguments().into_iter().chain([size]).collect();
                starting("start-desktop", start.url.as_ref(), arguments, config_of)?
            }
            Some(RawCommand::Shadow { url }) => starting(Wanted::SHADOW, Some(&url), Vec::new(), config_of)?,
            Some(RawCommand::List { mdns: true, .. }) => Invocation::ListNearby,
            Some(RawCommand::List { url, .. }) => Invocation::List(url.as_ref().map(config).transpose()?),
            Some(RawCommand::Info { url }) => Invocation::Info(config(&url)?),
            Some(RawCommand::Stop { url }) => Invocation::Command(config(&url)?, SessionCommand::Stop),
            Some(RawCommand::Exit { url }) => Invocation::Command(config(&url)?, SessionCommand::Exit),
            Some(RawCommand::Detach { url }) => Invocation::Command(config(&url)?, SessionCommand::Detach),
            Some(RawCommand::Trust(trust)) => match &trust.url {
                Some(url) => Invocation::Trust(config(url)?, trust.fingerprint),
                None => Invocation::ManageTrust(trust),
            },
            Some(RawCommand::Record { url, file, time }) => {
                let file = in_order("record", file)?;
                Invocation::Record(config(&url)?, RecordArgs { file, time })
            }
            Some(RawCommand::Replay { play, headless, screenshot }) => {
                Invocation::Replay(ReplayArgs { play, headless, screenshot }, Box::new(settings))
            }
            Some(RawCommand::Serve { play, bind, time }) => Invocation::Serve { play, bind, time },
            Some(RawCommand::Demo(demo)) => Invocation::Demo(demo, Box::new(settings)),
            Some(RawCommand::Bench(bench)) => Invocation::Bench(bench),
            Some(RawCommand::Config { path: true, .. }) => Invocation::ShowConfigPaths(files),
            Some(RawCommand::Config { .. }) => Invocation::ShowConfig(Box::new(settings)),
            Some(RawCommand::Completions { shell }) => Invocation::Completions(shell),
            Some(RawCommand::Man { out }) => Invocation::Man { out },
        })
    }
}

/// A session that is to be started, here or through ssh; with these arguments of xpra's.
fn starting(
    command: &'static str,
    url: Option<&Secret>,
    arguments: Vec<String>,
    config: impl Fn(&Request) -> Result<Config, UsageError>,
) -> Result<Invocation, UsageError> {
    let request = match url {
        Some(url) => Request::open(url.expose())?,
        None => Request::new_session(),
    };
    if !matches!(request.target.endpoint, Endpoint::Display(_) | Endpoint::Ssh(_)) {
        return Err(UsageError::NoStart { url: redacted(url.map(Secret::expose).unwrap_or_default()) });
    }
    let mut config = config(&request)?;
    config.connection.wanted = Wanted::New { command, arguments };
    Ok(Invocation::Attach(config))
}

/// Xpra's own `screenshot` has the file first.
fn in_order(command: &'static str, FileName(file): FileName) -> Result<PathBuf, UsageError> {
    if is_address(&file) { Err(UsageError::Swapped { command }) } else { Ok(file) }
}

fn is_address(file: &Path) -> bool {
    let name = file.to_string_lossy();
    name.contains("://") || (name.starts_with(':') && !file.exists())
}

/// An address may hold a password.
pub fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(text.to_owned()))
}

/// What clap says of a command line, without the passwords in the addresses that it repeats.
pub fn without_passwords(said: &str, arguments: impl Iterator<Item = String>) -> String {
    let mut said = said.to_owned();
    for argument in arguments.filter(|argument| argument.contains('@') || argument.contains("://")) {
        // An option's value is repeated without its name.
        let value = argument.strip_prefix("--").and_then(|option| option.split_once('='));
        let address = value.map_or(argument.as_str(), |(_, value)| value);
        said = said.replace(address, &redacted(address));
    }
    said
}

/// What to say of a command line that clap refused, where we know better: commands and options of Xpra's
/// client that Farpane lacks. `arguments` begin with the program's name.
pub fn explained(error: &clap::Error, arguments: impl Iterator<Item = String>) -> Option<String> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let mut words = arguments.skip(1).filter(|word| !word.starts_with('-'));
    if let Some(why) = words.next().and_then(|word| xpra_options::lacking_command(&word)) {
        return Some(why);
    }
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg) else { return None };
    let name = word.trim_start_matches('-').split('=').next().unwrap_or_default();
    let why = xpra_options::lacking(name)?;
    Some(format!("Farpane does not have Xpra's option `--{name}`: {why}"))
}

fn window(text: &str) -> Result<usize, String> {
    let draws = text.parse().ok().filter(|draws| (1..=10_000).contains(draws));
    draws.ok_or_else(|| "expected 1 to 10000 draws".to_owned())
}
