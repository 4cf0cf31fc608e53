//! What a certificate says of itself (RFC 5280 §4.1), for people to read.

use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};
use x509_cert::der::{DateTime, Decode as _};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;
use x509_cert::time::Time;

use crate::protocol::text;
use crate::session::{Certificate, Fingerprint};

/// Names that are shown at most.
const MAX_NAMES: usize = 12;
/// Longest name that is shown, in characters: as long as a host's may be is enough for each.
const MAX_NAME_CHARS: usize = 120;
/// Longest subject and issuer.
const MAX_WHO_CHARS: usize = 160;
/// What stands where a certificate cannot be read, although TLS can use it.
const UNREADABLE: &str = "(cannot be read)";

/// The fingerprint of a certificate in DER.
pub fn fingerprint(der: &[u8]) -> Fingerprint {
    Fingerprint(Sha256::digest(der).into())
}

/// What a certificate in DER says of itself.
pub fn facts(der: &[u8]) -> Certificate {
    let fingerprint = fingerprint(der);
    let unreadable = || UNREADABLE.to_owned();
    let Ok(read) = x509_cert::Certificate::from_der(der) else {
        return Certificate {
            subject: unreadable(),
            names: Vec::new(),
            issuer: unreadable(),
            valid_from: unreadable(),
            valid_to: unreadable(),
            fingerprint,
        };
    };
    let tbs = read.tbs_certificate();
    let names = match tbs.get_extension::<SubjectAltName>() {
        Ok(Some((_, names))) => names.0.iter().filter_map(host).take(MAX_NAMES).collect(),
        _ => Vec::new(),
    };
    Certificate {
        subject: who(tbs.subject()),
        names,
        issuer: who(tbs.issuer()),
        valid_from: time(&tbs.validity().not_before),
        valid_to: time(&tbs.validity().not_after),
        fingerprint,
    }
}

/// The day, as `2026-11-29`, in UTC.
pub fn day(of: SystemTime) -> String {
    let since = of.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    match DateTime::from_unix_duration(since) {
        Ok(time) => format!("{:04}-{:02}-{:02}", time.year(), time.month(), time.day()),
        Err(_) => "?".to_owned(),
    }
}

fn time(of: &Time) -> String {
    let time = of.to_date_time();
    let (hour, minutes) = (time.hour(), time.minutes());
    format!("{:04}-{:02}-{:02} {hour:02}:{minutes:02} UTC", time.year(), time.month(), time.day())
}

fn who(name: &Name) -> String {
    match text::shown(&name.to_string(), MAX_WHO_CHARS) {
        empty if empty.is_empty() => "(no name)".to_owned(),
        name => name,
    }
}

/// A host among the names; others, such as those of people, count for nothing here.
fn host(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(text::shown(name.as_str(), MAX_NAME_CHARS)),
        GeneralName::IpAddress(bytes) => {
            let bytes = bytes.as_bytes();
            let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
            let ip = v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from));
            ip.ok().map(|ip| ip.to_string())
        }
        _ => None,
    }
}
