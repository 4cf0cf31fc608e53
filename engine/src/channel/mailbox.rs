//! Events on their way to the application's thread: however many a server causes, only so many wait.
//!
//! Of what only the newest value counts of (a window's title, its geometry, the cursor, …), older ones that still
//! wait are replaced: the newer one stands where it was sent, so the order of what is left is the order in
//! which it was sent. The rest is counted, and weighed: when the mailbox [is full](Mailbox::is_full), the network task
//! takes no packet until there is [room](Mailbox::room), and goes on taking commands. Sending never waits and
//! never fails, so that nobody can wait for each other.

use std::collections::{BTreeMap, HashMap};
use std::mem::{Discriminant, discriminant, size_of};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::{AppEvent, ConnectStage};
use crate::protocol::packet::Image;
use crate::protocol::packet::WindowId;
use crate::protocol::packet::clipboard::{Contents, Selection};
use crate::protocol::packet::menu::{Application, Category, Menu};
use crate::session::clipboard::ToDesktop;
use crate::session::{
    ConnectionEvent, CursorShape, PointerEvent, SessionEvent, WindowChange, WindowEvent, WindowInfo,
};

/// Events that may wait before no more packets are taken.
pub const MAX_EVENTS: usize = 1024;
/// Bytes that they may hold together before that.
pub const MAX_BYTES: usize = 8 << 20;

/// What only the newest event counts of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Topic {
    /// Latency, information, …
    Connection(Discriminant<ConnectionEvent>),
    Created(WindowId),
    Kept(WindowId),
    Window(WindowId, Discriminant<WindowChange>),
    Bell,
    Cursor,
    PointerGrab,
    /// Who owns the selection.
    Selection(Selection),
}

/// A queue of [`AppEvent`]s, filled from any thread and drained by one. Cheap to clone.
#[derive(Clone, Default)]
pub struct Mailbox {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    arrived: Condvar,
    /// As in the state, to be looked at without the lock.
    full: AtomicBool,
    room: Notify,
}

#[derive(Default)]
struct State {
    /// By number, in order.
    events: BTreeMap<u64, AppEvent>,
    /// The numbers of those that a newer one replaces.
    newest: HashMap<Topic, u64>,
    next: u64,
    bytes: usize,
    /// Since a bound was reached, until half of it is.
    full: bool,
}

impl Mailbox {
    /// Queues `event`, in the place of an older one if only the newest counts. Never blocks for long.
    pub fn push(&self, event: AppEvent) {
        let mut state = self.lock();
        state.push(event);
        if state.is_over(1) {
            state.full = true;
            self.shared.full.store(true, Ordering::Release);
        }
        drop(state);
        self.shared.arrived.notify_one();
    }

    /// The next event, if there is one.
    pub fn try_pop(&self) -> Option<AppEvent> {
        self.pop_locked(&mut self.lock())
    }

    /// Waits for the next event, at most for `timeout`.
    pub fn pop(&self, timeout: Duration) -> Option<AppEvent> {
        let waited = self.shared.arrived.wait_timeout_while(self.lock(), timeout, |s| s.events.is_empty());
        self.pop_locked(&mut waited.unwrap_or_else(PoisonError::into_inner).0)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.lock().events.is_empty()
    }

    /// Number of events that wait, and the bytes that they hold.
    pub fn load(&self) -> (usize, usize) {
        let state = self.lock();
        (state.events.len(), state.bytes)
    }

    /// Whether so much waits that nothing should be done that causes more. Costs next to nothing.
    pub fn is_full(&self) -> bool {
        self.shared.full.load(Ordering::Acquire)
    }

    /// Waits until it is not full any more. Cancel-safe; one task may wait.
    pub async fn room(&self) {
        while self.is_full() {
            self.shared.room.notified().await;
        }
    }

