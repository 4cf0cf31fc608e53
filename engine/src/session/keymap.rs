//! The keyboard as the server is told of it: layout, keycodes and modifiers.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::keyboard::{Keymap, KeymapEntry};
use crate::protocol::packet::{Dict, Value};

/// Entries told of at most: 248 keycodes, 4 groups, 8 levels.
const MAX_ENTRIES: usize = 248 * MAX_GROUPS * MAX_LEVELS;
/// Groups of a keyboard (XKB 3).
const MAX_GROUPS: usize = 4;
/// Levels of a key that are told of.
const MAX_LEVELS: usize = 8;
/// What the first two groups of a key take up at least in X's core keyboard map.
const MIN_CORE_LEVELS: usize = 2;

/// Levels that Shift alone selects.
const SIGN_LEVELS: u32 = 2;
/// The keysyms of keys that type no sign and are no dead keys lie within (X11/keysymdef.h).
const FIRST_FUNCTION_KEYSYM: u32 = 0xff00;
const LAST_FUNCTION_KEYSYM: u32 = 0xffff;

/// Columns of X's core keyboard map that both generations of servers set; they cut off the others.
const CORE_COLUMNS: usize = 8;

/// Keyboard repeat told to servers: delay and interval in milliseconds. The server's X server would repeat with them
/// whatever the link does, so they are as long as it takes: repeats are sent as they happen here ([`super::input`]).
pub const KEY_REPEAT_MS: (u32, u32) = (60_000, 60_000);

/// Where X servers on Linux keep the rules of keyboard layouts. 6.x looks for them below its own Python's prefix, where
/// a virtual environment has none.
const RULES_FOLDER: &str = "/usr/share/X11/xkb/rules/";

/// The keyboard as the server knows it.
///
/// A server sets its own keyboard up by the names of the layouts, and then writes our keysyms over it, as a core
/// keyboard map of 8 columns a key. Four layouts with four levels each do not fit in there. Neither does a key that
/// is one modifier in one layout and another in the next one, as Right Alt in `us,de`: a key has one modifier in that
/// map, and programs would take AltGr for Alt. Then the server is told of one layout, as if it were the only one, and
/// of another one before the first key of that comes.
#[derive(Debug, Default)]
pub struct Told {
    /// The only group that the server knows.
    only: Option<u32>,
    /// No key was sent since the keymap was told.
    is_new: bool,
}

impl Told {
    /// A new keymap is to be told: which part of it.
    pub fn start(&mut self, keymap: Option<&Keymap>) {
        self.is_new = true;
        self.only = keymap.filter(|keymap| !fits(keymap)).map(|_| 0);
    }

    /// The group to tell of a key that goes down or up in `group`; true if the keymap must be told again before.
    pub fn group(&mut self, group: u32, pressed: bool) -> (u32, bool) {
        match &mut self.only {
            None => (group, false),
            Some(only) => (0, pressed && std::mem::replace(only, group) != group),
        }
    }

    /// Whether the server must hear of group 0 before the first key in another `group`.
    ///
    /// A server that sets a keymap up goes back to the first group, but takes the one of the last key before, of
    /// whatever client that was, for the present one still, and does not change to it.
    pub fn leaves_first_group(&mut self, group: u32) -> bool {
        std::mem::take(&mut self.is_new) && group != 0
    }

    /// The part of a keymap that is told.
    pub fn part<'a>(&self, keymap: &'a Keymap) -> Cow<'a, Keymap> {
        self.only.map_or(Cow::Borrowed(keymap), |group| Cow::Owned(only_group(keymap, group)))
    }
}

/// Whether all groups of all keys find place in the map that servers set. A single group that does not is cut off.
fn fits(keymap: &Keymap) -> bool {
    let groups = groups_of_keys(keymap);
    groups.values().all(|levels| levels.len() == 1 || columns(levels) <= CORE_COLUMNS)
        && modifiers_of_keys(keymap)
            .values()
            .all(|groups| groups.windows(2).all(|pair| matches!(pair, [a, b] if a == b)))
}

