//! The upgrade from HTTP (RFC 6455 §4), with Xpra's `binary` subprotocol.

use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use url::Url;

use crate::protocol::NotXpra;
use crate::protocol::record::MAGIC;
use crate::protocol::text;

use super::stream::WebSocket;

/// A server's answer may be this long.
const MAX_RESPONSE: usize = 16 * 1024;
const MAX_HEADERS: usize = 128;
/// Answers "there is more to come" before the true one (RFC 9110 §15.2).
const MAX_INTERIM: usize = 16;
/// Characters of an address that a server sends us to.
const MAX_LOCATION: usize = 200;
/// How long the rest of an error page is waited for.
const PAGE_LIMIT: Duration = Duration::from_millis(500);
/// RFC 6455 §1.3.
const ACCEPT_GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Why a server did not switch to WebSocket. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    #[error("the connection failed during the WebSocket handshake: {0}")]
    Io(io::Error),
    #[error(
        "the server closed the connection instead of answering the WebSocket handshake (does this port speak ws?)"
    )]
    Closed,
    #[error("no WebSocket: {0}")]
    OtherProtocol(NotXpra),
    #[error("this port speaks Xpra without WebSocket: use a tcp:// address (or ssl:// instead of wss://)")]
    PlainXpra,
    #[error(
        "this Xpra server takes no WebSocket connections: use a tcp:// address (or ssl:// instead of wss://), or start it with --html=on"
    )]
    NoWeb,
    #[error("the answer to the WebSocket handshake is no valid HTTP: {0} (does this port speak ws?)")]
    NotHttp(httparse::Error),
    #[error(
        "this web server speaks HTTP/2 only on this port, and a session needs HTTP/1.1 (is the port right?)"
    )]
    Http2,
    #[error("the server closed the connection in the middle of its answer to the WebSocket handshake")]
    Cut,
    #[error("the answer to the WebSocket handshake is longer than {MAX_RESPONSE} bytes")]
    TooLong,
    #[error("the server answered the WebSocket handshake with HTTP status {status}{reason}: {meaning}", meaning = meaning(*status))]
    Status {
        status: u16,
        /// The server's word for it, with a space before it.
        reason: String,
    },
    #[error("the server moved this address (HTTP status {status}): connect to {location}")]
    Moved {
        status: u16,
        /// An address that Farpane takes; until [`HandshakeError::seen_from`] what the server said.
        location: String,
    },
    #[error(
        "the web server in front of the session wants a login of its own first (HTTP status {status}, at {page}), which Farpane can not give"
    )]
    Login { status: u16, page: String },
    #[error("this port speaks TLS: use a wss:// address")]
    Tls,
    #[error(
        "the server's Sec-WebSocket-Accept does not answer our key: something between us and the server is in the way"
    )]
    Accept,
}

/// What an HTTP status means for somebody who wants a session (RFC 9110 §15).
fn meaning(status: u16) -> &'static str {
    match status {
        200..=299 => "there is a web page at this path, no session (is the path of the address right?)",
        300..=399 => "it wants another address, and does not say which",
        400 => {
            "it does not understand the request (is this a web server in front of Xpra, and does it forward WebSocket?)"
        }
        401 => "the web server in front of the session wants a login of its own, which Farpane can not give",
        403 => "the web server does not allow this path, or not from here",
        404 | 410 => "there is nothing at this path: check what stands after the host in the address",
        421 => "the web server knows no such host: check the host's name in the address",
        405 | 426 | 501 => {
            "there is no WebSocket at this path (is the path right, and does the web server forward WebSocket?)"
        }
        407 => "a proxy on the way wants a login of its own, which Farpane can not give",
        408 => "the web server waited in vain for the request: something on the way holds it up",
        429 => "too many attempts: wait before trying again",
        511 => "the network that this machine is in wants a login first: open any web page in a browser",
        525 | 526 => "the web server is there, but gets no secure connection to the session behind it",
        502..=504 | 520..=524 => {
            "the web server is there, but the session behind it does not answer (is the Xpra server running?)"
        }
        500..=599 => "the web server failed: its log says why",
        _ => "expected 101 (is it an Xpra server, and the path right?)",
    }
}

