//! Real programs as owners and as those who paste.

use farpane::protocol::packet::clipboard::{Data, Selection};

use super::desk::{Desk, ENOUGH, SOON, bytes, noise};
use super::x11::text;
use crate::support::program::{Launch, Program};

use Selection::{Clipboard, Primary};

/// As much as is copied on a bad day.
const LARGE: usize = 5_000_000;

#[test]
fn xclip_and_xsel_are_read() {
    let mut desk = Desk::watching();
    let words = "Grüße, 世界\n".as_bytes();
    let one = desk.xclip("clipboard", words);
    desk.owned(Clipboard);
    let targets = desk.read(Clipboard, "TARGETS").expect("targets");
    assert_eq!(targets.kind, "ATOM");
    assert!(matches!(&targets.data, Data::Atoms(names) if names.iter().any(|name| name == "UTF8_STRING")));
    assert_eq!(desk.read(Clipboard, "UTF8_STRING"), Ok(text(words)));
    let file = one.directory().join("copied").display().to_string();
    let _two = desk.start(&["sh", "-c", &format!("exec xsel -p -i < {file}")]);
    desk.owned(Primary);
    assert_eq!(desk.read(Primary, "UTF8_STRING"), Ok(text(words)));
    assert_eq!(desk.read(Primary, "TIMESTAMP").expect("a time").kind, "INTEGER");
    // The end of the program that copied.
    drop(one);
    assert!(matches!(desk.next("an end"), farpane::session::clipboard::FromDesktop::Unowned(Clipboard)));
    desk.settle();
}

#[test]
fn five_megabytes_are_read_in_pieces() {
    let mut desk = Desk::watching();
    let whole = noise(LARGE);
    let one = desk.xclip("clipboard", &whole);
    desk.owned(Clipboard);
    let read = desk.read(Clipboard, "UTF8_STRING").expect("contents");
    assert!(bytes(&read) == whole, "{} bytes", read.len());
    // xsel's pieces are of 4000 bytes, and it takes only text.
    let words: Vec<u8> = whole.iter().map(|byte| b'a' + byte % 26).collect();
    std::fs::write(one.directory().join("words"), &words).expect("a file");
    let file = one.directory().join("words").display().to_string();
    let _two = desk.start(&["sh", "-c", &format!("exec xsel -b -i < {file}")]);
    desk.owned(Clipboard);
    let read = desk.read(Clipboard, "UTF8_STRING").expect("contents");
    assert!(bytes(&read) == words, "{} bytes", read.len());
    // Too large, and then again not.
    let one = desk.ask(Clipboard, "UTF8_STRING", LARGE / 2);
    assert_eq!(desk.answer_to(one), Err(farpane::session::clipboard::Unreadable::TooLarge));
    let one = desk.ask(Clipboard, "UTF8_STRING", ENOUGH);
    let read = desk.answer_to(one).expect("contents");
    let differs = bytes(&read).iter().zip(&words).position(|(one, other)| one != other);
    assert!(bytes(&read) == words, "{} bytes, which differ at {differs:?}", read.len());
    desk.settle();
}

/// Answers the next who pastes text.
#[track_caller]
fn paste(desk: &Desk, program: &mut Program, contents: &[u8]) -> Vec<u8> {
    let (request, target) = desk.wanted(Clipboard);
    assert_eq!(target, "UTF8_STRING");
    desk.answer(request, Some(text(contents)));
    desk.pasted(program)
}

const XCLIP: [&str; 6] = ["xclip", "-selection", "clipboard", "-o", "-t", "UTF8_STRING"];

#[test]
fn xclip_and_xsel_paste() {
    let mut desk = Desk::watching();
    desk.own(Clipboard, &["UTF8_STRING", "STRING"]);
    desk.settle();
    let mut targets = desk.start(&["xclip", "-selection", "clipboard", "-o", "-t", "TARGETS"]);
    assert_eq!(desk.pasted(&mut targets), b"TARGETS\nMULTIPLE\nTIMESTAMP\nUTF8_STRING\nSTRING\n");
    let words: Vec<u8> = noise(LARGE).into_iter().map(|byte| b'a' + byte % 26).collect();
    for words in ["Grüße, 世界\n".as_bytes(), b"", &words] {
        assert!(paste(&desk, &mut desk.start(&XCLIP), words) == words, "xclip");
        assert!(paste(&desk, &mut desk.start(&["xsel", "-b", "-o"]), words) == words, "xsel");
    }
    // Two at once, answered in the other order.
    let (mut one, mut two) = (desk.start(&XCLIP), desk.start(&XCLIP));
    let (first, _) = desk.wanted(Clipboard);
    let (second, _) = desk.wanted(Clipboard);
    desk.answer(second, Some(text(&words)));
    desk.answer(first, Some(text(&words)));
    assert!(desk.pasted(&mut one) == words && desk.pasted(&mut two) == words);
    // What there is none of: xclip asks for the older kind of text then.
    let mut none = desk.start(&XCLIP);
    for kind in ["UTF8_STRING", "STRING"] {
        let (request, target) = desk.wanted(Clipboard);
        assert_eq!(target, kind);
        desk.answer(request, None);
    }
    assert!(none.wait_exit(SOON).is_some_and(|status| !status.success()));
    desk.settle();
}

