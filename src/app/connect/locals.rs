//! Sessions that run on this machine, and what they call themselves.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use crate::app::inbox::{Inbox, InboxEvent};
use crate::config::connections::Store;
use crate::config::{Request, Settings};
use crate::headless::HeadlessClient;
use crate::net::local::{self, LocalSession};
use crate::render::RenderOptions;
use crate::session::{CloseReason, Profile};

/// A server that takes longer is shown without its name.
const LIMIT: Duration = Duration::from_secs(5);
/// Servers are asked one after the other: more are shown without their names.
const MAX_ASKED: usize = 16;

/// How long after a look the next one comes.
const PAUSE: Duration = Duration::from_secs(2);

/// Where servers tell a session's name: in their information, and where they are asked for nothing else.
pub(super) const SESSION_NAMES: [&str; 4] =
    ["session.name", "server.session.name", "session_name", "session-name"];

/// A session that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedSession {
    pub display: String,
    /// Empty: it has none.
    pub name: String,
    /// How many windows it has, if it said so.
    pub windows: Option<u32>,
}

impl ListedSession {
    /// Its address on this machine.
    pub fn address(&self) -> String {
        format!(":{}", self.display)
    }
}

/// Those of this machine that answer, asked one after the other.
pub fn sessions() -> Vec<ListedSession> {
    local::sessions().iter().take(MAX_ASKED).filter_map(ask).collect()
}

/// Looks for sessions on a thread of its own, as long as it lives.
pub struct Watch {
    /// Dropped: it ends. A message: all sessions are asked again.
    wishes: SyncSender<()>,
}

impl Watch {
    /// Begins to look; `inbox` is told of the sessions whenever they are others, and when somebody changed what is kept in
    /// `store`.
    pub fn begin(inbox: &Arc<Inbox>, store: Option<Store>) -> Self {
        let (wishes, wished) = sync_channel(1);
        let inbox = Arc::clone(inbox);
        let run = move || watch(&wished, &inbox, store.as_ref());
        if let Err(error) = std::thread::Builder::new().name("farpane-local".to_owned()).spawn(run) {
            tracing::warn!(%error, "local sessions cannot be looked for");
        }
        Self { wishes }
    }

    /// What they call themselves, and how many windows they have, is asked again.
    pub fn ask_again(&self) {
        // If it is asked already, once is enough.
        let _ = self.wishes.try_send(());
    }
}

/// Asks each session once when it appears, since servers write down who asks, and all of them when that is wished.
fn watch(wished: &Receiver<()>, inbox: &Inbox, store: Option<&Store>) {
    let mut known: Vec<(LocalSession, ListedSession)> = Vec::new();
    let mut again = false;
    let mut kept = store.map(Store::changed);
    loop {
        let now = store.map(Store::changed);
        if std::mem::replace(&mut kept, now) != now {
            inbox.push(InboxEvent::ConnectionsChanged);
        }
        let mut sessions = local::listening(local::sessions());
        sessions.truncate(MAX_ASKED);
        let before = known.len();
        known.retain(|(session, _)| sessions.contains(session));
        if known.len() < before {
            tell(&known, inbox);
        }
        for session in sessions {
            let is_known = known.iter().any(|(known, _)| *known == session);
            if is_known && !again {
                continue;
            }
            let before = known.clone();
            let found = ask(&session);
            known.retain(|(known, _)| *known != session);
            known.extend(found.map(|found| (session, found)));
            known.sort_by(|(one, _), (other, _)| one.display.cmp(&other.display));
            if known != before {
                tell(&known, inbox);
            }
        }
        again = match wished.recv_timeout(PAUSE) {
            Ok(()) => true,
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => return,
        };
    }
}

fn tell(known: &[(LocalSession, ListedSession)], inbox: &Inbox) {
    inbox.push(InboxEvent::LocalSessions(known.iter().map(|(_, found)| found.clone()).collect()));
}

/// Asks a server what it is. `None` if nobody answers at the socket: it was left behind.
fn ask(session: &LocalSession) -> Option<ListedSession> {
    let found = |name: &str, windows| {
        Some(ListedSession { display: session.display.clone(), name: name.to_owned(), windows })
    };
    let information = match answer(session, Profile::Info) {
        Ok(lines) => lines,
        Err(CloseReason::ConnectFailed(_)) => return None,
        Err(_) => return found("", None),
    };
    let windows = windows(&information);
    if let Some(name) = value(&information, &SESSION_NAMES) {
        return found(name, windows);
    }
    let identity = answer(session, Profile::Identify).unwrap_or_default();
    found(value(&identity, &SESSION_NAMES).unwrap_or_default(), windows)
}

/// What a server answers when it is asked like this.
fn answer(session: &LocalSession, profile: Profile) -> Result<Vec<(String, String)>, CloseReason> {
    let failed = |error: String| CloseReason::ConnectFailed(error);
    let request = Request::address(&format!(":{}", session.display)).map_err(|e| failed(e.to_string()))?;
    let config = Settings::default().config(&request).map_err(|error| failed(error.to_string()))?;
    let mut net = config.net(profile);
    // Nobody chose this server yet: it gets no proof of any password, and is listed without a name.
    net.session.password = None;
    let mut client =
        HeadlessClient::start(net, RenderOptions::default()).map_err(|error| failed(error.to_string()))?;
    let answered = client.wait_for("the session's name", LIMIT, |view| view.info.is_some()).is_ok();
    let lines = client.view().info.clone().unwrap_or_default();
    let reason = client.close();
    if answered { Ok(lines) } else { Err(reason) }
}

/// The number of windows that a server's information tells.
pub(super) fn windows(information: &[(String, String)]) -> Option<u32> {
    value(information, &["state.windows", "windows.count", "windows.total"])?.parse().ok()
}

/// So many windows, in words.
pub(super) fn counted(windows: u32) -> String {
    if windows == 1 { "1 window".to_owned() } else { format!("{windows} windows") }
}

/// The first of these values that says something.
pub(super) fn value<'a>(lines: &'a [(String, String)], names: &[&str]) -> Option<&'a str> {
    let of_name = |name: &&str| lines.iter().find(|(key, value)| key == name && !value.is_empty());
    names.iter().find_map(of_name).map(|(_, value)| value.as_str())
}
