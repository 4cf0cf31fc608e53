//! Why there is no secure connection, in terms that the user or the server's administrator can act upon.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, OtherError};
use webpki::EndEntityCert;

use crate::protocol::NotXpra;

/// Names of a certificate that are shown at most.
const MAX_NAMES: usize = 8;
/// Longest name shown, in characters.
const MAX_NAME_CHARS: usize = 80;

/// Why there is no secure connection. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read certificates from {}: {why}", path.display())]
    CaCerts { path: PathBuf, why: String },
    #[error(
        "the system has no certificate authorities to check the server with: name some with --ssl-ca-certs=FILE"
    )]
    NoRoots,
    #[error("`{got}` cannot be the name of a server in a certificate")]
    ServerName { got: String },
    #[error("TLS could not be set up: {0}")]
    Setup(rustls::Error),
    #[error(
        "the certificate of {server} signed itself, so nobody that this machine trusts vouches for it: check it, then name it with --ssl-ca-certs=FILE"
    )]
    SelfSigned { server: String },
    #[error(
        "the certificate of {server} is not signed by an authority that this machine trusts: check it, then name it with --ssl-ca-certs=FILE"
    )]
    UnknownIssuer { server: String },
    #[error(
        "the certificate of {server} was issued by `{issuer}`, which this machine does not know, and the server sent no certificate of it: \
         its certificate file must hold the whole chain (its own certificate first, then the intermediate ones); \
         if `{issuer}` is an authority of your own, name its certificate with --ssl-ca-certs=FILE"
    )]
    IncompleteChain { server: String, issuer: String },
    #[error(
        "the certificate of {server} is for another name, {names}: connect by that name, or name it with --ssl-server-hostname=NAME"
    )]
    WrongName { server: String, names: Names },
    #[error(
        "the certificate of {server} holds no host name that counts (no subjectAltName; the common name alone is not looked at any more): \
         the server needs a new one with subjectAltName=DNS:{server}; until then --ssl-check-hostname=no together with \
         --ssl-ca-certs=FILE that names this very certificate is safe"
    )]
    NoName { server: String },
    #[error(
        "the certificate of {server} has expired or is not valid yet: the server needs a new one (is this machine's clock right?)"
    )]
    Expired { server: String },
    #[error(
        "{server} speaks Xpra without TLS on this port: use a tcp:// address, or ws:// instead of wss://"
    )]
    Plain { server: String },
    #[error("{server} speaks HTTP without TLS on this port: use a ws:// address")]
    PlainHttp { server: String },
    #[error("no secure connection to {server}: {what}")]
    NotTls { server: String, what: NotXpra },
    #[error(
        "no secure connection to {server}: it closed the connection as soon as TLS was asked for (does this port speak TLS?)"
    )]
    ClosedAtOnce { server: String },
    #[error("no secure connection to {server}: it refused TLS ({why})")]
    Alert { server: String, why: String },
    #[error("no secure connection to {server}: {why} (does this port speak TLS?)")]
    Handshake { server: String, why: String },
}

