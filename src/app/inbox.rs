//! The way into the event loop: events that wait, with winit's proxy as their doorbell.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use winit::event_loop::EventLoopProxy;

use crate::channel::{AppEvent, AppSink, Mailbox};
use crate::desktop::DesktopEvent;
use crate::desktop::purpose::Found;
use crate::net::nearby;

use super::connect::{Answer, ListedSession};

/// What wakes the event loop.
#[derive(Debug)]
pub enum InboxEvent {
    App(AppEvent),
    Desktop(DesktopEvent),
    /// These sessions run on this machine now.
    LocalSessions(Vec<ListedSession>),
    /// Another window changed what is saved or was used lately.
    ConnectionsChanged,
    /// The server of a saved connection was asked.
    SavedServer {
        name: String,
        answer: Answer,
    },
    /// The search on the network is over: what it found, or why it failed.
    Nearby(Result<Vec<nearby::Session>, String>),
    /// What the desktop's store of passwords has for a question of this login.
    KeptPassword {
        number: u32,
        found: Found,
    },
    /// Somebody outside wants what just happened to be saved.
    SaveReplay,
    /// Ctrl-C, or the system wants the program to end.
    Interrupted,
}

/// Filled from any thread, drained by the event loop: the session's events from a [`Mailbox`], and before
/// them the few others.
///
/// The doorbell rings once a turn of the event loop, whatever comes in: winit handles what rings before it
/// looks at the desktop again, so that one ring after the other would keep the desktop waiting.
pub struct Inbox {
    session: Mailbox,
    others: Mutex<VecDeque<InboxEvent>>,
    rung: AtomicBool,
    doorbell: EventLoopProxy<()>,
}

impl Inbox {
    /// An empty inbox of the event loop behind `doorbell`.
    pub fn new(doorbell: EventLoopProxy<()>) -> Self {
        Self { session: Mailbox::default(), others: Mutex::default(), rung: AtomicBool::new(false), doorbell }
    }

    /// Queues `event` and wakes the event loop. Any thread.
    pub fn push(&self, event: InboxEvent) {
        match event {
            InboxEvent::App(event) => self.session.push(event),
            event => {
                let mut others = self.others();
                // The desktop may tell of a window as often as it likes: it is looked at once.
                let is_known = |waiting: &InboxEvent| match (waiting, &event) {
                    (InboxEvent::Desktop(waiting), InboxEvent::Desktop(event)) => waiting == event,
                    _ => false,
                };
                if others.iter().any(is_known) {
                    return;
                }
                others.push_back(event);
            }
        }
        self.ring();
    }

    /// The next event, if there is one.
    pub fn pop(&self) -> Option<InboxEvent> {
        let other = self.others().pop_front();
        other.or_else(|| self.session.try_pop().map(InboxEvent::App))
    }

    /// The event loop's turn is over: what is left, and what comes from now on, rings again.
    pub fn rest(&self) {
        self.rung.store(false, Ordering::Release);
        if !self.session.is_empty() || !self.others().is_empty() {
            self.ring();
        }
    }

    fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) && self.doorbell.send_event(()).is_err() {
            tracing::trace!("an event came after the event loop had ended");
        }
    }

    fn others(&self) -> MutexGuard<'_, VecDeque<InboxEvent>> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AppSink for Inbox {
    fn send(&self, event: AppEvent) {
        self.push(InboxEvent::App(event));
    }

    fn mailbox(&self) -> Option<&Mailbox> {
        Some(&self.session)
    }
}
