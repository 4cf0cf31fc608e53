//! HTTP's CONNECT (RFC 9110 §9.3.6), with the login of RFC 7617.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_socks::TargetAddr;
use zeroize::Zeroizing;

use super::{Proxy, ProxyError, error_of};
use crate::protocol::text;

/// Bytes of an answer's head.
const MAX_HEAD: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;
/// Characters of an answer that are repeated.
const MAX_SHOWN: usize = 80;

/// Asks for a tunnel to `goal`.
pub(super) async fn ask(
    proxy: &Proxy,
    mut stream: TcpStream,
    goal: &TargetAddr<'_>,
) -> Result<TcpStream, ProxyError> {
    let to = goal.to_string();
    let failed = |source| error_of(proxy, to.clone(), source);
    if to.contains(|c: char| c.is_control() || c.is_whitespace()) {
        let why = "this cannot be a host's name";
        return Err(ProxyError::CannotAsk { proxy: proxy.to_string(), to, why });
    }
    stream.write_all(request(proxy, &to).as_bytes()).await.map_err(failed)?;
    // Byte by byte: what follows the head is the server's.
    let mut head = Vec::with_capacity(512);
    while !head.ends_with(b"\r\n\r\n") && !head.ends_with(b"\n\n") {
        if head.len() == MAX_HEAD {
            return Err(no_proxy(proxy, format!("its answer has no end after {MAX_HEAD} bytes")));
        }
        head.push(stream.read_u8().await.map_err(failed)?);
        if head.len() == 5 && !head.eq_ignore_ascii_case(b"HTTP/") {
            return Err(no_proxy(proxy, format!("it answers `{}…`", text::shown_bytes(&head, MAX_SHOWN))));
        }
    }
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut answer = httparse::Response::new(&mut headers);
    match answer.parse(&head) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err(no_proxy(proxy, "its answer is cut".to_owned())),
        Err(error) => return Err(no_proxy(proxy, format!("its answer is no valid HTTP ({error})"))),
    }
    let status = answer.code.unwrap_or_default();
    let reason = text::shown(answer.reason.unwrap_or_default().trim(), MAX_SHOWN);
    let said = format!("HTTP status {status} {reason}");
    let said = said.trim_end();
    let proxy_text = proxy.to_string();
    match status {
        200..=299 => Ok(stream),
        // tinyproxy has the status of servers for a wrong login.
        401 | 407 if proxy.username.is_some() => {
            Err(ProxyError::LoginRefused { proxy: proxy_text, said: format!(" ({said})") })
        }
        407 => {
            let (scheme, place) = (proxy.kind.scheme(), proxy.at.to_string());
            let offered =
                offered(&answer).map(|names| format!(" (it takes {names}; Farpane gives Basic only)"));
            let offered = offered.unwrap_or_default();
            Err(ProxyError::WantsLogin { proxy: proxy_text, scheme, place, offered })
        }
        _ => {
            let hint = match status {
                400 | 404 | 405 | 501 => " (is it a web server, not a proxy?)",
                403 => " (its rules do not allow this host or port)",
                500 | 502..=504 => " (does the host exist, and does the server run?)",
                _ => "",
            };
            Err(ProxyError::Refused { proxy: proxy_text, to, said: format!("{said}{hint}") })
        }
    }
}

/// Wiped, since it holds the password.
fn request(proxy: &Proxy, to: &str) -> Zeroizing<String> {
    let name = proxy.username.as_deref().unwrap_or_default();
    let password = proxy.password.as_ref().map_or("", |password| password.expose());
    // All in one piece: a text that grew would leave parts behind.
    let mut request =
        Zeroizing::new(String::with_capacity(200 + 2 * to.len() + 2 * (name.len() + password.len())));
    for part in ["CONNECT ", to, " HTTP/1.1\r\nHost: ", to, "\r\n"] {
        request.push_str(part);
    }
    if !name.is_empty() {
        let mut login = Zeroizing::new(String::with_capacity(name.len() + password.len() + 1));
        for part in [name, ":", password] {
            login.push_str(part);
        }
        request.push_str("Proxy-Authorization: Basic ");
        BASE64.encode_string(login.as_bytes(), &mut request);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    request
}

/// The ways to log in that a proxy names, if the one that Farpane has is not among them.
fn offered(answer: &httparse::Response<'_, '_>) -> Option<String> {
    let ways = answer.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("proxy-authenticate"));
    let names: Vec<String> = ways
        .filter_map(|header| {
            let value = String::from_utf8_lossy(header.value);
            Some(text::shown(value.split_whitespace().next()?, MAX_SHOWN))
        })
        .collect();
    let has_basic = names.iter().any(|name| name.eq_ignore_ascii_case("basic"));
    (!names.is_empty() && !has_basic).then(|| names.join(", "))
}

fn no_proxy(proxy: &Proxy, why: String) -> ProxyError {
    ProxyError::NoProxy { proxy: proxy.to_string(), expected: proxy.kind.name(), why }
}
