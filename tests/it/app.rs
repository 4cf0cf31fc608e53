//! The desktop side of the viewer on private X displays: what is known of keys and windows.

use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use farpane::app::connect::form;
use farpane::app::{export, named_cursor};
use farpane::config::connections::address as address_of_target;
use farpane::config::{Request, SessionFile};
use farpane::desktop::x11::X11;
use farpane::desktop::x11_keyboard::X11Keyboard;
use farpane::desktop::{
    DesktopEvent, Library, MissingLibraries, WindowHints, check_libraries, portal, xsettings,
};
use farpane::geometry::{Point, Size};
use farpane::input::keysym;
use farpane::ui::ConnectForm;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _};

use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::wait_for;

const SHIFT: u8 = 1 << 0;
const LOCK: u8 = 1 << 1;
const CONTROL: u8 = 1 << 2;
const ALT: u8 = 1 << 3;
const NUM_LOCK: u8 = 1 << 4;
const SUPER: u8 = 1 << 6;
const LEVEL3: u8 = 1 << 7;

/// X keycodes of a PC keyboard.
const KEY_A: u32 = 38;
const KEY_Q: u32 = 24;
const KEY_TAB: u32 = 23;
const KEY_KP_1: u32 = 87;
const KEY_SHIFT_L: u32 = 50;
const KEY_NUM_LOCK: u32 = 77;
const KEY_BRACKET: u32 = 34;
const KEY_ALT_R: u32 = 108;
const KEY_SUPER_L: u32 = 133;

fn run(display: &Display, program: &str, words: &[&str]) {
    let status = Command::new(program).args(words).env("DISPLAY", display.name()).status().expect("it runs");
    assert!(status.success(), "{program} {words:?}");
}

#[test]
fn what_the_portal_answers() {
    assert_eq!(portal::wish("(<<uint32 1>>,)\n"), Some(true));
    assert_eq!(portal::wish("(<uint32 2>,)\n"), Some(false));
    for none in ["(<<uint32 0>>,)", "(<<uint32 12>>,)", "", "(<<'dark'>>,)", "(<<uint32"] {
        assert_eq!(portal::wish(none), None, "{none}");
    }
}

