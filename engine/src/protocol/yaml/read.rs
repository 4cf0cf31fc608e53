//! YAML to values.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};

use crate::protocol::limits::MAX_DEPTH;
use crate::protocol::packet::{Dict, Value};

use super::{MAX_LEN, MAX_REPEATED, YamlError};

/// What YAML's own tags begin with.
const CORE: &str = "tag:yaml.org,2002:";

/// Reads `text`, which must hold one value and nothing else.
///
/// # Errors
/// If it is no YAML, or YAML that goes beyond packets or the limits.
pub fn read(text: &[u8]) -> Result<Value, YamlError> {
    if text.len() > MAX_LEN {
        return Err(YamlError::TooLarge { got: text.len() });
    }
    let text = std::str::from_utf8(text).map_err(|_| YamlError::Utf8)?;
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| syntax(&error))?;
        builder.event(event)?;
    }
    match (builder.documents, builder.done) {
        (1, Some(value)) => Ok(value),
        (got, _) => Err(YamlError::Documents { got }),
    }
}

fn syntax(error: &ScanError) -> YamlError {
    let at = error.marker();
    YamlError::Syntax { line: at.line(), column: at.col() + 1, why: error.info().to_owned() }
}

/// Builds the value that events tell of.
#[derive(Debug, Default)]
struct Builder {
    documents: usize,
    /// The containers that are not complete, outermost first.
    open: Vec<Open>,
    /// The values that have a name, by its number.
    named: BTreeMap<usize, Named>,
    /// What was counted against [`MAX_REPEATED`].
    repeated: usize,
    done: Option<Value>,
}

#[derive(Debug)]
struct Open {
    is_map: bool,
    /// Its number if it has a name, or 0.
    name: usize,
    /// Keys and values of a map, one after the other.
    items: Vec<Value>,
}

#[derive(Debug)]
struct Named {
    value: Value,
    size: Size,
}

impl Builder {
    fn event(&mut self, event: Event<'_>) -> Result<(), YamlError> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) if self.documents > 0 => Err(YamlError::Documents { got: 2 }),
            Event::DocumentStart(_) => {
                self.documents = 1;
                Ok(())
            }
            Event::Scalar(text, style, name, tag) => {
                let value = scalar(&text, style, tag.as_deref())?;
                self.value(value, name)
            }
            Event::SequenceStart(name, tag) => self.open(false, name, tag.as_deref()),
            Event::MappingStart(name, tag) => self.open(true, name, tag.as_deref()),
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(name) => self.repeat(name),
        }
    }

    fn open(&mut self, is_map: bool, name: usize, tag: Option<&Tag>) -> Result<(), YamlError> {
        let own = if is_map { "map" } else { "seq" };
        match tag {
            Some(tag) if tag.handle != CORE || tag.suffix != own => return Err(forbidden(tag)),
            _ => {}
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(YamlError::TooDeep);
        }
        self.open.push(Open { is_map, name, items: Vec::new() });
        Ok(())
    }

    fn close(&mut self) -> Result<(), YamlError> {
        let Some(Open { is_map, name, items }) = self.open.pop() else { return Ok(()) };
        let value = if is_map {
            let mut items = items.into_iter();
            let pairs = std::iter::from_fn(|| Some((items.next()?, items.next()?)));
            Value::Dict(Dict(pairs.collect()))
        } else {
            Value::List(items)
        };
        self.value(value, name)
    }

    /// Takes a value that is complete, and keeps a copy if it has a name.
    fn value(&mut self, value: Value, name: usize) -> Result<(), YamlError> {
        if name > 0 {
            let size = Size::of(&value);
            self.count(size)?;
            self.named.insert(name, Named { value: value.clone(), size });
        }
        self.put(value);
        Ok(())
    }

    fn repeat(&mut self, name: usize) -> Result<(), YamlError> {
        // The parser refuses names that were not given: this one belongs to an open container.
        let size = self.named.get(&name).ok_or(YamlError::HoldsItself)?.size;
        if self.open.len() + size.depth > MAX_DEPTH {
            return Err(YamlError::TooDeep);
        }
        self.count(size)?;
        if let Some(value) = self.named.get(&name).map(|named| named.value.clone()) {
            self.put(value);
        }
        Ok(())
    }

    /// Counts a copy that is about to be made.
    fn count(&mut self, size: Size) -> Result<(), YamlError> {
        self.repeated = self.repeated.saturating_add(size.values_and_bytes);
        if self.repeated > MAX_REPEATED { Err(YamlError::TooManyRepeats) } else { Ok(()) }
    }

    fn put(&mut self, value: Value) {
        match self.open.last_mut() {
            Some(open) => open.items.push(value),
            None => self.done = Some(value),
        }
    }
}

/// What a copy of a value costs.
#[derive(Clone, Copy, Debug)]
struct Size {
    values_and_bytes: usize,
    /// Containers in containers.
    depth: usize,
}

impl Size {
    fn of(value: &Value) -> Self {
        let bytes = |bytes: usize| Self { values_and_bytes: 1 + bytes, depth: 0 };
        match value {
            Value::Str(text) => bytes(text.len()),
            Value::Bytes(data) => bytes(data.len()),
            Value::List(items) => items.iter().fold(Self::EMPTY_CONTAINER, Self::with),
            Value::Dict(Dict(pairs)) => {
                pairs.iter().flat_map(|(key, value)| [key, value]).fold(Self::EMPTY_CONTAINER, Self::with)
            }
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_) => bytes(0),
        }
    }

    const EMPTY_CONTAINER: Self = Self { values_and_bytes: 1, depth: 1 };

    fn with(self, item: &Value) -> Self {
        let item = Self::of(item);
        Self {
            values_and_bytes: self.values_and_bytes + item.values_and_bytes,
            depth: self.depth.max(1 + item.depth),
        }
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, YamlError> {
    match tag {
        None if style == ScalarStyle::Plain => plain(text),
        None => Ok(Value::from(text)),
        Some(tag) if tag.handle != CORE => Err(forbidden(tag)),
        Some(tag) => match tag.suffix.as_str() {
            "str" => Ok(Value::from(text)),
            "null" | "bool" | "int" | "float" => plain(text),
            "binary" => {
                let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
                STANDARD.decode(digits).map(Value::Bytes).map_err(|_| YamlError::Binary)
            }
            _ => Err(forbidden(tag)),
        },
    }
}

fn forbidden(tag: &Tag) -> YamlError {
    YamlError::Tag { got: format!("{}{}", tag.handle, tag.suffix) }
}

/// A value without quotes: what JSON and PyYAML do not write as text.
fn plain(text: &str) -> Result<Value, YamlError> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" => Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Value::Float(f64::NEG_INFINITY),
        _ => return number(text),
    })
}

fn number(text: &str) -> Result<Value, YamlError> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    if !is_number {
        return Ok(Value::from(text));
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let int = text.parse().map(Value::Int);
        return int.or_else(|_| text.parse().map(Value::Big)).map_err(|_| YamlError::Integer);
    }
    // A date, for example, is text; PyYAML alone also has `1e3` as text, where JSON has a number.
    Ok(text.parse().map_or_else(|_| Value::from(text), Value::Float))
}
