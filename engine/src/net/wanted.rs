//! What is wanted of a machine.

/// A session that is there, or a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// A session that runs: the target's display, or the only one.
    #[default]
    Running,
    /// A new session. Only through ssh and on this machine.
    New {
        /// Xpra's command: `start`, `start-desktop` or `shadow`.
        command: &'static str,
        /// Its further arguments, such as `--start=xterm`.
        arguments: Vec<String>,
    },
}

impl Wanted {
    /// The command for the screen of a machine that is there already.
    pub const SHADOW: &str = "shadow";
}
