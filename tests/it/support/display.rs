//! Private virtual displays.

use std::time::Duration;

use super::program::{Launch, Program};
use super::x11::X;

/// A display of 1600x1000 pixels that nobody else uses.
pub struct Display {
    pub x: X,
    // Dropped in this order: the window manager first.
    _window_manager: Option<Program>,
    _server: Program,
}

impl Display {
    /// A bare one: windows appear where they ask to, without frames, and nothing else happens.
    pub fn bare() -> Self {
        // The X server chooses a free number itself and writes it to its stdout.
        let mut server = Launch::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1600x1000x24", "-nolisten", "tcp", "-noreset"])
            .args(["+extension", "GLX", "+extension", "RANDR", "+extension", "Composite", "-dpi", "96"])
            .start();
        let number = loop {
            server.assert_running();
            if let Some(number) = server.stdout().strip_suffix('\n') {
                break number.to_owned();
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        Self { x: X::connect(&format!(":{number}")), _window_manager: None, _server: server }
    }

    /// One with a window manager, which frames, focuses and closes windows.
    pub fn with_window_manager() -> Self {
        let mut display = Self::bare();
        let manager = Launch::new("openbox").args(["--sm-disable"]).env("DISPLAY", display.x.name()).start();
        super::wait_for(
            "a window manager",
            Duration::from_secs(10),
            || manager.stderr(),
            || (!display.x.numbers(display.x.root, "_NET_SUPPORTING_WM_CHECK").is_empty()).then_some(()),
        );
        display._window_manager = Some(manager);
        display
    }

    pub fn name(&self) -> &str {
        self.x.name()
    }
}
