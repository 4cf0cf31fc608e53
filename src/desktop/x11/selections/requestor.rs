//! Asks local programs for what they have in a selection (ICCCM §2.4). Each question has a window of its own, so that an
//! answer that comes late is never taken for another one; windows are used again when all was said there. The property
//! has another name in each: xsel 1.2 tells transfers in pieces apart by that alone.

use std::collections::VecDeque;
use std::time::Instant;

use x11rb::connection::SequenceNumber;
use x11rb::errors::ReplyError;
use x11rb::protocol::xproto::{Atom, ConnectionExt as _, SelectionNotifyEvent, Timestamp, Window};

use super::Patience;
use super::contents;
use super::incr::{Piece, Receiving};
use super::server::Server;
use crate::desktop::x11::X11Error;
use crate::protocol::packet::clipboard::{Contents, Selection};
use crate::session::clipboard::{FromDesktop, Unreadable};

/// Questions that may be open at a time; more are refused.
const MAX_OPEN: usize = 16;
/// Questions that may be answered late; beyond that the oldest is forgotten.
const MAX_LATE: usize = 32;

/// Places rest while this many others are used: some owners say again that they are done.
const MIN_IDLE: usize = 4;

/// What was asked for.
pub struct Requestor {
    questions: Vec<Question>,
    /// Places that nobody writes to any more, those that rested longest first.
    idle: VecDeque<Place>,
    /// Names of properties whose windows are no more.
    free: Vec<Atom>,
    /// Names that there are.
    named: usize,
    patience: Patience,
}

/// Where an answer comes.
#[derive(Clone, Copy)]
struct Place {
    window: Window,
    property: Atom,
}

struct Question {
    place: Place,
    /// When, by the server's time.
    time: Timestamp,
    /// The owner's window; [`x11rb::NONE`] when it is gone.
    owner: Window,
    selection: Selection,
    target: Atom,
    /// The number of the session's request; `None` when that was answered. What comes then is thrown away, so
    /// that the owner gets to the end of it.
    request: Option<u64>,
    max_bytes: usize,
    /// `None`: there was no answer yet.
    pieces: Option<Receiving>,
    /// The request by which the owner was known.
    at: SequenceNumber,
    deadline: Instant,
}

/// A question of the session.
pub struct Read {
    pub request: u64,
    pub selection: Selection,
    pub target: String,
    pub max_bytes: usize,
}

impl Requestor {
    pub fn new(patience: Patience) -> Self {
        Self { questions: Vec::new(), idle: VecDeque::new(), free: Vec::new(), named: 0, patience }
    }

    /// Asks for something.
    pub fn ask(
        &mut self,
        server: &mut Server,
        read: &Read,
        now: Instant,
        out: &mut Vec<FromDesktop>,
    ) -> Result<(), X11Error> {
        match self.try_ask(server, read, now)? {
            Ok(question) => self.questions.push(question),
            Err(error) => out.push(FromDesktop::Contents { request: read.request, result: Err(error) }),
        }
        Ok(())
    }

    fn try_ask(
        &mut self,
        server: &mut Server,
        read: &Read,
        now: Instant,
    ) -> Result<Result<Question, Unreadable>, X11Error> {
        let selection = read.selection;
        if self.questions.iter().filter(|question| question.request.is_some()).count() >= MAX_OPEN {
            return Ok(Err(Unreadable::Refused));
        }
        let (owner, at) = server.owner(selection)?;
        if owner == x11rb::NONE || owner == server.window {
            return Ok(Err(Unreadable::Gone));
        }
        // A name that the server never heard of is offered by nobody.
        let Some(target) = server.names.find(&server.connection, &read.target)? else {
            return Ok(Err(Unreadable::Refused));
        };
        if !server.visit(owner)? {
            return Ok(Err(Unreadable::Gone));
        }
        let rested = if self.idle.len() >= MIN_IDLE { self.idle.pop_front() } else { None };
        let place = match rested {
            Some(place) => place,
            None => self.new_place(server)?,
        };
        let time = server.time()?;
        server.connection.delete_property(place.window, place.property)?;
        let atom = server.atom_of(selection);
        server.connection.convert_selection(place.window, atom, target, place.property, time)?;
        Ok(Ok(Question {
            place,
            time,
            owner,
            selection,
            target,
            request: Some(read.request),
            max_bytes: read.max_bytes,
            pieces: None,
            at,
            deadline: now + self.patience.read,
        }))
    }

