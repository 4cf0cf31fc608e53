//! Windows, both ways: their life, place, state and looks, but not their pixels (Protocol.md §7.3, §8.3).

use super::args::{ArgError, Args, List, Map};
use super::encode::Encoder;
use super::image::Image;
use super::names::{self, Names, Naming, alias, received};
use super::out::{Out, position, size};
use super::{Dict, Modifiers, WindowId};

/// The packets that have two names.
pub const NAMES: Names = Names {
    to_client: &[
        alias("window-bell", "bell", Naming::V65),
        alias("window-create", "new-window", Naming::V65),
        alias("window-destroy", "lost-window", Naming::V65),
        alias("window-initiate-moveresize", "initiate-moveresize", Naming::V65),
        alias("window-raise", "raise-window", Naming::V65),
        alias("window-restack", "restack-window", Naming::V65),
        received("window-create", "new-override-redirect"),
        received("window-create", "new-tray"),
        received("window-move-resize", "configure-override-redirect"),
    ],
    to_server: &[
        alias("bell-set", "set-bell", Naming::V65),
        alias("window-close", "close-window", Naming::V65),
        alias("window-configure", "configure-window", Naming::V65),
        alias("window-focus", "focus", Naming::V65),
        alias("window-map", "map-window", Naming::V65),
        alias("window-unmap", "unmap-window", Naming::V65),
    ],
};

/// From the server.
#[derive(Clone, Debug, PartialEq)]
pub enum FromServer {
    Create(WindowCreate),
    Metadata { wid: WindowId, metadata: Dict },
    MoveResize(WindowMoveResize),
    Resized { wid: WindowId, width: u32, height: u32, resize_counter: u64 },
    Raise { wid: WindowId },
    Restack { wid: WindowId, detail: u8, sibling: u64 },
    InitiateMoveResize(WindowInitiateMoveResize),
    Destroy { wid: WindowId },
    Icon { wid: WindowId, image: Image },
    Bell(WindowBell),
}

/// To the server.
#[derive(Clone, Debug, PartialEq)]
pub enum ToServer {
    Map(WindowGeometry),
    Unmap {
        wid: WindowId,
        iconified: bool,
    },
    Configure(WindowGeometry),
    Close {
        wid: WindowId,
    },
    /// `None`: no window of ours has the focus.
    Focus {
        wid: Option<WindowId>,
        modifiers: Modifiers,
    },
    /// Whether bells are to be sent.
    BellSet {
        enabled: bool,
    },
}

/// `window-create`; legacy `new-window` and `new-override-redirect`.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowCreate {
    pub wid: WindowId,
    pub x: i32,
    pub y: i32,
    pub width: u32,
    pub height: u32,
    pub metadata: Dict,
    pub client_properties: Dict,
    /// From `new-override-redirect` or the metadata's `override-redirect`.
    pub override_redirect: bool,
    /// From `new-tray` or the metadata's `tray`.
    pub tray: bool,
}

/// `window-move-resize`; legacy `configure-override-redirect` comes as this too.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowMoveResize {
    pub wid: WindowId,
    pub x: i32,
    pub y: i32,
    pub width: u32,
    pub height: u32,
    pub resize_counter: u64,
}

/// `window-initiate-moveresize`: directions as in EWMH's `_NET_WM_MOVERESIZE`.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowInitiateMoveResize {
    pub wid: WindowId,
    pub root_x: i32,
    pub root_y: i32,
    pub direction: u8,
    pub button: u8,
    pub source: u8,
}

/// `window-bell`, legacy `bell`.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowBell {
    /// `None`: it rings for no window.
    pub wid: Option<WindowId>,
    pub percent: i32,
    pub pitch: i32,
    pub duration_ms: i32,
    pub name: String,
}

/// Where a window is: `window-map` and `window-configure`.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowGeometry {
    pub wid: WindowId,
    pub x: i32,
    pub y: i32,
    pub width: u32,
    pub height: u32,
    /// Client properties, window state (`maximized`, `fullscreen`, …) and resize counter.
    pub client_properties: Dict,
    pub state: Dict,
    pub resize_counter: u64,
    /// Do not raise or map: only tell the geometry.
    pub skip_geometry: bool,
}

