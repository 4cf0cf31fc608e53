//! Private virtual displays.

use std::time::Duration;

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{self, ConnectionExt as _};

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
        Self::bare_of(1600, 1000)
    }

    /// The same of another size.
    pub fn bare_of(width: u32, height: u32) -> Self {
        let screen = format!("{width}x{height}x24");
        let server = Launch::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", &screen, "-nolisten", "tcp", "-noreset"])
            .args(["+extension", "GLX", "+extension", "RANDR", "+extension", "Composite", "-dpi", "96"]);
        Self::of(server)
    }

    /// A display of `size` (`900x700`) in a window of this one.
    pub fn nested(&self, size: &str) -> Self {
        let server = Launch::new("Xephyr").args(["-displayfd", "1", "-screen", size, "-nolisten", "tcp"]);
        Self::of(server.env("DISPLAY", self.name()))
    }

    /// The display of an X server that chooses a free number itself and writes it to its stdout.
    fn of(server: Launch) -> Self {
        let server = std::cell::RefCell::new(server.start());
        let context = || server.borrow().stderr();
        let number = super::wait_for("an X server's number", Duration::from_secs(20), context, || {
            server.borrow_mut().assert_running();
            server.borrow().stdout().strip_suffix('\n').map(str::to_owned)
        });
        let server = server.into_inner();
        Self { x: X::connect(&format!(":{number}")), _window_manager: None, _server: server }
    }

    /// One with a window manager, which frames, focuses and closes windows: openbox, or the command in
    /// `FARPANE_TEST_WM` (`tests/setup/window-managers.sh`).
    pub fn with_window_manager() -> Self {
        match std::env::var("FARPANE_TEST_WM") {
            Ok(command) => Self::managed_by(&command.split_whitespace().collect::<Vec<_>>()),
            Err(_) => Self::managed_by(&["openbox", "--sm-disable"]),
        }
    }

    /// One with this window manager.
    pub fn managed_by(manager: &[&str]) -> Self {
        Self::bare().manage(manager)
    }

    /// Splits it into two monitors of the same size, `left` and `right`. Window managers look at their start.
    pub fn split(self) -> Self {
        for monitor in
            [["left", "800/211x1000/264+0+0", "screen"], ["right", "800/211x1000/264+800+0", "none"]]
        {
            let mut command = std::process::Command::new("xrandr");
            command.arg("--setmonitor").args(monitor).env("DISPLAY", self.name());
            super::program::run(&mut command);
        }
        self
    }

    /// Starts this window manager on it.
    pub fn manage(self, manager: &[&str]) -> Self {
        let mut display = self;
        let manager = Launch::new(manager[0]).args(&manager[1..]).env("DISPLAY", display.x.name()).start();
        super::wait_for(
            "a window manager",
            Duration::from_secs(10),
            || manager.stderr(),
            || (!display.x.numbers(display.x.root, "_NET_SUPPORTING_WM_CHECK").is_empty()).then_some(()),
        );
        // xfwm4 says what it can do some seconds after its start.
        super::wait_for(
            "a window manager that says what it can do",
            Duration::from_secs(15),
            || manager.stderr(),
            || (!display.x.numbers(display.x.root, "_NET_SUPPORTED").is_empty()).then_some(()),
        );
        // Openbox says that it is there before it takes care of windows: those that come in between
        // stay hidden for ever.
        super::wait_for(
            "a window manager that shows windows",
            Duration::from_secs(10),
            || manager.stderr(),
            || display.shows_windows().then_some(()),
        );
        display._window_manager = Some(manager);
        display
    }

    /// Whether a new window is shown soon.
    fn shows_windows(&self) -> bool {
        let c = &self.x.connection;
        let window = c.generate_id().expect("an id");
        let aux = xproto::CreateWindowAux::new();
        let class = xproto::WindowClass::INPUT_OUTPUT;
        c.create_window(0, window, self.x.root, 0, 0, 9, 9, 0, class, 0, &aux).expect("X");
        c.map_window(window).expect("X");
        let shown = (0..10).any(|_| {
            std::thread::sleep(Duration::from_millis(30));
            let attributes = c.get_window_attributes(window).expect("X").reply().expect("the window");
            attributes.map_state == xproto::MapState::VIEWABLE
        });
        c.destroy_window(window).expect("X").check().expect("X");
        shown
    }

    pub fn name(&self) -> &str {
        self.x.name()
    }
}
