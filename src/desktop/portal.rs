//! Whether programs are to look dark, from the desktop's portal: `color-scheme` of `org.freedesktop.appearance`
//! (XDG Desktop Portal, Settings). GNOME, KDE and others answer there, on X11 and Wayland.
//!
//! It is asked by GLib's `gdbus`, which all of these desktops have: a D-Bus library would cost a megabyte for
//! one question.

use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// A desktop that takes longer gets what its theme's name says. A window is waiting.
const PATIENCE: Duration = Duration::from_millis(200);

const QUESTION: [&str; 11] = [
    "call",
    "--session",
    "--timeout=1",
    "--dest",
    "org.freedesktop.portal.Desktop",
    "--object-path",
    "/org/freedesktop/portal/desktop",
    "--method",
    "org.freedesktop.portal.Settings.Read",
    "org.freedesktop.appearance",
    "color-scheme",
];

/// What the portal says now; `None` if there is none, or if it has no wish. Takes at most 0.2 s.
pub fn is_dark() -> Option<bool> {
    // Without a session bus, gdbus would start one.
    std::env::var_os("DBUS_SESSION_BUS_ADDRESS")?;
    let (sender, answer) = mpsc::sync_channel(1);
    let ask = move || {
        let output = Command::new("gdbus").args(QUESTION).stdin(Stdio::null()).output();
        // Nobody listens any more if it took too long.
        let _ = sender.send(output.map(|output| output.stdout).unwrap_or_default());
    };
    std::thread::Builder::new().name("farpane-portal".to_owned()).spawn(ask).ok()?;
    wish(&String::from_utf8_lossy(&answer.recv_timeout(PATIENCE).ok()?))
}

/// What an answer like `(<<uint32 1>>,)` means: 1 is dark, 2 is light, 0 is no wish.
pub fn wish(answer: &str) -> Option<bool> {
    let digits = answer.split("uint32").nth(1)?.trim_start();
    match digits.split(|c: char| !c.is_ascii_digit()).next()? {
        "1" => Some(true),
        "2" => Some(false),
        _ => None,
    }
}
