//! From winit's events on a remote window to what the session is told.

use winit::dpi::PhysicalPosition;
use winit::event::{DeviceEvent, ElementState, KeyEvent, MouseButton, MouseScrollDelta, Touch, TouchPhase};
use winit::keyboard::ModifiersState;

use crate::channel::NetQueue;
use crate::config::KeyCombination;
use crate::desktop::{Desktop, KeyMeaning, KeyboardFacts};
use crate::geometry::Point;
use crate::input::pointer::button_number;
use crate::input::{
    Composing, KeyChange, KeyFacts, KeyPress, Keyboard, Pointer, WheelFilter, WheelScale, keysym,
};
use crate::protocol::packet::WindowId;
use crate::protocol::packet::pointer::PointerState;
use crate::session::{Input, KeyboardInput, Keymap, PointerInput};

use super::place::Place;
use super::remote_window::RemoteWindow;

/// X modifiers that make a hotkey different; locks do not.
const SHIFT: u8 = 1 << 0;
const CONTROL: u8 = 1 << 2;
const ALT: u8 = 1 << 3;
const LOGO: u8 = 1 << 6;

/// Keys that wait at most: what somebody types within a second or two.
const MAX_WAITING: usize = 64;

/// Keyboard and pointer, over all remote windows.
pub struct UserInput {
    net: NetQueue,
    hotkeys: Hotkeys,
    keyboard: Keyboard,
    composing: Composing,
    /// What the desktop says is held: keyboards on the screen press no keys for that.
    held: ModifiersState,
    pointer: Pointer,
    wheel_filter: WheelFilter,
    wheel_scale: WheelScale,
    /// The window with the focus, and what the server was told of it.
    focused: Option<WindowId>,
    told_focus: Option<WindowId>,
    /// Keys for the window with the focus, of which the server was not told yet: it would give the keyboard to a window that
    /// it does not show, fail, and take that for done (3.1.3, 6.5.5).
    waiting: Vec<KeyChange>,
    /// The finger that plays the pointer.
    finger: Option<u64>,
    /// A window was moved or resized since the pointer was seen last, or the server was told of another place. On X11
    /// winit keeps a movement to itself that ends at the same place of the window as the one before.
    is_pointer_doubtful: bool,
    /// The session is away: what is done now is for nobody.
    is_away: bool,
}

/// What a key event came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOutcome {
    /// The server was told, or there was nothing to tell.
    Handled,
    /// It was one of our own keys.
    Hotkey(Hotkey),
}

/// What our own keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hotkey {
    /// Shows or hides the overlay.
    Overlay,
    /// Opens or closes the session information window.
    SessionInfo,
    /// Opens or closes the session menu.
    SessionMenu,
    /// Shows the window in full screen, or as before.
    FullScreen,
}

/// Our own keys.
pub type Hotkeys = [(KeyCombination, Hotkey); 4];

impl UserInput {
    /// Nothing held, nothing focused.
    pub fn new(net: NetQueue, hotkeys: Hotkeys) -> Self {
        Self {
            net,
            hotkeys,
            keyboard: Keyboard::default(),
            composing: Composing::default(),
            held: ModifiersState::default(),
            pointer: Pointer::default(),
            wheel_filter: WheelFilter::default(),
            wheel_scale: WheelScale::default(),
            focused: None,
            told_focus: None,
            waiting: Vec::new(),
            finger: None,
            is_pointer_doubtful: false,
            is_away: false,
        }
    }

    /// A key event of a remote window.
    pub fn key(
        &mut self,
        wid: WindowId,
        event: &KeyEvent,
        synthetic: bool,
        desktop: &mut Desktop,
    ) -> KeyOutcome {
        let press = KeyPress::from(event);
        let facts = self.facts(&press, desktop);
        if synthetic && press.pressed {
            self.keyboard.already_held(&press, facts);
            return KeyOutcome::Handled;
        }
        if press.pressed
            && let Some(hotkey) = self.hotkey(&press, facts)
        {
            return if event.repeat { KeyOutcome::Handled } else { KeyOutcome::Hotkey(hotkey) };
        }
        if let Some(change) = self.keyboard.event(&press, facts) {
            self.send_key(wid, change);
        }
        KeyOutcome::Handled
    }

    /// The desktop says that these modifiers are held.
    pub fn modifiers(&mut self, held: ModifiersState) {
        self.held = held;
    }

