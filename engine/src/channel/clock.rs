//! The one place where the viewer reads the monotonic clock.
#![expect(clippy::disallowed_methods, reason = "this is the clock that everything else is handed")]

use std::time::Instant;

/// The monotonic time now.
pub fn now() -> Instant {
    Instant::now()
}
