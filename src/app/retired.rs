//! OS windows that nobody shows any more, until the renderer has let go of them.
//!
//! Dropping the last reference to a window destroys it, and this has to happen on the event loop's thread: winit asks
//! the X server about windows whose events it handles, and panics when another thread has destroyed one meanwhile.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use winit::window::Window;

/// How long the renderer may take to let go of a window before [`sweep`] looks again.
pub const PATIENCE: Duration = Duration::from_millis(50);

thread_local! {
    static RETIRED: RefCell<Vec<Arc<Window>>> = const { RefCell::new(Vec::new()) };
}

/// Keeps a hidden window until [`sweep`] finds that nobody else has it. Only on the event loop's thread.
pub fn retire(window: Arc<Window>) {
    RETIRED.with_borrow_mut(|retired| retired.push(window));
}

/// Destroys the windows that nobody else has any more. Returns whether others are left.
pub fn sweep() -> bool {
    RETIRED.with_borrow_mut(|retired| {
        retired.retain(|window| Arc::strong_count(window) > 1);
        !retired.is_empty()
    })
}
