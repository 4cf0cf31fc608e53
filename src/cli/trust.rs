//! `farpane trust`: shows a server's certificate and asks whether to trust it; forgets and lists those that are trusted.

use clap::Args;

use super::{Failure, output};
use crate::config::{Config, known_servers};
use crate::net::known_servers::{KnownServers, KnownServersError};
use crate::net::tls::{Checked, TlsError, TlsOptions};
use crate::net::{ConnectError, HostPort, Secret, trust};
use crate::session::{CertificateQuestion, CloseReason, Fingerprint};

/// What to do with the list of trusted servers.
#[derive(Args, Clone, Debug)]
pub struct RawTrust {
    /// The server: ssl://HOST:PORT/ or wss://HOST/
    #[arg(value_parser = super::args::secret, required_unless_present_any = ["forget", "list"])]
    pub url: Option<Secret>,
    /// Trust the certificate with this SHA-256 fingerprint without asking, if the server shows it
    #[arg(long, value_name = "SHA256:…", value_parser = fingerprint, requires = "url")]
    pub fingerprint: Option<Fingerprint>,
    /// Forget the certificate of this server: HOST:PORT, or HOST for all its ports
    #[arg(long, value_name = "HOST", conflicts_with = "url")]
    pub forget: Option<String>,
    /// List the servers whose certificates are trusted
    #[arg(long, conflicts_with_all = ["url", "forget"])]
    pub list: bool,
}

fn fingerprint(text: &str) -> Result<Fingerprint, String> {
    Fingerprint::parse(text).ok_or_else(|| {
        "expected 64 hexadecimal digits, as `openssl x509 -noout -fingerprint -sha256` prints them".to_owned()
    })
}

/// Forgets a server, or lists all.
///
/// # Errors
/// If the list cannot be used, or the server is not in it.
pub fn manage(trust: &RawTrust) -> Result<(), Failure> {
    let known = file()?;
    let Some(server) = &trust.forget else {
        for known in known.list().map_err(broken)? {
            output::line(&output::visible(&format!(
                "{} {} {}",
                known.server, known.fingerprint, known.since
            )));
        }
        return Ok(());
    };
    let (host, port) = named(server);
    match known.forget(&host, port).map_err(broken)? {
        0 => Err(Failure {
            message: format!("{server} is not among the trusted servers: `farpane trust --list` shows them"),
            code: super::EXIT_OTHER,
        }),
        _ => {
            output::line(&format!("forgotten: {server}"));
            Ok(())
        }
    }
}

/// Shows the certificate of the server of `config`, and asks, or compares it with `wanted`.
///
/// # Errors
/// If the server cannot be reached, shows another certificate than before, or is not to be trusted.
pub fn ask(config: &Config, wanted: Option<Fingerprint>) -> Result<(), Failure> {
    let target = &config.connection.target;
    let Some(at) = target.endpoint.tls() else {
        let expected = "expected ssl://HOST:PORT/, wss://HOST/ or quic://HOST:PORT/";
        let message = format!("{target} has no certificate: {expected}");
        return Err(Failure { message, code: super::EXIT_USAGE });
    };
    let known = file()?;
    let tls = TlsOptions { verify: true, known: Some(known.clone()), ..config.connection.tls.clone() };
    let (proxy, limit) = (config.connection.proxy.as_ref(), config.connection.connect_timeout);
    match trust::look(&target.endpoint, &tls, proxy, limit) {
        Ok(Checked::ByUser) => {
            output::line(&format!("{at} is trusted already"));
            Ok(())
        }
        Ok(_) => {
            output::line(&format!("{at} needs no trust of yours: its certificate is vouched for"));
            Ok(())
        }
        Err(ConnectError::Tls(TlsError::Untrusted { question, .. })) => decide(&question, at, &known, wanted),
        Err(error @ ConnectError::Tls(TlsError::Changed { .. })) => {
            Err(CloseReason::CertificateChanged(error.to_string()).shown().into())
        }
        Err(error) => Err(CloseReason::ConnectFailed(error.to_string()).shown().into()),
    }
}

fn decide(
    question: &CertificateQuestion,
    at: &HostPort,
    known: &KnownServers,
    wanted: Option<Fingerprint>,
) -> Result<(), Failure> {
    let refused = |message: String| -> Failure { CloseReason::ConnectFailed(message).into() };
    let CertificateQuestion { server, fault, certificate } = question;
    let shown = certificate.fingerprint;
    match wanted {
        Some(wanted) if wanted != shown => {
            return Err(refused(format!(
                "{server} shows another certificate, {shown}: nothing is trusted (expected {wanted})"
            )));
        }
        Some(_) => {}
        None => {
            let groups: Vec<String> = shown.groups().collect();
            let names =
                if certificate.names.is_empty() { "(no host)" } else { &certificate.names.join(", ") };
            for (label, value) in [
                ("server", server.as_str()),
                ("wrong", fault),
                ("for", names),
                ("subject", &certificate.subject),
                ("issuer", &certificate.issuer),
                ("valid", &format!("{} to {}", certificate.valid_from, certificate.valid_to)),
                ("SHA-256", &groups.join("\n          ")),
            ] {
                output::line(&format!("{label:<10}{value}"));
            }
            let answer =
                output::ask("Does who runs the server name the same fingerprint? Type yes to trust it: ");
            if answer.is_none_or(|answer| !answer.eq_ignore_ascii_case("yes")) {
                return Err(refused(format!("the certificate of {server} was not trusted")));
            }
        }
    }
    known.trust(at, shown, std::time::SystemTime::now()).map_err(broken)?;
    output::line(&format!("trusted: {server} {shown} (in {})", known.path().display()));
    Ok(())
}

fn file() -> Result<KnownServers, Failure> {
    known_servers().ok_or_else(|| Failure {
        message: "the system does not say where your data belongs: set HOME".to_owned(),
        code: super::EXIT_OTHER,
    })
}

fn broken(error: KnownServersError) -> Failure {
    Failure { message: error.to_string(), code: super::EXIT_OTHER }
}

/// The host and port of what was typed: `HOST`, `HOST:PORT`, `[::1]:PORT`, `ssl://HOST:PORT/`.
fn named(server: &str) -> (String, Option<u16>) {
    let server = server.trim();
    let server = server.split_once("://").map_or(server, |(_, rest)| rest).trim_end_matches('/');
    let whole = || (server.trim_matches(['[', ']']).to_owned(), None);
    match server.rsplit_once(':') {
        // The colons of an IPv6 address without brackets are its own.
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => match port.parse() {
            Ok(port) => (host.trim_matches(['[', ']']).to_owned(), Some(port)),
            Err(_) => whole(),
        },
        _ => whole(),
    }
}
