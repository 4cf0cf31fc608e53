//! The upgrade from HTTP (RFC 6455 §4), with Xpra's `binary` subprotocol.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::protocol::text;

use super::stream::WebSocket;

/// A server's answer may be this long.
const MAX_RESPONSE: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;
/// RFC 6455 §1.3.
const ACCEPT_GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Why a server did not switch to WebSocket.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    #[error("the connection failed during the WebSocket handshake: {0}")]
    Io(#[from] io::Error),
    #[error("the answer to the WebSocket handshake is not HTTP: {0} (does this port speak ws?)")]
    NotHttp(httparse::Error),
    #[error("the answer to the WebSocket handshake is longer than {MAX_RESPONSE} bytes")]
    TooLong,
    #[error(
        "the server answered the WebSocket handshake with HTTP status {status} {reason}; expected 101 (is it an Xpra server, and the path right?)"
    )]
    Status { status: u16, reason: String },
    #[error(
        "the server's Sec-WebSocket-Accept does not answer our key: something between us and the server is in the way"
    )]
    Accept,
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
    loop {
        if stream.read_buf(&mut response).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        if let Some(len) = check_response(&response, &key)? {
            response.drain(..len);
            return Ok(WebSocket::new(stream, response));
        }
        if response.len() > MAX_RESPONSE {
            return Err(HandshakeError::TooLong);
        }
    }
}

/// The length of the response's head if it is complete and accepts the upgrade, `None` if more is
/// needed.
fn check_response(response: &[u8], key: &str) -> Result<Option<usize>, HandshakeError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Response::new(&mut headers);
    let len = match parsed.parse(response).map_err(HandshakeError::NotHttp)? {
        httparse::Status::Complete(len) => len,
        httparse::Status::Partial => return Ok(None),
    };
    let status = parsed.code.unwrap_or(0);
    if status != 101 {
        let reason = text::shown(parsed.reason.unwrap_or_default(), 80);
        return Err(HandshakeError::Status { status, reason });
    }
    let expected = BASE64.encode(Sha1::new().chain_update(key).chain_update(ACCEPT_GUID).finalize());
    let accept =
        parsed.headers.iter().find(|header| header.name.eq_ignore_ascii_case("sec-websocket-accept"));
    match accept {
        Some(header) if header.value.trim_ascii() == expected.as_bytes() => Ok(Some(len)),
        _ => Err(HandshakeError::Accept),
    }
}
