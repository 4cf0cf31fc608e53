//! Understands what people type for a server: every form that Xpra's own clients of both
//! generations take, and plain `HOST[:PORT]`.
//!
//! What was tried with `xpra attach ADDRESS` of 3.1.3 and 6.5.5 stands as a table in
//! `tests/it/net/addresses.rs`. Where the two disagree (an IPv6 address without brackets), nothing
//! is guessed: the refusal says how to write it. No refusal repeats what stands behind the first
//! `:` of the part that may hold a password.

use std::net::Ipv6Addr;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use url::form_urlencoded;

use super::quic::Framing;
use super::uri::{DEFAULT_PORT, Endpoint, HostPort, Target, TargetError};
use super::vsock::VsockAddress;
use crate::protocol::text::is_hidden;
use crate::session::Secret;

/// Schemes of Xpra's and its relatives' that Farpane does not speak: never taken for a host's name.
const UNSPOKEN: [&str; 7] = ["hyperv", "named-pipe", "rdp", "rfb", "udp", "vnc", "webtransport"];
/// What to do about a name or password that cannot stand in an address as it is.
const SPECIAL: &str = "in a name or password @ is written as %40, : as %3A, / as %2F, # as %23, ? as %3F and % \
                       as %25; or leave the password out and use --password-file";
/// Bytes of a host's name (RFC 1035 §2.3.4).
const MAX_HOST: usize = 255;
/// Characters of an address that an error repeats.
const MAX_SHOWN: usize = 80;

/// What a scheme stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tcp,
    Tls,
    WebSocket,
    WebSocketTls,
    Quic,
    WebTransport,
    Ssh,
    Socket,
    Vsock,
}

/// What stands between a scheme and what it is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `tcp://…`, or no scheme at all.
    Url,
    /// `tcp:HOST:PORT[:DISPLAY]`, `ssh:HOST:DISPLAY`.
    Colon,
    /// `tcp/HOST:PORT[/DISPLAY]`.
    Slash,
}

/// An address taken apart, nothing in it understood yet.
struct Parts<'a> {
    /// For the words of errors only.
    text: &'a str,
    kind: Kind,
    form: Form,
    /// The scheme was written, not assumed.
    is_named: bool,
    /// `[USER[:PASSWORD]@]HOST[:PORT]`
    authority: &'a str,
    /// With its first slash.
    path: &'a str,
    query: &'a str,
}

impl Kind {
    const fn default_port(self) -> u16 {
        match self {
            Self::Tcp | Self::Quic | Self::WebTransport | Self::Socket | Self::Vsock => DEFAULT_PORT,
            Self::WebSocket => 80,
            Self::Tls | Self::WebSocketTls => 443,
            Self::Ssh => 22,
        }
    }

    /// The scheme to write.
    const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tls => "ssl",
            Self::WebSocket => "ws",
            Self::WebSocketTls => "wss",
            Self::Quic => "quic",
            Self::WebTransport => "wt",
            Self::Ssh => "ssh",
            Self::Socket => "socket",
            Self::Vsock => "vsock",
        }
    }

    const fn is_web(self) -> bool {
        matches!(self, Self::WebSocket | Self::WebSocketTls | Self::Quic | Self::WebTransport)
    }

    fn endpoint(self, at: HostPort) -> Endpoint {
        match self {
            Self::Tcp | Self::Socket | Self::Vsock => Endpoint::Tcp(at),
            Self::Tls => Endpoint::Tls(at),
            Self::WebSocket => Endpoint::WebSocket { at, secure: false },
            Self::WebSocketTls => Endpoint::WebSocket { at, secure: true },
            Self::Quic => Endpoint::Quic { at, framing: Framing::WebSocket },
            Self::WebTransport => Endpoint::Quic { at, framing: Framing::WebTransport },
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
        "quic" => Kind::Quic,
        "wt" => Kind::WebTransport,
        "ssh" | "xpra+ssh" | "xprassh" => Kind::Ssh,
        "socket" | "unix" | "unix-domain" => Kind::Socket,
        "vsock" => Kind::Vsock,
        _ => return None,
    })
}

