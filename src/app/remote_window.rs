//! One remote window and its OS window.

use std::sync::Arc;
use std::time::Instant;

use winit::window::{Fullscreen, ResizeDirection, Window};

use crate::channel::{NetQueue, RenderCommand, RenderMessage, RenderQueue, Scale};
use crate::desktop::{Desktop, native_id};
use crate::geometry::{Point, Size};
use crate::protocol::packet::WindowId;
use crate::session::windows::{NormalGeometry, ShapeRect, WindowMemory};
use crate::session::{WindowInfo, WindowInput, WindowState};

use super::attributes;
use super::geometry::{Conversation, Step};
use super::os_size::{self, Asked, os_size};
use super::place::{Geometry, Place};

/// EWMH `_NET_WM_MOVERESIZE` directions.
const RESIZE_DIRECTIONS: [ResizeDirection; 8] = [
    ResizeDirection::NorthWest,
    ResizeDirection::North,
    ResizeDirection::NorthEast,
    ResizeDirection::East,
    ResizeDirection::SouthEast,
    ResizeDirection::South,
    ResizeDirection::SouthWest,
    ResizeDirection::West,
];
const MOVE_DIRECTION: u8 = 8;
/// Beyond, a direction means the end of what was begun, or nothing.
const LAST_DIRECTION: u8 = 10;

/// Whether the user does it with the pointer, whose button is held until it is done.
pub fn is_by_pointer(direction: u8) -> bool {
    direction <= MOVE_DIRECTION
}

/// One remote window and its OS window.
pub struct RemoteWindow {
    pub wid: WindowId,
    pub window: Arc<Window>,
    pub info: WindowInfo,
    /// Where it is, and what the server knows of that.
    pub talk: Conversation,
    /// Size of the OS window's content in physical pixels.
    pub surface: Size,
    /// Something happened to the OS window: look where it is and how it is shown.
    pub dirty: bool,
    /// The renderer believes that the window can be seen.
    pub visible: bool,
    /// On Wayland.
    pub asked: Option<Asked>,
    /// On Wayland, until the window is on a screen: the scale factor that it was made for.
    pub guessed_factor: Option<f64>,
}

/// What talks to the other threads and to the desktop.
#[derive(Clone, Copy)]
pub struct Outside<'a> {
    pub desktop: &'a Desktop,
    pub net: &'a NetQueue,
    pub render: &'a RenderQueue,
    /// The size of the screen that the server was told, in its pixels.
    pub screen: Size,
}

impl RemoteWindow {
    /// Where it is on both sides.
    pub fn place(&self) -> &Place {
        self.talk.place()
    }

    /// Looks where the OS window is and how it is shown. Returns whether somebody here moved it.
    pub fn sync(&mut self, now: Instant, outside: Outside<'_>) -> bool {
        if self.info.override_redirect {
            return false;
        }
        self.learn_factor(outside.render);
        // A window that is gone reports itself as destroyed.
        let Some(mut facts) = outside.desktop.window_facts(&self.window) else { return false };
        if self.asked.is_some() {
            facts = self.wayland_facts(facts, outside.screen);
        }
        let (was_mapped, before) = (self.talk.is_mapped(), self.place().server());
        let mut steps = Vec::new();
        self.talk.observe(now, &facts, &mut steps);
        let (after, is_told) = (self.place().server(), !steps.is_empty());
        self.take(&steps, outside);
        if let Some(Geometry { x, y, size }) = self.talk.normal()
            && (facts.state.maximized || facts.state.fullscreen)
        {
            let normal = Some(NormalGeometry { x, y, size });
            if self.info.memory.normal != normal {
                self.remember(WindowMemory { normal, ..WindowMemory::default() }, outside.net);
            }
        }
        was_mapped && is_told && (before.x, before.y) != (after.x, after.y)
    }

    /// Does what the conversation came to.
    pub fn take(&mut self, steps: &[Step], outside: Outside<'_>) {
        let wid = self.wid;
        let tell = |input: WindowInput| outside.net.input(input);
        for step in steps {
            tracing::trace!(%wid, ?step, "geometry");
            match *step {
                Step::TellMapped(Geometry { x, y, size }) => {
                    self.info.state.iconified = false;
                    self.set_visible(true, outside.render);
                    tell(WindowInput::Mapped { wid, x, y, size });
                }
                Step::TellUnmapped { iconified } => {
                    self.info.state.iconified = iconified;
                    tell(WindowInput::Unmapped { wid, iconified });
                    self.set_visible(false, outside.render);
                }
                Step::TellConfigured(Geometry { x, y, size }, state) => {
                    tell(WindowInput::Configured { wid, x, y, size, state });
                }
                Step::TellAgain(Geometry { x, y, size }) => tell(WindowInput::ToldAgain { wid, x, y, size }),
                Step::MoveTo { x, y } => {
                    if !outside.desktop.move_content(&self.window, x, y) {
                        let (left, top) = self.frame_offset();
                        self.window.set_outer_position(attributes::position(x - left, y - top));
                    }
                }
                Step::Resize(size) => self.request_size(size, outside.render),
            }
        }
    }

