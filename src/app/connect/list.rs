//! The connect window's list: what there is to connect to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use super::{Connect, ListedSession, locals, thumbnail};
use crate::channel::clock;
use crate::config::connections::{self, ConnectionKey};
use crate::config::{Request, Sender};
use crate::net::nearby;
use crate::ui::{ConnectEntry, ConnectForm, ConnectState, EntryKind, Reach};

/// What an entry stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    Kept(ConnectionKey),
    Local(ListedSession),
    Demo,
    /// Whoever is on the network wrote where it is.
    Nearby(nearby::Session),
    /// Nowhere: such sessions are looked for.
    LookAround,
}

impl Destination {
    /// Whether it is the same place, whatever is said of it by now.
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Local(one), Self::Local(other)) => one.display == other.display,
            _ => self == other,
        }
    }
}

impl Connect {
    /// Lists what there is to connect to.
    pub(super) fn list(&mut self) {
        let before = std::mem::take(&mut self.destinations);
        self.view.entries = Vec::new();
        let locals = self.locals.clone();
        // What runs here is one entry, with the picture of its last look.
        let mut pictures = BTreeMap::new();
        let now = SystemTime::now();
        if let Some(store) = self.launcher.store.clone() {
            let saved = store.list().unwrap_or_else(|error| {
                if !matches!(self.view.state, ConnectState::Connecting(_)) {
                    self.fail("The saved connections cannot be read", &error.to_string());
                }
                Vec::new()
            });
            for saved in saved {
                let request = store.load(&saved.name).ok().and_then(|file| file.request(true).ok());
                let address = request.as_ref().map(|request| connections::address(&request.target));
                let address = address.unwrap_or_default();
                let note = saved.last_used.map(|used| ago(used, now)).unwrap_or_default();
                let which = ConnectionKey::Saved(saved.name.clone());
                let picture = saved.thumbnail.as_deref().and_then(thumbnail::read);
                let reach = self.servers.reach(&saved.name, &address);
                self.add(Destination::Kept(which), EntryKind::Saved, (saved.name, address, note), picture);
                if let Some(entry) = self.view.entries.last_mut() {
                    entry.link = request.and_then(|request| request.link()).unwrap_or_default();
                    entry.reach = reach;
                }
            }
            for recent in store.recent() {
                if let ConnectionKey::Address(address) = &recent.which.clone() {
                    if locals.iter().any(|found| found.address() == *address) {
                        pictures.insert(address.clone(), recent.thumbnail);
                        continue;
                    }
                    let words = (address.clone(), address.clone(), ago(recent.last_used, now));
                    let picture = recent.thumbnail.as_deref().and_then(thumbnail::read);
                    self.add(Destination::Kept(recent.which), EntryKind::Recent, words, picture);
                    if let Some(entry) = self.view.entries.last_mut() {
                        let request = Request::address(address).ok();
                        entry.link = request.and_then(|request| request.link()).unwrap_or_default();
                    }
                }
            }
        }
        for found in locals {
            let address = found.address();
            let name = if found.name.is_empty() { address.clone() } else { found.name.clone() };
            let note = found.windows.map(locals::counted).unwrap_or_default();
            let picture = pictures.remove(&address).flatten().as_deref().and_then(thumbnail::read);
            self.add(Destination::Local(found), EntryKind::Local, (name, address, note), picture);
        }
        let demo = ("Try the demo session".to_owned(), "runs on this machine".to_owned(), String::new());
        self.add(Destination::Demo, EntryKind::Demo, demo, None);
        self.list_nearby();
        let new = |id: u64| {
            let destination = before.get(usize::try_from(id).ok()?)?;
            let is_it = |other: &Destination| other.is(destination);
            self.destinations.iter().position(is_it).map(|index| index as u64)
        };
        self.view.renumber(new);
        self.window.due_at(clock::now());
    }

    pub(super) fn add(
        &mut self,
        destination: Destination,
        kind: EntryKind,
        (name, address, note): (String, String, String),
        thumbnail: Option<Arc<egui::ColorImage>>,
    ) {
        let id = self.destinations.len() as u64;
        let command = self.command(&destination, &address);
        self.destinations.push(destination);
        let (link, reach) = (String::new(), Reach::Unknown);
        let entry = ConnectEntry { id, kind, name, address, command, link, note, reach, thumbnail };
        self.view.entries.push(entry);
    }

    pub(super) fn destination(&self, id: u64) -> Option<&Destination> {
        self.destinations.get(usize::try_from(id).ok()?)
    }

    pub(super) fn id_of(&self, destination: &Destination) -> Option<u64> {
        self.destinations.iter().position(|other| other == destination).map(|index| index as u64)
    }

