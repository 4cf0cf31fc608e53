//! Connecting in words.

use crate::channel::ConnectStage;
use crate::session::{Away, CloseReason, ConnectionEvent, SessionEvent};
use crate::ui::{Message, Stage};

/// What a stage is called while it is under way, and what is said when it stands still.
pub fn stage(stage: &ConnectStage) -> Stage {
    let (words, patience) = match stage {
        ConnectStage::Resolving { host } => (
            format!("Looking for {host}"),
            "The name is still being looked up. Is it right, and is this machine on the network?",
        ),
        ConnectStage::Reaching { at } => (
            format!("Connecting to {at}"),
            "Nothing answers there yet. A machine that is off, and many a firewall, says nothing at all: Farpane gives \
             up by itself after some time (--connect-timeout).",
        ),
        ConnectStage::Proxying { proxy, to } => (
            format!("Asking the proxy {proxy} for {to}"),
            "The proxy answers when it has reached the server: one of them does not answer yet.",
        ),
        ConnectStage::Securing => (
            "Agreeing on encryption (TLS) and checking the certificate".to_owned(),
            "The server was reached, but says nothing of encryption yet. A port without it often stays silent: is it tcp \
             or ws?",
        ),
        ConnectStage::Upgrading => (
            "Asking the web server for Xpra (WebSocket)".to_owned(),
            "The web server was reached, but does not answer yet. A port without WebSocket often stays silent: is it tcp?",
        ),
        ConnectStage::Starting => (
            "Starting a session on this machine".to_owned(),
            "That takes some seconds, and more the first time.",
        ),
        ConnectStage::LoggingIn { host, starts: false } => (
            format!("Logging in to {host} (ssh)"),
            "ssh is still on its way: to the machine, or through others before it.",
        ),
        ConnectStage::LoggingIn { host, starts: true } => (
            format!("Starting a session on {host} (ssh)"),
            "ssh logs in first; then the session takes some seconds, and more the first time.",
        ),
        ConnectStage::SshSays { line } => {
            (format!("ssh: {line}"), "ssh goes on, or waits for the other side.")
        }
        ConnectStage::Hello => (
            "Saying hello".to_owned(),
            "The other side was reached, but does not answer yet. It is busy, or no Xpra server: those answer within seconds.",
        ),
    };
    Stage { words, patience }
}

/// What the session does next, if its event says so.
pub fn of_session(event: &SessionEvent) -> Option<Stage> {
    let SessionEvent::Connection(event) = event else { return None };
    let elsewhere = "The question is in a window of its own.";
    let (words, patience) = match event {
        // The desktop's store of passwords is asked before the user is.
        ConnectionEvent::PasswordNeeded { .. } => (
            "Waiting for the password",
            "The desktop's store of passwords is being asked. It may want to be unlocked, in a window of its own.",
        ),
        ConnectionEvent::SshAsks { .. } => ("Waiting for an answer to ssh", ""),
        ConnectionEvent::SeveralSessions { .. } => ("Waiting for your choice of a session", elsewhere),
        ConnectionEvent::CertificateAsks(_) => ("Waiting for your word on the certificate", elsewhere),
        ConnectionEvent::LoggingIn => {
            ("Logging in", "The server has the answer, and takes its time: some wait before they refuse one.")
        }
        ConnectionEvent::Connected(_) => (
            "Waiting for the first window",
            "A session without windows shows its card in a moment: programs can be started there.",
        ),
        ConnectionEvent::Away(Away { until: Some(_), .. }) => {
            ("Connection lost, trying again", "It goes on by itself, until you cancel it.")
        }
        _ => return None,
    };
    Some(Stage { words: words.to_owned(), patience })
}

/// Whether connecting begins once more after this.
pub fn begins_anew(event: &SessionEvent) -> bool {
    matches!(event, SessionEvent::Connection(ConnectionEvent::PasswordRefused { .. }))
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
        CloseReason::Authentication(_) | CloseReason::PasswordRefused { .. } => {
            ("The login was refused", "Check the user name and the password.")
        }
        CloseReason::Timeout(_) => {
            ("The server does not answer", "Check the address, and firewalls on the way.")
        }
    };
    let alarm = matches!(reason, CloseReason::CertificateChanged(_));
    Some(Message { title: title.to_owned(), words: reason.to_string(), advice: advice.to_owned(), alarm })
}
