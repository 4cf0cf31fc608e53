//! Packets that the session does not know: each is told once.

use std::collections::BTreeSet;

/// Names that are remembered; a server that makes up more is not listened to any more.
const MAX_NAMES: usize = 64;

/// The names of unknown packets so far.
#[derive(Debug, Default)]
pub struct UnknownPackets {
    names: BTreeSet<String>,
}

impl UnknownPackets {
    /// Logs the name, which is short, unless it was.
    pub fn note(&mut self, name: String) {
        if self.names.len() < MAX_NAMES && !self.names.contains(&name) {
            tracing::debug!(name, "the server sent an unknown packet");
            self.names.insert(name);
        }
    }
}
