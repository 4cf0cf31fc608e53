//! From the session to this desktop: what remote programs copied, and local programs paste.

use std::time::{Duration, Instant};

use super::targets::{self, Conversion};
use super::turns::Side;
use super::{Clipboard, Output, Owner, SessionEvent, ToDesktop, send, tell};
use crate::buffers::Payload;
use crate::protocol::packet::clipboard::{Contents, Data, Packet, Selection, Token};

/// How long a local program's paste waits for the server. 6.5.5 needs up to 30 s for 10 MB, and sends no answer at all for
/// what is too large (docs/clipboard.md).
const PASTE_LIMIT: Duration = Duration::from_secs(60);
/// After this time the user is told that a paste is on its way.
const SLOW: Duration = Duration::from_millis(1500);
/// How long the server has to say what can be had.
const TARGETS_LIMIT: Duration = Duration::from_secs(10);
/// Requests that the server may have to answer at a time.
const MAX_ASKED: usize = 64;
/// Where 3.1 cuts what its programs give in parts: the sizes of the first part that xclip and GTK give.
const CUT_AT: [usize; 2] = [1_048_575, 262_144];

/// Something that the server was asked for.
#[derive(Debug)]
pub struct Asked {
    number: u64,
    selection: Selection,
    target: String,
    purpose: Purpose,
    pub since: Instant,
    deadline: Instant,
    /// The user was told that it takes long.
    told: bool,
}

#[derive(Debug)]
enum Purpose {
    /// What there is, since a copy did not say it, or was made before we came.
    Targets,
    /// What a local program pastes, by the desktop's number.
    /// `is_offered`: it is in the list of what there is.
    Paste { request: u64, conversion: Conversion, is_offered: bool },
    /// Nobody waits for it any more.
    Nothing,
}

impl Asked {
    /// Whether a local program waits for it.
    pub fn is_awaited(&self) -> bool {
        matches!(self.purpose, Purpose::Paste { .. })
    }

    /// When something is to be done about it.
    pub fn due(&self) -> Instant {
        if self.is_awaited() && !self.told { self.since + SLOW } else { self.deadline }
    }

    /// Nothing comes of it.
    pub fn refuse(self, out: &mut Vec<Output>) {
        if let Purpose::Paste { request, .. } = self.purpose {
            tell(out, ToDesktop::Answer { request, contents: None });
        }
    }
}

impl Clipboard {
    /// A remote program copied.
    pub(super) fn owned_there(&mut self, now: Instant, token: Token, out: &mut Vec<Output>) {
        let Token { selection, targets, claim, greedy, .. } = token;
        self.greedy |= greedy;
        let is_theirs = matches!(self.state(selection).owner, Owner::There { .. });
        if !self.receives(selection) || !(claim || is_theirs) {
            return;
        }
        let targets = targets.unwrap_or_default();
        self.state(selection).owner = Owner::There { targets };
        self.taken(now, selection, Side::There, out);
    }

    /// Nobody here owns it. At the beginning that lets us have what was copied there before: no server tells that by itself.
    pub(super) fn owned_by_nobody(&mut self, now: Instant, selection: Selection, out: &mut Vec<Output>) {
        let is_first = self.state(selection).owner == Owner::Unknown;
        self.state(selection).owner = Owner::Nobody;
        if is_first && self.receives(selection) {
            self.ask(now, selection, "TARGETS".to_owned(), Purpose::Targets, out);
        }
    }

    /// The desktop owns it for the remote program.
    pub(super) fn tell_desktop(&mut self, now: Instant, selection: Selection, out: &mut Vec<Output>) {
        let mark = self.mark.clone();
        let Owner::There { targets } = &self.state(selection).owner else { return };
        if targets.is_empty() {
            self.ask(now, selection, "TARGETS".to_owned(), Purpose::Targets, out);
            return;
        }
        let mut targets = targets::offered(targets);
        targets.push(mark);
        tell(out, ToDesktop::Own { selection, targets });
    }

    /// A local program pastes what the session owns.
    pub(super) fn paste_here(
        &mut self,
        now: Instant,
        request: u64,
        selection: Selection,
        target: &str,
        out: &mut Vec<Output>,
    ) {
        let receives = self.receives(selection) && self.asked.len() < MAX_ASKED;
        // Its list may be that of an earlier copy: the server is asked for what is not in it too.
        let is_old = self.is_old;
        let unlisted =
            || (is_old && targets::may_travel(target)).then(|| (target.to_owned(), Conversion::AsIs));
        let answer = |contents| ToDesktop::Answer { request, contents };
        if target == self.mark {
            let mark = Vec::from(self.mark.as_bytes());
            return tell(out, answer(Some(Contents::bytes(&self.mark, mark))));
        }
        match &self.state(selection).owner {
            Owner::There { targets } if receives => {
                let listed = targets::resolve(target, targets);
                let is_offered = listed.is_some();
                match listed.or_else(unlisted) {
                    Some((target, conversion)) => {
                        let purpose = Purpose::Paste { request, conversion, is_offered };
                        self.ask(now, selection, target, purpose, out);
                    }
                    None => tell(out, answer(None)),
                }
            }
            _ => tell(out, answer(None)),
        }
    }

    /// The server has dropped some of its packets: what it did not answer is asked for again, and what there is.
    pub(super) fn ask_again(&mut self, now: Instant, out: &mut Vec<Output>) {
        tracing::debug!(asked = self.asked.len(), "the server may have dropped packets");
        for asked in self.asked.iter().filter(|asked| asked.is_awaited()) {
            let (request, selection, target) = (asked.number, asked.selection, asked.target.clone());
            send(out, Packet::Request { request, selection, target });
        }
        for selection in self.shared.clone() {
            if self.receives(selection) && matches!(self.state(selection).owner, Owner::There { .. }) {
                self.ask(now, selection, "TARGETS".to_owned(), Purpose::Targets, out);
            }
        }
    }