/// Keycode → the modifiers that it stands for in each of its groups.
fn modifiers_of_keys(keymap: &Keymap) -> BTreeMap<u32, Vec<BTreeSet<&str>>> {
    let meanings: BTreeMap<&str, &str> =
        keymap.modifier_meanings.iter().map(|(name, modifier)| (name.as_str(), modifier.as_str())).collect();
    let mut keys: BTreeMap<u32, Vec<BTreeSet<&str>>> = BTreeMap::new();
    for key in keymap.keys.iter().take(MAX_ENTRIES).filter(|key| (key.group as usize) < MAX_GROUPS) {
        let groups = keys.entry(key.keycode).or_default();
        if groups.len() <= key.group as usize {
            groups.resize(key.group as usize + 1, BTreeSet::new());
        }
        if let (Some(of_group), Some(modifier)) =
            (groups.get_mut(key.group as usize), meanings.get(key.keyname.as_str()))
        {
            of_group.insert(*modifier);
        }
    }
    keys
}

/// A keymap with one group instead of all.
fn only_group(keymap: &Keymap, group: u32) -> Keymap {
    let groups = groups_of_keys(keymap);
    let is_meant = |key: &KeymapEntry| {
        // A key without that group shows one that it has (XKB 12.4, wrapping).
        groups.get(&key.keycode).is_some_and(|levels| group as usize % levels.len() == key.group as usize)
    };
    let nth = |names: &str| names.split(',').nth(group as usize).unwrap_or_default().to_owned();
    Keymap {
        layout: nth(&keymap.layout),
        variant: nth(&keymap.variant),
        keys: keymap.keys.iter().filter(|key| is_meant(key)).flat_map(as_only_group).collect(),
        ..keymap.clone()
    }
}

/// A key's level as one of the only group. The same layout alone may have higher levels for the key than beside others:
/// where it has none, they are the lower ones again.
fn as_only_group(key: &KeymapEntry) -> impl Iterator<Item = KeymapEntry> + use<> {
    let alone = KeymapEntry { group: 0, ..key.clone() };
    let is_sign = !matches!(key.keyval, FIRST_FUNCTION_KEYSYM..=LAST_FUNCTION_KEYSYM);
    let again = (is_sign && (key.core_levels as usize) <= MIN_CORE_LEVELS).then(|| KeymapEntry {
        level: alone.level + SIGN_LEVELS,
        core_levels: 2 * SIGN_LEVELS,
        ..alone.clone()
    });
    let core_levels = again.as_ref().map_or(alone.core_levels, |again| again.core_levels);
    std::iter::once(KeymapEntry { core_levels, ..alone }).chain(again)
}

/// Keycode → core levels of each of its groups.
fn groups_of_keys(keymap: &Keymap) -> BTreeMap<u32, Vec<usize>> {
    let mut keys: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for key in keymap.keys.iter().take(MAX_ENTRIES) {
        let Some(group) = usize::try_from(key.group).ok().filter(|group| *group < MAX_GROUPS) else {
            continue;
        };
        let levels = keys.entry(key.keycode).or_default();
        if levels.len() <= group {
            levels.resize(group + 1, MIN_CORE_LEVELS);
        }
        if let Some(levels) = levels.get_mut(group) {
            let least = if group < 2 { MIN_CORE_LEVELS } else { 1 };
            *levels = (key.core_levels as usize).clamp(least, MAX_LEVELS);
        }
    }
    keys
}

fn columns(levels: &[usize]) -> usize {
    levels.iter().sum::<usize>() + MIN_CORE_LEVELS.saturating_sub(levels.get(1).copied().unwrap_or_default())
}

