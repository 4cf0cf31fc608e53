//! Keys, pointer, wheel and focus become packets.

use std::time::Duration;

use farpane::protocol::Dialect;
use farpane::protocol::packet::connection;
use farpane::protocol::packet::display;
use farpane::protocol::packet::keyboard;
use farpane::protocol::packet::pointer::{self, PointerState};
use farpane::protocol::packet::window;
use farpane::protocol::packet::{ClientPacket, Modifiers, ServerPacket, Value, WindowId};
use farpane::session::DisplayInfo;
use farpane::session::{DisplayInput, Input, Key, KeyboardInput, Keymap, KeymapEntry, PointerInput};

use super::{Driver, server_hello, setup, size};

const WID: Option<WindowId> = Some(WindowId(1));

fn running(precise_wheel: bool) -> Driver {
    let mut driver = Driver::started(setup(Dialect::Modern));
    let mut hello = server_hello("6.5");
    hello.push("wheel.precise", precise_wheel);
    driver.packet(ServerPacket::Connection(connection::FromServer::Hello(hello)));
    driver.window(1, 0, 0, 100, 100);
    driver.window(2, 0, 0, 100, 100);
    driver
}

fn key(name: &str, keycode: u32, pressed: bool) -> Input {
    let key = Key { keyname: name.to_owned(), keyval: 97, keycode, group: 0, string: name.to_owned() };
    Input::Keyboard(KeyboardInput::Key {
        wid: WID,
        key,
        pressed,
        modifiers: Modifiers::from_names(["shift"]),
    })
}

fn wheel(wid: Option<WindowId>, dx: i32, dy: i32) -> Input {
    Input::Pointer(PointerInput::Wheel {
        dx,
        dy,
        pointer: PointerState { wid, x: 5, y: 6, modifiers: Modifiers::default(), buttons: Vec::new() },
    })
}

/// Button presses as `4+`, releases as `4-`, precise motion as `4:250`.
fn wheel_packets(driver: &mut Driver) -> Vec<String> {
    let text = |packet| match packet {
        ClientPacket::Pointer(pointer::ToServer::Button { button, pressed, .. }) => {
            Some(format!("{button}{}", if pressed { '+' } else { '-' }))
        }
        ClientPacket::Pointer(pointer::ToServer::Wheel { button, distance, .. }) => {
            Some(format!("{button}:{distance}"))
        }
        _ => None,
    };
    driver.sent().into_iter().filter_map(text).collect()
}

#[test]
fn smooth_scrolling_adds_up_to_clicks() {
    let mut driver = running(false);
    let mut check = |wid: Option<WindowId>, dx: i32, dy: i32, expect: &[&str]| {
        driver.input(wheel(wid, dx, dy));
        assert_eq!(wheel_packets(&mut driver), expect, "{dx} {dy}");
    };
    check(WID, 0, 400, &[]);
    check(WID, 0, 400, &[]);
    check(WID, 0, 400, &["4+", "4-"]);
    check(WID, 0, 800, &["4+", "4-"]);
    // turning back is felt at once: 0 is left of 0.0, not −1
    check(WID, 0, 500, &[]);
    check(WID, 0, -600, &[]);
    check(WID, 0, -400, &["5+", "5-"]);
    check(WID, 2000, 0, &["7+", "7-", "7+", "7-"]);
    check(WID, -1000, 0, &["6+", "6-"]);
    // another window starts from zero
    check(WID, 0, 900, &[]);
    check(Some(WindowId(2)), 0, 900, &[]);
    let runaway: Vec<&str> = ["5+", "5-"].repeat(32);
    check(Some(WindowId(2)), 0, i32::MIN, &runaway);
}

#[test]
fn precise_wheels_get_every_step() {
    let mut driver = running(true);
    driver.input(wheel(WID, 0, 250)).input(wheel(WID, -30, -1));
    assert_eq!(wheel_packets(&mut driver), ["4:250", "5:-1", "6:-30"]);
}

