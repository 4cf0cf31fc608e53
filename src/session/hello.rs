//! The client's hello: the capabilities that both generations share, and each one's own way to
//! say them (Protocol.md §5.2, §6; what the servers read: `xpra/server/source/*.py`).
//!
//! A 6.x server that is not backwards compatible reads only 16 KiB before hello, so keycodes
//! follow in a packet of their own. 3.1 wants them in hello and has no such limit.

use super::auth;
use super::config::{DisplayInfo, Generation, Monitor, Profile, SessionConfig};
use super::encodings;
use super::event::Keymap;
use super::keymap::{self, KEY_REPEAT_MS, Told};
use super::metadata;
use super::windows::MAX_WINDOW_SIDE;
use crate::protocol::packet::{Dict, Value};

/// Byte orders of rgb pixels that the shaders read as they are (DESIGN.md, decision 5). The
/// servers capture BGRX and BGRA: first in the list, they need no conversion.
const RGB_FORMATS: &[&str] = &["BGRX", "BGRA", "RGBX", "RGBA", "RGB", "BGR", "r210", "BGR565"];
/// How a lossless refresh follows a lossy update, in milliseconds.
const AUTO_REFRESH_DELAY_MS: u32 = 150;
/// Monitors told of.
const MAX_MONITORS: usize = 16;
/// Assumed where nothing is known.
const DEFAULT_DPI: u32 = 96;
/// Largest video frame: the decoder's limit, not the server's.
const VIDEO_MAX_SIDE: u32 = 4096;
/// Largest icon wanted, and the one that is scaled to.
const ICON_MAX_SIDE: u32 = 128;
const ICON_SIDE: u32 = 64;

/// The first hello, without challenge response.
pub fn hello(config: &SessionConfig) -> Dict {
    let mut hello = common(config);
    match (config.profile, config.generation) {
        (Profile::Info, generation) => {
            hello.push("request", "info");
            if generation == Generation::Legacy31 {
                hello.push("info_request", true).push("info-namespace", true).push("windows", false);
            }
        }
        (Profile::Identify, _) => {
            hello.push("request", "id");
        }
        (Profile::Version, _) => {
            hello.push("request", "version");
        }
        (Profile::Attach, Generation::Modern | Generation::ModernYaml) => modern(config, &mut hello),
        (Profile::Attach, Generation::Legacy31) => legacy31(config, &mut hello),
    }
    if let Some(name) = &config.display_name
        && hello.get("display").is_none()
    {
        hello.push("display", name.as_str());
    }
    hello
}

/// Capabilities that are the same for everyone, whatever the session is for.
fn common(config: &SessionConfig) -> Dict {
    let mut hello = Dict::default();
    let identity = &config.identity;
    let version = if config.generation.is_modern() { "6.5" } else { "3.1.3" };
    let encoder = config.generation.packet_encoder();
    let compressors = compressors(config);
    hello
        .push("version", version)
        .push("client_type", concat!("Farpane/", env!("CARGO_PKG_VERSION")))
        .push("hostname", identity.hostname.as_str())
        .push("username", identity.username.as_str())
        .push("uuid", identity.uuid.as_str())
        .push("session-id", identity.session_id.as_str())
        .push("platform", std::env::consts::OS)
        .push("encoders", &[encoder][..])
        .push(encoder, true)
        .push("chunks", true)
        .push("compressors", &compressors[..])
        .push("compression_level", u32::from(config.compression_level))
        .push("digest", &auth::offered_digests(config.generation, config.link)[..])
        .push("salt-digest", &auth::salt_digests(config.generation)[..]);
    for compressor in compressors {
        hello.push(compressor, true);
    }
    hello
}

fn compressors(config: &SessionConfig) -> Vec<&'static str> {
    let modern = config.generation.is_modern();
    let known = |name: &&&str| match **name {
        "lz4" => true,
        "zlib" => !modern,
        "zstd" | "brotli" => modern,
        _ => false,
    };
    config.compressors.iter().filter(known).copied().collect()
}

