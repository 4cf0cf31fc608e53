//! From this desktop to the session: what local programs copied, and remote programs paste.

use std::time::Instant;

use super::targets::{self, Conversion};
use super::turns::Side;
use super::{Clipboard, Output, Owner, ToDesktop, Unreadable, send, tell};
use crate::protocol::packet::clipboard::{Contents, Data, Packet, Selection, Token};

/// By this target password managers say that nobody is to keep what was copied (KDE's convention, which others follow).
const PASSWORD_HINT: &str = "x-kde-passwordManagerHint";
/// Local programs that are asked at a time for the server.
const MAX_READING: usize = 4;
/// Requests of the server that may wait behind these.
const MAX_WAITING: usize = 32;
/// Bytes that may wait to be sent before more requests are refused.
const MAX_BULK: usize = 32 << 20;
/// Contents up to this size, in bytes, do not wait for others.
const SMALL: usize = 4096;

/// Something that a local program is asked for.
#[derive(Debug)]
pub struct Reading {
    number: u64,
    selection: Selection,
    purpose: Purpose,
}

#[derive(Debug)]
enum Purpose {
    /// What it offers, to tell the server; once more if it was copied again meanwhile.
    Targets { again: bool },
    /// The same target for a server that wants contents at once.
    Greedy { target: String },
    /// What a remote program pastes, by the server's number.
    Paste { request: u64, conversion: Conversion },
}

impl Clipboard {
    /// A local program copied.
    pub(super) fn owned_here(&mut self, now: Instant, selection: Selection, out: &mut Vec<Output>) {
        let sends = self.sends(selection);
        let state = self.state(selection);
        state.owner = Owner::Here;
        state.targets.clear();
        if sends {
            self.taken(now, selection, Side::Here, out);
        }
    }

    /// Reads what the local owner offers, and then tells the server.
    pub(super) fn tell_server(&mut self, selection: Selection, out: &mut Vec<Output>) {
        if !self.sends(selection) {
            return;
        }
        let is_same = |reading: &&mut Reading| reading.selection == selection;
        for reading in self.reading.iter_mut().filter(is_same) {
            if let Purpose::Targets { again } = &mut reading.purpose {
                *again = true;
                return;
            }
        }
        self.read(selection, "TARGETS".to_owned(), Purpose::Targets { again: false }, out);
    }

    /// A remote program pastes what a local one owns.
    pub(super) fn paste_there(
        &mut self,
        request: u64,
        selection: Selection,
        target: String,
        out: &mut Vec<Output>,
    ) {
        let pastes = |reading: &&Reading| matches!(reading.purpose, Purpose::Paste { .. });
        if self.reading.iter().filter(pastes).count() < MAX_READING {
            self.read_for_server(request, selection, &target, out);
        } else if self.waiting.len() < MAX_WAITING {
            self.waiting.push_back((request, selection, target));
        } else {
            send(out, Packet::ContentsNone { request, selection });
        }
    }

    fn read_for_server(&mut self, request: u64, selection: Selection, target: &str, out: &mut Vec<Output>) {
        let none = Packet::ContentsNone { request, selection };
        let sent: usize = self.bulk.iter().map(bytes).sum();
        if !self.sends(selection) || self.state(selection).owner != Owner::Here || sent > MAX_BULK {
            return send(out, none);
        }
        let owned = &self.state(selection).targets;
        let (target, conversion) = match target {
            "TARGETS" if !owned.is_empty() => {
                let contents = Contents::targets(targets::offered(owned));
                return send(out, Packet::Contents { request, selection, contents });
            }
            "TARGETS" => (target.to_owned(), Conversion::AsIs),
            _ if owned.is_empty() && targets::may_travel(target) => (target.to_owned(), Conversion::AsIs),
            _ => match targets::resolve(target, owned) {
                Some(resolved) => resolved,
                None => return send(out, none),
            },
        };
        self.read(selection, target, Purpose::Paste { request, conversion }, out);
    }