    /// Has the form show an entry. Returns whether it does.
    pub(super) fn select(&mut self, id: u64) -> bool {
        let Some(destination) = self.destination(id).cloned() else { return false };
        let opened = match &destination {
            Destination::Kept(ConnectionKey::Saved(name)) => self.load(name),
            Destination::Kept(ConnectionKey::Address(address)) => {
                let request = Request::address(address).map_err(|error| error.to_string());
                // It is still somebody else's: no configured password is for it.
                let is_foreign = self.launcher.store.as_ref().is_some_and(|store| store.is_foreign(address));
                request.map(
                    |request| if is_foreign { Request { sender: Sender::Link, ..request } } else { request },
                )
            }
            Destination::Local(found) => {
                Request::address(&found.address()).map_err(|error| error.to_string())
            }
            Destination::Nearby(session) => Request::address(&session.address())
                .map(|request| Request { sender: Sender::Link, ..request })
                .map_err(|error| error.to_string()),
            Destination::LookAround => {
                self.look_around();
                return false;
            }
            Destination::Demo => {
                self.empty_form();
                self.view.selected = Some(id);
                return true;
            }
        };
        match opened {
            Ok(request) => {
                let which = match destination {
                    Destination::Kept(which) => Some(which),
                    _ => None,
                };
                self.fill(request, which);
                self.view.selected = Some(id);
                true
            }
            Err(words) => {
                // What was chosen before is not what leads there.
                self.empty_form();
                self.view.selected = None;
                self.fail("This connection cannot be used", &words);
                false
            }
        }
    }

    fn empty_form(&mut self) {
        self.view.form = ConnectForm::default();
        self.base = None;
        self.view.address_error = None;
    }

    pub(super) fn load(&self, name: &str) -> Result<Request, String> {
        let store = self.launcher.store.as_ref().ok_or("there is no place for connections")?;
        let file = store.load(name).map_err(|error| error.to_string())?;
        file.request(true).map_err(|error| error.to_string())
    }

    pub(super) fn forget(&mut self, id: u64) {
        let (Some(store), Some(Destination::Kept(which))) =
            (self.launcher.store.clone(), self.destination(id).cloned())
        else {
            return;
        };
        let result = match &which {
            ConnectionKey::Saved(name) => store.delete(name),
            ConnectionKey::Address(_) => store.forget(&which),
        };
        if let Err(error) = result {
            self.fail("It could not be forgotten", &error.to_string());
        }
        self.list();
    }

    /// What leads there on a command line: a saved connection by its file, which has its options too.
    fn command(&self, destination: &Destination, address: &str) -> String {
        let file = match (destination, &self.launcher.store) {
            (Destination::Kept(ConnectionKey::Saved(name)), Some(store)) => store.path(name),
            _ => None,
        };
        let place = file.map_or_else(|| address.to_owned(), |file| file.display().to_string());
        shlex::try_join(["farpane", &place]).unwrap_or_default()
    }

    pub(super) fn rename(&mut self, id: u64, name: &str) {
        let Some(old) = self.saved(id) else { return };
        let Some(store) = &self.launcher.store else { return };
        if let Err(error) = store.rename(&old, name) {
            self.view.refuse_name(error.to_string());
            return;
        }
        if let Some((_, Some(which))) = &mut self.base
            && *which == ConnectionKey::Saved(old.clone())
        {
            *which = ConnectionKey::Saved(name.to_owned());
            name.clone_into(&mut self.view.form.name);
        }
        self.servers.forget(&old);
        let renamed = Destination::Kept(ConnectionKey::Saved(name.to_owned()));
        self.list();
        if let Some(id) = self.id_of(&renamed) {
            self.view.selected = Some(id);
            self.view.attend(id, None);
        }
    }

    pub(super) fn duplicate(&mut self, id: u64) {
        let (Some(name), Some(store)) = (self.saved(id), self.launcher.store.clone()) else { return };
        let copied = store.load(&name).map_err(|error| error.to_string()).and_then(|file| {
            let is_taken = |name: &String| store.path(name).is_some_and(|path| path.exists());
            let mut names = (1..1000).map(|number| match number {
                1 => format!("{name} copy"),
                number => format!("{name} copy {number}"),
            });
            let free = names.find(|name| !is_taken(name)).ok_or("there are too many copies of it")?;
            store.save(&free, &file, false).map_err(|error| error.to_string())
        });
        if let Err(words) = copied {
            self.fail("It could not be copied", &words);
        }
        self.list();
    }

    fn saved(&self, id: u64) -> Option<String> {
        match self.destination(id)? {
            Destination::Kept(ConnectionKey::Saved(name)) => Some(name.clone()),
            _ => None,
        }
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
