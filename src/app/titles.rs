//! What the session's windows are called.

use crate::config::{Names, TitleFormat};

use super::attributes;

/// How titles are made, and of what.
pub struct Titles {
    format: TitleFormat,
    /// The session's name: the title of windows that have none.
    pub session: String,
    /// The server's machine, as far as it says.
    pub server: String,
    address: String,
}

impl Titles {
    /// Of the session at this address, which has not said its name.
    pub fn new(format: TitleFormat, address: String) -> Self {
        Self { format, session: "Farpane".to_owned(), server: address.clone(), address }
    }

    /// The title of a window that has this one on the server.
    pub fn of(&self, title: &str) -> String {
        let title = attributes::text(title);
        let (session, server) = (attributes::text(&self.session), attributes::text(&self.server));
        let title = if title.is_empty() { &session } else { &title };
        self.format.fill(Names { title, server: &server, session: &session, address: &self.address })
    }
}
