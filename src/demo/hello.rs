//! The handshake: what the client can show, and what the demo says of itself.

use crate::protocol::Dialect;
use crate::protocol::packet::{Dict, Value};
use crate::serving::hello::push_wire;

/// The version whose protocol the demo speaks.
const XPRA_VERSION: &str = "6.6";
/// The size of the screen that does not exist.
const SCREEN: (u32, u32) = (1440, 900);

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
    let screen = || Value::List(vec![SCREEN.0.into(), SCREEN.1.into()]);
    let mut build = Dict::default();
    build.push("software", "farpane demo").push("version", env!("CARGO_PKG_VERSION"));
    let mut display = Dict::default();
    display
        .push("name", ":demo")
        .push("desktop_size", screen())
        .push("max_desktop_size", screen())
        .push("actual_desktop_size", screen());
    let mut encoding = Dict::default();
    encoding.push("", &encodings[..]).push("core", &encodings[..]);
    push_wire(dialect, &mut hello);
    hello
        .push("session_name", "Farpane demo")
        .push("session-type", "seamless")
        .push("platform", std::env::consts::OS)
        .push("build", build)
        .push("windows", true)
        .push("keyboard", true)
        .push("pointer", true)
        .push("wheel.precise", true)
        .push("encodings", encoding)
        .push("desktop_size", screen())
        .push("max_desktop_size", screen())
        .push("actual_desktop_size", screen())
        .push("display", display);
    hello
}
