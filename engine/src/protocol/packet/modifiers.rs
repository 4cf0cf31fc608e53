//! The modifiers of X's keyboards, which every key and motion of the pointer is sent with.

use super::encode::Encoder;

/// By bit of X's modifier mask.
const NAMES: [&str; 8] = ["shift", "lock", "control", "mod1", "mod2", "mod3", "mod4", "mod5"];

/// Which modifiers are held or locked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Modifiers {
    mask: u8,
}

impl Modifiers {
    /// Those of X's modifier mask.
    pub const fn from_mask(mask: u8) -> Self {
        Self { mask }
    }

    /// Those of these names; what X has no modifier for is left out.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let bit = |name| NAMES.into_iter().position(|known| known == name).map_or(0, |bit| 1 << bit);
        Self { mask: names.into_iter().map(bit).fold(0, |mask, bit: u8| mask | bit) }
    }

    /// Their names, by bit.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        (0..).zip(NAMES).filter(move |(bit, _)| self.mask & (1 << bit) != 0).map(|(_, name)| name)
    }

    /// A list of their names.
    pub(super) fn encode(self, args: &mut Encoder<'_>) {
        args.list(self.mask.count_ones() as usize, |list| self.names().for_each(|name| list.str(name)));
    }
}
