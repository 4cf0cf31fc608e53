//! The connect window: what it shows, what becomes of what the user decides, and what is kept.
//!
//! It has a render thread of its own, so that it can stay while a session starts and come back
//! after it.

mod around;
pub mod form;
mod home;
mod launcher;
mod list;
mod locals;
pub mod servers;
pub mod stages;
mod thumbnail;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use winit::dpi::LogicalSize;
use winit::event::WindowEvent;
use winit::event_loop::{ActiveEventLoop, OwnedDisplayHandle};
use winit::window::Window;
use zeroize::Zeroizing;

use crate::channel::{AppSink, ConnectStage, OwnId, clock};
use crate::config::connections::{ConnectionKey, Store, address};
use crate::config::request::session_file_path;
use crate::config::{Config, Layer, Question, Request, SessionFile};
use crate::demo;
use crate::net::Wanted;
use crate::protocol::text;
use crate::render::RenderOptions;
use crate::session::SessionEvent;
use crate::threads::{Engine, NoReply};
use crate::ui::connect::{CONNECT_MIN_SIZE, CONNECT_SIZE};
use crate::ui::{
    Asked, Attempt, ConnectAction, ConnectForm, ConnectState, ConnectView, Message, PasswordPrompt,
    PasswordReply, Stage, Wish, connect_ui, theme,
};

use super::inbox::Inbox;
use super::own_window::OwnWindow;
use super::screen::{self, Screen};

use around::Around;
pub use home::Home;
pub use launcher::Launcher;
use list::Destination;
pub use locals::{ListedSession, sessions as local_sessions};
pub use servers::Answer;
use servers::Servers;

/// This window: the only one of its render thread.
const OWN_ID: OwnId = OwnId(0);

/// What the event loop is to do.
pub enum Decision {
    Attach(Box<Chosen>),
    /// The question before the session is answered.
    Answer(PasswordReply),
    /// Stop connecting.
    Cancel,
    Quit,
}

/// What the user wants to see.
pub struct Chosen {
    pub config: Config,
    /// How it is found again; `None` if it is not to be.
    pub which: Option<ConnectionKey>,
    /// Somebody else wrote where it is.
    pub is_foreign: bool,
    /// What was said with its address.
    pub options: Layer,
    /// The server, if it is the demo session: it ends when this is dropped.
    pub demo: Option<demo::Server>,
}

/// What is wanted as soon as the window is open.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Or why it cannot be, in words.
    pub request: Result<Request, String>,
    /// Without waiting for the user to look at it.
    pub at_once: bool,
}

impl Opened {
    /// Understands an address, a link or a session file, which says itself whether it is to be
    /// connected to at once (`autoconnect`).
    pub fn understand(text: &str) -> Self {
        let file = session_file_path(text.trim()).map(|path| SessionFile::read(&path));
        let at_once = file.is_none_or(|file| file.is_ok_and(|file| file.autoconnect()));
        Self { request: Request::open(text).map_err(|error| error.to_string()), at_once }
    }
}

/// The open window.
pub struct Connect {
    launcher: Launcher,
    window: OwnWindow,
    view: ConnectView,
    /// What the entries of the view stand for, by their number.
    destinations: Vec<Destination>,
    /// What the form was filled from.
    base: Option<(Request, Option<ConnectionKey>)>,
    /// The sessions of this machine.
    locals: Vec<ListedSession>,
    watch: locals::Watch,
    /// What saved servers say when they are asked.
    servers: Servers,
    /// Sessions on the network, as far as they were looked for.
    around: Around,
    /// Who is told of them.
    inbox: Arc<Inbox>,
    /// When the stage that is under way began.
    began: Option<Instant>,
    /// The size in points that the user, or the window manager, gave the window.
    size: Option<LogicalSize<u32>>,
    /// Paints the window.
    _engine: Engine,
}

/// Characters of a value that a stranger's link or file gives an option: no path is longer.
const MAX_VALUE_CHARS: usize = 4096;

