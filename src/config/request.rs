//! What a user opens: an address, a link, or a session file, understood but not yet connected to.
//!
//! Links, and session files that are not the user's own, come from others. They lead to a server,
//! which is told nothing before the user said yes, and may set options of an allow-list of harmless
//! ones ([`HARMLESS`]), as Xpra's clients have it
//! (`URL_SAFE_OPTIONS` in `xpra/scripts/config.py`). Whatever else they say of Farpane's options
//! becomes a [`Question`]: nothing of it happens before the user said yes. What the user typed or saved
//! raises none. Options of Xpra that
//! Farpane lacks (`start`, `open-command`, …) are ignored. The one that names a command to run on this machine, `ssh`,
//! is the opposite of harmless.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use zeroize::Zeroizing;

use super::connections;
use super::layers::Value;
use super::proxy_words::ProxyWords;
use super::session_file::{Problem, SessionFileError};
use super::{Layer, OptionError, Origin, SessionFile, aes};
use crate::net::{Endpoint, Secret, Target, TargetError};
use crate::protocol::text;

/// A longer link is no link, in bytes.
pub const MAX_LINK_BYTES: usize = 4096;

/// The option that names a program to run on this machine: an address may not even if it was typed.
const RUNS_A_COMMAND: &str = "ssh";

/// Options that anybody may suggest: how pictures look and come, and the name to log in with. None
/// of them touches a file, a check, or what this machine does with anything but the session.
pub const HARMLESS: [&str; 16] = [
    "bandwidth-limit",
    "compression-level",
    "compressors",
    "desktop-scaling",
    "encoding",
    "encodings",
    "min-quality",
    "min-speed",
    "overlay",
    "present-mode",
    "quality",
    "reconnect",
    "renderer",
    "scaling-filter",
    "speed",
    "username",
];

/// Schemes that desktops hand to us, beside `farpane`. Typed addresses may have them too.
const LINK_SCHEMES: [&str; 14] = [
    "xpra", "xpra+ssh", "xpra+ssl", "xpra+tcp", "xpra+tls", "xpra+ws", "xpra+wss", "xpras", "xprassh",
    "xprassl", "xpratcp", "xpratls", "xpraws", "xprawss",
];

/// Where to attach, and what was said of the options with it.
#[derive(Clone, Debug)]
pub struct Request {
    pub target: Target,
    pub password: Option<Secret>,
    pub options: Layer,
    pub sender: Sender,
    /// What may only be done if the user says yes.
    pub questions: Vec<Question>,
    /// Names in the URL that mean nothing to Farpane.
    pub ignored: Vec<String>,
}

/// Who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The user typed an address.
    Typed,
    /// One of the user's own saved connections.
    Own,
    /// Whoever wrote a link.
    Link,
    /// Whoever wrote a session file.
    SessionFile,
}

impl Sender {
    /// Somebody other than the user may have written it.
    pub const fn is_foreign(self) -> bool {
        matches!(self, Self::Link | Self::SessionFile)
    }
}

/// Something that a link or session file wants and may not have without the user's consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The option's long name.
    pub name: String,
    pub value: String,
    /// The password that belongs to the value and is not shown with it.
    pub secret: Option<Secret>,
    /// What it would do, for example `it would write a file`.
    pub why: &'static str,
}

/// Something that cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error("this link cannot be opened: {0}")]
    Link(#[from] LinkError),
    #[error("in the address: {0}")]
    Option(#[from] OptionError),
    #[error(
        "the address holds a key for Xpra's own encryption (`{0}`), where others can read it: put the key into a file, and say encryption-keyfile=FILE instead"
    )]
    Key(String),
    #[error(transparent)]
    SessionFile(#[from] SessionFileError),
    #[error("{}{}: {}", path.display(), line(problem.line), problem.message)]
    Field { path: PathBuf, problem: Problem },
}

fn line(number: usize) -> String {
    if number == 0 { String::new() } else { format!(":{number}") }
}

/// A link that leads nowhere good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    #[error("it is {bytes} bytes long, expected at most {MAX_LINK_BYTES}")]
    TooLong { bytes: usize },
    #[error("it contains control characters")]
    Control,
    #[error("links lead to servers on the network, never to sockets, displays or files of this machine")]
    Local,
}

impl Request {
    /// Understands what a user opens: an address in any form of [`Target`], a link
    /// (`xpra…://`, `farpane:`), or the name of a session file, which is read.
    ///
    /// # Errors
    /// If it is none of them, or says something that cannot be.
    pub fn open(text: &str) -> Result<Self, OpenError> {
        let text = text.trim();
        if let Some(path) = session_file_path(text) {
            let own = connections::Store::user().is_some_and(|store| store.holds(&path));
            return SessionFile::read(&path)?.request(own);
        }
        Self::address(text)
    }

