//! rencodeplus and bencode against vectors of the reference implementations, and against themselves.

use farpane::protocol::limits::MAX_NODES;
use farpane::protocol::packet::encode::Encoder;
use farpane::protocol::packet::{Dict, Value};
use farpane::protocol::tape::{DecodeError, Tape};
use farpane::protocol::{Dialect, bencode, rencodeplus};
use proptest::prelude::*;

fn encode(dialect: Dialect, value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    Encoder::new(dialect, &mut out).value(value);
    out
}

fn decode(dialect: Dialect, bytes: &[u8]) -> Result<Value, DecodeError> {
    let mut tape = Tape::default();
    match dialect {
        Dialect::Modern => rencodeplus::decode(bytes, &mut tape)?,
        Dialect::Legacy31 => bencode::decode(bytes, &mut tape)?,
        Dialect::Yaml => unreachable!("it has no tape of its own"),
    }
    Ok(tape.value(0, bytes))
}

/// A value as `tests/golden/make.py` writes it.
pub fn golden_value(json: &serde_json::Value) -> Value {
    let (kind, content) = json.as_object().expect("an object").iter().next().expect("one entry");
    let list = || content.as_array().expect("a list").iter();
    match kind.as_str() {
        "n" => Value::Null,
        "t" => Value::Bool(content.as_bool().expect("a boolean")),
        "i" => {
            let text = content.as_str().expect("an integer as text");
            text.parse().map(Value::Int).or_else(|_| text.parse().map(Value::Big)).expect("64 bits")
        }
        "f" => Value::Float(content.as_f64().expect("a float")),
        "s" => Value::from(content.as_str().expect("text")),
        "b" => Value::Bytes(unhex(content.as_str().expect("hexadecimal"))),
        "l" => Value::List(list().map(golden_value).collect()),
        "d" => {
            Value::Dict(Dict(list().map(|pair| (golden_value(&pair[0]), golden_value(&pair[1]))).collect()))
        }
        other => panic!("unknown kind {other:?}"),
    }
}

pub fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("ASCII"));
    digits.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal")).collect()
}

