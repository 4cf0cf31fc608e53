//! The desktop's side of the clipboard on a display of its own, with the test in the session's place.

use std::time::Duration;

use farpane::channel::Queue;
use farpane::desktop::clipboard::ClipboardBackend as _;
use farpane::desktop::x11::selections::{Patience, Selections};
use farpane::protocol::packet::clipboard::{Contents, Data, Selection};
use farpane::session::clipboard::{FromDesktop, ToDesktop, Unreadable};

use crate::support::display::Display;
use crate::support::program::{Launch, Program};
use crate::support::slots::Slot;
use crate::support::wait_for;

use super::raw::Raw;

/// How long something may take on a busy machine.
pub const SOON: Duration = Duration::from_secs(45);

/// A limit that passes while the test waits.
pub const SHORT: Duration = Duration::from_millis(300);

/// More than is ever read in tests.
pub const ENOUGH: usize = 64 << 20;

pub struct Desk {
    selections: Option<Selections>,
    said: Queue<FromDesktop>,
    read: u64,
    pub display: Display,
    _slot: Slot,
}

impl Desk {
    /// On a display where nobody owns anything yet.
    pub fn new() -> Self {
        Self::with(Patience::default())
    }

    pub fn with(patience: Patience) -> Self {
        Self::on(Display::bare(), patience)
    }

    pub fn on(display: Display, patience: Patience) -> Self {
        let slot = Slot::take();
        let said = Queue::default();
        let to = said.clone();
        let sink = Box::new(move |event| to.push(event));
        let selections = Selections::open(Some(display.name()), patience, sink).expect("a thread");
        Self { selections: Some(selections), said, read: 0, display, _slot: slot }
    }

    /// One that watches everything, on a display where nobody owns anything.
    pub fn watching() -> Self {
        Self::new().watch()
    }

    /// One where a raw client owns CLIPBOARD.
    pub fn with_owner() -> (Self, Raw) {
        let desk = Self::watching();
        let raw = desk.raw();
        raw.own("CLIPBOARD");
        desk.owned(Selection::Clipboard);
        (desk, raw)
    }

    pub fn watch(self) -> Self {
        self.send(ToDesktop::Watch(Selection::ALL.into()));
        for selection in Selection::ALL {
            self.unowned(selection);
        }
        // What was sent before is done when a question is answered.
        let mut desk = self;
        desk.settle();
        desk
    }

    pub fn send(&self, message: ToDesktop) {
        self.selections.as_ref().expect("not ended").send(message);
    }

    /// Ends the desktop's side.
    pub fn end(&mut self) {
        self.selections = None;
    }

    pub fn own(&self, selection: Selection, targets: &[&str]) {
        let targets = targets.iter().map(|target| (*target).to_owned()).collect();
        self.send(ToDesktop::Own { selection, targets });
    }

    /// The next thing that is said.
    #[track_caller]
    pub fn next(&self, what: &str) -> FromDesktop {
        self.said.pop(Some(SOON)).unwrap_or_else(|| panic!("waited {SOON:?} in vain for: {what}"))
    }

    /// Waits until all that was sent was done, by a question that nobody can answer. Panics if something else is said.
    #[track_caller]
    pub fn settle(&mut self) {
        let request = self.ask(Selection::Secondary, "FARPANE_TEST_NOBODY_HAS_THIS", 0);
        match self.next("an answer") {
            FromDesktop::Contents { request: answered, result: Err(_) } if answered == request => {}
            other => panic!("was told {other:?}"),
        }
    }

    /// Waits for an owner. Panics if something else is said before.
    #[track_caller]
    pub fn owned(&self, selection: Selection) {
        match self.next("an owner") {
            FromDesktop::Owned(owned) if owned == selection => {}
            other => panic!("was told {other:?} instead of an owner of {selection}"),
        }
    }

    /// Waits for the end of an owner, or for the news that there is none.
    #[track_caller]
    pub fn unowned(&self, selection: Selection) {
        match self.next("the end of an owner") {
            FromDesktop::Unowned(unowned) if unowned == selection => {}
            other => panic!("was told {other:?} instead of an end of {selection}"),
        }
    }

    /// Asks without waiting.
    pub fn ask(&mut self, selection: Selection, target: &str, max_bytes: usize) -> u64 {
        self.read += 1;
        let request = self.read;
        self.send(ToDesktop::Read { request, selection, target: target.to_owned(), max_bytes });
        request
    }

    /// The answer to a question. Panics if something else is said before.
    #[track_caller]
    pub fn answer_to(&self, request: u64) -> Result<Contents, Unreadable> {
        match self.next("an answer") {
            FromDesktop::Contents { request: answered, result } if answered == request => result,
            other => panic!("was told {other:?} instead of the answer to {request}"),
        }
    }

    #[track_caller]
    pub fn read(&mut self, selection: Selection, target: &str) -> Result<Contents, Unreadable> {
        let request = self.ask(selection, target, ENOUGH);
        self.answer_to(request)
    }

    /// Waits for somebody who wants something. Panics if something else is said before.
    #[track_caller]
    pub fn wanted(&self, selection: Selection) -> (u64, String) {
        match self.next("somebody who pastes") {
            FromDesktop::Wanted { request, selection: wanted, target } if wanted == selection => {
                (request, target)
            }
            other => panic!("was told {other:?} instead of who wants {selection}"),
        }
    }

    pub fn answer(&self, request: u64, contents: Option<Contents>) {
        self.send(ToDesktop::Answer { request, contents });
    }

    pub fn raw(&self) -> Raw {
        Raw::connect(self.display.name())
    }

    /// Starts a program on the display.
    pub fn start(&self, words: &[&str]) -> Program {
        Launch::new(words[0]).args(&words[1..]).env("DISPLAY", self.display.name()).start()
    }

    /// Copies with xclip: `name` is that of the selection.
    pub fn xclip(&self, name: &str, bytes: &[u8]) -> Program {
        let launch = Launch::new("xclip").env("DISPLAY", self.display.name());
        let file = launch.directory().join("copied");
        std::fs::write(&file, bytes).expect("a file");
        launch.args(["-selection", name, "-i", &file.display().to_string()]).start()
    }

    /// What a program that pastes wrote to its stdout, when it ended well.
    #[track_caller]
    pub fn pasted(&self, program: &mut Program) -> Vec<u8> {
        let status = program.wait_exit(SOON).expect("the program that pastes ends");
        assert!(status.success(), "{status}: {}", program.stderr());
        std::fs::read(program.directory().join("stdout")).expect("what it wrote")
    }

    /// Waits until a selection has this owner.
    #[track_caller]
    pub fn wait_owner(&self, selection: Selection, accept: impl Fn(u32) -> bool) {
        let raw = self.raw();
        let owner = || raw.owner(selection.name());
        wait_for("another owner", SOON, || format!("{:#x}", owner()), || accept(owner()).then_some(()));
    }
}

/// Bytes of contents of format 8.
#[track_caller]
pub fn bytes(contents: &Contents) -> &[u8] {
    match &contents.data {
        Data::Bytes(bytes) => bytes,
        other => panic!("{other:?}"),
    }
}

/// Bytes that look like nothing, and everywhere different.
pub fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..len).map(|_| next()).collect()
}
