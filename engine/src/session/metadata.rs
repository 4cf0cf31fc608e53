//! Window metadata (Protocol.md §8.2 and Xpra's docs/Subsystems/Window.md): from the open map on
//! the wire to [`WindowInfo`], with everything bounded.

use super::windows::{
    NormalGeometry, ShapeRect, SizeLimits, WindowInfo, WindowMemory, WindowShape, WindowState,
};
use crate::geometry::Size;
use crate::protocol::packet::{Dict, Value, WindowId};

/// What `metadata.supported` says: servers send no other keys.
pub const SUPPORTED: &[&str] = &[
    "title",
    "class-instance",
    "size-constraints",
    // 3.1 asks for it by this name, and sends it by the other
    "size-hints",
    "window-type",
    "transient-for",
    "modal",
    "decorations",
    "has-alpha",
    "skip-taskbar",
    "iconic",
    "maximized",
    "fullscreen",
    "above",
    "below",
    "override-redirect",
    "tray",
    "shadow",
    "desktop",
    "set-initial-position",
    "parent",
    "shape",
];

/// Longest title or class name, in characters.
const MAX_TEXT_CHARS: usize = 512;
/// Window types of one window.
const MAX_TYPES: usize = 16;
/// Largest width or height in size constraints.
const MAX_LIMIT: i64 = 32767;
/// Rectangles of a window's shape; one of more is taken for a plain box.
const MAX_SHAPE_RECTS: usize = 2048;
/// Keys of the client properties that Farpane has the server keep with each window.
const ORDER: &str = "farpane.order";
const FOCUS: &str = "farpane.focus";
const NORMAL: &str = "farpane.normal";

/// Which parts of a [`WindowInfo`] a metadata update touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    pub title: bool,
    pub class: bool,
    pub size_limits: bool,
    pub state: bool,
    pub decorations: bool,
    pub parent: bool,
    pub hints: bool,
    pub shape: bool,
}

/// Takes over what the metadata says and tells what changed.
pub fn apply(info: &mut WindowInfo, metadata: &Dict) -> Touched {
    let mut touched = Touched::default();
    for (key, value) in &metadata.0 {
        let Some(key) = key.as_str() else { continue };
        match key {
            "title" => touched.title |= set(&mut info.title, text(value)),
            "class-instance" => touched.class |= set(&mut info.class, class_of(value)),
            "size-constraints" => {
                touched.size_limits |= set(&mut info.size_limits, size_limits(value.as_dict()));
            }
            "window-type" => touched.hints |= set(&mut info.window_types, types_of(value)),
            "transient-for" | "parent" => {
                let parent = window(value);
                // `parent` comes besides `transient-for` and must not clear it
                if parent.is_some() || key == "transient-for" {
                    touched.parent |= set(&mut info.parent, parent);
                }
            }
            "modal" => touched.hints |= set(&mut info.modal, flag(value)),
            "skip-taskbar" => touched.hints |= set(&mut info.skip_taskbar, flag(value)),
            "has-alpha" => touched.hints |= set(&mut info.has_alpha, flag(value)),
            "shadow" | "desktop" if flag(value) => touched.hints |= set(&mut info.is_desktop, true),
            "decorations" => touched.decorations |= set(&mut info.decorations, flag(value)),
            "iconic" => touched.state |= set(&mut info.state.iconified, flag(value)),
            "maximized" => touched.state |= set(&mut info.state.maximized, flag(value)),
            "fullscreen" => touched.state |= set(&mut info.state.fullscreen, flag(value)),
            "above" => touched.state |= set(&mut info.state.above, flag(value)),
            "below" => touched.state |= set(&mut info.state.below, flag(value)),
            "set-initial-position" => info.has_position = flag(value),
            "shape" => touched.shape |= set(&mut info.shape, shape_of(value)),
            _ => {}
        }
    }
    touched
}