/// May rgb pixels come compressed by this one?
fn compresses_rgb(config: &SessionConfig, compressor: &str) -> bool {
    config.pictures.compress_rgb && compressors(config).contains(&compressor)
}

// ---- 6.x -------------------------------------------------------------------------------------

fn modern(config: &SessionConfig, hello: &mut Dict) {
    let mut window = Dict::default();
    window
        .push("enabled", true)
        .push("min-size", pair(0, 0))
        .push("max-size", pair(MAX_WINDOW_SIDE, MAX_WINDOW_SIDE));
    let mut cursor = Dict::default();
    cursor
        .push("encodings", &["raw", "png"][..])
        .push("backwards-compatible", false)
        .push("default", pair(24, 24))
        .push("max", pair(256, 256));
    let mut double_click = Dict::default();
    double_click.push("time", -1).push("distance", pair_i(-1, -1));
    let mut pointer = Dict::default();
    pointer.push("double_click", double_click);
    hello
        .push("wants", &["encodings", "display", "versions", "features", "packet-types"][..])
        .push("versions", true)
        .push("server-features", true)
        .push("network-state", true)
        // what 6.x calls it where it is not to be backwards compatible
        .push("bandwidth", true)
        .push("ping", true)
        .push("ping-echo-sourceid", true)
        .push("setting-change", true)
        .push("share", config.share)
        .push("lock", false)
        .push("windows", true)
        .push("window", window)
        .push("metadata.supported", metadata::SUPPORTED)
        .push("system_tray", false)
        .push("bell", true)
        .push("cursors", true)
        .push("cursor", cursor)
        .push("pointer", pointer)
        .push("keyboard", true)
        .push("keyboard_sync", true)
        .push("key_repeat", pair(KEY_REPEAT_MS.0, KEY_REPEAT_MS.1))
        .push("modifiers", no_items())
        .push("keymap", keymap::hello_map(&first_keymap(config)))
        .push("auto_refresh_delay", AUTO_REFRESH_DELAY_MS)
        .push("encodings", &encodings::names(&encodings::offered(&config.pictures, false))[..])
        .push("encoding", encoding_caps(config, false));
    // servers before 6.5 look for the display's keys outside of the map
    let display = display_caps(&config.display);
    for (key, value) in &display.0 {
        hello.0.push((key.clone(), value.clone()));
    }
    match &config.display_name {
        // A proxy chooses by it, and its servers take the keys from beside it.
        Some(name) => {
            let mut session = Dict::default();
            session.push("display", name.as_str());
            hello.push("display", name.as_str()).push("session", session)
        }
        None => hello.push("display", display),
    };
}

/// The keyboard as `keyboard-config` (3.1: `keymap-changed`) tells it, one packet after the other.
pub fn keyboard_config(config: &SessionConfig, told: &Told) -> Vec<Dict> {
    let Some(keymap) = &config.keymap else {
        return vec![whole_keyboard(config.generation, &keymap::us(), false)];
    };
    let keymap = told.part(keymap);
    let whole = whole_keyboard(config.generation, &keymap, true);
    let layout = keymap::layout_with_folder(&keymap).filter(|_| config.generation.is_modern());
    layout.into_iter().chain([whole]).collect()
}

fn whole_keyboard(generation: Generation, keymap: &Keymap, native: bool) -> Dict {
    match generation {
        Generation::Modern | Generation::ModernYaml => keymap::config(keymap, native),
        Generation::Legacy31 => {
            let mut keys = Dict::default();
            keymap::legacy_keys(keymap, native, &mut keys);
            keys
        }
    }
}