    /// Understands an address or a link; touches no file.
    ///
    /// # Errors
    /// If it is neither, or says something that cannot be.
    pub fn address(text: &str) -> Result<Self, OpenError> {
        let text = text.trim();
        let address = link_address(text);
        let sender = if address.is_some() { Sender::Link } else { Sender::Typed };
        if sender == Sender::Link {
            if text.len() > MAX_LINK_BYTES {
                return Err(LinkError::TooLong { bytes: text.len() }.into());
            }
            // Nobody sees what they do where it is shown.
            if percent_decode_str(text).decode_utf8_lossy().contains(char::is_control) {
                return Err(LinkError::Control.into());
            }
        }
        let mut target = Target::parse(address.as_ref().map_or(text, |address| address.as_str()))?;
        let is_local = matches!(
            target.endpoint,
            Endpoint::Unix(_) | Endpoint::Abstract(_) | Endpoint::Display(_) | Endpoint::Vsock(_)
        );
        if is_local && sender == Sender::Link {
            return Err(LinkError::Local.into());
        }
        let (mut options, mut ignored) = (Layer::default(), Vec::new());
        let in_path = match target.endpoint {
            // That path belongs to the web server.
            Endpoint::WebSocket { .. } | Endpoint::Quic { .. } => Vec::new(),
            _ => options_in_path(&mut target),
        };
        let mut proxy = ProxyWords::default();
        for (name, value) in in_path.into_iter().chain(std::mem::take(&mut target.options)) {
            let value = Zeroizing::new(value);
            if proxy.take(&name, &value) {
                continue;
            }
            if aes::is_key(&name) {
                return Err(OpenError::Key(text::name(&name)));
            }
            if let Some(name) = aes::meaning(&name) {
                aes::say(&mut options, name, &value, Origin::Link)?;
                continue;
            }
            match super::layers::long_name(&name) {
                Ok(name) => options.set(&name, value.as_str(), Origin::Link)?,
                Err(_) => ignored.push(name),
            }
        }
        proxy.finish(&mut options, Origin::Link)?;
        aes::finish(&mut options)?;
        let password = target.password.take();
        Ok(Self { ignored, ..Self::new(target, password, options, sender) })
    }

    /// A session of this machine that is to be started, on a display that is free.
    pub fn new_session() -> Self {
        let endpoint = Endpoint::Display(String::new());
        let target = Target { endpoint, username: None, password: None, display: None, options: Vec::new() };
        Self::new(target, None, Layer::default(), Sender::Typed)
    }

    /// What to attach to; raises questions about what `sender` may not decide.
    pub fn new(target: Target, password: Option<Secret>, options: Layer, sender: Sender) -> Self {
        let (mut allowed, mut questions) = (Layer::default(), Vec::new());
        for (name, value) in options.values() {
            let may_say = match name {
                // An address is easily pasted.
                RUNS_A_COMMAND => sender == Sender::Own,
                _ => !sender.is_foreign() || HARMLESS.contains(&name),
            };
            if may_say || is_less(name, &value.text) {
                allowed.take(name, value);
            } else {
                let (secret, value) = (value.secret.clone(), value.text.to_string_lossy().into_owned());
                questions.push(Question { name: name.to_owned(), value, secret, why: consequence(name) });
            }
        }
        Self { target, password, options: allowed, sender, questions, ignored: Vec::new() }
    }

    /// The user said yes to the question about this option.
    pub fn consent(&mut self, name: &str) {
        for question in self.questions.extract_if(.., |question| question.name == name) {
            let Question { name, value, secret, .. } = question;
            self.options.take(&name, &Value { text: value.into(), secret, origin: Origin::Link });
        }
    }
}

impl Request {
    /// A link that leads there for others, with what they may be told and nobody has to be asked about: no passwords, no
    /// files of this machine. `None` for what is on this machine, where no link leads.
    pub fn link(&self) -> Option<String> {
        let scheme = match &self.target.endpoint {
            Endpoint::Unix(_) | Endpoint::Abstract(_) | Endpoint::Display(_) | Endpoint::Vsock(_) => {
                return None;
            }
            // Xpra's clients have no link of their own for it.
            Endpoint::Quic { .. } => "farpane:",
            Endpoint::Tcp(_) | Endpoint::Tls(_) | Endpoint::WebSocket { .. } | Endpoint::Ssh(_) => "xpra+",
        };
        let said = self.options.values().filter(|(name, _)| HARMLESS.contains(name) && *name != "username");
        let pairs: Vec<String> = said
            .map(|(name, value)| {
                let value = value.text.to_string_lossy();
                format!("{name}={}", utf8_percent_encode(&value, NON_ALPHANUMERIC))
            })
            .collect();
        let query = if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) };
        Some(format!("{scheme}{}{query}", connections::address(&self.target)))
    }
}

