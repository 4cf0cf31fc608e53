//! The keyboard, to the server (Protocol.md §8.5).

use super::args::{ArgError, Args};
use super::names::{self, Names, Naming, alias};
use super::out::Out;
use super::{Dict, Modifiers, Value, WindowId};

/// The packets that have two names.
pub const NAMES: Names = Names {
    to_client: &[],
    to_server: &[
        alias("keyboard-event", "key-action", Naming::V65),
        alias("keyboard-config", "keymap-changed", Naming::V65),
    ],
};

/// To the server.
#[derive(Clone, Debug, PartialEq)]
pub enum ToServer {
    Event(KeyboardEvent),
    /// The keymap and layout, for the server to set up its keyboard (`keyboard-config`, legacy `keymap-changed`).
    Config(Dict),
}

/// `keyboard-event`; legacy `key-action`.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyboardEvent {
    pub wid: Option<WindowId>,
    /// X keysym name: `a`, `Return`, `Shift_L`, `eacute`.
    pub keyname: String,
    pub pressed: bool,
    pub modifiers: Modifiers,
    /// X keysym value.
    pub keyval: u32,
    /// Text that the key types; may be empty.
    pub string: String,
    /// X hardware keycode.
    pub keycode: u32,
    /// Layout group, 0 for the first.
    pub group: u32,
}

impl ToServer {
    /// Reads a packet; `None` if it is of another subject.
    ///
    /// # Errors
    /// If an argument is missing or wrong.
    pub fn parse(args: &mut Args<'_>) -> Result<Option<Self>, ArgError> {
        let name = args.packet();
        Ok(Some(match names::modern(NAMES.to_server, name) {
            "keyboard-event" if name == "key-action" => Self::Event(key_action(args)?),
            "keyboard-event" => Self::Event(keyboard_event(args)?),
            "keyboard-config" => Self::Config(args.dict("configuration")?),
            _ => return Ok(None),
        }))
    }

    /// Writes the packet.
    pub fn encode(&self, out: &mut Out<'_, '_>) {
        match self {
            Self::Event(event) => write_event(out, event),
            Self::Config(configuration) => out.packet("keyboard-config", 1, |args| args.dict(configuration)),
        }
    }
}

fn key_action(args: &mut Args<'_>) -> Result<KeyboardEvent, ArgError> {
    Ok(KeyboardEvent {
        wid: args.window()?,
        keyname: args.string("keyname")?,
        pressed: args.bool("pressed")?,
        modifiers: args.list("modifiers")?.modifiers(),
        keyval: positive(args.i64("keyval")?),
        string: args.string("string")?,
        keycode: positive(args.i64("keycode")?),
        group: positive(args.i64("group")?),
    })
}

fn keyboard_event(args: &mut Args<'_>) -> Result<KeyboardEvent, ArgError> {
    let wid = args.window()?;
    let (keyname, pressed) = (args.string("keyname")?, args.bool("pressed")?);
    let properties = args.dict("properties")?;
    let number = |name| positive(properties.get(name).and_then(Value::as_i64).unwrap_or(0));
    let modifiers = properties.strs("modifiers").unwrap_or_default();
    Ok(KeyboardEvent {
        wid,
        keyname,
        pressed,
        modifiers: Modifiers::from_names(modifiers),
        keyval: number("keyval"),
        string: properties.str("string").unwrap_or_default().to_owned(),
        keycode: number("keycode"),
        group: number("group"),
    })
}

/// Clients send −1 for what they do not know.
fn positive(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

fn write_event(out: &mut Out<'_, '_>, event: &KeyboardEvent) {
    if out.is_legacy() {
        out.packet("keyboard-event", 8, |args| {
            args.window(event.wid);
            args.str(&event.keyname);
            args.bool(event.pressed);
            event.modifiers.encode(args);
            args.int(event.keyval);
            args.str(&event.string);
            args.int(event.keycode);
            args.int(event.group);
        });
        return;
    }
    out.packet("keyboard-event", 4, |args| {
        args.window(event.wid);
        args.str(&event.keyname);
        args.bool(event.pressed);
        args.map(5, |map| {
            map.str("modifiers");
            event.modifiers.encode(map);
            map.str("keyval");
            map.int(event.keyval);
            map.str("string");
            map.str(&event.string);
            map.str("keycode");
            map.int(event.keycode);
            map.str("group");
            map.int(event.group);
        });
    });
}