    fn new_place(&mut self, server: &Server) -> Result<Place, X11Error> {
        let property = match self.free.pop() {
            Some(property) => property,
            None => {
                let name = format!("_FARPANE_CLIPBOARD_{}", self.named);
                self.named += 1;
                server.connection.intern_atom(false, name.as_bytes())?.reply()?.atom
            }
        };
        Ok(Place { window: server.new_window()?, property })
    }

    /// An owner answered.
    pub fn notified(
        &mut self,
        server: &mut Server,
        event: &SelectionNotifyEvent,
        now: Instant,
        out: &mut Vec<FromDesktop>,
    ) -> Result<(), ReplyError> {
        // Some versions of xsel name another target when pieces come.
        let is_target = |target: Atom| [target, server.atoms.INCR].contains(&event.target);
        let is_it = |question: &Question| {
            question.place.window == event.requestor
                && is_target(question.target)
                && question.pieces.is_none()
        };
        let Some(index) = self.questions.iter().position(is_it) else { return Ok(()) };
        let Some(question) = self.questions.get_mut(index) else { return Ok(()) };
        let Place { window, property } = question.place;
        let shape = if event.property == property { server.shape(window, property)? } else { None };
        let Some(shape) = shape else {
            // xsel 1.2 says again that an answer is there, when all its pieces were taken. That is an old time, and
            // nothing is there.
            let is_old = ![question.time, x11rb::CURRENT_TIME].contains(&event.time);
            return if is_old { Ok(()) } else { self.close(server, index, Err(Unreadable::Refused), out) };
        };
        if shape.kind == server.atoms.INCR {
            question.pieces = Some(Receiving::new(question.max_bytes));
            question.deadline = now + self.patience.read;
            server.connection.delete_property(window, property)?;
            return Ok(());
        }
        let mut whole = Receiving::new(question.max_bytes);
        let target = question.target;
        let result = match (question.request, whole.announce(shape)) {
            (Some(_), Ok(_)) => take(server, question.place, &mut whole)?,
            (None, _) => Err(Unreadable::Gone),
            (_, Err(error)) => Err(error),
        };
        let result = match result {
            Ok(()) => finish(server, target, &mut whole)?,
            Err(error) => Err(error),
        };
        server.connection.delete_property(window, property)?;
        self.close(server, index, result, out)
    }

    /// A property of one of our windows is there: perhaps a piece of something.
    pub fn written(
        &mut self,
        server: &mut Server,
        window: Window,
        property: Atom,
        now: Instant,
        out: &mut Vec<FromDesktop>,
    ) -> Result<(), ReplyError> {
        let is_it = |question: &Question| {
            (question.place.window, question.place.property) == (window, property)
                && question.pieces.is_some()
        };
        let Some(index) = self.questions.iter().position(is_it) else { return Ok(()) };
        let Some(question) = self.questions.get_mut(index) else { return Ok(()) };
        let Some(pieces) = question.pieces.as_mut() else { return Ok(()) };
        // What an earlier event told of may be fetched already.
        let Some(shape) = server.shape(window, property)? else { return Ok(()) };
        if question.request.is_none() {
            server.connection.delete_property(window, property)?;
            question.deadline = now + self.patience.late;
            if shape.len == 0 {
                return self.close(server, index, Err(Unreadable::Gone), out);
            }
            return Ok(());
        }
        let result = match pieces.announce(shape) {
            Ok(Piece::Take) => take(server, question.place, pieces)?,
            Ok(Piece::End) => {
                let result = finish(server, question.target, pieces)?;
                server.connection.delete_property(window, property)?;
                return self.close(server, index, result, out);
            }
            Err(error) => {
                server.connection.delete_property(window, property)?;
                Err(error)
            }
        };
        question.deadline = now + self.patience.read;
        if let Err(error) = result {
            self.give_up(server, index, error, now, out)?;
        }
        Ok(())
    }

    /// A window ended: if it was an owner's, no answer will come.
    pub fn ended(
        &mut self,
        server: &mut Server,
        window: Window,
        now: Instant,
        out: &mut Vec<FromDesktop>,
    ) -> Result<(), ReplyError> {
        for question in self.questions.iter_mut().filter(|question| question.owner == window) {
            question.owner = x11rb::NONE;
        }
        self.give_up_where(server, Unreadable::Gone, now, out, |question| question.owner == x11rb::NONE)
    }

