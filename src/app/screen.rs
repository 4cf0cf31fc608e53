//! The local display, as all sessions of one run see it.

use std::sync::Arc;

use winit::dpi::{LogicalSize, PhysicalSize};
use winit::event_loop::ActiveEventLoop;

use crate::channel::{DesktopScaling, Scale};
use crate::desktop::{Desktop, MonitorFacts, WindowSystem};
use crate::geometry::{Rect, Size};
use crate::session::{DisplayInfo, Monitor};

use super::inbox::{Inbox, InboxEvent};
use super::own_window::OwnWindow;

/// What exists as long as the event loop runs.
pub struct Screen {
    pub desktop: Desktop,
    pub x11: bool,
    pub wayland: bool,
}

impl Screen {
    /// Opens the desktop, which tells `inbox` what happens there.
    pub fn open(event_loop: &ActiveEventLoop, inbox: &Arc<Inbox>) -> Self {
        let system = system(event_loop);
        let x11 = matches!(system, WindowSystem::X11);
        let wayland = matches!(system, WindowSystem::Wayland(_));
        let inbox = Arc::clone(inbox);
        let desktop = Desktop::open(system, move |event| inbox.push(InboxEvent::Desktop(event)));
        Self { desktop, x11, wayland }
    }

    /// Whether a window of our own is to look dark: as the desktop wants it, else dark.
    pub fn is_dark(&self, window: &OwnWindow) -> bool {
        let known = window.theme().map(|theme| theme == winit::window::Theme::Dark);
        known.or_else(|| self.desktop.is_dark()).unwrap_or(true)
    }
}

#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
fn system(event_loop: &ActiveEventLoop) -> WindowSystem {
    if winit::platform::x11::ActiveEventLoopExtX11::is_x11(event_loop) {
        WindowSystem::X11
    } else if winit::platform::wayland::ActiveEventLoopExtWayland::is_wayland(event_loop) {
        WindowSystem::Wayland(event_loop.owned_display_handle())
    } else {
        WindowSystem::Other
    }
}

#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
fn system(_event_loop: &ActiveEventLoop) -> WindowSystem {
    WindowSystem::Other
}

/// The scale that is meant, by the main monitor.
pub fn scale(scaling: DesktopScaling, event_loop: &ActiveEventLoop) -> Scale {
    scaling.scale(factor(event_loop))
}

/// The scale factor of the main monitor.
pub fn factor(event_loop: &ActiveEventLoop) -> f64 {
    let monitor = event_loop.primary_monitor().or_else(|| event_loop.available_monitors().next());
    monitor.map_or(1.0, |monitor| monitor.scale_factor())
}

/// Room for what stands around a window of our own: a frame, a panel. In points.
const AROUND: f64 = 56.0;

/// The size of a window of our own that is to have this one, in points: no larger than the main monitor.
pub fn own_size(
    (width, height): (u32, u32),
    desktop: &Desktop,
    event_loop: &ActiveEventLoop,
) -> LogicalSize<f64> {
    let monitor = event_loop.primary_monitor().or_else(|| event_loop.available_monitors().next());
    let (size, factor) = match monitor {
        Some(monitor) => (Some(monitor.size()), monitor.scale_factor()),
        None => (desktop.screen_size().map(|size| PhysicalSize::new(size.width, size.height)), 1.0),
    };
    let room = size.map(|size| size.to_logical::<f64>(factor));
    let fits = |side: u32, room: Option<f64>| {
        let side = f64::from(side);
        room.map_or(side, |room| side.min((room - AROUND).max(AROUND)))
    };
    LogicalSize::new(fits(width, room.map(|room| room.width)), fits(height, room.map(|room| room.height)))
}

/// Where windows may be: the monitors, without panels. Empty where the desktop does not tell positions.
pub fn areas(desktop: &Desktop) -> Vec<Rect> {
    let whole = desktop.screen_size().map(|size| Rect { x: 0, y: 0, width: size.width, height: size.height });
    let mut areas: Vec<Rect> = desktop.monitors().into_iter().map(|monitor| monitor.area).collect();
    if areas.is_empty() {
        areas.extend(whole);
    }
    let Some(work) = desktop.work_area() else { return areas };
    let free: Vec<Rect> = areas.iter().filter_map(|area| intersection(*area, work)).collect();
    if free.is_empty() { areas } else { free }
}

