//! `farpane bench typing`: how long after a key press a far session's window shows what the program drew, while
//! a film is played beside it and the server's own control of the bandwidth is on.

use std::fmt;
use std::time::{Duration, Instant};

use crate::bench::peers::clients::Xpra;
use crate::bench::peers::screen::Place;
use crate::bench::peers::{Client, Error};
use crate::channel::clock;
use crate::geometry::Size;

use super::lag::{self, WINDOW};
use super::line::{Laid, Line};
use super::program::{Act, Program};
use super::server::Server;
use super::{Attached, film, percentile};

/// What the slower answers may take beyond the line's delay.
pub const GOAL: Duration = Duration::from_millis(60);
/// The share of answers, in percent, that has to be in time.
const SHARE: usize = 95;
/// Presses a second.
const RATE: u32 = 4;
/// The film, and its frames a second.
const FILM: Size = Size { width: 640, height: 480 };
const FILM_RATE: u32 = 25;
const FILM_AT: (i16, i16) = (520, 60);
/// The server takes this long to see that it is a film, and how much the line carries.
const WARM_UP: Duration = Duration::from_secs(15);
/// A key pressed sooner than this after the one before is another case.
const LEAST_PAUSE: Duration = Duration::from_millis(50);

/// An answer that takes longer is missing.
const LIMIT: Duration = Duration::from_secs(5);
/// After so many nothing more is measured.
const MOST_MISSING: u32 = 10;

/// To another continent and back.
const DELAY: Duration = Duration::from_millis(150);
/// What is measured: its name, and the line.
pub const LINES: [(&str, Line); 3] = [
    ("150 ms", Line { delay: DELAY, bits_per_second: 0, loses_one_of: 0 }),
    ("150 ms, 2 Mbit/s", Line { delay: DELAY, bits_per_second: 2_000_000, loses_one_of: 0 }),
    ("150 ms, 2 Mbit/s, 2 % lost", Line { delay: DELAY, bits_per_second: 2_000_000, loses_one_of: 50 }),
];

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Key presses on each line.
    pub presses: u32,
    /// Only servers whose versions contain one of these; empty: all.
    pub servers: Vec<String>,
    /// Only lines whose names contain one of these; empty: all.
    pub lines: Vec<String>,
}

/// One client on one server at the other end of one line.
#[derive(Clone, Debug)]
pub struct Row {
    pub server: String,
    pub client: String,
    pub line: &'static str,
    pub delay: Duration,
    /// What came of it, or why nothing did.
    pub typed: Result<Typed, String>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Typed {
    /// From press to pixel, sorted.
    pub times: Vec<Duration>,
    /// Presses without an answer.
    pub missing: u32,
    /// Of the film, a second.
    pub frames: f64,
    /// That the server sent, a second.
    pub bits: f64,
}

/// Measures everything. `progress` is told what is being done.
///
/// # Errors
/// If there is no Xvfb, or a server does not start.
pub fn run(plan: &Plan, mut progress: impl FnMut(&str)) -> Result<Vec<Row>, Error> {
    let farpane = Client::farpane("cpu")?;
    let mut rows = Vec::new();
    for xpra in Xpra::installed().iter().filter(|xpra| xpra.is_wanted(&plan.servers)) {
        let is_wanted =
            |name: &str| plan.lines.is_empty() || plan.lines.iter().any(|part| name.contains(part));
        for (name, line) in LINES.into_iter().filter(|(name, _)| is_wanted(name)) {
            for client in xpra.client().into_iter().chain([farpane.clone()]) {
                progress(&format!("server {}, {}: {name}", xpra.version, client.name));
                let typed = match measure(xpra, &client, line, plan.presses) {
                    Ok(typed) => Ok(typed),
                    Err(Error::Client { why, .. }) => Err(why),
                    Err(other) => return Err(other),
                };
                let server = xpra.version.clone();
                let row = Row { server, client: client.name, line: name, delay: line.delay, typed };
                progress(&row.to_string());
                rows.push(row);
            }
        }
    }
    Ok(rows)
}

/// The rows as a table in Markdown.
pub fn table(rows: &[Row]) -> String {
    let head = "| server | client | line | median | 95 of 100 | without an answer | film | from the server |\n\
                |---|---|---|---|---|---|---|---|\n";
    rows.iter().fold(head.to_owned(), |text, row| text + &format!("{row}\n"))
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, client, line, delay, typed } = self;
        write!(f, "| {server} | {client} | {line} | ")?;
        let Typed { times, missing, frames, bits } = match typed {
            Ok(typed) => typed,
            Err(why) => return write!(f, "{why} |"),
        };
        let ms = |percent| percentile(times, percent).as_millis();
        let slow = ms(SHARE);
        let is_met = slow <= (*delay + GOAL).as_millis() && *missing == 0;
        let bold = if is_met { "" } else { "**" };
        write!(f, "{} ms | {bold}{slow} ms{bold} | {missing} | ", ms(50))?;
        write!(f, "{frames:.1} a second | {:.2} Mbit/s |", bits / 1e6)
    }
}

