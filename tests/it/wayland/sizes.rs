//! A window has as many pixels here as there, however often one attaches and whatever the scale factor is.

use x11rb::protocol::xproto::ConnectionExt as _;

use super::{SOON, tiled, wait_shown};
use crate::support::card::{Card, Look};
use crate::support::picture::Picture;
use crate::support::wait_for;
use crate::support::wayland::{SCREEN, Sway, WaylandViewer, Weston};
use crate::support::xpra::{Generation, Options, XpraServer};

#[test]
fn sway_v3_1() {
    sway(Generation::V3_1);
}

#[test]
fn sway_v6_5() {
    sway(Generation::V6_5);
}

#[test]
fn one_size_after_another_v3_1() {
    one_size_after_another(Generation::V3_1);
}

#[test]
fn one_size_after_another_v6_5() {
    one_size_after_another(Generation::V6_5);
}

#[test]
fn weston_v3_1() {
    weston(Generation::V3_1);
}

#[test]
fn weston_v6_5() {
    weston(Generation::V6_5);
}

/// The windows of the session: one of even, one of odd sides, and one that may not be resized.
struct Session {
    server: XpraServer,
    cards: Vec<(&'static str, Card, Picture)>,
}

impl Session {
    fn start(generation: Generation) -> Self {
        let server = XpraServer::start(generation, &Options::default());
        let card = |title, width, height, fixed| {
            let picture = Picture::sharp(width, height);
            let look = Look { at: (40, 30), fixed, ..Look::default() };
            (title, Card::open(server.x().name(), title, &picture, &look), picture)
        };
        let cards =
            vec![card("even", 420, 320, false), card("odd", 301, 203, false), card("fixed", 257, 141, true)];
        Self { server, cards }
    }

    fn attach(&self, socket: &std::path::Path, words: &[&str]) -> WaylandViewer {
        WaylandViewer::start(socket, &[&[self.server.url().as_str(), "--encodings=png"], words].concat())
    }

    /// The sizes of the remote windows are what they were.
    #[track_caller]
    fn assert_kept(&self, when: &str) {
        for (title, card, picture) in &self.cards {
            assert_eq!(size(card), (picture.width, picture.height), "{title} was resized {when}");
        }
    }

    /// All windows are there: the last one gets the focus and lies over the others.
    #[track_caller]
    fn wait_all(&self, sway: &Sway, viewer: &WaylandViewer) {
        for (title, ..) in &self.cards {
            let context = || format!("{:#?}\n{}", sway.views(), viewer.log());
            wait_for("a window", SOON, context, || sway.view(title).map(drop));
        }
    }

    #[track_caller]
    fn wait_all_shown(&self, sway: &Sway, viewer: &mut WaylandViewer, scale: usize) {
        self.wait_all(sway, viewer);
        // Side by side, so that each is seen wholly.
        for ((title, ..), (x, y)) in self.cards.iter().zip([(0, 0), (480, 20), (800, 40)]) {
            let (x, y) = ((x / scale).to_string(), (y / scale).to_string());
            sway.command(&[&format!("[title=\"^{title}$\"]"), "move", "absolute", "position", &x, &y]);
        }
        for (title, _, picture) in &self.cards {
            wait_shown(sway, viewer, title, picture, scale);
        }
    }

