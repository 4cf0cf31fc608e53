//! Session files, `.xpra`: what Xpra's own launcher saves and loads (`xpra/client/gtk3/launcher.py`,
//! `xpra/scripts/config.py`: `read_config`, `save_config`).
//!
//! Lines of `name=value`, in UTF-8, in UTF-16 with a byte order mark, or in Latin-1 where they are neither. Empty lines
//! and lines that begin with `#` or `!` are comments; a line that ends in `\` goes on in the next; a name that comes
//! twice has several values. Names are the launcher's own (`host`, `port`, `mode`, …) and Xpra's options by their long
//! names. Everything that is not changed is written back as it was read, whether Farpane knows it or not.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::layers::PROXY;
use super::private_file::{read_bounded, utf16};
use super::proxy_words::{self, ProxyWords};
use super::request::{OpenError, Request, Sender};
use super::{Layer, Origin, aes, flag, layers};
use crate::net::address::redacted;
use crate::net::proxy::without_password;
use crate::net::quic::Framing;
use crate::net::uri::DEFAULT_PORT;
use crate::net::{Endpoint, HostPort, Secret, Target, new_file};

/// A larger file is no session file, in bytes.
pub const MAX_BYTES: u64 = 64 * 1024;

/// The launcher's names that Farpane reads besides options.
const OWN_NAMES: [&str; 6] = ["host", "port", "mode", "username", "path", "autoconnect"];
/// Names whose values are passwords.
const PASSWORDS: [&str; 3] = ["password", "proxy_password", "proxy-password"];

/// What the launchers write for a port with AES: the cipher stands behind the plus sign.
const TCP_WITH: &str = "tcp + ";

/// A session file in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionFile {
    lines: Vec<Line>,
    /// Where it was read from, for the words of errors.
    path: PathBuf,
}

/// A line, or several that `\` joins.
#[derive(Clone, PartialEq, Eq)]
struct Line {
    /// As it was read, with its end.
    raw: Zeroizing<String>,
    /// The number of the first line, from 1; 0 for one that was not read.
    number: usize,
    pair: Option<(String, Zeroizing<String>)>,
}

/// Passwords stay out of logs, also those that the file has under other names or on a line of their own.
impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.pair {
            Some((name, _)) if is_known(name) => write!(f, "{name}=…"),
            _ => f.write_str("…"),
        }
    }
}

/// A session file that cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionFileError {
    #[error("cannot read the session file {}: {why}", path.display())]
    Read { path: PathBuf, why: String },
    #[error("cannot write the session file {}: {why}", path.display())]
    Write { path: PathBuf, why: String },
    #[error("`{name}` cannot have this value: it must be one line that does not end in a backslash")]
    Value { name: String },
}

/// What is wrong with a field, in words for the one who filled it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field's name in the file: `host`, `port`, `quality`.
    pub name: String,
    /// Its line, from 1; 0 if it is in none.
    pub line: usize,
    pub message: String,
}

impl SessionFile {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read or is larger than [`MAX_BYTES`].
    pub fn read(path: &Path) -> Result<Self, SessionFileError> {
        let bytes = read_bounded(path, MAX_BYTES)
            .map_err(|why| SessionFileError::Read { path: path.to_owned(), why: why.to_string() })?;
        Ok(Self { path: path.to_owned(), ..Self::from_bytes(&bytes) })
    }

