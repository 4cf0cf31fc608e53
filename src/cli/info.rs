//! `farpane info`: what a server says of itself.

use std::time::Duration;

use crate::config::Config;
use crate::headless::{HeadlessClient, HeadlessError};
use crate::render::RenderOptions;
use crate::session::Profile;

use super::output;

/// How long all of it may take. The session has shorter limits of its own, with better words.
const LIMIT: Duration = Duration::from_secs(120);

/// What most people want to know, and where servers of both generations keep it.
const SUMMARY: &[(&str, &[&str])] = &[
    ("version", &["build.version", "server.build.version", "version"]),
    ("session", &["session.name", "server.session.name", "session_name"]),
    ("mode", &["server.session-type", "server.mode", "session-type"]),
    ("display", &["display.name", "server.display"]),
    ("host", &["hostname", "server.hostname"]),
    ("platform", &["platform.name", "server.platform.name"]),
    ("windows", &["windows.count", "state.windows", "windows.total"]),
    ("clients", &["clients"]),
];

/// Prints a summary, an empty line, and every `key=value` that the server tells, sorted.
pub fn run(config: &Config) -> Result<(), HeadlessError> {
    let mut client = HeadlessClient::start(config.net(Profile::Info), RenderOptions::default())?;
    client.wait_for("the server's answer", LIMIT, |view| view.info.is_some())?;
    let mut lines = client.view().info.clone().unwrap_or_default();
    client.close();
    lines.sort();
    output::line(&format!("{:<10}{}", "server", config.connection.target));
    for (label, keys) in SUMMARY {
        let value_of = |key: &&str| lines.iter().find(|(k, v)| k == key && !v.is_empty()).map(|(_, v)| v);
        if let Some(value) = keys.iter().find_map(value_of) {
            output::line(&format!("{label:<10}{value}"));
        }
    }
    output::line("");
    for (key, value) in &lines {
        output::line(&format!("{key}={value}"));
    }
    Ok(())
}
