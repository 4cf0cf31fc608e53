//! `farpane record`: attaches without windows and writes what the server sends to a file.

use std::sync::Arc;
use std::time::Duration;

use crate::app::Signals;
use crate::channel::clock;
use crate::config::Config;
use crate::headless::{HeadlessClient, HeadlessError};
use crate::net::recorder::Progress;
use crate::net::{NetConfig, Recorder};
use crate::session::{CloseReason, ConnectionInput, Profile};
use crate::stats::text;

use super::args::RecordArgs;
use super::{EXIT_OTHER, Failure, output};

/// How long reaching the session may take. The session has shorter limits of its own, with better
/// words.
const STARTUP_LIMIT: Duration = Duration::from_secs(120);
/// Time between two words about the progress.
const SAY_EVERY: Duration = Duration::from_secs(1);

/// Records until the time is over, the server ends the session, or Ctrl-C.
///
/// # Errors
/// If there is no session to record, or the file cannot be written.
pub fn run(config: &Config, args: &RecordArgs) -> Result<(), Failure> {
    let target = config.connection.target.to_string();
    let recorder = Recorder::create(&args.file, target.clone())?;
    let mut net = config.net(Profile::Attach);
    // Who is attached already should stay so, if the server allows it.
    net.session.share = true;
    net.recorder = Some(Arc::new(recorder.clone()));
    let began = clock::now();
    let recorded = record(net, config, args.time, &recorder);
    let seconds = began.elapsed().as_secs_f64();
    output::status("");
    let progress = recorder.finish()?;
    recorded?;
    output::line(&format!("{}: {} of {target}", args.file.display(), words(progress, seconds)));
    Ok(())
}

fn record(
    net: NetConfig,
    config: &Config,
    limit: Option<Duration>,
    recorder: &Recorder,
) -> Result<(), Failure> {
    let mut client = HeadlessClient::start(net, config.render_options())?;
    let queue = client.queue();
    let _signals = Signals::watch(move || queue.input(ConnectionInput::Disconnect))
        .map_err(|error| failure(format!("signals cannot be handled: {error}")))?;
    let recorded = attended(&mut client, limit, recorder);
    let has_begun = client.view().server.is_some();
    let reason = client.close();
    config.write_stats(&client.stats()).map_err(|error| failure(format!("the statistics: {error}")))?;
    match (recorded, reason) {
        (Err(HeadlessError::Closed(_)), CloseReason::User) => Ok(()),
        // The server's end of a session is the recording's, and no failure.
        (Err(HeadlessError::Closed(_)), reason @ CloseReason::Server(_)) if has_begun => {
            output::progress(&reason.to_string());
            Ok(())
        }
        (recorded, _) => Ok(recorded?),
    }
}

/// Records until it is time to end, and says how far it is.
fn attended(
    client: &mut HeadlessClient,
    limit: Option<Duration>,
    recorder: &Recorder,
) -> Result<(), HeadlessError> {
    client.wait_for("the session", STARTUP_LIMIT, |view| view.server.is_some())?;
    let began = clock::now();
    loop {
        let elapsed = began.elapsed();
        let left = limit.map_or(SAY_EVERY, |limit| limit.saturating_sub(elapsed));
        let progress = recorder.progress();
        if left.is_zero() || progress.ended {
            return Ok(());
        }
        output::status(&words(progress, elapsed.as_secs_f64()));
        client.run_for(left.min(SAY_EVERY))?;
    }
}

fn words(progress: Progress, seconds: f64) -> String {
    let Progress { packets, bytes, .. } = progress;
    format!("{}, {} packets, {}", text::elapsed(seconds), text::count(packets), text::bytes(bytes as f64))
}

fn failure(message: String) -> Failure {
    Failure { message, code: EXIT_OTHER }
}
