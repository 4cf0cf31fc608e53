//! Keys, modifiers, buttons and the wheel, without a window.

use farpane::input::pointer::button_number;
use farpane::input::{KeyChange, KeyFacts, KeyPress, Keyboard, Pointer, WheelFilter, WheelScale, keysym};
use farpane::protocol::packet::Modifiers;
use winit::dpi::PhysicalPosition;
use winit::event::{DeviceEvent, ElementState, MouseButton, MouseScrollDelta};
use winit::keyboard::{Key, KeyLocation, NamedKey, SmolStr};

/// What `XKeysymToString` of libX11 1.8.4 says of these.
#[test]
fn keysyms_have_the_names_that_x_gives_them() {
    for (value, expect) in [
        (0x61, "a"),
        (0x20, "space"),
        (0x27, "apostrophe"),
        (0xe9, "eacute"),
        (0xff0d, "Return"),
        (0xff55, "Prior"),
        (0xff8d, "KP_Enter"),
        (0xffb1, "KP_1"),
        (0xffe1, "Shift_L"),
        (0xff7e, "Mode_switch"),
        (0xfe03, "ISO_Level3_Shift"),
        (0xfe20, "ISO_Left_Tab"),
        (0xfe51, "dead_acute"),
        (0x20ac, "EuroSign"),
        (0x1008_ff12, "XF86AudioMute"),
        (0x1005_ff78, "SunAudioMute"),
        (0x0100_20bd, "U20BD"),
        (0x0101_f600, "U0001F600"),
        (0, ""),
        (0x0200_0000, ""),
    ] {
        assert_eq!(keysym::name(value), expect, "{value:#x}");
    }
}

#[test]
fn keys_without_an_exact_keysym_get_the_likely_one() {
    let character = |text: &str| Key::Character(SmolStr::new(text));
    for (key, location, expect) in [
        (character("a"), KeyLocation::Standard, "a"),
        (character("É"), KeyLocation::Standard, "Eacute"),
        (character("€"), KeyLocation::Standard, "EuroSign"),
        (character("7"), KeyLocation::Numpad, "KP_7"),
        (character("+"), KeyLocation::Numpad, "KP_Add"),
        (Key::Named(NamedKey::Enter), KeyLocation::Standard, "Return"),
        (Key::Named(NamedKey::Enter), KeyLocation::Numpad, "KP_Enter"),
        (Key::Named(NamedKey::Space), KeyLocation::Standard, "space"),
        (Key::Named(NamedKey::Shift), KeyLocation::Right, "Shift_R"),
        (Key::Named(NamedKey::Control), KeyLocation::Left, "Control_L"),
        (Key::Named(NamedKey::AltGraph), KeyLocation::Right, "ISO_Level3_Shift"),
        (Key::Named(NamedKey::F12), KeyLocation::Standard, "F12"),
        (Key::Named(NamedKey::PageUp), KeyLocation::Standard, "Prior"),
        (Key::Named(NamedKey::AudioVolumeMute), KeyLocation::Standard, "XF86AudioMute"),
    ] {
        let value = keysym::from_winit(&key, location).expect("has a keysym");
        assert_eq!(keysym::name(value), expect, "{key:?}");
    }
    assert_eq!(keysym::from_winit(&Key::Dead(Some('´')), KeyLocation::Standard), None);
}

fn press(keycode: u32, key: Key, pressed: bool) -> KeyPress {
    let text = match &key {
        Key::Character(text) => text.to_string(),
        _ => String::new(),
    };
    KeyPress { keycode, logical: key, location: KeyLocation::Standard, text, pressed }
}

/// Facts as X11 gives them on a `us` keyboard.
fn x11(keysym: u32, modifier_mask: u8) -> KeyFacts {
    KeyFacts {
        keysym: Some(keysym),
        modifier_mask: Some(modifier_mask),
        locked: Some(0x10),
        ..KeyFacts::default()
    }
}

fn check(change: Option<KeyChange>, name: &str, pressed: bool, modifiers: &[&str]) {
    let change = change.expect("the server is told");
    assert_eq!((change.key.keyname.as_str(), change.pressed), (name, pressed));
    assert_eq!(change.modifiers.names().collect::<Vec<_>>(), modifiers, "modifiers of {name}");
}