    fn facts(&mut self, press: &KeyPress, desktop: &mut Desktop) -> KeyFacts {
        let Some((KeyboardFacts { locked, group }, map_changed)) = desktop.keyboard_facts() else {
            return KeyFacts::default();
        };
        if map_changed {
            self.send_keymap(desktop);
        }
        let held = self.keyboard.held_mask();
        let is_composed = press.pressed && self.composing.press(&press.logical);
        let typed =
            |meaning: &KeyMeaning| is_composed || keysym::is_typed(meaning.keysym, meaning.capital, press);
        let meaning = desktop.key_meaning(press.keycode, held | locked, group, typed);
        KeyFacts {
            keysym: meaning.map(|meaning| meaning.keysym),
            modifier_mask: Some(meaning.map_or(0, |meaning| meaning.sets)),
            locked: Some(locked),
            modifiers: meaning.map(|meaning| meaning.modifiers),
            decided_by: meaning.map_or(0, |meaning| meaning.decided_by),
            locks: meaning.map_or(0, |meaning| meaning.locks),
            group: meaning.map_or(group, |meaning| meaning.group).into(),
        }
    }

    /// Tells the session the local keyboard's map, if it is known.
    pub fn send_keymap(&self, desktop: &Desktop) {
        if let Some(keymap) = desktop.keymap(keysym::name) {
            tracing::debug!(layout = %keymap.layout, keys = keymap.keys.len(), "keyboard map");
            self.net.input(KeyboardInput::KeymapChanged(Box::<Keymap>::new(keymap)));
        }
    }

    fn hotkey(&self, press: &KeyPress, facts: KeyFacts) -> Option<Hotkey> {
        let keysym = facts.keysym.or_else(|| keysym::from_winit(&press.logical, press.location))?;
        let (name, mask) = (keysym::name(keysym), self.keyboard.held_mask());
        let said =
            [self.held.shift_key(), self.held.control_key(), self.held.alt_key(), self.held.super_key()];
        let pressed = [SHIFT, CONTROL, ALT, LOGO].map(|bit| mask & bit != 0);
        let held = std::array::from_fn(|index| said[index] || pressed[index]);
        self.hotkeys.iter().find(|(keys, _)| keys.is(held, &name)).map(|(_, hotkey)| *hotkey)
    }

    fn send_key(&mut self, wid: WindowId, change: KeyChange) {
        if self.focused == Some(wid) && self.told_focus != Some(wid) && !self.is_away {
            if self.waiting.len() < MAX_WAITING {
                self.waiting.push(change);
            }
            return;
        }
        let KeyChange { key, pressed, modifiers } = change;
        self.send(KeyboardInput::Key { wid: Some(wid), key, pressed, modifiers });
    }

    /// A window got or lost the focus; [`Self::sync_focus`] tells the server, so that a change
    /// from one of our windows to another is one change.
    pub fn focus(&mut self, wid: WindowId, focused: bool, desktop: &mut Desktop) {
        if focused {
            if let Some((facts, map_changed)) = desktop.keyboard_facts() {
                self.keyboard.set_locked(facts.locked);
                if map_changed {
                    self.send_keymap(desktop);
                }
            }
            self.focused = Some(wid);
        } else if self.focused == Some(wid) {
            self.release_keys(wid);
            self.focused = None;
            self.waiting.clear();
        }
    }

    /// Tells the server which window has the focus, if that changed, and what was typed there since. A window that the
    /// server does not show yet (`is_mapped`) gets it there when it does: X gives it to no other. Returns the one that got
    /// it.
    pub fn sync_focus(&mut self, is_mapped: impl Fn(WindowId) -> bool) -> Option<WindowId> {
        if self.is_away || self.told_focus == self.focused || !self.focused.is_none_or(is_mapped) {
            return None;
        }
        self.told_focus = self.focused;
        self.send(KeyboardInput::Focus { wid: self.focused });
        let waiting = std::mem::take(&mut self.waiting);
        if let Some(wid) = self.focused {
            waiting.into_iter().for_each(|change| self.send_key(wid, change));
        }
        self.focused
    }

    /// A window is gone: nothing is held in it any more.
    pub fn forget(&mut self, wid: WindowId) {
        if self.focused == Some(wid) {
            self.release_keys(wid);
            self.focused = None;
            self.waiting.clear();
        }
        if self.told_focus == Some(wid) {
            self.told_focus = None;
        }
    }

    /// The session is away from now on, or back. Either way nothing is held any more: what the server may know to be
    /// down goes up, if there is somebody to tell.
    pub fn set_away(&mut self, is_away: bool) {
        self.is_away = is_away;
        self.waiting.clear();
        for KeyChange { key, pressed, modifiers } in self.keyboard.forget_told() {
            // Of no window: the server shows none of them yet.
            self.send(KeyboardInput::Key { wid: None, key, pressed, modifiers });
        }
        for button in self.pointer.buttons() {
            self.pointer.set_button(button, false);
            let pointer = self.pointer_state(self.focused);
            self.send(PointerInput::Button { button, pressed: false, pointer });
        }
        (self.told_focus, self.finger, self.is_pointer_doubtful) = (None, None, true);
    }

    fn release_keys(&mut self, wid: WindowId) {
        for change in self.keyboard.release_all() {
            self.send_key(wid, change);
        }
    }

