//! Through a proxy to a server.

use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpStream;
use tokio_socks::tcp::{Socks4Stream, Socks5Stream};
use tokio_socks::{Error as SocksError, TargetAddr};
use url::Host;

use crate::channel::ConnectStage;

use super::super::dial::{self, Tried};
use super::super::transport::ConnectError;
use super::super::uri::HostPort;
use super::{Proxy, ProxyError, ProxyKind, http};

/// Addresses of a host that the proxy is asked for, one after the other, where this machine looks names up.
const MAX_ASKED: usize = 4;
/// What SOCKS4 is told in one piece, in bytes: the name of the user and that of the host.
const MAX_SOCKS4: usize = 400;

/// Connects to the proxy, as [`dial::connect`] does, and has it connect to the server at `at`. The stream that comes back
/// is the server's from its next byte on. Dropping it ends the attempt.
///
/// # Errors
/// See [`ProxyError`].
pub async fn connect(
    proxy: &Proxy,
    at: &HostPort,
    tried: &RefCell<Tried>,
    stage: &dyn Fn(ConnectStage),
) -> Result<TcpStream, ConnectError> {
    let name = HostPort { host: at.name().to_owned(), port: at.port };
    // As names are written on the wire; an address stays one.
    let host = match name.host.parse::<IpAddr>() {
        Ok(ip) => ip.to_string(),
        Err(_) => match Host::parse(&name.host) {
            Ok(host) => host.to_string(),
            Err(_) => name.host.clone(),
        },
    };
    let mut goals = vec![match host.parse::<IpAddr>() {
        Ok(ip) => TargetAddr::Ip(SocketAddr::new(ip, at.port)),
        Err(_) => TargetAddr::Domain(host.into(), at.port),
    }];
    if !proxy.resolves && matches!(goals.first(), Some(TargetAddr::Domain(..))) {
        stage(ConnectStage::Resolving { host: at.host.clone() });
        let found = dial::addresses(at).await?;
        let takes = |address: &SocketAddr| proxy.kind != ProxyKind::Socks4 || address.is_ipv4();
        goals = found.into_iter().filter(takes).take(MAX_ASKED).map(TargetAddr::Ip).collect();
    }
    let nothing = "it takes addresses of IPv4 only, and this name has none";
    let mut last = ProxyError::CannotAsk { proxy: proxy.to_string(), to: name.to_string(), why: nothing };
    for goal in goals {
        let stream = reach(proxy, tried, stage).await?;
        stage(ConnectStage::Proxying { proxy: proxy.to_string(), to: name.to_string() });
        match ask(proxy, stream, &goal).await {
            Ok(stream) => return Ok(stream),
            Err(error @ ProxyError::Refused { .. }) => last = error,
            Err(error) => return Err(error.into()),
        }
    }
    Err(last.into())
}

/// A connection to the proxy itself.
async fn reach(
    proxy: &Proxy,
    tried: &RefCell<Tried>,
    stage: &dyn Fn(ConnectStage),
) -> Result<TcpStream, ConnectError> {
    let reached = dial::connect(&proxy.at, "tcp", tried, stage).await;
    reached.map_err(|error| {
        let why = match error {
            ConnectError::Refused { .. } => "nothing listens there".to_owned(),
            error => error.to_string(),
        };
        ProxyError::Unreachable { proxy: proxy.to_string(), why }.into()
    })
}