/// What a request wants that needs the user's word.
fn asked(request: &Request) -> Asked {
    let shown = |value: &str| text::shown(value, MAX_VALUE_CHARS);
    let wish = |asked: &Question| Wish {
        words: shown(&asked.words()),
        option: shown(&format!("{}={}", asked.name, asked.value)),
    };
    Asked { to: address(&request.target), wants: request.questions.iter().map(wish).collect() }
}

impl Connect {
    /// Opens the window, with `failure` in it if something went wrong before.
    ///
    /// # Errors
    /// If the OS makes no window or gives no thread.
    pub fn open(
        launcher: Launcher,
        failure: Option<Message>,
        screen: &Screen,
        event_loop: &ActiveEventLoop,
        inbox: &Arc<Inbox>,
    ) -> anyhow::Result<Self> {
        let options = launcher.settings.options()?;
        let display: OwnedDisplayHandle = event_loop.owned_display_handle();
        let render_options = RenderOptions {
            renderer: options.renderer.into(),
            display: Some(Arc::new(display)),
            ..RenderOptions::default()
        };
        let app: Arc<dyn AppSink> = Arc::clone(inbox) as _;
        let engine = Engine::without_session(render_options, app, Box::new(NoReply))
            .context("cannot start the render thread")?;
        let queue = engine.queues().render.clone();
        let kept = launcher.store.as_ref().and_then(Store::window_size);
        let [wanted, least] = [kept.unwrap_or(CONNECT_SIZE), CONNECT_MIN_SIZE]
            .map(|size| screen::own_size(size, &screen.desktop, event_loop));
        let size = LogicalSize::new(wanted.width.max(least.width), wanted.height.max(least.height));
        let attributes = Window::default_attributes()
            .with_title("Farpane")
            .with_inner_size(size)
            .with_min_inner_size(least);
        let window = OwnWindow::open(attributes, OWN_ID, event_loop, queue)
            .context("the connect window cannot be opened")?;
        theme::set_dark(window.context(), screen.is_dark(&window));
        let view = ConnectView::default();
        let watch = locals::Watch::begin(inbox, launcher.store.clone());
        let mut connect = Self {
            launcher,
            window,
            view,
            destinations: Vec::new(),
            base: None,
            locals: Vec::new(),
            watch,
            servers: Servers::new(options.ask_saved, inbox),
            around: Around::default(),
            inbox: Arc::clone(inbox),
            began: None,
            size: None,
            _engine: engine,
        };
        connect.session_over(failure);
        connect.list();
        Ok(connect)
    }

    /// Fills the form with what was opened, and goes on with it if that is wanted.
    pub fn show(&mut self, opened: Opened) -> Option<Decision> {
        match opened.request {
            Ok(request) => self.fill(request, None),
            Err(words) => {
                self.fail("This cannot be opened", &words);
                return None;
            }
        }
        if !opened.at_once {
            return None;
        }
        // Whoever wrote a link learns nothing before the user said yes, not even that it was opened.
        if let Some((request, _)) = &self.base
            && request.sender.is_foreign()
            && !self.launcher.knows(&request.target)
        {
            let asked = asked(request);
            self.view.state = ConnectState::Asking(asked);
            return None;
        }
        self.connect()
    }

    /// Whether an event is for this window.
    pub fn is(&self, id: winit::window::WindowId) -> bool {
        self.window.is(id)
    }

    /// An event of the window.
    pub fn event(&mut self, event: &WindowEvent) -> Option<Decision> {
        self.window.event(event);
        match event {
            WindowEvent::CloseRequested => Some(Decision::Quit),
            WindowEvent::Focused(is_focused) => {
                if *is_focused {
                    self.watch.ask_again();
                }
                self.servers.watched(*is_focused);
                None
            }
            WindowEvent::Resized(size) => {
                self.size = Some(size.to_logical(self.window.scale_factor()));
                None
            }
            WindowEvent::ThemeChanged(theme) => {
                theme::set_dark(self.window.context(), *theme == winit::window::Theme::Dark);
                None
            }
            _ => None,
        }
    }

