//! Builds packets in any dialect.

use crate::protocol::record::Dialect;
use crate::protocol::{bencode, rencodeplus, yaml};

use super::{Dict, Value};

/// Appends `bytes` to a packet that is being built.
#[expect(
    clippy::disallowed_methods,
    reason = "packets that are built hold no bulk data: that goes in raw chunks"
)]
pub fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
}

/// Appends values to a packet, in the dialect's packet encoder.
#[derive(Debug)]
pub struct Encoder<'a> {
    dialect: Dialect,
    out: &'a mut Vec<u8>,
    /// Where in a YAML packet the next value goes.
    nesting: yaml::Nesting,
}

/// The packet encoders.
enum Writer<'a> {
    Rencodeplus(rencodeplus::Writer<'a>),
    Bencode(bencode::Writer<'a>),
    Yaml(yaml::Writer<'a>),
}

impl<'a> Encoder<'a> {
    /// An encoder that appends to `out`.
    pub fn new(dialect: Dialect, out: &'a mut Vec<u8>) -> Self {
        Self { dialect, out, nesting: yaml::Nesting::default() }
    }

    fn writer(&mut self) -> Writer<'_> {
        match self.dialect {
            Dialect::Modern => Writer::Rencodeplus(rencodeplus::Writer(self.out)),
            Dialect::Legacy31 => Writer::Bencode(bencode::Writer(self.out)),
            Dialect::Yaml => Writer::Yaml(yaml::Writer::new(self.out, &mut self.nesting)),
        }
    }

    /// Nothing. bencode has no null: empty bytes there.
    pub fn null(&mut self) {
        match self.writer() {
            Writer::Rencodeplus(mut writer) => writer.null(),
            Writer::Bencode(mut writer) => writer.bytes(&[]),
            Writer::Yaml(mut writer) => writer.null(),
        }
    }

    /// A boolean; an integer in bencode.
    pub fn bool(&mut self, value: bool) {
        match self.writer() {
            Writer::Rencodeplus(mut writer) => writer.bool(value),
            Writer::Bencode(mut writer) => writer.int(i64::from(value)),
            Writer::Yaml(mut writer) => writer.bool(value),
        }
    }

    /// An integer.
    pub fn int(&mut self, value: impl Into<i64>) {
        let value = value.into();
        match self.writer() {
            Writer::Rencodeplus(mut writer) => writer.int(value),
            Writer::Bencode(mut writer) => writer.int(value),
            Writer::Yaml(mut writer) => writer.int(value),
        }
    }

    /// An unsigned integer.
    pub fn uint(&mut self, value: u64) {
        match (i64::try_from(value), self.writer()) {
            (Ok(value), Writer::Rencodeplus(mut writer)) => writer.int(value),
            (Err(_), Writer::Rencodeplus(mut writer)) => writer.big(value),
            (_, Writer::Bencode(mut writer)) => writer.big(value),
            (_, Writer::Yaml(mut writer)) => writer.big(value),
        }
    }

    /// A number with a fraction. bencode has none: the integer part there.
    #[expect(clippy::cast_possible_truncation, reason = "what is too large becomes the largest")]
    pub fn float(&mut self, value: f64) {
        match self.writer() {
            Writer::Rencodeplus(mut writer) => writer.float(value),
            Writer::Bencode(mut writer) => writer.int(value as i64),
            Writer::Yaml(mut writer) => writer.float(value),
        }
    }

    /// Text.
    pub fn str(&mut self, value: &str) {
        match self.writer() {
            Writer::Rencodeplus(mut writer) => writer.str(value),
            Writer::Bencode(mut writer) => writer.bytes(value.as_bytes()),
            Writer::Yaml(mut writer) => writer.str(value),
        }
    }

    /// Bytes.
    pub fn bytes(&mut self, value: &[u8]) {
        match self.writer() {
            Writer::Rencodeplus(mut writer) => writer.bytes(value),
            Writer::Bencode(mut writer) => writer.bytes(value),
            Writer::Yaml(mut writer) => writer.bytes(value),
        }
    }

    /// Bytes that a peer may have meant as text. Clients of YAML get them as text if they are any,
    /// since they look for names by text alone.
    fn bytes_or_text(&mut self, value: &[u8]) {
        match std::str::from_utf8(value) {
            Ok(text) if self.dialect == Dialect::Yaml => self.str(text),
            _ => self.bytes(value),
        }
    }

    /// A list of `len` values, which `fill` adds.
    pub fn list(&mut self, len: usize, fill: impl FnOnce(&mut Self)) {
        match self.writer() {
            Writer::Rencodeplus(mut writer) => writer.list(len),
            Writer::Bencode(mut writer) => writer.list(),
            Writer::Yaml(mut writer) => writer.list(),
        }
        fill(self);
        match self.writer() {
            Writer::Rencodeplus(mut writer) => writer.end_list(len),
            Writer::Bencode(mut writer) => writer.end(),
            Writer::Yaml(mut writer) => writer.end(),
        }
    }

    /// A map of `len` keys and values, which `fill` adds.
    pub fn map(&mut self, len: usize, fill: impl FnOnce(&mut Self)) {
        match self.writer() {
            Writer::Rencodeplus(mut writer) => writer.dict(len),
            Writer::Bencode(mut writer) => writer.dict(),
            Writer::Yaml(mut writer) => writer.dict(),
        }
        fill(self);
        match self.writer() {
            Writer::Rencodeplus(mut writer) => writer.end_dict(len),
            Writer::Bencode(mut writer) => writer.end(),
            Writer::Yaml(mut writer) => writer.end(),
        }
    }

    /// A list of texts.
    pub fn strs(&mut self, items: &[String]) {
        self.list(items.len(), |list| items.iter().for_each(|item| list.str(item)));
    }

    /// A list of integers.
    pub fn ints<T: Into<i64> + Copy>(&mut self, items: &[T]) {
        self.list(items.len(), |list| items.iter().for_each(|item| list.int(*item)));
    }

    /// Integers one after the other, not as a list.
    pub fn ints_bare<T: Into<i64> + Copy>(&mut self, items: &[T]) {
        items.iter().for_each(|item| self.int(*item));
    }

    /// Any value.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.null(),
            Value::Bool(value) => self.bool(*value),
            Value::Int(value) => self.int(*value),
            Value::Big(value) => self.uint(*value),
            Value::Float(value) => self.float(*value),
            Value::Str(value) => self.str(value),
            Value::Bytes(value) => self.bytes_or_text(value),
            Value::List(items) => {
                self.list(items.len(), |list| items.iter().for_each(|item| list.value(item)))
            }
            Value::Dict(dict) => self.dict(dict),
        }
    }

    /// A map.
    pub fn dict(&mut self, dict: &Dict) {
        self.map(dict.0.len(), |map| {
            for (key, value) in &dict.0 {
                map.value(key);
                map.value(value);
            }
        });
    }
}