/// See [`Target::parse`].
pub(super) fn parse(text: &str) -> Result<Target, TargetError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(TargetError::Empty);
    }
    // Also with a display or options behind it.
    let authority = text.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some(address) = bare_ipv6(authority) {
        return Err(unbracketed(text, "tcp", &address, None));
    }
    if let Some((address, port)) = bare_ipv6_and_port(authority) {
        return Err(unbracketed(text, "tcp", &address, Some(port)));
    }
    if ["./", "../", "~/"].iter().any(|relative| text.starts_with(relative)) {
        let why = "a socket is written with its whole path, as in socket:///path/to/socket".to_owned();
        return Err(TargetError::Address { got: redacted(text), why });
    }
    if let Some(display) = local_display(text)? {
        return Ok(local(Endpoint::Display(display)));
    }
    if let Some(name) = text.strip_prefix('@') {
        return abstract_socket(text, name);
    }
    if text == "/" {
        let why = "expected the path of a socket".to_owned();
        return Err(TargetError::Address { got: redacted(text), why });
    }
    if text.starts_with('/') {
        return Ok(local(Endpoint::Unix(PathBuf::from(text))));
    }
    let (scheme, form, rest) = split_scheme(text);
    let kind = match scheme {
        None => Kind::Tcp,
        Some(scheme) => {
            let scheme = scheme.to_ascii_lowercase();
            let got = || TargetError::Scheme { got: scheme.chars().take(MAX_SHOWN).collect() };
            scheme_kind(&scheme).ok_or_else(got)?
        }
    };
    if let Some(other) = scheme.and(second_scheme(rest)) {
        let why = format!("it has two kinds of connection: write one of them, as in {other}://HOST:PORT/");
        return Err(TargetError::Address { got: redacted(text), why });
    }
    if kind == Kind::Socket {
        return socket(text, form, rest);
    }
    if kind == Kind::Vsock {
        return vsock(text, rest);
    }
    let (authority, after) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (after, fragment) = after.split_once('#').unwrap_or((after, ""));
    let (path, query) = after.split_once('?').unwrap_or((after, ""));
    let parts = Parts { text, kind, form, is_named: scheme.is_some(), authority, path, query };
    if parts.holds_a_stray_password(fragment) {
        return Err(parts.wrong(SPECIAL));
    }
    parts.target()
}

/// The scheme, how it is followed, and what follows. Without `://` only a known scheme is one.
fn split_scheme(text: &str) -> (Option<&str>, Form, &str) {
    let is_scheme = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    };
    if let Some((scheme, rest)) = text.split_once("://")
        && is_scheme(scheme)
    {
        return (Some(scheme), Form::Url, rest);
    }
    let Some(at) = text.find([':', '/']) else { return (None, Form::Url, text) };
    let (word, rest) = text.split_at(at);
    let lower = word.to_ascii_lowercase();
    if !is_scheme(word) || !(scheme_kind(&lower).is_some() || UNSPOKEN.contains(&lower.as_str())) {
        return (None, Form::Url, text);
    }
    let form = if rest.starts_with(':') { Form::Colon } else { Form::Slash };
    (Some(word), form, rest.get(1..).unwrap_or_default())
}

/// The scheme that follows a scheme, as in `tcp://ssl://host`: where TLS was meant, a host called `ssl`
/// is not looked for. A host may have such a name: `tcp://ssl:1000/`.
fn second_scheme(rest: &str) -> Option<&'static str> {
    let (scheme, form, behind) = split_scheme(rest);
    let kind = scheme_kind(&scheme?.to_ascii_lowercase())?;
    let is_port = |text: &str| text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit() || c == '/');
    let is_second = match form {
        Form::Url => true,
        Form::Colon => !is_port(behind) && !behind.contains('@'),
        Form::Slash => false,
    };
    is_second.then(|| kind.name())
}

