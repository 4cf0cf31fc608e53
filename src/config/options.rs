//! The one definition of every option: its names, what it takes, its default, its words.
//!
//! The command line, the configuration files, session files and links all give their values as
//! text to these definitions (see [`super::Layer`]), so that they accept the same and refuse the
//! same with the same words. `--help`, the manual page, completions and `farpane config --show`
//! are printed from them.

use crate::protocol::Dialect;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args};
use etcetera::BaseStrategy as _;

use super::aes::RawAes;
use super::{
    BorderChoice, KeyCombination, PresentModeChoice, RendererChoice, ScalingFilterChoice, TitleFormat,
};
use crate::channel::DesktopScaling;
use crate::net::ProtocolPolicy;
use crate::net::known_servers::KnownServers;
use crate::net::proxy::ProxyChoice;
use crate::net::ssh::SshOptions;
use crate::net::tls::{ClientCert, TlsOptions};
use crate::protocol::packet::clipboard::Selection;
use crate::session::clipboard::Direction;

/// Headings in help, by which commands choose what counts for them ([`crate::cli::help`]).
pub const WINDOWS: &str = "Windows and keys";
pub const SESSION: &str = "Session";
pub const CONNECTION: &str = "Connection";
pub const PICTURES: &str = "Pictures";
pub const DRAWING: &str = "Drawing";
pub const SECURE: &str = "Secure connections (ssl, wss, quic, wt)";

