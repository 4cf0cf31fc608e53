//! Reads the arguments of a packet, one after the other, into what the packet wants them to be.

use crate::buffers::{Payload, PayloadRef};
use crate::protocol::reassembly::RawRecord;
use crate::protocol::record::ChunkIndex;
use crate::protocol::tape::{Node, Span, Tape};
use crate::protocol::text;

use super::{Dict, Modifiers, Value, WindowId};

/// An argument that is missing, of another type than the packet wants, or out of range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("packet {packet:?}, argument {index} ({field}): expected {expected}, got {got}")]
pub struct ArgError {
    pub packet: String,
    /// Position in the packet; the type is at 0.
    pub index: usize,
    pub field: &'static str,
    pub expected: &'static str,
    pub got: &'static str,
}

/// Unpacks raw chunks. Only those that an argument takes.
pub trait Unpack {
    /// What the chunk holds; `None` if it cannot be had, which the implementor remembers why.
    fn chunk(&mut self, record: &RawRecord) -> Option<Payload>;
}

/// A packet's arguments. Each method consumes one.
pub struct Args<'a> {
    packet: &'a str,
    tape: &'a Tape,
    payload: PayloadRef<'a>,
    /// Raw chunks by the position of the argument that they replace.
    chunks: &'a [(ChunkIndex, RawRecord)],
    unpack: &'a mut (dyn Unpack + 'a),
    /// Position of the next argument; the packet's type was at 0.
    position: usize,
    /// Values in the packet, with its type.
    count: usize,
    /// The next argument on the tape.
    node: usize,
}

