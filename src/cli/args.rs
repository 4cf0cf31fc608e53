//! The command line as typed, and its way to a validated [`Config`].

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, KeyCombination, PresentModeChoice, RendererChoice, identity};
use crate::net::tls::TlsOptions;
use crate::net::{NetConfig, Protocol, Secret, Target, TargetError};
use crate::player::DEFAULT_WINDOW;
use crate::protocol::packet::server::Encoding;
use crate::session::{Generation, PictureOptions, SessionConfig};

use super::bench::RawBench;
use super::replay::ReplayArgs;

/// Reading a larger password file would be a mistake in the file's name.
const MAX_PASSWORD_FILE_BYTES: u64 = 64 * 1024;

const EXAMPLES: &str = "\
Servers:
  tcp://[USER[:PASSWORD]@]HOST[:PORT]/   over TCP; the port is 14500 unless given
  HOST:PORT                              the same
  ssl://… ws://… wss://…                 the same over TLS, WebSocket, both
  socket:///PATH                         a Unix socket
  :100                                   a session of this machine, found by its display

Examples:
  farpane tcp://server:14500/
  farpane --overlay :100
  farpane screenshot :100 picture.png
  farpane --encodings png,rgb --password-file ~/.secret server:14500
  farpane record :100 session.fpr
  farpane replay session.fpr --headless --flat-out
  farpane serve session.fpr --bind 127.0.0.1:14500
  farpane demo

Passwords: from the URL, else --password-file, else the variable FARPANE_PASSWORD; the viewer
asks when none of them is given.

Exit codes:
  0  ended by the user, or the command did its work
  1  something on this machine went wrong (a file, the display, the renderer)
  2  the command line was not understood
  3  the server ended the session
  4  the connection was lost
  5  the server could not be reached
  6  the other side does not speak Xpra's protocol, or broke it
  7  the password was wrong, missing or refused
  8  the server stopped answering";

/// A fast native viewer for Xpra sessions
#[derive(Debug, Parser)]
#[command(name = "farpane", version, about, after_help = EXAMPLES, max_term_width = 100)]
pub struct RawArgs {
    #[command(subcommand)]
    pub command: Option<RawCommand>,
    /// The server whose windows to show
    pub url: Option<String>,
    #[command(flatten)]
    pub options: RawOptions,
}

/// What to do instead of showing windows.
#[derive(Debug, Subcommand)]
pub enum RawCommand {
    /// Show the windows of a session (what `farpane URL` does too)
    Attach { url: String },
    /// Write a picture of a session's windows, without opening any
    Screenshot {
        url: String,
        /// The PNG file to write
        file: PathBuf,
        /// Wait this long before taking it, instead of until the windows are complete
        #[arg(long, value_name = "SECONDS", value_parser = seconds)]
        wait: Option<Duration>,
        /// Only this window, by its number
        #[arg(long, value_name = "WID")]
        window: Option<u64>,
    },
    /// Print what a server says of itself
    Info { url: String },
    /// Write what a server sends to a file, without showing it, until Ctrl-C
    Record {
        url: String,
        /// The recording to write
        file: PathBuf,
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
    /// Play a recording to any Xpra client that attaches (rencodeplus or bencode)
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
    #[command(subcommand)]
    Bench(RawBench),
}

/// Which generation of the protocol to open with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ProtocolChoice {
    /// Modern first; bencode if the server turns out to be a 3.1 one
    #[default]
    Auto,
    /// rencodeplus only
    Modern,
    /// bencode only (3.1 servers)
    Bencode,
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
}

