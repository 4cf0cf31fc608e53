//! The clipboard: who owns which selection, here or there, and what is asked for by whom ([`crate::protocol::packet::clipboard`];
//! ICCCM §2). Contents move only when somebody pastes, and nothing is kept of them.
//!
//! - A local program copies: [`FromDesktop::Owned`]; its targets are read, and the server is told (`clipboard-token`).
//!   When a remote program pastes, the server asks (`clipboard-request`) and the local owner is read ([`outward`]).
//! - A remote program copies: the server tells, and the desktop owns the selection for it ([`ToDesktop::Own`]). When a
//!   local program pastes ([`FromDesktop::Wanted`]), the server is asked ([`inward`]).

mod crowd;
mod desktop;
mod inward;
mod options;
mod outward;
mod targets;
mod turns;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

pub use desktop::{FromDesktop, ToDesktop, Unreadable};
pub use options::{ClipboardOptions, Direction};

use super::event::{Output, SessionEvent};
use super::setup::Setup;
use crate::protocol::packet::clipboard::{Packet, Selection};
use crate::protocol::packet::{Dict, Value};
use crate::stats::ClipboardTotals;
use crowd::Crowd;
use inward::Asked;
use outward::Reading;
use turns::{Side, Turns};

/// A viewer of the same session on the same desktop is known by this target, so that what was copied in the session does
/// not go back to it.
const MARK: &str = "application/x-farpane-session;id=";
/// Characters of the server's name for itself in it.
const MAX_MARK: usize = 100;
/// How 6.5.5 tells that a feature is off: as it was typed.
const OFF: [&str; 4] = ["off", "no", "false", "0"];
/// The user is told that the server switched it off no more often than that, whatever the server does.
const OFF_AGAIN: Duration = Duration::from_secs(10);

/// What hello says of it.
pub fn capabilities(setup: &Setup, hello: &mut Dict) {
    if !setup.offers_clipboard() {
        return;
    }
    let options = &setup.config.clipboard;
    let names: Vec<Value> =
        options.selections.iter().map(|selection| Value::from(selection.name())).collect();
    if setup.peer.dialect.is_modern() {
        let mut clipboard = Dict::default();
        clipboard
            .push("enabled", options.direction != Direction::Disabled)
            .push("selections", names)
            .push("want_targets", true)
            .push("greedy", false)
            .push("notifications", false);
        hello.push("clipboard", clipboard);
        return;
    }
    hello
        .push("clipboard", true)
        .push("clipboard.selections", names)
        .push("clipboard.want_targets", true)
        .push("clipboard.greedy", false)
        .push("clipboard.notifications", false)
        .push("clipboard.set_enabled", true)
        // Else 3.1 writes into its log that this client is old.
        .push("clipboard.contents-slice-fix", true);
}

/// What is said to the clipboard.
#[derive(Clone, Debug)]
pub enum ClipboardInput {
    /// By the desktop's.
    Desktop(FromDesktop),
    /// By the user: which way copies go from now on.
    Direction(Direction),
}

/// The clipboard of a session.
#[derive(Debug, Default)]
pub struct Clipboard {
    options: ClipboardOptions,
    /// The selections that both sides have; none: the server has no clipboard.
    shared: Vec<Selection>,
    /// Why it is off on the server.
    off_there: OffThere,
    /// The server wants contents with each copy.
    greedy: bool,
    /// 3.1: cuts what its programs give in parts, and tells the targets of the first copy again with later ones.
    is_old: bool,
    /// By which viewers of this session know each other.
    mark: String,
    states: [State; Selection::ALL.len()],
    /// What the server was asked for.
    asked: Vec<Asked>,
    /// What local programs are asked for.
    reading: Vec<Reading>,
    /// Requests of the server that wait until others are answered.
    waiting: VecDeque<(u64, Selection, String)>,
    /// Contents that wait to be sent.
    bulk: VecDeque<Packet>,
    next: u64,
    crowd: Crowd,
    /// Bytes of contents, for statistics.
    received: u64,
    sent: u64,
}

/// The ways in which servers switch it off.
#[derive(Debug, Default)]
struct OffThere {
    /// `clipboard-status`.
    by_status: bool,
    /// The setting `clipboard`: `xpra control toggle-feature clipboard`, which no other packet tells.
    by_feature: bool,
    /// The setting `clipboard-direction`. Which way is closed is not taken from it: 3.1.3 and 6.5.5 mean the other one
    /// when they tell it, and the server keeps to it by itself.
    by_direction: bool,
    /// When the user was told.
    told: Option<Instant>,
}

/// One selection.
#[derive(Debug, Default)]
struct State {
    owner: Owner,
    turns: Turns,
    /// When the other side is to be told of the owner.
    due: Option<Instant>,
    /// What the local owner offers, once it was read.
    targets: Vec<String>,
    /// It was told that something of what was copied last cannot be had.
    complained: bool,
}