/// The options of every command that attaches.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Start with the statistics overlay
    #[arg(help_heading = WINDOWS, long, global = true, value_name = "YES/NO", num_args = 0..=1, require_equals = true,
          default_value = "no", default_missing_value = "yes", value_parser = flag, action = ArgAction::Set)]
    pub overlay: bool,
    /// What toggles the overlay
    #[arg(help_heading = WINDOWS, long, global = true, value_name = "KEY", default_value = "Shift+F11")]
    pub overlay_key: KeyCombination,
    /// What opens and closes the session information window
    #[arg(help_heading = WINDOWS, long, global = true, value_name = "KEY", default_value = "Shift+F10")]
    pub session_info_key: KeyCombination,
    /// What opens and closes the session menu
    #[arg(help_heading = WINDOWS, long, global = true, value_name = "KEY", default_value = "Shift+F9")]
    pub session_menu_key: KeyCombination,
    /// What shows a window in full screen, and as before
    #[arg(help_heading = WINDOWS, long, global = true, value_name = "KEY", default_value = "Shift+F12")]
    pub full_screen_key: KeyCombination,
    /// Have all keys go to the session while its window is in full screen by that key, also those of the window manager
    #[arg(help_heading = WINDOWS, long, global = true, value_name = "YES/NO", num_args = 0..=1, require_equals = true,
          default_value = "yes", default_missing_value = "yes", value_parser = flag, action = ArgAction::Set)]
    pub grab_keyboard: bool,
    /// Say over the first window how to open the menu
    #[arg(help_heading = WINDOWS, long, global = true, value_name = "YES/NO", num_args = 0..=1, require_equals = true,
          default_value = "yes", default_missing_value = "yes", value_parser = flag, action = ArgAction::Set)]
    pub greeting: bool,
    /// Keep what came in the last half minute in memory (64 MB at most), so that it can be saved from the session menu
    #[arg(help_heading = WINDOWS, long, global = true, value_name = "YES/NO", num_args = 0..=1, require_equals = true,
          default_value = "yes", default_missing_value = "yes", value_parser = flag, action = ArgAction::Set)]
    pub instant_replay: bool,
    /// Record the session to this file while it is shown
    #[arg(help_heading = WINDOWS, long, global = true, value_name = "FILE", value_parser = path())]
    pub record: Option<PathBuf>,
    /// Write the statistics to this file at exit
    #[arg(help_heading = WINDOWS, long, global = true, value_name = "FILE", value_parser = path())]
    pub stats_json: Option<PathBuf>,
    /// Read the password from the first line of this file
    #[arg(help_heading = CONNECTION, long, global = true, value_name = "FILE", value_parser = path())]
    pub password_file: Option<PathBuf>,
    /// The name to log in with
    #[arg(help_heading = CONNECTION, long, global = true, value_name = "NAME")]
    pub username: Option<String>,
    /// Let other clients stay attached to the session, if the server allows it
    #[arg(help_heading = SESSION, long, global = true, value_name = "YES/NO", num_args = 0..=1, require_equals = true,
          default_value = "no", default_missing_value = "yes", value_parser = flag, action = ArgAction::Set)]
    pub sharing: bool,
    /// Ask saved servers, while the connect window has the focus, whether they can be reached and what they have
    #[arg(help_heading = WINDOWS, long, global = true, value_name = "YES/NO", num_args = 0..=1, require_equals = true,
          default_value = "yes", default_missing_value = "yes", value_parser = flag, action = ArgAction::Set)]
    pub ask_saved: bool,
    /// Connect again when the connection is lost, until you say stop
    #[arg(help_heading = SESSION, long, global = true, value_name = "YES/NO", num_args = 0..=1, require_equals = true,
          default_value = "yes", default_missing_value = "yes", value_parser = flag, action = ArgAction::Set)]
    pub reconnect: bool,
    /// Share the clipboard with the session; no: neither side hears of the other's
    #[arg(help_heading = SESSION, long, global = true, value_name = "YES/NO", num_args = 0..=1, require_equals = true,
          default_value = "yes", default_missing_value = "yes", value_parser = flag, action = ArgAction::Set)]
    pub clipboard: bool,
    /// Which way copies go; can be changed in the session menu
    #[arg(help_heading = SESSION, long, global = true, value_name = "DIRECTION", default_value = "both", value_parser = direction())]
    pub clipboard_direction: Direction,
    /// Share only these selections: CLIPBOARD (what is copied), PRIMARY (what is marked), SECONDARY
    #[arg(help_heading = SESSION, long, global = true, value_name = "LIST", value_delimiter = ',', value_parser = selection(),
          default_value = "CLIPBOARD,PRIMARY,SECONDARY")]
    pub clipboard_selections: Vec<Selection>,
    /// The largest copy that is passed on, either way, in MB (1 to 16)
    #[arg(help_heading = SESSION, long, global = true, value_name = "MB", default_value = "16", value_parser = megabytes)]
    pub clipboard_limit: u8,
    /// Offer only these encodings, for example png,jpeg,webp,h264,rgb,scroll, or all
    #[arg(help_heading = PICTURES, long, global = true, value_name = "LIST", value_delimiter = ',', default_value = "all")]
    pub encodings: Vec<String>,
    /// Have pictures come in this encoding, as far as it can show them; auto leaves it to the server
    #[arg(help_heading = PICTURES, long, global = true, value_name = "NAME", default_value = "auto")]
    pub encoding: String,
    /// Picture quality, 1 to 100; 0 leaves it to the server
    #[arg(help_heading = PICTURES, long, global = true, value_name = "PERCENT", default_value = "0", value_parser = percent)]
    pub quality: u8,
    /// The lowest quality that the server may choose, 1 to 100; 0 leaves it to the server
    #[arg(help_heading = PICTURES, long, global = true, value_name = "PERCENT", default_value = "0", value_parser = percent)]
    pub min_quality: u8,
    /// Encoding speed, 1 to 100; 0 leaves it to the server
    #[arg(help_heading = PICTURES, long, global = true, value_name = "PERCENT", default_value = "0", value_parser = percent)]
    pub speed: u8,
    /// The lowest speed that the server may choose, 1 to 100; 0 leaves it to the server
    #[arg(help_heading = PICTURES, long, global = true, value_name = "PERCENT", default_value = "0", value_parser = percent)]
    pub min_speed: u8,
    /// Offer only these compressors (lz4, zstd, brotli, zlib), or all, or none
    #[arg(help_heading = CONNECTION, long, global = true, value_name = "LIST", value_delimiter = ',', default_value = "all")]
    pub compressors: Vec<String>,
    /// Compression of packets and raw pixels, 0 (off) to 9
    #[arg(help_heading = CONNECTION, long, short = 'z', global = true, alias = "compression_level", value_name = "LEVEL", default_value = "1", value_parser = level)]
    pub compression_level: u8,
    /// The most that the server may send, for example 5Mbps (1Mbps at least); none: as much as it likes
    #[arg(help_heading = CONNECTION, long, global = true, value_name = "BITS", default_value = "none", value_parser = bandwidth)]
    pub bandwidth_limit: u64,
    /// The protocol to open with
    #[arg(help_heading = CONNECTION, long, global = true, value_enum, default_value_t)]
    pub protocol: ProtocolChoice,
    /// What draws the windows
    #[arg(help_heading = DRAWING, long, global = true, alias = "opengl", value_enum, default_value_t)]
    pub renderer: RendererChoice,
    /// Whether presenting waits for the screen's refresh
    #[arg(help_heading = DRAWING, long, global = true, value_enum, default_value_t)]
    pub present_mode: PresentModeChoice,
    /// Show windows in another size: off (pixel by pixel), auto (the main monitor's scale factor), hidpi (the same where it is 1.5 or more, else off), a number, a fraction or a percentage, 0.25 to 4
    #[arg(help_heading = DRAWING, long, global = true, value_name = "SCALE", default_value = "hidpi")]
    pub desktop_scaling: DesktopScaling,
    /// How pixels between those of the server are made, if windows are scaled
    #[arg(help_heading = DRAWING, long, global = true, value_enum, default_value_t)]
    pub scaling_filter: ScalingFilterChoice,
    /// What windows are called; {title} is the window's own title, {server} the server's machine, {session} the session's name, {address} what you connected to
    #[arg(help_heading = WINDOWS, long, global = true, value_name = "TEXT", default_value = "{title} on {server}")]
    pub title: TitleFormat,
    /// A coloured edge around the session's windows: off, a colour (#rrggbb, or a name like red) or auto (a colour for each server), perhaps with a comma and its width in pixels
    #[arg(help_heading = WINDOWS, long, global = true, value_name = "COLOUR,N", default_value = "off", value_parser = str::parse::<BorderChoice>)]
    pub border: BorderChoice,
    /// What is between this machine and the server: socks5://HOST:PORT, socks4a:// or http:// (a login stands before the host, NAME:PASSWORD@), none, or auto (HTTPS_PROXY, ALL_PROXY and NO_PROXY)
    #[arg(help_heading = CONNECTION, long, global = true, value_name = "URL", default_value = "auto", value_parser = ProxyChoice::parse)]
    pub proxy: ProxyChoice,
    /// Give up reaching the server after this time
    #[arg(help_heading = CONNECTION, long, global = true, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub connect_timeout: Duration,
    /// Take the connection for lost when nothing came for this time, at least 1
    #[arg(help_heading = CONNECTION, long, global = true, value_name = "SECONDS", default_value = "45", value_parser = whole_seconds)]
    pub silence_timeout: Duration,
    /// What to log, for example info, debug, or farpane::net=trace
    #[arg(long, short = 'd', global = true, value_name = "FILTER", env = "FARPANE_LOG")]
    pub log: Option<String>,
    /// The command that makes the connections of ssh:// addresses, with arguments
    #[arg(help_heading = CONNECTION, long, global = true, value_name = "COMMAND", default_value = "ssh", value_parser = ssh_command)]
    pub ssh: SshCommand,
    #[command(flatten)]
    pub tls: RawTls,
    #[command(flatten)]
    pub aes: RawAes,
}

