//! Saved servers, asked quietly whether they can be reached and what they have, while somebody looks at the list.
//!
//! Asking throws nobody out: a connection for information alone, as `farpane info` makes one, closed when it was answered.
//! It proves no password, and asks the user nothing. Servers write down who connects, so that each is asked once at a time,
//! and not often.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::list::Destination;
use super::{Connect, locals};
use crate::app::inbox::{Inbox, InboxEvent};
use crate::channel::{ConnectStage, clock};
use crate::config::connections::{ConnectionKey, address};
use crate::config::{Layer, Request, Settings};
use crate::headless::{HeadlessClient, HeadlessError, View};
use crate::net::{Endpoint, NetConfig, ProtocolPolicy};
use crate::protocol::{Dialect, text};
use crate::render::RenderOptions;
use crate::session::{CloseReason, Profile};
use crate::ui::Reach;

/// How long one may take to be reached, and to answer.
const CONNECT_LIMIT: Duration = Duration::from_secs(4);
const LIMIT: Duration = Duration::from_secs(6);
/// Servers that are asked at the same time.
const AT_ONCE: usize = 3;
/// More are not asked.
const MOST: usize = 32;
/// From one round of questions to the next.
const PAUSE: Duration = Duration::from_secs(30);
/// A window that gets the focus again and again asks no more often.
const LEAST_PAUSE: Duration = Duration::from_secs(5);
/// Between two connections to one server: 3.1.3 may take the second for the first, while it closes that.
const BETWEEN: Duration = Duration::from_millis(200);
/// Where servers tell their version.
const VERSIONS: [&str; 4] = ["server.build.version", "build.version", "server.version", "version"];
/// Characters of a session's name.
const MAX_NAME: usize = 60;

/// What came of asking a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Where it was asked.
    address: String,
    reach: Reach,
    /// The session's name; empty: it has none, or says none.
    name: String,
    /// How it is spoken to, if not as all others: that is found out by saying hello twice.
    protocol: Option<Dialect>,
}

impl Answer {
    /// What it comes to.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }
}

/// A server that is to be asked.
struct Wish {
    /// What the connection is called.
    saved: String,
    address: String,
    net: NetConfig,
    /// What is known of it.
    before: Option<Answer>,
}

/// What the saved servers said last, and when they are asked again.
pub struct Servers {
    inbox: Arc<Inbox>,
    /// The user wants that they are asked.
    is_wanted: bool,
    /// The window has the focus.
    is_watched: bool,
    /// When they were asked last, if they were.
    asked: Option<Instant>,
    /// When they may be asked first.
    begins: Instant,
    /// Not long after that.
    is_urgent: bool,
    answers: BTreeMap<String, Answer>,
}

impl Servers {
    /// Nobody was asked yet.
    pub fn new(is_wanted: bool, inbox: &Arc<Inbox>) -> Self {
        Self {
            inbox: Arc::clone(inbox),
            is_wanted,
            is_watched: false,
            asked: None,
            begins: clock::now(),
            is_urgent: false,
            answers: BTreeMap::new(),
        }
    }

    /// Somebody looks at the list, or does no longer.
    pub fn watched(&mut self, is_watched: bool) {
        self.is_watched = is_watched;
        self.is_urgent |= is_watched;
    }

    /// When the next round is due.
    pub fn due(&self) -> Option<Instant> {
        let pause = if self.is_urgent { LEAST_PAUSE } else { PAUSE };
        let due = self.asked.map_or(self.begins, |asked| asked + pause);
        (self.is_wanted && self.is_watched).then_some(due)
    }

    /// Asks these: each answer comes as [`InboxEvent::SavedServer`].
    pub fn ask(&mut self, wishes: Vec<(String, String, NetConfig)>) {
        (self.asked, self.is_urgent) = (Some(clock::now()), false);
        let with_before = |(saved, address, net): (String, String, NetConfig)| {
            let before = self.answers.get(&saved).filter(|answer| answer.address == address).cloned();
            Wish { saved, address, net, before }
        };
        let wishes: VecDeque<Wish> = wishes.into_iter().take(MOST).map(with_before).collect();
        if wishes.is_empty() {
            return;
        }
        let askers = wishes.len().min(AT_ONCE);
        let wishes = Arc::new(Mutex::new(wishes));
        for _ in 0..askers {
            let (wishes, inbox) = (Arc::clone(&wishes), Arc::clone(&self.inbox));
            let run = move || {
                while let Some(wish) = next(&wishes) {
                    let answer = ask(&wish);
                    inbox.push(InboxEvent::SavedServer { name: wish.saved, answer });
                }
            };
            if let Err(error) = std::thread::Builder::new().name("farpane-saved".to_owned()).spawn(run) {
                tracing::warn!(%error, "saved servers cannot be asked");
                return;
            }
        }
    }