/// The `encoding` map, also sent as `encoding-config` when more can be offered after hello.
pub fn encoding_caps(config: &SessionConfig, scroll: bool) -> Dict {
    let pictures = &config.pictures;
    let offered = encodings::offered(pictures, scroll);
    let setting = encodings::setting(pictures);
    let mut caps = Dict::default();
    let mut icons = Dict::default();
    icons.push("greedy", true).push("size", pair(ICON_SIDE, ICON_SIDE));
    icons.push("max_size", pair(ICON_MAX_SIDE, ICON_MAX_SIDE));
    // 6.x looks a name with dots up part by part: `h264` {`YUV420P.profile`} would never be found.
    let mut yuv420 = Dict::default();
    yuv420.push("profile", pictures.h264_profile);
    let mut h264 = Dict::default();
    h264.push("profile", pictures.h264_profile).push("YUV420P", yuv420);
    caps.push("options", &encodings::names(&offered)[..])
        .push("core", &encodings::core_names(&offered)[..])
        .push("window-icon", &["png", "BGRA"][..])
        .push("rgb_formats", RGB_FORMATS)
        .push("full_csc_modes", encodings::csc_modes(&offered))
        .push("rgb_lz4", compresses_rgb(config, "lz4"))
        .push("rgb_zstd", compresses_rgb(config, "zstd"))
        .push("transparency", true)
        .push("eos", true)
        .push("flush", true)
        .push("video_b_frames", no_items())
        .push("video_max_size", pair(VIDEO_MAX_SIDE, VIDEO_MAX_SIDE))
        .push("max-soft-expired", 5u32)
        .push("send-timestamps", false)
        .push("h264", h264)
        .push("icons", icons)
        .push("setting", setting)
        .push("", setting);
    if !pictures.video_scaling {
        caps.push("scaling.control", 0u32);
    }
    for (name, value) in quality_options(config) {
        caps.push(name, u32::from(value));
    }
    caps
}

fn display_caps(display: &DisplayInfo) -> Dict {
    let mut monitors = Dict::default();
    for (index, monitor) in (0u32..).zip(display.monitors.iter().take(MAX_MONITORS)) {
        let (width_mm, height_mm) = monitor_mm(monitor);
        let mut caps = Dict::default();
        caps.push("name", monitor.name.as_str())
            .push("primary", monitor.primary)
            .push("geometry", geometry(monitor))
            .push("width-mm", width_mm)
            .push("height-mm", height_mm);
        if display.refresh_hz > 0 {
            // milli-Hertz
            caps.push("refresh-rate", display.refresh_hz.saturating_mul(1000));
        }
        monitors.0.push((Value::from(index), Value::Dict(caps)));
    }
    let (x, y) = dpi(display);
    let mut dots = Dict::default();
    // 6.5 takes the fonts' resolution from the key without a name, and looks at x and y for the screen's
    dots.push("", (x + y) / 2).push("x", x).push("y", y);
    let mut caps = Dict::default();
    caps.push("desktop_size", pair(display.size.width, display.size.height))
        .push("screen_sizes", screen_sizes(display))
        .push("monitors", monitors)
        .push("dpi", dots)
        .push("desktops", 1u32)
        .push("resize-events", true)
        .push("show-desktop", false);
    if display.refresh_hz > 0 {
        caps.push("refresh-rate", display.refresh_hz).push("vrefresh", display.refresh_hz);
    }
    caps
}

/// What `display-configure` tells besides the size.
pub fn display_properties(display: &DisplayInfo) -> Dict {
    display_caps(display)
}

// ---- 3.1 -------------------------------------------------------------------------------------

