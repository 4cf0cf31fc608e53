//! What remains on the server when the user turns to something else on this desktop: a tooltip of the window that the
//! pointer left, a menu that would go if somebody clicked beside it. Nothing tells the server, so it is told what it
//! would have seen: a pointer beside all windows, and a click there.

use std::time::{Duration, Instant};

use crate::channel::Scale;
use crate::desktop::{Desktop, native_id};
use crate::geometry::{Point, Rect, Size};
use crate::protocol::packet::WindowId;
use crate::session::WindowInfo;

use super::place::Geometry;
use super::popups::Popups;
use super::remote_window::RemoteWindow;
use super::user_input::UserInput;
use super::windows::Windows;

/// A pointer on its way from one window to the next is in neither for a moment.
const LEAVE_DELAY: Duration = Duration::from_millis(60);
/// So is the focus.
const BLUR_DELAY: Duration = Duration::from_millis(150);
/// How long a program may take to close its menu before that is put below the other windows, or away.
const CLOSE_DELAY: Duration = Duration::from_millis(400);
/// Popups that come and go by themselves.
const NO_MENUS: [&str; 4] = ["TOOLTIP", "NOTIFICATION", "DND", "SPLASH"];

/// Where pointer and focus are, as far as it matters here.
#[derive(Debug, Default)]
pub struct Leaving {
    inside: Option<WindowId>,
    /// The pointer left the windows: the server is to be told then.
    leave_at: Option<Instant>,
    /// A remote window has the focus, or had it when the menus that are open now were opened.
    had_focus: bool,
    menus: Menus,
}

/// What becomes of open menus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Menus {
    #[default]
    Wanted,
    /// Another program of this desktop seems to have the focus.
    Blurred(Instant),
    /// The server was told of a click beside them.
    Clicked(Instant),
    /// They were put below, or away.
    Below,
}

impl Leaving {
    /// The pointer is in a window.
    pub fn entered(&mut self, wid: WindowId) {
        (self.inside, self.leave_at) = (Some(wid), None);
    }

    /// The pointer left a window.
    pub fn left(&mut self, now: Instant, wid: WindowId) {
        if self.inside == Some(wid) {
            (self.inside, self.leave_at) = (None, Some(now + LEAVE_DELAY));
        }
    }

    /// A window is gone.
    pub fn forget(&mut self, wid: WindowId) {
        if self.inside == Some(wid) {
            self.inside = None;
        }
    }

    /// When [`Self::update`] has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        let menus = match self.menus {
            Menus::Blurred(since) => Some(since + BLUR_DELAY),
            Menus::Clicked(at) => Some(at + CLOSE_DELAY),
            Menus::Wanted | Menus::Below => None,
        };
        [self.leave_at, menus].into_iter().flatten().min()
    }

    /// Tells the server what is due. `is_moved` says that the user moved a window.
    pub fn update(
        &mut self,
        now: Instant,
        is_moved: bool,
        (windows, popups): (&Windows, &mut Popups),
        input: &mut UserInput,
        screen: (Size, Scale),
        desktop: &Desktop,
    ) {
        let last = input.position();
        let beside = || {
            let pointer =
                desktop.pointer().map(|at| Point::new(screen.1.to_server(at.x), screen.1.to_server(at.y)));
            let shown = windows.all().filter(|remote| is_shown(remote)).map(occupied);
            let taken: Vec<Rect> = shown.chain(popups.occupied()).collect();
            beside(pointer.unwrap_or(last), &taken, screen.0)
        };
        if self.leave_at.is_some_and(|at| at <= now) && !input.is_button_held() {
            self.leave_at = None;
            if let Some(free) = beside() {
                input.moved_beside(free);
            }
        }
        let is_menu_open = windows.all().any(|remote| is_menu(&remote.info)) || popups.is_menu_open();
        let is_focused = input.focused().is_some();
        self.had_focus = is_focused || self.had_focus && is_menu_open;
        let had_focus = self.had_focus;
        let is_elsewhere = || !is_focused && has_focus_elsewhere(windows, desktop, had_focus);
        self.menus = match self.menus {
            _ if !is_menu_open => Menus::Wanted,
            Menus::Wanted | Menus::Blurred(_) if is_moved => self.click(now, beside(), input),
            Menus::Wanted if is_elsewhere() => Menus::Blurred(now),
            Menus::Wanted => Menus::Wanted,
            menus if is_focused && !matches!(menus, Menus::Clicked(_)) => Menus::Wanted,
            Menus::Blurred(since) if since + BLUR_DELAY > now => Menus::Blurred(since),
            Menus::Blurred(_) if is_elsewhere() => self.click(now, beside(), input),
            Menus::Blurred(_) => Menus::Wanted,
            Menus::Clicked(at) if at + CLOSE_DELAY > now => Menus::Clicked(at),
            Menus::Clicked(_) if is_focused => Menus::Wanted,
            Menus::Clicked(_) => {
                windows
                    .all()
                    .filter(|remote| is_menu(&remote.info))
                    .for_each(|remote| desktop.lower(&remote.window));
                popups.dismiss_menus();
                Menus::Below
            }
            Menus::Below => Menus::Below,
        };
    }

    fn click(&self, now: Instant, beside: Option<Point>, input: &mut UserInput) -> Menus {
        tracing::debug!(?beside, "menus are to close");
        if let Some(free) = beside {
            input.clicked_beside(free);
        }
        Menus::Clicked(now)
    }
}

