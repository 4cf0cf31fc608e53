//! `farpane info`: what a server says of itself.

use std::time::Duration;

use crate::config::Config;
use crate::headless::{HeadlessClient, HeadlessError};
use crate::pipeline::confine;
use crate::render::RenderOptions;
use crate::session::Profile;

use super::output;

/// How long all of it may take. The session has shorter limits of its own, with better words.
const LIMIT: Duration = Duration::from_secs(120);

/// How long asking for the version alone may take.
const VERSION_LIMIT: Duration = Duration::from_secs(10);
const VERSION_KEYS: &[&str] = &["build.version", "server.build.version", "version"];

/// What most people want to know, and where servers of both generations keep it.
const SUMMARY: &[(&str, &[&str])] = &[
    ("version", VERSION_KEYS),
    ("session", &["session.name", "server.session.name", "session_name"]),
    ("mode", &["server.session-type", "server.mode", "session-type"]),
    ("display", &["display.name", "server.display"]),
    ("host", &["hostname", "server.hostname"]),
    ("platform", &["platform.name", "server.platform.name"]),
    ("windows", &["windows.count", "state.windows", "windows.total"]),
    ("clients", &["clients"]),
];

/// Prints a summary, how decoders of this program are confined, an empty line, and every `key=value` that the server tells, sorted.
pub fn run(config: &Config) -> Result<(), HeadlessError> {
    let mut client = HeadlessClient::start(config.net(Profile::Info), RenderOptions::default())?;
    client.wait_for("the server's answer", LIMIT, |view| view.info.is_some())?;
    let mut lines = client.view().info.clone().unwrap_or_default();
    client.close();
    let version = VERSION_KEYS.iter().find_map(|key| lines.iter().find(|(k, _)| k == key));
    let is_whole = version.is_some_and(|(_, version)| version.matches('.').count() >= 2);
    if !is_whole && let Some(version) = full_version(config) {
        lines.retain(|(key, _)| !VERSION_KEYS.contains(&key.as_str()));
        lines.push((VERSION_KEYS[0].to_owned(), version));
    }
    lines.sort();
    output::line(&format!("{:<10}{}", "server", config.connection.target));
    if let Some(proxy) = &config.connection.proxy {
        output::line(&format!("{:<10}{proxy}", "proxy"));
    }
    for (label, keys) in SUMMARY {
        let value_of = |key: &&str| lines.iter().find(|(k, v)| k == key && !v.is_empty()).map(|(_, v)| v);
        if let Some(value) = keys.iter().find_map(value_of) {
            output::line(&format!("{label:<10}{value}"));
        }
    }
    output::line(&format!("{:<10}{}", "decoders", confine::probe().words()));
    output::line("");
    for (key, value) in &lines {
        output::line(&format!("{key}={value}"));
    }
    Ok(())
}

/// The version in full, without the packagers' part: 6.5's information lacks the last figure.
fn full_version(config: &Config) -> Option<String> {
    let mut client = HeadlessClient::start(config.net(Profile::Version), RenderOptions::default()).ok()?;
    let answered = client.wait_for("the server's version", VERSION_LIMIT, |view| view.info.is_some());
    let lines = client.view().info.clone().unwrap_or_default();
    client.close();
    answered.ok()?;
    let (_, version) = lines.into_iter().find(|(key, _)| key == "version")?;
    version.split('-').next().filter(|version| !version.is_empty()).map(str::to_owned)
}
