//! Why there is no secure connection, in terms that the user or the server's administrator can act upon.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{AlertDescription, CertificateError, OtherError};
use webpki::EndEntityCert;

use super::known_servers::KnownServersError;
use crate::protocol::{NotXpra, text};
use crate::session::{CertificateQuestion, Fingerprint};

/// Names of a certificate that are shown at most.
const MAX_NAMES: usize = 8;
/// Longest name shown, in characters.
const MAX_NAME_CHARS: usize = 80;

/// Why there is no secure connection. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read certificates from {}: {why}", path.display())]
    CaCerts { path: PathBuf, why: String },
    #[error("the certificate of yours in {} cannot be used: {why} (--ssl-cert)", path.display())]
    ClientCert { path: PathBuf, why: String },
    #[error("there is no private key for your certificate in {}: {why} (--ssl-key, or in the file of --ssl-cert)", path.display())]
    ClientKey { path: PathBuf, why: String },
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
        "the certificate of {server} has expired{since}: the server needs a new one (is this machine's clock right?)"
    )]
    Expired {
        server: String,
        /// In words, with a space before them.
        since: String,
    },
    #[error(
        "the certificate of {server} is not valid yet{before} (is this machine's clock right, and the server's when it was made?)"
    )]
    NotYet {
        server: String,
        /// In words, with a space before them.
        before: String,
    },
    #[error("the certificate of {server} is not one for servers ({why}): the server needs another one")]
    Purpose { server: String, why: String },
    #[error("the certificate of {server} cannot be used ({why}): the server needs another one")]
    Unusable { server: String, why: String },
    /// A certificate that the user may trust nevertheless; nothing was sent to the server.
    #[error(
        "{why}, or trust this very certificate: `farpane trust {scheme}://{}/` shows it and asks (its fingerprint is {})",
        question.server, question.certificate.fingerprint
    )]
    Untrusted {
        why: Box<TlsError>,
        question: Box<CertificateQuestion>,
        /// Of an address that leads there.
        scheme: &'static str,
    },
    /// The user trusts another one; nothing was sent to the server.
    #[error("{}", changed(server, *before, since.as_deref(), *shown))]
    Changed {
        server: String,
        before: Fingerprint,
        /// The day of that; `None`: only in this session.
        since: Option<String>,
        shown: Fingerprint,
    },
    #[error(transparent)]
    Known(#[from] KnownServersError),
    #[error(
        "{server} speaks Xpra without TLS on this port: use a tcp:// address, or ws:// instead of wss://"
    )]
    Plain { server: String },
    #[error("{server} speaks HTTP without TLS on this port: use a ws:// address")]
    PlainHttp { server: String },
    #[error("no secure connection to {server}: {what}")]
    NotTls { server: String, what: NotXpra },
    #[error(
        "no secure connection to {server}: it closed the connection as soon as TLS was asked for (does this port speak TLS? that of an Xpra server does if it was started \
         with --ssl-cert; else use a tcp:// or ws:// address)"
    )]
    ClosedAtOnce { server: String },
    #[error("no secure connection to {server}: it refused TLS ({alert:?}){}", meaning(*alert))]
    Alert { server: String, alert: AlertDescription },
    #[error("no secure connection to {server}: {why} (does this port speak TLS?)")]
    Handshake { server: String, why: String },
}

/// What a server's refusal means (RFC 8446 §6.2), with what parts it from the refusal.
const fn meaning(alert: AlertDescription) -> &'static str {
    use AlertDescription as A;
    match alert {
        A::ProtocolVersion => {
            ": it speaks older versions of TLS only, which are not safe; Farpane takes TLS 1.2 and 1.3"
        }
        A::HandshakeFailure | A::InsufficientSecurity => {
            ": it and Farpane have nothing in common, or it wants a certificate of yours (--ssl-cert=FILE); Farpane takes TLS 1.2 \
             and 1.3 with keys of the kinds RSA, Ed25519, P-256 and P-384"
        }
        A::CertificateRequired | A::NoCertificate | A::BadCertificate | A::UnknownCA | A::AccessDenied => {
            ": it wants a certificate of yours that it trusts: name one with --ssl-cert=FILE and --ssl-key=FILE \
             (the server's ssl-client-verify-mode and ssl-ca-certs say which it trusts)"
        }
        A::UnrecognisedName => {
            ": it has no session under this name; connect by the name that it has, or give that with \
             --ssl-server-hostname=NAME"
        }
        _ => "",
    }
}

