//! Programs that do not keep to the rules, or are not there any more: each wait ends, and nothing grows.

use farpane::desktop::x11::selections::Patience;
use farpane::protocol::packet::clipboard::{Contents, Data, Selection};
use farpane::session::clipboard::{FromDesktop, ToDesktop, Unreadable};
use x11rb::CURRENT_TIME;

use super::desk::{Desk, SHORT, SOON, noise};
use super::x11::text;
use crate::support::wait_for;

use Selection::Clipboard;

#[test]
fn owners_that_say_nothing_are_not_waited_for() {
    let mut desk = Desk::with(Patience { read: SHORT, ..Patience::default() }).watch();
    let raw = desk.raw();
    raw.own("CLIPBOARD");
    desk.owned(Clipboard);
    let silent = desk.ask(Clipboard, "UTF8_STRING", 100);
    let late = raw.asked();
    assert_eq!(desk.answer_to(silent), Err(Unreadable::TimedOut));
    // What comes late is not taken for the answer to the next question.
    let next = desk.ask(Clipboard, "UTF8_STRING", 100);
    let asked = raw.asked();
    raw.give(&late, "UTF8_STRING", b"late");
    raw.give(&asked, "UTF8_STRING", b"in time");
    assert_eq!(desk.answer_to(next), Ok(text(b"in time")));
    // It was taken all the same: a program must not stay with it.
    wait_for("the late answer's end", SOON, String::new, || raw.is_empty(&late).then_some(()));
    // A piece that does not come.
    let silent = desk.ask(Clipboard, "UTF8_STRING", 100);
    let late = raw.asked();
    raw.announce(&late, 10);
    raw.wait_taken(&late);
    raw.put(&late, "UTF8_STRING", b"some");
    raw.wait_taken(&late);
    assert_eq!(desk.answer_to(silent), Err(Unreadable::TimedOut));
    // The rest is still taken.
    for piece in [&b"more"[..], b"and more", b""] {
        raw.put(&late, "UTF8_STRING", piece);
        raw.wait_taken(&late);
    }
    desk.settle();
}

/// As xsel does it, which also tells transfers apart by the property alone.
#[test]
fn owners_that_say_twice_that_they_are_done_spoil_no_other_answer() {
    let (mut desk, raw) = Desk::with_owner();
    let mut properties = Vec::new();
    for round in 0..12 {
        let one = desk.ask(Clipboard, "UTF8_STRING", 100);
        let asked = raw.asked();
        raw.announce(&asked, 10);
        raw.wait_taken(&asked);
        raw.put(&asked, "UTF8_STRING", b"some");
        raw.wait_taken(&asked);
        raw.put(&asked, "UTF8_STRING", b"");
        raw.flush();
        assert_eq!(desk.answer_to(one), Ok(text(b"some")), "round {round}");
        let next = desk.ask(Clipboard, "UTF8_STRING", 100);
        let second = raw.asked();
        assert!(second.property != asked.property);
        raw.notify(&asked, asked.property);
        raw.give(&second, "UTF8_STRING", b"next");
        assert_eq!(desk.answer_to(next), Ok(text(b"next")), "round {round}");
        properties.extend([asked.property, second.property]);
    }
    properties.sort_unstable();
    properties.dedup();
    assert!(properties.len() <= 5, "they are used again");
    desk.settle();
}

#[test]
fn owners_that_never_answer_are_forgotten_with_their_windows() {
    let mut desk = Desk::with(Patience { read: SHORT, late: SHORT, ..Patience::default() }).watch();
    let raw = desk.raw();
    raw.own("CLIPBOARD");
    desk.owned(Clipboard);
    let all: Vec<u64> = (0..16).map(|_| desk.ask(Clipboard, "UTF8_STRING", 100)).collect();
    let asked: Vec<_> = all.iter().map(|_| raw.asked()).collect();
    assert_eq!(desk.read(Clipboard, "UTF8_STRING"), Err(Unreadable::Refused), "too many at once");
    for request in all {
        assert_eq!(desk.answer_to(request), Err(Unreadable::TimedOut));
    }
    let is_gone = || asked.iter().all(|asked| !raw.is_there(asked.requestor));
    wait_for("the end of their windows", SOON, String::new, || is_gone().then_some(()));
    desk.settle();
}

