//! Selections that this program owns for the session, and local programs that ask for them (ICCCM §2.1 to §2.7).

use std::collections::BTreeMap;
use std::time::Instant;

use x11rb::connection::SequenceNumber;
use x11rb::errors::ReplyError;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ConnectionExt as _, PropMode, SelectionRequestEvent, Timestamp, Window,
};
use x11rb::wrapper::ConnectionExt as _;

use super::Patience;
use super::contents::{self, Written};
use super::incr::Sending;
use super::server::Server;
use super::watch::Watch;
use crate::protocol::packet::clipboard::{Contents, MAX_TARGETS, Selection};
use crate::session::clipboard::FromDesktop;

/// Answers that the session may owe at a time; what is asked beyond is refused.
const MAX_WANTED: usize = 64;
/// Targets that may be asked for at once by `MULTIPLE`.
const MAX_PAIRS: u32 = 32;
/// Transfers in pieces at a time.
const MAX_TRANSFERS: usize = 64;
/// Memory of all transfers together; one is always taken.
const MAX_HELD_BYTES: usize = 64 << 20;

/// What this program owns, and who wants it.
pub struct Owner {
    owned: BTreeMap<Selection, Owned>,
    asked: Vec<Asked>,
    transfers: Vec<Transfer>,
    /// Number of the next answer that is wanted.
    next: u64,
    patience: Patience,
}

/// A selection that this program owns.
struct Owned {
    /// When that began, by the server's time, whatever was copied since.
    since: Timestamp,
    /// Of what is owned now.
    time: Timestamp,
    /// The request after which it was known to be owned.
    at: SequenceNumber,
    targets: Vec<(Atom, String)>,
}

/// A program that asked for a selection.
struct Asked {
    request: SelectionRequestEvent,
    /// The property that the answer goes to.
    property: Atom,
    /// One, or those of a `MULTIPLE`.
    parts: Vec<Part>,
    deadline: Instant,
}

struct Part {
    target: Atom,
    property: Atom,
    state: PartState,
}

#[derive(Clone, Copy, PartialEq)]
enum PartState {
    /// The session is asked, with this number.
    Wanted(u64),
    Given,
    Refused,
}

/// Contents that a program takes in pieces.
struct Transfer {
    window: Window,
    property: Atom,
    kind: Atom,
    sending: Sending,
    /// The request that wrote the piece that is to be deleted next.
    at: SequenceNumber,
    deadline: Instant,
}

impl Owner {
    pub fn new(patience: Patience) -> Self {
        Self { owned: BTreeMap::new(), asked: Vec::new(), transfers: Vec::new(), next: 1, patience }
    }

    /// Owns a selection from now on, with these targets.
    pub fn own(
        &mut self,
        server: &mut Server,
        watch: &mut Watch,
        selection: Selection,
        mut targets: Vec<String>,
        out: &mut Vec<FromDesktop>,
    ) -> Result<(), ReplyError> {
        targets.truncate(MAX_TARGETS);
        targets.retain(|name| !matches!(name.as_str(), "TARGETS" | "MULTIPLE" | "TIMESTAMP" | "INCR"));
        let targets = server.names.make(&server.connection, &targets)?;
        let time = server.time()?;
        server.connection.set_selection_owner(server.window, server.atom_of(selection), time)?;
        let (owner, at) = server.owner(selection)?;
        if owner == server.window {
            let since = self.owned.get(&selection).map_or(time, |owned| owned.since);
            self.owned.insert(selection, Owned { since, time, at, targets });
        } else {
            // Somebody else was faster.
            self.owned.remove(&selection);
        }
        watch.found(server, selection, owner, at, out);
        Ok(())
    }

    /// Nobody owns the selection any more, if it was this program.
    pub fn release(
        &mut self,
        server: &Server,
        watch: &mut Watch,
        selection: Selection,
    ) -> Result<(), ReplyError> {
        if let Some(owned) = self.owned.remove(&selection) {
            let atom = server.atom_of(selection);
            server.connection.set_selection_owner(x11rb::NONE, atom, owned.time)?;
            watch.released(server, selection);
        }
        Ok(())
    }

