//! Recognises peers that do not answer with an Xpra record, so that the user reads what is
//! wrong instead of "bad magic byte".

use super::text;

/// The text with which a 3.1 server answers a rencodeplus hello.
const BENCODE_WANTED: &[u8] = b"disconnect: failed to parse bencode packet";
/// The texts with which a 6.x server answers a packet encoder that it does not have.
const NO_RENCODEPLUS: &str = "invalid packet encoding: 'rencodeplus'";
const NO_BENCODE: &str = "invalid packet encoding: 'bencode'";
/// Text of the peer that is shown at most, in bytes.
const MAX_SHOWN: usize = 160;

/// What the peer is instead of an Xpra server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotXpra {
    /// Connect again with [`super::record::Dialect::Legacy31`].
    #[error("the server is older than version 4 and wants bencode packets")]
    NeedsBencode,
    #[error("this is an SSH port, not an Xpra one: use an ssh:// address")]
    Ssh,
    #[error("this is an HTTP server: for Xpra behind one use a ws:// or wss:// address")]
    Http,
    #[error("this port speaks TLS: use an ssl:// or wss:// address")]
    Tls,
    #[error("this is {what}, not an Xpra server: check the port")]
    Other {
        /// With its article.
        what: &'static str,
    },
    /// A 6.x server that was spoken to in the 3.1 protocol.
    #[error("the server is newer than version 3.1 and does not take bencode packets: use --protocol auto")]
    NeedsModern,
    /// A 6.x server whose configuration leaves yaml as the only packet encoder.
    #[error("the server takes yaml packets only: its `packet-encoders` setting leaves out rencodeplus")]
    NeedsYaml,
    /// An Xpra server or a proxy that gives its reason in plain text.
    #[error("the server refused the connection: {message}{}", hint(message))]
    Refused { message: String },
    #[error("the peer does not speak the Xpra protocol (is this the right port?): it sent the text {text:?}")]
    Text { text: String },
    #[error("the peer does not speak the Xpra protocol (is this the right port?): it sent {len} zero{s}", s = if *len == 1 { "" } else { "s" })]
    Zeros { len: usize },
    #[error("the peer does not speak the Xpra protocol (is this the right port?): it sent the bytes {hex}")]
    Binary { hex: String },
}

impl NotXpra {
    /// Says what a peer is that sent `bytes` (at least one) where a record should begin, or
    /// `None` while that depends on bytes that may still come. `ended`: none will come.
    pub fn recognise(bytes: &[u8], ended: bool) -> Option<Self> {
        if let Some((_, found)) = GREETINGS.iter().find(|(prefix, _)| bytes.starts_with(prefix)) {
            return Some(found.clone());
        }
        if !ended && GREETINGS.iter().any(|(prefix, _)| prefix.starts_with(bytes)) {
            return None;
        }
        // MySQL and MariaDB greet with a packet whose length has three bytes: number 0, version 10 or an error.
        if let [_, _, 0, 0, 10 | 255, ..] = bytes {
            return Some(other("a database server (MySQL or MariaDB)"));
        }
        // A line is waited for: a short read must not cut the reason that the user is to see.
        let has_line = bytes.contains(&b'\n') || bytes.len() >= MAX_SHOWN;
        if bytes.iter().all(|byte| *byte == 0) {
            return Some(Self::Zeros { len: bytes.len() });
        }
        if !is_text(bytes) {
            return Some(Self::Binary { hex: hex(bytes) });
        }
        if !ended && !has_line {
            return None;
        }
        let text = sanitised(bytes);
        let lower = text.to_ascii_lowercase();
        // 3.1 writes a colon, 6.x does not.
        let goodbye = text
            .strip_prefix("disconnect")
            .and_then(|rest| rest.strip_prefix(": ").or_else(|| rest.strip_prefix(' ')))
            .or_else(|| matches!(&*text, "disconnect" | "disconnect:").then_some("it gave no reason"));
        Some(match goodbye {
            Some(why) if why.starts_with(NO_RENCODEPLUS) => Self::NeedsYaml,
            Some(why) if why.starts_with(NO_BENCODE) => Self::NeedsModern,
            Some(message) => Self::Refused { message: message.to_owned() },
            None if lower.starts_with("<!doctype html") || lower.contains("<html") => Self::Http,
            None => Self::Text { text },
        })
    }
}

