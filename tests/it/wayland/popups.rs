//! Menus, lists and tooltips lie on the window that they belong to, and are no windows of their own.

use x11rb::protocol::Event;
use x11rb::protocol::xproto::{ConfigureWindowAux, ConnectionExt as _};

use super::{SOON, tiled, wait_shown};
use crate::support::card::{Card, Look};
use crate::support::picture::Picture;
use crate::support::program::Launch;
use crate::support::virtual_pointer::{LEFT, VirtualPointer};
use crate::support::wait_for;
use crate::support::wayland::{SCREEN, Sway, WaylandViewer, Weston};
use crate::support::xpra::{Generation, Options, XpraServer};

#[test]
fn v3_1() {
    popups(Generation::V3_1);
}

#[test]
fn v6_5() {
    popups(Generation::V6_5);
}

/// Where the window's content is on the server.
fn origin(card: &Card) -> (i16, i16) {
    let seen = card.x.seen(card.id).expect("the window on the server");
    (seen.x as i16, seen.y as i16)
}

fn popup(server: &XpraServer, title: &str, picture: &Picture, at: (i16, i16), parent: Option<u32>) -> Card {
    Card::open(server.x().name(), title, picture, &Look { at, parent, popup: true, ..Look::default() })
}

#[track_caller]
fn wait_gone(sway: &Sway, window: &Picture, at: (usize, usize)) {
    let whole = || (sway.grab().crop(at.0, at.1, window.width, window.height) == *window).then_some(());
    wait_for("the popup to go", SOON, || sway.grab().save("wayland-popup-left").display().to_string(), whole);
}

