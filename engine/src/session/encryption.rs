//! Xpra's own encryption (AES), where the user asks for it: what each side tells the other of it in hello and `challenge`
//! ([`crate::protocol::cipher`] does it).
//!
//! Each hello says anew how the server is to encipher what it sends from then on, and each answer how we are to. Only the
//! first hello is plain. 3.1's names are flat (`cipher.iv`), later ones lie in a map (`encryption`).

use crate::protocol::cipher::{
    ACCEPTED_ITERATIONS, ACCEPTED_SALT, CipherMode, CipherSpec, ITERATIONS, IV_LEN, KEY_LEN, KeyData,
    KeyHash, Padding,
};
use crate::protocol::packet::{Dict, Value};
use crate::protocol::{Dialect, text};

use super::config::Profile;
use super::connection::CloseReason;
use super::setup::Setup;

/// Bytes of salt that we choose; hexadecimal on the wire, since 3.1 takes it for text.
const SALT_BYTES: usize = 32;
/// Characters of a server's words that are shown.
const MAX_SHOWN: usize = 40;

/// Words of servers' goodbyes (3.1.3, 6.5.5), and what is to be done.
const REFUSALS: [(&str, &str); 5] = [
    (
        "missing encryption tokens",
        "the server insists on Xpra's own encryption: say --encryption=AES and --encryption-keyfile=FILE with a copy of \
         its key file",
    ),
    (
        "does not support encryption on this connection",
        "the server has no AES on this connection, whatever it was started with if it is a 6.5.5: connect with ssl:// or \
         ssh:// instead",
    ),
    (
        "unsupported cipher",
        "the server has no AES on this connection: it was not started with --tcp-encryption=AES, or this is not its tcp or \
         ws port",
    ),
    (
        "encryption key is missing",
        "the server has no key for AES: it needs --tcp-encryption-keyfile=FILE, with what --encryption-keyfile has here",
    ),
    (
        "the server is configured for",
        "the server wants AES in another mode: say --encryption=AES-CBC or --encryption=AES-CTR, as it was started with",
    ),
];

/// What a goodbye about encryption means, in lower case.
pub fn refusal(words: &str) -> Option<&'static str> {
    REFUSALS.iter().find(|(said, _)| words.contains(said)).map(|(_, means)| *means)
}

/// What the user wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encryption {
    pub mode: CipherMode,
    pub key: KeyData,
}

impl Encryption {
    /// How the connection is protected, in words.
    pub const fn words(&self) -> &'static str {
        match self.mode {
            CipherMode::Cbc => "AES-CBC with a key file (changes on the way are not noticed)",
            CipherMode::Ctr => "AES-CTR with a key file (changes on the way are not noticed)",
        }
    }
}

