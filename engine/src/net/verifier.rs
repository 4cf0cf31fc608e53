//! Whether a server's certificate is to be trusted: authorities vouch for it, or the user said so.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::certificate;
use super::known_servers::{Known, name_of};
use super::tls::{TlsOptions, read_pem};
use super::tls_error::{TlsError, told_apart};
use super::uri::HostPort;
use crate::session::{CertificateQuestion, Fingerprint};

/// Who says that a server is the one that was meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checked {
    /// Nobody: anyone may be at the other end.
    #[default]
    Not,
    /// An authority, or a file that the user named, for this name.
    Vouched,
    /// The user, of this very certificate.
    ByUser,
}

impl Checked {
    /// How the connection is protected from others on the way, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Not => "TLS, certificate not checked",
            Self::Vouched => "TLS, certificate checked",
            Self::ByUser => "TLS, certificate trusted by you",
        }
    }
}

/// What the user trusts of the server.
#[derive(Clone, Debug, Default)]
pub(super) struct Trusted {
    /// As long as the session lasts.
    pub session: Option<Fingerprint>,
    /// For good.
    pub known: Option<Known>,
}

/// What became of a certificate.
#[derive(Clone, Debug)]
enum Verdict {
    Accepted(Checked),
    /// Nobody vouches for it, and the user was not asked yet.
    Unknown {
        shown: Box<crate::session::Certificate>,
        faults: Vec<rustls::Error>,
    },
    /// Nobody vouches for it, and the user trusts another one.
    Changed {
        shown: Fingerprint,
        fault: rustls::Error,
    },
}

impl Verdict {
    /// What is wrong with a certificate that is refused; what is worst.
    fn fault(&self) -> Option<rustls::Error> {
        match self {
            Self::Accepted(_) => None,
            Self::Unknown { faults, .. } => faults.first().cloned(),
            Self::Changed { fault, .. } => Some(fault.clone()),
        }
    }
}

/// Checks a server's certificate as [`TlsOptions`] ask. Of one attempt to connect, which may be several handshakes at once.
#[derive(Debug)]
pub(super) struct Verifier {
    /// `None`: every certificate is accepted.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    /// Certificates that the user named: one of them may be the server's own, even one that says
    /// that it is an authority's, as `openssl req -x509` makes them.
    named: Vec<CertificateDer<'static>>,
    check_hostname: bool,
    trusted: Trusted,
    provider: Arc<CryptoProvider>,
    /// Of a handshake that went well, else of the last one.
    verdict: Mutex<Option<Verdict>>,
}