async fn ask(proxy: &Proxy, stream: TcpStream, goal: &TargetAddr<'_>) -> Result<TcpStream, ProxyError> {
    let name = proxy.username.as_deref();
    match proxy.kind {
        ProxyKind::Http => http::ask(proxy, stream, goal).await,
        ProxyKind::Socks5 => {
            let asked = match (name, &proxy.password) {
                (Some(name), Some(password)) => {
                    let password = password.expose();
                    Socks5Stream::connect_with_password_and_socket(stream, goal.to_owned(), name, password)
                        .await
                }
                _ => Socks5Stream::connect_with_socket(stream, goal.to_owned()).await,
            };
            asked.map(Socks5Stream::into_inner).map_err(|error| refused(proxy, goal, error))
        }
        ProxyKind::Socks4 => {
            let host = if let TargetAddr::Domain(host, _) = goal { host.len() } else { 0 };
            if name.map_or(0, str::len) + host > MAX_SOCKS4 {
                let why = "the names are too long for it";
                return Err(ProxyError::CannotAsk { proxy: proxy.to_string(), to: goal.to_string(), why });
            }
            let asked = match name {
                Some(name) => {
                    Socks4Stream::connect_with_userid_and_socket(stream, goal.to_owned(), name).await
                }
                None => Socks4Stream::connect_with_socket(stream, goal.to_owned()).await,
            };
            asked.map(Socks4Stream::into_inner).map_err(|error| refused(proxy, goal, error))
        }
    }
}

/// What a SOCKS proxy's answer means.
fn refused(shown: &Proxy, goal: &TargetAddr<'_>, error: SocksError) -> ProxyError {
    let (proxy, to, expected) = (shown.to_string(), goal.to_string(), shown.kind.name());
    let said = match error {
        SocksError::Io(source) => return super::error_of(shown, to, source),
        SocksError::NoAcceptableAuthMethods if shown.username.is_some() => {
            return ProxyError::LoginRefused { proxy, said: " (it takes none with a password)".to_owned() };
        }
        SocksError::NoAcceptableAuthMethods | SocksError::AuthorizationRequired => {
            let (scheme, place) = (shown.kind.scheme(), shown.at.to_string());
            return ProxyError::WantsLogin { proxy, scheme, place, offered: String::new() };
        }
        SocksError::PasswordAuthFailure(_) => {
            return ProxyError::LoginRefused { proxy, said: String::new() };
        }
        SocksError::InvalidResponseVersion
        | SocksError::UnknownAuthMethod
        | SocksError::InvalidReservedByte
        | SocksError::UnknownAddressType
        | SocksError::InvalidTargetAddress(_) => {
            let why = "its answer breaks the rules (is another kind of proxy or server there?)".to_owned();
            return ProxyError::NoProxy { proxy, expected, why };
        }
        SocksError::AddressTypeNotSupported if shown.kind == ProxyKind::Socks4 => {
            let why = "SOCKS4 knows no addresses of IPv6";
            return ProxyError::CannotAsk { proxy, to, why };
        }
        SocksError::IdentdAuthFailure | SocksError::InvalidUserIdAuthFailure => {
            let said = " (it asks an ident server on this machine who you are)".to_owned();
            return ProxyError::LoginRefused { proxy, said };
        }
        SocksError::GeneralSocksServerFailure => {
            "it failed, and gives no reason (does the host exist, and does the server run?)"
        }
        SocksError::ConnectionNotAllowedByRuleset => "its rules do not allow that",
        SocksError::NetworkUnreachable => "it does not reach that network",
        SocksError::HostUnreachable => "it does not reach the host (check its name)",
        SocksError::ConnectionRefused => "nothing listens there (does the server run, and on this port?)",
        SocksError::TtlExpired => "the way is too long (TTL expired)",
        SocksError::CommandNotSupported => "it makes no connections to servers",
        SocksError::AddressTypeNotSupported => "it does not know this kind of address",
        _ => "it gives a reason that SOCKS does not have",
    };
    ProxyError::Refused { proxy, to, said: said.to_owned() }
}

/// What an error of the socket means while the proxy is asked for `to`.
pub(super) fn error_of(proxy: &Proxy, to: String, source: io::Error) -> ProxyError {
    use io::ErrorKind as Kind;
    match source.kind() {
        Kind::UnexpectedEof | Kind::ConnectionReset | Kind::BrokenPipe => {
            ProxyError::Closed { proxy: proxy.to_string(), to, expected: proxy.kind.name() }
        }
        _ => ProxyError::Io { proxy: proxy.to_string(), source },
    }
}
