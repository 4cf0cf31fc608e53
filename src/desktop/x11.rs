//! Window hints, window facts and the bell on X11, over a connection of our own.
//!
//! What concerns the window manager is in `manager`, its frames in `frames`, shapes in `shape`, monitors in `monitors`.
//! `selections` has the clipboard, with a connection and a thread of its own.
//!
//! The connection is shared with one thread that waits for its events. Failures are logged: a
//! window may be gone at any time, and none of this is worth ending the session.

mod frames;
mod grab;
mod manager;
mod monitors;
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
pub mod selections;
mod shape;

pub use grab::{grab_keyboard, release_keyboard, release_pointer};

use std::sync::Arc;
use std::thread::JoinHandle;

use x11rb::connection::Connection as _;
use x11rb::errors::ReplyError;
use x11rb::properties::WmSizeHints;
use x11rb::protocol::Event;
use x11rb::protocol::xkb::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ChangeWindowAttributesAux, ClientMessageEvent, ConfigureWindowAux, ConnectionExt as _,
    CreateWindowAux, EventMask, Gravity, MapState, PropMode, StackMode, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use crate::geometry::{Point, Size};
use crate::session::WindowState;

use super::{DesktopEvent, WindowFacts, WindowHints, xsettings};

x11rb::atom_manager! {
    /// The atoms that window hints need.
    pub Atoms: AtomsCookie {
        WM_STATE,
        _FARPANE_QUIT,
        _NET_ACTIVE_WINDOW,
        _NET_CLIENT_LIST_STACKING,
        _NET_CURRENT_DESKTOP,
        _NET_FRAME_EXTENTS,
        _NET_REQUEST_FRAME_EXTENTS,
        _NET_SUPPORTING_WM_CHECK,
        _NET_WM_MOVERESIZE,
        _NET_WORKAREA,
        _NET_WM_STATE,
        _NET_WM_STATE_ABOVE,
        _NET_WM_STATE_BELOW,
        _NET_WM_STATE_FULLSCREEN,
        _NET_WM_STATE_HIDDEN,
        _NET_WM_STATE_MAXIMIZED_HORZ,
        _NET_WM_STATE_MAXIMIZED_VERT,
        _NET_WM_STATE_MODAL,
        _NET_WM_STATE_SKIP_PAGER,
        _NET_WM_STATE_SKIP_TASKBAR,
        _NET_WM_WINDOW_TYPE,
        _NET_WM_WINDOW_TYPE_COMBO,
        _NET_WM_WINDOW_TYPE_DESKTOP,
        _NET_WM_WINDOW_TYPE_DIALOG,
        _NET_WM_WINDOW_TYPE_DND,
        _NET_WM_WINDOW_TYPE_DOCK,
        _NET_WM_WINDOW_TYPE_DROPDOWN_MENU,
        _NET_WM_WINDOW_TYPE_MENU,
        _NET_WM_WINDOW_TYPE_NORMAL,
        _NET_WM_WINDOW_TYPE_NOTIFICATION,
        _NET_WM_WINDOW_TYPE_POPUP_MENU,
        _NET_WM_WINDOW_TYPE_SPLASH,
        _NET_WM_WINDOW_TYPE_TOOLBAR,
        _NET_WM_WINDOW_TYPE_TOOLTIP,
        _NET_WM_WINDOW_TYPE_UTILITY,
    }
}

/// `WM_STATE` of an iconified window (ICCCM 4.1.3.1).
const ICONIC_STATE: u32 = 3;
/// `_NET_WM_STATE` client message actions.
const STATE_REMOVE: u32 = 0;
const STATE_ADD: u32 = 1;
/// Words of a property that are read at most.
const PROPERTY_WORDS: u32 = 64;