    /// The window that may not be resized gets another size by its program, which says so before or after that.
    #[track_caller]
    fn fixed_changes(&self, sway: &Sway, viewer: &mut WaylandViewer, scale: usize) {
        let Some((title, card, picture)) = self.cards.last() else { return };
        for (width, height) in [(310, 170), (200, 120), (257, 141)] {
            let (wide, high) = (width as u32, height as u32);
            if width == 200 {
                card.resize(wide, high);
            }
            card.fix_size(width as i32, height as i32);
            card.resize(wide, high);
            wait_shown(sway, viewer, title, &tiled(picture, width, height), scale);
        }
    }
}

/// A program changes its mind about its only size, again and again, while sway moves its window and changes the focus.
fn one_size_after_another(generation: Generation) {
    let session = Session::start(generation);
    let sway = Sway::start("1");
    let mut viewer = session.attach(sway.socket(), &[]);
    session.wait_all_shown(&sway, &mut viewer, 1);
    let (title, card, picture) = &session.cards[2];
    for round in 0..10 {
        let (mut width, mut height) = (0, 0);
        for step in 0..6 {
            (width, height) = (200 + (round + step) % 7 * 10, 120 + (round + step) % 5 * 10);
            card.fix_size(width as i32, height as i32);
            card.resize(width as u32, height as u32);
            let x = (step * 20 + round).to_string();
            sway.command(&[&format!("[title=\"^{title}$\"]"), "move", "absolute", "position", &x, "400"]);
            let other = if step % 2 == 0 { "odd" } else { title };
            sway.command(&[&format!("[title=\"^{other}$\"]"), "focus"]);
        }
        wait_shown(&sway, &mut viewer, title, &tiled(picture, width, height), 1);
    }
    viewer.stop();
}

fn size(card: &Card) -> (usize, usize) {
    let geometry = card.x.connection.get_geometry(card.id).expect("X").reply().expect("the card's geometry");
    (geometry.width.into(), geometry.height.into())
}

fn sway(generation: Generation) {
    let session = Session::start(generation);
    for scale in [1, 2] {
        let sway = Sway::start(&scale.to_string());
        for attach in 0..3 {
            let mut viewer = session.attach(sway.socket(), &[]);
            session.wait_all_shown(&sway, &mut viewer, scale);
            if attach == 2 {
                // The same windows on a screen that changes its factor under them.
                let other = 3 - scale;
                sway.command(&["output", "HEADLESS-1", "scale", &other.to_string()]);
                session.wait_all_shown(&sway, &mut viewer, other);
                sway.command(&["output", "HEADLESS-1", "scale", &scale.to_string()]);
                session.wait_all_shown(&sway, &mut viewer, scale);
            }
            if attach == 1 {
                session.fixed_changes(&sway, &mut viewer, scale);
            }
            viewer.stop();
            session.assert_kept(&format!("by attach {attach} at scale {scale}"));
        }
        tiles(&session, &sway, scale);
    }
    half(&session);
    scaled(&session);
    two_screens(&session);
}

/// What sway makes larger has all pixels of its place, and what it gives back is as before.
fn tiles(session: &Session, sway: &Sway, scale: usize) {
    let (title, card, picture) = &session.cards[0];
    let mut viewer = session.attach(sway.socket(), &[]);
    session.wait_all_shown(sway, &mut viewer, scale);
    for (command, back) in
        [("floating disable", "floating enable"), ("fullscreen enable", "fullscreen disable")]
    {
        let window = format!("[title=\"^{title}$\"]");
        let give = |command: &str| {
            sway.command(&[&[window.as_str()], &command.split(' ').collect::<Vec<_>>()[..]].concat());
        };
        give(command);
        let context = || format!("{command}: {:?} {:#?}\n{}", size(card), sway.views(), viewer.log());
        wait_for("all of the screen", SOON, context, || (size(card) == SCREEN).then_some(()));
        // sway takes a size that arrives later for a wish. The other windows may lie over the upper part.
        let lower = |picture: &Picture| picture.crop(0, SCREEN.1 / 2, SCREEN.0, SCREEN.1 / 2);
        let whole = lower(&tiled(picture, SCREEN.0, SCREEN.1));
        let context = || format!("{command}: {}", sway.grab().save("wayland-tile-got").display());
        wait_for("all pixels", SOON, context, || (lower(&sway.grab()) == whole).then_some(()));
        give(back);
        wait_shown(sway, &mut viewer, title, picture, scale);
        let context = || format!("{back}: {:?} {:#?}", size(card), sway.views());
        let before = (picture.width, picture.height);
        wait_for("the size before", SOON, context, || (size(card) == before).then_some(()));
    }
    viewer.stop();
    session.assert_kept("by tiles");
}

/// At 1.5 this sway draws with a factor of 2 and makes the picture smaller by itself.
fn half(session: &Session) {
    let sway = Sway::start("1.5");
    for attach in 0..3 {
        let viewer = session.attach(sway.socket(), &[]);
        for (title, _, picture) in &session.cards {
            let wanted = (picture.width.div_ceil(2) as i64, picture.height.div_ceil(2) as i64);
            let context = || format!("{:#?}\n{}", sway.views(), viewer.log());
            wait_for("a window of half the size", SOON, context, || {
                sway.view(title).filter(|view| (view.width, view.height) == wanted)
            });
        }
        // What cannot be equal is alike: the last window lies over the others.
        let (title, _, picture) = &session.cards[2];
        sway.command(&[&format!("[title=\"^{title}$\"]"), "focus"]);
        let alike = || {
            let (x, y, width, height) = sway.view(title)?.in_pixels(1.5);
            let shot = sway.grab().crop(x, y, width, height);
            let nearest = Picture::from_fn(width, height, |x, y| {
                let at =
                    (y * 4 / 3).min(picture.height - 1) * picture.width + (x * 4 / 3).min(picture.width - 1);
                [picture.rgb[at * 3], picture.rgb[at * 3 + 1], picture.rgb[at * 3 + 2]]
            });
            shot.save("wayland-half");
            (shot.psnr(&nearest) > 12.0).then_some(())
        };
        wait_for("a smaller picture", SOON, || viewer.log(), alike);
        viewer.stop();
        session.assert_kept(&format!("by attach {attach} at scale 1.5"));
    }
}

/// Windows keep their sizes on screens of different factors, wherever they come up and go.
fn two_screens(session: &Session) {
    let sway = Sway::start("1");
    let mode = format!("{}x{}", SCREEN.0, SCREEN.1);
    sway.command(&["create_output"]);
    sway.command(&["output", "HEADLESS-2", "mode", &mode, "scale", "2", "position", "1280", "0"]);
    for (first, other) in [(("HEADLESS-2", 2), ("HEADLESS-1", 1)), (("HEADLESS-1", 1), ("HEADLESS-2", 2))] {
        sway.command(&["focus", "output", first.0]);
        let mut viewer = session.attach(sway.socket(), &[]);
        session.wait_all(&sway, &viewer);
        for (round, (output, factor)) in [first, other, first].into_iter().enumerate() {
            for (title, _, picture) in &session.cards {
                let wanted = (picture.width.div_ceil(factor) as i64, picture.height.div_ceil(factor) as i64);
                let window = format!("[title=\"^{title}$\"]");
                let context = || {
                    let shot = sway.grab_screen(output).save("wayland-screens-got");
                    format!("{output}: {:#?} {}\n{}", sway.views(), shot.display(), viewer.log())
                };
                if round > 0 {
                    sway.command(&[&window, "move", "to", "output", output]);
                }
                sway.command(&[&window, "focus"]);
                wait_for("its size on that screen", SOON, context, || {
                    sway.view(title).filter(|view| (view.width, view.height) == wanted)
                });
                wait_for("its pixels", SOON, context, || sway.grab_screen(output).find(picture));
            }
            viewer.assert_running();
        }
        viewer.stop();
        session.assert_kept(&format!("by two screens, {} first", first.0));
    }
}

/// Windows that are shown larger still are.
fn scaled(session: &Session) {
    let sway = Sway::start("2");
    let (title, _, picture) = &session.cards[2];
    let twice = Picture::from_fn(picture.width * 2, picture.height * 2, |x, y| {
        let at = (y / 2 * picture.width + x / 2) * 3;
        [picture.rgb[at], picture.rgb[at + 1], picture.rgb[at + 2]]
    });
    for words in ["--desktop-scaling=200%", "--desktop-scaling=auto", "--desktop-scaling=hidpi"] {
        let mut viewer = session.attach(sway.socket(), &[words]);
        session.wait_all(&sway, &viewer);
        sway.command(&[&format!("[title=\"^{title}$\"]"), "focus"]);
        wait_shown(&sway, &mut viewer, title, &twice, 2);
        if !words.ends_with('%') {
            // It follows the screen.
            sway.command(&["output", "HEADLESS-1", "scale", "1"]);
            wait_shown(&sway, &mut viewer, title, picture, 1);
            sway.command(&["output", "HEADLESS-1", "scale", "2"]);
            wait_shown(&sway, &mut viewer, title, &twice, 2);
        }
        viewer.stop();
        session.assert_kept(words);
    }
}

/// Weston frames nothing, and lets windows choose their sizes. Where it puts them is chance, so they are seen one by
/// one.
fn weston(generation: Generation) {
    let server = XpraServer::start(generation, &Options::default());
    let mut last = None;
    for scale in [1, 2] {
        let weston = Weston::start(scale);
        for (width, height, fixed) in [(420, 320, false), (301, 203, false), (257, 141, true)] {
            let picture = Picture::sharp(width, height);
            let look = Look { fixed, ..Look::default() };
            // The one before goes after that: 3.1 forgets a window that has the number of one that just went.
            let card = last.insert(Card::open(server.x().name(), "card", &picture, &look));
            for attach in 0..2 {
                let mut viewer = WaylandViewer::start(&weston.socket(), &[&server.url(), "--encodings=png"]);
                let context = || {
                    let shot = weston.grab().save("wayland-weston-got");
                    format!("{:?} {}\n{}", size(card), shot.display(), viewer.log())
                };
                wait_for("the picture on Weston", SOON, context, || weston.grab().find(&picture));
                viewer.assert_running();
                viewer.stop();
                assert_eq!(size(card), (width, height), "attach {attach} at scale {scale}");
            }
        }
    }
}
