//! One client shows one recording.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::channel::clock;
use crate::geometry::Size;
use crate::headless::WindowPixels;
use crate::player::{AtEnd, Options, Pace, Player};

use super::Error;
use super::clients::Client;
use super::process::{Memory, Tree};
use super::recorded::likeness;
use super::screen::{Place, Screen};

/// Time between two looks at a client that starts, and at one that shows the recording.
const LOOK_AT_START: Duration = Duration::from_millis(2);
const LOOK: Duration = Duration::from_millis(10);
/// Memory is looked at this often.
const LOOK_AT_MEMORY: Duration = Duration::from_millis(200);
/// A client has this long to acknowledge and paint the first draws, and then without an
/// acknowledgement.
const START_TIME: Duration = Duration::from_secs(40);
const STALL_TIME: Duration = Duration::from_secs(15);
/// A client that acknowledges but shows nothing by then is left alone with that.
const PAINT_TIME: Duration = Duration::from_secs(5);
/// A client is at rest when its CPU time has not changed for this long; one that never rests is
/// not waited for.
const REST: Duration = Duration::from_millis(200);
const REST_LIMIT: Duration = Duration::from_secs(3);
/// Lossy pictures that are this alike (in dB) are the same: decoders may interpolate colours.
const SAME_LOSSY: f64 = 30.0;
/// The screen is larger than the windows by this much.
const MARGIN: Size = Size { width: 128, height: 128 };

/// What to play, and what comes of it.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    pub recording: &'a Path,
    /// Draws that a client may leave unacknowledged.
    pub window: usize,
    pub rounds: u32,
    /// Draws that are played before the measurement begins.
    pub warm_up: u64,
    /// Draws of all rounds.
    pub draws: u64,
    /// The right and lower edge of the windows.
    pub extent: Size,
    /// What the window shows at the end.
    pub expected: &'a WindowPixels,
    /// What it shows before the last draw.
    pub before: &'a WindowPixels,
    pub is_lossless: bool,
}

/// What one client did with one recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// Of the process tree, for one draw after the warm-up.
    pub cpu: Duration,
    /// Draws a second after the warm-up.
    pub rate: f64,
    pub peak_memory: Memory,
    /// From the start of the process.
    pub first_paint: Option<Duration>,
    pub first_acknowledgement: Option<Duration>,
    pub refused: u64,
    /// Draws that the client never acknowledged.
    pub unanswered: u64,
    pub picture: Final,
}

/// The picture at the end, compared with what it should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Final {
    Same,
    /// Of a lossy recording: near enough, in dB.
    Alike(f64),
    /// The picture before the last draw, and it stays.
    Late,
    /// In dB.
    Differs(f64),
    /// No window of that size can be seen.
    NotThere,
}

impl Final {
    /// Whether the client shows what it should.
    pub fn is_right(self) -> bool {
        matches!(self, Self::Same | Self::Alike(_))
    }
}

/// Lets `client` show the recording. The inner error says why it could not.
///
/// # Errors
/// If the screen or the player fails.
pub fn measure(client: &Client, task: &Task) -> Result<Result<Measurement, String>, Error> {
    let size = Size { width: task.extent.width + MARGIN.width, height: task.extent.height + MARGIN.height };
    let screen = Screen::start(size)?;
    let (file, pace, at_end) = (task.recording.to_owned(), Pace::FlatOut, AtEnd::Stay);
    let options = Options { file, pace, window: task.window, rounds: task.rounds, at_end };
    let player = Player::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), options)?;
    player.allow_draws(task.warm_up);
    let command = client.command_for(&format!("tcp://{}/", player.address()));
    let mut environment = client.environment.clone();
    environment.push(("DISPLAY".to_owned(), screen.name().to_owned()));
    let started = clock::now();
    let tree = Tree::start("client", &command, &environment)?;
    let mut run = Run { task, screen, player, tree, started, peak: Memory::default() };
    let result = run.start().and_then(|first_paint| run.play(first_paint));
    let log = run.tree.log();
    if client.is_opengl && !log.lines().any(|line| line.contains("OpenGL") && line.contains("enabled")) {
        let said = log.lines().rev().find(|line| line.contains("OpenGL"));
        return Ok(Err(format!("no OpenGL: {}", said.unwrap_or("it does not say why").trim())));
    }
    Ok(result.map_err(|why| {
        tracing::debug!(client = client.name, log, "a client under test failed");
        let said = log.lines().rev().map(str::trim).find(|line| !line.is_empty());
        said.map_or_else(|| why.clone(), |said| format!("{why}; the last that it said: {said}"))
    }))
}