    /// Understands what is in a file, whatever its text is encoded in.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => Zeroizing::new(text.to_owned()),
            // 3.1.3's launcher writes no encoding of its own, and comments are often older than UTF-8.
            Err(_) => utf16(bytes).unwrap_or_else(|| {
                let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 2));
                text.extend(bytes.iter().map(|byte| char::from(*byte)));
                text
            }),
        };
        Self::parse(&text)
    }

    /// Understands a file's text. Lines that say nothing are kept as they are.
    pub fn parse(text: &str) -> Self {
        let text = text.trim_start_matches('\u{feff}');
        let mut lines: Vec<Line> = Vec::new();
        // The lines that belong together, and what they say so far: a text that grew would leave parts behind.
        let (mut begin, mut end, mut first) = (0, 0, 1);
        let mut said = Zeroizing::new(String::with_capacity(text.len() + 1));
        let copied =
            |begin: usize, end: usize| Zeroizing::new(text.get(begin..end).unwrap_or_default().to_owned());
        for (index, line) in text.split_inclusive('\n').enumerate() {
            if begin == end {
                first = index + 1;
            }
            end += line.len();
            let line = line.trim();
            let is_comment = line.is_empty() || line.starts_with(['!', '#']);
            // Xpra takes comments out before it joins lines.
            match line.strip_suffix('\\') {
                _ if is_comment && !said.is_empty() => continue,
                Some(begun) if !is_comment => {
                    said.push_str(begun);
                    said.push(' ');
                    continue;
                }
                _ if is_comment => {}
                _ => said.push_str(line),
            }
            lines.push(Line { raw: copied(begin, end), number: first, pair: pair(&said) });
            said.clear();
            begin = end;
        }
        if begin < end {
            lines.push(Line { raw: copied(begin, end), number: first, pair: pair(&said) });
        }
        Self { lines, path: PathBuf::new() }
    }

    /// A file that leads to `target` with these options; without any password.
    pub fn new(target: &Target, options: &Layer) -> Self {
        let mut file = Self::default();
        // What was parsed fits into a line.
        let _ = file.update(target, options);
        file
    }

    /// Makes the file lead to `target` with these options. What it says besides stays.
    ///
    /// # Errors
    /// If the file's format cannot hold a value.
    pub fn update(&mut self, target: &Target, options: &Layer) -> Result<(), SessionFileError> {
        let kept = self.proxy();
        let is_stale = |name: &str| {
            ["host", "port", "ssh_port", "path", "username"].contains(&name)
                || layers::long_name(name).is_ok_and(|option| options.value(&option).is_none())
        };
        let stale: Vec<String> =
            self.pairs().map(|(name, ..)| name.to_owned()).filter(|name| is_stale(name)).collect();
        stale.iter().for_each(|name| self.remove(name));
        let mut add = |name: &str, value: &str| self.set(name, value);
        let (mode, host, display) = match &target.endpoint {
            Endpoint::Tcp(at) => ("tcp", Some(at), None),
            Endpoint::Tls(at) => ("ssl", Some(at), None),
            Endpoint::WebSocket { at, secure: false } => ("ws", Some(at), None),
            Endpoint::WebSocket { at, secure: true } => ("wss", Some(at), None),
            Endpoint::Quic { at, framing } => (framing.scheme(), Some(at), None),
            Endpoint::Ssh(at) => ("ssh", Some(at), target.display.as_deref()),
            Endpoint::Display(display) => ("display", None, Some(display.as_str())),
            Endpoint::Unix(_) | Endpoint::Abstract(_) => ("socket", None, None),
            Endpoint::Vsock(_) => ("vsock", None, None),
        };
        add("mode", mode)?;
        if let Some(HostPort { host, port }) = host {
            add("host", host)?;
            add(if mode == "ssh" { "ssh_port" } else { "port" }, &port.to_string())?;
        }
        if let Some(display) = display {
            add("port", display)?;
        }
        match &target.endpoint {
            Endpoint::Unix(path) => add("path", &path.to_string_lossy())?,
            Endpoint::Abstract(name) => add("path", &format!("@{name}"))?,
            Endpoint::Vsock(at) => {
                add("host", &at.cid.to_string())?;
                add("port", &at.port.to_string())?;
            }
            Endpoint::Ssh(_) | Endpoint::Display(_) => {}
            _ => add("path", target.display.as_deref().unwrap_or_default())?,
        }
        if let Some(username) = &target.username {
            add("username", username)?;
        }
        for (name, value) in options.values() {
            if name != PROXY {
                self.set(name, &value.text.to_string_lossy())?;
            }
        }
        // What stays the same keeps its words, and with them its password.
        let wanted = options.value(PROXY).map(|value| &value.text);
        if kept.as_ref() != wanted {
            proxy_words::NAMES.iter().for_each(|name| self.remove(name));
            if let Some(text) = wanted {
                self.set(PROXY, &text.to_string_lossy())?;
            }
        }
        Ok(())
    }

    /// The proxy that the file names, without its password.
    fn proxy(&self) -> Option<std::ffi::OsString> {
        self.options(&mut Vec::new()).value(PROXY).map(|value| value.text.clone())
    }

    /// The file's text, with the passwords in it.
    pub fn to_text(&self) -> Zeroizing<String> {
        joined(self.lines.iter().map(|line| line.raw.as_str()))
    }

    /// Writes the file, readable by its owner only, in one step: nobody finds half of it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), SessionFileError> {
        new_file::replace(path, self.to_text().as_bytes())
            .map_err(|why| SessionFileError::Write { path: path.to_owned(), why: why.to_string() })
    }

    /// The values of a name, in order.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.pairs().filter(move |(n, ..)| *n == name).map(|(_, value, _)| value)
    }

    /// The last value of a name that is not empty.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values(name).filter(|value| !value.is_empty()).last()
    }

    /// Gives a name this value in place of those that it has. Passwords are not set here: see
    /// [`Self::store_password`].
    ///
    /// # Errors
    /// If the file's format cannot hold the name or value.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), SessionFileError> {
        let error = || SessionFileError::Value { name: name.to_owned() };
        if PASSWORDS.contains(&name) {
            return Err(error());
        }
        self.put(name, value).ok_or_else(error)
    }

    fn put(&mut self, name: &str, value: &str) -> Option<()> {
        let (name, value) = (name.trim(), value.trim());
        let is_name = !name.is_empty() && !name.starts_with(['#', '!']) && !name.contains(['=', '\\']);
        let is_line = |text: &str| !text.contains(char::is_control);
        if !is_name || !is_line(name) || !is_line(value) || value.ends_with('\\') {
            return None;
        }
        let end =
            self.lines.first().map_or("\n", |line| if line.raw.ends_with("\r\n") { "\r\n" } else { "\n" });
        let written = Line {
            raw: joined([name, "=", value, end].into_iter()),
            number: 0,
            pair: Some((name.to_owned(), Zeroizing::new(value.to_owned()))),
        };
        match self.lines.iter().position(|line| line.is(name)) {
            Some(at) => {
                let number = self.lines[at].number;
                self.lines[at] = Line { number, ..written };
                let mut index = 0;
                self.lines.retain(|line| {
                    index += 1;
                    index - 1 == at || !line.is(name)
                });
            }
            None => {
                let last = self.lines.last_mut();
                if last.as_ref().is_some_and(|last| last.goes_on()) {
                    // It would swallow what follows it.
                    self.lines.insert(self.lines.len() - 1, written);
                    return Some(());
                }
                if let Some(last) = last.filter(|last| !last.raw.ends_with('\n')) {
                    last.raw = joined([last.raw.as_str(), end].into_iter());
                }
                self.lines.push(written);
            }
        }
        Some(())
    }

    /// Takes a name out of the file.
    pub fn remove(&mut self, name: &str) {
        self.lines.retain(|line| !line.is(name));
    }

    /// Puts a password into the file, in plain text: only when the user asked for it.
    ///
    /// # Errors
    /// If the file's format cannot hold it.
    pub fn store_password(&mut self, password: &Secret) -> Result<(), SessionFileError> {
        let error = || SessionFileError::Value { name: "password".to_owned() };
        let text = password.expose();
        // The format drops spaces at both ends.
        if text.trim() != text {
            return Err(error());
        }
        self.put("password", text).ok_or_else(error)
    }

    /// Takes all passwords out of the file.
    pub fn forget_passwords(&mut self) {
        PASSWORDS.iter().for_each(|name| self.remove(name));
        // The address of a proxy may hold one.
        let proxy = self.value(PROXY).map(without_password);
        if let Some((text, Some(_))) = proxy {
            let _ = self.set(PROXY, &text);
        }
    }

    /// The password that stands in the file.
    pub fn password(&self) -> Option<Secret> {
        self.value("password").map(|text| Secret::new(text.to_owned()))
    }

    /// Whether opening the file should connect without showing a form first.
    pub fn autoconnect(&self) -> bool {
        self.value("autoconnect").is_some_and(|text| flag(text) == Ok(true))
    }

    /// What is wrong with the fields; none if the file can be connected to.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let _ = self.target(&mut problems);
        let _ = self.options(&mut problems);
        problems
    }

    /// Where the file leads, and how. Questions are raised unless it is the user's `own`.
    ///
    /// # Errors
    /// With the first of [`Self::problems`].
    pub fn request(&self, own: bool) -> Result<Request, OpenError> {
        let mut problems = Vec::new();
        let target = self.target(&mut problems);
        let options = self.options(&mut problems);
        match (target, problems.into_iter().next()) {
            (Some(target), None) => {
                let sender = if own { Sender::Own } else { Sender::SessionFile };
                Ok(Request::new(target, self.password(), options, sender))
            }
            (_, problem) => {
                let problem = problem.unwrap_or_else(|| self.problem("host", "no server"));
                Err(OpenError::Field { path: self.path.clone(), problem })
            }
        }
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str, usize)> {
        self.lines.iter().filter_map(|line| {
            line.pair.as_ref().map(|(name, value)| (name.as_str(), value.as_str(), line.number))
        })
    }

    fn problem(&self, name: &str, message: impl Into<String>) -> Problem {
        let line = self.pairs().filter(|(n, ..)| *n == name).last().map_or(0, |(.., line)| line);
        Problem { name: name.to_owned(), line, message: message.into() }
    }

    fn target(&self, problems: &mut Vec<Problem>) -> Option<Target> {
        let mode = self.value("mode").unwrap_or("tcp").to_ascii_lowercase();
        let default_port = match mode.as_str() {
            "tcp" | "quic" | "wt" => DEFAULT_PORT,
            "ssl" | "wss" => 443,
            "ws" => 80,
            "ssh" | "ssh -> ssh" => 22,
            "display" => 0,
            "socket" | "unix-domain" => {
                let path = self.value("path");
                let endpoint = match path.map(|path| path.strip_prefix('@').ok_or(path)) {
                    Some(Ok(name)) => Endpoint::Abstract(name.to_owned()),
                    Some(Err(path)) => Endpoint::Unix(PathBuf::from(path)),
                    None => self.display(problems)?,
                };
                return Some(self.local(endpoint));
            }
            "vsock" => {
                let port = self.value("port").map(|port| format!(":{port}")).unwrap_or_default();
                let place = format!("vsock://{}{port}/", self.value("host").unwrap_or_default());
                return match Target::parse(&place) {
                    Ok(Target { endpoint, username: None, password: None, .. }) => Some(self.local(endpoint)),
                    _ => {
                        let words =
                            "expected the number of a machine, and a number as port: host=2, port=14500";
                        problems.push(self.problem("host", words));
                        None
                    }
                };
            }
            encrypted if encrypted.starts_with("tcp + aes") => DEFAULT_PORT,
            _ => {
                let known = "expected tcp, ssl, ws, wss, quic, wt, ssh, display, vsock or socket";
                let words = format!("`{mode}` is not a kind of connection that Farpane knows: {known}");
                problems.push(self.problem("mode", words));
                return None;
            }
        };
        if mode == "display" {
            let endpoint = self.display(problems)?;
            return Some(self.local(endpoint));
        }
        let named = if mode.starts_with("ssh") { "ssh_port" } else { "port" };
        let host = match self.value("host") {
            None => {
                let words = "no server: expected its name or address, as in host=server.example.org";
                problems.push(self.problem("host", words));
                None
            }
            Some(text) => Self::host(text).map_err(|why| problems.push(self.problem("host", why))).ok(),
        };
        let behind_host = host.as_ref().and_then(|(_, port)| *port);
        let port = match self.value(named) {
            // What the launcher writes for a port that nobody has chosen.
            None | Some("-1" | "0") => Some(behind_host.unwrap_or(default_port)),
            Some(text) => text.parse().ok().filter(|port| *port > 0),
        };
        match (port, behind_host) {
            (None, _) => problems.push(self.problem(named, "expected a port number, 1 to 65535")),
            (Some(port), Some(other)) if port != other => {
                let words =
                    format!("the port {other} behind the host and the {named} {port} contradict each other");
                problems.push(self.problem("host", words));
                return None;
            }
            _ => {}
        }
        let at = HostPort { host: host?.0, port: port? };
        let endpoint = match mode.as_str() {
            "ssl" => Endpoint::Tls(at),
            "ws" | "wss" => Endpoint::WebSocket { at, secure: mode == "wss" },
            "quic" => Endpoint::Quic { at, framing: Framing::WebSocket },
            "wt" => Endpoint::Quic { at, framing: Framing::WebTransport },
            "ssh" | "ssh -> ssh" => Endpoint::Ssh(at),
            _ => Endpoint::Tcp(at),
        };
        Some(self.local(endpoint))
    }

    /// A host, and the port behind it, if one stands there: `HOST`, `HOST:PORT`, `::1`, `[::1]:PORT`.
    fn host(text: &str) -> Result<(String, Option<u16>), String> {
        let not_a_host = || format!("`{}` is not a server's name or address", redacted(text));
        if text.contains("://") {
            return Err(format!("{}: what stands before :// belongs behind mode=", not_a_host()));
        }
        if text.contains(|c: char| c.is_whitespace() || c.is_control() || "/@?#".contains(c)) {
            return Err(not_a_host());
        }
        // Here no port follows, so that an address of IPv6 needs no brackets.
        let bare = text.split('%').next().unwrap_or_default().parse::<std::net::Ipv6Addr>();
        let place = if bare.is_ok() { format!("[{text}]") } else { text.to_owned() };
        let has_port = place.trim_start_matches(|c| c != ']').trim_start_matches(']').starts_with(':')
            || (!place.starts_with('[') && place.contains(':'));
        match Target::parse(&format!("tcp://{place}/")).map(|target| target.endpoint) {
            Ok(Endpoint::Tcp(at)) => Ok((at.host, has_port.then_some(at.port))),
            _ => Err(not_a_host()),
        }
    }

    /// The launcher keeps a display's number in the port.
    fn display(&self, problems: &mut Vec<Problem>) -> Option<Endpoint> {
        let display =
            self.value("port").map(|text| Target::parse(&format!(":{}", text.trim_start_matches(':'))));
        match display {
            Some(Ok(Target { endpoint, .. })) => Some(endpoint),
            _ => {
                problems.push(self.problem("port", "expected the number of a display, for example 100"));
                None
            }
        }
    }

    fn local(&self, endpoint: Endpoint) -> Target {
        let is_local = matches!(
            endpoint,
            Endpoint::Unix(_) | Endpoint::Abstract(_) | Endpoint::Display(_) | Endpoint::Vsock(_)
        );
        // Behind ssh, the launcher's port is a display's number.
        let name = if matches!(endpoint, Endpoint::Ssh(_)) { "port" } else { "path" };
        // A web server's path stays as it is.
        let trimmed = |path: &'_ str| match endpoint {
            Endpoint::WebSocket { .. } | Endpoint::Quic { .. } => {
                path.strip_prefix('/').unwrap_or(path).to_owned()
            }
            _ => path.trim_matches('/').to_owned(),
        };
        let path = self.value(name).map(trimmed).filter(|path| !path.is_empty() && path != "-1");
        Target {
            endpoint,
            username: self.value("username").map(str::to_owned),
            password: None,
            display: path.filter(|_| !is_local),
            options: Vec::new(),
        }
    }

    /// The options in the file; names that Farpane does not know are left alone.
    fn options(&self, problems: &mut Vec<Problem>) -> Layer {
        let mut layer = Layer::default();
        let mut proxy = (ProxyWords::default(), 0);
        for (name, text, line) in self.pairs() {
            if proxy.0.take(name, text) {
                proxy.1 = line;
                continue;
            }
            let origin = Origin::File { path: self.path.clone(), line };
            let lower = text.to_ascii_lowercase();
            let cipher = lower.strip_prefix(TCP_WITH).filter(|_| name == "mode");
            if let Some(option) = cipher.map(|_| aes::ENCRYPTION).or_else(|| aes::meaning(name)) {
                if let Err(error) = aes::say(&mut layer, option, cipher.unwrap_or(text), origin) {
                    problems.push(Problem { name: name.to_owned(), line, message: error.to_string() });
                }
                continue;
            }
            let is_own = OWN_NAMES.contains(&name) || PASSWORDS.contains(&name);
            let Some(long) = layers::long_name(name).ok().filter(|_| !is_own && !text.is_empty()) else {
                continue;
            };
            let text = match layer.value(&long) {
                // As Xpra: further lines add to a list.
                Some(before) if layers::is_list(&long) => {
                    format!("{},{}", before.text.to_string_lossy(), plain(text))
                }
                _ => plain(text),
            };
            if let Err(error) = layer.set(&long, text, origin) {
                problems.push(Problem { name: name.to_owned(), line, message: error.to_string() });
            }
        }
        let (words, line) = proxy;
        let origin = Origin::File { path: self.path.clone(), line };
        if let Err(error) = words.finish(&mut layer, origin) {
            problems.push(Problem { name: PROXY.to_owned(), line, message: error.to_string() });
        }
        if let Err(error) = aes::finish(&mut layer) {
            problems.push(Problem { name: aes::KEY_FILE.to_owned(), line: 0, message: error.to_string() });
        }
        layer
    }
}

