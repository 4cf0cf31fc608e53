//! A store of passwords as desktops have it: GNOME's keyring on a bus of the test's own.

use std::process::Command;
use std::time::Duration;

use super::program::{Launch, Program};
use super::wait_for;

const READY: Duration = Duration::from_secs(30);

/// The running store, unlocked and empty.
pub struct Keyring {
    address: String,
    _keyring: Program,
    bus: Program,
}

impl Keyring {
    /// Starts bus and keyring, and waits until something can be kept.
    #[track_caller]
    pub fn start() -> Self {
        let launch = Launch::new("dbus-daemon").args(["--nofork", "--nopidfile"]);
        let socket = launch.directory().join("bus");
        let address = format!("unix:path={}", socket.display());
        // A bus that starts nobody by itself: else it would start a keyring that is locked.
        let rules = r#"<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow
            eavesdrop="true"/><allow own="*"/></policy>"#;
        let config = format!("<busconfig><type>session</type><listen>{address}</listen>{rules}</busconfig>");
        let file = launch.directory().join("bus.conf");
        std::fs::write(&file, config).expect("a configuration");
        let bus = launch.args([format!("--config-file={}", file.display())]).start();
        wait_for("the bus", READY, || bus.stderr(), || socket.exists().then_some(()));
        // It takes the password that unlocks it from its input.
        let script = "printf unlocked | gnome-keyring-daemon --foreground --unlock --components=secrets";
        let keyring =
            Launch::new("sh").args(["-c", script]).env("DBUS_SESSION_BUS_ADDRESS", &address).start();
        let store = Self { address, _keyring: keyring, bus };
        let context = || store._keyring.stderr();
        let is_there = || store.tool("printf x | secret-tool store --label=x probe x").then_some(());
        wait_for("the keyring (package gnome-keyring, make setup-test)", READY, context, is_there);
        store
    }

    /// What a program has to have in its environment.
    pub fn environment(&self) -> (&str, &str) {
        ("DBUS_SESSION_BUS_ADDRESS", &self.address)
    }

    fn tool(&self, script: &str) -> bool {
        let mut command = Command::new("timeout");
        command.args(["10", "sh", "-c", script]).env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        command.output().is_ok_and(|output| output.status.success())
    }

    /// What it keeps for Farpane.
    pub fn kept(&self) -> Option<String> {
        let mut command = Command::new("timeout");
        command.args(["10", "secret-tool", "lookup", "application", "farpane"]);
        let output = command.env("DBUS_SESSION_BUS_ADDRESS", &self.address).output().expect("secret-tool");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// From now on nobody answers on the bus.
    pub fn freeze(&self) {
        self.bus.signal("STOP");
    }

    /// The end of that.
    pub fn thaw(&self) {
        self.bus.signal("CONT");
    }
}
