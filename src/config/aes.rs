//! Xpra's own encryption (AES) as options say it: `encryption`, and the file with the key.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::Args;

use super::options::path;
use super::private_file::read_bounded;
use super::{ConfigError, Layer, OptionError, Origin};
use crate::net::{Endpoint, Target};
use crate::protocol::{CipherMode, KeyData};
use crate::session::Encryption;

/// The option that says whether there is any, and how.
pub const ENCRYPTION: &str = "encryption";
/// The option that names the key's file.
pub const KEY_FILE: &str = "encryption-keyfile";
/// What Xpra's clients turn on with a name alone.
const BY_DEFAULT: &str = "AES-CBC";
/// A key file that is larger is a mistake in its name, in bytes.
const MAX_KEY_BYTES: u64 = 64 * 1024;

/// Heading in help.
pub const ENCRYPTION_OPTIONS: &str = "Xpra's own encryption (tcp, ws)";

/// Xpra's own encryption.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = ENCRYPTION_OPTIONS)]
pub struct RawAes {
    /// Encrypt with AES, which has no protection against changes on the way, for servers that insist on it: AES, AES-CBC (the same) or AES-CTR; prefer ssl:// and ssh://
    #[arg(long, global = true, alias = "tcp-encryption", value_name = "CIPHER", default_value = "none", value_parser = cipher)]
    pub encryption: EncryptionChoice,
    /// The file with the key, the same as the server's
    #[arg(long, global = true, alias = "tcp-encryption-keyfile", value_name = "FILE", value_parser = path())]
    pub encryption_keyfile: Option<PathBuf>,
}

/// Whether records are encrypted, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EncryptionChoice {
    #[default]
    None,
    Aes(CipherMode),
}

/// `none`, in all the ways that Xpra has for it, or a cipher.
fn cipher(text: &str) -> Result<EncryptionChoice, String> {
    let text = text.trim();
    if is_off(text) {
        return Ok(EncryptionChoice::None);
    }
    let mut words = text.splitn(2, '-');
    let is_aes = words.next().is_some_and(|word| word.eq_ignore_ascii_case("AES"));
    let mode = words.next().map_or(Some(CipherMode::Cbc), CipherMode::from_name);
    match mode.filter(|_| is_aes) {
        Some(mode) => Ok(EncryptionChoice::Aes(mode)),
        None => Err("expected none, AES, AES-CBC or AES-CTR".to_owned()),
    }
}

/// Whether a value switches encryption off.
pub fn is_off(value: &str) -> bool {
    ["", "none", "no", "off", "false", "0"].iter().any(|off| value.trim().eq_ignore_ascii_case(off))
}

/// Which of the two options Xpra's clients mean by this name in an address or session file.
pub fn meaning(name: &str) -> Option<&'static str> {
    match name.replace('_', "-").as_str() {
        ENCRYPTION | "tcp-encryption" => Some(ENCRYPTION),
        KEY_FILE | "tcp-encryption-keyfile" | "keyfile" => Some(KEY_FILE),
        _ => None,
    }
}

/// Whether an option of an address holds the key itself.
pub fn is_key(name: &str) -> bool {
    ["keydata", "encryption-keydata"].contains(&name.replace('_', "-").as_str())
}

/// Says one of the two to `layer`. What was asked for stays asked for, whatever stands behind it.
///
/// # Errors
/// If it is no cipher that Farpane has.
pub fn say(layer: &mut Layer, name: &str, value: &str, origin: Origin) -> Result<(), OptionError> {
    let is_said = layer.value(name).is_some();
    if value.trim().is_empty() || (name == ENCRYPTION && is_said && is_off(value)) {
        return Ok(());
    }
    layer.set(name, value, origin)
}

/// A file without a word about the cipher is enough to ask for it, as with Xpra's clients.
///
/// # Errors
/// None that could happen: it is one of Farpane's own ciphers.
pub fn finish(layer: &mut Layer) -> Result<(), OptionError> {
    match layer.value(KEY_FILE).map(|file| file.origin.clone()) {
        Some(origin) if layer.value(ENCRYPTION).is_none() => layer.set(ENCRYPTION, BY_DEFAULT, origin),
        _ => Ok(()),
    }
}

/// Whether the value asks for encryption.
pub fn is_on(value: &OsStr) -> bool {
    value.to_str().is_some_and(|value| !is_off(value))
}

/// What `options` say for `target`; `is_configured`: a configuration file alone says it, for other addresses too.
///
/// # Errors
/// If there is no key, or the connection is of another kind.
pub fn encryption(
    options: &RawAes,
    target: &Target,
    is_configured: bool,
) -> Result<Option<Encryption>, ConfigError> {
    let EncryptionChoice::Aes(mode) = options.encryption else { return Ok(None) };
    match target.endpoint {
        Endpoint::Tcp(_) | Endpoint::WebSocket { secure: false, .. } => {}
        _ if is_configured => return Ok(None),
        _ => return Err(ConfigError::EncryptionElsewhere),
    }
    let file = options.encryption_keyfile.as_deref().ok_or(ConfigError::NoKeyFile)?;
    let key = read_key(file).map_err(|why| ConfigError::KeyFile { path: file.to_owned(), why })?;
    Ok(Some(Encryption { mode, key }))
}

fn read_key(path: &Path) -> Result<KeyData, String> {
    let bytes = read_bounded(path, MAX_KEY_BYTES).map_err(|error| error.to_string())?;
    KeyData::new(bytes).ok_or_else(|| "it is empty".to_owned())
}
