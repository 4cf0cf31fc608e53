//! The conversation about one window's place, size and state: what the desktop did to it, what the server
//! wants of it, and who is to be told what. Time and facts are passed in; what is to be done comes out as
//! [`Step`]s.
//!
//! Four things make it more than copying numbers. Servers echo what they are told, 6.5 up to 250 ms later, when the
//! user may be further (echo suppression). Programs move their windows while something that the server is told is on
//! its way: the server then has what came to it last, and no server says so reliably (told again). Window managers
//! take their time to do what they are asked for
//! (until then what is seen is no news). And some move windows about while they appear and disappear, so that
//! what is seen then is no place at all.

use std::time::{Duration, Instant};

use crate::channel::Scale;
use crate::desktop::WindowFacts;
use crate::geometry::{Point, Size};
use crate::session::WindowState;
use crate::session::windows::SizeLimits;

use super::place::{Geometry, Place, within};

/// How long the window manager may take to do what the server asked for. Until then a window
/// that is still as before is no news for the server. As long a window that appeared again has to stand
/// still before its place is believed.
pub const SETTLE: Duration = Duration::from_millis(300);
/// How long the server may take to echo what it was told: 6.5 waits for up to 250 ms.
pub const ECHO: Duration = Duration::from_secs(1);
/// Geometries that are remembered for that, at most: one for each step of a window being dragged.
const MAX_TOLD_BEFORE: usize = 128;

/// How often the server is told of a size that it answers with another one, which the desktop does not allow: then both
/// keep their own.
const MAX_INSISTING: u32 = 3;

/// Where 3.1 has the windows that are not shown.
const PARKED: Point = Point::new(0, 0);

/// Something to be done, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Tell the server that the window is shown at this place, in its pixels.
    TellMapped(Geometry),
    /// Tell it that the window is not shown any more.
    TellUnmapped { iconified: bool },
    /// Tell it where the window is and how it is shown.
    TellConfigured(Geometry, WindowState),
    /// Tell it what it said itself: something else that it was told may have come to it after that, and it has to know
    /// where the pointer is in the window.
    TellAgain(Geometry),
    /// Move the OS window so that its content's corner is here, in local pixels.
    MoveTo { x: i32, y: i32 },
    /// Give the OS window's content this size, in local pixels.
    Resize(Size),
}

/// What is known of one window on both sides, and what was said.
#[derive(Clone, Debug)]
pub struct Conversation {
    place: Place,
    limits: SizeLimits,
    /// Nobody but the server moves it (override-redirect).
    is_popup: bool,
    /// The server knows that the window is shown.
    mapped: bool,
    /// What the server was told, or said itself, last.
    told: Option<(Geometry, WindowState)>,
    /// When it was told something.
    told_at: Option<Instant>,
    /// It has to hear what it said last: that may have crossed what it was told, and servers take pointer positions for
    /// relative to the place that they were told.
    untold: bool,
    /// When it is told again because of that, and how often it was in a row: a server that answers each time something
    /// else hears from us less and less.
    again: Option<Instant>,
    times_again: u32,
    /// What the server was told before that, and when that was over: for [`ECHO`].
    told_before: Vec<(Geometry, Instant)>,
    /// The application's window may have another size than the server says, because its limits changed.
    limits_news: bool,
    /// What is waited for is a size that the server said, and not how the window is shown: maximised or not.
    size_asked: bool,
    /// The size of the OS window, the one that the server answered it with, and how often it did.
    dispute: Option<(Size, Size, u32)>,
    /// The server changed the window just now: until then only agreement counts.
    settling: Option<Instant>,
    /// Where the OS window was when it was hidden: there it is believed to appear again.
    hidden_at: Option<Point>,
    /// When it appeared again.
    shown_again: Option<Instant>,
    /// When it was hidden or appeared again, after it had been the other for a while.
    flipped: Option<Instant>,
    /// Where it was seen after it had appeared; it may still be moving.
    unsteady: Option<Point>,
    /// The place on the server when it was neither maximised nor full screen: the last one that lasted, and the newest.
    normal: Option<Geometry>,
    newest_normal: Option<(Geometry, Instant)>,
    /// What the server knew, or may have heard, of the window when its connection was lost.
    lost: Option<Vec<Geometry>>,
    /// How it knew the window to be shown then.
    lost_state: Option<WindowState>,
}

