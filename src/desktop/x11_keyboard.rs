//! The exact keyboard on X11: XKB's map and state, over a connection of its own.
//!
//! Used from the event loop's thread only. Every question is a round trip after which all
//! earlier events of this connection have arrived, so a changed map is noticed before the first
//! key that needs it, without a thread.

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xkb::{
    self, Action, ConnectionExt as _, EventType, KeySymMap, KeyType, MapPart, SAType,
};
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, Window};
use x11rb::rust_connection::RustConnection;

use crate::session::{Keymap, KeymapEntry};

use super::KeyboardFacts;
use super::x11::X11Error;

/// Bits of `KeySymMap::group_info`: number of groups, and what to do beyond them (XKB 12.4).
const GROUP_COUNT: u8 = 0x0f;
const GROUP_CLAMP: u8 = 0x40;
const GROUP_REDIRECT: u8 = 0x80;
/// Bits of the explicit components of a key: the types of its four groups (XKB 16.3.8).
const EXPLICIT_TYPES: u8 = 0x0f;
/// X modifiers that stay on: Lock, and the one that is nearly everywhere Num Lock.
const LOCK: u8 = 1 << 1;
const NUM_LOCK: u8 = 1 << 4;
/// Levels that the core map keeps of a group whose type is not explicit.
const CORE_LEVELS: u8 = 2;
/// Parts of the map that are read, and whose changes count.
const PARTS: [MapPart; 5] = [
    MapPart::KEY_TYPES,
    MapPart::KEY_SYMS,
    MapPart::MODIFIER_MAP,
    MapPart::EXPLICIT_COMPONENTS,
    MapPart::KEY_ACTIONS,
];
/// Bytes of `_XKB_RULES_NAMES` that are read at most, in words.
const RULES_WORDS: u32 = 256;

/// The connection and the map.
pub struct X11Keyboard {
    connection: RustConnection,
    root: Window,
    map: Map,
}

/// XKB's map, as far as keysyms and modifiers need it.
struct Map {
    types: Vec<KeyType>,
    /// By keycode, from `first_keycode` on.
    keys: Vec<MapKey>,
    first_keycode: u32,
}

/// A key of the map.
struct MapKey {
    symbols: KeySymMap,
    /// As many as symbols, or none at all.
    actions: Vec<Action>,
    /// Bit by group: its type was not derived from its keysyms.
    explicit_types: u8,
    /// From X's modifier map.
    modifiers: u8,
}

