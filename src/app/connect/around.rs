//! Sessions that announce themselves on the network: looked for when the user wants it, and not before.

use std::sync::Arc;

use super::Connect;
use super::list::Destination;
use crate::app::inbox::{Inbox, InboxEvent};
use crate::net::nearby::{Session, search};
use crate::ui::EntryKind;

/// How far the search is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Around {
    #[default]
    NotLooked,
    Looking,
    Found(Vec<Session>),
    Failed(String),
}

/// Looks on a thread of its own; `inbox` is told what was found.
fn look(inbox: &Arc<Inbox>) -> std::io::Result<()> {
    let inbox = Arc::clone(inbox);
    let run = move || inbox.push(InboxEvent::Nearby(search().map_err(|error| error.to_string())));
    std::thread::Builder::new().name("farpane-nearby".to_owned()).spawn(run).map(drop)
}

impl Connect {
    /// Begins a search, unless one is under way.
    pub(super) fn look_around(&mut self) {
        if self.around == Around::Looking {
            return;
        }
        self.around = match look(&self.inbox) {
            Ok(()) => Around::Looking,
            Err(error) => Around::Failed(error.to_string()),
        };
        self.list();
    }

    /// The search is over.
    pub fn nearby(&mut self, found: Result<Vec<Session>, String>) {
        self.around = match found {
            Ok(sessions) => Around::Found(sessions),
            Err(words) => Around::Failed(words),
        };
        self.list();
        // What was found takes the focus of what looked for it.
        let is_found = |destination: &Destination| matches!(destination, Destination::Nearby(_));
        let first = self.destinations.iter().position(is_found).map(|index| index as u64);
        if let (Some(first), Some(looked)) = (first, self.id_of(&Destination::LookAround)) {
            self.view.attend(first, Some(looked));
        }
    }

    /// Lists what was found, and the way to look.
    pub(super) fn list_nearby(&mut self) {
        let (name, note) = match &self.around {
            Around::NotLooked => ("Look for sessions nearby", "asks this network (mDNS)".to_owned()),
            Around::Looking => ("Looking for sessions nearby …", "for some seconds".to_owned()),
            Around::Found(sessions) if sessions.is_empty() => {
                ("Look again", "none announces itself here".to_owned())
            }
            Around::Found(_) => ("Look again", "asks this network (mDNS)".to_owned()),
            Around::Failed(words) => ("Look again", format!("it failed: {words}")),
        };
        let found = if let Around::Found(sessions) = &self.around { sessions.clone() } else { Vec::new() };
        for session in found {
            let note = match session.platform.as_str() {
                "" => session.username.clone(),
                platform => format!("{} {}, {platform}", session.username, session.display),
            };
            let words = (session.title(), session.address(), note.trim().to_owned());
            self.add(Destination::Nearby(session), EntryKind::Nearby, words, None);
        }
        let words = (name.to_owned(), String::new(), note);
        self.add(Destination::LookAround, EntryKind::Nearby, words, None);
    }
}
