//! The clipboard on X11 (ICCCM §2): owns selections for the session and asks local programs for theirs, over a
//! connection and in a thread of its own, so that neither a paste nor a program that does not answer stops anything
//! else.
//!
//! `watch` has who owns what, `owner` what is owned here and who wants it, `requestor` what is asked of others, `incr`
//! large contents in pieces, `contents` and `names` what properties hold, `server` the connection.

pub mod incr;

mod contents;
mod names;
mod owner;
mod requestor;
mod server;
mod watch;

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use x11rb::connection::{Connection as _, SequenceNumber};
use x11rb::errors::{ConnectionError, ReplyError};
use x11rb::protocol::Event;
use x11rb::protocol::xproto::Property;
use x11rb::wrapper::ConnectionExt as _;

use self::owner::Owner;
use self::requestor::{Read, Requestor};
use self::server::Server;
use self::watch::Watch;
use super::X11Error;
use crate::channel::{Queue, clock};
use crate::desktop::clipboard::{ClipboardBackend, ClipboardSink};
use crate::session::clipboard::{FromDesktop, ToDesktop, Unreadable};

/// Events that are handled before the session's messages get their turn.
const EVENTS_A_TURN: usize = 64;

/// How long others are waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For an owner: its answer, and each piece of that.
    pub read: Duration,
    /// For the end of what an owner sends although nobody waits for it any more.
    pub late: Duration,
    /// For the session's answer to a local program.
    pub answer: Duration,
    /// For a local program to take a piece.
    pub piece: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            read: Duration::from_secs(15),
            late: Duration::from_secs(60),
            answer: Duration::from_secs(60),
            piece: Duration::from_secs(30),
        }
    }
}

/// The clipboard of the display that windows are on; `None` (logged) if it cannot be had.
pub fn open(sink: ClipboardSink) -> Option<Box<dyn ClipboardBackend>> {
    let opened = Selections::open(None, Patience::default(), sink)
        .inspect_err(|error| tracing::warn!(%error, "no clipboard: its thread did not start"));
    Some(Box::new(opened.ok()?))
}

/// The thread that has the clipboard.
pub struct Selections {
    /// `None`: the end.
    messages: Queue<Option<ToDesktop>>,
    waker: UnixStream,
    thread: Option<JoinHandle<()>>,
}

impl Selections {
    /// Starts the thread, which connects to `display` (`None`: `$DISPLAY`) and calls `sink`. If it cannot connect, or the
    /// connection ends, that is logged, and nothing more comes than that questions are answered: `Gone`.
    ///
    /// # Errors
    /// If there are no more threads or file descriptors.
    pub fn open(display: Option<&str>, patience: Patience, sink: ClipboardSink) -> std::io::Result<Self> {
        let (waker, wakes) = UnixStream::pair()?;
        waker.set_nonblocking(true)?;
        wakes.set_nonblocking(true)?;
        let messages = Queue::default();
        let inbox = messages.clone();
        let display = display.map(str::to_owned);
        let thread = std::thread::Builder::new().name("clipboard".into()).spawn(move || {
            run(display.as_deref(), patience, &inbox, &wakes, &sink);
        })?;
        Ok(Self { messages, waker, thread: Some(thread) })
    }

    fn push(&self, message: Option<ToDesktop>) {
        self.messages.push(message);
        // If nothing more can be written, it is awake already.
        let _ = (&self.waker).write(&[0]);
    }
}

impl ClipboardBackend for Selections {
    fn send(&self, message: ToDesktop) {
        self.push(Some(message));
    }
}

impl Drop for Selections {
    /// Ends the thread and waits for it.
    fn drop(&mut self) {
        self.push(None);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::warn!("the thread that has the clipboard panicked");
        }
    }
}

/// The thread: until the end is wanted.
fn run(
    display: Option<&str>,
    patience: Patience,
    messages: &Queue<Option<ToDesktop>>,
    wakes: &UnixStream,
    sink: &ClipboardSink,
) {
    match Server::connect(display) {
        Ok(server) => {
            let mut clipboard = Clipboard::new(server, patience);
            match clipboard.serve(messages, wakes, sink) {
                Ok(()) => return,
                Err(error) => tracing::debug!(%error, "the clipboard's X11 connection ended"),
            }
            let mut out = Vec::new();
            clipboard.requestor.give_up_all(&mut out);
            out.into_iter().for_each(sink);
        }
        Err(error) => tracing::warn!(%error, "no clipboard: its X11 connection failed"),
    }
    // Without a server.
    while let Some(Some(message)) = messages.pop(None) {
        if let ToDesktop::Read { request, .. } = message {
            sink(FromDesktop::Contents { request, result: Err(Unreadable::Gone) });
        }
    }
}

/// All that the thread has.
struct Clipboard {
    server: Server,
    watch: Watch,
    owner: Owner,
    requestor: Requestor,
    /// What the session is told after this turn.
    out: Vec<FromDesktop>,
}

impl Clipboard {
    fn new(server: Server, patience: Patience) -> Self {
        let (owner, requestor) = (Owner::new(patience), Requestor::new(patience));
        Self { server, watch: Watch::default(), owner, requestor, out: Vec::new() }
    }

