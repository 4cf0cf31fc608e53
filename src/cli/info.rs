//! `farpane info`: what a server says of itself.

use std::time::Duration;

use crate::config::Config;
use crate::headless::{HeadlessClient, HeadlessError};
use crate::render::RenderOptions;
use crate::session::Profile;

use super::output;

/// How long the server may take to answer.
const LIMIT: Duration = Duration::from_secs(20);

/// Prints every `key=value` that the server tells.
pub fn run(config: &Config) -> Result<(), HeadlessError> {
    let mut client = HeadlessClient::start(config.net(Profile::Info), RenderOptions::default())?;
    client.wait_for("the server's answer", LIMIT, |view| view.info.is_some())?;
    for (key, value) in client.view().info.iter().flatten() {
        output::line(&format!("{key}={value}"));
    }
    client.close();
    Ok(())
}
