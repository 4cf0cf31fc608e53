//! Sessions that run on this machine, and what they call themselves.

use std::sync::Arc;
use std::time::Duration;

use crate::app::inbox::{Inbox, InboxEvent};
use crate::config::{Request, Settings};
use crate::headless::HeadlessClient;
use crate::net::local::{self, LocalSession};
use crate::render::RenderOptions;
use crate::session::Profile;

/// A server that takes longer is shown without its name.
const LIMIT: Duration = Duration::from_secs(5);
/// Servers are asked one after the other: more are shown without their names.
const MAX_ASKED: usize = 16;

/// A session that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub display: String,
    /// Empty: it has none.
    pub name: String,
    /// How many windows it has, if it said so.
    pub windows: Option<u32>,
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
fn ask(session: &LocalSession) -> Option<Found> {
    let found =
        |name: &str, windows| Found { display: session.display.clone(), name: name.to_owned(), windows };
    let request = Request::address(&format!(":{}", session.display)).ok()?;
    let mut net = Settings::default().config(&request).ok()?.net(Profile::Info);
    // Nobody chose this server yet: it gets no proof of any password, and is listed without a name.
    net.session.password = None;
    let mut client = HeadlessClient::start(net, RenderOptions::default()).ok()?;
    let answer = client.wait_for("the session's name", LIMIT, |view| view.info.is_some());
    let lines = client.view().info.clone().unwrap_or_default();
    let reason = client.close();
    match answer {
        Err(_) if matches!(reason, crate::session::CloseReason::ConnectFailed(_)) => None,
        Err(_) => Some(found("", None)),
        Ok(()) => {
            let value = |names: &[&str]| {
                let of_name =
                    |name: &&str| lines.iter().find(|(key, value)| key == name && !value.is_empty());
                names.iter().find_map(of_name).map(|(_, value)| value.as_str())
            };
            let name = value(&["session.name", "server.session.name", "session_name"]).unwrap_or_default();
            let windows = value(&["state.windows", "windows.count", "windows.total"]);
            Some(found(name, windows.and_then(|count| count.parse().ok())))
        }
    }
}
