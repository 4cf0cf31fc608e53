//! A look at an X display: which windows there are, where, and what they show.

use std::time::Duration;

use farpane::channel::clock;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    self, Atom, AtomEnum, ConnectionExt, ImageFormat, MapState, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;

use super::picture::Picture;

/// By then a program has heard of its focus.
const FOCUS_SETTLES: std::time::Duration = std::time::Duration::from_millis(400);

/// A connection to a display.
pub struct X {
    pub connection: RustConnection,
    pub root: Window,
    pub screen: xproto::Screen,
    name: String,
}

/// A window that can be seen.
#[derive(Clone, Debug)]
pub struct Seen {
    pub id: Window,
    pub title: String,
    /// `WM_CLASS`: instance and class.
    pub class: (String, String),
    /// Where its inside (without the border) is on the screen.
    pub x: i32,
    pub y: i32,
    pub width: u16,
    pub height: u16,
    pub override_redirect: bool,
}

impl Seen {
    /// Where its inside is: x, y, width, height.
    pub fn place(&self) -> (i32, i32, u16, u16) {
        (self.x, self.y, self.width, self.height)
    }
}

impl X {
    /// Connects to a display such as `:7`; it may need a moment to be ready.
    pub fn connect(name: &str) -> Self {
        let deadline = clock::now() + Duration::from_secs(10);
        let (connection, screen) = loop {
            match RustConnection::connect(Some(name)) {
                Ok(connected) => break connected,
                Err(error) => assert!(clock::now() < deadline, "display {name}: {error}"),
            }
            std::thread::sleep(Duration::from_millis(30));
        };
        let screen = connection.setup().roots[screen].clone();
        Self { root: screen.root, connection, screen, name: name.to_owned() }
    }

