//! Keys, pointer, wheel and focus become packets.

use farpane::protocol::packet::WindowId;
use farpane::protocol::packet::client::ClientPacket;
use farpane::protocol::packet::server::ServerPacket;
use farpane::session::config::DisplayInfo;
use farpane::session::{Generation, Input, Key};

use super::{Driver, config, server_hello, size};

const WID: Option<WindowId> = Some(WindowId(1));

fn running(precise_wheel: bool) -> Driver {
    let mut driver = Driver::started(config(Generation::Modern));
    let mut hello = server_hello("6.5");
    hello.push("wheel.precise", precise_wheel);
    driver.packet(ServerPacket::Hello(hello));
    driver.window(1, 0, 0, 100, 100);
    driver.window(2, 0, 0, 100, 100);
    driver
}

fn key(name: &str, keycode: u32, pressed: bool) -> Input {
    let key = Key { keyname: name.to_owned(), keyval: 97, keycode, group: 0, string: name.to_owned() };
    Input::Key { wid: WID, key, pressed, modifiers: vec!["shift".to_owned()] }
}

fn wheel(wid: Option<WindowId>, dx: i32, dy: i32) -> Input {
    Input::Wheel { wid, dx, dy, x: 5, y: 6, modifiers: Vec::new(), buttons: Vec::new() }
}

/// Button presses as `4+`, releases as `4-`, precise motion as `4:250`.
fn wheel_packets(driver: &mut Driver) -> Vec<String> {
    let text = |packet| match packet {
        ClientPacket::PointerButton { button, pressed, .. } => {
            Some(format!("{button}{}", if pressed { '+' } else { '-' }))
        }
        ClientPacket::PointerWheel { button, distance, .. } => Some(format!("{button}:{distance}")),
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
    let [ClientPacket::KeyboardEvent(event)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!((event.wid, event.keyname.as_str(), event.pressed), (WID, "a", true));
    assert_eq!((event.keyval, event.keycode, event.group, event.string.as_str()), (97, 38, 0, "a"));
    assert_eq!(event.modifiers, ["shift"]);
}

#[test]
fn keys_held_while_the_focus_goes_are_released() {
    let mut driver = running(false);
    driver.input(Input::Focus { wid: WID }).input(key("Alt_L", 64, true)).input(key("Tab", 23, true));
    driver.input(key("Tab", 23, false)).take();
    let sent = driver.input(Input::Focus { wid: None }).sent();
    let [ClientPacket::KeyboardEvent(event), ClientPacket::WindowFocus { wid: None, modifiers }] = &sent[..]
    else {
        panic!("{sent:?}");
    };
    assert_eq!((event.wid, event.keyname.as_str(), event.pressed), (WID, "Alt_L", false));
    assert!(modifiers.is_empty());
    assert!(driver.input(Input::Focus { wid: None }).take().is_empty(), "nothing changed");

    driver.input(Input::Focus { wid: WID }).input(key("F4", 70, true)).take();
    driver.packet(ServerPacket::WindowDestroy { wid: WindowId(1) });
    assert!(matches!(&driver.sent()[..], [ClientPacket::KeyboardEvent(event)] if !event.pressed));
}

#[test]
fn the_pointer_stays_on_the_wire() {
    let mut driver = running(false);
    let moved = |x, y, wid| Input::PointerMoved { wid, x, y, modifiers: Vec::new(), buttons: vec![1] };
    let sent = driver.input(moved(-5, 70_000, WID)).input(moved(1, 2, Some(WindowId(99)))).sent();
    let at = |wid, x, y| ClientPacket::PointerMotion { wid, x, y, modifiers: Vec::new(), buttons: vec![1] };
    assert_eq!(sent, [at(WID, 0, 32767), at(None, 1, 2)]);
}

#[test]
fn a_new_screen_size_is_told() {
    let mut driver = running(false);
    let sent = driver.input(Input::ScreenChanged(Box::new(DisplayInfo::single(size(1920, 1080))))).sent();
    let [ClientPacket::DisplayConfigure { width: 1920, height: 1080, properties }] = &sent[..] else {
        panic!("{sent:?}");
    };
    assert!(properties.get("monitors").is_some());
}
