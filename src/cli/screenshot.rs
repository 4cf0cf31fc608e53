//! `farpane screenshot`: the viewer's own pipeline, rendered off screen, into a PNG file.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::app::picture;
use crate::channel::clock;
use crate::config::Config;
use crate::geometry::{Rect, Size};
use crate::headless::{HeadlessClient, HeadlessError, View, WindowPixels};
use crate::net::new_file;
use crate::protocol::packet::WindowId;
use crate::session::{Profile, WindowInfo};

use super::args::ScreenshotArgs;
use super::output;

/// How long the server may take to tell its windows. The session has shorter limits of its own,
/// with better words.
const STARTUP_LIMIT: Duration = Duration::from_secs(120);
/// How long a window may take to show something.
const PAINT_LIMIT: Duration = Duration::from_secs(10);
/// Windows that appear or grow this soon after the others still belong in the picture.
const QUIET_TIME: Duration = Duration::from_millis(500);
/// Content that never rests is taken as it is after this time.
const SETTLE_LIMIT: Duration = Duration::from_secs(3);
/// Pixels of a picture of all windows; their positions are the server's. Two monitors of 4K side by side have 16 M.
const MAX_PIXELS: u64 = 20 << 20;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum ScreenshotError {
    #[error(transparent)]
    Headless(#[from] HeadlessError),
    #[error("the session has no windows to take a picture of (try --wait SECONDS)")]
    NoWindows,
    #[error("there is no window {wid}: the session has {existing}")]
    NoWindow { wid: WindowId, existing: String },
    #[error(
        "all windows together cover {width} x {height} pixels, which is too large: take one with --window WID"
    )]
    TooLarge { width: u32, height: u32 },
    #[error("cannot write the statistics: {0}")]
    Stats(std::io::Error),
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: png::EncodingError },
}

/// Takes the picture and says in one line what is in it.
pub fn run(config: &Config, args: &ScreenshotArgs) -> Result<(), ScreenshotError> {
    can_write(&args.file)?;
    let mut net = config.net(Profile::Attach);
    // Who is attached already should stay so, if the server allows it.
    net.session.share = true;
    let mut client = HeadlessClient::start(net, config.render_options())?;
    client.watch_stats();
    wait_for_windows(&mut client, args)?;
    let picture = match args.window {
        Some(wid) => one_window(&mut client, wid)?,
        None => all_windows(&mut client)?,
    };
    write_png(&args.file, &picture)?;
    output::line(&format!(
        "{}: {} x {} pixels, {} windows of {}",
        args.file.display(),
        picture.size.width,
        picture.size.height,
        args.window.map_or(client.windows().len(), |_| 1),
        config.connection.target,
    ));
    client.close();
    config.write_stats(&client.stats()).map_err(ScreenshotError::Stats)
}

fn wait_for_windows(client: &mut HeadlessClient, args: &ScreenshotArgs) -> Result<(), HeadlessError> {
    client.wait_for("the server's windows", STARTUP_LIMIT, |view| view.startup_complete)?;
    match args.wait {
        Some(time) => client.run_for(time),
        None => settle(client),
    }
}

/// Waits until every window was painted and no draws have come for a while.
pub fn settle(client: &mut HeadlessClient) -> Result<(), HeadlessError> {
    client.run_for(QUIET_TIME)?;
    match client.wait_for("a picture of every window", PAINT_LIMIT, all_painted) {
        // An iconified window is never painted.
        Err(HeadlessError::TimedOut { .. }) => tracing::warn!("some windows have shown nothing yet"),
        result => result?,
    }
    let end = clock::now() + SETTLE_LIMIT;
    loop {
        let before = client.stats().draws.received.total;
        client.run_for(QUIET_TIME)?;
        let is_quiet = client.stats().draws.received.total == before;
        if is_quiet || clock::now() >= end {
            return Ok(());
        }
    }
}

fn all_painted(view: &View) -> bool {
    view.windows.keys().all(|wid| view.painted.contains(wid))
}

