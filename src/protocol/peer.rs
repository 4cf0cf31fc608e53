//! Recognises peers that do not answer with an Xpra record, so that the user reads what is
//! wrong instead of "bad magic byte".

use super::text;

/// The text with which a 3.1 server answers a rencodeplus hello.
const BENCODE_WANTED: &[u8] = b"disconnect: failed to parse bencode packet";
/// Text of the peer that is shown at most, in bytes.
const MAX_SHOWN: usize = 160;

/// What the peer is instead of an Xpra server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotXpra {
    /// Connect again with [`super::record::Dialect::Legacy31`].
    #[error("the server is older than version 4 and wants bencode packets")]
    NeedsBencode,
    #[error(
        "this is an SSH port, not an Xpra one: forward the session's own port or socket with `ssh -L` and connect to that"
    )]
    Ssh,
    #[error("this is an HTTP server: for Xpra behind one use a ws:// or wss:// address")]
    Http,
    #[error("this port speaks TLS: use an ssl:// or wss:// address")]
    Tls,
    #[error("this is a VNC server (RFB), not an Xpra one")]
    Vnc,
    /// An Xpra server or a proxy that gives its reason in plain text.
    #[error("the server refused the connection: {message}")]
    Refused { message: String },
    #[error("the peer does not speak the Xpra protocol: it sent the text {text:?}")]
    Text { text: String },
    #[error("the peer does not speak the Xpra protocol: it sent the bytes {hex}")]
    Binary { hex: String },
}

impl NotXpra {
    /// Says what a peer is that sent `bytes` (at least one) where a record should begin, or
    /// `None` while that depends on bytes that may still come. `ended`: none will come.
    pub fn recognise(bytes: &[u8], ended: bool) -> Option<Self> {
        const PREFIXES: [(&[u8], NotXpra); 5] = [
            (BENCODE_WANTED, NotXpra::NeedsBencode),
            (b"SSH-", NotXpra::Ssh),
            (b"HTTP/", NotXpra::Http),
            (b"RFB ", NotXpra::Vnc),
            // A TLS record: alert (21) or handshake (22), then version 3.x.
            (&[21, 3], NotXpra::Tls),
        ];
        if let Some((_, found)) = PREFIXES.iter().find(|(prefix, _)| bytes.starts_with(prefix)) {
            return Some(found.clone());
        }
        if bytes.starts_with(&[22, 3]) {
            return Some(Self::Tls);
        }
        let may_become = |prefix: &[u8]| prefix.starts_with(bytes);
        if !ended && (PREFIXES.iter().any(|(prefix, _)| may_become(prefix)) || may_become(&[22, 3])) {
            return None;
        }
        let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace() || *byte >= 0x80;
        // A line is waited for: a short read must not cut the reason that the user is to see.
        let has_line = bytes.contains(&b'\n') || bytes.len() >= MAX_SHOWN;
        if !bytes.iter().take(MAX_SHOWN).all(is_text) {
            let hex = bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
            return Some(Self::Binary { hex });
        }
        if !ended && !has_line {
            return None;
        }
        let text = sanitised(bytes);
        let lower = text.to_ascii_lowercase();
        Some(match text.strip_prefix("disconnect: ") {
            Some(message) => Self::Refused { message: message.to_owned() },
            None if lower.starts_with("<!doctype html") || lower.contains("<html") => Self::Http,
            None => Self::Text { text },
        })
    }
}

/// Text of the peer as it may be shown, on one line and not longer than is shown.
pub fn sanitised(bytes: &[u8]) -> String {
    let shown = bytes.get(..MAX_SHOWN).unwrap_or(bytes);
    let text = String::from_utf8_lossy(shown);
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text::shown(spaced.trim(), MAX_SHOWN)
}