impl Parts<'_> {
    fn wrong(&self, why: &str) -> TargetError {
        TargetError::Address { got: redacted(self.text), why: why.to_owned() }
    }

    /// Whether a raw `/`, `?` or `#` in a password may have ended the authority too early, so that
    /// the password stands in the path, query or fragment.
    fn holds_a_stray_password(&self, fragment: &str) -> bool {
        let in_path = self.path.contains('@') && !self.kind.is_web();
        let first_name = self.query.split(['=', '&']).next().unwrap_or_default();
        // (An `@` before is one of the password's own then.)
        let after_colon = self.authority.contains(':');
        in_path || (after_colon && (first_name.contains('@') || fragment.contains('@')))
    }

    fn target(&self) -> Result<Target, TargetError> {
        let (credentials, place) = match self.authority.rsplit_once('@') {
            Some((credentials, place)) => (credentials, place),
            None => ("", self.authority),
        };
        let (at, display) = self.place(place)?;
        let (username, password) = match credentials.split_once(':') {
            Some((username, password)) => (username, Some(Secret::new(decoded(password)))),
            None => (credentials, None),
        };
        let display = display.map_or_else(|| self.display(), |display| Ok(Some(display.to_owned())))?;
        Ok(Target {
            endpoint: self.kind.endpoint(at),
            username: (!username.is_empty()).then(|| decoded(username)),
            password,
            display,
            options: form_urlencoded::parse(self.query.as_bytes())
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        })
    }

    /// Host and port, and the display if it stands behind them.
    fn place<'p>(&self, place: &'p str) -> Result<(HostPort, Option<&'p str>), TargetError> {
        let (host, port) = match place.strip_prefix('[') {
            Some(inside) => {
                let (host, port) = inside
                    .split_once(']')
                    .filter(|(_, port)| port.is_empty() || port.starts_with(':'))
                    .ok_or_else(|| self.wrong("expected [IPv6 address]:PORT"))?;
                (self.ipv6(host)?, port.strip_prefix(':').unwrap_or_default())
            }
            None => self.host(place)?,
        };
        let (port, display) = match port.split_once(':') {
            _ if self.form == Form::Colon && self.kind == Kind::Ssh => ("", Some(port)),
            Some((port, display)) if self.form == Form::Colon => (port, Some(display)),
            _ => (port, None),
        };
        let display = display.filter(|display| !display.is_empty());
        let is_display = |text: &str| matches!(local_display(text.trim_start_matches(':')), Ok(Some(_)));
        if display.is_some_and(|display| !is_display(display)) {
            return Err(self.wrong(&self.about_port(place)));
        }
        let port = match port {
            "" => self.kind.default_port(),
            text => match text.parse::<u16>() {
                Ok(0) => return Err(self.wrong("port 0 cannot be connected to")),
                Ok(port) if text.bytes().all(|b| b.is_ascii_digit()) => port,
                _ => return Err(self.wrong(&self.about_port(place))),
            },
        };
        Ok((HostPort { host, port }, display.map(|display| display.trim_start_matches(':'))))
    }

    fn about_port(&self, place: &str) -> String {
        let name = self.kind.name();
        let scheme = if self.is_named {
            ""
        } else {
            "; another kind of connection begins with ssl://, ws:// or wss://"
        };
        let special = if self.text.contains('@') || place.matches(':').count() > 1 {
            format!(" ({SPECIAL})")
        } else {
            String::new()
        };
        format!(
            "invalid port number: expected {name}://HOST:PORT/DISPLAY with a port from 1 to 65535{scheme}{special}"
        )
    }

    /// A host that is no bracketed IPv6 address, and what stands behind its colon.
    fn host<'p>(&self, place: &'p str) -> Result<(String, &'p str), TargetError> {
        let name = self.kind.name();
        if let Some((address, zone)) = place.split_once('%')
            && address.parse::<Ipv6Addr>().is_ok()
        {
            // The zone says where the address ends: both generations of clients take it.
            let (zone, port) = zone.split_once(':').unwrap_or((zone, ""));
            return Ok((self.ipv6(&format!("{address}%{zone}"))?, port));
        }
        if let Some(address) = bare_ipv6(place) {
            return Err(unbracketed(self.text, name, &address, None));
        }
        if let Some((address, port)) = bare_ipv6_and_port(place) {
            return Err(unbracketed(self.text, name, &address, Some(port)));
        }
        let (host, port) = place.split_once(':').unwrap_or((place, ""));
        if place.contains(['[', ']']) {
            return Err(self.wrong("expected [IPv6 address]:PORT"));
        }
        if host.is_empty() {
            return Err(self.wrong(&format!("expected a host name, as in {name}://HOST:PORT/")));
        }
        if self.form != Form::Url && is_number(host) {
            return Err(self.wrong(&format!("expected the name of a host, as in {name}://HOST:PORT/")));
        }
        let host = decoded(host);
        if is_host(&host) { Ok((host, port)) } else { Err(self.wrong("this cannot be a host's name")) }
    }

    /// An IPv6 address, also with a zone (`fe80::1%eth0`; RFC 6874 writes `%25eth0`).
    fn ipv6(&self, text: &str) -> Result<String, TargetError> {
        let (address, zone) = match text.split_once('%') {
            Some((address, zone)) => (address, Some(zone.strip_prefix("25").unwrap_or(zone))),
            None => (text, None),
        };
        let is_zone = |zone: &str| {
            !zone.is_empty() && zone.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-~".contains(&b))
        };
        if address.parse::<Ipv6Addr>().is_err() {
            return Err(self.wrong("this is no IPv6 address: expected for example [2001:db8::7]"));
        }
        match zone {
            Some(zone) if !is_zone(zone) => Err(self.wrong(
                "the zone of the address is no interface's name: expected for example [fe80::1%eth0]",
            )),
            Some(zone) => Ok(format!("{address}%{zone}")),
            None => Ok(address.to_owned()),
        }
    }

    /// The part after the host. Web servers choose by it: of `ws`, `wss`, `quic` and `wt` it stays as it was written.
    fn display(&self) -> Result<Option<String>, TargetError> {
        let path = self.path.strip_prefix('/').unwrap_or(self.path);
        if self.kind.is_web() {
            return Ok(Some(path.to_owned()).filter(|path| !path.is_empty()));
        }
        let display = decoded(path.trim_matches('/'));
        // `tpc/host:1` would look for a host called `tpc`.
        if !self.is_named && display.trim_start_matches(':').contains(':') {
            return Err(self.wrong("expected [SCHEME://]HOST[:PORT][/DISPLAY]"));
        }
        let display = display.strip_prefix(':').filter(|number| is_number(number)).unwrap_or(&display);
        Ok(Some(display.to_owned()).filter(|display| !display.is_empty()))
    }
}