/// The column of a level of a group in X's core keyboard map: two levels of two groups, the higher ones of both, and
/// then the other groups (XKB 16.1.3).
fn column(levels: &[usize], group: usize, level: usize) -> Option<usize> {
    let [first, second] = [0, 1].map(|group| levels.get(group).copied().unwrap_or(MIN_CORE_LEVELS));
    Some(match (group, level) {
        _ if level >= *levels.get(group)? => return None,
        (0 | 1, 0 | 1) => group * 2 + level,
        (0, _) => 2 + level,
        (1, _) => first + level,
        _ => first + second + levels.get(2..group)?.iter().sum::<usize>() + level,
    })
}

/// A US keyboard with X keycodes: good enough to type when nothing better is known.
pub fn us() -> Keymap {
    let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    };
    Keymap {
        rules: "evdev".to_owned(),
        model: "pc105".to_owned(),
        layout: "us".to_owned(),
        variant: String::new(),
        options: String::new(),
        keys: us_keys(),
        modifier_meanings: owned(&[
            ("Shift_L", "shift"),
            ("Shift_R", "shift"),
            ("Caps_Lock", "lock"),
            ("Control_L", "control"),
            ("Control_R", "control"),
            ("Alt_L", "mod1"),
            ("Alt_R", "mod1"),
            ("Meta_L", "mod1"),
            ("Num_Lock", "mod2"),
            ("Super_L", "mod4"),
            ("Super_R", "mod4"),
            ("Hyper_L", "mod4"),
            ("ISO_Level3_Shift", "mod5"),
            ("Mode_switch", "mod5"),
        ]),
    }
}

/// What `hello` of 6.x says of the keyboard: everything but the keycodes, which do not fit into
/// the 16 KiB that a strict server reads before hello.
pub fn hello_map(keymap: &Keymap) -> Dict {
    let mut map = Dict::default();
    map.push("layout", keymap.layout.as_str())
        .push("variant", keymap.variant.as_str())
        .push("options", keymap.options.as_str())
        .push("layout_groups", true)
        .push("sync", true)
        .push("query_struct", query(keymap))
        .push("mod_meanings", mod_meanings(keymap))
        .push("mod_pointermissing", &["mod2"][..]);
    map
}

/// Only the names of the layouts, and where their rules are on most servers. Told before [`config`], in whose
/// place the server may know the rules by their name alone.
pub fn layout_with_folder(keymap: &Keymap) -> Option<Dict> {
    let is_plain =
        |rules: &str| !rules.is_empty() && rules.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let rules = Some(&keymap.rules).filter(|rules| is_plain(rules))?;
    let layout = Keymap { rules: format!("{RULES_FOLDER}{rules}"), ..keymap.clone() };
    let mut map = hello_map(&layout);
    let some: Vec<Value> = keycodes(keymap).into_iter().take(1).collect();
    map.push("force", true).push("keycodes", some);
    Some(map)
}

/// The whole keymap, for `keyboard-config`. `native`: it is the map of the local X server, whose
/// keycodes the server's keyboard may take over as they are.
pub fn config(keymap: &Keymap, native: bool) -> Dict {
    let mut map = hello_map(keymap);
    map.push("force", true).push("keycodes", keycodes(keymap));
    if native {
        map.push("x11_keycodes", x11_keycodes(keymap));
    }
    map
}

/// 3.1's flat keys with the keycodes, for hello and `keymap-changed`.
pub fn legacy_keys(keymap: &Keymap, native: bool, keys: &mut Dict) {
    keys.push("xkbmap_layout", keymap.layout.as_str())
        .push("xkbmap_variant", keymap.variant.as_str())
        .push("xkbmap_options", keymap.options.as_str())
        .push("xkbmap_layout_groups", true)
        .push("xkbmap_query_struct", query(keymap))
        .push("xkbmap_mod_meanings", mod_meanings(keymap))
        .push("xkbmap_mod_pointermissing", &["mod2"][..])
        .push("xkbmap_keycodes", keycodes(keymap));
    if native {
        // its presence makes 3.1 take the keycodes as they are
        let lines = rmlvo(keymap).map(|(key, value)| format!("{key}: {value}\n"));
        keys.push("xkbmap_query", lines.join("")).push("xkbmap_x11_keycodes", x11_keycodes(keymap));
    }
}

