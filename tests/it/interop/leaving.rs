//! What the server is told when the user turns away from its windows.

use std::time::Duration;

use super::{SOON, empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::program::{Launch, Program};
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::x11::{Seen, X};
use crate::support::xpra::{Generation, XpraServer};

for_every_server!(the_pointer_leaves, menus_close);

/// A place that lasts so long is its last one.
const SETTLED: Duration = Duration::from_millis(500);

/// Nothing under a pointer that is elsewhere: no tooltip, no highlighted button.
fn the_pointer_leaves(generation: Generation) {
    let server = empty_session(generation);
    let look = |x, y| Look { at: (x, y), placed: true, ..Look::default() };
    let one = Card::open(server.x().name(), "one", &Picture::smooth(300, 200), &look(200, 200));
    let two = Card::open(server.x().name(), "two", &Picture::smooth(300, 200), &look(600, 500));
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url()]);
    for title in ["one", "two"] {
        viewer.window(title);
    }
    // A local window covers a part of the remote one.
    let cover = Card::open(display.name(), "cover", &Picture::smooth(150, 400), &look(380, 120));
    let cover_at = viewer.x.wait_window("the cover", SOON, |seen| seen.title == "cover");
    let is_there = || one.place().zip(two.place()).map(|_| ());
    wait_for("both windows in the session", SOON, String::new, is_there);
    let is_in = |card: &Card| {
        let ((x, y), (left, top, width, height)) = (server.x().pointer(), card.place().expect("a card"));
        (left..left + i32::from(width)).contains(&x) && (top..top + i32::from(height)).contains(&y)
    };
    let context = || format!("{:?}, {:?} {:?}", server.x().pointer(), one.place(), two.place());
    let aim = |x: i32, y: i32| display.x.xdotool(&["mousemove", &x.to_string(), &y.to_string()]);
    for (x, y, beside) in [(250, 250, (900, 250)), (250, 250, (cover_at.x + 40, 250)), (700, 600, (5, 900))] {
        let card = if y == 250 { &one } else { &two };
        aim(x, y);
        wait_for("the pointer in the window", SOON, context, || is_in(card).then_some(()));
        aim(beside.0, beside.1);
        wait_for("the pointer outside", SOON, context, || (!is_in(&one) && !is_in(&two)).then_some(()));
    }
    viewer.stop();
    drop(cover);
}

/// A window with a button that opens a menu.
const MENU: &str = r#"
import gi
gi.require_version("Gtk", "3.0")
from gi.repository import Gtk
window = Gtk.Window(title="menus")
window.set_default_size(300, 200)
button = Gtk.MenuButton(label="open", use_popover=False)
menu = Gtk.Menu()
for text in ("one", "two", "three"):
    menu.append(Gtk.MenuItem(label=text))
menu.show_all()
button.set_popup(menu)
window.add(button)
window.connect("destroy", Gtk.main_quit)
window.show_all()
window.move(300, 300)
Gtk.main()
"#;

/// A program in the session, written in Python.
pub fn python(server: &XpraServer, program: &str) -> Program {
    let launch = Launch::new("/usr/bin/python3").args(["-c", program]);
    launch.env("DISPLAY", server.x().name()).env("GDK_BACKEND", "x11").env("NO_AT_BRIDGE", "1").start()
}

fn menus(x: &X) -> Vec<Seen> {
    x.windows().into_iter().filter(|seen| seen.override_redirect && seen.width > 20).collect()
}

fn menus_close(generation: Generation) {
    menus_of(generation, &Display::with_window_manager(), |server| python(server, MENU), (150, 100));
}

/// A menu goes when the user turns to a local window, or drags its window by the title bar: one of a window with the
/// title `menus`, in which a click at `button` opens it.
pub fn menus_of(
    generation: Generation,
    display: &Display,
    start: impl Fn(&XpraServer) -> Program,
    button: (i32, i32),
) {
    let server = empty_session(generation);
    let mut viewer = Viewer::start(display, &[&server.url()]);
    let program = start(&server);
    let window = viewer.window("menus");
    let look = Look { at: (900, 600), placed: true, ..Look::default() };
    let local = Card::open(display.name(), "local", &Picture::smooth(200, 150), &look);
    viewer.x.wait_window("a local window", SOON, |seen| seen.title == "local");
    let context = || {
        format!(
            "{:?} {:?}\n{}",
            menus(&display.x),
            display.x.active(),
            crate::support::tail(&viewer.log(), 30)
        )
    };
    let aim = |x: i32, y: i32| display.x.xdotool(&["mousemove", "--sync", &x.to_string(), &y.to_string()]);
    let id = window.id.to_string();
    for way in ["click elsewhere", "activate", "drag"] {
        display.x.xdotool(&["windowactivate", "--sync", &id]);
        // A program that is moved by its server's window manager closes its menu, and is not where it was aimed at.
        let both = || {
            let there = server.x().windows().into_iter().find(|seen| seen.title == "menus");
            display.x.seen(window.id).filter(|here| there.map(|seen| seen.place()) == Some(here.place()))
        };
        let seen = wait_for("a place that stays, the same on both sides", SOON, context, || {
            let before = both()?;
            std::thread::sleep(SETTLED);
            both().filter(|now| now.place() == before.place())
        });
        aim(seen.x + button.0, seen.y + button.1);
        display.x.xdotool(&["click", "1"]);
        wait_for(&format!("an open menu to {way}"), SOON, context, || {
            (!menus(&display.x).is_empty()).then_some(())
        });
        match way {
            "click elsewhere" => {
                aim(950, 650);
                display.x.xdotool(&["click", "1"]);
            }
            "activate" => display.x.xdotool(&["windowactivate", &local.id.to_string()]),
            _ => {
                aim(seen.x + 100, seen.y - 8);
                display.x.xdotool(&["mousedown", "1"]);
                for step in 1..6 {
                    aim(seen.x + 100 + step * 12, seen.y - 8 + step * 9);
                }
            }
        }
        wait_for("the menu to close", SOON, context, || menus(&display.x).is_empty().then_some(()));
        display.x.xdotool(&["mouseup", "1"]);
    }
    viewer.stop();
    drop((local, program));
}
