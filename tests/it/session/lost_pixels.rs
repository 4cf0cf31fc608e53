//! Pixels that a server takes for shown, and that its window's backing had no room for: they are asked for again when it has.

use farpane::protocol::Dialect;
use farpane::protocol::packet::draw::{self, Encoding};
use farpane::protocol::packet::window::{self, WindowMoveResize};
use farpane::protocol::packet::{ClientPacket, ServerPacket, WindowId};
use farpane::session::{WindowInput, WindowState};

use super::{Driver, setup, size};

/// A session with one window of 300 × 200 that is shown.
fn shown() -> Driver {
    let mut driver = Driver::running(setup(Dialect::Legacy31));
    let wid = driver.window(7, 0, 0, 300, 200);
    driver.input(WindowInput::Mapped { wid, x: 0, y: 0, size: size(300, 200) }).take();
    driver
}

/// The server draws all of a window of this size.
fn draws(driver: &mut Driver, sequence: u64, width: u32, height: u32) {
    let ServerPacket::Draw(draw::FromServer::Draw(mut draw)) = super::draws::draw(7, sequence, Encoding::Png)
    else {
        panic!("a draw");
    };
    (draw.x, draw.y, draw.width, draw.height) = (0, 0, width, height);
    driver.packet(ServerPacket::Draw(draw::FromServer::Draw(draw))).take();
}

/// The window is resized here. How often all pixels are asked for because of that.
fn resized_here(driver: &mut Driver, width: u32, height: u32) -> usize {
    let (wid, state) = (WindowId(7), WindowState::default());
    driver.input(WindowInput::Configured { wid, x: 0, y: 0, size: size(width, height), state });
    refreshes(driver)
}

/// The server says that the window has another size. How often all pixels are asked for because of that.
fn resized_there(driver: &mut Driver, width: u32, height: u32) -> usize {
    let moved = WindowMoveResize { wid: WindowId(7), x: 0, y: 0, width, height, resize_counter: 1 };
    driver.packet(ServerPacket::Window(window::FromServer::MoveResize(moved)));
    refreshes(driver)
}

fn refreshes(driver: &mut Driver) -> usize {
    let is_refresh =
        |packet: &&ClientPacket| matches!(packet, ClientPacket::Draw(draw::ToServer::Refresh { .. }));
    driver.sent().iter().filter(is_refresh).count()
}

/// Seen with 3.1.3, which says nothing of the new size when it hears of one from here in that moment.
#[test]
fn a_draw_that_came_before_its_size() {
    for resized in [resized_here, resized_there] {
        let mut driver = shown();
        draws(&mut driver, 1, 330, 240);
        assert_eq!(resized(&mut driver, 330, 240), 1);
        assert_eq!(
            resized(&mut driver, 340, 250),
            0,
            "it was asked once, and the server draws what it resizes"
        );
    }
}

#[test]
fn a_window_that_was_small_for_a_moment() {
    for resized in [resized_here, resized_there] {
        let mut driver = shown();
        assert_eq!(resized_there(&mut driver, 100, 200), 0);
        assert_eq!(resized(&mut driver, 300, 200), 1);
    }
}

/// The user drags a corner about: the server hears of each size and draws it.
#[test]
fn nothing_is_asked_for_twice() {
    let mut driver = shown();
    for (sequence, (width, height)) in (1..).zip([(310, 220), (250, 150), (400, 300)]) {
        assert_eq!(resized_here(&mut driver, width, height), 0, "{width} x {height}");
        draws(&mut driver, sequence, width, height);
    }
}
