//! Sessions that run on this machine, and what they call themselves.

use std::sync::Arc;
use std::time::Duration;

use crate::app::inbox::{Inbox, InboxEvent};
use crate::config::{Request, Settings};
use crate::headless::HeadlessClient;
use crate::net::local::{self, LocalSession};
use crate::render::RenderOptions;
use crate::session::{CloseReason, Profile};

/// A server that takes longer is shown without its name.
const LIMIT: Duration = Duration::from_secs(5);
/// Servers are asked one after the other: more are shown without their names.
const MAX_ASKED: usize = 16;

/// A session that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedSession {
    pub display: String,
    /// Empty: it has none.
    pub name: String,
    /// How many windows it has, if it said so.
    pub windows: Option<u32>,
}

/// Those of this machine that answer, asked one after the other.
pub fn sessions() -> Vec<ListedSession> {
    local::sessions().iter().take(MAX_ASKED).filter_map(ask).collect()
}

/// Looks for sessions on a thread of its own; `inbox` is told of each that answers.
pub fn look(inbox: &Arc<Inbox>) {
    let inbox = Arc::clone(inbox);
    let run = move || {
        for session in local::sessions().into_iter().take(MAX_ASKED) {
            if let Some(found) = ask(&session) {
                inbox.push(InboxEvent::LocalSession(found));
            }
        }
    };
    if let Err(error) = std::thread::Builder::new().name("farpane-local".to_owned()).spawn(run) {
        tracing::warn!(%error, "local sessions cannot be looked for");
    }
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
    let windows = value(&information, &["state.windows", "windows.count", "windows.total"]);
    let windows = windows.and_then(|count| count.parse().ok());
    if let Some(name) = value(&information, &["session.name", "server.session.name", "session_name"]) {
        return found(name, windows);
    }
    let identity = answer(session, Profile::Identify).unwrap_or_default();
    found(value(&identity, &["session-name"]).unwrap_or_default(), windows)
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

/// The first of these values that says something.
fn value<'a>(lines: &'a [(String, String)], names: &[&str]) -> Option<&'a str> {
    let of_name = |name: &&str| lines.iter().find(|(key, value)| key == name && !value.is_empty());
    names.iter().find_map(of_name).map(|(_, value)| value.as_str())
}
