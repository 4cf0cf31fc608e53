//! Helpers of the tests that need a display, a real Xpra server or the viewer's own program.
//!
//! Everything started here is a [`program::Program`], which dies with its owner, even when a test
//! panics, and takes all of its descendants with it. Tests that start servers hold a [`slots::Slot`].
#![allow(clippy::disallowed_methods, reason = "the copies of test code are nobody's hot path")]

pub mod alloc;
pub mod card;
pub mod display;
pub mod keyring;
pub mod picture;
pub mod program;
pub mod proxies;
pub mod relay;
pub mod samples;
pub mod slots;
pub mod sshd;
pub mod typist;
pub mod udp_relay;
pub mod viewer;
pub mod virtual_pointer;
pub mod wayland;
pub mod x11;
pub mod xpra;

use std::time::Duration;

/// Asks again and again until there is an answer. Panics with what was waited for, and `context`, when
/// it takes too long.
#[track_caller]
pub fn wait_for<T>(
    what: &str,
    limit: Duration,
    context: impl Fn() -> String,
    mut ask: impl FnMut() -> Option<T>,
) -> T {
    let deadline = farpane::channel::clock::now() + limit;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(
            farpane::channel::clock::now() < deadline,
            "waited {limit:?} in vain for: {what}\n{}",
            context()
        );
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// The last lines of a log, for a failure message.
pub fn tail(log: &str, lines: usize) -> String {
    let all: Vec<&str> = log.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