fn intersection(one: Rect, other: Rect) -> Option<Rect> {
    let edge = |at: i32, len: u32| i64::from(at) + i64::from(len);
    let (x, y) = (one.x.max(other.x), one.y.max(other.y));
    let side = |from: i32, to: i64| u32::try_from(to - i64::from(from)).ok().filter(|side| *side > 0);
    let width = side(x, edge(one.x, one.width).min(edge(other.x, other.width)))?;
    let height = side(y, edge(one.y, one.height).min(edge(other.y, other.height)))?;
    Some(Rect { x, y, width, height })
}

/// What an X program takes for normal.
const NORMAL_DPI: f64 = 96.0;

/// Its size and monitors, in the server's pixels.
///
/// Windows that are shown pixel by pixel are to be drawn for these monitors: their resolution is told as
/// the desktop's scale factor has it. Scaled ones are drawn for a normal resolution.
pub fn display_info(event_loop: &ActiveEventLoop, desktop: &Desktop, scale: Scale) -> DisplayInfo {
    let mut display = DisplayInfo::default();
    for (index, LocalMonitor { facts, scale_factor, millihertz }) in
        monitors(event_loop, desktop).into_iter().enumerate()
    {
        let Rect { x, y, width, height } = facts.area;
        // Edges are scaled, so that monitors still lie side by side.
        let edge = |at: i64| scale.to_server(i32::try_from(at).unwrap_or(i32::MAX));
        let (left, top) = (edge(x.into()), edge(y.into()));
        let right = edge(i64::from(x) + i64::from(width));
        let bottom = edge(i64::from(y) + i64::from(height));
        let length = |from: i32, to: i32| u32::try_from(i64::from(to) - i64::from(from)).unwrap_or(0);
        display.size.width = display.size.width.max(length(0, right));
        display.size.height = display.size.height.max(length(0, bottom));
        let dpi = NORMAL_DPI * scale_factor;
        let is_told = scale == Scale::ONE && dpi > NORMAL_DPI;
        if is_told && (display.dpi == 0 || facts.primary) {
            // A small number.
            display.dpi = dpi.round() as u32;
        }
        // A small number.
        let mm = |pixels: u32| if is_told { (f64::from(pixels) * 25.4 / dpi).round() as u32 } else { 0 };
        display.refresh_hz = display.refresh_hz.max(millihertz.div_ceil(1000));
        display.monitors.push(Monitor {
            name: if facts.name.is_empty() { format!("monitor {index}") } else { facts.name },
            x: left,
            y: top,
            size: Size { width: length(left, right), height: length(top, bottom) },
            width_mm: mm(width),
            height_mm: mm(height),
            primary: facts.primary,
        });
    }
    if display.size == Size::default() {
        let size = desktop.screen_size().unwrap_or(Size { width: 1920, height: 1080 });
        DisplayInfo::single(scale.size_to_server(size))
    } else {
        display
    }
}

/// A monitor, with what winit knows of it.
struct LocalMonitor {
    facts: MonitorFacts,
    scale_factor: f64,
    /// 0 where it is not known.
    millihertz: u32,
}

/// The monitors: which there are, as the desktop knows it, else winit. winit knows the outputs of the screen, which
/// somebody may have split or joined, and on some displays (Xephyr) none.
fn monitors(event_loop: &ActiveEventLoop, desktop: &Desktop) -> Vec<LocalMonitor> {
    let primary = event_loop.primary_monitor();
    let outputs: Vec<LocalMonitor> = event_loop
        .available_monitors()
        .map(|monitor| {
            let (position, size) = (monitor.position(), monitor.size());
            let area = Rect { x: position.x, y: position.y, width: size.width, height: size.height };
            let primary = primary.as_ref() == Some(&monitor);
            LocalMonitor {
                facts: MonitorFacts { name: monitor.name().unwrap_or_default(), area, primary },
                scale_factor: monitor.scale_factor(),
                millihertz: monitor.refresh_rate_millihertz().unwrap_or(0),
            }
        })
        .collect();
    let split = desktop.monitors();
    if split.is_empty() {
        return outputs;
    }
    let with_output = |facts: MonitorFacts| {
        let output = outputs.iter().find(|output| intersection(output.facts.area, facts.area).is_some());
        let (scale_factor, millihertz) =
            output.map_or((1.0, 0), |output| (output.scale_factor, output.millihertz));
        LocalMonitor { facts, scale_factor, millihertz }
    };
    split.into_iter().map(with_output).collect()
}
