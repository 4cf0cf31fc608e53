//! Which keys are held, and what a key event means in X's terms.

use winit::event::{ElementState, KeyEvent};
use winit::keyboard::{KeyLocation, NamedKey};
use winit::platform::scancode::PhysicalKeyExtScancode as _;

use crate::protocol::packet::Modifiers;
use crate::session::Key;

use super::keysym;

/// An X keycode is the kernel's scancode plus this.
const X_KEYCODE_OFFSET: u32 = 8;
/// Keys that can be held at once; more is a stuck keyboard.
const MAX_HELD: usize = 64;

/// Bits of the modifier mask that stand for the same nearly everywhere.
const SHIFT: u8 = 1 << 0;
const LOCK: u8 = 1 << 1;
const CONTROL: u8 = 1 << 2;
const ALT: u8 = 1 << 3;
const NUM_LOCK: u8 = 1 << 4;
/// The modifiers that stay on until their key is pressed again.
const LOCKS: u8 = LOCK | NUM_LOCK;
const SUPER: u8 = 1 << 6;
const LEVEL3: u8 = 1 << 7;

/// A key event, in winit's terms but without its private parts.
#[derive(Clone, Debug)]
pub struct KeyPress {
    /// X keycode; 0 where it is not known.
    pub keycode: u32,
    pub logical: winit::keyboard::Key,
    pub location: KeyLocation,
    pub text: String,
    pub pressed: bool,
}

impl From<&KeyEvent> for KeyPress {
    fn from(event: &KeyEvent) -> Self {
        Self {
            keycode: event.physical_key.to_scancode().map_or(0, |code| code.saturating_add(X_KEYCODE_OFFSET)),
            logical: event.logical_key.clone(),
            location: event.location,
            text: event.text.as_ref().map_or_else(String::new, ToString::to_string),
            pressed: event.state == ElementState::Pressed,
        }
    }
}

/// What the window system knows of a key beyond winit. All empty where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyFacts {
    /// The exact keysym in the present state.
    pub keysym: Option<u32>,
    /// The modifiers that the key sets while it is held.
    pub modifier_mask: Option<u8>,
    /// Modifiers that are locked or latched now.
    pub locked: Option<u8>,
    /// The modifiers with which the key gives that keysym.
    pub modifiers: Option<u8>,
    /// Those of them that it would not give it without, or that must not be there.
    pub decided_by: u8,
    /// The modifiers that the key locks, and unlocks when it is pressed again.
    pub locks: u8,
    /// Layout group.
    pub group: u32,
}

/// A key event for the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyChange {
    pub key: Key,
    pub pressed: bool,
    /// The modifiers just before the event, as X reports them.
    pub modifiers: Modifiers,
}

/// Whether keys before this one began a sign that winit makes of several: a dead key, or the Compose key. The server
/// is told the keys and makes the sign itself; what winit says of the last one is no level of that key, although
/// another level may type it (`é` of US international).
#[derive(Debug, Default)]
pub struct Composing {
    left: u8,
}

/// Keys after the Compose key that may belong to it.
const COMPOSED_KEYS: u8 = 5;

impl Composing {
    /// Notes a press. Returns whether it may end such a sign.
    pub fn press(&mut self, logical: &winit::keyboard::Key) -> bool {
        use winit::keyboard::Key;
        let left = self.left;
        match logical {
            Key::Dead(_) => self.left = left.saturating_sub(1).max(1),
            Key::Named(NamedKey::Compose) => self.left = COMPOSED_KEYS,
            Key::Character(_) | Key::Named(NamedKey::Space) => self.left = left.saturating_sub(1),
            named if usual_modifier(named) != 0 => {}
            _ => self.left = 0,
        }
        left > 0
    }
}

/// The keys that are held while one of our windows has the focus.
///
/// The modifiers are counted from the key events themselves: the window system's own answer to "what is held now" may
/// be newer than the event at hand. So it is with Caps Lock and Num Lock while we have the focus: their keys change
/// them, and keys that mean something else with them show how they are.
#[derive(Debug, Default)]
pub struct Keyboard {
    held: Vec<HeldKey>,
    locked: u8,
}

#[derive(Debug)]
struct HeldKey {
    keycode: u32,
    /// As it was pressed: a release names the same key, whatever the modifiers are by then.
    key: Key,
    mask: u8,
    /// What was locked by an earlier press, and ends with this one.
    unlocks: u8,
    /// The server was told.
    sent: bool,
}

impl Keyboard {
    /// Modifiers held.
    pub fn held_mask(&self) -> u8 {
        self.held.iter().fold(0, |mask, held| mask | held.mask)
    }

    /// Modifiers held and locked.
    pub fn mask(&self) -> u8 {
        self.locked | self.held_mask()
    }

    /// The same as servers are told.
    pub fn modifiers(&self) -> Modifiers {
        Modifiers::from_mask(self.mask())
    }

    /// Notes the locked and latched modifiers, when the focus comes.
    pub fn set_locked(&mut self, mask: u8) {
        self.locked = mask;
    }

