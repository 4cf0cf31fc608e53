//! Keys, pointer, wheel and focus: from what the desktop says to packets.

use super::event::Output;
use super::keyboard::{Key, Keymap};
use super::server_info::ServerTraits;
use crate::protocol::packet::keyboard::{self, KeyboardEvent};
use crate::protocol::packet::pointer::{self, PointerState};
use crate::protocol::packet::window;
use crate::protocol::packet::{ClientPacket, Modifiers, WindowId};

/// One notch of a wheel in the units of [`super::PointerInput::Wheel`].
const NOTCH: i32 = 1000;
/// Clicks sent for one wheel event at most: a runaway device must not flood the server.
const MAX_CLICKS: i32 = 32;
/// Keys held down at a time, of which the release is ensured.
const MAX_KEYS_DOWN: usize = 64;
/// Keys that every keyboard has and nobody holds for long; see [`InputState::stop_timer`].
const UNUSED_KEYS: [&str; 3] = ["Escape", "Return", "space"];
/// Positions are 16 bits on the wire.
const MAX_POSITION: i32 = 32767;

/// The state of the input devices as the server knows it.
#[derive(Debug, Default)]
pub struct InputState {
    focus: Option<WindowId>,
    modifiers: Modifiers,
    keys_down: Vec<Key>,
    wheel: Wheel,
    /// The server takes wheel motion finer than a notch.
    precise_wheel: bool,
    /// The server repeats held keys by itself.
    server_repeats: bool,
    /// Names of the keys that are modifiers, and the keys of [`UNUSED_KEYS`].
    modifier_keys: Vec<String>,
    unused_keys: Vec<Key>,
}

/// Motion that does not make a whole notch yet.
#[derive(Debug, Default)]
struct Wheel {
    wid: Option<WindowId>,
    x: i32,
    y: i32,
}

impl InputState {
    /// The server accepted us.
    pub fn accepted(&mut self, traits: &ServerTraits) {
        self.precise_wheel = traits.precise_wheel;
        self.server_repeats = traits.repeats_keys;
    }

    /// Another window has the focus, or none of ours. Keys that are still down are released
    /// first: their release goes to someone else now.
    pub fn focus(&mut self, wid: Option<WindowId>, out: &mut Vec<Output>) {
        if self.focus == wid {
            return;
        }
        self.release_keys(out);
        self.focus = wid;
        let packet = window::ToServer::Focus { wid, modifiers: self.modifiers }.into();
        out.push(Output::Send(packet));
    }

    /// A window is gone: the server knows that it cannot have the focus, but not that the keys
    /// which were held in it come up somewhere else.
    pub fn window_gone(&mut self, wid: WindowId, out: &mut Vec<Output>) {
        if self.focus == Some(wid) {
            self.focus = None;
            self.release_keys(out);
        }
    }

    /// Another keymap is told.
    pub fn keymap(&mut self, keymap: &Keymap) {
        self.modifier_keys = keymap.modifier_meanings.iter().map(|(name, _)| name.clone()).collect();
        let unused =
            UNUSED_KEYS.iter().filter_map(|name| keymap.keys.iter().find(|key| key.keyname == *name));
        let key = |keyname: &String, keyval: u32, keycode: u32| Key {
            keyname: keyname.clone(),
            keyval,
            keycode,
            ..Key::default()
        };
        self.unused_keys = unused.map(|found| key(&found.keyname, found.keyval, found.keycode)).collect();
    }

    /// A key goes down, again (it repeats), or up.
    ///
    /// The server's X server does not repeat ([`super::keymap::KEY_REPEAT_MS`]), and what the server does with a
    /// press of a key that is down is nothing. So a repeat is the key coming up and going down, as X programs know
    /// it.
    pub fn key(
        &mut self,
        wid: Option<WindowId>,
        key: Key,
        pressed: bool,
        modifiers: Modifiers,
        out: &mut Vec<Output>,
    ) {
        let wid = wid.or(self.focus);
        self.modifiers = modifiers;
        let down = self.keys_down.iter().position(|down| is_same_key(down, &key));
        let is_modifier = self.modifier_keys.contains(&key.keyname);
        if !pressed {
            if let Some(index) = down {
                self.keys_down.remove(index);
            }
            out.push(Output::Send(key_packet(wid, key, false, modifiers)));
            return;
        }
        match down.and_then(|index| self.keys_down.get_mut(index)) {
            Some(_) if is_modifier => return,
            Some(_) if self.server_repeats => {}
            Some(down) => {
                let before = std::mem::replace(down, key.clone());
                out.push(Output::Send(key_packet(wid, before, false, modifiers)));
            }
            None => self.note_down(&key),
        }
        let group = key.group;
        out.push(Output::Send(key_packet(wid, key, true, modifiers)));
        if down.is_none() && !is_modifier && !self.server_repeats {
            self.stop_timer(wid, group, modifiers, out);
        }
    }

