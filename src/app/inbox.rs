//! The way into the event loop: a queue of events, with winit's proxy as its doorbell.

use std::sync::atomic::{AtomicBool, Ordering};

use winit::event_loop::EventLoopProxy;

use crate::channel::{AppEvent, AppSink, Queue};
use crate::desktop::DesktopEvent;

use super::connect::Found;

/// What wakes the event loop.
#[derive(Debug)]
pub enum InboxEvent {
    App(AppEvent),
    Desktop(DesktopEvent),
    /// A session runs on this machine.
    LocalSession(Found),
    /// Ctrl-C, or the system wants the program to end.
    Interrupted,
}

/// Filled from any thread, drained by the event loop.
///
/// The doorbell rings once for everything that was queued since the loop last looked: a burst
/// of events costs one wake-up.
pub struct Inbox {
    events: Queue<InboxEvent>,
    rung: AtomicBool,
    doorbell: EventLoopProxy<()>,
}

impl Inbox {
    /// An empty inbox of the event loop behind `doorbell`.
    pub fn new(doorbell: EventLoopProxy<()>) -> Self {
        Self { events: Queue::default(), rung: AtomicBool::new(false), doorbell }
    }

    /// Queues `event` and wakes the event loop. Any thread.
    pub fn push(&self, event: InboxEvent) {
        self.events.push(event);
        if !self.rung.swap(true, Ordering::AcqRel) && self.doorbell.send_event(()).is_err() {
            tracing::trace!("an event came after the event loop had ended");
        }
    }

    /// The doorbell was heard: what is pushed from now on rings again. Call before [`Self::pop`].
    pub fn heard(&self) {
        self.rung.store(false, Ordering::Release);
    }

    /// The next event, if there is one.
    pub fn pop(&self) -> Option<InboxEvent> {
        self.events.try_pop()
    }
}

impl AppSink for Inbox {
    fn send(&self, event: AppEvent) {
        self.push(InboxEvent::App(event));
    }
}
