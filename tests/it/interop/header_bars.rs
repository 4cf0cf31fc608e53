//! Programs that draw their own title bars.

use super::leaving::python;
use super::{SOON, empty_session, for_every_server};
use crate::support::display::Display;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::xpra::Generation;

for_every_server!(header_bar);

const PROGRAM: &str = r#"
import gi
gi.require_version("Gtk", "3.0")
from gi.repository import Gtk
window = Gtk.Window(title="header")
window.set_default_size(400, 250)
window.set_titlebar(Gtk.HeaderBar(title="header", show_close_button=True))
window.connect("destroy", Gtk.main_quit)
window.show_all()
Gtk.main()
"#;

/// A drag takes the window exactly as far as the pointer goes, however late the server's answer comes; double clicks
/// maximise, and then restore.
fn header_bar(generation: Generation) {
    let server = empty_session(generation);
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url()]);
    let program = python(&server, PROGRAM);
    let id = viewer.window("header").id;
    let there = || server.x().windows().into_iter().find(|seen| seen.title == "header");
    let place = || display.x.seen(id).map(|seen| seen.place());
    let context = || {
        let log = crate::support::tail(&viewer.log(), 40);
        format!("here {:?}, there {:?} {:?}\n{log}", place(), there(), display.x.states(id))
    };
    let same = || place().filter(|here| there().map(|seen| seen.place()) == Some(*here));
    let aim = |x: i32, y: i32| display.x.xdotool(&["mousemove", "--sync", &x.to_string(), &y.to_string()]);
    for round in 0..3 {
        let before = wait_for("one place", SOON, context, same);
        // Beside the title, within the bar.
        let grip = (before.0 + 80, before.1 + 28);
        aim(grip.0, grip.1);
        std::thread::sleep(std::time::Duration::from_millis(300));
        display.x.xdotool(&["mousedown", "1"]);
        // All of it before the server can answer, and the rest once the window moves.
        for step in 1..=8 {
            aim(grip.0 + step * 5, grip.1 + step * 3);
        }
        std::thread::sleep(std::time::Duration::from_millis(500));
        aim(grip.0 + 90, grip.1 + 61);
        let expected = (before.0 + 90, before.1 + 61, before.2, before.3);
        wait_for("the dragged window", SOON, context, || (place() == Some(expected)).then_some(()));
        display.x.xdotool(&["mouseup", "1"]);
        let after = wait_for("one place after the drag", SOON, context, same);
        assert_eq!(after, expected, "round {round}");
    }
    let (_, _, width, height) = wait_for("one place", SOON, context, same);
    for round in 0..3 {
        let is_maximised = || display.x.states(id).iter().any(|state| state == "MAXIMIZED_VERT");
        for wanted in [true, false] {
            // Longer than the time between the clicks of a double click.
            std::thread::sleep(std::time::Duration::from_millis(700));
            let (x, y, ..) = wait_for("one place", SOON, context, same);
            aim(x + 120, y + 28);
            std::thread::sleep(std::time::Duration::from_millis(200));
            display.x.xdotool(&["click", "--repeat", "2", "--delay", "80", "1"]);
            let what = format!("maximised {wanted} in round {round}");
            wait_for(&what, SOON, context, || (is_maximised() == wanted).then_some(()));
            let is_as_before = || same().filter(|place| ((place.2, place.3) == (width, height)) != wanted);
            // Longer than the viewer's patience: nothing changes it afterwards.
            wait_for(&format!("{what}, its size"), SOON, context, is_as_before);
            std::thread::sleep(std::time::Duration::from_millis(600));
            assert!(is_as_before().is_some(), "{what}: {}", context());
        }
    }
    viewer.stop();
    drop(program);
}
