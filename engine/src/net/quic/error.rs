//! Why there is no session over QUIC, in terms that the user can act upon.

use std::io;
use std::time::Duration;

use quinn::ConnectionError;
use rustls::AlertDescription;

use crate::protocol::text;

use super::qpack::FieldError;
use crate::net::tls::TlsError;
use crate::net::transport::ConnectError;
use crate::net::uri::HostPort;

/// Characters of a server's own words.
const MAX_WORDS: usize = 200;
/// Closing without an error, of QUIC (RFC 9000 §20.1) and of HTTP/3 (RFC 9114 §8.1).
const NO_ERROR: [u64; 2] = [0, 0x100];
/// Errors of TLS by their alert (RFC 9001 §4.8).
const CRYPTO_ERRORS: std::ops::Range<u64> = 0x100..0x200;

/// Why a server could not be reached over QUIC, or is lost. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum QuicError {
    #[error(
        "nothing listens on UDP port {} of {} (is the server started with --bind-quic={at}? that needs Xpra 5 or later, with aioquic)",
        at.port, at.host
    )]
    Refused { at: HostPort },
    #[error(
        "UDP port {} of {} did not answer within {} s (is the server started with --bind-quic, which needs Xpra 5 or later, and do \
         firewalls on the way let UDP through? where they do not, use wss:// or ssl://)",
        at.port, at.host, limit.as_secs()
    )]
    Silent { at: HostPort, limit: Duration },
    #[error("no UDP socket could be opened: {0}")]
    Socket(io::Error),
    #[error("{at} cannot be reached over QUIC: {why}")]
    Address { at: HostPort, why: String },
    #[error("{at} speaks QUIC, but no HTTP/3 (is the port right?)")]
    NoHttp3 { at: HostPort },
    #[error("{at} speaks no version of QUIC that Farpane knows (it knows version 1)")]
    Version { at: HostPort },
    #[error("{at} speaks HTTP/3, but takes no sessions over it: this is a web server (is the port right?)")]
    NoConnect { at: HostPort },
    #[error("{at} answered the request for a session with HTTP status {status}{}", meaning(*status))]
    Status { at: HostPort, status: u16 },
    #[error("{at} let us in, but not to an Xpra session: its subprotocol is {} (is the port right?)", shown(got.as_deref()))]
    Subprotocol { at: HostPort, got: Option<Vec<u8>> },
    #[error("the header fields of the answer are not valid: {0}")]
    Fields(#[from] FieldError),
    #[error("the server breaks the rules of HTTP/3: {0}")]
    Http3(&'static str),
    #[error("the server closed the stream instead of answering the request for a session")]
    Closed,
    #[error("the server closed the connection: {words}")]
    ClosedBy { words: String },
    #[error("nothing listens on the server's UDP port any more")]
    Gone,
    #[error("the server's machine did not answer any more")]
    TimedOut,
    #[error("the server was started anew, and knows nothing of this connection")]
    Reset,
    #[error("the server cut the stream off")]
    CutOff,
    #[error("QUIC failed: {why}")]
    Failed { why: String },
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// What a status means for somebody who wants a session.
const fn meaning(status: u16) -> &'static str {
    match status {
        400..=499 => ": there is no session at this address (are port and path right?)",
        501 => ": it takes other sessions than Farpane's over QUIC; its log says which",
        500..=599 => ": the server failed; its log says why",
        _ => ", where 200 was expected (is it an Xpra server?)",
    }
}

fn shown(subprotocol: Option<&[u8]>) -> String {
    subprotocol.map_or("missing".to_owned(), |name| format!("`{}`", text::shown_bytes(name, 40)))
}

impl QuicError {
    /// What it means that a connection with `server` ended like this. `None`: without an error.
    pub fn of(error: &ConnectionError, server: &str) -> Option<Self> {
        let failed = |why: String| Self::Failed { why: text::shown(&why, MAX_WORDS) };
        Some(match error {
            ConnectionError::ApplicationClosed(close) => {
                let code = close.error_code.into_inner();
                if NO_ERROR.contains(&code) && close.reason.is_empty() {
                    return None;
                }
                Self::ClosedBy { words: words(code, &close.reason) }
            }
            ConnectionError::ConnectionClosed(close) => match u64::from(close.error_code) {
                0 => return None,
                code if CRYPTO_ERRORS.contains(&code) => {
                    let alert =
                        AlertDescription::from(u8::try_from(code - CRYPTO_ERRORS.start).unwrap_or(u8::MAX));
                    TlsError::Alert { server: server.to_owned(), alert }.into()
                }
                code => Self::ClosedBy { words: words(code, &close.reason) },
            },
            ConnectionError::TimedOut => Self::TimedOut,
            ConnectionError::Reset => Self::Reset,
            ConnectionError::LocallyClosed => Self::Gone,
            ConnectionError::TransportError(error) => failed(error.to_string()),
            other => failed(other.to_string()),
        })
    }
}

/// A server's reason for closing.
fn words(code: u64, reason: &[u8]) -> String {
    let reason = text::shown_bytes(reason, MAX_WORDS);
    let separator = if reason.is_empty() { "" } else { " " };
    format!("{reason}{separator}(error {code:#x})")
}

impl QuicError {
    /// Whether another attempt may go better, when the server was reached before.
    pub fn may_pass(&self) -> bool {
        !matches!(
            self,
            Self::NoHttp3 { .. }
                | Self::Version { .. }
                | Self::NoConnect { .. }
                | Self::Subprotocol { .. }
                | Self::Fields(_)
                | Self::Http3(_)
        )
    }

    /// Whether `error` says that the server breaks the rules.
    pub fn is_fault(error: &io::Error) -> bool {
        let quic = error.get_ref().and_then(|error| error.downcast_ref::<Self>());
        quic.is_some_and(|error| matches!(error, Self::Http3(_)))
    }
}

impl From<QuicError> for ConnectError {
    fn from(error: QuicError) -> Self {
        match error {
            QuicError::Tls(error) => Self::Tls(error),
            error => Self::Quic(error),
        }
    }
}

impl From<QuicError> for io::Error {
    fn from(error: QuicError) -> Self {
        match error {
            QuicError::Tls(error) => Self::other(error),
            error => Self::other(error),
        }
    }
}
