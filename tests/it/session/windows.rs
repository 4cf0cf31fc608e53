//! The window model: what the server says, what the desktop does, and that the two do not answer
//! each other forever.

use farpane::geometry::Point;
use farpane::protocol::Bounds;
use farpane::protocol::Dialect;
use farpane::protocol::packet::draw::{self, Encoding};
use farpane::protocol::packet::window::{self, WindowGeometry, WindowMoveResize};
use farpane::protocol::packet::{ClientPacket, Image, ServerPacket};
use farpane::protocol::packet::{Dict, Value, WindowId};
use farpane::session::windows::SizeLimits;
use farpane::session::windows::{MAX_WINDOW_SIDE, MAX_WINDOWS};
use farpane::session::{
    DrawInput, Input, Output, SessionEvent, WindowChange, WindowEvent, WindowInfo, WindowInput, WindowState,
};

use super::draws::draw;
use super::{Driver, create, dict, setup, size};

fn pair(a: i32, b: i32) -> Value {
    Value::List(vec![a.into(), b.into()])
}

fn running() -> Driver {
    Driver::running(setup(Dialect::Modern))
}

/// The window that a `window-create` with this metadata makes.
#[track_caller]
fn created(metadata: Dict) -> WindowInfo {
    let mut driver = running();
    let events = driver.packet(create(7, 10, 20, 300, 200, metadata)).events();
    match &events[..] {
        [SessionEvent::Window(WindowEvent::Created(info))] => (**info).clone(),
        other => panic!("not one window but {other:?}"),
    }
}

#[track_caller]
fn geometry(driver: &mut Driver) -> WindowGeometry {
    match driver.sent().pop() {
        Some(
            ClientPacket::Window(window::ToServer::Map(geometry))
            | ClientPacket::Window(window::ToServer::Configure(geometry)),
        ) => geometry,
        other => panic!("no geometry but {other:?}"),
    }
}

fn configured(wid: WindowId, x: i32, y: i32, width: u32, height: u32) -> Input {
    Input::Window(WindowInput::Configured {
        wid,
        x,
        y,
        size: size(width, height),
        state: WindowState::default(),
    })
}

/// Of a window that has everything.
fn rich_metadata() -> Dict {
    dict(&[
        ("title", Value::Bytes("Grüße\n\u{7f}".as_bytes().into())),
        ("class-instance", (&["xterm", "XTerm"][..]).into()),
        ("window-type", (&["_NET_WM_WINDOW_TYPE_DIALOG", "NORMAL"][..]).into()),
        ("transient-for", 3.into()),
        ("modal", 1.into()),
        ("decorations", 0.into()),
        ("has-alpha", true.into()),
        ("skip-taskbar", true.into()),
        ("maximized", true.into()),
        ("iconic", 1.into()),
        ("set-initial-position", true.into()),
        (
            "size-constraints",
            dict(&[
                ("minimum-size", pair(10, 17)),
                ("maximum-size", pair(5, 99999)),
                ("base-size", pair(4, 4)),
                ("increment", pair(6, 13)),
            ])
            .into(),
        ),
    ])
}

#[test]
fn somebody_who_comes_later_is_told_the_windows_as_they_are_now() {
    let mut first = running();
    assert_eq!(Driver::started(setup(Dialect::Modern)).session.snapshot(), []);
    first.packet(create(7, 10, 20, 300, 200, rich_metadata()));
    first.packet(create(8, 1, 2, 30, 20, dict(&[("override-redirect", true.into())])));
    first.packet(create(9, 0, 0, 10, 10, Dict::default()));
    let (wid, title) = (WindowId(7), Value::from("renamed"));
    first.packet(ServerPacket::Window(window::FromServer::Metadata {
        wid,
        metadata: dict(&[("title", title), ("modal", false.into())]),
    }));
    first.input(WindowInput::Mapped { wid, x: 10, y: 20, size: size(300, 200) });
    first.input(configured(wid, 15, 25, 310, 210));
    first.packet(ServerPacket::Window(window::FromServer::Destroy { wid: WindowId(9) }));
    let snapshot = first.session.snapshot();
    let names: Vec<&str> = snapshot.iter().map(ServerPacket::name).collect();
    assert_eq!(names, ["hello", "window-create", "window-create", "startup-complete"]);

    let mut second = running();
    let mut told = Vec::new();
    for packet in snapshot.into_iter().skip(1) {
        for event in second.packet(packet).events() {
            if let SessionEvent::Window(WindowEvent::Created(info)) = event {
                told.push(format!("{info:?}"));
            }
        }
    }
    let WindowInfo { title, x, y, size: shown, modal, .. } = created(rich_metadata());
    assert_eq!((title.as_str(), x, y, shown, modal), ("Grüße", 10, 20, size(300, 200), true));
    let now = WindowInfo {
        title: "renamed".to_owned(),
        x: 15,
        y: 25,
        size: size(310, 210),
        state: WindowState::default(),
        modal: false,
        ..created(rich_metadata())
    };
    assert_eq!(told[0], format!("{now:?}"));
    assert!(told.len() == 2 && told[1].contains("override_redirect: true"), "{told:#?}");
}

