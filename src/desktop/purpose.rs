//! What passwords are kept for, and what is found of them.

use crate::session::Secret;

/// What a password is for: exactly this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purpose {
    /// The server's address, without a password.
    pub server: String,
    pub user: String,
    /// The how manieth question of a login it answers, from 1.
    pub number: u32,
}

/// What the store has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Password(Secret),
    Nothing,
    /// There is no store that could keep one, or it does not answer.
    NoStore,
}
