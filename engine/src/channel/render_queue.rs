//! The queue to the render thread, and what that thread wants to find in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Queue, RenderMessage};

/// To the render thread: items from the decode pool and commands from the application. Cheap to
/// clone; in steady state it does not allocate.
#[derive(Clone, Default)]
pub struct RenderQueue {
    messages: Queue<RenderMessage>,
    unpacks: Arc<AtomicBool>,
}

impl RenderQueue {
    /// Appends `message` and wakes the render thread. Never blocks for long.
    pub fn push(&self, message: RenderMessage) {
        self.messages.push(message);
    }

    /// The next message, if there is one.
    pub fn try_pop(&self) -> Option<RenderMessage> {
        self.messages.try_pop()
    }

    /// Waits for the next message, at most for `timeout` (for ever if `None`).
    pub fn pop(&self, timeout: Option<Duration>) -> Option<RenderMessage> {
        self.messages.pop(timeout)
    }

    /// Number of messages waiting.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether nothing is waiting.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The renderer wants compressed pixels as they are (or not): it unpacks them to where they
    /// are shown. It has to take both at any time.
    pub fn set_unpacks(&self, unpacks: bool) {
        self.unpacks.store(unpacks, Ordering::Relaxed);
    }

    /// Whether [`super::DrawContent::Compressed`] is wanted.
    pub fn unpacks(&self) -> bool {
        self.unpacks.load(Ordering::Relaxed)
    }
}
