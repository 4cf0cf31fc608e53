//! What the server says of itself.

use super::config::Generation;
use super::event::ServerInfo;
use super::metadata::text;
use crate::codec::Size;
use crate::protocol::packet::{Dict, Value};

/// Lines of information at most.
const MAX_LINES: usize = 50_000;
/// Nesting of information maps.
const MAX_DEPTH: usize = 24;
/// Encoding names kept.
const MAX_ENCODINGS: usize = 64;

/// The facts of a server's hello that the session acts upon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerTraits {
    /// Major and minor version, if it says.
    pub version: Option<(u32, u32)>,
    /// The whole screen in one window.
    pub is_desktop: bool,
    pub precise_wheel: bool,
    /// The largest that its screen may become.
    pub max_desktop: Option<Size>,
}

impl ServerTraits {
    pub fn from_hello(hello: &Dict) -> Self {
        Self {
            version: hello.get("version").and_then(version_of),
            is_desktop: matches!(mode_of(hello).as_str(), "desktop" | "shadow" | "monitor"),
            precise_wheel: hello.bool("wheel.precise").unwrap_or(false),
            max_desktop: [
                "display.max_desktop_size",
                "max_desktop_size",
                "display.desktop_size",
                "desktop_size",
            ]
            .iter()
            .find_map(|path| size_of(hello.get_path(path)?)),
        }
    }

    /// Whether `scroll` may be offered. 6.5 and before fail with it (SERVERS.md), and lose the
    /// update; 6.6 is right again.
    pub fn scroll_works(&self) -> bool {
        self.version.is_some_and(|version| version >= (6, 6))
    }
}

/// What `farpane info` and the log show first.
pub fn server_info(hello: &Dict, generation: Generation, compressors: &[&str]) -> ServerInfo {
    let text_at = |path: &str| hello.get_path(path).map(plain).filter(|t| !t.is_empty());
    let first = |paths: &[&str]| paths.iter().find_map(|path| text_at(path)).unwrap_or_default();
    ServerInfo {
        version: first(&["build.version", "version"]),
        session_name: first(&["session_name", "session.name"]),
        platform: first(&["platform", "platform.name"]),
        hostname: first(&["hostname"]),
        mode: mode_of(hello),
        display: first(&["display", "display.name", "display.address", "name"]),
        encodings: encodings_of(hello),
        wire: wire(hello, generation, compressors),
    }
}

/// The encodings that a server's hello or `encoding-set` names.
pub fn encodings_of(caps: &Dict) -> Vec<String> {
    let lists = ["encodings.core", "encodings", "encodings.encodings", "encoding.core"];
    let list = lists.iter().find_map(|path| caps.get_path(path)?.as_list()).unwrap_or_default();
    list.iter().take(MAX_ENCODINGS).map(text).collect()
}

/// A tree of information as `key=value` lines, keys joined by dots.
pub fn flatten(info: &Dict) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    flatten_into("", info, 0, &mut lines);
    lines
}

fn flatten_into(prefix: &str, dict: &Dict, depth: usize, lines: &mut Vec<(String, String)>) {
    for (key, value) in &dict.0 {
        if lines.len() >= MAX_LINES {
            return;
        }
        let key = plain(key);
        let path = match (prefix.is_empty(), key.is_empty()) {
            (true, _) => key,
            (false, true) => prefix.to_owned(),
            (false, false) => format!("{prefix}.{key}"),
        };
        match value {
            Value::Dict(inner) if depth < MAX_DEPTH => flatten_into(&path, inner, depth + 1, lines),
            other => lines.push((path, plain(other))),
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
        Value::List(items) => items.iter().take(256).map(plain).collect::<Vec<_>>().join(", "),
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
        None | Some("" | "GTK3 X11" | "X11") => "seamless".to_owned(),
        Some(name) => name.split([' ', '-']).next().unwrap_or("seamless").to_owned(),
    }
}

fn wire(hello: &Dict, generation: Generation, compressors: &[&str]) -> String {
    let encoder = match generation {
        Generation::Modern => "rencodeplus",
        Generation::Legacy31 => "bencode",
    };
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

fn size_of(value: &Value) -> Option<Size> {
    let [width, height] = value.as_list()? else { return None };
    let side = |v: &Value| u32::try_from(v.as_i64()?).ok().filter(|side| *side > 0);
    Some(Size { width: side(width)?, height: side(height)? })
}
