//! What winit leaves out on Wayland: popups, and dialogs that belong to windows.
//!
//! All of it is on winit's own connection, since windows can only refer to each other there, but in a queue of
//! events of its own, which one thread reads.

mod popup;
mod shortcuts;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use raw_window_handle::{HasDisplayHandle as _, RawDisplayHandle};
use smithay_client_toolkit::compositor::CompositorState;
use smithay_client_toolkit::reexports::client::backend::{Backend, ObjectId};
use smithay_client_toolkit::reexports::client::globals::registry_queue_init;
use smithay_client_toolkit::reexports::client::protocol::wl_seat::WlSeat;
use smithay_client_toolkit::reexports::client::{Connection, EventQueue, Proxy as _, QueueHandle};
use smithay_client_toolkit::reexports::protocols::wp::viewporter::client::wp_viewporter::WpViewporter;
use smithay_client_toolkit::reexports::protocols::xdg::shell::client::xdg_toplevel::XdgToplevel;
use smithay_client_toolkit::shell::xdg::XdgShell;
use smithay_client_toolkit::shell::xdg::window::Window as Toplevel;
use winit::event_loop::OwnedDisplayHandle;
use winit::platform::wayland::WindowExtWayland as _;
use winit::window::{CursorIcon, Window};

use super::DesktopEvent;
pub use popup::Popup;
use shortcuts::Shortcuts;
use state::State;

/// Why the rest of Wayland cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WaylandError {
    #[error("winit shows no Wayland display")]
    NoDisplay,
    #[error("the Wayland compositor does not say what it can do: {0}")]
    Globals(#[from] smithay_client_toolkit::reexports::client::globals::GlobalError),
    #[error("the Wayland compositor lacks something: {0}")]
    Bind(#[from] smithay_client_toolkit::reexports::client::globals::BindError),
    #[error("the Wayland compositor does not answer: {0}")]
    Dispatch(#[from] smithay_client_toolkit::reexports::client::DispatchError),
    #[error("cannot start the thread that hears the compositor: {0}")]
    Thread(#[from] std::io::Error),
}

/// The second queue of winit's connection, and its thread.
pub struct Wayland {
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
    compositor: CompositorState,
    shell: XdgShell,
    viewporter: Option<WpViewporter>,
    shortcuts: Shortcuts,
    queue: QueueHandle<State>,
    connection: Connection,
    /// Popups that were opened so far: their numbers.
    opened: std::cell::Cell<u64>,
    // Keeps the connection alive: dropped last.
    display: OwnedDisplayHandle,
}

/// What both threads know.
#[derive(Default)]
struct Shared {
    cursors: Mutex<state::Cursors>,
    /// Those with a keyboard.
    seats: Mutex<Vec<WlSeat>>,
    quit: std::sync::atomic::AtomicBool,
}

impl Shared {
    fn cursors(&self) -> MutexGuard<'_, state::Cursors> {
        self.cursors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seats(&self) -> MutexGuard<'_, Vec<WlSeat>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wayland {
    /// Joins winit's connection and starts the thread that calls `notify`.
    pub fn open(
        display: OwnedDisplayHandle,
        notify: impl Fn(DesktopEvent) + Send + 'static,
    ) -> Result<Self, WaylandError> {
        let connection = join(&display)?;
        let (globals, mut events) = registry_queue_init::<State>(&connection)?;
        let queue = events.handle();
        let shared = Arc::new(Shared::default());
        let mut state = State::new(&globals, &queue, Arc::clone(&shared), Box::new(notify))?;
        // Twice: the second answer comes after what the first one asked for.
        events.roundtrip(&mut state)?;
        events.roundtrip(&mut state)?;
        let compositor = CompositorState::bind(&globals, &queue)?;
        let shell = XdgShell::bind(&globals, &queue)?;
        let viewporter = globals.bind(&queue, 1..=1, ()).ok();
        let watched = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("farpane-wayland".to_owned())
            .spawn(move || watch(events, &mut state, &watched))?;
        Ok(Self {
            thread: Some(thread),
            shared,
            compositor,
            shell,
            viewporter,
            shortcuts: Shortcuts {
                manager: globals.bind(&queue, 1..=1, ()).ok(),
                inhibitors: Default::default(),
            },
            queue,
            connection,
            opened: std::cell::Cell::new(0),
            display,
        })
    }

    /// The pointer's look over popups.
    pub fn set_cursor(&self, icon: CursorIcon) {
        self.shared.cursors().set(icon, &self.connection);
        let _ = self.connection.flush();
    }

    /// The window belongs to `parent` from now on.
    pub fn set_parent(&self, window: &Window, parent: Option<&Window>) {
        if let Some(toplevel) = self.toplevel(window) {
            let parent = parent.and_then(|parent| self.toplevel(parent));
            toplevel.set_parent(parent.as_ref());
        }
    }

    /// The window as the toolkit under winit knows it.
    #[expect(unsafe_code, reason = "winit shows the window by its address only")]
    fn toplevel(&self, window: &Window) -> Option<Toplevel> {
        let address = window.xdg_toplevel()?;
        // SAFETY: the window lives, and with it its role.
        let id = unsafe { ObjectId::from_ptr(XdgToplevel::interface(), address.as_ptr().cast()) };
        let toplevel = XdgToplevel::from_id(&self.connection, id.ok()?).ok()?;
        Toplevel::from_xdg_toplevel(&toplevel)
    }
}

#[expect(unsafe_code, reason = "winit shows its connection by its address only")]
fn join(display: &OwnedDisplayHandle) -> Result<Connection, WaylandError> {
    let handle = display.display_handle().map_err(|_| WaylandError::NoDisplay)?;
    let RawDisplayHandle::Wayland(raw) = handle.as_raw() else { return Err(WaylandError::NoDisplay) };
    // SAFETY: who asks keeps the handle for as long as this connection, and it keeps the display.
    let backend = unsafe { Backend::from_foreign_display(raw.display.as_ptr().cast()) };
    Ok(Connection::from_backend(backend))
}

/// Hands on what happens, until somebody wants to quit or the compositor is gone.
fn watch(mut events: EventQueue<State>, state: &mut State, shared: &Shared) {
    while !shared.quit.load(std::sync::atomic::Ordering::Acquire) {
        if let Err(error) = events.blocking_dispatch(state) {
            // winit meets the same error, and ends.
            tracing::debug!(%error, "the Wayland connection is over");
            return;
        }
    }
}

impl Drop for Wayland {
    fn drop(&mut self) {
        self.shared.quit.store(true, std::sync::atomic::Ordering::Release);
        // The answer wakes the thread.
        self.connection.display().sync(&self.queue, state::Quit);
        let _ = self.connection.flush();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
