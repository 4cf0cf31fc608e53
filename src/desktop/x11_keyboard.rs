//! The exact keyboard on X11: XKB's map and state, over a connection of its own.
//!
//! Used from the event loop's thread only. Every question is a round trip after which all
//! earlier events of this connection have arrived, so a changed map is noticed before the first
//! key that needs it, without a thread.

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xkb::{self, ConnectionExt as _, EventType, KeySymMap, KeyType, MapPart};
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, Window};
use x11rb::rust_connection::RustConnection;

use crate::session::{Keymap, KeymapEntry};

use super::KeyboardFacts;
use super::x11::X11Error;

/// Bits of `KeySymMap::group_info`: number of groups, and what to do beyond them (XKB 12.4).
const GROUP_COUNT: u8 = 0x0f;
const GROUP_CLAMP: u8 = 0x40;
const GROUP_REDIRECT: u8 = 0x80;
/// Bytes of `_XKB_RULES_NAMES` that are read at most, in words.
const RULES_WORDS: u32 = 256;

/// The connection and the map.
pub struct X11Keyboard {
    connection: RustConnection,
    root: Window,
    map: Map,
}

/// XKB's map, as far as keysyms need it.
struct Map {
    types: Vec<KeyType>,
    /// By keycode, from `first_keycode` on.
    keys: Vec<KeySymMap>,
    first_keycode: u32,
    /// (keycode, modifiers)
    modifiers: Vec<(u32, u8)>,
}

impl X11Keyboard {
    /// Connects to `display` (`None`: `$DISPLAY`) and reads the map.
    pub fn open(display: Option<&str>) -> Result<Self, X11Error> {
        let (connection, screen) = x11rb::connect(display)?;
        // INVARIANT: `connect` only succeeds for a screen that the server has.
        let root = connection.setup().roots.get(screen).expect("the default screen exists").root;
        if !connection.xkb_use_extension(1, 0)?.reply()?.supported {
            return Err(X11Error::NoXkb);
        }
        let parts = MapPart::KEY_TYPES | MapPart::KEY_SYMS | MapPart::MODIFIER_MAP;
        connection
            .xkb_select_events(
                xkb::ID::USE_CORE_KBD.into(),
                EventType::default(),
                EventType::MAP_NOTIFY | EventType::NEW_KEYBOARD_NOTIFY,
                parts,
                parts,
                &xkb::SelectEventsAux::new(),
            )?
            .check()?;
        let map = Map::read(&connection)?;
        Ok(Self { connection, root, map })
    }

    /// Locks and group now, and whether the map was read again because it changed. `None` if the
    /// connection broke.
    pub fn facts(&mut self) -> Option<(KeyboardFacts, bool)> {
        let state = self.connection.xkb_get_state(xkb::ID::USE_CORE_KBD.into()).ok()?.reply().ok()?;
        let mut changed = false;
        while let Ok(Some(event)) = self.connection.poll_for_event() {
            changed |= matches!(event, Event::XkbMapNotify(_) | Event::XkbNewKeyboardNotify(_));
        }
        if changed {
            match Map::read(&self.connection) {
                Ok(map) => self.map = map,
                Err(error) => tracing::warn!(%error, "the changed keyboard map could not be read"),
            }
        }
        let locked = u8::try_from(u16::from(state.locked_mods) | u16::from(state.latched_mods)).unwrap_or(0);
        Some((KeyboardFacts { locked, group: state.group.into() }, changed))
    }

    /// The keysym of a key, as XKB derives it from the key's type (XKB 15.3.1).
    pub fn keysym(&self, keycode: u32, modifiers: u8, group: u8) -> Option<u32> {
        let key = self.map.key(keycode)?;
        let group = effective_group(key.group_info, group)?;
        let key_type = self.map.types.get(usize::from(*key.kt_index.get(usize::from(group))?))?;
        let level = level(key_type, modifiers);
        symbol(key, group, level)
    }

    /// The modifiers that a key stands for.
    pub fn modifier_mask(&self, keycode: u32) -> u8 {
        self.map.modifier_mask(keycode)
    }