/// The metadata that [`apply`] makes this window of.
pub fn told(info: &WindowInfo) -> Dict {
    let mut metadata = Dict::default();
    metadata.push("title", info.title.as_str());
    metadata.push("class-instance", [info.class.0.as_str(), &info.class.1].as_slice());
    let mut limits = Dict::default();
    let SizeLimits { min, max, base, increment } = info.size_limits;
    for (key, size) in
        [("minimum-size", min), ("maximum-size", max), ("base-size", base), ("increment", increment)]
    {
        if let Some(Size { width, height }) = size {
            limits.push(key, vec![Value::from(width), height.into()]);
        }
    }
    metadata.push("size-constraints", limits);
    metadata.push("window-type", info.window_types.iter().cloned().map(Value::Str).collect::<Vec<_>>());
    if let Some(parent) = info.parent {
        metadata.push("transient-for", parent.0);
    }
    let state = info.state;
    for (key, value) in [
        ("modal", info.modal),
        ("skip-taskbar", info.skip_taskbar),
        ("has-alpha", info.has_alpha),
        ("desktop", info.is_desktop),
        ("decorations", info.decorations),
        ("iconic", state.iconified),
        ("maximized", state.maximized),
        ("fullscreen", state.fullscreen),
        ("above", state.above),
        ("below", state.below),
        ("override-redirect", info.override_redirect),
        ("set-initial-position", info.has_position),
    ] {
        metadata.push(key, value);
    }
    if let Some(shape) = &info.shape {
        metadata.push("shape", told_shape(shape));
    }
    metadata
}

fn told_shape(shape: &WindowShape) -> Dict {
    let mut told = Dict::default();
    let parts = [("Bounding.rectangles", &shape.bounding), ("ShapeInput.rectangles", &shape.input)];
    for (key, rects) in parts {
        if let Some(rects) = rects {
            let numbers = |rect: &ShapeRect| {
                Value::List(vec![
                    i32::from(rect.x).into(),
                    i32::from(rect.y).into(),
                    rect.width.into(),
                    rect.height.into(),
                ])
            };
            told.push(key, rects.iter().map(numbers).collect::<Vec<_>>());
        }
    }
    told
}

/// What an earlier session of ours had the server keep with a window.
pub fn memory(properties: &Dict) -> WindowMemory {
    let counter =
        |key| properties.get(key).and_then(Value::as_i64).and_then(|value| u32::try_from(value).ok());
    let normal = || {
        let [x, y, width, height] = properties.get(NORMAL)?.as_list()? else { return None };
        let place = |value: &Value| i32::try_from(value.as_i64()?).ok();
        let side = |value: &Value| u32::try_from(value.as_i64()?).ok().filter(|side| *side > 0);
        let size = Size { width: side(width)?, height: side(height)? };
        let bounded = i64::from(size.width.max(size.height)) <= MAX_LIMIT;
        bounded.then_some(NormalGeometry { x: place(x)?, y: place(y)?, size })
    };
    WindowMemory { order: counter(ORDER), focus: counter(FOCUS), normal: normal() }
}

/// The client properties that [`memory`] makes this of.
pub fn properties(memory: &WindowMemory) -> Dict {
    let mut properties = Dict::default();
    for (key, value) in [(ORDER, memory.order), (FOCUS, memory.focus)] {
        if let Some(value) = value {
            properties.push(key, value);
        }
    }
    if let Some(NormalGeometry { x, y, size }) = memory.normal {
        let numbers = vec![Value::from(x), y.into(), size.width.into(), size.height.into()];
        properties.push(NORMAL, numbers);
    }
    properties
}

/// The window states that differ, as servers take them.
pub fn state_changes(old: WindowState, new: WindowState) -> Dict {
    let mut changes = Dict::default();
    let states = [
        ("maximized", old.maximized, new.maximized),
        ("fullscreen", old.fullscreen, new.fullscreen),
        ("iconified", old.iconified, new.iconified),
        ("above", old.above, new.above),
        ("below", old.below, new.below),
    ];
    for (name, old, new) in states {
        if old != new {
            changes.push(name, new);
        }
    }
    changes
}

