//! Reaches one of a host's addresses, whichever answers first ("happy eyeballs", RFC 8305).
//!
//! The system's resolver gives the addresses of both families at once, in the order of RFC 6724. They are tried in that
//! order, the families by turns, a new one every [`STAGGER`] and whenever one fails; the first that connects wins, and the
//! others are given up.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::net::TcpStream;

use crate::channel::ConnectStage;

use super::transport::ConnectError;
use super::uri::HostPort;

/// From one attempt to the next, while none has failed (RFC 8305 §5, "Connection Attempt Delay").
pub const STAGGER: Duration = Duration::from_millis(250);
/// More addresses of a host are not tried.
pub const MAX_ADDRESSES: usize = 16;

/// Addresses that were tried in vain, and what came of it.
#[derive(Debug, Default)]
pub struct Tried(Vec<(SocketAddr, io::Error)>);

impl Tried {
    /// This address did not work.
    pub fn add(&mut self, address: SocketAddr, error: io::Error) {
        self.0.push((address, error));
    }

    fn all_refused(&self) -> bool {
        self.0.iter().all(|(_, error)| error.kind() == io::ErrorKind::ConnectionRefused)
    }
}

/// `[::1]:14500: Connection refused (os error 111); 127.0.0.1:14500: …`
impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (address, error)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{address}: {error}")?;
        }
        Ok(())
    }
}

/// The addresses of a host, in the order in which they are tried.
pub(super) async fn addresses(at: &HostPort) -> Result<Vec<SocketAddr>, ConnectError> {
    let found =
        tokio::net::lookup_host((at.host.as_str(), at.port)).await.map_err(|source| match at.zone() {
            Some(zone) => ConnectError::Zone { zone: zone.to_owned() },
            None => ConnectError::Resolve { host: at.host.clone(), source },
        })?;
    let addresses = interleaved(found);
    if addresses.is_empty() {
        let source = io::Error::new(io::ErrorKind::NotFound, "it has no address");
        return Err(ConnectError::Resolve { host: at.host.clone(), source });
    }
    Ok(addresses)
}

/// The addresses with the families by turns, beginning with the first one's, each once, [`MAX_ADDRESSES`] at most
/// (RFC 8305 §4, with a "First Address Family Count" of 1).
pub fn interleaved(addresses: impl IntoIterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let (mut first, mut other) = (Vec::new(), Vec::new());
    for address in addresses {
        let is_first = first.first().is_none_or(|known: &SocketAddr| known.is_ipv6() == address.is_ipv6());
        let family = if is_first { &mut first } else { &mut other };
        // A host that has more of one family than are tried may still have others.
        if family.len() < MAX_ADDRESSES && !family.contains(&address) {
            family.push(address);
        }
    }
    let (mut first, mut other) = (first.into_iter(), other.into_iter());
    let mut turns = Vec::new();
    while turns.len() < MAX_ADDRESSES {
        let pair = [first.next(), other.next()];
        if pair == [None, None] {
            break;
        }
        turns.extend(pair.into_iter().flatten());
    }
    turns.truncate(MAX_ADDRESSES);
    turns
}

/// Connects to the host at one of its addresses, for an address of this scheme, and says how far it is. What failed so far stands in `tried`, also when
/// this is dropped in the middle.
pub(super) async fn connect(
    at: &HostPort,
    scheme: &'static str,
    tried: &RefCell<Tried>,
    stage: &dyn Fn(ConnectStage),
) -> Result<TcpStream, ConnectError> {
    stage(ConnectStage::Resolving { host: at.host.clone() });
    let addresses = addresses(at).await?;
    let start = |address: SocketAddr| {
        stage(ConnectStage::Reaching { at: address.to_string() });
        TcpStream::connect(address)
    };
    let failed = |address, error: io::Error| {
        tracing::debug!(%address, %error, "connecting failed");
        tried.borrow_mut().add(address, error);
    };
    if let Some(stream) = race(addresses, || tokio::time::sleep(STAGGER), start, failed).await {
        return Ok(stream);
    }
    let mut tried = tried.take();
    Err(if tried.all_refused() {
        ConnectError::Refused { at: at.clone(), scheme }
    } else if at.lacks_zone() {
        ConnectError::NoZone { at: at.clone() }
    } else if tried.0.len() == 1
        && let Some((_, source)) = tried.0.pop()
    {
        ConnectError::Failed { at: at.to_string(), source }
    } else {
        ConnectError::AllFailed { at: at.to_string(), tried }
    })
}

/// Tries the addresses in order, the next one when a `pause` is over or an attempt has failed, while those before go on.
/// Gives the first connection that stands; `None` when all have failed, each of which was told to `failed`. No clock: the
/// pauses are the caller's. Dropping it gives up all attempts.
pub async fn race<S, E, P: Future<Output = ()>, F: Future<Output = Result<S, E>>>(
    addresses: Vec<SocketAddr>,
    pause: impl Fn() -> P,
    start: impl Fn(SocketAddr) -> F,
    failed: impl Fn(SocketAddr, E),
) -> Option<S> {
    let mut waiting = VecDeque::from(addresses);
    let mut under_way: Vec<(SocketAddr, Pin<Box<F>>)> = Vec::new();
    loop {
        if let Some(address) = waiting.pop_front() {
            under_way.push((address, Box::pin(start(address))));
        }
        if under_way.is_empty() {
            return None;
        }
        let ended = std::future::poll_fn(|cx| {
            for (index, (_, attempt)) in under_way.iter_mut().enumerate() {
                if let Poll::Ready(result) = attempt.as_mut().poll(cx) {
                    let (address, _) = under_way.swap_remove(index);
                    return Poll::Ready((address, result));
                }
            }
            Poll::Pending
        });
        let ended = tokio::select! {
            biased;
            ended = ended => ended,
            () = pause(), if !waiting.is_empty() => continue,
        };
        match ended {
            (_, Ok(stream)) => return Some(stream),
            (address, Err(error)) => failed(address, error),
        }
    }
}
