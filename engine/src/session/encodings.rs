//! Which encodings are offered, and how a preferred one is asked for.
//!
//! Both generations take a preferred encoding only for a hint: they look at their own list of what goes
//! well with it first, and where they follow it, they compare a window's width with a number of pixels and
//! send plain pixels instead. What they do follow is the list of what may be sent. So a preference is a
//! shorter list, with what the server needs beside it; only where that is not enough it is told as well.

use super::config::PictureOptions;
use super::setup::Setup;
use crate::protocol::Dialect;
use crate::protocol::packet::draw::Encoding;
use crate::protocol::packet::{Dict, Value};

/// Byte orders of rgb pixels that the shaders read as they are. The
/// servers capture BGRX and BGRA: first in the list, they need no conversion.
const RGB_FORMATS: &[&str] = &["BGRX", "BGRA", "RGBX", "RGBA", "RGB", "BGR", "r210", "BGR565"];
/// How a lossless refresh follows a lossy update, in milliseconds.
const AUTO_REFRESH_DELAY_MS: u32 = 150;
/// Largest video frame: the decoder's limit, not the server's.
const VIDEO_MAX_SIDE: u32 = 4096;
/// Largest icon wanted, and the one that is scaled to.
const ICON_MAX_SIDE: u32 = 128;
const ICON_SIDE: u32 = 64;

/// What hello says of them.
pub fn capabilities(setup: &Setup, hello: &mut Dict) {
    let pictures = &setup.config.pictures;
    let offered = self::offered(pictures, false);
    hello.push("auto_refresh_delay", AUTO_REFRESH_DELAY_MS).push("encodings", &names(&offered)[..]);
    if setup.peer.dialect.is_modern() {
        hello.push("encoding", map(setup, false));
        return;
    }
    hello
        .push("generic-rgb-encodings", true)
        .push("encodings.core", &core_names(&offered)[..])
        .push("encoding", setting(pictures))
        .push("encodings.window-icon", &["png"][..])
        .push("encodings.rgb_formats", RGB_FORMATS)
        .push("encoding.generic", true)
        .push("encoding.client_options", true)
        .push("encoding.csc_atoms", true)
        .push("encoding.video_reinit", true)
        .push("encoding.video_scaling", pictures.video_scaling)
        .push("encoding.video_b_frames", Vec::<Value>::new())
        .push("encoding.video_max_size", square(VIDEO_MAX_SIDE))
        .push("encoding.rgb_formats", RGB_FORMATS)
        .push("encoding.full_csc_modes", csc_modes(&offered))
        .push("encoding.h264.YUV420P.profile", pictures.h264_profile)
        .push("encoding.rgb24zlib", compresses_rgb(setup, "zlib"))
        .push("encoding.rgb_zlib", compresses_rgb(setup, "zlib"))
        .push("encoding.rgb_lz4", compresses_rgb(setup, "lz4"))
        .push("encoding.rgb_lzo", false)
        .push("encoding.transparency", true)
        .push("encoding.scrolling", scrolls(pictures))
        .push("encoding.flush", true)
        .push("encoding.eos", true)
        .push("encoding.max-soft-expired", 5u32)
        .push("encoding.icons.greedy", true)
        .push("encoding.icons.size", square(ICON_SIDE))
        .push("encoding.icons.max_size", square(ICON_MAX_SIDE));
    if !pictures.video_scaling {
        hello.push("encoding.scaling.control", 0u32);
    }
    for (name, value) in quality_options(setup) {
        hello.push(&format!("encoding.{name}"), u32::from(value));
    }
}

/// The `encoding` map, also sent as `encoding-config` when more can be offered after hello.
pub fn map(setup: &Setup, scroll: bool) -> Dict {
    let pictures = &setup.config.pictures;
    let offered = self::offered(pictures, scroll);
    let setting = self::setting(pictures);
    let mut caps = Dict::default();
    let mut icons = Dict::default();
    icons.push("greedy", true).push("size", square(ICON_SIDE));
    icons.push("max_size", square(ICON_MAX_SIDE));
    // 6.x looks a name with dots up part by part: `h264` {`YUV420P.profile`} would never be found.
    let mut yuv420 = Dict::default();
    yuv420.push("profile", pictures.h264_profile);
    let mut h264 = Dict::default();
    h264.push("profile", pictures.h264_profile).push("YUV420P", yuv420);
    caps.push("options", &names(&offered)[..])
        .push("core", &core_names(&offered)[..])
        .push("window-icon", &["png", "BGRA"][..])
        .push("rgb_formats", RGB_FORMATS)
        .push("full_csc_modes", csc_modes(&offered))
        .push("rgb_lz4", compresses_rgb(setup, "lz4"))
        .push("rgb_zstd", compresses_rgb(setup, "zstd"))
        .push("transparency", true)
        .push("eos", true)
        .push("flush", true)
        .push("video_b_frames", Vec::<Value>::new())
        .push("video_max_size", square(VIDEO_MAX_SIDE))
        .push("max-soft-expired", 5u32)
        .push("send-timestamps", false)
        .push("h264", h264)
        .push("icons", icons)
        .push("setting", setting)
        .push("", setting);
    if !pictures.video_scaling {
        caps.push("scaling.control", 0u32);
    }
    for (name, value) in quality_options(setup) {
        caps.push(name, u32::from(value));
    }
    caps
}

