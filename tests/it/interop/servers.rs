//! Servers of the generations between 3.1 and 6: `make test-servers` builds them, and runs this.
//!
//! They answer a modern hello, but look for capabilities by 3.1's names: Farpane connects again in the old way.

use x11rb::protocol::Event;
use x11rb::protocol::xproto::ConnectionExt as _;

use super::attach::wait_picture;
use super::{SOON, alpha, encodings, resolution};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::x11::X;
use crate::support::xpra::{Generation, Options, XpraServer};

macro_rules! for_the_others {
    ($($test:ident),+ $(,)?) => {
        $(
            mod $test {
                use crate::support::xpra::Generation;

                #[test]
                fn v4_4() {
                    super::$test(Generation::V4_4);
                }

                #[test]
                fn v5_1() {
                    super::$test(Generation::V5_1);
                }
            }
        )+
    };
}
for_the_others!(attaches_by_itself, encodings_by_option, alpha_is_right, fonts_follow_the_scale);

fn encodings_by_option(generation: Generation) {
    encodings::by_option(generation);
}

fn alpha_is_right(generation: Generation) {
    alpha::one_brightness(generation);
}

fn fonts_follow_the_scale(generation: Generation) {
    resolution::fonts_follow_the_scale(generation);
}

/// `setxkbmap`'s layout on a display.
fn layout(x: &X) -> String {
    let property = x.atom("_XKB_RULES_NAMES");
    let any = x11rb::protocol::xproto::AtomEnum::ANY;
    let cookie = x.connection.get_property(false, x.root, property, any, 0, 256).expect("X");
    let names = cookie.reply().map(|reply| reply.value).unwrap_or_default();
    let layout = names.split(|byte| *byte == 0).nth(2).unwrap_or_default();
    String::from_utf8_lossy(layout).into_owned()
}

/// Behind a login, with a local keyboard that is no US one, and every encoding on offer.
fn attaches_by_itself(generation: Generation) {
    let password = Some("sesame".to_owned());
    let server = XpraServer::start(generation, &Options { password, ..Options::default() });
    let picture = Picture::sharp(331, 247);
    let card = Card::open(server.x().name(), "shown", &picture, &Look::default());
    let display = Display::with_window_manager();
    let set = std::process::Command::new("setxkbmap").args(["-display", display.name(), "de"]).status();
    assert!(set.is_ok_and(|status| status.success()), "setxkbmap");
    let environment = [("FARPANE_PASSWORD", "sesame")];
    let words = [&server.url(), "--renderer=cpu", "--log=info"];
    let mut viewer = Viewer::start_with(&display, &words, &environment);
    wait_picture(&mut viewer, "shown", &picture, "servers");
    assert!(viewer.log().contains("reconnecting"), "{}", viewer.log());

    let context = || format!("{}\n{}", layout(server.x()), server.log());
    wait_for("the layout", SOON, context, || (layout(server.x()) == "de").then_some(()));
    let id = viewer.window("shown").id.to_string();
    display.x.focus(id);
    card.wait_event("the focus", |event| matches!(event, Event::FocusIn(_)).then_some(()));
    // Where a US keyboard has the other one of them, and one that it does not have.
    for (name, keysym) in [("z", 0x7a), ("y", 0x79), ("odiaeresis", 0xf6)] {
        display.x.xdotool(&["key", name]);
        let pressed = card.wait_event(&format!("key {name}"), |event| match event {
            Event::KeyPress(press) => Some(press.detail),
            _ => None,
        });
        let mapping = card.x.connection.get_keyboard_mapping(pressed, 1).expect("X").reply().expect("a map");
        assert_eq!(mapping.keysyms.first(), Some(&keysym), "{name}: key {pressed}");
    }

    assert_eq!(viewer.stop()["draws"]["refused"], 0);

    // What moves is video, where webp is not offered: they like that better on a fast link.
    let large = Card::open(server.x().name(), "video", &Picture::smooth(640, 480), &Look::default());
    let start = server.log_length();
    let sent = || server.sent_since(start);
    let words = [&server.url(), "--renderer=cpu", "--encodings=h264,rgb"];
    let mut viewer = Viewer::start_with(&display, &words, &environment);
    viewer.window("video");
    let (mut n, context) = (0, || format!("{:?}\n{}", sent(), viewer.log()));
    wait_for("video", SOON, context, || {
        n += 1;
        large.show(&Picture::smooth(700, 480).crop(n % 60, 0, 640, 480));
        sent().iter().any(|sent| sent.encoding == "h264").then_some(())
    });
    assert_eq!(viewer.stop()["draws"]["refused"], 0);
}
