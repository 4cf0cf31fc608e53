//! What becomes of video that cannot be read: pictures come instead.

use farpane::protocol::Dialect;
use farpane::protocol::packet::draw::{self, DrawOptions, DrawOutcome, Encoding, WindowDraw};
use farpane::protocol::packet::window;
use farpane::protocol::packet::{ClientPacket, ServerPacket};
use farpane::protocol::packet::{Dict, DrawSequence, ShortName, Value, WindowId};
use farpane::session::{DrawDone, Output};

use super::{Driver, setup, size};

/// What the session sends besides the acknowledgement when a frame ends like this.
fn after(driver: &mut Driver, sequence: u64, options: DrawOptions, refused: bool) -> Vec<ClientPacket> {
    driver.packet(ServerPacket::Draw(draw::FromServer::Draw(WindowDraw {
        wid: WindowId(5),
        x: 0,
        y: 0,
        width: 20,
        height: 10,
        encoding: Encoding::H264,
        data: vec![1, 2, 3].into(),
        sequence: DrawSequence(sequence),
        rowstride: 0,
        options,
    })));
    let request = driver.take().into_iter().find_map(|output| match output {
        Output::Draw(request) => Some(request),
        _ => None,
    });
    let request = request.expect("a request");
    let outcome = if refused {
        DrawOutcome::Error { message: "no".to_owned() }
    } else {
        DrawOutcome::Presented { decode_us: 1 }
    };
    let done = DrawDone {
        wid: request.wid,
        sequence: request.sequence,
        size: size(20, 10),
        encoding: request.encoding,
        outcome,
        trace: request.trace,
    };
    driver.done(&done);
    driver
        .sent()
        .into_iter()
        .filter(|packet| !matches!(packet, ClientPacket::Draw(draw::ToServer::Ack(_))))
        .collect()
}

fn frame(number: u64) -> DrawOptions {
    DrawOptions { frame: Some(number), ..DrawOptions::default() }
}

#[track_caller]
fn assert_pictures_only(sent: &[ClientPacket]) {
    let [
        ClientPacket::Window(window::ToServer::Configure(configured)),
        ClientPacket::Draw(draw::ToServer::Refresh { wid, .. }),
    ] = sent
    else {
        panic!("expected pictures and a refresh: {sent:?}");
    };
    assert_eq!((configured.wid, *wid), (WindowId(5), WindowId(5)));
    assert!(configured.skip_geometry, "the window stays where it is");
    let modes = configured.client_properties.get("encoding.full_csc_modes").expect("what may come");
    let text = format!("{modes:?}");
    assert!(text.contains("webp") && !text.contains("h264"), "{text}");
}

#[test]
fn a_refused_key_frame_ends_the_windows_video() {
    for dialect in [Dialect::Modern, Dialect::Legacy31] {
        let first = [frame(0), DrawOptions { frame_type: ShortName::new("IDR"), ..frame(7) }];
        for options in first {
            let mut driver = Driver::running(setup(dialect));
            driver.window(5, 30, 40, 100, 100);
            assert!(after(&mut driver, 1, frame(0), false).is_empty());
            assert_pictures_only(&after(&mut driver, 2, options, true));
            // What was on its way already.
            assert!(after(&mut driver, 3, frame(1), true).is_empty());
            assert!(after(&mut driver, 4, frame(0), true).is_empty());
        }
    }
}

#[test]
fn a_missed_frame_is_asked_for_and_forgiven() {
    let mut driver = Driver::running(setup(Dialect::Modern));
    driver.window(5, 0, 0, 100, 100);
    for round in 0..20 {
        let sequence = 10 * round;
        assert!(after(&mut driver, sequence + 1, frame(0), false).is_empty());
        let refresh = ClientPacket::Draw(draw::ToServer::Refresh { wid: WindowId(5), quality: 100 });
        assert_eq!(after(&mut driver, sequence + 2, frame(1), true), [refresh]);
        assert!(after(&mut driver, sequence + 3, frame(2), true).is_empty(), "one refresh for all of them");
    }
    assert!(after(&mut driver, 301, frame(0), false).is_empty());
    assert_eq!(after(&mut driver, 302, frame(1), true).len(), 1);
    assert!(after(&mut driver, 303, frame(2), true).is_empty());
    assert_pictures_only(&after(&mut driver, 304, frame(3), true));
}

#[test]
fn video_alone_is_never_offered() {
    for dialect in [Dialect::Modern, Dialect::Legacy31] {
        for only in [vec![Encoding::H264], vec![Encoding::Scroll], vec![Encoding::H264, Encoding::Scroll]] {
            let mut setup = setup(dialect);
            setup.config.pictures.encodings = only;
            let hello = Driver::started(setup).hello();
            let text = format!("{hello:?}");
            assert!(text.contains("rgb24") && text.contains("rgb32"), "{dialect:?}: {text}");
        }
    }
}

/// 6.5.5 takes names with dots apart: asked for `h264.YUV420P.profile`, it finds a map in a map, and never a
/// key with a dot inside a map.
#[test]
fn the_wish_for_a_profile_is_said_as_each_generation_reads_it() {
    let hello = Driver::started(setup(Dialect::Modern)).hello();
    let map = |dict: &Dict, key: &str| dict.get(key).and_then(Value::as_dict).cloned().expect("a map");
    let h264 = map(&map(&hello, "encoding"), "h264");
    let profile = |dict: &Dict| dict.get("profile").and_then(Value::as_str).map(str::to_owned);
    assert_eq!(profile(&h264).as_deref(), Some("baseline"));
    assert_eq!(profile(&map(&h264, "YUV420P")).as_deref(), Some("baseline"));
    assert_eq!(h264.get("fast-decode"), None, "it makes High streams without arithmetic coding");
    let hello = Driver::started(setup(Dialect::Legacy31)).hello();
    let has = |key: &str| hello.0.iter().any(|(name, _)| name.as_str() == Some(key));
    assert!(has("encoding.h264.YUV420P.profile") && !has("encoding.h264.fast-decode"));
}
