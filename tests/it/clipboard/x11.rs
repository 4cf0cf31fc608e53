//! Selections on a real X server: owned, asked for, watched, as ICCCM says.

use farpane::protocol::packet::clipboard::{Contents, Data, Selection};
use farpane::session::clipboard::{FromDesktop, ToDesktop, Unreadable};
use x11rb::CURRENT_TIME;
use x11rb::protocol::xproto::{ConnectionExt as _, PropMode};
use x11rb::wrapper::ConnectionExt as _;

use super::desk::{Desk, bytes, noise};
use crate::support::display::Display;

use Selection::{Clipboard, Primary, Secondary};

/// Text as programs have it.
pub fn text(text: &[u8]) -> Contents {
    Contents::bytes("UTF8_STRING", text.to_vec())
}

#[test]
fn owners_of_before_are_told_of_and_others_as_they_come() {
    let display = Display::bare();
    let (old, new) = (super::raw::Raw::connect(display.name()), super::raw::Raw::connect(display.name()));
    old.own("PRIMARY");
    let mut desk = Desk::on(display, farpane::desktop::x11::selections::Patience::default());
    desk.send(ToDesktop::Watch(vec![Clipboard, Primary]));
    desk.unowned(Clipboard);
    desk.owned(Primary);
    desk.settle();
    new.own("CLIPBOARD");
    desk.owned(Clipboard);
    // Nobody wants to know of that one.
    new.own("SECONDARY");
    new.own("PRIMARY");
    desk.owned(Primary);
    // Whoever begins anew is told again.
    desk.send(ToDesktop::Watch(vec![Secondary, Primary]));
    desk.owned(Primary);
    desk.owned(Secondary);
    old.own("CLIPBOARD");
    desk.settle();
    // Its window ends, then it does itself.
    new.own("SECONDARY");
    desk.owned(Secondary);
    old.own("PRIMARY");
    desk.owned(Primary);
    old.x.connection.destroy_window(old.window).expect("X");
    old.flush();
    assert!(matches!(desk.next("an end"), FromDesktop::Unowned(Primary)));
    drop(new);
    assert!(matches!(desk.next("an end"), FromDesktop::Unowned(Secondary)));
    desk.settle();
}

#[test]
fn the_same_copy_told_twice_is_one_and_a_new_one_of_the_same_owner_is_another() {
    let mut desk = Desk::watching();
    let raw = desk.raw();
    let time = raw.own("CLIPBOARD");
    desk.owned(Clipboard);
    raw.own_at("CLIPBOARD", time);
    raw.own_at("CLIPBOARD", time);
    desk.settle();
    std::thread::sleep(std::time::Duration::from_millis(2));
    raw.own("CLIPBOARD");
    desk.owned(Clipboard);
    desk.settle();
}

