//! A client of the X server that does with selections what the test says, also what real programs do not.

use farpane::channel::clock;
use x11rb::CURRENT_TIME;
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ChangeWindowAttributesAux, ConnectionExt as _, CreateWindowAux, EventMask, PropMode,
    Property, SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, Timestamp, Window,
    WindowClass,
};
use x11rb::wrapper::ConnectionExt as _;

use crate::support::x11::X;

use super::desk::SOON;

pub struct Raw {
    pub x: X,
    pub window: Window,
}

/// What was in a property: type, format and bytes.
#[derive(Debug, PartialEq)]
pub struct Held {
    pub kind: String,
    pub format: u8,
    pub bytes: Vec<u8>,
}

impl Held {
    pub fn words(&self) -> Vec<u32> {
        self.bytes.chunks_exact(4).map(|word| u32::from_ne_bytes(word.try_into().expect("4"))).collect()
    }
}

impl Raw {
    pub fn connect(display: &str) -> Self {
        let x = X::connect(display);
        let window = Self::new_window(&x);
        // Every program that has text has that name.
        x.atom("UTF8_STRING");
        Self { x, window }
    }

    fn new_window(x: &X) -> Window {
        let window = x.connection.generate_id().expect("an id");
        let events = CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        let class = WindowClass::INPUT_ONLY;
        let c = &x.connection;
        c.create_window(0, window, x.root, 0, 0, 1, 1, 0, class, 0, &events).expect("X").check().expect("X");
        window
    }

    pub fn flush(&self) {
        self.x.connection.sync().expect("X");
    }

