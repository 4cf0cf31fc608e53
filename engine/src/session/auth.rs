//! Answers to the server's challenges (Protocol.md §5.3; Xpra's docs/Usage/Authentication.md).
//!
//! The answer is `digest(password, salt)`, where `salt = salt_digest(client salt, server salt)`,
//! both as lower-case hexadecimal text. With HMAC digests nobody learns the password from it.
//! `xor` gives the password away to the server and to whoever sees both salts pass by: it is offered
//! and used only where the peer is proven ([`Link`]) and nobody can.

use crate::protocol::Dialect;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::config::Secret;
use super::setup::Link;
use crate::protocol::packet::connection::Challenge;
use crate::protocol::text;

/// Length of the salt that the client adds, in bytes.
pub const CLIENT_SALT_LEN: usize = 32;
/// Server salts outside of this are refused: too short to protect, or a waste.
const SERVER_SALT_LEN: std::ops::RangeInclusive<usize> = 16..=1024;
/// Challenges in one login at most; servers may stack several authentication modules.
pub const MAX_CHALLENGES: u32 = 5;
/// Password and padding together look this long to whoever watches the size of an encrypted hello.
const PADDED_LEN: usize = 512;

/// What goes into the second hello.
#[derive(Debug)]
pub struct ChallengeResponse {
    pub response: Zeroizing<Vec<u8>>,
    pub client_salt: [u8; CLIENT_SALT_LEN],
    /// Length of the random padding to send along.
    pub padding_len: usize,
}

/// Why a challenge was not answered. The words are for the user.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    #[error(
        "the server asks for the password itself ({digest}), and it is not proven who would get it: connect with \
         ssl:// and a checked certificate, through `ssh -L`, or to a port or socket of your own account"
    )]
    WouldReveal { digest: String },
    #[error("the server asks for {digest} authentication, which is not supported")]
    Unsupported { digest: String },
    #[error("the server's salt has {got} bytes, 16 to 1024 are acceptable")]
    SaltLength { got: usize },
    #[error("the password is empty")]
    EmptyPassword,
}

/// The digests to offer for passwords, strongest first.
pub fn offered_digests(dialect: Dialect, link: Link) -> Vec<&'static str> {
    let mut digests = salt_digests(dialect);
    if link.may_reveal_password() {
        // the only one that works with the server's system accounts (PAM)
        digests.push("xor");
    }
    digests
}

/// The digests to offer for combining salts.
pub fn salt_digests(dialect: Dialect) -> Vec<&'static str> {
    let mut digests = vec!["hmac+sha512", "hmac+sha384", "hmac+sha256", "hmac+sha224"];
    if dialect == Dialect::Legacy31 {
        digests.push("hmac+sha1");
    }
    digests
}

/// Checks a challenge before anyone is asked for a password.
///
/// # Errors
/// If it cannot be answered, or the answer would reveal the password.
pub fn check(challenge: &Challenge, link: Link) -> Result<(), AuthError> {
    let digest = base_digest(&challenge.digest);
    match digest {
        "xor" if !link.may_reveal_password() => {
            return Err(AuthError::WouldReveal { digest: printable(digest) });
        }
        "xor" => {}
        _ if is_hmac(digest) => {}
        _ => return Err(AuthError::Unsupported { digest: printable(digest) }),
    }
    if !is_hmac(&challenge.salt_digest) {
        let digest = format!("salt digest {}", printable(&challenge.salt_digest));
        return Err(AuthError::Unsupported { digest });
    }
    if !SERVER_SALT_LEN.contains(&challenge.salt.len()) {
        return Err(AuthError::SaltLength { got: challenge.salt.len() });
    }
    Ok(())
}

/// The answer to a challenge. `client_salt` must be fresh random bytes.
///
/// # Errors
/// As [`check`].
pub fn respond(
    challenge: &Challenge,
    dialect: Dialect,
    link: Link,
    password: &Secret,
    client_salt: [u8; CLIENT_SALT_LEN],
) -> Result<ChallengeResponse, AuthError> {
    check(challenge, link)?;
    let password = password.bytes(dialect);
    if password.is_empty() {
        return Err(AuthError::EmptyPassword);
    }
    let unsupported = |digest: &str| AuthError::Unsupported { digest: printable(digest) };
    let salt = hmac_hex(&challenge.salt_digest, &client_salt, &challenge.salt)
        .ok_or_else(|| unsupported(&challenge.salt_digest))?;
    let digest = base_digest(&challenge.digest);
    let response = if digest == "xor" {
        let salt = salt.iter().copied().chain(std::iter::repeat(0));
        Zeroizing::new(password.iter().zip(salt).map(|(p, s)| p ^ s).collect())
    } else {
        hmac_hex(digest, &password, &salt).ok_or_else(|| unsupported(digest))?
    };
    let padding_len = PADDED_LEN.saturating_sub(response.len()).max(32);
    Ok(ChallengeResponse { response, client_salt, padding_len })
}

/// `kerberos:service` → `kerberos`.
fn base_digest(digest: &str) -> &str {
    digest.split(':').next().unwrap_or_default()
}

fn is_hmac(digest: &str) -> bool {
    matches!(digest, "hmac+sha512" | "hmac+sha384" | "hmac+sha256" | "hmac+sha224" | "hmac+sha1")
}

/// A name from the wire, short and as it may be shown.
fn printable(name: &str) -> String {
    let name = text::shown(name, 40);
    if name.is_empty() { "unnamed".to_owned() } else { name }
}

fn hmac_hex(digest: &str, key: &[u8], message: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    match digest {
        "hmac+sha512" => hmac_with::<Hmac<Sha512>>(key, message),
        "hmac+sha384" => hmac_with::<Hmac<Sha384>>(key, message),
        "hmac+sha256" => hmac_with::<Hmac<Sha256>>(key, message),
        "hmac+sha224" => hmac_with::<Hmac<Sha224>>(key, message),
        "hmac+sha1" => hmac_with::<Hmac<Sha1>>(key, message),
        _ => None,
    }
}

fn hmac_with<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut mac = <M as KeyInit>::new_from_slice(key).ok()?;
    mac.update(message);
    let bytes = mac.finalize().into_bytes();
    let hex = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|nibble| match nibble {
        0..=9 => b'0' + nibble,
        _ => b'a' + nibble - 10,
    });
    Some(Zeroizing::new(hex.collect()))
}
