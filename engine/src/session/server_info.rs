//! What the server says of itself.

use super::keymap::KEY_REPEAT_MS;
use super::metadata::text;
use crate::geometry::Size;
use crate::protocol::Dialect;
use crate::protocol::packet::{Dict, Value};

/// Bytes of all lines of information together, at most. A server of 6.5 with 60 windows has a third of it.
const MAX_INFO: usize = 1 << 20;
/// Bytes of the path of a line. What lies deeper is left out.
const MAX_PATH: usize = 1024;
/// Nesting of information maps.
const MAX_DEPTH: usize = 24;
/// Bytes of a value that is a list, from which on the rest is left out.
const MAX_LIST: usize = 4096;
/// Where servers tell the size of their desktop.
const DESKTOP_SIZES: [&str; 4] =
    ["display.actual_desktop_size", "actual_desktop_size", "display.desktop_size", "desktop_size"];
/// The mode of a server whose windows are shown each by itself.
const SEAMLESS: &str = "seamless";
/// Encoding names kept.
const MAX_ENCODINGS: usize = 64;

/// What the server says of itself, for the user and for logs.
#[derive(Clone, Debug, Default)]
pub struct ServerInfo {
    pub version: String,
    pub session_name: String,
    pub platform: String,
    pub hostname: String,
    /// `seamless`, `desktop`, `shadow`.
    pub mode: String,
    pub display: String,
    pub encodings: Vec<String>,
    /// It ends with all that runs in it when a client wants that.
    pub can_stop: bool,
    /// It starts programs when a client wants that.
    pub can_start: bool,
    /// Packet encoder and compressors in use, for example `rencodeplus+lz4`.
    pub wire: String,
}

/// The facts of a server's hello that the session acts upon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerTraits {
    /// Major and minor version, if it says.
    pub version: Option<(u32, u32)>,
    /// The whole screen in one window.
    pub is_desktop: bool,
    pub precise_wheel: bool,
    /// The size of the desktop that its windows show, if they show one.
    pub desktop: Option<Size>,
    /// Its X server repeats held keys at a rate that we did not ask for: another client was there first.
    pub repeats_keys: bool,
}

impl ServerTraits {
    pub fn from_hello(hello: &Dict) -> Self {
        let is_desktop = matches!(mode_of(hello).as_str(), "desktop" | "shadow" | "monitor");
        Self {
            version: hello.get("version").and_then(version_of),
            is_desktop,
            precise_wheel: hello.bool("wheel.precise").unwrap_or(false),
            desktop: is_desktop
                .then(|| DESKTOP_SIZES.iter().find_map(|path| size_in(hello.get_path(path)?)))
                .flatten(),
            repeats_keys: hello.get("key_repeat").is_some_and(|told| !is_our_repeat(told)),
        }
    }

    /// Whether the server takes the modern packet encoder but looks for capabilities by 3.1's names: 4.x and
    /// 5.x do. They know neither the keyboard nor most encodings of a client that uses 6.x's.
    pub fn reads_flat_names(&self) -> bool {
        self.version.is_some_and(|version| version < (6, 0))
    }

    /// Whether png pictures of windows with alpha have their colours as they are, not multiplied by
    /// alpha like those of all other encodings: seen with 4.4.6, 5.1.6 and 6.5.5, and not with 3.1.3.
    pub fn has_straight_png(&self) -> bool {
        self.version.is_some_and(|version| version >= (4, 0))
    }

    /// Whether `scroll` may be offered. 6.5 and before fail with it (docs/servers.md), and lose the
    /// update; 6.6 is right again.
    pub fn scroll_works(&self) -> bool {
        self.version.is_some_and(|version| version >= (6, 6))
    }
}

fn is_our_repeat(told: &Value) -> bool {
    let (delay, interval) = KEY_REPEAT_MS;
    told.as_list().is_some_and(|told| *told == [Value::from(delay), Value::from(interval)])
}

/// What `farpane info` and the log show first.
pub fn server_info(hello: &Dict, dialect: Dialect, compressors: &[&str]) -> ServerInfo {
    let text_at = |path: &str| hello.get_path(path).map(plain).filter(|t| !t.is_empty());
    let first = |paths: &[&str]| paths.iter().find_map(|path| text_at(path)).unwrap_or_default();
    ServerInfo {
        version: ["build.version", "version"]
            .iter()
            .find_map(|path| version_text(hello.get_path(path)?))
            .unwrap_or_default(),
        session_name: first(&["session_name", "session.name"]),
        platform: first(&["platform", "platform.name"]),
        hostname: first(&["hostname"]),
        mode: mode_of(hello),
        display: first(&["display", "display.name", "display.address", "name"]),
        encodings: encodings_of(hello),
        can_stop: can_stop(hello).unwrap_or(false),
        can_start: said(hello, "start-new-commands").unwrap_or(false),
        wire: wire(hello, dialect, compressors),
    }
}

impl ServerInfo {
    /// Whether each window of the session is a window of its own, not a whole screen.
    pub fn is_seamless(&self) -> bool {
        self.mode == SEAMLESS
    }
}

/// Whether clients may end the session, if the server's hello says so.
pub fn can_stop(hello: &Dict) -> Option<bool> {
    said(hello, "client-shutdown")
}

