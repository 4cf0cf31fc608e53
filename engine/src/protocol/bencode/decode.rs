//! bencode to tape.

use crate::protocol::tape::{Cursor, DecodeError, Tape, TapeBuilder, parse_integer, parse_length};

/// Digits of the longest integer that fits 64 bits, with its sign.
const MAX_INT_TEXT: usize = 20;
/// Digits of the longest string length.
const MAX_LENGTH_TEXT: usize = 10;

/// Decodes `payload`, which must hold one value and nothing else, onto `tape`.
///
/// # Errors
/// If it holds anything else, or more than the tape takes.
pub fn decode(payload: &[u8], tape: &mut Tape) -> Result<(), DecodeError> {
    let mut input = Cursor::new(payload);
    let mut output = TapeBuilder::new(tape);
    while !output.is_complete() {
        decode_one(&mut input, &mut output)?;
    }
    input.finish()
}

fn decode_one(input: &mut Cursor<'_>, output: &mut TapeBuilder<'_>) -> Result<(), DecodeError> {
    match input.byte()? {
        b'i' => output.scalar(integer(input.until(b'e', MAX_INT_TEXT)?)?),
        b'l' => output.list(None),
        b'd' => output.dict(None),
        b'e' => output.close(),
        b'u' => {
            let len = parse_length(input.until(b':', MAX_LENGTH_TEXT)?)?;
            let start = input.position();
            std::str::from_utf8(input.take(len)?).map_err(|_| DecodeError::Utf8)?;
            output.span(start, len, true)
        }
        first @ b'0'..=b'9' => {
            let mut digits = [first; MAX_LENGTH_TEXT + 1];
            let rest = input.until(b':', MAX_LENGTH_TEXT)?;
            for (to, from) in digits.iter_mut().skip(1).zip(rest) {
                *to = *from;
            }
            let len = parse_length(digits.get(..=rest.len()).unwrap_or_default())?;
            let start = input.position();
            input.take(len)?;
            output.span(start, len, false)
        }
        code => Err(DecodeError::TypeCode { code }),
    }
}

/// No leading zeros and no minus zero, as the reference has it.
fn integer(text: &[u8]) -> Result<crate::protocol::tape::Node, DecodeError> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let negative = digits.len() != text.len();
    if digits.first() == Some(&b'0') && (negative || digits.len() > 1) {
        return Err(DecodeError::Integer);
    }
    parse_integer(text)
}
