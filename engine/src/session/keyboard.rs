//! The keyboard: what servers are told of it, in hello and after, and its keys. What they do is [`super::input`].

use super::event::Output;
use super::input::InputState;
use super::keymap::{self, KEY_REPEAT_MS, Told};
use super::setup::Setup;
use super::windows::Windows;
use crate::protocol::Dialect;
use crate::protocol::packet::{Dict, Modifiers, Value, WindowId, keyboard};

/// What the user and the desktop do with the keyboard.
#[derive(Clone, Debug)]
pub enum KeyboardInput {
    /// The window that keys go to; `None`: none of ours.
    Focus {
        wid: Option<WindowId>,
    },
    Key {
        wid: Option<WindowId>,
        key: Key,
        pressed: bool,
        modifiers: Modifiers,
    },
    /// The keyboard's map changed (or became known).
    KeymapChanged(Box<Keymap>),
}

/// One key as X names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Key {
    pub keyname: String,
    pub keyval: u32,
    pub keycode: u32,
    pub group: u32,
    pub string: String,
}

/// The local keyboard, for the server to set up its own. Empty where it is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keymap {
    /// RMLVO names: `evdev`, `pc105`, `us,de`, `,nodeadkeys`, `grp:alt_shift_toggle`.
    pub rules: String,
    pub model: String,
    pub layout: String,
    pub variant: String,
    pub options: String,
    /// Everything that the keys can type.
    pub keys: Vec<KeymapEntry>,
    /// Which modifier each modifier key stands for: (`Shift_L`, `shift`), (`Num_Lock`, `mod2`).
    pub modifier_meanings: Vec<(String, String)>,
}

/// One level of one key of a [`Keymap`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeymapEntry {
    pub keyval: u32,
    pub keyname: String,
    pub keycode: u32,
    pub group: u32,
    pub level: u32,
    /// Columns that this group of the key has in X's core keyboard map: 2, or the levels of a type that was set
    /// explicitly (XKB 16.1.3).
    pub core_levels: u32,
}

/// What hello says of it. 6.x reads no more than 16 KiB of a client before it is logged in: the keycodes follow in a
/// packet of their own.
pub fn capabilities(setup: &Setup, hello: &mut Dict) {
    hello
        .push("keyboard", true)
        .push("keyboard_sync", true)
        .push("key_repeat", vec![Value::from(KEY_REPEAT_MS.0), Value::from(KEY_REPEAT_MS.1)])
        .push("modifiers", Vec::<Value>::new());
    let keymap = first_keymap(setup);
    match setup.peer.dialect {
        Dialect::Modern | Dialect::Yaml => {
            hello.push("keymap", keymap::hello_map(&keymap));
        }
        Dialect::Legacy31 => keymap::legacy_keys(&keymap, setup.local.keymap.is_some(), hello),
    }
}

/// The local keyboard as the server knows it.
#[derive(Debug, Default)]
pub struct Keyboard {
    told: Told,
    /// The keymap became known after hello.
    changed: bool,
}

impl Keyboard {
    /// The server accepted us: it is told what did not come with hello.
    pub fn accepted(&mut self, setup: &Setup, devices: &mut InputState, out: &mut Vec<Output>) {
        self.begin(setup, devices);
        // 6.x: the keycodes did not fit into hello
        if setup.peer.dialect.is_modern() || self.changed {
            self.tell(setup, out);
        }
    }

    /// Takes what happens before that: what keys do is nobody's business yet.
    pub fn early_input(&mut self, input: KeyboardInput, setup: &mut Setup) {
        if let KeyboardInput::KeymapChanged(keymap) = input {
            setup.local.keymap = Some(*keymap);
            self.changed = true;
        }
    }

    /// Takes what happens after it.
    pub fn input(
        &mut self,
        input: KeyboardInput,
        setup: &mut Setup,
        windows: &Windows,
        devices: &mut InputState,
        out: &mut Vec<Output>,
    ) {
        match input {
            KeyboardInput::Focus { wid } => devices.focus(windows.known(wid), out),
            KeyboardInput::Key { wid, mut key, pressed, modifiers } => {
                let wid = windows.known(wid);
                let (group, is_other) = self.told.group(key.group, pressed);
                key.group = group;
                if is_other {
                    self.tell(setup, out);
                }
                if self.told.leaves_first_group(group) {
                    devices.first_group(wid, out);
                }
                devices.key(wid, key, pressed, modifiers, out);
            }
            KeyboardInput::KeymapChanged(keymap) => {
                if setup.local.keymap.as_ref() != Some(&keymap) {
                    setup.local.keymap = Some(*keymap);
                    self.begin(setup, devices);
                    self.tell(setup, out);
                }
            }
        }
    }

    /// Another keymap is told from now on.
    fn begin(&mut self, setup: &Setup, devices: &mut InputState) {
        self.told.start(setup.local.keymap.as_ref());
        devices.keymap(setup.local.keymap.as_ref().unwrap_or(&keymap::us()));
    }

    /// Tells the whole keyboard, in one packet after the other.
    fn tell(&self, setup: &Setup, out: &mut Vec<Output>) {
        let configurations = configurations(setup, &self.told).into_iter();
        out.extend(configurations.map(|one| Output::Send(keyboard::ToServer::Config(one).into())));
    }
}

fn configurations(setup: &Setup, told: &Told) -> Vec<Dict> {
    let Some(keymap) = &setup.local.keymap else {
        return vec![whole_keyboard(setup.peer.dialect, &keymap::us(), false)];
    };
    let keymap = told.part(keymap);
    let whole = whole_keyboard(setup.peer.dialect, &keymap, true);
    let layout = keymap::layout_with_folder(&keymap).filter(|_| setup.peer.dialect.is_modern());
    layout.into_iter().chain([whole]).collect()
}

fn whole_keyboard(dialect: Dialect, keymap: &Keymap, native: bool) -> Dict {
    match dialect {
        Dialect::Modern | Dialect::Yaml => keymap::config(keymap, native),
        Dialect::Legacy31 => {
            let mut keys = Dict::default();
            keymap::legacy_keys(keymap, native, &mut keys);
            keys
        }
    }
}

/// The keymap that is told in hello, as far as it is known and fits.
fn first_keymap(setup: &Setup) -> Keymap {
    let mut told = Told::default();
    told.start(setup.local.keymap.as_ref());
    setup.local.keymap.as_ref().map_or_else(keymap::us, |keymap| told.part(keymap).into_owned())
}
