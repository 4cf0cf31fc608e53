//! Builds packets in either dialect.

use crate::protocol::record::Dialect;
use crate::protocol::{bencode, rencodeplus};

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
}

impl<'a> Encoder<'a> {
    /// An encoder that appends to `out`.
    pub fn new(dialect: Dialect, out: &'a mut Vec<u8>) -> Self {
        Self { dialect, out }
    }

    fn modern(&mut self) -> Option<rencodeplus::Writer<'_>> {
        (self.dialect == Dialect::Modern).then_some(rencodeplus::Writer(self.out))
    }

    fn legacy(&mut self) -> bencode::Writer<'_> {
        bencode::Writer(self.out)
    }

    /// Nothing. bencode has no null: empty bytes there.
    pub fn null(&mut self) {
        match self.modern() {
            Some(mut writer) => writer.null(),
            None => self.legacy().bytes(&[]),
        }
    }

    /// A boolean; an integer in bencode.
    pub fn bool(&mut self, value: bool) {
        match self.modern() {
            Some(mut writer) => writer.bool(value),
            None => self.legacy().int(i64::from(value)),
        }
    }

    /// An integer.
    pub fn int(&mut self, value: impl Into<i64>) {
        let value = value.into();
        match self.modern() {
            Some(mut writer) => writer.int(value),
            None => self.legacy().int(value),
        }
    }

    /// An unsigned integer.
    pub fn uint(&mut self, value: u64) {
        match (i64::try_from(value), self.modern()) {
            (Ok(value), Some(mut writer)) => writer.int(value),
            (Err(_), Some(mut writer)) => writer.big(value),
            (_, None) => self.legacy().big(value),
        }
    }

    /// A number with a fraction. bencode has none: the integer part there.
    pub fn float(&mut self, value: f64) {
        match self.modern() {
            Some(mut writer) => writer.float(value),
            None => self.legacy().int(value as i64),
        }
    }

    /// Text.
    pub fn str(&mut self, value: &str) {
        match self.modern() {
            Some(mut writer) => writer.str(value),
            None => self.legacy().bytes(value.as_bytes()),
        }
    }

    /// Bytes.
    pub fn bytes(&mut self, value: &[u8]) {
        match self.modern() {
            Some(mut writer) => writer.bytes(value),
            None => self.legacy().bytes(value),
        }
    }

    /// A list of `len` values, which `fill` adds.
    pub fn list(&mut self, len: usize, fill: impl FnOnce(&mut Self)) {
        match self.modern() {
            Some(mut writer) => writer.list(len),
            None => self.legacy().list(),
        }
        fill(self);
        match self.modern() {
            Some(mut writer) => writer.end_list(len),
            None => self.legacy().end(),
        }
    }

    /// A map of `len` keys and values, which `fill` adds.
    pub fn map(&mut self, len: usize, fill: impl FnOnce(&mut Self)) {
        match self.modern() {
            Some(mut writer) => writer.dict(len),
            None => self.legacy().dict(),
        }
        fill(self);
        match self.modern() {
            Some(mut writer) => writer.end_dict(len),
            None => self.legacy().end(),
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
            Value::Bytes(value) => self.bytes(value),
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
