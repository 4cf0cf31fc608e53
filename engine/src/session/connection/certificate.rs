//! The question whether a server's certificate is to be trusted, which nobody that this machine trusts vouches for.

use std::fmt;

/// The SHA-256 of a whole certificate, in DER: no two certificates have the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

/// What stands before a fingerprint, to say how it was made.
const KIND: &str = "SHA256:";
/// Bytes in a group, for people who read it aloud.
const GROUP: usize = 8;

impl Fingerprint {
    /// Understands one as it is shown here and by `openssl x509 -fingerprint -sha256`: 64 hexadecimal digits, with colons,
    /// spaces or nothing between them, perhaps with `SHA256:` (or OpenSSL's `sha256 Fingerprint=`) before them.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = match text.split_once('=') {
            Some((words, digits)) if words.to_ascii_lowercase().starts_with("sha256") => digits,
            Some(_) => return None,
            None => match text.split_at_checked(KIND.len()) {
                Some((kind, digits)) if kind.eq_ignore_ascii_case(KIND) => digits,
                _ => text,
            },
        };
        let mut digits = digits.chars().filter(|c| !matches!(c, ':' | ' '));
        let mut bytes = [0; 32];
        for byte in &mut bytes {
            let high = digits.next()?.to_digit(16)?;
            let low = digits.next()?.to_digit(16)?;
            *byte = u8::try_from(high * 16 + low).ok()?;
        }
        digits.next().is_none().then_some(Self(bytes))
    }

    /// In groups, each a line: pairs of digits as OpenSSL shows them.
    pub fn groups(&self) -> impl Iterator<Item = String> {
        self.0.chunks(GROUP).map(pairs)
    }
}

fn pairs(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

/// `SHA256:AB:CD:…`, in one word.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{KIND}{}", pairs(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a certificate says of itself. All of it is the server's own word: one short line each, without hidden characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Who it is for, as a distinguished name (RFC 4514).
    pub subject: String,
    /// The hosts that it is for, some at most.
    pub names: Vec<String>,
    /// Who signed it.
    pub issuer: String,
    /// A day, or day and time, in UTC.
    pub valid_from: String,
    pub valid_to: String,
    pub fingerprint: Fingerprint,
}

/// A certificate that the user may trust or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateQuestion {
    /// Host and port of the server that showed it.
    pub server: String,
    /// What is wrong with it: a sentence.
    pub fault: String,
    pub certificate: Certificate,
}

/// What the user says to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateAnswer {
    /// It is this server's, from now on.
    Keep,
    /// It is, for this session.
    Once,
    No,
}