struct Run<'a> {
    task: &'a Task<'a>,
    // The client is dropped before its screen.
    tree: Tree,
    screen: Screen,
    player: Player,
    started: Instant,
    peak: Memory,
}

impl Run<'_> {
    /// Waits until the first draws were acknowledged and painted. Says when the latter was.
    fn start(&mut self) -> Result<Option<Duration>, String> {
        let mut painted = None;
        let mut place = None;
        let mut warm = None;
        loop {
            self.check()?;
            let now = clock::now();
            if painted.is_none() {
                place = place.or_else(|| self.screen.find(self.task.expected.size));
                if place.is_some_and(|place| self.screen.is_painted(place)) {
                    painted = Some(clock::now() - self.started);
                }
            }
            if warm.is_none() && self.player.played().acknowledged >= self.task.warm_up {
                warm = Some(now);
            }
            match warm {
                Some(warm) if painted.is_some() || now - warm > PAINT_TIME => return Ok(painted),
                None if now - self.started > START_TIME => {
                    return Err(format!("it showed nothing within {} s", START_TIME.as_secs()));
                }
                _ => std::thread::sleep(LOOK_AT_START),
            }
        }
    }

    fn play(&mut self, first_paint: Option<Duration>) -> Result<Measurement, String> {
        let warm_up = self.task.warm_up;
        let before = self.rest();
        let released = clock::now();
        self.player.allow_draws(u64::MAX);
        let mut looked = released;
        let mut progress = (0, released);
        let played = loop {
            self.check()?;
            let played = self.player.played();
            let now = clock::now();
            if played.finished > 0 {
                break played;
            }
            if played.acknowledged != progress.0 {
                progress = (played.acknowledged, now);
            } else if now - progress.1 > STALL_TIME {
                let (got, draws) = (played.acknowledged, self.task.draws);
                return Err(format!("it stopped after {got} of {draws} draws"));
            }
            if now - looked > LOOK_AT_MEMORY {
                looked = now;
                self.look_at_memory();
            }
            std::thread::sleep(LOOK);
        };
        let mut after = self.rest();
        let mut picture = self.compare();
        // It may have been kept from the processor while it seemed to rest.
        let finished = clock::now();
        while !picture.is_right() && clock::now() - finished < PAINT_TIME {
            after = self.rest();
            picture = self.compare();
        }
        self.look_at_memory();
        let draws = played.draws.saturating_sub(warm_up).max(1);
        let draws = u32::try_from(draws).unwrap_or(u32::MAX);
        let last = played.last_acknowledged.unwrap_or(released);
        let wall = last.saturating_duration_since(released).as_secs_f64();
        Ok(Measurement {
            cpu: after.saturating_sub(before) / draws,
            rate: if wall > 0.0 { f64::from(draws) / wall } else { 0.0 },
            peak_memory: self.peak,
            first_paint,
            first_acknowledgement: played
                .first_acknowledged
                .map(|at| at.saturating_duration_since(self.started)),
            refused: played.refused,
            unanswered: played.draws.saturating_sub(played.acknowledged),
            picture,
        })
    }

    fn compare(&self) -> Final {
        let shown =
            self.screen.find(self.task.expected.size).and_then(|place: Place| self.screen.pixels(place).ok());
        let Some(shown) = shown else { return Final::NotThere };
        let is_lossy = !self.task.is_lossless;
        let is_same = |decibels: f64| decibels == f64::INFINITY || (is_lossy && decibels >= SAME_LOSSY);
        match likeness(&shown, self.task.expected) {
            None => Final::NotThere,
            Some(f64::INFINITY) => Final::Same,
            Some(decibels) if is_same(decibels) => Final::Alike(decibels),
            Some(_) if likeness(&shown, self.task.before).is_some_and(is_same) => Final::Late,
            Some(decibels) => Final::Differs(decibels),
        }
    }

    /// Waits until the client does nothing any more; says what CPU time it has used.
    fn rest(&mut self) -> Duration {
        let began = clock::now();
        let mut last = (self.tree.cpu(), began);
        loop {
            std::thread::sleep(LOOK);
            let (cpu, now) = (self.tree.cpu(), clock::now());
            if cpu != last.0 {
                last = (cpu, now);
            }
            if now - last.1 > REST || now - began > REST_LIMIT {
                return cpu;
            }
        }
    }

    fn look_at_memory(&mut self) {
        let now = self.tree.memory();
        if now.bytes > self.peak.bytes {
            self.peak = now;
        }
    }

    fn check(&mut self) -> Result<(), String> {
        match self.tree.exited() {
            None => Ok(()),
            Some(status) => Err(format!("it ended with {status}")),
        }
    }
}
