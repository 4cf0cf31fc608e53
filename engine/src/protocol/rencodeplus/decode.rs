//! rencodeplus to tape.

use crate::protocol::tape::{Cursor, DecodeError, Node, Tape, TapeBuilder, parse_integer, parse_length};

use super::{
    DICT, DICT_FIXED, END, FALSE, FLOAT32, FLOAT64, INT_NEGATIVE, INT_POSITIVE, INT_TEXT, INT8, INT16, INT32,
    INT64, LIST, LIST_FIXED, NULL, TEXT_FIXED, TRUE,
};

/// Digits of the longest integer in text that fits 64 bits, with its sign.
const MAX_INT_TEXT: usize = 20;
/// Digits of the longest string length, and its mark.
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
    let code = input.byte()?;
    let offset = |range: std::ops::RangeInclusive<u8>| u32::from(code - range.start());
    match code {
        _ if INT_POSITIVE.contains(&code) => output.scalar(Node::Int(i64::from(code))),
        _ if INT_NEGATIVE.contains(&code) => output.scalar(Node::Int(-1 - i64::from(offset(INT_NEGATIVE)))),
        _ if TEXT_FIXED.contains(&code) => text(input, output, offset(TEXT_FIXED) as usize),
        _ if LIST_FIXED.contains(&code) => output.list(Some(offset(LIST_FIXED))),
        _ if DICT_FIXED.contains(&code) => output.dict(Some(offset(DICT_FIXED))),
        b'0'..=b'9' => long_string(code, input, output),
        TRUE => output.scalar(Node::Bool(true)),
        FALSE => output.scalar(Node::Bool(false)),
        NULL => output.scalar(Node::Null),
        INT8 => output.scalar(Node::Int(i64::from(i8::from_be_bytes(input.array()?)))),
        INT16 => output.scalar(Node::Int(i64::from(i16::from_be_bytes(input.array()?)))),
        INT32 => output.scalar(Node::Int(i64::from(i32::from_be_bytes(input.array()?)))),
        INT64 => output.scalar(Node::Int(i64::from_be_bytes(input.array()?))),
        INT_TEXT => output.scalar(parse_integer(input.until(END, MAX_INT_TEXT)?)?),
        FLOAT32 => output.scalar(Node::Float(f64::from(f32::from_be_bytes(input.array()?)))),
        FLOAT64 => output.scalar(Node::Float(f64::from_be_bytes(input.array()?))),
        LIST => output.list(None),
        DICT => output.dict(None),
        END => output.close(),
        code => Err(DecodeError::TypeCode { code }),
    }
}

/// A string whose length is in decimal, of which `first` is the first digit: text after `:`,
/// bytes after `/`.
fn long_string(first: u8, input: &mut Cursor<'_>, output: &mut TapeBuilder<'_>) -> Result<(), DecodeError> {
    let mut digits = [first; MAX_LENGTH_TEXT];
    let mut len = 1;
    let mark = loop {
        match input.byte()? {
            digit @ b'0'..=b'9' => *digits.get_mut(len).ok_or(DecodeError::Length)? = digit,
            mark => break mark,
        }
        len += 1;
    };
    let bytes = parse_length(digits.get(..len).unwrap_or_default())?;
    match mark {
        b':' => text(input, output, bytes),
        b'/' => {
            let start = input.position();
            input.take(bytes)?;
            output.span(start, bytes, false)
        }
        _ => Err(DecodeError::Length),
    }
}

fn text(input: &mut Cursor<'_>, output: &mut TapeBuilder<'_>, len: usize) -> Result<(), DecodeError> {
    let start = input.position();
    std::str::from_utf8(input.take(len)?).map_err(|_| DecodeError::Utf8)?;
    output.span(start, len, true)
}
