//! HTTP/3's bytes: against those that aioquic's encoder (pylsqpack) makes, and against nonsense.

use farpane::net::quic::frame::{FrameHeader, put_varint, setting, varint};
use farpane::net::quic::qpack::{Answer, FieldError, answer, connect};
use proptest::prelude::*;

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hex")).collect()
}

/// All that can be printed, in Huffman's code.
const PRINTABLE: &str = "dd53f8fe7febff2afc7fafebfbf9ff7f4b2ec002265a6dc75e7ee7dfffc83feffcffd4376f5fc187163c997367d1a756bd9b776\
    fe1c797e73fdffdffff0ffe7ff917ffd1c6490b2cd39ba75a29a8f5f6b109b7bf8f3ebdfffeff9ffefff7";

#[test]
fn answers_as_aioquic_writes_them() {
    let accepted = "0000d95f4d89f35d8360663f6b4c4f5697dd6d5f4a09f5349fba82009c502f5c659b81654c5a37ff\
        2f084148b782c68393a952b5761d2721e883f35d83";
    let expected = Answer { status: 200, subprotocol: Some(b"xpra".to_vec()) };
    assert_eq!(answer(&bytes(accepted)), Ok(expected));
    let refused = format!("00005f09826c012cf2b1e493{PRINTABLE}");
    assert_eq!(answer(&bytes(&refused)), Ok(Answer { status: 501, subprotocol: None }));
    let printable = format!("0000d92f084148b782c68393a952b5761d2721e8{PRINTABLE}");
    let expected = Answer { status: 200, subprotocol: Some((32..127).collect()) };
    assert_eq!(answer(&bytes(&printable)), Ok(expected));
}

#[test]
fn fields_that_break_the_rules() {
    for (hex, error) in [
        ("", FieldError::Cut),
        ("00", FieldError::Cut),
        ("0000", FieldError::Status),
        // A dynamic table, by count, by index and by name.
        ("0500d9", FieldError::Table),
        ("000080", FieldError::Table),
        ("000010", FieldError::Table),
        ("00000000", FieldError::Table),
        // The static one ends at 98.
        ("0000ff24", FieldError::Table),
        ("00005f0903323030ff", FieldError::Cut),
        ("00005f090332", FieldError::Cut),
        ("00005f0903323078", FieldError::Status),
        ("00005f090430323030", FieldError::Status),
        ("0000d95f04ffffffffffffff", FieldError::Text),
        // The end of a string within it, and more padding than a byte.
        ("0000d95f0484ffffffff", FieldError::Text),
        ("0000d95f0482ffff", FieldError::Text),
    ] {
        assert_eq!(answer(&bytes(hex)), Err(error), "{hex}");
    }
    let many = format!("0000{}", "d9".repeat(300));
    assert_eq!(answer(&bytes(&many)), Err(FieldError::Many));
    let long = [bytes("0000d95f047f817f"), vec![b'a'; 16384]].concat();
    assert_eq!(answer(&long), Err(FieldError::Text));
}

/// As pylsqpack's decoder reads it: `:method: CONNECT`, `:scheme: https`, `:authority: h:1`, `:path: /a`,
/// `:protocol: websocket`, and a long value.
#[test]
fn the_request_is_what_others_read() {
    let long = "x".repeat(300);
    let request = connect("websocket", "h:1", "/a", &[("long", &long)]);
    let expected = format!(
        "0000cfd75003683a3151022f6127023a70726f746f636f6c09776562736f636b6574246c6f6e677fad01{}",
        "78".repeat(300)
    );
    assert_eq!(request, bytes(&expected));
}

#[test]
fn integers_of_every_length() {
    // RFC 9000, appendix A.1.
    for (hex, value) in [
        ("c2197c5eff14e88c", 151_288_809_941_952_652),
        ("9d7f3e7d", 494_878_333),
        ("7bbd", 15_293),
        ("25", 37),
    ] {
        let bytes = bytes(hex);
        assert_eq!(varint(&bytes), Some((value, bytes.len())));
        let mut out = Vec::new();
        put_varint(value, &mut out);
        assert_eq!(out, bytes);
        assert_eq!(varint(&bytes[..bytes.len() - 1]), None);
    }
    assert_eq!(setting(&bytes("0801330107c000000000000001"), 8), Some(1));
    assert_eq!(setting(&bytes("3301"), 8), Some(0));
    assert_eq!(setting(&bytes("33"), 8), None);
}

proptest! {
    #[test]
    fn any_bytes_are_an_answer_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = answer(&bytes);
        let _ = answer(&[&[0, 0, 0xd9, 0x5f, 4][..], &bytes].concat());
        let _ = setting(&bytes, 8);
    }

    #[test]
    fn a_header_is_read_as_it_was_written(kind in 0_u64..1 << 62, payload_len in 0_u64..1 << 62) {
        let header = FrameHeader { kind, payload_len };
        let mut out = Vec::new();
        header.put(&mut out);
        for end in 0..out.len() {
            prop_assert_eq!(FrameHeader::parse(&out[..end]), None);
            let needed = FrameHeader::needed(&out[..end]);
            prop_assert!(needed > end && needed <= out.len(), "{} of {} at {}", needed, out.len(), end);
        }
        prop_assert_eq!(FrameHeader::needed(&out), out.len());
        prop_assert_eq!(FrameHeader::parse(&out), Some(header));
    }
}