fn measure(xpra: &Xpra, client: &Client, line: Line, presses: u32) -> Result<Typed, Error> {
    let failed = |why: std::io::Error| Error::Client { name: client.name.clone(), why: why.to_string() };
    let server = Server::start(xpra, &["--bandwidth-detection=yes"])?;
    let _typed_in = Program::start(server.display(), WINDOW, Act::Flip)?;
    let _film = Program::start_at(server.display(), FILM_AT, FILM, Act::Film { rate: FILM_RATE })?;
    let laid = Laid::to(server.port(), line).map_err(failed)?;
    let attached = Attached::start(&laid.url(), client, WINDOW)?;
    let film = wait(clock::now() + super::PATIENCE, || attached.screen.find(FILM));
    let no_film = || Error::Client { name: client.name.clone(), why: "no film is shown".to_owned() };
    let film = film.ok_or_else(no_film)?;
    lag::ready(&attached, client)?;
    std::thread::sleep(WARM_UP);
    let mut watched = Watched { attached: &attached, film, last: 0, frames: 0 };
    let (begin, [_, sent]) = (clock::now(), laid.sent());
    let every = Duration::from_secs(1) / RATE;
    let (mut times, mut missing, mut next) = (Vec::new(), 0, clock::now());
    for _ in 0..presses {
        next = (next + every).max(clock::now() + LEAST_PAUSE);
        watched.until(next)?;
        let answer = lag::answer(&attached, LIMIT)?;
        missing += u32::from(answer.is_none());
        times.extend(answer);
        if missing >= MOST_MISSING {
            break;
        }
    }
    let frames = watched.frames;
    times.sort_unstable();
    let seconds = (clock::now() - begin).as_secs_f64();
    let [_, by_now] = laid.sent();
    let bits = f64::from(u32::try_from(8 * (by_now - sent)).unwrap_or(u32::MAX)) / seconds;
    Ok(Typed { times, missing, frames: f64::from(frames) / seconds, bits })
}

/// The film, as far as somebody looks at it.
struct Watched<'a> {
    attached: &'a Attached,
    film: Place,
    last: u32,
    frames: u32,
}

impl Watched<'_> {
    fn until(&mut self, end: Instant) -> Result<(), Error> {
        loop {
            let number = film::number(&self.attached.screen, self.film)?;
            self.frames += u32::from(number != self.last);
            self.last = number;
            if !self.attached.changes.wait(end) {
                return Ok(());
            }
        }
    }
}

/// Asks until there is an answer, or no time any more.
fn wait<T>(until: Instant, ask: impl Fn() -> Option<T>) -> Option<T> {
    loop {
        let answer = ask();
        if answer.is_some() || clock::now() > until {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