impl Line {
    fn is(&self, name: &str) -> bool {
        self.pair.as_ref().is_some_and(|(n, _)| n == name)
    }

    /// Whether the next line would belong to it: its `\` joins the end of the file with nothing yet.
    fn goes_on(&self) -> bool {
        let mut said =
            self.raw.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['!', '#']));
        said.next_back().is_some_and(|line| line.ends_with('\\'))
    }
}

/// The parts as one text, which has room for them from the beginning: nothing of it is left behind.
fn joined<'t>(parts: impl Iterator<Item = &'t str> + Clone) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(parts.clone().map(str::len).sum()));
    parts.for_each(|part| text.push_str(part));
    text
}

/// Whether a name is Xpra's or Farpane's.
fn is_known(name: &str) -> bool {
    OWN_NAMES.contains(&name)
        || PASSWORDS.contains(&name)
        || proxy_words::NAMES.contains(&name)
        || layers::long_name(name).is_ok()
}

/// Xpra's launcher writes lists as Python does: `['png', 'rgb']`.
fn plain(text: &str) -> String {
    match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        Some(list) => {
            let items = list.split(',').map(|item| item.trim().trim_matches(['\'', '"']));
            items.collect::<Vec<_>>().join(",")
        }
        None => text.to_owned(),
    }
}

fn pair(said: &str) -> Option<(String, Zeroizing<String>)> {
    let (name, value) = said.trim().split_once('=')?;
    let name = name.trim();
    (!name.is_empty()).then(|| (name.to_owned(), Zeroizing::new(value.trim().to_owned())))
}
