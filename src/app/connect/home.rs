//! Where sessions begin and end: the connect window between them, and what is noted of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use winit::event::WindowEvent;
use winit::event_loop::ActiveEventLoop;
use winit::window::WindowId as OsWindowId;

use super::{Answer, Chosen, Connect, Decision, Launcher, ListedSession, Opened, stages};
use crate::app::attached::Attached;
use crate::app::dialogs::Question;
use crate::app::inbox::Inbox;
use crate::app::screen::Screen;
use crate::channel::{ConnectStage, clock};
use crate::config::Config;
use crate::config::connections::ConnectionKey;
use crate::demo;
use crate::geometry::Size;
use crate::net::nearby;
use crate::session::{CloseReason, SessionEvent};
use crate::ui::Message;

/// When the picture of a session is taken: by then most programs show what they are.
const PICTURE_AFTER: Duration = Duration::from_secs(3);

/// The connect window, or the session that was chosen in it.
pub struct Home {
    launcher: Launcher,
    window: Option<Connect>,
    session: Option<Session>,
}

/// The session that was chosen.
struct Session {
    which: Option<ConnectionKey>,
    is_foreign: bool,
    /// A window was painted, or its card.
    shown: bool,
    /// A window was painted.
    has_windows: bool,
    picture_due: Option<Instant>,
    _demo: Option<demo::Server>,
}

impl Home {
    /// No window yet.
    pub fn new(launcher: Launcher) -> Self {
        Self { launcher, window: None, session: None }
    }

    /// Opens the connect window with what went wrong before, if anything.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(
        &mut self,
        failure: Option<Message>,
        screen: &Screen,
        event_loop: &ActiveEventLoop,
        inbox: &Arc<Inbox>,
    ) -> anyhow::Result<()> {
        self.window = Some(Connect::open(self.launcher.clone(), failure, screen, event_loop, inbox)?);
        Ok(())
    }

    /// Fills the form with what was opened, and goes on with it if that is wanted.
    pub fn show(&mut self, opened: Opened) -> Option<Decision> {
        self.window.as_mut()?.show(opened)
    }

    /// The session that the user chose is being attached to. Returns how.
    pub fn begin(&mut self, chosen: Chosen) -> Config {
        let Chosen { config, which, is_foreign, options: _, demo } = chosen;
        self.session = Some(Session {
            which,
            is_foreign,
            shown: false,
            has_windows: false,
            picture_due: None,
            _demo: demo,
        });
        config
    }

    /// Connecting has come this far.
    pub fn stage(&mut self, stage: &ConnectStage) {
        if let Some(window) = &mut self.window {
            window.stage(stage);
        }
    }

    /// What the session says.
    pub fn session_event(&mut self, event: &SessionEvent) {
        if let Some(window) = &mut self.window {
            window.session_event(event);
        }
    }

    /// Asks the user in the connect window, if that is where a session begins and the question is for a password.
    /// Returns the question where it is not.
    pub fn ask(home: Option<&mut Self>, question: Question) -> Option<Question> {
        match (home.and_then(|home| home.window.as_mut()), question) {
            (Some(window), Question::Password(prompt)) => {
                window.ask(prompt);
                None
            }
            (_, question) => Some(question),
        }
    }

    /// These sessions run on this machine now.
    pub fn locals(&mut self, found: Vec<ListedSession>) {
        if let Some(window) = &mut self.window {
            window.locals(found);
        }
    }

    /// The saved or recent connections are others.
    pub fn connections_changed(&mut self) {
        self.window.iter_mut().for_each(Connect::connections_changed);
    }

    /// The server of the saved connection of this name was asked.
    pub fn answered(&mut self, name: &str, answer: Answer) {
        if let Some(window) = &mut self.window {
            window.answered(name, answer);
        }
    }

    /// The search on the network is over.
    pub fn nearby(&mut self, found: Result<Vec<nearby::Session>, String>) {
        if let Some(window) = &mut self.window {
            window.nearby(found);
        }
    }

    /// The session shows a window.
    pub fn first_picture(&mut self) {
        self.shown();
        if let Some(session) = self.session.as_mut().filter(|session| !session.has_windows) {
            session.has_windows = true;
            session.picture_due = Some(clock::now() + PICTURE_AFTER);
        }
    }

    /// The session shows something: the connect window is no longer needed.
    pub fn shown(&mut self) {
        self.window = None;
        let Some(session) = self.session.as_mut().filter(|session| !session.shown) else { return };
        session.shown = true;
        if let Some(which) = &session.which {
            self.launcher.note_use(which, session.is_foreign);
        }
    }

    /// The session's look, as rows of RGBA.
    pub fn keep_picture(&self, size: Size, rgba: &[u8]) {
        if let Some(which) = self.session.as_ref().and_then(|session| session.which.as_ref()) {
            self.launcher.keep_picture(which, size, rgba);
        }
    }

    /// The session and its threads have ended, and its files are `completed`: the connect window
    /// says why, and is opened again for that if it is not there any more.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn session_over(
        &mut self,
        reason: &CloseReason,
        completed: anyhow::Result<()>,
        screen: &Screen,
        event_loop: &ActiveEventLoop,
        inbox: &Arc<Inbox>,
    ) -> anyhow::Result<()> {
        let shown = self.session.take().is_some_and(|session| session.shown);
        let message = match completed {
            Ok(()) => stages::failure(reason, shown),
            Err(error) => Some(Message {
                title: "Not everything could be written".to_owned(),
                words: format!("{error:#}"),
                ..Message::default()
            }),
        };
        match &mut self.window {
            Some(window) => {
                window.session_over(message);
                Ok(())
            }
            None => self.open(message, screen, event_loop, inbox),
        }
    }

    /// An event of the connect window, or of another one, which is ignored.
    pub fn window_event(&mut self, id: OsWindowId, event: &WindowEvent) -> Option<Decision> {
        self.window.as_mut().filter(|window| window.is(id))?.event(event)
    }

    /// Does what is due.
    pub fn update(&mut self, attached: Option<&Attached>) -> Option<Decision> {
        if let (Some(session), Some(attached)) = (&mut self.session, attached)
            && session.which.is_some()
            && session.picture_due.take_if(|due| *due <= clock::now()).is_some()
        {
            attached.read_back();
        }
        self.window.as_mut()?.update()
    }

    /// When [`Self::update`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        let picture = self.session.as_ref().and_then(|session| session.picture_due);
        [picture, self.window.as_ref().and_then(Connect::deadline)].into_iter().flatten().min()
    }
}