impl Verifier {
    pub fn new(
        options: &TlsOptions,
        trusted: Trusted,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, TlsError> {
        let read =
            |path: &Path| read_pem(path).map_err(|why| TlsError::CaCerts { path: path.to_owned(), why });
        let named = options.ca_certs.as_deref().map(read).transpose()?.unwrap_or_default();
        let authorities = if options.verify {
            let roots = if options.ca_certs.is_some() { roots_of(&named) } else { system_roots()? };
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
            Some(verifier.build().map_err(|_| TlsError::NoRoots)?)
        } else {
            tracing::warn!(
                "the server's certificate is NOT checked (--ssl-server-verify-mode=none): \
                 anyone on the way can read and change everything"
            );
            None
        };
        Ok(Self {
            authorities,
            named,
            check_hostname: options.check_hostname,
            trusted,
            provider: Arc::clone(provider),
            verdict: Mutex::default(),
        })
    }

    fn verdict(&self) -> Option<Verdict> {
        self.verdict.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, verdict: Verdict) {
        let mut noted = self.verdict.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(&*noted, Some(Verdict::Accepted(_))) {
            *noted = Some(verdict);
        }
    }

    /// After a handshake that went well.
    pub fn checked(&self) -> Checked {
        match self.verdict() {
            Some(Verdict::Accepted(checked)) => checked,
            _ => Checked::Not,
        }
    }

    /// Why the certificate was refused, if it was.
    pub fn fault(&self) -> Option<rustls::Error> {
        self.verdict()?.fault()
    }

    /// What a failed handshake with the server `at` means, which by itself means `why`. `name`: what the certificate was to
    /// be for, `scheme` that of an address that leads there.
    pub fn refusal(&self, why: TlsError, at: &HostPort, name: &str, scheme: &'static str) -> TlsError {
        match self.verdict() {
            Some(Verdict::Changed { shown, .. }) => {
                let Trusted { session, known } = &self.trusted;
                let since = known.as_ref().map(|known| known.since.clone());
                let before = known.as_ref().map(|known| known.fingerprint).or(*session);
                let before = before.unwrap_or(shown);
                TlsError::Changed { server: name_of(at), before, since, shown }
            }
            Some(Verdict::Unknown { shown, faults }) => {
                let of = |error: &rustls::Error| TlsError::of_certificate(error, name)?.fault();
                let Some(faults) = faults.iter().map(of).collect::<Option<Vec<String>>>() else { return why };
                TlsError::Untrusted {
                    why: Box::new(why),
                    question: Box::new(CertificateQuestion {
                        server: name_of(at),
                        fault: sentence(&faults),
                        certificate: *shown,
                    }),
                    scheme,
                }
            }
            _ => why,
        }
    }

    /// All that is wrong with it, as far as the user may overlook that; else what is worst comes first.
    fn faults(
        &self,
        authorities: &WebPkiServerVerifier,
        (end_entity, intermediates): (&CertificateDer<'_>, &[CertificateDer<'_>]),
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Vec<rustls::Error> {
        let mut faults = Vec::new();
        if !self.named.iter().any(|cert| cert == end_entity) {
            let check = |time| {
                let checked = authorities.verify_server_cert(
                    end_entity,
                    intermediates,
                    server_name,
                    ocsp_response,
                    time,
                );
                // The name is looked at below, whatever else is wrong.
                checked.err().filter(|error| !is_of_name(error))
            };
            if let Some(error) = check(now) {
                let within = time_within(&error);
                faults.push(told_apart(error, end_entity, intermediates));
                // What is wrong with it besides its time.
                let besides = within.and_then(check).filter(|error| time_within(error).is_none());
                faults.extend(besides.map(|error| told_apart(error, end_entity, intermediates)));
            }
        }
        if self.check_hostname {
            let checked = ParsedCertificate::try_from(end_entity)
                .and_then(|cert| rustls::client::verify_server_name(&cert, server_name));
            faults.extend(checked.err());
        }
        faults
    }

    fn is_trusted(&self, fingerprint: Fingerprint) -> bool {
        let Trusted { session, known } = &self.trusted;
        [*session, known.as_ref().map(|known| known.fingerprint)].contains(&Some(fingerprint))
    }

    fn judge(&self, end_entity: &CertificateDer<'_>, faults: Vec<rustls::Error>) -> Verdict {
        let Some(first) = faults.first() else {
            // A certificate for any name is one that many can have.
            return Verdict::Accepted(if self.check_hostname { Checked::Vouched } else { Checked::Not });
        };
        let fingerprint = certificate::fingerprint(end_entity);
        let may_be_overlooked = faults
            .iter()
            .all(|fault| TlsError::of_certificate(fault, "").is_some_and(|error| error.fault().is_some()));
        let trusts_another = !matches!(self.trusted, Trusted { session: None, known: None });
        match self.is_trusted(fingerprint) {
            true if may_be_overlooked => Verdict::Accepted(Checked::ByUser),
            false if trusts_another => Verdict::Changed { shown: fingerprint, fault: first.clone() },
            _ => Verdict::Unknown { shown: Box::new(certificate::facts(end_entity)), faults },
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(authorities) = &self.authorities else {
            self.note(Verdict::Accepted(Checked::Not));
            return Ok(ServerCertVerified::assertion());
        };
        let shown = (end_entity, intermediates);
        let faults = self.faults(authorities, shown, server_name, ocsp_response, now);
        let verdict = self.judge(end_entity, faults);
        let fault = verdict.fault();
        self.note(verdict);
        fault.map_or_else(|| Ok(ServerCertVerified::assertion()), Err)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// One sentence of all faults.
fn sentence(faults: &[String]) -> String {
    format!("It {}.", faults.join(", and "))
}

fn is_of_name(error: &rustls::Error) -> bool {
    matches!(
        error,
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
        )
    )
}

/// The last, or first, moment at which a certificate was valid, or will be, that is not now.
fn time_within(error: &rustls::Error) -> Option<UnixTime> {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. }) => {
            Some(*not_after)
        }
        rustls::Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. }) => {
            Some(*not_before)
        }
        _ => None,
    }
}

fn roots_of(certs: &[CertificateDer<'static>]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certs.iter().cloned());
    roots
}

fn system_roots() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::debug!(%error, "some of the system's certificates could not be read");
    }
    let roots = roots_of(&found.certs);
    if roots.is_empty() { Err(TlsError::NoRoots) } else { Ok(roots) }
}
