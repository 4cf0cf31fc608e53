//! The hello of a server that plays a recording: made anew, with what still holds of the recorded
//! one. The rest (clipboard, sound, files, encryption, …) would promise what nobody is there to do.

use crate::protocol::Dialect;
use crate::protocol::packet::{Dict, Value};
use crate::serving::hello::push_wire;

/// Capabilities that are taken over as they are, nested or flat.
const KEPT: [&str; 8] =
    ["session-type", "server.mode", "desktop", "shadow", "monitor", "platform", "hostname", "session_name"];
/// Where servers say how large their screen is.
const SIZES: [&str; 4] =
    ["display.desktop_size", "desktop_size", "display.actual_desktop_size", "actual_desktop_size"];
const DEFAULT_SIZE: (i64, i64) = (1920, 1080);

/// The answer to `client` for a recording whose server said `recorded` in dialect `recorded_in`.
pub fn answer(dialect: Dialect, client: &Dict, recorded: &Dict, recorded_in: Dialect) -> Dict {
    let mut hello = Dict::default();
    let own_version = match dialect {
        Dialect::Modern | Dialect::Yaml => "6.5",
        Dialect::Legacy31 => "3.1.3",
    };
    // Clients of one generation refuse versions of the other.
    let version = recorded
        .str("version")
        .filter(|_| is_legacy(dialect) == is_legacy(recorded_in))
        .unwrap_or(own_version);
    hello.push("version", version);
    if client.str("request") == Some("version") {
        return hello;
    }
    push_wire(dialect, &mut hello);
    for name in KEPT {
        if let Some(value) = recorded.get_path(name) {
            hello.push(name, value.clone());
        }
    }
    let (width, height) = screen(client, recorded);
    let size = || Value::List(vec![width.into(), height.into()]);
    let encodings = encodings(recorded);
    hello
        .push("desktop_size", size())
        .push("max_desktop_size", size())
        .push("actual_desktop_size", size())
        .push("windows", true)
        .push("keyboard", true)
        .push("pointer", true)
        .push("cursors", true)
        .push("bell", true)
        .push("notify-startup-complete", true);
    match dialect {
        Dialect::Modern | Dialect::Yaml => {
            let mut display = Dict::default();
            display
                .push("name", ":recording")
                .push("desktop_size", size())
                .push("max_desktop_size", size())
                .push("actual_desktop_size", size());
            let mut named = Dict::default();
            named.push("", &encodings[..]).push("core", &encodings[..]);
            hello.push("display", display).push("encodings", named);
        }
        Dialect::Legacy31 => {
            hello
                .push("display", ":recording")
                .push("encodings", &encodings[..])
                .push("encodings.core", &encodings[..]);
        }
    }
    hello
}

fn is_legacy(dialect: Dialect) -> bool {
    dialect == Dialect::Legacy31
}

/// The screen that the windows are on. Servers make theirs as large as the client's, and clients
/// scale everything if it is smaller; only one that shows a whole desktop keeps its own.
fn screen(client: &Dict, recorded: &Dict) -> (i64, i64) {
    let of = |hello: &Dict| SIZES.iter().find_map(|path| size(hello.get_path(path)?));
    let (width, height) = of(recorded).unwrap_or(DEFAULT_SIZE);
    let is_desktop = ["desktop", "shadow", "monitor"].iter().any(|flag| recorded.bool(flag) == Some(true));
    match of(client).filter(|_| !is_desktop) {
        Some((client_width, client_height)) => (width.max(client_width), height.max(client_height)),
        None => (width, height),
    }
}

/// The encodings that the recorded server named.
fn encodings(recorded: &Dict) -> Vec<&str> {
    let lists = ["encodings.core", "encodings", "encodings.", "encoding.core"];
    let found = lists.iter().find_map(|path| recorded.strs(path)).unwrap_or_default();
    if found.is_empty() { vec!["rgb24", "rgb32", "png", "jpeg", "webp", "h264", "scroll"] } else { found }
}

fn size(value: &Value) -> Option<(i64, i64)> {
    let [width, height] = value.as_list()? else { return None };
    let side = |value: &Value| value.as_i64().filter(|side| (1..=32_767).contains(side));
    Some((side(width)?, side(height)?))
}