    /// The same for all selections but these.
    pub fn release_others(
        &mut self,
        server: &Server,
        watch: &mut Watch,
        but: &[Selection],
    ) -> Result<(), ReplyError> {
        let others = Selection::ALL.into_iter().filter(|selection| !but.contains(selection));
        others.into_iter().try_for_each(|selection| self.release(server, watch, selection))
    }

    /// Somebody else owns the selection now, or nobody.
    pub fn cleared(&mut self, server: &Server, atom: Atom, at: SequenceNumber) {
        let Some(selection) = server.selection_of(atom) else { return };
        if self.owned.get(&selection).is_some_and(|owned| at >= owned.at) {
            self.owned.remove(&selection);
        }
    }

    /// Everybody who waits is refused. What is given in pieces already goes on.
    pub fn refuse_all(&mut self, server: &mut Server, out: &mut Vec<FromDesktop>) -> Result<(), ReplyError> {
        while !self.asked.is_empty() {
            self.refuse(server, 0, out)?;
        }
        Ok(())
    }

    /// A program asks for a selection.
    pub fn requested(
        &mut self,
        server: &mut Server,
        request: SelectionRequestEvent,
        now: Instant,
        out: &mut Vec<FromDesktop>,
    ) -> Result<(), ReplyError> {
        if server.is_ours(request.requestor) || !server.visit(request.requestor)? {
            return Ok(());
        }
        // Old programs name none and expect the target's name (ICCCM §2.2).
        let property = if request.property == x11rb::NONE { request.target } else { request.property };
        let mut asked = Asked { request, property, parts: Vec::new(), deadline: now + self.patience.answer };
        if let Some(selection) = self.is_owned(server, &request) {
            for (target, property) in pairs(server, &request, property)? {
                let state =
                    self.part(server, &asked.request, selection, target, property, asked.parts.len(), out)?;
                asked.parts.push(Part { target, property, state });
            }
        }
        let waits = asked.parts.iter().any(|part| matches!(part.state, PartState::Wanted(_)));
        if waits {
            self.asked.push(asked);
            return Ok(());
        }
        finish(server, &asked)
    }

    /// The selection that is asked for, if this program owned it at the time of the request.
    fn is_owned(&self, server: &Server, request: &SelectionRequestEvent) -> Option<Selection> {
        let selection = server.selection_of(request.selection)?;
        let owned = self.owned.get(&selection).filter(|_| request.owner == server.window)?;
        let is_before = request.time != x11rb::CURRENT_TIME
            && request.time.wrapping_sub(owned.since) > Timestamp::MAX / 2;
        (!is_before).then_some(selection)
    }

    /// Answers one target as far as that can be done here, and asks the session for the rest.
    fn part(
        &mut self,
        server: &Server,
        request: &SelectionRequestEvent,
        selection: Selection,
        target: Atom,
        property: Atom,
        before: usize,
        out: &mut Vec<FromDesktop>,
    ) -> Result<PartState, ReplyError> {
        let Some(owned) = self.owned.get(&selection) else { return Ok(PartState::Refused) };
        let (connection, atoms, window) = (&server.connection, &server.atoms, request.requestor);
        if property == x11rb::NONE {
            return Ok(PartState::Refused);
        }
        if target == atoms.TARGETS {
            let here = [atoms.TARGETS, atoms.MULTIPLE, atoms.TIMESTAMP];
            let all: Vec<Atom> =
                here.into_iter().chain(owned.targets.iter().map(|(atom, _)| *atom)).collect();
            connection.change_property32(PropMode::REPLACE, window, property, AtomEnum::ATOM, &all)?;
            return Ok(PartState::Given);
        }
        if target == atoms.TIMESTAMP {
            let time = [owned.time];
            connection.change_property32(PropMode::REPLACE, window, property, AtomEnum::INTEGER, &time)?;
            return Ok(PartState::Given);
        }
        let Some((_, name)) = owned.targets.iter().find(|(atom, _)| *atom == target) else {
            return Ok(PartState::Refused);
        };
        let waiting = self.asked.iter().map(|asked| asked.parts.len()).sum::<usize>() + before;
        if waiting >= MAX_WANTED {
            tracing::debug!(%selection, "too many programs wait for the clipboard: refused");
            return Ok(PartState::Refused);
        }
        let number = self.next;
        self.next += 1;
        out.push(FromDesktop::Wanted { request: number, selection, target: name.clone() });
        Ok(PartState::Wanted(number))
    }

