//! The clipboard, both ways: who owns a selection, and what is asked for and given (X11's selections as ICCCM §2 has
//! them; xpra/clipboard/core.py of 3.1.3, 6.5.5 and 6.6). Both sides have the same packets.

use crate::buffers::Payload;
use crate::protocol::tape::Node;

use super::Value;
use super::args::{ArgError, Args, Item};
use super::encode::Encoder;
use super::names::{self, Names, Naming, alias};
use super::out::Out;

/// The packets that have two names.
pub const NAMES: Names = Names {
    to_client: &[alias("clipboard-status", "set-clipboard-enabled", Naming::V65)],
    to_server: &[alias("clipboard-status", "set-clipboard-enabled", Naming::V65)],
};

/// Targets that one list may name; what comes after is dropped. Real owners offer up to about 40.
pub const MAX_TARGETS: usize = 256;
/// Bytes of the name of a target or type. X's own limit is 65535; real names have up to about 80.
pub const MAX_NAME: usize = 255;
/// Numbers in contents that are no bytes, at most.
pub const MAX_NUMBERS: usize = 4096;

/// One of X11's selections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Selection {
    /// What was copied: Ctrl-C.
    Clipboard,
    /// What is marked: the middle button.
    Primary,
    Secondary,
}

/// What was copied, in one of the forms that its owner offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Name of the X11 type: `UTF8_STRING`, `image/png`, `ATOM`, …
    pub kind: String,
    pub data: Data,
}

/// The bytes of [`Contents`], by what they are.
#[derive(Clone, PartialEq, Eq)]
pub enum Data {
    /// Format 8.
    Bytes(Payload),
    /// Format 16 or 32.
    Numbers { bits: u8, values: Vec<u32> },
    /// Names instead of X's numbers of them; format 32.
    Atoms(Vec<String>),
}

/// `clipboard-token`: somebody owns the selection now, and what it can be had as.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    pub selection: Selection,
    /// `None`: not said.
    pub targets: Option<Vec<String>>,
    /// One of the targets, already with its contents.
    pub contents: Option<(String, Contents)>,
    /// Whether the receiver is to own the selection.
    pub claim: bool,
    /// Whether the sender wants contents in tokens too.
    pub greedy: bool,
}

/// From the server, and the same to it.
#[derive(Clone, Debug, PartialEq)]
pub enum Packet {
    Token(Token),
    /// Asks for the contents of a selection.
    Request {
        request: u64,
        selection: Selection,
        target: String,
    },
    Contents {
        request: u64,
        selection: Selection,
        contents: Contents,
    },
    /// There are none.
    ContentsNone {
        request: u64,
        selection: Selection,
    },
    /// What the sender has a clipboard for.
    EnableSelections(Vec<Selection>),
    /// The sender switched it on or off.
    Status {
        enabled: bool,
        reason: String,
    },
    /// How many requests wait, for who shows that.
    PendingRequests {
        count: u32,
    },
    /// Marks of 3.1.3 by which servers know clients of their own.
    LoopUuids,
    /// About a selection that X11 does not have.
    OtherSelection,
}

pub use Packet as FromServer;
pub use Packet as ToServer;

impl Selection {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Clipboard, Self::Primary, Self::Secondary];

    /// X11's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clipboard => "CLIPBOARD",
            Self::Primary => "PRIMARY",
            Self::Secondary => "SECONDARY",
        }
    }

    /// The selection of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|selection| selection.name() == name)
    }
}

impl std::fmt::Display for Selection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::fmt::Debug for Data {
    /// How much it is: what people copy belongs into no log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Numbers { bits, values } => write!(f, "{} numbers of {bits} bits", values.len()),
            Self::Atoms(names) => write!(f, "{names:?}"),
        }
    }
}

impl Contents {
    /// Contents of format 8.
    pub fn bytes(kind: &str, bytes: impl Into<Payload>) -> Self {
        Self { kind: kind.to_owned(), data: Data::Bytes(bytes.into()) }
    }

    /// A list of targets.
    pub fn targets(names: Vec<String>) -> Self {
        Self { kind: "ATOM".to_owned(), data: Data::Atoms(names) }
    }

    /// Bytes that it is.
    pub fn len(&self) -> usize {
        match &self.data {
            Data::Bytes(bytes) => bytes.len(),
            Data::Numbers { bits, values } => usize::from(bits / 8) * values.len(),
            Data::Atoms(names) => names.iter().map(String::len).sum(),
        }
    }

