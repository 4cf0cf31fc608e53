//! The connection to the X server that everything of the clipboard goes over: its time, its events in their order, and
//! the windows of others that are watched.

use std::collections::{BTreeMap, VecDeque};

use x11rb::connection::{Connection as _, RequestConnection as _, SequenceNumber};
use x11rb::errors::{ConnectionError, ReplyError};
use x11rb::protocol::Event;
use x11rb::protocol::xfixes::ConnectionExt as _;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ChangeWindowAttributesAux, ConnectionExt as _, CreateWindowAux, EventMask, PropMode,
    SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, Timestamp, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use super::incr::Shape;
use super::names::Names;
use crate::desktop::x11::X11Error;
use crate::protocol::packet::clipboard::Selection;

x11rb::atom_manager! {
    /// The atoms that selections need.
    pub Atoms: AtomsCookie {
        ATOM_PAIR,
        CLIPBOARD,
        INCR,
        MULTIPLE,
        TARGETS,
        TIMESTAMP,
        _FARPANE_TIME,
    }
}

/// Bytes of a piece of a larger whole, and the most that is given at once.
const PIECE: usize = 256 * 1024;
/// What a request that changes a property needs beside the bytes, and some more.
const REQUEST_HEAD: usize = 64;
/// Words of a property that are fetched at a time: 1 MiB.
const PART_WORDS: u32 = 256 * 1024;

/// The connection, and what belongs to it.
pub struct Server {
    pub connection: RustConnection,
    pub atoms: Atoms,
    pub names: Names,
    /// The one that owns selections. It is never shown.
    pub window: Window,
    /// Bytes that are given at once at most.
    pub piece: usize,
    root: Window,
    /// Events that were seen while looking for another one.
    stash: VecDeque<(Event, SequenceNumber)>,
    /// Windows of others whose events are wanted, and how often.
    guests: BTreeMap<Window, usize>,
}

impl Server {
    /// Connects to `display` (`None`: `$DISPLAY`).
    pub fn connect(display: Option<&str>) -> Result<Self, X11Error> {
        let (connection, screen) = x11rb::connect(display)?;
        // INVARIANT: `connect` only succeeds for a screen that the server has.
        let root = connection.setup().roots.get(screen).expect("the default screen exists").root;
        let atoms = Atoms::new(&connection)?.reply()?;
        connection.xfixes_query_version(5, 0)?.reply()?;
        let piece = connection.maximum_request_bytes().saturating_sub(REQUEST_HEAD).min(PIECE);
        let mut server = Self {
            connection,
            atoms,
            names: Names::default(),
            window: x11rb::NONE,
            piece,
            root,
            stash: VecDeque::new(),
            guests: BTreeMap::new(),
        };
        server.window = server.new_window()?;
        Ok(server)
    }

    /// A window that is never shown and whose properties are watched.
    pub fn new_window(&self) -> Result<Window, X11Error> {
        let window = self.connection.generate_id()?;
        let events = CreateWindowAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        let class = WindowClass::INPUT_ONLY;
        let visual = x11rb::COPY_FROM_PARENT;
        self.connection.create_window(0, window, self.root, 0, 0, 1, 1, 0, class, visual, &events)?;
        Ok(window)
    }

    /// Whether a window was made over this connection.
    pub fn is_ours(&self, window: Window) -> bool {
        let setup = self.connection.setup();
        window & !setup.resource_id_mask == setup.resource_id_base
    }

    /// The next event, and the number of the last request of ours that the server had seen by then. Waits for none.
    pub fn next_event(&mut self) -> Result<Option<(Event, SequenceNumber)>, ConnectionError> {
        match self.stash.pop_front() {
            Some(event) => Ok(Some(event)),
            None => self.connection.poll_for_event_with_sequence(),
        }
    }

    /// Whether there are events that [`Self::next_event`] will give, also after all that could be read was read.
    pub fn has_events(&mut self) -> Result<bool, ConnectionError> {
        if self.stash.is_empty() {
            self.stash.extend(self.connection.poll_for_event_with_sequence()?);
        }
        Ok(!self.stash.is_empty())
    }

    /// What time the server has. It tells that with a change of a property (ICCCM §2.1).
    pub fn time(&mut self) -> Result<Timestamp, ReplyError> {
        let property = self.atoms._FARPANE_TIME;
        let kind = AtomEnum::INTEGER;
        let asked = self.connection.change_property8(PropMode::APPEND, self.window, property, kind, &[])?;
        let asked = asked.sequence_number();
        self.connection.sync()?;
        // Everything that came before the answer is here now.
        while let Some((event, at)) = self.connection.poll_for_event_with_sequence()? {
            match event {
                Event::PropertyNotify(event)
                    if at >= asked && event.window == self.window && event.atom == property =>
                {
                    return Ok(event.time);
                }
                event => self.stash.push_back((event, at)),
            }
        }
        // INVARIANT: a server that answers requests tells of the properties that they changed.
        Err(ConnectionError::UnknownError.into())
    }

