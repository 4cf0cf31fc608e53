//! A decoded packet as a flat list of nodes, reused from packet to packet.
//!
//! Strings and bytes are ranges of the payload; containers know where they end, so that a reader
//! can skip them. Nothing is allocated for a packet once the tape has grown to its size.

use std::ops::Range;

use super::limits::{MAX_DEPTH, MAX_NODES};
use super::packet::value::{Dict, Value};

/// One value. Containers are followed by what they hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Node {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer above `i64::MAX`.
    Big(u64),
    Float(f64),
    /// UTF-8 text in the payload.
    Str(Span),
    Bytes(Span),
    /// `items` values follow; the node after the last one is `end`.
    List {
        items: u32,
        end: u32,
    },
    /// `items` keys and values follow, one after the other.
    Dict {
        items: u32,
        end: u32,
    },
}

/// A range of the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    start: u32,
    len: u32,
}

impl Span {
    /// The range as Rust knows it.
    pub fn range(self) -> Range<usize> {
        let start = self.start as usize;
        start..start + self.len as usize
    }
}

/// Why an encoded packet cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("the packet ends within a value")]
    Truncated,
    #[error("{extra} bytes follow the packet")]
    Trailing { extra: usize },
    #[error("type code {code:#04x} is not known")]
    TypeCode { code: u8 },
    #[error("the length of a string is not valid")]
    Length,
    #[error("text is not valid UTF-8")]
    Utf8,
    #[error("an integer is not valid or does not fit 64 bits")]
    Integer,
    #[error("a container ends where none is open, or a key has no value")]
    Unbalanced,
    #[error("containers are nested more than {MAX_DEPTH} deep")]
    TooDeep,
    #[error("the packet has more than {MAX_NODES} values")]
    TooMany,
}

/// The nodes of one packet, in the order of the payload.
#[derive(Debug, Default)]
pub struct Tape {
    nodes: Vec<Node>,
}

impl Tape {
    /// The node at `index`.
    pub fn node(&self, index: usize) -> Option<Node> {
        self.nodes.get(index).copied()
    }

    /// The index of the node after the value at `index`.
    pub fn after(&self, index: usize) -> usize {
        match self.node(index) {
            Some(Node::List { end, .. } | Node::Dict { end, .. }) => end as usize,
            _ => index + 1,
        }
    }

    /// The value at `index` as an owned one. `payload` is what was decoded.
    pub fn value(&self, index: usize, payload: &[u8]) -> Value {
        let bytes = |span: Span| payload.get(span.range()).unwrap_or_default();
        match self.node(index) {
            None | Some(Node::Null) => Value::Null,
            Some(Node::Bool(v)) => Value::Bool(v),
            Some(Node::Int(v)) => Value::Int(v),
            Some(Node::Big(v)) => Value::Big(v),
            Some(Node::Float(v)) => Value::Float(v),
            Some(Node::Str(span)) => Value::Str(String::from_utf8_lossy(bytes(span)).into_owned()),
            Some(Node::Bytes(span)) => Value::Bytes(Vec::from(bytes(span))),
            Some(Node::List { .. }) => {
                Value::List(self.items(index).map(|at| self.value(at, payload)).collect())
            }
            Some(Node::Dict { .. }) => Value::Dict(self.dict(index, payload)),
        }
    }

    /// The dictionary at `index` as an owned one; empty if it is none.
    pub fn dict(&self, index: usize, payload: &[u8]) -> Dict {
        let entries = self.entries(index);
        Dict(entries.map(|(key, value)| (self.value(key, payload), self.value(value, payload))).collect())
    }

    /// The indices of the items of the list at `index`; nothing if it is none.
    pub fn items(&self, index: usize) -> impl Iterator<Item = usize> {
        let count = match self.node(index) {
            Some(Node::List { items, .. }) => items,
            _ => 0,
        };
        self.children(index, count)
    }

