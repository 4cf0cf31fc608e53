//! Popups: which window they belong to, and what happens in them.

use super::Attached;
use crate::app::popups::Popups;
use crate::channel::clock;
use crate::desktop::{Desktop, PopupEvent};
use crate::protocol::packet::WindowId;
use crate::session::WindowInfo;

impl Attached {
    /// The window that a new one is a popup of, where there are such things: the one that it names, else the one
    /// under the pointer or with the focus.
    pub(super) fn popup_window(&self, info: &WindowInfo, desktop: &Desktop) -> Option<WindowId> {
        if !desktop.has_popups() || !Popups::is_popup(info) {
            return None;
        }
        let named = info.parent.map(|parent| self.popups.window_of(parent).unwrap_or(parent));
        let first = || self.windows.first().map(|window| window.wid);
        let all = [named, self.hovered, self.input.focused(), first()];
        all.into_iter().flatten().find(|wid| self.windows.get(*wid).is_some())
    }

    pub(super) fn popup_event(&mut self, number: u64, event: PopupEvent) {
        let Some(wid) = self.popups.by_number(number) else { return };
        match event {
            PopupEvent::Placed => self.popups.placed(wid),
            PopupEvent::Dismissed => {
                self.leaving.left(clock::now(), wid);
                self.popups.dismissed(wid);
            }
            PopupEvent::Moved { x, y } => {
                self.hovered = self.popups.window_of(wid);
                self.leaving.entered(wid);
                if let Some((place, position)) = self.popups.at(wid, x, y) {
                    self.input.moved(wid, &place, position);
                }
            }
            PopupEvent::Left => {
                self.hovered = None;
                self.leaving.left(clock::now(), wid);
            }
            PopupEvent::Button(button, state) => self.input.button(wid, button, state),
            PopupEvent::Wheel(delta) => self.input.wheel(wid, delta),
        }
    }
}
