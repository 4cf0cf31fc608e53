//! Someone who presses keys of an X display by their key codes.
//!
//! xdotool types names: it locks the first group, and changes the map where a name is on no key.

use std::io::IoSlice;

use x11rb::connection::{Connection, RequestConnection};
use x11rb::protocol::xkb::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{KEY_PRESS_EVENT, KEY_RELEASE_EVENT, ModMask};

use super::x11::X;

/// XTEST's request to make an event up (XTEST 2.2, section 5).
const FAKE_INPUT: u8 = 2;
/// Its length in words.
const FAKE_INPUT_WORDS: u8 = 9;

/// A pair of hands at a keyboard.
pub struct Typist<'a> {
    x: &'a X,
    opcode: u8,
}

impl<'a> Typist<'a> {
    pub fn at(x: &'a X) -> Self {
        let extension = x.connection.extension_information("XTEST").expect("X").expect("XTEST");
        x.connection.xkb_use_extension(1, 0).expect("X").reply().expect("XKB");
        Self { x, opcode: extension.major_opcode }
    }

    fn fake(&self, event: u8, keycode: u8) {
        let mut request = [0; 4 * FAKE_INPUT_WORDS as usize];
        request[..6].copy_from_slice(&[self.opcode, FAKE_INPUT, FAKE_INPUT_WORDS, 0, event, keycode]);
        if cfg!(target_endian = "big") {
            request[2..4].reverse();
        }
        let sent = self.x.connection.send_request_without_reply(&[IoSlice::new(&request)], Vec::new());
        drop(sent.expect("X"));
        self.x.connection.flush().expect("X");
    }

    pub fn press(&self, keycode: u8) -> &Self {
        self.fake(KEY_PRESS_EVENT, keycode);
        self
    }

    pub fn release(&self, keycode: u8) -> &Self {
        self.fake(KEY_RELEASE_EVENT, keycode);
        self
    }

    /// Presses and releases a key while others are held.
    pub fn tap(&self, held: &[u8], keycode: u8) -> &Self {
        for &key in held {
            self.press(key);
        }
        self.press(keycode).release(keycode);
        for &key in held.iter().rev() {
            self.release(key);
        }
        self
    }

    /// Switches to a layout of the keyboard, as an applet of a panel does.
    pub fn lock_group(&self, group: u8) -> &Self {
        let (none, device) = (ModMask::default(), xkb::ID::USE_CORE_KBD.into());
        let cookie =
            self.x.connection.xkb_latch_lock_state(device, none, none, true, group.into(), none, false, 0);
        cookie.expect("X").check().expect("another group");
        self
    }
}
