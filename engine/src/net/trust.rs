//! Trust on first use: what becomes of a certificate that nobody vouches for.
//!
//! No connection is kept open while somebody thinks: the handshake has failed, and after a yes the server is connected to
//! anew. A login, or anything else of the session, comes only after a handshake that went well.

use std::time::{Duration, SystemTime};

use super::known_servers::KnownServers;
use super::links::Links;
use super::proxy::Proxy;
use super::quic::QuicStream;
use super::tls::{Checked, TlsOptions};
use super::transport::{ConnectError, Transport};
use super::uri::{Endpoint, HostPort, Target};
use crate::channel::{AppEvent, NetCommand, clock};
use crate::session::{
    CertificateAnswer, CertificateQuestion, CloseReason, ConnectionEvent, ConnectionInput, Fingerprint,
    Input, SessionEvent, Setup,
};

/// Connects with TLS, says nothing, and leaves. Blocks, `limit` at most. Returns who vouches for the server.
///
/// # Errors
/// If it cannot be reached, or nobody does: [`super::tls::TlsError::Untrusted`] has the certificate then.
pub fn look(
    endpoint: &Endpoint,
    tls: &TlsOptions,
    proxy: Option<&Proxy>,
    limit: Duration,
) -> Result<Checked, ConnectError> {
    let at = endpoint.tls().ok_or(ConnectError::Unsupported { kind: endpoint.transport_name() })?;
    let failed = |source| ConnectError::Failed { at: at.to_string(), source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let target = Target {
        // Without WebSocket's handshake, where there is TLS before it.
        endpoint: match endpoint {
            Endpoint::Quic { .. } => endpoint.clone(),
            _ => Endpoint::Tls(at.clone()),
        },
        username: None,
        password: None,
        display: None,
        options: Vec::new(),
    };
    let looked = runtime.block_on(Transport::connect(&target, tls, proxy, limit, &|_| {}));
    runtime.shutdown_background();
    match looked? {
        Transport::Tls(stream) => Ok(stream.checked()),
        other => Ok(other.quic().map_or(Checked::Not, QuicStream::checked)),
    }
}

/// Asks the user, and keeps what is to be kept. Returns what is trusted from now on. Cancel-safe: then nothing was kept.
///
/// # Errors
/// How the session ends if it is not trusted.
pub(super) async fn ask(
    question: &CertificateQuestion,
    at: &HostPort,
    known: Option<&KnownServers>,
    links: &mut Links,
    setup: &mut Setup,
) -> Result<Fingerprint, CloseReason> {
    let wanted = question.certificate.fingerprint;
    let asks = ConnectionEvent::CertificateAsks(Box::new(question.clone()));
    links.app.send(AppEvent::Session(asks.into()));
    loop {
        match links.queue.pop().await {
            NetCommand::Input(Input::Connection(ConnectionInput::Disconnect)) => {
                return Err(CloseReason::User);
            }
            NetCommand::Input(Input::Connection(ConnectionInput::Certificate { fingerprint, answer }))
                if fingerprint == wanted =>
            {
                match answer {
                    CertificateAnswer::Once => {}
                    CertificateAnswer::Keep => {
                        if let Err(why) = keep(at, wanted, known) {
                            let words = format!("The certificate is trusted for this session only: {why}");
                            links.app.send(AppEvent::Session(SessionEvent::Notice(words)));
                        }
                    }
                    CertificateAnswer::No => {
                        let server = &question.server;
                        return Err(CloseReason::ConnectFailed(format!(
                            "the certificate of {server} was not trusted: nothing was sent to it"
                        )));
                    }
                }
                return Ok(wanted);
            }
            command => links.without_session(clock::now(), command, setup),
        }
    }
}

fn keep(at: &HostPort, fingerprint: Fingerprint, known: Option<&KnownServers>) -> Result<(), String> {
    let known = known.ok_or("the system does not say where your data belongs")?;
    known.trust(at, fingerprint, SystemTime::now()).map_err(|error| error.to_string())
}