    /// The session's answer.
    pub fn answer(
        &mut self,
        server: &mut Server,
        number: u64,
        contents: Option<Contents>,
        now: Instant,
    ) -> Result<(), ReplyError> {
        let wanted = |part: &Part| part.state == PartState::Wanted(number);
        let Some(index) = self.asked.iter().position(|asked| asked.parts.iter().any(wanted)) else {
            return Ok(());
        };
        let Some(asked) = self.asked.get(index) else { return Ok(()) };
        let window = asked.request.requestor;
        let deadline = asked.deadline.max(now) + self.patience.piece;
        let Some(place) = asked.parts.iter().position(wanted) else { return Ok(()) };
        let Some(property) = asked.parts.get(place).map(|part| part.property) else { return Ok(()) };
        let written = match contents {
            Some(contents) if self.has_room(&contents) => {
                contents::write(server, window, property, contents)?
            }
            _ => Written::Refused,
        };
        let state = match written {
            Written::Whole => PartState::Given,
            Written::Refused => PartState::Refused,
            Written::Announced(sending, kind, at) => {
                // Who uses a property again does not wait for what was to come there.
                self.end_transfers(server, |transfer| {
                    transfer.window == window && transfer.property == property
                })?;
                if server.visit(window)? {
                    self.transfers.push(Transfer { window, property, kind, sending, at, deadline });
                }
                PartState::Given
            }
        };
        let Some(asked) = self.asked.get_mut(index) else { return Ok(()) };
        if let Some(part) = asked.parts.get_mut(place) {
            part.state = state;
        }
        if !asked.parts.iter().any(|part| matches!(part.state, PartState::Wanted(_))) {
            let asked = self.asked.remove(index);
            finish(server, &asked)?;
        }
        Ok(())
    }

    fn has_room(&self, contents: &Contents) -> bool {
        let held: usize = self.transfers.iter().map(|transfer| transfer.sending.retained_bytes()).sum();
        self.transfers.len() < MAX_TRANSFERS
            && (self.transfers.is_empty() || held.saturating_add(contents.len()) <= MAX_HELD_BYTES)
    }

    /// A property of somebody's window was deleted: if it held a piece, here is the next one.
    pub fn deleted(
        &mut self,
        server: &mut Server,
        window: Window,
        property: Atom,
        at: SequenceNumber,
        now: Instant,
    ) -> Result<(), ReplyError> {
        let is_it = |transfer: &Transfer| {
            transfer.window == window && transfer.property == property && at >= transfer.at
        };
        let Some(index) = self.transfers.iter().position(is_it) else { return Ok(()) };
        let Some(transfer) = self.transfers.get_mut(index) else { return Ok(()) };
        let over = match transfer.sending.next_piece() {
            Some(piece) => {
                let (mode, kind) = (PropMode::REPLACE, transfer.kind);
                let cookie = server.connection.change_property8(mode, window, property, kind, piece)?;
                transfer.at = cookie.sequence_number();
                transfer.deadline = now + self.patience.piece;
                piece.is_empty()
            }
            None => true,
        };
        if over {
            self.transfers.swap_remove(index);
            server.leave(window)?;
        }
        Ok(())
    }

    /// A window ended: nobody waits there any more.
    pub fn ended(&mut self, window: Window, out: &mut Vec<FromDesktop>) {
        self.transfers.retain(|transfer| transfer.window != window);
        self.asked.retain(|asked| {
            let stays = asked.request.requestor != window;
            if !stays {
                forget(asked, out);
            }
            stays
        });
    }