impl FromServer {
    /// The modern name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Create(_) => "window-create",
            Self::Metadata { .. } => "window-metadata",
            Self::MoveResize(_) => "window-move-resize",
            Self::Resized { .. } => "window-resized",
            Self::Raise { .. } => "window-raise",
            Self::Restack { .. } => "window-restack",
            Self::InitiateMoveResize(_) => "window-initiate-moveresize",
            Self::Destroy { .. } => "window-destroy",
            Self::Icon { .. } => "window-icon",
            Self::Bell(_) => "window-bell",
        }
    }

    /// Reads a packet; `None` if it is of another subject.
    ///
    /// # Errors
    /// If an argument is missing or wrong.
    pub fn parse(args: &mut Args<'_>) -> Result<Option<Self>, ArgError> {
        let name = args.packet();
        Ok(Some(match names::modern(NAMES.to_client, name) {
            "window-create" if name == "new-tray" => Self::Create(new_tray(args)?),
            "window-create" => Self::Create(window_create(args)?),
            "window-metadata" => Self::Metadata { wid: args.wid()?, metadata: args.dict("metadata")? },
            "window-move-resize" => Self::MoveResize(window_move_resize(args)?),
            "window-resized" => Self::Resized {
                wid: args.wid()?,
                width: args.size("w")?,
                height: args.size("h")?,
                resize_counter: counter(args)?,
            },
            "window-raise" => Self::Raise { wid: args.wid()? },
            "window-restack" => {
                Self::Restack { wid: args.wid()?, detail: args.u8("detail")?, sibling: args.u64("sibling")? }
            }
            "window-initiate-moveresize" => Self::InitiateMoveResize(initiate_moveresize(args)?),
            "window-destroy" => Self::Destroy { wid: args.wid()? },
            "window-icon" => Self::Icon { wid: args.wid()?, image: icon(args)? },
            "window-bell" => Self::Bell(bell(args)?),
            _ => return Ok(None),
        }))
    }

    /// Writes the packet.
    pub fn encode(&self, out: &mut Out<'_, '_>) {
        match self {
            Self::Create(create) => write_create(out, create),
            Self::Metadata { wid, metadata } => out.packet("window-metadata", 2, |args| {
                args.uint(wid.0);
                args.dict(metadata);
            }),
            Self::MoveResize(to) => out.packet("window-move-resize", 6, |args| {
                args.uint(to.wid.0);
                args.int(to.x);
                args.int(to.y);
                args.int(to.width);
                args.int(to.height);
                args.uint(to.resize_counter);
            }),
            Self::Resized { wid, width, height, resize_counter } => out.packet("window-resized", 4, |args| {
                args.uint(wid.0);
                args.int(*width);
                args.int(*height);
                args.uint(*resize_counter);
            }),
            Self::Raise { wid } => out.window("window-raise", *wid),
            Self::Restack { wid, detail, sibling } => out.packet("window-restack", 3, |args| {
                args.uint(wid.0);
                args.int(*detail);
                args.uint(*sibling);
            }),
            Self::InitiateMoveResize(start) => out.packet("window-initiate-moveresize", 6, |args| {
                args.uint(start.wid.0);
                args.int(start.root_x);
                args.int(start.root_y);
                args.int(start.direction);
                args.int(start.button);
                args.int(start.source);
            }),
            Self::Destroy { wid } => out.window("window-destroy", *wid),
            Self::Icon { wid, image } => out.packet("window-icon", 5, |args| {
                args.uint(wid.0);
                args.int(image.width);
                args.int(image.height);
                args.str(&image.encoding);
                args.bytes(&image.data);
            }),
            Self::Bell(bell) => out.packet("window-bell", 8, |args| {
                args.window(bell.wid);
                args.int(0);
                args.int(bell.percent);
                args.int(bell.pitch);
                args.int(bell.duration_ms);
                args.int(0);
                args.int(0);
                args.str(&bell.name);
            }),
        }
    }
}

impl ToServer {
    /// Reads a packet; `None` if it is of another subject.
    ///
    /// # Errors
    /// If an argument is missing or wrong.
    pub fn parse(args: &mut Args<'_>) -> Result<Option<Self>, ArgError> {
        let name = args.packet();
        Ok(Some(match names::modern(NAMES.to_server, name) {
            "window-map" => Self::Map(map(args)?),
            "window-unmap" => {
                Self::Unmap { wid: args.wid()?, iconified: args.left() > 0 && args.bool("iconified")? }
            }
            "window-configure" if name == "configure-window" => Self::Configure(configure(args)?),
            "window-configure" => Self::Configure(configure_map(args)?),
            "window-close" => Self::Close { wid: args.wid()? },
            "window-focus" => Self::Focus {
                wid: args.window()?,
                modifiers: if args.left() > 0 {
                    args.list("modifiers")?.modifiers()
                } else {
                    Modifiers::default()
                },
            },
            "bell-set" => Self::BellSet { enabled: args.bool("enabled")? },
            _ => return Ok(None),
        }))
    }

