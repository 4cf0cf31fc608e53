//! Full screen by the user's wish, and the keyboard with it: what the window manager takes for itself goes to the session too,
//! while that window has the focus.

use std::time::{Duration, Instant};

use crate::channel::clock;
use crate::desktop::Desktop;
use crate::protocol::packet::WindowId;
use crate::session::WindowState;

use super::attributes;
use super::windows::Windows;

/// The window manager has so long to show a window in full screen: most do it at once.
const PATIENCE: Duration = Duration::from_millis(1500);

/// What became of the user's wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Became {
    /// The window is shown in full screen.
    Full(WindowId),
    /// The window manager did not do it.
    Refused(WindowId),
    /// Its program allows the window one size only.
    Fixed(WindowId),
    /// It is not in full screen any more, or another window has the focus: what was said of it is over.
    Over,
}

/// Which window is shown in full screen because the user wanted it.
pub struct FullScreen {
    /// Its keyboard is to be grabbed.
    grabs: bool,
    window: Option<WindowId>,
    /// Until when the window manager is waited for.
    until: Option<Instant>,
    grabbed: Option<WindowId>,
    /// It was said of this window how to leave full screen.
    said: Option<WindowId>,
}

impl FullScreen {
    /// None is. `grabs`: such a window gets all keys.
    pub fn new(grabs: bool) -> Self {
        Self { grabs, window: None, until: None, grabbed: None, said: None }
    }

    /// Shows a window in full screen, or as it was before that. Returns why not, if that is known at once.
    pub fn toggle(&mut self, wid: WindowId, windows: &Windows, desktop: &Desktop) -> Option<Became> {
        let remote = windows.get(wid).filter(|remote| !remote.info.override_redirect)?;
        let is_full = remote.talk.is_full_screen();
        let is_fixed = !remote.info.is_desktop && !attributes::is_resizable(remote.info.size_limits);
        if is_fixed && !is_full {
            return Some(Became::Fixed(wid));
        }
        let state = |fullscreen| WindowState { fullscreen, ..remote.info.state };
        remote.change_state(state(is_full), state(!is_full), desktop);
        self.window = (!is_full).then_some(wid);
        self.until = self.window.map(|_| clock::now() + PATIENCE);
        None
    }

    /// Whether keys that the window manager takes for itself can be had here.
    pub fn can_grab(&self, desktop: &Desktop) -> bool {
        self.grabs && desktop.can_grab_keyboard()
    }

    /// Grabs the keyboard and lets it go, as the focus is. `may_grab`: the session lives. Returns what became of the wish,
    /// once.
    pub fn update(
        &mut self,
        focused: Option<WindowId>,
        may_grab: bool,
        windows: &Windows,
        desktop: &Desktop,
    ) -> Option<Became> {
        self.sync_grab(focused, may_grab, windows, desktop);
        if self.said.take_if(|wid| focused != Some(*wid) || !is_full(*wid, windows)).is_some() {
            return Some(Became::Over);
        }
        let (wid, until) = (self.window?, self.until?);
        let is_full = is_full(wid, windows);
        if !is_full && clock::now() < until {
            return None;
        }
        self.until = None;
        self.window.take_if(|_| !is_full);
        self.said = self.window;
        Some(if is_full { Became::Full(wid) } else { Became::Refused(wid) })
    }

    /// When [`Self::update`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.until
    }

    fn sync_grab(&mut self, focused: Option<WindowId>, may_grab: bool, windows: &Windows, desktop: &Desktop) {
        let may_grab = self.grabs && may_grab;
        let wanted = self.window.filter(|wid| may_grab && focused == Some(*wid) && is_full(*wid, windows));
        if self.grabbed == wanted {
            return;
        }
        if let Some(remote) = self.grabbed.take().and_then(|wid| windows.get(wid)) {
            desktop.release_keyboard(&remote.window);
        }
        if let Some(remote) = wanted.and_then(|wid| windows.get(wid))
            && desktop.grab_keyboard(&remote.window)
        {
            self.grabbed = wanted;
        }
    }

    /// A window is gone.
    pub fn forget(&mut self, wid: WindowId) {
        self.window.take_if(|window| *window == wid);
        self.grabbed.take_if(|window| *window == wid);
    }
}

fn is_full(wid: WindowId, windows: &Windows) -> bool {
    windows.get(wid).is_some_and(|remote| remote.talk.is_full_screen())
}
