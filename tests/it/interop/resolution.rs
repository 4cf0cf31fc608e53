//! What programs in the session learn of the local desktop's resolution; the bandwidth that the server keeps to.

use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, Window};

use super::session_menu::Entry;
use super::{SOON, empty_session, for_every_server, session_menu};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::x11::X;
use crate::support::xpra::Generation;

for_every_server!(fonts_follow_the_scale, no_bandwidth_limit_is_none);

fn bytes(x: &X, window: Window, property: &str) -> Vec<u8> {
    let cookie = x.connection.get_property(false, window, x.atom(property), AtomEnum::ANY, 0, 1 << 18);
    cookie.expect("X").reply().map(|reply| reply.value).unwrap_or_default()
}

/// `Xft.dpi` among the resources of the display, as `xrdb -query` prints it.
fn resource_dpi(x: &X) -> Option<u32> {
    let resources = String::from_utf8_lossy(&bytes(x, x.root, "RESOURCE_MANAGER")).into_owned();
    resources.lines().find_map(|line| line.strip_prefix("Xft.dpi:")?.trim().parse().ok())
}

/// `Xft/DPI` among the X settings, which has 1/1024 dots per inch.
fn settings_dpi(x: &X) -> Option<u32> {
    let owner =
        x.connection.get_selection_owner(x.atom("_XSETTINGS_S0")).expect("X").reply().expect("X").owner;
    let settings = bytes(x, owner, "_XSETTINGS_SETTINGS");
    let at = settings.windows(7).position(|part| part == b"Xft/DPI")?;
    // The name is padded by one byte; then the serial number of the last change, then the number.
    let number = settings.get(at + 8 + 4..at + 8 + 8)?.try_into().ok()?;
    let little = settings.first() == Some(&0);
    Some(if little { u32::from_le_bytes(number) } else { u32::from_be_bytes(number) } / 1024)
}

pub fn fonts_follow_the_scale(generation: Generation) {
    let server = empty_session(generation);
    let _card = Card::open(server.x().name(), "shown", &Picture::sharp(300, 200), &Look::default());
    let display = Display::with_window_manager();
    let words = [&server.url(), "--desktop-scaling=off", "--renderer=cpu"];
    let mut viewer = Viewer::start_with(&display, &words, &[("WINIT_X11_SCALE_FACTOR", "1.5")]);
    let remote = viewer.window("shown");
    let wait_dpi = |viewer: &Viewer, dpi: u32| {
        let told = || (resource_dpi(server.x()), settings_dpi(server.x()));
        let context = || format!("{:?}\n{}\n{}", told(), server.log(), viewer.log());
        let what = format!("{dpi} dots per inch");
        wait_for(&what, SOON, context, || (told() == (Some(dpi), Some(dpi))).then_some(()));
    };
    wait_dpi(&viewer, 144);
    session_menu::open(&mut viewer, &display, &remote);
    // Its list: off, as the monitor, …
    let key = |keys: &[&str]| display.x.xdotool(&[&["key", "--delay", "200"], keys].concat());
    key(&[&["Tab"; Entry::Scaling as usize][..], &["Return", "Tab", "Tab", "Return"]].concat());
    wait_dpi(&viewer, 96);
    viewer.stop();
}

/// A limit, and none again, in the session menu.
fn no_bandwidth_limit_is_none(generation: Generation) {
    let server = empty_session(generation);
    let _card = Card::open(server.x().name(), "shown", &Picture::sharp(300, 200), &Look::default());
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url(), "--renderer=cpu"]);
    let remote = viewer.window("shown");
    let menu = session_menu::open(&mut viewer, &display, &remote);
    let key = |keys: &[&str]| display.x.xdotool(&[&["key", "--delay", "200"], keys].concat());
    let wait_said = |viewer: &Viewer, start: usize, words: &str| {
        let said = || server.log()[start..].to_owned();
        let context = || format!("{}\n{}", said(), viewer.log());
        wait_for(words, SOON, context, || said().contains(words).then_some(()));
    };
    let start = server.log_length();
    // No limit, not any more; its list: 1, 2, 5, …
    key(&[
        &["Tab"; Entry::Bandwidth as usize][..],
        &["space", "Tab", "Return", "Tab", "Tab", "Tab", "Return"],
    ]
    .concat());
    wait_said(&viewer, start, "bandwidth-limit changed to 5Mbps");
    let start = server.log_length();
    display.x.focus(menu.id);
    key(&["shift+Tab", "space"]);
    wait_said(&viewer, start, "bandwidth-limit restrictions removed");
    display.x.picture(menu.id).save(&format!("bandwidth-{generation:?}"));
    viewer.stop();
}