#[derive(Debug, Default, PartialEq)]
enum Owner {
    /// The desktop has not said yet.
    #[default]
    Unknown,
    Nobody,
    /// A local program; of which the server may hear.
    Here,
    /// Another viewer of the same session, on this desktop.
    Viewer,
    /// A remote program that offers these targets; none known yet.
    There {
        targets: Vec<String>,
    },
}

impl Clipboard {
    /// The server accepted us.
    pub fn accepted(&mut self, hello: &Dict, setup: &Setup, out: &mut Vec<Output>) {
        self.options = setup.config.clipboard.clone();
        let has =
            hello.get("clipboard").is_some_and(|told| told.as_bool() != Some(false) && *told != Value::Null);
        if !setup.offers_clipboard() || !has {
            return;
        }
        let paths = ["clipboard.selections", "clipboards"].into_iter();
        let theirs = paths.filter_map(|path| hello.strs(path)).next();
        let shares =
            |selection: &Selection| theirs.as_ref().is_none_or(|names| names.contains(&selection.name()));
        self.shared = self.options.selections.iter().copied().filter(shares).collect();
        self.greedy = hello.bool("clipboard.greedy").unwrap_or(false);
        self.is_old = !setup.peer.dialect.is_modern();
        let id: String = ["uuid", "display"].into_iter().filter_map(|key| hello.str(key)).collect();
        let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.');
        self.mark = MARK.chars().chain(id.chars().filter(is_plain).take(MAX_MARK)).collect();
        if self.shared.is_empty() {
            return;
        }
        if self.is_on() {
            self.begin(out);
        } else {
            send(out, Packet::Status { enabled: false, reason: String::new() });
        }
    }

    /// One that goes on after this one: answers to what this one asked the desktop for are none to it.
    pub fn successor(&self) -> Self {
        Self { next: self.next, received: self.received, sent: self.sent, ..Self::default() }
    }

    /// The user wants it otherwise from now on. What it was at the beginning decides whether there is one at all.
    fn change(&mut self, direction: Direction, out: &mut Vec<Output>) {
        let was_on = self.is_on();
        self.options.direction = direction;
        if self.shared.is_empty() || (was_on == self.is_on() && !was_on) {
            return;
        }
        if !self.is_on() {
            self.end(out);
            send(out, Packet::Status { enabled: false, reason: String::new() });
            return;
        }
        if !was_on {
            send(out, Packet::Status { enabled: true, reason: String::new() });
            self.begin(out);
            return;
        }
        for selection in self.shared.clone() {
            let state = self.state(selection);
            match state.owner {
                Owner::There { .. } if !direction.to_client() => {
                    state.owner = Owner::Nobody;
                    tell(out, ToDesktop::Release(selection));
                }
                Owner::Here if direction.to_server() => self.tell_server(selection, out),
                _ => {}
            }
        }
    }

    /// What the desktop says and the user wants.
    pub fn input(&mut self, now: Instant, input: ClipboardInput, out: &mut Vec<Output>) {
        match input {
            ClipboardInput::Desktop(event) => self.heard(now, event, out),
            ClipboardInput::Direction(direction) => self.change(direction, out),
        }
    }

    fn heard(&mut self, now: Instant, event: FromDesktop, out: &mut Vec<Output>) {
        match event {
            FromDesktop::Owned(selection) => self.owned_here(now, selection, out),
            FromDesktop::Unowned(selection) => self.owned_by_nobody(now, selection, out),
            FromDesktop::Wanted { request, selection, target } => {
                self.paste_here(now, request, selection, &target, out);
            }
            FromDesktop::Forget { request } => self.forget(request),
            FromDesktop::Contents { request, result } => self.was_read(request, result, out),
        }
    }

    /// What the server says.
    pub fn packet(&mut self, now: Instant, packet: Packet, out: &mut Vec<Output>) {
        self.crowd.came(now);
        match packet {
            Packet::Token(token) => self.owned_there(now, token, out),
            Packet::Request { request, selection, target } => {
                self.paste_there(request, selection, target, out);
            }
            Packet::Contents { request, contents, .. } => {
                self.was_answered(now, request, Some(contents), out)
            }
            Packet::ContentsNone { request, .. } => self.was_answered(now, request, None, out),
            Packet::Status { enabled, .. } => self.switched_there(now, |off| off.by_status = !enabled, out),
            Packet::EnableSelections(_)
            | Packet::PendingRequests { .. }
            | Packet::LoopUuids
            | Packet::OtherSelection => {}
        }
    }

    /// The server tells one of its settings.
    pub fn setting(&mut self, now: Instant, name: &str, value: &Value, out: &mut Vec<Output>) {
        let word = value.as_str();
        let is_off = value.as_bool() == Some(false) || word.is_some_and(|word| OFF.contains(&word));
        match name {
            "clipboard" => self.switched_there(now, |off| off.by_feature = is_off, out),
            "clipboard-direction" => {
                let is_off = word == Some(Direction::Disabled.name());
                self.switched_there(now, |off| off.by_direction = is_off, out);
            }
            _ => {}
        }
    }