/// Why the second connection is not there.
#[derive(Debug, thiserror::Error)]
pub enum X11Error {
    #[error("cannot connect to the X11 display: {0}")]
    Connect(#[from] x11rb::errors::ConnectError),
    #[error("the X11 connection broke: {0}")]
    Connection(#[from] x11rb::errors::ConnectionError),
    #[error("the X11 server refused a request: {0}")]
    Reply(#[from] ReplyError),
    #[error("the X11 server has no window numbers left: {0}")]
    Ids(#[from] x11rb::errors::ReplyOrIdError),
    #[error("the X11 server has no XKB")]
    NoXkb,
    #[error("cannot start the thread that watches windows: {0}")]
    Thread(#[from] std::io::Error),
}

/// The connection and its thread.
pub struct X11 {
    connection: Arc<RustConnection>,
    screen: usize,
    root: Window,
    atoms: Atoms,
    /// A message to this window ends the thread.
    mailbox: Window,
    thread: Option<JoinHandle<()>>,
}

impl X11 {
    /// Connects to `display` (`None`: `$DISPLAY`) and starts the thread that calls `notify`.
    pub fn open(
        display: Option<&str>,
        notify: impl Fn(DesktopEvent) + Send + 'static,
    ) -> Result<Self, X11Error> {
        let (connection, screen) = x11rb::connect(display)?;
        // INVARIANT: `connect` only succeeds for a screen that the server has.
        let root = connection.setup().roots.get(screen).expect("the default screen exists").root;
        let atoms = Atoms::new(&connection)?.reply()?;
        connection.xkb_use_extension(1, 0)?.reply()?;
        connection
            .change_window_attributes(
                root,
                &ChangeWindowAttributesAux::new()
                    .event_mask(EventMask::STRUCTURE_NOTIFY | EventMask::PROPERTY_CHANGE),
            )?
            .check()?;
        let mailbox = connection.generate_id()?;
        connection
            .create_window(
                0,
                mailbox,
                root,
                0,
                0,
                1,
                1,
                0,
                WindowClass::INPUT_ONLY,
                x11rb::COPY_FROM_PARENT,
                &CreateWindowAux::new(),
            )?
            .check()?;
        let connection = Arc::new(connection);
        let watched = Arc::clone(&connection);
        let quit = atoms._FARPANE_QUIT;
        let thread = std::thread::Builder::new()
            .name("farpane-x11".to_owned())
            .spawn(move || watch(&watched, root, quit, &atoms, &notify))?;
        Ok(Self { connection, screen, root, atoms, mailbox, thread: Some(thread) })
    }

    /// See [`xsettings::theme_name`].
    pub fn theme_name(&self) -> Option<String> {
        xsettings::theme_name(&self.connection, self.screen)
    }

    /// Sets all hints of an unmapped window and watches it.
    pub fn prepare_window(&self, id: u64, hints: &WindowHints) {
        let Ok(window) = Window::try_from(id) else { return };
        let result = self.set_hints(window, hints).and_then(|()| {
            self.place_by_content(window)?;
            let states: Vec<Atom> =
                self.states(hints).into_iter().filter(|(_, on)| *on).map(|(atom, _)| atom).collect();
            self.connection.change_property32(
                PropMode::REPLACE,
                window,
                self.atoms._NET_WM_STATE,
                AtomEnum::ATOM,
                &states,
            )?;
            let events = EventMask::STRUCTURE_NOTIFY | EventMask::PROPERTY_CHANGE;
            self.connection
                .change_window_attributes(window, &ChangeWindowAttributesAux::new().event_mask(events))?
                // The round trip: the window is mapped over another connection after this.
                .check()
        });
        log_failure("hints", result);
    }

    /// Moves a prepared window so that its content's corner is at (`x`, `y`) of the root window.
    pub fn move_content(&self, id: u64, x: i32, y: i32) {
        let Ok(window) = Window::try_from(id) else { return };
        let place = ConfigureWindowAux::new().x(x).y(y);
        let sent = self.connection.configure_window(window, &place).map_err(ReplyError::from);
        log_failure("position", sent.and_then(|_| Ok(self.connection.flush()?)));
    }

    /// Makes positions that are asked for those of the window's content, not of its frame: what the
    /// server is told of is the content, and the frame's size would be added each time.
    fn place_by_content(&self, window: Window) -> Result<(), ReplyError> {
        let hints = WmSizeHints::get_normal_hints(&self.connection, window)?.reply()?;
        let hints = WmSizeHints { win_gravity: Some(Gravity::STATIC), ..hints.unwrap_or_default() };
        hints.set_normal_hints(&self.connection, window)?;
        Ok(())
    }

    /// Sets all hints of a window that may be mapped.
    pub fn update_window(&self, id: u64, hints: &WindowHints) {
        let Ok(window) = Window::try_from(id) else { return };
        let result = self.set_hints(window, hints).and_then(|()| {
            for (state, on) in self.states(hints) {
                let action = if on { STATE_ADD } else { STATE_REMOVE };
                let data = [action, state, 0, 1, 0];
                let message = ClientMessageEvent::new(32, window, self.atoms._NET_WM_STATE, data);
                let mask = EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY;
                self.connection.send_event(false, self.root, mask, message)?;
            }
            Ok(self.connection.flush()?)
        });
        log_failure("hints", result);
    }

    fn set_hints(&self, window: Window, hints: &WindowHints) -> Result<(), ReplyError> {
        let mut types: Vec<Atom> = hints.types.iter().filter_map(|name| self.window_type(name)).collect();
        if types.is_empty() {
            types.push(self.atoms._NET_WM_WINDOW_TYPE_NORMAL);
        }
        self.connection.change_property32(
            PropMode::REPLACE,
            window,
            self.atoms._NET_WM_WINDOW_TYPE,
            AtomEnum::ATOM,
            &types,
        )?;
        match hints.transient_for.and_then(|id| Window::try_from(id).ok()) {
            Some(parent) => self.connection.change_property32(
                PropMode::REPLACE,
                window,
                AtomEnum::WM_TRANSIENT_FOR,
                AtomEnum::WINDOW,
                &[parent],
            )?,
            None => self.connection.delete_property(window, AtomEnum::WM_TRANSIENT_FOR.into())?,
        };
        Ok(())
    }

    fn states(&self, hints: &WindowHints) -> [(Atom, bool); 8] {
        let (atoms, state) = (&self.atoms, &hints.state);
        [
            (atoms._NET_WM_STATE_MODAL, hints.modal),
            (atoms._NET_WM_STATE_SKIP_TASKBAR, hints.skip_taskbar),
            (atoms._NET_WM_STATE_SKIP_PAGER, hints.skip_taskbar),
            (atoms._NET_WM_STATE_MAXIMIZED_HORZ, state.maximized),
            (atoms._NET_WM_STATE_MAXIMIZED_VERT, state.maximized),
            (atoms._NET_WM_STATE_FULLSCREEN, state.fullscreen),
            (atoms._NET_WM_STATE_ABOVE, state.above),
            (atoms._NET_WM_STATE_BELOW, state.below),
        ]
    }

    fn window_type(&self, name: &str) -> Option<Atom> {
        let atoms = &self.atoms;
        Some(match name {
            "COMBO" => atoms._NET_WM_WINDOW_TYPE_COMBO,
            "DESKTOP" => atoms._NET_WM_WINDOW_TYPE_DESKTOP,
            "DIALOG" => atoms._NET_WM_WINDOW_TYPE_DIALOG,
            "DND" => atoms._NET_WM_WINDOW_TYPE_DND,
            "DOCK" => atoms._NET_WM_WINDOW_TYPE_DOCK,
            "DROPDOWN_MENU" => atoms._NET_WM_WINDOW_TYPE_DROPDOWN_MENU,
            "MENU" => atoms._NET_WM_WINDOW_TYPE_MENU,
            "NORMAL" => atoms._NET_WM_WINDOW_TYPE_NORMAL,
            "NOTIFICATION" => atoms._NET_WM_WINDOW_TYPE_NOTIFICATION,
            "POPUP_MENU" => atoms._NET_WM_WINDOW_TYPE_POPUP_MENU,
            "SPLASH" => atoms._NET_WM_WINDOW_TYPE_SPLASH,
            "TOOLBAR" => atoms._NET_WM_WINDOW_TYPE_TOOLBAR,
            "TOOLTIP" => atoms._NET_WM_WINDOW_TYPE_TOOLTIP,
            "UTILITY" => atoms._NET_WM_WINDOW_TYPE_UTILITY,
            _ => return None,
        })
    }

    /// Sets `WM_CLASS`.
    pub fn set_class(&self, id: u64, instance: &str, class: &str) {
        let Ok(window) = Window::try_from(id) else { return };
        let value = format!("{}\0{}\0", instance.replace('\0', ""), class.replace('\0', ""));
        let result = self
            .connection
            .change_property8(
                PropMode::REPLACE,
                window,
                AtomEnum::WM_CLASS,
                AtomEnum::STRING,
                value.as_bytes(),
            )
            .and_then(|_| self.connection.flush());
        log_failure("class", result.map_err(ReplyError::from));
    }

    /// Brings a window to the front.
    pub fn raise(&self, id: u64) {
        self.restack(id, StackMode::ABOVE);
    }

    /// Where a window is and how it is shown; `None` if it is gone.
    pub fn window_facts(&self, id: u64) -> Option<WindowFacts> {
        let window = Window::try_from(id).ok()?;
        let long = |property: Atom, kind: Atom| {
            self.connection.get_property(false, window, property, kind, 0, PROPERTY_WORDS)
        };
        // All requests first, then the replies: one round trip.
        let geometry = self.connection.get_geometry(window).ok()?;
        let origin = self.connection.translate_coordinates(window, self.root, 0, 0).ok()?;
        let attributes = self.connection.get_window_attributes(window).ok()?;
        let net_state = long(self.atoms._NET_WM_STATE, AtomEnum::ATOM.into()).ok()?;
        let wm_state = long(self.atoms.WM_STATE, self.atoms.WM_STATE).ok()?;
        let geometry = geometry.reply().ok()?;
        let origin = origin.reply().ok()?;
        let attributes = attributes.reply().ok()?;
        let states: Vec<Atom> = net_state.reply().ok()?.value32().into_iter().flatten().collect();
        let iconic =
            wm_state.reply().ok()?.value32().and_then(|mut words| words.next()) == Some(ICONIC_STATE);
        let has = |atom: Atom| states.contains(&atom);
        let atoms = &self.atoms;
        let iconified = iconic || has(atoms._NET_WM_STATE_HIDDEN);
        Some(WindowFacts {
            position: Some(Point::new(origin.dst_x.into(), origin.dst_y.into())),
            size: Size { width: geometry.width.into(), height: geometry.height.into() },
            state: WindowState {
                maximized: has(atoms._NET_WM_STATE_MAXIMIZED_HORZ) && has(atoms._NET_WM_STATE_MAXIMIZED_VERT),
                fullscreen: has(atoms._NET_WM_STATE_FULLSCREEN),
                iconified,
                above: has(atoms._NET_WM_STATE_ABOVE),
                below: has(atoms._NET_WM_STATE_BELOW),
            },
            shown: attributes.map_state == MapState::VIEWABLE && !iconified,
        })
    }

    /// Rings the bell.
    pub fn bell(&self, percent: i32, pitch: i32, duration_ms: i32) {
        let percent = i8::try_from(percent.clamp(-100, 100)).unwrap_or(0);
        let small = |value: i32| i16::try_from(value.clamp(0, i32::from(i16::MAX))).unwrap_or(0);
        let result = self
            .connection
            .xkb_bell(
                xkb::ID::USE_CORE_KBD.into(),
                xkb::BellClass::DFLT_XI_CLASS.into(),
                xkb::ID::DFLT_XI_ID.into(),
                percent,
                false,
                false,
                small(pitch),
                small(duration_ms),
                x11rb::NONE,
                x11rb::NONE,
            )
            .and_then(|_| self.connection.flush());
        log_failure("bell", result.map_err(ReplyError::from));
    }
}

impl Drop for X11 {
    /// Ends the thread and waits for it.
    fn drop(&mut self) {
        let message = ClientMessageEvent::new(32, self.mailbox, self.atoms._FARPANE_QUIT, [0_u32; 5]);
        let sent = self
            .connection
            .send_event(false, self.mailbox, EventMask::NO_EVENT, message)
            .and_then(|_| self.connection.flush());
        if let (Ok(()), Some(thread)) = (sent, self.thread.take())
            && thread.join().is_err()
        {
            tracing::warn!("the thread that watches X11 windows panicked");
        }
    }
}

/// The thread: passes on what concerns watched windows, until the quit message or the
/// connection's end.
fn watch(
    connection: &RustConnection,
    root: Window,
    quit: Atom,
    atoms: &Atoms,
    notify: &impl Fn(DesktopEvent),
) {
    let mut frames = frames::Frames::default();
    let changed = |window: Window| notify(DesktopEvent::WindowState(window.into()));
    while let Ok(event) = connection.wait_for_event() {
        match event {
            Event::ClientMessage(message) if message.type_ == quit => return,
            Event::ConfigureNotify(event) if event.window == root => notify(DesktopEvent::Screen),
            Event::ConfigureNotify(event) => changed(frames.inside(event.window)),
            Event::ReparentNotify(event) => frames.reparented(connection, event.window),
            Event::DestroyNotify(event) => frames.forget(event.window),
            Event::MapNotify(event) => changed(event.window),
            Event::UnmapNotify(event) => changed(event.window),
            Event::PropertyNotify(event) if event.window == root => {
                if event.atom == atoms._NET_CLIENT_LIST_STACKING {
                    notify(DesktopEvent::Stacking);
                } else if event.atom == atoms._NET_WORKAREA {
                    notify(DesktopEvent::Screen);
                }
            }
            Event::PropertyNotify(event)
                if event.atom == atoms._NET_WM_STATE || event.atom == atoms.WM_STATE =>
            {
                changed(event.window);
            }
            _ => {}
        }
    }
}

fn log_failure(what: &str, result: Result<(), ReplyError>) {
    if let Err(error) = result {
        tracing::debug!(%error, what, "an X11 request failed");
    }
}
