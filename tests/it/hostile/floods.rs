//! Floods of packets that each are right.

use farpane::protocol::packet::Value;

use super::peer::{self, BAD, Peer};
use super::{Case, Right, case, raw};

fn flood(name: &str, count: i64, packet: impl Fn(i64) -> Vec<u8> + 'static) -> Case {
    case(format!("a flood of {name}"), Right::Answered, move |peer: &mut Peer| {
        let bytes: Vec<u8> = (0..count).flat_map(&packet).collect();
        peer.send(&bytes);
    })
}

fn text(name: &str, words: String) -> Vec<u8> {
    raw::packet(&["window-metadata".into(), BAD.into(), raw::dict(&[(name, words.into())])])
}

/// The cases.
pub fn table() -> Vec<Case> {
    vec![
        flood("titles", 50_000, |number| text("title", format!("title {number}"))),
        flood("titles of 500 characters", 10_000, |number| {
            text("title", format!("{number}{}", "t".repeat(500)))
        }),
        flood("class names", 20_000, |number| {
            let names = Value::List(vec![format!("class {number}").into(), "Class".into()]);
            raw::packet(&["window-metadata".into(), BAD.into(), raw::dict(&[("class-instance", names)])])
        }),
        flood("parents", 20_000, |number| {
            raw::packet(&[
                "window-metadata".into(),
                BAD.into(),
                raw::dict(&[("transient-for", (number % 2).into())]),
            ])
        }),
        flood("states", 5_000, |number| {
            raw::packet(&[
                "window-metadata".into(),
                BAD.into(),
                raw::dict(&[("above", (number % 2 == 0).into())]),
            ])
        }),
        flood("size limits", 20_000, |number| {
            let limits = raw::dict(&[("minimum-size", raw::list(&[number % 300 + 1, 20]))]);
            raw::packet(&["window-metadata".into(), BAD.into(), raw::dict(&[("size-constraints", limits)])])
        }),
        flood("moves", 50_000, |number| {
            raw::ints("window-move-resize", &[BAD, number % 500, number % 300, 400, 300, number])
        }),
        flood("cursors", 20_000, |number| {
            let numbers = [16, 16, 1, 1, number].map(Value::Int);
            let values = ["cursor-data".into(), "raw".into()].into_iter().chain(numbers);
            let pixels = vec![u8::try_from(number % 256).expect("a byte"); 16 * 16 * 4];
            raw::packet(&values.chain([pixels.into(), "".into()]).collect::<Vec<Value>>())
        }),
        flood("default cursors", 50_000, |_| raw::packet(&["cursor-default".into()])),
        flood("icons", 5_000, |number| {
            let pixels = vec![u8::try_from(number % 256).expect("a byte"); 16 * 16 * 4];
            let values =
                ["window-icon".into(), BAD.into(), 16.into(), 16.into(), "BGRA".into(), pixels.into()];
            raw::packet(&values)
        }),
        flood("pings", 50_000, |number| raw::ints("ping", &[number + 1])),
        flood("answers to pings", 50_000, |number| raw::ints("ping-echo", &[number, 0, 0, 0, 0])),
        flood("unknown names", 50_000, |number| raw::packet(&[format!("unknown-{number}").into()])),
        flood("unknown names of 1 MB", 20, |number| {
            raw::packet(&[format!("{number}{}", "n".repeat(1 << 20)).into()])
        }),
        flood("the same unknown name", 50_000, |_| raw::packet(&["unknown".into()])),
        flood("bells", 5_000, |_| {
            let values =
                ["window-bell".into(), 0.into(), 0.into(), 0.into(), 0.into(), 0.into(), 0.into(), 0.into()];
            raw::packet(&values)
        }),
        flood("raises", 5_000, |_| raw::ints("window-raise", &[BAD])),
        flood("restacks", 5_000, |_| raw::ints("window-restack", &[BAD, 0, 1])),
        flood("grabs", 50_000, |_| raw::ints("window-grab", &[BAD])),
        flood("starts of a move by the pointer", 2_000, |_| {
            raw::ints("window-initiate-moveresize", &[BAD, 5, 5, 8, 1, 1])
        }),
        flood("packets that are ignored", 50_000, |_| raw::packet(&["sound-data".into()])),
        flood("ends of startup", 20_000, |_| raw::packet(&["startup-complete".into()])),
    ]
}

#[test]
fn are_taken_and_the_session_goes_on() {
    peer::play(&table());
}