#[test]
fn modifiers_are_those_before_the_event() {
    let mut keyboard = Keyboard::default();
    keyboard.set_locked(0x10);
    let shift = |pressed| press(50, Key::Named(NamedKey::Shift), pressed);
    let letter = |text: &str, pressed| press(38, Key::Character(SmolStr::new(text)), pressed);
    check(keyboard.event(&shift(true), x11(0xffe1, 1)), "Shift_L", true, &["mod2"]);
    check(keyboard.event(&letter("A", true), x11(0x41, 0)), "A", true, &["shift", "mod2"]);
    // A repeat is passed on as another press.
    check(keyboard.event(&letter("A", true), x11(0x41, 0)), "A", true, &["shift", "mod2"]);
    check(keyboard.event(&shift(false), x11(0xffe1, 1)), "Shift_L", false, &["shift", "mod2"]);
    // The release names the key that was pressed.
    check(keyboard.event(&letter("a", false), x11(0x61, 0)), "A", false, &["mod2"]);
    assert!(keyboard.event(&letter("a", false), x11(0x61, 0)).is_none(), "it is up already");
}

/// The window system answers how the locks are now, not how they were when a key was pressed.
#[test]
fn locks_change_with_their_keys() {
    let mut keyboard = Keyboard::default();
    keyboard.set_locked(0);
    let num_lock = |pressed| press(77, Key::Named(NamedKey::NumLock), pressed);
    let minus = |pressed| press(82, Key::Character(SmolStr::new("-")), pressed);
    let seven = |pressed| press(79, Key::Character(SmolStr::new("7")), pressed);
    // Everything was typed long ago: Num Lock is off again.
    let facts = |keysym| KeyFacts { keysym: Some(keysym), locked: Some(0), ..KeyFacts::default() };
    let lock = KeyFacts { locks: 0x10, modifiers: Some(0), modifier_mask: Some(0x10), ..facts(0xff7f) };
    check(keyboard.event(&num_lock(true), lock), "Num_Lock", true, &[]);
    check(keyboard.event(&num_lock(false), lock), "Num_Lock", false, &["mod2"]);
    // A key that means the same with it and without.
    let same = KeyFacts { modifiers: Some(0), modifier_mask: Some(0), ..facts(0xffad) };
    check(keyboard.event(&minus(true), same), "KP_Subtract", true, &["mod2"]);
    check(keyboard.event(&minus(false), same), "KP_Subtract", false, &["mod2"]);
    let digit = KeyFacts { modifiers: Some(0x10), decided_by: 0x11, ..facts(0xffb7) };
    check(keyboard.event(&seven(true), digit), "KP_7", true, &["mod2"]);
    check(keyboard.event(&seven(false), digit), "KP_7", false, &["mod2"]);
    check(keyboard.event(&num_lock(true), lock), "Num_Lock", true, &["mod2"]);
    check(keyboard.event(&num_lock(false), lock), "Num_Lock", false, &["mod2"]);
    check(keyboard.event(&minus(true), same), "KP_Subtract", true, &[]);
    check(keyboard.event(&minus(false), same), "KP_Subtract", false, &[]);
    // Changed by somebody else: keys that look at it show it.
    check(keyboard.event(&seven(true), digit), "KP_7", true, &["mod2"]);
    check(keyboard.event(&minus(true), same), "KP_Subtract", true, &["mod2"]);
}

#[test]
fn focus_loss_releases_what_the_server_was_told_of() {
    let mut keyboard = Keyboard::default();
    keyboard.set_locked(0x10);
    keyboard.already_held(&press(64, Key::Named(NamedKey::Alt), true), x11(0xffe9, 8));
    assert_eq!(keyboard.modifiers(), Modifiers::from_names(["mod1", "mod2"]));
    check(
        keyboard.event(&press(37, Key::Named(NamedKey::Control), true), x11(0xffe3, 4)),
        "Control_L",
        true,
        &["mod1", "mod2"],
    );
    check(
        keyboard.event(&press(67, Key::Named(NamedKey::F1), true), x11(0xffbe, 0)),
        "F1",
        true,
        &["control", "mod1", "mod2"],
    );
    let names: Vec<_> =
        keyboard.release_all().into_iter().map(|change| (change.key.keyname, change.pressed)).collect();
    assert_eq!(names, [("F1".to_owned(), false), ("Control_L".to_owned(), false)]);
    assert_eq!(keyboard.modifiers(), Modifiers::from_names(["mod2"]));
}

