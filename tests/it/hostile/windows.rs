//! Windows, their metadata, icons, cursors, and everything else that is said besides draws.

use farpane::protocol::packet::draw;
use farpane::protocol::packet::{Dict, Value};

use super::draws::picture;
use super::peer::{self, BAD, Draw, Peer};
use super::{Case, Right, case, raw};

fn goes_on(name: impl Into<String>, act: impl Fn(&mut Peer) + 'static) -> Case {
    case(name, Right::Answered, act)
}

fn metadata(key: &str, value: Value) -> Vec<u8> {
    raw::packet(&["window-metadata".into(), BAD.into(), raw::dict(&[(key, value)])])
}

fn destroy(wid: i64) -> Vec<u8> {
    raw::ints("window-destroy", &[wid])
}

/// The cases.
pub fn table() -> Vec<Case> {
    let mut table = Vec::new();
    sizes(&mut table);
    told(&mut table);
    small_pictures(&mut table);
    others(&mut table);
    table
}

fn sizes(table: &mut Vec<Case>) {
    for (width, height) in [(16_385, 16), (16, 65_535), (65_535, 65_535), (16_000, 16_000), (6_000, 4_000)] {
        table.push(case(format!("a window of {width} x {height}"), Right::Refused, move |peer| {
            peer.send(&raw::window(10, width, height, &[]));
            peer.draw(&Draw { wid: 10, ..Draw::with("png", (32, 32), picture("png", 32, 32)) });
            peer.send(&destroy(10));
        }));
        table.push(case(format!("a window that becomes {width} x {height}"), Right::Shown, move |peer| {
            peer.send(&raw::ints("window-resized", &[BAD, width, height, 1]));
            peer.draw(&Draw::with("png", (32, 32), picture("png", 32, 32)));
            peer.send(&raw::ints("window-move-resize", &[BAD, 0, 0, width, height, 1]));
            peer.draw(&Draw::with("png", (32, 32), picture("png", 32, 32)));
        }));
    }
    table.push(case("a window of nothing", Right::Shown, |peer| {
        peer.send(&raw::window(10, 0, 0, &[]));
        peer.draw(&Draw { wid: 10, ..Draw::with("png", (32, 32), picture("png", 32, 32)) });
        peer.settle();
        peer.send(&destroy(10));
    }));
    for at in [i64::from(i32::MIN), i64::from(i32::MAX), 40_000, -40_000] {
        table.push(goes_on(format!("a window at {at}"), move |peer| {
            peer.send(&raw::ints("window-move-resize", &[BAD, at, at, 400, 300, 1]));
            peer.send(&raw::ints("window-move-resize", &[BAD, 50, 50, 400, 300, 2]));
        }));
    }
    table.push(goes_on("a window made twice", |peer| {
        (0..2).for_each(|_| peer.send(&raw::window(10, 50, 50, &[])));
        peer.send(&destroy(10));
    }));
    table.push(goes_on("a window made and destroyed 200 times", |peer| {
        for _ in 0..200 {
            peer.send(&raw::window(10, 50, 50, &[]));
            peer.send(&destroy(10));
        }
    }));
    table.push(case("windows with the largest numbers", Right::Shown, |peer| {
        let wids = [1_u64 << 63, (1 << 63) + 1, u64::MAX];
        for wid in wids {
            let create = ["window-create".into(), wid.into(), 0.into(), 0.into(), 50.into(), 50.into()];
            let create = create.into_iter().chain([raw::dict(&[])]).collect::<Vec<Value>>();
            peer.packet(&create);
            peer.draw_in(wid, &Draw::with("png", (32, 32), picture("png", 32, 32)));
        }
        peer.settle();
        wids.iter().for_each(|wid| peer.packet(&["window-destroy".into(), (*wid).into()]));
    }));
    table.push(case("draws for windows of the largest numbers that are none", Right::Refused, |peer| {
        peer.draw(&Draw { wid: i64::MAX, ..Draw::default() });
        peer.draw_in(u64::MAX, &Draw::default());
    }));
    table.push(goes_on("2000 windows of one pixel", |peer| {
        (1000..3000)
            .for_each(|wid| peer.send(&raw::window(wid, 1, 1, &[("override-redirect", true.into())])));
        (1000..3000).for_each(|wid| peer.send(&destroy(wid)));
    }));
    table.push(goes_on("300 windows of the whole desktop", |peer| {
        (1000..1300).for_each(|wid| peer.send(&raw::window(wid, 1920, 1080, &[])));
        (1000..1300).for_each(|wid| peer.send(&destroy(wid)));
    }));
    table.push(case("draws for 300 windows of the whole desktop", Right::Answered, |peer| {
        (1000..1300).for_each(|wid| peer.send(&raw::window(wid, 1920, 1080, &[])));
        (1000..1300).for_each(|wid| {
            peer.draw(&Draw { wid, ..Draw::with("jpeg", (1920, 1080), picture("jpeg", 64, 64)) });
        });
        peer.settle();
        (1000..1300).for_each(|wid| peer.send(&destroy(wid)));
    }));
    table.push(goes_on("300 windows that become the whole desktop", |peer| {
        (1000..1300).for_each(|wid| peer.send(&raw::window(wid, 9, 9, &[])));
        (1000..1300).for_each(|wid| peer.send(&raw::ints("window-resized", &[wid, 1920, 1080, 1])));
        peer.probe("windows that grow");
        (1000..1300).for_each(|wid| peer.send(&destroy(wid)));
    }));
    table.push(goes_on("100 windows that are full screen", |peer| {
        let full = [("fullscreen", true.into())];
        (1000..1100).for_each(|wid| peer.send(&raw::window(wid, 9, 9, &full)));
        peer.probe("windows that are full screen");
        (1000..1100).for_each(|wid| peer.send(&destroy(wid)));
    }));
    table.push(goes_on("a window that changes its size 500 times", |peer| {
        for step in 0..500 {
            peer.send(&raw::ints("window-resized", &[BAD, 100 + step % 7 * 250, 100 + step % 5 * 200, step]));
        }
        peer.send(&raw::ints("window-resized", &[BAD, 400, 300, 1000]));
    }));
}