    /// Who owns a selection ([`x11rb::NONE`]: nobody), and the number of that request.
    pub fn owner(&self, selection: Selection) -> Result<(Window, SequenceNumber), ReplyError> {
        let cookie = self.connection.get_selection_owner(self.atom_of(selection))?;
        let at = cookie.sequence_number();
        Ok((cookie.reply()?.owner, at))
    }

    /// Answers a request for a selection; [`x11rb::NONE`] as property: it is refused.
    pub fn notify(&self, request: &SelectionRequestEvent, property: Atom) -> Result<(), ConnectionError> {
        let answer = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: request.requestor,
            selection: request.selection,
            target: request.target,
            property,
        };
        self.connection.send_event(false, request.requestor, EventMask::NO_EVENT, answer)?;
        Ok(())
    }

    /// Watches somebody's window: its end and its properties. Returns whether it is there. Each call that returns true
    /// needs one of [`Self::leave`], unless the window ends.
    pub fn visit(&mut self, window: Window) -> Result<bool, ReplyError> {
        if let Some(visits) = self.guests.get_mut(&window) {
            *visits += 1;
            return Ok(true);
        }
        let events = EventMask::STRUCTURE_NOTIFY | EventMask::PROPERTY_CHANGE;
        let events = ChangeWindowAttributesAux::new().event_mask(events);
        match self.connection.change_window_attributes(window, &events)?.check() {
            Ok(()) => {
                self.guests.insert(window, 1);
                Ok(true)
            }
            Err(ReplyError::X11Error(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The end of a [`Self::visit`].
    pub fn leave(&mut self, window: Window) -> Result<(), ConnectionError> {
        let Some(visits) = self.guests.get_mut(&window) else { return Ok(()) };
        *visits -= 1;
        if *visits == 0 {
            self.guests.remove(&window);
            let events = ChangeWindowAttributesAux::new().event_mask(EventMask::NO_EVENT);
            self.connection.change_window_attributes(window, &events)?;
        }
        Ok(())
    }

    /// A window of somebody's ended.
    pub fn ended(&mut self, window: Window) {
        self.guests.remove(&window);
    }

    /// What is in a property of a window, without fetching it; `None` if there is no such property or window.
    pub fn shape(&self, window: Window, property: Atom) -> Result<Option<Shape>, ReplyError> {
        let cookie = self.connection.get_property(false, window, property, AtomEnum::ANY, 0, 0)?;
        let reply = match cookie.reply() {
            Err(ReplyError::X11Error(_)) => return Ok(None),
            reply => reply?,
        };
        let len = usize::try_from(reply.bytes_after).unwrap_or(usize::MAX);
        Ok((reply.type_ != x11rb::NONE).then_some(Shape { kind: reply.type_, bits: reply.format, len }))
    }

    /// Fetches a property and deletes it; `take` gets it in parts, and says whether it wants more.
    pub fn fetch(
        &self,
        window: Window,
        property: Atom,
        mut take: impl FnMut(Vec<u8>) -> bool,
    ) -> Result<(), ReplyError> {
        let mut offset = 0;
        loop {
            let any = AtomEnum::ANY;
            let reply = self.connection.get_property(true, window, property, any, offset, PART_WORDS)?;
            let reply = reply.reply()?;
            let (more, some) = (reply.bytes_after > 0, !reply.value.is_empty());
            if !take(reply.value) {
                self.connection.delete_property(window, property)?;
                return Ok(());
            }
            // The last part deletes it.
            if !more || !some {
                return Ok(());
            }
            offset += PART_WORDS;
        }
    }

    /// X's number of a selection.
    pub fn atom_of(&self, selection: Selection) -> Atom {
        match selection {
            Selection::Clipboard => self.atoms.CLIPBOARD,
            Selection::Primary => AtomEnum::PRIMARY.into(),
            Selection::Secondary => AtomEnum::SECONDARY.into(),
        }
    }

    /// The selection of this number.
    pub fn selection_of(&self, atom: Atom) -> Option<Selection> {
        Selection::ALL.into_iter().find(|selection| self.atom_of(*selection) == atom)
    }
}