/// What the server's hello says of a feature.
fn said(hello: &Dict, feature: &str) -> Option<bool> {
    hello.bool(feature).or_else(|| hello.get_path("features")?.as_dict()?.bool(feature))
}

/// The encodings that a server's hello or `encoding-set` names.
pub fn encodings_of(caps: &Dict) -> Vec<String> {
    let lists = ["encodings.core", "encodings", "encodings.encodings", "encoding.core"];
    let list = lists.iter().find_map(|path| caps.get_path(path)?.as_list()).unwrap_or_default();
    list.iter().take(MAX_ENCODINGS).map(text).collect()
}

/// A tree of information as `key=value` lines, keys joined by dots: at most 1 MiB of them.
pub fn flatten(info: &Dict) -> Vec<(String, String)> {
    let mut lines = Lines { lines: Vec::new(), left: MAX_INFO, path: String::new() };
    lines.flatten(info, 0);
    lines.lines
}

struct Lines {
    lines: Vec<(String, String)>,
    /// Bytes that there is room for.
    left: usize,
    /// Of the map that is being read.
    path: String,
}

impl Lines {
    fn flatten(&mut self, dict: &Dict, depth: usize) {
        for (key, value) in &dict.0 {
            let parent = self.path.len();
            let key = plain(key);
            if parent + 1 + key.len() > MAX_PATH {
                continue;
            }
            if parent > 0 && !key.is_empty() {
                self.path.push('.');
            }
            self.path.push_str(&key);
            match value {
                Value::Dict(inner) if depth < MAX_DEPTH => self.flatten(inner, depth + 1),
                Value::List(_) if key.ends_with("version") => {
                    self.line(version_text(value).unwrap_or_default())
                }
                other => self.line(plain(other)),
            }
            self.path.truncate(parent);
            if self.left == 0 {
                return;
            }
        }
    }

    fn line(&mut self, value: String) {
        // With what the line takes besides its text.
        let bytes = self.path.len() + value.len() + size_of::<(String, String)>();
        self.left = self.left.saturating_sub(bytes);
        if self.left > 0 {
            self.lines.push((self.path.clone(), value));
        }
    }
}

/// A value as one line of text; empty for maps.
fn plain(value: &Value) -> String {
    match value {
        Value::Null | Value::Dict(_) => String::new(),
        Value::Bool(b) => b.to_string(),
        Value::Int(i) => i.to_string(),
        Value::Big(i) => i.to_string(),
        Value::Float(f) => f.to_string(),
        Value::Str(_) | Value::Bytes(_) => text(value),
        Value::List(items) => {
            let mut words = String::new();
            for (index, item) in items.iter().enumerate() {
                if words.len() >= MAX_LIST {
                    break;
                }
                words.push_str(if index > 0 { ", " } else { "" });
                words.push_str(&plain(item));
            }
            words
        }
    }
}

/// `seamless`, `desktop`, `shadow`, …: 3.1 says it with flags, 6.x by name.
fn mode_of(hello: &Dict) -> String {
    let flag = |name: &str| hello.get(name).and_then(Value::as_bool).unwrap_or(false);
    if let Some(mode) = ["shadow", "desktop", "monitor"].into_iter().find(|mode| flag(mode)) {
        return mode.to_owned();
    }
    let named = hello.get("session-type").or_else(|| hello.get_path("server.mode")).map(text);
    match named.as_deref() {
        None | Some("" | "GTK3 X11" | "X11") => SEAMLESS.to_owned(),
        Some(name) => name.split([' ', '-']).next().unwrap_or(SEAMLESS).to_owned(),
    }
}

fn wire(hello: &Dict, dialect: Dialect, compressors: &[&str]) -> String {
    let encoder = dialect.packet_encoder();
    let offered = hello.strs("compressors").unwrap_or_default();
    let has =
        |name: &&&str| offered.contains(*name) || hello.get(name).and_then(Value::as_bool) == Some(true);
    match compressors.iter().find(has) {
        Some(compressor) => format!("{encoder}+{compressor}"),
        None => encoder.to_owned(),
    }
}

/// `6.5.5-r0` → (6, 5); also a list of numbers.
fn version_of(value: &Value) -> Option<(u32, u32)> {
    let part = |n: Option<&Value>| u32::try_from(n?.as_i64()?).ok();
    if let Some(parts) = value.as_list() {
        return Some((part(parts.first())?, part(parts.get(1)).unwrap_or(0)));
    }
    let mut numbers = value.as_str()?.split(|c: char| !c.is_ascii_digit());
    let major = numbers.next()?.parse().ok()?;
    Some((major, numbers.next().and_then(|minor| minor.parse().ok()).unwrap_or(0)))
}

/// A version as people write it, with dots, also where the server sends a list of numbers.
fn version_text(value: &Value) -> Option<String> {
    let version = match value {
        Value::List(parts) => parts.iter().take(8).map(plain).collect::<Vec<_>>().join("."),
        value => plain(value),
    };
    (!version.is_empty()).then_some(version)
}

fn size_in(value: &Value) -> Option<Size> {
    let [width, height] = value.as_list()? else { return None };
    let side = |v: &Value| u32::try_from(v.as_i64()?).ok().filter(|side| *side > 0);
    Some(Size { width: side(width)?, height: side(height)? })
}