impl Question {
    /// What would be done, in a sentence without its subject: `write a record of the session to the file x`.
    pub fn words(&self) -> String {
        let value = &self.value;
        match self.name.as_str() {
            "record" => format!("record the session to the file {value}"),
            "stats-json" => format!("write statistics to the file {value}"),
            RUNS_A_COMMAND => format!("run this command on your machine: {value}"),
            "password-file" => {
                format!("read the file {value}, and prove to this server that you know what is in it")
            }
            aes::KEY_FILE => format!("read the file {value}, and take its content as a key for this server"),
            aes::ENCRYPTION => "switch Xpra's own encryption off".to_owned(),
            "ssl-server-verify-mode" if value == "none" => {
                "not check whose certificate the server shows: anyone on the way could read everything"
                    .to_owned()
            }
            "ssl-check-hostname" if super::flag(value) == Ok(false) => {
                "take the certificate of any server that is trusted, not only of this one".to_owned()
            }
            "ssl-ca-certs" => format!("trust the certificates in {value} in place of the system's"),
            "ssl-server-hostname" => format!("take the certificate of {value} for this server's"),
            "ssl-cert" | "ssl-key" => format!("show the server your certificate {value}"),
            "sharing" => "let others watch the session and take part in it".to_owned(),
            "proxy" => {
                format!("send the whole session through {value}, which can read what is not encrypted")
            }
            "protocol" => format!("speak one form of the protocol only ({value})"),
            "connect-timeout" => format!("wait {value} s for the server"),
            "silence-timeout" => format!("take the connection for lost after {value} s of silence"),
            name if name.starts_with("clipboard") => {
                format!("change what the server can read of what you copy ({name} {value})")
            }
            name => format!("decide for you what you can decide yourself: {} ({value})", help(name)),
        }
    }
}

/// What an option is for, in the words of `--help`.
fn help(name: &str) -> String {
    let mut words = name.to_owned();
    super::layers::each_definition(|arg| {
        if let Some(help) = arg.get_help().filter(|_| arg.get_long() == Some(name)) {
            words = help.to_string().to_lowercase();
        }
    });
    words
}

/// Whether the value takes away what others could misuse, or changes nothing.
fn is_less(name: &str, value: &OsStr) -> bool {
    // Who has the key decides what comes of it.
    if name == aes::ENCRYPTION {
        return aes::is_on(value);
    }
    let Some(value) = value.to_str() else { return false };
    match name {
        "clipboard" => super::flag(value) == Ok(false),
        // What is done anyway, by Xpra's names for it.
        RUNS_A_COMMAND => ["auto", "ssh", "paramiko", "asyncssh"].contains(&value),
        _ => false,
    }
}

/// What an option that is not harmless would do.
fn consequence(name: &str) -> &'static str {
    match name {
        "record" | "stats-json" => "it would write a file",
        RUNS_A_COMMAND => "it would run this command on your machine",
        "password-file" => "it would read a file and prove its content to this server",
        aes::KEY_FILE => "it would read a file and take its content as a key for this server",
        aes::ENCRYPTION => "it would switch encryption off",
        "ssl-cert" | "ssl-key" => "it would show the server a certificate of yours",
        name if name.starts_with("ssl-") => "it would change how the server is checked",
        name if name.starts_with("clipboard") => "it would change what the server can read of what you copy",
        "sharing" => "others could watch the session and take part in it",
        "proxy" => "the whole session would go through that machine, which can read what is not encrypted",
        "protocol" => "it would choose an older form of the protocol",
        "connect-timeout" | "silence-timeout" => "it would change how long Farpane waits",
        _ => "it is for you to decide",
    }
}

/// The address in a link, if `text` is one: `xpra…://…` as it is, `farpane:ADDRESS` without its
/// scheme, `farpane://…` like `xpra://…`.
fn link_address(text: &str) -> Option<Zeroizing<String>> {
    let (scheme, rest) = text.split_once(':')?;
    let scheme = scheme.to_ascii_lowercase();
    if scheme == "farpane" {
        let address = if rest.starts_with("//") { format!("xpra:{rest}") } else { rest.to_owned() };
        return Some(address.into());
    }
    // Also without slashes (`xpra:1234`), which reads like a host and a port: whoever follows such a
    // link did not type it.
    LINK_SCHEMES.contains(&scheme.as_str()).then(|| text.to_owned().into())
}

/// Takes options out of the path, where Xpra's clients understand them too (`add_path` in
/// `xpra/scripts/parsing.py`): `/100,quality=50` and `/quality=50`.
fn options_in_path(target: &mut Target) -> Vec<(String, String)> {
    let Some(path) = target.display.take() else { return Vec::new() };
    let (display, said) = match path.split_once(',') {
        Some((display, said)) if !display.is_empty() => (display, said),
        _ if path.contains('=') && !path.starts_with('=') => ("", path.as_str()),
        _ => (path.as_str(), ""),
    };
    target.display = (!display.is_empty()).then(|| display.to_owned());
    said.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The session file that `text` names, also as the `file:` URL that some desktops pass.
pub fn session_file_path(text: &str) -> Option<PathBuf> {
    let is_session_file =
        |path: &Path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xpra"));
    let path = match text.get(..5) {
        Some(scheme) if scheme.eq_ignore_ascii_case("file:") => {
            url::Url::parse(text).ok().and_then(|url| url.to_file_path().ok())?
        }
        _ if text.contains("://") || link_address(text).is_some() => return None,
        // `NAME:PASSWORD@HOST.xpra`, whose password no error about files may repeat.
        _ if text.split_once('@').is_some_and(|(name, _)| name.contains(':'))
            && !Path::new(text).exists() =>
        {
            return None;
        }
        _ => PathBuf::from(text),
    };
    is_session_file(&path).then_some(path)
}