#[test]
fn of_many_copies_none_is_lost_and_own_ones_are_not_told() {
    let mut desk = Desk::watching();
    let raw = desk.raw();
    for _ in 0..50 {
        raw.own("CLIPBOARD");
        desk.own(Primary, &["UTF8_STRING", "TEXT"]);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let asked = desk.ask(Clipboard, "UTF8_STRING", 100);
    // It is answered as the last copy.
    raw.give(&raw.asked(), "UTF8_STRING", b"the last one");
    let mut copies = 0;
    let last = loop {
        match desk.next("the last copy") {
            FromDesktop::Owned(Clipboard) => copies += 1,
            FromDesktop::Contents { request, result } if request == asked => break result,
            other => panic!("was told {other:?}"),
        }
    };
    assert_eq!((copies, last), (50, Ok(text(b"the last one"))));
    // Back and forth: each time somebody else has it.
    for _ in 0..20 {
        desk.own(Clipboard, &["UTF8_STRING"]);
        desk.wait_owner(Clipboard, |owner| owner != raw.window);
        raw.own("CLIPBOARD");
        desk.owned(Clipboard);
    }
    desk.settle();
}

#[test]
fn what_is_owned_is_offered_and_given() {
    let mut desk = Desk::watching();
    let raw = desk.raw();
    desk.own(Clipboard, &["UTF8_STRING", "text/html", "FARPANE_TEST_NEW_NAME", "TARGETS", "INCR"]);
    desk.settle();
    let targets = raw.get("CLIPBOARD", "TARGETS").expect("targets");
    assert_eq!((targets.kind.as_str(), targets.format), ("ATOM", 32));
    let names: Vec<String> = targets.words().into_iter().map(|atom| raw.name(atom)).collect();
    assert_eq!(
        names,
        ["TARGETS", "MULTIPLE", "TIMESTAMP", "UTF8_STRING", "text/html", "FARPANE_TEST_NEW_NAME"]
    );
    raw.ask("CLIPBOARD", "text/html");
    let (request, target) = desk.wanted(Clipboard);
    assert_eq!(target, "text/html");
    desk.answer(request, Some(Contents::bytes("text/html", b"<b>bold</b>".to_vec())));
    let property = raw.answered();
    assert_eq!(property, raw.x.atom("text/html"));
    let held = raw.take(property).expect("what was asked for");
    assert_eq!((held.kind.as_str(), held.format, &held.bytes[..]), ("text/html", 8, &b"<b>bold</b>"[..]));
    // Answers of other kinds.
    let kinds = [
        (Data::Numbers { bits: 32, values: vec![1, u32::MAX] }, "INTEGER", 32, 8),
        (Data::Numbers { bits: 16, values: vec![1, 2, 0xffff] }, "INTEGER", 16, 6),
        (Data::Atoms(vec!["STRING".into(), "UTF8_STRING".into()]), "ATOM", 32, 8),
        (Data::Bytes(Vec::new().into()), "STRING", 8, 0),
    ];
    for (data, kind, format, len) in kinds {
        raw.ask("CLIPBOARD", "FARPANE_TEST_NEW_NAME");
        let (request, _) = desk.wanted(Clipboard);
        desk.answer(request, Some(Contents { kind: kind.into(), data }));
        let held = raw.take(raw.answered()).expect("what was asked for");
        assert_eq!((held.kind.as_str(), held.format, held.bytes.len()), (kind, format, len));
    }
    // Numbers of the other server's windows and names mean nothing here.
    for kind in ["WINDOW", "PIXMAP", "ATOM", "INCR"] {
        raw.ask("CLIPBOARD", "UTF8_STRING");
        let (request, _) = desk.wanted(Clipboard);
        let data = Data::Numbers { bits: 32, values: vec![1] };
        desk.answer(request, Some(Contents { kind: kind.into(), data }));
        assert_eq!(raw.answered(), 0, "{kind}");
    }
    raw.ask("CLIPBOARD", "UTF8_STRING");
    let (request, _) = desk.wanted(Clipboard);
    desk.answer(request, None);
    assert_eq!(raw.answered(), 0);
    assert!(raw.get("CLIPBOARD", "image/png").is_none(), "not offered");
    assert!(raw.get("CLIPBOARD", "INCR").is_none(), "never offered");
    // A new copy has other targets, at another time.
    let stamp = |raw: &super::raw::Raw| raw.get("CLIPBOARD", "TIMESTAMP").expect("a time").words()[0];
    let before = stamp(&raw);
    std::thread::sleep(std::time::Duration::from_millis(2));
    desk.own(Clipboard, &["image/png"]);
    desk.settle();
    assert!(stamp(&raw) > before);
    assert!(raw.get("CLIPBOARD", "UTF8_STRING").is_none(), "not offered any more");
    desk.settle();
}

#[test]
fn requests_of_before_the_copy_are_refused_and_those_of_old_programs_are_not() {
    let mut desk = Desk::watching();
    let raw = desk.raw();
    let before = raw.time();
    std::thread::sleep(std::time::Duration::from_millis(5));
    desk.own(Clipboard, &["UTF8_STRING"]);
    desk.settle();
    let property = raw.x.atom("PLACE");
    raw.convert("CLIPBOARD", "TARGETS", property, before);
    assert_eq!(raw.answered(), 0);
    let time = raw.get("CLIPBOARD", "TIMESTAMP").expect("a time");
    assert_eq!((time.kind.as_str(), time.format), ("INTEGER", 32));
    let time = time.words()[0];
    assert!(time > before && time <= raw.time(), "a time of the server");
    raw.convert("CLIPBOARD", "TARGETS", property, time);
    assert_eq!(raw.answered(), property);
    // A paste that was begun before a second copy gets that.
    std::thread::sleep(std::time::Duration::from_millis(5));
    desk.own(Clipboard, &["UTF8_STRING"]);
    desk.settle();
    raw.convert("CLIPBOARD", "TARGETS", property, time);
    assert_eq!(raw.answered(), property);
    // Old programs name no property.
    raw.convert("CLIPBOARD", "UTF8_STRING", x11rb::NONE, CURRENT_TIME);
    let (request, _) = desk.wanted(Clipboard);
    desk.answer(request, Some(text(b"old")));
    assert_eq!(raw.answered(), raw.x.atom("UTF8_STRING"));
    assert_eq!(raw.take(raw.x.atom("UTF8_STRING")).expect("text").bytes, b"old");
    raw.convert("CLIPBOARD", "MULTIPLE", x11rb::NONE, CURRENT_TIME);
    assert_eq!(raw.answered(), 0, "no property, no list of targets");
    desk.settle();
}

/// Writes the list of a `MULTIPLE` and asks for it.
fn multiple(raw: &super::raw::Raw, pairs: &[(&str, &str)]) {
    let atoms: Vec<u32> =
        pairs.iter().flat_map(|(target, property)| [raw.x.atom(target), raw.x.atom(property)]).collect();
    let (place, kind) = (raw.x.atom("PAIRS"), raw.x.atom("ATOM_PAIR"));
    raw.x.connection.change_property32(PropMode::REPLACE, raw.window, place, kind, &atoms).expect("X");
    raw.convert("CLIPBOARD", "MULTIPLE", place, CURRENT_TIME);
}

#[test]
fn many_targets_at_once() {
    let mut desk = Desk::watching();
    let raw = desk.raw();
    desk.own(Clipboard, &["UTF8_STRING", "text/html", "STRING"]);
    desk.settle();
    let pairs = [
        ("UTF8_STRING", "A"),
        ("image/png", "B"),
        ("TIMESTAMP", "C"),
        ("STRING", "D"),
        ("MULTIPLE", "E"),
        ("text/html", "F"),
    ];
    multiple(&raw, &pairs);
    let (one, target) = desk.wanted(Clipboard);
    assert_eq!(target, "UTF8_STRING");
    let (two, target) = desk.wanted(Clipboard);
    assert_eq!(target, "STRING");
    let (three, target) = desk.wanted(Clipboard);
    assert_eq!(target, "text/html");
    // In whatever order; and one of them is large.
    let large = noise(600_000);
    desk.answer(three, None);
    desk.answer(one, Some(text(b"first")));
    desk.settle();
    desk.answer(two, Some(Contents::bytes("STRING", large.clone())));
    let place = raw.answered();
    assert_eq!(raw.name(place), "PAIRS");
    let rest = raw.take(place).expect("the list");
    assert_eq!(rest.kind, "ATOM_PAIR");
    let atom = |name: &str| raw.x.atom(name);
    let expected = [
        [atom("UTF8_STRING"), atom("A")],
        [0, 0],
        [atom("TIMESTAMP"), atom("C")],
        [atom("STRING"), atom("D")],
        [0, 0],
        [0, 0],
    ];
    assert_eq!(rest.words(), expected.concat());
    assert_eq!(raw.take(atom("A")).expect("text").bytes, b"first");
    assert_eq!(raw.take(atom("C")).expect("a time").words().len(), 1);
    assert_eq!(raw.take(atom("D")).expect("an announcement").kind, "INCR");
    assert_eq!(raw.take_pieces(atom("D")).concat(), large);
    // All of them answered: the list stays as it was. None at all: refused.
    multiple(&raw, &[("TIMESTAMP", "A"), ("TARGETS", "B")]);
    let list = raw.take(raw.answered()).expect("the list").words();
    assert_eq!(list, [atom("TIMESTAMP"), atom("A"), atom("TARGETS"), atom("B")]);
    multiple(&raw, &[]);
    assert_eq!(raw.answered(), 0);
    desk.settle();
}

#[test]
fn two_programs_take_different_contents_in_pieces_at_once() {
    let mut desk = Desk::watching();
    let (one, two) = (desk.raw(), desk.raw());
    desk.own(Clipboard, &["UTF8_STRING"]);
    desk.own(Primary, &["UTF8_STRING"]);
    desk.settle();
    let (large, larger) = (noise(700_000), noise(3_000_000));
    one.ask("CLIPBOARD", "UTF8_STRING");
    let (request, _) = desk.wanted(Clipboard);
    desk.answer(request, Some(text(&large)));
    two.ask("PRIMARY", "UTF8_STRING");
    let (request, _) = desk.wanted(Primary);
    desk.answer(request, Some(text(&larger)));
    let property = one.answered();
    assert_eq!(two.answered(), property);
    let announced = one.take(property).expect("an announcement");
    assert_eq!((announced.kind.as_str(), announced.words()), ("INCR", vec![700_000]));
    assert_eq!(two.take(property).expect("an announcement").kind, "INCR");
    // In turns.
    let first = (one.take_piece(property), two.take_piece(property));
    let second = (one.take_piece(property), two.take_piece(property));
    let rest = (one.take_pieces(property).concat(), two.take_pieces(property).concat());
    assert!([first.0, second.0, rest.0].concat() == large);
    assert!([first.1, second.1, rest.1].concat() == larger);
    desk.settle();
}

#[test]
fn programs_that_end_while_they_wait_are_forgotten() {
    let mut desk = Desk::watching();
    desk.own(Clipboard, &["UTF8_STRING"]);
    desk.settle();
    let raw = desk.raw();
    raw.ask("CLIPBOARD", "UTF8_STRING");
    let (request, _) = desk.wanted(Clipboard);
    drop(raw);
    match desk.next("that it is gone") {
        FromDesktop::Forget { request: gone } => assert_eq!(gone, request),
        other => panic!("was told {other:?}"),
    }
    desk.answer(request, Some(text(b"for nobody")));
    // In the middle of pieces: the memory is given back.
    let pool = farpane::buffers::BufferPool::default();
    let mut buffer = pool.take(2_000_000, &mut Default::default());
    buffer.vec().resize(2_000_000, b'x');
    let contents = Contents { kind: "UTF8_STRING".into(), data: Data::Bytes(buffer.freeze()) };
    let raw = desk.raw();
    raw.ask("CLIPBOARD", "UTF8_STRING");
    let (request, _) = desk.wanted(Clipboard);
    desk.answer(request, Some(contents));
    let property = raw.answered();
    raw.take(property);
    raw.take_piece(property);
    assert_eq!(pool.in_use(), 1);
    drop(raw);
    let in_use = || pool.in_use().to_string();
    crate::support::wait_for("the memory", super::desk::SOON, in_use, || (pool.in_use() == 0).then_some(()));
    // Others paste as before.
    let raw = desk.raw();
    raw.ask("CLIPBOARD", "UTF8_STRING");
    let (request, _) = desk.wanted(Clipboard);
    desk.answer(request, Some(text(b"well")));
    assert_eq!(raw.take(raw.answered()).expect("text").bytes, b"well");
    desk.settle();
}

#[test]
fn what_is_let_go_of_nobody_owns() {
    let mut desk = Desk::watching();
    let raw = desk.raw();
    let ours = |owner: u32| owner != 0 && owner != raw.window;
    desk.own(Clipboard, &["UTF8_STRING"]);
    desk.own(Primary, &["UTF8_STRING"]);
    desk.own(Secondary, &["UTF8_STRING"]);
    desk.settle();
    assert!(["CLIPBOARD", "PRIMARY", "SECONDARY"].iter().all(|name| ours(raw.owner(name))));
    desk.send(ToDesktop::Release(Clipboard));
    desk.settle();
    assert_eq!(raw.owner("CLIPBOARD"), 0);
    // Somebody else's is not let go of.
    raw.own("PRIMARY");
    desk.owned(Primary);
    desk.send(ToDesktop::Release(Primary));
    desk.settle();
    assert_eq!(raw.owner("PRIMARY"), raw.window);
    // What somebody else takes away from everybody is said.
    let secondary = raw.x.atom("SECONDARY");
    raw.x.connection.set_selection_owner(x11rb::NONE, secondary, raw.time()).expect("X");
    raw.flush();
    assert!(matches!(desk.next("an end"), FromDesktop::Unowned(Secondary)));
    // Released and owned again in one breath.
    for _ in 0..10 {
        desk.own(Clipboard, &["UTF8_STRING"]);
        desk.send(ToDesktop::Release(Clipboard));
    }
    desk.own(Clipboard, &["UTF8_STRING"]);
    desk.settle();
    assert!(ours(raw.owner("CLIPBOARD")));
    assert!(raw.get("CLIPBOARD", "TARGETS").is_some());
    // Nothing is watched any more: who waits is refused.
    raw.ask("CLIPBOARD", "UTF8_STRING");
    let (request, _) = desk.wanted(Clipboard);
    desk.send(ToDesktop::Watch(Vec::new()));
    assert!(matches!(desk.next("the end"), FromDesktop::Forget { request: gone } if gone == request));
    assert_eq!(raw.answered(), 0);
    raw.own("SECONDARY");
    desk.settle();
    assert_eq!(raw.owner("CLIPBOARD"), 0);
    // The desktop's end is the end of what it owned.
    desk.own(Clipboard, &["UTF8_STRING"]);
    desk.settle();
    assert!(ours(raw.owner("CLIPBOARD")));
    desk.end();
    desk.wait_owner(Clipboard, |owner| owner == 0);
}

#[test]
fn what_a_local_owner_has_is_read() {
    let mut desk = Desk::watching();
    assert_eq!(desk.read(Clipboard, "UTF8_STRING"), Err(Unreadable::Gone), "nobody has anything");
    let raw = desk.raw();
    raw.own("CLIPBOARD");
    desk.owned(Clipboard);
    assert_eq!(desk.read(Clipboard, "FARPANE_TEST_UNKNOWN"), Err(Unreadable::Refused));
    let mut ask = |target: &str, give: &dyn Fn(&x11rb::protocol::xproto::SelectionRequestEvent)| {
        raw.x.atom(target);
        let request = desk.ask(Clipboard, target, 50_000);
        let asked = raw.asked();
        assert!(asked.time != CURRENT_TIME && raw.name(asked.target) == target);
        give(&asked);
        desk.answer_to(request)
    };
    assert_eq!(ask("UTF8_STRING", &|asked| raw.give(asked, "UTF8_STRING", b"here")), Ok(text(b"here")));
    assert_eq!(ask("UTF8_STRING", &|asked| raw.notify(asked, 0)), Err(Unreadable::Refused));
    // It says that it is there, and it is not.
    assert_eq!(ask("UTF8_STRING", &|asked| raw.notify(asked, asked.property)), Err(Unreadable::Refused));
    assert_eq!(ask("UTF8_STRING", &|asked| raw.notify(asked, 1)), Err(Unreadable::Refused));
    assert_eq!(
        ask("STRING", &|asked| raw.give(asked, "STRING", b"")),
        Ok(Contents::bytes("STRING", b"".to_vec()))
    );
    // Targets: without what is no name.
    let odd = raw.x.connection.intern_atom(false, b"\xff\xfe").expect("X").reply().expect("an atom").atom;
    let long = raw.x.atom(&"long".repeat(100));
    let names = [raw.x.atom("STRING"), odd, 0x7fff_ffff, 0, long, raw.x.atom("text/plain")];
    let targets = Ok(Contents::targets(vec!["STRING".into(), "text/plain".into()]));
    for kind in ["ATOM", "TARGETS"] {
        let give = |asked: &_| {
            raw.put_words(asked, kind, &names);
            raw.notify(asked, asked.property);
        };
        assert_eq!(ask("TARGETS", &give), targets);
    }
    let many = vec![raw.x.atom("STRING"); 5000];
    let give = |asked: &_| {
        raw.put_words(asked, "ATOM", &many);
        raw.notify(asked, asked.property);
    };
    assert_eq!(ask("TARGETS", &give).map(|contents| contents.len()), Ok(256 * "STRING".len()));
    // Numbers.
    let numbers = |kind: &'static str, values: Vec<u32>| {
        let raw = &raw;
        move |asked: &x11rb::protocol::xproto::SelectionRequestEvent| {
            raw.put_words(asked, kind, &values);
            raw.notify(asked, asked.property);
        }
    };
    let data = Data::Numbers { bits: 32, values: vec![7, u32::MAX] };
    let expected = Ok(Contents { kind: "INTEGER".into(), data });
    assert_eq!(ask("LENGTH", &numbers("INTEGER", vec![7, u32::MAX])), expected);
    assert_eq!(ask("LENGTH", &numbers("INTEGER", vec![7; 4097])), Err(Unreadable::TooLarge));
    for kind in ["WINDOW", "PIXMAP", "DRAWABLE", "COLORMAP", "BITMAP"] {
        assert_eq!(ask("PIXMAP", &numbers(kind, vec![7])), Err(Unreadable::Refused), "{kind}");
    }
    let short = |asked: &x11rb::protocol::xproto::SelectionRequestEvent| {
        let (mode, kind) = (PropMode::REPLACE, raw.x.atom("INTEGER"));
        let c = &raw.x.connection;
        c.change_property16(mode, asked.requestor, asked.property, kind, &[1, 0xffff]).expect("X");
        raw.notify(asked, asked.property);
    };
    let data = Data::Numbers { bits: 16, values: vec![1, 0xffff] };
    assert_eq!(ask("LENGTH", &short), Ok(Contents { kind: "INTEGER".into(), data }));
    // What this program owns itself is no local owner's.
    desk.own(Clipboard, &["UTF8_STRING"]);
    assert_eq!(desk.read(Clipboard, "UTF8_STRING"), Err(Unreadable::Gone));
    desk.settle();
}

