//! The one place where the viewer reads the monotonic clock.
#![expect(clippy::disallowed_methods, reason = "this is the clock that everything else is handed")]

use std::time::{Duration, Instant};

/// The monotonic time now.
pub fn now() -> Instant {
    Instant::now()
}

/// How long this machine has slept since it was started, as far as the system says. The monotonic clock stands still
/// meanwhile.
pub fn slept() -> Duration {
    #[cfg(target_os = "linux")]
    {
        use rustix::time::{ClockId, clock_gettime};
        let of = |clock| Duration::try_from(clock_gettime(clock)).unwrap_or_default();
        of(ClockId::Boottime).saturating_sub(of(ClockId::Monotonic))
    }
    #[cfg(not(target_os = "linux"))]
    Duration::ZERO
}
