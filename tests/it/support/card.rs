//! A small X program inside the test: a window on the server's side that shows exactly the pixels
//! that the test wants, and tells exactly which events reached it.

use std::time::Duration;

use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::shape::{ConnectionExt as _, SK, SO};
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt, CreateGCAux, CreateWindowAux, EventMask, ImageFormat, PropMode, Window,
    WindowClass,
};
use x11rb::wrapper::ConnectionExt as _;

use super::picture::Picture;
use super::x11::X;

/// A window that shows a picture.
pub struct Card {
    pub x: X,
    pub id: Window,
    gc: u32,
    delete_window: u32,
}

/// What kind of window.
#[derive(Default)]
pub struct Look {
    /// Position on the server's screen.
    pub at: (i16, i16),
    /// A popup: override-redirect, of type `_NET_WM_WINDOW_TYPE_POPUP_MENU`.
    pub popup: bool,
    /// Belongs to this window (`WM_TRANSIENT_FOR`).
    pub parent: Option<Window>,
    /// May not be resized: minimum and maximum size are its size.
    pub fixed: bool,
    /// The user asked for the position.
    pub placed: bool,
    /// Its smallest size.
    pub minimum: Option<(i32, i32)>,
    /// Width and height of what its size is a multiple of, as of a terminal's characters.
    pub step: Option<(i32, i32)>,
    /// What its background is made of beside the picture, in bands of (x, y, width, height): the X Shape
    /// extension's bounding region; empty for a plain box.
    pub shape: Vec<(i16, i16, u16, u16)>,
}

impl Card {
    /// Opens a window of the picture's size on the display `display` (`:N`).
    pub fn open(display: &str, title: &str, picture: &Picture, look: &Look) -> Self {
        let x = X::connect(display);
        let c = &x.connection;
        let id = c.generate_id().expect("an id");
        let events = EventMask::KEY_PRESS
            | EventMask::KEY_RELEASE
            | EventMask::BUTTON_PRESS
            | EventMask::BUTTON_RELEASE
            | EventMask::POINTER_MOTION
            | EventMask::STRUCTURE_NOTIFY
            | EventMask::FOCUS_CHANGE;
        let aux = CreateWindowAux::new()
            .event_mask(events)
            .override_redirect(u32::from(look.popup))
            .background_pixel(x.screen.white_pixel);
        let (width, height) = (picture.width as u16, picture.height as u16);
        c.create_window(
            x.screen.root_depth,
            id,
            x.root,
            look.at.0,
            look.at.1,
            width,
            height,
            0,
            WindowClass::INPUT_OUTPUT,
            x.screen.root_visual,
            &aux,
        )
        .expect("X");
        let delete_window = x.atom("WM_DELETE_WINDOW");
        let set_text = |property: u32, kind: u32, text: &str| {
            c.change_property8(PropMode::REPLACE, id, property, kind, text.as_bytes()).expect("X");
        };
        set_text(x.atom("_NET_WM_NAME"), x.atom("UTF8_STRING"), title);
        set_text(AtomEnum::WM_NAME.into(), AtomEnum::STRING.into(), title);
        set_text(AtomEnum::WM_CLASS.into(), AtomEnum::STRING.into(), "card\0Card\0");
        let set_atoms = |property: &str, value: u32| {
            c.change_property32(PropMode::REPLACE, id, x.atom(property), AtomEnum::ATOM, &[value])
                .expect("X");
        };
        set_atoms("WM_PROTOCOLS", delete_window);
        if look.popup {
            set_atoms("_NET_WM_WINDOW_TYPE", x.atom("_NET_WM_WINDOW_TYPE_POPUP_MENU"));
        }
        if let Some(parent) = look.parent {
            let property = x.atom("WM_TRANSIENT_FOR");
            c.change_property32(PropMode::REPLACE, id, property, AtomEnum::WINDOW, &[parent]).expect("X");
        }
        let mut hints = x11rb::properties::WmSizeHints::new();
        let size = (i32::from(width), i32::from(height));
        hints.size = Some((x11rb::properties::WmSizeHintsSpecification::ProgramSpecified, size.0, size.1));
        if look.placed {
            let specification = x11rb::properties::WmSizeHintsSpecification::UserSpecified;
            hints.position = Some((specification, look.at.0.into(), look.at.1.into()));
        }
        hints.min_size = look.minimum;
        hints.size_increment = look.step;
        if look.fixed {
            hints.min_size = Some(size);
            hints.max_size = Some(size);
        }
        hints.set_normal_hints(c, id).expect("X");
        let gc = c.generate_id().expect("an id");
        c.create_gc(gc, id, &CreateGCAux::new()).expect("X");
        let card = Self { gc, delete_window, id, x };
        if !look.shape.is_empty() {
            let rectangle =
                |&(x, y, width, height)| x11rb::protocol::xproto::Rectangle { x, y, width, height };
            let shape: Vec<_> = look.shape.iter().map(rectangle).collect();
            let ordering = x11rb::protocol::xproto::ClipOrdering::UNSORTED;
            let c = &card.x.connection;
            c.shape_rectangles(SO::SET, SK::BOUNDING, ordering, id, 0, 0, &shape).expect("X");
        }
        card.set_background(picture);
        card.x.connection.map_window(id).expect("X");
        card.sync();
        card
    }

