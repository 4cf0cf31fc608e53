//! From what was said to a [`Config`].

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use super::file::ConfigFileError;
use super::layers::PROXY;
use super::private_file::read_bounded;
use super::{
    CliLayer, Config, ConfigFiles, Layer, OptionError, Options, Origin, Question, Request, Sender, aes,
    identity,
};
use crate::net::proxy::{self, Proxy, ProxyChoice};
use crate::net::ssh::SshOptions;
use crate::net::{Endpoint, NetConfig, Secret, Target, Wanted};
use crate::protocol::packet::draw::Encoding;
use crate::protocol::text;
use crate::session::clipboard::ClipboardOptions;
use crate::session::{PictureOptions, SessionConfig};

/// Reading a larger password file would be a mistake in the file's name.
const MAX_PASSWORD_FILE_BYTES: u64 = 64 * 1024;

/// What is said of the options apart from what is opened: by the command line and by files.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub given: Layer,
    /// The configuration files, the user's over the system's.
    pub files: Layer,
    /// Where these are.
    pub places: ConfigFiles,
    /// The password of the variable `FARPANE_PASSWORD` (see [`super::take_password`]).
    pub variable: Option<Secret>,
    /// What the environment says of proxies.
    pub proxies: proxy::Environment,
}

/// What configuration files say for the servers that the user chooses: nobody else's server learns
/// anything of it.
const PRIVATE: [&str; 3] = ["password-file", "username", aes::KEY_FILE];

/// Options that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error(transparent)]
    Option(#[from] OptionError),
    #[error("{}", asked(.0))]
    Questions(Vec<Question>),
    #[error("cannot read the password file {}: {why}", path.display())]
    PasswordFile { path: PathBuf, why: String },
    #[error(
        "`{got}` is not an encoding that Farpane shows: expected some of h264, jpeg, png, png/L, png/P, rgb, rgb24, rgb32, scroll, webp, or all"
    )]
    Encoding { got: String },
    #[error("{0}")]
    Proxy(String),
    #[error(
        "proxies are for tcp, ssl, ws and wss: ssh goes its own ways, as its configuration says (ProxyJump, ProxyCommand) or --ssh=\"ssh -J GATE\"; leave out the proxy {proxy}"
    )]
    ProxyOfSsh { proxy: String },
    #[error(
        "proxies are for tcp, ssl, ws and wss: quic goes over UDP, which they do not pass on; leave out the proxy {proxy}, or use wss://"
    )]
    ProxyOfQuic { proxy: String },
    #[error(
        "AES needs a key: say --encryption-keyfile=FILE (for links, and session files from elsewhere, a configuration file does not count)"
    )]
    NoKeyFile,
    #[error("cannot read the key file {}: {why}", path.display())]
    KeyFile { path: PathBuf, why: String },
    #[error(
        "--encryption is for tcp:// and ws:// addresses: this one is encrypted in another way, or stays on this machine; leave it out"
    )]
    EncryptionElsewhere,
    #[error("`{got}` is not a compressor that Farpane knows: expected some of {known}, or all, or none")]
    Compressor { got: String, known: String },
}

/// What is wanted, and how to say yes where nobody can be asked.
fn asked(questions: &[Question]) -> String {
    let words = questions.iter().map(|Question { name, value, why, .. }| {
        format!("{name}={value} is not followed without your consent, since {why}: say `--{name}={value}` yourself if you want it")
    });
    words.collect::<Vec<_>>().join("; ")
}

impl Settings {
    /// Reads the configuration files.
    ///
    /// # Errors
    /// If one of them cannot be used.
    pub fn load(files: &ConfigFiles, given: CliLayer) -> Result<Self, ConfigFileError> {
        Ok(Self {
            given: given.0,
            files: files.read()?,
            places: files.clone(),
            variable: None,
            proxies: proxy::Environment::default(),
        })
    }

    /// What holds apart from what is opened.
    pub fn layer(&self) -> Layer {
        self.given.clone().over(&self.files)
    }

    /// The options apart from what is opened.
    ///
    /// # Errors
    /// See [`Layer::options`].
    pub fn options(&self) -> Result<Options, OptionError> {
        self.layer().options()
    }