#[test]
fn metadata_is_understood() {
    let info = created(rich_metadata());
    assert_eq!(info.title, "Grüße");
    assert_eq!(info.class, ("xterm".to_owned(), "XTerm".to_owned()));
    assert_eq!(info.window_types, ["DIALOG", "NORMAL"]);
    assert_eq!(info.parent, Some(WindowId(3)));
    assert!(info.modal && info.has_alpha && info.skip_taskbar && info.has_position && !info.decorations);
    assert!(info.state.maximized && info.state.iconified && !info.state.fullscreen);
    let limits = SizeLimits {
        min: Some(size(10, 17)),
        max: Some(size(10, 32767)),
        base: Some(size(4, 4)),
        increment: Some(size(6, 13)),
    };
    assert_eq!(info.size_limits, limits);
    assert_eq!((info.x, info.y, info.size), (10, 20, size(300, 200)));
}

#[test]
fn nonsense_in_metadata_does_no_harm() {
    let info = created(Dict(vec![
        (Value::Int(5), Value::Null),
        ("title".into(), Value::Bytes(vec![0xff; 9000])),
        ("class-instance".into(), "x".into()),
        ("size-constraints".into(), dict(&[("increment", pair(0, -3)), ("base-size", "x".into())]).into()),
        ("window-type".into(), vec![Value::from("A"); 10_000].into()),
        ("transient-for".into(), (-1).into()),
        ("modal".into(), Value::Float(1.0)),
    ]));
    assert_eq!(info.title.chars().count(), 512);
    assert_eq!(info.size_limits, SizeLimits::default());
    assert_eq!(info.window_types.len(), 16);
    assert_eq!(info.parent, None);
    assert!(info.decorations && !info.modal);
}

#[test]
fn backings_come_before_their_windows_and_draws() {
    let mut driver = running();
    let outputs = driver.packet(create(7, 0, 0, 0, 5, Dict::default())).take();
    assert!(matches!(
        outputs[..],
        [
            Output::Backing { wid: WindowId(7), size: Some(s) },
            Output::Event(SessionEvent::Window(WindowEvent::Created(_))),
        ] if s == size(1, 5)
    ));
    let outputs =
        driver.packet(ServerPacket::Window(window::FromServer::Destroy { wid: WindowId(7) })).take();
    assert!(matches!(
        outputs[..],
        [
            Output::Backing { wid: WindowId(7), size: None },
            Output::Event(SessionEvent::Window(WindowEvent::Destroyed { wid: WindowId(7) })),
        ]
    ));
    assert!(
        driver
            .packet(ServerPacket::Window(window::FromServer::Destroy { wid: WindowId(7) }))
            .take()
            .is_empty()
    );
}

/// Windows of our own are no business of the session's: servers number theirs as they like.
#[test]
fn windows_may_have_any_number() {
    for wid in [1, 1 << 63, u64::MAX] {
        let mut driver = running();
        let metadata = dict(&[("transient-for", wid.into())]);
        let outputs = driver.packet(create(wid, 0, 0, 10, 10, metadata)).take();
        assert!(
            matches!(&outputs[..], [
                Output::Backing { wid: backing, .. },
                Output::Event(SessionEvent::Window(WindowEvent::Created(info))),
            ] if *backing == WindowId(wid) && info.wid == WindowId(wid) && info.parent == Some(WindowId(wid))),
            "{outputs:?}"
        );
        driver.input(WindowInput::Mapped { wid: WindowId(wid), x: 0, y: 0, size: size(10, 10) });
        assert_eq!(geometry(&mut driver).wid, WindowId(wid));
    }
}