    /// Whether it is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Packet {
    /// The modern name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Token(_) => "clipboard-token",
            Self::Request { .. } => "clipboard-request",
            Self::Contents { .. } => "clipboard-contents",
            Self::ContentsNone { .. } => "clipboard-contents-none",
            Self::EnableSelections(_) => "clipboard-enable-selections",
            Self::Status { .. } => "clipboard-status",
            Self::PendingRequests { .. } => "clipboard-pending-requests",
            Self::LoopUuids => "clipboard-loop-uuids",
            Self::OtherSelection => "clipboard-other",
        }
    }

    /// Reads a packet; `None` if it is of another subject.
    ///
    /// # Errors
    /// If an argument is missing or wrong.
    pub fn parse(args: &mut Args<'_>) -> Result<Option<Self>, ArgError> {
        Ok(Some(match names::modern(NAMES.to_client, args.packet()) {
            "clipboard-token" => match selection(args)? {
                Some(selection) => Self::Token(token(args, selection)?),
                None => Self::OtherSelection,
            },
            "clipboard-data" => match selection(args)? {
                Some(selection) => Self::Token(data(args, selection)?),
                None => Self::OtherSelection,
            },
            "clipboard-request" => match (args.u64("request")?, selection(args)?) {
                (request, Some(selection)) => {
                    Self::Request { request, selection, target: name(args, "target")? }
                }
                _ => Self::OtherSelection,
            },
            "clipboard-contents" => match (args.u64("request")?, selection(args)?) {
                (request, Some(selection)) => {
                    Self::Contents { request, selection, contents: contents(args)? }
                }
                _ => Self::OtherSelection,
            },
            "clipboard-contents-none" => match (args.u64("request")?, selection(args)?) {
                (request, Some(selection)) => Self::ContentsNone { request, selection },
                _ => Self::OtherSelection,
            },
            "clipboard-enable-selections" => {
                let names = args.list("selections")?;
                let known = names.items().filter_map(|item| Selection::from_name(item.str()?));
                Self::EnableSelections(known.take(Selection::ALL.len()).collect())
            }
            "clipboard-status" | "clipboard-enabled-status" => {
                let enabled = args.bool("enabled")?;
                let reason = if args.left() > 0 { args.string("reason")? } else { String::new() };
                Self::Status { enabled, reason }
            }
            "clipboard-pending-requests" => Self::PendingRequests { count: args.u32("count")? },
            "clipboard-loop-uuids" => Self::LoopUuids,
            _ => return Ok(None),
        }))
    }

    /// Writes the packet; contents only if they are `inline`, else an empty placeholder.
    pub fn encode(&self, inline: bool, out: &mut Out<'_, '_>) {
        match self {
            Self::Token(token) => write_token(out, token),
            Self::Request { request, selection, target } => out.packet("clipboard-request", 3, |args| {
                args.uint(*request);
                args.str(selection.name());
                args.str(target);
            }),
            Self::Contents { request, selection, contents } => {
                out.packet("clipboard-contents", 6, |args| {
                    args.uint(*request);
                    args.str(selection.name());
                    write_contents(args, contents, inline);
                });
            }
            Self::ContentsNone { request, selection } => out.packet("clipboard-contents-none", 2, |args| {
                args.uint(*request);
                args.str(selection.name());
            }),
            Self::EnableSelections(selections) => out.packet("clipboard-enable-selections", 1, |args| {
                args.list(selections.len(), |list| selections.iter().for_each(|one| list.str(one.name())));
            }),
            Self::Status { enabled, reason } if reason.is_empty() => {
                out.packet("clipboard-status", 1, |args| args.bool(*enabled));
            }
            Self::Status { enabled, reason } => out.packet("clipboard-status", 2, |args| {
                args.bool(*enabled);
                args.str(reason);
            }),
            Self::PendingRequests { count } => {
                out.packet("clipboard-pending-requests", 1, |args| args.int(*count));
            }
            Self::LoopUuids => out.packet("clipboard-loop-uuids", 1, |args| args.map(0, |_| {})),
            Self::OtherSelection => {}
        }
    }

    /// The contents that go in a raw chunk before the packet, and their position in it. Small ones stay inside.
    pub fn chunk(&self) -> Option<(u8, &Payload)> {
        match self {
            Self::Contents { contents: Contents { data: Data::Bytes(bytes), .. }, .. }
                if bytes.len() >= CHUNK_FROM =>
            {
                Some((CONTENTS_DATA, bytes))
            }
            _ => None,
        }
    }
}

/// Contents from this size on travel as a raw chunk.
const CHUNK_FROM: usize = 512;
/// The position of the bytes in `clipboard-contents`.
const CONTENTS_DATA: u8 = 6;

fn selection(args: &mut Args<'_>) -> Result<Option<Selection>, ArgError> {
    args.str("selection").map(Selection::from_name)
}

fn name(args: &mut Args<'_>, field: &'static str) -> Result<String, ArgError> {
    let name = args.string(field)?;
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(args.error(field, "a name of 1 to 255 bytes", "another length"));
    }
    Ok(name)
}

