//! What its user wants of a session.

use std::num::NonZeroU64;
use std::time::Duration;

use zeroize::Zeroizing;

use super::clipboard::ClipboardOptions;
use super::encryption::Encryption;
use super::ping::SERVER_TIMEOUT;
use crate::protocol::Dialect;
use crate::protocol::packet::draw::Encoding;

/// A password: wiped from memory when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the password over; the caller keeps no copy.
    pub fn new(password: String) -> Self {
        Self(Zeroizing::new(password))
    }

    /// The text itself, to compute a challenge's answer with.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The bytes that the digests work on. 6.x reads its password files as text and takes Latin-1
    /// where that is possible (`xpra/util/str_fn.py`, `strtobytes`); 3.1 takes the file's bytes.
    pub(super) fn bytes(&self, dialect: Dialect) -> Zeroizing<Vec<u8>> {
        let latin1 = || self.0.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect::<Option<Vec<u8>>>();
        let bytes = match dialect {
            Dialect::Modern | Dialect::Yaml => latin1(),
            Dialect::Legacy31 => None,
        };
        Zeroizing::new(bytes.unwrap_or_else(|| Vec::from(self.0.as_bytes())))
    }
}

impl From<Zeroizing<String>> for Secret {
    fn from(password: Zeroizing<String>) -> Self {
        Self(password)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Who we are, as the server's log and `xpra info` show it.
#[derive(Clone, Debug, Default)]
pub struct ClientIdentity {
    pub hostname: String,
    pub username: String,
    /// Hexadecimal; the account's, or a new one each time that the program starts. A server ends the session of
    /// an earlier client with the same one, whatever either says of sharing, and keeps what windows are to
    /// remember for the next client with it (seen with 3.1.3 and 6.5.5).
    pub uuid: String,
    /// Hexadecimal; a new one for each session that is attached to.
    pub session_id: String,
}

/// What the session is for (Protocol.md §5.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Attach: windows, input, everything.
    #[default]
    Attach,
    /// Ask the server for its information, then leave.
    Info,
    /// Ask only which session it is, by its name, then leave: quick, and 6.5's information lacks the name.
    Identify,
    /// Ask only for the version, then leave: servers say it before any login, and 6.5's information lacks the last
    /// figure.
    Version,
    /// Tell the server to do this, then leave.
    Command(SessionCommand),
}

/// What a server is told to do with a session, without a window of it being shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionCommand {
    /// The session ends, with all that runs in it.
    Stop,
    /// The server ends; its display and the programs on it stay.
    Exit,
    /// All clients have to leave.
    Detach,
}

impl SessionCommand {
    /// As a hello's `request` has it; 3.1.3 looks for the same with `_request` behind.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Exit => "exit",
            Self::Detach => "detach",
        }
    }
}

/// The picture encodings and what the server may do with them.
#[derive(Clone, Debug)]
pub struct PictureOptions {
    /// What may be offered; `Void` and `Other` are ignored. `Scroll` is left out towards servers
    /// that are known to fail with it.
    pub encodings: Vec<Encoding>,
    /// The encoding that the server should prefer, by the server's name (`rgb`, `h264`, …).
    pub preferred: Option<String>,
    /// Percent; `None` leaves it to the server.
    pub quality: Option<u8>,
    pub min_quality: Option<u8>,
    pub speed: Option<u8>,
    pub min_speed: Option<u8>,
    /// Pictures may come smaller than the rectangle that they fill.
    pub video_scaling: bool,
    /// h264 profile wished for 4:2:0: the simple ones decode fastest (docs/video.md). A wish: servers that do
    /// not know it send what they like.
    pub h264_profile: &'static str,
    /// The server may compress rgb pixels.
    pub compress_rgb: bool,
}

impl Default for PictureOptions {
    fn default() -> Self {
        Self {
            encodings: vec![
                Encoding::H264,
                Encoding::Webp,
                Encoding::Png,
                Encoding::PngPalette,
                Encoding::PngGrey,
                Encoding::Rgb24,
                Encoding::Rgb32,
                Encoding::Jpeg,
                Encoding::Scroll,
            ],
            preferred: None,
            quality: None,
            min_quality: None,
            speed: None,
            min_speed: None,
            video_scaling: false,
            h264_profile: "baseline",
            compress_rgb: true,
        }
    }
}

impl PictureOptions {
    /// Adds plain pixels where nothing but video or `scroll` may be offered: servers of both generations
    /// need a picture encoding besides, and else draw nothing.
    pub(super) fn complete(&mut self) {
        if !self.encodings.iter().any(|encoding| encoding.is_still()) {
            self.encodings.extend([Encoding::Rgb24, Encoding::Rgb32]);
        }
    }

    /// Keeps what the user changed while the session runs: 0 leaves it to the server.
    pub fn note_option(&mut self, name: &str, percent: i64) {
        let percent = u8::try_from(percent.clamp(0, 100)).ok().filter(|percent| *percent > 0);
        match name {
            "quality" => self.quality = percent,
            "min-quality" => self.min_quality = percent,
            "speed" => self.speed = percent,
            "min-speed" => self.min_speed = percent,
            _ => {}
        }
    }
}

/// What is wanted of a session, before anything is known of the server or of the desktop.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    pub profile: Profile,
    pub identity: ClientIdentity,
    /// Answers the first challenge of a login, and no further one.
    pub password: Option<Secret>,
    /// Where that comes from, for who is told that it is not right: for example `the file /home/anna/secret`.
    pub password_from: String,
    /// Encrypt with a key that the server has too, or have no session.
    pub encryption: Option<Encryption>,
    pub pictures: PictureOptions,
    /// Record compressors that the wire layer can undo, best first: `lz4`, `zstd`, `brotli`, `zlib`.
    pub compressors: Vec<&'static str>,
    /// How hard the server may compress packets and raw pixels: 0 (not at all) to 9.
    pub compression_level: u8,
    pub clipboard: ClipboardOptions,
    /// Other clients may stay attached.
    pub share: bool,
    /// Which of a proxy's sessions is wanted, as the proxy names it, for example `:100`.
    pub display_name: Option<String>,
    /// Bits a second that the server may send; `None`: as many as it likes.
    pub bandwidth_limit: Option<NonZeroU64>,
    /// Connect again when the connection is lost after the server accepted us, until the user has enough of it.
    pub reconnect: bool,
    /// The passwords that answered the last login, in the order in which they were asked for: kept to connect again,
    /// and for nothing else.
    pub remembered: Vec<Secret>,
    /// The connection is given up when nothing at all came for this long although pings were sent.
    pub silence: Duration,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            profile: Profile::Attach,
            identity: ClientIdentity::default(),
            password: None,
            password_from: String::new(),
            encryption: None,
            pictures: PictureOptions::default(),
            compressors: vec!["lz4", "zstd", "brotli", "zlib"],
            compression_level: 1,
            clipboard: ClipboardOptions::default(),
            share: false,
            display_name: None,
            bandwidth_limit: None,
            reconnect: false,
            remembered: Vec::new(),
            silence: SERVER_TIMEOUT,
        }
    }
}
