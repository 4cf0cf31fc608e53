//! Header fields (RFC 9204) without a dynamic table, which both sides may leave out (§3.2.3): what a client asks for, and
//! what of the answer matters.

use super::huffman;

/// Fields that are looked at of an answer.
const MAX_FIELDS: usize = 256;
/// Bytes of a name or value that are looked at.
const MAX_STRING: usize = 4096;

/// The static table's entries (RFC 9204 appendix A) for `:status`, and which it is.
const STATUS: [(u64, u16); 14] = [
    (24, 103),
    (25, 200),
    (26, 304),
    (27, 404),
    (28, 503),
    (63, 100),
    (64, 204),
    (65, 206),
    (66, 302),
    (67, 400),
    (68, 403),
    (69, 421),
    (70, 425),
    (71, 500),
];
/// The static table's last entry.
const LAST_STATIC: u64 = 98;

/// What a server answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// `sec-websocket-protocol`.
    pub subprotocol: Option<Vec<u8>>,
}

/// Fields that break the rules, or refer to a table that there is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    #[error("the header fields end in the middle")]
    Cut,
    #[error("the header fields refer to a table that there is not")]
    Table,
    #[error("a header field is longer than {MAX_STRING} bytes, or no text")]
    Text,
    #[error("there are more than {MAX_FIELDS} header fields")]
    Many,
    #[error("there is no valid :status among the header fields")]
    Status,
}

/// The fields of an extended CONNECT (RFC 8441 §4, RFC 9220 §3) for `protocol`; `fields` are further ones.
pub fn connect(protocol: &str, authority: &str, path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    // No dynamic table: Required Insert Count and Base are 0 (§4.5.1). Then `:method: CONNECT`, `:scheme: https`.
    let mut out = vec![0, 0, 0xc0 | 15, 0xc0 | 23];
    // `:authority` and `:path` by the static table's names (§4.5.4).
    out.push(0x50);
    put_string(authority, &mut out);
    out.push(0x51);
    put_string(path, &mut out);
    for (name, value) in [(":protocol", protocol)].iter().chain(fields) {
        // With the name in letters (§4.5.6).
        put_number(0x20, 3, name.len() as u64, &mut out);
        out.extend(name.bytes());
        put_string(value, &mut out);
    }
    out
}

fn put_string(text: &str, out: &mut Vec<u8>) {
    put_number(0, 7, text.len() as u64, out);
    out.extend(text.bytes());
}

/// An integer behind the `bits` lower bits of a byte whose upper ones are `mark` (RFC 7541 §5.1).
fn put_number(mark: u8, bits: u32, value: u64, out: &mut Vec<u8>) {
    let most = (1_u8 << bits) - 1;
    match u8::try_from(value).ok().filter(|value| *value < most) {
        Some(value) => out.push(mark | value),
        None => {
            out.push(mark | most);
            let mut rest = value - u64::from(most);
            while rest >= 0x80 {
                out.push((rest & 0x7f) as u8 | 0x80);
                rest >>= 7;
            }
            out.push(rest as u8);
        }
    }
}

/// Reads the fields of an answer.
///
/// # Errors
/// If they are none, or there is no status among them.
pub fn answer(block: &[u8]) -> Result<Answer, FieldError> {
    let mut from = Reader { rest: block };
    if from.number(8)? != 0 {
        return Err(FieldError::Table);
    }
    from.number(7)?;
    let (mut status, mut subprotocol) = (None, None);
    let mut fields = 0;
    while let Some(first) = from.rest.first() {
        fields += 1;
        if fields > MAX_FIELDS {
            return Err(FieldError::Many);
        }
        match first {
            // A field of the static table.
            0xc0.. => {
                let index = from.index(6)?;
                status = known_status(index).or(status);
            }
            // The name of one.
            0x50..0x60 | 0x70..0x80 => {
                let index = from.index(4)?;
                let value = from.string(7)?;
                if known_status(index).is_some() {
                    status = Some(parsed_status(&value)?);
                }
            }
            0x20..0x40 => {
                let name = from.string(3)?;
                let value = from.string(7)?;
                match name.as_slice() {
                    b":status" => status = Some(parsed_status(&value)?),
                    b"sec-websocket-protocol" => subprotocol = Some(value),
                    _ => {}
                }
            }
            // All others are of the dynamic table.
            _ => return Err(FieldError::Table),
        }
    }
    Ok(Answer { status: status.ok_or(FieldError::Status)?, subprotocol })
}

fn known_status(index: u64) -> Option<u16> {
    STATUS.iter().find(|(known, _)| *known == index).map(|(_, status)| *status)
}

fn parsed_status(value: &[u8]) -> Result<u16, FieldError> {
    let text = std::str::from_utf8(value).ok().filter(|text| text.len() == 3);
    let status = text.and_then(|text| text.parse().ok());
    status.filter(|status| (100..1000).contains(status)).ok_or(FieldError::Status)
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    /// An integer behind the `bits` lower bits of the next byte; the upper ones are dropped.
    fn number(&mut self, bits: u32) -> Result<u64, FieldError> {
        let most = (1_u64 << bits) - 1;
        let mut value = u64::from(self.byte()?) & most;
        if value < most {
            return Ok(value);
        }
        // No length or index here needs more than 28 bits.
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            value += u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(FieldError::Text)
    }

    fn index(&mut self, bits: u32) -> Result<u64, FieldError> {
        self.number(bits)
            .and_then(|index| if index <= LAST_STATIC { Ok(index) } else { Err(FieldError::Table) })
    }

    /// A string whose length has `bits` bits of the next byte, below the one that says whether it is in Huffman's code.
    fn string(&mut self, bits: u32) -> Result<Vec<u8>, FieldError> {
        let is_coded = self.rest.first().is_some_and(|first| first >> bits & 1 == 1);
        let len = usize::try_from(self.number(bits)?).map_err(|_| FieldError::Text)?;
        let (string, rest) = self.rest.split_at_checked(len).ok_or(FieldError::Cut)?;
        self.rest = rest;
        let string = if is_coded {
            huffman::decode(string, MAX_STRING)
        } else {
            (len <= MAX_STRING).then(|| Vec::from(string))
        };
        string.ok_or(FieldError::Text)
    }

    fn byte(&mut self) -> Result<u8, FieldError> {
        let (first, rest) = self.rest.split_first().ok_or(FieldError::Cut)?;
        self.rest = rest;
        Ok(*first)
    }
}
