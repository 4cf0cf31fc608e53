//! Against Wayland compositors without a screen, with real Xpra servers: sizes, pixels and input at every
//! scale factor.

mod asked;
mod full_screen;
mod input;
mod popups;
mod sizes;

use std::time::Duration;

use crate::support::picture::Picture;
use crate::support::wait_for;
use crate::support::wayland::{Sway, View, WaylandViewer};

/// How long a change may take to get from one side to the other on a busy machine.
const SOON: Duration = Duration::from_secs(45);

/// What a card shows that got this size: its picture again and again.
fn tiled(picture: &Picture, width: usize, height: usize) -> Picture {
    Picture::from_fn(width, height, |x, y| {
        let at = (y % picture.height * picture.width + x % picture.width) * 3;
        [picture.rgb[at], picture.rgb[at + 1], picture.rgb[at + 2]]
    })
}

/// Waits until sway shows `expected`, pixel by pixel, in the top left corner of the window called `title`, and the
/// window has the size that `expected` makes at `scale`, rounded up to whole logical pixels.
#[track_caller]
fn wait_shown(
    sway: &Sway,
    viewer: &mut WaylandViewer,
    title: &str,
    expected: &Picture,
    scale: usize,
) -> View {
    let viewer = std::cell::RefCell::new(viewer);
    let context = || {
        let shot = sway.grab().save(&format!("wayland-{title}-got"));
        let wanted = expected.save(&format!("wayland-{title}-expected"));
        let log = crate::support::tail(&viewer.borrow().log(), 30);
        format!("{:#?}\n  {}\n  {}\n{log}", sway.views(), shot.display(), wanted.display())
    };
    wait_for(&format!("{title:?} to be shown"), SOON, context, || {
        viewer.borrow_mut().assert_running();
        let view = sway.view(title)?;
        let (x, y, width, height) = view.in_pixels(scale as f64);
        let up = |side: usize| side.next_multiple_of(scale);
        if (width, height) != (up(expected.width), up(expected.height)) {
            return None;
        }
        let shot = sway.grab();
        let inside = x + expected.width <= shot.width && y + expected.height <= shot.height;
        (inside && shot.crop(x, y, expected.width, expected.height) == *expected).then_some(view)
    })
}