fn names_of<'a>(items: impl Iterator<Item = Item<'a>>) -> Vec<String> {
    let names = items.filter_map(Item::str).filter(|name| (1..=MAX_NAME).contains(&name.len()));
    names.take(MAX_TARGETS).map(str::to_owned).collect()
}

fn token(args: &mut Args<'_>, selection: Selection) -> Result<Token, ArgError> {
    let mut token = Token { selection, targets: None, contents: None, claim: true, greedy: false };
    if args.left() == 0 {
        return Ok(token);
    }
    token.targets = match args.peek() {
        Some(Node::List { .. }) => Some(names_of(args.list("targets")?.items())),
        _ => {
            args.skip("targets")?;
            None
        }
    };
    if args.left() < 7 {
        return Ok(token);
    }
    token.contents = match args.peek() {
        // (Bencode has no nothing: an empty text stands for it.)
        Some(Node::Str(text) | Node::Bytes(text)) if !text.range().is_empty() => {
            let target = args.string("target")?;
            let contents = contents(args)?;
            (target.len() <= MAX_NAME).then_some((target, contents))
        }
        _ => {
            for field in ["target", "type", "format", "wire encoding", "data"] {
                args.skip(field)?;
            }
            None
        }
    };
    token.claim = args.bool("claim")?;
    token.greedy = args.bool("greedy")?;
    Ok(token)
}

/// `clipboard-data` of 6.6: a token whose parts have names.
fn data(args: &mut Args<'_>, selection: Selection) -> Result<Token, ArgError> {
    let mut token = Token { selection, targets: None, contents: None, claim: true, greedy: false };
    for (key, value) in args.map("options")?.entries() {
        match key {
            "claim" => token.claim = value.int::<i64>() != Some(0),
            "greedy" => token.greedy = value.int::<i64>() == Some(1),
            "targets" => token.targets = value.list().map(|list| names_of(list.items())),
            // What it can be had as is enough: contents are asked for when somebody wants them.
            _ => {}
        }
    }
    Ok(token)
}

fn contents(args: &mut Args<'_>) -> Result<Contents, ArgError> {
    let kind = name(args, "type")?;
    let bits = args.u8("format")?;
    let data = match args.str("wire encoding")? {
        "bytes" => Data::Bytes(args.bytes("data")?),
        "integers" => {
            let items = args.list("data")?.items().take(MAX_NUMBERS);
            // They may be signed.
            let number = |item: Item<'_>| u32::try_from(item.int::<i64>()? & i64::from(u32::MAX)).ok();
            Data::Numbers {
                bits: if bits == 16 { 16 } else { 32 },
                values: items.filter_map(number).collect(),
            }
        }
        "atoms" => Data::Atoms(names_of(args.list("data")?.items())),
        _ => return Err(args.error("wire encoding", "bytes, integers or atoms", "another one")),
    };
    Ok(Contents { kind, data })
}

fn write_contents(args: &mut Encoder<'_>, contents: &Contents, inline: bool) {
    args.str(&contents.kind);
    match &contents.data {
        Data::Bytes(bytes) => {
            args.int(8);
            args.str("bytes");
            args.bytes(if inline { bytes } else { &[] });
        }
        Data::Numbers { bits, values } => {
            args.int(*bits);
            args.str("integers");
            args.ints(values);
        }
        Data::Atoms(names) => {
            args.int(32);
            args.str("atoms");
            args.strs(names);
        }
    }
}

fn write_token(out: &mut Out<'_, '_>, token: &Token) {
    let Token { selection, targets, contents, claim, greedy } = token;
    if out.naming >= Naming::V66 {
        return write_data(out, token);
    }
    let count = match (targets, contents, claim) {
        (None, None, true) => 1,
        (Some(_), None, true) => 2,
        _ => 9,
    };
    out.packet("clipboard-token", count, |args| {
        args.str(selection.name());
        if count > 1 {
            args.strs(targets.as_deref().unwrap_or_default());
        }
        if count > 2 {
            match contents {
                Some((target, contents)) => {
                    args.str(target);
                    write_contents(args, contents, true);
                }
                None => (0..5).for_each(|_| args.value(&Value::Null)),
            }
            args.bool(*claim);
            args.bool(*greedy);
        }
    });
}

fn write_data(out: &mut Out<'_, '_>, token: &Token) {
    out.packet("clipboard-data", 2, |args| {
        args.str(token.selection.name());
        let targets = token.targets.as_deref();
        let count = 2 + usize::from(targets.is_some()) + usize::from(token.contents.is_some());
        args.map(count, |map| {
            map.str("claim");
            map.bool(token.claim);
            map.str("greedy");
            map.bool(token.greedy);
            if let Some(targets) = targets {
                map.str("targets");
                map.strs(targets);
            }
            if let Some((target, contents)) = &token.contents {
                map.str("data");
                map.map(1, |data| {
                    data.str(target);
                    data.list(4, |list| write_contents(list, contents, true));
                });
            }
        });
    });
}