fn legacy31(config: &SessionConfig, hello: &mut Dict) {
    let pictures = &config.pictures;
    let offered = encodings::offered(pictures, false);
    let (dpi_x, dpi_y) = dpi(&config.display);
    let display = &config.display;
    hello
        .push("namespace", true)
        .push("raw_packets", true)
        .push("lzo", false)
        .push("windows", true)
        .push("randr_notify", true)
        .push("wants_aliases", false)
        .push("wants_events", false)
        .push("notify-startup-complete", true)
        .push("setting-change", true)
        .push("ping-echo-sourceid", true)
        .push("share", config.share)
        .push("lock", false)
        .push("keyboard", true)
        .push("keyboard_sync", true)
        .push("key_repeat", pair(KEY_REPEAT_MS.0, KEY_REPEAT_MS.1))
        .push("modifiers", no_items())
        .push("mouse.show", false)
        .push("double_click.time", -1)
        .push("double_click.distance", pair_i(-1, -1))
        .push("cursors", true)
        .push("encodings.cursor", &["raw", "png"][..])
        .push("bell", true)
        .push("system_tray", false)
        .push("notifications", false)
        .push("generic_window_types", true)
        .push("server-window-move-resize", true)
        .push("server-window-resize", true)
        .push("raw_window_icons", true)
        .push("window.raise", true)
        .push("window.initiate-moveresize", true)
        .push("window.resize-counter", true)
        .push("window.min-size", pair(0, 0))
        .push("window.max-size", pair(MAX_WINDOW_SIDE, MAX_WINDOW_SIDE))
        .push("metadata.supported", metadata::SUPPORTED)
        .push("desktop_size", pair(display.size.width, display.size.height))
        .push("screen_sizes", screen_sizes(display))
        .push("desktops", 1u32)
        .push("dpi", (dpi_x + dpi_y) / 2)
        .push("dpi.x", dpi_x)
        .push("dpi.y", dpi_y)
        .push("vrefresh", display.refresh_hz)
        .push("auto_refresh_delay", AUTO_REFRESH_DELAY_MS)
        .push("generic-rgb-encodings", true)
        .push("encodings", &encodings::names(&offered)[..])
        .push("encodings.core", &encodings::core_names(&offered)[..])
        .push("encoding", encodings::setting(pictures))
        .push("encodings.window-icon", &["png"][..])
        .push("encodings.rgb_formats", RGB_FORMATS)
        .push("encoding.generic", true)
        .push("encoding.client_options", true)
        .push("encoding.csc_atoms", true)
        .push("encoding.video_reinit", true)
        .push("encoding.video_scaling", pictures.video_scaling)
        .push("encoding.video_b_frames", no_items())
        .push("encoding.video_max_size", pair(VIDEO_MAX_SIDE, VIDEO_MAX_SIDE))
        .push("encoding.rgb_formats", RGB_FORMATS)
        .push("encoding.full_csc_modes", encodings::csc_modes(&offered))
        .push("encoding.h264.YUV420P.profile", pictures.h264_profile)
        .push("encoding.rgb24zlib", compresses_rgb(config, "zlib"))
        .push("encoding.rgb_zlib", compresses_rgb(config, "zlib"))
        .push("encoding.rgb_lz4", compresses_rgb(config, "lz4"))
        .push("encoding.rgb_lzo", false)
        .push("encoding.transparency", true)
        .push("encoding.scrolling", encodings::scrolls(pictures))
        .push("encoding.flush", true)
        .push("encoding.eos", true)
        .push("encoding.max-soft-expired", 5u32)
        .push("encoding.icons.greedy", true)
        .push("encoding.icons.size", pair(ICON_SIDE, ICON_SIDE))
        .push("encoding.icons.max_size", pair(ICON_MAX_SIDE, ICON_MAX_SIDE));
    if !pictures.video_scaling {
        hello.push("encoding.scaling.control", 0u32);
    }
    for (name, value) in quality_options(config) {
        hello.push(&format!("encoding.{name}"), u32::from(value));
    }
    keymap::legacy_keys(&first_keymap(config), config.keymap.is_some(), hello);
}

// ---- both ------------------------------------------------------------------------------------

/// The keymap that is told in hello, as far as it is known and fits.
fn first_keymap(config: &SessionConfig) -> Keymap {
    let mut told = Told::default();
    told.start(config.keymap.as_ref());
    config.keymap.as_ref().map_or_else(keymap::us, |keymap| told.part(keymap).into_owned())
}

