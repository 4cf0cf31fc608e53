//! Windows that are no plain boxes.

use x11rb::protocol::shape::{ConnectionExt as _, SK};

use super::{SOON, empty_session};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::program::Launch;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::x11::X;
use crate::support::xpra::Generation;

type Band = (i16, i16, u16, u16);

/// The bounding region of a window.
fn shape(x: &X, id: u32) -> Vec<Band> {
    let reply = x.connection.shape_get_rectangles(id, SK::BOUNDING).expect("X").reply().expect("a shape");
    let mut bands: Vec<Band> =
        reply.rectangles.iter().map(|band| (band.x, band.y, band.width, band.height)).collect();
    bands.sort_unstable();
    bands
}

/// 6.5.5 tells nobody of shapes: 3.1.3 does.
#[test]
fn shaped_windows_have_their_shape() {
    let server = empty_session(Generation::V3_1);
    let bands = vec![(0, 0, 120, 40), (40, 40, 120, 60)];
    let look = Look { at: (200, 200), placed: true, shape: bands.clone(), ..Look::default() };
    let card = Card::open(server.x().name(), "stairs", &Picture::smooth(200, 150), &look);
    let clock = Launch::new("oclock").args(["-geometry", "150x150+600+200"]);
    let clock = clock.env("DISPLAY", server.x().name()).start();
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url()]);
    let id = viewer.window("stairs").id;
    let seen = || shape(&display.x, id);
    wait_for("the shape", SOON, || format!("{:?}", seen()), || (seen() == bands).then_some(()));
    let here = viewer.window("oclock").id;
    let there = server.x().wait_window("the clock", SOON, |seen| seen.title == "oclock").id;
    let round = shape(server.x(), there);
    assert!(round.len() > 20, "no round clock: {round:?}");
    let seen = || shape(&display.x, here);
    wait_for("a round clock", SOON, || format!("{:?}", seen()), || (seen() == round).then_some(()));
    drop((card, clock));
    viewer.stop();
}
