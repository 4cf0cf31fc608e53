//! Whether somebody else has the session: servers lose the goodbye of a client that another one replaces if it says
//! something just then (findings/xpra-loses-its-goodbye.sh), and who comes back after that throws the other one out.

use std::collections::BTreeMap;

use crate::session::config::ClientIdentity;

/// What a server says of one of its clients.
#[derive(Debug, Default)]
struct Client {
    /// Whether the server says who it is, by what we would know ourselves by.
    is_named: bool,
    is_us: bool,
    shares: bool,
}

/// Whether the session that a server's information is of (flattened `key=value` lines) has a client that took the
/// place of this one.
///
/// Another connection of this process's is none, nor is another viewer where both share (`shares`: this one does).
/// A server that does not say who its clients are (neither `session-id`, as 6.5.5 does, nor `argv`, as 3.1.3) is taken
/// for one that has none.
pub fn has_rival(info: &[(String, String)], identity: &ClientIdentity, shares: bool) -> bool {
    let mut clients: BTreeMap<&str, Client> = BTreeMap::new();
    for (key, value) in info {
        let Some(key) = key.strip_prefix("client.") else { continue };
        // A single one has no number (3.1.3).
        let (number, key) = match key.split_once('.') {
            Some((number, key)) if number.bytes().all(|byte| byte.is_ascii_digit()) => (number, key),
            _ => ("", key),
        };
        match key {
            "session-id" | "argv" => {
                let client = clients.entry(number).or_default();
                client.is_named = true;
                client.is_us |= value.contains(&identity.session_id);
            }
            "share" => clients.entry(number).or_default().shares |= value == "true",
            _ => {}
        }
    }
    clients.values().any(|client| client.is_named && !client.is_us && !(shares && client.shares))
}
