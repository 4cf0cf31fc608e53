//! Values to YAML.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::protocol::packet::encode::put;
use crate::protocol::rencodeplus::decimal;

/// The containers that are not complete, outermost first.
#[derive(Debug, Default)]
pub struct Nesting(Vec<Container>);

#[derive(Debug)]
struct Container {
    is_map: bool,
    /// Values in it so far; keys count.
    values: usize,
}

/// Appends YAML values to a buffer, with what separates them.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    nesting: &'a mut Nesting,
}

impl<'a> Writer<'a> {
    /// Goes on with what was written to `out`, which is as deep as `nesting` says.
    pub fn new(out: &'a mut Vec<u8>, nesting: &'a mut Nesting) -> Self {
        Self { out, nesting }
    }

    /// Nothing.
    pub fn null(&mut self) {
        self.scalar("null");
    }

    /// A boolean.
    pub fn bool(&mut self, value: bool) {
        self.scalar(if value { "true" } else { "false" });
    }

    /// An integer.
    pub fn int(&mut self, value: i64) {
        self.separate();
        if value < 0 {
            self.out.push(b'-');
        }
        put(self.out, decimal(value.unsigned_abs(), &mut [0; 20]));
    }

    /// An integer above `i64::MAX`.
    pub fn big(&mut self, value: u64) {
        self.separate();
        put(self.out, decimal(value, &mut [0; 20]));
    }

    /// A number with a fraction. PyYAML wants a point, and a sign in the exponent.
    pub fn float(&mut self, value: f64) {
        if value.is_nan() {
            return self.scalar(".nan");
        }
        if value.is_infinite() {
            return self.scalar(if value > 0.0 { ".inf" } else { "-.inf" });
        }
        let text = format!("{value:?}");
        match text.split_once('e') {
            None => self.scalar(&text),
            Some((mantissa, exponent)) => {
                let point = if mantissa.contains('.') { "" } else { ".0" };
                let sign = if exponent.starts_with('-') { "" } else { "+" };
                self.scalar(&format!("{mantissa}{point}e{sign}{exponent}"));
            }
        }
    }

    /// Text.
    pub fn str(&mut self, value: &str) {
        self.separate();
        self.out.push(b'"');
        for c in value.chars() {
            match c {
                '"' => put(self.out, b"\\\""),
                '\\' => put(self.out, b"\\\\"),
                '\n' => put(self.out, b"\\n"),
                ' '..='~' => self.out.extend(u8::try_from(c)),
                // What YAML calls not printable, and what it takes for the end of a line.
                '\0'..='\u{9f}' => put(self.out, format!("\\x{:02x}", u32::from(c)).as_bytes()),
                '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                    put(self.out, format!("\\u{:04x}", u32::from(c)).as_bytes());
                }
                _ => put(self.out, c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        self.out.push(b'"');
    }

    /// Bytes.
    pub fn bytes(&mut self, value: &[u8]) {
        self.separate();
        put(self.out, b"!!binary \"");
        put(self.out, STANDARD.encode(value).as_bytes());
        self.out.push(b'"');
    }

    /// Opens a list; its values follow, then [`Self::end`].
    pub fn list(&mut self) {
        self.scalar("[");
        self.nesting.0.push(Container { is_map: false, values: 0 });
    }

    /// Opens a map; its keys and values follow, then [`Self::end`].
    pub fn dict(&mut self) {
        self.scalar("{");
        self.nesting.0.push(Container { is_map: true, values: 0 });
    }

    /// Closes a list or a map.
    pub fn end(&mut self) {
        let is_map = self.nesting.0.pop().is_some_and(|container| container.is_map);
        self.out.push(if is_map { b'}' } else { b']' });
    }

    fn scalar(&mut self, text: &str) {
        self.separate();
        put(self.out, text.as_bytes());
    }

    /// What is between the last value and the next one.
    fn separate(&mut self) {
        let Some(container) = self.nesting.0.last_mut() else { return };
        let is_value = container.is_map && container.values % 2 == 1;
        if is_value {
            put(self.out, b": ");
        } else if container.values > 0 {
            put(self.out, b", ");
        }
        container.values += 1;
    }
}