fn rmlvo(keymap: &Keymap) -> [(&'static str, &str); 5] {
    [
        ("rules", &keymap.rules),
        ("model", &keymap.model),
        ("layout", &keymap.layout),
        ("variant", &keymap.variant),
        ("options", &keymap.options),
    ]
}

fn query(keymap: &Keymap) -> Dict {
    let mut query = Dict::default();
    for (key, value) in rmlvo(keymap).into_iter().filter(|(_, value)| !value.is_empty()) {
        query.push(key, value);
    }
    query
}

fn mod_meanings(keymap: &Keymap) -> Dict {
    let mut meanings = Dict::default();
    for (keysym, modifier) in unambiguous_meanings(keymap) {
        meanings.push(keysym, modifier);
    }
    meanings
}

/// The modifier keysyms that the keymap has, each key with one modifier only: servers put all keys that have a
/// keysym on its modifier, and X refuses a key on two, as a Shift key that is Caps Lock with Shift.
fn unambiguous_meanings(keymap: &Keymap) -> Vec<(&str, &str)> {
    let mut keys: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for key in keymap.keys.iter().take(MAX_ENTRIES) {
        keys.entry(key.keycode).or_default().push(&key.keyname);
    }
    let all = keymap.modifier_meanings.iter().map(|(name, modifier)| (name.as_str(), modifier.as_str()));
    let exists = |name: &str| keys.is_empty() || keys.values().any(|names| names.contains(&name));
    let mut meanings: Vec<(&str, &str)> = all.filter(|(name, _)| exists(name)).collect();
    for names in keys.values() {
        let here = meanings.iter().filter(|(name, _)| names.contains(name));
        let Some(&(_, kept)) = here.min_by_key(|(name, _)| !name.starts_with("ISO_Level")) else { continue };
        let elsewhere: Vec<&str> = meanings
            .iter()
            .filter(|(name, _)| !names.contains(name))
            .map(|(_, modifier)| *modifier)
            .collect();
        meanings.retain(|(name, modifier)| {
            *modifier == kept || !names.contains(name) || !elsewhere.contains(modifier)
        });
    }
    meanings
}

fn keycodes(keymap: &Keymap) -> Vec<Value> {
    let entry = |k: &KeymapEntry| {
        Value::List(vec![
            Value::from(k.keyval),
            Value::from(k.keyname.as_str()),
            Value::from(k.keycode),
            Value::from(k.group),
            Value::from(k.level),
        ])
    };
    keymap.keys.iter().take(MAX_ENTRIES).map(entry).collect()
}

/// Keycode → keysym names in the order of X's core protocol.
fn x11_keycodes(keymap: &Keymap) -> Dict {
    let groups = groups_of_keys(keymap);
    let mut map: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for key in keymap.keys.iter().take(MAX_ENTRIES) {
        let column = groups
            .get(&key.keycode)
            .and_then(|levels| column(levels, key.group.try_into().ok()?, key.level.try_into().ok()?));
        let Some(column) = column.filter(|column| *column < CORE_COLUMNS) else { continue };
        let names = map.entry(key.keycode).or_default();
        if names.len() <= column {
            names.resize(column + 1, "");
        }
        if let Some(name) = names.get_mut(column) {
            *name = &key.keyname;
        }
    }
    let entry = |(keycode, names): (u32, Vec<&str>)| (Value::from(keycode), Value::from(&names[..]));
    Dict(map.into_iter().map(entry).collect())
}

/// A US keyboard (pc105, evdev keycodes): keycode, plain symbol, shifted symbol.
const US_KEYS: &[(u32, &str, &str)] = &[
    (9, "Escape", ""),
    (10, "1", "exclam"),
    (11, "2", "at"),
    (12, "3", "numbersign"),
    (13, "4", "dollar"),
    (14, "5", "percent"),
    (15, "6", "asciicircum"),
    (16, "7", "ampersand"),
    (17, "8", "asterisk"),
    (18, "9", "parenleft"),
    (19, "0", "parenright"),
    (20, "minus", "underscore"),
    (21, "equal", "plus"),
    (22, "BackSpace", ""),
    (23, "Tab", "ISO_Left_Tab"),
    (24, "q", "Q"),
    (25, "w", "W"),
    (26, "e", "E"),
    (27, "r", "R"),
    (28, "t", "T"),
    (29, "y", "Y"),
    (30, "u", "U"),
    (31, "i", "I"),
    (32, "o", "O"),
    (33, "p", "P"),
    (34, "bracketleft", "braceleft"),
    (35, "bracketright", "braceright"),
    (36, "Return", ""),
    (37, "Control_L", ""),
    (38, "a", "A"),
    (39, "s", "S"),
    (40, "d", "D"),
    (41, "f", "F"),
    (42, "g", "G"),
    (43, "h", "H"),
    (44, "j", "J"),
    (45, "k", "K"),
    (46, "l", "L"),
    (47, "semicolon", "colon"),
    (48, "apostrophe", "quotedbl"),
    (49, "grave", "asciitilde"),
    (50, "Shift_L", ""),
    (51, "backslash", "bar"),
    (52, "z", "Z"),
    (53, "x", "X"),
    (54, "c", "C"),
    (55, "v", "V"),
    (56, "b", "B"),
    (57, "n", "N"),
    (58, "m", "M"),
    (59, "comma", "less"),
    (60, "period", "greater"),
    (61, "slash", "question"),
    (62, "Shift_R", ""),
    (63, "KP_Multiply", ""),
    (64, "Alt_L", "Meta_L"),
    (65, "space", ""),
    (66, "Caps_Lock", ""),
    (67, "F1", ""),
    (68, "F2", ""),
    (69, "F3", ""),
    (70, "F4", ""),
    (71, "F5", ""),
    (72, "F6", ""),
    (73, "F7", ""),
    (74, "F8", ""),
    (75, "F9", ""),
    (76, "F10", ""),
    (77, "Num_Lock", ""),
    (78, "Scroll_Lock", ""),
    (79, "KP_Home", "KP_7"),
    (80, "KP_Up", "KP_8"),
    (81, "KP_Prior", "KP_9"),
    (82, "KP_Subtract", ""),
    (83, "KP_Left", "KP_4"),
    (84, "KP_Begin", "KP_5"),
    (85, "KP_Right", "KP_6"),
    (86, "KP_Add", ""),
    (87, "KP_End", "KP_1"),
    (88, "KP_Down", "KP_2"),
    (89, "KP_Next", "KP_3"),
    (90, "KP_Insert", "KP_0"),
    (91, "KP_Delete", "KP_Decimal"),
    (95, "F11", ""),
    (96, "F12", ""),
    (104, "KP_Enter", ""),
    (105, "Control_R", ""),
    (106, "KP_Divide", ""),
    (107, "Print", ""),
    (108, "Alt_R", "Meta_R"),
    (110, "Home", ""),
    (111, "Up", ""),
    (112, "Prior", ""),
    (113, "Left", ""),
    (114, "Right", ""),
    (115, "End", ""),
    (116, "Down", ""),
    (117, "Next", ""),
    (118, "Insert", ""),
    (119, "Delete", ""),
    (127, "Pause", ""),
    (133, "Super_L", ""),
    (134, "Super_R", ""),
    (135, "Menu", ""),
];

fn us_keys() -> Vec<KeymapEntry> {
    let mut keys = Vec::with_capacity(US_KEYS.len() * 2);
    for &(keycode, plain, shifted) in US_KEYS {
        for (level, name) in [(0, plain), (1, shifted)] {
            if !name.is_empty() {
                let (keyval, keyname) = (us_keyval(name), name.to_owned());
                keys.push(KeymapEntry { keyval, keyname, keycode, group: 0, level, core_levels: 2 });
            }
        }
    }
    keys
}

/// Keysyms of the US table that are not the character's own code (X11/keysymdef.h).
fn us_keyval(name: &str) -> u32 {
    if let [letter] = name.as_bytes() {
        return u32::from(*letter);
    }
    const PUNCTUATION: &[(&str, char)] = &[
        ("space", ' '),
        ("exclam", '!'),
        ("quotedbl", '"'),
        ("numbersign", '#'),
        ("dollar", '$'),
        ("percent", '%'),
        ("ampersand", '&'),
        ("apostrophe", '\''),
        ("parenleft", '('),
        ("parenright", ')'),
        ("asterisk", '*'),
        ("plus", '+'),
        ("comma", ','),
        ("minus", '-'),
        ("period", '.'),
        ("slash", '/'),
        ("colon", ':'),
        ("semicolon", ';'),
        ("less", '<'),
        ("equal", '='),
        ("greater", '>'),
        ("question", '?'),
        ("at", '@'),
        ("bracketleft", '['),
        ("backslash", '\\'),
        ("bracketright", ']'),
        ("asciicircum", '^'),
        ("underscore", '_'),
        ("grave", '`'),
        ("braceleft", '{'),
        ("bar", '|'),
        ("braceright", '}'),
        ("asciitilde", '~'),
    ];
    const NAMED: &[(&str, u32)] = &[
        ("BackSpace", 0xff08),
        ("Tab", 0xff09),
        ("ISO_Left_Tab", 0xfe20),
        ("Return", 0xff0d),
        ("Pause", 0xff13),
        ("Scroll_Lock", 0xff14),
        ("Escape", 0xff1b),
        ("Home", 0xff50),
        ("Left", 0xff51),
        ("Up", 0xff52),
        ("Right", 0xff53),
        ("Down", 0xff54),
        ("Prior", 0xff55),
        ("Next", 0xff56),
        ("End", 0xff57),
        ("Print", 0xff61),
        ("Insert", 0xff63),
        ("Menu", 0xff67),
        ("Num_Lock", 0xff7f),
        ("KP_Enter", 0xff8d),
        ("KP_Home", 0xff95),
        ("KP_Left", 0xff96),
        ("KP_Up", 0xff97),
        ("KP_Right", 0xff98),
        ("KP_Down", 0xff99),
        ("KP_Prior", 0xff9a),
        ("KP_Next", 0xff9b),
        ("KP_End", 0xff9c),
        ("KP_Begin", 0xff9d),
        ("KP_Insert", 0xff9e),
        ("KP_Delete", 0xff9f),
        ("KP_Multiply", 0xffaa),
        ("KP_Add", 0xffab),
        ("KP_Subtract", 0xffad),
        ("KP_Decimal", 0xffae),
        ("KP_Divide", 0xffaf),
        ("Shift_L", 0xffe1),
        ("Shift_R", 0xffe2),
        ("Control_L", 0xffe3),
        ("Control_R", 0xffe4),
        ("Caps_Lock", 0xffe5),
        ("Meta_L", 0xffe7),
        ("Meta_R", 0xffe8),
        ("Alt_L", 0xffe9),
        ("Alt_R", 0xffea),
        ("Super_L", 0xffeb),
        ("Super_R", 0xffec),
        ("Delete", 0xffff),
    ];
    if let Some((_, character)) = PUNCTUATION.iter().find(|(n, _)| *n == name) {
        return u32::from(*character);
    }
    if let Some((_, keyval)) = NAMED.iter().find(|(n, _)| *n == name) {
        return *keyval;
    }
    let number = |prefix: &str, base: u32| {
        name.strip_prefix(prefix).and_then(|digits| digits.parse::<u32>().ok()).map(|n| base + n)
    };
    number("KP_", 0xffb0).or_else(|| number("F", 0xffbd)).unwrap_or(0)
}
