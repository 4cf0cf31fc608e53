//! The demo server: what it sends to a client that speaks only the protocol, and to Xpra's own.

mod official;
mod peer;

use std::time::Duration;

use farpane::demo::Server;
use farpane::protocol::packet::ServerPacket;
use farpane::protocol::packet::connection;
use farpane::protocol::packet::draw::{
    self, DrawOutcome, Encoding, PixelCompression, RgbFormatName, WindowDraw,
};
use farpane::protocol::packet::window;
use farpane::protocol::packet::{Dict, Value, WindowId};
use farpane::protocol::{ClientPacket, Naming};

use peer::Peer;

fn start() -> Server {
    Server::start("127.0.0.1:0".parse().expect("an address")).expect("a server")
}

fn is_rgb(draw: &WindowDraw) -> bool {
    matches!(draw.encoding, Encoding::Rgb24 | Encoding::Rgb32)
}

#[test]
fn every_kind_of_draw_is_sent_and_acknowledged() {
    let server = start();
    let mut peer = Peer::attach(&server, &["rgb24", "rgb32", "h264"], &["BGRX", "RGBX", "RGB"]);
    assert_eq!(peer.naming, Naming::V66);
    let titles: Vec<&str> =
        peer.windows.iter().map(|window| window.metadata.str("title").expect("a title")).collect();
    assert_eq!(titles, ["Raw pixels", "Terminal (0 lines)", "Video", "Drawing pad"]);
    let [plasma, terminal, video, pad] = [0, 1, 2, 3].map(|at| peer.windows[at].wid);

    peer.map(plasma);
    let raw = peer.draw(|draw| draw.wid == plasma);
    assert_eq!((raw.encoding, raw.options.rgb_format), (Encoding::Rgb32, Some(RgbFormatName::Rgbx)));
    assert_eq!(raw.data.len(), (raw.width * raw.height * 4) as usize);
    assert_eq!(raw.options.pixel_compression, PixelCompression::None);

    peer.map(terminal);
    let lz4 = peer.draw(|draw| draw.wid == terminal);
    assert_eq!(lz4.options.pixel_compression, PixelCompression::Lz4);
    let size = u32::from_le_bytes(*lz4.data.first_chunk().expect("a size"));
    assert_eq!(size, lz4.rowstride * lz4.height);

    peer.map(video);
    let key = peer.draw(|draw| draw.wid == video);
    assert_eq!(key.encoding, Encoding::H264);
    assert_eq!((key.options.frame, key.options.frame_type.as_deref()), (Some(0), Some("IDR")));
    let frames: Vec<u64> = (0..5).filter_map(|_| peer.draw(|draw| draw.wid == video).options.frame).collect();
    assert_eq!(frames, [1, 2, 3, 4, 5], "no frame is left out");

    peer.map(pad);
    let paper = peer.draw(|draw| draw.wid == pad);
    assert_eq!((paper.encoding, paper.rowstride), (Encoding::Rgb24, paper.width * 3));

    // Offered when the server is known: the terminal scrolls from now on.
    let mut config = Dict::default();
    config.push("options", &["rgb24", "rgb32", "h264", "scroll"][..]);
    peer.send(&ClientPacket::Draw(draw::ToServer::EncodingConfig(config)));
    let scroll = peer.draw(|draw| draw.encoding == Encoding::Scroll);
    assert_eq!((scroll.wid, scroll.options.flush), (terminal, 1));
    assert_eq!(scroll.options.scroll.len(), 1);
    let line = peer.draw(|draw| draw.wid == terminal);
    assert!(is_rgb(&line) && line.options.flush == 0, "{line:?}");
    assert_eq!(i64::from(line.height), -i64::from(scroll.options.scroll[0].dy));
}

#[test]
fn what_was_not_offered_is_not_sent() {
    let server = start();
    let mut peer = Peer::attach(&server, &["rgb24", "rgb32"], &["BGRX"]);
    let wids: Vec<WindowId> = peer.windows.iter().map(|window| window.wid).collect();
    for wid in wids {
        peer.map(wid);
        let draw = peer.draw(|draw| draw.wid == wid);
        assert_eq!((draw.encoding, draw.options.rgb_format), (Encoding::Rgb32, Some(RgbFormatName::Bgrx)));
    }
}

/// A draw is a part of the picture: the server waits for its client, it does not skip.
#[test]
fn a_client_that_does_not_acknowledge_gets_no_more() {
    let server = start();
    let mut peer = Peer::attach(&server, &["rgb32"], &["BGRX"]);
    peer.acknowledge = false;
    let wid = peer.windows[0].wid;
    peer.map(wid);
    let draws: Vec<WindowDraw> = (0..3).map(|_| peer.draw(|draw| draw.wid == wid)).collect();
    assert!(peer.quiet(Duration::from_millis(400)), "more than three draws without an answer");
    peer.ack(&draws[0], DrawOutcome::Presented { decode_us: 10 });
    peer.draw(|draw| draw.wid == wid);
    assert!(peer.quiet(Duration::from_millis(400)));
    // One that could not be shown is sent again, whole.
    peer.ack(&draws[2], DrawOutcome::Error { message: "test".to_owned() });
    let again = peer.draw(|draw| draw.wid == wid);
    assert_eq!((again.width, again.height), (draws[0].width, draws[0].height));
}

