//! Proxies on the way to a server: SOCKS5 (RFC 1928, 1929), SOCKS4a, and HTTP's CONNECT (RFC 9110 §9.3.6).

mod connect;
mod environment;
mod error;
mod http;

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::session::Secret;

pub(super) use connect::connect;
use connect::error_of;
pub use environment::Environment;
pub use error::ProxyError;

use super::address::redacted;
use super::uri::{Endpoint, HostPort, Target};

/// The port of a proxy that says none, as Xpra's clients and curl have it.
pub const DEFAULT_PORT: u16 = 1080;
/// Bytes of a name and of a password (RFC 1929 §2).
const MAX_LOGIN: usize = 255;

/// A machine that connects to the server for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    pub kind: ProxyKind,
    pub at: HostPort,
    pub username: Option<String>,
    pub password: Option<Secret>,
    /// The proxy looks names up, not this machine.
    pub resolves: bool,
}

/// What is spoken to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    Http,
    /// SOCKS4, with its extension for names.
    Socks4,
    Socks5,
}

/// What is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProxyChoice {
    /// What [`Environment`] says.
    #[default]
    Auto,
    None,
    Through(Proxy),
}

impl ProxyKind {
    const fn scheme(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Socks4 => "socks4a",
            Self::Socks5 => "socks5",
        }
    }

    /// What to call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "HTTP proxy",
            Self::Socks4 => "SOCKS4 proxy",
            Self::Socks5 => "SOCKS5 proxy",
        }
    }
}

impl Proxy {
    /// Understands `[KIND://][USER[:PASSWORD]@]HOST[:PORT][/][?rdns=no]`. `socks5` and `socks5h` are the same, and so are
    /// `socks4` and `socks4a`: the proxy looks names up unless `rdns=no` says otherwise. Without a kind it is `http`, as
    /// curl has it.
    ///
    /// # Errors
    /// In words that repeat no password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let wrong = |why: &str| {
            format!("{why}: expected for example socks5://HOST:PORT, socks4a://HOST:PORT or http://HOST:PORT")
        };
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let kind = match scheme.to_ascii_lowercase().as_str() {
            "http" => ProxyKind::Http,
            "socks4" | "socks4a" => ProxyKind::Socks4,
            "socks" | "socks5" | "socks5h" => ProxyKind::Socks5,
            "https" => {
                return Err("Farpane speaks no TLS to a proxy: is it reached as http:// too?".to_owned());
            }
            "ssh" | "ssh+ssh" | "xpra+ssh" => {
                return Err("ssh has jump hosts of its own: --ssh=\"ssh -J HOST\"".to_owned());
            }
            _ => return Err(wrong(&format!("`{}` is no kind of proxy that Farpane knows", redacted(text)))),
        };
        let (authority, after) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let resolves = match after.trim_start_matches('/') {
            "" | "?rdns=yes" => true,
            "?rdns=no" => false,
            _ => return Err(wrong("a proxy's address ends with its port (or with ?rdns=no)")),
        };
        let (login, place) = match authority.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, authority),
        };
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (username, password) = match login.map(|login| login.split_once(':').ok_or(login)) {
            Some(Ok((name, password))) => (Some(decoded(name)), Some(Secret::new(decoded(password)))),
            Some(Err(name)) => (Some(decoded(name)), None),
            None => (None, None),
        };
        let has_port = place.rsplit_once(']').map_or(place, |(_, port)| port).contains(':');
        let place = if has_port { place.to_owned() } else { format!("{place}:{DEFAULT_PORT}") };
        let Ok(Target { endpoint: Endpoint::Tcp(at), .. }) = Target::parse(&format!("tcp://{place}/")) else {
            return Err(wrong("that is no host and port of a proxy"));
        };
        let username = username.filter(|name| !name.is_empty());
        let password = password.filter(|password| !password.expose().is_empty());
        Self { kind, at, username, password, resolves }.checked()
    }

    /// The same, if the kind of proxy can be told this login.
    ///
    /// # Errors
    /// If it cannot.
    pub fn checked(self) -> Result<Self, String> {
        let name = self.username.as_deref().unwrap_or_default();
        let password = self.password.as_ref().map_or("", Secret::expose);
        if name.len() > MAX_LOGIN || password.len() > MAX_LOGIN {
            return Err(format!("a proxy takes names and passwords of up to {MAX_LOGIN} bytes"));
        }
        match self.kind {
            // A name alone is none: the password is asked for with the proxy's refusal.
            ProxyKind::Socks5 if name.is_empty() && !password.is_empty() => {
                Err("a SOCKS5 proxy takes a password with a name".to_owned())
            }
            ProxyKind::Socks4 if name.contains('\0') || !password.is_empty() => {
                Err("a SOCKS4 proxy takes a name, and no password".to_owned())
            }
            ProxyKind::Http if name.contains(':') || (name.is_empty() && !password.is_empty()) => {
                Err("an HTTP proxy takes a name without `:`, and a password with it".to_owned())
            }
            _ => Ok(self),
        }
    }
}

/// The proxy without its password, as [`Proxy::parse`] takes it.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.kind.scheme())?;
        if let Some(name) = &self.username {
            write!(f, "{}@", utf8_percent_encode(name, NON_ALPHANUMERIC))?;
        }
        write!(f, "{}", self.at)?;
        if self.resolves { Ok(()) } else { f.write_str("/?rdns=no") }
    }
}

impl ProxyChoice {
    /// `auto`, `none`, or a [`Proxy`].
    ///
    /// # Errors
    /// See [`Proxy::parse`].
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.trim() {
            "auto" => Ok(Self::Auto),
            "none" | "no" | "off" | "" => Ok(Self::None),
            text => Proxy::parse(text).map(Self::Through),
        }
    }
}

/// Takes the password out of a proxy's address, understood or not: the text without it, and the password as it was
/// written, with its escapes.
pub fn without_password(text: &str) -> (String, Option<Secret>) {
    let begin = text.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = text.split_at(begin);
    // A password with a `/` is none in an address, but is not to be shown for that.
    let Some((login, place)) = rest.rsplit_once('@') else { return (text.to_owned(), None) };
    let Some((name, password)) = login.split_once(':') else { return (text.to_owned(), None) };
    (format!("{scheme}{name}@{place}"), Some(Secret::new(password.to_owned())))
}

/// A password as an address has it.
pub fn escaped(password: &Secret) -> Secret {
    // All in one piece: a text that grew would leave parts behind.
    let mut text = String::with_capacity(3 * password.expose().len());
    text.extend(utf8_percent_encode(password.expose(), NON_ALPHANUMERIC));
    Secret::new(text)
}

/// Puts a password back into where [`without_password`] took it from.
pub fn with_password(text: &str, password: &Secret) -> Secret {
    let begin = text.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = text.split_at(begin);
    let (name, place) = rest.rsplit_once('@').unwrap_or(("", rest));
    // All in one piece, as above.
    let mut whole = String::with_capacity(text.len() + password.expose().len() + 2);
    for part in [scheme, name, ":", password.expose(), "@", place] {
        whole.push_str(part);
    }
    Secret::new(whole)
}
