//! Reaching a session, in every form that its address may have.

use super::{SOON, empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::xpra::{Generation, Options, XpraServer};

for_every_server!(every_address, desktop);

/// Waits until the viewer's window shows the picture.
#[track_caller]
pub fn wait_picture(viewer: &mut Viewer, title: &str, expected: &Picture, name: &str) {
    let seen = viewer.window(title);
    let x = viewer.x;
    let context = || {
        let difference = |got: Picture| got.difference(expected, name);
        x.grab(seen.id).map_or_else(|| Some("it is not on the screen".into()), difference).unwrap_or_default()
    };
    wait_for("the picture", SOON, context, || (x.grab(seen.id).as_ref() == Some(expected)).then_some(()));
}

fn every_address(generation: Generation) {
    let server = empty_session(generation);
    let picture = Picture::sharp(301, 203);
    let _card = Card::open(server.x().name(), "Ein Bild — 図", &picture, &Look::default());
    let runtime = server.directory().display().to_string();
    let addresses = [
        server.url(),
        server.address(),
        format!("socket://{}", server.socket().display()),
        server.x().name().to_owned(),
    ];
    for address in addresses {
        let display = Display::bare();
        let mut viewer = Viewer::start_with(&display, &[&address], &[("XDG_RUNTIME_DIR", &runtime)]);
        wait_picture(&mut viewer, "Ein Bild — 図", &picture, "every-address");
        let seen = viewer.window("Ein Bild — 図");
        assert_eq!(seen.class.1, "Card", "{address}");
        let stats = viewer.stop();
        assert!(stats["network"]["received"]["total"].as_u64() > Some(1000), "{address}: {stats:#}");
    }
}

/// A whole desktop in one window.
fn desktop(generation: Generation) {
    let options = Options { desktop: Some((800, 600)), ..Options::default() };
    let server = XpraServer::start(generation, &options);
    let picture = Picture::sharp(400, 300);
    let look = Look { at: (120, 90), ..Look::default() };
    let _card = Card::open(server.x().name(), "inside", &picture, &look);
    let display = Display::with_window_manager();
    let mut viewer = Viewer::start(&display, &[&server.url(), "--encodings", "png"]);
    let seen = viewer.wait_window("the desktop's window", |seen| (seen.width, seen.height) == (800, 600));
    let shown = || display.x.grab(seen.id);
    let context = || {
        let truth = server.x().picture(server.x().root);
        shown().and_then(|got| got.difference(&truth, "desktop")).unwrap_or("equal at last".into())
    };
    wait_for("the desktop's picture", SOON, context, || {
        let truth = server.x().grab(server.x().root)?;
        let same = shown()? == truth && truth.crop(120, 90, 400, 300) == picture;
        same.then_some(())
    });
    viewer.stop();
}
