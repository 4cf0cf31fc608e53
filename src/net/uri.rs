//! Where to attach: URLs in Xpra's forms, `host:port`, and local displays.
//!
//! The forms are those of `xpra attach` (xpra/scripts/parsing.py, `parse_display_name`): `tcp://`,
//! `ssl://`, `ws://`, `wss://`, `ssh://` with their `xpra+` aliases, `socket:///path`, `/path`,
//! `@abstract`, `:100` and plain `100`.

use std::fmt;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::session::Secret;

/// Xpra's port for `tcp://` (xpra/net/constants.py, `DEFAULT_PORT`).
pub const DEFAULT_PORT: u16 = 14500;

/// A server to attach to, with the credentials and options of its URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub endpoint: Endpoint,
    pub username: Option<String>,
    pub password: Option<Secret>,
    /// The part after the port: a display on a server that has several (a proxy).
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
    Ssh(HostPort),
    /// A Unix domain socket.
    Unix(PathBuf),
    /// An abstract Unix domain socket (Linux), its name without the `@`.
    Abstract(String),
    /// A session of this machine, by its display's name without the colon.
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
        "`{got}` is not a kind of connection that Farpane knows: expected tcp, ssl, ws, wss, ssh or socket"
    )]
    Scheme { got: String },
    #[error("`{got}` is not a valid address: {why}")]
    Address { got: String, why: String },
    #[error("`{got}` is not a display: expected for example :100")]
    Display { got: String },
}

impl Target {
    /// Understands `text` in any of the forms above. Does not look at the file system or network.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TargetError::Empty);
        }
        if let Some(display) = local_display(text)? {
            return Ok(Self::local(Endpoint::Display(display)));
        }
        if let Some(name) = text.strip_prefix('@').or_else(|| text.strip_prefix("socket://@")) {
            return Ok(Self::local(Endpoint::Abstract(name.to_owned())));
        }
        if text.starts_with('/') {
            return Ok(Self::local(Endpoint::Unix(PathBuf::from(text))));
        }
        match text.split_once("://") {
            Some((scheme, _)) => Self::parse_url(&scheme.to_ascii_lowercase(), text),
            None => Self::parse_url("tcp", &format!("tcp://{text}")),
        }
    }

    fn local(endpoint: Endpoint) -> Self {
        Self { endpoint, username: None, password: None, display: None, options: Vec::new() }
    }

    fn parse_url(scheme: &str, text: &str) -> Result<Self, TargetError> {
        let address_error = |why: &str| TargetError::Address { got: redacted(text), why: why.to_owned() };
        let kind = scheme_kind(scheme).ok_or_else(|| TargetError::Scheme { got: scheme.to_owned() })?;
        // The schemes that browsers know (`ws`, `wss`) follow other rules; all of ours follow the
        // general ones.
        let rest = text.split_once("://").map_or("", |(_, rest)| rest);
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        // A socket has no host, but may have credentials, which a URL allows only before a host.
        let host = if kind == Kind::Socket { "local" } else { "" };
        let url = Url::parse(&format!("xpra://{authority}{host}{rest}"))
            .map_err(|e| address_error(&e.to_string()))?;
        let path = decoded(url.path());
        let (endpoint, display) = if kind == Kind::Socket {
            if !(authority.is_empty() || authority.ends_with('@')) {
                return Err(address_error("expected three slashes, as in socket:///path/to/socket"));
            }
            if path.len() < 2 {
                return Err(address_error("expected the path of a socket"));
            }
            (Endpoint::Unix(PathBuf::from(path)), None)
        } else {
            let at = host_port(&url, kind.default_port()).map_err(address_error)?;
            let display = path.trim_matches('/');
            (kind.endpoint(at), (!display.is_empty()).then(|| display.to_owned()))
        };
        Ok(Self {
            endpoint,
            username: (!url.username().is_empty()).then(|| decoded(url.username())),
            password: url.password().map(|password| Secret::new(decoded(password))),
            display,
            options: url.query_pairs().map(|(k, v)| (k.into_owned(), v.into_owned())).collect(),
        })
    }

    /// Whether the peer is on this machine, so that nobody on a network can listen.
    pub fn is_local(&self) -> bool {
        match &self.endpoint {
            Endpoint::Unix(_) | Endpoint::Abstract(_) | Endpoint::Display(_) => true,
            Endpoint::Tcp(at) | Endpoint::Tls(at) | Endpoint::Ssh(at) | Endpoint::WebSocket { at, .. } => {
                at.is_loopback()
            }
        }
    }
}