fn told(table: &mut Vec<Case>) {
    let long = "x".repeat(1 << 20);
    let many = |value: Value| Value::List(vec![value; 20_000]);
    let values: Vec<(&str, Value)> = vec![
        ("title", long.clone().into()),
        ("title", Value::Bytes(vec![0xff; 1 << 20])),
        ("title", "a\0b\u{1b}[31mc\u{202e}d\u{2028}e".into()),
        ("title", Value::Int(5)),
        ("class-instance", many(long[..100].into())),
        ("class-instance", Value::List(Vec::new())),
        ("class-instance", "one word".into()),
        ("window-type", many("NORMAL".into())),
        ("window-type", many(Value::Null)),
        ("size-constraints", raw::dict(&[("minimum-size", raw::list(&[-5, i64::MAX]))])),
        (
            "size-constraints",
            raw::dict(&[("maximum-size", raw::list(&[0, 0])), ("increment", raw::list(&[0, 0]))]),
        ),
        (
            "size-constraints",
            raw::dict(&[("minimum-size", raw::list(&[900, 900])), ("maximum-size", raw::list(&[10, 10]))]),
        ),
        ("size-constraints", raw::dict(&[("base-size", raw::list(&[1])), ("increment", "x".into())])),
        ("size-constraints", raw::dict(&[])),
        ("transient-for", BAD.into()),
        ("transient-for", 99.into()),
        ("transient-for", Value::Big(u64::MAX)),
        ("parent", (-1).into()),
        ("modal", "yes".into()),
        ("has-alpha", raw::list(&[1])),
        ("decorations", 7.into()),
        ("iconic", Value::Float(0.5)),
        ("above", true.into()),
        ("below", true.into()),
        ("skip-taskbar", Value::Null),
        ("something-else", many(raw::dict(&[]))),
    ];
    for (index, (key, value)) in values.into_iter().enumerate() {
        table.push(goes_on(format!("metadata {index}: {key}"), move |peer| {
            peer.send(&metadata(key, value.clone()))
        }));
    }
    table.push(goes_on("metadata with 10000 keys", |peer| {
        let entries = (0..10_000).map(|key| (Value::Int(key), Value::Int(key))).collect();
        peer.packet(&["window-metadata".into(), BAD.into(), Value::Dict(Dict(entries))]);
    }));
    table.push(goes_on("windows that are transient for each other", |peer| {
        peer.send(&raw::window(10, 50, 50, &[("transient-for", 11.into())]));
        peer.send(&raw::window(11, 50, 50, &[("transient-for", 10.into())]));
        [10, 11].iter().for_each(|wid| peer.send(&destroy(*wid)));
    }));
    table.push(goes_on("metadata of a window that is none", |peer| {
        peer.packet(&["window-metadata".into(), 99.into(), raw::dict(&[("title", "x".into())])]);
    }));
}

