//! The connect window's size: as it was left, and never larger than the screen.

use winit::dpi::LogicalSize;
use winit::event_loop::ActiveEventLoop;

use crate::config::connections::Store;
use crate::ui::connect::{CONNECT_MIN_SIZE, CONNECT_SIZE};

/// What panels and the window's own frame take of a screen, in points.
const AROUND: LogicalSize<u32> = LogicalSize { width: 20, height: 80 };

/// The window's size in points to begin with, and its least.
pub fn sizes(store: Option<&Store>, event_loop: &ActiveEventLoop) -> (LogicalSize<u32>, LogicalSize<u32>) {
    let monitor = event_loop.primary_monitor().or_else(|| event_loop.available_monitors().next());
    let screen: Option<LogicalSize<u32>> =
        monitor.map(|monitor| monitor.size().to_logical(monitor.scale_factor()));
    let room = screen.filter(|screen| screen.width > 0 && screen.height > 0).map(|screen| {
        LogicalSize::new(
            screen.width.saturating_sub(AROUND.width),
            screen.height.saturating_sub(AROUND.height),
        )
    });
    let kept = store.and_then(Store::window_size);
    let wanted = kept.map_or(LogicalSize::from(CONNECT_SIZE), LogicalSize::from);
    fitting(wanted, room)
}

/// `wanted` and the least size, as far as there is room for them.
fn fitting(wanted: LogicalSize<u32>, room: Option<LogicalSize<u32>>) -> (LogicalSize<u32>, LogicalSize<u32>) {
    let within = |size: LogicalSize<u32>| match room {
        Some(room) => LogicalSize::new(size.width.min(room.width), size.height.min(room.height)),
        None => size,
    };
    let least = within(LogicalSize::from(CONNECT_MIN_SIZE));
    let size = within(wanted);
    (LogicalSize::new(size.width.max(least.width), size.height.max(least.height)), least)
}

/// Keeps it for the next window.
pub fn keep(store: &Store, size: LogicalSize<u32>) {
    if let Err(error) = store.keep_window_size((size.width, size.height)) {
        tracing::debug!(%error, "the window's size cannot be kept");
    }
}