#[test]
fn keysyms_come_from_the_keyboard_map_in_use() {
    let display = Display::bare();
    run(&display, "setxkbmap", &["-model", "pc105", "-layout", "us,de", "-option", "grp:menu_toggle"]);
    let mut keyboard = X11Keyboard::open(Some(display.name())).expect("a keyboard");
    let name = |keyboard: &X11Keyboard, keycode, modifiers, group| {
        keysym::name(keyboard.meaning(keycode, modifiers, group, |_| true).expect("a meaning").keysym)
    };
    for (keycode, modifiers, group, expect) in [
        (KEY_A, 0, 0, "a"),
        (KEY_A, SHIFT, 0, "A"),
        (KEY_A, LOCK, 0, "A"),
        (KEY_A, LOCK | SHIFT, 0, "a"),
        (KEY_TAB, SHIFT, 0, "ISO_Left_Tab"),
        (KEY_KP_1, 0, 0, "KP_End"),
        (KEY_KP_1, NUM_LOCK, 0, "KP_1"),
        (KEY_KP_1, NUM_LOCK | SHIFT, 0, "KP_End"),
        (KEY_BRACKET, 0, 0, "bracketleft"),
        (KEY_BRACKET, 0, 1, "udiaeresis"),
        (KEY_Q, LEVEL3, 1, "at"),
        // A group that does not exist counts as one that does.
        (KEY_A, 0, 2, "a"),
    ] {
        assert_eq!(name(&keyboard, keycode, modifiers, group), expect, "{keycode} {modifiers:#x} {group}");
    }
    assert_eq!(keyboard.meaning(300, 0, 0, |_| true), None);
    for (keycode, modifiers, group, sets) in [
        (KEY_SHIFT_L, 0, 0, SHIFT),
        (KEY_NUM_LOCK, 0, 0, NUM_LOCK),
        (KEY_ALT_R, 0, 0, ALT),
        (KEY_ALT_R, 0, 1, LEVEL3),
        (KEY_SUPER_L, SHIFT, 0, SUPER),
        (KEY_A, 0, 0, 0),
    ] {
        let meaning = keyboard.meaning(keycode, modifiers, group, |_| true).expect("a meaning");
        assert_eq!(meaning.sets, sets, "{keycode} {modifiers:#x} {group}");
    }
    // What the event itself says counts more than a state that is newer.
    let typed = |keysym: u32, modifiers, group| {
        let meaning = keyboard.meaning(KEY_Q, modifiers, group, |meaning| meaning.keysym == keysym);
        meaning.map(|meaning| (keysym::name(meaning.keysym), meaning.modifiers, meaning.group))
    };
    let name_of = |name: &str| name.to_owned();
    assert_eq!(typed(0x40, CONTROL, 1), Some((name_of("at"), CONTROL | LEVEL3, 1)));
    assert_eq!(typed(0x40, SHIFT, 0), Some((name_of("at"), LEVEL3, 1)));
    assert_eq!(typed(0x51, 0, 0), Some((name_of("Q"), LOCK, 0)));
    assert_eq!(typed(0x62, SHIFT, 0), Some((name_of("Q"), SHIFT, 0)), "a sign that the key has not");

    let keymap = keyboard.keymap(keysym::name);
    assert_eq!((keymap.model.as_str(), keymap.layout.as_str()), ("pc105", "us,de"));
    assert_eq!(keymap.options, "grp:menu_toggle");
    let meaning =
        |key: &str| keymap.modifier_meanings.iter().find(|(name, _)| name == key).map(|(_, m)| m.as_str());
    assert_eq!(
        ["Shift_L", "Control_R", "Alt_L", "Num_Lock", "Super_L", "Caps_Lock"].map(meaning),
        [Some("shift"), Some("control"), Some("mod1"), Some("mod2"), Some("mod4"), Some("lock")]
    );
    assert!(keymap.keys.iter().any(|key| key.keyname == "udiaeresis" && key.group == 1 && key.level == 0));

    let (facts, changed) = keyboard.facts().expect("an answer");
    assert_eq!((facts.locked, facts.group, changed), (0, 0, false));
    run(&display, "xdotool", &["key", "Num_Lock"]);
    assert_eq!(keyboard.facts().expect("an answer").0.locked, NUM_LOCK);
    run(&display, "setxkbmap", &["-layout", "fr"]);
    assert!(keyboard.facts().expect("an answer").1, "the map changed");
    assert_eq!(name(&keyboard, KEY_A, 0, 0), "q");
    assert_eq!(keyboard.keymap(keysym::name).layout, "fr");
    run(&display, "xmodmap", &["-e", "keycode 38 = EuroSign"]);
    assert!(keyboard.facts().expect("an answer").1, "the map changed");
    assert_eq!(name(&keyboard, KEY_A, 0, 0), "EuroSign");
    run(&display, "xmodmap", &["-e", "clear mod3", "-e", "add mod3 = Menu"]);
    assert!(keyboard.facts().expect("an answer").1, "the map changed");
    let map = "setxkbmap -print -layout us,es -variant ,dvorak | xkbcomp -w0 - $DISPLAY";
    run(&display, "sh", &["-c", map]);
    assert!(keyboard.facts().expect("an answer").1, "the map changed");
    let loaded = keyboard.keymap(keysym::name);
    assert_eq!((loaded.layout.as_str(), loaded.variant.as_str()), ("us,es", ",dvorak"), "not the property's");
}