fn small_pictures(table: &mut Vec<Case>) {
    let icons: Vec<(&str, i64, i64, &str, Vec<u8>)> = vec![
        ("nothing", 0, 0, "png", Vec::new()),
        ("another size than it says", 16, 16, "png", picture("png", 64, 64)),
        ("a size that is far too large", 65_535, 65_535, "png", picture("png", 32, 32)),
        ("1024 x 1024 pixels", 1024, 1024, "png", picture("png", 1024, 1024)),
        ("15 MB in it", 64, 64, "png", vec![7; 15 << 20]),
        ("too few pixels", 64, 64, "BGRA", vec![7; 100]),
        ("too many pixels", 64, 64, "BGRA", vec![7; 64 * 64 * 4 + 100]),
        ("an encoding that is none", 32, 32, "tiff", vec![7; 100]),
        ("no picture", 32, 32, "png", vec![7; 100]),
        ("a jpeg", 32, 32, "jpeg", picture("jpeg", 32, 32)),
        ("the default", 0, 0, "default", Vec::new()),
        ("video in it", 32, 32, "h264", vec![7; 100]),
    ];
    for (name, width, height, encoding, data) in icons {
        table.push(goes_on(format!("an icon with {name}"), move |peer| {
            peer.packet(&[
                "window-icon".into(),
                BAD.into(),
                width.into(),
                height.into(),
                encoding.into(),
                data.clone().into(),
            ]);
        }));
    }
    table.push(goes_on("60 icons of 15 MB each", |peer| {
        let icon = |wid: i64| {
            let mut bytes = raw::chunk(5, &vec![7; 15 << 20]);
            let values = ["window-icon".into(), wid.into(), 64.into(), 64.into(), "png".into()];
            bytes.extend(raw::packet(
                &values.into_iter().chain([Value::Bytes(Vec::new())]).collect::<Vec<_>>(),
            ));
            bytes
        };
        (1000..1060).for_each(|wid| peer.send(&raw::window(wid, 9, 9, &[])));
        (1000..1060).for_each(|wid| peer.send(&icon(wid)));
        peer.probe("icons of 15 MB");
        (1000..1060).for_each(|wid| peer.send(&destroy(wid)));
    }));
    table.push(goes_on("an icon of a window that is none", |peer| {
        peer.packet(&[
            "window-icon".into(),
            99.into(),
            1.into(),
            1.into(),
            "BGRA".into(),
            vec![1_u8; 4].into(),
        ]);
    }));
    let cursors: Vec<(&str, [i64; 4], &str, Vec<u8>)> = vec![
        ("nothing", [0, 0, 0, 0], "raw", Vec::new()),
        ("513 x 1 pixels", [513, 1, 0, 0], "raw", vec![1; 513 * 4]),
        ("65535 x 65535 pixels", [65_535, 65_535, 0, 0], "raw", vec![1; 64]),
        ("too few pixels", [32, 32, 0, 0], "raw", vec![1; 64]),
        ("too many pixels", [32, 32, 0, 0], "raw", vec![1; 32 * 32 * 4 + 64]),
        ("its point outside", [32, 32, 60_000, 60_000], "raw", vec![1; 32 * 32 * 4]),
        ("no picture", [32, 32, 0, 0], "png", vec![1; 500]),
        ("another size than it says", [8, 8, 0, 0], "png", picture("png", 64, 64)),
        ("an encoding that is none", [8, 8, 0, 0], "xcursor", vec![1; 500]),
        ("10 MB in it", [32, 32, 0, 0], "png", vec![1; 10 << 20]),
    ];
    for (name, [width, height, x, y], encoding, data) in cursors {
        table.push(goes_on(format!("a cursor with {name}"), move |peer| {
            let numbers = [width, height, x, y, 5].map(Value::Int);
            let values = ["cursor-data".into(), encoding.into()].into_iter().chain(numbers);
            let values = values.chain([data.clone().into(), long_name()]).collect::<Vec<Value>>();
            peer.packet(&values);
        }));
    }
}

fn long_name() -> Value {
    "a cursor ".repeat(1000).into()
}

