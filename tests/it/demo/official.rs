//! Xpra's own client attaches to the demo.

use std::time::Duration;

use crate::support::display::Display;
use crate::support::slots::Slot;
use crate::support::xpra::{Generation, official_client};
use crate::support::{tail, wait_for};

#[test]
fn xpras_own_client_shows_the_demo() {
    let _slot = Slot::take();
    let server = super::start();
    let display = Display::with_window_manager();
    let url = format!("tcp://{}/", server.address());
    let mut client = official_client(Generation::V6_5, &display, &url, &[]);
    let log = || tail(&client.stderr(), 60);
    let x = &display.x;
    let find = |title: &str| {
        let seen = || x.windows().into_iter().find(|window| window.title.contains(title));
        wait_for(&format!("the window {title:?}"), Duration::from_secs(60), log, seen)
    };
    for (title, colours) in [("Raw pixels", 1000), ("Terminal", 3), ("Video", 300), ("Drawing pad", 2)] {
        let window = find(title);
        wait_for(&format!("a picture in {title:?}"), Duration::from_secs(30), log, || {
            (x.picture(window.id).colours() >= colours).then_some(())
        });
    }
    // The video goes on: frames are acknowledged and decoded.
    let video = find("Video");
    let before = x.picture(video.id);
    wait_for("the next frame", Duration::from_secs(20), log, || {
        (x.picture(video.id).psnr(&before) < 45.0).then_some(())
    });
    // A right click on the pad opens the menu where it was made.
    let pad = find("Drawing pad");
    x.xdotool(&["windowraise", &pad.id.to_string()]);
    let (at_x, at_y) = (pad.x + 120, pad.y + 90);
    x.xdotool(&["mousemove", &at_x.to_string(), &at_y.to_string(), "sleep", "0.5", "click", "3"]);
    let windows = || format!("{:#?}\n{}", x.windows(), log());
    let menu = wait_for("the menu", Duration::from_secs(20), windows, || {
        x.windows().into_iter().find(|window| window.override_redirect && window.width == 140)
    });
    assert!((menu.x - at_x).abs() <= 2 && (menu.y - at_y).abs() <= 2, "{menu:?}");
    client.assert_running();
    drop(server);
    let ended = client.wait_exit(Duration::from_secs(20));
    assert!(ended.is_some(), "the client was told:\n{}", tail(&client.stderr(), 60));
}