impl<'a> Args<'a> {
    /// The name of the packet on `tape` and its arguments. `None` if the tape holds no packet: a
    /// list that starts with text.
    pub fn new(
        tape: &'a Tape,
        payload: PayloadRef<'a>,
        chunks: &'a [(ChunkIndex, RawRecord)],
        unpack: &'a mut (dyn Unpack + 'a),
    ) -> Option<Self> {
        let Some(Node::List { items, .. }) = tape.node(0) else {
            return None;
        };
        let (Node::Str(name) | Node::Bytes(name)) = tape.node(1)? else {
            return None;
        };
        let packet = std::str::from_utf8(payload.bytes().get(name.range())?).ok()?;
        Some(Self { packet, tape, payload, chunks, unpack, position: 1, count: items as usize, node: 2 })
    }

    /// The packet's type as it was sent.
    pub fn packet(&self) -> &'a str {
        self.packet
    }

    /// Arguments that are left.
    pub fn left(&self) -> usize {
        self.count.saturating_sub(self.position)
    }

    /// The error that the argument before the next one is not what was expected.
    pub fn error(&self, field: &'static str, expected: &'static str, got: &'static str) -> ArgError {
        let index = self.position.saturating_sub(1);
        ArgError { packet: text::name(self.packet), index, field, expected, got }
    }

    /// The next argument.
    fn next(&mut self, field: &'static str, expected: &'static str) -> Result<(usize, Node), ArgError> {
        let node = if self.left() > 0 { self.tape.node(self.node) } else { None };
        let index = self.node;
        self.position += 1;
        self.node = self.tape.after(index);
        node.map(|node| (index, node)).ok_or_else(|| self.error(field, expected, "nothing"))
    }

    /// Skips an argument.
    ///
    /// # Errors
    /// If there is none.
    pub fn skip(&mut self, field: &'static str) -> Result<(), ArgError> {
        self.next(field, "a value").map(|_| ())
    }

    /// An integer that fits `T`; booleans count as 0 and 1.
    ///
    /// # Errors
    /// If it is missing or something else.
    pub fn int<T: TryFrom<i128>>(
        &mut self,
        field: &'static str,
        expected: &'static str,
    ) -> Result<T, ArgError> {
        let (_, node) = self.next(field, expected)?;
        let value = integer(node).ok_or_else(|| self.error(field, expected, kind(node)))?;
        T::try_from(value).map_err(|_| self.error(field, expected, "an integer out of range"))
    }

    /// An unsigned integer of 64 bits.
    ///
    /// # Errors
    /// If it is missing or something else.
    pub fn u64(&mut self, field: &'static str) -> Result<u64, ArgError> {
        self.int(field, "an integer of 64 bits, not negative")
    }

    /// An unsigned integer of 32 bits.
    ///
    /// # Errors
    /// If it is missing or something else.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, ArgError> {
        self.int(field, "an integer of 32 bits, not negative")
    }

    /// A width or height: an unsigned integer of 16 bits.
    ///
    /// # Errors
    /// If it is missing or something else.
    pub fn size(&mut self, field: &'static str) -> Result<u32, ArgError> {
        self.int::<u16>(field, "an integer of 16 bits, not negative").map(u32::from)
    }

    /// An unsigned integer of 8 bits.
    ///
    /// # Errors
    /// If it is missing or something else.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, ArgError> {
        self.int(field, "an integer of 8 bits, not negative")
    }

    /// A signed integer of 32 bits.
    ///
    /// # Errors
    /// If it is missing or something else.
    pub fn i32(&mut self, field: &'static str) -> Result<i32, ArgError> {
        self.int(field, "an integer of 32 bits")
    }

    /// A signed integer of 64 bits.
    ///
    /// # Errors
    /// If it is missing or something else.
    pub fn i64(&mut self, field: &'static str) -> Result<i64, ArgError> {
        self.int(field, "an integer of 64 bits")
    }

    /// A window's identifier.
    ///
    /// # Errors
    /// If it is missing, something else, or 0.
    pub fn wid(&mut self) -> Result<WindowId, ArgError> {
        match self.u64("wid")? {
            0 => Err(self.error("wid", "a window, which is never 0", "0")),
            wid => Ok(WindowId(wid)),
        }
    }

    /// A window, or `None` for 0 and less, which peers send where there is none.
    ///
    /// # Errors
    /// If it is missing or something else.
    pub fn window(&mut self) -> Result<Option<WindowId>, ArgError> {
        let wid: i128 = self.int("wid", "an integer")?;
        Ok(u64::try_from(wid).ok().filter(|wid| *wid > 0).map(WindowId))
    }

    /// A boolean, or an integer as "not zero".
    ///
    /// # Errors
    /// If it is missing or something else.
    pub fn bool(&mut self, field: &'static str) -> Result<bool, ArgError> {
        self.int::<i128>(field, "a boolean").map(|value| value != 0)
    }

    /// Text, or bytes that are UTF-8.
    ///
    /// # Errors
    /// If it is missing or something else.
    pub fn str(&mut self, field: &'static str) -> Result<&'a str, ArgError> {
        const EXPECTED: &str = "text";
        let (_, node) = self.next(field, EXPECTED)?;
        text(node, self.payload.bytes()).ok_or_else(|| self.error(field, EXPECTED, kind(node)))
    }

    /// Text, owned. Bytes that are not UTF-8 are taken as Latin-1, as 3.1 sends them.
    ///
    /// # Errors
    /// If it is missing or something else.
    pub fn string(&mut self, field: &'static str) -> Result<String, ArgError> {
        const EXPECTED: &str = "text";
        let (_, node) = self.next(field, EXPECTED)?;
        owned_text(node, self.payload.bytes()).ok_or_else(|| self.error(field, EXPECTED, kind(node)))
    }

    /// Bytes (or text, as bytes), shared with the payload, or the raw chunk for this position.
    ///
    /// # Errors
    /// If it is missing, something else, or the chunk is damaged.
    pub fn bytes(&mut self, field: &'static str) -> Result<Payload, ArgError> {
        const EXPECTED: &str = "bytes";
        let position = self.position;
        let (_, node) = self.next(field, EXPECTED)?;
        let chunk = self.chunks.iter().find(|(index, _)| index.position() == position);
        match (chunk, node) {
            (Some((_, record)), _) => {
                self.unpack.chunk(record).ok_or_else(|| self.error(field, EXPECTED, "a damaged chunk"))
            }
            (None, Node::Str(span) | Node::Bytes(span)) => {
                Ok(self.payload.slice(span.range()).unwrap_or_default())
            }
            (None, _) => Err(self.error(field, EXPECTED, kind(node))),
        }
    }

    /// A dictionary, owned.
    ///
    /// # Errors
    /// If it is missing or something else than a dictionary, null or empty.
    pub fn dict(&mut self, field: &'static str) -> Result<Dict, ArgError> {
        const EXPECTED: &str = "a map";
        let (index, node) = self.next(field, EXPECTED)?;
        match node {
            Node::Dict { .. } => Ok(self.tape.dict(index, self.payload.bytes())),
            // Python servers send "" or None where they have no map.
            Node::Null => Ok(Dict::default()),
            Node::Str(span) | Node::Bytes(span) if span.range().is_empty() => Ok(Dict::default()),
            _ => Err(self.error(field, EXPECTED, kind(node))),
        }
    }

    /// A dictionary if one is left.
    ///
    /// # Errors
    /// If it is something else than a dictionary, null or empty.
    pub fn optional_dict(&mut self, field: &'static str) -> Result<Dict, ArgError> {
        if self.left() == 0 { Ok(Dict::default()) } else { self.dict(field) }
    }

    /// A dictionary, to be read without making an owned one.
    ///
    /// # Errors
    /// If it is missing or something else.
    pub fn map(&mut self, field: &'static str) -> Result<Map<'a>, ArgError> {
        const EXPECTED: &str = "a map";
        let (index, node) = self.next(field, EXPECTED)?;
        match node {
            Node::Dict { .. } => Ok(Map { tape: self.tape, payload: self.payload.bytes(), index }),
            _ => Err(self.error(field, EXPECTED, kind(node))),
        }
    }

    /// A list, to be read without making an owned one.
    ///
    /// # Errors
    /// If it is missing or something else.
    pub fn list(&mut self, field: &'static str) -> Result<List<'a>, ArgError> {
        const EXPECTED: &str = "a list";
        let (index, node) = self.next(field, EXPECTED)?;
        match node {
            Node::List { .. } => Ok(List { tape: self.tape, payload: self.payload.bytes(), index }),
            _ => Err(self.error(field, EXPECTED, kind(node))),
        }
    }

    /// The type of the next argument.
    pub fn peek(&self) -> Option<Node> {
        if self.left() > 0 { self.tape.node(self.node) } else { None }
    }

    /// Any value, owned.
    ///
    /// # Errors
    /// If it is missing or something else.
    pub fn value(&mut self, field: &'static str) -> Result<Value, ArgError> {
        let (index, _) = self.next(field, "a value")?;
        Ok(self.tape.value(index, self.payload.bytes()))
    }

    /// All values that are left, owned.
    pub fn rest(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.value("value").ok()).collect()
    }
}

/// A dictionary on the tape.
#[derive(Clone, Copy, Debug)]
pub struct Map<'a> {
    tape: &'a Tape,
    payload: &'a [u8],
    index: usize,
}

