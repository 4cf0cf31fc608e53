//! What a login shell prints before the stream, and where the stream begins.
//!
//! Our command at the other end prints a line with a number that nothing else there knows. Where the server allows only
//! a command of its own (`ForceCommand`), no such line comes: then the stream begins with the first bytes that
//! look like a whole header of a record (Protocol.md §3.1), which no text does, since it has a zero in it; or with a 3.1
//! server's goodbye in plain text.

use super::command::MARKER;
use crate::protocol::record::{HEADER_LEN, Header, MAGIC, RecordKind};
use crate::protocol::{Dialect, Limits, text};

/// A shell that prints more than this is not waited for, in bytes (as Xpra's client has it).
pub const MAX_NOISE: usize = 4 << 20;
/// Bytes of a line that are looked at.
const MAX_LINE: usize = 256;
/// Lines that are kept for an error.
const MAX_KEPT: usize = 4;
/// How servers of either generation refuse packets that they cannot parse.
const GOODBYES: [&[u8]; 3] = [
    b"disconnect: failed to parse bencode packet",
    b"disconnect: invalid packet encoding",
    b"disconnect invalid packet encoding",
];

/// Looks for the beginning of the stream. Knows no clock and no socket.
#[derive(Debug)]
pub struct Noise {
    /// The line to wait for, without its end and what may follow a blank.
    marker: Vec<u8>,
    /// Bytes that cannot be told yet: less than a line.
    pending: Vec<u8>,
    /// `pending` begins a line.
    at_line: bool,
    /// A hello was sent: a server may speak.
    said_hello: bool,
    seen: usize,
    /// The last lines of noise, for an error.
    lines: Vec<String>,
}

/// Where the stream begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begin {
    pub how: How,
    /// The stream's first bytes.
    pub rest: Vec<u8>,
}

/// What the beginning was known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// Our own line, with the display of a session that was started.
    Marker { display: Option<String> },
    /// It looks like a record.
    Record,
    /// It looks like a goodbye in plain text.
    Goodbye,
}

/// There was no end of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {} MiB came before the session", MAX_NOISE >> 20)]
pub struct TooMuchNoise;

impl Noise {
    /// Waits for the line with this number.
    pub fn new(number: &str) -> Self {
        Self {
            marker: format!("{MARKER}{number}").into_bytes(),
            pending: Vec::new(),
            at_line: true,
            said_hello: false,
            seen: 0,
            lines: Vec::new(),
        }
    }

    /// A hello was sent: from now on also what a server says counts.
    pub fn said_hello(&mut self) {
        self.said_hello = true;
    }

    /// What the shell said last, as it may be shown.
    pub fn last_lines(&self) -> Vec<String> {
        let mut lines = self.lines.clone();
        lines.extend(shown(&self.pending));
        lines
    }

    /// Takes what came. `Some` once the stream has begun: nothing more is to be fed then.
    ///
    /// # Errors
    /// If too much came without it.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Option<Begin>, TooMuchNoise> {
        self.seen = self.seen.saturating_add(bytes.len());
        self.pending.extend(bytes);
        let (mut at, mut at_line, mut line) = (0, self.at_line, 0);
        let found = loop {
            let rest = self.pending.get(at..).unwrap_or_default();
            let Some(first) = rest.first() else { break None };
            match self.look(rest, at_line) {
                Look::Begins(how, skipped) => break Some((how, at + skipped)),
                Look::Unknown => break None,
                Look::Noise => {}
            }
            at += 1;
            at_line = *first == b'\n';
            if at_line {
                let ended = shown(self.pending.get(line..at).unwrap_or_default());
                self.lines.extend(ended);
                line = at;
            }
        };
        self.lines.drain(..self.lines.len().saturating_sub(MAX_KEPT));
        if let Some((how, begin)) = found {
            return Ok(Some(Begin { how, rest: self.pending.split_off(begin) }));
        }
        if self.seen > MAX_NOISE {
            return Err(TooMuchNoise);
        }
        self.pending.drain(..at);
        self.at_line = at_line;
        Ok(None)
    }

    /// Whether the stream begins here, or behind a line that begins here.
    fn look(&self, rest: &[u8], at_line: bool) -> Look {
        if at_line && rest.starts_with(&self.marker) {
            let behind = rest.get(self.marker.len()..).unwrap_or_default();
            return match behind.iter().position(|byte| *byte == b'\n') {
                Some(end) => match display(behind.get(..end).unwrap_or_default()) {
                    Some(display) => Look::Begins(How::Marker { display }, self.marker.len() + end + 1),
                    None => Look::Noise,
                },
                None if behind.len() < MAX_LINE => Look::Unknown,
                None => Look::Noise,
            };
        }
        if at_line && self.marker.starts_with(rest) {
            return Look::Unknown;
        }
        if !self.said_hello {
            return Look::Noise;
        }
        if GOODBYES.iter().any(|goodbye| rest.starts_with(goodbye)) {
            return Look::Begins(How::Goodbye, 0);
        }
        if GOODBYES.iter().any(|goodbye| goodbye.starts_with(rest)) {
            return Look::Unknown;
        }
        match rest.first_chunk::<HEADER_LEN>() {
            Some(header) if is_header(*header) => Look::Begins(How::Record, 0),
            None if rest.first() == Some(&MAGIC) => Look::Unknown,
            _ => Look::Noise,
        }
    }
}

/// Whether this can be the header of a server's first record: a main one of a packet encoder that Farpane has.
fn is_header(bytes: [u8; HEADER_LEN]) -> bool {
    let is_main = |dialect| {
        let header = Header::parse(bytes, dialect, &Limits::BEFORE_HELLO);
        header.is_ok_and(|header| matches!(header.kind, RecordKind::Main { .. }) && !header.enciphered)
    };
    bytes.first() == Some(&MAGIC)
        && [Dialect::Modern, Dialect::Legacy31, Dialect::Yaml].into_iter().any(is_main)
}

enum Look {
    /// After so many bytes.
    Begins(How, usize),
    /// More bytes must come.
    Unknown,
    Noise,
}

/// What stands behind the number: nothing, or a display. `None` if it is neither.
#[expect(clippy::option_option, reason = "the outer one says whether the line is ours")]
fn display(behind: &[u8]) -> Option<Option<String>> {
    let behind = std::str::from_utf8(behind).ok()?.trim_end_matches('\r');
    if behind.is_empty() {
        return Some(None);
    }
    let name = behind.strip_prefix(" :")?;
    let is_display = !name.is_empty() && name.len() <= 6 && name.bytes().all(|byte| byte.is_ascii_digit());
    is_display.then(|| Some(name.to_owned()))
}

/// A line as it may be shown, unless there is nothing in it.
fn shown(line: &[u8]) -> Option<String> {
    let shown = text::shown_bytes(line, MAX_LINE);
    let shown = shown.trim();
    (!shown.is_empty()).then(|| shown.to_owned())
}