#[test]
fn the_window_manager_is_told_and_asked() {
    let display = Display::with_window_manager();
    let (sender, events) = mpsc::sync_channel(1000);
    let x11 = X11::open(Some(display.name()), move |event| {
        let _ = sender.try_send(event);
    })
    .expect("a connection");
    let picture = Picture::from_fn(200, 100, |_, _| [10, 20, 30]);
    let parent = Card::open(display.name(), "parent", &picture, &Look::default());
    let child = Card::open(display.name(), "child", &picture, &Look::default());
    let (parent, child_id) = (u64::from(parent.id), u64::from(child.id));
    let hints = WindowHints {
        types: vec!["DIALOG".to_owned(), "no such type".to_owned()],
        transient_for: Some(parent),
        modal: true,
        skip_taskbar: true,
        ..WindowHints::default()
    };
    x11.prepare_window(child_id, &hints);
    x11.update_window(child_id, &hints);
    let x = &display.x;
    let property = |name: &str| {
        let atom = x.atom(name);
        let any = AtomEnum::ANY;
        let reply =
            x.connection.get_property(false, child.id, atom, any, 0, 64).expect("X").reply().expect("X");
        reply.value32().into_iter().flatten().collect::<Vec<u32>>()
    };
    assert_eq!(property("_NET_WM_WINDOW_TYPE"), [x.atom("_NET_WM_WINDOW_TYPE_DIALOG")]);
    assert_eq!(property("WM_TRANSIENT_FOR"), [u32::try_from(parent).expect("an id")]);
    let modal = x.atom("_NET_WM_STATE_MODAL");
    wait_for("the modal state", Duration::from_secs(5), String::new, || {
        property("_NET_WM_STATE").contains(&modal).then_some(())
    });

    let context = || format!("{:?} {:?}", x11.window_facts(child_id), x.windows());
    let shown = wait_for("the window", Duration::from_secs(5), context, || {
        x11.window_facts(child_id).filter(|facts| facts.shown)
    });
    assert_eq!(shown.size, Size { width: 200, height: 100 });
    let seen = x.windows().into_iter().find(|seen| seen.id == child.id).expect("it is on the screen");
    assert_eq!(shown.position, Some(Point::new(seen.x, seen.y)));

    while events.try_recv().is_ok() {}
    run(&display, "xdotool", &["windowminimize", &child.id.to_string()]);
    let hidden = wait_for("iconification", Duration::from_secs(5), String::new, || {
        x11.window_facts(child_id).filter(|facts| facts.state.iconified)
    });
    assert!(!hidden.shown);
    let event = events.recv_timeout(Duration::from_secs(5)).expect("it was told");
    assert_eq!(event, DesktopEvent::WindowState(child_id));
    assert_eq!(x11.window_facts(0x1234_5678), None, "no such window");
}

#[test]
fn cursors_have_local_names() {
    let name = |name: &str| named_cursor(name).map(|icon| icon.name());
    assert_eq!(name("xterm"), Some("text"));
    assert_eq!(name("left_ptr"), Some("default"));
    assert_eq!(name("hand2"), Some("pointer"));
    assert_eq!(name("nwse-resize"), Some("nwse-resize"));
    assert_eq!(name("top_left_corner"), Some("nw-resize"));
    assert_eq!(name("no such cursor"), None);
}

#[test]
fn exports_never_overwrite_and_go_where_downloads_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let save = |text: &str| export::save_in(folder.path(), "csv", text.as_bytes()).expect("a file");
    let (first, second) = (save("one"), save("two"));
    assert_eq!(first, folder.path().join("farpane-session.csv"));
    assert_eq!(second, folder.path().join("farpane-session-2.csv"));
    let read = |path| std::fs::read_to_string(path).expect("a file");
    assert_eq!([read(first), read(second)], ["one", "two"]);
    let nowhere = folder.path().join("nowhere");
    let error = export::save_in(&nowhere, "csv", b"").expect_err("no such folder").to_string();
    assert!(error.contains("nowhere/farpane-session.csv"), "{error}");

    let named = |line: &str| export::named_in(&format!("# comment\n{line}\n"), Path::new("/home/me"));
    assert_eq!(named("XDG_DOWNLOAD_DIR=\"$HOME/Laden\""), Some("/home/me/Laden".into()));
    assert_eq!(named("XDG_DOWNLOAD_DIR=\"/srv/in\""), Some("/srv/in".into()));
    for broken in
        ["XDG_MUSIC_DIR=\"$HOME/Music\"", "XDG_DOWNLOAD_DIR=unquoted", "XDG_DOWNLOAD_DIR=\"in\"", ""]
    {
        assert_eq!(named(broken), None, "{broken}");
    }
}