    /// Has the server keep this for the next session.
    pub fn remember(&mut self, memory: WindowMemory, net: &NetQueue) {
        let kept = &mut self.info.memory;
        kept.order = memory.order.or(kept.order);
        kept.focus = memory.focus.or(kept.focus);
        kept.normal = memory.normal.or(kept.normal);
        net.input(WindowInput::Remembered { wid: self.wid, memory });
    }

    pub fn set_visible(&mut self, visible: bool, render: &RenderQueue) {
        if self.visible != visible {
            self.visible = visible;
            let surface = self.wid.into();
            render.push(RenderMessage::Command(RenderCommand::Visible { surface, visible }));
        }
    }

    pub fn set_size_limits(&mut self) {
        if self.info.override_redirect {
            return;
        }
        let limits = attributes::local_limits(self.info.size_limits, self.place().scale());
        let factor = self.factor();
        self.window.set_min_inner_size(limits.min.map(|size| os_size(size, factor)));
        self.window.set_max_inner_size(limits.max.map(|size| os_size(size, factor)));
        self.window.set_resize_increments(os_size::increment(limits, factor));
        if native_id(&self.window).is_none() {
            self.window.set_resizable(attributes::is_resizable(limits));
        }
    }

    /// A window that the user may not resize gets another size: its application changes its mind about that before or
    /// after it resizes it.
    pub fn allow_size(&self, size: Size) {
        let limits = self.info.size_limits;
        if native_id(&self.window).is_some()
            && !(self.info.override_redirect || attributes::is_resizable(limits))
        {
            let size = os_size(size, None);
            self.window.set_min_inner_size(Some(size));
            self.window.set_max_inner_size(Some(size));
        }
    }

    /// Gives the OS window the remote one's shape.
    pub fn set_shape(&self, desktop: &Desktop) {
        let scale = self.place().scale();
        desktop.set_shape(&self.window, self.info.shape.as_ref(), |rect| to_local(rect, scale));
    }

    /// From the frame's corner to the content's.
    fn frame_offset(&self) -> (i32, i32) {
        if self.info.override_redirect {
            return (0, 0);
        }
        match (self.window.inner_position(), self.window.outer_position()) {
            (Ok(inner), Ok(outer)) => (inner.x - outer.x, inner.y - outer.y),
            _ => (0, 0),
        }
    }

    /// The server changed how the window is shown.
    pub fn follow_state(&mut self, now: Instant, mut state: WindowState, desktop: &Desktop) {
        if self.talk.is_old_news(now, state.iconified) {
            state.iconified = self.info.state.iconified;
        }
        let old = std::mem::replace(&mut self.info.state, state);
        self.talk.server_sets(now, state);
        self.change_state(old, state, desktop);
        if old.iconified != state.iconified {
            self.window.set_minimized(state.iconified);
        }
    }

    /// Has the OS window shown as `new` says instead of `old`, but for minimising.
    pub fn change_state(&self, old: WindowState, new: WindowState, desktop: &Desktop) {
        if desktop.change_state(&self.window, old, new) {
            return;
        }
        if old.maximized != new.maximized {
            self.window.set_maximized(new.maximized);
        }
        if old.fullscreen != new.fullscreen {
            self.window.set_fullscreen(new.fullscreen.then_some(Fullscreen::Borderless(None)));
        }
        if (old.above, old.below) != (new.above, new.below) {
            self.window.set_window_level(attributes::window_level(new));
        }
    }

    /// The server wants the user to move or resize the window; the pointer was at `at` of its root window when
    /// that began.
    pub fn initiate_move_resize(&self, at: Point, direction: u8, button: u8, desktop: &Desktop) {
        // The end comes from programs that see their button released: by us, so that the window manager has it.
        if direction > LAST_DIRECTION {
            return;
        }
        let local = self.place().local_point(at);
        if desktop.begin_move_resize(&self.window, local, direction, button) || !is_by_pointer(direction) {
            return;
        }
        let result = match RESIZE_DIRECTIONS.get(usize::from(direction)) {
            Some(resize) => self.window.drag_resize_window(*resize),
            None => self.window.drag_window(),
        };
        if let Err(error) = result {
            tracing::debug!(%error, "the window manager does not move or resize on request");
        }
    }
}

/// Edges are scaled, so that rectangles still lie side by side.
fn to_local(rect: &ShapeRect, scale: Scale) -> ShapeRect {
    let edge = |at: i32| scale.to_local(at).clamp(i16::MIN.into(), i16::MAX.into());
    let (x, y) = (edge(rect.x.into()), edge(rect.y.into()));
    let right = edge(i32::from(rect.x) + i32::from(rect.width));
    let bottom = edge(i32::from(rect.y) + i32::from(rect.height));
    ShapeRect {
        x: i16::try_from(x).unwrap_or(0),
        y: i16::try_from(y).unwrap_or(0),
        width: u16::try_from(right - x).unwrap_or(0),
        height: u16::try_from(bottom - y).unwrap_or(0),
    }
}
