//! A real program in the session: text typed into xterm, and its menus.

use super::{SOON, empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::program::{Launch, Program};
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::x11::Seen;
use crate::support::xpra::{Generation, XpraServer};

for_every_server!(typed_text_makes_a_file, menu_of_xterm);

/// A terminal in the session of an attached viewer, with a shell in it.
///
/// Its menus have no border: 3.1.3 takes a window's picture from the corner of its border.
///
/// The session is there before the terminal, as the card shows. On a busy machine 6.5.5 makes a terminal that begins
/// one sign large: it tells each size twice, xterm takes the second telling of its first size, one sign, for the answer
/// to its wish for the whole size, and gives up. That is settled before a viewer hears of the window, so another
/// terminal is begun then.
fn xterm<'a>(server: &XpraServer, display: &'a Display, switches: &[&str]) -> (Program, Viewer<'a>) {
    let card = Card::open(server.x().name(), "attached", &Picture::smooth(100, 100), &Look::default());
    let mut viewer = Viewer::start(display, &[&[server.url().as_str()], switches].concat());
    viewer.window("attached");
    drop(card);
    let words = ["-T", "terminal", "-geometry", "80x24", "-xrm", "*SimpleMenu.borderWidth: 0", "-e", "sh"];
    for _ in 0..20 {
        let program = Launch::new("xterm").args(words).env("DISPLAY", server.x().name()).start();
        let context = || format!("windows: {:#?}", server.x().windows());
        let width = wait_for("the terminal on the server", SOON, context, || width(server));
        if width > 100 {
            return (program, viewer);
        }
        drop(program);
        wait_for("the small terminal to go", SOON, context, || self::width(server).is_none().then_some(()));
    }
    panic!("the server made twenty terminals of one sign");
}

/// How wide the server made the terminal, once it shows it.
fn width(server: &XpraServer) -> Option<u16> {
    server.x().windows().into_iter().find(|seen| seen.title == "terminal").map(|seen| seen.width)
}

fn typed_text_makes_a_file(generation: Generation) {
    let server = empty_session(generation);
    let display = Display::with_window_manager();
    let (terminal, mut viewer) = xterm(&server, &display, &[]);
    let id = viewer.window("terminal").id;
    // The shell's prompt is there: it reads.
    wait_for(
        "something in the terminal",
        SOON,
        || viewer.log(),
        || (display.x.grab(id)?.colours() > 1).then_some(()),
    );
    display.x.focus(id);
    let file = terminal.directory().join("typed.txt");
    let line = "echo \"Hello, World: {1+2} = <3> & more_of|it\" > ~/typed.txt";
    display.x.xdotool(&["type", "--delay", "20", line]);
    display.x.xdotool(&["key", "Return"]);
    let text = wait_for(
        "the file",
        SOON,
        || viewer.log(),
        || std::fs::read_to_string(&file).ok().filter(|text| text.ends_with('\n')),
    );
    assert_eq!(text, "Hello, World: {1+2} = <3> & more_of|it\n");
    viewer.stop();
}

/// Ctrl and button 1 open a menu at the pointer, for as long as the button is held.
fn menu_of_xterm(generation: Generation) {
    let server = empty_session(generation);
    let display = Display::with_window_manager();
    let (_terminal, mut viewer) = xterm(&server, &display, &["--encodings", "png"]);
    let seen = viewer.window("terminal");
    let terminal = || server.x().windows().into_iter().find(|seen| seen.title == "terminal");
    wait_for(
        "the server's window to be at its place",
        SOON,
        || format!("{seen:?} {:?}", terminal()),
        || terminal().filter(|there| (there.x, there.y) == (seen.x, seen.y)),
    );
    display.x.focus(seen.id);
    let at = (seen.x + 60, seen.y + 40);
    display.x.xdotool(&["mousemove", &at.0.to_string(), &at.1.to_string()]);
    display.x.xdotool(&["keydown", "ctrl", "mousedown", "1"]);
    let is_menu = |seen: &Seen| seen.override_redirect && seen.height > 100;
    let truth = server.x().wait_window("the menu on the server", SOON, is_menu);
    let menu = viewer.wait_window("the menu", is_menu);
    let place = |seen: &Seen| (seen.x, seen.y, seen.width, seen.height);
    assert_eq!(place(&menu), place(&truth), "x, y, width, height");
    let spans = |start: i32, size: u16, at: i32| (start..start + i32::from(size)).contains(&at);
    let inside = spans(menu.x, menu.width, at.0) && spans(menu.y, menu.height, at.1);
    assert!(inside, "{menu:?} is not where the pointer is: {at:?}");
    let context = || {
        let expected = server.x().picture(truth.id);
        display.x.grab(menu.id).and_then(|got| got.difference(&expected, "menu")).unwrap_or_default()
    };
    wait_for("the menu's picture", SOON, context, || {
        let shown = display.x.grab(menu.id)?;
        (shown == server.x().grab(truth.id)? && shown.colours() > 1).then_some(())
    });
    display.x.xdotool(&["mouseup", "1", "keyup", "ctrl"]);
    wait_for("the menu to go", SOON, || viewer.log(), || display.x.seen(menu.id).is_none().then_some(()));
    viewer.stop();
}