/// A Unix socket, by its path or abstract name: `socket:///PATH`, `socket:/PATH`, `socket:@NAME`.
fn socket(text: &str, form: Form, rest: &str) -> Result<Target, TargetError> {
    let wrong = |why: &str| TargetError::Address { got: redacted(text), why: why.to_owned() };
    if let Some(name) = rest.strip_prefix('@').filter(|name| !name.contains('/')) {
        return abstract_socket(text, name);
    }
    if form == Form::Slash {
        return Err(wrong("expected the path of a socket, as in socket:///path/to/socket"));
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    if !(authority.is_empty() || (form == Form::Url && authority.ends_with('@'))) {
        return Err(wrong("expected three slashes, as in socket:///path/to/socket"));
    }
    let path = decoded(path);
    if path.len() < 2 {
        return Err(wrong("expected the path of a socket"));
    }
    Ok(without_host(Endpoint::Unix(PathBuf::from(path)), authority.trim_end_matches('@'), query))
}

/// An endpoint that is no host, with `NAME[:PASSWORD]`, which may be empty, and options.
fn without_host(endpoint: Endpoint, login: &str, query: &str) -> Target {
    let (username, password) = match login.split_once(':') {
        Some((username, password)) => (username, Some(Secret::new(decoded(password)))),
        None => (login, None),
    };
    Target {
        username: (!username.is_empty()).then(|| decoded(username)),
        password,
        options: form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect(),
        ..local(endpoint)
    }
}

/// `vsock://CID[:PORT]/`, also with a name, a password and options. Nothing follows the port but options.
fn vsock(text: &str, rest: &str) -> Result<Target, TargetError> {
    let wrong = || {
        let why = "expected the number of a machine and a port, as in vsock://2:14500/ (2 is the host, 1 this machine)";
        TargetError::Address { got: redacted(text), why: why.to_owned() }
    };
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let place = place.strip_suffix('/').unwrap_or(place);
    let (login, place) = place.rsplit_once('@').unwrap_or(("", place));
    let (cid, port) = match place.split_once(':') {
        Some((cid, port)) => (cid, port.parse().map_err(|_| wrong())?),
        None => (place, u32::from(DEFAULT_PORT)),
    };
    let cid = match cid {
        "local" => 1,
        "host" => 2,
        number => number.parse().map_err(|_| wrong())?,
    };
    Ok(without_host(Endpoint::Vsock(VsockAddress { cid, port }), login, query))
}

fn abstract_socket(text: &str, name: &str) -> Result<Target, TargetError> {
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '@') {
        let why = "expected the name of an abstract socket, as in @NAME".to_owned();
        return Err(TargetError::Address { got: redacted(text), why });
    }
    Ok(local(Endpoint::Abstract(name.to_owned())))
}