#[test]
fn pieces_are_read_whatever_was_announced() {
    let (mut desk, raw) = Desk::with_owner();
    let whole = noise(300_000);
    for (announced, piece) in [(0, 100_000), (u32::MAX, 4_000), (7, 300_000)] {
        // Two at once, and what was asked for in between.
        let one = desk.ask(Clipboard, "UTF8_STRING", 300_000);
        let first = raw.asked();
        let two = desk.ask(Clipboard, "STRING", 100);
        let second = raw.asked();
        assert!(first.requestor != second.requestor && first.property != second.property);
        raw.announce(&first, announced);
        raw.wait_taken(&first);
        for (number, piece) in whole.chunks(piece).enumerate() {
            raw.put(&first, "UTF8_STRING", piece);
            raw.wait_taken(&first);
            if number == 0 {
                raw.give(&second, "STRING", b"between");
                assert_eq!(desk.answer_to(two), Ok(Contents::bytes("STRING", b"between".to_vec())));
            }
        }
        raw.put(&first, "UTF8_STRING", b"");
        raw.flush();
        assert!(bytes(&desk.answer_to(one).expect("all pieces")) == whole);
    }
    // Nothing at all in pieces.
    let one = desk.ask(Clipboard, "UTF8_STRING", 300_000);
    let asked = raw.asked();
    raw.announce(&asked, 5);
    raw.wait_taken(&asked);
    raw.put(&asked, "UTF8_STRING", b"");
    raw.flush();
    assert_eq!(desk.answer_to(one), Ok(text(b"")));
    desk.settle();
}
