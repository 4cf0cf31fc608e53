//! Layer 3: the windowed viewer: winit's event loop and the wiring of the other threads.
//!
//! ```text
//! farpane-net ──AppEvent──► Inbox ──doorbell──► Viewer (this thread) ──Input──► farpane-net
//! farpane-x11 ──DesktopEvent──►                     └──RenderCommand──► farpane-render
//! ```
//!
//! The event loop's thread owns all OS windows and never waits for another thread before the
//! end. It sleeps until something happens: there is no polling.

mod attached;
mod attributes;
mod away;
mod card;
pub mod connect;
mod cursor;
mod dialogs;
pub mod export;
mod full_screen;
pub mod geometry;
mod greeting;
mod inbox;
mod kept_passwords;
pub mod kept_settings;
pub mod leaving;
mod memory;
pub mod os_size;
mod overlay;
mod own_window;
mod panel;
pub mod picture;
pub mod place;
pub mod placement;
mod popups;
mod remote_window;
mod retired;
mod screen;
mod session_info;
mod session_menu;
mod session_recording;
mod session_replay;
pub mod settings;
mod signals;
mod titles;
mod user_input;
mod viewer;
mod windows;

pub use cursor::named as named_cursor;
pub use signals::Signals;

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use winit::event_loop::{ControlFlow, DeviceEvents, EventLoop};

use crate::config::{Config, Settings};
use crate::desktop::check_libraries;
use crate::session::CloseReason;
use crate::stats::StatsSnapshot;

use connect::Opened;
use inbox::Inbox;
use viewer::Viewer;

/// How a session ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Why: it knows the exit code and words for the user.
    pub reason: CloseReason,
    /// The statistics of all of it.
    pub stats: Arc<StatsSnapshot>,
}

/// What the viewer begins with.
enum Start {
    /// The program ends with this session.
    Attach(Box<Config>),
    /// With the connect window, to which every session comes back.
    Connect { settings: Box<Settings>, opened: Option<Box<Opened>> },
}

/// Shows the session's windows until it ends, and records it if the configuration says so.
///
/// Must be called on the main thread, once.
///
/// # Errors
/// If there is no display, no thread can be started, nothing can be rendered, or the statistics
/// cannot be written.
pub fn run(config: Config) -> anyhow::Result<Finished> {
    show(Start::Attach(Box::new(config)))
}

/// Shows the connect window, and the sessions that are chosen in it, until the user leaves.
/// `opened` is what its form begins with.
///
/// Must be called on the main thread, once.
///
/// # Errors
/// If there is no display, no thread can be started, or nothing can be rendered.
pub fn connect(settings: Settings, opened: Option<Opened>) -> anyhow::Result<()> {
    let start = Start::Connect { settings: Box::new(settings), opened: opened.map(Box::new) };
    show(start).map(drop)
}

fn show(start: Start) -> anyhow::Result<Finished> {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let wayland = set("WAYLAND_DISPLAY") || set("WAYLAND_SOCKET");
    if cfg!(target_os = "linux") && !wayland && !set("DISPLAY") {
        return Err(anyhow!(
            "there is no display to open windows on: neither DISPLAY nor WAYLAND_DISPLAY is set"
        ));
    }
    check_libraries(wayland).context("windows cannot be opened")?;
    let event_loop = EventLoop::new().map_err(|error| {
        // winit says where in its source it noticed: nothing for users.
        let words = error.to_string();
        let words = words.rsplit_once(".rs:").map_or(words.as_str(), |(_, words)| words);
        let words = words.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':' || c == ' ');
        anyhow!("windows cannot be opened: {words}")
    })?;
    event_loop.set_control_flow(ControlFlow::Wait);
    // Raw events tell presses of wheel buttons from releases (`WheelFilter`), also over windows
    // that have no focus. Nothing else is made of them.
    event_loop.listen_device_events(DeviceEvents::Always);
    let inbox = Arc::new(Inbox::new(event_loop.create_proxy()));
    let mut viewer = Viewer::new(start, inbox);
    let result = event_loop.run_app(&mut viewer).context("the event loop failed");
    let finished = viewer.finish();
    // The renderers have ended.
    retired::sweep();
    result.and(finished)
}