impl Conversation {
    /// About a window that the server has at `server`, and whose OS window is to be made.
    pub fn new(scale: Scale, server: Geometry, limits: SizeLimits, is_popup: bool) -> Self {
        Self::with_place(Place::new(scale, server), limits, is_popup)
    }

    fn with_place(place: Place, limits: SizeLimits, is_popup: bool) -> Self {
        Self {
            place,
            limits,
            is_popup,
            mapped: false,
            told: None,
            told_at: None,
            untold: false,
            again: None,
            times_again: 0,
            told_before: Vec::new(),
            limits_news: false,
            size_asked: false,
            dispute: None,
            settling: None,
            hidden_at: None,
            shown_again: None,
            flipped: None,
            unsteady: None,
            normal: None,
            newest_normal: None,
            lost: None,
            lost_state: None,
        }
    }

    /// How the server knew the window to be shown when its connection was lost.
    pub fn state_when_lost(&self) -> Option<WindowState> {
        self.lost_state
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Whether the window is shown in full screen, as far as was seen.
    pub fn is_full_screen(&self) -> bool {
        self.told.is_some_and(|(_, state)| state.fullscreen)
    }

    /// The OS window will be made here, whatever the server has.
    pub fn begin_at(&mut self, local: Geometry) {
        self.place.found_within(local, self.limits);
    }

    /// The place on the server to which the window goes back when it is no longer maximised or full screen.
    pub fn normal(&self) -> Option<Geometry> {
        self.normal
    }

    /// That place, as an earlier session remembers it.
    pub fn set_normal(&mut self, normal: Geometry) {
        self.normal = Some(normal);
    }

    /// Whether the server knows that the window is shown.
    pub fn is_mapped(&self) -> bool {
        self.mapped && self.lost.is_none()
    }

    /// Whether it is shown, as far as is known.
    pub fn is_shown(&self) -> bool {
        self.mapped
    }

    /// The application's windows have other sizes from now on. If its window has none of them, the OS window is
    /// resized: servers do that to the application's window and do not always say so. What the server said just now
    /// is asked for again, since it may have been refused here. If the server says nothing for a while, it is told.
    pub fn set_limits(&mut self, now: Instant, limits: SizeLimits, out: &mut Vec<Step>) {
        self.limits = limits;
        let is_large = self.told.is_some_and(|(_, state)| state.maximized || state.fullscreen);
        let Some((Geometry { size: before, .. }, _)) = self.told.filter(|_| !self.is_popup && !is_large)
        else {
            return;
        };
        let size = within(before, limits);
        // The OS window may be on its way to what the limits before allowed.
        if size != before || self.limits_news || (self.size_asked && self.settling.is_some()) {
            self.limits_news = true;
            // Where windows choose their sizes nothing happens that would have it looked at.
            self.settling = Some(now + SETTLE);
            out.push(Step::Resize(self.place.local_size(size)));
        }
    }

    /// The server is about to hear of the pointer. If it has to hear of a place first, that is no longer put off, unless it
    /// answers each time. Returns whether the window is to be looked at.
    pub fn hurries(&mut self) -> bool {
        self.untold && self.times_again == 0 && self.again.take().is_some()
    }

    /// When [`Self::is_due`] becomes true.
    pub fn deadline(&self) -> Option<Instant> {
        self.settling.or(self.again)
    }

    /// Whether it is time to look at the window even if nothing happened to it.
    pub fn is_due(&mut self, now: Instant) -> bool {
        let settled = self.settling.take_if(|until| *until <= now).is_some();
        self.again.take_if(|at| *at <= now).is_some() || settled
    }

    /// Takes how the OS window is now.
    pub fn observe(&mut self, now: Instant, facts: &WindowFacts, out: &mut Vec<Step>) {
        if self.is_popup {
            return;
        }
        if !facts.shown {
            if std::mem::take(&mut self.mapped) {
                self.no_longer_told(now);
                self.hidden_at = Some(self.place.local().corner());
                self.flipped = Some(now);
                out.push(Step::TellUnmapped { iconified: facts.state.iconified });
            }
            (self.settling, self.unsteady) = (None, None);
            (self.untold, self.again) = (false, None);
            return;
        }
        let Point { x, y } = self.believed(now, facts.position);
        self.place.found_within(Geometry { x, y, size: facts.size }, self.limits);
        let geometry = self.place.server();
        let state = facts.state;
        self.note_normal(now, geometry, state);
        if !self.mapped {
            self.mapped = true;
            self.shown_again = self.hidden_at.map(|_| now);
            self.flipped = self.shown_again;
            self.tells(now, geometry, state);
            out.push(Step::TellMapped(geometry));
            out.push(Step::TellConfigured(geometry, state));
        } else if self.told == Some((geometry, state)) {
            self.dispute.take_if(|(_, theirs, _)| *theirs == geometry.size);
            // The OS window may have to follow its limits still.
            let is_final = within(geometry.size, self.limits) == geometry.size;
            if is_final && self.unsteady.is_none() {
                self.settling = None;
            }
            if is_final && facts.size == self.place.agreed_size() {
                self.limits_news = false;
            }
            if self.untold && self.again.is_none() {
                (self.untold, self.told_at) = (false, Some(now));
                self.times_again += 1;
                out.push(Step::TellAgain(geometry));
            }
        } else if self.settling.is_none() {
            if let Some((told, known)) = self.told
                && known == state
                && self.insists(geometry.size, told.size)
            {
                // It was told so, and has its own size: there is room left around it, or something is cut off.
                self.told = Some((geometry, state));
                return;
            }
            self.no_longer_told(now);
            self.tells(now, geometry, state);
            self.limits_news = false;
            out.push(Step::TellConfigured(geometry, state));
        }
    }

    /// Where the OS window is taken to be, when it is seen at `seen`.
    fn believed(&mut self, now: Instant, seen: Option<Point>) -> Point {
        let here = self.place.local().corner();
        let Some(seen) = seen else { return here };
        if !self.mapped {
            let Some(before) = self.hidden_at.filter(|before| *before != seen) else { return seen };
            (self.unsteady, self.settling) = (Some(seen), Some(now + SETTLE));
            return before;
        }
        match self.unsteady {
            None => seen,
            Some(_) if self.settling.is_some() && seen != here => here,
            Some(last) if seen != here && seen != last => {
                (self.unsteady, self.settling) = (Some(seen), Some(now + SETTLE));
                here
            }
            Some(_) => {
                self.unsteady = None;
                seen
            }
        }
    }

    /// The server moved or resized the window, or echoes what it was told.
    pub fn server_says(&mut self, now: Instant, position: Option<Point>, size: Size, out: &mut Vec<Step>) {
        // 3.1 parks windows that are not shown and says so.
        let is_hidden = !self.mapped && self.hidden_at.is_some();
        let (told, before) = (self.told.filter(|_| !self.is_popup), self.place.server());
        if self.mapped
            && self.shown_again.is_some_and(|since| since + ECHO > now)
            && position == Some(PARKED)
            && told.is_some()
            && before.corner() != PARKED
            && !self.was_told_lately(now, position, size)
        {
            // It said so before it knew that the window is shown again: it is told once more.
            self.no_longer_told(now);
            self.server_says(now, None, size, out);
            if let Some((told, _)) = &mut self.told {
                (told.x, told.y) = (PARKED.x, PARKED.y);
            }
            self.settling = Some(now + SETTLE);
            return;
        }
        let position = position.filter(|_| !is_hidden);
        if let Some((geometry, state)) = told {
            if geometry.is_at(position, size) {
                return;
            }
            // What its limits do not allow any more is not asked for again: then the application changed back.
            let is_possible = within(geometry.size, self.limits) == geometry.size;
            if is_possible && self.was_told_lately(now, position, size) {
                // Too late. Or the application insists on its size: then it does so again.
                if self.mapped && !self.insists(geometry.size, size) {
                    self.told_at = Some(now);
                    out.push(Step::TellConfigured(geometry, state));
                }
                return;
            }
        }
        let Point { x, y } = position.unwrap_or(before.corner());
        let geometry = Geometry { x, y, size };
        if let Some((told, _)) = &mut self.told {
            *told = geometry;
        }
        self.size_asked = true;
        let local = self.place.wanted(geometry);
        if self.is_popup {
            self.place.found(local);
        } else {
            self.settling = Some(now + SETTLE);
            let is_answer = self.told_at.is_some_and(|at| at + ECHO > now);
            if !is_answer {
                self.times_again = 0;
            }
            if self.mapped && (is_answer || position.is_some_and(|at| at != before.corner())) {
                let wait = SETTLE.saturating_mul(1 << self.times_again.min(16));
                (self.untold, self.again) = (true, Some(now + wait));
            }
        }
        if position.is_some() {
            self.unsteady = None;
            out.push(Step::MoveTo { x: local.x, y: local.y });
        }
        out.push(Step::Resize(local.size));
    }

    /// The connection is lost: what is told from now on reaches nobody.
    pub fn lost(&mut self) {
        if self.lost.is_none() {
            self.lost_state = self.told.map(|(_, state)| state);
        }
        let told = self.told.map_or(self.place.server(), |(told, _)| told);
        let before = self.told_before.iter().map(|(before, _)| *before);
        self.lost.get_or_insert(before.chain([told]).collect());
    }

    /// Another connection: the server has the window at `server`, and nothing that was told before counts. If it put it
    /// there while it was away the OS window follows, else the server hears where it is.
    pub fn again(&mut self, now: Instant, server: Geometry, out: &mut Vec<Step>) {
        self.lost();
        let known = self.lost.take().unwrap_or_default();
        // 3.1 has windows there that nobody shows.
        let is_parked = server.corner() == PARKED && known.iter().any(|known| known.size == server.size);
        let is_moved = !(is_parked || known.contains(&server));
        let (is_mapped, state) = (self.mapped, self.told.map_or(WindowState::default(), |(_, state)| state));
        *self = Self {
            mapped: is_mapped,
            normal: self.normal,
            newest_normal: self.newest_normal,
            hidden_at: self.hidden_at,
            ..Self::with_place(self.place, self.limits, self.is_popup)
        };
        if is_moved {
            let local = self.place.wanted(server);
            if self.is_popup {
                self.place.found(local);
            }
            out.extend([Step::MoveTo { x: local.x, y: local.y }, Step::Resize(local.size)]);
        }
        if is_mapped && !self.is_popup {
            let here = if is_moved { server } else { self.place.server() };
            if is_moved {
                (self.told, self.told_at) = (Some((server, state)), Some(now));
                self.settling = Some(now + SETTLE);
            } else {
                self.tells(now, here, state);
            }
            out.extend([Step::TellMapped(here), Step::TellConfigured(here, state)]);
        }
    }

    /// The server changed how the window is shown; it knows this when the OS window gets so.
    pub fn server_sets(&mut self, now: Instant, state: WindowState) {
        if let Some((_, told)) = &mut self.told {
            *told = state;
        }
        self.size_asked = false;
        self.settling = Some(now + SETTLE);
    }

    /// Whether the server says what the user undid since: it tells late that the window is minimised, or is not.
    pub fn is_old_news(&self, now: Instant, iconified: bool) -> bool {
        iconified == self.mapped && self.flipped.is_some_and(|at| at + ECHO > now)
    }

    /// Another scale from now on. The server keeps its size.
    pub fn rescale(&mut self, now: Instant, scale: Scale, out: &mut Vec<Step>) {
        out.push(Step::Resize(self.place.rescale(scale)));
        self.settling = Some(now + SETTLE);
    }

    /// It is told where the window is.
    fn tells(&mut self, now: Instant, geometry: Geometry, state: WindowState) {
        (self.told, self.told_at) = (Some((geometry, state)), Some(now));
        (self.untold, self.again, self.times_again) = (false, None, 0);
        self.place.told();
    }

    /// Whether the server answers the desktop's size with its own again and again.
    fn insists(&mut self, ours: Size, theirs: Size) -> bool {
        let before =
            self.dispute.filter(|(a, b, _)| (*a, *b) == (ours, theirs)).map_or(0, |(.., times)| times);
        self.dispute = (ours != theirs).then_some((ours, theirs, before.saturating_add(1)));
        before >= MAX_INSISTING
    }

    fn was_told_lately(&self, now: Instant, position: Option<Point>, size: Size) -> bool {
        self.told_before.iter().any(|(told, until)| told.is_at(position, size) && *until + ECHO > now)
    }

    fn no_longer_told(&mut self, now: Instant) {
        self.told_before.retain(|(_, until)| *until + ECHO > now);
        if self.told_before.len() < MAX_TOLD_BEFORE {
            self.told_before.extend(self.told.map(|(geometry, _)| (geometry, now)));
        }
    }

    /// A place counts when it lasted: window managers change place and state one after the other.
    fn note_normal(&mut self, now: Instant, geometry: Geometry, state: WindowState) {
        let is_normal = !(state.maximized || state.fullscreen);
        if let Some((newest, since)) = self.newest_normal
            && !(is_normal && newest == geometry)
            && since + SETTLE <= now
        {
            self.normal = Some(newest);
        }
        if !is_normal {
            self.newest_normal = None;
        } else if self.newest_normal.is_none_or(|(newest, _)| newest != geometry) {
            self.newest_normal = Some((geometry, now));
        }
    }
}