    /// Nobody waits for this paste any more.
    pub(super) fn forget(&mut self, request: u64) {
        for asked in &mut self.asked {
            if matches!(asked.purpose, Purpose::Paste { request: paste, .. } if paste == request) {
                asked.purpose = Purpose::Nothing;
            }
        }
    }

    /// The server answered.
    pub(super) fn was_answered(
        &mut self,
        now: Instant,
        number: u64,
        contents: Option<Contents>,
        out: &mut Vec<Output>,
    ) {
        tracing::debug!(number, ?contents, "the server answered");
        let Some(index) = self.asked.iter().position(|asked| asked.number == number) else { return };
        let Asked { selection, purpose, .. } = self.asked.swap_remove(index);
        if !self.asked.iter().any(Asked::is_awaited) {
            self.crowd.answered();
        }
        match purpose {
            Purpose::Targets => self.targets_there(now, selection, contents, out),
            Purpose::Paste { request, conversion, is_offered } => {
                let receives = self.receives(selection);
                let contents = contents.filter(|_| receives);
                let contents = if contents.is_some() || (is_offered && receives) {
                    self.acceptable(selection, contents, out)
                } else {
                    None
                };
                let contents = contents.and_then(|contents| targets::convert(contents, conversion));
                tell(out, ToDesktop::Answer { request, contents });
            }
            Purpose::Nothing => {}
        }
    }

    /// Says what takes long, and gives up what the server did not answer.
    pub(super) fn give_up(&mut self, now: Instant, out: &mut Vec<Output>) {
        let is_slow = |asked: &&mut Asked| asked.is_awaited() && !asked.told && asked.since + SLOW <= now;
        let slow = self.asked.iter_mut().filter(is_slow).map(|asked| asked.told = true).count();
        if slow > 0 {
            let words = "Pasting: the server has been asked and is at it. Large copies take their time.";
            out.push(Output::Event(SessionEvent::Notice(words.to_owned())));
        }
        while let Some(index) = self.asked.iter().position(|asked| asked.deadline <= now) {
            let asked = self.asked.swap_remove(index);
            if asked.is_awaited() {
                let seconds = PASTE_LIMIT.as_secs();
                let words = format!(
                    "Nothing was pasted: the server did not answer within {seconds} seconds. What was copied there may \
                     be larger than it can pass on (16 MB)."
                );
                self.complain(asked.selection, words, out);
            }
            asked.refuse(out);
        }
    }

    fn targets_there(
        &mut self,
        now: Instant,
        selection: Selection,
        contents: Option<Contents>,
        out: &mut Vec<Output>,
    ) {
        let Some(Contents { data: Data::Atoms(names), .. }) = contents else { return };
        let may_own = matches!(self.state(selection).owner, Owner::There { .. } | Owner::Nobody);
        if names.is_empty() || !may_own || !self.receives(selection) {
            return;
        }
        let owner = Owner::There { targets: names };
        // Told already. Owning it anew could take it from a local program that has just copied.
        if self.state(selection).owner != owner {
            self.state(selection).owner = owner;
            self.tell_desktop(now, selection, out);
        }
    }

    fn ask(
        &mut self,
        now: Instant,
        selection: Selection,
        target: String,
        purpose: Purpose,
        out: &mut Vec<Output>,
    ) {
        let number = self.number();
        let limit = if matches!(purpose, Purpose::Targets) { TARGETS_LIMIT } else { PASTE_LIMIT };
        tracing::debug!(number, %selection, target, "the server is asked");
        let asked = target.clone();
        self.asked.push(Asked {
            number,
            selection,
            target: asked,
            purpose,
            since: now,
            deadline: now + limit,
            told: false,
        });
        send(out, Packet::Request { request: number, selection, target });
    }

    /// What a local program can be given of an answer; else the user is told why it is nothing.
    fn acceptable(
        &mut self,
        selection: Selection,
        contents: Option<Contents>,
        out: &mut Vec<Output>,
    ) -> Option<Contents> {
        let Some(contents) = contents else {
            let words = "Nothing was pasted: the server has nothing of it any more. A program that ended takes its copy \
                         along, and some give large copies in parts (from about 1 MB), which servers do not pass on."
                .to_owned();
            self.complain(selection, words, out);
            return None;
        };
        let limit = self.options.max_bytes;
        if contents.len() > limit {
            let words = format!(
                "Nothing was pasted: {} MB were copied there, and the limit is {} MB (--clipboard-limit).",
                contents.len() >> 20,
                limit >> 20
            );
            self.complain(selection, words, out);
            return None;
        }
        if self.is_old && CUT_AT.contains(&contents.len()) {
            let words = "What was pasted may not be all: Xpra 3.1 passes on only the first part of what some programs \
                         copy (from about 1 MB)."
                .to_owned();
            self.complain(selection, words, out);
        }
        self.received += contents.len() as u64;
        Some(own(contents))
    }
}

/// The same, not in a buffer that many packets were received in.
fn own(contents: Contents) -> Contents {
    let Contents { kind, data: Data::Bytes(bytes) } = contents else { return contents };
    let is_lean = bytes.retained_bytes() / 2 <= bytes.len();
    let bytes = if is_lean { bytes } else { Payload::from(Vec::from(&bytes[..])) };
    Contents { kind, data: Data::Bytes(bytes) }
}
