//! The clipboard's packets, which both sides have: their shapes in each generation, and back.

use farpane::protocol::packet::clipboard::{Contents, Data, MAX_NAME, MAX_TARGETS, Packet, Selection, Token};
use farpane::protocol::packet::{ClientPacket, ServerPacket, Value};
use farpane::protocol::{Dialect, Naming, PacketWriter};

use super::from_client::check;
use super::{list, map, raw, reader, record};

const CLIPBOARD: Selection = Selection::Clipboard;

fn token(targets: Option<&[&str]>, contents: Option<(&str, Contents)>) -> Packet {
    Packet::Token(Token {
        selection: CLIPBOARD,
        targets: targets.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
        contents: contents.map(|(target, contents)| (target.to_owned(), contents)),
        claim: true,
        greedy: false,
    })
}

fn contents(data: Data) -> Packet {
    let kind = if matches!(data, Data::Atoms(_)) { "ATOM" } else { "TEXT" };
    let contents = Contents { kind: kind.to_owned(), data };
    Packet::Contents { request: 7, selection: Selection::Primary, contents }
}

fn bytes(text: &str) -> Data {
    Data::Bytes(Vec::from(text.as_bytes()).into())
}

fn read(dialect: Dialect, packet: &Value) -> ServerPacket {
    reader(dialect).read(raw(dialect, &record(dialect, packet)).lend()).expect("a packet").packet
}

#[test]
fn each_is_written_as_the_servers_want_it() {
    let same = |packet: Packet, value: Value| check(&packet.into(), value.clone(), value.clone(), value);
    let request = Packet::Request { request: 1 << 40, selection: CLIPBOARD, target: "TARGETS".to_owned() };
    same(request, list!["clipboard-request", 1i64 << 40, "CLIPBOARD", "TARGETS"]);
    same(
        contents(Data::Atoms(vec!["STRING".to_owned()])),
        list!["clipboard-contents", 7, "PRIMARY", "ATOM", 32, "atoms", list!["STRING"]],
    );
    same(
        contents(Data::Numbers { bits: 16, values: vec![1, 65535] }),
        list!["clipboard-contents", 7, "PRIMARY", "TEXT", 16, "integers", list![1, 65535]],
    );
    same(
        Packet::ContentsNone { request: 7, selection: Selection::Secondary },
        list!["clipboard-contents-none", 7, "SECONDARY"],
    );
    same(
        Packet::EnableSelections(vec![CLIPBOARD, Selection::Primary]),
        list!["clipboard-enable-selections", list!["CLIPBOARD", "PRIMARY"]],
    );
    let status = Packet::Status { enabled: false, reason: String::new() };
    let old = list!["set-clipboard-enabled", false];
    check(&status.into(), old, list!["clipboard-status", false], list!["clipboard-status", false]);
    let named = list!["clipboard-data", "CLIPBOARD", map([("claim", true.into()), ("greedy", false.into())])];
    let bare = list!["clipboard-token", "CLIPBOARD"];
    check(&token(None, None).into(), bare.clone(), bare, named);
    let with_targets = list!["clipboard-token", "CLIPBOARD", list!["TEXT"]];
    let named = map([("claim", true.into()), ("greedy", false.into()), ("targets", list!["TEXT"])]);
    check(
        &token(Some(&["TEXT"]), None).into(),
        with_targets.clone(),
        with_targets,
        list!["clipboard-data", "CLIPBOARD", named],
    );
}

