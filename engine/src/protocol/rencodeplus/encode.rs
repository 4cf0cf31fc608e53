//! Values to rencodeplus, as the reference implementation chooses among the forms.

use crate::protocol::packet::encode::put;

use super::{
    DICT, DICT_FIXED, END, FALSE, FLOAT64, INT_NEGATIVE, INT_POSITIVE, INT_TEXT, INT8, INT16, INT32, INT64,
    LIST, LIST_FIXED, NULL, TEXT_FIXED, TRUE,
};

/// Appends rencodeplus values to a buffer.
#[derive(Debug)]
pub struct Writer<'a>(pub &'a mut Vec<u8>);

impl Writer<'_> {
    /// `None` of Python.
    pub fn null(&mut self) {
        self.0.push(NULL);
    }

    /// A boolean.
    pub fn bool(&mut self, value: bool) {
        self.0.push(if value { TRUE } else { FALSE });
    }

    /// An integer, in the shortest form.
    pub fn int(&mut self, value: i64) {
        match (u8::try_from(value), u8::try_from(-1 - value.max(-64))) {
            (Ok(small), _) if INT_POSITIVE.contains(&small) => self.0.push(small),
            (_, Ok(small)) if small <= INT_NEGATIVE.end() - INT_NEGATIVE.start() => {
                self.0.push(INT_NEGATIVE.start() + small);
            }
            _ => self.wide_int(value),
        }
    }

    fn wide_int(&mut self, value: i64) {
        if let Ok(value) = i8::try_from(value) {
            self.0.push(INT8);
            put(self.0, &value.to_be_bytes());
        } else if let Ok(value) = i16::try_from(value) {
            self.0.push(INT16);
            put(self.0, &value.to_be_bytes());
        } else if let Ok(value) = i32::try_from(value) {
            self.0.push(INT32);
            put(self.0, &value.to_be_bytes());
        } else {
            self.0.push(INT64);
            put(self.0, &value.to_be_bytes());
        }
    }

    /// An integer above `i64::MAX`.
    pub fn big(&mut self, value: u64) {
        self.0.push(INT_TEXT);
        put(self.0, value.to_string().as_bytes());
        self.0.push(END);
    }

    /// A number with a fraction.
    pub fn float(&mut self, value: f64) {
        self.0.push(FLOAT64);
        put(self.0, &value.to_be_bytes());
    }

    /// Text.
    pub fn str(&mut self, value: &str) {
        match fixed(TEXT_FIXED, value.len()) {
            Some(code) => self.0.push(code),
            None => self.length(value.len(), b':'),
        }
        put(self.0, value.as_bytes());
    }

    /// Bytes.
    pub fn bytes(&mut self, value: &[u8]) {
        self.length(value.len(), b'/');
        put(self.0, value);
    }

    fn length(&mut self, len: usize, mark: u8) {
        let mut digits = [0; 20];
        put(self.0, decimal(len as u64, &mut digits));
        self.0.push(mark);
    }

    /// Opens a list of `len` values; they follow, then [`Self::end_list`].
    pub fn list(&mut self, len: usize) {
        self.0.push(fixed(LIST_FIXED, len).unwrap_or(LIST));
    }

    /// Closes a list of `len` values.
    pub fn end_list(&mut self, len: usize) {
        if fixed(LIST_FIXED, len).is_none() {
            self.0.push(END);
        }
    }

    /// Opens a dictionary of `len` pairs; they follow, then [`Self::end_dict`].
    pub fn dict(&mut self, len: usize) {
        self.0.push(fixed(DICT_FIXED, len).unwrap_or(DICT));
    }

    /// Closes a dictionary of `len` pairs.
    pub fn end_dict(&mut self, len: usize) {
        if fixed(DICT_FIXED, len).is_none() {
            self.0.push(END);
        }
    }
}

/// The code in `range` that says `len`, if there is one.
fn fixed(range: std::ops::RangeInclusive<u8>, len: usize) -> Option<u8> {
    let code = range.start().checked_add(u8::try_from(len).ok()?)?;
    range.contains(&code).then_some(code)
}

/// `value` in decimal, without allocating.
pub fn decimal(mut value: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut start = digits.len();
    for digit in digits.iter_mut().rev() {
        start -= 1;
        *digit = b'0' + u8::try_from(value % 10).unwrap_or_default();
        value /= 10;
        if value == 0 {
            break;
        }
    }
    digits.get(start..).unwrap_or_default()
}