    fn note_down(&mut self, key: &Key) {
        if self.keys_down.len() < MAX_KEYS_DOWN {
            self.keys_down.push(key.clone());
        }
    }

    /// Servers have a timer that lets the last key go after one to two seconds, unless it is pressed again. What stops
    /// it is any other key that comes up, even one that is not down, of which nobody else takes notice.
    fn stop_timer(&self, wid: Option<WindowId>, group: u32, modifiers: Modifiers, out: &mut Vec<Output>) {
        self.unused_key_up(wid, group, modifiers, out);
    }

    fn unused_key_up(&self, wid: Option<WindowId>, group: u32, modifiers: Modifiers, out: &mut Vec<Output>) {
        let is_up = |key: &&Key| !self.keys_down.iter().any(|down| is_same_key(down, key));
        if let Some(key) = self.unused_keys.iter().find(is_up) {
            let key = Key { group, ..key.clone() };
            out.push(Output::Send(key_packet(wid, key, false, modifiers)));
        }
    }

    /// Tells the server that the first group is the present one, by a key that comes up which is not down.
    pub fn first_group(&self, wid: Option<WindowId>, out: &mut Vec<Output>) {
        self.unused_key_up(wid, 0, self.modifiers, out);
    }

    /// The pointer moves.
    pub fn motion(&mut self, pointer: PointerState, out: &mut Vec<Output>) {
        out.push(Output::Send(pointer::ToServer::Motion(self.note(pointer)).into()));
    }

    /// A button goes down or up.
    pub fn button(&mut self, button: u8, pressed: bool, pointer: PointerState, out: &mut Vec<Output>) {
        let pointer = self.note(pointer);
        out.push(Output::Send(pointer::ToServer::Button { button, pressed, pointer }.into()));
    }

    /// The wheel turns by `dx`, `dy` thousandths of a notch (right and up are positive).
    pub fn wheel(&mut self, dx: i32, dy: i32, pointer: PointerState, out: &mut Vec<Output>) {
        let pointer = self.note(pointer);
        if self.wheel.wid != pointer.wid {
            self.wheel = Wheel { wid: pointer.wid, x: 0, y: 0 };
        }
        if self.precise_wheel {
            for (button, distance) in [(axis_button(dy, 4, 5), dy), (axis_button(dx, 7, 6), dx)] {
                if distance != 0 {
                    let pointer = pointer.clone();
                    out.push(Output::Send(pointer::ToServer::Wheel { button, distance, pointer }.into()));
                }
            }
            return;
        }
        let up = notches(&mut self.wheel.y, dy);
        click(up, axis_button(up, 4, 5), &pointer, out);
        let right = notches(&mut self.wheel.x, dx);
        click(right, axis_button(right, 7, 6), &pointer, out);
    }

    fn note(&mut self, mut pointer: PointerState) -> PointerState {
        pointer.x = pointer.x.clamp(0, MAX_POSITION);
        pointer.y = pointer.y.clamp(0, MAX_POSITION);
        self.modifiers = pointer.modifiers;
        pointer
    }

    fn release_keys(&mut self, out: &mut Vec<Output>) {
        self.modifiers = Modifiers::default();
        for key in std::mem::take(&mut self.keys_down).into_iter().rev() {
            out.push(Output::Send(key_packet(self.focus, key, false, Modifiers::default())));
        }
    }
}

/// By keycode where there is one: its name changes with Shift.
fn is_same_key(a: &Key, b: &Key) -> bool {
    a.keycode == b.keycode && (a.keycode != 0 || a.keyname == b.keyname)
}

fn key_packet(wid: Option<WindowId>, key: Key, pressed: bool, modifiers: Modifiers) -> ClientPacket {
    let Key { keyname, keyval, keycode, group, string } = key;
    ClientPacket::Keyboard(keyboard::ToServer::Event(KeyboardEvent {
        wid,
        keyname,
        pressed,
        modifiers,
        keyval,
        string,
        keycode,
        group,
    }))
}

/// Adds motion and takes out the whole notches. What is left of the other direction is dropped:
/// turning back should be felt at once.
fn notches(rest: &mut i32, delta: i32) -> i32 {
    if rest.signum() * delta.signum() < 0 {
        *rest = 0;
    }
    let sum = rest.saturating_add(delta);
    *rest = sum % NOTCH;
    (sum / NOTCH).clamp(-MAX_CLICKS, MAX_CLICKS)
}

fn axis_button(amount: i32, positive: u8, negative: u8) -> u8 {
    if amount > 0 { positive } else { negative }
}

fn click(count: i32, button: u8, pointer: &PointerState, out: &mut Vec<Output>) {
    for _ in 0..count.unsigned_abs() {
        for pressed in [true, false] {
            let pointer = pointer.clone();
            out.push(Output::Send(pointer::ToServer::Button { button, pressed, pointer }.into()));
        }
    }
}