/// May rgb pixels come compressed by this one?
fn compresses_rgb(setup: &Setup, compressor: &str) -> bool {
    setup.config.pictures.compress_rgb && setup.offered_compressors().contains(&compressor)
}

fn quality_options(setup: &Setup) -> Vec<(&'static str, u8)> {
    let pictures = &setup.config.pictures;
    let all = [
        ("quality", pictures.quality),
        ("min-quality", pictures.min_quality),
        ("speed", pictures.speed),
        ("min-speed", pictures.min_speed),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?.min(100)))).collect()
}

/// Client properties of a window whose video cannot be decoded: it shall come as pictures. Servers of both
/// generations leave out an encoding that no pixels are named for, and forget this with the connection.
pub fn pictures_only(setup: &Setup) -> Dict {
    let mut offered = self::offered(&setup.config.pictures, false);
    offered.retain(|encoding| !encoding.is_video());
    let mut properties = Dict::default();
    properties.push("encoding.full_csc_modes", csc_modes(&offered));
    properties
}

fn square(side: u32) -> Vec<Value> {
    vec![Value::from(side), Value::from(side)]
}

/// What is offered for a preferred encoding; `None`: everything, and the preference is told.
///
/// Always two at least: with one alone a server keeps it as its choice, whatever is offered later.
/// Plain pixels or png beside the others are for windows with alpha and for tiny updates.
fn instead_of_all(preferred: &str) -> Option<&'static [Encoding]> {
    use Encoding as E;
    Some(match preferred {
        "png" => &[E::Png, E::PngPalette],
        "png/P" => &[E::PngPalette, E::Rgb24, E::Rgb32],
        "png/L" => &[E::PngGrey, E::Png],
        "rgb" | "rgb24" | "rgb32" => &[E::Rgb24, E::Rgb32],
        "jpeg" => &[E::Jpeg, E::Rgb24, E::Rgb32],
        "webp" => &[E::Webp, E::Rgb24, E::Rgb32],
        // With webp or jpeg beside it, what moves comes as these.
        "h264" => &[E::H264, E::Png, E::Rgb24, E::Rgb32],
        _ => return None,
    })
}

/// What may be sent, best first, without `scroll` unless that is known to work.
pub fn offered(pictures: &PictureOptions, scroll: bool) -> Vec<Encoding> {
    let offered = pictures.preferred.as_deref().and_then(instead_of_all).unwrap_or(&pictures.encodings);
    let wanted = |encoding: &Encoding| match encoding {
        Encoding::Void | Encoding::Other => false,
        Encoding::Scroll => scroll,
        _ => true,
    };
    offered.iter().copied().filter(wanted).collect()
}

/// The preference as servers are to be told: `auto` where the list says it all. While the session runs it
/// cannot be changed to another one for sure: 6.x may look at it before the list that comes first.
pub fn setting(pictures: &PictureOptions) -> &str {
    match pictures.preferred.as_deref() {
        Some("png/L") => "png/L",
        Some(preferred) if instead_of_all(preferred).is_none() => preferred,
        _ => "auto",
    }
}

/// Whether a draw may come in `encoding`.
pub fn accepts(pictures: &PictureOptions, encoding: Encoding) -> bool {
    match encoding {
        // 3.1.3 falls back to plain pixels whatever was offered, and would try again for ever.
        Encoding::Rgb24 | Encoding::Rgb32 | Encoding::Void => true,
        Encoding::Other => false,
        // What comes after a change of the preference may still be in the encoding of before.
        _ => pictures.encodings.contains(&encoding) || offered(pictures, false).contains(&encoding),
    }
}

/// The names that [`offered`] encodings have on the wire.
pub fn core_names(offered: &[Encoding]) -> Vec<&'static str> {
    offered.iter().map(|encoding| encoding.name()).collect()
}

/// The encodings by the names that users choose from: `rgb` for both rgb24 and rgb32.
pub fn names(offered: &[Encoding]) -> Vec<&'static str> {
    let mut names: Vec<&str> = Vec::new();
    for name in core_names(offered) {
        let name = if name.starts_with("rgb") { "rgb" } else { name };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The pixels that each encoding may be made of. Only 4:2:0 video can be decoded.
pub fn csc_modes(offered: &[Encoding]) -> Dict {
    let mut modes = Dict::default();
    let known: [(Encoding, &[&str]); 3] = [
        (Encoding::H264, &["YUV420P"]),
        (Encoding::Webp, &["BGRX", "BGRA", "RGBX", "RGBA"]),
        (Encoding::Jpeg, &["BGRX", "BGRA", "YUV420P"]),
    ];
    for (encoding, formats) in known {
        if offered.contains(&encoding) {
            modes.push(encoding.name(), formats);
        }
    }
    modes
}

/// The client properties of a window that may be sent what `pictures` offer from now on: both generations
/// copy the session's list when a window comes, and read changes only from here.
pub fn window_properties(pictures: &PictureOptions, dialect: Dialect, scroll: bool) -> Dict {
    let offered = self::offered(pictures, scroll);
    let mut properties = Dict::default();
    properties
        .push("encodings", &names(&offered)[..])
        .push("encodings.core", &core_names(&offered)[..])
        .push("encoding.full_csc_modes", csc_modes(&offered));
    if dialect == Dialect::Legacy31 {
        properties.push("encoding.scrolling", scrolls(pictures));
    }
    properties
}

/// Whether `scroll` is among what may be offered.
pub fn scrolls(pictures: &PictureOptions) -> bool {
    offered(pictures, true).contains(&Encoding::Scroll)
}