    /// How to attach as `request` says: the command line over the request over files. Reads the
    /// password file.
    ///
    /// # Errors
    /// If a question of the request is open, or an option cannot be followed.
    pub fn config(&self, request: &Request) -> Result<Config, ConfigError> {
        let is_answered = |question: &&Question| self.given.value(&question.name).is_some();
        let open: Vec<Question> = request.questions.iter().filter(|q| !is_answered(q)).cloned().collect();
        if !open.is_empty() {
            return Err(ConfigError::Questions(open));
        }
        for name in &request.ignored {
            tracing::warn!(option = %text::name(name), "this option of the URL is not known and is ignored");
        }
        let mut requested = request.options.clone();
        if let Some(username) = &request.target.username {
            requested.set("username", username, Origin::Link)?;
        }
        let is_foreign = request.sender.is_foreign();
        let mut files = self.files.clone();
        PRIVATE.iter().filter(|_| is_foreign).for_each(|name| files.unset(name));
        let mut said = self.given.clone().over(&requested);
        if !files.value(aes::ENCRYPTION).is_some_and(|value| aes::is_on(&value.text)) {
            aes::finish(&mut said)?;
        }
        let layer = said.over(&files);
        let options = layer.options()?;
        let is_ssh = matches!(request.target.endpoint, Endpoint::Ssh(_));
        let password = self.password(&layer, &options, request, is_foreign)?;
        // The password of an ssh address is the account's there, not the session's.
        let ssh = SshOptions {
            command: options.ssh.0.clone(),
            password: request.password.clone().filter(|_| is_ssh),
            ..SshOptions::default()
        };
        let mut session = session(&options, password, &|name| is_own_word(&layer, request, name))?;
        if is_foreign {
            session.identity.hostname.clear();
        }
        session.display_name = display_name(&request.target);
        let is_configured = self.files.value(aes::ENCRYPTION) == layer.value(aes::ENCRYPTION);
        session.encryption = aes::encryption(&options.aes, &request.target, is_configured)?;
        let proxy = self.proxy(&layer, &options, &request.target)?;
        Ok(Config {
            connection: NetConfig {
                target: request.target.clone(),
                wanted: Wanted::default(),
                session,
                protocol: options.protocol.protocol(),
                connect_timeout: options.connect_timeout,
                ssh,
                tls: options.tls.options(),
                proxy,
                recorder: None,
                replay: None,
            },
            is_foreign,
            reconnect: options.reconnect,
            renderer: options.renderer,
            present_mode: options.present_mode,
            desktop_scaling: options.desktop_scaling,
            scaling_filter: options.scaling_filter.into(),
            title: options.title,
            border: options.border,
            instant_replay: options.instant_replay,
            files: self.places.clone(),
            overlay: options.overlay,
            overlay_key: options.overlay_key,
            session_info_key: options.session_info_key,
            session_menu_key: options.session_menu_key,
            full_screen_key: options.full_screen_key,
            grab_keyboard: options.grab_keyboard,
            greeting: options.greeting,
            record: options.record,
            stats_json: options.stats_json,
        })
    }

    /// What is between this machine and the target.
    fn proxy(&self, layer: &Layer, options: &Options, target: &Target) -> Result<Option<Proxy>, ConfigError> {
        let proxy = match &options.proxy {
            ProxyChoice::None => return Ok(None),
            ProxyChoice::Auto => return self.proxies.proxy(target).map_err(ConfigError::Proxy),
            ProxyChoice::Through(proxy) => proxy,
        };
        match &target.endpoint {
            Endpoint::Unix(_) | Endpoint::Abstract(_) | Endpoint::Display(_) | Endpoint::Vsock(_) => Ok(None),
            // What stands in a configuration file is for other addresses.
            Endpoint::Ssh(_) if self.files.value(PROXY) == layer.value(PROXY) => Ok(None),
            Endpoint::Ssh(_) => Err(ConfigError::ProxyOfSsh { proxy: proxy.to_string() }),
            Endpoint::Quic { .. } if self.files.value(PROXY) == layer.value(PROXY) => Ok(None),
            Endpoint::Quic { .. } => Err(ConfigError::ProxyOfQuic { proxy: proxy.to_string() }),
            Endpoint::Tcp(_) | Endpoint::Tls(_) | Endpoint::WebSocket { .. } => Ok(Some(proxy.clone())),
        }
    }

    /// `--password-file`, else the address's or session file's own, else the configured file, else
    /// the variable; and where that is, in words. A server that somebody else named gets no proof of any password but one that was
    /// typed on the command line or allowed: `layer` is without the configured file then.
    fn password(
        &self,
        layer: &Layer,
        options: &Options,
        request: &Request,
        is_foreign: bool,
    ) -> Result<Option<(Secret, String)>, ConfigError> {
        let is_ssh = matches!(request.target.endpoint, Endpoint::Ssh(_));
        let own = request.password.clone().filter(|_| !is_ssh);
        let said = layer.value("password-file");
        let is_configured = said.is_some_and(|value| self.files.value("password-file") == Some(value));
        if let Some(path) = &options.password_file
            && !(is_configured && own.is_some())
        {
            return Ok(Some((read_password(path)?, format!("the file {}", path.display()))));
        }
        let place = match request.sender {
            Sender::Typed | Sender::Link => "the address",
            Sender::Own | Sender::SessionFile => "the session file",
        };
        let variable = self.variable.clone().filter(|_| !is_foreign);
        let own = own.map(|password| (password, place.to_owned()));
        Ok(own.or_else(|| variable.map(|password| (password, "FARPANE_PASSWORD".to_owned()))))
    }
}

