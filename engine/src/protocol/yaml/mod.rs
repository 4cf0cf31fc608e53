//! YAML packets (Protocol.md §4.3), which Xpra's client in Rust speaks and nothing else: only a
//! server needs them.
//!
//! What is written is JSON as far as JSON goes, on one line, with bytes as `!!binary` and fractions
//! as YAML 1.1 has them: PyYAML and yaml-rust2 both read that. What is read may be in any style, as
//! JSON or as PyYAML writes it, with lists and maps written once and repeated by name.
//!
//! Clients' packets are small, so that they are read by way of owned values, which are put into
//! rencodeplus for everything behind the packet encoder.

mod read;
mod write;

use super::limits::MAX_DEPTH;
use super::packet::Value;
use super::packet::encode::Encoder;
use super::record::Dialect;

pub use read::read;
pub use write::{Nesting, Writer};

/// Largest packet, in bytes: far more than a hello, the largest one that clients send.
pub const MAX_LEN: usize = 1 << 20;
/// Values, and bytes of text in them, that a packet may name in order to repeat them and that it
/// may repeat, all counted together. A hello of Xpra's Python client repeats some lists of names.
pub const MAX_REPEATED: usize = 1 << 16;

/// Why YAML cannot be read as a packet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    #[error("it has {got} bytes, allowed are {MAX_LEN}")]
    TooLarge { got: usize },
    #[error("text is not valid UTF-8")]
    Utf8,
    #[error("line {line}, column {column}: {why}")]
    Syntax { line: usize, column: usize, why: String },
    #[error("it has {got} documents, expected 1")]
    Documents { got: usize },
    #[error("containers are nested more than {MAX_DEPTH} deep")]
    TooDeep,
    #[error("it repeats more than {MAX_REPEATED} values and bytes")]
    TooManyRepeats,
    #[error("a value holds itself")]
    HoldsItself,
    #[error("the tag {got:?} is not allowed")]
    Tag { got: String },
    #[error("an integer does not fit 64 bits")]
    Integer,
    #[error("binary data is not valid base64")]
    Binary,
}

/// The packet `text` in rencodeplus.
///
/// # Errors
/// If it is no YAML, or YAML that goes beyond packets or the limits.
pub fn to_rencodeplus(text: &[u8]) -> Result<Vec<u8>, YamlError> {
    let value: Value = read(text)?;
    let mut packed = Vec::new();
    Encoder::new(Dialect::Modern, &mut packed).value(&value);
    Ok(packed)
}