impl Options {
    /// What somebody new is told of the viewer's own keys: a line each.
    pub fn keys(&self) -> Vec<String> {
        [
            (&self.session_menu_key, "the session's menu, with the way out"),
            (&self.full_screen_key, "a window in full screen, and back"),
            (&self.overlay_key, "what the session costs, live"),
            (&self.session_info_key, "all about the connection"),
        ]
        .map(|(key, what)| format!("{:<10} {what}", key.to_string()))
        .into()
    }
}

/// The program that makes the connections of `ssh://` addresses, and arguments that stand before all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshCommand(pub Vec<String>);

/// A command as a shell understands it. Xpra's names for what it has inside (`auto`, `paramiko`, `asyncssh`) mean the
/// system's own.
fn ssh_command(text: &str) -> Result<SshCommand, String> {
    let is_inside = ["auto", "paramiko", "asyncssh"].iter().any(|name| {
        text.trim().strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    });
    if is_inside {
        return Ok(SshCommand(SshOptions::default().command));
    }
    let words = shlex::split(text).filter(|words| words.first().is_some_and(|program| !program.is_empty()));
    words
        .map(SshCommand)
        .ok_or_else(|| "expected a program, perhaps with arguments, as for a shell".to_owned())
}

/// How to check the server of an `ssl://` or `wss://` connection, by Xpra's names.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = SECURE)]
pub struct RawTls {
    /// Trust the certificates in this PEM file instead of the system's authorities
    #[arg(long, global = true, value_name = "FILE", value_parser = path())]
    pub ssl_ca_certs: Option<PathBuf>,
    /// Whether the server's certificate must be one that is trusted
    #[arg(long, global = true, value_enum, default_value_t)]
    pub ssl_server_verify_mode: VerifyMode,
    /// Whether the certificate must be for the server's name (yes or no)
    #[arg(long, global = true, value_name = "YES/NO", default_value = "yes", value_parser = flag, action = ArgAction::Set)]
    pub ssl_check_hostname: bool,
    /// The name that the certificate must be for, if not the URL's host
    #[arg(long, global = true, value_name = "NAME")]
    pub ssl_server_hostname: Option<String>,
    /// The certificate that shows a server who you are, if it wants to know: a PEM file
    #[arg(long, global = true, value_name = "FILE", value_parser = path())]
    pub ssl_cert: Option<PathBuf>,
    /// Its private key, if that is in a file of its own
    #[arg(long, global = true, value_name = "FILE", value_parser = path())]
    pub ssl_key: Option<PathBuf>,
}