/// The refusal of a server whose certificate is another one than before.
fn changed(server: &str, before: Fingerprint, since: Option<&str>, shown: Fingerprint) -> String {
    let (when, way_out) = match since {
        Some(day) => (
            format!("since you trusted it on {day}"),
            format!("forget the old one with `farpane trust --forget {server}` and connect again"),
        ),
        None => ("since this session began".to_owned(), "connect again".to_owned()),
    };
    format!(
        "the certificate of {server} has changed {when}. The old one:\n{before}\nThe new one:\n{shown}\n\
         Somebody may sit between here and the server, so nothing was sent. Ask who runs the server; if the new \
         fingerprint is theirs, {way_out}"
    )
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
        use io::ErrorKind as K;
        let server = server.to_owned();
        match (rustls_error(error), peer) {
            (Some(rustls::Error::InvalidCertificate(problem)), _) => Self::certificate(problem, server),
            (Some(rustls::Error::AlertReceived(alert)), _) => Self::Alert { server, alert: *alert },
            (_, Some(NotXpra::NeedsBencode | NotXpra::Refused { .. })) => Self::Plain { server },
            (_, Some(NotXpra::Http)) => Self::PlainHttp { server },
            (_, Some(what)) if what != NotXpra::Tls => Self::NotTls { server, what },
            (None, _) if matches!(error.kind(), K::UnexpectedEof | K::ConnectionReset | K::BrokenPipe) => {
                Self::ClosedAtOnce { server }
            }
            _ => Self::Handshake { server, why: error.to_string() },
        }
    }

    /// What an error of an established connection means: in TLS 1.3 a server refuses the client after the
    /// handshake. Others are left as they are.
    pub(super) fn explain_later(error: io::Error, server: &str) -> io::Error {
        match rustls_error(&error) {
            Some(rustls::Error::AlertReceived(alert)) => {
                io::Error::other(Self::Alert { server: server.to_owned(), alert: *alert })
            }
            _ => error,
        }
    }

    /// What is wrong with a certificate; `None` if the error is of another kind.
    pub(super) fn of_certificate(error: &rustls::Error, server: &str) -> Option<Self> {
        match error {
            rustls::Error::InvalidCertificate(problem) => Some(Self::certificate(problem, server.to_owned())),
            _ => None,
        }
    }

    /// What is wrong with a certificate that the user may trust nevertheless, as the end of a sentence about it. `None`
    /// of other errors, and of certificates that were made for something else, or wrongly.
    pub(super) fn fault(&self) -> Option<String> {
        Some(match self {
            Self::SelfSigned { .. } => {
                "signed itself, so nobody that this machine trusts vouches for it".to_owned()
            }
            Self::UnknownIssuer { .. } => "is not signed by an authority that this machine trusts".to_owned(),
            Self::IncompleteChain { issuer, .. } => {
                format!("was issued by `{issuer}`, which this machine does not know")
            }
            Self::WrongName { server, .. } => format!("is for another name than `{server}`"),
            Self::NoName { .. } => "names no host at all".to_owned(),
            Self::Expired { since, .. } => format!("has expired{since}"),
            Self::NotYet { before, .. } => format!("is not valid yet{before}"),
            _ => return None,
        })
    }

    fn certificate(problem: &CertificateError, server: String) -> Self {
        use CertificateError as C;
        match problem {
            C::UnknownIssuer => Self::UnknownIssuer { server },
            C::NotValidForNameContext { presented, .. } => match host_names(presented) {
                names if names.0.is_empty() => Self::NoName { server },
                names => Self::WrongName { server, names },
            },
            C::NotValidForName => Self::NoName { server },
            C::Expired => Self::Expired { server, since: String::new() },
            C::ExpiredContext { time, not_after } => {
                Self::Expired { server, since: format!(" {} ago", length(not_after, time)) }
            }
            C::NotValidYet => Self::NotYet { server, before: String::new() },
            C::NotValidYetContext { time, not_before } => {
                Self::NotYet { server, before: format!(", but in {}", length(time, not_before)) }
            }
            C::InvalidPurpose | C::InvalidPurposeContext { .. } => {
                Self::Purpose { server, why: problem.to_string() }
            }
            C::Other(OtherError(why)) => match (why.downcast_ref(), why.downcast_ref()) {
                (Some(Unknown::SelfSigned), _) => Self::SelfSigned { server },
                (Some(Unknown::Issuer(issuer)), _) => {
                    Self::IncompleteChain { server, issuer: issuer.clone() }
                }
                (None, Some(webpki::Error::CaUsedAsEndEntity)) => {
                    Self::Purpose { server, why: "it is the certificate of an authority".to_owned() }
                }
                (None, Some(webpki::Error::EndEntityUsedAsCa)) => Self::Unusable {
                    server,
                    why: "it was signed with a certificate that is no authority's".to_owned(),
                },
                (None, _) => Self::Unusable { server, why: why.to_string() },
            },
            _ => Self::Unusable { server, why: problem.to_string() },
        }
    }
}

fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

/// How long it is from one time to a later one, in words.
fn length(from: &UnixTime, to: &UnixTime) -> String {
    let seconds = to.as_secs().saturating_sub(from.as_secs());
    let (count, unit) = match seconds {
        86_400.. => (seconds / 86_400, "day"),
        3600.. => (seconds / 3600, "hour"),
        _ => (seconds / 60, "minute"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// Why a certificate's issuer is unknown; travels through rustls to [`TlsError::explain`].
#[derive(Debug, thiserror::Error)]
enum Unknown {
    #[error("the certificate signed itself")]
    SelfSigned,
    #[error("the certificate of `{0}` was not sent")]
    Issuer(String),
}

/// Tells more of a certificate that was refused: a chain with a gap from one whose authority is unknown, and
/// certificates that signed themselves from both. Some of those say that they are an authority's, as
/// `openssl req -x509` makes them.
pub(super) fn told_apart(
    error: rustls::Error,
    end_entity: &CertificateDer<'_>,
    sent: &[CertificateDer<'_>],
) -> rustls::Error {
    let is_of_authority = match &error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => false,
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(why)))
            if why.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity) =>
        {
            true
        }
        _ => return error,
    };
    let problem = match EndEntityCert::try_from(end_entity) {
        Ok(cert) if cert.issuer() == cert.subject() => Some(Unknown::SelfSigned),
        Ok(cert) if !is_of_authority => missing_issuer(&cert, sent).map(Unknown::Issuer),
        _ => None,
    };
    problem.map_or(error, |problem| CertificateError::Other(OtherError(Arc::new(problem))).into())
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

/// The common name of a distinguished name in DER (RFC 5280 §4.1.2.4), else its unit or organisation, for people
/// to read.
fn common_name(name: &[u8]) -> String {
    /// 2.5.4.3, 2.5.4.11 and 2.5.4.10, each with its tag and length.
    const PARTS: [&[u8]; 3] =
        [&[0x06, 0x03, 0x55, 0x04, 0x03], &[0x06, 0x03, 0x55, 0x04, 0x0b], &[0x06, 0x03, 0x55, 0x04, 0x0a]];
    let value_of = |part: &[u8]| {
        let at = name.windows(part.len()).position(|window| window == part)?;
        // A string: its tag, a length below 128, and that many bytes.
        let rest = name.get(at + part.len()..)?;
        let len = usize::from(*rest.get(1)?);
        rest.get(2..2 + len)
    };
    match PARTS.iter().find_map(|part| value_of(part)) {
        Some(text) => text::shown_bytes(text, MAX_NAME_CHARS),
        None => "an authority without a name".to_owned(),
    }
}

/// The names of hosts among those that rustls lists, such as `DnsName("host")`, without what it says around them.
/// Others, such as those of people, count for nothing here.
fn host_names(listed: &[String]) -> Names {
    let is_host = |name: &&String| ["DnsName(", "IpAddress("].iter().any(|kind| name.starts_with(kind));
    let inner = |name: &String| {
        let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
        text::shown(inner.trim_matches('"'), MAX_NAME_CHARS)
    };
    Names(listed.iter().filter(is_host).map(inner).collect())
}