/// The target without its password, as a URL.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, at) = match &self.endpoint {
            Endpoint::Unix(path) => return write!(f, "socket://{}", path.display()),
            Endpoint::Abstract(name) => return write!(f, "@{name}"),
            Endpoint::Display(name) if name.starts_with("wayland-") => return write!(f, "{name}"),
            Endpoint::Display(name) => return write!(f, ":{name}"),
            Endpoint::Tcp(at) => ("tcp", at),
            Endpoint::Tls(at) => ("ssl", at),
            Endpoint::WebSocket { at, secure: false } => ("ws", at),
            Endpoint::WebSocket { at, secure: true } => ("wss", at),
            Endpoint::Ssh(at) => ("ssh", at),
        };
        write!(f, "{scheme}://{at}/{}", self.display.as_deref().unwrap_or(""))
    }
}

impl Endpoint {
    /// The name that statistics show.
    pub const fn transport_name(&self) -> &'static str {
        match self {
            Self::Tcp(_) => "tcp",
            Self::Tls(_) => "ssl",
            Self::WebSocket { secure: false, .. } => "ws",
            Self::WebSocket { secure: true, .. } => "wss",
            Self::Ssh(_) => "ssh",
            Self::Unix(_) | Self::Abstract(_) | Self::Display(_) => "unix",
        }
    }
}

impl HostPort {
    /// Whether the host is this machine, as far as its name or address says.
    pub fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tcp,
    Tls,
    WebSocket,
    WebSocketTls,
    Ssh,
    Socket,
}

impl Kind {
    const fn default_port(self) -> u16 {
        match self {
            Self::Tcp | Self::Socket => DEFAULT_PORT,
            Self::WebSocket => 80,
            Self::Tls | Self::WebSocketTls => 443,
            Self::Ssh => 22,
        }
    }

    fn endpoint(self, at: HostPort) -> Endpoint {
        match self {
            Self::Tcp | Self::Socket => Endpoint::Tcp(at),
            Self::Tls => Endpoint::Tls(at),
            Self::WebSocket => Endpoint::WebSocket { at, secure: false },
            Self::WebSocketTls => Endpoint::WebSocket { at, secure: true },
            Self::Ssh => Endpoint::Ssh(at),
        }
    }
}

/// Schemes and Xpra's aliases for them (xpra/net/constants.py, `URL_MODES`).
fn scheme_kind(scheme: &str) -> Option<Kind> {
    Some(match scheme {
        "tcp" | "xpra" | "xpra+tcp" | "xpratcp" => Kind::Tcp,
        "ssl" | "tls" | "xpras" | "xpra+ssl" | "xprassl" | "xpra+tls" | "xpratls" => Kind::Tls,
        "ws" | "http" | "xpra+ws" | "xpraws" => Kind::WebSocket,
        "wss" | "https" | "xpra+wss" | "xprawss" => Kind::WebSocketTls,
        "ssh" | "xpra+ssh" | "xprassh" => Kind::Ssh,
        "socket" | "unix" => Kind::Socket,
        _ => return None,
    })
}

/// `:100`, `:100.0`, `100` and `wayland-1` as display names without colon and screen number.
fn local_display(text: &str) -> Result<Option<String>, TargetError> {
    let wrong = || TargetError::Display { got: text.to_owned() };
    let number = match text.strip_prefix(':') {
        Some(number) => number,
        None if text.strip_prefix("wayland-").is_some_and(is_number) => return Ok(Some(text.to_owned())),
        None => {
            let (display, screen) = text.split_once('.').unwrap_or((text, "0"));
            return Ok((is_number(display) && is_number(screen)).then(|| display.to_owned()));
        }
    };
    if let Some(name) = number.strip_prefix("wayland-") {
        return is_number(name).then(|| Some(number.to_owned())).ok_or_else(wrong);
    }
    let (display, screen) = number.split_once('.').unwrap_or((number, "0"));
    if is_number(display) && is_number(screen) { Ok(Some(display.to_owned())) } else { Err(wrong()) }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 6 && text.bytes().all(|b| b.is_ascii_digit())
}

fn host_port(url: &Url, default_port: u16) -> Result<HostPort, &'static str> {
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or("expected a host name")?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match url.port() {
        Some(0) => Err("port 0 cannot be connected to"),
        port => Ok(HostPort { host: decoded(host), port: port.unwrap_or(default_port) }),
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// `text` with what stands before the last `@` left out: there may be a password in it.
fn redacted(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://…@{host}"),
        None => text.to_owned(),
    }
}