    /// The indices of the keys and values of the dictionary at `index`; nothing if it is none.
    pub fn entries(&self, index: usize) -> impl Iterator<Item = (usize, usize)> {
        let count = match self.node(index) {
            Some(Node::Dict { items, .. }) => items,
            _ => 0,
        };
        let mut children = self.children(index, count);
        std::iter::from_fn(move || Some((children.next()?, children.next()?)))
    }

    fn children(&self, index: usize, count: u32) -> impl Iterator<Item = usize> {
        let mut next = index + 1;
        (0..count).map(move |_| {
            let this = next;
            next = self.after(this);
            this
        })
    }
}

/// Fills a tape; shared by the packet decoders, which know only their type codes.
///
/// A decoder calls one method a value, [`Self::close`] at the end marks of containers whose
/// count it does not know, and stops when [`Self::is_complete`].
#[derive(Debug)]
pub struct TapeBuilder<'a> {
    nodes: &'a mut Vec<Node>,
    /// The containers that are open, outermost first.
    open: [Open; MAX_DEPTH],
    depth: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Open {
    node: usize,
    /// Values in it so far.
    items: u32,
    /// Values that it will have, if that is known.
    expected: Option<u32>,
    is_dict: bool,
}

impl<'a> TapeBuilder<'a> {
    /// Starts over with the memory of `tape`.
    pub fn new(tape: &'a mut Tape) -> Self {
        tape.nodes.clear();
        Self { nodes: &mut tape.nodes, open: [Open::default(); MAX_DEPTH], depth: 0 }
    }

    /// Whether one whole value is on the tape.
    pub fn is_complete(&self) -> bool {
        self.depth == 0 && !self.nodes.is_empty()
    }

    /// Adds a value that is no container.
    ///
    /// # Errors
    /// If there are too many values.
    pub fn scalar(&mut self, node: Node) -> Result<(), DecodeError> {
        self.push(node)?;
        self.close_full();
        Ok(())
    }

    /// Adds text or bytes: `len` bytes at `start`.
    ///
    /// # Errors
    /// If there are too many values, or the place does not fit 32 bits.
    pub fn span(&mut self, start: usize, len: usize, as_text: bool) -> Result<(), DecodeError> {
        let start = u32::try_from(start).map_err(|_| DecodeError::Length)?;
        let len = u32::try_from(len).map_err(|_| DecodeError::Length)?;
        let span = Span { start, len };
        self.scalar(if as_text { Node::Str(span) } else { Node::Bytes(span) })
    }

    /// Opens a list of `expected` values, or one that [`Self::close`] ends.
    ///
    /// # Errors
    /// If there are too many values, or containers within containers.
    pub fn list(&mut self, expected: Option<u32>) -> Result<(), DecodeError> {
        self.container(Node::List { items: 0, end: 0 }, expected, false)
    }

    /// Opens a dictionary of `expected` pairs, or one that [`Self::close`] ends.
    ///
    /// # Errors
    /// If there are too many values, or containers within containers.
    pub fn dict(&mut self, expected: Option<u32>) -> Result<(), DecodeError> {
        self.container(Node::Dict { items: 0, end: 0 }, expected.map(|pairs| pairs.saturating_mul(2)), true)
    }

    fn container(&mut self, node: Node, expected: Option<u32>, is_dict: bool) -> Result<(), DecodeError> {
        let index = self.push(node)?;
        let slot = self.open.get_mut(self.depth).ok_or(DecodeError::TooDeep)?;
        *slot = Open { node: index, items: 0, expected, is_dict };
        self.depth += 1;
        self.close_full();
        Ok(())
    }

    /// Ends the innermost container at its end mark.
    ///
    /// # Errors
    /// If none is open, it has its count of values, or a key has no value.
    pub fn close(&mut self) -> Result<(), DecodeError> {
        let innermost = self.innermost().copied().ok_or(DecodeError::Unbalanced)?;
        if innermost.expected.is_some() || (innermost.is_dict && innermost.items % 2 != 0) {
            return Err(DecodeError::Unbalanced);
        }
        self.pop(innermost);
        self.close_full();
        Ok(())
    }