/// Text for the user: valid, bounded, on one line.
pub fn text(value: &Value) -> String {
    crate::protocol::text::shown_bytes(value.as_bytes().unwrap_or_default(), MAX_TEXT_CHARS)
}

fn set<T: PartialEq>(field: &mut T, value: T) -> bool {
    let changed = *field != value;
    *field = value;
    changed
}

fn flag(value: &Value) -> bool {
    value.as_bool().unwrap_or(false)
}

fn class_of(value: &Value) -> (String, String) {
    let mut names = value.as_list().unwrap_or_default().iter().map(text);
    (names.next().unwrap_or_default(), names.next().unwrap_or_default())
}

/// The window that a number names.
fn window(value: &Value) -> Option<WindowId> {
    let wid = match value {
        Value::Big(wid) => Some(*wid),
        value => value.as_i64().and_then(|wid| u64::try_from(wid).ok()),
    };
    wid.filter(|wid| *wid != 0).map(WindowId)
}

fn types_of(value: &Value) -> Vec<String> {
    let strip = |v: &Value| {
        let name = text(v);
        name.strip_prefix("_NET_WM_WINDOW_TYPE_").map_or(name.clone(), str::to_owned)
    };
    value.as_list().unwrap_or_default().iter().take(MAX_TYPES).map(strip).collect()
}

/// The shape, if it is one: the X Shape extension's bounding and input regions.
fn shape_of(value: &Value) -> Option<WindowShape> {
    let shape = value.as_dict()?;
    // Switched on, x, y, width, height.
    let is_on = |extents: &str| {
        let flag = |values: &[Value]| values.first().and_then(Value::as_bool);
        shape.get(extents).and_then(Value::as_list).and_then(flag).unwrap_or(true)
    };
    let bounding = rects_of(shape.get("Bounding.rectangles")).filter(|_| is_on("Bounding.extents"));
    let input = rects_of(shape.get("ShapeInput.rectangles"));
    let shape = WindowShape { bounding, input };
    (shape != WindowShape::default()).then_some(shape)
}

fn rects_of(value: Option<&Value>) -> Option<Box<[ShapeRect]>> {
    let items = value?.as_list()?;
    if items.len() > MAX_SHAPE_RECTS {
        tracing::debug!(rectangles = items.len(), "a shape of too many rectangles");
        return None;
    }
    let rect = |item: &Value| {
        let [x, y, width, height] = item.as_list()? else { return None };
        let place = |value: &Value| i16::try_from(value.as_i64()?).ok();
        let side = |value: &Value| u16::try_from(value.as_i64()?).ok();
        Some(ShapeRect { x: place(x)?, y: place(y)?, width: side(width)?, height: side(height)? })
    };
    items.iter().map(rect).collect()
}

fn size_limits(constraints: Option<&Dict>) -> SizeLimits {
    let Some(constraints) = constraints else {
        return SizeLimits::default();
    };
    let size = |key: &str| {
        let pair = constraints.get(key)?.as_list()?;
        let [width, height] = pair else { return None };
        let bounded = |v: &Value| u32::try_from(v.as_i64()?.clamp(0, MAX_LIMIT)).ok();
        Some(Size { width: bounded(width)?, height: bounded(height)? })
    };
    let real = |s: &Size| s.width > 0 && s.height > 0;
    let min = size("minimum-size").filter(real);
    // contradictory limits would make a window that cannot be shown: the minimum wins
    let max = size("maximum-size").filter(real).map(|max| match min {
        Some(min) => Size { width: max.width.max(min.width), height: max.height.max(min.height) },
        None => max,
    });
    SizeLimits { min, max, base: size("base-size"), increment: size("increment").filter(real) }
}
