//! Which of the announced services belong to one session. No IO.

use std::collections::BTreeMap;

use super::super::uri::{Endpoint, HostPort, Target};
use crate::protocol::text;

/// More services are not looked at.
pub const MAX_SERVICES: usize = 256;
/// Ways to one session.
const MAX_WAYS: usize = 8;
/// Addresses of one service.
const MAX_HOSTS: usize = 2;
/// Characters of a text.
const MAX_TEXT: usize = 80;
/// The kinds of connections, best first. Servers announce those with TLS also where they have no certificate, and their
/// own ssh, which is not the system's.
const MODES: [&str; 5] = ["ssl", "wss", "tcp", "ws", "ssh"];

/// One service, as it was announced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Announced {
    /// Its full name, which nobody else has.
    pub service: String,
    /// Addresses.
    pub hosts: Vec<String>,
    pub port: u16,
    /// What its texts say: see the keys of the same names.
    pub mode: String,
    pub uuid: String,
    pub display: String,
    pub name: String,
    pub username: String,
    pub platform: String,
}

/// A way to a session.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Way {
    /// Where it stands in [`MODES`].
    rank: usize,
    host: String,
    port: u16,
}

impl Way {
    /// Where it leads.
    pub fn target(&self) -> Target {
        let at = HostPort { host: self.host.clone(), port: self.port };
        let endpoint = match MODES.get(self.rank).copied() {
            Some("ssl") => Endpoint::Tls(at),
            Some("wss") => Endpoint::WebSocket { at, secure: true },
            Some("ws") => Endpoint::WebSocket { at, secure: false },
            Some("ssh") => Endpoint::Ssh(at),
            _ => Endpoint::Tcp(at),
        };
        Target { endpoint, username: None, password: None, display: None, options: Vec::new() }
    }
}

/// A session, with texts that can be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Session {
    /// Empty: it has none.
    pub name: String,
    /// The account that it runs as.
    pub username: String,
    pub display: String,
    pub platform: String,
    /// Best first.
    pub ways: Vec<Way>,
}

/// What was announced so far.
#[derive(Debug, Default)]
pub struct Sessions {
    /// By full names.
    services: BTreeMap<String, Announced>,
}

impl Sessions {
    /// Notes a service, or what is new of it. Those beyond [`MAX_SERVICES`] are left out.
    pub fn add(&mut self, announced: Announced) {
        if self.services.len() < MAX_SERVICES || self.services.contains_key(&announced.service) {
            self.services.insert(announced.service.clone(), announced);
        }
    }

    /// The service is gone.
    pub fn remove(&mut self, service: &str) {
        self.services.remove(service);
    }

    /// The sessions that they lead to: one for each server (`uuid`) and display, with all its ways.
    pub fn into_sessions(self) -> Vec<Session> {
        let mut sessions: BTreeMap<(String, String), Session> = BTreeMap::new();
        for announced in self.services.into_values() {
            let mode = announced.mode.to_ascii_lowercase();
            let Some(rank) = MODES.iter().position(|known| *known == mode) else { continue };
            // Without an identifier an address is one.
            let server = match announced.uuid.as_str() {
                "" => announced.hosts.first().cloned().unwrap_or_default(),
                uuid => uuid.to_owned(),
            };
            let shown = |text: &str| text::shown(text.trim(), MAX_TEXT);
            let session = sessions.entry((server, announced.display.clone())).or_default();
            for (field, said) in [
                (&mut session.name, &announced.name),
                (&mut session.username, &announced.username),
                (&mut session.display, &announced.display),
                (&mut session.platform, &announced.platform),
            ] {
                if field.is_empty() {
                    *field = shown(said);
                }
            }
            let mut hosts = announced.hosts;
            // The short ones first: those of IPv4.
            hosts.sort_by_key(|host| (host.contains(':'), host.clone()));
            for host in hosts.into_iter().take(MAX_HOSTS) {
                let way = Way { rank, host, port: announced.port };
                if announced.port > 0 && !session.ways.contains(&way) {
                    session.ways.push(way);
                }
            }
        }
        let with_ways = sessions.into_values().filter_map(|mut session| {
            session.ways.sort();
            session.ways.truncate(MAX_WAYS);
            (!session.ways.is_empty()).then_some(session)
        });
        with_ways.collect()
    }
}

impl Session {
    /// Where its best way leads.
    pub fn address(&self) -> String {
        self.ways.first().map(|way| way.target().to_string()).unwrap_or_default()
    }

    /// What to call it: its name, or else whose it is.
    pub fn title(&self) -> String {
        let Self { name, username, display, .. } = self;
        match (name.is_empty(), username.is_empty()) {
            (false, _) => name.clone(),
            (true, false) => format!("{username}'s {display}"),
            (true, true) => display.clone(),
        }
    }
}