    /// Writes the packet.
    pub fn encode(&self, out: &mut Out<'_, '_>) {
        match self {
            Self::Map(geometry) => write_map(out, geometry),
            Self::Unmap { wid, iconified } => out.packet("window-unmap", 2, |args| {
                args.uint(wid.0);
                args.bool(*iconified);
            }),
            Self::Configure(geometry) => write_configure(out, geometry),
            Self::Close { wid } => out.window("window-close", *wid),
            Self::Focus { wid, modifiers } => out.packet("window-focus", 2, |args| {
                args.window(*wid);
                modifiers.encode(args);
            }),
            Self::BellSet { enabled } => out.packet("bell-set", 1, |args| args.bool(*enabled)),
        }
    }
}

fn counter(args: &mut Args<'_>) -> Result<u64, ArgError> {
    if args.left() == 0 { Ok(0) } else { args.i64("resize_counter").map(|n| u64::try_from(n).unwrap_or(0)) }
}

fn window_create(args: &mut Args<'_>) -> Result<WindowCreate, ArgError> {
    let legacy_popup = args.packet() == "new-override-redirect";
    let wid = args.wid()?;
    let (x, y) = (args.i32("x")?, args.i32("y")?);
    let (width, height) = (args.size("w")?, args.size("h")?);
    let metadata = args.dict("metadata")?;
    let client_properties = args.optional_dict("client_properties")?;
    let override_redirect = legacy_popup || metadata.bool("override-redirect").unwrap_or(false);
    let tray = metadata.bool("tray").unwrap_or(false);
    Ok(WindowCreate { wid, x, y, width, height, metadata, client_properties, override_redirect, tray })
}

fn new_tray(args: &mut Args<'_>) -> Result<WindowCreate, ArgError> {
    Ok(WindowCreate {
        wid: args.wid()?,
        x: 0,
        y: 0,
        width: args.size("w")?,
        height: args.size("h")?,
        metadata: args.optional_dict("metadata")?,
        client_properties: Dict::default(),
        override_redirect: false,
        tray: true,
    })
}

fn window_move_resize(args: &mut Args<'_>) -> Result<WindowMoveResize, ArgError> {
    Ok(WindowMoveResize {
        wid: args.wid()?,
        x: args.i32("x")?,
        y: args.i32("y")?,
        width: args.size("w")?,
        height: args.size("h")?,
        resize_counter: counter(args)?,
    })
}

fn initiate_moveresize(args: &mut Args<'_>) -> Result<WindowInitiateMoveResize, ArgError> {
    Ok(WindowInitiateMoveResize {
        wid: args.wid()?,
        root_x: args.i32("root_x")?,
        root_y: args.i32("root_y")?,
        direction: args.u8("direction")?,
        button: args.u8("button")?,
        source: args.u8("source")?,
    })
}

fn icon(args: &mut Args<'_>) -> Result<Image, ArgError> {
    Ok(Image {
        width: args.size("w")?,
        height: args.size("h")?,
        encoding: args.string("encoding")?,
        rowstride: 0,
        data: args.bytes("data")?,
    })
}

fn bell(args: &mut Args<'_>) -> Result<WindowBell, ArgError> {
    let wid = args.window()?;
    args.skip("device")?;
    let (percent, pitch, duration_ms) = (args.i32("percent")?, args.i32("pitch")?, args.i32("duration")?);
    args.skip("class")?;
    args.skip("id")?;
    let name = if args.left() > 0 { args.string("name")? } else { String::new() };
    Ok(WindowBell { wid, percent, pitch, duration_ms, name })
}

fn map(args: &mut Args<'_>) -> Result<WindowGeometry, ArgError> {
    let mut geometry = place(args)?;
    geometry.client_properties = args.optional_dict("client_properties")?;
    geometry.state = args.optional_dict("state")?;
    Ok(geometry)
}

/// The arguments with which `window-map` and `configure-window` begin.
fn place(args: &mut Args<'_>) -> Result<WindowGeometry, ArgError> {
    Ok(WindowGeometry {
        wid: args.wid()?,
        x: args.i32("x")?,
        y: args.i32("y")?,
        width: args.size("w")?,
        height: args.size("h")?,
        client_properties: Dict::default(),
        state: Dict::default(),
        resize_counter: 0,
        skip_geometry: false,
    })
}

