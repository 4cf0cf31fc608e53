//! The commands that open no window.

use super::{empty_session, for_every_server};
use crate::support::card::{Card, Look};
use crate::support::picture::{Picture, assert_same};
use crate::support::program::run;
use crate::support::viewer::command;
use crate::support::xpra::Generation;

for_every_server!(info, screenshot);

fn info(generation: Generation) {
    let server = empty_session(generation);
    let text = run(&mut command(&["info", &server.url()]));
    let version = if generation == Generation::V3_1 { "3.1.3" } else { "6.5.5" };
    assert!(text.contains(version), "{text}");
}

/// The same pipeline, off screen: no display is needed.
fn screenshot(generation: Generation) {
    let server = empty_session(generation);
    let picture = Picture::sharp(333, 222);
    let _card = Card::open(server.x().name(), "posing", &picture, &Look::default());
    let file = server.directory().join("shot.png");
    run(&mut command(&["screenshot", &server.url(), &file.display().to_string(), "--encodings", "png"]));
    assert_same(&Picture::load(&file), &picture, "screenshot");
}
