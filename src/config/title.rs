//! `--title`: what the windows of a session are called.

use std::fmt;
use std::str::FromStr;

/// A title with places for what it depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TitleFormat {
    /// As it was written.
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Title,
    Server,
    Session,
    Address,
}

/// What the places are filled with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names<'a> {
    /// The window's own title.
    pub title: &'a str,
    /// The server's machine, in its own words.
    pub server: &'a str,
    pub session: &'a str,
    /// What the user connected to.
    pub address: &'a str,
}

/// A place that there is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` means nothing: expected {{title}}, {{server}}, {{session}} or {{address}}")]
pub struct TitleError(String);

impl TitleFormat {
    /// The title.
    pub fn fill(&self, names: Names<'_>) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Title => names.title.to_owned(),
            Part::Server => names.server.to_owned(),
            Part::Session => names.session.to_owned(),
            Part::Address => names.address.to_owned(),
        };
        self.parts.iter().map(part).collect()
    }
}

impl FromStr for TitleFormat {
    type Err = TitleError;

    fn from_str(text: &str) -> Result<Self, TitleError> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, place, after)) = next_place(rest) {
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let name = &place[1..place.len() - 1];
            parts.push(match (name, place.starts_with('{')) {
                ("title", _) => Part::Title,
                // Xpra's names of the machine where programs run, and of the server's.
                ("server", true) | ("client-machine" | "server-machine" | "hostinfo", false) => Part::Server,
                ("session", true) | ("session-name" | "session_name", false) => Part::Session,
                ("address", true) => Part::Address,
                _ => return Err(TitleError(place.to_owned())),
            });
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { text: text.to_owned(), parts })
    }
}

/// The first place in a text, `{like}` this or `@like@` this, with what stands before and behind it.
fn next_place(text: &str) -> Option<(&str, &str, &str)> {
    text.char_indices().find_map(|(start, character)| {
        let close = match character {
            '{' => '}',
            '@' => '@',
            _ => return None,
        };
        let inside = &text[start + 1..];
        let length = inside.find(close)?;
        let is_name = |c: char| c.is_ascii_alphabetic() || matches!(c, '-' | '_');
        if length == 0 || !inside[..length].chars().all(is_name) {
            return None;
        }
        let end = start + length + 2;
        Some((&text[..start], &text[start..end], &text[end..]))
    })
}

impl fmt::Display for TitleFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
