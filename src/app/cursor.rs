//! The pointer's look, as the server wants it.

use std::str::FromStr as _;

use cursor_icon::CursorIcon;
use winit::event_loop::ActiveEventLoop;
use winit::window::{Cursor, CustomCursor};

use crate::channel::Scale;
use crate::codec::{alpha, icon};
use crate::geometry::Size;
use crate::protocol::packet::pointer;
use crate::session::{CursorShape, PointerEvent};

use super::screen::Screen;
use super::windows::Windows;

/// Follows what the session says of the pointer.
pub fn follow(
    event: &PointerEvent,
    windows: &mut Windows,
    scale: Scale,
    screen: &Screen,
    event_loop: &ActiveEventLoop,
) {
    match event {
        PointerEvent::Cursor(shape) => {
            screen.desktop.set_popup_cursor(icon(shape));
            windows.set_cursor(cursor(shape, scale, event_loop, screen.x11));
        }
        // A grab of the pointer would take it away from all other programs of this desktop.
        PointerEvent::Grabbed { .. } | PointerEvent::Ungrabbed => {}
    }
}

/// What to show for `shape`. A cursor that the local theme knows by name is shown in the local
/// theme and size; pictures are scaled, and those that cannot be used give the default.
pub fn cursor(shape: &CursorShape, scale: Scale, event_loop: &ActiveEventLoop, x11: bool) -> Cursor {
    match shape {
        CursorShape::Default => Cursor::default(),
        CursorShape::Image(image) => named(&image.name)
            .map(Cursor::from)
            .or_else(|| picture(image, scale, event_loop, x11))
            .unwrap_or_default(),
    }
}

/// The same where only cursors of the local theme can be shown: for a picture, the default.
pub fn icon(shape: &CursorShape) -> CursorIcon {
    match shape {
        CursorShape::Default => CursorIcon::Default,
        CursorShape::Image(image) => named(&image.name).unwrap_or_default(),
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

/// The cursor's own picture. Servers of both generations send it with red and blue exchanged: as RGBA where it is
/// raw, and a png of that taken for BGRA. Its colours are multiplied by alpha, whichever the encoding. So does X11
/// want them, to which winit 0.30 passes them on as they are; elsewhere it takes those that are not.
fn picture(image: &pointer::Cursor, scale: Scale, event_loop: &ActiveEventLoop, x11: bool) -> Option<Cursor> {
    let size = Size { width: image.width, height: image.height };
    // The rows of a raw cursor have no padding.
    let rowstride = image.width.checked_mul(4)?;
    let (size, mut rgba) = icon::to_rgba(&image.encoding, size, rowstride, &image.data)
        .inspect_err(|error| tracing::debug!(%error, "a cursor cannot be decoded"))
        .ok()?;
    for [red, _, blue, _] in rgba.as_chunks_mut::<4>().0 {
        std::mem::swap(red, blue);
    }
    if !x11 {
        alpha::divide(&mut rgba);
    }
    let (size, rgba) = scaled(size, rgba, scale);
    let narrow = |value: u32| u16::try_from(value).ok();
    let hotspot = |at: u32| i32::try_from(at).ok().and_then(|at| u16::try_from(scale.to_local(at)).ok());
    let (width, height) = (narrow(size.width)?, narrow(size.height)?);
    let hotspot_x = hotspot(image.hotspot_x)?.min(width.checked_sub(1)?);
    let hotspot_y = hotspot(image.hotspot_y)?.min(height.checked_sub(1)?);
    CustomCursor::from_rgba(rgba, width, height, hotspot_x, hotspot_y)
        .inspect_err(|error| tracing::debug!(%error, "a cursor cannot be used"))
        .ok()
        .map(|source| Cursor::from(event_loop.create_custom_cursor(source)))
}

/// The picture in local pixels: each is the nearest one of it.
fn scaled(size: Size, rgba: Vec<u8>, scale: Scale) -> (Size, Vec<u8>) {
    let pixels = rgba.as_chunks::<4>().0;
    if scale == Scale::ONE || size.width == 0 || size.height == 0 {
        return (size, rgba);
    }
    let to = scale.size_to_local(size);
    let nearest = |at: u32, to: u32, from: u32| ((2 * at + 1) * from / (2 * to)).min(from - 1) as usize;
    let row = |y: u32| pixels.chunks(size.width as usize).nth(nearest(y, to.height, size.height));
    let rows = (0..to.height).filter_map(row);
    let scaled = rows.flat_map(|row| (0..to.width).filter_map(|x| row.get(nearest(x, to.width, size.width))));
    let scaled = scaled.flatten().copied().collect();
    (to, scaled)
}
