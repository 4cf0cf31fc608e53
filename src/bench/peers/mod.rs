//! `farpane bench peers`: every Xpra client that is installed here shows the same recordings, one
//! after the other, each on an Xvfb of its own, and what that took is printed side by side.
//!
//! Measured is the client's whole process tree; neither the X server nor the process that serves
//! the recording counts. A client first shows some draws and comes to rest, so that its start is
//! not counted; then it is sent the others as fast as it acknowledges them, and comes to rest
//! again, so that everything it does after its last acknowledgement is. The picture that it shows
//! in the end is compared with the recording's ([`recorded`]).
//!
//! [`cases`] makes the recordings from [`desktop`], [`clients`] finds the clients, [`measure`] runs
//! one of them, [`bare`] says what the codec alone takes, [`report`] prints.

mod bare;
mod cases;
pub(super) mod clients;
mod desktop;
mod measure;
pub(super) mod process;
mod recorded;
mod report;
pub(super) mod screen;
mod webp;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::player::PlayError;

pub use cases::Case;
pub use clients::{Client, configured, installed, xpra6};
pub use measure::{Final, Measurement};
pub use process::Memory;
pub use report::{csv, json, markdown, table};

use measure::Task;
use process::Folder;
use recorded::Recorded;

/// Farpane's goal for a small update, and for the start.
pub const SMALL_GOAL: Duration = Duration::from_micros(50);
pub const START_GOAL: Duration = Duration::from_millis(150);
/// The goal for all else: this part of the best other client's CPU time, or, if that is more, this
/// multiple of the bare decoder's.
pub const PEER_SHARE: f64 = 0.5;
pub const BARE_SHARE: f64 = 1.15;

/// Why the comparison cannot be made. A client that fails is no error: the table says so.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("Xvfb does not start: is it installed (on Debian the package xvfb)?")]
    NoXvfb,
    #[error("the X server does not show its screen: {0}")]
    Screen(String),
    #[error("cannot start {name}: {why}")]
    Program { name: String, why: io::Error },
    #[error("{}: {why}", path.display())]
    File { path: PathBuf, why: io::Error },
    #[error("{} is no list of clients: {why}", path.display())]
    Config { path: PathBuf, why: String },
    #[error("{name}: {why}")]
    Client { name: String, why: String },
    #[error("a recording cannot be made: {0}")]
    Encode(String),
    #[error("the recording cannot be shown: {0}")]
    Recording(String),
    #[error(transparent)]
    Play(#[from] PlayError),
}

impl Error {
    fn file(path: &Path, why: io::Error) -> Self {
        Self::File { path: path.to_owned(), why }
    }
}

/// What to play.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A recording that the bench makes.
    Made(Case),
    /// A recording in a file, and how often its draws are played.
    File { file: PathBuf, rounds: u32 },
}

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    pub subjects: Vec<Subject>,
    pub clients: Vec<Client>,
    /// Draws of the whole desktop that are measured.
    pub frames: u32,
    /// Small draws that are measured.
    pub small: u32,
    /// Draws before these.
    pub warm_up: u32,
    /// Draws that a client may leave unacknowledged.
    pub window: usize,
    /// How often everything is measured; the best counts.
    pub runs: u32,
    /// Where to keep the recordings that are made.
    pub keep: Option<PathBuf>,
}

/// What became of a recording, client by client.
#[derive(Clone, Debug)]
pub struct Row {
    pub name: String,
    pub description: String,
    /// Whether these are small updates, with a goal of their own.
    pub is_small: bool,
    /// Draws that were measured, and bytes of one of them on the wire.
    pub draws: u64,
    pub bytes_per_draw: u64,
    /// CPU time of the codec alone for one draw.
    pub bare: Duration,
    /// In the order of the plan's clients: the best of all runs, or why there is none.
    pub results: Vec<(Client, Result<Measurement, String>)>,
}

impl Row {
    /// The least CPU time of a client that is not Farpane and has painted everything that it was
    /// sent. If it shows the last but one picture in the end, it has still done the work.
    pub fn best_peer(&self) -> Option<Duration> {
        let peers = self.results.iter().filter(|(client, _)| !client.is_farpane);
        peers.filter_map(|(_, result)| result.as_ref().ok()).filter(|m| m.is_peer()).map(|m| m.cpu).min()
    }

    /// The CPU time that Farpane should keep to.
    pub fn goal(&self) -> Duration {
        if self.is_small {
            return SMALL_GOAL;
        }
        let bare = self.bare.mul_f64(BARE_SHARE);
        self.best_peer().map_or(bare, |peer| bare.max(peer.mul_f64(PEER_SHARE)))
    }
}

