//! Dynamic values, for the maps that the protocol leaves open and for building packets.

/// One value of the packet data model (Protocol.md §2). bencode knows neither strings apart from
/// bytes nor booleans apart from integers: the accessors bridge that.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer above `i64::MAX`.
    Big(u64),
    Float(f64),
    Str(String),
    Bytes(Vec<u8>),
    List(Vec<Value>),
    Dict(Dict),
}

/// A dictionary in wire order. Look-ups accept keys sent as strings or as bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dict(pub Vec<(Value, Value)>);

impl Value {
    /// The text of a string, or of bytes that are UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(s) => Some(s),
            Self::Bytes(b) => std::str::from_utf8(b).ok(),
            _ => None,
        }
    }

    /// The bytes of a byte string or a string.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Str(s) => Some(s.as_bytes()),
            Self::Bytes(b) => Some(b),
            _ => None,
        }
    }

    /// An integer, or a boolean as 0 or 1.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(i) => Some(*i),
            Self::Bool(b) => Some(i64::from(*b)),
            _ => None,
        }
    }

    /// A boolean, or an integer as "not zero".
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            Self::Int(i) => Some(*i != 0),
            _ => None,
        }
    }

    /// The items of a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The dictionary.
    pub fn as_dict(&self) -> Option<&Dict> {
        match self {
            Self::Dict(dict) => Some(dict),
            _ => None,
        }
    }
}

impl Dict {
    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(k, _)| k.as_str() == Some(key)).map(|(_, v)| v)
    }

    /// The value of `key`, which may be flattened (`"encoding.rgb_formats"`, as 3.1 sends it) or
    /// nested (`{"encoding": {"rgb_formats": …}}`, as 6.x does).
    pub fn get_path(&self, path: &str) -> Option<&Value> {
        if let Some(value) = self.get(path) {
            return Some(value);
        }
        path.match_indices('.').find_map(|(dot, _)| {
            let (outer, rest) = path.split_at_checked(dot)?;
            self.get(outer)?.as_dict()?.get_path(rest.strip_prefix('.')?)
        })
    }

    /// The text at `path`.
    pub fn str(&self, path: &str) -> Option<&str> {
        self.get_path(path).and_then(Value::as_str)
    }

    /// The integer at `path`.
    pub fn int(&self, path: &str) -> Option<i64> {
        self.get_path(path).and_then(Value::as_i64)
    }

    /// The boolean at `path`.
    pub fn bool(&self, path: &str) -> Option<bool> {
        self.get_path(path).and_then(Value::as_bool)
    }

    /// The list of texts at `path`; items that are no text are left out.
    pub fn strs(&self, path: &str) -> Option<Vec<&str>> {
        Some(self.get_path(path)?.as_list()?.iter().filter_map(Value::as_str).collect())
    }

    /// Appends an entry.
    pub fn push(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        self.0.push((Value::from(key), value.into()));
        self
    }
}

macro_rules! value_from {
    ($($from:ty => |$v:ident| $make:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($v: $from) -> Self {
                $make
            }
        }
    )*};
}

value_from! {
    bool => |v| Self::Bool(v);
    i32 => |v| Self::Int(i64::from(v));
    u16 => |v| Self::Int(i64::from(v));
    u32 => |v| Self::Int(i64::from(v));
    i64 => |v| Self::Int(v);
    u64 => |v| i64::try_from(v).map_or(Self::Big(v), Self::Int);
    f64 => |v| Self::Float(v);
    &str => |v| Self::Str(v.to_owned());
    String => |v| Self::Str(v);
    Vec<u8> => |v| Self::Bytes(v);
    Vec<Value> => |v| Self::List(v);
    Dict => |v| Self::Dict(v);
}

impl From<&[&str]> for Value {
    fn from(items: &[&str]) -> Self {
        Self::List(items.iter().map(|s| Self::from(*s)).collect())
    }
}
