//! The whole display, both ways: its size, its screens and what it shows (Protocol.md §7, §8).

use crate::protocol::tape::Node;

use super::args::{ArgError, Args, List};
use super::image::Image;
use super::names::{self, Names, Naming, alias, received};
use super::out::{Out, size};
use super::{Dict, Value};

/// The packets that have two names.
pub const NAMES: Names = Names {
    to_client: &[
        alias("display-resized", "desktop_size", Naming::V66),
        alias("display-screenshot", "screenshot", Naming::V65),
        alias("display-show-desktop", "show-desktop", Naming::V66),
    ],
    to_server: &[
        alias("display-configure", "desktop_size", Naming::V65),
        received("display-configure", "configure-display"),
    ],
};

/// From the server.
#[derive(Clone, Debug, PartialEq)]
pub enum FromServer {
    Resized { width: u32, height: u32, max_width: u32, max_height: u32 },
    Screenshot(Image),
    ShowDesktop { show: bool },
}

/// To the server.
#[derive(Clone, Debug, PartialEq)]
pub enum ToServer {
    /// `display-configure`, legacy `desktop_size`: our desktop's size, and its screens and resolution.
    Configure { width: u32, height: u32, properties: Dict },
}

impl FromServer {
    /// The modern name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Resized { .. } => "display-resized",
            Self::Screenshot(_) => "display-screenshot",
            Self::ShowDesktop { .. } => "display-show-desktop",
        }
    }

    /// Reads a packet; `None` if it is of another subject.
    ///
    /// # Errors
    /// If an argument is missing or wrong.
    pub fn parse(args: &mut Args<'_>) -> Result<Option<Self>, ArgError> {
        Ok(Some(match names::modern(NAMES.to_client, args.packet()) {
            "display-resized" => Self::Resized {
                width: args.size("width")?,
                height: args.size("height")?,
                max_width: args.size("max_width")?,
                max_height: args.size("max_height")?,
            },
            "display-screenshot" => Self::Screenshot(screenshot(args)?),
            "display-show-desktop" => Self::ShowDesktop { show: args.bool("show")? },
            _ => return Ok(None),
        }))
    }

    /// Writes the packet.
    pub fn encode(&self, out: &mut Out<'_, '_>) {
        match self {
            Self::Resized { width, height, max_width, max_height } => {
                out.ints(
                    "display-resized",
                    &[width, height, max_width, max_height].map(|size| i64::from(*size)),
                );
            }
            Self::Screenshot(image) => out.packet("display-screenshot", 5, |args| {
                args.int(image.width);
                args.int(image.height);
                args.str(&image.encoding);
                args.int(image.rowstride);
                args.bytes(&image.data);
            }),
            Self::ShowDesktop { show } => out.packet("display-show-desktop", 1, |args| args.bool(*show)),
        }
    }
}

impl ToServer {
    /// Reads a packet; `None` if it is of another subject.
    ///
    /// # Errors
    /// If an argument is missing or wrong.
    pub fn parse(args: &mut Args<'_>) -> Result<Option<Self>, ArgError> {
        Ok(match names::modern(NAMES.to_server, args.packet()) {
            "display-configure" => Some(configure(args)?),
            _ => None,
        })
    }

    /// Writes the packet.
    pub fn encode(&self, out: &mut Out<'_, '_>) {
        let Self::Configure { width, height, properties } = self;
        write_configure(out, *width, *height, properties);
    }
}

fn screenshot(args: &mut Args<'_>) -> Result<Image, ArgError> {
    Ok(Image {
        width: args.size("width")?,
        height: args.size("height")?,
        encoding: args.string("encoding")?,
        rowstride: args.u32("rowstride")?,
        data: args.bytes("data")?,
    })
}

fn configure(args: &mut Args<'_>) -> Result<ToServer, ArgError> {
    if !matches!(args.peek(), Some(Node::Dict { .. })) {
        let (width, height) = (args.size("width")?, args.size("height")?);
        let mut properties = Dict::default();
        if args.left() > 0 {
            properties.push("screen_sizes", args.value("screens")?);
        }
        if args.left() >= 6 {
            for unused in ["desktops", "desktop_names", "unscaled_width", "unscaled_height"] {
                args.skip(unused)?;
            }
            let (x, y) = (args.i64("xdpi")?, args.i64("ydpi")?);
            let mut dots = Dict::default();
            dots.push("x", Value::from(x)).push("y", Value::from(y));
            properties.push("dpi", dots);
        }
        return Ok(ToServer::Configure { width, height, properties });
    }
    let map = args.map("configuration")?;
    let size = map.entries().find(|(key, _)| *key == "desktop-size");
    let [width, height] = match size {
        Some((_, item)) => {
            let size = item.list().and_then(List::ints::<u16, 2>);
            size.ok_or_else(|| {
                args.error("configuration", "a desktop-size of two integers", "another value")
            })?
        }
        None => [0, 0],
    };
    let mut properties = map.to_dict();
    properties.0.retain(|(key, _)| key.as_str() != Some("desktop-size"));
    Ok(ToServer::Configure { width: u32::from(width), height: u32::from(height), properties })
}

/// 3.1 wants `desktop_size` with a list of screens, and the resolution as last arguments; later
/// servers a map.
fn write_configure(out: &mut Out<'_, '_>, width: u32, height: u32, properties: &Dict) {
    if out.is_legacy() {
        let screens = properties.get("screen_sizes").cloned().unwrap_or(Value::List(Vec::new()));
        let dpi = |axis: &str| properties.get("dpi").and_then(|dpi| dpi.as_dict()?.get(axis)?.as_i64());
        let (Some(x), Some(y)) = (dpi("x"), dpi("y")) else {
            out.packet("display-configure", 3, |args| {
                args.int(size(width));
                args.int(size(height));
                args.value(&screens);
            });
            return;
        };
        out.packet("display-configure", 9, |args| {
            args.int(size(width));
            args.int(size(height));
            args.value(&screens);
            args.int(1);
            args.strs(&[String::new()]);
            args.int(size(width));
            args.int(size(height));
            args.int(x);
            args.int(y);
        });
        return;
    }
    out.packet("display-configure", 1, |args| {
        args.map(properties.0.len() + 1, |map| {
            map.str("desktop-size");
            map.ints(&[size(width), size(height)]);
            for (key, value) in &properties.0 {
                map.value(key);
                map.value(value);
            }
        });
    });
}
