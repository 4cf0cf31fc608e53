//! The local keyboard as servers are told of it, in hello and after.

use super::config::{Generation, SessionConfig};
use super::event::{Keymap, Output};
use super::keymap::{self, KEY_REPEAT_MS, Told};
use crate::protocol::packet::{Dict, Value, keyboard};

/// What hello says of it. 6.x reads no more than 16 KiB of a client before it is logged in: the keycodes follow in a
/// packet of their own.
pub fn capabilities(config: &SessionConfig, hello: &mut Dict) {
    hello
        .push("keyboard", true)
        .push("keyboard_sync", true)
        .push("key_repeat", vec![Value::from(KEY_REPEAT_MS.0), Value::from(KEY_REPEAT_MS.1)])
        .push("modifiers", Vec::<Value>::new());
    let keymap = first_keymap(config);
    match config.generation {
        Generation::Modern | Generation::ModernYaml => {
            hello.push("keymap", keymap::hello_map(&keymap));
        }
        Generation::Legacy31 => keymap::legacy_keys(&keymap, config.keymap.is_some(), hello),
    }
}

/// Tells the whole keyboard, in one packet after the other.
pub fn tell(config: &SessionConfig, told: &Told, out: &mut Vec<Output>) {
    let configurations = configurations(config, told).into_iter();
    out.extend(configurations.map(|one| Output::Send(keyboard::ToServer::Config(one).into())));
}

fn configurations(config: &SessionConfig, told: &Told) -> Vec<Dict> {
    let Some(keymap) = &config.keymap else {
        return vec![whole_keyboard(config.generation, &keymap::us(), false)];
    };
    let keymap = told.part(keymap);
    let whole = whole_keyboard(config.generation, &keymap, true);
    let layout = keymap::layout_with_folder(&keymap).filter(|_| config.generation.is_modern());
    layout.into_iter().chain([whole]).collect()
}

fn whole_keyboard(generation: Generation, keymap: &Keymap, native: bool) -> Dict {
    match generation {
        Generation::Modern | Generation::ModernYaml => keymap::config(keymap, native),
        Generation::Legacy31 => {
            let mut keys = Dict::default();
            keymap::legacy_keys(keymap, native, &mut keys);
            keys
        }
    }
}

/// The keymap that is told in hello, as far as it is known and fits.
fn first_keymap(config: &SessionConfig) -> Keymap {
    let mut told = Told::default();
    told.start(config.keymap.as_ref());
    config.keymap.as_ref().map_or_else(keymap::us, |keymap| told.part(keymap).into_owned())
}
