//! What the windows show.

pub mod menu;
pub mod pad;
pub mod plasma;
pub mod terminal;
pub mod video;

use std::time::Duration;

use super::canvas::Draw;
use super::hello::Offers;

/// What a content wants of the desktop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// A menu with these entries where the pointer is.
    Menu(&'static [&'static str]),
    /// An entry of a menu was chosen.
    Chosen(&'static str),
}

/// The inside of a window.
pub trait Content {
    /// The window's title.
    fn title(&self) -> String;

    /// Its size in pixels.
    fn size(&self) -> (u32, u32);

    /// Whether its size may change.
    fn resizable(&self) -> bool {
        false
    }

    /// The window has another size now; all of it will be asked for.
    fn resize(&mut self, _width: u32, _height: u32) {}

    /// What changed since the last call, or, if the client has nothing yet (`whole`), everything.
    /// `elapsed` is the time since the session began.
    fn draws(&mut self, offers: &Offers, elapsed: Duration, whole: bool) -> Vec<Draw>;

    /// The pointer is at `at` in the window; `button` was pressed or released, if it is given.
    fn pointer(&mut self, _at: (i32, i32), _button: Option<(u8, bool)>) -> Option<Request> {
        None
    }

    /// A key was pressed: its X name, and the text that it types.
    fn key(&mut self, _name: &str, _text: &str) {}

    /// The user chose this entry of a menu.
    fn chosen(&mut self, _entry: &str) {}
}