    /// Does what is due.
    pub fn timeout(&mut self, now: Instant, out: &mut Vec<Output>) {
        for selection in self.shared.clone() {
            if self.state(selection).due.is_some_and(|due| due <= now) {
                self.pass_on(now, selection, out);
            }
        }
        if self.crowd.is_over(now) {
            self.ask_again(now, out);
        }
        self.give_up(now, out);
    }

    /// When [`Self::timeout`] has something to do next.
    pub fn next_timeout(&self) -> Option<Instant> {
        let due = self.states.iter().filter_map(|state| state.due);
        due.chain(self.asked.iter().map(Asked::due)).chain(self.crowd.over_at()).min()
    }

    /// The next of what is large, to be sent when nothing else waits.
    pub fn next_bulk(&mut self) -> Option<Packet> {
        self.bulk.pop_front()
    }

    /// What was moved so far, and who waits.
    pub fn totals(&self) -> ClipboardTotals {
        let awaited = self.asked.iter().filter(|asked| asked.is_awaited());
        let waiting_since = awaited.map(|asked| asked.since).min();
        ClipboardTotals { received: self.received, sent: self.sent, waiting_since }
    }

    fn is_on(&self) -> bool {
        !self.shared.is_empty() && self.options.direction != Direction::Disabled
    }

    fn receives(&self, selection: Selection) -> bool {
        self.shared.contains(&selection) && self.options.direction.to_client() && !self.off_there.is_off()
    }

    fn sends(&self, selection: Selection) -> bool {
        self.shared.contains(&selection) && self.options.direction.to_server() && !self.off_there.is_off()
    }

    fn state(&mut self, selection: Selection) -> &mut State {
        let [clipboard, primary, secondary] = &mut self.states;
        match selection {
            Selection::Clipboard => clipboard,
            Selection::Primary => primary,
            Selection::Secondary => secondary,
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn begin(&mut self, out: &mut Vec<Output>) {
        send(out, Packet::EnableSelections(self.shared.clone()));
        tell(out, ToDesktop::Watch(self.shared.clone()));
    }

    /// Lets go of everything. Whoever waits gets nothing.
    fn end(&mut self, out: &mut Vec<Output>) {
        for asked in std::mem::take(&mut self.asked) {
            asked.refuse(out);
        }
        self.reading.clear();
        self.waiting.clear();
        self.bulk.clear();
        self.states = Default::default();
        tell(out, ToDesktop::Watch(Vec::new()));
    }

    /// The server's administrator switched it off or on.
    fn switched_there(&mut self, now: Instant, change: impl FnOnce(&mut OffThere), out: &mut Vec<Output>) {
        let was_off = self.off_there.is_off();
        change(&mut self.off_there);
        let enabled = !self.off_there.is_off();
        if was_off != enabled || !self.is_on() {
            return;
        }
        if !enabled {
            for asked in std::mem::take(&mut self.asked) {
                asked.refuse(out);
            }
            if self.off_there.is_news(now) {
                let words = "The server's clipboard was switched off: nothing can be pasted from one side to the other.";
                out.push(Output::Event(SessionEvent::Notice(words.to_owned())));
            }
        }
        for selection in self.shared.clone() {
            let state = self.state(selection);
            if enabled && state.owner == Owner::Here {
                self.tell_server(selection, out);
            } else if !enabled && matches!(state.owner, Owner::There { .. }) {
                state.owner = Owner::Nobody;
                tell(out, ToDesktop::Release(selection));
            }
        }
    }

    /// Somebody on this side copied: the other side is told, now or when it is due.
    fn taken(&mut self, now: Instant, selection: Selection, by: Side, out: &mut Vec<Output>) {
        let state = self.state(selection);
        state.complained = false;
        let due = state.turns.taken(by, now);
        state.due = Some(due);
        if due <= now {
            self.pass_on(now, selection, out);
        }
    }

    fn pass_on(&mut self, now: Instant, selection: Selection, out: &mut Vec<Output>) {
        let state = self.state(selection);
        state.due = None;
        state.turns.passed_on(now);
        match &state.owner {
            Owner::Here => self.tell_server(selection, out),
            Owner::There { .. } => self.tell_desktop(now, selection, out),
            Owner::Unknown | Owner::Nobody | Owner::Viewer => {}
        }
    }

    /// Says once for what was copied that something of it cannot be had.
    fn complain(&mut self, selection: Selection, words: String, out: &mut Vec<Output>) {
        if !std::mem::replace(&mut self.state(selection).complained, true) {
            out.push(Output::Event(SessionEvent::Notice(words)));
        }
    }
}

impl OffThere {
    fn is_off(&self) -> bool {
        self.by_status || self.by_feature || self.by_direction
    }

    /// Whether the user is to be told.
    fn is_news(&mut self, now: Instant) -> bool {
        let is_news = self.told.is_none_or(|told| now.saturating_duration_since(told) >= OFF_AGAIN);
        if is_news {
            self.told = Some(now);
        }
        is_news
    }
}

fn send(out: &mut Vec<Output>, packet: Packet) {
    out.push(Output::Send(packet.into()));
}

fn tell(out: &mut Vec<Output>, event: ToDesktop) {
    out.push(Output::Event(event.into()));
}
