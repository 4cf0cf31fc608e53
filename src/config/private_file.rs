//! Files that may hold passwords, read without leaving copies behind.

use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

/// Reads a text file of at most `limit` bytes, which may hold a password: no copy is left behind.
pub(super) fn read_bounded(path: &Path, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = std::fs::File::open(path)?;
    // Room for all of it: a vector that grows leaves what it held where it was.
    let expected = file.metadata()?.len().min(limit);
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(expected).unwrap_or_default() + 1));
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|bytes| bytes <= limit) {
        return Ok(bytes);
    }
    Err(io::Error::other(format!("it is too large: expected at most {limit} bytes")))
}

/// Reads a text file of at most `limit` bytes in UTF-8.
pub(super) fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    let bytes = read_bounded(path, limit)?;
    std::str::from_utf8(&bytes).map(str::to_owned).map_err(|_| io::Error::other("it is not UTF-8"))
}

/// The text of a file in UTF-16, as some editors write it, if its byte order mark says so.
pub(super) fn utf16(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let unit: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let (pairs, _) = bytes.as_chunks();
    let characters = char::decode_utf16(pairs.iter().map(|pair| unit(*pair)));
    // Two bytes make at most three of UTF-8.
    let mut text = Zeroizing::new(String::with_capacity(pairs.len() * 3));
    text.extend(characters.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)));
    Some(text)
}
