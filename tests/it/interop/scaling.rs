//! Windows that are shown larger than they are: pixels, pointer, popups and sizes still belong together.

use x11rb::protocol::Event;
use x11rb::protocol::xproto::ConnectionExt as _;

use super::attach::wait_picture;
use super::{SOON, empty_session, for_every_server, session_menu};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::xpra::Generation;

for_every_server!(everything_is_scaled, the_menu_changes_scale_and_filter, the_scale_factor_is_told_or_taken);

/// What the nearest pixels of `picture` make in another size.
fn nearest(picture: &Picture, width: usize, height: usize) -> Picture {
    let from = |at: usize, to: usize, from: usize| (2 * at + 1) * from / (2 * to);
    Picture::from_fn(width, height, |x, y| {
        let at = (from(y, height, picture.height) * picture.width + from(x, width, picture.width)) * 3;
        [picture.rgb[at], picture.rgb[at + 1], picture.rgb[at + 2]]
    })
}

fn everything_is_scaled(generation: Generation) {
    let server = empty_session(generation);
    let picture = Picture::sharp(301, 201);
    let card = Card::open(server.x().name(), "scaled", &picture, &Look::default());
    let display = Display::with_window_manager();
    let words = ["--desktop-scaling=150%", "--scaling-filter=nearest", "--encodings=png"];
    let mut viewer = Viewer::start(&display, &[&[server.url().as_str()], &words[..]].concat());
    wait_picture(&mut viewer, "scaled", &nearest(&picture, 452, 302), "scaled");

    // Where it is on the server is where it is here.
    let seen = viewer.window("scaled");
    let to_server = |local: i32| (f64::from(local) / 1.5).round() as i32;
    let origin = || card.x.seen(card.id).map(|seen| (seen.x, seen.y)).unwrap_or_default();
    let expected = (to_server(seen.x), to_server(seen.y));
    let context = || format!("{seen:?} {:?}", origin());
    wait_for("the server's window to be there too", SOON, context, || (origin() == expected).then_some(()));

    for (button, x, y) in [(1, 0, 0), (2, 451, 301), (3, 300, 100)] {
        let at = ((seen.x + x).to_string(), (seen.y + y).to_string());
        display.x.xdotool(&["mousemove", &at.0, &at.1, "click", &button.to_string()]);
        let pressed = card.wait_event("a click", |event| match event {
            Event::ButtonPress(press) => {
                Some((i32::from(press.detail), i32::from(press.event_x), i32::from(press.event_y)))
            }
            _ => None,
        });
        assert_eq!(pressed, (button, x * 2 / 3, y * 2 / 3), "button, x, y");
    }

    let menu = Picture::smooth(120, 90);
    let at = (expected.0 as i16 + 37, expected.1 as i16 + 41);
    let popup = Card::open(server.x().name(), "menu", &menu, &Look { at, popup: true, ..Look::default() });
    let is_menu = |width: u16, height: u16| (width, height) == (180, 135);
    let shown =
        viewer.wait_window("the popup", |seen| seen.override_redirect && is_menu(seen.width, seen.height));
    let place = |server: i16| (f64::from(server) * 1.5).round() as i32;
    assert_eq!((shown.x, shown.y), (place(at.0), place(at.1)), "the popup is not at its place");
    let large = nearest(&menu, 180, 135);
    let context =
        || display.x.grab(shown.id).and_then(|got| got.difference(&large, "popup")).unwrap_or_default();
    wait_for("the popup's picture", SOON, context, || (display.x.grab(shown.id)? == large).then_some(()));
    popup.x.connection.unmap_window(popup.id).expect("X");
    popup.sync();
    wait_for("the popup to go", SOON, String::new, || display.x.seen(shown.id).is_none().then_some(()));

    // Sizes that are no multiples: the picture fills the window, and nobody changes it again.
    for (local, remote) in [((421_u16, 310_u16), (281_u16, 207_u16)), ((250, 143), (167, 95))] {
        let (width, height) = (local.0.to_string(), local.1.to_string());
        display.x.xdotool(&["windowsize", "--sync", &seen.id.to_string(), &width, &height]);
        card.wait_event("the new size", |event| match event {
            Event::ConfigureNotify(new) => ((new.width, new.height) == remote).then_some(()),
            _ => None,
        });
        let tiled = Picture::from_fn(remote.0.into(), remote.1.into(), |x, y| {
            let at = (y % 201 * 301 + x % 301) * 3;
            [picture.rgb[at], picture.rgb[at + 1], picture.rgb[at + 2]]
        });
        card.x.connection.clear_area(false, card.id, 0, 0, 0, 0).expect("X");
        card.sync();
        assert!(card.picture() == tiled, "the server's window does not show what the test expects");
        let expected = nearest(&tiled, local.0.into(), local.1.into());
        wait_picture(&mut viewer, "scaled", &expected, "scaled-resized");
        // 6.5 repeats the size after up to 250 ms, and Farpane listens for a second.
        std::thread::sleep(std::time::Duration::from_millis(1300));
        let now = viewer.window("scaled");
        assert_eq!((now.width, now.height), local, "the window changed its size by itself");
        let there = card.x.seen(card.id).map(|seen| (seen.width, seen.height));
        assert_eq!(there, Some(remote), "the server's window changed its size by itself");
    }
    viewer.stop();
}

