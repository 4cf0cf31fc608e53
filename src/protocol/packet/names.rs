//! The one table of packet names: the modern ones of Protocol.md, the legacy ones that 3.1 knows
//! and that 6.x still sends by default, and since when a peer understands the modern one
//! (xpra/net/packet_type.py of 6.5.5 and 6.6, and the handler tables of 3.1.3).

/// How a peer wants packets spelled. [`super::super::Dialect::Legacy31`] is always
/// [`Spelling::Legacy`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Spelling {
    /// Names and shapes of 3.1 to 6.4. Servers of 6.x know them too, unless they were told not to.
    Legacy,
    /// What 6.5 understands whether or not it is told to be backwards compatible: most modern
    /// names. The one to begin with, since only the hello says what the peer is.
    #[default]
    V65,
    /// Protocol.md, as 6.6 has it.
    V66,
}

impl Spelling {
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
struct Alias {
    modern: &'static str,
    legacy: &'static str,
    /// Peers of this spelling and later ones are sent the modern name.
    since: Spelling,
}

const fn alias(modern: &'static str, legacy: &'static str, since: Spelling) -> Alias {
    Alias { modern, legacy, since }
}

/// Packets to the client (and `ping-echo`, which goes both ways), the frequent ones first.
const TO_CLIENT: &[Alias] = &[
    alias("window-draw", "draw", Spelling::V65),
    alias("ping-echo", "ping_echo", Spelling::V66),
    alias("connection-close", "disconnect", Spelling::V65),
    alias("cursor-data", "cursor", Spelling::V65),
    alias("display-resized", "desktop_size", Spelling::V66),
    alias("display-screenshot", "screenshot", Spelling::V65),
    alias("display-show-desktop", "show-desktop", Spelling::V66),
    alias("encoding-set", "encodings", Spelling::V65),
    alias("window-bell", "bell", Spelling::V65),
    alias("window-create", "new-window", Spelling::V65),
    alias("window-destroy", "lost-window", Spelling::V65),
    alias("window-eos", "eos", Spelling::V66),
    alias("window-grab", "pointer-grab", Spelling::V66),
    alias("window-initiate-moveresize", "initiate-moveresize", Spelling::V65),
    alias("window-raise", "raise-window", Spelling::V65),
    alias("window-restack", "restack-window", Spelling::V65),
    alias("window-ungrab", "pointer-ungrab", Spelling::V66),
];

/// Packets to the server.
const TO_SERVER: &[Alias] = &[
    alias("window-draw-ack", "damage-sequence", Spelling::V65),
    alias("pointer-motion", "pointer-position", Spelling::V65),
    alias("pointer-button", "button-action", Spelling::V65),
    alias("pointer-wheel", "wheel-motion", Spelling::V65),
    alias("keyboard-event", "key-action", Spelling::V65),
    alias("keyboard-config", "keymap-changed", Spelling::V65),
    alias("ping-echo", "ping_echo", Spelling::V66),
    alias("bell-set", "set-bell", Spelling::V65),
    alias("connection-close", "disconnect", Spelling::V65),
    alias("cursor-set", "set-cursors", Spelling::V65),
    alias("display-configure", "desktop_size", Spelling::V65),
    alias("encoding-set", "encoding", Spelling::V65),
    alias("window-close", "close-window", Spelling::V65),
    alias("window-configure", "configure-window", Spelling::V65),
    alias("window-focus", "focus", Spelling::V65),
    alias("window-map", "map-window", Spelling::V65),
    alias("window-refresh", "buffer-refresh", Spelling::V65),
    alias("window-unmap", "unmap-window", Spelling::V65),
];

/// Names that are only ever received: they have the modern packet's arguments, or its legacy
/// form's.
const ALSO_RECEIVED: &[(&str, &str)] = &[
    ("configure-display", "display-configure"),
    ("configure-override-redirect", "window-move-resize"),
    ("events", "server-event"),
    ("pointer", "pointer-motion"),
];

/// Packets that servers may send and that Farpane has no use for yet, by modern and legacy name.
const IGNORED: &[&str] = &[
    "audio-capabilities",
    "audio-data",
    "audio-level",
    "audio-signal",
    "clipboard-contents",
    "clipboard-contents-none",
    "clipboard-data",
    "clipboard-enable-selections",
    "clipboard-enabled-status",
    "clipboard-pending-requests",
    "clipboard-record",
    "clipboard-request",
    "clipboard-status",
    "clipboard-token",
    "connection-data",
    "display-icon",
    "file-ack-chunk",
    "file-data-request",
    "file-data-response",
    "file-open-url",
    "file-request",
    "file-send",
    "file-send-chunk",
    "keyboard-record",
    "logging",
    "logging-control",
    "logging-event",
    "notification-close",
    "notification-show",
    "notify_close",
    "notify_show",
    "open-url",
    "pointer-button",
    "pointer-motion",
    "pointer-wheel",
    "rpc-reply",
    "send-data-request",
    "send-data-response",
    "send-file",
    "send-file-chunk",
    "ack-file-chunk",
    "set-clipboard-enabled",
    "set_deflate",
    "shell-reply",
    "sound-data",
    "ssl-upgrade",
    "udp-control",
    "webcam-ack",
    "webcam-stop",
];

/// The modern name of a packet from a server.
pub fn modern_from_server(name: &str) -> &str {
    modern(TO_CLIENT, name)
}

/// The modern name of a packet from a client.
pub fn modern_from_client(name: &str) -> &str {
    modern(TO_SERVER, name)
}

/// How the packet called `modern` is called when it is sent to a server.
pub fn to_server(modern: &'static str, spelling: Spelling) -> &'static str {
    spelled(TO_SERVER, modern, spelling)
}

/// How the packet called `modern` is called when it is sent to a client.
pub fn to_client(modern: &'static str, spelling: Spelling) -> &'static str {
    spelled(TO_CLIENT, modern, spelling)
}

/// `name` as a constant, if servers send it and nothing is to be done about it.
pub fn ignored(name: &str) -> Option<&'static str> {
    IGNORED.iter().copied().find(|ignored| *ignored == name)
}

fn modern<'a>(table: &'static [Alias], name: &'a str) -> &'a str {
    let alias = table.iter().find(|alias| alias.legacy == name).map(|alias| alias.modern);
    let also = || ALSO_RECEIVED.iter().find(|(received, _)| *received == name).map(|(_, modern)| *modern);
    alias.or_else(also).unwrap_or(name)
}

fn spelled(table: &'static [Alias], modern: &'static str, spelling: Spelling) -> &'static str {
    match table.iter().find(|alias| alias.modern == modern) {
        Some(alias) if spelling < alias.since => alias.legacy,
        _ => modern,
    }
}