    /// Makes the picture what the X server itself paints in the window, whenever it must be painted.
    fn set_background(&self, picture: &Picture) {
        let c = &self.x.connection;
        let pixmap = c.generate_id().expect("an id");
        let depth = self.x.screen.root_depth;
        c.create_pixmap(depth, pixmap, self.id, picture.width as u16, picture.height as u16).expect("X");
        self.put(pixmap, 0, 0, picture);
        let aux = xproto_background(pixmap);
        c.change_window_attributes(self.id, &aux).expect("X");
        c.free_pixmap(pixmap).expect("X");
    }

    /// Shows another picture of the same size.
    pub fn show(&self, picture: &Picture) {
        self.set_background(picture);
        self.x.connection.clear_area(false, self.id, 0, 0, 0, 0).expect("X");
        self.sync();
    }

    /// Moves the whole contents up by some rows, as a terminal does, and draws `below` into the gap.
    pub fn scroll_up(&self, below: &Picture) {
        let geometry =
            self.x.connection.get_geometry(self.id).expect("X").reply().expect("the card's geometry");
        let gap = below.height as u16;
        let keep = geometry.height - gap;
        let c = &self.x.connection;
        c.copy_area(self.id, self.id, self.gc, 0, gap as i16, 0, 0, geometry.width, keep).expect("X");
        self.put(self.id, 0, keep as i16, below);
        self.sync();
    }

    fn put(&self, drawable: u32, left: i16, top: i16, picture: &Picture) {
        let depth = self.x.screen.root_depth;
        // In bands, each within the largest request.
        let rows = (200_000 / (picture.width * 4)).max(1);
        for (band, pixels) in picture.rgb.chunks(picture.width * 3 * rows).enumerate() {
            let data: Vec<u8> = pixels.chunks_exact(3).flat_map(|p| [p[2], p[1], p[0], 0]).collect();
            let height = pixels.len() / (picture.width * 3);
            let top = top + (band * rows) as i16;
            let (width, height) = (picture.width as u16, height as u16);
            self.x
                .connection
                .put_image(
                    ImageFormat::Z_PIXMAP,
                    drawable,
                    self.gc,
                    width,
                    height,
                    left,
                    top,
                    0,
                    depth,
                    &data,
                )
                .expect("X");
        }
    }

    pub fn sync(&self) {
        self.x.connection.sync().expect("X");
    }

    /// What it shows, as the X server has it.
    pub fn picture(&self) -> Picture {
        self.x.picture(self.id)
    }

    /// Waits for an event that `pick` accepts; the others on the way are dropped.
    #[track_caller]
    pub fn wait_event<T>(&self, what: &str, pick: impl Fn(&Event) -> Option<T>) -> T {
        super::wait_for(what, Duration::from_secs(10), String::new, || {
            while let Some(event) = self.x.connection.poll_for_event().expect("the card's display") {
                if let Some(picked) = pick(&event) {
                    return Some(picked);
                }
            }
            None
        })
    }

    /// Waits until somebody asks the window to close.
    #[track_caller]
    pub fn wait_close_request(&self) {
        self.wait_event("a request to close", |event| match event {
            Event::ClientMessage(message) => {
                (message.data.as_data32()[0] == self.delete_window).then_some(())
            }
            _ => None,
        });
    }

    /// Asks the session's window manager to show it so, or no longer: `["FULLSCREEN"]`, `["MAXIMIZED_HORZ", …]`.
    pub fn ask_state(&self, states: &[&str], on: bool) {
        let atom = |index: usize| {
            states.get(index).map_or(0, |state| self.x.atom(&format!("_NET_WM_STATE_{state}")))
        };
        self.x.tell_manager(self.id, "_NET_WM_STATE", [u32::from(on), atom(0), atom(1), 1, 0]);
    }

    /// Resizes it, as its program would.
    pub fn resize(&self, width: u32, height: u32) {
        let aux = x11rb::protocol::xproto::ConfigureWindowAux::new().width(width).height(height);
        self.x.connection.configure_window(self.id, &aux).expect("X");
        self.sync();
    }

    /// Makes this its only size from now on, as its program would; it is resized by [`resize`](Self::resize).
    pub fn fix_size(&self, width: i32, height: i32) {
        let mut hints = x11rb::properties::WmSizeHints::new();
        hints.min_size = Some((width, height));
        hints.max_size = hints.min_size;
        hints.set_normal_hints(&self.x.connection, self.id).expect("X");
        self.sync();
    }

    /// Moves and resizes the window on its screen.
    pub fn place_at(&self, x: i32, y: i32, width: u32, height: u32) {
        let aux = x11rb::protocol::xproto::ConfigureWindowAux::new().x(x).y(y).width(width).height(height);
        self.x.connection.configure_window(self.id, &aux).expect("X");
        self.sync();
    }

    /// Where it is on its screen: x, y, width, height.
    pub fn place(&self) -> Option<(i32, i32, u16, u16)> {
        self.x.seen(self.id).map(|seen| seen.place())
    }

    /// Changes the title.
    pub fn set_title(&self, title: &str) {
        let (name, utf8) = (self.x.atom("_NET_WM_NAME"), self.x.atom("UTF8_STRING"));
        let c = &self.x.connection;
        c.change_property8(PropMode::REPLACE, self.id, name, utf8, title.as_bytes()).expect("X");
        self.sync();
    }
}

fn xproto_background(pixmap: u32) -> x11rb::protocol::xproto::ChangeWindowAttributesAux {
    x11rb::protocol::xproto::ChangeWindowAttributesAux::new().background_pixmap(pixmap)
}