#[test]
fn the_pad_answers_pointer_and_keys_and_opens_a_menu() {
    let server = start();
    let mut peer = Peer::attach(&server, &["rgb24", "rgb32"], &["BGRX", "RGB"]);
    let pad = peer.windows[3].clone();
    peer.map(pad.wid);
    peer.draw(|draw| draw.wid == pad.wid);

    let at = |x: i32, y: i32| (pad.x + x, pad.y + y);
    peer.button(pad.wid, 1, true, at(50, 60));
    peer.motion(pad.wid, at(90, 60));
    peer.button(pad.wid, 1, false, at(90, 60));
    // Titles come before the pixels of the same moment.
    let title = peer.packet(|packet| match packet {
        ServerPacket::Window(window::FromServer::Metadata { metadata, .. }) => {
            metadata.str("title").map(str::to_owned)
        }
        _ => None,
    });
    assert_eq!(title, "Drawing pad (1 stroke)");
    let stroke = peer.draw(|draw| draw.x + draw.width as i32 > 90);
    assert!(stroke.height <= 5 && stroke.y >= 57, "only what changed: {stroke:?}");
    peer.key(pad.wid, "a");
    let letter = peer.draw(|draw| draw.wid == pad.wid);
    assert_eq!(letter.width, 8);

    peer.button(pad.wid, 3, true, at(100, 100));
    let menu = peer.popup();
    assert_eq!((menu.x, menu.y), at(100, 100));
    assert_eq!(menu.metadata.get("transient-for").and_then(Value::as_i64), Some(pad.wid.0 as i64));
    // A popup is shown without being mapped.
    let entries = peer.draw(|draw| draw.wid == menu.wid);
    assert_eq!((entries.width, entries.height), (menu.width, menu.height));
    peer.motion(menu.wid, (menu.x + 20, menu.y + menu.height as i32 - 5));
    peer.draw(|draw| draw.wid == menu.wid);
    peer.button(menu.wid, 1, true, (menu.x + 20, menu.y + menu.height as i32 - 5));
    let gone = peer.packet(|packet| match packet {
        ServerPacket::Window(window::FromServer::Destroy { wid }) => Some(*wid),
        _ => None,
    });
    assert_eq!(gone, menu.wid);
    let cleared = peer.draw(|draw| draw.wid == pad.wid);
    assert_eq!((cleared.width, cleared.height), (pad.width, pad.height), "the last entry clears");
}

#[test]
fn windows_are_resized_refreshed_and_closed() {
    let server = start();
    let mut peer = Peer::attach(&server, &["rgb32"], &["BGRX"]);
    let [plasma, video] = [0, 2].map(|at| peer.windows[at].clone());
    peer.map(plasma.wid);
    peer.draw(|draw| draw.wid == plasma.wid);
    peer.configure(plasma.wid, (10, 20, 200, 100));
    let resized = peer.draw(|draw| (draw.width, draw.height) == (200, 100));
    assert_eq!((resized.wid, resized.x, resized.y), (plasma.wid, 0, 0));
    // The video says that it is of one size, and stays so.
    let limits = video.metadata.get_path("size-constraints").and_then(Value::as_dict).expect("limits");
    assert_eq!(limits.get("minimum-size"), limits.get("maximum-size"));
    peer.map(video.wid);
    peer.configure(video.wid, (10, 20, 200, 100));
    peer.send(&ClientPacket::Draw(draw::ToServer::Refresh { wid: video.wid, quality: 100 }));
    let whole = peer.draw(|draw| draw.wid == video.wid);
    assert_eq!((whole.width, whole.height), (video.width, video.height));
    peer.send(&ClientPacket::Window(window::ToServer::Close { wid: plasma.wid }));
    let closed = peer.packet(|packet| match packet {
        ServerPacket::Window(window::FromServer::Destroy { wid }) => Some(*wid),
        _ => None,
    });
    assert_eq!(closed, plasma.wid);
}

#[test]
fn ping_and_info_are_answered() {
    let server = start();
    let mut peer = Peer::attach(&server, &["rgb32"], &["BGRX"]);
    peer.send(&ClientPacket::Connection(connection::ToServer::Ping { monotonic_ms: 4711 }));
    let echoed = peer.packet(|packet| match packet {
        ServerPacket::Connection(connection::FromServer::PingEcho(echo)) => Some(echo.monotonic_ms),
        _ => None,
    });
    assert_eq!(echoed, 4711);
    peer.send(&ClientPacket::Connection(connection::ToServer::InfoRequest));
    let info = peer.packet(|packet| match packet {
        ServerPacket::Connection(connection::FromServer::InfoResponse(info)) => Some(info.clone()),
        _ => None,
    });
    assert_eq!(info.str("server"), Some("farpane demo"));
}

#[test]
fn clients_come_one_after_another_and_side_by_side() {
    let server = start();
    let mut first = Peer::attach(&server, &["rgb32"], &["BGRX"]);
    for _ in 0..3 {
        let mut peer = Peer::attach(&server, &["rgb32"], &["BGRX"]);
        let wid = peer.windows[0].wid;
        peer.map(wid);
        peer.draw(|draw| draw.wid == wid);
    }
    let wid = first.windows[0].wid;
    first.map(wid);
    first.draw(|draw| draw.wid == wid);
}

#[test]
fn who_does_not_speak_the_protocol_is_dropped_alone() {
    let server = start();
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 64], b"P\x10\0\0\xff\xff\xff\xff"] {
        assert!(peer::is_dropped(&server, bytes));
    }
    let early = peer::packet_bytes(&ClientPacket::Connection(connection::ToServer::Ping { monotonic_ms: 1 }));
    assert!(peer::is_dropped(&server, &early));
    Peer::attach(&server, &["rgb32"], &["BGRX"]);
}

#[test]
fn the_server_says_goodbye_when_it_stops() {
    let server = start();
    let mut peer = Peer::attach(&server, &["rgb32"], &["BGRX"]);
    drop(server);
    let reasons = peer.packet(|packet| match packet {
        ServerPacket::Connection(connection::FromServer::Close { reasons }) => Some(reasons.clone()),
        _ => None,
    });
    assert_eq!(reasons, ["server shutdown"]);
}