    fn innermost(&self) -> Option<&Open> {
        self.open.get(self.depth.checked_sub(1)?)
    }

    /// Ends every innermost container that has all its values.
    fn close_full(&mut self) {
        while let Some(innermost) = self.innermost().copied().filter(|open| open.expected == Some(open.items))
        {
            self.pop(innermost);
        }
    }

    fn pop(&mut self, open: Open) {
        self.depth -= 1;
        // The number of nodes is bounded by MAX_NODES.
        let end = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        if let Some(node) = self.nodes.get_mut(open.node) {
            let items = open.items;
            *node = if open.is_dict { Node::Dict { items, end } } else { Node::List { items, end } };
        }
    }

    fn push(&mut self, node: Node) -> Result<usize, DecodeError> {
        let index = self.nodes.len();
        if index >= MAX_NODES {
            return Err(DecodeError::TooMany);
        }
        if let Some(innermost) = self.depth.checked_sub(1).and_then(|depth| self.open.get_mut(depth)) {
            innermost.items += 1;
        }
        self.nodes.push(node);
        Ok(index)
    }
}

/// Reads the payload from its start; shared by the packet decoders.
#[derive(Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// Where the next byte is.
    pub fn position(&self) -> usize {
        self.position
    }

    /// The next byte.
    ///
    /// # Errors
    /// If there is none.
    pub fn byte(&mut self) -> Result<u8, DecodeError> {
        let byte = self.bytes.get(self.position).copied().ok_or(DecodeError::Truncated)?;
        self.position += 1;
        Ok(byte)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// If there are fewer.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let array = rest.first_chunk().ok_or(DecodeError::Truncated)?;
        self.position += N;
        Ok(*array)
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// If there are fewer.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let end = self.position.checked_add(len).ok_or(DecodeError::Truncated)?;
        let bytes = self.bytes.get(self.position..end).ok_or(DecodeError::Truncated)?;
        self.position = end;
        Ok(bytes)
    }

    /// The bytes up to `mark`, of which there are at most `max`; skips the mark.
    ///
    /// # Errors
    /// If the mark is not among them.
    pub fn until(&mut self, mark: u8, max: usize) -> Result<&'a [u8], DecodeError> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let len = rest.iter().take(max + 1).position(|byte| *byte == mark);
        let len = len.ok_or(if rest.len() <= max { DecodeError::Truncated } else { DecodeError::Integer })?;
        let bytes = rest.get(..len).unwrap_or_default();
        self.position += len + 1;
        Ok(bytes)
    }

    /// An error if anything is left.
    ///
    /// # Errors
    /// [`DecodeError::Trailing`].
    pub fn finish(&self) -> Result<(), DecodeError> {
        match self.bytes.len().saturating_sub(self.position) {
            0 => Ok(()),
            extra => Err(DecodeError::Trailing { extra }),
        }
    }
}

/// The integer that `text` says in base 10, as a node.
///
/// # Errors
/// If it is none, or does not fit 64 bits.
pub fn parse_integer(text: &[u8]) -> Result<Node, DecodeError> {
    let text = std::str::from_utf8(text).map_err(|_| DecodeError::Integer)?;
    if text.starts_with('+') {
        return Err(DecodeError::Integer);
    }
    match (text.parse::<i64>(), text.parse::<u64>()) {
        (Ok(int), _) => Ok(Node::Int(int)),
        (_, Ok(big)) => Ok(Node::Big(big)),
        _ => Err(DecodeError::Integer),
    }
}

/// The length that `digits` say in base 10: no sign, no leading zero.
///
/// # Errors
/// If they are something else.
pub fn parse_length(digits: &[u8]) -> Result<usize, DecodeError> {
    let leading_zero = digits.len() > 1 && digits.first() == Some(&b'0');
    if leading_zero || digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(DecodeError::Length);
    }
    let text = std::str::from_utf8(digits).map_err(|_| DecodeError::Length)?;
    text.parse().map_err(|_| DecodeError::Length)
}