#[test]
fn too_many_or_too_large_windows_are_left_out() {
    let notices = |outputs: &[Output]| {
        outputs.iter().filter(|output| matches!(output, Output::Event(SessionEvent::Notice(_)))).count()
    };
    let left_out = |driver: &mut Driver, wid: u64, width: u32, height: u32| {
        let outputs = driver.packet(create(wid, 0, 0, width, height, Dict::default())).take();
        assert!(driver.session.window(WindowId(wid)).is_none(), "{width} x {height}");
        notices(&outputs)
    };
    let mut driver = running();
    assert_eq!(left_out(&mut driver, 1, MAX_WINDOW_SIDE + 1, 1), 1);
    // The user is told once.
    assert_eq!(left_out(&mut driver, 1, 16_000, 16_000), 0);

    let mut driver = running();
    let limit = u64::try_from(MAX_WINDOWS).expect("a number");
    for wid in 1..=limit {
        driver.window(wid, 0, 0, 1, 1);
    }
    assert_eq!(left_out(&mut driver, limit + 1, 1, 1), 1);
    driver.packet(ServerPacket::Window(window::FromServer::Destroy { wid: WindowId(1) })).take();
    driver.window(limit + 1, 0, 0, 1, 1);
    assert!(driver.session.window(WindowId(limit + 1)).is_some(), "there is room again");

    // In sum: each of them would fit.
    let mut driver = running();
    let refused = (1..=100).map(|wid| {
        let outputs = driver.packet(create(wid, 0, 0, 1920, 1080, Dict::default())).take();
        notices(&outputs)
    });
    assert_eq!(refused.sum::<usize>(), 1);
    let shown = (1..=100).filter(|wid| driver.session.window(WindowId(*wid)).is_some()).count() as u64;
    let most = Bounds::of_desktop(1280, 800).windows_bytes();
    assert_eq!(shown, most / (1920 * 1080 * 4));

    let mut driver = running();
    driver.window(1, 0, 0, 10, 10);
    let (wid, resize_counter) = (WindowId(1), 1);
    let too_large =
        ServerPacket::Window(window::FromServer::Resized { wid, width: u32::MAX, height: 1, resize_counter });
    assert_eq!(notices(&driver.packet(too_large).take()), 1);
    assert_eq!(driver.session.window(wid).expect("it stays").size, size(10, 10));
}

#[test]
fn a_tray_is_left_out() {
    let mut driver = running();
    driver.packet(create(1, 0, 0, 16, 16, dict(&[("tray", true.into())])));
    assert!(driver.take().is_empty());
}

#[test]
fn mapping_tells_the_place_and_the_resize_counter() {
    let mut driver = running();
    let wid = driver.window(7, 10, 20, 300, 200);
    driver.input(configured(wid, 1, 1, 5, 5));
    assert!(driver.take().is_empty(), "not shown yet");
    driver
        .packet(ServerPacket::Window(window::FromServer::Resized {
            wid,
            width: 310,
            height: 200,
            resize_counter: 4,
        }))
        .take();
    driver.input(WindowInput::Mapped { wid, x: 50, y: 60, size: size(310, 200) });
    let told = geometry(&mut driver);
    assert_eq!((told.x, told.y, told.width, told.height, told.resize_counter), (50, 60, 310, 200, 4));
}

