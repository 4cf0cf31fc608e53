//! The combinations of keys that the viewer keeps for itself.

use std::fmt;
use std::str::FromStr;

/// A key with modifiers, for example `Shift+F11`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCombination {
    pub shift: bool,
    pub control: bool,
    pub alt: bool,
    pub logo: bool,
    /// The key's X keysym name: `F11`, `a`, `Home`.
    pub key: String,
}

impl KeyCombination {
    /// A key with Shift.
    pub fn shift(key: &str) -> Self {
        Self { shift: true, control: false, alt: false, logo: false, key: key.to_owned() }
    }

    /// Whether this is it: Shift, Ctrl, Alt, Super as they are held, and the keysym's name.
    pub fn is(&self, held: [bool; 4], key: &str) -> bool {
        held == [self.shift, self.control, self.alt, self.logo] && self.key.eq_ignore_ascii_case(key)
    }
}

impl fmt::Display for KeyCombination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, name) in
            [(self.shift, "Shift"), (self.control, "Ctrl"), (self.alt, "Alt"), (self.logo, "Super")]
        {
            if held {
                write!(f, "{name}+")?;
            }
        }
        f.write_str(&self.key)
    }
}

/// A key combination that could not be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{got}` is not a key combination: expected for example Shift+F11 (modifiers: Shift, Ctrl, Alt, Super)"
)]
pub struct KeyCombinationError {
    got: String,
}

impl FromStr for KeyCombination {
    type Err = KeyCombinationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || KeyCombinationError { got: text.to_owned() };
        let mut combination =
            Self { shift: false, control: false, alt: false, logo: false, key: String::new() };
        let (modifiers, key) = text.rsplit_once('+').unwrap_or(("", text));
        for modifier in modifiers.split('+').filter(|modifier| !modifier.is_empty()) {
            match modifier.trim().to_ascii_lowercase().as_str() {
                "shift" => combination.shift = true,
                "ctrl" | "control" => combination.control = true,
                "alt" => combination.alt = true,
                "super" | "logo" | "meta" | "win" => combination.logo = true,
                _ => return Err(error()),
            }
        }
        let key = key.trim();
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(error());
        }
        combination.key = key.to_owned();
        Ok(combination)
    }
}