/// What a key means in a state of the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyMeaning {
    pub keysym: u32,
    /// Lock makes a capital of its letter, without being part of the key's type.
    pub capital: bool,
    /// The modifiers that the key sets while it is held (bits of X's modifier mask).
    pub sets: u8,
    /// The modifiers and the group that select this keysym.
    pub modifiers: u8,
    pub group: u8,
    /// The modifiers that the key looks at: with others of them it would mean something else.
    pub decided_by: u8,
    /// The modifiers that the key locks and unlocks.
    pub locks: u8,
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
        let parts = parts();
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

    /// What a key means with these modifiers in this group, as XKB derives it from the key's type (XKB 15.3.1) and
    /// action.
    ///
    /// `typed` knows what the key event itself said. If it does not accept what comes of this state, the state is
    /// newer than the event (a lock or the group changed, a latch is used up), and the first one that it accepts
    /// counts.
    pub fn meaning(
        &self,
        keycode: u32,
        modifiers: u8,
        group: u8,
        typed: impl Fn(&KeyMeaning) -> bool,
    ) -> Option<KeyMeaning> {
        let key = self.map.key(keycode)?;
        let locks = [modifiers, modifiers ^ LOCK, modifiers ^ NUM_LOCK];
        let near = locks.into_iter().filter_map(|modifiers| self.map.meaning(key, modifiers, group));
        let groups = std::iter::once(group).chain((0..key.groups()).filter(|other| *other != group));
        let far = groups.flat_map(|group| self.map.levels(key, modifiers, group));
        near.chain(far).find(typed).or_else(|| self.map.meaning(key, modifiers, group))
    }

    /// The map in the server's terms; `name` names keysyms.
    pub fn keymap(&self, name: impl Fn(u32) -> String) -> Keymap {
        let [rules, model, layout, variant, options] = self.rules().unwrap_or_default();
        let [layout, variant] = self.symbols().as_deref().and_then(layouts_of).map_or_else(
            || [layout.clone(), variant.clone()],
            // The property only says what `setxkbmap` did last, not what `xkbcomp` loaded since.
            |loaded| {
                if is_same(&loaded, &layout, &variant) { [layout.clone(), variant.clone()] } else { loaded }
            },
        );
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
            for (group, level) in key.places() {
                let keyname = key.symbol(group, level).map(&name).unwrap_or_default();
                let (Some(keyval), false) = (key.symbol(group, level), keyname.is_empty()) else { continue };
                if let Some(modifier) = first_modifier(key.sets(group, level))
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
                    core_levels: self.map.core_levels(key, group).into(),
                });
            }
        }
        keymap
    }

    /// The name of the map's symbols: `pc+us+ru:2+gr(extended):3+inet(evdev)`.
    fn symbols(&self) -> Option<String> {
        let device = xkb::ID::USE_CORE_KBD.into();
        let names = self.connection.xkb_get_names(device, xkb::NameDetail::SYMBOLS).ok()?.reply().ok()?;
        let name = self.connection.get_atom_name(names.value_list.symbols_name?).ok()?.reply().ok()?.name;
        String::from_utf8(name).ok()
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

/// Layouts and variants in the name of a map's symbols, separated by commas, if it is one that rules make.
fn layouts_of(symbols: &str) -> Option<[String; 2]> {
    let mut parts = symbols.split('+');
    parts.next().filter(|first| *first == "pc")?;
    let mut layouts = vec![parts.next()?];
    for part in parts {
        let next = layouts.len() + 1;
        if let Some((layout, _)) = part.rsplit_once(':').filter(|(_, group)| group.parse() == Ok(next)) {
            layouts.push(layout);
        }
    }
    let is_plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    let mut both = [Vec::new(), Vec::new()];
    for layout in layouts {
        let layout = layout.strip_suffix(":1").unwrap_or(layout);
        let (layout, variant) = layout.split_once('(').unwrap_or((layout, ""));
        let variant = variant.strip_suffix(')').unwrap_or(variant);
        if layout.is_empty() || !is_plain(layout) || !is_plain(variant) {
            return None;
        }
        both[0].push(layout);
        both[1].push(variant);
    }
    Some(both.map(|names| names.join(",")))
}

/// Whether the same layouts and variants are meant; variants at the end may be left out.
fn is_same([layouts, variants]: &[String; 2], layout: &str, variant: &str) -> bool {
    layouts == layout && variants.trim_end_matches(',') == variant.trim_end_matches(',')
}

/// All that is read of the map.
fn parts() -> MapPart {
    PARTS.into_iter().fold(MapPart::default(), |all, part| all | part)
}

impl Map {
    fn read(connection: &RustConnection) -> Result<Self, X11Error> {
        let reply = connection
            .xkb_get_map(
                xkb::ID::USE_CORE_KBD.into(),
                parts(),
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
        let first_keycode = reply.first_key_sym;
        let mut map = Self {
            types: reply.map.types_rtrn.unwrap_or_default(),
            keys: Vec::new(),
            first_keycode: first_keycode.into(),
        };
        for symbols in reply.map.syms_rtrn.unwrap_or_default() {
            map.keys.push(MapKey { symbols, actions: Vec::new(), explicit_types: 0, modifiers: 0 });
        }
        if let Some(found) = reply.map.key_actions {
            let mut actions = found.acts_rtrn_acts.into_iter();
            for (keycode, count) in (u32::from(reply.first_key_action)..).zip(found.acts_rtrn_count) {
                let of_key = actions.by_ref().take(count.into());
                match map.key_mut(keycode) {
                    Some(key) => key.actions.extend(of_key),
                    None => drop(of_key.count()),
                }
            }
        }
        for entry in reply.map.explicit_rtrn.unwrap_or_default() {
            if let Some(key) = map.key_mut(entry.keycode.into()) {
                key.explicit_types = u8::from(entry.explicit) & EXPLICIT_TYPES;
            }
        }
        for entry in reply.map.modmap_rtrn.unwrap_or_default() {
            if let Some(key) = map.key_mut(entry.keycode.into()) {
                key.modifiers = low_byte(entry.mods);
            }
        }
        Ok(map)
    }

    fn key(&self, keycode: u32) -> Option<&MapKey> {
        self.keys.get(self.index(keycode)?)
    }

    fn key_mut(&mut self, keycode: u32) -> Option<&mut MapKey> {
        let index = self.index(keycode)?;
        self.keys.get_mut(index)
    }

    fn index(&self, keycode: u32) -> Option<usize> {
        usize::try_from(keycode.checked_sub(self.first_keycode)?).ok()
    }

    fn key_type(&self, key: &MapKey, group: u8) -> Option<&KeyType> {
        self.types.get(usize::from(*key.symbols.kt_index.get(usize::from(group))?))
    }

    /// What a key means in this very state.
    fn meaning(&self, key: &MapKey, modifiers: u8, group: u8) -> Option<KeyMeaning> {
        let of_key = effective_group(key.symbols.group_info, group)?;
        let key_type = self.key_type(key, of_key)?;
        let level = level(key_type, modifiers);
        let keysym = key.symbol(of_key, level)?;
        let decided_by = low_byte(key_type.mods_mask);
        let capital = modifiers & !decided_by & LOCK != 0;
        let (sets, locks) = (key.sets(of_key, level), key.locks(of_key, level));
        Some(KeyMeaning { keysym, capital, sets, modifiers, group, decided_by, locks })
    }

    /// What a key means in each of its levels in this group.
    fn levels(&self, key: &MapKey, modifiers: u8, group: u8) -> impl Iterator<Item = KeyMeaning> {
        let key_type =
            effective_group(key.symbols.group_info, group).and_then(|of_key| self.key_type(key, of_key));
        let others = key_type.map_or(0, |key_type| modifiers & !low_byte(key_type.mods_mask));
        let active = key_type.into_iter().flat_map(|key_type| &key_type.map).filter(|entry| entry.active);
        let selections = std::iter::once(0).chain(active.map(|entry| low_byte(entry.mods_mask)));
        selections.filter_map(move |selection| self.meaning(key, others | selection, group))
    }

    /// How many columns of X's core keyboard map belong to a group of a key (XKB 16.1.3).
    fn core_levels(&self, key: &MapKey, group: u8) -> u8 {
        let explicit = key.explicit_types & (1 << group) != 0;
        self.key_type(key, group).filter(|_| explicit).map_or(CORE_LEVELS, |key_type| key_type.num_levels)
    }
}

impl MapKey {
    fn groups(&self) -> u8 {
        self.symbols.group_info & GROUP_COUNT
    }

    /// Group and level of each of its places.
    fn places(&self) -> impl Iterator<Item = (u8, u8)> {
        let width = self.symbols.width;
        (0..self.groups()).flat_map(move |group| (0..width).map(move |level| (group, level)))
    }

    fn index(&self, group: u8, level: u8) -> usize {
        usize::from(group) * usize::from(self.symbols.width) + usize::from(level)
    }

    /// The keysym at a level of a group; `None` where there is none.
    fn symbol(&self, group: u8, level: u8) -> Option<u32> {
        self.symbols.syms.get(self.index(group, level)).copied().filter(|keysym| *keysym != x11rb::NO_SYMBOL)
    }

    fn action(&self, group: u8, level: u8) -> Option<&Action> {
        self.actions.get(self.index(group, level))
    }

    /// The modifiers that the key locks at a level of a group.
    fn locks(&self, group: u8, level: u8) -> u8 {
        let is_lock = |action: &&Action| action.as_noaction().type_ == SAType::LOCK_MODS;
        self.action(group, level).filter(is_lock).map_or(0, |action| low_byte(action.as_lockmods().mask))
    }

    /// The modifiers that the key sets at a level of a group.
    ///
    /// Its action says so; X's modifier map does not, where it is a virtual modifier that stands for them:
    /// of the keys that select level 3, the map names only `<LVL3>`, which no keyboard has.
    fn sets(&self, group: u8, level: u8) -> u8 {
        if self.actions.is_empty() {
            return self.modifiers;
        }
        let Some(action) = self.action(group, level) else { return 0 };
        match action.as_noaction().type_ {
            SAType::SET_MODS => low_byte(action.as_setmods().mask),
            SAType::LATCH_MODS => low_byte(action.as_latchmods().mask),
            SAType::LOCK_MODS => low_byte(action.as_lockmods().mask),
            _ => 0,
        }
    }
}

/// The modifiers of a mask that has room for more.
fn low_byte(mask: impl Into<u16>) -> u8 {
    u8::try_from(mask.into() & 0xff).unwrap_or_default()
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

fn first_modifier(mask: u8) -> Option<String> {
    const NAMES: [&str; 8] = ["shift", "lock", "control", "mod1", "mod2", "mod3", "mod4", "mod5"];
    NAMES.get(usize::try_from(mask.trailing_zeros()).ok()?).map(|name| (*name).to_owned())
}