/// Options of every command that attaches.
#[derive(Args, Clone, Debug)]
pub struct RawOptions {
    /// Start with the statistics overlay
    #[arg(long, global = true)]
    pub overlay: bool,
    /// What toggles the overlay
    #[arg(long, global = true, value_name = "KEY", default_value = "Shift+F11")]
    pub overlay_key: KeyCombination,
    /// What opens and closes the session information window
    #[arg(long, global = true, value_name = "KEY", default_value = "Shift+F10")]
    pub session_info_key: KeyCombination,
    /// Record the session to this file while it is shown
    #[arg(long, global = true, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Write the statistics to this file at exit
    #[arg(long, global = true, value_name = "FILE")]
    pub stats_json: Option<PathBuf>,
    /// Read the password from the first line of this file
    #[arg(long, global = true, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// The name to log in with
    #[arg(long, global = true, value_name = "NAME")]
    pub username: Option<String>,
    /// Offer only these encodings, for example png,jpeg,webp,h264,rgb,scroll
    #[arg(long, global = true, value_name = "LIST", value_delimiter = ',')]
    pub encodings: Option<Vec<String>>,
    /// Ask the server to prefer this encoding
    #[arg(long, global = true, value_name = "NAME")]
    pub encoding: Option<String>,
    /// Picture quality, 1 to 100
    #[arg(long, global = true, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub quality: Option<u8>,
    /// Encoding speed, 1 to 100
    #[arg(long, global = true, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub speed: Option<u8>,
    /// Offer only these compressors (lz4, zlib, zstd, brotli), or none
    #[arg(long, global = true, value_name = "LIST", value_delimiter = ',')]
    pub compressors: Option<Vec<String>>,
    /// Compression of packets and raw pixels, 0 (off) to 9
    #[arg(long, global = true, alias = "compression_level", value_name = "LEVEL", value_parser = clap::value_parser!(u8).range(0..=9))]
    pub compression_level: Option<u8>,
    /// The protocol to open with
    #[arg(long, global = true, value_enum, default_value_t)]
    pub protocol: ProtocolChoice,
    /// What draws the windows
    #[arg(long, global = true, value_enum, default_value_t)]
    pub renderer: RendererChoice,
    /// Whether presenting waits for the screen's refresh
    #[arg(long, global = true, value_enum, default_value_t)]
    pub present_mode: PresentModeChoice,
    /// Give up reaching the server after this time
    #[arg(long, global = true, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub connect_timeout: Duration,
    /// What to log, for example info, debug, or farpane::net=trace
    #[arg(long = "log", short = 'd', global = true, value_name = "FILTER", env = "FARPANE_LOG")]
    pub log: Option<String>,
    #[command(flatten)]
    pub tls: RawTls,
}

/// How to check the server of an `ssl://` or `wss://` connection, by Xpra's names.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Secure connections (ssl, wss)")]
pub struct RawTls {
    /// Trust the certificates in this PEM file instead of the system's authorities
    #[arg(long, global = true, value_name = "FILE")]
    pub ssl_ca_certs: Option<PathBuf>,
    /// Whether the server's certificate must be one that is trusted
    #[arg(long, global = true, value_enum, default_value_t)]
    pub ssl_server_verify_mode: VerifyMode,
    /// Whether the certificate must be for the server's name (yes or no)
    #[arg(long, global = true, value_name = "YES/NO", default_value = "yes", value_parser = yes_or_no, action = clap::ArgAction::Set)]
    pub ssl_check_hostname: bool,
    /// The name that the certificate must be for, if not the URL's host
    #[arg(long, global = true, value_name = "NAME")]
    pub ssl_server_hostname: Option<String>,
}

/// What is asked of a server's certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum VerifyMode {
    /// It must be trusted.
    #[default]
    Required,
    /// It is not looked at: anyone on the way can read and change everything.
    None,
}

impl RawTls {
    fn options(&self) -> TlsOptions {
        TlsOptions {
            ca_certs: self.ssl_ca_certs.clone(),
            verify: self.ssl_server_verify_mode == VerifyMode::Required,
            check_hostname: self.ssl_check_hostname,
            server_hostname: self.ssl_server_hostname.clone(),
        }
    }
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" | "true" | "on" | "1" => Ok(true),
        "no" | "false" | "off" | "0" => Ok(false),
        _ => Err("expected yes or no".to_owned()),
    }
}

