//! Where to attach: URLs in Xpra's forms, `host:port`, and local displays.
//!
//! The forms are those of `xpra attach` (xpra/scripts/parsing.py, `parse_display_name`): `tcp://`,
//! `ssl://`, `ws://`, `wss://`, `quic://`, `wt://`, `ssh://` with their `xpra+` aliases, `vsock://CID:PORT`, the older `tcp:HOST:PORT` and
//! `tcp/HOST:PORT`, `socket:///path`, `/path`, `@abstract`, `:100` and plain `100`.

use std::fmt;
use std::path::PathBuf;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::address;
use super::quic::Framing;
use super::vsock::VsockAddress;
use crate::session::Secret;

/// Xpra's port for `tcp://` (xpra/net/constants.py, `DEFAULT_PORT`).
pub const DEFAULT_PORT: u16 = 14500;

/// What would mean something else in the path of an address.
pub(super) const IN_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'#').add(b'%').add(b'?').add(b'@');

/// A server to attach to, with the credentials and options of its URL.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    pub endpoint: Endpoint,
    pub username: Option<String>,
    pub password: Option<Secret>,
    /// The part after the port: a display on a server that has several (a proxy), a number without
    /// its colon. Of `ws`, `wss`, `quic` and `wt` the path as it was written, without its first slash.
    pub display: Option<String>,
    /// `?name=value` pairs in order.
    pub options: Vec<(String, String)>,
}

/// What to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    Tcp(HostPort),
    Tls(HostPort),
    WebSocket {
        at: HostPort,
        /// `wss`.
        secure: bool,
    },
    /// WebSocket over HTTP/3, or Xpra's WebTransport.
    Quic {
        at: HostPort,
        framing: Framing,
    },
    Ssh(HostPort),
    /// Between a virtual machine and its host.
    Vsock(VsockAddress),
    /// A Unix domain socket.
    Unix(PathBuf),
    /// An abstract Unix domain socket (Linux), its name without the `@`.
    Abstract(String),
    /// A session of this machine, by its display's name without the colon; empty: one that is to be started, on a
    /// display that is free.
    Display(String),
}

/// A host, without the brackets of an IPv6 address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    pub host: String,
    pub port: u16,
}

/// A target that could not be understood. No message repeats a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    #[error("no server given: expected for example tcp://host:{DEFAULT_PORT}/ or :100")]
    Empty,
    #[error(
        "`{got}` is not a kind of connection that Farpane knows: expected tcp, ssl, ws, wss, quic, wt, ssh, vsock or socket"
    )]
    Scheme { got: String },
    #[error("`{got}` is not a valid address: {why}")]
    Address { got: String, why: String },
    #[error("`{got}` is not a display: expected for example :100, and for a server HOST:PORT")]
    Display { got: String },
}

impl Target {
    /// Understands `text` in any of the forms above. Does not look at the file system or network.
    ///
    /// # Errors
    /// If it is none of them. The words repeat nothing that may be a password.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        address::parse(text)
    }

    /// Whether the peer is on this machine, so that nobody on a network can listen.
    pub fn is_local(&self) -> bool {
        match &self.endpoint {
            Endpoint::Unix(_) | Endpoint::Abstract(_) | Endpoint::Display(_) => true,
            Endpoint::Vsock(_) => false,
            Endpoint::Tcp(at)
            | Endpoint::Tls(at)
            | Endpoint::Ssh(at)
            | Endpoint::WebSocket { at, .. }
            | Endpoint::Quic { at, .. } => at.is_loopback(),
        }
    }
}

/// Without what may be a password: that is also what an option of Xpra's may say (`?password=…`, `/100,password=…`).
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &str| match text.split_once('=') {
            Some((name, _)) => format!("{name}=…"),
            None => text.to_owned(),
        };
        let names: Vec<&str> = self.options.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Target")
            .field("endpoint", &self.endpoint)
            .field("username", &self.username)
            .field("password", &self.password)
            .field("display", &self.display.as_deref().map(shown))
            .field("options", &names)
            .finish()
    }
}

/// The target without its password, as a URL.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, at) = match &self.endpoint {
            Endpoint::Unix(path) => {
                return write!(f, "socket://{}", utf8_percent_encode(&path.to_string_lossy(), IN_PATH));
            }
            Endpoint::Vsock(at) => return write!(f, "vsock://{at}/"),
            Endpoint::Abstract(name) => return write!(f, "@{name}"),
            Endpoint::Display(name) if name.is_empty() => return write!(f, "a new session of this machine"),
            Endpoint::Display(name) if name.starts_with("wayland-") => return write!(f, "{name}"),
            Endpoint::Display(name) => return write!(f, ":{name}"),
            Endpoint::Tcp(at) => ("tcp", at),
            Endpoint::Tls(at) => ("ssl", at),
            Endpoint::WebSocket { at, secure: false } => ("ws", at),
            Endpoint::WebSocket { at, secure: true } => ("wss", at),
            Endpoint::Quic { at, framing } => (framing.scheme(), at),
            Endpoint::Ssh(at) => ("ssh", at),
        };
        let display = self.display.as_deref().unwrap_or_default();
        match &self.endpoint {
            Endpoint::WebSocket { .. } | Endpoint::Quic { .. } => write!(f, "{scheme}://{at}/{display}"),
            _ => write!(f, "{scheme}://{at}/{}", utf8_percent_encode(display, IN_PATH)),
        }
    }
}

impl Endpoint {
    /// The server, if it is spoken to through TLS.
    pub const fn tls(&self) -> Option<&HostPort> {
        match self {
            Self::Tls(at) | Self::WebSocket { at, secure: true } | Self::Quic { at, .. } => Some(at),
            _ => None,
        }
    }

    /// The name that statistics show.
    pub const fn transport_name(&self) -> &'static str {
        match self {
            Self::Tcp(_) => "tcp",
            Self::Tls(_) => "ssl",
            Self::WebSocket { secure: false, .. } => "ws",
            Self::WebSocket { secure: true, .. } => "wss",
            Self::Quic { framing, .. } => framing.scheme(),
            Self::Ssh(_) => "ssh",
            Self::Vsock(_) => "vsock",
            Self::Unix(_) | Self::Abstract(_) | Self::Display(_) => "unix",
        }
    }
}

impl HostPort {
    /// Whether the host is this machine, as far as its name or address says.
    pub fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self.name().parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

impl HostPort {
    /// The host without the zone of an IPv6 address, which means nothing to the other side.
    pub fn name(&self) -> &str {
        self.zoned().map_or(&self.host, |(address, _)| address)
    }

    /// The zone of an IPv6 address: the network interface to reach it through.
    pub fn zone(&self) -> Option<&str> {
        self.zoned().map(|(_, zone)| zone)
    }

    /// Whether the host is a link-local IPv6 address (RFC 4007 §6) that does not say which link.
    pub fn lacks_zone(&self) -> bool {
        self.host.parse::<std::net::Ipv6Addr>().is_ok_and(|ip| ip.is_unicast_link_local())
    }

    fn zoned(&self) -> Option<(&str, &str)> {
        self.host.split_once('%').filter(|(address, _)| address.parse::<std::net::Ipv6Addr>().is_ok())
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}