/// A GTK program: copies what is in the file, or pastes into it, and says on its stdout what it did.
pub const GTK: &str = r#"
import sys
import gi
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, Gtk
clipboard = Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD)
if sys.argv[1] == "copy":
    clipboard.set_text(open(sys.argv[2], encoding="utf-8").read(), -1)
else:
    text = clipboard.wait_for_text()
    open(sys.argv[2], "w", encoding="utf-8").write(text or "")
    print("done", flush=True)
    sys.exit(0)
Gtk.main()
"#;

/// The same with Qt.
#[cfg(feature = "test-programs")]
pub const QT: &str = r#"
import sys
from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QApplication
application = QApplication(sys.argv)
clipboard = QApplication.clipboard()
if sys.argv[1] == "copy":
    clipboard.setText(open(sys.argv[2], encoding="utf-8").read())
else:
    open(sys.argv[2], "w", encoding="utf-8").write(clipboard.text())
    print("done", flush=True)
    sys.exit(0)
application.exec_()
"#;

/// Starts one of them: it copies `words`, or pastes into its folder's file `text`.
pub fn toolkit(display: &str, program: &str, what: &str, words: &[u8]) -> Program {
    let launch = Launch::new("/usr/bin/python3").env("DISPLAY", display).env("GDK_BACKEND", "x11");
    let file = launch.directory().join("text");
    std::fs::write(&file, words).expect("a file");
    launch.args(["-c", program, what]).args([&file]).start()
}

/// Copies and pastes with a program in Python.
fn a_toolkit(program: &str) {
    let mut desk = Desk::watching();
    let display = desk.display.name().to_owned();
    let letters = |len| noise(len).into_iter().map(|byte| b'a' + byte % 26).collect::<Vec<u8>>();
    for words in ["Grüße, 世界".as_bytes().to_vec(), letters(LARGE)] {
        let start = |what: &str, words: &[u8]| toolkit(&display, program, what, words);
        let owner = start("copy", &words);
        desk.owned(Clipboard);
        let targets = desk.read(Clipboard, "TARGETS").expect("targets");
        assert!(
            matches!(&targets.data, Data::Atoms(names) if names.iter().any(|name| name == "UTF8_STRING"))
        );
        let read = desk.read(Clipboard, "UTF8_STRING").expect("contents");
        assert!(bytes(&read) == words, "{} bytes instead of {}", read.len(), words.len());
        desk.own(Clipboard, &["UTF8_STRING"]);
        desk.settle();
        let mut paster = start("paste", b"");
        let (request, target) = desk.wanted(Clipboard);
        assert_eq!(target, "UTF8_STRING");
        desk.answer(request, Some(text(&words)));
        let status = paster.wait_exit(SOON).expect("it ends");
        assert!(status.success(), "{}", paster.stderr());
        assert!(std::fs::read(paster.directory().join("text")).expect("what it pasted") == words);
        drop(owner);
        desk.settle();
    }
}

#[test]
fn gtk_copies_and_pastes() {
    a_toolkit(GTK);
}

#[cfg(feature = "test-programs")]
#[test]
fn qt_copies_and_pastes() {
    a_toolkit(QT);
}

#[test]
fn who_waits_is_refused_at_the_end() {
    let mut desk = Desk::watching();
    desk.own(Clipboard, &["UTF8_STRING"]);
    desk.settle();
    let mut paster = desk.start(&["xclip", "-selection", "clipboard", "-o", "-t", "UTF8_STRING"]);
    let (_request, target) = desk.wanted(Clipboard);
    assert_eq!(target, "UTF8_STRING");
    desk.end();
    let status = paster.wait_exit(SOON);
    assert!(status.is_some_and(|status| !status.success()), "{status:?}");
}
