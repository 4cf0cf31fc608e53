//! Passwords in the desktop's own store, with GNOME's keyring.

use std::time::Duration;

use super::connect::dialog;
use super::{SOON, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::display::Display;
use crate::support::keyring::Keyring;
use crate::support::picture::Picture;
use crate::support::viewer::Viewer;
use crate::support::wait_for;
use crate::support::xpra::{Generation, Options, XpraServer};

const LIMIT: Duration = Duration::from_secs(60);
const ASKS: &str = "Farpane: password";

for_every_server!(kept_passwords);

fn kept_passwords(generation: Generation) {
    let store = Keyring::start();
    let options = Options { password: Some("first".into()), ..Options::default() };
    let server = XpraServer::start(generation, &options);
    let _card = Card::open(server.x().name(), "guarded", &Picture::smooth(200, 100), &Look::default());
    let display = Display::with_window_manager();
    let url = server.url();
    let start = |url: &str| Viewer::start_with(&display, &[url], &[store.environment()]);
    let type_it = |password: &str, more: &[&str]| {
        display.x.xdotool(&["type", "--delay", "20", password]);
        display.x.xdotool(&[&["key", "--delay", "100"], more, &["Return"]].concat());
    };

    // Nothing is kept unless the user says so.
    let mut viewer = start(&url);
    let asks = dialog(&display, &mut viewer, ASKS);
    display.x.grab(asks.id).expect("the dialog").save(&format!("keep-password-{generation:?}"));
    type_it("first", &[]);
    viewer.window("guarded");
    viewer.stop();
    assert_eq!(store.kept(), None);

    // To *Remember*, and on to *Connect*.
    let mut viewer = start(&url);
    dialog(&display, &mut viewer, ASKS);
    type_it("first", &["Tab", "Tab", "space", "Tab"]);
    viewer.window("guarded");
    viewer.stop();
    assert_eq!(store.kept().as_deref(), Some("first"));
    // Nobody is asked any more.
    let mut viewer = start(&url);
    let window =
        viewer.wait_window("the session or a question", |seen| ["guarded", ASKS].contains(&&*seen.title));
    assert_eq!(window.title, "guarded");
    viewer.stop();

    // Whom a link names gets nothing of it, nor does another user of the server (6.x lets nobody else in at all).
    let link = url.replace("tcp://", "xpra+tcp://");
    let another = (generation == Generation::V3_1).then(|| url.replace("tcp://", "tcp://somebody@"));
    for other in [Some(link), another].into_iter().flatten() {
        let mut viewer = start(&other);
        dialog(&display, &mut viewer, ASKS);
        viewer.interrupt();
        viewer.exit_code(LIMIT);
    }
    assert_eq!(store.kept().as_deref(), Some("first"));

    // A store that does not answer keeps nobody from a session.
    store.freeze();
    let mut viewer = start(&url);
    dialog(&display, &mut viewer, ASKS);
    type_it("first", &[]);
    viewer.window("guarded");
    viewer.stop();
    store.thaw();

    // What the server refuses is forgotten.
    std::fs::write(server.directory().join("password"), "second").expect("another password");
    let mut viewer = start(&url);
    dialog(&display, &mut viewer, ASKS);
    wait_for("it to be forgotten", SOON, || viewer.log(), || store.kept().is_none().then_some(()));
    // The user knows better, and has that kept.
    type_it("second", &["Tab", "Tab", "space", "Tab"]);
    viewer.window("guarded");
    viewer.stop();
    assert_eq!(store.kept().as_deref(), Some("second"));
}
