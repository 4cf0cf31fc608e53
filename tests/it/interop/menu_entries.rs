//! Entries of the session menu that ask the server for something, or keep something.

use super::session_menu::{Entry, SLIDER, open};
use super::{SOON, empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::xpra::Generation;

for_every_server!(refresh_and_keep);

const SIZE: (usize, usize) = (400, 300);

/// All pixels again although nothing changed; then a quality that the connection has from now on.
fn refresh_and_keep(generation: Generation) {
    let server = empty_session(generation);
    let _card = Card::open(server.x().name(), "shown", &Picture::smooth(SIZE.0, SIZE.1), &Look::default());
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url(), "--renderer=cpu"]);
    let remote = viewer.window("shown");
    let key = |keys: &[&str]| display.x.xdotool(&[&["key", "--delay", "150"], keys].concat());
    let menu = open(&mut viewer, &display, &remote);
    let whole = |start: usize| {
        let sent = server.sent_since(start).into_iter();
        sent.filter(|sent| (sent.width as usize, sent.height as usize) == SIZE).count()
    };
    // What the server still corrects by itself comes first.
    let rests = || {
        let start = server.log_length();
        std::thread::sleep(std::time::Duration::from_millis(1500));
        (whole(start) == 0).then_some(())
    };
    wait_for("a server at rest", SOON, || server.log(), rests);
    let start = server.log_length();
    key(&[&["Tab"; Entry::Refresh as usize][..], &["Return"]].concat());
    wait_for("all pixels again", SOON, || viewer.log(), || (whole(start) > 0).then_some(()));

    // Escape closes the list, then the menu.
    key(&["Escape"]);
    let closed = || display.x.seen(menu.id).is_none().then_some(());
    wait_for("the menu's end", SOON, || viewer.log(), closed);
    let menu = open(&mut viewer, &display, &remote);
    key(&["Tab", "Return"]);
    std::thread::sleep(std::time::Duration::from_millis(500));
    display.x.picture(menu.id).save(&format!("session-menu-list-{generation:?}"));
    key(&["Escape"]);
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(display.x.seen(menu.id).is_some(), "Escape closed more than the list");

    // A quality, and the entry that keeps it.
    display.x.focus(menu.id);
    key(&["Tab", "space"]);
    key(&[&["Tab"; Entry::Keep as usize - Entry::Quality as usize + SLIDER][..], &["Return"]].concat());
    let folder = viewer.home().join(".local/share/farpane/connections");
    let saved = || {
        let files = std::fs::read_dir(&folder).ok()?.flatten().map(|entry| entry.path());
        let file =
            files.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "xpra"))?;
        Some((std::fs::read_to_string(&file).ok()?, file))
    };
    let (text, file) = wait_for("a saved connection", SOON, || viewer.log(), saved);
    assert!(text.contains("quality=70\n") && text.contains("host="), "{text}");
    assert!(!text.contains("renderer"), "only what was changed: {text}");
    display.x.picture(menu.id).save(&format!("session-menu-kept-{generation:?}"));
    // Kept once more, the same connection has what was changed since.
    key(&[&["shift+Tab"; Entry::Keep as usize - Entry::Quality as usize + SLIDER][..], &["space"]].concat());
    key(&[&["Tab"; Entry::Keep as usize - Entry::Quality as usize][..], &["Return"]].concat());
    let again = || std::fs::read_to_string(&file).ok()?.contains("quality=0\n").then_some(());
    wait_for("the same connection", SOON, || viewer.log(), again);
    assert_eq!(std::fs::read_dir(&folder).expect("a folder").flatten().count(), 1, "one connection");
    viewer.stop();

    // Who opens it has them.
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("kept.xpra").display().to_string();
    std::fs::write(&file, text).expect("the connection as it was first");
    let start = server.log_length();
    let mut viewer = Viewer::start(&display, &[&file, "--renderer=cpu"]);
    viewer.window("shown");
    if generation != Generation::V3_1 {
        let told = || server.log()[start..].contains("'quality': 70").then_some(());
        wait_for("the quality", SOON, || server.log(), told);
    }
    viewer.stop();
}

/// The settings window: an option is found, chosen, and stands in the file.
#[test]
fn settings_are_written_to_the_file() {
    let server = empty_session(Generation::V6_5);
    let _card = Card::open(server.x().name(), "shown", &Picture::smooth(300, 200), &Look::default());
    let display = Display::with_window_manager();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("farpane/config.toml");
    let named = file.display().to_string();
    std::fs::create_dir(folder.path().join("farpane")).expect("a folder");
    std::fs::write(&file, "").expect("an empty file");
    let variable = [("FARPANE_CONFIG", named.as_str())];
    let mut viewer = Viewer::start_with(&display, &[&server.url(), "--renderer=cpu"], &variable);
    let remote = viewer.window("shown");
    let key = |keys: &[&str]| display.x.xdotool(&[&["key", "--delay", "150"], keys].concat());
    open(&mut viewer, &display, &remote);
    key(&[&["Tab"; Entry::Keep as usize + 1][..], &["Return"]].concat());
    let window = viewer.window("Settings");
    let painted = || (display.x.grab(window.id)?.colours() > 20).then_some(());
    wait_for("its content", SOON, || viewer.log(), painted);
    display.x.focus(window.id);
    display.x.xdotool(&["type", "--delay", "80", "instant-replay"]);
    key(&["Tab", "space"]);
    let written = || std::fs::read_to_string(&file).ok().filter(|text| text == "instant-replay = false\n");
    let said = || format!("{:?}\n{}", std::fs::read_to_string(&file), viewer.log());
    wait_for("the option in the file", SOON, said, written);
    display.x.picture(window.id).save("settings-window");
    viewer.stop();
}

/// What somebody with a mouse alone does in the menu: a box is ticked off, and the session is left.
#[test]
fn used_with_the_mouse() {
    let server = empty_session(Generation::V6_5);
    let _card = Card::open(server.x().name(), "shown", &Picture::smooth(300, 200), &Look::default());
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url(), "--renderer=cpu"]);
    let remote = viewer.window("shown");
    let menu = open(&mut viewer, &display, &remote);
    let click = |x: i32, y: i32| {
        let (x, y) = ((menu.x + x).to_string(), (menu.y + y).to_string());
        display.x.xdotool(&["mousemove", &x, &y, "sleep", "0.3", "click", "1"]);
    };
    let start = server.log_length();
    // The box beside quality: in the second row, behind the labels.
    click(124, 64);
    let told = || server.log()[start..].contains("'quality': 70").then_some(());
    wait_for("a quality", SOON, || format!("{}\n{}", &server.log()[start..], viewer.log()), told);
    // The last and only red thing.
    let red = |picture: &Picture| {
        let is_red = |pixel: &[u8]| pixel[0] > 160 && pixel[1] < 120 && pixel[2] < 120;
        let at = picture.rgb.chunks_exact(3).rposition(is_red)?;
        Some(((picture.width / 2) as i32, (at / picture.width) as i32 - 6))
    };
    let (x, y) = red(&display.x.picture(menu.id)).expect("Disconnect in red");
    click(x, y);
    assert_eq!(viewer.exit_code(SOON), 0, "{}", viewer.log());
}