impl From<io::Error> for HandshakeError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                Self::Closed
            }
            _ => Self::Io(error),
        }
    }
}

/// Asks the server at the other end of `stream` to speak WebSocket.
///
/// `host` is for the `Host:` header, with the port if it is not the scheme's default; `path` is
/// absolute. Not cancel-safe: a dropped handshake leaves the stream in the middle of it.
///
/// # Errors
/// See [`HandshakeError`]; the stream is of no use then.
pub async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    host: &str,
    path: &str,
) -> Result<WebSocket<S>, HandshakeError> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(|error| io::Error::other(error.to_string()))?;
    let key = BASE64.encode(nonce);
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: binary\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut response = Vec::with_capacity(1024);
    let mut interim = 0;
    loop {
        match check_response(&response, &key) {
            Ok(Checked::Accepted(len)) => {
                response.drain(..len);
                return Ok(WebSocket::new(stream, response));
            }
            Ok(Checked::Interim(len)) if interim < MAX_INTERIM => {
                interim += 1;
                response.drain(..len);
                continue;
            }
            Ok(Checked::Interim(_)) => return Err(HandshakeError::TooLong),
            Ok(Checked::Unfinished) => {}
            Err(HandshakeError::Status { status: 400, reason }) => {
                read_page(&mut stream, &mut response).await;
                return Err(bad_request(&response, reason));
            }
            Err(error) => return Err(error),
        }
        if response.len() > MAX_RESPONSE {
            return Err(HandshakeError::TooLong);
        }
        if stream.read_buf(&mut response).await? == 0 {
            return Err(match not_http(&response, httparse::Error::Status) {
                _ if response.is_empty() => HandshakeError::Closed,
                HandshakeError::NotHttp(_) => HandshakeError::Cut,
                other => other,
            });
        }
    }
}

/// Reads more of an error page, as far as it comes soon.
async fn read_page<S: AsyncRead + Unpin>(stream: &mut S, response: &mut Vec<u8>) {
    let reading = async {
        while response.len() < MAX_RESPONSE && matches!(stream.read_buf(response).await, Ok(len) if len > 0) {
        }
    };
    // Whatever came by then is what there is.
    let _ = tokio::time::timeout(PAGE_LIMIT, reading).await;
}

/// What has come of an answer.
enum Checked {
    /// More is needed.
    Unfinished,
    /// Another answer follows behind so many bytes.
    Interim(usize),
    /// The upgrade; frames follow behind so many bytes.
    Accepted(usize),
}

/// Looks at the head of a response.
fn check_response(response: &[u8], key: &str) -> Result<Checked, HandshakeError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Response::new(&mut headers);
    let len = match parsed.parse(response) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => return Ok(Checked::Unfinished),
        Err(error) => return Err(not_http(response, error)),
    };
    let header = |name: &str| {
        let found = parsed.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.map(|header| header.value.trim_ascii())
    };
    let status = parsed.code.unwrap_or(0);
    if status != 101 {
        if (100..200).contains(&status) {
            return Ok(Checked::Interim(len));
        }
        let location = header("location").filter(|_| (300..400).contains(&status));
        return Err(match location {
            // nginx's own status: the request came without TLS.
            _ if status == 497 => HandshakeError::Tls,
            Some(location) => {
                HandshakeError::Moved { status, location: String::from_utf8_lossy(location).into_owned() }
            }
            None => {
                let reason = text::shown(parsed.reason.unwrap_or_default(), 80);
                let reason = if reason.is_empty() { reason } else { format!(" {reason}") };
                HandshakeError::Status { status, reason }
            }
        });
    }
    let expected = BASE64.encode(Sha1::new().chain_update(key).chain_update(ACCEPT_GUID).finalize());
    match header("sec-websocket-accept") {
        Some(value) if value == expected.as_bytes() => Ok(Checked::Accepted(len)),
        _ => Err(HandshakeError::Accept),
    }
}

