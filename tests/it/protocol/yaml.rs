//! YAML packets against PyYAML's, against themselves, and hostile ones.

use farpane::protocol::packet::encode::Encoder;
use farpane::protocol::packet::{Dict, Value};
use farpane::protocol::tape::Tape;
use farpane::protocol::yaml::{MAX_LEN, YamlError, read, to_rencodeplus};
use farpane::protocol::{Dialect, rencodeplus};
use proptest::prelude::*;

use super::encoders::{any_value, golden_value, unhex};

fn written(value: &Value) -> String {
    let mut out = Vec::new();
    Encoder::new(Dialect::Yaml, &mut out).value(value);
    String::from_utf8(out).expect("UTF-8")
}

/// What is left of a value that is written: bytes that are text become text.
fn with_text(value: Value) -> Value {
    match value {
        Value::Bytes(bytes) => {
            String::from_utf8(bytes).map_or_else(|error| Value::Bytes(error.into_bytes()), Value::Str)
        }
        Value::List(items) => Value::List(items.into_iter().map(with_text).collect()),
        Value::Dict(Dict(pairs)) => {
            let key = |key| match key {
                // Keys have to be short in YAML; no packet has containers there.
                Value::List(_) | Value::Dict(_) => Value::Null,
                other => with_text(other),
            };
            Value::Dict(Dict(pairs.into_iter().map(|(k, v)| (key(k), with_text(v))).collect()))
        }
        other => other,
    }
}

#[test]
fn what_pyyaml_writes_is_read_and_it_reads_what_is_written() {
    let file = include_str!("../../golden/yaml.json");
    let json: serde_json::Value = serde_json::from_str(file).expect("JSON");
    assert!(json["made_by"].as_str().expect("a name").starts_with("PyYAML 6."));
    let vectors = json["vectors"].as_array().expect("vectors");
    assert!(vectors.len() >= 100, "only {} vectors", vectors.len());
    let mut repeating = 0;
    for vector in vectors {
        let text = unhex(vector["hex"].as_str().expect("hexadecimal"));
        let line = vector["line"].as_str().expect("text");
        let value = golden_value(&vector["value"]);
        assert_eq!(read(&text), Ok(value.clone()), "{}", String::from_utf8_lossy(&text));
        assert_eq!(read(line.as_bytes()), Ok(value.clone()), "{line}");
        assert_eq!(written(&value), line);
        repeating += usize::from(text.windows(6).any(|part| part == b"*id001"));
    }
    assert_eq!(repeating, 1, "vectors that give a value once and repeat it by name");
}