#[test]
fn owners_that_end_are_not_waited_for() {
    let mut desk = Desk::watching();
    let (raw, other) = (desk.raw(), desk.raw());
    raw.own("CLIPBOARD");
    desk.owned(Clipboard);
    // Another one copies: of the former one nothing is wanted.
    let one = desk.ask(Clipboard, "UTF8_STRING", 100_000);
    let asked = raw.asked();
    raw.announce(&asked, 10);
    raw.wait_taken(&asked);
    raw.put(&asked, "UTF8_STRING", b"some");
    raw.wait_taken(&asked);
    other.own("CLIPBOARD");
    desk.owned(Clipboard);
    assert_eq!(desk.answer_to(one), Err(Unreadable::Gone));
    // It gets to its end.
    for piece in [&b"more"[..], b""] {
        raw.put(&asked, "UTF8_STRING", piece);
        raw.wait_taken(&asked);
    }
    // It ends in the middle, and before it said anything.
    let one = desk.ask(Clipboard, "UTF8_STRING", 100_000);
    let asked = other.asked();
    other.announce(&asked, 10);
    other.wait_taken(&asked);
    other.put(&asked, "UTF8_STRING", b"some");
    other.wait_taken(&asked);
    let two = desk.ask(Clipboard, "STRING", 100_000);
    other.asked();
    drop(other);
    let mut said: Vec<FromDesktop> = (0..3).map(|_| desk.next("three things")).collect();
    said.retain(|event| match event {
        FromDesktop::Unowned(Clipboard) => false,
        FromDesktop::Contents { request, result } => {
            !([one, two].contains(request) && *result == Err(Unreadable::Gone))
        }
        _ => true,
    });
    assert!(said.is_empty(), "{said:?}");
    desk.settle();
}

#[test]
fn what_is_too_large_is_not_taken() {
    let (mut desk, raw) = Desk::with_owner();
    let one = desk.ask(Clipboard, "UTF8_STRING", 1000);
    let asked = raw.asked();
    raw.give(&asked, "UTF8_STRING", &noise(1001));
    assert_eq!(desk.answer_to(one), Err(Unreadable::TooLarge));
    let one = desk.ask(Clipboard, "UTF8_STRING", 1000);
    let asked = raw.asked();
    raw.give(&asked, "UTF8_STRING", &noise(1000));
    assert_eq!(desk.answer_to(one).map(|contents| contents.len()), Ok(1000));
    // In pieces: the owner gets to the end all the same.
    let one = desk.ask(Clipboard, "UTF8_STRING", 1000);
    let asked = raw.asked();
    raw.announce(&asked, 1);
    raw.wait_taken(&asked);
    for piece in noise(5000).chunks(600) {
        raw.put(&asked, "UTF8_STRING", piece);
        raw.wait_taken(&asked);
    }
    raw.put(&asked, "UTF8_STRING", b"");
    raw.wait_taken(&asked);
    assert_eq!(desk.answer_to(one), Err(Unreadable::TooLarge));
    // Pieces that change their type are no contents.
    let one = desk.ask(Clipboard, "UTF8_STRING", 1000);
    let asked = raw.asked();
    raw.announce(&asked, 1);
    raw.wait_taken(&asked);
    for kind in ["UTF8_STRING", "STRING"] {
        raw.put(&asked, kind, b"some");
        raw.wait_taken(&asked);
    }
    raw.put(&asked, "STRING", b"");
    raw.wait_taken(&asked);
    assert_eq!(desk.answer_to(one), Err(Unreadable::Refused));
    desk.settle();
}

#[test]
fn who_waits_too_long_is_refused() {
    let mut desk = Desk::with(Patience { answer: SHORT, ..Patience::default() }).watch();
    let raw = desk.raw();
    desk.own(Clipboard, &["UTF8_STRING"]);
    desk.settle();
    raw.ask("CLIPBOARD", "UTF8_STRING");
    let (request, _) = desk.wanted(Clipboard);
    assert_eq!(raw.answered(), 0);
    assert!(matches!(desk.next("the end"), FromDesktop::Forget { request: gone } if gone == request));
    desk.answer(request, Some(text(b"too late")));
    desk.settle();
    assert!(raw.take(raw.x.atom("UTF8_STRING")).is_none());
}