    /// Keeps what a server said. Returns whether that is anything new.
    pub fn answered(&mut self, saved: &str, answer: Answer) -> bool {
        let before = self.answers.insert(saved.to_owned(), answer.clone());
        before.as_ref() != Some(&answer)
    }

    /// What is known of a saved connection of this name and address.
    pub fn reach(&self, saved: &str, address: &str) -> Reach {
        let known = self.answers.get(saved).filter(|answer| answer.address == address);
        known.map(|answer| answer.reach.clone()).unwrap_or_default()
    }

    /// The connection of this name is another one now: it is asked soon.
    pub fn forget(&mut self, saved: &str) {
        self.answers.remove(saved);
        self.is_urgent = true;
    }
}

fn next(wishes: &Mutex<VecDeque<Wish>>) -> Option<Wish> {
    wishes.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

impl Connect {
    /// Whether there is anybody to ask.
    pub(super) fn has_saved(&self) -> bool {
        let is_saved = |place: &Destination| matches!(place, Destination::Kept(ConnectionKey::Saved(_)));
        self.destinations.iter().any(is_saved)
    }

    /// The saved connections whose servers can be asked without disturbing anybody: ssh would start a program there, and
    /// perhaps want a password.
    pub(super) fn saved_servers(&self) -> Vec<(String, String, NetConfig)> {
        let saved = self.destinations.iter().filter_map(|destination| match destination {
            Destination::Kept(ConnectionKey::Saved(name)) => Some(name.clone()),
            _ => None,
        });
        let with_way = |name: String| {
            let request = self.load(&name).ok()?;
            let address = address(&request.target);
            Some((name, address, way(&self.launcher.settings, request)?))
        };
        saved.filter_map(with_way).collect()
    }
}

/// Asks the server of a saved connection, as [`Servers`] do; `before` is what it said the last time. `None`: it is not
/// asked. Blocks, some seconds at most.
pub fn look(settings: &Settings, request: Request, before: Option<Answer>) -> Option<Answer> {
    let address = address(&request.target);
    let net = way(settings, request)?;
    Some(ask(&Wish { saved: String::new(), address, net, before }))
}

/// How to ask there; `None`: not at all.
fn way(settings: &Settings, mut request: Request) -> Option<NetConfig> {
    if !matches!(
        request.target.endpoint,
        Endpoint::Tcp(_)
            | Endpoint::Tls(_)
            | Endpoint::WebSocket { .. }
            | Endpoint::Unix(_)
            | Endpoint::Abstract(_)
            | Endpoint::Display(_)
    ) {
        return None;
    }
    // Nobody chose this server yet: it gets no proof of any password, and no file is written for it.
    request.password = None;
    let mut settings = settings.clone();
    settings.variable = None;
    settings.given = request.options.clone().over(&settings.given);
    request.options = Layer::default();
    for layer in [&mut settings.given, &mut settings.files] {
        ["password-file", "record", "stats-json"].iter().for_each(|name| layer.unset(name));
    }
    let config = settings.config(&request).ok()?;
    let mut net = config.net(Profile::Info);
    net.session.password = None;
    net.connect_timeout = net.connect_timeout.min(CONNECT_LIMIT);
    // A key is as good as a password.
    net.session.encryption.is_none().then_some(net)
}

/// Asks one server.
fn ask(wish: &Wish) -> Answer {
    let before = wish.before.as_ref();
    let mut net = wish.net.clone();
    if let (Some(dialect), ProtocolPolicy::Auto) = (before.and_then(|before| before.protocol), net.protocol) {
        net.protocol = ProtocolPolicy::Only(dialect);
    }
    let asked = question(&net);
    let protocol = asked.value(&VERSIONS).filter(|version| version.starts_with("3."));
    let protocol = protocol.map(|_| Dialect::Legacy31);
    let mut name = asked.name();
    // 6.5.5 says it apart from the rest: it is asked for once.
    if name.is_empty() && asked.is_answered() {
        name = match before.filter(|before| matches!(before.reach, Reach::Yes(_))) {
            Some(before) => before.name.clone(),
            None => {
                std::thread::sleep(BETWEEN);
                net.session.profile = Profile::Identify;
                if let (Some(dialect), ProtocolPolicy::Auto) = (protocol, net.protocol) {
                    net.protocol = ProtocolPolicy::Only(dialect);
                }
                question(&net).name()
            }
        };
    }
    let reach = asked.reach(&name, asked.ping().filter(|_| net.proxy.is_none()));
    Answer { address: wish.address.clone(), reach, name, protocol }
}

/// One question, and what came of it.
struct Asked {
    view: View,
    /// Why it was not answered.
    failure: Option<String>,
    reason: CloseReason,
}

fn question(net: &NetConfig) -> Asked {
    let mut client = match HeadlessClient::start(net.clone(), RenderOptions::default()) {
        Ok(client) => client,
        Err(error) => {
            let reason = CloseReason::ConnectFailed(error.to_string());
            return Asked { view: View::default(), failure: Some(error.to_string()), reason };
        }
    };
    let waited = client.wait_for("an answer", LIMIT, |view| view.info.is_some());
    let reason = client.close();
    let failure = match waited {
        Ok(()) => None,
        Err(HeadlessError::TimedOut { .. }) => Some("it does not answer".to_owned()),
        Err(_) => Some(reason.to_string()),
    };
    Asked { view: client.into_view(), failure, reason }
}

impl Asked {
    fn is_answered(&self) -> bool {
        self.failure.is_none()
    }

    fn value(&self, names: &[&str]) -> Option<&str> {
        locals::value(self.view.info.as_deref().unwrap_or_default(), names)
    }

    fn name(&self) -> String {
        text::shown(self.value(&locals::SESSION_NAMES).unwrap_or_default(), MAX_NAME)
    }

    /// How long the server took to take the connection: there and back once. `None` where several addresses were tried.
    fn ping(&self) -> Option<Duration> {
        let stages = &self.view.stages;
        let is_reaching = |stage: &ConnectStage| matches!(stage, ConnectStage::Reaching { .. });
        let is_socket =
            |stage: &ConnectStage| matches!(stage, ConnectStage::Reaching { at } if at.contains('/'));
        let began = stages.iter().position(|(stage, _)| is_reaching(stage))?;
        let ((_, began), (next, reached)) = (stages.get(began)?, stages.get(began + 1)?);
        (!is_reaching(next) && !is_socket(&stages.first()?.0))
            .then(|| reached.saturating_duration_since(*began))
    }

    /// Somebody took the connection, whatever came of it.
    fn is_reached(&self) -> bool {
        let is_later = |stage: &ConnectStage| {
            matches!(stage, ConnectStage::Hello | ConnectStage::Securing | ConnectStage::Upgrading)
        };
        self.view.stages.iter().any(|(stage, _)| is_later(stage))
    }

    fn reach(&self, name: &str, ping: Option<Duration>) -> Reach {
        let answers = match (&self.failure, &self.reason) {
            (None, _) => locals::windows(self.view.info.as_deref().unwrap_or_default()).map(locals::counted),
            (Some(_), CloseReason::Authentication(_) | CloseReason::PasswordRefused { .. }) => {
                Some("asks for a password".to_owned())
            }
            (Some(_), CloseReason::SeveralSessions(displays)) => Some(format!("{} sessions", displays.len())),
            (Some(why), _) if self.is_reached() => return Reach::Odd(why.clone()),
            (Some(why), _) => return Reach::No(why.clone()),
        };
        let name = Some(name).filter(|name| !name.is_empty()).map(|name| format!("“{name}”"));
        let ping = ping.map(|ping| format!("{} ms", ping.as_millis().max(1)));
        let words: Vec<String> = [name, answers, ping].into_iter().flatten().collect();
        Reach::Yes(if words.is_empty() { "can be reached".to_owned() } else { words.join(", ") })
    }
}
