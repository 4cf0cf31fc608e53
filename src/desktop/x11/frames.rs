//! Frames that window managers put around our windows. While the user drags one, some (openbox) tell the window inside
//! nothing until the button is up.

use std::collections::BTreeMap;

use x11rb::connection::Connection as _;
use x11rb::errors::ReplyError;
use x11rb::protocol::xproto::{ChangeWindowAttributesAux, ConnectionExt as _, EventMask, Window};
use x11rb::rust_connection::RustConnection;

use super::log_failure;

/// Windows around one of ours, at most.
const MAX_NESTED: usize = 4;

/// Which of our windows is in which frame.
#[derive(Debug, Default)]
pub struct Frames {
    inside: BTreeMap<Window, Window>,
}

impl Frames {
    /// Ours that a watched window is, or is the frame of.
    pub fn inside(&self, window: Window) -> Window {
        self.inside.get(&window).copied().unwrap_or(window)
    }

    /// A watched window got another parent: what is around ours now is watched.
    pub fn reparented(&mut self, connection: &RustConnection, window: Window) {
        let ours = self.inside(window);
        self.forget(ours);
        log_failure("frame", self.watch(connection, ours));
    }

    /// Ours is gone, or its frame is.
    pub fn forget(&mut self, window: Window) {
        self.inside.retain(|frame, ours| *frame != window && *ours != window);
    }

    fn watch(&mut self, connection: &RustConnection, ours: Window) -> Result<(), ReplyError> {
        let mut window = ours;
        for _ in 0..MAX_NESTED {
            let tree = connection.query_tree(window)?.reply()?;
            window = tree.parent;
            if window == tree.root || window == x11rb::NONE {
                break;
            }
            let events = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
            connection.change_window_attributes(window, &events)?;
            self.inside.insert(window, ours);
        }
        Ok(connection.flush()?)
    }
}