/// The names that a certificate is for.
#[derive(Debug, PartialEq, Eq)]
pub struct Names(Vec<String>);

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<_> = self.0.iter().take(MAX_NAMES).map(|name| format!("`{name}`")).collect();
        f.write_str(&shown.join(", "))?;
        match self.0.len().saturating_sub(MAX_NAMES) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl TlsError {
    /// What a failed handshake means. `peer`: what the peer is, by the first bytes of its answer.
    pub(super) fn explain(error: &io::Error, server: &str, peer: Option<NotXpra>) -> Self {
        let server = server.to_owned();
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match (tls, peer) {
            (Some(rustls::Error::InvalidCertificate(problem)), _) => Self::certificate(problem, server),
            (Some(rustls::Error::AlertReceived(alert)), _) => {
                Self::Alert { server, why: format!("{alert:?}") }
            }
            (_, Some(NotXpra::NeedsBencode | NotXpra::Refused { .. })) => Self::Plain { server },
            (_, Some(NotXpra::Http)) => Self::PlainHttp { server },
            (_, Some(what)) if what != NotXpra::Tls => Self::NotTls { server, what },
            (None, _) if error.kind() == io::ErrorKind::UnexpectedEof => Self::ClosedAtOnce { server },
            _ => Self::Handshake { server, why: error.to_string() },
        }
    }

    fn certificate(problem: &CertificateError, server: String) -> Self {
        match problem {
            CertificateError::UnknownIssuer => Self::UnknownIssuer { server },
            CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
                Self::NoName { server }
            }
            CertificateError::NotValidForNameContext { presented, .. } => Self::WrongName {
                server,
                names: Names(presented.iter().map(|name| readable(name)).collect()),
            },
            CertificateError::NotValidForName => Self::NoName { server },
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Self::Expired { server },
            CertificateError::Other(OtherError(why)) => match why.downcast_ref::<Unknown>() {
                Some(Unknown::SelfSigned) => Self::SelfSigned { server },
                Some(Unknown::Issuer(issuer)) => Self::IncompleteChain { server, issuer: issuer.clone() },
                // A self-signed certificate that says that it is an authority's.
                None => Self::SelfSigned { server },
            },
            _ => Self::Handshake { server, why: format!("bad certificate: {problem}") },
        }
    }
}

/// Why a certificate's issuer is unknown; travels through rustls to [`TlsError::explain`].
#[derive(Debug, thiserror::Error)]
enum Unknown {
    #[error("the certificate signed itself")]
    SelfSigned,
    #[error("the certificate of `{0}` was not sent")]
    Issuer(String),
}

/// Tells a chain with a gap from one whose authority is unknown.
pub(super) fn unknown_issuer(end_entity: &CertificateDer<'_>, sent: &[CertificateDer<'_>]) -> rustls::Error {
    let problem = match EndEntityCert::try_from(end_entity) {
        Ok(cert) if cert.issuer() == cert.subject() => Some(Unknown::SelfSigned),
        Ok(cert) => missing_issuer(&cert, sent).map(Unknown::Issuer),
        Err(_) => None,
    };
    match problem {
        Some(problem) => CertificateError::Other(OtherError(Arc::new(problem))).into(),
        None => CertificateError::UnknownIssuer.into(),
    }
}

/// Follows the issuers through the certificates that were sent: the name of the first that is not
/// among them, `None` if the chain ends in an authority that signed itself.
fn missing_issuer(end_entity: &EndEntityCert<'_>, sent: &[CertificateDer<'_>]) -> Option<String> {
    let sent: Vec<_> = sent.iter().filter_map(|cert| EndEntityCert::try_from(cert).ok()).collect();
    let mut issuer = end_entity.issuer();
    // A chain is no longer than what was sent, or it goes in circles.
    for _ in 0..=sent.len() {
        match sent.iter().find(|cert| cert.subject() == issuer) {
            Some(authority) if authority.issuer() == issuer => return None,
            Some(intermediate) => issuer = intermediate.issuer(),
            None => return Some(common_name(issuer)),
        }
    }
    None
}

/// The common name (or the last readable part) of a distinguished name in DER (RFC 5280 §4.1.2.4),
/// for people to read.
fn common_name(name: &[u8]) -> String {
    /// 2.5.4.3, with its tag and length.
    const COMMON_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x04, 0x03];
    let found = name.windows(COMMON_NAME.len()).position(|window| window == COMMON_NAME);
    let value = found.and_then(|at| {
        // A string: its tag, a length below 128, and that many bytes.
        let rest = name.get(at + COMMON_NAME.len()..)?;
        let len = usize::from(*rest.get(1)?);
        rest.get(2..2 + len)
    });
    match value {
        Some(text) => shortened(&String::from_utf8_lossy(text)),
        None => "an authority without a name".to_owned(),
    }
}

/// A name as rustls lists it, such as `DnsName("host")`, without what it says around it.
fn readable(name: &str) -> String {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
    shortened(inner.trim_matches('"'))
}

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect()
}