impl NotXpra {
    /// The goodbye in a packet of an encoder that was not spoken to the server: 3.1 says so what is wrong
    /// before it knows what the client speaks. Its words are told from what stands around them by being text.
    pub fn goodbye_in(payload: &[u8]) -> Option<Self> {
        const GOODBYE: &[u8] = b"disconnect";
        let shown = payload.get(..MAX_SHOWN).unwrap_or(payload);
        let at = shown.windows(GOODBYE.len()).position(|window| window == GOODBYE)?;
        let behind = shown.get(at + GOODBYE.len()..).unwrap_or_default();
        let is_bencode = payload.first() == Some(&b'l');
        let words = behind.split(|byte| !(byte.is_ascii_graphic() || *byte == b' ')).map(|run| {
            // Longer texts have their length before them, and lists of bencode their end behind them.
            let text = sanitised(run);
            let text = text.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(':');
            text.trim_end_matches(|c| is_bencode && c == 'e').to_owned()
        });
        let words: Vec<String> = words.filter(|words| words.len() > 2).collect();
        let message = if words.is_empty() { "it gave no reason".to_owned() } else { words.join(": ") };
        Some(Self::Refused { message })
    }
}

/// What to do about a refusal that is about the port.
fn hint(message: &str) -> &'static str {
    let message = message.to_ascii_lowercase();
    if message.contains("invalid protocol for this port") {
        " (this port is for another kind of connection: try ssl://, wss:// or ws://)"
    } else if message.contains("not http") {
        " (this port takes WebSocket connections only: use a ws:// or wss:// address)"
    } else {
        ""
    }
}

/// How a server begins, and what it is.
type Greeting = (&'static [u8], NotXpra);

const fn other(what: &'static str) -> NotXpra {
    NotXpra::Other { what }
}

/// Servers that are known by their first bytes, whatever they were sent.
const GREETINGS: &[Greeting] = &[
    (BENCODE_WANTED, NotXpra::NeedsBencode),
    (b"SSH-", NotXpra::Ssh),
    (b"HTTP/", NotXpra::Http),
    // An HTTP/2 server's settings, on stream 0.
    (&[0, 0, 0, 4, 0, 0, 0, 0, 0], NotXpra::Http),
    (&[0, 0, 6, 4, 0, 0, 0, 0, 0], NotXpra::Http),
    (&[0, 0, 12, 4, 0, 0, 0, 0, 0], NotXpra::Http),
    (&[0, 0, 18, 4, 0, 0, 0, 0, 0], NotXpra::Http),
    // A TLS record: alert (21) or handshake (22), then version 3.x.
    (&[21, 3], NotXpra::Tls),
    (&[22, 3], NotXpra::Tls),
    (b"RFB ", other("a VNC server (RFB)")),
    (b"REDQ", other("a SPICE server")),
    // TPKT (RFC 1006 §6): version 3, reserved 0.
    (&[3, 0], other("a Windows remote desktop (RDP) server")),
    (b"220 ", other("a mail or FTP server")),
    (b"220-", other("a mail or FTP server")),
    (b"+OK", other("a mail server (POP3)")),
    (b"* OK", other("a mail server (IMAP)")),
    (b"-ERR", other("a Redis server")),
    // Telnet's negotiation (RFC 854): IAC, then WILL, WON'T, DO or DON'T.
    (&[255, 251], other("a telnet server")),
    (&[255, 252], other("a telnet server")),
    (&[255, 253], other("a telnet server")),
    (&[255, 254], other("a telnet server")),
    (b"AMQP", other("a message broker (AMQP)")),
];

/// What a peer sent, as it may be shown: text, or its first bytes.
pub fn described(bytes: &[u8]) -> String {
    if is_text(bytes) { sanitised(bytes) } else { hex(bytes) }
}

fn is_text(bytes: &[u8]) -> bool {
    let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace() || *byte >= 0x80;
    bytes.iter().take(MAX_SHOWN).all(is_text)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

/// Text of the peer as it may be shown, on one line and not longer than is shown.
pub fn sanitised(bytes: &[u8]) -> String {
    let shown = bytes.get(..MAX_SHOWN).unwrap_or(bytes);
    let text = String::from_utf8_lossy(shown);
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text::shown(spaced.trim(), MAX_SHOWN)
}