    /// The display's name, `:N`.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn atom(&self, name: &str) -> Atom {
        self.connection.intern_atom(false, name.as_bytes()).expect("X").reply().expect("an atom").atom
    }

    /// The window that owns a selection.
    pub fn selection_owner(&self, selection: Atom) -> Window {
        self.connection.get_selection_owner(selection).expect("X").reply().expect("an owner").owner
    }

    /// Every window that is on the screen and either has a title or a class, or is a popup.
    ///
    /// Frames of window managers, and the windows inside of applications, are looked through.
    pub fn windows(&self) -> Vec<Seen> {
        let mut found = Vec::new();
        self.collect(self.root, 0, &mut found);
        found
    }

    fn collect(&self, parent: Window, depth: usize, found: &mut Vec<Seen>) {
        let Some(tree) = self.connection.query_tree(parent).ok().and_then(|cookie| cookie.reply().ok())
        else {
            return;
        };
        for id in tree.children {
            let seen = self.seen(id);
            let known =
                |seen: &Seen| !seen.title.is_empty() || !seen.class.1.is_empty() || seen.override_redirect;
            // Also inside of what has a name: Xpra wraps the windows of its session.
            if seen.is_some() && depth < 3 {
                self.collect(id, depth + 1, found);
            }
            found.extend(seen.filter(known));
        }
    }

    /// A window's state; `None` if it is gone or not on the screen.
    pub fn seen(&self, id: Window) -> Option<Seen> {
        let attributes = self.connection.get_window_attributes(id).ok()?.reply().ok()?;
        if attributes.map_state != MapState::VIEWABLE || attributes.class != WindowClass::INPUT_OUTPUT {
            return None;
        }
        let geometry = self.connection.get_geometry(id).ok()?.reply().ok()?;
        let origin = self.connection.translate_coordinates(id, self.root, 0, 0).ok()?.reply().ok()?;
        let class = self.text(id, AtomEnum::WM_CLASS.into()).unwrap_or_default();
        let mut class = class.split('\0').map(str::to_owned);
        let title = self
            .text(id, self.atom("_NET_WM_NAME"))
            .or_else(|| self.text(id, AtomEnum::WM_NAME.into()))
            .unwrap_or_default();
        Some(Seen {
            id,
            title,
            class: (class.next().unwrap_or_default(), class.next().unwrap_or_default()),
            x: origin.dst_x.into(),
            y: origin.dst_y.into(),
            width: geometry.width,
            height: geometry.height,
            override_redirect: attributes.override_redirect,
        })
    }

    /// A text property.
    pub fn text(&self, id: Window, property: Atom) -> Option<String> {
        let reply =
            self.connection.get_property(false, id, property, AtomEnum::ANY, 0, 4096).ok()?.reply().ok()?;
        (!reply.value.is_empty()).then(|| String::from_utf8_lossy(&reply.value).into_owned())
    }

    /// A property of 32-bit numbers, such as `WM_NORMAL_HINTS`.
    pub fn numbers(&self, id: Window, property: &str) -> Vec<u32> {
        let property = self.atom(property);
        let cookie = self.connection.get_property(false, id, property, AtomEnum::ANY, 0, 1 << 20).expect("X");
        cookie.reply().ok().and_then(|reply| Some(reply.value32()?.collect())).unwrap_or_default()
    }

    /// Waits for a window.
    #[track_caller]
    pub fn wait_window(&self, what: &str, limit: Duration, accept: impl Fn(&Seen) -> bool) -> Seen {
        let context = || format!("windows on {}: {:#?}", self.name, self.windows());
        super::wait_for(what, limit, context, || self.windows().into_iter().find(&accept))
    }

    /// What a window (or the whole screen: `root`) shows now; `None` if it is not entirely on the screen.
    pub fn grab(&self, window: Window) -> Option<Picture> {
        let geometry = self.connection.get_geometry(window).ok()?.reply().ok()?;
        let (width, height) = (geometry.width, geometry.height);
        let cookie = self.connection.get_image(ImageFormat::Z_PIXMAP, window, 0, 0, width, height, !0);
        let image = cookie.ok()?.reply().ok()?;
        assert!(matches!(image.depth, 24 | 32), "a display of depth {}", image.depth);
        // 32 bits a pixel, blue first: what every X server for PCs has at these depths.
        let rgb = image.data.chunks_exact(4).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect();
        Some(Picture { width: width.into(), height: height.into(), rgb })
    }

    /// What a window shows. Panics if it can not be seen.
    #[track_caller]
    pub fn picture(&self, window: Window) -> Picture {
        self.grab(window).unwrap_or_else(|| panic!("window {window:#x} is not on the screen {}", self.name))
    }

    /// Sends a client message about a window to the window manager.
    pub fn tell_manager(&self, id: Window, kind: &str, data: [u32; 5]) {
        let message = xproto::ClientMessageEvent::new(32, id, self.atom(kind), data);
        let mask = xproto::EventMask::SUBSTRUCTURE_REDIRECT | xproto::EventMask::SUBSTRUCTURE_NOTIFY;
        self.connection.send_event(false, self.root, mask, message).expect("X");
        self.connection.flush().expect("X");
    }

    /// Width and height of a window, shown or not.
    pub fn size(&self, id: Window) -> (u16, u16) {
        let geometry = self.connection.get_geometry(id).ok().and_then(|cookie| cookie.reply().ok());
        geometry.map_or((0, 0), |geometry| (geometry.width, geometry.height))
    }

    /// Where the outermost window around this one is, the window manager's frame: x, y, width, height.
    pub fn frame(&self, id: Window) -> Option<(i32, i32, u16, u16)> {
        let tree = self.connection.query_tree(id).ok()?.reply().ok()?;
        if tree.parent != self.root && tree.parent != 0 {
            return self.frame(tree.parent);
        }
        let geometry = self.connection.get_geometry(id).ok()?.reply().ok()?;
        Some((geometry.x.into(), geometry.y.into(), geometry.width, geometry.height))
    }

    /// Titles of the managed windows, the lowest first.
    pub fn stacking(&self) -> Vec<String> {
        let windows = self.numbers(self.root, "_NET_CLIENT_LIST_STACKING");
        let name = self.atom("_NET_WM_NAME");
        windows.into_iter().filter_map(|id| self.text(id, name)).collect()
    }

    /// Title of the window that has the focus.
    pub fn active(&self) -> Option<String> {
        let [id] = self.numbers(self.root, "_NET_ACTIVE_WINDOW")[..] else { return None };
        self.text(id, self.atom("_NET_WM_NAME"))
    }

    /// The window's states, without `_NET_WM_STATE_`.
    pub fn states(&self, id: Window) -> Vec<String> {
        let name = |atom: u32| {
            let name = self.connection.get_atom_name(atom).ok()?.reply().ok()?.name;
            String::from_utf8(name).ok()?.strip_prefix("_NET_WM_STATE_").map(str::to_owned)
        };
        self.numbers(id, "_NET_WM_STATE").into_iter().filter_map(name).collect()
    }

    /// Where the pointer is.
    pub fn pointer(&self) -> (i32, i32) {
        let pointer = self.connection.query_pointer(self.root).expect("X").reply().expect("a pointer");
        (pointer.root_x.into(), pointer.root_y.into())
    }

    /// Gives a window the keyboard's focus, and waits until its program has heard of it: winit looks which keys are
    /// down then, and takes those for held before. Nobody types that soon.
    #[track_caller]
    pub fn focus(&self, id: impl std::fmt::Display) {
        self.xdotool(&["windowfocus", "--sync", &id.to_string()]);
        std::thread::sleep(FOCUS_SETTLES);
    }

    /// Presses the left button at this place of a window, after a moment there.
    #[track_caller]
    pub fn click_in(&self, window: &Seen, (x, y): (i32, i32)) {
        let (x, y) = ((window.x + x).to_string(), (window.y + y).to_string());
        self.xdotool(&["mousemove", &x, &y, "sleep", "0.3", "click", "1"]);
    }

    /// Runs `xdotool` with these words on this display.
    #[track_caller]
    pub fn xdotool(&self, words: &[&str]) {
        super::program::run(std::process::Command::new("xdotool").args(words).env("DISPLAY", &self.name));
    }
}
