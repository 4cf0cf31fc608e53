//! Order and focus of the windows over sessions.
//!
//! Servers announce windows in the order in which they were created, and no packet tells more. But they keep client
//! properties with each window and hand them back to whoever attaches next with the same uuid. So each window carries
//! a number that grows: of two, the one with the larger number is above. A window that comes to the front
//! gets the next number; the others keep theirs.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::channel::NetQueue;
use crate::desktop::native_id;
use crate::protocol::packet::WindowId;
use crate::session::windows::WindowMemory;

use super::remote_window::{Outside, RemoteWindow};

/// How long the window manager may take to show the windows of an earlier session before they are ordered.
const PATIENCE: Duration = Duration::from_secs(2);
/// Changes of the order are told together.
const DEBOUNCE: Duration = Duration::from_millis(200);

type Remotes = BTreeMap<WindowId, RemoteWindow>;

/// What is remembered, and where it stands with giving it back.
#[derive(Debug, Default)]
pub struct Memory {
    phase: Phase,
    /// The largest number given so far.
    counter: u32,
    /// The order changed: look at it then.
    look_at: Option<Instant>,
}

#[derive(Debug, Default)]
enum Phase {
    /// Windows that exist are still announced.
    #[default]
    Starting,
    /// They wait for the window manager to show them, until then at most.
    Showing(Instant),
    /// They have their order back: what changes from now on is the user's wish.
    Running,
}

impl Memory {
    /// All windows that exist were announced.
    pub fn begin(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Starting) {
            self.phase = Phase::Showing(now + PATIENCE);
        }
    }

    /// The order of the desktop's windows changed.
    pub fn restacked(&mut self) {
        if matches!(self.phase, Phase::Running) && self.look_at.is_none() {
            self.look_at = Some(crate::channel::clock::now() + DEBOUNCE);
        }
    }

    /// When [`Self::update`] has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Showing(until) => Some(until),
            Phase::Starting | Phase::Running => self.look_at,
        }
    }

    /// Does what is due.
    pub fn update(&mut self, now: Instant, windows: &mut Remotes, outside: Outside<'_>) {
        if let Phase::Showing(until) = self.phase {
            let is_shown = |remote: &RemoteWindow| {
                remote.talk.is_mapped() || remote.info.override_redirect || remote.info.state.iconified
            };
            if until <= now || windows.values().all(is_shown) {
                self.phase = Phase::Running;
                self.give_back(windows, outside);
                self.restacked();
            }
        }
        if self.look_at.take_if(|at| *at <= now).is_some() {
            self.look(windows, outside);
        }
    }

    /// The window got the focus.
    pub fn focused(&mut self, wid: WindowId, windows: &mut Remotes, net: &NetQueue) {
        let latest = windows.values().filter_map(|remote| remote.info.memory.focus).max();
        if matches!(self.phase, Phase::Running)
            && let Some(remote) = windows.get_mut(&wid).filter(|remote| !remote.info.override_redirect)
            && (latest.is_none() || remote.info.memory.focus != latest)
        {
            let focus = Some(self.next());
            remote.remember(WindowMemory { focus, ..WindowMemory::default() }, net);
        }
    }

    fn next(&mut self) -> u32 {
        self.counter = self.counter.saturating_add(1);
        self.counter
    }

    fn give_back(&mut self, windows: &Remotes, outside: Outside<'_>) {
        let memories = windows.values().map(|remote| remote.info.memory);
        self.counter = memories.flat_map(|memory| [memory.order, memory.focus]).flatten().max().unwrap_or(0);
        let is_managed =
            |remote: &&RemoteWindow| !remote.info.override_redirect && !remote.info.state.iconified;
        let managed = || windows.values().filter(is_managed);
        let mut ordered: Vec<(u32, &RemoteWindow)> =
            managed().filter_map(|remote| Some((remote.info.memory.order?, remote))).collect();
        ordered.sort_by_key(|(order, _)| *order);
        tracing::debug!(windows = ordered.len(), "windows get their order back");
        for (_, remote) in ordered {
            outside.desktop.raise(&remote.window);
        }
        let focused = managed().filter_map(|remote| Some((remote.info.memory.focus?, remote)));
        if let Some((_, remote)) = focused.max_by_key(|(focus, _)| *focus) {
            outside.desktop.activate(&remote.window);
        }
    }

    /// Numbers the windows that are above one with a larger number.
    fn look(&mut self, windows: &mut Remotes, outside: Outside<'_>) {
        let Some(stacking) = outside.desktop.stacking() else { return };
        let by_native: BTreeMap<u64, WindowId> = windows
            .values()
            .filter(|remote| !remote.info.override_redirect)
            .filter_map(|remote| Some((native_id(&remote.window)?, remote.wid)))
            .collect();
        let mut below = 0;
        for wid in stacking.iter().filter_map(|native| by_native.get(native)) {
            let Some(remote) = windows.get_mut(wid) else { continue };
            let mut order = remote.info.memory.order.unwrap_or(0);
            if order <= below {
                order = self.next();
                remote.remember(WindowMemory { order: Some(order), ..WindowMemory::default() }, outside.net);
            }
            below = order;
        }
    }
}
