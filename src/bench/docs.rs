//! Tables that a command writes into a document.

use std::io;
use std::path::Path;

/// `document` with `tables` between the markers of `command`, which are lines with `<!-- begin: COMMAND -->`
/// and `<!-- end: COMMAND -->`; `None` if it lacks them.
pub fn insert(document: &str, command: &str, tables: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- begin: {command} -->\n"), format!("<!-- end: {command} -->"));
    let (before, rest) = document.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{tables}\n{end}{after}"))
}

/// Does so in a file.
///
/// # Errors
/// If the file cannot be read or written, or lacks the markers.
pub fn write(file: &Path, command: &str, tables: &str) -> io::Result<()> {
    let document = std::fs::read_to_string(file)?;
    let missing = || io::Error::other(format!("it has no markers for the tables of '{command}'"));
    std::fs::write(file, insert(&document, command, tables).ok_or_else(missing)?)
}
