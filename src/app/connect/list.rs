//! The connect window's list: what there is to connect to.

use std::sync::Arc;
use std::time::SystemTime;

use super::{Connect, Found, thumbnail};
use crate::channel::clock;
use crate::config::connections::{self, Which};
use crate::config::{Request, Sender};
use crate::ui::{ConnectEntry, ConnectForm, EntryKind};

/// What an entry stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Thing {
    Kept(Which),
    Local(Found),
    Demo,
}

impl Thing {
    pub(super) fn local(&self) -> Option<Found> {
        match self {
            Self::Local(found) => Some(found.clone()),
            _ => None,
        }
    }
}

impl Connect {
    /// Lists what there is to connect to.
    pub(super) fn list(&mut self, locals: &[Found]) {
        let selected = self.view.selected.and_then(|id| self.thing(id).cloned());
        (self.things, self.view.entries) = (Vec::new(), Vec::new());
        let now = SystemTime::now();
        if let Some(store) = self.launcher.store.clone() {
            let saved = store.list().unwrap_or_else(|error| {
                self.fail("The saved connections cannot be read", &error.to_string());
                Vec::new()
            });
            for saved in saved {
                let address = store.load(&saved.name).ok().and_then(|file| file.request(true).ok());
                let address =
                    address.map(|request| connections::address(&request.target)).unwrap_or_default();
                let note = saved.last_used.map(|used| ago(used, now)).unwrap_or_default();
                let which = Which::Saved(saved.name.clone());
                let picture = saved.thumbnail.as_deref().and_then(thumbnail::read);
                self.add(Thing::Kept(which), EntryKind::Saved, (saved.name, address, note), picture);
            }
            for recent in store.recent() {
                if let Which::Address(address) = &recent.which {
                    let words = (address.clone(), address.clone(), ago(recent.last_used, now));
                    let picture = recent.thumbnail.as_deref().and_then(thumbnail::read);
                    self.add(Thing::Kept(recent.which), EntryKind::Recent, words, picture);
                }
            }
        }
        for found in locals {
            let address = format!(":{}", found.display);
            let name = if found.name.is_empty() { address.clone() } else { found.name.clone() };
            let note = match found.windows {
                Some(1) => "1 window".to_owned(),
                Some(windows) => format!("{windows} windows"),
                None => String::new(),
            };
            self.add(Thing::Local(found.clone()), EntryKind::Local, (name, address, note), None);
        }
        let demo = ("Try the demo session".to_owned(), "runs on this machine".to_owned(), String::new());
        self.add(Thing::Demo, EntryKind::Demo, demo, None);
        self.view.selected = selected.and_then(|thing| self.id_of(&thing));
        self.view.forget_pictures();
        self.window.due_at(clock::now());
    }

    fn add(
        &mut self,
        thing: Thing,
        kind: EntryKind,
        (name, address, note): (String, String, String),
        thumbnail: Option<Arc<egui::ColorImage>>,
    ) {
        let id = self.things.len() as u64;
        self.things.push(thing);
        self.view.entries.push(ConnectEntry { id, kind, name, address, note, thumbnail });
    }

    pub(super) fn thing(&self, id: u64) -> Option<&Thing> {
        self.things.get(usize::try_from(id).ok()?)
    }

    fn id_of(&self, thing: &Thing) -> Option<u64> {
        self.things.iter().position(|other| other == thing).map(|index| index as u64)
    }

    pub(super) fn select(&mut self, id: u64) {
        let Some(thing) = self.thing(id).cloned() else { return };
        let opened = match &thing {
            Thing::Kept(Which::Saved(name)) => self.load(name),
            Thing::Kept(Which::Address(address)) => {
                let request = Request::address(address).map_err(|error| error.to_string());
                // It is still somebody else's: no configured password is for it.
                let is_foreign = self.launcher.store.as_ref().is_some_and(|store| store.is_foreign(address));
                request.map(
                    |request| if is_foreign { Request { sender: Sender::Link, ..request } } else { request },
                )
            }
            Thing::Local(found) => {
                Request::address(&format!(":{}", found.display)).map_err(|error| error.to_string())
            }
            Thing::Demo => {
                self.view.form = ConnectForm::default();
                self.base = None;
                self.view.address_error = None;
                self.view.selected = Some(id);
                return;
            }
        };
        match opened {
            Ok(request) => {
                let which = match thing {
                    Thing::Kept(which) => Some(which),
                    _ => None,
                };
                self.fill(request, which);
                self.view.selected = Some(id);
            }
            Err(words) => self.fail("This connection cannot be used", &words),
        }
    }

    fn load(&self, name: &str) -> Result<Request, String> {
        let store = self.launcher.store.as_ref().ok_or("there is no place for connections")?;
        let file = store.load(name).map_err(|error| error.to_string())?;
        file.request(true).map_err(|error| error.to_string())
    }

    pub(super) fn forget(&mut self, id: u64) {
        let (Some(store), Some(Thing::Kept(which))) = (self.launcher.store.clone(), self.thing(id).cloned())
        else {
            return;
        };
        let result = match &which {
            Which::Saved(name) => store.delete(name),
            Which::Address(_) => store.forget(&which),
        };
        if let Err(error) = result {
            self.fail("It could not be forgotten", &error.to_string());
        }
        self.list_again();
    }

    pub(super) fn list_again(&mut self) {
        let locals: Vec<Found> = self.things.iter().filter_map(Thing::local).collect();
        self.list(&locals);
    }
}

/// The time since `then` in words.
fn ago(then: SystemTime, now: SystemTime) -> String {
    let seconds = now.duration_since(then).unwrap_or_default().as_secs();
    let (count, unit) = match seconds {
        0..60 => return "used just now".to_owned(),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("used {count} {unit}{plural} ago")
}