#[test]
fn each_is_read_as_it_was_written() {
    let packets = [
        token(None, None),
        token(Some(&["UTF8_STRING", "image/png"]), None),
        token(Some(&["TEXT"]), Some(("TEXT", Contents { kind: "TEXT".to_owned(), data: bytes("abc") }))),
        Packet::Request { request: u64::MAX, selection: CLIPBOARD, target: "image/png".to_owned() },
        contents(bytes("h\u{e9}llo")),
        contents(bytes(&"long ".repeat(10_000))),
        contents(Data::Numbers { bits: 32, values: vec![0, u32::MAX] }),
        contents(Data::Atoms(vec!["TARGETS".to_owned(), "STRING".to_owned()])),
        Packet::ContentsNone { request: 3, selection: Selection::Primary },
        Packet::EnableSelections(Selection::ALL.to_vec()),
        Packet::Status { enabled: true, reason: String::new() },
        Packet::Status { enabled: false, reason: "policy".to_owned() },
        Packet::PendingRequests { count: 2 },
    ];
    for (dialect, naming) in [
        (Dialect::Legacy31, Naming::Legacy),
        (Dialect::Modern, Naming::Legacy),
        (Dialect::Modern, Naming::V65),
        (Dialect::Yaml, Naming::V65),
    ] {
        for packet in &packets {
            let mut writer = PacketWriter::new(dialect);
            writer.set_naming(naming);
            for chunks in [false, true] {
                let records = writer.write_server(&ServerPacket::from(packet.clone()), chunks);
                let data = records.data.as_deref().unwrap_or_default();
                let whole = [&records.head[..], data, &records.tail].concat();
                let read = reader(dialect).read(raw(dialect, &whole).lend()).expect("a packet").packet;
                assert_eq!(read, ServerPacket::Clipboard(packet.clone()), "{dialect:?}");
            }
        }
    }
}

#[test]
fn a_token_may_say_as_little_or_as_much_as_servers_do() {
    let of = |packet: Value| match read(Dialect::Modern, &packet) {
        ServerPacket::Clipboard(Packet::Token(token)) => token,
        other => panic!("{other:?}"),
    };
    let null = || Value::Null;
    let token = of(list!["clipboard-token", "PRIMARY"]);
    assert_eq!((token.selection, token.targets, token.claim), (Selection::Primary, None, true));
    let token =
        of(list!["clipboard-token", "CLIPBOARD", null(), null(), null(), null(), null(), null(), 0, 1]);
    assert_eq!((token.targets, token.contents, token.claim, token.greedy), (None, None, false, true));
    // As bencode has it, where there is no nothing.
    let token = of(list!["clipboard-token", "CLIPBOARD", "", "", "", "", "", "", 0, 1]);
    assert_eq!((token.targets, token.contents, token.claim, token.greedy), (None, None, false, true));
    let token = of(list![
        "clipboard-token",
        "CLIPBOARD",
        list!["TEXT", ""],
        "TEXT",
        "STRING",
        8,
        "bytes",
        "abc",
        true,
        false,
        true
    ]);
    assert_eq!(token.targets, Some(vec!["TEXT".to_owned()]));
    assert_eq!(token.contents.map(|(_, contents)| contents.len()), Some(3));
    let named = map([("claim", false.into()), ("targets", list!["TEXT"]), ("token", "x".into())]);
    let token = of(list!["clipboard-data", "SECONDARY", named]);
    assert_eq!((token.selection, token.claim), (Selection::Secondary, false));
    assert_eq!(token.targets, Some(vec!["TEXT".to_owned()]));
    let other = read(Dialect::Modern, &list!["clipboard-token", "OTHER", list!["TEXT"]]);
    assert_eq!(other, ServerPacket::Clipboard(Packet::OtherSelection));
}

#[test]
fn names_and_lists_are_bounded() {
    let many: Vec<Value> = (0..5000).map(|n| Value::from(format!("x/{n}"))).collect();
    let ServerPacket::Clipboard(Packet::Token(token)) =
        read(Dialect::Modern, &list!["clipboard-token", "CLIPBOARD", Value::List(many)])
    else {
        panic!()
    };
    assert_eq!(token.targets.map(|targets| targets.len()), Some(MAX_TARGETS));
    let long = "x".repeat(MAX_NAME + 1);
    let packet = list!["clipboard-request", 1, "CLIPBOARD", long.as_str()];
    let bytes = record(Dialect::Modern, &packet);
    assert!(reader(Dialect::Modern).read(raw(Dialect::Modern, &bytes).lend()).is_err());
    let packet = list!["clipboard-token", "CLIPBOARD", list![long.as_str(), "TEXT"]];
    let ServerPacket::Clipboard(Packet::Token(token)) = read(Dialect::Modern, &packet) else { panic!() };
    assert_eq!(token.targets, Some(vec!["TEXT".to_owned()]));
}

/// What people copy belongs into no log.
#[test]
fn contents_are_not_printed() {
    let packet = contents(bytes("hunter2"));
    assert!(!format!("{packet:?}").contains("hunter2"), "{packet:?}");
    assert!(!format!("{:?}", ClientPacket::from(packet)).contains("hunter2"));
}
