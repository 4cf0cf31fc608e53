//! The pointer's look, as the server wants it.

use std::str::FromStr as _;

use cursor_icon::CursorIcon;
use winit::event_loop::ActiveEventLoop;
use winit::window::{Cursor, CustomCursor};

use crate::codec::{Size, icon};
use crate::protocol::packet::server;
use crate::session::event::CursorShape;

/// What to show for `shape`. A cursor that the local theme knows by name is shown in the local
/// theme; pictures that cannot be used give the default.
pub fn cursor(shape: &CursorShape, event_loop: &ActiveEventLoop, x11: bool) -> Cursor {
    match shape {
        CursorShape::Default => Cursor::default(),
        CursorShape::Image(image) => named(&image.name)
            .map(Cursor::from)
            .or_else(|| picture(image, event_loop, x11))
            .unwrap_or_default(),
    }
}

/// The cursor called `name` in CSS or in X's cursor themes.
pub fn named(name: &str) -> Option<CursorIcon> {
    if let Ok(icon) = CursorIcon::from_str(name) {
        return Some(icon);
    }
    X_NAMED.into_iter().find(|icon| icon.alt_names().contains(&name))
}

/// The cursors that X themes know by other names.
const X_NAMED: [CursorIcon; 29] = [
    CursorIcon::Default,
    CursorIcon::Help,
    CursorIcon::Pointer,
    CursorIcon::Progress,
    CursorIcon::Wait,
    CursorIcon::Cell,
    CursorIcon::Crosshair,
    CursorIcon::Text,
    CursorIcon::Alias,
    CursorIcon::NoDrop,
    CursorIcon::NotAllowed,
    CursorIcon::Grab,
    CursorIcon::Grabbing,
    CursorIcon::EResize,
    CursorIcon::NResize,
    CursorIcon::NeResize,
    CursorIcon::NwResize,
    CursorIcon::SResize,
    CursorIcon::SeResize,
    CursorIcon::SwResize,
    CursorIcon::WResize,
    CursorIcon::EwResize,
    CursorIcon::NsResize,
    CursorIcon::NeswResize,
    CursorIcon::NwseResize,
    CursorIcon::ColResize,
    CursorIcon::RowResize,
    CursorIcon::AllScroll,
    CursorIcon::AllResize,
];

fn picture(image: &server::Cursor, event_loop: &ActiveEventLoop, x11: bool) -> Option<Cursor> {
    let size = Size { width: image.width, height: image.height };
    // The rows of a raw cursor have no padding.
    let rowstride = image.width.checked_mul(4)?;
    let (size, mut rgba) = icon::to_rgba(&image.encoding, size, rowstride, &image.data)
        .inspect_err(|error| tracing::debug!(%error, "a cursor cannot be decoded"))
        .ok()?;
    if x11 {
        premultiply(&mut rgba);
    }
    let narrow = |value: u32| u16::try_from(value).ok();
    let (width, height) = (narrow(size.width)?, narrow(size.height)?);
    let hotspot_x = narrow(image.hotspot_x)?.min(width.checked_sub(1)?);
    let hotspot_y = narrow(image.hotspot_y)?.min(height.checked_sub(1)?);
    CustomCursor::from_rgba(rgba, width, height, hotspot_x, hotspot_y)
        .inspect_err(|error| tracing::debug!(%error, "a cursor cannot be used"))
        .ok()
        .map(|source| Cursor::from(event_loop.create_custom_cursor(source)))
}

/// X11 wants colours multiplied by alpha; winit 0.30 passes them on as they are.
fn premultiply(rgba: &mut [u8]) {
    for pixel in rgba.chunks_exact_mut(4) {
        if let [red, green, blue, alpha] = pixel {
            for channel in [red, green, blue] {
                let product = u16::from(*channel) * u16::from(*alpha);
                *channel = u8::try_from((product + 127) / 255).unwrap_or(u8::MAX);
            }
        }
    }
}
