//! Files that may hold passwords: read without leaving copies behind, written for their owner alone.

use std::io::{self, Read, Write};
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

/// Writes a file that only its owner can read, beside its place and then into it.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    // Left by a process of this number that was killed.
    let _ = std::fs::remove_file(&beside);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let moved = written.and_then(|()| std::fs::rename(&beside, path));
    if moved.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    moved
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
