//! `farpane bench live`: Farpane beside Xpra's own client on real servers: how long after a key press the
//! window shows what the program drew, and how many frames of a video are shown.
//!
//! For each Xpra that is installed, [`server`] starts its server; in the session runs a program of the bench
//! itself ([`program`]), and its client and Farpane attach in turns, each on an Xvfb of its own. [`lag`] presses
//! keys there and waits for the pixels, [`film`] reads the number that each frame carries. A draw counts as
//! refused when the server says so.

pub mod back;
mod door;
mod film;
mod lag;
pub mod line;
mod program;
mod report;
mod server;
pub mod typing;

use std::time::Duration;

use crate::geometry::Size;

use super::peers::process::Tree;
use super::peers::screen::{Changes, Place, Screen};
use super::peers::{Client, Error};
use crate::channel::clock;

pub use film::{Film, Shown};
pub use lag::Lag;
pub use report::{markdown, table};

use super::peers::clients::Xpra;

/// How this is written in documents.
pub const COMMAND: &str = "farpane bench live";
/// What Farpane's slowest of 20 answers may take, as a part of what Xpra's own client takes.
pub const LAG_GOAL: f64 = 0.75;
/// Frames that Farpane shows for each of Xpra's own client: while all cores are busy, and else.
pub const LOADED_GOAL: f64 = 2.0;
pub const IDLE_GOAL: f64 = 1.0;
/// The local screen.
const SCREEN: Size = Size { width: 2200, height: 1300 };
/// A client shows the session's window after this time, or never.
const PATIENCE: Duration = Duration::from_secs(60);

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Key presses at each of [`lag::RATES`]; 0: none.
    pub presses: u32,
    /// How long each film is watched; 0: none.
    pub film: Duration,
    /// Only servers whose versions contain one of these; empty: all.
    pub servers: Vec<String>,
    /// In turns, how often everything is measured; the median of the runs counts.
    pub runs: u32,
}

/// One client on one server.
#[derive(Clone, Debug)]
pub struct Row {
    pub server: String,
    pub client: String,
    pub is_farpane: bool,
    pub lags: Vec<Lag>,
    pub films: Vec<Shown>,
}

/// Measures everything. `progress` is told what is being done.
///
/// # Errors
/// If there is no Xvfb or no Xpra, or one of the programs does not start.
pub fn run(plan: &Plan, mut progress: impl FnMut(&str)) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    let farpane = Client::farpane("cpu")?;
    for xpra in Xpra::installed().iter().filter(|xpra| xpra.is_wanted(&plan.servers)) {
        let clients: Vec<Client> = xpra.client().into_iter().chain([farpane.clone()]).collect();
        let first = rows.len();
        rows.extend(clients.iter().map(|client| Row {
            server: xpra.version.clone(),
            client: client.name.clone(),
            is_farpane: client.is_farpane,
            lags: Vec::new(),
            films: Vec::new(),
        }));
        for run in 1..=plan.runs.max(1) {
            for (client, row) in clients.iter().zip(rows.iter_mut().skip(first)) {
                let mut say = |what: &str| {
                    progress(&format!(
                        "server {}, {}: {what} ({run} of {})",
                        xpra.version, client.name, plan.runs
                    ));
                };
                if plan.presses > 0 {
                    lag::measure(xpra, client, plan.presses, &mut row.lags, &mut say)?;
                }
                for film in Film::ALL.into_iter().filter(|_| plan.film > Duration::ZERO) {
                    say(film.name());
                    film::measure(xpra, client, film, plan.film, &mut row.films)?;
                }
            }
        }
    }
    Ok(rows)
}

/// A client that shows the session's window on a screen of its own.
struct Attached {
    // Dropped before its screen.
    client: Tree,
    screen: Screen,
    changes: Changes,
    place: Place,
}

impl Attached {
    fn start(url: &str, client: &Client, window: Size) -> Result<Self, Error> {
        let screen = Screen::start(SCREEN)?;
        let changes = screen.watch()?;
        let command = client.command_for(url);
        let mut environment = client.environment.clone();
        environment.push(("DISPLAY".to_owned(), screen.name().to_owned()));
        let mut tree = Tree::start("client", &command, &environment)?;
        let deadline = clock::now() + PATIENCE;
        loop {
            if let Some(place) = screen.find(window) {
                screen.focus(place)?;
                return Ok(Self { client: tree, screen, changes, place });
            }
            if clock::now() > deadline || tree.exited().is_some() {
                let said = tree.log();
                let last = said.lines().last().unwrap_or("it says nothing").to_owned();
                return Err(Error::Client { name: client.name.clone(), why: last });
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The brightness, 0 to 255, of the pixel at this place in the window.
    fn brightness(&self, x: u32, y: u32) -> Result<u8, Error> {
        let at = |start: i16, offset: u32| start.saturating_add(i16::try_from(offset).unwrap_or(i16::MAX));
        let pixel = Place {
            x: at(self.place.x, x),
            y: at(self.place.y, y),
            size: Size { width: 1, height: 1 },
            ..self.place
        };
        Ok(self.screen.pixels(pixel)?.rgba.get(1).copied().unwrap_or(0))
    }
}

/// The value below which `percent` of the sorted values are.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get((sorted.len() * percent / 100).min(last)).copied().unwrap_or_default()
}

/// The middle one of some values.
fn median<T: Copy + PartialOrd>(values: &[T]) -> Option<T> {
    let mut sorted = Vec::from(values);
    sorted.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    sorted.get(sorted.len() / 2).copied()
}