impl<'a> Map<'a> {
    /// The entries whose key is text.
    pub fn entries(self) -> impl Iterator<Item = (&'a str, Item<'a>)> {
        let Self { tape, payload, index } = self;
        tape.entries(index).filter_map(move |(key, value)| {
            Some((text(tape.node(key)?, payload)?, Item { tape, payload, index: value }))
        })
    }

    /// The dictionary as an owned one.
    pub fn to_dict(self) -> Dict {
        self.tape.dict(self.index, self.payload)
    }
}

/// A list on the tape.
#[derive(Clone, Copy, Debug)]
pub struct List<'a> {
    tape: &'a Tape,
    payload: &'a [u8],
    index: usize,
}

impl<'a> List<'a> {
    /// The items.
    pub fn items(self) -> impl Iterator<Item = Item<'a>> {
        let Self { tape, payload, index } = self;
        tape.items(index).map(move |index| Item { tape, payload, index })
    }

    /// The items that are text.
    pub fn strings(self) -> Vec<String> {
        self.items().filter_map(|item| item.str().map(str::to_owned)).collect()
    }

    /// The modifiers that it names.
    pub fn modifiers(self) -> Modifiers {
        Modifiers::from_names(self.items().filter_map(|item| item.str()))
    }

    /// Exactly `N` integers that fit `T`.
    pub fn ints<T: TryFrom<i128> + Copy + Default, const N: usize>(self) -> Option<[T; N]> {
        let mut array = [T::default(); N];
        let mut items = self.items();
        for slot in &mut array {
            *slot = items.next()?.int()?;
        }
        items.next().is_none().then_some(array)
    }
}

/// A value on the tape.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    tape: &'a Tape,
    payload: &'a [u8],
    index: usize,
}

impl<'a> Item<'a> {
    /// An integer that fits `T`, or a boolean as 0 or 1.
    pub fn int<T: TryFrom<i128>>(self) -> Option<T> {
        T::try_from(integer(self.tape.node(self.index)?)?).ok()
    }

    /// Text, or bytes that are UTF-8.
    pub fn str(self) -> Option<&'a str> {
        text(self.tape.node(self.index)?, self.payload)
    }

    /// A list.
    pub fn list(self) -> Option<List<'a>> {
        let Self { tape, payload, index } = self;
        matches!(tape.node(index)?, Node::List { .. }).then_some(List { tape, payload, index })
    }

    /// A dictionary.
    pub fn map(self) -> Option<Map<'a>> {
        let Self { tape, payload, index } = self;
        matches!(tape.node(index)?, Node::Dict { .. }).then_some(Map { tape, payload, index })
    }

    /// The value as an owned one.
    pub fn to_value(self) -> Value {
        self.tape.value(self.index, self.payload)
    }
}

fn integer(node: Node) -> Option<i128> {
    match node {
        Node::Int(value) => Some(i128::from(value)),
        Node::Big(value) => Some(i128::from(value)),
        Node::Bool(value) => Some(i128::from(value)),
        _ => None,
    }
}

fn span(node: Node) -> Option<Span> {
    match node {
        Node::Str(span) | Node::Bytes(span) => Some(span),
        _ => None,
    }
}

fn text(node: Node, payload: &[u8]) -> Option<&str> {
    std::str::from_utf8(payload.get(span(node)?.range())?).ok()
}

fn owned_text(node: Node, payload: &[u8]) -> Option<String> {
    let bytes = payload.get(span(node)?.range())?;
    Some(match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    })
}

const fn kind(node: Node) -> &'static str {
    match node {
        Node::Null => "null",
        Node::Bool(_) => "a boolean",
        Node::Int(_) | Node::Big(_) => "an integer",
        Node::Float(_) => "a fraction",
        Node::Str(_) => "text",
        Node::Bytes(_) => "bytes that are no text",
        Node::List { .. } => "a list",
        Node::Dict { .. } => "a map",
    }
}