/// From one to one to 150 %, and from there to another filter, with the keyboard.
fn the_menu_changes_scale_and_filter(generation: Generation) {
    let server = empty_session(generation);
    let picture = Picture::sharp(300, 200);
    let card = Card::open(server.x().name(), "shown", &picture, &Look::default());
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url(), "--encodings=png", "--renderer=cpu"]);
    wait_picture(&mut viewer, "shown", &picture, "unscaled");
    let remote = viewer.window("shown");
    let key = |keys: &[&str]| display.x.xdotool(&[&["key", "--delay", "200"], keys].concat());
    let menu = session_menu::open(&mut viewer, &display, &remote);
    // Its list is off, as the monitor, the same from 150 % on, 75, 125, 150 %, …
    key(&[&["Tab"; session_menu::Entry::Scaling as usize][..], &["Return"]].concat());
    key(&["Tab", "Tab", "Tab", "Tab", "Tab", "Tab", "Return"]);
    let size = |width, height| {
        move |seen: &crate::support::x11::Seen| {
            seen.title == "shown" && (seen.width, seen.height) == (width, height)
        }
    };
    let shown = viewer.wait_window("the larger window", size(450, 300));
    let blurred = || {
        let shown = display.x.grab(shown.id)?;
        (shown.psnr(&nearest(&picture, 450, 300)) > 10.0 && shown != nearest(&picture, 450, 300))
            .then_some(())
    };
    wait_for("the larger picture", SOON, || viewer.log(), blurred);
    display.x.picture(menu.id).save(&format!("scaling-menu-{generation:?}"));
    // The next one: automatic, smooth, sharp.
    display.x.focus(menu.id);
    key(&["Tab", "Return", "Tab", "Tab", "Tab", "Return"]);
    wait_picture(&mut viewer, "shown", &nearest(&picture, 450, 300), "sharp");
    // The server still has what it had, where it is now.
    let there = || card.x.seen(card.id).map(|seen| (seen.x, seen.y, seen.width, seen.height));
    let to_server = |local: i32| (f64::from(local) / 1.5).round() as i32;
    let here = viewer.window("shown");
    let expected = Some((to_server(here.x), to_server(here.y), 300, 200));
    let context = || format!("{here:?} {:?}", there());
    wait_for("the server's window to be there too", SOON, context, || (there() == expected).then_some(()));
    viewer.stop();
}

/// On a desktop of 200 %: either programs draw larger, or what they draw is shown larger, which nobody has to ask for.
fn the_scale_factor_is_told_or_taken(generation: Generation) {
    let picture = Picture::sharp(300, 200);
    let larger = nearest(&picture, 600, 400);
    for (scaling, shown, dpi) in
        [(Some("off"), picture.clone(), 192), (Some("auto"), larger.clone(), 96), (None, larger, 96)]
    {
        let server = empty_session(generation);
        let _card = Card::open(server.x().name(), "shown", &picture, &Look::default());
        let display = Display::with_window_manager();
        let scaling = scaling.map(|scaling| format!("--desktop-scaling={scaling}"));
        let mut words = vec![server.url(), "--encodings=png".to_owned()];
        words.extend(scaling);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut viewer = Viewer::start_with(&display, &words, &[("WINIT_X11_SCALE_FACTOR", "2")]);
        wait_picture(&mut viewer, "shown", &shown, "scale-factor");
        // 3.1.3: `wanted: 192 x 192`; 6.5.5: `(wanted 192 x 192)`. Xvfb itself has no such thing.
        let words = format!(" {dpi} x {dpi}");
        let is_told =
            |line: &str| line.split_once("wanted").is_some_and(|(_, wanted)| wanted.contains(&words));
        let told = || server.log().lines().any(is_told).then_some(());
        wait_for("the resolution to be told", SOON, || server.log(), told);
        viewer.stop();
    }
}