    /// The map in the server's terms; `name` names keysyms.
    pub fn keymap(&self, name: impl Fn(u32) -> String) -> Keymap {
        let [rules, model, layout, variant, options] = self.rules().unwrap_or_default();
        let mut keymap = Keymap {
            rules,
            model,
            layout,
            variant,
            options,
            keys: Vec::new(),
            modifier_meanings: Vec::new(),
        };
        for (keycode, key) in (self.map.first_keycode..).zip(&self.map.keys) {
            for group in 0..key.group_info & GROUP_COUNT {
                for level in 0..key.width {
                    let Some(keyval) = symbol(key, group, level) else { continue };
                    let keyname = name(keyval);
                    if keyname.is_empty() {
                        continue;
                    }
                    if let Some(modifier) = first_modifier(self.map.modifier_mask(keycode))
                        && level == 0
                        && !keymap.modifier_meanings.iter().any(|(known, _)| *known == keyname)
                    {
                        keymap.modifier_meanings.push((keyname.clone(), modifier));
                    }
                    keymap.keys.push(KeymapEntry {
                        keyval,
                        keyname,
                        keycode,
                        group: group.into(),
                        level: level.into(),
                    });
                }
            }
        }
        keymap
    }

    /// `_XKB_RULES_NAMES`: rules, model, layout, variant, options.
    fn rules(&self) -> Option<[String; 5]> {
        let atom = self.connection.intern_atom(true, b"_XKB_RULES_NAMES").ok()?.reply().ok()?.atom;
        let property = self
            .connection
            .get_property(false, self.root, atom, AtomEnum::STRING, 0, RULES_WORDS)
            .ok()?
            .reply()
            .ok()?;
        let mut parts =
            property.value.split(|byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned());
        Some(std::array::from_fn(|_| parts.next().unwrap_or_default()))
    }
}

impl Map {
    fn read(connection: &RustConnection) -> Result<Self, X11Error> {
        let full = MapPart::KEY_TYPES | MapPart::KEY_SYMS | MapPart::MODIFIER_MAP;
        let reply = connection
            .xkb_get_map(
                xkb::ID::USE_CORE_KBD.into(),
                full,
                MapPart::default(),
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                xkb::VMod::default(),
                0,
                0,
                0,
                0,
                0,
                0,
            )?
            .reply()?;
        let modifiers = reply.map.modmap_rtrn.unwrap_or_default();
        Ok(Self {
            types: reply.map.types_rtrn.unwrap_or_default(),
            keys: reply.map.syms_rtrn.unwrap_or_default(),
            first_keycode: reply.first_key_sym.into(),
            modifiers: modifiers
                .into_iter()
                .filter_map(|entry| Some((entry.keycode.into(), u8::try_from(u16::from(entry.mods)).ok()?)))
                .collect(),
        })
    }

    fn key(&self, keycode: u32) -> Option<&KeySymMap> {
        self.keys.get(usize::try_from(keycode.checked_sub(self.first_keycode)?).ok()?)
    }

    fn modifier_mask(&self, keycode: u32) -> u8 {
        self.modifiers.iter().filter(|(code, _)| *code == keycode).fold(0, |mask, (_, mods)| mask | mods)
    }
}

/// The group of a key when the keyboard is in `group`; `None` for a key without symbols.
fn effective_group(group_info: u8, group: u8) -> Option<u8> {
    let count = group_info & GROUP_COUNT;
    if count == 0 {
        None
    } else if group < count {
        Some(group)
    } else if group_info & GROUP_REDIRECT != 0 {
        Some((group_info >> 4) & 0x3).map(|redirected| if redirected < count { redirected } else { 0 })
    } else if group_info & GROUP_CLAMP != 0 {
        Some(count - 1)
    } else {
        Some(group % count)
    }
}

/// The shift level that `modifiers` select in a key of this type.
fn level(key_type: &KeyType, modifiers: u8) -> u8 {
    let relevant = u16::from(modifiers) & u16::from(key_type.mods_mask);
    key_type
        .map
        .iter()
        .find(|entry| entry.active && u16::from(entry.mods_mask) == relevant)
        .map_or(0, |entry| entry.level)
}

/// The keysym at a level of a group; `None` where there is none.
fn symbol(key: &KeySymMap, group: u8, level: u8) -> Option<u32> {
    let index = usize::from(group) * usize::from(key.width) + usize::from(level);
    key.syms.get(index).copied().filter(|keysym| *keysym != x11rb::NO_SYMBOL)
}

fn first_modifier(mask: u8) -> Option<String> {
    const NAMES: [&str; 8] = ["shift", "lock", "control", "mod1", "mod2", "mod3", "mod4", "mod5"];
    NAMES.get(usize::try_from(mask.trailing_zeros()).ok()?).map(|name| (*name).to_owned())
}
