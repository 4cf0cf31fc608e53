//! Passwords in the desktop's own store: looked for before anybody is asked, kept where the user says so and the server
//! let us in with them, forgotten where it did not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::config::{Config, connections};
use crate::desktop::purpose::{Found, Purpose};
use crate::desktop::secrets;
use crate::session::Secret;

use super::inbox::{Inbox, InboxEvent};

/// A server's question for a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub prompt: String,
    /// The how manieth of this login.
    pub number: u32,
}

/// The store, as far as one session is concerned.
pub struct KeptPasswords {
    inbox: Arc<Inbox>,
    /// `None`: somebody else named the server, which gets nothing of it.
    account: Option<(String, String)>,
    /// What is looked for a password for.
    waiting: Option<Asked>,
    /// The questions of this login that were answered from the store.
    used: Vec<u32>,
    /// Those that something was looked for, and whether there is a store that could keep it.
    looked: BTreeMap<u32, bool>,
    /// What the user typed and wants kept.
    typed: Vec<(u32, Secret)>,
    /// What is being done there.
    under_way: Vec<JoinHandle<()>>,
}

impl KeptPasswords {
    /// Those for the server and user of this session.
    pub fn of(config: &Config, inbox: &Arc<Inbox>) -> Self {
        let account = || {
            let connection = &config.connection;
            (connections::address(&connection.target), connection.session.identity.username.clone())
        };
        Self {
            inbox: Arc::clone(inbox),
            account: (!config.is_foreign).then(account),
            waiting: None,
            used: Vec::new(),
            looked: BTreeMap::new(),
            typed: Vec::new(),
            under_way: Vec::new(),
        }
    }

    fn purpose(&self, number: u32) -> Option<Purpose> {
        let (server, user) = self.account.clone()?;
        Some(Purpose { server, user, number })
    }

    /// Whether the question of this number was looked for before in this login, in vain or with a password that is not right;
    /// and whether there is a store that can keep another one.
    pub fn was_asked(&self, number: u32) -> Option<bool> {
        self.looked.get(&number).copied()
    }

    /// Looks for a password: what is found comes as [`InboxEvent::KeptPassword`]. False if nobody looks.
    pub fn look_up(&mut self, asked: Asked) -> bool {
        let Some(purpose) = self.purpose(asked.number) else { return false };
        let (inbox, number) = (Arc::clone(&self.inbox), asked.number);
        let tell = move |found| inbox.push(InboxEvent::KeptPassword { number, found });
        let started = secrets::look_up(purpose, tell);
        self.waiting = started.is_ok().then_some(asked);
        started.is_ok()
    }

    /// The question of this number that something was looked for, unless it is over.
    pub fn found(&mut self, number: u32, found: &Found) -> Option<Asked> {
        let asked = self.waiting.take_if(|waiting| waiting.number == number)?;
        self.looked.insert(number, *found != Found::NoStore);
        if let Found::Password(_) = found {
            self.used.push(asked.number);
        }
        Some(asked)
    }

    /// The user typed this, and wants it kept.
    pub fn typed(&mut self, number: u32, password: Secret) {
        self.typed.push((number, password));
    }

    /// The server let us in: what was typed is right.
    pub fn accepted(&mut self) {
        self.over();
        for (number, password) in std::mem::take(&mut self.typed) {
            let Some(purpose) = self.purpose(number) else { continue };
            let tell = |kept: Result<(), String>| match kept {
                Ok(()) => tracing::info!("the desktop keeps the password"),
                Err(why) => tracing::warn!(why, "the desktop does not keep the password"),
            };
            self.under_way.extend(secrets::keep(purpose, password, tell));
        }
    }

    /// The server refused the answer to the question of this number: what was kept for it is wrong.
    pub fn refused(&mut self, number: u32) {
        if self.used.extract_if(.., |used| *used == number).count() > 0
            && let Some(purpose) = self.purpose(number)
        {
            self.under_way.extend(secrets::forget(purpose));
        }
        self.typed.retain(|(typed, _)| *typed != number);
    }

    /// Nobody waits for an answer any more.
    pub fn over(&mut self) {
        self.waiting = None;
        self.used.clear();
        self.looked.clear();
    }

    /// Waits for what is being done in the store, which takes a few seconds at most unless the user is asked there.
    pub fn finish(&mut self) {
        self.under_way.drain(..).for_each(|thread| drop(thread.join()));
    }
}
