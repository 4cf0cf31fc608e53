//! Values to bencode.

use crate::protocol::packet::encode::put;
use crate::protocol::rencodeplus::decimal;

/// Appends bencode values to a buffer.
#[derive(Debug)]
pub struct Writer<'a>(pub &'a mut Vec<u8>);

impl Writer<'_> {
    /// An integer.
    pub fn int(&mut self, value: i64) {
        self.0.push(b'i');
        if value < 0 {
            self.0.push(b'-');
        }
        self.digits(value.unsigned_abs());
        self.0.push(b'e');
    }

    /// An integer above `i64::MAX`.
    pub fn big(&mut self, value: u64) {
        self.0.push(b'i');
        self.digits(value);
        self.0.push(b'e');
    }

    /// Bytes, or text as UTF-8.
    pub fn bytes(&mut self, value: &[u8]) {
        self.digits(value.len() as u64);
        self.0.push(b':');
        put(self.0, value);
    }

    /// Opens a list; its values follow, then [`Self::end`].
    pub fn list(&mut self) {
        self.0.push(b'l');
    }

    /// Opens a dictionary; its pairs follow, then [`Self::end`].
    pub fn dict(&mut self) {
        self.0.push(b'd');
    }

    /// Closes a list or a dictionary.
    pub fn end(&mut self) {
        self.0.push(b'e');
    }

    fn digits(&mut self, value: u64) {
        put(self.0, decimal(value, &mut [0; 20]));
    }
}