#[test]
fn values_that_other_writers_make_are_read() {
    let list = |items: &[&str]| Value::from(items);
    let cases: [(&str, Value); 10] = [
        // As the client in Rust sends them.
        (r#"["window-focus",1]"#, Value::List(vec!["window-focus".into(), 1.into()])),
        (
            r#"{"a":true,"b":null,"c":-1.5e3}"#,
            Value::Dict(Dict(vec![
                ("a".into(), true.into()),
                ("b".into(), Value::Null),
                ("c".into(), Value::Float(-1500.0)),
            ])),
        ),
        (r#""\u00e9 \/ \ud83d""#, Value::Null),
        ("---\n- a\n- b\n...\n", list(&["a", "b"])),
        ("[a, b, ]", list(&["a", "b"])),
        ("!!str 1", "1".into()),
        ("!!seq [!!str a]", list(&["a"])),
        ("-.inf", Value::Float(f64::NEG_INFINITY)),
        ("!!binary |\n  AP8A\n  /w==\n", Value::Bytes(vec![0, 255, 0, 255])),
        ("1-2-3", "1-2-3".into()),
    ];
    for (text, value) in cases {
        if value == Value::Null {
            assert!(matches!(read(text.as_bytes()), Err(YamlError::Syntax { .. })), "{text}");
        } else {
            assert_eq!(read(text.as_bytes()), Ok(value), "{text}");
        }
    }
    assert!(matches!(read(b".nan"), Ok(Value::Float(float)) if float.is_nan()));
}

#[test]
fn what_a_value_alone_does_not_say_is_written() {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(Dialect::Yaml, &mut out);
    encoder.list(6, |list| {
        list.bytes(b"");
        list.bytes(b"pixels");
        list.value(&Value::Bytes(b"a title".into()));
        list.value(&Value::Bytes(vec![0xff]));
        list.float(f64::NAN);
        list.float(f64::NEG_INFINITY);
    });
    let expected = r#"[!!binary "", !!binary "cGl4ZWxz", "a title", !!binary "/w==", .nan, -.inf]"#;
    assert_eq!(String::from_utf8(out).expect("UTF-8"), expected);
}

#[test]
fn hostile_yaml_is_refused_for_what_it_is() {
    let tag = |got: &str| YamlError::Tag { got: got.to_owned() };
    // Nine lists, each of ten of the one before: a thousand million texts.
    let laughs: String = (1..10)
        .map(|level| format!("- &l{level} [{}]\n", vec![format!("*l{}", level - 1); 10].join(", ")))
        .collect();
    let named_often = format!("- {}{}\n", "&a [".repeat(20), "x".repeat(4000)) + &"]".repeat(20);
    let deeper =
        "- &a [[[[[[[[[[1]]]]]]]]]]\n- &b [[[[[[[[[[*a]]]]]]]]]]\n- &c [[[[[[[[[[*b]]]]]]]]]]\n- [[*c]]";
    let cases: [(String, YamlError); 16] = [
        ("x".repeat(MAX_LEN + 1), YamlError::TooLarge { got: MAX_LEN + 1 }),
        (String::new(), YamlError::Documents { got: 0 }),
        ("--- 1\n--- 2\n".into(), YamlError::Documents { got: 2 }),
        ("[".repeat(33), YamlError::TooDeep),
        ("- ".repeat(33), YamlError::TooDeep),
        ("{a: ".repeat(33), YamlError::TooDeep),
        (deeper.into(), YamlError::TooDeep),
        (format!("- &l0 lol\n{laughs}"), YamlError::TooManyRepeats),
        (named_often, YamlError::TooManyRepeats),
        ("&a [*a]".into(), YamlError::HoldsItself),
        (
            "!!python/object/apply:os.system [ls]".into(),
            tag("tag:yaml.org,2002:python/object/apply:os.system"),
        ),
        ("!mine 1".into(), tag("!mine")),
        ("!!set {a, b}".into(), tag("tag:yaml.org,2002:set")),
        ("18446744073709551616".into(), YamlError::Integer),
        ("!!binary \"a\"".into(), YamlError::Binary),
        ("!!timestamp 2026-11-23".into(), tag("tag:yaml.org,2002:timestamp")),
    ];
    for (text, error) in cases {
        assert_eq!(read(text.as_bytes()), Err(error), "{}", &text[..text.len().min(300)]);
    }
    assert_eq!(read(b"\"\xff\""), Err(YamlError::Utf8));
    for text in ["[1, 2", "{a: 1]", "*unknown", "\"open", "a: b: c", "%YAML 9", "[1]]"] {
        let error = read(text.as_bytes()).expect_err(text);
        assert!(matches!(error, YamlError::Syntax { line: 1.., .. }), "{text}: {error:?}");
    }
}

/// The largest packets of all kinds of marks, any of which a slow parser may read again and again.
#[test]
fn large_packets_end() {
    for part in [
        "[", "]", "{", "a: ", "- ", "? ", "&a ", "*a ", "!a ", "# ", "\"", "'", "a,", "|\n", "\n", " x", "\\",
    ] {
        for start in ["", "[", "{", "- ", "\"", "a: "] {
            let text = format!("{start}{}", part.repeat((MAX_LEN - start.len()) / part.len()));
            if let Ok(value) = read(text.as_bytes()) {
                assert_ne!(value, Value::Bool(true), "{start}{part}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_written_is_read(value in any_value()) {
        let value = with_text(value);
        let text = written(&value);
        prop_assert!(!text.contains('\n'));
        prop_assert_eq!(read(text.as_bytes()), Ok(value.clone()));
        let packed = to_rencodeplus(text.as_bytes()).expect("a value");
        let mut tape = Tape::default();
        rencodeplus::decode(&packed, &mut tape).expect("a value");
        prop_assert_eq!(tape.value(0, &packed), value);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[-a1:,\\[\\]{}&*!|>'\"#?%~. \n\t]{0,60}") {
        farpane::fuzzing::packet(text.as_bytes());
    }
}
