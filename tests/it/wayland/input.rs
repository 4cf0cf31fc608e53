//! Keys and pointer arrive exactly, whatever the scale factor is, and the server knows who has the focus.

use x11rb::protocol::Event;
use x11rb::protocol::xproto::{ConnectionExt as _, KeyPressEvent};

use super::{SOON, tiled, wait_shown};
use crate::support::card::{Card, Look};
use crate::support::picture::Picture;
use crate::support::virtual_pointer::{LEFT, RIGHT, VirtualPointer};
use crate::support::wait_for;
use crate::support::wayland::{SCREEN, Sway, WaylandViewer};
use crate::support::xpra::{Generation, Options, XpraServer};

#[test]
fn v3_1() {
    input(Generation::V3_1);
}

#[test]
fn v6_5() {
    input(Generation::V6_5);
}

fn input(generation: Generation) {
    let server = XpraServer::start(generation, &Options::default());
    let picture = Picture::sharp(301, 203);
    let card = Card::open(server.x().name(), "input", &picture, &Look::default());
    for scale in [1, 2] {
        let sway = Sway::start(&scale.to_string());
        let mut pointer = VirtualPointer::new(sway.socket(), SCREEN);
        pointer.move_to(SCREEN.0 - 20, SCREEN.1 - 30);
        let mut viewer = WaylandViewer::start(sway.socket(), &[&server.url(), "--encodings=png"]);
        wait_shown(&sway, &mut viewer, "input", &picture, scale);
        // In the middle of the screen it might lie between two of sway's pixels.
        let place = [100 / scale, 60 / scale].map(|at| at.to_string());
        sway.command(&["[title=\"^input$\"]", "move", "absolute", "position", &place[0], &place[1]]);
        let view = wait_shown(&sway, &mut viewer, "input", &picture, scale);
        assert_eq!(view.app_id, "Card");
        card.wait_event("the focus", |event| matches!(event, Event::FocusIn(_)).then_some(()));
        keys(&sway, &card);

        let (left, top, ..) = view.in_pixels(scale as f64);
        for (button, number, x, y) in [(LEFT, 1, 0, 0), (RIGHT, 3, 300, 202), (LEFT, 1, 150, 99)] {
            pointer.move_to(left + x, top + y);
            pointer.click(button);
            let pressed = card.wait_event("a click", |event| match event {
                Event::ButtonPress(press) => Some((press.detail, press.event_x, press.event_y)),
                _ => None,
            });
            assert_eq!(pressed, (number, x as i16, y as i16), "scale {scale}");
            card.wait_event("its release", |event| matches!(event, Event::ButtonRelease(_)).then_some(()));
        }
        for (down, number) in [(true, 5), (false, 4)] {
            pointer.wheel(down);
            let turned = card.wait_event("the wheel", |event| match event {
                Event::ButtonPress(press) => Some(press.detail),
                _ => None,
            });
            assert_eq!(turned, number);
        }
        // The pointer is part of what a screenshot shows.
        pointer.move_to(SCREEN.0 - 20, SCREEN.1 - 30);
        resized_and_closed(&sway, &mut viewer, &card, &picture, scale);
        viewer.stop();
    }
}

/// What `wtype` types arrives.
fn keys(sway: &Sway, card: &Card) {
    for (words, symbol) in [(["a"], 0x61), (["Q"], 0x51), (["7"], 0x37)] {
        sway.type_text(&words);
        assert_eq!(pressed(card), symbol, "{words:?}");
    }
    sway.type_text(&["-k", "Return"]);
    assert_eq!(pressed(card), 0xff0d);
}

/// The keysym of the next key press that is no modifier's.
pub fn pressed(card: &Card) -> u32 {
    card.wait_event("a key", |event| match event {
        Event::KeyPress(press) => {
            Some(keysym(card, press)).filter(|symbol| !(0xffe1..0xffef).contains(symbol))
        }
        _ => None,
    })
}

fn keysym(card: &Card, press: &KeyPressEvent) -> u32 {
    let cookie = card.x.connection.get_keyboard_mapping(press.detail, 1).expect("X");
    let keysyms = cookie.reply().expect("a keyboard mapping").keysyms;
    let shifted = usize::from(u16::from(press.state) & 1);
    keysyms.get(shifted).copied().filter(|&symbol| symbol != 0).unwrap_or(keysyms[0])
}

/// The program resizes and renames its window, and the user closes it.
fn resized_and_closed(sway: &Sway, viewer: &mut WaylandViewer, card: &Card, picture: &Picture, scale: usize) {
    for (width, height) in [(411, 333), (301, 203)] {
        let size = x11rb::protocol::xproto::ConfigureWindowAux::new().width(width).height(height);
        card.x.connection.configure_window(card.id, &size).expect("X");
        card.sync();
        wait_shown(sway, viewer, "input", &tiled(picture, width as usize, height as usize), scale);
    }
    card.set_title("renamed");
    wait_shown(sway, viewer, "renamed", picture, scale);
    card.set_title("input");
    wait_shown(sway, viewer, "input", picture, scale);
    sway.command(&["[title=\"^input$\"]", "kill"]);
    card.wait_close_request();
    let context = || format!("{:#?}", sway.views());
    wait_for("the window to stay until the program closes it", SOON, context, || {
        sway.view("input").map(drop)
    });
}
