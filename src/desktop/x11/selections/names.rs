//! Names of targets and types, and X's numbers of them (atoms). A server keeps an atom until it ends: names that came
//! over the network make only a bounded number of new ones.

use std::collections::BTreeMap;

use x11rb::errors::{ConnectionError, ReplyError};
use x11rb::protocol::xproto::{Atom, ConnectionExt as _};
use x11rb::rust_connection::RustConnection;

use crate::protocol::packet::clipboard::MAX_NAME;

/// Names that are remembered each way; beyond that all are forgotten.
const MAX_REMEMBERED: usize = 4096;
/// Atoms that are made for names that came over the network, for as long as the connection stands.
const MAX_MADE: usize = 1024;

/// What is known of names.
#[derive(Default)]
pub struct Names {
    atoms: BTreeMap<String, Atom>,
    /// `None`: not a name that can be passed on.
    names: BTreeMap<Atom, Option<String>>,
    made: usize,
}

impl Names {
    /// The atom of a name, if there is one already. Makes none.
    pub fn find(&mut self, connection: &RustConnection, name: &str) -> Result<Option<Atom>, ReplyError> {
        if let Some(atom) = self.atoms.get(name) {
            return Ok(Some(*atom));
        }
        let atom = connection.intern_atom(true, name.as_bytes())?.reply()?.atom;
        if atom == x11rb::NONE {
            return Ok(None);
        }
        if self.atoms.len() >= MAX_REMEMBERED {
            self.atoms.clear();
        }
        Ok(Some(self.remember(name, atom)))
    }

    /// The atoms of names, in their order; those that there are no atoms for, and that none may be made for any more, are
    /// left out.
    pub fn make(
        &mut self,
        connection: &RustConnection,
        names: &[String],
    ) -> Result<Vec<(Atom, String)>, ReplyError> {
        if self.atoms.len() + names.len() > MAX_REMEMBERED {
            self.atoms.clear();
        }
        // All questions, then all answers.
        let unknown: Vec<&String> = names.iter().filter(|name| !self.atoms.contains_key(*name)).collect();
        let asked: Result<Vec<_>, ConnectionError> =
            unknown.iter().map(|name| connection.intern_atom(true, name.as_bytes())).collect();
        let mut new = Vec::new();
        for (name, cookie) in unknown.into_iter().zip(asked?) {
            match cookie.reply()?.atom {
                x11rb::NONE => new.push(name),
                atom => drop(self.remember(name, atom)),
            }
        }
        new.truncate(MAX_MADE - self.made.min(MAX_MADE));
        self.made += new.len();
        let asked: Result<Vec<_>, ConnectionError> =
            new.iter().map(|name| connection.intern_atom(false, name.as_bytes())).collect();
        for (name, cookie) in new.into_iter().zip(asked?) {
            let atom = cookie.reply()?.atom;
            self.remember(name, atom);
        }
        Ok(names.iter().filter_map(|name| Some((*self.atoms.get(name)?, name.clone()))).collect())
    }

    /// The names of atoms, in their order, without those that are no atoms and those whose names nobody else
    /// understands: not UTF-8, empty or too long.
    pub fn read(&mut self, connection: &RustConnection, atoms: &[Atom]) -> Result<Vec<String>, ReplyError> {
        if self.names.len() + atoms.len() > MAX_REMEMBERED {
            self.names.clear();
        }
        let unknown: Vec<Atom> =
            atoms.iter().copied().filter(|atom| !self.names.contains_key(atom)).collect();
        let asked: Result<Vec<_>, ConnectionError> =
            unknown.iter().map(|atom| connection.get_atom_name(*atom)).collect();
        for (atom, cookie) in unknown.into_iter().zip(asked?) {
            let name = match cookie.reply() {
                Ok(reply) => String::from_utf8(reply.name).ok(),
                // Not an atom.
                Err(ReplyError::X11Error(_)) => continue,
                Err(error) => return Err(error),
            };
            self.names.insert(atom, name.filter(|name| (1..=MAX_NAME).contains(&name.len())));
        }
        Ok(atoms.iter().filter_map(|atom| self.names.get(atom)?.clone()).collect())
    }

    /// The name of one atom.
    pub fn name(&mut self, connection: &RustConnection, atom: Atom) -> Result<Option<String>, ReplyError> {
        Ok(self.read(connection, &[atom])?.pop())
    }

    fn remember(&mut self, name: &str, atom: Atom) -> Atom {
        self.atoms.insert(name.to_owned(), atom);
        atom
    }
}
