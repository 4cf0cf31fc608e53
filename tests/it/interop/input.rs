//! Keys, buttons and wheel arrive as they were made.

use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{ConnectionExt, KeyPressEvent};

use super::{SOON, empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::xpra::Generation;

for_every_server!(keys, pointer);

/// The keysym of a key press as a program on the server would see it.
fn keysym(card: &Card, press: &KeyPressEvent) -> u32 {
    let cookie = card.x.connection.get_keyboard_mapping(press.detail, 1).expect("X");
    let keysyms = cookie.reply().expect("a keyboard mapping").keysyms;
    let shifted = usize::from(u16::from(press.state) & 1);
    keysyms.get(shifted).copied().filter(|&symbol| symbol != 0).unwrap_or(keysyms[0])
}

fn keys(generation: Generation) {
    let server = empty_session(generation);
    let card = Card::open(server.x().name(), "keys", &Picture::smooth(300, 200), &Look::default());
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url()]);
    let id = viewer.window("keys").id.to_string();
    display.x.focus(id);
    card.wait_event("the focus", |event| matches!(event, Event::FocusIn(_)).then_some(()));
    // Name for xdotool, X keysym.
    for (name, symbol) in [
        ("a", 0x61),
        ("Q", 0x51),
        ("7", 0x37),
        ("percent", 0x25),
        ("Return", 0xff0d),
        ("F5", 0xffc2),
        ("Left", 0xff51),
        ("BackSpace", 0xff08),
        ("KP_Add", 0xffab),
    ] {
        display.x.xdotool(&["key", name]);
        let pressed = card.wait_event(&format!("key {name}"), |event| match event {
            // Shift, where it is needed, comes as a key of its own.
            Event::KeyPress(press) => {
                Some(keysym(&card, press)).filter(|symbol| !(0xffe1..0xffef).contains(symbol))
            }
            _ => None,
        });
        assert_eq!(pressed, symbol, "{name} arrived as {pressed:#x}");
        card.wait_event(&format!("key {name} to be released"), |event| {
            matches!(event, Event::KeyRelease(_)).then_some(())
        });
    }
    // Modifiers are held down while the key is.
    display.x.xdotool(&["key", "ctrl+alt+x"]);
    card.wait_event("Ctrl+Alt+X", |event| match event {
        // Control is bit 2, Alt (Mod1) is bit 3.
        Event::KeyPress(press) => {
            (u16::from(press.state) & 12 == 12 && keysym(&card, press) == 0x78).then_some(())
        }
        _ => None,
    });
    viewer.stop();
}

fn pointer(generation: Generation) {
    let server = empty_session(generation);
    let card = Card::open(server.x().name(), "pointer", &Picture::smooth(300, 200), &Look::default());
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url()]);
    let seen = viewer.window("pointer");
    let origin = || card.x.seen(card.id).map(|seen| (seen.x, seen.y)).unwrap_or_default();
    wait_for(
        "the server's window to be at its place",
        SOON,
        || format!("{seen:?} {:?}", origin()),
        || (origin() == (seen.x, seen.y)).then_some(()),
    );
    let move_to = |x: i32, y: i32| {
        let (x, y) = ((seen.x + x).to_string(), (seen.y + y).to_string());
        display.x.xdotool(&["mousemove", &x, &y]);
    };
    move_to(150, 100);
    for (button, x, y) in [(1, 10, 20), (2, 280, 150), (3, 77, 133)] {
        move_to(x, y);
        display.x.xdotool(&["click", &button.to_string()]);
        let pressed = card.wait_event(&format!("button {button}"), |event| match event {
            Event::ButtonPress(press) => {
                Some((i32::from(press.detail), i32::from(press.event_x), i32::from(press.event_y)))
            }
            _ => None,
        });
        assert_eq!(pressed, (button, x, y), "button, x, y");
        card.wait_event("its release", |event| matches!(event, Event::ButtonRelease(_)).then_some(()));
    }
    // A drag: the pointer moves while the button is down.
    move_to(50, 50);
    display.x.xdotool(&["mousedown", "1"]);
    move_to(90, 70);
    card.wait_event("a drag", |event| match event {
        // Button 1 is bit 8.
        Event::MotionNotify(motion) => {
            let held = u16::from(motion.state) & 0x100 != 0;
            (held && (motion.event_x, motion.event_y) == (90, 70)).then_some(())
        }
        _ => None,
    });
    display.x.xdotool(&["mouseup", "1"]);
    card.wait_event("its end", |event| matches!(event, Event::ButtonRelease(_)).then_some(()));
    // The wheel is buttons 4 and 5.
    for button in [4_u8, 5] {
        display.x.xdotool(&["click", &button.to_string()]);
        let turned = card.wait_event("the wheel", |event| match event {
            Event::ButtonPress(press) => Some(press.detail),
            _ => None,
        });
        assert_eq!(turned, button);
        while card.x.connection.poll_for_event().expect("X").is_some() {}
    }
    viewer.stop();
}
