//! From what the server says of a window to what winit is told of it. Everything that comes
//! from the server is bounded here: winit and X11 panic or fail on values out of their range.

use winit::dpi::{PhysicalPosition, PhysicalSize};
use winit::window::{Fullscreen, Icon, Window, WindowAttributes, WindowLevel};

use crate::channel::Scale;
use crate::codec::{alpha, icon};
use crate::desktop::WindowHints;
use crate::geometry::Size;
use crate::protocol::packet::Image;
use crate::protocol::text;
use crate::session::windows::SizeLimits;
use crate::session::{WindowInfo, WindowState};
use crate::ui::farpane_icon;

use super::place::{Geometry, Place};

/// X11 counts positions and sizes in 16 bits.
const MAX_EXTENT: u32 = i16::MAX as u32;
/// Characters of a title, class or name that are shown.
const MAX_TEXT: usize = 512;
/// Icons are scaled down by whoever shows them; larger ones only cost memory.
const MAX_ICON: u32 = 512;

/// The attributes of a window that is about to be made, hidden.
pub fn attributes(info: &WindowInfo, title: String, x11: bool) -> WindowAttributes {
    let mut attributes = Window::default_attributes()
        .with_title(title)
        .with_inner_size(physical(info.size))
        .with_decorations(has_decorations(info))
        .with_visible(false)
        .with_active(!info.override_redirect)
        .with_window_level(window_level(info.state))
        .with_window_icon(info.icon.as_ref().and_then(window_icon).or_else(|| own_icon_unless_popup(info)));
    if !x11 {
        // On X11 these are hints; winit's own way to full screen would move the window.
        let fullscreen = info.state.fullscreen.then_some(Fullscreen::Borderless(None));
        attributes = attributes.with_fullscreen(fullscreen).with_maximized(info.state.maximized);
    }
    if info.override_redirect || has_place(info) {
        attributes = attributes.with_position(position(info.x, info.y));
    }
    if !info.override_redirect {
        let limits = info.size_limits;
        // On X11 the sizes say it. What winit does there besides stands in the way of a program that resizes its window.
        attributes = attributes.with_resizable(x11 || is_resizable(limits));
        if let Some(min) = limits.min {
            attributes = attributes.with_min_inner_size(physical(min));
        }
        if let Some(max) = limits.max {
            attributes = attributes.with_max_inner_size(physical(max));
        }
        if let Some(increment) = increment(limits) {
            attributes = attributes.with_resize_increments(increment);
        }
    }
    platform_attributes(attributes, info, x11)
}

/// Whether the window is to be where the server has it: its program asked for that, or an earlier session left it
/// there. 3.1 says so only of places that the user asked for; the others stand in the corner until somebody places
/// them.
pub fn has_place(info: &WindowInfo) -> bool {
    info.has_position || (info.x, info.y) != (0, 0)
}

/// What the server says of a window, in local pixels.
pub fn local(info: &WindowInfo, place: &Place) -> WindowInfo {
    let Geometry { x, y, size } = place.local();
    let size_limits = local_limits(info.size_limits, place.scale());
    WindowInfo { x, y, size, size_limits, ..info.clone() }
}

/// Size limits in local pixels. Steps that are no whole local pixels would lead to sizes that are
/// none of the application's: the server sees to those then.
pub fn local_limits(limits: SizeLimits, scale: Scale) -> SizeLimits {
    let size = |size: Size| scale.size_to_local(size);
    let is_whole = |step: &Size| {
        let exact = |side: u32| f64::from(side) * scale.factor();
        exact(step.width).fract() == 0.0 && exact(step.height).fract() == 0.0
    };
    SizeLimits {
        min: limits.min.map(size),
        max: limits.max.map(size),
        base: limits.base.map(size),
        increment: limits.increment.filter(is_whole).map(size),
    }
}

