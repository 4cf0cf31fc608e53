//! Packets have two names: a modern one, of Protocol.md, and a legacy one that 3.1 knows and that 6.x still sends by
//! default. Each subject lists its own ([`Names`]), with the first servers that understand the modern one
//! (xpra/net/packet_type.py of 6.5.5 and 6.6, and the handler tables of 3.1.3).

/// How a peer wants packets spelled. [`crate::protocol::Dialect::Legacy31`] is always
/// [`Naming::Legacy`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Naming {
    /// Names and shapes of 3.1 to 6.4. Servers of 6.x know them too, unless they were told not to.
    Legacy,
    /// What 6.5 understands whether or not it is told to be backwards compatible: most modern
    /// names. The one to begin with, since only the hello says what the peer is.
    #[default]
    V65,
    /// Protocol.md, as 6.6 has it.
    V66,
}

impl Naming {
    /// The spelling for a peer that says in its hello that it is `version`, for example `6.5.5`.
    pub fn for_version(version: &str) -> Self {
        let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        match (numbers.next().unwrap_or(0), numbers.next()) {
            // A server that says only "6" does not tell old names from new ones: the middle.
            (0, _) | (6, None) => Self::V65,
            (major, minor) if (major, minor.unwrap_or(0)) < (6, 5) => Self::Legacy,
            (6, Some(5)) => Self::V65,
            _ => Self::V66,
        }
    }
}

/// One packet with two names.
#[derive(Debug)]
pub struct Alias {
    modern: &'static str,
    legacy: &'static str,
    /// Peers of this spelling and later ones are sent the modern name.
    since: Naming,
}

/// A packet that peers of spelling `since` and later ones are sent as `modern`, and others as `legacy`.
pub const fn alias(modern: &'static str, legacy: &'static str, since: Naming) -> Alias {
    Alias { modern, legacy, since }
}

/// A name that is only ever received; it is the same packet as `modern`.
pub const fn received(modern: &'static str, name: &'static str) -> Alias {
    Alias { modern, legacy: name, since: Naming::Legacy }
}

/// The packets of one subject that have two names, the frequent ones first. Of one packet, what is sent comes before
/// what is only received.
#[derive(Debug)]
pub struct Names {
    pub to_client: &'static [Alias],
    pub to_server: &'static [Alias],
}

/// The modern name of a packet that came as `name`.
pub fn modern<'a>(aliases: &'static [Alias], name: &'a str) -> &'a str {
    aliases.iter().find(|alias| alias.legacy == name).map_or(name, |alias| alias.modern)
}

/// The name by which the packet called `modern` is sent.
pub fn spelled(aliases: &'static [Alias], modern: &'static str, naming: Naming) -> &'static str {
    match aliases.iter().find(|alias| alias.modern == modern) {
        Some(alias) if naming < alias.since => alias.legacy,
        _ => modern,
    }
}