fn is_shown(remote: &RemoteWindow) -> bool {
    remote.info.override_redirect || remote.talk.is_mapped()
}

/// Whether a window is a menu or a list, which goes when somebody clicks beside it.
pub fn is_menu(info: &WindowInfo) -> bool {
    let types = &info.window_types;
    info.override_redirect && !types.iter().any(|kind| NO_MENUS.contains(&kind.as_str()))
}

fn occupied(remote: &RemoteWindow) -> Rect {
    let Geometry { x, y, size } = remote.place().server();
    Rect { x, y, width: size.width, height: size.height }
}

/// Whether a window of another program is the active one. Where that is not told, ours were and are no more.
fn has_focus_elsewhere(windows: &Windows, desktop: &Desktop, had_focus: bool) -> bool {
    match desktop.active_window() {
        None => had_focus,
        Some(0) => false,
        Some(active) => !windows.all().any(|remote| native_id(&remote.window) == Some(active)),
    }
}

/// The point of a screen of `size` that is nearest to `from` and in none of the rectangles; `None` if they cover all.
pub fn beside(from: Point, taken: &[Rect], size: Size) -> Option<Point> {
    let last = |side: u32| i32::try_from(side).unwrap_or(i32::MAX).saturating_sub(1).max(0);
    let (right, bottom) = (last(size.width), last(size.height));
    let from = Point::new(from.x.clamp(0, right), from.y.clamp(0, bottom));
    let end = |start: i32, len: u32| start.saturating_add(i32::try_from(len).unwrap_or(i32::MAX));
    let is_free = |&Point { x, y }: &Point| {
        (0..=right).contains(&x)
            && (0..=bottom).contains(&y)
            && !taken.iter().any(|rect| {
                (rect.x..end(rect.x, rect.width)).contains(&x)
                    && (rect.y..end(rect.y, rect.height)).contains(&y)
            })
    };
    // The nearest free point lies beside an edge, or where two such lines cross.
    let mut columns = vec![from.x];
    let mut rows = vec![from.y];
    for rect in taken {
        columns.extend([rect.x.saturating_sub(1), end(rect.x, rect.width)]);
        rows.extend([rect.y.saturating_sub(1), end(rect.y, rect.height)]);
    }
    let points = columns.iter().flat_map(|x| rows.iter().map(move |y| Point::new(*x, *y)));
    let distance = |at: &Point| {
        let (dx, dy) = (i64::from(at.x - from.x), i64::from(at.y - from.y));
        dx * dx + dy * dy
    };
    points.filter(is_free).min_by_key(distance)
}