/// A validated command line.
#[derive(Clone, Debug)]
pub enum Invocation {
    Attach(Config),
    Screenshot(Config, ScreenshotArgs),
    Info(Config),
    Record(Config, RecordArgs),
    Replay(ReplayArgs, Box<RawOptions>),
    Serve { play: RawPlay, bind: SocketAddr, time: Option<Duration> },
    Demo(RawDemo, Box<RawOptions>),
    Bench(RawBench),
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
    pub window: Option<u64>,
}

/// A command line that cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error("no server given (try `farpane --help`, or `farpane demo`)")]
    NoTarget,
    #[error("both a server ({url}) and a command: expected one of them first")]
    TwoCommands { url: String },
    #[error("cannot read the password file {}: {why}", path.display())]
    PasswordFile { path: PathBuf, why: String },
    #[error(
        "`{got}` is not an encoding that Farpane shows: expected some of h264, jpeg, png, png/L, png/P, rgb, rgb24, rgb32, scroll, webp"
    )]
    Encoding { got: String },
    #[error("`{got}` is not a compressor that Farpane knows: expected some of {known}, or none")]
    Compressor { got: String, known: String },
    #[error("the URL's option {name}={got} is not valid: expected {expected}")]
    UrlOption { name: String, got: String, expected: &'static str },
}

impl RawArgs {
    /// Checks everything that can be checked before connecting; reads the password file.
    pub fn validate(self) -> Result<Invocation, UsageError> {
        let Self { command, url, options } = self;
        if let (Some(_), Some(url)) = (&command, &url) {
            return Err(UsageError::TwoCommands { url: url.clone() });
        }
        Ok(match command {
            None => Invocation::Attach(options.config(&url.ok_or(UsageError::NoTarget)?)?),
            Some(RawCommand::Attach { url }) => Invocation::Attach(options.config(&url)?),
            Some(RawCommand::Screenshot { url, file, wait, window }) => {
                Invocation::Screenshot(options.config(&url)?, ScreenshotArgs { file, wait, window })
            }
            Some(RawCommand::Info { url }) => Invocation::Info(options.config(&url)?),
            Some(RawCommand::Record { url, file, time }) => {
                Invocation::Record(options.config(&url)?, RecordArgs { file, time })
            }
            Some(RawCommand::Replay { play, headless, screenshot }) => {
                Invocation::Replay(ReplayArgs { play, headless, screenshot }, Box::new(options))
            }
            Some(RawCommand::Serve { play, bind, time }) => Invocation::Serve { play, bind, time },
            Some(RawCommand::Demo(demo)) => Invocation::Demo(demo, Box::new(options)),
            Some(RawCommand::Bench(bench)) => Invocation::Bench(bench),
        })
    }
}