fn others(table: &mut Vec<Case>) {
    let packets: Vec<(&str, Vec<Value>)> = vec![
        ("window-raise", vec![99.into()]),
        ("window-restack", vec![BAD.into(), 0.into(), 99.into()]),
        ("window-restack", vec![BAD.into(), 255.into(), BAD.into()]),
        ("window-destroy", vec![99.into()]),
        ("window-eos", vec![99.into()]),
        ("window-grab", vec![99.into()]),
        ("window-ungrab", vec![(-1).into()]),
        ("window-resized", vec![99.into(), 5.into(), 5.into(), 1.into()]),
        ("window-initiate-moveresize", [99, 0, 0, 200, 200, 200].map(Value::Int).into()),
        ("window-initiate-moveresize", [BAD, 0, 0, 11, 0, 0].map(Value::Int).into()),
        ("pointer-position", [99, i64::from(i32::MIN), i64::from(i32::MAX)].map(Value::Int).into()),
        ("startup-complete", Vec::new()),
        ("ping-echo", [0, 0, 0, 0, 0].map(Value::Int).into()),
        ("ping-echo", [i64::MAX, i64::MAX, i64::MAX, i64::MAX, i64::MIN].map(Value::Int).into()),
        ("ping", vec![Value::Big(u64::MAX), 5.into(), "s".repeat(1 << 20).into()]),
        ("hello", vec![raw::dict(&[("version", "9.9".into())])]),
        ("challenge", vec![vec![1_u8; 16].into(), raw::dict(&[]), "xor".into()]),
        ("setting-change", vec!["x".repeat(1 << 20).into(), Value::Null]),
        ("server-event", vec!["x".into(), raw::list(&[1; 1000])]),
        ("control", vec!["quit".into(), "now".into()]),
        ("encoding-set", vec![raw::dict(&[("encodings", raw::list(&[1; 1000]))])]),
        ("display-resized", [0, 0, 0, 0].map(Value::Int).into()),
        ("display-resized", [65_535, 65_535, 65_535, 65_535].map(Value::Int).into()),
        ("display-show-desktop", vec![true.into()]),
        ("new-tray", [50, 16, 16].map(Value::Int).into()),
        ("info-response", vec![raw::dict(&[("unasked", 5.into())])]),
        ("file-send", vec!["/etc/passwd".into(), "text/plain".into()]),
        ("file-open-url", vec!["file:///etc/passwd".into()]),
        ("clipboard-token", vec!["CLIPBOARD".into(), raw::list(&[1; 1000])]),
        ("a name that nobody knows", vec![raw::list(&[1; 1000])]),
        ("", Vec::new()),
    ];
    for (index, (name, arguments)) in packets.into_iter().enumerate() {
        table.push(goes_on(format!("packet {index}: {name:?}"), move |peer| {
            let values: Vec<Value> = std::iter::once(name.into()).chain(arguments.clone()).collect();
            peer.packet(&values);
        }));
    }
    table.push(goes_on("bells of every kind", |peer| {
        for wid in [0, -1, BAD, 99] {
            let edge = i64::from(i32::MIN);
            peer.send(&raw::packet(&[
                "window-bell".into(),
                wid.into(),
                0.into(),
                edge.into(),
                edge.into(),
                edge.into(),
                0.into(),
                0.into(),
                "bell".into(),
            ]));
        }
    }));
    table.push(goes_on("information that nobody asked for, deep and long", |peer| {
        let name = "n".repeat(4000);
        let mut tree = raw::dict(&[("leaf", "x".repeat(1000).into())]);
        for _ in 0..20 {
            let inner = tree.clone();
            tree = Value::Dict(Dict(vec![(name.as_str().into(), inner), ("b".into(), 1.into())]));
        }
        (0..20).for_each(|_| peer.packet(&["info-response".into(), tree.clone()]));
    }));
    table.push(goes_on("a chunk for an argument that is no data", |peer| {
        peer.send(&raw::chunk(1, &[7; 100]));
        peer.send(&raw::ints("window-raise", &[BAD]));
    }));
    table.push(goes_on("compressed chunks that no argument takes", |peer| {
        // Zeros: far more than a packet may hold, if anybody unpacked them.
        let bomb = raw::bomb::zstd(200 << 20, true);
        for index in [1, 2, 3] {
            peer.send(&raw::record(0, raw::ZSTD, index, &bomb));
        }
        peer.send(&raw::ints("display-resized", &[1, 1, 1, 1]));
    }));
}

#[test]
fn are_bounded_and_the_session_goes_on() {
    peer::play(&table());
}

/// The picture of a window that was resized to nothing and back is asked for again.
#[test]
fn a_window_resized_to_nothing_and_back_is_painted_again() {
    peer::play(&[
        case("shown", Right::Shown, |peer| {
            peer.draw(&Draw::with("png", (400, 300), picture("png", 400, 300)))
        }),
        goes_on("to nothing and back", |peer| {
            peer.send(&raw::ints("window-resized", &[BAD, 0, 0, 1]));
            peer.send(&raw::ints("window-resized", &[BAD, 400, 300, 2]));
            peer.probe("the new size");
            let asked = |packet: &farpane::protocol::ClientPacket| matches!(packet, farpane::protocol::ClientPacket::Draw(draw::ToServer::Refresh { wid, .. }) if wid.0 == 2);
            peer.wait_packet("the viewer asks for the window's pixels", asked);
        }),
    ]);
}
