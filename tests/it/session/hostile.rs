//! Whatever a server says in the open maps, and in whatever order: no panic, and bounded answers.

use std::time::Duration;

use farpane::protocol::Dialect;
use farpane::protocol::packet::connection::{self, Challenge, PingEcho};
use farpane::protocol::packet::pointer::{self, Cursor};
use farpane::protocol::packet::window::{self, WindowBell, WindowMoveResize};
use farpane::protocol::packet::{Dict, Value, WindowId};
use farpane::protocol::packet::{Image, ServerPacket};
use farpane::session::{WindowInput, WindowState};
use proptest::prelude::*;

use super::{Driver, create, setup, size};

/// Keys that mean something to the session, so that the values get somewhere.
const KEYS: &[&str] = &[
    "version",
    "display",
    "max_desktop_size",
    "desktop_size",
    "encodings",
    "core",
    "wheel.precise",
    "wheel",
    "precise",
    "session-type",
    "server.mode",
    "platform",
    "compressors",
    "lz4",
    "title",
    "class-instance",
    "size-constraints",
    "minimum-size",
    "maximum-size",
    "increment",
    "base-size",
    "window-type",
    "transient-for",
    "parent",
    "decorations",
    "maximized",
    "desktop",
    "override-redirect",
    "set-initial-position",
    "",
];

fn value() -> impl Strategy<Value = Value> {
    let extreme = prop_oneof![Just(0), Just(-1), Just(1), Just(i64::MAX), Just(i64::MIN), any::<i64>()];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        extreme.prop_map(Value::Int),
        any::<u64>().prop_map(Value::Big),
        any::<f64>().prop_map(Value::Float),
        ".{0,12}".prop_map(Value::Str),
        "[0-9]{1,30}\\.[0-9]{0,30}".prop_map(Value::Str),
        proptest::collection::vec(any::<u8>(), 0..12).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            entries(inner).prop_map(Value::Dict),
        ]
    })
}

fn entries(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Dict> {
    let key = prop_oneof![
        4 => (0..KEYS.len()).prop_map(|index| Value::from(KEYS[index])),
        1 => any::<i64>().prop_map(Value::Int),
    ];
    proptest::collection::vec((key, value), 0..8).prop_map(Dict)
}

fn map() -> impl Strategy<Value = Dict> {
    entries(value())
}

fn side() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), 1..200u32, Just(16384), Just(16385), Just(u32::MAX)]
}

fn wid() -> impl Strategy<Value = WindowId> {
    prop_oneof![4 => 1..4u64, 1 => any::<u64>()].prop_map(WindowId)
}

fn packet() -> impl Strategy<Value = ServerPacket> {
    let text = || ".{0,20}";
    let data = || proptest::collection::vec(any::<u8>(), 0..8);
    prop_oneof![
        map().prop_map(|packet| ServerPacket::Connection(connection::FromServer::Hello(packet))),
        map().prop_map(|packet| ServerPacket::Connection(connection::FromServer::InfoResponse(packet))),
        (wid(), any::<i32>(), any::<i32>(), side(), side(), map())
            .prop_map(|(wid, x, y, width, height, metadata)| create(wid.0, x, y, width, height, metadata)),
        (wid(), map())
            .prop_map(|(wid, metadata)| ServerPacket::Window(window::FromServer::Metadata { wid, metadata })),
        (wid(), any::<i32>(), any::<i32>(), side(), side(), any::<u64>()).prop_map(
            |(wid, x, y, width, height, resize_counter)| {
                ServerPacket::Window(window::FromServer::MoveResize(WindowMoveResize {
                    wid,
                    x,
                    y,
                    width,
                    height,
                    resize_counter,
                }))
            }
        ),
        wid().prop_map(|wid| ServerPacket::Window(window::FromServer::Destroy { wid })),
        (wid(), side(), side(), text(), data()).prop_map(|(wid, width, height, encoding, data)| {
            let image = Image { width, height, encoding, rowstride: 0, data: data.into() };
            ServerPacket::Window(window::FromServer::Icon { wid, image })
        }),
        (side(), side(), data()).prop_map(|(width, height, data)| {
            ServerPacket::Pointer(pointer::FromServer::Cursor(Cursor {
                encoding: "raw".to_owned(),
                width,
                height,
                hotspot_x: u32::MAX,
                hotspot_y: 0,
                serial: 0,
                data: data.into(),
                name: String::new(),
            }))
        }),
        (data(), map(), text(), text()).prop_map(|(salt, auth_caps, digest, salt_digest)| {
            let prompt = Some(digest.clone());
            ServerPacket::Connection(connection::FromServer::Challenge(Challenge {
                salt,
                auth_caps,
                digest,
                salt_digest,
                prompt,
            }))
        }),
        (any::<u64>(), any::<i64>()).prop_map(|(monotonic_ms, latency_ms)| {
            ServerPacket::Connection(connection::FromServer::PingEcho(PingEcho {
                monotonic_ms,
                load: [u64::MAX; 3],
                latency_ms,
                sid: None,
            }))
        }),
        (any::<Option<u64>>(), any::<i32>()).prop_map(|(wid, n)| {
            let name = String::new();
            ServerPacket::Window(window::FromServer::Bell(WindowBell {
                wid: wid.map(WindowId),
                percent: n,
                pitch: n,
                duration_ms: n,
                name,
            }))
        }),
        proptest::collection::vec(text(), 0..3)
            .prop_map(|reasons| ServerPacket::Connection(connection::FromServer::Close { reasons })),
    ]
}

proptest! {
    #[test]
    fn no_server_can_make_the_session_panic(
        legacy in any::<bool>(),
        hello in map(),
        packets in proptest::collection::vec(packet(), 0..20),
        late in any::<bool>(),
    ) {
        let dialect = if legacy { Dialect::Legacy31 } else { Dialect::Modern };
        let mut driver = Driver::started(setup(dialect));
        if !late {
            driver.packet(ServerPacket::Connection(connection::FromServer::Hello(hello)));
        }
        for packet in packets {
            driver.packet(packet).pass(Duration::from_secs(1));
            // the desktop answers what it is told
            for wid in 1..4u64 {
                let wid = WindowId(wid);
                if let Some(info) = driver.session.window(wid).cloned() {
                    prop_assert!((1..=16384).contains(&info.size.width) && (1..=16384).contains(&info.size.height));
                    driver.input(WindowInput::Mapped { wid, x: info.x, y: info.y, size: info.size });
                    let state = WindowState::default();
                    driver.input(WindowInput::Configured { wid, x: 0, y: 0, size: size(7, 7), state });
                }
            }
            driver.take();
        }
    }
}
