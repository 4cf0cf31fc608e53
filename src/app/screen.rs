//! The local display, as all sessions of one run see it.

use std::sync::Arc;

use winit::event_loop::ActiveEventLoop;

use crate::channel::{DesktopScaling, Scale};
use crate::codec::Size;
use crate::desktop::Desktop;
use crate::session::config::{DisplayInfo, Monitor};

use super::inbox::{Inbox, InboxEvent};
use super::own_window::OwnWindow;

/// What exists as long as the event loop runs.
pub struct Screen {
    pub desktop: Desktop,
    pub x11: bool,
}

impl Screen {
    /// Opens the desktop, which tells `inbox` what happens there.
    pub fn open(event_loop: &ActiveEventLoop, inbox: &Arc<Inbox>) -> Self {
        let x11 = is_x11(event_loop);
        let inbox = Arc::clone(inbox);
        Self { desktop: Desktop::open(x11, move |event| inbox.push(InboxEvent::Desktop(event))), x11 }
    }

    /// Whether a window of our own is to look dark: as the desktop wants it, else dark.
    pub fn is_dark(&self, window: &OwnWindow) -> bool {
        let known = window.theme().map(|theme| theme == winit::window::Theme::Dark);
        known.or_else(|| self.desktop.is_dark()).unwrap_or(true)
    }
}

#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
fn is_x11(event_loop: &ActiveEventLoop) -> bool {
    winit::platform::x11::ActiveEventLoopExtX11::is_x11(event_loop)
}

#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
fn is_x11(_event_loop: &ActiveEventLoop) -> bool {
    false
}

/// The scale that is meant, by the main monitor.
pub fn scale(scaling: DesktopScaling, event_loop: &ActiveEventLoop) -> Scale {
    let monitor = event_loop.primary_monitor().or_else(|| event_loop.available_monitors().next());
    scaling.scale(monitor.map_or(1.0, |monitor| monitor.scale_factor()))
}

/// What an X program takes for normal.
const NORMAL_DPI: f64 = 96.0;

/// Its size and monitors, in the server's pixels.
///
/// Windows that are shown pixel by pixel are to be drawn for these monitors: their resolution is told as
/// the desktop's scale factor has it. Scaled ones are drawn for a normal resolution.
pub fn display_info(event_loop: &ActiveEventLoop, scale: Scale) -> DisplayInfo {
    let primary = event_loop.primary_monitor();
    let mut display = DisplayInfo::default();
    for (index, monitor) in event_loop.available_monitors().enumerate() {
        let (position, size) = (monitor.position(), monitor.size());
        // Edges are scaled, so that monitors still lie side by side.
        let edge = |at: i64| scale.to_server(i32::try_from(at).unwrap_or(i32::MAX));
        let (left, top) = (edge(position.x.into()), edge(position.y.into()));
        let right = edge(i64::from(position.x) + i64::from(size.width));
        let bottom = edge(i64::from(position.y) + i64::from(size.height));
        let length = |from: i32, to: i32| u32::try_from(i64::from(to) - i64::from(from)).unwrap_or(0);
        display.size.width = display.size.width.max(length(0, right));
        display.size.height = display.size.height.max(length(0, bottom));
        let dpi = NORMAL_DPI * monitor.scale_factor();
        let is_told = scale == Scale::ONE && dpi > NORMAL_DPI;
        if is_told && (display.dpi == 0 || primary.as_ref() == Some(&monitor)) {
            // A small number.
            display.dpi = dpi.round() as u32;
        }
        // A small number.
        let mm = |pixels: u32| if is_told { (f64::from(pixels) * 25.4 / dpi).round() as u32 } else { 0 };
        let hz = monitor.refresh_rate_millihertz().map_or(0, |millihertz| millihertz.div_ceil(1000));
        display.refresh_hz = display.refresh_hz.max(hz);
        display.monitors.push(Monitor {
            name: monitor.name().unwrap_or_else(|| format!("monitor {index}")),
            x: left,
            y: top,
            size: Size { width: length(left, right), height: length(top, bottom) },
            width_mm: mm(size.width),
            height_mm: mm(size.height),
            primary: primary.as_ref() == Some(&monitor),
        });
    }
    if display.size == Size::default() {
        DisplayInfo::single(scale.size_to_server(Size { width: 1920, height: 1080 }))
    } else {
        display
    }
}