fn one_window(client: &mut HeadlessClient, wid: WindowId) -> Result<WindowPixels, ScreenshotError> {
    if !client.windows().contains_key(&wid) {
        let existing = client.windows().values().map(|w| format!("{} ({:?})", w.wid, w.title));
        let existing = existing.collect::<Vec<_>>().join(", ");
        let existing = if existing.is_empty() { "none".to_owned() } else { existing };
        return Err(ScreenshotError::NoWindow { wid, existing });
    }
    Ok(client.read_back(wid)?)
}

/// All windows at their places: popups over the others, else the newer over the older.
pub fn all_windows(client: &mut HeadlessClient) -> Result<WindowPixels, ScreenshotError> {
    let painted = |window: &&WindowInfo| client.view().painted.contains(&window.wid);
    let mut windows: Vec<WindowInfo> = client.windows().values().filter(painted).cloned().collect();
    windows.sort_by_key(|window| (window.override_redirect, window.wid));
    let bounds = windows.iter().map(rect).reduce(Rect::union).ok_or(ScreenshotError::NoWindows)?;
    let size = Size { width: bounds.width, height: bounds.height };
    let pixels = u64::from(size.width) * u64::from(size.height);
    let bytes = usize::try_from(pixels.saturating_mul(4)).ok().filter(|_| pixels <= MAX_PIXELS);
    let bytes = bytes.ok_or(ScreenshotError::TooLarge { width: size.width, height: size.height })?;
    let mut canvas = WindowPixels { size, rgba: vec![0; bytes] };
    canvas.rgba.chunks_exact_mut(4).for_each(|pixel| pixel[3] = 255);
    for window in &windows {
        match client.read_back(window.wid) {
            Ok(picture) => {
                let at = rect(window);
                let x = i64::from(at.x) - i64::from(bounds.x);
                let y = i64::from(at.y) - i64::from(bounds.y);
                paint(&mut canvas, &picture, (x, y));
            }
            // It was closed meanwhile.
            Err(HeadlessError::NoWindow { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(canvas)
}

fn rect(window: &WindowInfo) -> Rect {
    Rect { x: window.x, y: window.y, width: window.size.width, height: window.size.height }
}

/// Paints `picture` (with premultiplied alpha) over `canvas` at `at`, as far as it lies within.
fn paint(canvas: &mut WindowPixels, picture: &WindowPixels, at: (i64, i64)) {
    let pixel_index = |size: Size, x: i64, y: i64| {
        let inside = (0..i64::from(size.width)).contains(&x) && (0..i64::from(size.height)).contains(&y);
        inside.then(|| usize::try_from((y * i64::from(size.width) + x) * 4).ok()).flatten()
    };
    for y in 0..i64::from(picture.size.height) {
        for x in 0..i64::from(picture.size.width) {
            let from = pixel_index(picture.size, x, y).and_then(|i| picture.rgba.get(i..i + 4));
            let to = pixel_index(canvas.size, x + at.0, y + at.1).and_then(|i| canvas.rgba.get_mut(i..i + 4));
            if let (Some(&[.., alpha]), Some(to), Some(from)) = (from, to, from) {
                let left = 255 - u16::from(alpha);
                for (to, &from) in to.iter_mut().zip(from).take(3) {
                    let mixed = u16::from(from) + (u16::from(*to) * left + 127) / 255;
                    *to = u8::try_from(mixed).unwrap_or(u8::MAX);
                }
            }
        }
    }
}

/// Whether a picture may be written there: asked before anything is attached to for it.
///
/// # Errors
/// If there is a file already.
pub fn can_write(path: &Path) -> Result<(), ScreenshotError> {
    let write = |why: std::io::Error| ScreenshotError::Write { path: path.to_owned(), source: why.into() };
    new_file::check(path).map_err(write)
}

/// Writes RGBA pixels as a new PNG file.
pub fn write_png(path: &Path, pixels: &WindowPixels) -> Result<(), ScreenshotError> {
    let write = || {
        let file = picture::png(pixels.size, png::ColorType::Rgba, &pixels.rgba)?;
        Ok(new_file::create(path)?.write_all(&file)?)
    };
    write().map_err(|source| ScreenshotError::Write { path: path.to_owned(), source })
}
