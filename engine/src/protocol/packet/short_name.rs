//! Words of the peer that are short by nature, kept without a heap allocation each.

use std::fmt;
use std::ops::Deref;

/// A word of at most [`ShortName::MAX_LEN`] bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShortName {
    len: u8,
    /// Zeros behind the word.
    bytes: [u8; Self::MAX_LEN],
}

impl ShortName {
    /// Bytes at most.
    pub const MAX_LEN: usize = 15;

    /// The word, or `None` if it is too long.
    pub fn new(word: &str) -> Option<Self> {
        let mut bytes = [0; Self::MAX_LEN];
        bytes.iter_mut().zip(word.as_bytes()).for_each(|(to, from)| *to = *from);
        let len = u8::try_from(word.len()).ok().filter(|len| usize::from(*len) <= Self::MAX_LEN)?;
        Some(Self { len, bytes })
    }
}

impl Deref for ShortName {
    type Target = str;
    fn deref(&self) -> &str {
        // It was made of a whole `str`.
        self.bytes
            .get(..usize::from(self.len))
            .and_then(|bytes| str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }
}

impl fmt::Debug for ShortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
