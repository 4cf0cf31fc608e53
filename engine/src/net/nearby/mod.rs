//! Sessions that say of themselves on the local network that they are there: multicast DNS (RFC 6762) with service
//! discovery (RFC 6763), as Xpra's servers announce their ports.
//!
//! Nothing is sent or received but while [`search`] runs. Whoever is on the network can announce what they like: services
//! are bounded, their texts are shown without control characters, and what comes of them is a stranger's address.

mod sessions;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use mdns_sd::{ResolvedService, ScopedIp, ServiceDaemon, ServiceEvent};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, LocalSet};

pub use sessions::{Announced, MAX_SERVICES, Session, Sessions, Way};

use super::tls::{TlsError, TlsOptions};
use super::transport::{ConnectError, Transport};
use crate::channel::clock;

/// What Xpra's servers announce their ports as; those of QUIC apart.
const SERVICE: &str = "_xpra._tcp.local.";
/// How long answers are waited for.
pub const SEARCH: Duration = Duration::from_secs(5);
/// How long one way to a session may take until it answers.
const TRY: Duration = Duration::from_secs(2);
/// Sessions that are tried at the same time.
const AT_ONCE: usize = 16;
/// How long the search may take to end.
const SHUTDOWN: Duration = Duration::from_secs(1);

/// Looks for sessions for [`SEARCH`], then tries each one's ways, best first, and gives those that answer. Blocks for
/// [`SEARCH`] and some seconds more.
///
/// # Errors
/// If the network cannot be listened to.
pub fn search() -> io::Result<Vec<Session>> {
    let sessions = listen(SEARCH)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .thread_name("farpane-resolve")
        .max_blocking_threads(1)
        .build()?;
    let local = LocalSet::new();
    let mut found = local.block_on(&runtime, async {
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        let mut tries = JoinSet::new();
        for session in sessions.into_sessions() {
            let turns = Arc::clone(&turns);
            tries.spawn_local(async move {
                let _turn = turns.acquire_owned().await;
                answering(session).await
            });
        }
        let mut found = Vec::new();
        while let Some(session) = tries.join_next().await {
            found.extend(session.ok().flatten());
        }
        found
    });
    runtime.shutdown_background();
    found.sort();
    Ok(found)
}

/// What is announced within `limit`.
fn listen(limit: Duration) -> io::Result<Sessions> {
    let daemon = ServiceDaemon::new().map_err(io::Error::other)?;
    let events = daemon.browse(SERVICE).map_err(io::Error::other)?;
    let until = clock::now() + limit;
    let mut sessions = Sessions::default();
    while let Ok(event) = events.recv_timeout(until.saturating_duration_since(clock::now())) {
        match event {
            ServiceEvent::ServiceResolved(service) => sessions.add(announced(&service)),
            ServiceEvent::ServiceRemoved(_, name) => sessions.remove(&name),
            _ => {}
        }
    }
    if let Ok(ended) = daemon.shutdown() {
        let _ = ended.recv_timeout(SHUTDOWN);
    }
    Ok(sessions)
}

fn announced(service: &ResolvedService) -> Announced {
    let text = |key: &str| service.get_property_val_str(key).unwrap_or_default().to_owned();
    let host = |ip: &ScopedIp| match ip {
        ScopedIp::V6(v6) if v6.addr().is_unicast_link_local() => {
            Some(format!("{}%{}", v6.addr(), v6.scope_id().name))
        }
        ip => {
            let ip = ip.to_ip_addr();
            let leads_to_one = !(ip.is_unspecified() || ip.is_multicast() || ip == IpAddr::from([255; 4]));
            leads_to_one.then(|| ip.to_string())
        }
    };
    Announced {
        service: service.get_fullname().to_owned(),
        hosts: service.get_addresses().iter().filter_map(host).collect(),
        port: service.get_port(),
        mode: text("mode"),
        uuid: text("uuid"),
        display: text("display"),
        name: text("name"),
        username: text("username"),
        platform: text("platform"),
    }
}

/// The session with its first way that answers, if there is one.
async fn answering(mut session: Session) -> Option<Session> {
    for way in std::mem::take(&mut session.ways) {
        let (target, tls) = (way.target(), TlsOptions::default());
        let answers = match Transport::connect(&target, &tls, None, TRY, &|_| {}).await {
            Ok(_) => true,
            // Whether the certificate is a good one is seen when somebody attaches.
            Err(ConnectError::Tls(error)) => is_about_the_certificate(&error),
            // ssh has its own ways to get there.
            Err(ConnectError::Unsupported { .. }) => true,
            Err(error) => {
                tracing::debug!(%target, %error, "it was announced, and does not answer");
                false
            }
        };
        if answers {
            session.ways = vec![way];
            return Some(session);
        }
    }
    None
}

/// Whether there is TLS all the same.
fn is_about_the_certificate(error: &TlsError) -> bool {
    matches!(
        error,
        TlsError::Untrusted { .. }
            | TlsError::SelfSigned { .. }
            | TlsError::UnknownIssuer { .. }
            | TlsError::IncompleteChain { .. }
            | TlsError::WrongName { .. }
            | TlsError::NoName { .. }
            | TlsError::Expired { .. }
            | TlsError::NotYet { .. }
            | TlsError::Purpose { .. }
            | TlsError::Unusable { .. }
            | TlsError::NoRoots
    )
}
