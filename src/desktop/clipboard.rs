//! The desktop's side of the clipboard: what a window system must do, and when it begins to. What is copied where, and
//! what is not, is the session's to say (`session::clipboard`).

use crate::session::clipboard::{FromDesktop, ToDesktop};

/// Takes what the desktop says of its clipboard. Called from the backend's own thread; it must not block.
pub type ClipboardSink = Box<dyn Fn(FromDesktop) + Send>;

/// A window system's clipboard, in a thread of its own; dropping it ends that and lets go of what it owned.
pub trait ClipboardBackend {
    /// Hands over a message. Never blocks, whatever local programs do.
    fn send(&self, message: ToDesktop);
}

/// Starts a backend, which calls the sink from then on; `None` (logged) if that is not possible.
pub type OpenClipboard = fn(ClipboardSink) -> Option<Box<dyn ClipboardBackend>>;

/// The clipboard that a desktop may have. Nothing is started before somebody wants to know of a selection.
#[derive(Default)]
pub struct Clipboard {
    open: Option<OpenClipboard>,
    sink: Option<ClipboardSink>,
    backend: Option<Box<dyn ClipboardBackend>>,
}

impl Clipboard {
    /// One whose backend is started by `open`.
    pub fn new(open: OpenClipboard) -> Self {
        Self { open: Some(open), sink: None, backend: None }
    }

    /// Whether there can be one.
    pub fn is_possible(&self) -> bool {
        self.open.is_some()
    }

    /// Everything goes to `sink` from now on; what was owned before is let go of.
    pub fn connect(&mut self, sink: ClipboardSink) {
        self.backend = None;
        self.sink = Some(sink);
    }

    /// Hands over a message; the first that asks for a selection to be watched starts the backend, what comes before is
    /// dropped. Never blocks.
    pub fn send(&mut self, message: ToDesktop) {
        if self.backend.is_none()
            && matches!(&message, ToDesktop::Watch(selections) if !selections.is_empty())
        {
            self.backend = self.open.zip(self.sink.take()).and_then(|(open, sink)| open(sink));
        }
        if let Some(backend) = &self.backend {
            backend.send(message);
        }
    }
}