/// What a server says of encryption and cannot be followed. The words are for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncryptionError {
    #[error(
        "the server does not say how it wants to be encrypted for: is AES switched on there, for this port?"
    )]
    Nothing,
    #[error("the server wants {what} {got}, which Farpane does not have")]
    Unknown { what: &'static str, got: String },
    #[error("the server wants {what} of {got}, acceptable are {from} to {to}")]
    Bounds { what: &'static str, got: i64, from: i64, to: i64 },
    #[error("3.1 servers have no AES-CTR: say --encryption=AES")]
    OnlyCbc,
    #[error("no random numbers from the system: {0}")]
    Random(String),
}

/// Whether a server misses what was said of encryption: it looks for that by 3.1's names, as those before 6 do.
pub fn is_not_understood(setup: &Setup, reasons: &[String]) -> bool {
    let misses = |reason: &String| reason.to_lowercase().contains("missing encryption tokens");
    let is_modern = setup.peer.dialect.is_modern() && setup.peer.may_speak_legacy;
    is_modern && wanted(setup).is_some() && reasons.iter().any(misses)
}

/// What it means that a server lets the time for the login pass, if it was asked for AES: 6.5.5 has no other answer.
pub fn silence(setup: &Setup, reasons: &[String]) -> Option<CloseReason> {
    let is_late = reasons.iter().any(|reason| reason.to_lowercase().contains("login timeout"));
    (is_late && wanted(setup).is_some() && setup.peer.dialect.is_modern()).then(|| {
        CloseReason::Authentication(
            "the server did not answer a client that asks for AES. 6.5.5 never does, whatever it \
             was started with: give it --ssl-cert and connect with ssl://, or use ssh://"
                .to_owned(),
        )
    })
}

/// Whether this session is to be encrypted. What is only asked for its name or version says that to everybody, before it
/// looks at encryption.
pub fn wanted(setup: &Setup) -> Option<&Encryption> {
    let is_public = matches!(setup.config.profile, Profile::Identify | Profile::Version);
    setup.config.encryption.as_ref().filter(|_| !is_public)
}

/// How the server is to encipher from the next hello on, fresh each time.
///
/// # Errors
/// [`EncryptionError::OnlyCbc`], [`EncryptionError::Random`].
pub fn offer(encryption: &Encryption, dialect: Dialect) -> Result<CipherSpec, EncryptionError> {
    if !dialect.is_modern() && encryption.mode != CipherMode::Cbc {
        return Err(EncryptionError::OnlyCbc);
    }
    let iv = hex::<{ IV_LEN / 2 }>()?;
    Ok(CipherSpec {
        mode: encryption.mode,
        iv: <[u8; IV_LEN]>::try_from(iv.as_bytes()).unwrap_or_default(),
        salt: hex::<SALT_BYTES>()?.into_bytes(),
        iterations: ITERATIONS,
        hash: KeyHash::Sha1,
        padding: Padding::Pkcs7,
        block: block(dialect),
        data: encryption.key.clone(),
    })
}

/// Says so in a hello.
pub fn say(spec: &CipherSpec, dialect: Dialect, hello: &mut Dict) {
    let known = &[Padding::Pkcs7.name(), Padding::Spaces.name()][..];
    let (iv, salt) = (String::from_utf8_lossy(&spec.iv), String::from_utf8_lossy(&spec.salt));
    if !dialect.is_modern() {
        hello
            .push("cipher", "AES")
            .push("cipher.iv", &*iv)
            .push("cipher.key_salt", &*salt)
            .push("cipher.key_stretch_iterations", spec.iterations)
            .push("cipher.padding", spec.padding.name())
            .push("cipher.padding.options", known);
        return;
    }
    let mut map = Dict::default();
    map.push("cipher", "AES")
        .push("mode", spec.mode.name())
        .push("iv", &*iv)
        .push("key_salt", Value::from(spec.salt.clone()))
        .push("key_size", KEY_LEN as u64)
        .push("key_hash", spec.hash.name())
        .push("key_stretch", "PBKDF2")
        .push("key_stretch_iterations", spec.iterations)
        .push("padding", spec.padding.name())
        .push("padding.options", known)
        .push("always-pad", false)
        .push("stream", true);
    hello.push("encryption", map);
}

/// How the server wants us to encipher, in its hello or in the map of a challenge.
///
/// # Errors
/// If it says nothing of that, or something that Farpane does not do.
pub fn answer(said: &Dict, encryption: &Encryption, dialect: Dialect) -> Result<CipherSpec, EncryptionError> {
    let prefix = if dialect.is_modern() { "encryption." } else { "cipher." };
    let value = |name: &str| said.get_path(&format!("{prefix}{name}"));
    let word = |name: &str, default: &str| {
        value(name).map_or_else(|| default.to_owned(), |v| text::shown(v.as_str().unwrap_or("?"), MAX_SHOWN))
    };
    let unknown = |what, got: &str| EncryptionError::Unknown { what, got: got.to_owned() };
    // In 3.1's way the name stands where others have a map.
    let cipher = if dialect.is_modern() { value("cipher") } else { said.get("cipher") };
    let cipher = cipher.and_then(Value::as_str).filter(|name| !name.is_empty());
    match cipher.ok_or(EncryptionError::Nothing)? {
        "AES" => {}
        other => return Err(unknown("the cipher", &text::shown(other, MAX_SHOWN))),
    }
    let mode = word("mode", CipherMode::Cbc.name());
    let mode = CipherMode::from_name(&mode).ok_or_else(|| unknown("AES in the mode", &mode))?;
    let stretch = word("key_stretch", "PBKDF2");
    if stretch != "PBKDF2" {
        return Err(unknown("keys made by", &stretch));
    }
    let hash = word("key_hash", KeyHash::Sha1.name());
    let hash = KeyHash::from_name(&hash).ok_or_else(|| unknown("keys made with", &hash))?;
    let padding = word("padding", Padding::Spaces.name());
    let padding = Padding::from_name(&padding).ok_or_else(|| unknown("the padding", &padding))?;
    if value("stream").and_then(Value::as_bool) == Some(false) {
        return Err(unknown("a cipher", "for each record anew"));
    }
    if value("always-pad").and_then(Value::as_bool) == Some(true) && mode == CipherMode::Ctr {
        return Err(unknown("padding", "for AES-CTR"));
    }
    let number = |what, name: &str, default: i64, from: i64, to: i64| {
        let got = value(name).map_or(default, |value| value.as_i64().unwrap_or(-1));
        if (from..=to).contains(&got) {
            Ok(got)
        } else {
            Err(EncryptionError::Bounds { what, got, from, to })
        }
    };
    let length = |what, got: usize, from: usize, to: usize| EncryptionError::Bounds {
        what,
        got: i64::try_from(got).unwrap_or(i64::MAX),
        from: i64::try_from(from).unwrap_or(i64::MAX),
        to: i64::try_from(to).unwrap_or(i64::MAX),
    };
    let key_len = i64::try_from(KEY_LEN).unwrap_or(i64::MAX);
    number("keys with bytes", "key_size", key_len, key_len, key_len)?;
    let (fewest, most) = (i64::from(*ACCEPTED_ITERATIONS.start()), i64::from(*ACCEPTED_ITERATIONS.end()));
    let rounds = number("rounds of key making", "key_stretch_iterations", -1, fewest, most)?;
    let salt = value("key_salt").and_then(Value::as_bytes).unwrap_or_default();
    if !ACCEPTED_SALT.contains(&salt.len()) {
        let (from, to) = (*ACCEPTED_SALT.start(), *ACCEPTED_SALT.end());
        return Err(length("a salt with bytes", salt.len(), from, to));
    }
    let iv = value("iv").and_then(Value::as_bytes).unwrap_or_default();
    Ok(CipherSpec {
        mode,
        iv: iv
            .try_into()
            .map_err(|_| length("an initialisation vector with bytes", iv.len(), IV_LEN, IV_LEN))?,
        salt: Vec::from(salt),
        iterations: u32::try_from(rounds).unwrap_or(*ACCEPTED_ITERATIONS.end()),
        hash,
        padding,
        block: block(dialect),
        data: encryption.key.clone(),
    })
}

/// What CBC fills payloads up to.
const fn block(dialect: Dialect) -> usize {
    if dialect.is_modern() { IV_LEN } else { 2 * IV_LEN }
}

/// Random bytes, hexadecimal.
fn hex<const N: usize>() -> Result<String, EncryptionError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| EncryptionError::Random(error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
