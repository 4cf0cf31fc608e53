//! What is kept longer than its packet does not keep the buffer that the packet was received in.

use std::time::Duration;

use farpane::buffers::Payload;
use farpane::protocol::Dialect;
use farpane::protocol::packet::clipboard::{Contents, Data, Packet, Selection, Token};
use farpane::protocol::packet::pointer::{self, Cursor};
use farpane::protocol::packet::window;
use farpane::protocol::packet::{ClientPacket, Dict, Image, ServerPacket, WindowId, connection};
use farpane::session::clipboard::{ClipboardOptions, FromDesktop, ToDesktop};
use farpane::session::{CloseReason, CursorShape, PointerEvent, SessionEvent, WindowChange, WindowEvent};

use super::{Driver, changed, server_hello, setup};

/// Bytes of a picture of 8 x 8 pixels, and of what was copied.
const LEN: usize = 256;
const TEXT: &str = "UTF8_STRING";

/// A part of a receive buffer.
fn received() -> Payload {
    Payload::from(vec![3; 128 << 10]).slice(1000..1000 + LEN).expect("a part")
}

#[test]
fn kept_bytes_have_a_buffer_of_their_own() {
    let clipboard = ClipboardOptions { enabled: true, ..ClipboardOptions::default() };
    let mut driver =
        Driver::started(changed(setup(Dialect::Modern), |setup| setup.config.clipboard = clipboard));
    let (mut hello, mut caps) = (server_hello("6.5.5"), Dict::default());
    caps.push("selections", &["CLIPBOARD"][..]);
    hello.push("clipboard", caps);
    driver.packet(ServerPacket::Connection(connection::FromServer::Hello(hello)));
    let (wid, selection) = (driver.window(1, 0, 0, 100, 100), Selection::Clipboard);
    let encoding = || "BGRA".to_owned();
    let image = Image { width: 8, height: 8, encoding: encoding(), rowstride: 32, data: received() };
    driver.packet(ServerPacket::Window(window::FromServer::Icon { wid, image }));
    driver.packet(ServerPacket::Pointer(pointer::FromServer::Cursor(Cursor {
        encoding: "raw".to_owned(),
        width: 8,
        height: 8,
        hotspot_x: 0,
        hotspot_y: 0,
        serial: 1,
        data: received(),
        name: String::new(),
    })));
    let (targets, contents) = (Some(vec![TEXT.to_owned()]), None);
    driver.packet(Packet::Token(Token { selection, targets, contents, claim: true, greedy: false }).into());
    let mut events = driver.events();
    let wanted = FromDesktop::Wanted { request: 1, selection, target: TEXT.to_owned() };
    driver.input(wanted);
    let asked = driver.sent().into_iter().find_map(|packet| match packet {
        ClientPacket::Clipboard(Packet::Request { request, .. }) => Some(request),
        _ => None,
    });
    let (request, contents) = (asked.expect("the server is asked"), Contents::bytes(TEXT, received()));
    driver.packet(Packet::Contents { request, selection, contents }.into());
    events.extend(driver.events());

    let kept: Vec<(&str, Payload)> = events
        .into_iter()
        .filter_map(|event| match event {
            SessionEvent::Window(WindowEvent::Changed {
                wid: WindowId(1),
                change: WindowChange::Icon(image),
            }) => Some(("icon", image.data)),
            SessionEvent::Pointer(PointerEvent::Cursor(CursorShape::Image(cursor))) => {
                Some(("cursor", cursor.data))
            }
            SessionEvent::Clipboard(ToDesktop::Answer {
                contents: Some(Contents { data: Data::Bytes(bytes), .. }),
                ..
            }) => Some(("contents", bytes)),
            _ => None,
        })
        .collect();
    assert_eq!(kept.iter().map(|(what, _)| *what).collect::<Vec<_>>(), ["icon", "cursor", "contents"]);
    for (what, bytes) in kept {
        assert_eq!(bytes[..], [3; LEN], "{what}");
        assert!(bytes.retained_bytes() <= 2 * LEN, "the {what} keeps {} bytes", bytes.retained_bytes());
    }
}

/// While the server takes bulk data, a ping waits behind that.
#[test]
fn silence_is_excused_while_bulk_is_taken_and_not_after_it() {
    let mut driver = Driver::running(setup(Dialect::Modern));
    for _ in 0..40 {
        driver.pass(Duration::from_secs(3));
        driver.session.excuse_silence(driver.now);
    }
    assert!(driver.sent().len() >= 40, "pings go on");
    for _ in 0..20 {
        driver.pass(Duration::from_secs(3));
    }
    assert!(matches!(driver.closed(), CloseReason::Timeout(_)));
}
