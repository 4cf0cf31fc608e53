//! Windows over a lost connection: they stay where they are, and the next one tells what they are like now.

use crate::app::place::Geometry;
use crate::app::remote_window::RemoteWindow;
use crate::channel::clock;
use crate::desktop::Desktop;
use crate::session::{WindowChange, WindowInfo, WindowState};

use super::{Outside, Windows};

impl Windows {
    /// The connection is lost: the server hears nothing of what happens to windows from now on.
    pub fn lost(&mut self) {
        self.windows.values_mut().for_each(|remote| remote.talk.lost());
    }

    /// A window of the connection that was lost is still there, like this. Returns it if the OS window that there is
    /// cannot stand for it: another server may give the number to another window.
    pub fn keep(&mut self, info: WindowInfo, desktop: &Desktop) -> Result<(), Box<WindowInfo>> {
        let Some(remote) = self.windows.get_mut(&info.wid).filter(|remote| is_like(&remote.info, &info))
        else {
            return Err(Box::new(info));
        };
        let old = remote.info.clone();
        remote.info.memory = info.memory;
        for change in changes(&old, &info, remote.talk.state_when_lost()) {
            self.change(info.wid, change, desktop);
        }
        let server = Geometry { x: info.x, y: info.y, size: info.size };
        let outside = Outside { desktop, net: &self.net, render: &self.render, screen: self.screen };
        if let Some(remote) = self.windows.get_mut(&info.wid) {
            tell_again(remote, server, outside);
        }
        Ok(())
    }
}

fn tell_again(remote: &mut RemoteWindow, server: Geometry, outside: Outside<'_>) {
    let mut steps = Vec::new();
    remote.talk.again(clock::now(), server, &mut steps);
    remote.take(&steps, outside);
    remote.dirty = true;
}

/// Whether one OS window can show both.
fn is_like(old: &WindowInfo, new: &WindowInfo) -> bool {
    let kind =
        |info: &WindowInfo| (info.override_redirect, info.is_desktop, info.has_alpha, info.class.clone());
    kind(old) == kind(new)
}

/// What is new about a window, but for its place. Icons come in packets of their own. `known`: how the server knew it to be
/// shown when the connection was lost.
fn changes(old: &WindowInfo, new: &WindowInfo, known: Option<WindowState>) -> Vec<WindowChange> {
    // The user's desktop knows best whether it is minimised: the server has it so while nobody shows it.
    let mut state = WindowState { iconified: old.state.iconified, ..new.state };
    let size = |state: WindowState| (state.maximized, state.fullscreen);
    if known.is_some_and(|known| size(known) == size(new.state)) {
        // Nothing new on that side: it stays as the user has it by now, and the server will hear of it.
        (state.maximized, state.fullscreen) = size(old.state);
    }
    let hints = |info: &WindowInfo| {
        (info.window_types.clone(), info.modal, info.skip_taskbar, info.parent, info.has_position)
    };
    let all = [
        (old.title != new.title).then(|| WindowChange::Title(new.title.clone())),
        (old.size_limits != new.size_limits).then_some(WindowChange::SizeLimits(new.size_limits)),
        (old.decorations != new.decorations).then_some(WindowChange::Decorations(new.decorations)),
        (hints(old) != hints(new)).then(|| WindowChange::Hints(Box::new(new.clone()))),
        (old.shape != new.shape).then(|| WindowChange::Shape(new.shape.clone())),
        (old.state != state).then_some(WindowChange::State(state)),
    ];
    all.into_iter().flatten().collect()
}
