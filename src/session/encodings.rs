//! Which encodings are offered, and how a preferred one is asked for.
//!
//! Both generations take a preferred encoding only for a hint: they look at their own list of what goes
//! well with it first, and where they follow it, they compare a window's width with a number of pixels and
//! send plain pixels instead. What they do follow is the list of what may be sent. So a preference is a
//! shorter list, with what the server needs beside it; only where that is not enough it is told as well.

use super::config::{Generation, PictureOptions};
use crate::protocol::packet::Dict;
use crate::protocol::packet::server::Encoding;

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
pub fn window_properties(pictures: &PictureOptions, generation: Generation, scroll: bool) -> Dict {
    let offered = offered(pictures, scroll);
    let mut properties = Dict::default();
    properties
        .push("encodings", &names(&offered)[..])
        .push("encodings.core", &core_names(&offered)[..])
        .push("encoding.full_csc_modes", csc_modes(&offered));
    if generation == Generation::Legacy31 {
        properties.push("encoding.scrolling", scrolls(pictures));
    }
    properties
}

/// Whether `scroll` is among what may be offered.
pub fn scrolls(pictures: &PictureOptions) -> bool {
    offered(pictures, true).contains(&Encoding::Scroll)
}
