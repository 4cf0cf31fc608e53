//! Windows say whose they are: in their titles, and by a coloured edge.

use super::{SOON, empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::x11::Seen;
use crate::support::xpra::{Generation, Options, XpraServer};

for_every_server!(titles);

/// In Farpane's words and in those of Xpra's clients, also after the program gave its window another one.
fn titles(generation: Generation) {
    let switches = vec!["--session-name=far".to_owned()];
    let server = XpraServer::start(generation, &Options { switches, ..Options::default() });
    let card = Card::open(server.x().name(), "shown", &Picture::smooth(300, 200), &Look::default());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("a name");
    let host = host.trim();
    let display = Display::with_window_manager();
    let url = server.url();
    let mut viewer =
        Viewer::start(&display, &[&url, "--title", "{title} on {server} ({session}, {address})"]);
    viewer.window(&format!("shown on {host} (far, {url})"));
    card.set_title("renamed");
    viewer.window(&format!("renamed on {host} (far, {url})"));
    viewer.stop();
    let mut viewer = Viewer::start(&display, &[&url, "--title=@title@ on @client-machine@"]);
    viewer.window(&format!("renamed on {host}"));
    viewer.stop();
}

const EDGE: [u8; 3] = [0xff, 0x80, 0x10];

/// Waits until the window shows the picture with an edge of 5 pixels.
#[track_caller]
fn wait_edged(display: &Display, viewer: &Viewer<'_>, window: &Seen, picture: &Picture, name: &str) {
    let inside = |seen: &Picture| seen.crop(5, 5, seen.width - 10, seen.height - 10);
    let is_edged = |seen: &Picture| {
        let at = |x: usize, y: usize| seen.crop(x, y, 1, 1).rgb == EDGE;
        let (right, bottom) = (seen.width - 1, seen.height - 1);
        (0..5).all(|n| at(n, n) && at(right - n, n) && at(n, bottom - n) && at(right - n, bottom - n))
            && [0, 4].iter().all(|n| at(right / 2, *n) && at(right / 2, bottom - n))
            && [0, 4].iter().all(|n| at(*n, bottom / 2) && at(right - n, bottom / 2))
    };
    let context = || {
        let saved = display.x.grab(window.id).map(|seen| seen.save(name));
        format!("{saved:?}\n{}", viewer.log())
    };
    wait_for("the picture with its edge", SOON, context, || {
        let seen = display.x.grab(window.id)?;
        let is_shown = (seen.width, seen.height) == (picture.width, picture.height)
            && inside(&seen).psnr(&inside(picture)) > 30.0;
        (is_shown && is_edged(&seen)).then_some(())
    });
}

/// Over what the window shows first and later, in another size, and with and without the overlay.
fn edge(renderer: &str) {
    let server = empty_session(Generation::V6_5);
    let first = Picture::smooth(400, 300);
    let card = Card::open(server.x().name(), "edged", &first, &Look::default());
    let display = Display::with_window_manager();
    let words = [&server.url(), "--border", "#ff8010,5", "--renderer", renderer];
    let mut viewer = Viewer::start(&display, &words);
    let window = viewer.window("edged");
    let name = format!("edge-{renderer}");
    wait_edged(&display, &viewer, &window, &first, &name);
    let second = Picture::sharp(400, 300);
    card.show(&second);
    wait_edged(&display, &viewer, &window, &second, &name);
    let third = Picture::smooth(500, 350);
    card.resize(500, 350);
    card.show(&third);
    wait_edged(&display, &viewer, &window, &third, &name);
    display.x.focus(window.id);
    let before = display.x.picture(window.id);
    let steps = |count: usize| {
        display.x.xdotool(&[&["key", "--delay", "200"][..], &vec!["shift+F11"; count]].concat())
    };
    steps(3);
    let overlaid = || Some(display.x.grab(window.id)?).filter(|now| now.psnr(&before) < 25.0);
    let overlaid = wait_for("the overlay", SOON, || viewer.log(), overlaid);
    assert_eq!(overlaid.crop(0, 0, 1, 1).rgb, EDGE, "the edge under the overlay");
    steps(1);
    wait_edged(&display, &viewer, &window, &third, &name);
    display.x.picture(window.id).save(&name);
    viewer.stop();
}

#[test]
fn edge_by_the_processor() {
    edge("cpu");
}

#[test]
fn edge_by_the_gpu() {
    edge("wgpu");
}