/// Whether an option's value was written for Farpane, not in a link or session file, which are
/// written for Xpra's clients: those know encodings and compressors that Farpane does not.
fn is_own_word(layer: &Layer, request: &Request, name: &str) -> bool {
    layer.value(name).is_none_or(|value| request.options.value(name) != Some(value))
}

fn session(
    options: &Options,
    password: Option<(Secret, String)>,
    is_own_word: &dyn Fn(&str) -> bool,
) -> Result<SessionConfig, ConfigError> {
    let given = |percent: u8| (percent > 0).then_some(percent);
    let mut pictures = PictureOptions {
        preferred: Some(options.encoding.clone()).filter(|name| !(name.is_empty() || name == "auto")),
        quality: given(options.quality),
        min_quality: given(options.min_quality),
        speed: given(options.speed),
        min_speed: given(options.min_speed),
        ..PictureOptions::default()
    };
    if let Some(list) = encodings(&options.encodings, is_own_word("encodings"))? {
        pictures.encodings = list;
    }
    let (password, password_from) = password.unzip();
    let mut session = SessionConfig {
        identity: identity(options.username.clone().filter(|name| !name.is_empty())),
        password,
        password_from: password_from.unwrap_or_default(),
        clipboard: ClipboardOptions {
            enabled: options.clipboard,
            direction: options.clipboard_direction,
            selections: options.clipboard_selections.clone(),
            max_bytes: usize::from(options.clipboard_limit) << 20,
        },
        share: options.sharing,
        silence: options.silence_timeout,
        bandwidth_limit: NonZeroU64::new(options.bandwidth_limit),
        compression_level: options.compression_level,
        ..SessionConfig::default()
    };
    session.compressors =
        compressors(&options.compressors, &session.compressors, is_own_word("compressors"))?;
    pictures.compress_rgb = session.compression_level > 0 && !session.compressors.is_empty();
    session.pictures = pictures;
    Ok(session)
}

/// The encodings that `names` stand for; `None` is all of them. Unless `strict`, unknown names
/// beside known ones are left out.
fn encodings(names: &[String], strict: bool) -> Result<Option<Vec<Encoding>>, ConfigError> {
    let mut list = Vec::new();
    let mut unknown = None;
    for name in names {
        match name.trim() {
            "all" => return Ok(None),
            "rgb" => list.extend([Encoding::Rgb24, Encoding::Rgb32]),
            name => match Encoding::from_name(name) {
                Encoding::Other | Encoding::Void => unknown = unknown.or(Some(name.to_owned())),
                encoding => list.push(encoding),
            },
        }
    }
    match unknown {
        Some(got) if strict || list.is_empty() => Err(ConfigError::Encoding { got }),
        _ => Ok(Some(list)),
    }
}

/// Those of the `known` compressors that `names` stand for, best first; `none` is an empty list.
fn compressors(
    names: &[String],
    known: &[&'static str],
    strict: bool,
) -> Result<Vec<&'static str>, ConfigError> {
    let is_named = |wanted: &str| names.iter().any(|name| name.trim() == wanted);
    let is_known = |name: &str| matches!(name, "none" | "all") || known.contains(&name);
    let list: Vec<&'static str> =
        known.iter().copied().filter(|name| is_named("all") || is_named(name)).collect();
    match names.iter().find(|name| !is_known(name.trim())) {
        Some(unknown) if strict || (list.is_empty() && !is_named("none")) => {
            Err(ConfigError::Compressor { got: unknown.clone(), known: known.join(", ") })
        }
        _ => Ok(list),
    }
}

/// The display after the port, as a proxy has it in its list: `:100`. A web server's path is none,
/// unless it looks like one.
fn display_name(target: &Target) -> Option<String> {
    // ssh's other end is the session itself.
    let name = target.display.as_deref().filter(|_| !matches!(target.endpoint, Endpoint::Ssh(_)))?;
    let number = name.strip_prefix(':').unwrap_or(name);
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    match target.endpoint {
        _ if is_number => Some(format!(":{number}")),
        Endpoint::WebSocket { .. } | Endpoint::Quic { .. } => None,
        _ => Some(name.to_owned()),
    }
}

fn read_password(path: &Path) -> Result<Secret, ConfigError> {
    let error = |why: String| ConfigError::PasswordFile { path: path.to_owned(), why };
    let bytes = read_bounded(path, MAX_PASSWORD_FILE_BYTES).map_err(|e| error(e.to_string()))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| error("it is not UTF-8".to_owned()))?;
    // Editors put a byte order mark there, which is no part of the password.
    let line = text.trim_start_matches('\u{feff}').lines().next().unwrap_or("");
    if line.is_empty() {
        return Err(error("its first line is empty".to_owned()));
    }
    // UTF-16 of a few letters is valid UTF-8, with zeros.
    if line.contains('\0') {
        return Err(error("it is not UTF-8 (there are zeros in it)".to_owned()));
    }
    Ok(Secret::new(line.to_owned()))
}
