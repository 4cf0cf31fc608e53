//! Proxies by the environment, as curl takes them (curl(1), "ENVIRONMENT").

use std::net::IpAddr;

use super::super::uri::{Endpoint, HostPort, Target};
use super::{Proxy, with_password, without_password};
use crate::session::Secret;

/// Entries of `NO_PROXY` that are looked at.
const MAX_ENTRIES: usize = 1000;

/// What the variables of the environment say.
///
/// `HTTPS_PROXY` is for what is encrypted (`ssl`, `wss`), `ALL_PROXY` for all that it says nothing of; each in small letters
/// first. `NO_PROXY` names hosts (with all that is below them), addresses and networks (`10.0.0.0/8`) that are reached
/// without one; `*` is all.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    encrypted: Option<Said>,
    all: Option<Said>,
    without: String,
}

/// What a variable says.
#[derive(Clone, Debug)]
struct Said {
    variable: &'static str,
    /// Without its password.
    text: String,
    password: Option<Secret>,
}

impl Environment {
    /// Asks `variable` for the values.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let value = |name| variable(name).filter(|text| !text.trim().is_empty());
        let said = |names: [&'static str; 2]| {
            names.into_iter().find_map(|variable| {
                let (text, password) = without_password(value(variable)?.trim());
                Some(Said { variable, text, password })
            })
        };
        Self {
            encrypted: said(["https_proxy", "HTTPS_PROXY"]),
            all: said(["all_proxy", "ALL_PROXY"]),
            without: value("no_proxy").or_else(|| value("NO_PROXY")).unwrap_or_default(),
        }
    }

    /// Those of this process.
    pub fn of_process() -> Self {
        Self::read(|name| std::env::var(name).ok())
    }

    /// The proxy on the way to `target`, if there is one. What is on this machine, and what ssh connects to, is reached
    /// without.
    ///
    /// # Errors
    /// If the variable that counts cannot be understood: nothing is connected to without the proxy that was meant.
    pub fn proxy(&self, target: &Target) -> Result<Option<Proxy>, String> {
        let (at, is_encrypted) = match &target.endpoint {
            Endpoint::Tcp(at) | Endpoint::WebSocket { at, secure: false } => (at, false),
            Endpoint::Tls(at) | Endpoint::WebSocket { at, secure: true } => (at, true),
            _ => return Ok(None),
        };
        let said = self.encrypted.as_ref().filter(|_| is_encrypted).or(self.all.as_ref());
        let Some(Said { variable, text, password }) = said else { return Ok(None) };
        if at.is_loopback() || self.is_without(at) {
            return Ok(None);
        }
        let parsed = match password {
            Some(password) => Proxy::parse(with_password(text, password).expose()),
            None => Proxy::parse(text),
        };
        let why = |why| format!("the variable {variable}: {why} (--proxy=none connects without one)");
        parsed.map(Some).map_err(why)
    }

    /// Whether `NO_PROXY` names the host.
    fn is_without(&self, at: &HostPort) -> bool {
        let host = at.name().trim_end_matches('.').to_ascii_lowercase();
        let ip = host.parse::<IpAddr>().ok();
        let entries = self.without.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty());
        entries.take(MAX_ENTRIES).any(|entry| {
            if entry == "*" {
                return true;
            }
            let entry = entry.trim_start_matches('.').trim_end_matches('.').to_ascii_lowercase();
            let entry = entry.trim_start_matches('[').trim_end_matches(']');
            match ip {
                Some(ip) => is_in_network(ip, entry),
                None => {
                    let above = host.strip_suffix(entry);
                    above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
                }
            }
        })
    }
}

/// Whether an address is `network`, or in it, if that has a number of bits behind a `/`.
fn is_in_network(ip: IpAddr, network: &str) -> bool {
    let (base, bits) = match network.split_once('/') {
        Some((base, bits)) => (base, bits.parse::<u32>().ok()),
        None => (network, Some(u32::MAX)),
    };
    let (Ok(base), Some(bits)) = (base.parse::<IpAddr>(), bits) else { return false };
    let prefix = |bytes: &[u8]| {
        let mut value = 0u128;
        bytes.iter().for_each(|byte| value = value << 8 | u128::from(*byte));
        let width = u32::try_from(bytes.len() * 8).unwrap_or(128);
        value.checked_shr(width.saturating_sub(bits)).unwrap_or(0)
    };
    match (ip.to_canonical(), base.to_canonical()) {
        (IpAddr::V4(ip), IpAddr::V4(base)) => prefix(&ip.octets()) == prefix(&base.octets()),
        (IpAddr::V6(ip), IpAddr::V6(base)) => prefix(&ip.octets()) == prefix(&base.octets()),
        _ => false,
    }
}