/// What is asked of a server's certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum VerifyMode {
    /// It must be trusted; one that is not known is shown, and you are asked, where there is a window
    #[default]
    Ask,
    /// It must be trusted; nobody is asked.
    // Clients treat Xpra's `optional` like `required`: a server always has a certificate.
    #[value(alias = "optional")]
    Required,
    /// It is not looked at: anyone on the way can read and change everything.
    None,
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

impl ProtocolChoice {
    /// What the network thread calls it.
    pub const fn protocol(self) -> ProtocolPolicy {
        match self {
            Self::Auto => ProtocolPolicy::Auto,
            Self::Modern => ProtocolPolicy::Only(Dialect::Modern),
            Self::Bencode => ProtocolPolicy::Only(Dialect::Legacy31),
        }
    }
}

impl RawTls {
    /// What the TLS client is told.
    pub fn options(&self) -> TlsOptions {
        let system = Path::new(SYSTEM_AUTHORITIES);
        TlsOptions {
            ca_certs: self.ssl_ca_certs.clone().filter(|path| path != system),
            verify: self.ssl_server_verify_mode != VerifyMode::None,
            check_hostname: self.ssl_check_hostname,
            server_hostname: self.ssl_server_hostname.clone().filter(|name| !name.is_empty()),
            client_cert: self
                .ssl_cert
                .as_ref()
                .or(self.ssl_key.as_ref())
                .map(|file| ClientCert { certificate: file.clone(), key: self.ssl_key.clone() }),
            known: known_servers(),
            ask: self.ssl_server_verify_mode == VerifyMode::Ask,
            trusted: None,
        }
    }
}