#[test]
fn the_users_resize_is_told_once_with_its_backing_first() {
    let mut driver = running();
    let wid = driver.window(7, 0, 0, 300, 200);
    driver.input(WindowInput::Mapped { wid, x: 0, y: 0, size: size(300, 200) }).take();
    let outputs = driver.input(configured(wid, 0, 0, 400, 250)).take();
    assert!(matches!(
        &outputs[..],
        [
            Output::Backing { size: Some(s), .. },
            Output::Send(ClientPacket::Window(window::ToServer::Configure(_))),
        ] if *s == size(400, 250)
    ));
    assert!(driver.input(configured(wid, 0, 0, 400, 250)).take().is_empty());
    driver.input(configured(wid, 5, 0, 400, 250));
    let told = geometry(&mut driver);
    assert_eq!((told.x, told.state), (5, Dict::default()));
    let state = WindowState { maximized: true, ..WindowState::default() };
    driver.input(WindowInput::Configured { wid, x: 5, y: 0, size: size(400, 250), state });
    assert_eq!(geometry(&mut driver).state, dict(&[("maximized", true.into())]));
}

#[test]
fn the_servers_resize_is_not_echoed() {
    let mut driver = running();
    let wid = driver.window(7, 0, 0, 300, 200);
    driver.input(WindowInput::Mapped { wid, x: 0, y: 0, size: size(300, 200) }).take();
    let moved = WindowMoveResize { wid, x: 30, y: 40, width: 320, height: 240, resize_counter: 2 };
    let outputs = driver.packet(ServerPacket::Window(window::FromServer::MoveResize(moved))).take();
    assert!(matches!(
        &outputs[..],
        [
            Output::Backing { .. },
            Output::Event(SessionEvent::Window(WindowEvent::Changed {
                change: WindowChange::Geometry { position: Some(Point { x: 30, y: 40 }), size: s },
                ..
            })),
        ] if *s == size(320, 240)
    ));
    assert!(driver.input(configured(wid, 30, 40, 320, 240)).take().is_empty(), "that was the server's doing");
    // Something that was said before the viewer knew of that was in between.
    driver.input(configured(wid, 1, 2, 320, 240)).take();
    driver.input(WindowInput::ToldAgain { wid, x: 30, y: 40, size: size(320, 240) });
    let again = geometry(&mut driver);
    assert_eq!((again.x, again.y, again.width, again.height, again.resize_counter), (30, 40, 320, 240, 2));
    driver.input(configured(wid, 30, 40, 330, 240));
    assert_eq!(geometry(&mut driver).resize_counter, 2);
    // an older counter does not go back
    driver
        .packet(ServerPacket::Window(window::FromServer::Resized {
            wid,
            width: 340,
            height: 240,
            resize_counter: 1,
        }))
        .take();
    driver.input(configured(wid, 31, 40, 340, 240));
    assert_eq!(geometry(&mut driver).resize_counter, 2);
}

/// The server's first draw shows that it knows where the window is: what it says after that is the last word, but for the
/// place, which it has to hear.
#[test]
fn a_server_that_has_drawn_a_window_is_told_of_another_place_only() {
    let mut driver = running();
    let wid = driver.window(7, 0, 0, 300, 200);
    driver.input(WindowInput::Mapped { wid, x: 0, y: 0, size: size(300, 200) });
    let says = |x| {
        let (width, height) = (300, 200);
        ServerPacket::Window(window::FromServer::MoveResize(WindowMoveResize {
            wid,
            x,
            y: 40,
            width,
            height,
            resize_counter: 0,
        }))
    };
    let again = |driver: &mut Driver, x| {
        driver.input(WindowInput::ToldAgain { wid, x, y: 40, size: size(300, 200) });
        driver
            .sent()
            .iter()
            .filter(|packet| matches!(packet, ClientPacket::Window(window::ToServer::Configure(_))))
            .count()
    };
    driver.packet(says(30)).take();
    assert_eq!(again(&mut driver, 30), 1, "it may not know yet that the window is shown");
    driver.packet(draw(7, 1, Encoding::Png)).packet(says(30)).take();
    assert_eq!(again(&mut driver, 30), 0);
    driver.packet(says(31)).take();
    assert_eq!(again(&mut driver, 31), 1, "it takes the pointer for relative to the place before");
    driver.input(configured(wid, 50, 60, 300, 200)).packet(draw(7, 2, Encoding::Png)).packet(says(32)).take();
    assert_eq!(again(&mut driver, 32), 1, "it may have drawn before it knew");
}

