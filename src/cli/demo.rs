//! `farpane demo`: an embedded session and the viewer attached to it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use crate::app;
use crate::config::{Request, Settings};
use crate::demo::Server;
use crate::session::CloseReason;
use crate::stats::report::Report;

use super::args::RawDemo;
use super::grab;
use super::screenshot::{can_write, write_png};
use super::{EXIT_OTHER, Failure, UsageError, output};

/// How long a demo with a picture runs unless told otherwise.
const PICTURE_AFTER: Duration = Duration::from_secs(10);

/// Serves, and unless told otherwise attaches. Prints the statistics at the end.
///
/// # Errors
/// If the session cannot be served, shown or photographed.
pub fn run(demo: RawDemo, settings: &Settings) -> Result<(), Failure> {
    demo.screenshot.as_deref().map_or(Ok(()), can_write)?;
    let bind = demo.bind.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    // Other clients have keys of their own.
    let keys = settings.options().map_err(UsageError::from)?.keys();
    let captions = if demo.serve_only { Vec::new() } else { keys };
    let server = Server::with_captions(bind, captions);
    let server = server.map_err(|error| failure(format!("cannot serve on {bind}: {error}")))?;
    if demo.serve_only {
        return serve(server, demo.seconds);
    }
    let request = Request::address(&format!("tcp://{}/", server.address())).map_err(UsageError::from)?;
    let mut config = settings.config(&request).map_err(UsageError::from)?;
    // Who serves is this program: what ends is over.
    config.reconnect = false;
    config.overlay = settings.layer().value("overlay").is_none() || config.overlay;
    let limit = demo.seconds.or(demo.screenshot.is_some().then_some(PICTURE_AFTER));
    // Nothing is ever sent: the viewer's end is that the sender goes.
    let (viewer, viewer_ended) = sync_channel::<()>(0);
    let director = Director { server, picture: demo.screenshot };
    let director = std::thread::Builder::new()
        .name("farpane-demo".to_owned())
        .spawn(move || director.direct(limit, &viewer_ended))
        .map_err(|error| failure(format!("cannot start a thread: {error}")))?;
    let finished = app::run(config);
    drop(viewer);
    let ended_by_us = director.join().map_err(|_| failure("the demo's thread panicked".to_owned()))??;
    let finished = finished?;
    output::line(Report::summary(&finished.stats).to_text().trim_end());
    match finished.reason {
        CloseReason::User => Ok(()),
        CloseReason::Server(_) if ended_by_us => Ok(()),
        reason => Err(reason.into()),
    }
}

fn serve(server: Server, limit: Option<Duration>) -> Result<(), Failure> {
    let address = server.address();
    output::line(&format!(
        "the demo session is at tcp://{address}/: attach with `farpane {address}` or `xpra attach tcp://{address}/`"
    ));
    match limit {
        None => server.wait().map_err(|error| failure(format!("the demo ended: {error}"))),
        Some(limit) => {
            std::thread::sleep(limit);
            Ok(())
        }
    }
}

/// Takes the picture and ends the session when it is time to, while the viewer runs.
struct Director {
    server: Server,
    picture: Option<PathBuf>,
}

impl Director {
    /// Returns whether it was this that ended the session, not the viewer.
    fn direct(self, limit: Option<Duration>, viewer_ended: &Receiver<()>) -> Result<bool, Failure> {
        let ended = match limit {
            Some(limit) => viewer_ended.recv_timeout(limit),
            None => viewer_ended.recv().map_err(RecvTimeoutError::from),
        };
        if ended == Err(RecvTimeoutError::Disconnected) {
            return Ok(false);
        }
        let picture = self.picture.as_deref().map_or(Ok(()), photograph);
        // The server says goodbye, which ends the viewer.
        drop(self.server);
        picture.map(|()| true)
    }
}

fn photograph(file: &Path) -> Result<(), Failure> {
    let picture = grab::screen().map_err(|error| failure(error.to_string()))?;
    Ok(write_png(file, &picture)?)
}

fn failure(message: String) -> Failure {
    Failure { message, code: EXIT_OTHER }
}
