//! `farpane serve` plays a recording to any Xpra client, `farpane replay` to the viewer itself.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::app;
use crate::config::{Config, Request, Settings};
use crate::headless::HeadlessClient;
use crate::player::{AtEnd, Options, Pace, Played, Player};
use crate::session::{CloseReason, Profile};
use crate::stats::{Report, StatsSnapshot};

use super::args::RawPlay;
use super::screenshot::{all_windows, write_png};
use super::{EXIT_OTHER, Failure, UsageError, output};

/// Time between two looks at how far the player is.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The last picture may take this long to be presented after it was acknowledged.
const PRESENT_TIME: Duration = Duration::from_millis(200);

/// What `farpane replay` is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayArgs {
    pub play: RawPlay,
    /// Without windows.
    pub headless: bool,
    /// Save the final picture.
    pub screenshot: Option<PathBuf>,
}

/// Serves the recording until Ctrl-C, or for this time.
///
/// # Errors
/// If the file is no recording, or the address cannot be served on.
pub fn serve(play: &RawPlay, bind: SocketAddr, limit: Option<Duration>) -> Result<(), Failure> {
    let player = Player::start(bind, options(play, AtEnd::Stay))?;
    let address = player.address();
    output::line(&format!(
        "the recording is at tcp://{address}/: attach with `farpane {address}` or `xpra attach tcp://{address}/`"
    ));
    match limit {
        None => player.wait().map_err(|error| failure(format!("the player ended: {error}"))),
        Some(limit) => {
            std::thread::sleep(limit);
            output::line(&summary(&player.played()));
            Ok(())
        }
    }
}

/// Plays the recording through the whole viewer, and prints what that cost.
///
/// # Errors
/// If the file is no recording, or it cannot be shown.
pub fn replay(args: &ReplayArgs, settings: &Settings) -> Result<(), Failure> {
    let at_end = if args.headless { AtEnd::Stay } else { AtEnd::Close };
    let bind = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let player = Player::start(bind, options(&args.play, at_end))?;
    let request = Request::address(&format!("tcp://{}/", player.address())).map_err(UsageError::from)?;
    let mut config = settings.config(&request).map_err(UsageError::from)?;
    // Who plays is this program: what ends is over.
    config.reconnect = false;
    let stats = if args.headless { off_screen(&config, args, &player)? } else { windowed(config, &player)? };
    output::line(Report::summary(&stats).to_text().trim_end());
    let played = player.played();
    output::line(&summary(&played));
    match played.damage {
        Some(damage) => Err(failure(format!("the recording could not be read to its end: {damage}"))),
        None => Ok(()),
    }
}

fn windowed(config: Config, player: &Player) -> Result<Arc<StatsSnapshot>, Failure> {
    let finished = app::run(config)?;
    match finished.reason {
        CloseReason::User => Ok(finished.stats),
        CloseReason::Server(_) if player.played().finished > 0 => Ok(finished.stats),
        reason => Err(reason.into()),
    }
}

fn off_screen(config: &Config, args: &ReplayArgs, player: &Player) -> Result<Arc<StatsSnapshot>, Failure> {
    let mut client = HeadlessClient::start(config.net(Profile::Attach), config.render_options())?;
    while player.played().finished == 0 {
        client.run_for(LOOK_EVERY)?;
    }
    client.run_for(PRESENT_TIME)?;
    if let Some(file) = &args.screenshot {
        write_png(file, &all_windows(&mut client)?)?;
    }
    client.close();
    let stats = client.stats();
    config.write_stats(&stats).map_err(|error| failure(format!("the statistics: {error}")))?;
    Ok(stats)
}

fn options(play: &RawPlay, at_end: AtEnd) -> Options {
    let pace = if play.flat_out { Pace::FlatOut } else { Pace::Recorded };
    Options { file: play.file.clone(), pace, window: play.window, rounds: play.rounds, at_end }
}

fn summary(played: &Played) -> String {
    let Played { packets, draws, acknowledged, refused, .. } = played;
    let time = played.time.as_secs_f64();
    let rate = if time > 0.0 { f64::from(u32::try_from(*draws).unwrap_or(u32::MAX)) / time } else { 0.0 };
    format!(
        "played {packets} packets, {draws} draws ({acknowledged} acknowledged, {refused} refused) in {time:.3} s: {rate:.1} draws/s"
    )
}

fn failure(message: String) -> Failure {
    Failure { message, code: EXIT_OTHER }
}