    /// A key went down (again, when it repeats) or up. `None` if there is nothing to tell the
    /// server: the key cannot be named, or its press was not told.
    pub fn event(&mut self, press: &KeyPress, facts: KeyFacts) -> Option<KeyChange> {
        if !press.pressed {
            return self.release(press.keycode, facts);
        }
        let (key, sets) = self.describe(press, facts)?;
        let mask = match facts.modifiers {
            Some(mask) => mask & !LOCKS | self.mask() & LOCKS,
            None => self.mask() | keypad_lock(press, facts),
        };
        let modifiers = Modifiers::from_mask(mask);
        self.hold(press.keycode, key.clone(), (sets, facts.locks), true);
        Some(KeyChange { key, pressed: true, modifiers })
    }

    /// A key was already down when the focus came: it counts as a modifier, the server is told
    /// neither its press nor its release.
    pub fn already_held(&mut self, press: &KeyPress, facts: KeyFacts) {
        if let Some((key, mask)) = self.describe(press, facts) {
            // What it locks is locked already.
            self.hold(press.keycode, key, (mask, 0), false);
        }
    }

    /// The focus went: everything that the server thinks is down goes up, newest first.
    pub fn release_all(&mut self) -> Vec<KeyChange> {
        let mut changes = Vec::new();
        while let Some(keycode) = self.held.last().map(|held| held.keycode) {
            let facts = KeyFacts { locked: Some(self.locked), ..KeyFacts::default() };
            changes.extend(self.release(keycode, facts));
        }
        changes
    }

    /// The connection to the server is another one: the keys that are held count for the modifiers that they are, and
    /// the server is told of no release. Returns the releases of those that it may know to be down, newest first.
    pub fn forget_told(&mut self) -> Vec<KeyChange> {
        let modifiers = self.modifiers();
        let release = |held: &mut HeldKey| {
            let was_sent = std::mem::take(&mut held.sent);
            was_sent.then(|| KeyChange { key: held.key.clone(), pressed: false, modifiers })
        };
        self.held.iter_mut().rev().filter_map(release).collect()
    }

    fn release(&mut self, keycode: u32, facts: KeyFacts) -> Option<KeyChange> {
        let modifiers = self.modifiers();
        self.note_locks(KeyFacts { decided_by: 0, ..facts });
        let index = self.held.iter().position(|held| held.keycode == keycode)?;
        let held = self.held.remove(index);
        self.locked &= !held.unlocks;
        held.sent.then_some(KeyChange { key: held.key, pressed: false, modifiers })
    }

    fn hold(&mut self, keycode: u32, key: Key, (mask, locks): (u8, u8), sent: bool) {
        if let Some(held) = self.held.iter_mut().find(|held| held.keycode == keycode) {
            held.sent |= sent;
        } else if self.held.len() < MAX_HELD {
            let unlocks = self.locked & locks;
            self.locked |= locks;
            self.held.push(HeldKey { keycode, key, mask, unlocks, sent });
        }
    }

    /// Takes over what a key event says of the locked and latched modifiers.
    fn note_locks(&mut self, facts: KeyFacts) {
        let Some(locked) = facts.locked else { return };
        let decided = facts.decided_by & LOCKS & !self.held_mask();
        let typed_with = facts.modifiers.unwrap_or(self.locked);
        let locks = self.locked & !decided | typed_with & decided;
        self.locked = locked & !LOCKS | locks & LOCKS;
    }

    fn describe(&mut self, press: &KeyPress, facts: KeyFacts) -> Option<(Key, u8)> {
        self.note_locks(facts);
        let keyval = facts.keysym.or_else(|| keysym::from_winit(&press.logical, press.location))?;
        let keyname = keysym::name(keyval);
        if keyname.is_empty() {
            return None;
        }
        let mask = facts.modifier_mask.unwrap_or_else(|| usual_modifier(&press.logical));
        let key =
            Key { keyname, keyval, keycode: press.keycode, group: facts.group, string: press.text.clone() };
        Some((key, mask))
    }
}

/// The modifier that a key usually stands for, where the window system does not say.
fn usual_modifier(key: &winit::keyboard::Key) -> u8 {
    let winit::keyboard::Key::Named(named) = key else { return 0 };
    match named {
        NamedKey::Shift => SHIFT,
        NamedKey::Control => CONTROL,
        NamedKey::Alt | NamedKey::Meta => ALT,
        NamedKey::Super | NamedKey::Hyper => SUPER,
        NamedKey::AltGraph => LEVEL3,
        NamedKey::CapsLock => LOCK,
        _ => 0,
    }
}

/// Where the locks are not known, a keypad key that types a character shows that Num Lock is on.
fn keypad_lock(press: &KeyPress, facts: KeyFacts) -> u8 {
    let types = matches!(&press.logical, winit::keyboard::Key::Character(_));
    if facts.locked.is_none() && press.location == KeyLocation::Numpad && types { NUM_LOCK } else { 0 }
}