/// What a peer is that does not answer in HTTP.
fn not_http(response: &[u8], error: httparse::Error) -> HandshakeError {
    match NotXpra::recognise(response, true) {
        _ if response.first() == Some(&MAGIC) => HandshakeError::PlainXpra,
        Some(NotXpra::NeedsBencode | NotXpra::Refused { .. }) => HandshakeError::PlainXpra,
        Some(NotXpra::Tls) => HandshakeError::Tls,
        Some(NotXpra::Http) if !response.starts_with(b"HTTP/1") && !response.starts_with(b"<") => {
            HandshakeError::Http2
        }
        Some(NotXpra::Http) | None => HandshakeError::NotHttp(error),
        Some(what) => HandshakeError::OtherProtocol(what),
    }
}

/// What the page of a status 400 means: nginx, Apache and Go's servers say in it that the port wants TLS, Xpra
/// servers that they serve no web clients.
fn bad_request(response: &[u8], reason: String) -> HandshakeError {
    let page = String::from_utf8_lossy(response).to_ascii_lowercase();
    let says = |words: &str| page.contains(words);
    if says("to https port")
        || says("to an https server")
        || says("plain http to an ssl-enabled")
        || says("requires tls")
    {
        HandshakeError::Tls
    } else if says("this port does not support http requests") {
        HandshakeError::NoWeb
    } else {
        HandshakeError::Status { status: 400, reason }
    }
}

impl HandshakeError {
    /// The same where the request went to `host` (with its port) and `path`: a server names the place to go to as
    /// browsers understand it (RFC 9110 §10.2.2), seen from there.
    pub fn seen_from(self, secure: bool, host: &str, path: &str) -> Self {
        let Self::Moved { status, location } = self else { return self };
        let scheme = if secure { "https" } else { "http" };
        let here = Url::parse(&format!("{scheme}://{host}{path}")).ok();
        let there = here.as_ref().and_then(|here| destination(here, &location));
        match there {
            Some((page, true)) => Self::Login { status, page },
            Some((location, false)) => Self::Moved { status, location },
            None => Self::Status { status, reason: String::new() },
        }
    }
}

/// The address that Farpane takes for a place that browsers go to, and whether that looks like a page to log in
/// at. `None` if it leads nowhere else. Names, passwords and tokens in it are not repeated.
fn destination(here: &Url, location: &str) -> Option<(String, bool)> {
    let mut there = here.join(location).ok()?;
    let scheme = match there.scheme() {
        "http" | "ws" => "ws",
        "https" | "wss" => "wss",
        _ => return None,
    };
    let had_query = there.query().is_some();
    there.set_query(None);
    there.set_fragment(None);
    let _ = there.set_username("");
    let _ = there.set_password(None);
    if there == *here {
        return None;
    }
    let port = there.port().map(|port| format!(":{port}")).unwrap_or_default();
    let host = there.host_str()?;
    let address = text::shown(&format!("{scheme}://{host}{port}{}", there.path()), MAX_LOCATION + 1);
    if address.chars().count() > MAX_LOCATION {
        return None;
    }
    let words = |text: &str| text.split(|c: char| !c.is_ascii_alphanumeric()).any(is_about_login);
    let first_label = host.split('.').next().unwrap_or_default();
    let is_login = words(there.path()) || (had_query && words(first_label));
    Some((address, is_login))
}

/// What the pages of web logins are called.
fn is_about_login(word: &str) -> bool {
    const WORDS: [&str; 12] = [
        "auth",
        "authelia",
        "authorize",
        "cas",
        "login",
        "logon",
        "oauth",
        "oauth2",
        "oidc",
        "saml",
        "signin",
        "sso",
    ];
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}
