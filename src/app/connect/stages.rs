//! Connecting in words.

use crate::channel::ConnectStage;
use crate::session::{Away, CloseReason, ConnectionEvent, SessionEvent};
use crate::ui::{Message, Stage};

/// What a stage is called while it is under way.
pub fn stage(stage: &ConnectStage) -> Stage {
    let words = match stage {
        ConnectStage::Resolving { host } => format!("Looking for {host}"),
        ConnectStage::Reaching { at } => format!("Connecting to {at}"),
        ConnectStage::Proxying { proxy, to } => format!("Asking the proxy {proxy} for {to}"),
        ConnectStage::Securing => "Agreeing on encryption (TLS) and checking the certificate".to_owned(),
        ConnectStage::Upgrading => "Asking the web server for Xpra (WebSocket)".to_owned(),
        ConnectStage::Starting => "Starting a session on this machine".to_owned(),
        ConnectStage::LoggingIn { host, starts: false } => format!("Logging in to {host} (ssh)"),
        ConnectStage::LoggingIn { host, starts: true } => format!("Starting a session on {host} (ssh)"),
        ConnectStage::SshSays { line } => format!("ssh: {line}"),
        ConnectStage::Hello => "Saying hello".to_owned(),
    };
    Stage { words }
}

/// What the session does next, if its event says so.
pub fn of_session(event: &SessionEvent) -> Option<Stage> {
    let SessionEvent::Connection(event) = event else { return None };
    let words = match event {
        ConnectionEvent::PasswordNeeded { .. } => "Waiting for the password",
        ConnectionEvent::SshAsks { .. } => "Waiting for an answer to ssh",
        ConnectionEvent::SeveralSessions { .. } => "Waiting for your choice of a session",
        ConnectionEvent::CertificateAsks(_) => "Waiting for your word on the certificate",
        ConnectionEvent::LoggingIn => "Logging in",
        ConnectionEvent::Connected(_) => "Waiting for the first window",
        ConnectionEvent::Away(Away { until: Some(_), .. }) => "Connection lost, trying again",
        _ => return None,
    };
    Some(Stage { words: words.to_owned() })
}

/// Why there is no session, and what can be done about it. `None` if the user wanted it so.
pub fn failure(reason: &CloseReason, was_shown: bool) -> Option<Message> {
    let (title, advice) = match reason {
        CloseReason::User => return None,
        CloseReason::Server(_) if was_shown => ("The session has ended", ""),
        CloseReason::Server(_) | CloseReason::SeveralSessions(_) => ("The server did not let us in", ""),
        CloseReason::ConnectionLost(_) => (
            "The connection was lost",
            "Check the network and that the server still runs, then connect again.",
        ),
        CloseReason::ConnectFailed(_) => ("Could not connect", ""),
        CloseReason::CertificateChanged(_) => ("The server's certificate has changed", ""),
        CloseReason::Protocol(_) => (
            "This is no Xpra server",
            "Check the port and the protocol: ssl and wss ports answer only those.",
        ),
        CloseReason::Authentication(_) => ("The login was refused", "Check the user name and the password."),
        CloseReason::Timeout(_) => {
            ("The server does not answer", "Check the address, and firewalls on the way.")
        }
    };
    let alarm = matches!(reason, CloseReason::CertificateChanged(_));
    Some(Message { title: title.to_owned(), words: reason.to_string(), advice: advice.to_owned(), alarm })
}
