//! What somebody new to a session is told: how to get at its menu, and how to leave.

use super::plate::{Button, Plate};

/// What the user decides in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GreetingAction {
    Menu,
    Disconnect,
    /// It is not to be said again.
    Enough,
}

impl Button for GreetingAction {
    fn words(self) -> &'static str {
        match self {
            Self::Menu => "Menu",
            Self::Disconnect => "Disconnect",
            Self::Enough => "Don't show again",
        }
    }
}

/// At the bottom of a window of the session; `key` opens the menu.
pub fn greeting(key: &str, hovered: Option<GreetingAction>) -> Plate<GreetingAction> {
    Plate {
        line: format!("{key} opens the session's menu"),
        buttons: &[GreetingAction::Menu, GreetingAction::Disconnect, GreetingAction::Enough],
        hovered,
        spinner: None,
        is_veil: false,
    }
}