    /// A raw device event.
    pub fn device_event(&mut self, event: &DeviceEvent) {
        self.wheel_filter.device_event(event);
    }

    /// A window was moved or resized.
    pub fn window_moved(&mut self) {
        self.is_pointer_doubtful = true;
    }

    /// A button is about to go down or up in a window: sees to it that the server knows where.
    pub fn look_where_it_is(&mut self, remote: &RemoteWindow, desktop: &Desktop) {
        if self.is_pointer_doubtful
            && let Some(Point { x, y }) = desktop.pointer()
        {
            let local = remote.place().local();
            let inside = PhysicalPosition::new(f64::from(x - local.x), f64::from(y - local.y));
            self.moved(remote.wid, remote.place(), inside);
            self.is_pointer_doubtful = true;
        }
    }

    /// The pointer moved, to a position in the window's content.
    pub fn moved(&mut self, wid: WindowId, place: &Place, position: PhysicalPosition<f64>) {
        self.is_pointer_doubtful = false;
        let Point { x, y } = place.point(position.x, position.y);
        if (self.pointer.x, self.pointer.y) == (x, y) {
            return;
        }
        (self.pointer.x, self.pointer.y) = (x, y);
        self.send(PointerInput::Moved(self.pointer_state(Some(wid))));
    }

    /// The pointer as it is now, over this window.
    fn pointer_state(&self, wid: Option<WindowId>) -> PointerState {
        let Pointer { x, y, .. } = self.pointer;
        PointerState { wid, x, y, modifiers: self.keyboard.modifiers(), buttons: self.pointer.buttons() }
    }

    /// The window that has the focus.
    pub fn focused(&self) -> Option<WindowId> {
        self.focused
    }

    /// Where the pointer was last, on the server.
    pub fn position(&self) -> Point {
        Point::new(self.pointer.x, self.pointer.y)
    }

    /// Whether a mouse button is held in a remote window.
    pub fn is_button_held(&self) -> bool {
        !self.pointer.buttons().is_empty()
    }

    /// The pointer left all remote windows: it is beside them now.
    pub fn moved_beside(&mut self, Point { x, y }: Point) {
        self.is_pointer_doubtful = true;
        (self.pointer.x, self.pointer.y) = (x, y);
        self.send(PointerInput::Moved(self.pointer_state(None)));
    }

    /// Somebody clicked beside all remote windows.
    pub fn clicked_beside(&mut self, at: Point) {
        self.moved_beside(at);
        for pressed in [true, false] {
            let buttons = if pressed { vec![1] } else { Vec::new() };
            let pointer = PointerState { x: at.x, y: at.y, buttons, ..PointerState::default() };
            self.send(PointerInput::Button { button: 1, pressed, pointer });
        }
    }

    /// A mouse button went down or up.
    pub fn button(&mut self, wid: WindowId, button: MouseButton, state: ElementState) {
        if let Some(number) = button_number(button) {
            self.set_button(wid, number, state == ElementState::Pressed);
        }
    }

    fn set_button(&mut self, wid: WindowId, button: u8, pressed: bool) {
        if self.pointer.set_button(button, pressed) {
            let pointer = self.pointer_state(Some(wid));
            self.send(PointerInput::Button { button, pressed, pointer });
        }
    }

    /// The window manager takes the pointer for moving or resizing a window: its releases will
    /// not come here.
    pub fn release_buttons(&mut self, wid: WindowId) {
        for button in self.pointer.buttons() {
            self.set_button(wid, button, false);
        }
    }

    /// The wheel turned, or fingers scrolled.
    pub fn wheel(&mut self, wid: WindowId, delta: MouseScrollDelta) {
        if !self.wheel_filter.accepts() {
            return;
        }
        let (dx, dy) = self.wheel_scale.thousandths(delta);
        if (dx, dy) != (0, 0) {
            self.send(PointerInput::Wheel { dx, dy, pointer: self.pointer_state(Some(wid)) });
        }
    }

    /// The first finger on a touch screen is the pointer with its first button.
    pub fn touch(&mut self, wid: WindowId, place: &Place, touch: &Touch) {
        match touch.phase {
            TouchPhase::Started if self.finger.is_none() => {
                self.finger = Some(touch.id);
                self.moved(wid, place, touch.location);
                self.set_button(wid, 1, true);
            }
            TouchPhase::Moved if self.finger == Some(touch.id) => self.moved(wid, place, touch.location),
            TouchPhase::Ended | TouchPhase::Cancelled if self.finger == Some(touch.id) => {
                self.finger = None;
                self.moved(wid, place, touch.location);
                self.set_button(wid, 1, false);
            }
            _ => {}
        }
    }

    fn send(&self, input: impl Into<Input>) {
        if !self.is_away {
            self.net.input(input);
        }
    }
}