    /// The next event that is accepted; others are thrown away.
    #[track_caller]
    pub fn next<T>(&self, what: &str, mut accept: impl FnMut(Event) -> Option<T>) -> T {
        self.x.connection.flush().expect("X");
        let deadline = clock::now() + SOON;
        loop {
            while let Some(event) = self.x.connection.poll_for_event().expect("X") {
                if let Some(found) = accept(event) {
                    return found;
                }
            }
            assert!(clock::now() < deadline, "waited {SOON:?} in vain for: {what}");
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    /// The server's time.
    #[track_caller]
    pub fn time(&self) -> Timestamp {
        let property = self.x.atom("RAW_TIME");
        let kind = AtomEnum::INTEGER;
        let c = &self.x.connection;
        c.change_property8(PropMode::APPEND, self.window, property, kind, &[]).expect("X");
        self.next("the time", |event| match event {
            Event::PropertyNotify(event) if event.atom == property => Some(event.time),
            _ => None,
        })
    }

    /// Who owns a selection.
    pub fn owner(&self, selection: &str) -> Window {
        let c = &self.x.connection;
        c.get_selection_owner(self.x.atom(selection)).expect("X").reply().expect("an answer").owner
    }

    /// Owns a selection from now on; the time of that.
    #[track_caller]
    pub fn own(&self, selection: &str) -> Timestamp {
        let time = self.time();
        self.own_at(selection, time);
        assert_eq!(self.owner(selection), self.window);
        time
    }

    pub fn own_at(&self, selection: &str, time: Timestamp) {
        let c = &self.x.connection;
        c.set_selection_owner(self.window, self.x.atom(selection), time).expect("X");
        self.flush();
    }

    /// Asks for a selection.
    pub fn convert(&self, selection: &str, target: &str, property: Atom, time: Timestamp) {
        let (selection, target) = (self.x.atom(selection), self.x.atom(target));
        self.x.connection.convert_selection(self.window, selection, target, property, time).expect("X");
        self.flush();
    }

    /// Asks for a selection, to be answered into the property that is called like the target.
    pub fn ask(&self, selection: &str, target: &str) {
        self.convert(selection, target, self.x.atom(target), CURRENT_TIME);
    }

    /// The property of the next answer; 0: refused.
    #[track_caller]
    pub fn answered(&self) -> Atom {
        self.next("an answer", |event| match event {
            Event::SelectionNotify(event) => Some(event.property),
            _ => None,
        })
    }

    /// What is in a property of the window, which is deleted.
    #[track_caller]
    pub fn take(&self, property: Atom) -> Option<Held> {
        self.take_of(self.window, property)
    }

    #[track_caller]
    fn take_of(&self, window: Window, property: Atom) -> Option<Held> {
        let c = &self.x.connection;
        let any = AtomEnum::ANY;
        let reply = c.get_property(true, window, property, any, 0, 1 << 26).expect("X").reply().expect("one");
        (reply.type_ != 0).then(|| Held {
            kind: self.name(reply.type_),
            format: reply.format,
            bytes: reply.value,
        })
    }

    pub fn name(&self, atom: Atom) -> String {
        let name = self.x.connection.get_atom_name(atom).expect("X").reply().expect("an atom").name;
        String::from_utf8(name).expect("a name")
    }

    /// Asks for a selection that is answered at once.
    #[track_caller]
    pub fn get(&self, selection: &str, target: &str) -> Option<Held> {
        self.ask(selection, target);
        match self.answered() {
            0 => None,
            property => self.take(property),
        }
    }

    /// Takes what an `INCR` property announced: all pieces, each of which must come.
    #[track_caller]
    pub fn take_pieces(&self, property: Atom) -> Vec<Vec<u8>> {
        let mut pieces = Vec::new();
        loop {
            let piece = self.take_piece(property);
            if piece.is_empty() {
                return pieces;
            }
            pieces.push(piece);
        }
    }

    /// The next piece.
    #[track_caller]
    pub fn take_piece(&self, property: Atom) -> Vec<u8> {
        self.next("a piece", |event| match event {
            Event::PropertyNotify(event) if event.atom == property && event.state == Property::NEW_VALUE => {
                self.take(property).map(|held| held.bytes)
            }
            _ => None,
        })
    }

    /// The next question for what is owned.
    #[track_caller]
    pub fn asked(&self) -> SelectionRequestEvent {
        self.next("a question", |event| match event {
            Event::SelectionRequest(event) => Some(event),
            _ => None,
        })
    }

    pub fn put(&self, request: &SelectionRequestEvent, kind: &str, bytes: &[u8]) {
        let (c, kind) = (&self.x.connection, self.x.atom(kind));
        c.change_property8(PropMode::REPLACE, request.requestor, request.property, kind, bytes).expect("X");
    }

    pub fn put_words(&self, request: &SelectionRequestEvent, kind: &str, words: &[u32]) {
        let (c, kind) = (&self.x.connection, self.x.atom(kind));
        c.change_property32(PropMode::REPLACE, request.requestor, request.property, kind, words).expect("X");
    }

    /// Says that the answer is there (or, with property 0, that there is none).
    pub fn notify(&self, request: &SelectionRequestEvent, property: Atom) {
        let answer = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: request.requestor,
            selection: request.selection,
            target: request.target,
            property,
        };
        self.x.connection.send_event(false, request.requestor, EventMask::NO_EVENT, answer).expect("X");
        self.flush();
    }

    /// Gives all at once.
    pub fn give(&self, request: &SelectionRequestEvent, kind: &str, bytes: &[u8]) {
        self.put(request, kind, bytes);
        self.notify(request, request.property);
    }

    /// Announces contents in pieces, of which it says that they have this size.
    pub fn announce(&self, request: &SelectionRequestEvent, size: u32) {
        let events = ChangeWindowAttributesAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        self.x.connection.change_window_attributes(request.requestor, &events).expect("X");
        self.put_words(request, "INCR", &[size]);
        self.notify(request, request.property);
    }

    /// Whether there is nothing in the property that a question named, or no window.
    pub fn is_empty(&self, request: &SelectionRequestEvent) -> bool {
        let (c, any) = (&self.x.connection, AtomEnum::ANY);
        let cookie = c.get_property(false, request.requestor, request.property, any, 0, 0).expect("X");
        cookie.reply().map_or(true, |reply| reply.type_ == 0)
    }

    pub fn is_there(&self, window: Window) -> bool {
        self.x.connection.get_geometry(window).expect("X").reply().is_ok()
    }

    /// Whether the server has an atom of this name.
    pub fn known(&self, name: &str) -> bool {
        let atom = self.x.connection.intern_atom(true, name.as_bytes()).expect("X").reply().expect("one");
        atom.atom != 0
    }

    /// Ends the connection of the one who asked.
    pub fn kill(&self, request: &SelectionRequestEvent) {
        self.x.connection.kill_client(request.requestor).expect("X");
        self.flush();
    }

    /// Waits until the requestor wants the next piece.
    #[track_caller]
    pub fn wait_taken(&self, request: &SelectionRequestEvent) {
        self.next("somebody who takes the piece", |event| match event {
            Event::PropertyNotify(event) => (event.window == request.requestor
                && event.atom == request.property
                && event.state == Property::DELETE)
                .then_some(()),
            _ => None,
        });
    }
}
