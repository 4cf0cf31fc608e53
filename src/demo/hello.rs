//! The handshake: what the client can show, and what the demo says of itself.

use crate::protocol::Dialect;
use crate::protocol::packet::{Dict, Value};
use crate::serving::hello::push_wire;

/// The version whose protocol the demo speaks.
const XPRA_VERSION: &str = "6.6";
/// The size of the screen that does not exist, for clients that do not say how large theirs is.
const SCREEN: [i64; 2] = [1440, 900];
/// The size that it may reach.
const MAX_SCREEN: [i64; 2] = [16384, 16384];

/// What a client offered in its hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offers {
    pub h264: bool,
    pub scroll: bool,
    /// rgb pixels may be packed with LZ4.
    pub lz4: bool,
    /// 24-bit pixels: encoding `rgb24`, format `RGB`.
    pub rgb24: bool,
    /// 32-bit pixels may start with red; they start with blue otherwise.
    pub red_first: bool,
}

impl Offers {
    /// Reads the capabilities.
    pub fn from_hello(hello: &Dict) -> Self {
        let formats = hello.strs("encoding.rgb_formats").or_else(|| hello.strs("encodings.rgb_formats"));
        let formats = formats.unwrap_or_default();
        let mut offers = Self {
            h264: false,
            scroll: false,
            lz4: hello.bool("encoding.rgb_lz4").or_else(|| hello.bool("lz4")).unwrap_or(false),
            rgb24: formats.contains(&"RGB"),
            red_first: formats.contains(&"RGBX"),
        };
        for path in ["encodings.core", "encoding.core", "encodings", "encoding.options"] {
            offers.see_encodings(&hello.strs(path).unwrap_or_default());
        }
        let csc = hello.get_path("encoding.full_csc_modes").and_then(Value::as_dict);
        if let Some(modes) = csc.and_then(|csc| csc.strs("h264")) {
            offers.h264 &= modes.contains(&"YUV420P");
        }
        offers
    }

    /// Reads an `encoding-config`, with which clients offer more once they know the server.
    pub fn see_config(&mut self, config: &Dict) {
        for path in ["core", "options"] {
            self.see_encodings(&config.strs(path).unwrap_or_default());
        }
    }

    fn see_encodings(&mut self, names: &[&str]) {
        self.h264 |= names.contains(&"h264");
        self.scroll |= names.contains(&"scroll");
    }
}

/// The hello that accepts the client.
pub fn answer(dialect: Dialect, client: &Dict) -> Dict {
    let mut hello = Dict::default();
    hello.push("version", XPRA_VERSION);
    if client.str("request") == Some("version") {
        return hello;
    }
    let encodings = ["rgb24", "rgb32", "scroll", "h264"];
    let pair = |pair: [i64; 2]| Value::List(pair.into_iter().map(Value::Int).collect());
    let screen = || pair(screen_of(client));
    let max_screen = || pair(MAX_SCREEN);
    let mut build = Dict::default();
    // Clients take "version" in here for Xpra's.
    build.push("software", concat!("Farpane demo ", env!("CARGO_PKG_VERSION")));
    let mut display = Dict::default();
    display
        .push("name", ":demo")
        .push("desktop_size", screen())
        .push("max_desktop_size", max_screen())
        .push("actual_desktop_size", screen());
    let mut encoding = Dict::default();
    encoding.push("", &encodings[..]).push("core", &encodings[..]);
    push_wire(dialect, &mut hello);
    hello
        .push("session_name", "Farpane demo")
        .push("hostname", "farpane-demo")
        .push("session-type", "seamless")
        .push("platform", std::env::consts::OS)
        .push("build", build)
        .push("windows", true)
        .push("keyboard", true)
        .push("pointer", true)
        .push("encodings", encoding)
        .push("desktop_size", screen())
        .push("max_desktop_size", max_screen())
        .push("actual_desktop_size", screen())
        .push("display", display);
    hello
}

/// As large as the client's, so that nothing has to be scaled.
fn screen_of(client: &Dict) -> [i64; 2] {
    let size =
        ["desktop_size", "display.desktop_size"].iter().find_map(|path| client.get_path(path)?.as_list());
    match size.unwrap_or_default() {
        [width, height] => {
            let within = |value: &Value, max: i64| value.as_i64().filter(|value| (1..=max).contains(value));
            let both = within(width, MAX_SCREEN[0]).zip(within(height, MAX_SCREEN[1]));
            both.map_or(SCREEN, |(width, height)| [width, height])
        }
        _ => SCREEN,
    }
}
