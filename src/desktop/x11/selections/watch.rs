//! Who owns which selection: what XFixes tells, without what it tells twice and without ourselves.

use std::collections::BTreeMap;

use x11rb::connection::SequenceNumber;
use x11rb::errors::ReplyError;
use x11rb::protocol::xfixes::{ConnectionExt as _, SelectionEventMask, SelectionNotifyEvent};
use x11rb::protocol::xproto::{Timestamp, Window};

use super::server::Server;
use crate::protocol::packet::clipboard::Selection;
use crate::session::clipboard::FromDesktop;

/// The selections that are watched.
#[derive(Default)]
pub struct Watch {
    owners: BTreeMap<Selection, Owner>,
}

/// Who owns a selection.
struct Owner {
    /// [`x11rb::NONE`]: nobody.
    window: Window,
    /// Since when, by the server's time; `None`: since before anybody looked.
    since: Option<Timestamp>,
    /// The request by which the owner was known. Events from before that are old news.
    at: SequenceNumber,
}

impl Watch {
    /// Watches these and no others, and says who owns them now.
    pub fn set(
        &mut self,
        server: &mut Server,
        selections: &[Selection],
        out: &mut Vec<FromDesktop>,
    ) -> Result<(), ReplyError> {
        for selection in Selection::ALL {
            let wanted = selections.contains(&selection);
            if wanted != self.owners.contains_key(&selection) {
                let all = SelectionEventMask::SET_SELECTION_OWNER
                    | SelectionEventMask::SELECTION_WINDOW_DESTROY
                    | SelectionEventMask::SELECTION_CLIENT_CLOSE;
                let events = if wanted { all } else { SelectionEventMask::from(0_u32) };
                let atom = server.atom_of(selection);
                server.connection.xfixes_select_selection_input(server.window, atom, events)?;
            }
            if !wanted {
                self.owners.remove(&selection);
                continue;
            }
            let (window, at) = server.owner(selection)?;
            self.owners.insert(selection, Owner { window, since: None, at });
            if window == x11rb::NONE {
                out.push(FromDesktop::Unowned(selection));
            } else if window != server.window {
                out.push(FromDesktop::Owned(selection));
            }
        }
        Ok(())
    }

    /// A selection's owner was asked for by request `at`, after this program tried to become it.
    pub fn found(
        &mut self,
        server: &Server,
        selection: Selection,
        window: Window,
        at: SequenceNumber,
        out: &mut Vec<FromDesktop>,
    ) {
        if let Some(owner) = self.owners.get_mut(&selection) {
            *owner = Owner { window, since: None, at };
            if window == x11rb::NONE {
                out.push(FromDesktop::Unowned(selection));
            } else if window != server.window {
                out.push(FromDesktop::Owned(selection));
            }
        }
    }

    /// This program let go of a selection.
    pub fn released(&mut self, server: &Server, selection: Selection) {
        if let Some(owner) = self.owners.get_mut(&selection)
            && owner.window == server.window
        {
            owner.window = x11rb::NONE;
        }
    }

    /// The owner of a selection changed.
    pub fn changed(
        &mut self,
        server: &Server,
        event: &SelectionNotifyEvent,
        at: SequenceNumber,
        out: &mut Vec<FromDesktop>,
    ) {
        let Some(selection) = server.selection_of(event.selection) else { return };
        let Some(owner) = self.owners.get_mut(&selection) else { return };
        let since = Some(event.selection_timestamp);
        if at < owner.at || (event.owner, since) == (owner.window, owner.since) {
            return;
        }
        let before = owner.window;
        owner.window = event.owner;
        owner.since = since;
        if event.owner == x11rb::NONE {
            if before != x11rb::NONE {
                out.push(FromDesktop::Unowned(selection));
            }
        } else if event.owner != server.window {
            out.push(FromDesktop::Owned(selection));
        }
    }
}