    /// Until the end is wanted, or the connection ends (which is the error).
    fn serve(
        &mut self,
        messages: &Queue<Option<ToDesktop>>,
        wakes: &UnixStream,
        sink: &ClipboardSink,
    ) -> Result<(), X11Error> {
        loop {
            for _ in 0..EVENTS_A_TURN {
                let Some((event, at)) = self.server.next_event()? else { break };
                go_on(self.event(event, at, clock::now()).map_err(X11Error::from))?;
            }
            while let Some(message) = messages.try_pop() {
                let Some(message) = message else { return self.end() };
                go_on(self.message(message, clock::now()))?;
            }
            let now = clock::now();
            go_on(self.expire(now).map_err(X11Error::from))?;
            self.out.drain(..).for_each(sink);
            self.server.connection.flush()?;
            // Writing reads too.
            if !self.server.has_events()? {
                self.wait(now, wakes)?;
            }
        }
    }

    /// Lets go of everything, and then tells whoever waits that nothing comes: who asks once more finds no owner.
    fn end(&mut self) -> Result<(), X11Error> {
        go_on(self.message(ToDesktop::Watch(Vec::new()), clock::now()))?;
        // A connection that is closed while the server has sent something is lost with what it had not read.
        go_on(self.server.connection.sync().map_err(X11Error::from))
    }

    /// Waits for an event, a message or the next deadline.
    fn wait(&self, now: Instant, wakes: &UnixStream) -> Result<(), X11Error> {
        let deadline = self.owner.deadline().into_iter().chain(self.requestor.deadline()).min();
        let timeout = deadline.map(|deadline| {
            let left = deadline.saturating_duration_since(now);
            Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            }
        });
        let stream = self.server.connection.stream();
        let mut both = [PollFd::new(stream, PollFlags::IN), PollFd::new(wakes, PollFlags::IN)];
        match poll(&mut both, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(ConnectionError::IoError(error.into()).into()),
        }
        // All wakes are one.
        let mut wakes = wakes;
        while wakes.read(&mut [0; 64]).is_ok_and(|count| count > 0) {}
        Ok(())
    }

    fn event(&mut self, event: Event, at: SequenceNumber, now: Instant) -> Result<(), ReplyError> {
        let Self { server, watch, owner, requestor, out } = self;
        match event {
            Event::SelectionRequest(event) => owner.requested(server, event, now, out),
            Event::SelectionClear(event) => {
                owner.cleared(server, event.selection, at);
                Ok(())
            }
            Event::SelectionNotify(event) => requestor.notified(server, &event, now, out),
            Event::PropertyNotify(event) if server.is_ours(event.window) => {
                if event.state != Property::NEW_VALUE {
                    return Ok(());
                }
                requestor.written(server, event.window, event.atom, now, out)
            }
            Event::PropertyNotify(event) if event.state == Property::DELETE => {
                owner.deleted(server, event.window, event.atom, at, now)
            }
            Event::DestroyNotify(event) => {
                server.ended(event.window);
                owner.ended(event.window, out);
                requestor.ended(server, event.window, now, out)
            }
            Event::XfixesSelectionNotify(event) => {
                watch.changed(server, &event, at, out);
                match server.selection_of(event.selection) {
                    Some(selection) => requestor.superseded(server, selection, event.owner, at, now, out),
                    None => Ok(()),
                }
            }
            // Windows of others end at any time.
            Event::Error(error) => {
                tracing::trace!(?error, "an X11 request of the clipboard's failed");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn message(&mut self, message: ToDesktop, now: Instant) -> Result<(), X11Error> {
        let Self { server, watch, owner, requestor, out } = self;
        match message {
            ToDesktop::Watch(selections) => {
                owner.release_others(server, watch, &selections)?;
                if selections.is_empty() {
                    owner.refuse_all(server, out)?;
                }
                Ok(watch.set(server, &selections, out)?)
            }
            ToDesktop::Own { selection, targets } => Ok(owner.own(server, watch, selection, targets, out)?),
            ToDesktop::Release(selection) => Ok(owner.release(server, watch, selection)?),
            ToDesktop::Read { request, selection, target, max_bytes } => {
                requestor.ask(server, &Read { request, selection, target, max_bytes }, now, out)
            }
            ToDesktop::Answer { request, contents } => Ok(owner.answer(server, request, contents, now)?),
        }
    }

    fn expire(&mut self, now: Instant) -> Result<(), ReplyError> {
        self.owner.expire(&mut self.server, now, &mut self.out)?;
        self.requestor.expire(&mut self.server, now, &mut self.out)
    }
}

/// A request that failed ends nothing: windows of others end at any time. A broken connection does.
fn go_on(result: Result<(), X11Error>) -> Result<(), X11Error> {
    match result {
        Err(X11Error::Reply(ReplyError::X11Error(error))) => {
            tracing::debug!(?error, "an X11 request of the clipboard's failed");
            Ok(())
        }
        Err(X11Error::Reply(ReplyError::ConnectionError(error))) => Err(error.into()),
        result => result,
    }
}