#[test]
fn keys_go_to_their_window_with_all_they_are() {
    let mut driver = running(false);
    let sent = driver.input(key("a", 38, true)).sent();
    let [
        ClientPacket::Keyboard(keyboard::ToServer::Event(event)),
        ClientPacket::Keyboard(keyboard::ToServer::Event(_)),
    ] = &sent[..]
    else {
        panic!("{sent:?}")
    };
    assert_eq!((event.wid, event.keyname.as_str(), event.pressed), (WID, "a", true));
    assert_eq!((event.keyval, event.keycode, event.group, event.string.as_str()), (97, 38, 0, "a"));
    assert_eq!(event.modifiers, Modifiers::from_names(["shift"]));
}

/// Key presses as `a+`, releases as `a-`, of a group as `a+1`; a keymap as its layout.
fn key_packets(driver: &mut Driver) -> Vec<String> {
    let text = |packet| match packet {
        ClientPacket::Keyboard(keyboard::ToServer::Event(event)) => {
            let group = Some(event.group).filter(|group| *group > 0).map(|group| group.to_string());
            let sign = if event.pressed { '+' } else { '-' };
            Some(format!("{}{sign}{}", event.keyname, group.unwrap_or_default()))
        }
        ClientPacket::Keyboard(keyboard::ToServer::Config(keymap)) => {
            Some(keymap.str("layout").unwrap_or_default().to_owned())
        }
        _ => None,
    };
    driver.sent().into_iter().filter_map(text).collect()
}

#[test]
fn held_keys_stay_down_and_repeat_as_here() {
    let mut driver = running(false);
    driver.sent();
    let mut check = |name: &str, keycode: u32, pressed: bool, expect: &[&str]| {
        driver.input(key(name, keycode, pressed));
        assert_eq!(key_packets(&mut driver), expect, "{name} {pressed}");
    };
    // A key that is not down comes up: that stops the server's timer.
    check("w", 25, true, &["w+", "Escape-"]);
    check("w", 25, true, &["w-", "w+"]);
    // By its keycode: with Shift it has another name.
    check("W", 25, true, &["w-", "W+"]);
    check("Escape", 9, true, &["Escape+", "Return-"]);
    check("Escape", 9, false, &["Escape-"]);
    check("W", 25, false, &["W-"]);
    // Modifiers have no timer, and do not repeat.
    check("Shift_L", 50, true, &["Shift_L+"]);
    check("Shift_L", 50, true, &[]);
    check("Shift_L", 50, false, &["Shift_L-"]);
}

#[test]
fn a_server_that_repeats_keys_itself_is_left_to_it() {
    let mut driver = Driver::started(setup(Dialect::Modern));
    let mut hello = server_hello("6.5");
    hello.push("key_repeat", vec![Value::from(500), Value::from(30)]);
    driver.packet(ServerPacket::Connection(connection::FromServer::Hello(hello)));
    driver.window(1, 0, 0, 100, 100);
    driver.sent();
    driver.input(key("w", 25, true)).input(key("w", 25, true)).input(key("w", 25, false));
    assert_eq!(key_packets(&mut driver), ["w+", "w+", "w-"]);
}

/// A keymap of one key with so many levels in each group.
fn layouts(layout: &str, levels: &[u32]) -> Keymap {
    let mut keymap = Keymap { layout: layout.to_owned(), ..Keymap::default() };
    for (group, levels) in (0..).zip(levels) {
        for level in 0..*levels {
            let keyname = format!("g{group}l{level}");
            let (keyval, keycode, core_levels) = (97, 24, *levels);
            keymap.keys.push(KeymapEntry { keyval, keyname, keycode, group, level, core_levels });
        }
    }
    keymap
}