/// The servers whose certificates the user trusts: a file in the platform's place for data. `None` if the system does not
/// say where that is.
pub fn known_servers() -> Option<KnownServers> {
    let base = etcetera::choose_base_strategy().ok()?;
    Some(KnownServers::at(base.data_dir().join("farpane").join("known-servers")))
}

/// What Xpra writes for `ssl-ca-certs` when it means the system's authorities.
const SYSTEM_AUTHORITIES: &str = "default";

/// `yes` or `no`, in all the ways that Xpra has for it.
///
/// # Errors
/// If it is neither.
pub fn flag(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" | "1" => Ok(true),
        "no" | "false" | "off" | "0" => Ok(false),
        _ => Err("expected yes or no".to_owned()),
    }
}

/// A part of a hundred.
fn percent(text: &str) -> Result<u8, String> {
    up_to(text, 100)
}

/// The size of a copy.
fn megabytes(text: &str) -> Result<u8, String> {
    up_to(text, 16).ok().filter(|size| *size > 0).ok_or_else(|| "expected a number from 1 to 16".to_owned())
}

/// Bits per second in Xpra's words; 0: no limit.
fn bandwidth(text: &str) -> Result<u64, String> {
    let text = text.trim().to_ascii_lowercase();
    if matches!(text.as_str(), "none" | "no" | "off" | "auto" | "0") {
        return Ok(0);
    }
    let number = text.trim_end_matches("bps").trim_end_matches("bit/s");
    let (number, unit) = match number.trim_end_matches(['k', 'm', 'g']) {
        number if text.contains('k') => (number, 1e3),
        number if text.contains('m') => (number, 1e6),
        number if text.contains('g') => (number, 1e9),
        number => (number, 1.0),
    };
    let bits = number.trim().parse::<f64>().ok().map(|number| (number * unit).round());
    let bits = bits.filter(|bits| (MIN_BANDWIDTH..=MAX_BANDWIDTH).contains(bits));
    bits.map(|bits| bits as u64).ok_or_else(|| "expected none, or 1Mbps to 10Gbps".to_owned())
}

/// The least that servers know.
const MIN_BANDWIDTH: f64 = 1e6;
/// From here on servers of all generations know no limit.
const MAX_BANDWIDTH: f64 = 1e10;

fn direction() -> impl TypedValueParser<Value = Direction> {
    PossibleValuesParser::new(Direction::ALL.map(Direction::name))
        .map(|name| Direction::from_name(&name).unwrap_or_default())
}

fn selection() -> impl TypedValueParser<Value = Selection> {
    PossibleValuesParser::new(Selection::ALL.map(Selection::name))
        .map(|name| Selection::from_name(&name).unwrap_or(Selection::Clipboard))
}

/// A level of compression.
fn level(text: &str) -> Result<u8, String> {
    up_to(text, 9)
}

fn up_to(text: &str, most: u8) -> Result<u8, String> {
    let number = text.parse().ok().filter(|number| *number <= most);
    number.ok_or_else(|| format!("expected a number from 0 to {most}"))
}

/// A time in seconds, up to a day.
///
/// # Errors
/// If it is not a number, or too large.
pub fn seconds(text: &str) -> Result<Duration, String> {
    text.parse::<f64>()
        .ok()
        .filter(|seconds| (0.0..=86_400.0).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "expected seconds, 0 to 86400".to_owned())
}

/// The same, but one at least.
fn whole_seconds(text: &str) -> Result<Duration, String> {
    let time = seconds(text).ok().filter(|time| time.as_secs() > 0);
    time.ok_or_else(|| "expected seconds, 1 to 86400".to_owned())
}

/// A file's name; `~/` at its beginning is the home folder, since in files of options no shell
/// says so.
pub(super) fn path() -> impl TypedValueParser<Value = PathBuf> {
    clap::builder::PathBufValueParser::new().map(|path| {
        match (path.strip_prefix("~"), etcetera::home_dir()) {
            (Ok(rest), Ok(home)) => home.join(rest),
            _ => path,
        }
    })
}