fn popups(generation: Generation) {
    let server = XpraServer::start(generation, &Options::default());
    let window = Picture::sharp(400, 300);
    let card = Card::open(server.x().name(), "window", &window, &Look { at: (60, 50), ..Look::default() });
    for scale in [1, 2] {
        let sway = Sway::start(&scale.to_string());
        let mut pointer = VirtualPointer::new(sway.socket(), SCREEN);
        pointer.move_to(SCREEN.0 - 20, SCREEN.1 - 30);
        let mut viewer = WaylandViewer::start(sway.socket(), &[&server.url(), "--encodings=png"]);
        wait_shown(&sway, &mut viewer, "window", &window, scale);
        let place = [200 / scale, 100 / scale].map(|at| at.to_string());
        sway.command(&["[title=\"^window$\"]", "move", "absolute", "position", &place[0], &place[1]]);
        let view = wait_shown(&sway, &mut viewer, "window", &window, scale);
        let (left, top, ..) = view.in_pixels(scale as f64);
        pointer.move_to(left + 340, top + 30);

        // A menu that names its window, one that comes out of it, and one that names none as xterm's do.
        let (x, y) = origin(&card);
        let menu = Picture::smooth(120, 90);
        let first = popup(&server, "menu", &menu, (x + 30, y + 40), Some(card.id));
        let shown = |at: (usize, usize), picture: &Picture, name: &str| {
            let got = || sway.grab().crop(left + at.0, top + at.1, picture.width, picture.height);
            let context = || {
                let shot = sway.grab().save("wayland-popup-screen");
                let log = crate::support::tail(&viewer.log(), 20);
                format!("{:?}\n{}\n{log}", got().difference(picture, name), shot.display())
            };
            wait_for(name, SOON, context, || (got() == *picture).then_some(()));
        };
        shown((30, 40), &menu, "menu");
        let sub = Picture::sharp(100, 60);
        let second = popup(&server, "sub", &sub, (x + 150, y + 60), Some(card.id));
        shown((150, 60), &sub, "sub-menu");
        let nameless = Picture::sharp(80, 70);
        let third = popup(&server, "nameless", &nameless, (x + 300, y + 200), None);
        shown((300, 200), &nameless, "nameless");
        sway.grab().save(&format!("wayland-popups-{generation:?}-{scale}"));
        assert_eq!(sway.views().len(), 1, "popups are no windows: {:#?}", sway.views());
        assert!(sway.view("window").is_some_and(|view| view.focused), "the focus stays");

        // The pointer arrives in them, to the pixel.
        for (card, at, inside) in
            [(&first, (30, 40), (7, 81)), (&second, (150, 60), (99, 0)), (&third, (300, 200), (41, 33))]
        {
            pointer.move_to(left + at.0 + inside.0, top + at.1 + inside.1);
            pointer.click(LEFT);
            let pressed = card.wait_event("a click", |event| match event {
                Event::ButtonPress(press) => {
                    Some((usize::from(press.event_x as u16), usize::from(press.event_y as u16)))
                }
                _ => None,
            });
            assert_eq!(pressed, inside, "scale {scale}");
            pointer.wheel(true);
            card.wait_event("the wheel", |event| {
                matches!(event, Event::ButtonPress(press) if press.detail == 5).then_some(())
            });
        }
        // Keys still go to the window.
        sway.type_text(&["x"]);
        card.wait_event("a key", |event| matches!(event, Event::KeyPress(_)).then_some(()));

        // It moves and grows. The pointer is part of what a screenshot shows.
        pointer.move_to(SCREEN.0 - 20, SCREEN.1 - 30);
        let to = ConfigureWindowAux::new().x(i32::from(x) + 250).y(i32::from(y) + 150).width(140).height(100);
        third.x.connection.configure_window(third.id, &to).expect("X");
        third.sync();
        let grown = tiled(&nameless, 140, 100);
        shown((250, 150), &grown, "moved");
        let taken = [(x, y, &window), (x + 250, y + 150, &grown)];
        wait_for(
            "the pointer outside",
            SOON,
            || format!("{:?}", server.x().pointer()),
            || {
                let (at_x, at_y) = server.x().pointer();
                let is_in = |&(left, top, picture): &(i16, i16, &Picture)| {
                    let inside = |at: i32, start: i16, len: usize| {
                        (i32::from(start)..i32::from(start) + len as i32).contains(&at)
                    };
                    inside(at_x, left, picture.width) && inside(at_y, top, picture.height)
                };
                (!taken.iter().any(is_in)).then_some(())
            },
        );

        // Gone in the wrong order.
        for card in [first, second, third] {
            card.x.connection.destroy_window(card.id).expect("X");
            card.sync();
        }
        wait_gone(&sway, &window, (left, top));

        // One that would lie beyond the edge of the screen is moved by the compositor, and clicks still arrive.
        let far = (SCREEN.0 - left - 50) as i16;
        let last = popup(&server, "edge", &menu, (x + far, y + 10), Some(card.id));
        let find = || sway.grab().find(&menu);
        let context = || sway.grab().save("wayland-popup-edge").display().to_string();
        let found = wait_for("a menu at the edge", SOON, context, find);
        assert_eq!(found, (SCREEN.0 - menu.width, top + 10));
        pointer.move_to(found.0 + 11, found.1 + 12);
        pointer.click(LEFT);
        let pressed = last.wait_event("a click", |event| match event {
            Event::ButtonPress(press) => Some((press.event_x, press.event_y)),
            _ => None,
        });
        assert_eq!(pressed, (11, 12));
        pointer.move_to(SCREEN.0 - 20, SCREEN.1 - 30);
        // A menu whose program does not close it goes all the same when the user turns to a local window.
        let local = Launch::new("weston-flower").env("WAYLAND_DISPLAY", sway.socket()).start();
        let context = || format!("{:#?}", sway.views());
        wait_for("a local window", SOON, context, || {
            sway.views().iter().any(|view| view.title != "window" && view.focused).then_some(())
        });
        wait_gone(&sway, &window, (left, top));
        drop(local);
        drop(last);
        viewer.stop();
    }
    weston(&server, &card, &window);
}

/// Weston's windows have frames of winit's making, above their content.
fn weston(server: &XpraServer, card: &Card, window: &Picture) {
    for scale in [1, 2] {
        let weston = Weston::start(scale);
        let viewer = WaylandViewer::start(&weston.socket(), &[&server.url(), "--encodings=png"]);
        let found = |picture: &Picture| {
            let context =
                || format!("{}\n{}", weston.grab().save("wayland-weston-popup").display(), viewer.log());
            wait_for("a picture on Weston", SOON, context, || weston.grab().find(picture))
        };
        let (left, top) = found(window);
        let (x, y) = origin(card);
        let menu = Picture::smooth(120, 90);
        let popup = popup(server, "menu", &menu, (x + 30, y + 40), Some(card.id));
        assert_eq!(found(&menu), (left + 30, top + 40), "scale {scale}");
        weston.grab().save(&format!("wayland-weston-popup-{scale}"));
        drop(popup);
        assert_eq!(found(window), (left, top));
        viewer.stop();
    }
}