    /// A local program answered.
    pub(super) fn was_read(
        &mut self,
        number: u64,
        result: Result<Contents, Unreadable>,
        out: &mut Vec<Output>,
    ) {
        let Some(index) = self.reading.iter().position(|reading| reading.number == number) else { return };
        let Reading { selection, purpose, .. } = self.reading.swap_remove(index);
        match purpose {
            Purpose::Targets { again: true } => self.tell_server(selection, out),
            Purpose::Targets { again: false } => self.targets_here(selection, result, out),
            Purpose::Greedy { target } => {
                // Servers read it as bytes, whatever it is.
                let is_bytes = |contents: &Contents| matches!(contents.data, Data::Bytes(_));
                let contents = result.ok().filter(is_bytes).map(|contents| (target, contents));
                self.send_token(selection, contents, out);
            }
            Purpose::Paste { request, conversion } => {
                self.answer_server(request, selection, conversion, result, out);
                while let Some((request, selection, target)) = self.waiting.pop_front() {
                    let before = self.reading.len();
                    self.read_for_server(request, selection, &target, out);
                    if self.reading.len() > before {
                        break;
                    }
                }
            }
        }
    }

    fn targets_here(
        &mut self,
        selection: Selection,
        result: Result<Contents, Unreadable>,
        out: &mut Vec<Output>,
    ) {
        let mark = self.mark.clone();
        let state = self.state(selection);
        if state.owner != Owner::Here {
            return;
        }
        state.targets = match result {
            Ok(Contents { data: Data::Atoms(names), .. }) => names,
            Err(Unreadable::Gone) => return,
            // A program that knows no targets has text.
            _ => vec!["STRING".to_owned()],
        };
        if state.targets.contains(&mark) {
            state.owner = Owner::Viewer;
            return;
        }
        let is_secret = state.targets.iter().any(|target| target == PASSWORD_HINT);
        let first = targets::first(&state.targets).filter(|_| !is_secret).map(str::to_owned);
        match first {
            Some(target) if self.greedy => {
                self.read(selection, target.clone(), Purpose::Greedy { target }, out);
            }
            _ => self.send_token(selection, None, out),
        }
    }

    fn send_token(
        &mut self,
        selection: Selection,
        contents: Option<(String, Contents)>,
        out: &mut Vec<Output>,
    ) {
        if !self.sends(selection) || self.state(selection).owner != Owner::Here {
            return;
        }
        let targets = Some(targets::offered(&self.state(selection).targets));
        send(out, Packet::Token(Token { selection, targets, contents, claim: true, greedy: false }));
    }

    fn answer_server(
        &mut self,
        request: u64,
        selection: Selection,
        conversion: Conversion,
        result: Result<Contents, Unreadable>,
        out: &mut Vec<Output>,
    ) {
        if result == Err(Unreadable::TooLarge) {
            let words = format!(
                "What was copied here is too large to be pasted there: the limit is {} MB (--clipboard-limit).",
                self.options.max_bytes >> 20
            );
            self.complain(selection, words, out);
        }
        let contents = result.ok().and_then(|contents| targets::convert(contents, conversion));
        match contents.filter(|_| self.sends(selection)).map(without_local_targets) {
            Some(contents) => {
                self.sent += contents.len() as u64;
                let packet = Packet::Contents { request, selection, contents };
                if bytes(&packet) > SMALL {
                    self.bulk.push_back(packet);
                } else {
                    send(out, packet);
                }
            }
            None => send(out, Packet::ContentsNone { request, selection }),
        }
    }

    fn read(&mut self, selection: Selection, target: String, purpose: Purpose, out: &mut Vec<Output>) {
        let request = self.number();
        let max_bytes = self.options.max_bytes;
        self.reading.push(Reading { number: request, selection, purpose });
        tell(out, ToDesktop::Read { request, selection, target, max_bytes });
    }
}

fn without_local_targets(contents: Contents) -> Contents {
    match contents.data {
        Data::Atoms(names) => Contents { data: Data::Atoms(targets::offered(&names)), ..contents },
        _ => contents,
    }
}

fn bytes(packet: &Packet) -> usize {
    match packet {
        Packet::Contents { contents, .. } => contents.len(),
        _ => 0,
    }
}