fn local(endpoint: Endpoint) -> Target {
    Target { endpoint, username: None, password: None, display: None, options: Vec::new() }
}

/// `:100`, `:100.0`, `100` and `wayland-1` as display names without colon and screen number.
fn local_display(text: &str) -> Result<Option<String>, TargetError> {
    let wrong = || TargetError::Display { got: redacted(text) };
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

/// Whether this may be a host's name (RFC 1123 §2.1, with the underscore that some networks have), or one
/// in letters of other languages.
fn is_host(name: &str) -> bool {
    let is_ordinary = |c: char| {
        c.is_ascii_alphanumeric() || "-._".contains(c) || !(c.is_ascii() || c.is_whitespace() || is_hidden(c))
    };
    name.len() <= MAX_HOST && name.contains(|c: char| c != '.') && name.chars().all(is_ordinary)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 6 && text.bytes().all(|b| b.is_ascii_digit())
}

/// `text`, if all of it is an IPv6 address.
fn bare_ipv6(text: &str) -> Option<String> {
    text.parse::<Ipv6Addr>().is_ok().then(|| text.to_owned())
}

/// An IPv6 address and a port behind it that cannot be a part of it.
fn bare_ipv6_and_port(text: &str) -> Option<(String, &str)> {
    let (before, port) = text.rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    Some((bare_ipv6(before)?, port))
}

/// What to write instead of an IPv6 address without brackets: where a port begins in it, the two
/// generations of Xpra's clients do not agree. What is repeated was found to be an address.
fn unbracketed(text: &str, scheme: &str, address: &str, port: Option<&str>) -> TargetError {
    let show = |address: &str, port: &str| {
        let port = if port.is_empty() { String::new() } else { format!(":{port}") };
        format!("{scheme}://[{address}]{port}/")
    };
    let shorter = address.rsplit_once(':').filter(|(before, port)| {
        bare_ipv6(before).is_some() && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    let how = match (port, shorter) {
        (Some(port), _) => show(address, port),
        (None, Some((before, port))) => {
            format!("{} or, with a port, {}", show(address, ""), show(before, port))
        }
        (None, None) => show(address, ""),
    };
    let why = format!("an IPv6 address stands in brackets: write {how}");
    TargetError::Address { got: redacted(text), why }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// As much of an address as can be shown where it could not be understood: nothing behind the
/// first `:` after its scheme, or behind `?` or `=`, since a password may stand there.
pub fn redacted(text: &str) -> String {
    let (_, _, rest) = split_scheme(text.trim());
    let begin = text.trim().len() - rest.len();
    let end = rest.find([':', '?', '=']).map_or(text.trim().len(), |colon| begin + colon + 1);
    let shown = text.trim().get(..end).unwrap_or_default();
    let is_cut = end < text.trim().len() || shown.chars().count() > MAX_SHOWN;
    let shown: String = shown.chars().filter(|c| !is_hidden(*c)).take(MAX_SHOWN).collect();
    if is_cut { shown + "…" } else { shown }
}