    fn pop_locked(&self, state: &mut State) -> Option<AppEvent> {
        let event = state.pop();
        if state.full && !state.is_over(2) {
            state.full = false;
            self.shared.full.store(false, Ordering::Release);
            self.shared.room.notify_one();
        }
        event
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether more than the `part`th part of a bound is reached.
    fn is_over(&self, part: usize) -> bool {
        self.events.len() >= MAX_EVENTS / part || self.bytes >= MAX_BYTES / part
    }

    fn push(&mut self, mut event: AppEvent) {
        if let AppEvent::Session(SessionEvent::Window(WindowEvent::Destroyed { wid })) = event {
            // What was said of it means nothing any more. Nor does it if nobody heard of the window.
            let is_unheard_of = self.newest.contains_key(&Topic::Created(wid));
            self.forget(|topic| {
                matches!(topic, Topic::Created(of) | Topic::Kept(of) | Topic::Window(of, _) if *of == wid)
            });
            if is_unheard_of {
                return;
            }
        }
        if let AppEvent::Session(SessionEvent::Connection(ConnectionEvent::Closed(_))) = event {
            // All windows go with the session.
            self.forget(|topic| matches!(topic, Topic::Created(_) | Topic::Kept(_) | Topic::Window(..)));
        }
        let number = self.next;
        self.next += 1;
        if let Some(topic) = topic(&event)
            && let Some(older) = self.newest.insert(topic, number)
            && let Some(older) = self.take(older)
        {
            merge(older, &mut event);
        }
        self.bytes += weight(&event);
        self.events.insert(number, event);
    }

    fn pop(&mut self) -> Option<AppEvent> {
        let (number, event) = self.events.pop_first()?;
        self.bytes -= weight(&event);
        if let Some(topic) = topic(&event)
            && self.newest.get(&topic) == Some(&number)
        {
            self.newest.remove(&topic);
        }
        Some(event)
    }

    fn take(&mut self, number: u64) -> Option<AppEvent> {
        let event = self.events.remove(&number)?;
        self.bytes -= weight(&event);
        Some(event)
    }

    fn forget(&mut self, is_void: impl Fn(&Topic) -> bool) {
        let Self { events, newest, bytes, .. } = self;
        newest.retain(|topic, number| {
            let keep = !is_void(topic);
            if !keep && let Some(event) = events.remove(number) {
                *bytes -= weight(&event);
            }
            keep
        });
    }
}

fn topic(event: &AppEvent) -> Option<Topic> {
    let AppEvent::Session(event) = event else { return None };
    match event {
        SessionEvent::Connection(event) => connection_topic(event),
        SessionEvent::Window(event) => window_topic(event),
        SessionEvent::Pointer(PointerEvent::Cursor(_)) => Some(Topic::Cursor),
        SessionEvent::Pointer(PointerEvent::Grabbed { .. } | PointerEvent::Ungrabbed) => {
            Some(Topic::PointerGrab)
        }
        SessionEvent::Clipboard(event) => clipboard_topic(event),
        SessionEvent::Notice(_) => None,
    }
}

fn connection_topic(event: &ConnectionEvent) -> Option<Topic> {
    match event {
        ConnectionEvent::StartupComplete
        | ConnectionEvent::Latency(_)
        | ConnectionEvent::Silence(_)
        | ConnectionEvent::Menu(_)
        | ConnectionEvent::Info(_)
        | ConnectionEvent::Away(_) => Some(Topic::Connection(discriminant(event))),
        ConnectionEvent::Connected(_)
        | ConnectionEvent::LoggingIn
        | ConnectionEvent::PasswordNeeded { .. }
        | ConnectionEvent::PasswordRefused { .. }
        | ConnectionEvent::SshAsks { .. }
        | ConnectionEvent::CertificateAsks(_)
        | ConnectionEvent::SeveralSessions { .. }
        | ConnectionEvent::Closed(_) => None,
    }
}

fn window_topic(event: &WindowEvent) -> Option<Topic> {
    match event {
        WindowEvent::Created(info) => Some(Topic::Created(info.wid)),
        WindowEvent::Kept(info) => Some(Topic::Kept(info.wid)),
        WindowEvent::Changed { wid, change } => Some(Topic::Window(*wid, discriminant(change))),
        WindowEvent::Bell { .. } => Some(Topic::Bell),
        WindowEvent::Destroyed { .. } => None,
    }
}

fn clipboard_topic(event: &ToDesktop) -> Option<Topic> {
    match event {
        ToDesktop::Own { selection, .. } | ToDesktop::Release(selection) => {
            Some(Topic::Selection(*selection))
        }
        // What is watched says that the rest begins anew.
        ToDesktop::Watch(_) | ToDesktop::Read { .. } | ToDesktop::Answer { .. } => None,
    }
}

/// Takes over into `newer` what it does not say itself.
fn merge(older: AppEvent, newer: &mut AppEvent) {
    if let (
        AppEvent::Session(SessionEvent::Window(WindowEvent::Changed {
            change: WindowChange::Geometry { position: before @ Some(_), .. },
            ..
        })),
        AppEvent::Session(SessionEvent::Window(WindowEvent::Changed {
            change: WindowChange::Geometry { position: now @ None, .. },
            ..
        })),
    ) = (older, newer)
    {
        *now = before;
    }
}

/// Bytes that an event holds.
fn weight(event: &AppEvent) -> usize {
    let held = match event {
        AppEvent::Session(event) => match event {
            SessionEvent::Connection(ConnectionEvent::Info(lines)) => of_lines(lines),
            SessionEvent::Connection(ConnectionEvent::Menu(menu)) => of_menu(menu),
            SessionEvent::Connection(ConnectionEvent::Away(away)) => away.why.capacity(),
            SessionEvent::Window(event) => of_window_event(event),
            SessionEvent::Pointer(PointerEvent::Cursor(CursorShape::Image(cursor))) => {
                cursor.data.retained_bytes()
            }
            SessionEvent::Clipboard(event) => of_clipboard(event),
            SessionEvent::Connection(_) | SessionEvent::Pointer(_) | SessionEvent::Notice(_) => 0,
        },
        // Asked for by the application, one at a time.
        AppEvent::Pixels { .. } => 0,
        AppEvent::Connecting(ConnectStage::SshSays { line }) => line.capacity(),
        AppEvent::Connecting(_) | AppEvent::RendererFailed(_) | AppEvent::FirstPaint { .. } => 0,
    };
    size_of::<AppEvent>() + held
}

fn of_lines(lines: &[(String, String)]) -> usize {
    lines.iter().map(|(key, value)| size_of::<(String, String)>() + key.len() + value.len()).sum()
}

fn of_menu(menu: &Menu) -> usize {
    let of = |application: &Application| {
        size_of::<Application>() + application.name.capacity() + application.command.capacity()
    };
    let of_category = |category: &Category| {
        let applications: usize = category.applications.iter().map(of).sum();
        size_of::<Category>() + category.name.capacity() + applications
    };
    menu.categories.iter().map(of_category).sum()
}

fn of_window_event(event: &WindowEvent) -> usize {
    match event {
        WindowEvent::Created(info) | WindowEvent::Kept(info) => of_window(info),
        WindowEvent::Changed { change, .. } => match change {
            WindowChange::Title(title) => title.capacity(),
            WindowChange::Icon(image) => of_image(image),
            WindowChange::Class(instance, class) => instance.capacity() + class.capacity(),
            WindowChange::Hints(info) => of_window(info),
            _ => 0,
        },
        WindowEvent::Destroyed { .. } | WindowEvent::Bell { .. } => 0,
    }
}

fn of_window(info: &WindowInfo) -> usize {
    let types = info.window_types.iter().map(|name| size_of::<String>() + name.capacity()).sum::<usize>();
    let texts = info.title.capacity() + info.class.0.capacity() + info.class.1.capacity() + types;
    size_of::<WindowInfo>() + texts + info.icon.as_ref().map_or(0, of_image)
}

fn of_clipboard(event: &ToDesktop) -> usize {
    match event {
        ToDesktop::Own { targets, .. } => {
            targets.iter().map(|name| size_of::<String>() + name.capacity()).sum()
        }
        ToDesktop::Read { target, .. } => target.capacity(),
        ToDesktop::Answer { contents, .. } => contents.as_ref().map_or(0, Contents::len),
        ToDesktop::Watch(_) | ToDesktop::Release(_) => 0,
    }
}

fn of_image(image: &Image) -> usize {
    image.data.retained_bytes()
}