fn configure(args: &mut Args<'_>) -> Result<WindowGeometry, ArgError> {
    let mut geometry = place(args)?;
    geometry.client_properties = args.optional_dict("client_properties")?;
    if args.left() > 0 {
        geometry.resize_counter = u64::try_from(args.i64("resize_counter")?).unwrap_or(0);
    }
    geometry.state = args.optional_dict("state")?;
    geometry.skip_geometry = args.left() > 0 && args.bool("skip_geometry")?;
    Ok(geometry)
}

fn configure_map(args: &mut Args<'_>) -> Result<WindowGeometry, ArgError> {
    let wid = args.wid()?;
    let map = args.map("configuration")?;
    let mut geometry = WindowGeometry {
        wid,
        x: 0,
        y: 0,
        width: 0,
        height: 0,
        client_properties: Dict::default(),
        state: Dict::default(),
        resize_counter: 0,
        skip_geometry: true,
    };
    for (key, item) in map.entries() {
        match key {
            "geometry" => {
                let place = item.list().and_then(List::ints::<i32, 4>);
                let [x, y, width, height] = place.ok_or_else(|| {
                    args.error("configuration", "a geometry of four integers", "another value")
                })?;
                (geometry.x, geometry.y) = (x, y);
                geometry.width = u32::try_from(width).unwrap_or(0);
                geometry.height = u32::try_from(height).unwrap_or(0);
                geometry.skip_geometry = false;
            }
            "resize-counter" => geometry.resize_counter = item.int().unwrap_or(0),
            "properties" => geometry.client_properties = item.map().map(Map::to_dict).unwrap_or_default(),
            "state" => geometry.state = item.map().map(Map::to_dict).unwrap_or_default(),
            _ => {}
        }
    }
    Ok(geometry)
}

/// Legacy clients know popups and trays by packets of their own.
fn write_create(out: &mut Out<'_, '_>, create: &WindowCreate) {
    if create.tray && out.naming == Naming::Legacy {
        out.named("new-tray", 4, |args| {
            args.uint(create.wid.0);
            args.int(create.width);
            args.int(create.height);
            args.dict(&create.metadata);
        });
        return;
    }
    let name = match (create.override_redirect, out.naming) {
        (true, Naming::Legacy) => "new-override-redirect",
        _ => names::spelled(NAMES.to_client, "window-create", out.naming),
    };
    out.named(name, 7, |args| {
        args.uint(create.wid.0);
        args.int(create.x);
        args.int(create.y);
        args.int(create.width);
        args.int(create.height);
        args.dict(&create.metadata);
        args.dict(&create.client_properties);
    });
}

fn write_map(out: &mut Out<'_, '_>, geometry: &WindowGeometry) {
    out.packet("window-map", 7, |args| {
        write_place(geometry, args);
        args.dict(&geometry.client_properties);
        args.dict(&geometry.state);
    });
}

fn write_configure(out: &mut Out<'_, '_>, geometry: &WindowGeometry) {
    if out.is_legacy() {
        out.packet("window-configure", 9, |args| {
            write_place(geometry, args);
            args.dict(&geometry.client_properties);
            args.uint(geometry.resize_counter);
            args.dict(&geometry.state);
            args.bool(geometry.skip_geometry);
        });
        return;
    }
    let WindowGeometry { wid, x, y, width, height, client_properties, state, .. } = geometry;
    let with_geometry = !geometry.skip_geometry;
    let entries = 2 * usize::from(with_geometry)
        + usize::from(!client_properties.0.is_empty())
        + usize::from(!state.0.is_empty());
    out.packet("window-configure", 2, |args| {
        args.uint(wid.0);
        args.map(entries, |map| {
            if with_geometry {
                map.str("geometry");
                map.ints(&[position(*x), position(*y), size(*width), size(*height)]);
                map.str("resize-counter");
                map.uint(geometry.resize_counter);
            }
            if !client_properties.0.is_empty() {
                map.str("properties");
                map.dict(client_properties);
            }
            if !state.0.is_empty() {
                map.str("state");
                map.dict(state);
            }
        });
    });
}

fn write_place(geometry: &WindowGeometry, args: &mut Encoder<'_>) {
    args.uint(geometry.wid.0);
    args.int(position(geometry.x));
    args.int(position(geometry.y));
    args.size(geometry.width);
    args.size(geometry.height);
}