#[test]
fn popups_are_placed_by_the_server_alone() {
    let mut driver = running();
    driver.packet(create(7, 10, 20, 30, 40, dict(&[("override-redirect", true.into())]))).take();
    let wid = WindowId(7);
    driver.input(WindowInput::Mapped { wid, x: 1, y: 2, size: size(30, 40) });
    driver.input(configured(wid, 3, 4, 30, 40)).input(WindowInput::ToldAgain {
        wid,
        x: 3,
        y: 4,
        size: size(30, 40),
    });
    driver.input(WindowInput::Unmapped { wid, iconified: false });
    assert!(driver.take().is_empty());
}

#[test]
fn metadata_updates_become_changes() {
    let check = |update: Dict, expect: fn(&WindowChange) -> bool| {
        let mut driver = running();
        let wid = driver.window(7, 0, 0, 300, 200);
        driver.packet(ServerPacket::Window(window::FromServer::Metadata { wid, metadata: update.clone() }));
        let events = driver.events();
        let found = events.iter().any(|event| match event {
            SessionEvent::Window(WindowEvent::Changed { change, .. }) => expect(change),
            _ => false,
        });
        assert!(found && events.len() == 1, "{update:?} made {events:?}");
        driver.packet(ServerPacket::Window(window::FromServer::Metadata { wid, metadata: update }));
        assert!(driver.take().is_empty(), "said twice, changed once");
    };
    check(dict(&[("title", "new".into())]), |c| matches!(c, WindowChange::Title(t) if t == "new"));
    check(dict(&[("fullscreen", true.into())]), |c| matches!(c, WindowChange::State(s) if s.fullscreen));
    check(dict(&[("decorations", false.into())]), |c| matches!(c, WindowChange::Decorations(false)));
    check(dict(&[("transient-for", 2.into())]), |c| matches!(c, WindowChange::Parent(Some(WindowId(2)))));
    check(dict(&[("modal", true.into())]), |c| matches!(c, WindowChange::Hints(info) if info.modal));
    let limits = dict(&[("size-constraints", dict(&[("minimum-size", pair(9, 9))]).into())]);
    check(limits, |c| matches!(c, WindowChange::SizeLimits(l) if l.min == Some(size(9, 9))));
}

#[test]
fn icons_of_a_sane_size_are_shown() {
    let mut driver = running();
    let wid = driver.window(7, 0, 0, 300, 200);
    let mut icon = |width: u32, data: Vec<u8>| {
        let image = Image { width, height: 16, encoding: "png".to_owned(), rowstride: 0, data: data.into() };
        driver.packet(ServerPacket::Window(window::FromServer::Icon { wid, image })).events().len()
    };
    assert_eq!(icon(16, vec![1]), 1);
    assert_eq!(icon(0, vec![1]), 0);
    assert_eq!(icon(100_000, vec![1]), 0);
    assert_eq!(icon(16, vec![]), 0);
}

#[test]
fn requests_about_unknown_windows_go_nowhere() {
    let mut driver = running();
    let wid = WindowId(99);
    driver
        .input(WindowInput::Mapped { wid, x: 0, y: 0, size: size(5, 5) })
        .input(configured(wid, 0, 0, 5, 5))
        .input(WindowInput::Unmapped { wid, iconified: true })
        .input(WindowInput::CloseRequested { wid })
        .input(DrawInput::Refresh { wid })
        .packet(ServerPacket::Window(window::FromServer::Raise { wid }))
        .packet(ServerPacket::Window(window::FromServer::Metadata { wid, metadata: Dict::default() }))
        .packet(ServerPacket::Window(window::FromServer::Restack { wid, detail: 0, sibling: 0 }));
    assert!(driver.take().is_empty());
}

#[test]
fn closing_asks_the_server_and_keeps_the_window() {
    let mut driver = running();
    let wid = driver.window(7, 0, 0, 300, 200);
    assert_eq!(
        driver.input(WindowInput::CloseRequested { wid }).sent(),
        [ClientPacket::Window(window::ToServer::Close { wid })]
    );
    assert!(driver.session.window(wid).is_some());
    let refresh = ClientPacket::Draw(draw::ToServer::Refresh { wid, quality: 100 });
    assert_eq!(driver.input(DrawInput::Refresh { wid }).sent(), [refresh]);
}