#[test]
fn another_connection_knows_of_no_key() {
    let mut keyboard = Keyboard::default();
    keyboard.event(&press(50, Key::Named(NamedKey::Shift), true), x11(0xffe1, 1));
    keyboard.event(&press(67, Key::Named(NamedKey::F1), true), x11(0xffbe, 0));
    let names: Vec<_> = keyboard.forget_told().into_iter().map(|change| change.key.keyname).collect();
    assert_eq!(names, ["F1", "Shift_L"]);
    assert!(keyboard.forget_told().is_empty(), "once");
    // What is held still counts, and is not released for somebody who did not hear of it.
    assert_eq!(keyboard.modifiers(), Modifiers::from_names(["shift"]));
    assert!(keyboard.event(&press(67, Key::Named(NamedKey::F1), false), x11(0xffbe, 0)).is_none());
    assert!(keyboard.event(&press(50, Key::Named(NamedKey::Shift), false), x11(0xffe1, 1)).is_none());
    assert_eq!(keyboard.modifiers(), Modifiers::default());
}

#[test]
fn without_facts_the_usual_modifiers_count() {
    let mut keyboard = Keyboard::default();
    let key = |keycode, named| press(keycode, Key::Named(named), true);
    keyboard.event(&key(50, NamedKey::Shift), KeyFacts::default());
    keyboard.event(&key(108, NamedKey::AltGraph), KeyFacts::default());
    keyboard.event(&key(133, NamedKey::Super), KeyFacts::default());
    assert_eq!(keyboard.modifiers(), Modifiers::from_names(["shift", "mod4", "mod5"]));
    let mut digit = press(87, Key::Character(SmolStr::new("1")), true);
    digit.location = KeyLocation::Numpad;
    check(keyboard.event(&digit, KeyFacts::default()), "KP_1", true, &["shift", "mod2", "mod4", "mod5"]);
    let all: Vec<_> = Modifiers::from_mask(0xff).names().collect();
    assert_eq!(all, ["shift", "lock", "control", "mod1", "mod2", "mod3", "mod4", "mod5"]);
    assert_eq!(Modifiers::from_names(all), Modifiers::from_mask(0xff));
}

#[test]
fn buttons_have_x_numbers_and_are_held_in_order() {
    assert_eq!(
        [MouseButton::Left, MouseButton::Middle, MouseButton::Right, MouseButton::Back, MouseButton::Forward]
            .map(button_number),
        [Some(1), Some(2), Some(3), Some(8), Some(9)]
    );
    assert_eq!(button_number(MouseButton::Other(77)), None);
    let mut pointer = Pointer::default();
    assert!(!pointer.set_button(1, false), "a release without its press");
    assert!(pointer.set_button(3, true) && pointer.set_button(1, true));
    assert!(!pointer.set_button(1, true));
    assert_eq!(pointer.buttons(), [3, 1]);
    assert!(pointer.set_button(3, false) && pointer.is_dragging());
}

#[test]
fn wheel_motion_adds_up_exactly() {
    let mut scale = WheelScale::default();
    assert_eq!(scale.thousandths(MouseScrollDelta::LineDelta(0.0, 1.0)), (0, 1000));
    // winit's positive x moves the content to the right: X button 6, to the left.
    assert_eq!(scale.thousandths(MouseScrollDelta::LineDelta(1.0, 0.0)), (-1000, 0));
    let third = MouseScrollDelta::PixelDelta(PhysicalPosition::new(0.0, -20.0 / 3.0));
    let sum: i32 = (0..300).map(|_| scale.thousandths(third).1).sum();
    assert_eq!(sum, -100_000);
    assert_eq!(scale.thousandths(MouseScrollDelta::LineDelta(f32::NAN, f32::INFINITY)), (0, 0));
}

#[test]
fn one_click_of_a_wheel_button_is_one_notch() {
    let button = |state| DeviceEvent::Button { button: 4, state };
    let mut filter = WheelFilter::default();
    filter.device_event(&button(ElementState::Pressed));
    assert!(filter.accepts());
    filter.device_event(&button(ElementState::Released));
    assert!(!filter.accepts(), "winit makes a second event of the release");
    // Smooth scrolling comes as raw motion: it always counts, also right after such a click.
    filter.device_event(&button(ElementState::Released));
    filter.device_event(&DeviceEvent::MouseWheel { delta: MouseScrollDelta::LineDelta(0.0, 1.0) });
    assert!(filter.accepts());
    assert!(filter.accepts());
}