#[test]
fn layouts_beyond_what_servers_keep_are_told_one_at_a_time() {
    let mut driver = running(false);
    driver.sent();
    let mut in_group = |keymap: Option<Keymap>, group: u32, expect: &[&str]| {
        if let Some(keymap) = keymap {
            driver.input(KeyboardInput::KeymapChanged(Box::new(keymap)));
        }
        for pressed in [true, false] {
            let key = Key { keyname: "x".to_owned(), keycode: 24, group, ..Key::default() };
            driver.input(KeyboardInput::Key { wid: WID, key, pressed, modifiers: Modifiers::default() });
        }
        assert_eq!(key_packets(&mut driver), expect, "{group}");
    };
    in_group(Some(layouts("us,ru,gr", &[2, 2, 4])), 2, &["us,ru,gr", "x+2", "x-2"]);
    in_group(None, 1, &["x+1", "x-1"]);
    in_group(Some(layouts("us,ru,gr,de", &[2, 2, 2, 4])), 0, &["us", "x+", "x-"]);
    in_group(None, 3, &["de", "x+", "x-"]);
    in_group(None, 3, &["x+", "x-"]);
    in_group(None, 1, &["ru", "x+", "x-"]);
    // Right Alt is Alt in the first and AltGr in the second.
    let with_right_alt = |second: &str| {
        let mut keymap = layouts("us,de", &[2, 2]);
        for (group, (keyname, modifier)) in (0..).zip([("Alt_R", "mod1"), (second, "mod5")]) {
            let (keyname, keycode) = (keyname.to_owned(), 108);
            keymap.modifier_meanings.push((keyname.clone(), modifier.to_owned()));
            keymap.keys.push(KeymapEntry {
                keyval: 0xff7e,
                keyname,
                keycode,
                group,
                level: 0,
                core_levels: 2,
            });
        }
        keymap
    };
    in_group(Some(with_right_alt("ISO_Level3_Shift")), 1, &["us", "de", "x+", "x-"]);
    in_group(Some(with_right_alt("Alt_R")), 1, &["us,de", "x+1", "x-1"]);
    // Servers forget the group with a keymap: they are told to go back to the first one before.
    let mut with_escape = layouts("us,ru", &[2, 2]);
    let keyname = "Escape".to_owned();
    with_escape.keys.push(KeymapEntry {
        keyval: 0xff1b,
        keyname,
        keycode: 9,
        group: 0,
        level: 0,
        core_levels: 2,
    });
    in_group(Some(with_escape), 1, &["us,ru", "Escape-", "x+1", "Escape-1", "x-1"]);
    in_group(None, 1, &["x+1", "Escape-1", "x-1"]);
}

#[test]
fn keysyms_stand_in_the_columns_of_a_core_keyboard_map() {
    let columns = |keymap: Keymap| {
        let mut driver = running(false);
        driver.sent();
        driver.input(KeyboardInput::KeymapChanged(Box::new(keymap)));
        let sent = driver.sent();
        let [ClientPacket::Keyboard(keyboard::ToServer::Config(keymap))] = &sent[..] else {
            panic!("{sent:?}")
        };
        let keycodes = keymap.get("x11_keycodes").and_then(Value::as_dict).expect("keycodes");
        let [(Value::Int(24), names)] = &keycodes.0[..] else { panic!("{keycodes:?}") };
        names.as_list().expect("names").to_vec()
    };
    let names =
        |words: &str| words.split(' ').map(|word| Value::from(word.trim_matches('_'))).collect::<Vec<_>>();
    assert_eq!(columns(layouts("us", &[2])), names("g0l0 g0l1"));
    assert_eq!(columns(layouts("de", &[4])), names("g0l0 g0l1 _ _ g0l2 g0l3"));
    assert_eq!(columns(layouts("us,de", &[2, 4])), names("g0l0 g0l1 g1l0 g1l1 g1l2 g1l3"));
    assert_eq!(columns(layouts("de,fr", &[4, 4])), names("g0l0 g0l1 g1l0 g1l1 g0l2 g0l3 g1l2 g1l3"));
    assert_eq!(columns(layouts("de,ru,us", &[4, 2, 2])), names("g0l0 g0l1 g1l0 g1l1 g0l2 g0l3 g2l0 g2l1"));
    // Alone: levels that the layout has only then are those of Shift.
    assert_eq!(columns(layouts("a,b,c,d,", &[2, 4, 4, 4])), names("g0l0 g0l1 _ _ g0l0 g0l1"));
    assert_eq!(columns(layouts("a,b,c,d", &[2, 1, 1, 1])), names("g0l0 g0l1 g1l0 _ g2l0 g3l0"));
}