#[test]
fn settings_of_the_desktop_are_read_and_bounded() {
    // XSETTINGS 0.5: byte order, serial, count; an integer and a string.
    let setting = |kind: u8, name: &str, value: &[u8]| {
        let mut bytes = vec![kind, 0];
        bytes.extend(u16::try_from(name.len()).expect("short").to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend([0; 4]);
        bytes.extend(value);
        bytes
    };
    let mut settings = vec![0, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0];
    settings.extend(setting(0, "Xft/DPI", &98_304_u32.to_le_bytes()));
    settings.extend(setting(1, "Net/ThemeName", b"\x0c\0\0\0Adwaita-dark"));
    assert_eq!(xsettings::string(&settings, "Net/ThemeName").as_deref(), Some("Adwaita-dark"));
    assert_eq!(xsettings::string(&settings, "Xft/DPI"), None, "it is no string");
    for len in 0..settings.len() {
        assert_eq!(xsettings::string(&settings[..len], "Net/ThemeName"), None, "{len} bytes of it");
    }
}

#[test]
fn missing_libraries_are_named_with_what_to_install() {
    let library = |file, package| Library { file, package };
    let missing = MissingLibraries(vec![library("libXi.so.6", "libxi6"), library("libX11.so.6", "libx11-6")]);
    assert_eq!(
        missing.to_string(),
        "missing on this machine: libXi.so.6, libX11.so.6 (on Debian and Ubuntu: apt install libxi6 libx11-6)"
    );
    // The other tests open windows here.
    assert_eq!(check_libraries(false), Ok(()));
}

/// A saved connection is edited to lead elsewhere: the password that was saved with it does not go along.
#[test]
fn a_saved_password_stays_with_its_server() {
    let text = "host=h\nport=1\npassword=saved\npassword-file=/nonexistent\nquality=50\n";
    let saved = SessionFile::parse(text).request(true).expect("valid");
    let mut filled =
        ConnectForm { address: address_of_target(&saved.target).into(), ..ConnectForm::default() };
    form::show_target(&mut filled, &saved.target);
    form::show_options(&mut filled, &saved.options);
    let edited = |host: &str, user: &str| {
        let mut form = filled.clone();
        (form.host, form.user) = (host.to_owned(), user.to_owned());
        let mut request = saved.clone();
        let target = form::target(&form).expect("a host").expect("an address");
        form::lead_to(target, &mut form, &mut request);
        form.address = address_of_target(&request.target).into();
        form::request(&form, Some(&request)).expect("an address")
    };
    let same = edited("h", "anna");
    assert!(same.password.is_some() && same.options.value("password-file").is_some());
    let other = edited("other", "");
    assert!(other.password.is_none() && other.options.value("password-file").is_none());
    assert!(other.options.value("quality").is_some());
    // What is typed as an address begins anew.
    let typed = ConnectForm { address: "tcp://other:1/".to_owned().into(), ..filled.clone() };
    let typed = form::request(&typed, Some(&saved)).expect("an address");
    assert!(typed.password.is_none() && typed.options.value("password-file").is_none());
}

#[test]
fn the_connect_form_changes_only_what_was_chosen_in_it() {
    let said = |request: &Request, name: &str| {
        request.options.value(name).map(|value| value.text.to_string_lossy().into_owned())
    };
    // The options of an address that was typed, which the fields do not show.
    let address = "tcp://host:1/?quality=50&encoding=png";
    let mut typed = ConnectForm { address: address.to_owned().into(), ..ConnectForm::default() };
    let request = form::request(&typed, None).expect("an address");
    assert_eq!(said(&request, "quality").as_deref(), Some("50"));
    assert_eq!(said(&request, "encoding").as_deref(), Some("png"));
    typed.quality = 80;
    let request = form::request(&typed, None).expect("an address");
    assert_eq!(said(&request, "quality").as_deref(), Some("80"));

    // What a saved connection says stays, unless it is changed or cleared.
    let mut saved =
        ConnectForm { address: address_of_target(&request.target).into(), ..ConnectForm::default() };
    form::show_options(&mut saved, &request.options);
    assert_eq!((saved.quality, saved.encoding.as_str()), (80, "png"));
    assert_eq!(said(&request, "desktop-scaling"), None);
    saved.encoding.clear();
    saved.scaling = "150%".to_owned();
    let changed = form::request(&saved, Some(&request)).expect("an address");
    assert_eq!(said(&changed, "quality").as_deref(), Some("80"));
    assert_eq!(said(&changed, "encoding").as_deref(), Some("auto"));
    assert_eq!(said(&changed, "desktop-scaling").as_deref(), Some("150%"));
    let mut kept = ConnectForm { address: saved.address.clone(), ..ConnectForm::default() };
    form::show_options(&mut kept, &changed.options);
    assert_eq!(kept.scaling, "150%");
    kept.scaling.clear();
    let cleared = form::request(&kept, Some(&changed)).expect("an address");
    assert_eq!(said(&cleared, "desktop-scaling").as_deref(), Some("hidpi"));
}

#[test]
fn the_form_leads_through_ssh() {
    let typed = Request::address("ssh://anna@desk:2222/100").expect("an address");
    let mut filled = ConnectForm::default();
    form::show_target(&mut filled, &typed.target);
    assert_eq!(filled.protocol, farpane::ui::FormProtocol::Ssh);
    assert_eq!(form::target(&filled), Some(Ok(typed.target)));
}
