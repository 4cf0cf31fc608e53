//! The local display, as all sessions of one run see it.

use std::sync::Arc;

use winit::event_loop::ActiveEventLoop;

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

/// Its size and monitors.
pub fn display_info(event_loop: &ActiveEventLoop) -> DisplayInfo {
    let primary = event_loop.primary_monitor();
    let mut display = DisplayInfo::default();
    for (index, monitor) in event_loop.available_monitors().enumerate() {
        let (position, size) = (monitor.position(), monitor.size());
        let edge = |start: i32, length: u32| u32::try_from(i64::from(start) + i64::from(length)).unwrap_or(0);
        display.size.width = display.size.width.max(edge(position.x, size.width));
        display.size.height = display.size.height.max(edge(position.y, size.height));
        let hz = monitor.refresh_rate_millihertz().map_or(0, |millihertz| millihertz.div_ceil(1000));
        display.refresh_hz = display.refresh_hz.max(hz);
        display.monitors.push(Monitor {
            name: monitor.name().unwrap_or_else(|| format!("monitor {index}")),
            x: position.x,
            y: position.y,
            size: Size { width: size.width, height: size.height },
            width_mm: 0,
            height_mm: 0,
            primary: primary.as_ref() == Some(&monitor),
        });
    }
    if display.size == Size::default() {
        DisplayInfo::single(Size { width: 1920, height: 1080 })
    } else {
        display
    }
}