#[test]
fn keys_held_while_the_focus_goes_are_released() {
    let mut driver = running(false);
    driver.input(KeyboardInput::Focus { wid: WID }).input(key("Alt_L", 64, true)).input(key("Tab", 23, true));
    driver.input(key("Tab", 23, false)).take();
    let sent = driver.input(KeyboardInput::Focus { wid: None }).sent();
    let [
        ClientPacket::Keyboard(keyboard::ToServer::Event(event)),
        ClientPacket::Window(window::ToServer::Focus { wid: None, modifiers }),
    ] = &sent[..]
    else {
        panic!("{sent:?}");
    };
    assert_eq!((event.wid, event.keyname.as_str(), event.pressed), (WID, "Alt_L", false));
    assert_eq!(*modifiers, Modifiers::default());
    assert!(driver.input(KeyboardInput::Focus { wid: None }).take().is_empty(), "nothing changed");

    driver.input(KeyboardInput::Focus { wid: WID }).input(key("F4", 70, true)).take();
    driver.packet(ServerPacket::Window(window::FromServer::Destroy { wid: WindowId(1) }));
    assert!(
        matches!(&driver.sent()[..], [ClientPacket::Keyboard(keyboard::ToServer::Event(event))] if !event.pressed)
    );
}

#[test]
fn the_pointer_stays_on_the_wire() {
    let mut driver = running(false);
    let moved = |x, y, wid| {
        Input::Pointer(PointerInput::Moved(PointerState {
            wid,
            x,
            y,
            modifiers: Modifiers::default(),
            buttons: vec![1],
        }))
    };
    let mut sent = driver.input(moved(-5, 70_000, WID)).input(moved(1, 2, Some(WindowId(99)))).sent();
    sent.retain(|packet| matches!(packet, ClientPacket::Pointer(_)));
    let at = |wid, x, y| {
        ClientPacket::Pointer(pointer::ToServer::Motion(PointerState {
            wid,
            x,
            y,
            modifiers: Modifiers::default(),
            buttons: vec![1],
        }))
    };
    assert_eq!(sent, [at(WID, 0, 32767), at(None, 1, 2)]);
}

#[test]
fn a_new_screen_size_is_told() {
    let mut driver = running(false);
    let sent = driver.input(DisplayInput::Changed(Box::new(DisplayInfo::single(size(1920, 1080))))).sent();
    let [ClientPacket::Display(display::ToServer::Configure { width: 1920, height: 1080, properties })] =
        &sent[..]
    else {
        panic!("{sent:?}");
    };
    assert!(properties.get("monitors").is_some());
}

/// Positions that were sent cannot be called back, and keys wait behind them.
#[test]
fn positions_wait_while_the_line_stands_still() {
    const EVERY: Duration = Duration::from_millis(8);
    const DELAY: Duration = Duration::from_millis(150);
    let mut driver = running(false);
    driver.pass(Duration::ZERO);
    let mut echoes = std::collections::VecDeque::new();
    let mut sent = |driver: &mut Driver, is_dark: bool, steps: usize| {
        let mut moves = 0;
        for _ in 0..steps {
            while echoes.front().is_some_and(|(due, _)| *due <= driver.now && !is_dark) {
                let (_, monotonic_ms) = echoes.pop_front().expect("an echo");
                let echo = connection::PingEcho { monotonic_ms, load: [0; 3], latency_ms: -1, sid: None };
                driver.packet(ServerPacket::Connection(connection::FromServer::PingEcho(echo)));
            }
            if driver.session.next_motion(driver.now).is_some_and(|due| due <= driver.now) {
                driver.input(Input::Pointer(PointerInput::Moved(PointerState {
                    wid: WID,
                    x: 1,
                    y: 1,
                    modifiers: Modifiers::default(),
                    buttons: Vec::new(),
                })));
                moves += 1;
            }
            for packet in driver.sent() {
                if let ClientPacket::Connection(connection::ToServer::Ping { monotonic_ms }) = packet {
                    echoes.push_back((driver.now + DELAY, monotonic_ms));
                }
            }
            driver.pass(EVERY);
        }
        moves
    };
    assert_eq!(sent(&mut driver, false, 500), 500, "each, on a long line");
    let dark = sent(&mut driver, true, 3750);
    assert!((20..=120).contains(&dark), "{dark} of 30 s are on their way");
    driver.pass(Duration::ZERO);
    assert_eq!(driver.session.next_motion(driver.now), None, "until something is heard");
    assert!(sent(&mut driver, false, 100) > 90, "at once when it is light again");
    // A server that answers no ping at all gets them all.
    let mut driver = running(false);
    let mut all = 0;
    for _ in 0..500 {
        all += usize::from(driver.session.next_motion(driver.now) == Some(driver.now));
        driver.pass(EVERY);
    }
    assert_eq!(all, 500);
}