impl Measurement {
    /// Whether everything was shown, and rightly.
    pub fn is_valid(&self) -> bool {
        self.refused == 0 && self.unanswered == 0 && self.picture.is_right()
    }

    /// Whether its CPU time is one to be compared with.
    fn is_peer(&self) -> bool {
        self.refused == 0 && self.unanswered == 0 && (self.picture.is_right() || self.picture == Final::Late)
    }

    /// The better of two, number by number; of memory and faults the worse.
    fn merge(self, other: Self) -> Self {
        let earlier = |one: Option<Duration>, other: Option<Duration>| one.into_iter().chain(other).min();
        Self {
            cpu: self.cpu.min(other.cpu),
            rate: self.rate.max(other.rate),
            peak_memory: if self.peak_memory.bytes >= other.peak_memory.bytes {
                self.peak_memory
            } else {
                other.peak_memory
            },
            first_paint: earlier(self.first_paint, other.first_paint),
            first_acknowledgement: earlier(self.first_acknowledgement, other.first_acknowledgement),
            refused: self.refused.max(other.refused),
            unanswered: self.unanswered.max(other.unanswered),
            picture: if self.picture.is_right() { other.picture } else { self.picture },
        }
    }
}

/// Measures everything. `progress` is told what is being done.
///
/// # Errors
/// If there is no Xvfb, a file cannot be written or read, or a recording is damaged.
pub fn run(plan: &Plan, mut progress: impl FnMut(&str)) -> Result<Vec<Row>, Error> {
    let folder = Folder::new("recordings")?;
    let kept = plan.keep.as_deref().unwrap_or(folder.path());
    std::fs::create_dir_all(kept).map_err(|why| Error::file(kept, why))?;
    plan.subjects.iter().map(|subject| row(plan, subject, kept, &mut progress)).collect()
}

fn row(plan: &Plan, subject: &Subject, folder: &Path, progress: &mut impl FnMut(&str)) -> Result<Row, Error> {
    let (file, rounds, name, description) = match subject {
        Subject::File { file, rounds } => {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            (file.clone(), *rounds, name.clone(), format!("{name}, a recording"))
        }
        Subject::Made(case) => {
            let file = folder.join(format!("{}.fpr", case.name()));
            progress(&format!("{}: making the recording", case.name()));
            let measured = if *case == Case::Small { plan.small } else { plan.frames };
            let (draws, rounds) = case.draws_and_rounds(measured + plan.warm_up);
            case.record(&file, draws)?;
            (file, rounds, case.name().to_owned(), case.describe().to_owned())
        }
    };
    let recorded = Recorded::load(&file)?;
    let (expected, before) = (recorded.last_picture()?, recorded.picture_before()?);
    let draws = recorded.total_draws * u64::from(rounds);
    // At least half of a short recording is measured.
    let warm_up = u64::from(plan.warm_up).min(draws / 2).max(1);
    let first = usize::try_from(warm_up).unwrap_or(usize::MAX).min(recorded.draws.len() / 2);
    progress(&format!("{name}: the bare decoder"));
    let bare = bare::cpu_time(&recorded.draws, first)?;
    let bytes = recorded.draws.iter().skip(first).map(|draw| draw.data.len() as u64).sum::<u64>();
    let bytes_per_draw = bytes / (recorded.draws.len().saturating_sub(first).max(1) as u64);
    let task = Task {
        recording: &file,
        window: plan.window,
        rounds,
        warm_up,
        draws,
        extent: recorded.extent,
        expected: &expected,
        before: &before,
        is_lossless: recorded.is_lossless(),
    };
    let mut results: Vec<Option<Result<Measurement, String>>> = vec![None; plan.clients.len()];
    for run in 1..=plan.runs.max(1) {
        for (client, result) in plan.clients.iter().zip(&mut results) {
            // What cannot show it once is not asked again.
            if matches!(result, Some(Err(_))) {
                continue;
            }
            progress(&format!("{name}: {} ({run} of {})", client.name, plan.runs.max(1)));
            let measured = measure::measure(client, &task)?;
            *result = Some(match (result.take(), measured) {
                (Some(Ok(before)), Ok(now)) => Ok(before.merge(now)),
                (Some(before), Err(_)) => before,
                (_, measured) => measured,
            });
        }
    }
    let results = results.into_iter().map(|result| result.unwrap_or_else(|| Err("not run".to_owned())));
    let results = plan.clients.iter().cloned().zip(results).collect();
    let is_small = *subject == Subject::Made(Case::Small);
    let draws = draws - warm_up;
    Ok(Row { name, description, is_small, draws, bytes_per_draw, bare, results })
}