/// Client properties of a window whose video cannot be decoded: it shall come as pictures. Servers of both
/// generations leave out an encoding that no pixels are named for, and forget this with the connection.
pub fn pictures_only(config: &SessionConfig) -> Dict {
    let mut offered = encodings::offered(&config.pictures, false);
    offered.retain(|encoding| !encoding.is_video());
    let mut properties = Dict::default();
    properties.push("encoding.full_csc_modes", encodings::csc_modes(&offered));
    properties
}

fn quality_options(config: &SessionConfig) -> Vec<(&'static str, u8)> {
    let pictures = &config.pictures;
    let all = [
        ("quality", pictures.quality),
        ("min-quality", pictures.min_quality),
        ("speed", pictures.speed),
        ("min-speed", pictures.min_speed),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?.min(100)))).collect()
}

/// One X screen: name, size, size in mm, monitors, work area.
fn screen_sizes(display: &DisplayInfo) -> Vec<Value> {
    let (width, height) = (display.size.width, display.size.height);
    let monitor = |m: &Monitor| {
        let (width_mm, height_mm) = monitor_mm(m);
        let mut fields = vec![Value::from(m.name.as_str())];
        fields.extend(geometry(m));
        fields.extend([Value::from(width_mm), Value::from(height_mm)]);
        Value::List(fields)
    };
    let monitors: Vec<Value> = display.monitors.iter().take(MAX_MONITORS).map(monitor).collect();
    let (dpi_x, dpi_y) = dpi(display);
    vec![Value::List(vec![
        Value::from("screen"),
        Value::from(width),
        Value::from(height),
        Value::from(millimetres(width, dpi_x)),
        Value::from(millimetres(height, dpi_y)),
        Value::List(monitors),
        Value::from(0),
        Value::from(0),
        Value::from(width),
        Value::from(height),
    ])]
}

fn geometry(monitor: &Monitor) -> Vec<Value> {
    let size = monitor.size;
    vec![monitor.x.into(), monitor.y.into(), size.width.into(), size.height.into()]
}

fn monitor_mm(monitor: &Monitor) -> (u32, u32) {
    if monitor.width_mm > 0 && monitor.height_mm > 0 {
        return (monitor.width_mm, monitor.height_mm);
    }
    let mm = |pixels| millimetres(pixels, DEFAULT_DPI);
    (mm(monitor.size.width), mm(monitor.size.height))
}

/// Dots per inch: the one that is told, else of the first monitor whose size is known and plausible.
pub fn dpi(display: &DisplayInfo) -> (u32, u32) {
    if display.dpi > 0 {
        return (display.dpi, display.dpi);
    }
    let of = |pixels: u32, mm: u32| {
        let (pixels, mm) = (u64::from(pixels), u64::from(mm));
        let dpi = (pixels * 254 + mm * 5).checked_div(mm * 10)?;
        u32::try_from(dpi).ok().filter(|dpi| (30..=500).contains(dpi))
    };
    let known = |m: &Monitor| Some((of(m.size.width, m.width_mm)?, of(m.size.height, m.height_mm)?));
    display.monitors.iter().find_map(known).unwrap_or((DEFAULT_DPI, DEFAULT_DPI))
}

fn millimetres(pixels: u32, dpi: u32) -> u32 {
    // To the nearest: the servers divide by it.
    let dpi = u64::from(dpi.max(1));
    let mm = (u64::from(pixels) * 254 + dpi * 5) / (dpi * 10);
    u32::try_from(mm).unwrap_or(u32::MAX)
}

fn pair(a: u32, b: u32) -> Vec<Value> {
    vec![a.into(), b.into()]
}

fn pair_i(a: i32, b: i32) -> Vec<Value> {
    vec![a.into(), b.into()]
}

fn no_items() -> Vec<Value> {
    Vec::new()
}