#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
fn platform_attributes(attributes: WindowAttributes, info: &WindowInfo, x11: bool) -> WindowAttributes {
    use winit::platform::wayland::WindowAttributesExtWayland;
    use winit::platform::x11::WindowAttributesExtX11;

    let (instance, class) = (text(&info.class.0), text(&info.class.1));
    if !x11 {
        return WindowAttributesExtWayland::with_name(attributes, class, instance);
    }
    let mut attributes = WindowAttributesExtX11::with_name(attributes, class, instance)
        .with_override_redirect(info.override_redirect);
    let SizeLimits { base, increment, .. } = info.size_limits;
    if base.is_some() || increment.is_some() {
        // Else window managers count the steps from the smallest size, and servers from nothing.
        let Size { width, height } = base.unwrap_or_default();
        attributes =
            attributes.with_base_size(PhysicalSize::new(width.min(MAX_EXTENT), height.min(MAX_EXTENT)));
    }
    attributes
}

#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
fn platform_attributes(attributes: WindowAttributes, _info: &WindowInfo, _x11: bool) -> WindowAttributes {
    attributes
}

/// What the window manager is told beyond winit.
pub fn hints(info: &WindowInfo, transient_for: Option<u64>) -> WindowHints {
    WindowHints {
        types: info.window_types.clone(),
        transient_for,
        modal: info.modal,
        skip_taskbar: info.skip_taskbar,
        state: info.state,
    }
}

/// Text from the server in a form that can be shown (winit panics on a NUL in a title).
pub fn text(text: &str) -> String {
    text::shown(text, MAX_TEXT)
}

/// A size within what X11 can count, not empty.
pub fn physical(size: Size) -> PhysicalSize<u32> {
    PhysicalSize::new(size.width.clamp(1, MAX_EXTENT), size.height.clamp(1, MAX_EXTENT))
}

/// A position within what X11 can count.
pub fn position(x: i32, y: i32) -> PhysicalPosition<i32> {
    let limit = i32::from(i16::MAX);
    PhysicalPosition::new(x.clamp(-limit, limit), y.clamp(-limit, limit))
}

/// Whether the window manager should frame the window.
pub fn has_decorations(info: &WindowInfo) -> bool {
    info.decorations && !info.override_redirect
}

/// Whether the size limits leave any choice.
pub fn is_resizable(limits: SizeLimits) -> bool {
    limits.min.is_none() || limits.min != limits.max
}

/// The steps in which the size may change, if they are steps at all.
pub fn increment(limits: SizeLimits) -> Option<PhysicalSize<u32>> {
    limits.increment.filter(|step| step.width > 1 || step.height > 1).map(physical)
}

/// Above or below other windows.
pub fn window_level(state: WindowState) -> WindowLevel {
    if state.above {
        WindowLevel::AlwaysOnTop
    } else if state.below {
        WindowLevel::AlwaysOnBottom
    } else {
        WindowLevel::Normal
    }
}

/// A window's icon, if its picture can be used.
pub fn window_icon(image: &Image) -> Option<Icon> {
    if image.width > MAX_ICON || image.height > MAX_ICON {
        tracing::debug!(width = image.width, height = image.height, "an icon is too large");
        return None;
    }
    let size = Size { width: image.width, height: image.height };
    let (size, mut rgba) = icon::to_rgba(&image.encoding, size, image.rowstride, &image.data)
        .inspect_err(|error| tracing::debug!(%error, "an icon cannot be decoded"))
        .ok()?;
    // Servers of both generations multiply the icons that programs set, and not those of themes.
    alpha::divide_if_multiplied(&mut rgba);
    Icon::from_rgba(rgba, size.width, size.height)
        .inspect_err(|error| tracing::debug!(%error, "an icon cannot be used"))
        .ok()
}

/// Farpane's own icon.
pub fn own_icon() -> Option<Icon> {
    let icon = farpane_icon().ok()?;
    Icon::from_rgba(icon.rgba, icon.width, icon.height).ok()
}

/// What a window shows until the server sends an icon, if ever; popups show none.
fn own_icon_unless_popup(info: &WindowInfo) -> Option<Icon> {
    if info.override_redirect { None } else { own_icon() }
}
