//! Windows that are no plain boxes (X Shape extension).

use x11rb::connection::Connection as _;
use x11rb::errors::ReplyError;
use x11rb::protocol::shape::{ConnectionExt as _, SK, SO};
use x11rb::protocol::xproto::{ClipOrdering, Rectangle, Window};

use super::{X11, log_failure};

impl X11 {
    /// Gives a window its shape, in its own pixels: where it is, and where it takes the pointer. `None`: all of it.
    pub fn set_shape(&self, id: u64, bounding: Option<&[Rectangle]>, input: Option<&[Rectangle]>) {
        let Ok(window) = Window::try_from(id) else { return };
        let result =
            [(SK::BOUNDING, bounding), (SK::INPUT, input)].into_iter().try_for_each(|(kind, part)| {
                match part {
                    Some(part) => self.connection.shape_rectangles(
                        SO::SET,
                        kind,
                        ClipOrdering::UNSORTED,
                        window,
                        0,
                        0,
                        part,
                    )?,
                    None => self.connection.shape_mask(SO::SET, kind, window, 0, 0, x11rb::NONE)?,
                };
                Ok::<(), ReplyError>(())
            });
        log_failure("shape", result.and_then(|()| Ok(self.connection.flush()?)));
    }
}