impl RawOptions {
    /// The configuration for attaching to `url`, whose own options win over the command line's.
    pub fn config(&self, url: &str) -> Result<Config, UsageError> {
        let target = Target::parse(url)?;
        let password = match (&target.password, &self.password_file) {
            (Some(password), _) => Some(password.clone()),
            (None, Some(path)) => Some(read_password(path)?),
            (None, None) => {
                std::env::var("FARPANE_PASSWORD").ok().filter(|text| !text.is_empty()).map(Secret::new)
            }
        };
        let mut pictures = PictureOptions {
            preferred: self.encoding.clone(),
            quality: self.quality,
            speed: self.speed,
            ..PictureOptions::default()
        };
        if let Some(list) = &self.encodings {
            pictures.encodings = encodings(list)?;
        }
        for (name, value) in &target.options {
            let wrong = |expected| UsageError::UrlOption { name: name.clone(), got: value.clone(), expected };
            match name.as_str() {
                "encoding" => pictures.preferred = Some(value.clone()),
                "encodings" => pictures.encodings = encodings(value.split(','))?,
                "quality" => pictures.quality = Some(percent(value).ok_or_else(|| wrong("1 to 100"))?),
                "speed" => pictures.speed = Some(percent(value).ok_or_else(|| wrong("1 to 100"))?),
                _ => tracing::warn!(option = %name, "this option of the URL is not known and is ignored"),
            }
        }
        let mut session = SessionConfig {
            identity: identity(target.username.clone().or_else(|| self.username.clone())),
            password,
            ..SessionConfig::default()
        };
        if let Some(list) = &self.compressors {
            session.compressors = compressors(list, &session.compressors)?;
        }
        session.compression_level = self.compression_level.unwrap_or(session.compression_level);
        pictures.compress_rgb = session.compression_level > 0 && !session.compressors.is_empty();
        session.pictures = pictures;
        Ok(Config {
            connection: NetConfig {
                target,
                session,
                protocol: match self.protocol {
                    ProtocolChoice::Auto => Protocol::Auto,
                    ProtocolChoice::Modern => Protocol::Only(Generation::Modern),
                    ProtocolChoice::Bencode => Protocol::Only(Generation::Legacy31),
                },
                connect_timeout: self.connect_timeout,
                tls: self.tls.options(),
                recorder: None,
            },
            renderer: self.renderer,
            present_mode: self.present_mode,
            overlay: self.overlay,
            overlay_key: self.overlay_key.clone(),
            session_info_key: self.session_info_key.clone(),
            record: self.record.clone(),
            stats_json: self.stats_json.clone(),
        })
    }
}

/// The encodings that `names` stand for.
fn encodings(names: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Vec<Encoding>, UsageError> {
    let mut list = Vec::new();
    for name in names {
        match name.as_ref().trim() {
            "rgb" => list.extend([Encoding::Rgb24, Encoding::Rgb32]),
            name => match Encoding::from_name(name) {
                Encoding::Other | Encoding::Void => {
                    return Err(UsageError::Encoding { got: name.to_owned() });
                }
                encoding => list.push(encoding),
            },
        }
    }
    Ok(list)
}

/// Those of the `known` compressors that `names` stand for, best first; `none` is an empty list.
fn compressors(names: &[String], known: &[&'static str]) -> Result<Vec<&'static str>, UsageError> {
    let is_named = |wanted: &str| names.iter().any(|name| name.trim() == wanted);
    if let Some(unknown) = names.iter().find(|name| !(name.trim() == "none" || known.contains(&name.trim())))
    {
        return Err(UsageError::Compressor { got: unknown.clone(), known: known.join(", ") });
    }
    Ok(known.iter().copied().filter(|name| is_named(name)).collect())
}

fn percent(text: &str) -> Option<u8> {
    text.parse().ok().filter(|percent| (1..=100).contains(percent))
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse::<f64>()
        .ok()
        .filter(|seconds| (0.0..=86_400.0).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "expected seconds, 0 to 86400".to_owned())
}

fn window(text: &str) -> Result<usize, String> {
    let draws = text.parse().ok().filter(|draws| (1..=10_000).contains(draws));
    draws.ok_or_else(|| "expected 1 to 10000 draws".to_owned())
}

fn read_password(path: &Path) -> Result<Secret, UsageError> {
    let error = |why: String| UsageError::PasswordFile { path: path.to_owned(), why };
    let size = std::fs::metadata(path).map_err(|e| error(e.to_string()))?.len();
    if size > MAX_PASSWORD_FILE_BYTES {
        return Err(error(format!("it is {size} bytes long, expected at most {MAX_PASSWORD_FILE_BYTES}")));
    }
    let text = zeroize::Zeroizing::new(std::fs::read_to_string(path).map_err(|e| error(e.to_string()))?);
    let line = text.lines().next().unwrap_or("");
    if line.is_empty() {
        return Err(error("its first line is empty".to_owned()));
    }
    Ok(Secret::new(line.to_owned()))
}