#[test]
fn who_does_not_take_a_piece_gets_no_more() {
    let mut desk = Desk::with(Patience { answer: SHORT, piece: SHORT, ..Patience::default() }).watch();
    let raw = desk.raw();
    desk.own(Clipboard, &["UTF8_STRING"]);
    desk.settle();
    let pool = farpane::buffers::BufferPool::default();
    let mut buffer = pool.take(2_000_000, &mut Default::default());
    buffer.vec().resize(2_000_000, b'x');
    let contents = Contents { kind: "UTF8_STRING".into(), data: Data::Bytes(buffer.freeze()) };
    raw.ask("CLIPBOARD", "UTF8_STRING");
    let (request, _) = desk.wanted(Clipboard);
    desk.answer(request, Some(contents));
    let property = raw.answered();
    raw.take(property);
    raw.take_piece(property);
    let in_use = || pool.in_use().to_string();
    wait_for("the memory", SOON, in_use, || (pool.in_use() == 0).then_some(()));
    desk.settle();
}

#[test]
fn only_so_many_wait() {
    let mut desk = Desk::watching();
    let raw = desk.raw();
    desk.own(Clipboard, &["UTF8_STRING"]);
    desk.settle();
    let places: Vec<u32> = (0..70).map(|number| raw.x.atom(&format!("PLACE_{number}"))).collect();
    for place in &places {
        raw.convert("CLIPBOARD", "UTF8_STRING", *place, CURRENT_TIME);
    }
    for _ in 64..70 {
        assert_eq!(raw.answered(), 0);
    }
    let wanted: Vec<u64> = (0..64).map(|_| desk.wanted(Clipboard).0).collect();
    for request in wanted {
        desk.answer(request, Some(text(b"each")));
    }
    for place in &places[..64] {
        assert_eq!(raw.answered(), *place);
        assert_eq!(raw.take(*place).expect("text").bytes, b"each");
    }
    desk.settle();
}

#[test]
fn names_from_the_network_make_only_so_many_atoms() {
    let mut desk = Desk::watching();
    let raw = desk.raw();
    for round in 0..6 {
        let names: Vec<String> = (0..300).map(|number| format!("FARPANE_TEST_{round}_{number}")).collect();
        let targets: Vec<&str> =
            ["UTF8_STRING"].into_iter().chain(names.iter().map(String::as_str)).collect();
        desk.own(Clipboard, &targets);
        desk.settle();
        let offered = raw.get("CLIPBOARD", "TARGETS").expect("targets").words().len();
        // Of 256 at a time, 1024 new ones in all; those that were there before count nothing.
        let expected = if round < 4 {
            3 + 256
        } else if round == 4 {
            3 + 1 + 4
        } else {
            3 + 1
        };
        assert_eq!(offered, expected, "round {round}");
    }
    // Questions make none.
    raw.own("PRIMARY");
    desk.owned(Selection::Primary);
    assert_eq!(desk.read(Selection::Primary, "FARPANE_TEST_QUESTION"), Err(Unreadable::Refused));
    assert!(raw.known("FARPANE_TEST_0_0") && !raw.known("FARPANE_TEST_QUESTION"));
    assert!(!raw.known("FARPANE_TEST_5_0"));
    desk.settle();
}

#[test]
fn without_a_server_questions_are_answered_all_the_same() {
    let (mut desk, raw) = Desk::with_owner();
    let open = desk.ask(Clipboard, "UTF8_STRING", 100);
    raw.kill(&raw.asked());
    assert_eq!(desk.answer_to(open), Err(Unreadable::Gone));
    assert_eq!(desk.read(Clipboard, "UTF8_STRING"), Err(Unreadable::Gone));
    desk.send(ToDesktop::Release(Clipboard));
    desk.end();
}