    /// Somebody else owns a selection, or nobody: what the former owner had is not in it any more.
    pub fn superseded(
        &mut self,
        server: &mut Server,
        selection: Selection,
        owner: Window,
        at: SequenceNumber,
        now: Instant,
        out: &mut Vec<FromDesktop>,
    ) -> Result<(), ReplyError> {
        self.give_up_where(server, Unreadable::Gone, now, out, |question| {
            question.selection == selection && question.owner != owner && at >= question.at
        })
    }

    /// When [`Self::expire`] has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        self.questions.iter().map(|question| question.deadline).min()
    }

    /// Ends what took too long.
    pub fn expire(
        &mut self,
        server: &mut Server,
        now: Instant,
        out: &mut Vec<FromDesktop>,
    ) -> Result<(), ReplyError> {
        let is_late = |question: &Question| question.request.is_none() && question.deadline <= now;
        while let Some(index) = self.questions.iter().position(is_late) {
            self.abandon(server, index)?;
        }
        self.give_up_where(server, Unreadable::TimedOut, now, out, |question| question.deadline <= now)
    }

    /// All questions that are open are answered: there is no server any more.
    pub fn give_up_all(&mut self, out: &mut Vec<FromDesktop>) {
        for request in self.questions.drain(..).filter_map(|question| question.request) {
            out.push(FromDesktop::Contents { request, result: Err(Unreadable::Gone) });
        }
    }

    fn give_up_where(
        &mut self,
        server: &mut Server,
        error: Unreadable,
        now: Instant,
        out: &mut Vec<FromDesktop>,
        is_over: impl Fn(&Question) -> bool,
    ) -> Result<(), ReplyError> {
        let is_it = |question: &Question| question.request.is_some() && is_over(question);
        while let Some(index) = self.questions.iter().position(is_it) {
            self.give_up(server, index, error, now, out)?;
        }
        Ok(())
    }

    /// Answers a question though its owner may not be done: what comes from there is thrown away.
    fn give_up(
        &mut self,
        server: &mut Server,
        index: usize,
        error: Unreadable,
        now: Instant,
        out: &mut Vec<FromDesktop>,
    ) -> Result<(), ReplyError> {
        let Some(question) = self.questions.get_mut(index) else { return Ok(()) };
        if let Some(request) = question.request.take() {
            out.push(FromDesktop::Contents { request, result: Err(error) });
        }
        question.deadline = now + self.patience.late;
        if question.pieces.is_some() {
            // Nothing of it is kept.
            question.pieces = Some(Receiving::new(0));
            // A piece that was there already.
            server.connection.delete_property(question.place.window, question.place.property)?;
        }
        let late = |question: &Question| question.request.is_none();
        if self.questions.iter().filter(|question| late(question)).count() > MAX_LATE
            && let Some(oldest) = self.questions.iter().position(late)
        {
            self.abandon(server, oldest)?;
        }
        Ok(())
    }

    /// Ends a question to which all was said.
    fn close(
        &mut self,
        server: &mut Server,
        index: usize,
        result: Result<Contents, Unreadable>,
        out: &mut Vec<FromDesktop>,
    ) -> Result<(), ReplyError> {
        let question = self.questions.remove(index);
        if let Some(request) = question.request {
            out.push(FromDesktop::Contents { request, result });
        }
        self.idle.push_back(question.place);
        Ok(server.leave(question.owner)?)
    }

    /// Ends a question whose owner said nothing for long, with its window.
    fn abandon(&mut self, server: &mut Server, index: usize) -> Result<(), ReplyError> {
        let question = self.questions.remove(index);
        server.connection.destroy_window(question.place.window)?;
        self.free.push(question.place.property);
        Ok(server.leave(question.owner)?)
    }
}

/// Fetches what is in the property of one of our windows.
fn take(server: &Server, place: Place, into: &mut Receiving) -> Result<Result<(), Unreadable>, ReplyError> {
    let mut result = Ok(());
    server.fetch(place.window, place.property, |part| {
        result = into.push(part);
        result.is_ok()
    })?;
    Ok(result)
}

fn finish(
    server: &mut Server,
    target: Atom,
    pieces: &mut Receiving,
) -> Result<Result<Contents, Unreadable>, ReplyError> {
    let (kind, bits, bytes) = pieces.finish();
    contents::read(server, target, kind, bits, bytes)
}
