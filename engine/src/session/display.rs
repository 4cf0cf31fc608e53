//! The local screen as servers are told of it: size, monitors, resolution.

use super::event::Output;
use super::server_info::ServerTraits;
use super::setup::Setup;
use super::windows::Windows;
use crate::geometry::Size;
use crate::protocol::packet::{Dict, Value, display};

/// Monitors told of.
const MAX_MONITORS: usize = 16;
/// Assumed where nothing is known.
const DEFAULT_DPI: u32 = 96;

/// One monitor of the local desktop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Monitor {
    pub name: String,
    pub x: i32,
    pub y: i32,
    pub size: Size,
    /// Physical size; 0 when unknown (96 dpi is told then).
    pub width_mm: u32,
    pub height_mm: u32,
    pub primary: bool,
}

/// The local desktop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DisplayInfo {
    pub size: Size,
    pub monitors: Vec<Monitor>,
    /// Refresh rate; 0 when unknown.
    pub refresh_hz: u32,
    /// Dots per inch that programs are to draw for; 0: as the monitors' sizes say.
    pub dpi: u32,
}

impl DisplayInfo {
    /// A desktop of one monitor of this size.
    pub fn single(size: Size) -> Self {
        let monitor = Monitor { name: "screen".to_owned(), size, primary: true, ..Monitor::default() };
        Self { size, monitors: vec![monitor], ..Self::default() }
    }
}

/// What happens to the local screen.
#[derive(Clone, Debug)]
pub enum DisplayInput {
    /// It or its monitors changed.
    Changed(Box<DisplayInfo>),
}

/// The desktops on both sides.
#[derive(Debug, Default)]
pub struct Display {
    /// The one that the server's windows show, if they show one.
    server: Option<Size>,
}

impl Display {
    /// The server accepted us.
    pub fn accepted(
        &mut self,
        traits: &ServerTraits,
        setup: &Setup,
        windows: &mut Windows,
        out: &mut Vec<Output>,
    ) {
        self.server = traits.desktop;
        self.set_bounds(setup, windows, out);
    }

    /// Takes what happens after that.
    pub fn input(
        &self,
        input: DisplayInput,
        setup: &mut Setup,
        windows: &mut Windows,
        out: &mut Vec<Output>,
    ) {
        early_input(input, setup);
        self.set_bounds(setup, windows, out);
        out.push(Output::Send(configure(&setup.local.display).into()));
    }

    /// The bounds follow the desktop: the local one, and that of a server whose windows are whole desktops.
    fn set_bounds(&self, setup: &Setup, windows: &mut Windows, out: &mut Vec<Output>) {
        let (local, server) = (setup.local.display.size, self.server.unwrap_or_default());
        let width = local.width.max(server.width);
        let height = local.height.max(server.height);
        let bounds = windows.room.set_desktop(Size { width, height }, local);
        out.push(Output::Established { bounds });
    }
}

/// Takes what happens before that.
pub fn early_input(input: DisplayInput, setup: &mut Setup) {
    let DisplayInput::Changed(display) = input;
    setup.local.display = *display;
}

/// What hello says of it.
pub fn capabilities(setup: &Setup, hello: &mut Dict) {
    let display = &setup.local.display;
    if !setup.peer.dialect.is_modern() {
        let (x, y) = dpi(display);
        hello
            .push("randr_notify", true)
            .push("desktop_size", pair(display.size.width, display.size.height))
            .push("screen_sizes", screen_sizes(display))
            .push("desktops", 1u32)
            .push("dpi", (x + y) / 2)
            .push("dpi.x", x)
            .push("dpi.y", y)
            .push("vrefresh", display.refresh_hz);
        return;
    }
    // servers before 6.5 look for the display's keys outside of the map
    let caps = properties(display);
    for (key, value) in &caps.0 {
        hello.0.push((key.clone(), value.clone()));
    }
    match &setup.config.display_name {
        // A proxy chooses by it, and its servers take the keys from beside it.
        Some(name) => {
            let mut session = Dict::default();
            session.push("display", name.as_str());
            hello.push("display", name.as_str()).push("session", session)
        }
        None => hello.push("display", caps),
    };
}

/// Another screen from now on.
fn configure(display: &DisplayInfo) -> display::ToServer {
    let (width, height) = (display.size.width, display.size.height);
    display::ToServer::Configure { width, height, properties: properties(display) }
}

fn properties(display: &DisplayInfo) -> Dict {
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
fn dpi(display: &DisplayInfo) -> (u32, u32) {
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