    /// Connecting has come this far.
    pub fn stage(&mut self, stage: &ConnectStage) {
        self.add_stage(stages::stage(stage));
    }

    /// The session says something before its first window.
    pub fn session_event(&mut self, event: &SessionEvent) {
        if stages::begins_anew(event)
            && let ConnectState::Connecting(attempt) = &mut self.view.state
        {
            attempt.stages.clear();
        }
        if let Some(stage) = stages::of_session(event) {
            // Whatever it was, it goes on without an answer.
            self.view.question = None;
            self.add_stage(stage);
        }
    }

    /// The server, or ssh, wants to know this before connecting goes on.
    pub fn ask(&mut self, question: PasswordPrompt) {
        tracing::debug!("a password is asked for");
        self.view.question = Some(question);
        self.window.due_at(clock::now());
    }

    /// The attempt is over, with what there is to say about that.
    pub fn session_over(&mut self, message: Option<Message>) {
        self.began = None;
        self.view.question = None;
        self.view.state = message.map_or(ConnectState::Ready, ConnectState::Failed);
        self.window.due_at(clock::now());
    }

    /// These sessions run on this machine now.
    pub fn locals(&mut self, found: Vec<ListedSession>) {
        self.locals = found;
        self.list();
    }

    /// A saved server was asked, and this came of it.
    pub fn answered(&mut self, name: &str, answer: Answer) {
        if !self.servers.answered(name, answer) {
            return;
        }
        let which = Destination::Kept(ConnectionKey::Saved(name.to_owned()));
        let Some(id) = self.id_of(&which) else { return };
        if let Some(entry) = self.view.entries.iter_mut().find(|entry| entry.id == id) {
            entry.reach = self.servers.reach(name, &entry.address);
            self.window.due_at(clock::now());
        }
    }

    /// The saved or recent connections are others, by the doing of another window.
    pub fn connections_changed(&mut self) {
        self.list();
    }

    /// Paints the window if it is time, and does what the user decided.
    pub fn update(&mut self) -> Option<Decision> {
        let now = clock::now();
        if self.servers_due().is_some_and(|due| due <= now) {
            self.servers.ask(self.saved_servers());
        }
        if let (Some(began), ConnectState::Connecting(attempt)) = (self.began, &mut self.view.state) {
            attempt.elapsed = now.saturating_duration_since(began);
        }
        if !self.window.is_due() {
            return None;
        }
        let Self { window, view, .. } = self;
        let mut action = None;
        window.paint(|ui| {
            let decided = connect_ui(view, ui);
            action = action.take().or(decided);
        });
        let action = action?;
        // What the action changes is seen in the next frame.
        self.window.due_at(now);
        self.act(action)
    }