#[track_caller]
fn check_golden(dialect: Dialect, file: &str, made_by: &str, at_least: usize) {
    let json: serde_json::Value = serde_json::from_str(file).expect("JSON");
    assert_eq!(json["made_by"], made_by);
    let vectors = json["vectors"].as_array().expect("vectors");
    assert!(vectors.len() >= at_least, "only {} vectors", vectors.len());
    for vector in vectors {
        let bytes = unhex(vector["hex"].as_str().expect("hexadecimal"));
        let value = golden_value(&vector["value"]);
        assert_eq!(decode(dialect, &bytes), Ok(value.clone()));
        assert_eq!(encode(dialect, &value), bytes, "{value:?}");
        for len in 0..bytes.len() {
            decode(dialect, &bytes[..len]).expect_err("a part is no value");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(decode(dialect, &longer), Err(DecodeError::Trailing { extra: 1 }));
    }
}

#[test]
fn rencodeplus_agrees_with_the_reference() {
    let file = include_str!("../../golden/rencodeplus.json");
    check_golden(Dialect::Modern, file, "xpra 6.5.5, rencodeplus", 140);
}

#[test]
fn bencode_agrees_with_the_reference() {
    let file = include_str!("../../golden/bencode.json");
    check_golden(Dialect::Legacy31, file, "xpra 3.1.3, bencode", 110);
}

/// Forms that the reference decodes although it writes others.
#[test]
fn rencodeplus_reads_forms_that_are_not_written() {
    let cases: [(&[u8], Value); 6] = [
        (&[66, 0x3f, 0xc0, 0, 0], Value::Float(1.5)),
        (&[59, 1, 2, 127], Value::List(vec![Value::Int(1), Value::Int(2)])),
        (&[60, 1, 2, 127], Value::Dict(Dict(vec![(Value::Int(1), Value::Int(2))]))),
        (&[61, b'-', b'7', 127], Value::Int(-7)),
        (&[65, 0, 0, 0, 0, 0, 0, 0, 5], Value::Int(5)),
        (b"1:x", Value::from("x")),
    ];
    for (bytes, value) in cases {
        assert_eq!(decode(Dialect::Modern, bytes), Ok(value));
    }
}

#[test]
fn bencode_reads_text_with_a_mark() {
    assert_eq!(decode(Dialect::Legacy31, "u2:é".as_bytes()), Ok(Value::from("é")));
}

#[test]
fn damaged_values_are_refused_for_what_they_are() {
    let deep = |open: &[u8]| open.repeat(40);
    let cases: [(Dialect, Vec<u8>, DecodeError); 19] = [
        (Dialect::Modern, vec![45], DecodeError::TypeCode { code: 45 }),
        (Dialect::Modern, vec![58], DecodeError::TypeCode { code: 58 }),
        (Dialect::Modern, vec![127], DecodeError::Unbalanced),
        (Dialect::Modern, vec![60, 1, 127], DecodeError::Unbalanced),
        (Dialect::Modern, vec![194, 1, 127], DecodeError::Unbalanced),
        (Dialect::Modern, vec![130, 0xff, 0xff], DecodeError::Utf8),
        (Dialect::Modern, b"01:x".to_vec(), DecodeError::Length),
        (Dialect::Modern, b"1;x".to_vec(), DecodeError::Length),
        (Dialect::Modern, b"99999999999/x".to_vec(), DecodeError::Length),
        (Dialect::Modern, b"9999999999/x".to_vec(), DecodeError::Truncated),
        (Dialect::Modern, [&[61][..], b"18446744073709551616", &[127]].concat(), DecodeError::Integer),
        (Dialect::Modern, [&[61][..], &b"1".repeat(50), &[127]].concat(), DecodeError::Integer),
        (Dialect::Modern, deep(&[193]), DecodeError::TooDeep),
        (Dialect::Modern, deep(&[59]), DecodeError::TooDeep),
        (Dialect::Legacy31, b"i01e".to_vec(), DecodeError::Integer),
        (Dialect::Legacy31, b"i-0e".to_vec(), DecodeError::Integer),
        (Dialect::Legacy31, b"d1:ae".to_vec(), DecodeError::Unbalanced),
        (Dialect::Legacy31, b"x".to_vec(), DecodeError::TypeCode { code: b'x' }),
        (Dialect::Legacy31, deep(b"l"), DecodeError::TooDeep),
    ];
    for (dialect, bytes, error) in cases {
        assert_eq!(decode(dialect, &bytes), Err(error), "{bytes:?}");
    }
}

#[test]
fn a_packet_has_a_bounded_number_of_values() {
    let mut bytes = vec![1; MAX_NODES];
    bytes[0] = 59;
    bytes.push(127);
    assert!(decode(Dialect::Modern, &bytes).is_ok());
    bytes.insert(1, 1);
    assert_eq!(decode(Dialect::Modern, &bytes), Err(DecodeError::TooMany));
}

pub fn any_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<i16>().prop_map(|int| Value::Int(i64::from(int))),
        (i64::MAX as u64 + 1..).prop_map(Value::Big),
        any::<f64>().prop_filter("equal to itself", |float| !float.is_nan()).prop_map(Value::Float),
        ".{0,80}".prop_map(Value::Str),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Value::Bytes),
    ];
    scalar.prop_recursive(6, 200, 70, |inner| {
        let pairs = prop::collection::vec((inner.clone(), inner.clone()), 0..30);
        prop_oneof![
            prop::collection::vec(inner, 0..70).prop_map(Value::List),
            pairs.prop_map(|pairs| Value::Dict(Dict(pairs))),
        ]
    })
}

/// What is left of a value after bencode, which knows fewer types.
fn bencoded(value: Value) -> Value {
    match value {
        Value::Null => Value::Bytes(Vec::new()),
        Value::Bool(value) => Value::Int(i64::from(value)),
        Value::Float(value) => Value::Int(value as i64),
        Value::Str(text) => Value::Bytes(text.into_bytes()),
        Value::List(items) => Value::List(items.into_iter().map(bencoded).collect()),
        Value::Dict(Dict(pairs)) => Value::Dict(Dict(
            pairs.into_iter().map(|(key, value)| (bencoded(key), bencoded(value))).collect(),
        )),
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_encoded_is_decoded(value in any_value()) {
        let modern = encode(Dialect::Modern, &value);
        prop_assert_eq!(decode(Dialect::Modern, &modern), Ok(value.clone()));
        let legacy = encode(Dialect::Legacy31, &value);
        prop_assert_eq!(decode(Dialect::Legacy31, &legacy), Ok(bencoded(value)));
    }
}