    /// When [`Self::expire`] has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        let asked = self.asked.iter().map(|asked| asked.deadline);
        asked.chain(self.transfers.iter().map(|transfer| transfer.deadline)).min()
    }

    /// Ends what took too long.
    pub fn expire(
        &mut self,
        server: &mut Server,
        now: Instant,
        out: &mut Vec<FromDesktop>,
    ) -> Result<(), ReplyError> {
        while let Some(index) = self.asked.iter().position(|asked| asked.deadline <= now) {
            self.refuse(server, index, out)?;
        }
        self.end_transfers(server, |transfer| transfer.deadline <= now)
    }

    /// What is still wanted of this request is refused.
    fn refuse(
        &mut self,
        server: &mut Server,
        index: usize,
        out: &mut Vec<FromDesktop>,
    ) -> Result<(), ReplyError> {
        let mut asked = self.asked.remove(index);
        forget(&asked, out);
        for part in &mut asked.parts {
            if matches!(part.state, PartState::Wanted(_)) {
                part.state = PartState::Refused;
            }
        }
        finish(server, &asked)
    }

    fn end_transfers(
        &mut self,
        server: &mut Server,
        is_over: impl Fn(&Transfer) -> bool,
    ) -> Result<(), ReplyError> {
        while let Some(index) = self.transfers.iter().position(&is_over) {
            let transfer = self.transfers.swap_remove(index);
            server.leave(transfer.window)?;
        }
        Ok(())
    }
}

/// What is asked for: targets, and the properties that they go to. Nothing if it cannot be understood.
fn pairs(
    server: &Server,
    request: &SelectionRequestEvent,
    property: Atom,
) -> Result<Vec<(Atom, Atom)>, ReplyError> {
    if request.target != server.atoms.MULTIPLE {
        return Ok(vec![(request.target, property)]);
    }
    if request.property == x11rb::NONE {
        return Ok(Vec::new());
    }
    let any = AtomEnum::ANY;
    let (window, words) = (request.requestor, 2 * MAX_PAIRS);
    let reply = match server.connection.get_property(false, window, property, any, 0, words)?.reply() {
        // It is gone.
        Err(ReplyError::X11Error(_)) => return Ok(Vec::new()),
        reply => reply?,
    };
    let Some(atoms) = reply.value32().filter(|_| reply.bytes_after == 0) else { return Ok(Vec::new()) };
    let atoms: Vec<Atom> = atoms.collect();
    Ok(atoms.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?))).collect())
}

/// Tells a program that its answer is there, or that there is none.
fn finish(server: &mut Server, asked: &Asked) -> Result<(), ReplyError> {
    let refused = |part: &Part| part.state == PartState::Refused;
    let is_multiple = asked.request.target == server.atoms.MULTIPLE;
    let window = asked.request.requestor;
    if is_multiple && asked.parts.iter().any(refused) {
        // ICCCM §2.6.2 has the target replaced, programs look at the property.
        let pair = |part: &Part| match part.state {
            PartState::Refused => [x11rb::NONE; 2],
            _ => [part.target, part.property],
        };
        let pairs: Vec<Atom> = asked.parts.iter().flat_map(pair).collect();
        let (property, kind) = (asked.property, server.atoms.ATOM_PAIR);
        server.connection.change_property32(PropMode::REPLACE, window, property, kind, &pairs)?;
    }
    let given = !asked.parts.is_empty() && (is_multiple || !asked.parts.iter().any(refused));
    server.notify(&asked.request, if given { asked.property } else { x11rb::NONE })?;
    Ok(server.leave(window)?)
}

fn forget(asked: &Asked, out: &mut Vec<FromDesktop>) {
    for part in &asked.parts {
        if let PartState::Wanted(request) = part.state {
            out.push(FromDesktop::Forget { request });
        }
    }
}