    /// When [`Self::update`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        [self.window.deadline(), self.servers_due()].into_iter().flatten().min()
    }

    /// When the saved servers are asked. Nobody is while a link waits for the user's word, or a session begins.
    fn servers_due(&self) -> Option<Instant> {
        let is_quiet = matches!(self.view.state, ConnectState::Ready | ConnectState::Failed(_));
        self.servers.due().filter(|_| is_quiet && self.has_saved())
    }

    fn act(&mut self, action: ConnectAction) -> Option<Decision> {
        match action {
            ConnectAction::Select(id) => {
                self.select(id);
            }
            ConnectAction::Open(id) if self.destination(id) == Some(&Destination::LookAround) => {
                self.look_around();
            }
            // What cannot be chosen leads nowhere: least of all to what was chosen before.
            ConnectAction::Open(id) if !self.select(id) => {}
            ConnectAction::Open(_) => return self.connect(),
            ConnectAction::AddressEdited => self.address_edited(),
            ConnectAction::FormEdited => self.form_edited(),
            ConnectAction::Connect => return self.connect(),
            ConnectAction::Save => self.save(),
            ConnectAction::Delete(id) => self.forget(id),
            ConnectAction::Rename(id, name) => self.rename(id, &name),
            ConnectAction::Duplicate(id) => self.duplicate(id),
            ConnectAction::Cancel => return Some(Decision::Cancel),
            ConnectAction::Answer(reply) => {
                self.view.question = None;
                return Some(Decision::Answer(reply));
            }
            ConnectAction::ConnectWithout => {
                if let Some((request, _)) = &mut self.base {
                    request.questions.clear();
                }
                return self.connect();
            }
            ConnectAction::Consent(true) => {
                if let Some((request, _)) = &mut self.base {
                    let names: Vec<String> =
                        request.questions.iter().map(|asked| asked.name.clone()).collect();
                    names.iter().for_each(|name| request.consent(name));
                }
                return self.connect();
            }
            ConnectAction::Consent(false) => {
                // Without what was asked for there is still an address to look at.
                if let Some((request, _)) = &mut self.base {
                    request.questions.clear();
                }
                self.view.state = ConnectState::Ready;
            }
            ConnectAction::Quit => return Some(Decision::Quit),
        }
        None
    }

    // ---- the form ------------------------------------------------------------------------------

    fn fill(&mut self, request: Request, which: Option<ConnectionKey>) {
        let form = &mut self.view.form;
        form::show_target(form, &request.target);
        form::show_options(form, &request.options);
        form.name = match &which {
            Some(ConnectionKey::Saved(name)) => name.clone(),
            _ => form::suggested_name(&request.target),
        };
        self.view.replace_address(address(&request.target));
        self.view.address_error = None;
        self.view.state = ConnectState::Ready;
        self.view.selected = None;
        self.base = Some((request, which));
    }

    fn address_edited(&mut self) {
        self.view.selected = None;
        self.view.state = ConnectState::Ready;
        if let Some((request, _)) = &self.base {
            form::forget_password_file(&mut self.view.form, request);
        }
        let text = Zeroizing::new(self.view.form.address.trim().to_owned());
        self.view.address_error = None;
        if text.is_empty() {
            self.view.form = ConnectForm::default();
            self.base = None;
            return;
        }
        match Request::address(&text) {
            Ok(request) => {
                form::show_target(&mut self.view.form, &request.target);
                self.view.form.name = form::suggested_name(&request.target);
            }
            Err(error) => self.view.address_error = Some(error.to_string()),
        }
    }

    fn form_edited(&mut self) {
        self.view.state = ConnectState::Ready;
        self.view.address_error = None;
        match form::target(&self.view.form) {
            Some(Ok(target)) => {
                let edited = address(&target);
                // The options of what is edited go along, but no password goes to another server.
                if let Some((request, _)) = &mut self.base
                    && address(&request.target) == *self.view.form.address
                {
                    form::lead_to(target, &mut self.view.form, request);
                }
                self.view.form.address = edited.into();
            }
            Some(Err(error)) => self.view.address_error = Some(error.to_string()),
            None => self.view.form.address.clear(),
        }
    }

    fn save(&mut self) {
        if let Err(words) = self.try_save() {
            self.fail("It could not be saved", &words);
        }
        self.list();
    }

    fn try_save(&mut self) -> Result<(), String> {
        let store = self.launcher.store.as_ref().ok_or("the system does not say where your data belongs")?;
        let name = self.view.form.name.trim().to_owned();
        let base = self.base.as_ref().map(|(request, _)| request);
        let request = form::request(&self.view.form, base)?;
        // Saving what was loaded replaces it; anything else must have a name of its own.
        let loaded = matches!(&self.base, Some((_, Some(ConnectionKey::Saved(saved)))) if *saved == name);
        let file = if loaded {
            let mut file = store.load(&name).map_err(|error| error.to_string())?;
            file.update(&request.target, &request.options).map_err(|error| error.to_string())?;
            file
        } else {
            SessionFile::new(&request.target, &request.options)
        };
        store.save(&name, &file, loaded).map_err(|error| error.to_string())?;
        self.servers.forget(&name);
        self.base = Some((request, Some(ConnectionKey::Saved(name))));
        Ok(())
    }

    // ---- connecting ----------------------------------------------------------------------------

    fn connect(&mut self) -> Option<Decision> {
        match self.try_connect() {
            Ok(decision) => decision,
            Err(words) => {
                self.fail("It cannot be connected to", &words);
                None
            }
        }
    }

    fn try_connect(&mut self) -> Result<Option<Decision>, String> {
        if self.view.selected.and_then(|id| self.destination(id)) == Some(&Destination::Demo) {
            return self.demo().map(Some);
        }
        let base = self.base.as_ref().map(|(request, _)| request);
        let request = form::request(&self.view.form, base)?;
        if !request.questions.is_empty() {
            self.view.state = ConnectState::Asking(asked(&request));
            // A link that was typed is from now on what the form was filled from: it is asked about once.
            self.view.replace_address(address(&request.target));
            self.base = Some((request, None));
            return Ok(None);
        }
        if request.password.is_some() && base.is_none_or(|base| base.target != request.target) {
            // It was understood: no need to show the password any longer.
            self.view.replace_address(address(&request.target));
            self.base = Some((request.clone(), None));
        }
        let kept = self.base.as_ref().filter(|(base, _)| base.target == request.target);
        let which = kept
            .and_then(|(_, which)| which.clone())
            .unwrap_or_else(|| ConnectionKey::address(&request.target));
        // A new session is found by its display from then on.
        let is_new = form::wanted(&self.view.form) != Wanted::Running;
        self.attach(&request, Some(which).filter(|_| !is_new), None).map(Some)
    }

    fn demo(&mut self) -> Result<Decision, String> {
        let keys = self.launcher.settings.options().map_err(|error| error.to_string())?.keys();
        let server = demo::Server::with_captions(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), keys)
            .map_err(|error| format!("the demo session cannot be started: {error}"))?;
        let request = Request::address(&format!("tcp://{}/", server.address()));
        self.attach(&request.map_err(|error| error.to_string())?, None, Some(server))
    }

    fn attach(
        &mut self,
        request: &Request,
        which: Option<ConnectionKey>,
        demo: Option<demo::Server>,
    ) -> Result<Decision, String> {
        // What is chosen here counts more than what was said when the program was started.
        let mut settings = self.launcher.settings.clone();
        settings.given = request.options.clone().over(&settings.given);
        let mut config = settings.config(request).map_err(|error| error.to_string())?;
        if demo.is_none() {
            config.connection.wanted = form::wanted(&self.view.form);
        }
        config.reconnect &= demo.is_none();
        let to = if demo.is_some() { "The demo session".to_owned() } else { request.target.to_string() };
        self.view.begin(Attempt { to, ..Attempt::default() });
        self.began = Some(clock::now());
        let is_foreign = request.sender.is_foreign();
        let options = request.options.clone();
        Ok(Decision::Attach(Box::new(Chosen { config, which, is_foreign, options, demo })))
    }

    fn add_stage(&mut self, stage: Stage) {
        if let ConnectState::Connecting(attempt) = &mut self.view.state {
            // A 3.1 server is said hello to twice.
            if attempt.stages.last() != Some(&stage) {
                attempt.stages.push(stage);
                self.began = Some(clock::now());
            }
            self.window.due_at(clock::now());
        }
    }

    fn fail(&mut self, title: &str, words: &str) {
        let message = Message { title: title.to_owned(), words: words.to_owned(), ..Message::default() };
        self.view.state = ConnectState::Failed(message);
    }
}

/// The next window has this one's size.
impl Drop for Connect {
    fn drop(&mut self) {
        if let (Some(store), Some(size)) = (&self.launcher.store, self.size)
            && let Err(error) = store.keep_window_size((size.width, size.height))
        {
            tracing::debug!(%error, "the window's size cannot be kept");
        }
    }
}
